//! `/v1/auth`: the OAuth2 token endpoint (RFC 6749) and revocation (RFC 7009).

mod client;
pub mod login_throttle;

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, web};
use chrono::Duration;
use entity::client::Scope;
use entity::{refresh_token, user};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use self::login_throttle::{Attempt, Who};
use crate::auth::actor::{Actor, ActorKind};
use crate::auth::keys::{ACCESS_TOKEN_LASTS, Keys, PERSON_SCOPE};
use crate::auth::{password, secret};
use crate::http::answer::Answer;
use crate::http::body;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::NoParameters;
use crate::http::schema::ANY_TEXT;
use crate::http::security;
use crate::http::table::Table;
use crate::store::access::Anyone;
use crate::store::standing;
use crate::store::transaction::{Origin, WriteTransaction};

/// The grant types that the token endpoint accepts.
const GRANT_TYPES: [&str; 3] = ["client_credentials", "password", "refresh_token"];
/// How long a refresh token can be used.
const REFRESH_TOKEN_LASTS: Duration = Duration::days(30);
const FORM: &str = "application/x-www-form-urlencoded";
const LARGEST_FORM: usize = 16 * 1024;
/// The greatest number of characters of a form field.
const LONGEST_FIELD: usize = 4096;

/// The answer of the token endpoint (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
pub struct TokenAnswer {
    /// The access token, an RFC 9068 JWT. Send it as `Authorization: Bearer …`.
    #[schema(max_length = 4096)]
    access_token: String,
    /// The type of the token, always `Bearer`.
    #[schema(max_length = 16, example = "Bearer")]
    token_type: &'static str,
    /// The number of seconds until the access token expires.
    #[schema(minimum = 1, maximum = 86400, example = 900)]
    expires_in: i32,
    /// The refresh token, which can be exchanged once for the next pair of tokens. If it is used again, all tokens of the same
    /// login are revoked. A client gets none, because it has its secret.
    #[schema(max_length = 128)]
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// The scope of the access token.
    #[schema(max_length = 200, example = "read write")]
    scope: String,
}

/// Why no token was issued (RFC 6749 §5.2).
#[derive(Serialize, ToSchema)]
pub struct OauthError {
    /// The error code of the standard, such as `invalid_grant`.
    #[schema(max_length = 64, example = "invalid_grant")]
    error: String,
    /// What is wrong, in a sentence, in the language of `Accept-Language` (`en` or `id`).
    #[schema(max_length = 500)]
    error_description: String,
}

/// 400 with the word of RFC 6749 and a sentence in both languages. They are ASCII, without `"` and `\`, as the standard demands.
fn refused<T>(error: &'static str, en: &str, id: &str) -> ApiResult<T> {
    Err(ApiError::oauth(codes::MALFORMED, error, en, id))
}

/// 400 for somebody who is not told whether the account or the password is wrong.
fn unknown_person<T>() -> ApiResult<T> {
    refused("invalid_grant", "The user name or the password is wrong.", "Nama pengguna atau kata sandinya salah.")
}

/// The fields of a form.
struct Form(BTreeMap<String, String>);

