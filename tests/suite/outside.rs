//! Tokens of an outside OpenID provider: another Renaksi, and something that looks like Keycloak.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use renaksi_tests::server::PASSWORD;
use renaksi_tests::{Actor, App, Backend, Database, Server, on_both_databases, on_sqlite};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const ISSUER: &str = "https://login.tests.invalid";
/// A P-256 key, as PKCS #8 in URL-safe base64.
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7OVPa3qbqCGRCPTC-zD2Wp-iGL_FXYG2wjeYVQSdK32hRANCAAR_pV0OmZa4gz3655OzArVcsRrrVTa08rzrr5RcETazururGAxVgZA6IAUIVtcb_Py8cIAbk_l8f9JqzHZZNiE7";

on_both_databases! {
    async fn people_of_the_issuer_are_known(app) {
        let issuer = Issuer::start(app.backend());
        let service = issuer.trusted_by(&app, &[]);
        let token = issuer.token("admin@demo.invalid").await;
        let admin = service.anyone().with_token(&token);
        let me = admin.get("/v1/me").await.is(200).has("kind", "user").has("email", "admin@demo.invalid");
        let me = me.has("role", "admin").has("opd", json!(null));
        assert!(me.text_at("id").starts_with(&format!("{ISSUER}#")), "{me:?}");
        let etag = admin.etag_of("/v1/opds/DLH").await;
        admin.patch("/v1/opds/DLH", json!({ "name": "Dinas LH" })).if_match(&etag).await.is(200);

        let operator = service.anyone().with_token(&issuer.token("operator.dinkes@demo.invalid").await);
        operator.get("/v1/me").await.is(200).has("role", "operator").has("opd/code", "DINKES");
        let etag = operator.etag_of("/v1/opds/DLH").await;
        operator.patch("/v1/opds/DLH", json!({ "name": "x" })).if_match(&etag).await.is(403);

        // What the provider keeps is not changed here.
        operator.post("/v1/me/password", json!({ "current": PASSWORD, "new": "kopi tubruk tanpa gula" })).await.is(403).has_problem("forbidden");
        operator.post("/v1/me/totp", json!({})).await.is(403).has_problem("forbidden");

        // Those of the service itself stay who they are.
        service.viewer().await.get("/v1/me").await.is(200).has("role", "viewer");
    }
}

on_sqlite! {
    async fn a_service_that_does_not_trust_the_issuer_refuses(app) {
        let issuer = Issuer::start(app.backend());
        refused(&app, &issuer.token("admin@demo.invalid").await).await;
    }

    async fn a_token_for_others_is_refused(app) {
        let issuer = Issuer::start(app.backend());
        let token = issuer.token("admin@demo.invalid").await;
        for setting in [
            ("RENAKSI_OIDC_AUDIENCE", "somebody-else"),
            ("RENAKSI_OIDC_ROLE_PREFIX", "renaksi-"),
            ("RENAKSI_OIDC_ROLE_CLAIM", "realm_access.roles"),
        ] {
            refused(&issuer.trusted_by(&app, &[setting]), &token).await;
        }
        let operator = issuer.token("operator.dinkes@demo.invalid").await;
        refused(&issuer.trusted_by(&app, &[("RENAKSI_OIDC_OPD_CLAIM", "unit")]), &operator).await;
    }

    async fn only_the_keys_of_the_issuer_count(app) {
        let issuer = Issuer::start(app.backend());
        let service = issuer.trusted_by(&app, &[]);
        let token = issuer.token("viewer@demo.invalid").await;
        let header = jsonwebtoken::decode_header(&token).unwrap();
        let mut claims = claims_of(&token);
        claims["role"] = json!("admin");
        let own = EncodingKey::from_ec_der(&app.signing_key());
        refused(&service, &jsonwebtoken::encode(&header, &claims, &own).unwrap()).await;
        let own_header = jsonwebtoken::decode_header(service.viewer().await.token()).unwrap();
        refused(&service, &jsonwebtoken::encode(&own_header, &claims, &own).unwrap()).await;

        let set = Actor::new(issuer.server.url(), None).get("/.well-known/jwks.json").await.is(200);
        let public = EncodingKey::from_secret(set.text_at("keys/0/x").as_bytes());
        let symmetric = Header { alg: Algorithm::HS256, ..header.clone() };
        refused(&service, &jsonwebtoken::encode(&symmetric, &claims, &public).unwrap()).await;
        let (unsigned, _) = token.rsplit_once('.').unwrap();
        refused(&service, &format!("{unsigned}.")).await;
        service.anyone().with_token(&token).get("/v1/me").await.is(200).has("role", "viewer");
    }

    async fn known_keys_hold_while_the_issuer_is_down(app) {
        let issuer = Issuer::start(app.backend());
        let service = issuer.trusted_by(&app, &[]);
        let token = issuer.token("verifier@demo.invalid").await;
        let later = issuer.token("viewer@demo.invalid").await;
        service.anyone().with_token(&token).get("/v1/me").await.is(200).has("role", "verifier");
        let late = issuer.trusted_by(&app, &[]);
        issuer.server.kill9();
        service.anyone().with_token(&token).get("/v1/me").await.is(200);
        service.anyone().with_token(&later).get("/v1/me").await.is(200);

        // A service that has never seen the keys cannot believe anybody from there; nobody else notices.
        let answer = late.anyone().with_token(&token).get("/v1/me").header("Accept-Language", "en").await.is(401);
        answer.has("detail", "The keys of the identity provider cannot be read now.");
        late.viewer().await.get("/v1/me").await.is(200);
        late.anyone().get("/v1/public/summary").await.is(200);
    }

    async fn a_provider_like_keycloak_is_discovered(app) {
        let keycloak = Keycloak::start().await;
        let service = keycloak.trusted_by(&app);
        // All at once, and a name that no key has: one fetch is enough.
        let strange = Header { kid: Some("strange".into()), ..keycloak.header() };
        let unknown = keycloak.sign(&strange, &keycloak.claims());
        futures_util::future::join_all((0..8).map(|_| refused(&service, &unknown))).await;
        let operator = keycloak.sign(&keycloak.header(), &keycloak.claims());
        let me = service.anyone().with_token(&operator).get("/v1/me").await.is(200);
        let _ = me.has("email", "ani").has("name", "ani").has("role", "operator").has("opd/code", "DINKES");
        let nameless = Header { kid: None, ..keycloak.header() };
        service.anyone().with_token(&keycloak.sign(&nameless, &keycloak.claims())).get("/v1/me").await.is(200);
        assert_eq!(keycloak.fetches.load(Ordering::SeqCst), 1, "once a minute");

        for (claim, value) in [
            ("typ", json!("ID")), ("typ", json!("Refresh")), ("at_hash", json!("x")), ("c_hash", json!("x")),
            ("exp", json!(now() - 60)), ("exp", json!(null)), ("nbf", json!(now() + 600)),
            ("aud", json!("account")), ("aud", json!(null)),
            ("sub", json!(null)), ("sub", json!("a\u{0}b")), ("opd", json!(null)),
            ("realm_access", json!({ "roles": ["admin", "offline_access"] })), ("realm_access", json!(null)),
        ] {
            let mut claims = keycloak.claims();
            claims[claim] = value;
            refused(&service, &keycloak.sign(&keycloak.header(), &claims)).await;
        }
    }
}

