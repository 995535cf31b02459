//! Proves that nothing of the trail was altered, removed or moved: every hash is computed again.

use entity::rules::chain::{BEGINNING, link};
use sea_orm::{ConnectionTrait, Statement};

use super::events::{self, Asked, Told};
use super::seal::{Head, head};
use crate::http::problem::ApiResult;

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
}

/// Verifies the whole chain, and that it goes through a head that somebody kept.
pub async fn verify(db: &impl ConnectionTrait, kept: Option<&Head>) -> ApiResult<Verdict> {
    let end = head(db).await?;
    let mut last = Head { position: 0, hash: BEGINNING.to_owned() };
    loop {
        let page = events::read(db, &Asked { limit: AT_ONCE, ..Asked::all(last.position) }).await?;
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
    Ok(Verdict::Sound(last))
}

fn misfit(told: &Told, last: &Head) -> Option<String> {
    if told.position != last.position + 1 {
        return Some("an event is missing".to_owned());
    }
    let is_whole = link(&last.hash, &told.event) == told.hash;
    (!is_whole).then(|| format!("event {} of {} `{}` was altered", told.event.id, told.event.resource, told.event.key))
}

/// An event that was put among sealed ones, if there is any: what the sealing would never look at.
async fn unsealed_below(db: &impl ConnectionTrait) -> ApiResult<Option<i64>> {
    let backend = db.get_database_backend();
    let finished = if backend == sea_orm::DbBackend::Postgres { "e.xact" } else { "e.seq" };
    let bound = if backend == sea_orm::DbBackend::Postgres { "<" } else { "<=" };
    let sql = format!(
        "SELECT e.seq FROM event e LEFT JOIN event_seal s ON s.seq = e.seq WHERE s.seq IS NULL \
         AND {finished} {bound} (SELECT horizon FROM feed_head) ORDER BY e.seq LIMIT 1"
    );
    let row = db.query_one_raw(Statement::from_string(backend, sql)).await?;
    Ok(row.map(|row| row.try_get("", "seq")).transpose()?)
}
