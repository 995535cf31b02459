//! `/v1/events/tickets`: tickets with which browsers open streams, since their `EventSource` cannot send a header.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::auth::identify::token_ends;
use crate::auth::keys::Keys;
use crate::auth::permissions::{Permission, ReadAll};
use crate::http::answer::Answer;
use crate::http::body::OptionalBody;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::store::access::Access;

/// A ticket with which streams can be opened.
#[derive(Serialize, ToSchema)]
struct EventTicket {
    /// The ticket. Send it as the parameter `ticket` of `/v1/events/stream`.
    #[schema(min_length = 1, max_length = 4096, pattern = "^[A-Za-z0-9._-]+$")]
    ticket: String,
    /// Until when the ticket opens streams: 60 seconds, or less if the access token ends sooner.
    #[schema(max_length = 35)]
    expires_at: DateTime<Utc>,
}

async fn create_event_ticket(
    access: Access<ReadAll>,
    request: HttpRequest,
    keys: Data<Keys>,
    _: NoParameters,
    _: OptionalBody,
) -> ApiResult<Answer> {
    let actor = access.now().await?;
    let ends = token_ends(&request).ok_or_else(|| ApiError::unexpected("a token that was verified has no end"))?;
    let (ticket, expires_at) = keys.issue_ticket(&actor, ends)?;
    Ok(Answer::ok(&EventTicket { ticket, expires_at })?.header("Cache-Control", "no-store"))
}

/// Adds the route.
pub fn mount(table: &mut Table) {
    let about = "A ticket opens `/v1/events/stream?ticket=…` for 60 seconds, on every replica, and shows what its owner may see. It \
        is for the `EventSource` of browsers, which cannot send a header; a client that can sends its access token instead. A \
        ticket opens nothing but this stream.\n\n\
        A stream that a ticket opened ends when the access token ends with which the ticket was requested. When a connection is \
        cut, `EventSource` connects again with the same URL. Within the 60 seconds the stream then resumes by itself; later the \
        answer is 401, after which `EventSource` does not try again (`readyState` is `CLOSED`). Then request another ticket and \
        open the stream with it and with `after`, the `lastEventId` of the last event. An account that was disabled in the \
        meantime is refused.";
    let create =
        Operation::new(Method::POST, "/v1/events/tickets", "create_event_ticket", "events", "Get a ticket for a stream", about);
    let example = json!({ "ticket": "eyJ0eXAiOiJzdHJlYW0tdGlja2V0K2p3dCJ9.eyJhdWQiOiJyZW5ha3NpOmV2ZW50cyJ9.c2lnbmF0dXJl", "expires_at": "2022-10-04T01:01:00Z" });
    table.on(
        create.roles(&ReadAll::role_names()).may_take_nothing().answers::<EventTicket>(
            200,
            "The ticket. It is shown to nobody else.",
            Some(example),
            &[],
        ),
        create_event_ticket,
    );
}
