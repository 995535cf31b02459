//! The keys that sign access tokens, and the tokens themselves: RFC 9068 JWTs, signed ES256.
//!
//! All replicas share the keys through the database and keep them in memory, so that a token is verified without it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use entity::client::Scope;
use entity::signing_key;
use entity::user::Role;
use entity::value::instant::now;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use p256::elliptic_curve::rand_core::OsRng;
use p256::pkcs8::EncodePrivateKey;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveEnum, DatabaseConnection, EntityTrait, Set};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::actor::{Actor, ActorKind, Login};
use super::verified_tokens::VerifiedTokens;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::security;

/// The lifetime of an access token.
pub const ACCESS_TOKEN_LASTS: chrono::Duration = chrono::Duration::minutes(15);
/// The scope in the token of a person. The role decides what it permits.
pub const PERSON_SCOPE: &str = "read write";
/// The scope in the token of a person who has to set up one-time codes first: it reaches only the own account.
pub const ACCOUNT_SCOPE: &str = "account";
/// How long a replaced key still verifies tokens: longer than the lifetime of any token that it signed.
pub const RETIRED_HOLDS: chrono::Duration = chrono::Duration::hours(24);
/// How often the keys are read again, and therefore how soon a revoked key no longer verifies anything.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// The clock difference, in seconds, that is tolerated between services.
const LEEWAY: i64 = 5;
/// What access tokens are.
const ACCESS: Sort = Sort { types: &["at+jwt", "application/at+jwt"], audience: "renaksi" };
/// The shortest pause between two look-ups of unknown keys in the database.
const RELOAD_EVERY: Duration = Duration::from_secs(1);

/// The slot of the signing key. Only one row can have it.
pub const CURRENT: &str = "current";

/// The claims of an access token (RFC 9068 §2.2).
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    iat: i64,
    exp: i64,
    jti: String,
    scope: String,
    /// Only in the token of a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Only in the token of a person, for whose address an administrator vouches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    /// Only in the token of a person; a client has scopes instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opd: Option<String>,
    /// Only in the token of a person: the family of the refresh tokens of the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
}

/// The scope in the token of `actor`.
pub fn scope_of(actor: &Actor) -> String {
    match &actor.scopes {
        Some(scopes) => Scope::list(scopes),
        None if actor.login.must_set_up_totp => ACCOUNT_SCOPE.to_owned(),
        None => PERSON_SCOPE.to_owned(),
    }
}

/// The keys as one process knows them.
pub struct Keys {
    db: DatabaseConnection,
    issuer: String,
    known: RwLock<Known>,
    loaded: Mutex<Instant>,
    verified: VerifiedTokens,
}

#[derive(Default)]
struct Known {
    signing: Option<(String, EncodingKey)>,
    verifying: HashMap<String, DecodingKey>,
    set: Vec<Value>,
}

/// Why a token is refused, in the words that the client reads.
pub type Refusal = (&'static str, &'static str);

/// A sort of tokens. A token of one sort is never taken for one of another: it has another type and another audience.
pub(super) struct Sort {
    /// How the header names it; the first of these stands in tokens of this service.
    pub types: &'static [&'static str],
    /// Whom it is meant for.
    pub audience: &'static str,
}

/// Why a token cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is none of this service, or of another sort.
    Foreign,
    /// Its time is over.
    Expired,
}

impl Keys {
    /// Loads the keys. The first process on a database creates one.
    pub async fn load(db: DatabaseConnection, issuer: String) -> ApiResult<Self> {
        let keys = Self {
            db,
            issuer,
            known: RwLock::default(),
            loaded: Mutex::new(Instant::now()),
            verified: VerifiedTokens::default(),
        };
        keys.reload().await?;
        if keys.set().is_empty() {
            // If two replicas start together, one of them gets the slot, and the other uses that replica's key.
            let first_wins = OnConflict::column(signing_key::Column::Slot).do_nothing().to_owned();
            signing_key::Entity::insert(new_key()?).on_conflict(first_wins).exec_without_returning(&keys.db).await?;
            keys.reload().await?;
        }
        Ok(keys)
    }

