//! Tickets for streams. The `EventSource` of a browser cannot send a header, so a ticket in the URL of a stream stands for the access
//! token. URLs end up in the logs of proxies; a ticket therefore opens nothing but streams, for a minute, and names nobody.
//!
//! A ticket is signed like an access token, so every replica knows it without a table; its type and its audience keep it from being
//! taken for one.

use chrono::{DateTime, Duration, Utc};
use entity::client::Scope;
use entity::user::Role;
use entity::value::instant::now;
use sea_orm::ActiveEnum;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::actor::{Actor, ActorKind, Login};
use super::keys::{Keys, Refusal, Sort, Unusable};
use crate::http::problem::ApiResult;

/// How long a ticket opens streams.
pub const TICKET_LASTS: Duration = Duration::seconds(60);

/// What tickets are.
const TICKET: Sort = Sort { types: &["stream-ticket+jwt"], audience: "renaksi:events" };

/// The claims of a ticket.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    /// `user` or `client`.
    kind: String,
    /// Whether an outside provider vouches for the actor.
    outside: bool,
    role: String,
    opd: Option<String>,
    /// Only in the ticket of a client.
    scope: Option<String>,
    /// When the access token ends with which the ticket was requested, and with it the streams that the ticket opens.
    ends: i64,
}

/// A ticket that was verified.
pub struct Ticket {
    /// Who requested it, as the access token described the actor then. The name is not in the ticket.
    pub actor: Actor,
    /// When the streams end that it opens.
    pub ends: DateTime<Utc>,
}

impl Keys {
    /// A ticket for `actor`, whose access token ends at `ends`, and until when it opens streams.
    pub fn issue_ticket(&self, actor: &Actor, ends: DateTime<Utc>) -> ApiResult<(String, DateTime<Utc>)> {
        let issued = now();
        let expires = ends.min(issued + TICKET_LASTS);
        let claims = Claims {
            iss: self.issuer().to_owned(),
            sub: actor.id.clone(),
            aud: TICKET.audience.into(),
            iat: issued.timestamp(),
            exp: expires.timestamp(),
            jti: Uuid::now_v7().to_string(),
            kind: actor.kind.name().to_owned(),
            outside: actor.is_outside,
            role: actor.role.to_value(),
            opd: actor.opd.clone(),
            scope: actor.scopes.as_deref().map(Scope::list),
            ends: ends.timestamp(),
        };
        Ok((self.sign(&TICKET, &claims)?, DateTime::from_timestamp(claims.exp, 0).unwrap_or(expires)))
    }

    /// Verifies a ticket.
    pub async fn verify_ticket(&self, ticket: &str) -> Result<Ticket, Refusal> {
        let foreign = ("The ticket was not issued by this service.", "Tiket tidak diterbitkan oleh layanan ini.");
        let claims = self.open::<Claims>(&TICKET, ticket).await.map_err(|unusable| match unusable {
            Unusable::Expired => (
                "The ticket has expired. Request another one from `POST /v1/events/tickets`, and open the stream with it and with \
                 `after`, the id of the last event that you have.",
                "Tiket sudah kedaluwarsa. Minta tiket lain dari `POST /v1/events/tickets`, lalu buka aliran dengan tiket itu dan \
                 dengan `after`, yaitu id kejadian terakhir yang sudah Anda terima.",
            ),
            Unusable::Foreign => foreign,
        })?;
        let ends = DateTime::from_timestamp(claims.ends, 0).ok_or(foreign)?;
        Ok(Ticket { actor: actor_of(claims).ok_or(foreign)?, ends })
    }
}

fn actor_of(claims: Claims) -> Option<Actor> {
    let Claims { sub: id, kind, outside: is_outside, role, opd, scope, .. } = claims;
    let scopes = match scope {
        Some(scope) => Some(Scope::parse_list(&scope)?),
        None => None,
    };
    let role = Role::try_from_value(&role).ok()?;
    Some(Actor { kind: ActorKind::named(&kind), name: id.clone(), id, is_outside, role, opd, scopes, login: Login::default() })
}
