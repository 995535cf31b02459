//! Passwords: stored as argon2id hashes, with at least 12 characters; common passwords are refused.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::telemetry::metrics::PASSWORD_HASHES;

/// The least number of characters of a password.
pub const SHORTEST: usize = 12;
/// The greatest number of characters: more would only slow the hash down.
pub const LONGEST: usize = 128;

/// The number of hashes that are computed at once: each takes 19 MiB and a processor core.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(2)));
/// Of these, the number for unknown callers: somebody who floods the service with guesses leaves the others to known callers.
static STRANGERS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));
/// The greatest number of unknown callers that wait for their turn.
const MOST_WAITING: usize = 32;

/// A hash that fits no password, so that an unknown account takes as much work as a known one.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now(&rand::random::<u128>().to_string()).unwrap_or_default());

/// Passwords of 12 characters or more that attackers try first, and the words from which others are built.
const COMMON: &[&str] = &[
    "password",
    "passw0rd",
    "qwertyuiop",
    "1q2w3e4r5t",
    "123456789012",
    "1234567890",
    "iloveyou",
    "adminadmin",
    "administrator",
    "letmein",
    "welcome",
    "indonesia",
    "rahasia",
    "katasandi",
    "lombokutara",
    "smartcity",
    "kominfo",
    "renaksi",
    "bismillah",
    "sayangku",
];

/// Argon2id with the parameters that OWASP names first: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).unwrap_or_default())
}

/// Why a password is refused, or `None` if it is not.
pub fn weakness(password: &str) -> Option<Text> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Some(Text::new(
            "The password needs at least 12 characters.",
            "Kata sandi harus terdiri dari paling sedikit 12 karakter.",
        ));
    }
    if length > LONGEST {
        return Some(Text::new(
            "The password may have at most 128 characters.",
            "Kata sandi boleh terdiri dari paling banyak 128 karakter.",
        ));
    }
    let letters = password.to_lowercase();
    // A common word with a few characters around it is what dictionaries try next.
    let is_common = COMMON.iter().any(|common| letters.contains(common) && letters.chars().count() < common.chars().count() + 8);
    let first = letters.chars().next();
    let is_one_character = letters.chars().all(|character| Some(character) == first);
    (is_common || is_one_character).then(|| Text::new("The password is too common.", "Kata sandi ini terlalu umum."))
}

/// 422 for a password that is refused, at this place of the body.
pub fn must_be_strong(pointer: &str, password: &str) -> ApiResult<()> {
    let refused = |text| ApiError::invalid(vec![FieldError::at(pointer, "weak_password", text)]);
    weakness(password).map_or(Ok(()), |text| Err(refused(text)))
}

/// A password that somebody sent, as far as it matters: a longer one fits no hash.
pub fn cut(given: &str) -> String {
    given.chars().take(LONGEST + 1).collect()
}

/// Computes the hash of a new password.
pub async fn hash(password: String) -> ApiResult<String> {
    run(Vec::new(), move || hash_now(&password)).await
}

/// Whether `password` fits `hash`. Without a hash, the same work is done and the answer is no. A caller who has not logged in
/// from this address lately waits behind other unknown callers, and is refused if too many wait.
pub async fn verify(password: String, hash: Option<String>, is_known: bool) -> ApiResult<bool> {
    let turn = if is_known { None } else { Some(stranger().await?) };
    run(turn.into_iter().collect(), move || {
        let exists = hash.is_some();
        // The hash is made for known accounts as well, so that the first login reveals nothing either.
        let nobody = &*NOBODY;
        let text = hash.unwrap_or_else(|| nobody.clone());
        let parsed = PasswordHash::new(&text).map_err(ApiError::unexpected)?;
        Ok(argon2().verify_password(password.as_bytes(), &parsed).is_ok() && exists)
    })
    .await
}

fn hash_now(password: &str) -> ApiResult<String> {
    let hash = argon2().hash_password(password.as_bytes()).map_err(ApiError::unexpected)?;
    Ok(hash.to_string())
}

/// The turn of an unknown caller.
async fn stranger() -> ApiResult<OwnedSemaphorePermit> {
    static WAITING: AtomicUsize = AtomicUsize::new(0);
    /// Leaves the queue, also if the client disconnects.
    struct Place;
    impl Drop for Place {
        fn drop(&mut self) {
            WAITING.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let ahead = WAITING.fetch_add(1, Ordering::Relaxed);
    let _place = Place;
    if ahead >= MOST_WAITING {
        return Err(ApiError::new(codes::TOO_MANY_REQUESTS).header("Retry-After", "2"));
    }
    Arc::clone(&STRANGERS).acquire_owned().await.map_err(ApiError::unexpected)
}

/// Runs the work on other threads than those that serve requests. The turns are given back when the work ends, even if nobody
/// waits for it any more.
async fn run<T: Send + 'static>(
    mut permits: Vec<OwnedSemaphorePermit>,
    work: impl FnOnce() -> ApiResult<T> + Send + 'static,
) -> ApiResult<T> {
    metrics::counter!(PASSWORD_HASHES).increment(1);
    permits.push(Arc::clone(&TURNS).acquire_owned().await.map_err(ApiError::unexpected)?);
    let working = move || {
        let done = work();
        drop(permits);
        done
    };
    tokio::task::spawn_blocking(working).await.map_err(ApiError::unexpected)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_common_passwords_are_refused() {
        assert!(weakness("short").is_some());
        assert!(weakness("password1234").is_some());
        assert!(weakness("aaaaaaaaaaaaaa").is_some());
        assert!(weakness("Renaksi-2022!").is_some());
        assert!(weakness("sapi-makan-rumput-hijau").is_none());
    }
}
