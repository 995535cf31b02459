//! Proves that nothing of the audit log was altered, removed or moved: every hash is computed again; and that every row is what the
//! audit log last told of it.

use entity::rules::chain::{BEGINNING, link};
use entity::{evaluation, evaluation_record};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use sha2::{Digest, Sha256};

use super::events::{self, FeedEntry, FeedQuery};
use super::publicity::seen;
use super::seal::{Head, head};
use crate::http::body::hex;
use crate::http::problem::ApiResult;
use crate::import_export::compare::compare_accounts;
use crate::import_export::compare_rows;
use crate::resources::clients::Client;
use crate::resources::users::User;
use crate::store::scope::Scope;

/// Events of one statement.
const AT_ONCE: u64 = 5_000;

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The chain holds up to here.
    Sound(Head),
    /// The first place that does not fit, and why.
    Broken {
        /// The place.
        position: i64,
        /// What does not fit.
        why: String,
    },
    /// The chain holds, but something else is stored than it tells of.
    Differs(String),
}

/// Verifies the whole chain, that it goes through a head that somebody kept, and that every row is what its last event says. To be
/// asked of one snapshot of the database.
pub async fn verify(db: &impl ConnectionTrait, kept: Option<&Head>) -> ApiResult<Verdict> {
    let end = head(db).await?;
    let mut last = Head { position: 0, hash: BEGINNING.to_owned() };
    loop {
        let page = events::read(db, &FeedQuery { limit: AT_ONCE, ..FeedQuery::all(last.position) }).await?;
        for told in &page {
            if let Some(why) = misfit(told, &last) {
                return Ok(Verdict::Broken { position: last.position + 1, why });
            }
            last = Head { position: told.position, hash: told.hash.clone() };
            if kept.is_some_and(|kept| kept.position == last.position && kept.hash != last.hash) {
                let why = "the hash that was kept is another".to_owned();
                return Ok(Verdict::Broken { position: last.position, why });
            }
        }
        if (page.len() as u64) < AT_ONCE {
            break;
        }
    }
    let broken = |position, why: &str| Ok(Verdict::Broken { position, why: why.to_owned() });
    if last.position < end.position || kept.is_some_and(|kept| kept.position > last.position) {
        return broken(last.position + 1, "an event is missing");
    }
    if let Some(seq) = unsealed_below(db).await? {
        return broken(last.position + 1, &format!("event number {seq} stands among sealed ones without a seal"));
    }
    Ok(match difference(db).await? {
        Some(difference) => Verdict::Differs(difference),
        None => Verdict::Sound(last),
    })
}

/// The first row that is not what the audit log last told of it, in words.
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

/// What figures of past days read is, for each of its days, what an event told of the thing.
async fn unknown_past(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    let sql = "SELECT p.resource, p.\"key\" FROM past p WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.resource = p.resource \
               AND e.\"key\" = p.\"key\" AND e.after = p.content) LIMIT 1";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let Some(row) = row else { return Ok(None) };
    let (resource, key): (String, String) = (row.try_get("", "resource")?, row.try_get("", "key")?);
    Ok(Some(format!("no event tells of {resource} `{key}` what is kept of it for a past day")))
}

/// A seal says of which kind its event is; filters of the feed read it.
async fn wrong_seal(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    let sql = "SELECT s.position FROM event_seal s JOIN event e ON e.seq = s.seq WHERE s.resource <> e.resource LIMIT 1";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let position: Option<i64> = row.map(|row| row.try_get("", "position")).transpose()?;
    Ok(position.map(|position| format!("the seal of event {position} names another kind of thing than the event")))
}

/// The records of a closed evaluation have the hashes that the evaluation tells of.
async fn wrong_record(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    for record in evaluation_record::Entity::find().all(db).await? {
        let evaluation = evaluation::Entity::find_by_id(record.evaluation.as_str()).one(db).await?;
        let is_public = record.audience == Scope::Published.name();
        let told = evaluation.and_then(|row| if is_public { row.public_record_sha256 } else { row.record_sha256 });
        if told.as_deref() != Some(hex(&Sha256::digest(&record.content)).as_str()) {
            return Ok(Some(format!("the record of the evaluation `{}` is not the one that was frozen", record.evaluation)));
        }
    }
    Ok(None)
}

/// The tables that hold the references behind a list that stands in a row: (table, its column with the row's key, its column with a
/// code, the table of the row, its key, the list, the member of an entry that has the code).
const LINKS: [(&str, &str, &str, &str, &str, &str, Option<&str>); 4] = [
    ("programme_supporting_opd", "programme", "opd", "programme", "code", "supporting_opds", None),
    ("programme_region", "programme", "region", "programme", "code", "regions", None),
    ("evaluation_dimension", "evaluation", "dimension", "evaluation", "code", "reported_counts", Some("dimension")),
    ("commitment_signatory", "commitment", "opd", "commitment", "id", "signatories", None),
];

/// Filters and refusals to delete read the links between things; answers show the lists. They are the same.
async fn wrong_link(db: &impl ConnectionTrait) -> ApiResult<Option<String>> {
    let backend = db.get_database_backend();
    for (table, owner, code, of, key, list, member) in LINKS {
        let (entries, entry) = match (backend, member) {
            (DbBackend::Postgres, None) => (format!("jsonb_array_elements_text({of}.{list}) entry"), "entry".to_owned()),
            (DbBackend::Postgres, Some(member)) => {
                (format!("jsonb_array_elements({of}.{list}) entry"), format!("entry->>'{member}'"))
            }
            (_, None) => (format!("json_each({of}.{list}) entry"), "entry.value".to_owned()),
            (_, Some(member)) => (format!("json_each({of}.{list}) entry"), format!("json_extract(entry.value, '$.{member}')")),
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

fn misfit(told: &FeedEntry, last: &Head) -> Option<String> {
    if told.position != last.position + 1 {
        return Some("an event is missing".to_owned());
    }
    let name = || format!("event {} of {} `{}`", told.event.id, told.event.resource, told.event.key);
    if link(&last.hash, &told.event) != told.hash {
        return Some(format!("{} was altered", name()));
    }
    // No hash covers what the seal says of it. What hid the event because of another thing is not known any more, but never was
    // one public whose own thing was hidden before it and after it.
    let could_be_public = || [&told.event.before, &told.event.after].into_iter().any(|thing| seen(&told.event, thing).is_some());
    (told.public && !could_be_public()).then(|| format!("{} is marked as public and cannot be", name()))
}

/// An event that was put among sealed ones, if there is any: what the sealing would never look at.
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
