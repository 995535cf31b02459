//! `/v1/events`, `/v1/events/head` and `/v1/public/events`: the feed, one page at a time.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Bytes;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::reading::{FeedEntry, FeedQuery, read, resources};
use super::seal::{self, Head};
use super::wire_types::{FeedEvent, Place, PublicEvent};
use super::{publicity, schemas};
use crate::auth::actor::Actor;
use crate::auth::permissions::{ManageUsers, Permission, ReadAll};
use crate::crud::history::Entry;
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::page::{DEFAULT_LIMIT, LARGEST_LIMIT};
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::Parameters;
use crate::http::table::Table;
use crate::store::access::{Access, Public};

impl From<&FeedEntry> for FeedEvent {
    fn from(told: &FeedEntry) -> Self {
        let place = Place { position: told.position, hash: told.content_hash() };
        Self { place, entry: Entry::from(&told.event) }
    }
}

impl FeedEvent {
    /// An event for a reader who may see the addresses of people, or for one who may not.
    fn of(told: &FeedEntry, people: bool) -> Self {
        let full = Self::from(told);
        if people { full } else { Self { entry: full.entry.without_people(), ..full } }
    }
}

impl PublicEvent {
    /// An event with what it still shows, if its resource still is public.
    fn of(told: &FeedEntry, shown: Option<Option<Value>>) -> Self {
        let event = &told.event;
        Self {
            position: told.position,
            id: event.id,
            at: event.at,
            resource: event.resource.clone(),
            thing: told.thing,
            key: shown.is_some().then(|| event.key.clone()),
            action: publicity::action(event).to_owned(),
            data: shown.flatten(),
        }
    }
}

/// What the public sees of public events. It takes at most one statement.
async fn public_forms(db: &impl ConnectionTrait, page: &[FeedEntry]) -> ApiResult<Vec<Value>> {
    let events = page.iter().map(|told| &told.event).collect::<Vec<_>>();
    let shown = publicity::still_public(db, &events).await?;
    Ok(page.iter().zip(shown).map(|(told, shown)| json!(PublicEvent::of(told, shown))).collect())
}

/// An event as the streams send it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The position of the event in the feed.
    pub position: i64,
    /// The kind of resource that changed.
    pub resource: String,
    /// The frame for those who log in and may see the addresses of people.
    pub private: ServerSentEvent,
    /// The frame for those who only read, without the addresses of people.
    pub reader: ServerSentEvent,
    /// The frame for the public.
    pub public: Option<ServerSentEvent>,
}

/// A Server-Sent Event; its position is the id from which a client resumes.
#[derive(Clone, Debug)]
pub struct ServerSentEvent {
    named: Bytes,
    /// Where the name ends. Without it, browsers take the event for a `message`.
    name_ends: usize,
}

impl ServerSentEvent {
    fn of(told: &FeedEntry, action: &str, json: &Value) -> Self {
        let name = format!("event: {}.{action}\n", told.event.resource);
        Self { named: Bytes::from(format!("{name}id: {}\ndata: {json}\n\n", told.position)), name_ends: name.len() }
    }

    /// The event, with its name or as a `message`.
    pub fn bytes(&self, is_named: bool) -> Bytes {
        if is_named { self.named.clone() } else { self.named.slice(self.name_ends..) }
    }
}

/// Events in the form in which the streams send them. It takes at most one statement.
pub async fn frames(db: &impl ConnectionTrait, page: &[FeedEntry]) -> ApiResult<Vec<Frame>> {
    let public = page.iter().filter(|told| told.public).cloned().collect::<Vec<_>>();
    let mut forms = public_forms(db, &public).await?.into_iter();
    let frames = page.iter().map(|told| Frame {
        position: told.position,
        resource: told.event.resource.clone(),
        private: ServerSentEvent::of(told, &told.event.action, &json!(FeedEvent::of(told, true))),
        reader: ServerSentEvent::of(told, &told.event.action, &json!(FeedEvent::of(told, false))),
        public: told
            .public
            .then(|| forms.next())
            .flatten()
            .map(|form| ServerSentEvent::of(told, publicity::action(&told.event), &form)),
    });
    Ok(frames.collect())
}

/// 410 if a position lies beyond the end of the feed: the positions that the client knows do not belong to this feed.
pub fn must_be_within(head: i64, after: i64) -> ApiResult<()> {
    if after <= head {
        return Ok(());
    }
    Err(ApiError::new(codes::FEED_RESTARTED)
        .detail(
            format!("The last position of the feed is {head}, which is before {after}: the positions of this feed began anew."),
            format!("Posisi terakhir umpan adalah {head}, sebelum {after}: nomor posisinya mulai dari awal lagi."),
        )
        .member("head", head))
}

