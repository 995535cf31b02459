//! Access tokens: what they are, and which are refused.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use renaksi_tests::{Service, on_a_shared_server, on_shared_servers};
use serde_json::{Value, json};

/// A P-256 key that no service has ever seen, as PKCS #8 in URL-safe base64.
const FOREIGN_KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7OVPa3qbqCGRCPTC-zD2Wp-iGL_FXYG2wjeYVQSdK32hRANCAAR_pV0OmZa4gz3655OzArVcsRrrVTa08rzrr5RcETazururGAxVgZA6IAUIVtcb_Py8cIAbk_l8f9JqzHZZNiE7";

on_shared_servers! {
    async fn the_keys_are_public(app) {
        let anyone = app.anyone();
        let set = anyone.get("/.well-known/jwks.json").await.is(200);
        let keys = set.at("keys").as_array().unwrap().clone();
        assert!(!keys.is_empty());
        for key in &keys {
            for (member, value) in [("kty", "EC"), ("crv", "P-256"), ("alg", "ES256"), ("use", "sig")] {
                assert_eq!(key[member], value, "{key}");
            }
            for member in ["kid", "x", "y"] {
                assert!(key[member].is_string(), "`{member}` of {key}");
            }
            assert!(key.get("d").is_none(), "the private part");
        }
        let (header, claims) = parts(app.viewer().await.token());
        assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("ES256"), Some("at+jwt")));
        assert!(keys.iter().any(|key| key["kid"] == header["kid"]));
        for claim in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"] {
            assert!(!claims[claim].is_null(), "RFC 9068 asks for `{claim}`: {claims}");
        }
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    }
}

on_a_shared_server! {
    async fn a_token_signed_by_the_service_is_good(app) {
        // The forgeries below differ from this one in one thing each.
        let forge = Forge::of(app).await;
        forge.accepted(app, forge.sign(&forge.claims, &forge.header)).await;
    }

    async fn an_expired_token_is_refused(app) {
        let forge = Forge::of(app).await;
        let mut claims = forge.claims.clone();
        claims["iat"] = json!(now() - 2000);
        claims["exp"] = json!(now() - 1100);
        forge.refused(app, forge.sign(&claims, &forge.header)).await;
    }

    async fn a_token_for_others_or_of_others_is_refused(app) {
        let forge = Forge::of(app).await;
        for (claim, value) in [("aud", json!("somebody-else")), ("iss", json!("https://elsewhere.invalid")), ("exp", json!(null)), ("role", json!("emperor"))] {
            let mut claims = forge.claims.clone();
            claims[claim] = value;
            forge.refused(app, forge.sign(&claims, &forge.header)).await;
        }
        let header = Header { typ: Some("JWT".into()), ..forge.header.clone() };
        forge.refused(app, forge.sign(&forge.claims, &header)).await;
        let header = Header { kid: Some("unknown".into()), ..forge.header.clone() };
        forge.refused(app, forge.sign(&forge.claims, &header)).await;
    }

    async fn a_foreign_signature_is_refused(app) {
        let forge = Forge::of(app).await;
        let key = EncodingKey::from_ec_der(&base64_decoded(FOREIGN_KEY));
        forge.refused(app, jsonwebtoken::encode(&forge.header, &forge.claims, &key).unwrap()).await;
    }

    async fn a_token_without_a_signature_is_refused(app) {
        let forge = Forge::of(app).await;
        let claims = base64_encoded(forge.claims.to_string().as_bytes());
        for alg in ["none", "None", "NONE", "HS256", "ES256"] {
            let header = json!({ "alg": alg, "typ": "at+jwt", "kid": forge.header.kid });
            let header = base64_encoded(header.to_string().as_bytes());
            forge.refused(app, format!("{header}.{claims}.")).await;
        }
        let genuine = app.viewer().await.token().to_owned();
        let stripped = genuine.rsplit_once('.').unwrap().0;
        forge.refused(app, format!("{stripped}.")).await;
        forge.refused(app, stripped.to_owned()).await;
    }

    async fn the_public_key_is_no_secret(app) {
        let forge = Forge::of(app).await;
        let set = app.anyone().get("/.well-known/jwks.json").await.is(200);
        let key = EncodingKey::from_secret(set.at("keys/0/x").as_str().unwrap().as_bytes());
        let header = Header { alg: Algorithm::HS256, ..forge.header.clone() };
        forge.refused(app, jsonwebtoken::encode(&header, &forge.claims, &key).unwrap()).await;
    }

    async fn nonsense_is_refused(app) {
        let forge = Forge::of(app).await;
        for token in ["x", "a.b.c", "..", "", &"x".repeat(7000)] {
            forge.refused(app, token.to_owned()).await;
        }
        for header in ["Basic YTpi", "Bearer", "bearer  ", "Token abc"] {
            app.anyone().get("/v1/me").header("Authorization", header).await.is(401);
        }
        let genuine = app.viewer().await.token().to_owned();
        app.anyone().get("/v1/me").header("Authorization", &format!("bearer {genuine}")).await.is(200);
    }

    async fn a_bad_token_does_not_become_nobody(app) {
        let answer = app.anyone().with_token("a.b.c").get("/v1/public/summary").await;
        assert!([200, 401].contains(&answer.status()), "{answer:?}");
        // Whichever it is, it is the same with a token that was once good.
        let forge = Forge::of(app).await;
        let mut claims = forge.claims.clone();
        claims["exp"] = json!(now() - 1100);
        let expired = app.anyone().with_token(&forge.sign(&claims, &forge.header)).get("/v1/public/summary").await;
        assert_eq!(expired.status(), answer.status());
    }
}

/// Makes tokens as the service does, with its own key.
struct Forge {
    header: Header,
    claims: Value,
    key: EncodingKey,
}

impl Forge {
    async fn of(app: &Service) -> Self {
        let token = app.viewer().await.token().to_owned();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        Self { header, claims: parts(&token).1, key: EncodingKey::from_ec_der(&app.signing_key()) }
    }

    fn sign(&self, claims: &Value, header: &Header) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }

    async fn accepted(&self, app: &Service, token: String) {
        app.anyone().with_token(&token).get("/v1/me").await.is(200);
    }

    async fn refused(&self, app: &Service, token: String) {
        let refused = app.anyone().with_token(&token).get("/v1/me").await.is(401).has_problem("unauthenticated");
        assert!(refused.header("www-authenticate").is_some_and(|way| way.contains("invalid_token")), "{refused:?}");
        app.anyone().with_token(&token).delete("/v1/opds/DLH").await.is(401);
    }
}

fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| serde_json::from_slice(&base64_decoded(part)).unwrap_or(Value::Null));
    (parts.next().unwrap(), parts.next().unwrap())
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn base64_encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn base64_decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
