//! Tokens of an outside OpenID provider, such as Keycloak.
//!
//! The keys of the provider are kept in memory and fetched again only for a token whose key is not among them, at most once a
//! minute. While the provider is down, tokens that were signed with the known keys stay valid.

use std::error::Error;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::user::Role;
use entity::value::code::Code;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Header, Validation};
use reqwest::StatusCode;
use sea_orm::ActiveEnum;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::actor::{Actor, ActorKind, Login};
use super::keys::Refusal;
use super::verified_tokens::VerifiedTokens;

/// The shortest pause between two requests to the provider for its keys, whether it answered or not.
const FETCH_EVERY: Duration = Duration::from_secs(60);
/// How long the provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The greatest number of bytes of an answer.
const LARGEST_ANSWER: usize = 1024 * 1024;
/// The clock difference, in seconds, that is tolerated.
const LEEWAY: u64 = 5;
/// The greatest number of characters of a name in the audit log.
const LONGEST_NAME: usize = 254;
/// The greatest number of characters of a subject (OpenID Connect Core §2).
const LONGEST_SUBJECT: usize = 255;
/// Where a provider publishes its metadata: OpenID Connect Discovery first, then RFC 8414.
const METADATA: [&str; 2] = ["openid-configuration", "oauth-authorization-server"];
/// The roles in order of precedence: a token with several roles gets the first of these.
const MOST_POWERFUL_FIRST: [Role; 4] = [Role::Admin, Role::Verifier, Role::Operator, Role::Viewer];

const FOREIGN: Refusal = (
    "The identity provider did not issue the access token for this service.",
    "Penyedia identitas tidak menerbitkan token akses ini untuk layanan ini.",
);
const EXPIRED: Refusal = ("The access token has expired.", "Token akses sudah kedaluwarsa.");
const NO_ACCESS_TOKEN: Refusal = ("The token is no access token.", "Token ini bukan token akses.");
const UNREADABLE: Refusal =
    ("The keys of the identity provider cannot be read now.", "Kunci penyedia identitas tidak dapat dibaca saat ini.");
const NO_SUBJECT: Refusal =
    ("The token does not say whom it speaks for.", "Token tidak menyebutkan atas nama siapa token ini diterbitkan.");
const NO_ROLE: Refusal = ("The token carries no role of this service.", "Token tidak memuat peran di layanan ini.");
const NO_OPD: Refusal = ("The token of an operator carries no OPD.", "Token operator tidak memuat OPD.");

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

/// A key that verifies tokens.
struct Key {
    kid: Option<String>,
    alg: Option<Algorithm>,
    key: DecodingKey,
}

/// The key that a token names.
#[derive(Clone)]
struct Wanted {
    kid: Option<String>,
    alg: Algorithm,
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

/// Whether a token was signed with the provider's keys but is no access token: it says so itself (as Keycloak's tokens do), or it
/// holds what only an ID token holds (OpenID Connect Core §2 and §3). Some providers put the nonce into access tokens too; those
/// tokens then say that they are access tokens.
fn is_for_something_else(claims: &Value) -> bool {
    let says = claims["typ"].as_str();
    let has = |name: &str| claims.get(name).is_some_and(|claim| !claim.is_null());
    matches!(says, Some("ID" | "Refresh" | "Offline" | "Logout"))
        || ["at_hash", "c_hash", "s_hash"].into_iter().any(has)
        || (has("nonce") && says != Some("Bearer"))
}

impl Settings {
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

    /// The name of somebody in the audit log. An address that the provider did not verify may belong to somebody else, and so may
    /// any name that looks like an address.
    fn name(&self, claims: &Value, subject: &str) -> String {
        let is_verified = claims["email_verified"] == true || claims["email_verified"] == "true";
        let chosen = text(&claims["preferred_username"]).filter(|name| !name.contains('@'));
        let email = text(&claims["email"]).filter(|_| is_verified);
        let own = || if subject.contains('@') { format!("{}#{subject}", self.issuer) } else { subject.to_owned() };
        email.or(chosen).map_or_else(own, str::to_owned)
    }

