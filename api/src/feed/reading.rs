//! Reading the feed: rows of the audit log in the order of their positions, and the events that they hold.

use entity::event;
use entity::rules::batch::{self, Unreadable};
use entity::rules::chain::content_hash;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value as Parameter};
use uuid::Uuid;

use crate::auth::actor::Actor;
use crate::auth::permissions::{ManageUsers, Permission};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::kinds;
use crate::store::events::are_about;

/// The number of events of one read when a stream catches up.
const PAGE: u64 = 200;
/// What is about accounts: only who manages those sees what happens to them.
pub fn accounts() -> impl Iterator<Item = &'static str> {
    kinds::AUDITED.iter().filter(|of| of.is_about_accounts).map(|of| of.name)
}

/// Whether what the audit log calls so is about accounts.
pub fn is_about_accounts(resource: &str) -> bool {
    accounts().any(|name| name == resource)
}

/// Everything that the feed tells of, as `resource=` names it.
pub fn resources() -> Vec<&'static str> {
    kinds::AUDITED.iter().map(|of| of.name).collect()
}

/// What a request reads of the feed.
#[derive(Clone, Debug)]
pub struct FeedQuery {
    /// Only events after this position.
    pub after: i64,
    /// Only changes of these kinds of resources; without any, changes of all kinds.
    pub resources: Vec<String>,
    /// Only events that the public may know of.
    pub public: bool,
    /// Also events that concern accounts.
    pub accounts: bool,
    /// Also who made a change, and from which address.
    pub people: bool,
    /// The actor that makes the request.
    pub actor: Option<Actor>,
    /// The greatest number of events.
    pub limit: u64,
}

/// What a request says of the position from which it reads.
pub type After = Option<i64>;

impl FeedQuery {
    /// Reads everything after a position.
    pub fn all(after: i64) -> Self {
        Self { after, resources: Vec::new(), public: false, accounts: true, people: true, actor: None, limit: PAGE }
    }

    /// What `actor`, or the public if there is no actor, reads of the feed, and the position that the request names. Without one it
    /// is read from the beginning.
    pub fn read(parameters: &mut Parameters, actor: Option<&Actor>) -> (Self, After) {
        let expected = ("the position of an event, such as 42", "posisi kejadian, seperti 42");
        let after = parameters.read("after", expected, |text| text.parse().ok().filter(|after| *after >= 0));
        let resources = parameters.list("resource").unwrap_or_default();
        if resources.iter().any(|name| kinds::audited(name).is_none()) {
            let known = self::resources().join(", ");
            parameters.refuse(
                "resource",
                format!("Expected names from this list: {known}."),
                format!("Seharusnya nama dari daftar ini: {known}."),
            );
        }
        let accounts = actor.is_some_and(ManageUsers::allows);
        let people = actor.is_some_and(Actor::sees_people);
        let asked = Self {
            after: after.unwrap_or(0),
            resources,
            public: actor.is_none(),
            accounts,
            people,
            actor: actor.cloned(),
            limit: PAGE,
        };
        (asked, after)
    }

    /// Whether the request asks for a kind of resource.
    pub fn wants(&self, resource: &str) -> bool {
        (self.resources.is_empty() || self.resources.iter().any(|name| name == resource))
            && (self.accounts || !is_about_accounts(resource))
    }
}

/// A row of the audit log with its positions.
#[derive(Debug, FromQueryResult)]
pub struct Sealed {
    /// The position of its last event.
    pub position: i64,
    /// The hash of the block that ends with that event, in hexadecimal; empty where a block goes on.
    pub block_hash: String,
    /// Whether the public could know of any of its events when they got their positions.
    pub public: bool,
    /// Of a batch, of which of them, see [`entity::event_seal::Model::public_events`].
    pub public_events: Option<Vec<u8>>,
    /// How many events have these positions.
    pub positions: i32,
    /// The first event of the same resource; of a batch it means nothing.
    pub thing: Uuid,
    /// The row.
    #[sea_orm(nested)]
    pub row: event::Model,
}

impl Sealed {
    /// The position of its first event.
    pub fn first_position(&self) -> i64 {
        self.position - i64::from(self.positions) + 1
    }

