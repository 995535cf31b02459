//! The keys of an outside provider: those that can verify tokens, and the one that a token names.

use jsonwebtoken::jwk::{Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde_json::Value;

/// A key that verifies tokens.
pub(super) struct Key {
    kid: Option<String>,
    alg: Option<Algorithm>,
    pub(super) key: DecodingKey,
}

/// The key that a token names.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) kid: Option<String>,
    pub(super) alg: Algorithm,
}

/// The keys of a set that can verify tokens. A set may hold other keys too.
pub(super) fn usable(set: &Value) -> Vec<Key> {
    let keys = set["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    keys.iter().filter_map(|key| Key::of(serde_json::from_value(key.clone()).ok()?)).collect()
}

impl Key {
    fn of(jwk: Jwk) -> Option<Self> {
        let is_to_sign = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let may_verify = jwk.common.key_operations.as_ref().is_none_or(|may| may.contains(&KeyOperations::Verify));
        // A key with an unknown algorithm cannot be used; for a key that names none, the token decides.
        let alg = jwk.common.key_algorithm.map(Algorithm::try_from).transpose().ok()?;
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        let family = key.family();
        let fits = family != AlgorithmFamily::Hmac && alg.is_none_or(|alg| alg.family() == family);
        (is_to_sign && may_verify && fits).then_some(Self { kid: jwk.common.key_id, alg, key })
    }

    fn fits(&self, alg: Algorithm) -> bool {
        self.key.family() == alg.family() && self.alg.is_none_or(|own| own == alg)
    }
}

/// The key that a token names. A token that names none can only mean a single key.
pub(super) fn choose<'a>(keys: &'a [Key], wanted: &Wanted) -> Option<&'a Key> {
    let key = match (&wanted.kid, keys) {
        (Some(kid), _) => keys.iter().find(|key| key.kid.as_ref() == Some(kid) && key.fits(wanted.alg)),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    key.filter(|key| key.fits(wanted.alg))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    const X: &str = "f6VdDpmWuIM9-ueTswK1XLEa61U2tPK866-UXBE2s7o";
    const Y: &str = "roKxgMVYGQOiAFCFbXG_z8vHCAG5P5fH_Scyx2WTYhM";

    fn wanted(kid: Option<&str>, alg: Algorithm) -> Wanted {
        Wanted { kid: kid.map(str::to_owned), alg }
    }

    fn ec(kid: &str) -> Value {
        json!({ "kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "alg": "ES256", "x": X, "y": Y })
    }

    fn rsa(kid: &str, more: Value) -> Value {
        let mut key = json!({ "kty": "RSA", "kid": kid, "n": "sXch", "e": "AQAB" });
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    }

    #[test]
    fn keys_that_verify_nothing_are_skipped() {
        let set = json!({ "keys": [
            ec("a"),
            rsa("b", json!({})),
            rsa("encrypts", json!({ "use": "enc" })),
            rsa("encrypts too", json!({ "alg": "RSA-OAEP" })),
            rsa("signs only", json!({ "key_ops": ["sign"] })),
            rsa("of another family", json!({ "alg": "ES256" })),
            { "kty": "oct", "kid": "secret", "k": "c2VjcmV0" },
            { "kty": "AKP", "kid": "future", "alg": "ML-DSA-44", "pub": "AA" },
            { "kty": "EC", "crv": "secp256k1", "kid": "curve", "x": X, "y": Y },
            { "kid": 1 }, "nonsense", null,
        ] });
        let kids = usable(&set).into_iter().filter_map(|key| key.kid).collect::<Vec<_>>();
        assert_eq!(kids, ["a", "b"]);
        for set in [json!({}), json!([]), json!(null), json!({ "keys": {} })] {
            assert!(usable(&set).is_empty(), "{set}");
        }
    }

    #[test]
    fn a_key_is_chosen_by_its_name_and_algorithm() {
        let two = usable(&json!({ "keys": [ec("a"), rsa("b", json!({ "alg": "RS256" }))] }));
        for (kid, alg, chosen) in [
            (Some("a"), Algorithm::ES256, Some("a")),
            (Some("b"), Algorithm::RS256, Some("b")),
            (Some("b"), Algorithm::PS256, None),
            (Some("a"), Algorithm::RS256, None),
            (Some("c"), Algorithm::ES256, None),
            (None, Algorithm::ES256, None),
        ] {
            let found = choose(&two, &wanted(kid, alg)).and_then(|key| key.kid.as_deref());
            assert_eq!(found, chosen, "{kid:?} {alg:?}");
        }
        let one = usable(&json!({ "keys": [rsa("b", json!({}))] }));
        for (alg, is_chosen) in [(Algorithm::PS512, true), (Algorithm::RS256, true), (Algorithm::ES256, false)] {
            assert_eq!(choose(&one, &wanted(None, alg)).is_some(), is_chosen, "{alg:?}");
        }
        assert!(choose(&[], &wanted(None, Algorithm::ES256)).is_none());
    }
}