impl Form {
    async fn read(request: &HttpRequest, payload: Payload) -> ApiResult<Option<Self>> {
        let media_type = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !media_type.to_ascii_lowercase().starts_with(FORM) {
            return Err(body::unsupported(media_type, &[FORM]));
        }
        body::must_be_plain(request)?;
        let bytes = body::read(payload.into_inner(), None, LARGEST_FORM).await?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let Ok(pairs) = web::Query::<Vec<(String, String)>>::from_query(text) else { return Ok(None) };
        let count = pairs.len();
        let fields = pairs.into_inner().into_iter().collect::<BTreeMap<_, _>>();
        // No value that the service knows can contain a NUL.
        let is_sound = |value: &String| !value.contains('\0') && value.chars().count() <= LONGEST_FIELD;
        // RFC 6749 §3.2: no parameter may occur twice, and unknown ones are ignored.
        let are_sound = fields.len() == count && fields.values().all(is_sound);
        Ok(are_sound.then_some(Self(fields)))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

async fn create_token(
    anyone: Anyone,
    request: HttpRequest,
    _: NoParameters,
    keys: Data<Keys>,
    payload: Payload,
) -> ApiResult<Answer> {
    let Some(form) = Form::read(&request, payload).await? else {
        return refused(
            "invalid_request",
            "The form cannot be read, or a parameter occurs twice or is too long.",
            "Formulir tidak dapat dibaca, atau ada parameter yang muncul dua kali atau terlalu panjang.",
        );
    };
    match form.get("grant_type") {
        Some("password") => match (form.get("username"), form.get("password")) {
            (Some(name), Some(password)) => log_in(anyone, &keys, name, password).await,
            _ => refused("invalid_request", "`username` and `password` are required.", "`username` dan `password` wajib ada."),
        },
        Some("refresh_token") => match form.get("refresh_token") {
            Some(token) => refresh(anyone, &keys, token).await,
            None => refused("invalid_request", "`refresh_token` is required.", "`refresh_token` wajib ada."),
        },
        Some("client_credentials") => match client::Credentials::of(&request, &form) {
            Ok(Some(credentials)) => client::log_in(anyone, &keys, credentials, form.get("scope")).await,
            Ok(None) => client::unknown(),
            Err((en, id)) => refused("invalid_request", en, id),
        },
        Some(_) => refused(
            "unsupported_grant_type",
            "The grant type is not supported. The supported ones are client_credentials, password and refresh_token.",
            "Jenis pemberian ini tidak didukung. Yang didukung: client_credentials, password dan refresh_token.",
        ),
        None => refused("invalid_request", "`grant_type` is required.", "`grant_type` wajib ada."),
    }
}

async fn log_in(anyone: Anyone, keys: &Keys, name: &str, given: &str) -> ApiResult<Answer> {
    let email = name.to_lowercase();
    let attempt = Attempt::begin(&anyone, Who::Person, &email).await?;
    let user = user::Entity::find().filter(user::Column::Email.eq(&email)).one(anyone.store.db()).await?;
    let user = user.filter(|user| user.active);
    // Whether the account exists or not, one hash is computed and one failure is counted.
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let is_right = password::verify(given.chars().take(password::LONGEST + 1).collect(), hash, attempt.is_known).await?;
    let Some(user) = user.filter(|_| is_right) else {
        attempt.failed(&anyone, "unknown or disabled account, or wrong password").await?;
        return unknown_person();
    };
    let token = secret::fresh();
    let granted = anyone
        .store
        .transact(origin(&anyone, actor_of(&user)), async |transaction: &WriteTransaction| {
            // The account was read before the password was compared. In the meantime it may have been disabled, or its password
            // changed.
            let Some(now) = held(transaction, user.id).await?.filter(|now| now.password_hash == user.password_hash) else {
                return Ok(None);
            };
            attempt.succeeded(transaction).await?;
            issue(transaction, now.id, Uuid::now_v7(), &token).await?;
            let answer = answer(keys, &actor_of(&now), Some(token.clone()))?;
            let mut row = now.into_active_model();
            row.last_login_at = Set(Some(transaction.now));
            row.update(&transaction.db).await?;
            Ok(Some(answer))
        })
        .await?;
    match granted {
        Some(answer) => Ok(answer),
        None => {
            attempt.failed(&anyone, "disabled or changed during the login").await?;
            unknown_person()
        }
    }
}

/// Reads an account that may log in, and locks it until the commit.
async fn held(transaction: &WriteTransaction, id: Uuid) -> ApiResult<Option<user::Model>> {
    standing::hold(&transaction.db, &id.to_string()).await?;
    Ok(user::Entity::find_by_id(id).one(&transaction.db).await?.filter(|user| user.active))
}

async fn refresh(anyone: Anyone, keys: &Keys, token: &str) -> ApiResult<Answer> {
    let origin = origin(&anyone, Actor::system("auth"));
    let next = secret::fresh();
    let hash = secret::hash_of(token);
    let exchanged = anyone
        .store
        .transact(origin, async |transaction: &WriteTransaction| {
            let Some(row) = locked(transaction, &hash).await? else { return Ok(None) };
            if row.used_at.is_some() {
                // Somebody else may have a copy of the token, so no token of this family may be used any more.
                let reason = "somebody else may have a copy: all tokens of that login are revoked";
                security::log("refresh_token_reused", &row.user_id.to_string(), anyone.address.as_deref(), reason);
                revoke_family(transaction, row.family).await?;
                return Ok(None);
            }
            if row.revoked_at.is_some() || row.expires_at <= transaction.now {
                return Ok(None);
            }
            let Some(user) = held(transaction, row.user_id).await? else { return Ok(None) };
            let family = row.family;
            let mut row = row.into_active_model();
            row.used_at = Set(Some(transaction.now));
            row.update(&transaction.db).await?;
            issue(transaction, user.id, family, &next).await?;
            answer(keys, &actor_of(&user), Some(next.clone())).map(Some)
        })
        .await?;
    match exchanged {
        Some(answer) => Ok(answer),
        None => refused(
            "invalid_grant",
            "The refresh token is unknown, used, revoked or expired.",
            "Token penyegar tidak dikenal, sudah dipakai, dicabut atau kedaluwarsa.",
        ),
    }
}

async fn revoke_token(anyone: Anyone, request: HttpRequest, _: NoParameters, payload: Payload) -> ApiResult<Answer> {
    let form = Form::read(&request, payload).await?;
    let Some(token) = form.as_ref().and_then(|form| form.get("token")) else {
        return refused("invalid_request", "`token` is required.", "`token` wajib ada.");
    };
    let hash = secret::hash_of(token);
    let origin = origin(&anyone, Actor::system("auth"));
    anyone
        .store
        .transact(origin, async |transaction: &WriteTransaction| match locked(transaction, &hash).await? {
            Some(row) => revoke_family(transaction, row.family).await,
            // RFC 7009 §2.2: an unknown token counts as revoked. Access tokens expire by themselves.
            None => Ok(()),
        })
        .await?;
    Ok(Answer::ok(&json!({}))?.header("Cache-Control", "no-store"))
}

/// Reads a refresh token and locks it until the commit. Its account is locked first, as by everybody who ends all its sessions;
/// otherwise two transactions could wait for each other.
async fn locked(transaction: &WriteTransaction, hash: &str) -> ApiResult<Option<refresh_token::Model>> {
    let Some(row) = refresh_token::Entity::find_by_id(hash).one(&transaction.db).await? else { return Ok(None) };
    standing::hold(&transaction.db, &row.user_id.to_string()).await?;
    transaction.locked::<refresh_token::Entity>(hash.to_owned()).await
}

async fn issue(transaction: &WriteTransaction, user_id: Uuid, family: Uuid, token: &str) -> ApiResult<()> {
    let row = refresh_token::ActiveModel {
        hash: Set(secret::hash_of(token)),
        family: Set(family),
        user_id: Set(user_id),
        expires_at: Set(transaction.now + REFRESH_TOKEN_LASTS),
        used_at: Set(None),
        revoked_at: Set(None),
        created_at: Set(transaction.now),
    };
    row.insert(&transaction.db).await?;
    Ok(())
}

async fn revoke_family(transaction: &WriteTransaction, family: Uuid) -> ApiResult<()> {
    let revoked = refresh_token::ActiveModel { revoked_at: Set(Some(transaction.now)), ..Default::default() };
    refresh_token::Entity::update_many()
        .set(revoked)
        .filter(refresh_token::Column::Family.eq(family))
        .exec(&transaction.db)
        .await?;
    Ok(())
}

fn answer(keys: &Keys, actor: &Actor, refresh_token: Option<String>) -> ApiResult<Answer> {
    let answer = TokenAnswer {
        access_token: keys.issue(actor)?,
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_LASTS.num_seconds() as i32,
        refresh_token,
        scope: actor.scopes.as_deref().map_or_else(|| PERSON_SCOPE.to_owned(), Scope::list),
    };
    Ok(Answer::ok(&answer)?.header("Cache-Control", "no-store"))
}

fn actor_of(user: &user::Model) -> Actor {
    Actor {
        kind: ActorKind::User,
        id: user.id.to_string(),
        name: user.email.clone(),
        is_outside: false,
        role: user.role,
        opd: user.opd.clone(),
        scopes: None,
    }
}

fn origin(anyone: &Anyone, actor: Actor) -> Origin {
    Origin { actor, request_id: anyone.request_id.clone(), address: anyone.address.clone() }
}

/// The metadata that clients can discover by themselves (RFC 8414).
async fn get_metadata(_: NoParameters, keys: Data<Keys>) -> ApiResult<Answer> {
    let issuer = keys.issuer();
    let scopes = Scope::ALL.map(Scope::name);
    let methods = json!(["client_secret_basic", "client_secret_post", "none"]);
    let metadata = json!({
        "issuer": issuer, "token_endpoint": format!("{issuer}/v1/auth/token"), "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "revocation_endpoint": format!("{issuer}/v1/auth/revoke"), "grant_types_supported": GRANT_TYPES, "response_types_supported": [],
        "token_endpoint_auth_methods_supported": methods, "revocation_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": scopes, "service_documentation": format!("{issuer}/docs/"), "ui_locales_supported": ["en", "id"],
    });
    Ok(Answer::ok(&metadata)?.header("Cache-Control", "public, max-age=300"))
}

async fn list_keys(_: NoParameters, keys: Data<Keys>) -> ApiResult<Answer> {
    Ok(Answer::ok(&json!({ "keys": keys.set() }))?.header("Cache-Control", "public, max-age=300"))
}

/// The schema of a form; unknown fields are ignored (RFC 6749 §3.2).
fn form(required: &[&str], properties: Value) -> Value {
    let other = json!({ "type": "string", "maxLength": LONGEST_FIELD, "pattern": ANY_TEXT });
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": other })
}

/// Adds the routes.
pub fn mount(table: &mut Table) {
    let text = |about: &str| json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_FIELD, "pattern": "^[^\\u0000]+$", "description": about });
    let token_form = form(
        &["grant_type"],
        json!({
            "grant_type": { "type": "string", "enum": GRANT_TYPES, "description": "The grant type, which says how the client authenticates." },
            "username": text("The e-mail address of the user, for `password`."),
            "password": text("The password of the user, for `password`."),
            "refresh_token": text("The refresh token of the previous answer, for `refresh_token`."),
            "client_id": text("The id of the client, for `client_credentials`, unless `Authorization: Basic` holds it."),
            "client_secret": text("The secret of the client, for `client_credentials`, unless `Authorization: Basic` holds it."),
            "scope": text("Some of the client's scopes, separated by spaces, for `client_credentials`; without it, all of them."),
        }),
    );
    let create = Operation::new(
        Method::POST,
        "/v1/auth/token",
        "create_token",
        "identity",
        "Get an access token",
        "The OAuth2 token endpoint (RFC 6749); its errors have the form of that standard. Access tokens last 15 minutes. A \
         refresh token is used once and yields the next one; if it is used again, all tokens of the same login are revoked. A \
         client sends its secret in `Authorization: Basic` or in the form, and gets no refresh token. After some failed logins, \
         further attempts on the account from the same address have to wait, and so have attempts from an address that failed \
         with many accounts. An account that logged in from the address lately is not held up by failures of others.",
    );
    let revoke = Operation::new(
        Method::POST,
        "/v1/auth/revoke",
        "revoke_token",
        "identity",
        "Log out",
        "Revokes a refresh token and all tokens of the same login (RFC 7009). An unknown token counts as revoked.",
    );
    let keys = Operation::get(
        "/.well-known/jwks.json",
        "get_jwks",
        "identity",
        "Get the public keys",
        "The public keys with which access tokens are verified (RFC 7517).",
    );
    let metadata = Operation::get(
        "/.well-known/oauth-authorization-server",
        "get_authorization_server",
        "identity",
        "Get the metadata of the authorization server",
        "The endpoints, grant types and scopes of this service as an OAuth2 authorization server (RFC 8414).",
    );
    let metadata_example = json!({
        "issuer": "https://renaksi.example.go.id", "token_endpoint": "https://renaksi.example.go.id/v1/auth/token",
        "jwks_uri": "https://renaksi.example.go.id/.well-known/jwks.json", "grant_types_supported": GRANT_TYPES,
    });
    let metadata_schema = json!({
        "type": "object", "required": ["issuer", "token_endpoint", "jwks_uri", "grant_types_supported"],
        "properties": {
            "issuer": { "type": "string", "maxLength": 2000 }, "token_endpoint": { "type": "string", "maxLength": 2000 },
            "jwks_uri": { "type": "string", "maxLength": 2000 }, "revocation_endpoint": { "type": "string", "maxLength": 2000 },
            "grant_types_supported": { "type": "array", "maxItems": 10, "items": { "type": "string", "maxLength": 64 } },
            "scopes_supported": { "type": "array", "maxItems": 10, "items": { "type": "string", "maxLength": 64 } },
        },
    });
    let token_example = json!({ "grant_type": "password", "username": "admin@demo.invalid", "password": "…" });
    let error = json!({ "error": "invalid_grant", "error_description": "The user name or the password is wrong." });
    let client_error = json!({ "error": "invalid_client", "error_description": "The client or its secret is wrong." });
    let answer = json!({ "access_token": "eyJ0eXAiOiJhdCtqd3Qi…", "token_type": "Bearer", "expires_in": 900, "refresh_token": "9rWk…", "scope": "read write" });
    table
        .on(
            create
                .public()
                .body("TokenRequest", token_form, token_example, &[FORM])
                .without(422)
                .answers::<TokenAnswer>(200, "The access token and, for people, a refresh token.", Some(answer), &[])
                .answers::<OauthError>(400, "No token was issued; `error` says why.", Some(error.clone()), &[])
                .answers::<OauthError>(401, "The client is unknown or disabled, or its secret is wrong.", Some(client_error), &["WWW-Authenticate"])
                .problems(&[429])
                .or_problem(400),
            create_token,
        )
        .on(
            revoke
                .public()
                .body("RevocationRequest", form(&["token"], json!({ "token": text("The refresh token that is to be revoked.") })), json!({ "token": "9rWk…" }), &[FORM])
                .without(422)
                .answers_schema(200, "The token is revoked.", json!({ "type": "object", "additionalProperties": false }), Some(json!({})), &[])
                .answers::<OauthError>(400, "Nothing was revoked; `error` says why.", Some(error), &[])
                .or_problem(400),
            revoke_token,
        )
        .on(
            metadata.public().answers_schema(200, "The metadata of the authorization server.", metadata_schema, Some(metadata_example), &[]),
            get_metadata,
        )
        .on(
            keys.public().answers_schema(
                200,
                "The set of public keys.",
                json!({ "type": "object", "required": ["keys"], "properties": { "keys": { "type": "array", "maxItems": 100, "items": { "type": "object" } } } }),
                None,
                &[],
            ),
            list_keys,
        );
}
