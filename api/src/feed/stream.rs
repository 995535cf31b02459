//! `/v1/events/stream` and `/v1/public/events/stream`: the feed as Server-Sent Events.
//!
//! A stream first reads from the table what its client does not have yet, and then receives what the tail of the feed passes to
//! all streams of the process; each event is serialized once. A stream that falls behind reads from the table again. A stream
//! whose client does not read is ended, and the client resumes with `Last-Event-ID` on any replica.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::events;
use super::events::Frame;
use super::limits::{OpenStream, StreamLimits};
use super::reading::{self, After, FeedQuery};
use super::tail::Tail;
use super::{schemas, seal};
use crate::auth::actor::Actor;
use crate::auth::identify::{TICKET, TICKETED_PATH, has_ticket, token_ends_in};
use crate::auth::permissions::{ManageUsers, Permission, ReadAll};
use crate::http::client_address;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::http::schema::reference;
use crate::http::table::Table;
use crate::store::access::{Access, Public};

/// The silence after which a comment is sent, so that nothing in between takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client may leave what was sent unread.
const PATIENCE: Duration = Duration::from_secs(30);
/// The number of frames that wait for a client. It is small, because the service holds the frames of a client that does not read.
const WAITING: usize = 8;
/// The number of events of one read when a public stream catches up.
const PUBLIC_PAGE: u64 = 20;
/// The lifetime of a stream without a login; its client then resumes, perhaps at another replica.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The end of the feed, when the stream ends, and how many streams may be open.
type Feed = (Data<Tail>, Data<CancellationToken>, Data<StreamLimits>);

async fn stream_events(
    access: Access<ReadAll>,
    request: HttpRequest,
    feed: Feed,
    mut parameters: Parameters,
) -> ApiResult<HttpResponse> {
    let is_ticketed = has_ticket(&request);
    if parameters.text(TICKET).is_some() && !is_ticketed {
        parameters.refuse(
            TICKET,
            "Send an access token or a ticket, not both.",
            "Kirim token akses atau tiket, jangan keduanya.",
        );
    }
    // A ticket may be kept and shared like any URL, so its owner is looked up as the account stands now.
    let actor = if is_ticketed { access.now().await? } else { events::reader(&access).await? };
    let asked = Asked::read(parameters, Some(&actor))?;
    let stream = feed.2.open_private()?;
    // Whoever lost the permission to read is stopped when the token expires.
    open(&request, feed, stream, asked, token_ends_in(&request).unwrap_or_default()).await
}

async fn stream_public_events(_: Public, request: HttpRequest, feed: Feed, parameters: Parameters) -> ApiResult<HttpResponse> {
    let asked = Asked::read(parameters, None)?;
    let stream = feed.2.open_public(&client_address::network_of(&request))?;
    open(&request, feed, stream, asked, LONGEST).await
}

/// What a stream is to send.
struct Asked {
    query: FeedQuery,
    /// The position that the parameters name.
    after: After,
    /// Whether the frames have names.
    names: bool,
}

impl Asked {
    fn read(mut parameters: Parameters, actor: Option<&Actor>) -> ApiResult<Self> {
        let (query, after) = FeedQuery::read(&mut parameters, actor);
        let names = parameters.flag("names").unwrap_or(false);
        parameters.finish()?;
        let limit = if query.public { PUBLIC_PAGE } else { query.limit };
        Ok(Self { query: FeedQuery { limit, ..query }, after, names })
    }
}

async fn open(request: &HttpRequest, feed: Feed, stream: OpenStream, asked: Asked, lasts: Duration) -> ApiResult<HttpResponse> {
    let resumed = request.headers().get("last-event-id").map(|value| {
        let position = value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok()).filter(|position| *position >= 0);
        position.ok_or_else(|| {
            ApiError::parameter("Last-Event-ID", "Expected the position of an event.", "Seharusnya posisi suatu kejadian.")
        })
    });
    let Asked { query, after, names } = asked;
    let store = if query.public { feed.0.store().for_public() } else { feed.0.store().clone() };
    // Whoever names no position wants what happens from now on: what is committed after this answer lies beyond the head.
    let head = seal::head(store.db()).await?.position;
    let after = resumed.transpose()?.or(after).unwrap_or(head);
    events::must_be_within(head, after)?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let client = Client { frames: sender, names };
    actix_web::rt::spawn(pump(feed, stream, FeedQuery { after, ..query }, client, Instant::now() + lasts));
    let body = stream::unfold(receiver, |mut receiver| async {
        let bytes = receiver.recv().await?;
        Some((Ok::<_, actix_web::Error>(bytes), receiver))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // A compressor would wait for more data.
        .insert_header(("Content-Encoding", "identity"))
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body))
}

