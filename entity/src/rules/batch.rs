//! Batches: the events by which one request created many reports alike, in one row of the audit log.
//!
//! Such events differ only in their key, their version and what they created, which is stored once, as a compressed JSON text
//! `[[key, version, after], …]`. Everything else they have in common with the row. Their identifiers follow from that of the row, which
//! ends in [`BITS`] zeros: the event at place *n* has *n* there.
//!
//! Only the first event of a report lies in a batch, so that all events about a report are found by its key and that one identifier.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::event;
use crate::rules::chain::Hash;

/// The number of bits of an identifier that say at which place of its batch the event lies.
const BITS: u32 = 7;
/// The greatest number of events in a batch: enough that each takes little more than what it says, and few enough that one of them is
/// read in a tenth of a millisecond.
pub const MOST: usize = 1 << BITS;
/// From this number of events on, a batch takes less room than the events would.
pub const LEAST: usize = 8;
/// The most bytes of a batch that are read.
const LARGEST: u64 = 256 * 1024 * 1024;
/// Level 1 of zstd: what events have in common is found by every level, and writers wait for it.
const LEVEL: i32 = 1;

/// What an event of a batch does not have in common with the others.
#[derive(Serialize, Deserialize)]
pub struct Entry(
    /// The key.
    pub String,
    /// The version.
    pub i32,
    /// The resource after the change, as JSON text.
    pub Box<RawValue>,
);

/// A batch that cannot be read, or does not hold what its row says.
#[derive(Debug)]
pub struct Unreadable(String);

impl Unreadable {
    /// A batch that is not as it was written, for a reason in words.
    pub fn because(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a batch of events cannot be read: {}", self.0)
    }
}

impl std::error::Error for Unreadable {}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// Gives identifiers to events that are to be stored in batches.
#[derive(Debug, Default)]
pub struct Identifiers {
    /// The last one that was given.
    last: Option<Uuid>,
}

impl Iterator for Identifiers {
    type Item = Uuid;

    fn next(&mut self) -> Option<Uuid> {
        let next = match self.last {
            Some(last) if place_of(last) + 1 < MOST => Uuid::from_u128(last.as_u128() + 1),
            _ => batch_of(Uuid::now_v7()),
        };
        self.last = Some(next);
        self.last
    }
}

/// The identifier of the row in which the event with this identifier lies.
pub fn batch_of(event: Uuid) -> Uuid {
    Uuid::from_u128(event.as_u128() >> BITS << BITS)
}

/// The place of the event with this identifier in its batch.
pub fn place_of(event: Uuid) -> usize {
    (event.as_u128() % MOST as u128) as usize
}

/// The identifier of the event at a place of a batch.
pub fn identifier(batch: Uuid, place: usize) -> Uuid {
    Uuid::from_u128(batch.as_u128() + place as u128)
}

/// The stored form of a batch.
pub fn pack(entries: &[Entry]) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(&serde_json::to_vec(entries)?, LEVEL)
}

/// What is stored of a batch.
pub fn entries(batch: &[u8]) -> Result<Vec<Entry>, Unreadable> {
    let mut text = String::new();
    zstd::Decoder::new(batch)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

/// The hashes of the contents of all events of a row, as they are stored one after the other; nothing where their number is another.
pub fn hashes(stored: Option<&[u8]>, events: i32) -> Option<&[Hash]> {
    let (hashes, rest) = stored?.as_chunks();
    let are_all = rest.is_empty() && usize::try_from(events).is_ok_and(|events| events == hashes.len());
    are_all.then_some(hashes)
}

/// Which events of a batch are marked, a bit for each from the lowest of the first byte on; nothing where all are or none is.
pub fn marked(events: &[bool]) -> Option<Vec<u8>> {
    let byte = |some: &[bool]| (0_u8..).zip(some).fold(0, |byte, (place, is_marked)| byte | u8::from(*is_marked) << place);
    (events.contains(&true) && events.contains(&false)).then(|| events.chunks(8).map(byte).collect())
}

/// Whether the event at a place of a batch is marked.
pub fn is_marked(bits: &[u8], place: usize) -> bool {
    bits.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1)
}

