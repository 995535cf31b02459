//! Logging in of a client: `grant_type=client_credentials` (RFC 6749 §4.4).

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use entity::client::{self, Scope};
use entity::user::Role;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Form, LONGEST_FIELD, OauthError, answer, guard, origin, refused};
use crate::auth::actor::{Actor, ActorKind};
use crate::auth::keys::Keys;
use crate::http::answer::Answer;
use crate::http::problem::ApiResult;
use crate::resources::clients;
use crate::store::access::Public;
use crate::store::change::Change;

/// 401 for a client that is unknown, disabled or has another secret: all alike (RFC 6749 §5.2).
pub(super) fn unknown() -> ApiResult<Answer> {
    let body = OauthError { error: "invalid_client", error_description: "The client or its secret is wrong." };
    let answer = Answer::json(StatusCode::UNAUTHORIZED, &body)?.header("Cache-Control", "no-store");
    Ok(answer.header("WWW-Authenticate", "Basic realm=\"renaksi\""))
}

/// How a client shows who it is: `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1).
pub(super) struct Credentials {
    id: String,
    secret: String,
}

impl Credentials {
    pub(super) fn of(request: &HttpRequest, form: &Form) -> Result<Option<Self>, &'static str> {
        let in_form = form.get("client_id").zip(form.get("client_secret"));
        let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        match (header, in_form) {
            (Some(_), Some(_)) => Err("The client shows its secret in the header or in the form, not in both."),
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

/// Gives a client a token for some of its scopes.
pub(super) async fn log_in(public: Public, keys: &Keys, given: Credentials, wanted: Option<&str>) -> ApiResult<Answer> {
    // Counted for the client from this address: a stranger elsewhere cannot lock an agency's system out.
    let subject = format!("client {} from {}", given.id, public.address.as_deref().unwrap_or_default());
    let turn = guard::turn(&subject).await;
    guard::must_not_be_blocked(&public, &subject).await?;
    let row = client::Entity::find_by_id(&given.id).one(public.store.db()).await?;
    // Whether the client exists or not, one hash is compared and one failure counted.
    let is_right = clients::fits(row.as_ref(), &given.secret);
    let Some(row) = row.filter(|row| is_right && row.active) else {
        guard::count_failure(&public, &subject).await?;
        return unknown();
    };
    drop(turn);
    let held = row.scopes();
    let scopes = match wanted.map_or_else(|| Some(held.clone()), Scope::parse_list) {
        Some(scopes) if !scopes.is_empty() && scopes.iter().all(|scope| held.contains(scope)) => scopes,
        _ => return refused("invalid_scope", "The client does not have that scope."),
    };
    let actor = Actor {
        kind: ActorKind::Client,
        id: row.id.clone(),
        name: row.id.clone(),
        role: Role::Operator,
        opd: Some(row.opd.clone()),
        scopes: Some(scopes),
    };
    public
        .store
        .transact(origin(&public, actor.clone()), async |change: &Change| {
            guard::forget(change, &subject).await?;
            let used = client::ActiveModel { last_used_at: Set(Some(change.now)), ..Default::default() };
            client::Entity::update_many().set(used).filter(client::Column::Id.eq(&row.id)).exec(&change.db).await?;
            Ok(())
        })
        .await?;
    answer(keys, &actor, None)
}
