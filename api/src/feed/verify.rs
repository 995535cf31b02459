//! Proves that nothing of the audit log was altered, removed or moved, by computing every hash again, and that every row equals
//! what its last event says.

use entity::rules::chain::{BEGINNING, Hash, block_hash, content_hash, early_block_hash};
use entity::{evaluation, evaluation_record};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use sha2::{Digest, Sha256};

use super::publicity::seen;
use super::reading::{self, FeedEntry, FeedQuery};
use super::seal::{Head, head};
use crate::http::problem::ApiResult;
use crate::import_export::compare::compare_accounts;
use crate::import_export::compare_rows;
use crate::kinds::KINDS;
use crate::resources::clients::Client;
use crate::resources::users::User;
use crate::store::events::are_about;
use crate::store::kind::{Link, Scope};
use crate::store::progress::Progress;

/// The number of events of one statement.
const AT_ONCE: u64 = 5_000;

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The chain holds up to this head.
    Sound(Head),
    /// The first position that does not fit, with the reason.
    Broken {
        /// The position.
        position: i64,
        /// The reason.
        why: String,
    },
    /// The chain holds, but the data differs from what the events say.
    Differs(String),
}

/// Verifies the whole chain, that it goes through a head that somebody kept, and that every row equals what its last event says.
/// Call it with one snapshot of the database.
pub async fn verify(db: &impl ConnectionTrait, kept: Option<&Head>, mut progress: Progress) -> ApiResult<Verdict> {
    let end = head(db).await?;
    let count = |position: i64| u64::try_from(position).unwrap_or_default();
    let mut chain = Chain { block: Head { position: 0, hash: BEGINNING.to_owned() }, open: Vec::new(), kept };
    loop {
        let page = reading::sealed(db, &FeedQuery { limit: AT_ONCE, ..FeedQuery::all(chain.position()) }).await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            let entries = match row.events(0) {
                Ok(entries) => entries,
                Err(unreadable) => return Ok(broken(row.first_position(), unreadable.to_string())),
            };
            for entry in &entries {
                if let Err(broken) = chain.take(entry) {
                    return Ok(broken);
                }
            }
        }
        progress.part("events", count(chain.position()), count(end.position));
    }
    let last = chain.block.clone();
    progress.step("comparing every row with its last event");
    if chain.position() < end.position || kept.is_some_and(|kept| kept.position > last.position) {
        return Ok(broken(chain.position() + 1, "an event is missing"));
    }
    if last != end {
        return Ok(broken(last.position + 1, "the block that begins here has no end, or another one than the head of the feed"));
    }
    if let Some(seq) = unsealed_below(db).await? {
        return Ok(broken(last.position + 1, format!("event number {seq} lies among sealed events but has no seal")));
    }
    Ok(match difference(db).await? {
        Some(difference) => Verdict::Differs(difference),
        None => Verdict::Sound(last),
    })
}

/// The first row that differs from what its last event says, in words.
async fn difference(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    if let Some(difference) = compare_rows(db).await? {
        return Ok(Some(difference));
    }
    let others = [
        compare_accounts::<User>(db).await?,
        compare_accounts::<Client>(db).await?,
        unknown_past(db).await?,
        wrong_seal(db).await?,
        wrong_record(db).await?,
        wrong_link(db).await?,
    ];
    Ok(others.into_iter().flatten().next())
}

/// Every snapshot for figures of past days equals what an event said of the resource.
async fn unknown_past(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    let backend = db.get_database_backend();
    let are_about_it = are_about(backend, "e", "p.resource", "p.\"key\"");
    let sql = format!(
        "SELECT p.resource, p.\"key\" FROM past p \
         WHERE NOT EXISTS (SELECT 1 FROM event e WHERE {are_about_it} AND e.after = p.content) LIMIT 1"
    );
    let row = db.query_one_raw(Statement::from_string(backend, sql)).await?;
    let Some(row) = row else { return Ok(None) };
    let (resource, key): (String, String) = (row.try_get("", "resource")?, row.try_get("", "key")?);
    Ok(Some(format!("no event says what the snapshot of {resource} `{key}` for a past day holds")))
}

/// A seal repeats the kind of resource of its event, because filters of the feed read it.
async fn wrong_seal(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    let sql = "SELECT s.position FROM event_seal s JOIN event e ON e.seq = s.seq WHERE s.resource <> e.resource LIMIT 1";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let position: Option<i64> = row.map(|row| row.try_get("", "position")).transpose()?;
    Ok(position.map(|position| format!("the seal of event {position} names another kind of resource than the event")))
}

/// The records of a closed evaluation have the hashes that the evaluation names.
async fn wrong_record(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    for record in evaluation_record::Entity::find().all(db).await? {
        let evaluation = evaluation::Entity::find_by_id(record.evaluation.as_str()).one(db).await?;
        let is_public = record.audience == Scope::Published.name();
        let told = evaluation.and_then(|row| if is_public { row.public_record_sha256 } else { row.record_sha256 });
        if told.as_deref() != Some(hex::encode(Sha256::digest(&record.content)).as_str()) {
            return Ok(Some(format!("the record of the evaluation `{}` is not the one that was frozen", record.evaluation)));
        }
    }
    Ok(None)
}

