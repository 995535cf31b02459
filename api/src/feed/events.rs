//! `/v1/events`, `/v1/events/head` and `/v1/public/events`: the feed, a page at a time.

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use entity::event;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value as Parameter};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::publicity;
use super::seal::{self, Head};
use super::tail::{Frame, frame};
use crate::auth::actor::Actor;
use crate::auth::permissions::{Permission, ReadAll};
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::page::{DEFAULT_LIMIT, LARGEST_LIMIT};
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::Parameters;
use crate::http::schema;
use crate::http::table::Table;
use crate::resources::history::Entry;
use crate::store::access::{Access, Public};

/// Events of one read where a stream catches up.
const PAGE: u64 = 200;
/// Kinds of things that are about accounts: only who manages those sees what happens to them.
pub const ACCOUNTS: &[&str] = &["user", "client", "webhook"];
/// The kinds of things, as `resource=` names them.
pub const RESOURCES: &[&str] = &[
    "masterplan",
    "dimension",
    "opd",
    "region",
    "programme",
    "transition",
    "coverage",
    "quick_win",
    "kpi",
    "kpi_target",
    "measurement",
    "action",
    "action_report",
    "evaluation",
    "finding",
    "commitment",
    "council_member",
    "survey",
    "award",
    "user",
    "client",
    "webhook",
];

/// What is read of the feed.
#[derive(Clone, Debug)]
pub struct FeedQuery {
    /// Only what stands after this place.
    pub after: i64,
    /// Only changes of these kinds of things; of all where there are none.
    pub resources: Vec<String>,
    /// Only what everybody may know.
    pub public: bool,
    /// Also what is about accounts.
    pub accounts: bool,
    /// With who did it, and from where.
    pub people: bool,
    /// Who asks.
    pub actor: Option<Actor>,
    /// At most so many.
    pub limit: u64,
}

impl FeedQuery {
    /// Everything after a place.
    pub fn all(after: i64) -> Self {
        Self { after, resources: Vec::new(), public: false, accounts: true, people: true, actor: None, limit: PAGE }
    }

    /// What `actor`, or everybody where there is none, reads of the feed.
    pub fn read(parameters: &mut Parameters, actor: Option<&Actor>) -> Self {
        let expected = ("the place of an event, such as 42", "tempat kejadian, seperti 42");
        let after = parameters.read("after", expected, |text| text.parse().ok().filter(|after| *after >= 0));
        let resources = parameters.list("resource").unwrap_or_default();
        if resources.iter().any(|name| !RESOURCES.contains(&name.as_str())) {
            let known = RESOURCES.join(", ");
            parameters.refuse("resource", format!("Expected names out of {known}."), format!("Seharusnya nama dari {known}."));
        }
        let accounts = actor.is_some_and(crate::auth::permissions::ManageUsers::allows);
        let people = actor.is_some_and(Actor::sees_people);
        Self {
            after: after.unwrap_or(0),
            resources,
            public: actor.is_none(),
            accounts,
            people,
            actor: actor.cloned(),
            limit: PAGE,
        }
    }

    /// Whether a kind of thing was asked for.
    pub fn wants(&self, resource: &str) -> bool {
        (self.resources.is_empty() || self.resources.iter().any(|name| name == resource))
            && (self.accounts || !ACCOUNTS.contains(&resource))
    }
}

/// An event with its place.
#[derive(Clone, Debug, FromQueryResult)]
pub struct FeedEntry {
    /// Its place in the feed.
    pub position: i64,
    /// Its hash.
    pub hash: String,
    /// Whether everybody might know of it when it got its place.
    pub public: bool,
    /// The first event of the same thing.
    pub thing: Uuid,
    /// The event.
    #[sea_orm(nested)]
    pub event: event::Model,
}

/// A change, at its place in the feed.
#[derive(Serialize, ToSchema)]
pub struct FeedEvent {
    /// The place in the feed, from 1 and without gaps.
    #[schema(minimum = 1, maximum = 9007199254740991i64, example = 42)]
    position: i64,
    /// SHA-256 over the hash of the event before and this event, in hexadecimal: see `docs/chain.md`.
    #[schema(max_length = 64, pattern = "^[0-9a-f]{64}$")]
    hash: String,
    /// What changed.
    #[serde(flatten)]
    entry: Entry,
}

/// A change of something published, at its place in the feed.
#[derive(Serialize, ToSchema)]
pub struct PublicEvent {
    /// The place in the feed. It grows; changes that are not public leave gaps.
    #[schema(minimum = 1, maximum = 9007199254740991i64, example = 42)]
    position: i64,
    /// The event.
    #[schema(max_length = 36)]
    id: Uuid,
    /// When it happened.
    #[schema(max_length = 35)]
    at: DateTime<Utc>,
    /// Kind of thing.
    #[schema(max_length = 64, example = "programme")]
    resource: String,
    /// A name without a meaning that all events of the same thing share: it tells what was withdrawn or deleted, to those who know
    /// the thing from before.
    #[schema(max_length = 36)]
    thing: Uuid,
    /// Its code or id; null in all its events where it is not public any more.
    #[schema(max_length = 200, example = "SV-01")]
    key: Option<String>,
    /// What happened: `published`, `withdrawn`, `updated`, `deleted`, or a verb of the resource such as `transitioned`.
    #[schema(max_length = 64, example = "updated")]
    action: String,
    /// The thing afterwards, as the public sees it; null when it is gone, and in all its events where it is not public any more.
    /// What it refers to and is not public is null in it.
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
}

