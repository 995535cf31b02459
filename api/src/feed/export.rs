//! Exports the audit log as lines of JSON, to be kept where nobody who can write to the database can reach it.

use std::io::Write;

use entity::rules::chain::canonical;
use sea_orm::ConnectionTrait;

use super::reading::{self, FeedEntry, FeedQuery};
use super::seal::{Head, head};
use crate::store::output::Failed;

/// The number of events of one statement.
const AT_ONCE: u64 = 1_000;

/// Writes every event after the position `after` up to the head, and returns the head. Memory does not grow with the audit log.
pub async fn export(db: &impl ConnectionTrait, after: i64, out: &mut impl Write) -> Result<Head, Failed> {
    let head = head(db).await?;
    let mut last = after;
    while last < head.position {
        let page = reading::read(db, &FeedQuery { limit: AT_ONCE, ..FeedQuery::all(last) }).await?;
        let Some(end) = page.last() else { break };
        last = end.position;
        for told in page.iter().filter(|told| told.position <= head.position) {
            writeln!(out, "{}", line(told))?;
        }
    }
    out.flush()?;
    Ok(head)
}

/// An event with its position and its hash, and the hash of the block that ends with it. `event` comes last and is, byte for byte, what
/// its hash covers.
fn line(entry: &FeedEntry) -> String {
    let block = match entry.block_hash.as_str() {
        "" => String::new(),
        hash => format!(r#","block":"{hash}""#),
    };
    format!(r#"{{"position":{},"hash":"{}"{block},"event":{}}}"#, entry.position, entry.content_hash(), canonical(&entry.event))
}
