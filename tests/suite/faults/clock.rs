//! A clock that can be shifted.

use std::fs;
use std::path::{Path, PathBuf};

use renaksi_tests::unique;
use renaksi_tests::workplace::Workplace;

/// The file that shifts the clock of a service, and the library that does it.
pub(super) struct Clock {
    pub(super) file: PathBuf,
    pub(super) library: String,
}

impl Clock {
    /// One that shows the true time.
    pub(super) fn installed() -> Self {
        let known = ["x86_64", "aarch64"].map(|kind| format!("/usr/lib/{kind}-linux-gnu/faketime/libfaketimeMT.so.1"));
        let named = std::env::var("RENAKSI_FAKETIME").ok();
        let library = named.or_else(|| known.into_iter().find(|path| Path::new(path).exists()));
        let library = library.expect("libfaketime shifts the clock in this story: install `faketime`, or set RENAKSI_FAKETIME");
        let clock = Self { file: Workplace::get().join(unique::word()), library };
        clock.shift("+0");
        clock
    }

    /// Shifts it by so many seconds, such as `+40`.
    pub(super) fn shift(&self, by: &str) {
        fs::write(&self.file, by).unwrap();
    }
}
