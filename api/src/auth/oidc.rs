//! Tokens of an outside OpenID provider, such as Keycloak.
//!
//! The keys of the provider are kept in memory. They are fetched again for a token whose key is not among them, at most once a
//! minute, and in the background when they are old, so that a key which the provider withdrew does not verify tokens for ever. While
//! the provider is down, tokens that were signed with the known keys stay valid.

mod claims;
mod jwks;

use std::error::Error;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Header, Validation};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use self::jwks::{Key, Wanted, choose, usable};
use super::actor::Actor;
use super::keys::Refusal;
use super::verified_tokens::VerifiedTokens;

/// The shortest pause between two requests to the provider for its keys, whether it answered or not.
const FETCH_EVERY: Duration = Duration::from_secs(60);
/// The age at which the keys are fetched again, although all tokens name known ones.
const REFRESH_AFTER: Duration = Duration::from_secs(600);
/// How long the provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The greatest number of bytes of an answer.
const LARGEST_ANSWER: usize = 1024 * 1024;
/// The clock difference, in seconds, that is tolerated.
const LEEWAY: u64 = 5;
/// Where a provider publishes its metadata: OpenID Connect Discovery first, then RFC 8414.
const METADATA: [&str; 2] = ["openid-configuration", "oauth-authorization-server"];

const FOREIGN: Refusal = (
    "The identity provider did not issue the access token for this service.",
    "Penyedia identitas tidak menerbitkan token akses ini untuk layanan ini.",
);
const EXPIRED: Refusal = ("The access token has expired.", "Token akses sudah kedaluwarsa.");
const UNREADABLE: Refusal =
    ("The keys of the identity provider cannot be read now.", "Kunci penyedia identitas tidak dapat dibaca saat ini.");

/// Why the keys could not be fetched, for the log.
type Failure = Box<dyn Error + Send + Sync>;

/// The settings for the provider, and the claims in which its tokens carry roles and OPDs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer (`iss`) of the tokens.
    pub issuer: String,
    /// The audience (`aud`) by which the tokens name this service.
    pub audience: String,
    /// The address of the provider's keys; without it, the provider's metadata is asked for it.
    pub jwks_url: Option<String>,
    /// The claim that holds the roles, such as `realm_access.roles`: member names joined by dots.
    pub role_claim: String,
    /// The prefix of the roles that are meant for this service; roles without it belong to others.
    pub role_prefix: String,
    /// The claim that holds the OPD of an operator, written like `role_claim`.
    pub opd_claim: String,
}

/// An outside provider, with its keys as this process knows them.
pub struct OidcProvider {
    provider: Arc<Provider>,
}

struct Provider {
    settings: Settings,
    client: reqwest::Client,
    keys: RwLock<Vec<Key>>,
    last: Mutex<Option<Fetch>>,
    verified: VerifiedTokens,
}

/// The last time that the provider was asked.
struct Fetch {
    at: Instant,
    failed: bool,
}

/// The only claim that is used before the signature is verified.
#[derive(Deserialize)]
struct Unverified {
    iss: String,
}