    fn actor(&self, claims: &Value) -> Result<Actor, Refusal> {
        if is_for_something_else(claims) {
            return Err(NO_ACCESS_TOKEN);
        }
        let subject = text(&claims["sub"]).filter(|text| text.chars().count() <= LONGEST_SUBJECT).ok_or(NO_SUBJECT)?;
        let name = self.name(claims, subject);
        let role = find(claims, &self.role_claim).and_then(|claim| role_in(claim, &self.role_prefix)).ok_or(NO_ROLE)?;
        let opd = match role {
            Role::Operator => Some(find(claims, &self.opd_claim).and_then(opd_in).ok_or(NO_OPD)?),
            _ => None,
        };
        Ok(Actor {
            kind: ActorKind::User,
            id: format!("{}#{subject}", self.issuer),
            name: name.chars().take(LONGEST_NAME).collect(),
            is_outside: true,
            role,
            opd,
            scopes: None,
            login: Login::default(),
        })
    }
}

/// RFC 8725: this service chooses the algorithms and types, not the token.
fn must_be_acceptable(header: &Header) -> Result<(), Refusal> {
    let typ = header.typ.as_deref().unwrap_or("jwt").to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    let is_acceptable = header.alg.family() != AlgorithmFamily::Hmac && matches!(typ, "jwt" | "at+jwt") && header.crit.is_none();
    is_acceptable.then_some(()).ok_or(FOREIGN)
}

/// The keys of a set that can verify tokens. A set may hold other keys too.
fn usable(set: &Value) -> Vec<Key> {
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
fn choose<'a>(keys: &'a [Key], wanted: &Wanted) -> Option<&'a Key> {
    let key = match (&wanted.kid, keys) {
        (Some(kid), _) => keys.iter().find(|key| key.kid.as_ref() == Some(kid) && key.fits(wanted.alg)),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    key.filter(|key| key.fits(wanted.alg))
}

/// The claim at a path. The name of a claim may contain dots itself, as the names that are URLs do.
fn find<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| path.split('.').try_fold(claims, |claim, name| claim.get(name)))
}

/// The most powerful role of this service in a claim.
fn role_in(claim: &Value, prefix: &str) -> Option<Role> {
    let own = texts(claim).filter_map(|text| text.strip_prefix(prefix)).collect::<Vec<_>>();
    MOST_POWERFUL_FIRST.into_iter().find(|role| own.contains(&role.to_value().as_str()))
}

/// The OPD in a claim. If there are several, none is taken, since no one of them is meant more than the others.
fn opd_in(claim: &Value) -> Option<String> {
    let mut codes = texts(claim);
    let (code, None) = (codes.next()?, codes.next()) else { return None };
    Code::parse(code).is_ok().then(|| code.to_owned())
}

/// The texts of a claim that holds one text or a list of texts.
fn texts(claim: &Value) -> impl Iterator<Item = &str> {
    let list = claim.as_array().map_or(std::slice::from_ref(claim), Vec::as_slice);
    list.iter().filter_map(Value::as_str)
}