impl From<&FeedEntry> for FeedEvent {
    fn from(told: &FeedEntry) -> Self {
        Self { position: told.position, hash: told.hash.clone(), entry: Entry::from(&told.event) }
    }
}

impl FeedEvent {
    /// An event for who may see people, or for who may not.
    fn of(told: &FeedEntry, people: bool) -> Self {
        let full = Self::from(told);
        if people { full } else { Self { entry: full.entry.without_people(), ..full } }
    }
}

impl PublicEvent {
    /// An event with what it still shows, if the thing still is public.
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

/// Reads what was asked for, in the order of the feed. One statement.
pub async fn read(db: &impl ConnectionTrait, asked: &FeedQuery) -> ApiResult<Vec<FeedEntry>> {
    let mut values: Vec<Parameter> = vec![asked.after.into()];
    let mut conditions = vec!["s.position > $1".to_owned()];
    if asked.public {
        // As the index spells it.
        conditions.push("s.public".to_owned());
    }
    if !asked.resources.is_empty() {
        let names = asked.resources.iter().map(|name| {
            values.push(name.as_str().into());
            format!("${}", values.len())
        });
        let names = names.collect::<Vec<_>>().join(", ");
        conditions.push(format!("s.resource IN ({names})"));
    }
    if !asked.accounts {
        let accounts = ACCOUNTS.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        conditions.push(format!("s.resource NOT IN ({accounts})"));
    }
    let (conditions, limit) = (conditions.join(" AND "), asked.limit);
    let sql = format!(
        "SELECT s.position, s.hash, s.public, \
           (SELECT f.id FROM event f WHERE f.resource = e.resource AND f.\"key\" = e.\"key\" ORDER BY f.seq LIMIT 1) AS thing, e.* \
         FROM event_seal s JOIN event e ON e.seq = s.seq WHERE {conditions} \
         ORDER BY s.position LIMIT {limit}"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    rows.iter().map(|row| FeedEntry::from_query_result(row, "").map_err(ApiError::from)).collect()
}

/// What everybody sees of public events. At most one statement.
async fn public_forms(db: &impl ConnectionTrait, page: &[FeedEntry]) -> ApiResult<Vec<Value>> {
    let events = page.iter().map(|told| &told.event).collect::<Vec<_>>();
    let shown = publicity::still_public(db, &events).await?;
    Ok(page.iter().zip(shown).map(|(told, shown)| json!(PublicEvent::of(told, shown))).collect())
}

/// Events as the streams send them. At most one statement.
pub async fn frames(db: &impl ConnectionTrait, page: &[FeedEntry]) -> ApiResult<Vec<Frame>> {
    let public = page.iter().filter(|told| told.public).cloned().collect::<Vec<_>>();
    let mut forms = public_forms(db, &public).await?.into_iter();
    let frames = page.iter().map(|told| Frame {
        position: told.position,
        resource: told.event.resource.clone(),
        private: frame(told, &told.event.action, &json!(FeedEvent::of(told, true))),
        reader: frame(told, &told.event.action, &json!(FeedEvent::of(told, false))),
        public: told.public.then(|| forms.next()).flatten().map(|form| frame(told, publicity::action(&told.event), &form)),
    });
    Ok(frames.collect())
}

/// 410 where a place lies beyond the end of the feed: the places that the client knows are not those of this feed.
pub async fn must_be_within(db: &impl ConnectionTrait, after: i64) -> ApiResult<()> {
    let head = seal::head(db).await?.position;
    if after <= head {
        return Ok(());
    }
    Err(ApiError::new(codes::FEED_RESTARTED)
        .detail(
            format!("The last place of the feed is {head}, before {after}: its places began anew."),
            format!("Tempat terakhir umpan adalah {head}, sebelum {after}: nomor tempatnya mulai dari awal lagi."),
        )
        .member("head", head))
}

/// Reads what was asked for; 410 where nothing can be there. A place with something behind it is within.
async fn read_within(db: &impl ConnectionTrait, asked: &FeedQuery) -> ApiResult<Vec<FeedEntry>> {
    let page = read(db, asked).await?;
    if page.is_empty() && asked.after > 0 {
        must_be_within(db, asked.after).await?;
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

async fn list_events(access: Access<ReadAll>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let asked = FeedQuery::read(&mut parameters, Some(access.actor()));
    let asked = FeedQuery { limit: limit(&mut parameters), ..asked };
    parameters.finish()?;
    if asked.accounts {
        access.now().await?;
    }
    let page = read_within(access.store.db(), &asked).await?;
    let last = page.last().map_or(asked.after, |told| told.position);
    answer(&request, page.iter().map(|told| json!(FeedEvent::of(told, asked.people))).collect(), last, asked.limit)
}

async fn list_public_events(public: Public, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let asked = FeedQuery::read(&mut parameters, None);
    let asked = FeedQuery { limit: limit(&mut parameters), ..asked };
    parameters.finish()?;
    let db = public.store.db();
    let page = read_within(db, &asked).await?;
    let last = page.last().map_or(asked.after, |told| told.position);
    answer(&request, public_forms(db, &page).await?, last, asked.limit).map(Answer::public)
}

/// Where the feed ends.
#[derive(Serialize, ToSchema)]
pub struct FeedHead {
    /// The place of the last event; 0 before the first.
    #[schema(minimum = 0, maximum = 9007199254740991i64, example = 42)]
    position: i64,
    /// Its hash, in hexadecimal. Keep it: with it anybody proves later that nothing up to there was altered.
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

/// Adds `after` and `resource`.
pub fn parameters(operation: Operation) -> Operation {
    let after = json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX, "default": 0 });
    let one = json!({ "type": "string", "enum": RESOURCES });
    let resource = json!({ "type": "array", "minItems": 1, "maxItems": crate::http::query::LONGEST_LIST, "items": one });
    operation
        .query("after", after, "The place of the last event that you have; what stands after it is given.")
        .query("resource", resource, "Only changes of these kinds of things, as a comma-separated list.")
        .problems(&[410])
}

fn described<T: ToSchema>(operation: Operation) -> Operation {
    let (name, page_name) = (T::name().into_owned(), format!("{}Page", T::name()));
    let limit = json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT });
    let page = json!({
        "type": "object", "required": ["data", "page"], "additionalProperties": false,
        "properties": {
            "data": { "type": "array", "maxItems": LARGEST_LIMIT, "items": { "$ref": format!("#/components/schemas/{name}") }, "description": "The events of this page." },
            "page": {
                "type": "object", "required": ["next_cursor", "limit"], "additionalProperties": false,
                "properties": {
                    "next_cursor": { "type": "string", "maxLength": 20, "pattern": "^[0-9]+$", "description": "Send it as `after`, now or later: never null, as the feed goes on." },
                    "limit": { "type": "integer", "format": "int32", "minimum": 1, "maximum": LARGEST_LIMIT, "description": "The page size." },
                },
            },
        },
    });
    parameters(operation)
        .query("limit", limit, "Rows on a page.")
        .with_schemas(schema::components::<T>())
        .with_schemas(Map::<String, Value>::from_iter([(page_name.clone(), page)]))
        .answers_schema(200, "One page.", json!({ "$ref": format!("#/components/schemas/{page_name}") }), None, &["Link"])
}

/// Mounts the feed.
pub fn mount(table: &mut Table) {
    let about = "Every change, in the order in which it was committed. Keep `page.next_cursor` and send it as `after`: a reader that goes on like \
                 this sees every event exactly once, however many write at the same time. What is about accounts is shown to those who manage them; viewers and clients do not \
                 see the e-mail and network addresses of people, which the hashes cover.";
    let list = Operation::get("/v1/events", "list_events", "events", "What happened", about);
    let head = Operation::get(
        "/v1/events/head",
        "get_events_head",
        "events",
        "Where the feed ends",
        "The place and the hash of the last event. Whoever keeps it can prove later that nothing before it was altered or removed: \
         `renaksi audit verify --head POSITION:HASH`.",
    );
    table
        .on(described::<FeedEvent>(list.roles(&ReadAll::role_names())), list_events)
        .on(head.roles(&ReadAll::role_names()).answers::<FeedHead>(200, "It.", Some(example()), &[]), get_head);
}

/// Mounts what everybody sees of it.
pub fn mount_public(table: &mut Table) {
    let about = "Every change of what is public, in the order in which it was committed, as the public sees it; no login. Keep \
                 `page.next_cursor` and send it as `after`.\n\nOf what was withdrawn or deleted since, `key` and `data` are null in all its events, from \
                 the first one on; `thing` still tells whoever followed which one it was. What hangs on a thing comes and goes with it without an event \
                 of its own: the programmes, KPIs and evaluations of a masterplan when it stops being a draft or becomes one again. Read the lists \
                 then.";
    let list = Operation::get("/v1/public/events", "list_public_events", "public", "What happened (public)", about);
    let head = Operation::get(
        "/v1/public/events/head",
        "get_public_events_head",
        "public",
        "Where the feed ends (public)",
        "The place and the hash of the last event, for anybody to keep.",
    );
    table
        .on(described::<PublicEvent>(list.public()), list_public_events)
        .on(head.public().answers::<FeedHead>(200, "It.", Some(example()), &[]), get_public_head);
}

fn example() -> Value {
    json!({ "position": 42, "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::event_types::HAPPENINGS;

    #[test]
    fn webhooks_can_ask_for_every_kind_of_the_feed_but_accounts() {
        let told = RESOURCES.iter().filter(|kind| !ACCOUNTS.contains(kind)).copied().collect::<Vec<_>>();
        assert_eq!(told, HAPPENINGS.iter().map(|(kind, _)| *kind).collect::<Vec<_>>());
    }
}
