//! What clients can discover by themselves: the metadata of the authorization server (RFC 8414) and its public keys (RFC 7517).

use actix_web::web::Data;
use entity::client::Scope;
use serde_json::{Value, json};

use super::{GRANT_TYPES, PERSON_GRANT_TYPES};
use crate::auth::keys::Keys;
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::problem::ApiResult;
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::store::access::Anyone;

/// The metadata that clients can discover by themselves (RFC 8414).
async fn get_metadata(anyone: Anyone, _: NoParameters, keys: Data<Keys>) -> ApiResult<Answer> {
    let issuer = keys.issuer();
    let has_passwords = anyone.store.logins().password_login;
    let is_offered = |grant: &&&str| has_passwords || !PERSON_GRANT_TYPES.contains(grant);
    let grants = GRANT_TYPES.iter().filter(is_offered).collect::<Vec<_>>();
    let scopes = Scope::ALL.map(Scope::name);
    let methods: &[&str] = if has_passwords {
        &["client_secret_basic", "client_secret_post", "none"]
    } else {
        &["client_secret_basic", "client_secret_post"]
    };
    let metadata = json!({
        "issuer": issuer, "token_endpoint": format!("{issuer}/v1/auth/token"), "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "revocation_endpoint": format!("{issuer}/v1/auth/revoke"), "grant_types_supported": grants, "response_types_supported": [],
        "token_endpoint_auth_methods_supported": methods, "revocation_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": scopes, "service_documentation": format!("{issuer}/docs/"), "ui_locales_supported": ["en", "id"],
    });
    Ok(Answer::ok(&metadata)?.header("Cache-Control", "public, max-age=300"))
}

async fn list_keys(_: NoParameters, keys: Data<Keys>) -> ApiResult<Answer> {
    Ok(Answer::ok(&json!({ "keys": keys.set() }))?.header("Cache-Control", "public, max-age=300"))
}

/// Adds the routes.
pub(super) fn mount(table: &mut Table) {
    let metadata = Operation::get(
        "/.well-known/oauth-authorization-server",
        "get_authorization_server",
        "identity",
        "Get the metadata of the authorization server",
        "The endpoints, grant types and scopes of this service as an OAuth2 authorization server (RFC 8414). Where people do not log \
         in with a password, `grant_types_supported` contains only `client_credentials`.",
    );
    let keys = Operation::get(
        "/.well-known/jwks.json",
        "get_jwks",
        "identity",
        "Get the public keys",
        "The public keys with which access tokens are verified (RFC 7517).",
    );
    let about = "The metadata of the authorization server.";
    table
        .on(metadata.public().answers_schema(200, about, metadata_schema(), Some(metadata_example()), &[]), get_metadata)
        .on(keys.public().answers_schema(200, "The set of public keys.", keys_schema(), Some(keys_example()), &[]), list_keys);
}

fn metadata_schema() -> Value {
    let url = |about: &str| json!({ "type": "string", "maxLength": 2000, "description": about });
    let list = |about: &str| json!({ "type": "array", "maxItems": 10, "items": { "type": "string", "maxLength": 64 }, "description": about });
    json!({
        "type": "object",
        "required": [
            "issuer", "token_endpoint", "jwks_uri", "revocation_endpoint", "grant_types_supported", "response_types_supported",
            "token_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported", "scopes_supported",
            "service_documentation", "ui_locales_supported",
        ],
        "properties": {
            "issuer": url("The issuer of the access tokens."),
            "token_endpoint": url("Where tokens are requested."),
            "jwks_uri": url("Where the public keys are."),
            "revocation_endpoint": url("Where refresh tokens are revoked."),
            "grant_types_supported": list("The grant types that the token endpoint accepts."),
            "response_types_supported": list("None: there is no authorization endpoint."),
            "token_endpoint_auth_methods_supported": list("How a client sends its secret; `none` is for people, who send a password."),
            "revocation_endpoint_auth_methods_supported": list("`none`: a refresh token is revoked by whoever has it."),
            "scopes_supported": list("The scopes of clients."),
            "service_documentation": url("The documentation for developers."),
            "ui_locales_supported": list("The languages of texts for people."),
        },
    })
}

fn metadata_example() -> Value {
    let issuer = "https://renaksi.example.go.id";
    json!({
        "issuer": issuer, "token_endpoint": format!("{issuer}/v1/auth/token"), "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "revocation_endpoint": format!("{issuer}/v1/auth/revoke"), "grant_types_supported": GRANT_TYPES, "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "revocation_endpoint_auth_methods_supported": ["none"], "scopes_supported": Scope::ALL.map(Scope::name),
        "service_documentation": format!("{issuer}/docs/"), "ui_locales_supported": ["en", "id"],
    })
}

fn keys_schema() -> Value {
    json!({
        "type": "object", "required": ["keys"],
        "properties": { "keys": { "type": "array", "maxItems": 100, "items": { "type": "object" }, "description": "The keys, each in the form of RFC 7517." } },
    })
}

fn keys_example() -> Value {
    json!({ "keys": [{ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "T7m…", "x": "f83OJ3D2…", "y": "x_FEzRu9…" }] })
}