    /// Reads the keys again and again, so that all replicas sign with the newest key and none accepts a revoked one.
    pub async fn follow(&self) {
        loop {
            tokio::time::sleep(FOLLOW_EVERY).await;
            // Other parts report that the database is down; the keys that are known stay in use.
            let _ = self.reload().await;
        }
    }

    /// The issuer of the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The public keys, in the form of RFC 7517.
    pub fn set(&self) -> Vec<Value> {
        self.known.read().map(|known| known.set.clone()).unwrap_or_default()
    }

    async fn reload(&self) -> ApiResult<()> {
        let rows = signing_key::Entity::find().all(&self.db).await?;
        let held = |row: &signing_key::Model| row.retired_at.is_none_or(|retired| retired + RETIRED_HOLDS > now());
        let rows = rows.into_iter().filter(held);
        let mut fresh = Known::default();
        for row in rows {
            let jwk: Jwk = serde_json::from_value(row.public_jwk.clone()).map_err(ApiError::unexpected)?;
            fresh.verifying.insert(row.kid.clone(), DecodingKey::from_jwk(&jwk).map_err(ApiError::unexpected)?);
            fresh.set.push(row.public_jwk);
            if row.slot == CURRENT {
                fresh.signing = Some((row.kid, EncodingKey::from_ec_der(&row.private_der)));
            }
        }
        let mut known = self.known.write().map_err(ApiError::unexpected)?;
        let ended = known.verifying.keys().filter(|kid| !fresh.verifying.contains_key(*kid)).cloned().collect::<Vec<_>>();
        *known = fresh;
        drop(known);
        for kid in &ended {
            security::log("signing_key_ended", kid, None, "revoked, or its time is over");
        }
        if !ended.is_empty() {
            self.verified.forget();
        }
        Ok(())
    }

    /// An access token for `actor`.
    pub fn issue(&self, actor: &Actor) -> ApiResult<String> {
        let (issued, is_client) = (now(), actor.kind == ActorKind::Client);
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: actor.id.clone(),
            aud: ACCESS.audience.into(),
            client_id: if is_client { actor.id.clone() } else { "renaksi".into() },
            iat: issued.timestamp(),
            exp: (issued + ACCESS_TOKEN_LASTS).timestamp(),
            jti: Uuid::now_v7().to_string(),
            scope: scope_of(actor),
            email: (!is_client).then(|| actor.name.clone()),
            email_verified: (!is_client).then_some(true),
            role: (!is_client).then(|| actor.role.to_value()),
            opd: actor.opd.clone(),
            sid: actor.login.family,
        };
        self.sign(&ACCESS, &claims)
    }

    /// A signed token of a sort.
    pub(super) fn sign(&self, sort: &Sort, claims: &impl Serialize) -> ApiResult<String> {
        let known = self.known.read().map_err(ApiError::unexpected)?;
        let (kid, key) = known.signing.as_ref().ok_or_else(|| ApiError::unexpected("no signing key"))?;
        let typ = sort.types.first().map(|typ| (*typ).to_owned());
        let header = Header { typ, kid: Some(kid.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, key).map_err(ApiError::unexpected)
    }

    /// The actor for whom a token was issued. The database is asked only about a key that is not known yet.
    pub async fn verify(&self, token: &str) -> Result<Arc<Actor>, Refusal> {
        if let Some(actor) = self.verified.actor(token) {
            return Ok(actor);
        }
        let keys = self.verified.keys();
        let foreign = ("The access token was not issued by this service.", "Token akses tidak diterbitkan oleh layanan ini.");
        let claims = self.open::<Claims>(&ACCESS, token).await.map_err(|unusable| match unusable {
            Unusable::Expired => ("The access token has expired.", "Token akses sudah kedaluwarsa."),
            Unusable::Foreign => foreign,
        })?;
        if !is_one_of_ours(&claims) {
            security::log("forged_token", &claims.sub, None, "it would last longer than the tokens of this service");
            return Err(foreign);
        }
        let until = claims.exp + LEEWAY;
        let actor = Arc::new(actor_of(claims).ok_or(foreign)?);
        self.verified.remember(token, &actor, until, keys);
        Ok(actor)
    }

    /// The claims of a token of a sort, if this service signed it and its time is not over. The database is asked only about a key
    /// that is not known yet.
    pub(super) async fn open<C: DeserializeOwned>(&self, sort: &Sort, token: &str) -> Result<C, Unusable> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Unusable::Foreign)?;
        // RFC 8725: this service chooses the algorithm and the type, not the token.
        let typ = header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        if header.alg != Algorithm::ES256 || !sort.types.contains(&typ.as_str()) {
            return Err(Unusable::Foreign);
        }
        let kid = header.kid.ok_or(Unusable::Foreign)?;
        if !self.knows(&kid) && self.may_reload() {
            // Another replica may have rotated the keys. If the database is down, the key stays unknown.
            let _ = self.reload().await;
        }
        self.decode(sort, token, &kid)
    }

    /// The actor for whom a token was issued, if it was verified before and is still valid.
    pub fn verified(&self, token: &str) -> Option<Arc<Actor>> {
        self.verified.actor(token)
    }

    fn decode<C: DeserializeOwned>(&self, sort: &Sort, token: &str, kid: &str) -> Result<C, Unusable> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[sort.audience]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = LEEWAY as u64;
        let known = self.known.read().map_err(|_| Unusable::Foreign)?;
        let key = known.verifying.get(kid).ok_or(Unusable::Foreign)?;
        let opened = jsonwebtoken::decode::<C>(token, key, &validation).map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature => Unusable::Expired,
            _ => Unusable::Foreign,
        });
        opened.map(|token| token.claims)
    }

    fn knows(&self, kid: &str) -> bool {
        self.known.read().is_ok_and(|known| known.verifying.contains_key(kid))
    }

    fn may_reload(&self) -> bool {
        self.loaded.lock().is_ok_and(|mut loaded| {
            let due = loaded.elapsed() >= RELOAD_EVERY;
            if due {
                *loaded = Instant::now();
            }
            due
        })
    }
}

