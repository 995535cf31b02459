//! Secrets that machines keep: refresh tokens and client secrets, 256 random bits each.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::http::body::hex;

/// A new one.
pub fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored of one. It has 256 random bits, so a fast hash keeps it as safe as a slow one.
pub fn hash_of(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}

/// Whether `secret` has this hash, in the same time whether it has or not.
pub fn fits(secret: &str, hash: &str) -> bool {
    hash_of(secret).as_bytes().ct_eq(hash.as_bytes()).into()
}