/// Sends until the end, or until the client is gone or does not read.
async fn pump((tail, stopping, limits): Feed, stream: OpenStream, asked: FeedQuery, client: Client, ends: Instant) {
    let source = Source { tail, limits, stream };
    tokio::select! {
        () = sleep_until(ends) => {}
        // Either nobody is left to receive, or the database is down and the client will resume.
        _ = send_all(&source, asked, &client) => {}
        () = client.frames.closed() => {}
        // The client resumes at another replica, and the shutdown does not wait for it.
        () = stopping.cancelled() => {}
    }
}

/// Where the frames go.
struct Client {
    frames: Sender<Bytes>,
    /// Whether the frames have names.
    names: bool,
}

/// The position from which a stream reads.
struct Source {
    tail: Data<Tail>,
    limits: Data<StreamLimits>,
    stream: OpenStream,
}

/// Why a stream ends early.
struct Gone;

async fn send_all(source: &Source, mut asked: FeedQuery, client: &Client) -> Result<(), Gone> {
    let mut live = source.tail.listen();
    // The position comes first, without an event: a client whose connection is cut before the first event resumes from here as
    // well.
    send(client, Bytes::from(format!("retry: 2000\nid: {}\n\n", asked.after))).await?;
    catch_up(source, &mut asked, client).await?;
    loop {
        match timeout(HEARTBEAT, live.recv()).await {
            Err(_) if *source.tail.end().borrow() > asked.after => catch_up(source, &mut asked, client).await?,
            Err(_) => send(client, Bytes::from_static(b": still here\n\n")).await?,
            // Events that were sealed before the tail began to follow are only in the table.
            Ok(Ok(frame)) if frame.position > asked.after + 1 => catch_up(source, &mut asked, client).await?,
            Ok(Ok(frame)) => pass_on(source, &frame, &mut asked, client).await?,
            Ok(Err(RecvError::Lagged(_))) => catch_up(source, &mut asked, client).await?,
            Ok(Err(RecvError::Closed)) => return Err(Gone),
        }
    }
}

async fn pass_on(source: &Source, frame: &Frame, asked: &mut FeedQuery, client: &Client) -> Result<(), Gone> {
    if frame.position <= asked.after {
        return Ok(());
    }
    asked.after = frame.position;
    let event = match (asked.public, asked.people) {
        (true, _) => frame.public.as_ref(),
        (_, true) => Some(&frame.private),
        (_, false) => Some(&frame.reader),
    };
    let Some(event) = event.filter(|_| asked.wants(&frame.resource)) else { return Ok(()) };
    if reading::is_about_accounts(&frame.resource) {
        must_still_manage(source, asked).await?;
    }
    send(client, event.bytes(client.names)).await
}

/// Events that concern accounts are not sent to somebody who was disabled or demoted since the stream began. There are few of
/// them, so this is checked for each.
async fn must_still_manage(source: &Source, asked: &FeedQuery) -> Result<(), Gone> {
    let Some(actor) = &asked.actor else { return Err(Gone) };
    let now = source.tail.store().standing_of(actor, None).await.map_err(|_| Gone)?;
    if ManageUsers::allows(&now) { Ok(()) } else { Err(Gone) }
}

