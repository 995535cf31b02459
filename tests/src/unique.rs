//! Names that nothing else has.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

static COUNTER: AtomicU32 = AtomicU32::new(0);

fn next() -> u32 {
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

/// A code with a prefix, such as `KPI-3F2A-17`.
pub fn code(prefix: &str) -> String {
    let number = next();
    // One wrong digit makes no other code.
    let check = char::from(b'A' + (number % 23) as u8);
    format!("{prefix}-{:X}-{number}{check}", process::id())
}

/// A word that no demo data holds.
pub fn word() -> String {
    format!("zzq{:x}x{}", process::id(), next())
}

/// The name of a database.
pub fn database() -> String {
    format!("renaksi_{}_{}", process::id(), next())
}

/// An e-mail address.
pub fn email() -> String {
    format!("{}@tests.invalid", word())
}
