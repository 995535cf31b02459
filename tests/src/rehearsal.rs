//! The day of a rehearsal: what the service takes for today, written to a file that it reads.

use std::fs;
use std::path::PathBuf;

use chrono::NaiveDate;

use crate::unique;
use crate::workplace::Workplace;

/// A day that a test sets; the file goes with the workplace.
pub struct Today(PathBuf);

impl Today {
    /// A rehearsal that begins on `day`.
    pub fn starting(day: NaiveDate) -> Self {
        let today = Self(Workplace::get().join(unique::word()));
        today.is(day);
        today
    }

    /// The value of the service's setting `RENAKSI_REHEARSAL`.
    pub fn setting(&self) -> &str {
        self.0.to_str().expect("the workplace has a plain path")
    }

    /// From now on it is `day`.
    pub fn is(&self, day: NaiveDate) {
        fs::write(&self.0, day.to_string()).unwrap();
    }
}