/// Whether the token lasts no longer than the tokens that this service issues. Otherwise somebody with a stolen key could make a
/// token that never expires.
fn is_one_of_ours(claims: &Claims) -> bool {
    let lasts = claims.exp.checked_sub(claims.iat);
    lasts.is_some_and(|lasts| lasts <= ACCESS_TOKEN_LASTS.num_seconds()) && claims.iat <= now().timestamp() + LEEWAY
}

/// Creates a key in the slot of the signing key.
pub fn new_key() -> ApiResult<signing_key::ActiveModel> {
    let private = p256::SecretKey::random(&mut OsRng).to_pkcs8_der().map_err(ApiError::unexpected)?;
    let private_der = private.as_bytes().to_vec();
    let jwk = Jwk::from_encoding_key(&EncodingKey::from_ec_der(&private_der), Algorithm::ES256).map_err(ApiError::unexpected)?;
    let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(ApiError::unexpected)?;
    let mut public_jwk = json!(jwk);
    public_jwk["kid"] = json!(kid);
    public_jwk["use"] = json!("sig");
    public_jwk["alg"] = json!("ES256");
    Ok(signing_key::ActiveModel {
        kid: Set(kid),
        private_der: Set(private_der),
        public_jwk: Set(public_jwk),
        slot: Set(CURRENT.into()),
        retired_at: Set(None),
        created_at: Set(now()),
    })
}

/// The actor that the claims of a verified token describe: a person with a role, or a client with scopes.
fn actor_of(claims: Claims) -> Option<Actor> {
    let Claims { sub: id, email, role, opd, scope, sid, .. } = claims;
    Some(match role {
        Some(role) => Actor {
            kind: ActorKind::User,
            id,
            name: email?,
            is_outside: false,
            role: Role::try_from_value(&role).ok()?,
            opd,
            scopes: None,
            login: Login { family: sid, must_set_up_totp: scope == ACCOUNT_SCOPE },
        },
        None => Actor {
            kind: ActorKind::Client,
            name: id.clone(),
            id,
            is_outside: false,
            role: Role::Operator,
            opd,
            scopes: Some(Scope::parse_list(&scope)?),
            login: Login::default(),
        },
    })
}
