//! `/v1/auth`: the OAuth2 token endpoint (RFC 6749), revocation (RFC 7009), and the password that an invited person sets.

mod client;
mod form;
mod invitation;
pub mod login_throttle;
mod metadata;
mod person;
mod refresh;
mod refusal;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::{Data, Payload};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use self::form::{FORM, Form, field};
use self::refusal::{OauthError, Refusal};
use crate::auth::actor::Actor;
use crate::auth::keys::{ACCESS_TOKEN_LASTS, Keys, scope_of};
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::problem::ApiResult;
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::store::access::Anyone;
use crate::store::transaction::Origin;

/// The grant types that the token endpoint accepts.
pub const GRANT_TYPES: [&str; 3] = ["client_credentials", "password", "refresh_token"];
/// Those of people, which need that people log in with a password.
const PERSON_GRANT_TYPES: [&str; 2] = ["password", "refresh_token"];

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
    /// The refresh token, which is exchanged for the next pair of tokens. Within 30 seconds of its first use it yields another pair;
    /// if it is used later, all tokens of the same login are revoked. A client gets none, because it has its secret.
    #[schema(max_length = 128)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// The scope of the access token: for people `read write`, or `account` if one-time codes have to be set up before anything but
    /// the own account can be reached.
    #[schema(max_length = 200, example = "read write")]
    scope: String,
}

async fn create_token(
    anyone: Anyone,
    request: HttpRequest,
    _: NoParameters,
    keys: Data<Keys>,
    payload: Payload,
) -> ApiResult<Answer> {
    let Some(form) = Form::read(&request, payload).await? else { return unreadable().answer(&request) };
    let has_passwords = anyone.store.logins().password_login;
    let issued = match form.get("grant_type") {
        Some(grant) if PERSON_GRANT_TYPES.contains(&grant) && !has_passwords => Err(passwords_are_off()),
        Some("password") => person::log_in(anyone, &keys, &form).await?,
        Some("refresh_token") => refresh::exchange(anyone, &keys, &form).await?,
        Some("client_credentials") => client::log_in(anyone, &keys, &request, &form).await?,
        Some(_) => Err(unknown_grant_type()),
        None => Err(Refusal::request("`grant_type` is required.", "`grant_type` wajib ada.")),
    };
    issued.or_else(|refusal| refusal.answer(&request))
}

fn unreadable() -> Refusal {
    Refusal::request(
        "The form cannot be read, or a parameter occurs twice or is too long.",
        "Formulir tidak dapat dibaca, atau ada parameter yang muncul dua kali atau terlalu panjang.",
    )
}

fn unknown_grant_type() -> Refusal {
    Refusal::grant_type(
        "The grant type is not supported. The supported ones are client_credentials, password and refresh_token.",
        "Jenis izin tidak didukung. Yang didukung adalah client_credentials, password, dan refresh_token.",
    )
}

fn passwords_are_off() -> Refusal {
    Refusal::grant_type(
        "Nobody logs in with a password here. People log in at the identity provider of this service.",
        "Di sini tidak ada yang masuk dengan kata sandi. Masuklah melalui penyedia identitas layanan ini.",
    )
}

fn answer(keys: &Keys, actor: &Actor, refresh_token: Option<String>) -> ApiResult<Answer> {
    let answer = TokenAnswer {
        access_token: keys.issue(actor)?,
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_LASTS.num_seconds() as i32,
        refresh_token,
        scope: scope_of(actor),
    };
    Ok(Answer::ok(&answer)?.header("Cache-Control", "no-store"))
}

fn origin(anyone: &Anyone, actor: Actor) -> Origin {
    Origin { actor, request_id: anyone.request_id.clone(), address: anyone.address.clone() }
}

/// Adds the routes.
pub fn mount(table: &mut Table) {
    let token_form = form::schema(
        &["grant_type"],
        json!({
            "grant_type": { "type": "string", "enum": GRANT_TYPES, "description": "The grant type, which says how the client authenticates." },
            "username": field("The e-mail address of the user, for `password`."),
            "password": field("The password of the user, for `password`."),
            "totp": field("The one-time code of the user, or a recovery code in its place, for `password`, if the account needs one. Each code is good once."),
            "refresh_token": field("The refresh token of the previous answer, for `refresh_token`."),
            "client_id": field("The id of the client, for `client_credentials`, unless `Authorization: Basic` holds it."),
            "client_secret": field("The secret of the client, for `client_credentials`, unless `Authorization: Basic` holds it."),
            "scope": field("Some of the client's scopes, separated by spaces, for `client_credentials`; without it, all of them."),
        }),
    );
    let create = Operation::new(
        Method::POST,
        "/v1/auth/token",
        "create_token",
        "identity",
        "Get an access token",
        "The OAuth2 token endpoint (RFC 6749); its errors have the form of that standard. Access tokens last 15 minutes.\n\n\
         **People** send `password` with `username`, `password` and, if the answer is `mfa_required`, the same again with `totp`. They \
         get a refresh token, which yields the next pair of tokens. Within 30 seconds of its first use it yields another pair, so that \
         two tabs of a browser and a client whose answer was lost stay logged in. If it is used later, somebody else may have a copy: \
         all tokens of the same login are revoked.\n\n\
         **Clients** send `client_credentials` with their secret in `Authorization: Basic` or in the form, and get no refresh \
         token.\n\n\
         After some failed logins, further attempts on the account from the same address have to wait, and so have attempts from an \
         address that failed with many accounts; a wrong one-time code counts as well. An account that logged in from the address \
         lately is not held up by failures of others.",
    );
    let revoke = Operation::new(
        Method::POST,
        "/v1/auth/revoke",
        "revoke_token",
        "identity",
        "Log out",
        "Revokes a refresh token and all tokens of the same login (RFC 7009). An unknown token counts as revoked. Access tokens expire \
         by themselves within 15 minutes.",
    );
    let token_example = json!({ "grant_type": "password", "username": "admin@demo.invalid", "password": "…" });
    let error = json!({ "error": "invalid_grant", "error_description": "The user name or the password is wrong." });
    let client_error = json!({ "error": "invalid_client", "error_description": "The client or its secret is wrong." });
    let revoke_error = json!({ "error": "invalid_request", "error_description": "`token` is required." });
    let answer = json!({ "access_token": "eyJ0eXAiOiJhdCtqd3Qi…", "token_type": "Bearer", "expires_in": 900, "refresh_token": "9rWk…", "scope": "read write" });
    let revocation = form::schema(&["token"], json!({ "token": field("The refresh token that is to be revoked.") }));
    let nothing = json!({ "type": "object", "additionalProperties": false });
    table
        .on(
            create
                .public()
                .body("TokenRequest", token_form, token_example, &[FORM])
                .without(422)
                .answers::<TokenAnswer>(200, "The access token and, for people, a refresh token.", Some(answer), &[])
                .answers::<OauthError>(400, "No token was issued; `error` says why.", Some(error), &[])
                .answers::<OauthError>(
                    401,
                    "The client is unknown or disabled, or its secret is wrong.",
                    Some(client_error),
                    &["WWW-Authenticate"],
                )
                .problems(&[429])
                .or_problem(400),
            create_token,
        )
        .on(
            revoke
                .public()
                .body("RevocationRequest", revocation, json!({ "token": "9rWk…" }), &[FORM])
                .without(422)
                .answers_schema(200, "The token is revoked.", nothing, Some(json!({})), &[])
                .answers::<OauthError>(400, "Nothing was revoked; `error` says why.", Some(revoke_error), &[])
                .or_problem(400),
            refresh::revoke_token,
        );
    invitation::mount(table);
    metadata::mount(table);
}