/// The events of a row of the audit log at some places of it: of a row that is one event, that event.
pub fn events(row: &event::Model, places: Range<usize>) -> Result<Vec<event::Model>, Unreadable> {
    let Some(batch) = &row.batch else {
        return Ok(if places.contains(&0) { vec![row.clone()] } else { Vec::new() });
    };
    let (entries, hashes) = (entries(batch)?, hashes(row.content_hash.as_deref(), row.events).unwrap_or_default());
    if hashes.len() != entries.len() {
        return Err(Unreadable::because("it has more or fewer events than its row says"));
    }
    let events = entries.into_iter().zip(hashes).enumerate().skip(places.start).take(places.len());
    let events = events.map(|(place, (Entry(key, version, after), hash))| {
        Ok(event::Model {
            id: identifier(row.id, place),
            at: row.at,
            seq: row.seq,
            resource: row.resource.clone(),
            key,
            action: row.action.clone(),
            version,
            actor_kind: row.actor_kind.clone(),
            actor_id: row.actor_id.clone(),
            request_id: row.request_id.clone(),
            address: row.address.clone(),
            before: None,
            after: Some(serde_json::from_str(after.get())?),
            content_hash: Some(hash.to_vec()),
            first_event: None,
            events: 1,
            batch: None,
        })
    });
    events.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::chain::content_hash;

    fn created(id: Uuid, key: &str, value: &Value) -> event::Model {
        let event = event::Model {
            seq: 9,
            id,
            at: "2022-10-04T01:00:00Z".parse().unwrap(),
            resource: "measurement".into(),
            key: key.into(),
            action: "created".into(),
            version: 1,
            actor_kind: "client".into(),
            actor_id: "dinkes".into(),
            request_id: Some("r".into()),
            address: None,
            before: None,
            after: Some(value.clone()),
            content_hash: None,
            first_event: None,
            events: 1,
            batch: None,
        };
        event::Model { content_hash: Some(content_hash(&event).to_vec()), ..event }
    }

    fn row(events: &[event::Model]) -> event::Model {
        let entry = |event: &event::Model| {
            let after = serde_json::value::to_raw_value(&event.after).unwrap();
            Entry(event.key.clone(), event.version, after)
        };
        event::Model {
            key: String::new(),
            after: None,
            content_hash: Some(events.iter().flat_map(|event| event.content_hash.clone().unwrap()).collect()),
            events: events.len() as i32,
            batch: Some(pack(&events.iter().map(entry).collect::<Vec<_>>()).unwrap()),
            ..events[0].clone()
        }
    }

    proptest! {
        #[test]
        fn a_batch_gives_back_what_was_put_into_it(
            contents in proptest::collection::vec((any::<String>(), any::<String>(), any::<i64>()), 1..40), from in 0_usize..50, number in 0_usize..50
        ) {
            let mut ids = Identifiers::default();
            let events = contents.iter().map(|(key, note, value)| {
                created(ids.next().unwrap(), key, &json!({ "note": note, "value": value, "evidence": [{ "b": 1, "a": null }] }))
            });
            let events = events.collect::<Vec<_>>();
            let row = row(&events);
            let wanted = events.into_iter().skip(from).take(number).collect::<Vec<_>>();
            prop_assert_eq!(super::events(&row, from..from + number).unwrap(), wanted);
        }
    }

    proptest! {
        #[test]
        fn marks_are_found_again(events in proptest::collection::vec(any::<bool>(), 1..=MOST)) {
            match marked(&events) {
                None => prop_assert!(events.iter().all(|event| *event == events[0])),
                Some(bits) => for (place, event) in events.iter().enumerate() {
                    prop_assert_eq!(is_marked(&bits, place), *event, "{}", place);
                },
            }
        }
    }

    #[test]
    fn identifiers_tell_the_batch_and_the_place() {
        let ids = Identifiers::default().take(MOST + 1).collect::<Vec<_>>();
        let first = ids[0];
        for (place, id) in ids[..MOST].iter().enumerate() {
            assert_eq!((batch_of(*id), place_of(*id), *id), (first, place, identifier(first, place)));
        }
        assert_ne!(batch_of(ids[MOST]), first);
        assert_eq!((place_of(ids[MOST]), first.get_version_num()), (0, 7));
    }

    #[test]
    fn what_is_not_what_the_row_says_is_not_read() {
        let mut ids = Identifiers::default();
        let events = (0..3).map(|number| created(ids.next().unwrap(), "A/2022", &json!({ "value": number })));
        let row = row(&events.collect::<Vec<_>>());
        let is_read = |row: &event::Model| super::events(row, 0..3).is_ok();
        assert!(is_read(&row));
        assert!(!is_read(&event::Model { events: 2, ..row.clone() }));
        assert!(!is_read(&event::Model { content_hash: Some(vec![0; 64]), ..row.clone() }));
        assert!(!is_read(&event::Model { batch: Some(vec![1, 2, 3]), ..row.clone() }));
        assert!(!is_read(&event::Model { batch: Some(pack(&[]).unwrap()), ..row }));
    }
}
