//! Reads from `Authorization`, or from the ticket of a stream, who makes a request, once per request and before anything else is
//! decided.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::web::{Data, Query};
use actix_web::{Error, HttpMessage, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};

use super::actor::Actor;
use super::keys::{Keys, Refusal};
use super::oidc::OidcProvider;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::rate_limit::Refused;

/// The only path that tickets open, and the parameter with the ticket.
pub const TICKETED_PATH: &str = "/v1/events/stream";
/// The parameter with the ticket.
pub const TICKET: &str = "ticket";

/// That a ticket says who makes the request, and when what it permits ends.
#[derive(Clone, Copy)]
struct Ticketed(DateTime<Utc>);

/// What a request says about its actor.
#[derive(Clone)]
enum Identity {
    Known(Arc<Actor>),
    Refused(Refusal),
}

/// Middleware that identifies the actor. It refuses nothing; [`actor_of`] refuses where an actor is required.
pub async fn identify(request: ServiceRequest, next: Next<impl MessageBody>) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.extensions().contains::<Refused>() {
        return next.call(request).await;
    }
    if let Some(identity) = identity_of(&request).await {
        request.extensions_mut().insert(identity);
    }
    next.call(request).await
}

async fn identity_of(request: &ServiceRequest) -> Option<Identity> {
    let Some(header) = request.headers().get(AUTHORIZATION) else { return ticketed(request).await };
    let text = header.to_str().unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Some(Identity::Refused((
            "Send the token as `Authorization: Bearer …`.",
            "Kirim token sebagai `Authorization: Bearer …`.",
        )));
    }
    let token = token.trim();
    let verified = match request.app_data::<Data<OidcProvider>>().filter(|outside| outside.issued(token)) {
        Some(outside) => outside.verify(token).await,
        None => request.app_data::<Data<Keys>>()?.verify(token).await,
    };
    Some(match verified {
        Ok(actor) => Identity::Known(actor),
        Err(refusal) => Identity::Refused(refusal),
    })
}

/// The actor of a request without a header, if it is one for a stream and has a ticket.
async fn ticketed(request: &ServiceRequest) -> Option<Identity> {
    if request.path() != TICKETED_PATH {
        return None;
    }
    let parameters = Query::<Vec<(String, String)>>::from_query(request.query_string()).ok()?.into_inner();
    let (_, ticket) = parameters.into_iter().find(|(name, _)| name == TICKET)?;
    Some(match request.app_data::<Data<Keys>>()?.verify_ticket(&ticket).await {
        Ok(ticket) => {
            request.extensions_mut().insert(Ticketed(ticket.ends));
            Identity::Known(Arc::new(ticket.actor))
        }
        Err(refusal) => Identity::Refused(refusal),
    })
}

/// Whether a ticket says who makes this request.
pub fn has_ticket(request: &HttpRequest) -> bool {
    request.extensions().contains::<Ticketed>()
}

/// The actor of a request whose token was verified before: without waiting for anything.
pub fn known_actor(request: &ServiceRequest) -> Option<Arc<Actor>> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let token = token.trim();
    let own = request.app_data::<Data<Keys>>().and_then(|keys| keys.verified(token));
    own.or_else(|| request.app_data::<Data<OidcProvider>>()?.verified(token))
}

/// When the token of this request ends, which was verified before, or that with which its ticket was requested.
pub fn token_ends(request: &HttpRequest) -> Option<DateTime<Utc>> {
    if let Some(Ticketed(ends)) = request.extensions().get() {
        return Some(*ends);
    }
    let token = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?.1.trim();
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims = serde_json::from_slice::<serde_json::Value>(&payload).ok()?;
    DateTime::from_timestamp(claims["exp"].as_i64()?, 0)
}

/// How long the token of this request, or that with which its ticket was requested, is still valid.
pub fn token_ends_in(request: &HttpRequest) -> Option<Duration> {
    (token_ends(request)? - Utc::now()).to_std().ok()
}

/// The actor of this request: 401 if there is none, or if the token is not valid.
pub fn actor_of(request: &HttpRequest) -> ApiResult<Actor> {
    match request.extensions().get::<Identity>() {
        Some(Identity::Known(actor)) => Ok(actor.as_ref().clone()),
        Some(Identity::Refused((en, id))) => Err(ApiError::invalid_token(en, id)),
        None => Err(ApiError::no_token()),
    }
}