/// Filters and refusals to delete read the links between resources, and answers show the lists. Both must be the same.
async fn wrong_link(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    let backend = db.get_database_backend();
    let links = KINDS.iter().flat_map(|kind| kind.links().map(move |(member, link)| (kind.table(), member, link)));
    for (of, member, Link { table, row: owner, code, key }) in links {
        let list = member.name;
        let entries = match (backend, member.entry) {
            (DbBackend::Postgres, None) => format!("jsonb_array_elements_text({of}.{list}) entry"),
            (DbBackend::Postgres, Some(_)) => format!("jsonb_array_elements({of}.{list}) entry"),
            _ => format!("json_each({of}.{list}) entry"),
        };
        let entry = match (backend, member.entry) {
            (DbBackend::Postgres, None) => "entry".to_owned(),
            (DbBackend::Postgres, Some(name)) => format!("entry->>'{name}'"),
            (_, None) => "entry.value".to_owned(),
            (_, Some(name)) => format!("json_extract(entry.value, '$.{name}')"),
        };
        let linked = format!("SELECT {owner} AS owner, {code} AS code FROM {table}");
        let shown = format!("SELECT {of}.{key} AS owner, {entry} AS code FROM {of}, {entries}");
        for (some, others) in [(&linked, &shown), (&shown, &linked)] {
            let sql = format!("SELECT owner FROM (SELECT * FROM ({some}) s EXCEPT SELECT * FROM ({others}) o) d LIMIT 1");
            if let Some(row) = db.query_one_raw(Statement::from_string(backend, sql)).await? {
                let key: String = row.try_get("", "owner")?;
                return Ok(Some(format!("`{list}` of {of} `{key}` is not what is stored in `{table}`")));
            }
        }
    }
    Ok(None)
}

fn broken(position: i64, why: impl Into<String>) -> Verdict {
    Verdict::Broken { position, why: why.into() }
}

/// The chain as far as it was read.
struct Chain<'a> {
    /// The end of the last whole block.
    block: Head,
    /// The hashes of the events after it, whose block has not ended yet.
    open: Vec<Hash>,
    /// A head that the chain must go through.
    kept: Option<&'a Head>,
}

impl Chain<'_> {
    /// The position of the last event that was read.
    fn position(&self) -> i64 {
        self.block.position + i64::try_from(self.open.len()).unwrap_or(i64::MAX)
    }

    /// Reads the next event.
    fn take(&mut self, entry: &FeedEntry) -> Result<(), Verdict> {
        let position = self.position() + 1;
        if entry.position != position {
            return Err(broken(position, "an event is missing"));
        }
        let event = &entry.event;
        let name = || format!("event {} of {} `{}`", event.id, event.resource, event.key);
        let hash = content_hash(event);
        if event.content_hash.as_deref().is_some_and(|stored| stored != hash) {
            return Err(broken(position, format!("{} was altered", name())));
        }
        // No hash covers what the seal says about publicity. Whether an event was hidden because of another resource can no longer be
        // known, but no event was public whose own resource was hidden both before and after it.
        let could_be_public =
            || [&event.before, &event.after].into_iter().any(|shown| seen(event.into(), shown.as_ref()).is_some());
        if entry.public && !could_be_public() {
            return Err(broken(position, format!("{} is marked as public and cannot be", name())));
        }
        self.open.push(hash);
        if entry.block_hash.is_empty() {
            return Ok(());
        }
        let begins = self.block.position + 1;
        if !self.ends_with(entry) {
            let why = match self.open.len() {
                1 => format!("{} was altered", name()),
                number => format!(
                    "the {number} events of the block that begins here are not those that were sealed, or in another order"
                ),
            };
            return Err(broken(begins, why));
        }
        self.open.clear();
        self.block = Head { position, hash: entry.block_hash.clone() };
        match self.kept.filter(|kept| (begins..=position).contains(&kept.position)) {
            Some(kept) if kept != &self.block => {
                Err(broken(kept.position, "the hash that was kept differs from the one in the chain"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the open block ends with `entry`. Before events had hashes of their own, a block was one event.
    fn ends_with(&self, entry: &FeedEntry) -> bool {
        block_hash(&self.block.hash, self.open.iter().copied()) == entry.block_hash
            || (self.open.len() == 1 && early_block_hash(&self.block.hash, &entry.event) == entry.block_hash)
    }
}

/// An event that was inserted among sealed ones, if there is any: sealing would never look at it.
async fn unsealed_below(db: &impl ConnectionTrait) -> ApiResult<Option<i64>> {
    let backend = db.get_database_backend();
    let finished = if backend == DbBackend::Postgres { "e.xact" } else { "e.seq" };
    let bound = if backend == DbBackend::Postgres { "<" } else { "<=" };
    let sql = format!(
        "SELECT e.seq FROM event e LEFT JOIN event_seal s ON s.seq = e.seq WHERE s.seq IS NULL \
         AND {finished} {bound} (SELECT horizon FROM feed_head) ORDER BY e.seq LIMIT 1"
    );
    let row = db.query_one_raw(Statement::from_string(backend, sql)).await?;
    Ok(row.map(|row| row.try_get("", "seq")).transpose()?)
}
