//! The login of a client: `grant_type=client_credentials` (RFC 6749 §4.4).

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use entity::client::{self, Scope};
use entity::user::Role;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::login_throttle::{Attempt, Who};
use super::{Form, LONGEST_FIELD, answer, origin, refused};
use crate::auth::actor::{Actor, ActorKind};
use crate::auth::keys::{Keys, Refusal};
use crate::http::answer::Answer;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::resources::clients;
use crate::store::access::Anyone;
use crate::store::standing;
use crate::store::transaction::WriteTransaction;

/// 401 for a client that is unknown or disabled, or whose secret is wrong; the answer is the same for each (RFC 6749 §5.2).
pub(super) fn unknown() -> ApiResult<Answer> {
    let (en, id) = ("The client or its secret is wrong.", "Klien atau rahasianya salah.");
    let refused = ApiError::oauth(codes::UNAUTHENTICATED, "invalid_client", en, id);
    Err(refused.header("WWW-Authenticate", "Basic realm=\"renaksi\""))
}

/// How a client sends its secret: `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1).
pub(super) struct Credentials {
    id: String,
    secret: String,
}

impl Credentials {
    pub(super) fn of(request: &HttpRequest, form: &Form) -> Result<Option<Self>, Refusal> {
        let in_form = form.get("client_id").zip(form.get("client_secret"));
        let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        match (header, in_form) {
            (Some(_), Some(_)) => Err((
                "The client must send its secret either in the header or in the form, not in both.",
                "Klien harus mengirim rahasianya di header atau di formulir, tidak di keduanya.",
            )),
            (Some(header), None) => Ok(Self::basic(header)),
            (None, in_form) => Ok(in_form.map(|(id, secret)| Self { id: id.to_owned(), secret: secret.to_owned() })),
        }
    }

    fn basic(header: &str) -> Option<Self> {
        let (scheme, encoded) = header.split_once(' ')?;
        let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        // Both halves are form-encoded before they are joined.
        let pair = std::str::from_utf8(&decoded).ok()?.split_once(':').map(|(id, secret)| format!("id={id}&secret={secret}"))?;
        let pair = web::Query::<BTreeMap<String, String>>::from_query(&pair).ok()?.into_inner();
        let half = |name: &str| pair.get(name).filter(|half| half.len() <= LONGEST_FIELD && !half.contains('\0')).cloned();
        Some(Self { id: half("id")?, secret: half("secret")? })
    }
}

/// Issues a token for some of the client's scopes.
pub(super) async fn log_in(anyone: Anyone, keys: &Keys, given: Credentials, wanted: Option<&str>) -> ApiResult<Answer> {
    let attempt = Attempt::begin(&anyone, Who::Client, &given.id).await?;
    let row = client::Entity::find_by_id(&given.id).one(anyone.store.db()).await?;
    // Whether the client exists or not, one hash is compared and one failure is counted.
    let is_right = clients::fits(row.as_ref(), &given.secret);
    let Some(row) = row.filter(|row| is_right && row.active) else {
        attempt.failed(&anyone, "unknown or disabled client, or wrong secret").await?;
        return unknown();
    };
    let granted = anyone
        .store
        .transact(origin(&anyone, Actor::system("auth")), async |transaction: &WriteTransaction| {
            // The client was read before. In the meantime it may have been disabled, or its secret replaced.
            standing::hold(&transaction.db, &row.id).await?;
            let now = client::Entity::find_by_id(&row.id).one(&transaction.db).await?;
            let Some(now) = now.filter(|now| now.active && clients::fits(Some(now), &given.secret)) else { return Ok(None) };
            attempt.succeeded(transaction).await?;
            let used = client::ActiveModel { last_used_at: Set(Some(transaction.now)), ..Default::default() };
            client::Entity::update_many().set(used).filter(client::Column::Id.eq(&now.id)).exec(&transaction.db).await?;
            Ok(Some(actor_of(&now, wanted)))
        })
        .await?;
    match granted {
        Some(Some(actor)) => answer(keys, &actor, None),
        Some(None) => refused("invalid_scope", "The client does not have that scope.", "Klien tidak memiliki cakupan itu."),
        None => {
            attempt.failed(&anyone, "disabled or changed during the login").await?;
            unknown()
        }
    }
}

/// The client as its token will describe it; `None` if it lacks a requested scope.
fn actor_of(row: &client::Model, wanted: Option<&str>) -> Option<Actor> {
    let held = row.scopes();
    let scopes = wanted.map_or_else(|| Some(held.clone()), Scope::parse_list)?;
    (!scopes.is_empty() && scopes.iter().all(|scope| held.contains(scope))).then(|| Actor {
        kind: ActorKind::Client,
        id: row.id.clone(),
        name: row.id.clone(),
        is_outside: false,
        role: Role::Operator,
        opd: Some(row.opd.clone()),
        scopes: Some(scopes),
    })
}