/// A text in a form that the audit log can keep.
fn text(claim: &Value) -> Option<&str> {
    claim.as_str().filter(|text| !text.trim().is_empty() && !text.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    const X: &str = "f6VdDpmWuIM9-ueTswK1XLEa61U2tPK866-UXBE2s7o";
    const Y: &str = "roKxgMVYGQOiAFCFbXG_z8vHCAG5P5fH_Scyx2WTYhM";

    fn settings() -> Settings {
        Settings {
            issuer: "https://login.tests.invalid".into(),
            audience: "renaksi".into(),
            jwks_url: None,
            role_claim: "realm_access.roles".into(),
            role_prefix: "renaksi-".into(),
            opd_claim: "opd".into(),
        }
    }

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
    fn a_claim_is_found_by_its_path() {
        let claims = json!({ "role": "admin", "a": { "b": { "c": ["x"] }, "d": [1] }, "https://a.invalid/role": "viewer" });
        for (path, found) in
            [("role", json!("admin")), ("a.b.c", json!(["x"])), ("a.d", json!([1])), ("https://a.invalid/role", json!("viewer"))]
        {
            assert_eq!(find(&claims, path), Some(&found), "{path}");
        }
        for path in ["", "b", "a.c", "role.x", "a.d.0", "a..b", "a.b.c.x"] {
            assert_eq!(find(&claims, path), None, "{path}");
        }
    }

    #[test]
    fn the_most_powerful_role_counts() {
        for (claim, prefix, role) in [
            (json!("admin"), "", Some(Role::Admin)),
            (json!(["viewer", "operator", "other"]), "", Some(Role::Operator)),
            (json!(["viewer", "verifier"]), "", Some(Role::Verifier)),
            (json!(["renaksi-viewer", "admin"]), "renaksi-", Some(Role::Viewer)),
            (json!(["Admin", "administrator", 1, null]), "", None),
            (json!("admin viewer"), "", None),
            (json!({ "admin": true }), "", None),
            (json!([]), "", None),
        ] {
            assert_eq!(role_in(&claim, prefix), role, "{claim} {prefix}");
        }
    }

    #[test]
    fn an_actor_is_named() {
        let mut claims = json!({
            "sub": "7", "email": "ani@tests.invalid", "email_verified": true, "preferred_username": "ani",
            "realm_access": { "roles": ["offline_access", "renaksi-operator"] }, "opd": ["DINKES"],
        });
        let actor = settings().actor(&claims).unwrap();
        assert_eq!((actor.id.as_str(), actor.name.as_str()), ("https://login.tests.invalid#7", "ani@tests.invalid"));
        assert_eq!((actor.role, actor.opd.as_deref()), (Role::Operator, Some("DINKES")));
        assert!(actor.kind == ActorKind::User && actor.scopes.is_none());
        for unverified in [json!(false), json!(null), json!("false"), json!(1)] {
            claims["email_verified"] = unverified;
            assert_eq!(settings().actor(&claims).unwrap().name, "ani");
        }
        // Neither a name nor a subject that was chosen makes anybody somebody else.
        claims["preferred_username"] = json!("admin@demo.invalid");
        assert_eq!(settings().actor(&claims).unwrap().name, "7");
        claims["sub"] = json!("admin@demo.invalid");
        assert_eq!(settings().actor(&claims).unwrap().name, "https://login.tests.invalid#admin@demo.invalid");

        let mut viewer = json!({ "sub": "7", "realm_access": { "roles": "renaksi-viewer" }, "opd": "DINKES" });
        let actor = settings().actor(&viewer).unwrap();
        assert_eq!((actor.name.as_str(), actor.opd), ("7", None));
        viewer["email_verified"] = json!(true);
        viewer["email"] = json!("a\u{0}b");
        viewer["preferred_username"] = json!("é".repeat(300));
        assert_eq!(settings().actor(&viewer).unwrap().name, "é".repeat(254));
    }

    #[test]
    fn a_token_that_says_too_little_is_refused() {
        let sound = json!({ "sub": "7", "realm_access": { "roles": ["renaksi-operator"] }, "opd": "DINKES", "typ": "Bearer" });
        assert!(settings().actor(&sound).is_ok());
        for (claim, value, refusal) in [
            ("typ", json!("ID"), NO_ACCESS_TOKEN),
            ("typ", json!("Refresh"), NO_ACCESS_TOKEN),
            ("at_hash", json!("x"), NO_ACCESS_TOKEN),
            ("c_hash", json!("x"), NO_ACCESS_TOKEN),
            ("sub", json!(null), NO_SUBJECT),
            ("sub", json!(""), NO_SUBJECT),
            ("sub", json!("x".repeat(256)), NO_SUBJECT),
            ("realm_access", json!({}), NO_ROLE),
            ("realm_access", json!({ "roles": ["operator"] }), NO_ROLE),
            ("opd", json!(null), NO_OPD),
            ("opd", json!(["DINKES", "DLH"]), NO_OPD),
            ("opd", json!("DIN KES"), NO_OPD),
        ] {
            let mut claims = sound.clone();
            claims[claim] = value.clone();
            assert_eq!(settings().actor(&claims).err(), Some(refusal), "{claim} {value}");
        }
        let mut with_nonce = sound.clone();
        with_nonce["nonce"] = json!("x");
        assert!(settings().actor(&with_nonce).is_ok(), "it says that it is an access token");
        with_nonce["typ"] = json!(null);
        assert_eq!(settings().actor(&with_nonce).err(), Some(NO_ACCESS_TOKEN));
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
