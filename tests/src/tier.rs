//! How large the stories are that could be of any size: small on every run, full before a release.
//!
//! `./test` runs the normal tier, where such a story has few numbers out of a fixed seed; `./test heavy` runs the heavy one, where
//! the same story has all of them, out of a seed of its own. A story is in both, so that none of them rots.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

/// Whether this run is of the heavy tier.
///
/// # Panics
///
/// When `RENAKSI_TEST_TIER` names no tier.
pub fn is_heavy() -> bool {
    match env::var("RENAKSI_TEST_TIER").as_deref() {
        Ok("heavy") => true,
        Ok("normal") | Err(env::VarError::NotPresent) => false,
        other => panic!("RENAKSI_TEST_TIER={other:?}: expected normal or heavy"),
    }
}

/// What holds in this tier: how many rows, how long a storm, how many rounds.
pub fn size<T>(normal: T, heavy: T) -> T {
    if is_heavy() { heavy } else { normal }
}

/// What a random story draws its numbers from, which it prints: `RENAKSI_TEST_SEED`, else `fixed`, and the time in the heavy tier.
///
/// # Panics
///
/// When `RENAKSI_TEST_SEED` is no number.
pub fn seed(fixed: u64) -> u64 {
    let seed = match env::var("RENAKSI_TEST_SEED") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("RENAKSI_TEST_SEED={text}: expected a number")),
        Err(_) if is_heavy() => SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs(),
        Err(_) => fixed,
    };
    println!("RENAKSI_TEST_SEED={seed}");
    seed
}