/// Sends the events of the table after those that the client has.
async fn catch_up(source: &Source, asked: &mut FeedQuery, client: &Client) -> Result<(), Gone> {
    loop {
        let (end, frames) = read(source, asked).await.map_err(|_| Gone)?;
        let is_last = (frames.len() as u64) < asked.limit;
        for frame in frames {
            pass_on(source, &frame, asked, client).await?;
        }
        if is_last {
            // Up to there, only events for which the client did not ask were left out.
            asked.after = asked.after.max(end);
            return Ok(());
        }
    }
}

/// The next events of the table, and the end of the feed before they were read. The read permission is given back before anything
/// is sent, so that clients which do not read hold nobody up.
async fn read(source: &Source, asked: &FeedQuery) -> ApiResult<(i64, Vec<Frame>)> {
    let store = source.tail.store();
    let _turn = source.limits.replay(&source.stream).await?;
    let store = if asked.public { store.for_public() } else { store.clone() };
    let end = seal::head(store.db()).await?.position;
    let page = reading::read(store.db(), asked).await?;
    Ok((end, events::frames(store.db(), &page).await?))
}

async fn send(client: &Client, bytes: Bytes) -> Result<(), Gone> {
    timeout(PATIENCE, client.frames.send(bytes)).await.map_err(|_| Gone)?.map_err(|_| Gone)
}

/// Adds the parameters and the answer of a stream, whose frames have this schema and these names.
fn described(operation: Operation, frame: &str, names: &str, example: &Value) -> Operation {
    let mut operation = events::stream_parameters(operation);
    operation.object["responses"]["200"] = json!({
        "description": format!(
            "A stream of Server-Sent Events that does not end by itself. The schema is that of the `data` of one frame: each frame is \
             `id: 42`, `data: {{…}}` and an empty line, and with `names=true` also `event: ` and a name from `{names}`."
        ),
        "content": { "text/event-stream": { "schema": reference(frame), "x-names": reference(names), "example": example } },
    });
    operation
}

const PUBLIC_PATH: &str = "/v1/public/events/stream";

/// What is alike for both streams.
const ABOUT: &str = "`id` is the position, and `data` is the event as the feed shows it. The first frame has only an `id`, so that a \
    client whose connection is cut before the first event resumes there. A comment is sent every 15 seconds.";

/// Adds the route of the stream.
pub fn mount(table: &mut Table) {
    table.lazily(Method::GET, TICKETED_PATH, described_private, stream_events);
}

/// Adds the route of the public stream.
pub fn mount_public(table: &mut Table) {
    table.lazily(Method::GET, PUBLIC_PATH, described_public, stream_public_events);
}

fn described_private() -> Operation {
    let about = format!(
        "The feed as Server-Sent Events, from now on unless the request names a position. {ABOUT} The stream ends when the access token \
         expires or the replica stops; resume it with `Last-Event-ID` on any replica.\n\n\
         `EventSource` in browsers cannot send a header: request a ticket from `POST /v1/events/tickets`, and send it as `ticket` \
         instead of the access token."
    );
    let ticket = json!({ "type": "string", "minLength": 1, "maxLength": 4096, "pattern": "^[A-Za-z0-9._-]+$" });
    let stream = Operation::get(TICKETED_PATH, "stream_events", "events", "Stream events", &about);
    let stream = described(stream, schemas::FEED_EVENT, schemas::EVENT_TYPE, &schemas::feed_example()).query(
        TICKET,
        ticket,
        "A ticket from `POST /v1/events/tickets`, in the place of an access token.",
    );
    stream.with_schemas(schemas::feed()).roles(&ReadAll::role_names())
}

fn described_public() -> Operation {
    let about = format!(
        "The public feed as Server-Sent Events, from now on unless the request names a position; no login is needed. {ABOUT} One address \
         may have a limited number of streams open (32 unless configured otherwise); one more is answered with 429. The stream ends \
         after an hour or when the replica stops; resume it with `Last-Event-ID`, as browsers do by themselves."
    );
    let stream = Operation::get(PUBLIC_PATH, "stream_public_events", "public", "Stream events (public)", &about);
    let stream = described(stream, schemas::PUBLIC_EVENT, schemas::PUBLIC_EVENT_TYPE, &schemas::public_example());
    stream.with_schemas(schemas::public_feed()).public().problems(&[429])
}