impl OidcProvider {
    /// Prepares the provider; its keys are fetched when the first token arrives.
    pub fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        // An error means that the process has a default provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .pool_max_idle_per_host(0)
            .user_agent("renaksi")
            .build()?;
        let provider =
            Provider { settings, client, keys: RwLock::default(), last: Mutex::default(), verified: VerifiedTokens::default() };
        Ok(Self { provider: Arc::new(provider) })
    }

    /// Whether a token claims to be issued by the provider. This only decides who verifies it.
    pub fn issued(&self, token: &str) -> bool {
        let payload = token.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
        let claims = payload.and_then(|bytes| serde_json::from_slice::<Unverified>(&bytes).ok());
        claims.is_some_and(|claims| claims.iss == self.provider.settings.issuer)
    }

    /// The actor for whom a token was issued. The provider is asked only about a key that is not known yet.
    pub async fn verify(&self, token: &str) -> Result<Arc<Actor>, Refusal> {
        self.refresh();
        let verified = &self.provider.verified;
        if let Some(actor) = verified.actor(token) {
            return Ok(actor);
        }
        let keys = verified.keys();
        let header = jsonwebtoken::decode_header(token).map_err(|_| FOREIGN)?;
        must_be_acceptable(&header)?;
        let wanted = Wanted { kid: header.kid, alg: header.alg };
        let key = match self.provider.known(&wanted) {
            Some(key) => key,
            None => self.fetched(&wanted).await?,
        };
        let settings = &self.provider.settings;
        let claims = settings.claims(token, &key, wanted.alg)?;
        let actor = Arc::new(settings.actor(&claims)?);
        // Only whole seconds: what is written otherwise is verified each time.
        if let Some(expires) = claims["exp"].as_i64() {
            verified.remember(token, &actor, expires.saturating_add_unsigned(LEEWAY), keys);
        }
        Ok(actor)
    }

    /// The actor for whom a token was issued, if it was verified before and is still valid.
    pub fn verified(&self, token: &str) -> Option<Arc<Actor>> {
        self.provider.verified.actor(token)
    }

    /// Has the keys fetched again if they are old. Nobody waits for it.
    fn refresh(&self) {
        let is_old = |last: &Option<Fetch>| last.as_ref().is_some_and(|fetch| fetch.at.elapsed() >= REFRESH_AFTER);
        if !self.provider.last.try_lock().is_ok_and(|last| is_old(&last)) {
            return;
        }
        let provider = Arc::clone(&self.provider);
        tokio::spawn(async move {
            let mut last = provider.last.lock().await;
            // Another request may have been faster.
            if is_old(&last) {
                // Why it failed was logged; the known keys stay in use.
                let _ = provider.fetch_noting(&mut last).await;
            }
        });
    }

    async fn fetched(&self, wanted: &Wanted) -> Result<DecodingKey, Refusal> {
        let (provider, key) = (Arc::clone(&self.provider), wanted.clone());
        // The request runs in a task of its own: if the client disconnects, the next one must not ask the provider again.
        tokio::spawn(async move { provider.renew(&key).await }).await.map_err(|_| UNREADABLE)??;
        self.provider.known(wanted).ok_or(FOREIGN)
    }
}

impl Provider {
    fn known(&self, wanted: &Wanted) -> Option<DecodingKey> {
        let keys = self.keys.read().ok()?;
        choose(&keys, wanted).map(|key| key.key.clone())
    }

    async fn renew(&self, wanted: &Wanted) -> Result<(), Refusal> {
        let mut last = self.last.lock().await;
        // The previous holder of the lock may have fetched the key.
        if self.known(wanted).is_some() {
            return Ok(());
        }
        if let Some(fetch) = last.as_ref().filter(|fetch| fetch.at.elapsed() < FETCH_EVERY) {
            return if fetch.failed { Err(UNREADABLE) } else { Ok(()) };
        }
        self.fetch_noting(&mut last).await
    }

    /// Fetches the keys, and notes when, and whether it failed.
    async fn fetch_noting(&self, last: &mut Option<Fetch>) -> Result<(), Refusal> {
        let fetched = self.fetch().await;
        *last = Some(Fetch { at: Instant::now(), failed: fetched.is_err() });
        fetched.map_err(|error| {
            tracing::warn!(issuer = %self.settings.issuer, ?error, "the keys of the identity provider cannot be read");
            UNREADABLE
        })
    }

    async fn fetch(&self) -> Result<(), Failure> {
        let address = match &self.settings.jwks_url {
            Some(address) => address.clone(),
            None => self.discover().await?,
        };
        let set = self.get(&address).await?.ok_or_else(|| format!("nothing at {address}"))?;
        let fresh = usable(&set);
        if fresh.is_empty() {
            return Err(format!("no key at {address} can verify tokens").into());
        }
        *self.keys.write().map_err(|_| "the keys are poisoned")? = fresh;
        self.verified.forget();
        Ok(())
    }