    /// Its events after a position.
    pub fn events(&self, after: i64) -> Result<Vec<FeedEntry>, Unreadable> {
        if self.positions != self.row.events {
            return Err(Unreadable::because("its seal counts another number of events"));
        }
        let (first, is_batch) = (self.first_position(), self.row.batch.is_some());
        let places = first.max(after + 1)..self.position + 1;
        let place = |position: i64| usize::try_from(position - first).unwrap_or_default();
        let events = batch::events(&self.row, place(places.start)..place(places.end))?;
        let entries = places.zip(events).map(|(position, event)| FeedEntry {
            position,
            block_hash: if position == self.position { self.block_hash.clone() } else { String::new() },
            public: self.public && self.public_events.as_ref().is_none_or(|bits| batch::is_marked(bits, place(position))),
            // A batch holds the first events of what it tells of.
            thing: if is_batch { event.id } else { self.thing },
            event,
        });
        Ok(entries.collect())
    }
}

/// An event with its position.
#[derive(Clone, Debug)]
pub struct FeedEntry {
    /// The position in the feed.
    pub position: i64,
    /// The hash of the block that ends with the event, in hexadecimal; empty where a block goes on.
    pub block_hash: String,
    /// Whether the public could know of the event when it got its position.
    pub public: bool,
    /// The first event of the same resource.
    pub thing: Uuid,
    /// The event.
    pub event: event::Model,
}

impl FeedEntry {
    /// The hash of the content, in hexadecimal. Events of an earlier version of the service are stored without it.
    pub fn content_hash(&self) -> String {
        self.event.content_hash.as_ref().map_or_else(|| hex::encode(content_hash(&self.event)), hex::encode)
    }
}

/// Reads what the request asks for, in the order of the feed. It takes one statement, and another where a batch holds fewer of such
/// events than it has positions.
pub async fn read(db: &impl ConnectionTrait, asked: &FeedQuery) -> ApiResult<Vec<FeedEntry>> {
    let limit = usize::try_from(asked.limit).map_err(ApiError::unexpected)?;
    let (mut page, mut asked) = (Vec::new(), asked.clone());
    loop {
        let rows = sealed(db, &asked).await?;
        for row in &rows {
            if page.len() >= limit {
                break;
            }
            let events = row.events(asked.after).map_err(ApiError::unexpected)?;
            page.extend(events.into_iter().filter(|told| told.public || !asked.public));
        }
        let has_batches = rows.iter().any(|row| row.positions > 1);
        match rows.last() {
            Some(last) if has_batches && page.len() < limit => {
                (asked.after, asked.limit) = (last.position, (limit - page.len()) as u64);
            }
            _ => break,
        }
    }
    page.truncate(limit);
    Ok(page)
}

/// Reads rows of the audit log that hold what the request asks for, in the order of the feed: as many as hold enough events, or fewer
/// if they are batches. It takes one statement.
pub async fn sealed(db: &impl ConnectionTrait, asked: &FeedQuery) -> ApiResult<Vec<Sealed>> {
    let mut values: Vec<Parameter> = vec![asked.after.into()];
    let mut conditions = vec!["s.position > $1".to_owned()];
    if asked.public {
        // Written as the index spells it, so that the index is used.
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
        let accounts = self::accounts().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        conditions.push(format!("s.resource NOT IN ({accounts})"));
    }
    let (conditions, limit, backend) = (conditions.join(" AND "), asked.limit, db.get_database_backend());
    let are_of_same = are_about(backend, "f", "e.resource", "e.\"key\"");
    // At least so many of its events are asked for.
    let held = if asked.public { "CASE WHEN s.public_events IS NULL THEN s.events ELSE 1 END" } else { "s.events" };
    let next = format!("SELECT s.* FROM event_seal s WHERE {conditions} ORDER BY s.position LIMIT {limit}");
    let sql = format!(
        "SELECT s.position, s.hash AS block_hash, s.public, s.public_events, s.events AS positions, \
           COALESCE(e.first_event, \
             (SELECT COALESCE(f.first_event, f.id) FROM event f WHERE {are_of_same} ORDER BY f.seq LIMIT 1)) AS thing, e.* \
         FROM (SELECT s.*, SUM({held}) OVER (ORDER BY s.position) - {held} AS earlier FROM ({next}) s) s \
         JOIN event e ON e.seq = s.seq WHERE s.earlier < {limit} ORDER BY s.position"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    rows.iter().map(|row| Sealed::from_query_result(row, "").map_err(ApiError::from)).collect()
}
