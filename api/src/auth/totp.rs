//! One-time codes: six digits that change every 30 seconds (RFC 6238), and the recovery codes that take their place.

use chrono::{DateTime, Utc};
use totp_rs::{Builder, Secret, Totp};

use super::secret;
use crate::http::problem::{ApiError, ApiResult};

/// What authenticator apps call the service.
const ISSUER: &str = "Renaksi";
/// The number of recovery codes that are given at a time.
pub const RECOVERY_CODES: usize = 10;
/// The characters of recovery codes: none that is taken for another one.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// A recovery code has four groups of four characters: 80 random bits, so that a fast hash protects it.
const GROUPS: usize = 4;

/// A new secret of 160 random bits, as RFC 4226 recommends.
pub fn fresh() -> [u8; 20] {
    rand::random()
}

/// A secret as people and authenticator apps read it, and the URI that apps read from a QR code.
pub fn shown(secret: &[u8], email: &str) -> ApiResult<(String, String)> {
    // A colon separates the issuer from the account.
    let codes = codes(secret, &email.replace(':', "_"))?;
    Ok((codes.secret().to_base32(), codes.to_url().map_err(ApiError::unexpected)?))
}

/// The time step of which `code` is the code: the present one, or the one before or after it, since clocks differ.
pub fn step_of(secret: &[u8], code: &str, now: DateTime<Utc>) -> ApiResult<Option<i64>> {
    let is_code = code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit());
    let Some(second) = u64::try_from(now.timestamp()).ok().filter(|_| is_code) else { return Ok(None) };
    let step = codes(secret, "")?.check(code, second);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

fn codes(secret: &[u8], account: &str) -> ApiResult<Totp> {
    let account = if account.is_empty() { "account" } else { account };
    let builder = Builder::new().with_secret(Secret::new(secret.into())).with_account_name(account).with_issuer(Some(ISSUER));
    builder.build().map_err(ApiError::unexpected)
}

/// New recovery codes.
pub fn fresh_recovery_codes() -> Vec<String> {
    let letter = || char::from(LETTERS[usize::from(rand::random::<u8>() % 32)]);
    let code = || (0..GROUPS).map(|_| (0..4).map(|_| letter()).collect::<String>()).collect::<Vec<_>>().join("-");
    (0..RECOVERY_CODES).map(|_| code()).collect()
}

/// The hash that is stored of a recovery code. Case, blanks and dashes do not matter, since people copy it by hand.
pub fn recovery_hash(code: &str) -> String {
    let letters = code.chars().filter(|letter| letter.is_ascii_alphanumeric()).map(|letter| letter.to_ascii_lowercase());
    secret::hash_of(&letters.collect::<String>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The secret of the test vectors of RFC 6238, appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        for (second, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")] {
            assert_eq!(step_of(SECRET, code, at(second)).unwrap(), Some(second / 30), "{code}");
        }
    }

    #[test]
    fn clocks_may_differ_by_one_step() {
        let step = |second| step_of(SECRET, "287082", at(second)).unwrap();
        assert_eq!([step(0), step(30), step(89), step(90), step(120)], [Some(1), Some(1), Some(1), None, None]);
        for wrong in ["", "28708", "2870821", "28708a", " 287082", "287083"] {
            assert_eq!(step_of(SECRET, wrong, at(59)).unwrap(), None, "{wrong}");
        }
    }

    #[test]
    fn an_app_can_read_the_secret() {
        let (secret, uri) = shown(SECRET, "ani@tests.invalid").unwrap();
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(uri, format!("otpauth://totp/Renaksi:ani%40tests.invalid?secret={secret}&issuer=Renaksi"));
        assert!(shown(SECRET, "a:b@tests.invalid").is_ok());
    }

    #[test]
    fn recovery_codes_are_read_as_people_write_them() {
        let codes = fresh_recovery_codes();
        assert_eq!(codes.len(), RECOVERY_CODES);
        let code = &codes[0];
        assert_eq!(code.len(), 19);
        assert_eq!(recovery_hash(code), recovery_hash(&format!(" {} ", code.to_uppercase().replace('-', " "))));
        assert_ne!(recovery_hash(code), recovery_hash(&codes[1]));
    }
}