    async fn discover(&self) -> Result<String, Failure> {
        let issuer = &self.settings.issuer;
        for document in METADATA {
            let address = format!("{}/.well-known/{document}", issuer.trim_end_matches('/'));
            let Some(metadata) = self.get(&address).await? else { continue };
            // RFC 8414 §3.3: metadata that names another issuer must not be used.
            if metadata["issuer"] != issuer.as_str() {
                return Err(format!("{address} is about another issuer: {}", metadata["issuer"]).into());
            }
            let keys = metadata["jwks_uri"].as_str().ok_or_else(|| format!("no jwks_uri at {address}"))?;
            return Ok(keys.to_owned());
        }
        Err(format!("{issuer} tells neither an OpenID configuration nor OAuth metadata").into())
    }

    /// The JSON at an address; `None` if there is nothing.
    async fn get(&self, address: &str) -> Result<Option<Value>, Failure> {
        let mut response = self.client.get(address).header("Accept", "application/json").send().await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(format!("{address} answered {status}").into()),
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > LARGEST_ANSWER {
                return Err(format!("{address} answered more than {LARGEST_ANSWER} bytes").into());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(serde_json::from_slice(&bytes)?))
    }
}

impl Settings {
    /// The claims of a token, if its signature, issuer, audience and times hold.
    fn claims(&self, token: &str, key: &DecodingKey, alg: Algorithm) -> Result<Value, Refusal> {
        let mut validation = Validation::new(alg);
        validation.set_audience(&[&self.audience]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        let decoded = jsonwebtoken::decode::<Value>(token, key, &validation).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => EXPIRED,
            _ => FOREIGN,
        })?;
        Ok(decoded.claims)
    }
}

/// RFC 8725: this service chooses the algorithms and types, not the token.
fn must_be_acceptable(header: &Header) -> Result<(), Refusal> {
    let typ = header.typ.as_deref().unwrap_or("jwt").to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    let is_acceptable = header.alg.family() != AlgorithmFamily::Hmac && matches!(typ, "jwt" | "at+jwt") && header.crit.is_none();
    is_acceptable.then_some(()).ok_or(FOREIGN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// The address of a provider that has one key, whose name is read at each request.
    async fn provider(kid: Arc<RwLock<&'static str>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/keys", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await.unwrap();
                let kid = *kid.read().unwrap();
                let keys = json!({ "keys": [{ "kty": "RSA", "kid": kid, "n": "sXch", "e": "AQAB" }] }).to_string();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{keys}", keys.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn a_key_that_the_provider_withdrew_is_forgotten_when_the_keys_are_old() {
        let kid = Arc::new(RwLock::new("first"));
        let outside = OidcProvider::new(Settings {
            issuer: "https://login.tests.invalid".into(),
            audience: "renaksi".into(),
            jwks_url: Some(provider(Arc::clone(&kid)).await),
            role_claim: "role".into(),
            role_prefix: String::new(),
            opd_claim: "opd".into(),
        });
        let outside = outside.unwrap();
        let named = |kid: &str| Wanted { kid: Some(kid.to_owned()), alg: Algorithm::RS256 };
        assert!(outside.fetched(&named("first")).await.is_ok());
        *kid.write().unwrap() = "second";
        outside.refresh();
        tokio::task::yield_now().await;
        assert!(outside.provider.known(&named("first")).is_some(), "the keys are not old yet");

        outside.provider.last.lock().await.as_mut().unwrap().at = Instant::now().checked_sub(REFRESH_AFTER).unwrap();
        outside.refresh();
        let renewed = async {
            while outside.provider.known(&named("second")).is_none() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), renewed).await.unwrap();
        assert!(outside.provider.known(&named("first")).is_none());
    }

    #[test]
    fn shared_secrets_and_other_types_are_refused() {
        let of = |alg, typ: Option<&str>| Header { typ: typ.map(str::to_owned), ..Header::new(alg) };
        for typ in [None, Some("JWT"), Some("at+jwt"), Some("application/at+jwt")] {
            assert!(must_be_acceptable(&of(Algorithm::RS256, typ)).is_ok(), "{typ:?}");
        }
        for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            assert!(must_be_acceptable(&of(alg, None)).is_err(), "{alg:?}");
        }
        assert!(must_be_acceptable(&of(Algorithm::RS256, Some("logout+jwt"))).is_err());
        assert!(must_be_acceptable(&Header { crit: Some(vec!["x".into()]), ..of(Algorithm::RS256, None) }).is_err());
    }
}
