//! `/v1/events/stream` and `/v1/public/events/stream`: the feed as Server-Sent Events.
//!
//! A stream first reads from the table what its client does not have yet, and then receives what the tail of the feed passes to
//! all streams of the process; each event is serialized once. A stream that falls behind reads from the table again. A stream
//! whose client does not read is ended, and the client resumes with `Last-Event-ID` on any replica.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::events::Frame;
use super::events::{self, FeedQuery};
use super::limits::{OpenStream, StreamLimits};
use super::seal;
use super::tail::Tail;
use crate::auth::identify::token_ends_in;
use crate::auth::permissions::{ManageUsers, Permission, ReadAll};
use crate::http::client_address;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
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
    let asked = FeedQuery::read(&mut parameters, Some(access.actor()));
    parameters.finish()?;
    if asked.accounts {
        access.now().await?;
    }
    let stream = feed.2.open_private()?;
    // Whoever lost the permission to read is stopped when the token expires.
    open(&request, feed, stream, asked, token_ends_in(&request).unwrap_or_default()).await
}

async fn stream_public_events(
    _: Public,
    request: HttpRequest,
    feed: Feed,
    mut parameters: Parameters,
) -> ApiResult<HttpResponse> {
    let asked = FeedQuery { limit: PUBLIC_PAGE, ..FeedQuery::read(&mut parameters, None) };
    parameters.finish()?;
    let stream = feed.2.open_public(&client_address::network_of(&request))?;
    open(&request, feed, stream, asked, LONGEST).await
}

async fn open(
    request: &HttpRequest,
    feed: Feed,
    stream: OpenStream,
    asked: FeedQuery,
    lasts: Duration,
) -> ApiResult<HttpResponse> {
    let resumed = request.headers().get("last-event-id").map(|value| {
        let position = value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok()).filter(|position| *position >= 0);
        position.ok_or_else(|| {
            ApiError::parameter("Last-Event-ID", "Expected the position of an event.", "Seharusnya posisi suatu kejadian.")
        })
    });
    let after = resumed.transpose()?.unwrap_or(asked.after);
    if after > 0 {
        events::must_be_within(feed.0.store().db(), after).await?;
    }
    let (sender, receiver) = mpsc::channel(WAITING);
    actix_web::rt::spawn(pump(feed, stream, FeedQuery { after, ..asked }, sender, Instant::now() + lasts));
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
async fn pump((tail, stopping, limits): Feed, stream: OpenStream, asked: FeedQuery, client: Sender<Bytes>, ends: Instant) {
    let source = Source { tail, limits, stream };
    tokio::select! {
        () = sleep_until(ends) => {}
        // Either nobody is left to receive, or the database is down and the client will resume.
        _ = send_all(&source, asked, &client) => {}
        () = client.closed() => {}
        // The client resumes at another replica, and the shutdown does not wait for it.
        () = stopping.cancelled() => {}
    }
}

/// The position from which a stream reads.
struct Source {
    tail: Data<Tail>,
    limits: Data<StreamLimits>,
    stream: OpenStream,
}

/// Why a stream ends early.
struct Gone;

async fn send_all(source: &Source, mut asked: FeedQuery, client: &Sender<Bytes>) -> Result<(), Gone> {
    let mut live = source.tail.listen();
    send(client, Bytes::from_static(b"retry: 2000\n\n")).await?;
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

async fn pass_on(source: &Source, frame: &Arc<Frame>, asked: &mut FeedQuery, client: &Sender<Bytes>) -> Result<(), Gone> {
    if frame.position <= asked.after {
        return Ok(());
    }
    asked.after = frame.position;
    let bytes = match (asked.public, asked.people) {
        (true, _) => frame.public.clone(),
        (_, true) => Some(frame.private.clone()),
        (_, false) => Some(frame.reader.clone()),
    };
    let Some(bytes) = bytes.filter(|_| asked.wants(&frame.resource)) else { return Ok(()) };
    if events::is_about_accounts(&frame.resource) {
        must_still_manage(source, asked).await?;
    }
    send(client, bytes).await
}

/// Events that concern accounts are not sent to somebody who was disabled or demoted since the stream began. There are few of
/// them, so this is checked for each.
async fn must_still_manage(source: &Source, asked: &FeedQuery) -> Result<(), Gone> {
    let Some(actor) = &asked.actor else { return Err(Gone) };
    let now = source.tail.store().standing_of(actor, None).await.map_err(|_| Gone)?;
    if ManageUsers::allows(&now) { Ok(()) } else { Err(Gone) }
}

/// Sends the events of the table after those that the client has.
async fn catch_up(source: &Source, asked: &mut FeedQuery, client: &Sender<Bytes>) -> Result<(), Gone> {
    loop {
        let (end, frames) = read(source, asked).await.map_err(|_| Gone)?;
        let is_last = (frames.len() as u64) < asked.limit;
        for frame in frames {
            pass_on(source, &Arc::new(frame), asked, client).await?;
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
    let page = events::read(store.db(), asked).await?;
    Ok((end, events::frames(store.db(), &page).await?))
}

async fn send(client: &Sender<Bytes>, bytes: Bytes) -> Result<(), Gone> {
    timeout(PATIENCE, client.send(bytes)).await.map_err(|_| Gone)?.map_err(|_| Gone)
}

fn described(operation: Operation) -> Operation {
    let place = json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX });
    let about = "The `id` of the last event that you have, which browsers send by themselves. It takes precedence over `after`.";
    let mut operation = events::parameters(operation).parameter("header", "Last-Event-ID", false, place, about);
    operation.object["responses"]["200"] = json!({
        "description": "A stream of events that does not end by itself.",
        "content": { "text/event-stream": {
            "schema": { "type": "string", "maxLength": i32::MAX },
            "example": "id: 42\nevent: programme.updated\ndata: {\"position\":42,\"resource\":\"programme\",\"key\":\"SV-01\"}\n\n",
        } },
    });
    operation
}

/// Adds the route of the stream.
pub fn mount(table: &mut Table) {
    let about = "The feed as Server-Sent Events: `id` is the position, `event` is the kind of resource and what happened to it, \
        and `data` is the event as `/v1/events` shows it. A comment is sent every 15 seconds. The stream ends when the access \
        token expires or the replica stops; resume it with `Last-Event-ID`.";
    let stream = Operation::get("/v1/events/stream", "stream_events", "events", "Stream events", about);
    table.on(described(stream).roles(&ReadAll::role_names()), stream_events);
}

/// Adds the route of the public stream.
pub fn mount_public(table: &mut Table) {
    let about = "The public feed as Server-Sent Events; no login is needed. One address may have a limited number of streams \
        open (32 unless configured otherwise); one more is answered with 429. A comment is sent every 15 seconds. The stream \
        ends after an hour or when the replica stops; resume it with `Last-Event-ID`, as browsers do by themselves.";
    let stream = Operation::get("/v1/public/events/stream", "stream_public_events", "public", "Stream events (public)", about);
    table.on(described(stream).public().problems(&[429]), stream_public_events);
}