async fn refused(service: &App, token: &str) {
    let refused = service.anyone().with_token(token).get("/v1/me").await.is(401).has_problem("unauthenticated");
    assert!(refused.header("www-authenticate").is_some_and(|way| way.contains("invalid_token")), "{refused:?}");
}

fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// Another Renaksi, with people and keys of its own.
struct Issuer {
    server: Server,
    // After the server, which uses it.
    _database: Database,
}

impl Issuer {
    fn start(backend: Backend) -> Self {
        // Copies of the demo database share their keys; this one makes its own.
        let database = Database::empty(backend);
        Self { server: Server::start_with(&database.url(), &[("RENAKSI_PUBLIC_URL", ISSUER)]), _database: database }
    }

    async fn token(&self, email: &str) -> String {
        Actor::new(self.server.url(), None).log_in(email, PASSWORD).await.is(200).text_at("access_token")
    }

    /// A service that trusts it; later settings win.
    fn trusted_by(&self, app: &App, more: &[(&str, &str)]) -> App {
        let jwks = format!("{}/.well-known/jwks.json", self.server.url());
        let settings =
            [("RENAKSI_OIDC_ISSUER", ISSUER), ("RENAKSI_OIDC_AUDIENCE", "renaksi"), ("RENAKSI_OIDC_JWKS_URL", jwks.as_str())];
        app.replica_with(&[&settings[..], more].concat())
    }
}

/// Answers what Keycloak answers about itself, and signs what Keycloak signs.
struct Keycloak {
    url: String,
    key: EncodingKey,
    fetches: Arc<AtomicUsize>,
}

impl Keycloak {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let key = EncodingKey::from_ec_der(&URL_SAFE_NO_PAD.decode(KEY).unwrap());
        let mut jwk = json!(Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap());
        jwk["kid"] = json!("signs");
        let encrypts = json!({ "kty": "RSA", "kid": "encrypts", "use": "enc", "alg": "RSA-OAEP", "n": "sXch", "e": "AQAB" });
        // The provider has no OpenID configuration, so its OAuth metadata are asked for.
        let metadata = json!({ "issuer": url, "jwks_uri": format!("{url}/certs") }).to_string();
        let set = json!({ "keys": [encrypts, jwk] }).to_string();
        let fetches = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&fetches);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let _ = answer(connection, &metadata, &set, &counted).await;
            }
        });
        Self { url, key, fetches }
    }

    fn trusted_by(&self, app: &App) -> App {
        app.replica_with(&[
            ("RENAKSI_OIDC_ISSUER", self.url.as_str()),
            ("RENAKSI_OIDC_AUDIENCE", "renaksi"),
            ("RENAKSI_OIDC_ROLE_CLAIM", "realm_access.roles"),
            ("RENAKSI_OIDC_ROLE_PREFIX", "renaksi-"),
        ])
    }

    fn header(&self) -> Header {
        Header { kid: Some("signs".into()), ..Header::new(Algorithm::ES256) }
    }

    fn claims(&self) -> Value {
        json!({
            "iss": self.url, "sub": "0b6f", "aud": ["account", "renaksi"], "typ": "Bearer", "exp": now() + 300, "iat": now(),
            "preferred_username": "ani", "opd": "DINKES",
            "realm_access": { "roles": ["offline_access", "renaksi-viewer", "renaksi-operator"] },
        })
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }
}

async fn answer(mut connection: TcpStream, metadata: &str, set: &str, fetches: &AtomicUsize) -> std::io::Result<()> {
    let (reader, mut writer) = connection.split();
    let mut lines = BufReader::new(reader).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
    let (status, body) = match first.split(' ').nth(1) {
        Some("/.well-known/oauth-authorization-server") => ("200 OK", metadata),
        Some("/certs") => {
            fetches.fetch_add(1, Ordering::SeqCst);
            ("200 OK", set)
        }
        _ => ("404 Not Found", ""),
    };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    writer.write_all(answer.as_bytes()).await
}