/// Reads what the request asks for; 410 if the position lies beyond the end. A position that other events follow lies within the
/// feed.
async fn read_within(db: &impl ConnectionTrait, asked: &FeedQuery) -> ApiResult<Vec<FeedEntry>> {
    let page = read(db, asked).await?;
    if page.is_empty() && asked.after > 0 {
        must_be_within(seal::head(db).await?.position, asked.after)?;
    }
    Ok(page)
}

fn answer(request: &HttpRequest, data: Vec<Value>, last: i64, limit: u64) -> ApiResult<Answer> {
    let has_more = data.len() as u64 == limit;
    let page = json!({ "next_cursor": last.to_string(), "limit": limit });
    let answer = Answer::ok(&json!({ "data": data, "page": page }))?;
    if !has_more {
        return Ok(answer);
    }
    let kept = request.query_string().split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("after="));
    let query = kept.chain([format!("after={last}").as_str()]).collect::<Vec<_>>().join("&");
    Ok(answer.header("Link", &format!("<{}?{query}>; rel=\"next\"", request.path())))
}

fn limit(parameters: &mut Parameters) -> u64 {
    let limits = ("a number from 1 to 200", "angka dari 1 sampai 200");
    let in_range = |text: &str| text.parse().ok().filter(|limit| (1..=LARGEST_LIMIT).contains(limit));
    parameters.read("limit", limits, in_range).unwrap_or(DEFAULT_LIMIT)
}

/// The actor that reads the feed. If the token allows to see what happens to accounts, the actor is looked up as it stands now.
pub async fn reader(access: &Access<ReadAll>) -> ApiResult<Actor> {
    let actor = access.actor();
    if ManageUsers::allows(actor) { access.now().await } else { Ok(actor.clone()) }
}

async fn list_events(access: Access<ReadAll>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let actor = reader(&access).await?;
    let (asked, _) = FeedQuery::read(&mut parameters, Some(&actor));
    let asked = FeedQuery { limit: limit(&mut parameters), ..asked };
    parameters.finish()?;
    let page = read_within(access.store.db(), &asked).await?;
    let last = page.last().map_or(asked.after, |told| told.position);
    answer(&request, page.iter().map(|told| json!(FeedEvent::of(told, asked.people))).collect(), last, asked.limit)
}

async fn list_public_events(public: Public, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let (asked, _) = FeedQuery::read(&mut parameters, None);
    let asked = FeedQuery { limit: limit(&mut parameters), ..asked };
    parameters.finish()?;
    let db = public.store.db();
    let page = read_within(db, &asked).await?;
    let last = page.last().map_or(asked.after, |told| told.position);
    answer(&request, public_forms(db, &page).await?, last, asked.limit).map(Answer::public)
}

/// The end of the feed.
#[derive(Serialize, ToSchema)]
pub struct FeedHead {
    /// The position of the last event; 0 before the first event.
    #[schema(minimum = 0, maximum = 9007199254740991i64, example = 42)]
    position: i64,
    /// The hash of the last block of events, in hexadecimal. Whoever keeps it can prove later that nothing up to this position was altered.
    #[schema(max_length = 64, pattern = "^[0-9a-f]{64}$")]
    hash: String,
}

impl From<Head> for FeedHead {
    fn from(head: Head) -> Self {
        Self { position: head.position, hash: head.hash }
    }
}

async fn get_head(access: Access<ReadAll>, _: crate::http::query::NoParameters) -> ApiResult<Answer> {
    Answer::ok(&FeedHead::from(seal::head(access.store.db()).await?))
}

async fn get_public_head(public: Public, _: crate::http::query::NoParameters) -> ApiResult<Answer> {
    Answer::ok(&FeedHead::from(seal::head(public.store.db()).await?)).map(Answer::public)
}

/// The schema of a position.
fn position() -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX })
}

/// Adds the parameters of a page of the feed.
fn page_parameters(operation: Operation) -> Operation {
    let mut after = position();
    after["default"] = json!(0);
    parameters(operation, after, "The position of the last event that you have; the events after it are returned.")
}

/// Adds the parameters of a stream.
pub fn stream_parameters(operation: Operation) -> Operation {
    let about = "The position of the last event that you have. The stream sends what comes after it; 0 sends everything. Without it, and \
        without `Last-Event-ID`, the stream begins with what happens from now on. To miss nothing, read `/v1/events/head` (or the \
        public one) first, then what you need, and then open the stream after that position.";
    let about_id =
        "The `id` of the last event that you have, which browsers send by themselves. It takes precedence over `after`.";
    let about_names = "With `true`, each frame has its type as its name (`event: programme.updated`), for `addEventListener`. Otherwise \
        every frame is a `message`.";
    parameters(operation, position(), about).query("names", json!({ "type": "boolean" }), about_names).parameter(
        "header",
        "Last-Event-ID",
        false,
        position(),
        about_id,
    )
}

