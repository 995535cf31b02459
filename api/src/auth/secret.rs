//! Secrets for machines: refresh tokens and client secrets, of 256 random bits each.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A new secret.
pub fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// The hash that is stored of a secret. Since a secret has 256 random bits, a fast hash protects it as well as a slow one.
pub fn hash_of(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// Whether `secret` has this hash, in constant time.
pub fn fits(secret: &str, hash: &str) -> bool {
    hash_of(secret).as_bytes().ct_eq(hash.as_bytes()).into()
}