/// Adds the parameters `after` and `resource`.
fn parameters(operation: Operation, after: Value, about: &str) -> Operation {
    let one = json!({ "type": "string", "enum": resources() });
    let resource = json!({ "type": "array", "minItems": 1, "maxItems": crate::http::query::LONGEST_LIST, "items": one });
    operation
        .query("after", after, about)
        .query(
            "resource",
            resource,
            "Only changes of these kinds of resources: the parameter repeated, or a comma-separated list.",
        )
        .problems(&[410])
}

/// Adds the parameters and the answer of the feed, whose events have this schema.
fn described(operation: Operation, name: &str, schemas: Map<String, Value>, example: Value) -> Operation {
    let page_name = format!("{name}Page");
    let example = json!({ "data": [example], "page": { "next_cursor": "42", "limit": DEFAULT_LIMIT } });
    let limit = json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT });
    let page = json!({
        "type": "object", "required": ["data", "page"], "additionalProperties": false,
        "properties": {
            "data": { "type": "array", "maxItems": LARGEST_LIMIT, "items": { "$ref": format!("#/components/schemas/{name}") }, "description": "The events of this page." },
            "page": { "$ref": "#/components/schemas/FeedPage" },
        },
    });
    let beside = json!({
        "type": "object", "required": ["next_cursor", "limit"], "additionalProperties": false,
        "description": "Where a page of the feed ends.",
        "properties": {
            "next_cursor": { "type": "string", "maxLength": 20, "pattern": "^[0-9]+$", "description": "Send it as `after`, now or later, to read on. It is never null, because the feed goes on." },
            "limit": { "type": "integer", "format": "int32", "minimum": 1, "maximum": LARGEST_LIMIT, "description": "The greatest number of rows on a page." },
        },
    });
    page_parameters(operation)
        .query("limit", limit, "The greatest number of rows on a page.")
        .with_schemas(schemas)
        .with_schemas(Map::<String, Value>::from_iter([(page_name.clone(), page), ("FeedPage".to_owned(), beside)]))
        .answers_schema(
            200,
            "One page of the feed.",
            json!({ "$ref": format!("#/components/schemas/{page_name}") }),
            Some(example),
            &["Link"],
        )
}

const PATH: &str = "/v1/events";
const PUBLIC_PATH: &str = "/v1/public/events";

fn described_private() -> Operation {
    let about = "Every change, in the order in which it was committed. Keep `page.next_cursor` and send it as `after`: a reader \
        that goes on like this sees every event exactly once, however many clients write at the same time. Events that concern \
        accounts are shown only to those who manage accounts. Viewers and clients do not see the e-mail and network addresses of \
        people, although the hashes cover them.";
    let list = Operation::get(PATH, "list_events", "events", "List events", about).roles(&ReadAll::role_names());
    described(list, schemas::FEED_EVENT, schemas::feed(), schemas::feed_example())
}

fn described_public() -> Operation {
    let about = "Every change of what is public, in the order in which it was committed and in the form that the public sees; no \
        login is needed. Keep `page.next_cursor` and send it as `after`.\n\n\
        If a resource was withdrawn or deleted since, `key` and `data` are null in all its events, from the first one on; \
        `thing` still tells readers who followed it which resource it was. Resources that belong to another resource appear and \
        disappear with it without an event of their own: the programmes, KPIs and evaluations of a masterplan when it stops \
        being a draft or becomes one again. Read the lists again in that case.";
    let list = Operation::get(PUBLIC_PATH, "list_public_events", "public", "List events (public)", about).public();
    described(list, schemas::PUBLIC_EVENT, schemas::public_feed(), schemas::public_example())
}

/// Adds the routes of the feed.
pub fn mount(table: &mut Table) {
    let head = Operation::get(
        "/v1/events/head",
        "get_events_head",
        "events",
        "Get the head of the feed",
        "The position and the hash of the last event. Whoever keeps them can prove later that nothing up to this event was \
         altered or removed: `renaksi audit verify --head POSITION:HASH`.",
    );
    table
        .lazily(Method::GET, PATH, described_private, list_events)
        .on(head.roles(&ReadAll::role_names()).answers::<FeedHead>(200, "The head of the feed.", Some(example()), &[]), get_head);
}

/// Adds the public routes of the feed.
pub fn mount_public(table: &mut Table) {
    let head = Operation::get(
        "/v1/public/events/head",
        "get_public_events_head",
        "public",
        "Get the head of the feed (public)",
        "The position and the hash of the last event, for anybody to keep as proof of the history up to it.",
    );
    table
        .lazily(Method::GET, PUBLIC_PATH, described_public, list_public_events)
        .on(head.public().answers::<FeedHead>(200, "The head of the feed.", Some(example()), &[]), get_public_head);
}

fn example() -> Value {
    json!({ "position": 42, "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" })
}
