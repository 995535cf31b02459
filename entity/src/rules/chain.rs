//! The chain of events. Each event has the hash of its content. Each block of events that get their positions together has a hash that
//! covers the hash of the block before and those of its events, so that nothing can be altered, removed or moved without making every
//! later hash wrong. `docs/chain.md` defines the form, for those who want to verify it with another program.

use std::borrow::Cow;
use std::fmt::{self, Write};

use sea_orm::entity::prelude::DateTimeUtc;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::event;

/// The hash before the first block.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A SHA-256.
pub type Hash = [u8; 32];

/// The content of an event that is about to be written. What was before and after is JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The identifier.
    pub id: Uuid,
    /// When the change was made, in whole microseconds.
    pub at: DateTimeUtc,
    /// The kind of resource.
    pub resource: &'a str,
    /// The code or id of the resource.
    pub key: &'a str,
    /// What happened.
    pub action: &'a str,
    /// The version after the change.
    pub version: i32,
    /// The kind of actor.
    pub actor_kind: &'a str,
    /// Who made the change.
    pub actor_id: &'a str,
    /// The request that made the change.
    pub request_id: Option<&'a str>,
    /// The network address from which the change was made.
    pub address: Option<&'a str>,
    /// The resource before the change.
    pub before: Option<&'a str>,
    /// The resource after the change.
    pub after: Option<&'a str>,
}

impl Content<'_> {
    /// The SHA-256 of the canonical form. Fails if what was before or after is not JSON.
    pub fn hash(&self) -> serde_json::Result<Hash> {
        let mut out = String::with_capacity(1024);
        let (before, after) = (self.before, self.after);
        let sorted = |text: Option<&str>, out: &mut String| match text {
            Some(text) => sort_text(text, out),
            None => {
                out.push_str("null");
                Ok(())
            }
        };
        write_canonical(self, &mut out, |out| sorted(after, out), |out| sorted(before, out))?;
        Ok(Sha256::digest(out).into())
    }
}

/// The SHA-256 of the canonical form of an event.
pub fn content_hash(event: &event::Model) -> Hash {
    Sha256::digest(canonical(event)).into()
}

/// The hash of a block whose events have these hashes, and that follows the block with the hash `previous`: the SHA-256, in lower-case
/// hexadecimal, over `previous` and, for each event, a line feed and its hash in lower-case hexadecimal.
pub fn block_hash(previous: &str, events: impl IntoIterator<Item = Hash>) -> String {
    let mut hash = Sha256::new();
    hash.update(previous);
    let mut line = [b'\n'; 65];
    for event in events {
        // The rest of the line has exactly the length of a hash in hexadecimal.
        let _ = hex::encode_to_slice(event, &mut line[1..]);
        hash.update(line);
    }
    hex::encode(hash.finalize())
}

/// The hash of a block as it was made before events had hashes of their own: of one event, whose canonical form stands in the place of
/// its hash.
pub fn early_block_hash(previous: &str, event: &event::Model) -> String {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update("\n");
    hash.update(canonical(event));
    hex::encode(hash.finalize())
}

/// An event as one JSON text: the members of every object in the order of their names, without white space, and instants in whole
/// microseconds since 1970.
pub fn canonical(event: &event::Model) -> String {
    let mut out = String::with_capacity(1024);
    let value = |value: &Option<Value>, out: &mut String| {
        write_sorted(value.as_ref().unwrap_or(&Value::Null), out);
        Ok::<(), std::convert::Infallible>(())
    };
    let Ok(()) =
        write_canonical(&apart_from_json(event), &mut out, |out| value(&event.after, out), |out| value(&event.before, out));
    out
}

/// The content of a stored event without what was before and after, which is no text there.
fn apart_from_json(event: &event::Model) -> Content<'_> {
    Content {
        id: event.id,
        at: event.at,
        resource: &event.resource,
        key: &event.key,
        action: &event.action,
        version: event.version,
        actor_kind: &event.actor_kind,
        actor_id: &event.actor_id,
        request_id: event.request_id.as_deref(),
        address: event.address.as_deref(),
        before: None,
        after: None,
    }
}

/// Writes the canonical form, with what writes the members `after` and `before`.
fn write_canonical<E>(
    content: &Content<'_>,
    out: &mut String,
    after: impl FnOnce(&mut String) -> Result<(), E>,
    before: impl FnOnce(&mut String) -> Result<(), E>,
) -> Result<(), E> {
    let text = |name: &str, text: Option<&str>, out: &mut String| {
        out.push_str(name);
        match text {
            Some(text) => write_text(text, out),
            None => out.push_str("null"),
        }
    };
    text("{\"action\":", Some(content.action), out);
    text(",\"actor_id\":", Some(content.actor_id), out);
    text(",\"actor_kind\":", Some(content.actor_kind), out);
    text(",\"address\":", content.address, out);
    out.push_str(",\"after\":");
    after(out)?;
    // Writing to memory does not fail, here and below.
    let _ = write!(out, ",\"at\":{},\"before\":", content.at.timestamp_micros());
    before(out)?;
    let _ = write!(out, ",\"id\":\"{}\"", content.id);
    text(",\"key\":", Some(content.key), out);
    text(",\"request_id\":", content.request_id, out);
    text(",\"resource\":", Some(content.resource), out);
    let _ = write!(out, ",\"version\":{}}}", content.version);
    Ok(())
}

/// Writes JSON text with the members of objects in the order of their names. Only what is nested is looked into: numbers and texts are
/// written by the same library that writes them in [`write_sorted`].
fn sort_text(text: &str, out: &mut String) -> serde_json::Result<()> {
    match text.as_bytes().first() {
        Some(b'{') => {
            let Members(mut members) = serde_json::from_str(text)?;
            members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            out.push('{');
            for (place, (Name(name), member)) in members.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_text(&name, out);
                out.push(':');
                sort_text(member.get(), out)?;
            }
            out.push('}');
        }
        Some(b'[') => {
            out.push('[');
            for (place, item) in serde_json::from_str::<Vec<&RawValue>>(text)?.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                sort_text(item.get(), out)?;
            }
            out.push(']');
        }
        _ => out.push_str(text),
    }
    Ok(())
}

/// The members of an object, in the order of the text.
struct Members<'a>(Vec<(Name<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReadMembers)
    }
}

struct ReadMembers;

impl<'de> Visitor<'de> for ReadMembers {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(32);
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// The name of a member, borrowed from the text where it has no escapes.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Writes a value with the members of objects in the order of their names: databases keep them in an order of their own.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members = members.iter().collect::<Vec<_>>();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (place, (name, member)) in members.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_text(name, out);
                out.push(':');
                write_sorted(member, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_sorted(item, out);
            }
            out.push(']');
        }
        Value::String(text) => write_text(text, out),
        plain => {
            // Writing to memory does not fail.
            let _ = write!(out, "{plain}");
        }
    }
}

/// Writes a text with exactly the escapes that JSON demands.
fn write_text(text: &str, out: &mut String) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        let _ = write!(out, "{}", Value::from(text));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    /// The canonical form as its definition reads.
    fn by_definition(event: &event::Model) -> String {
        fn sorted(value: Value) -> Value {
            match value {
                Value::Object(members) => {
                    let mut members = members.into_iter().map(|(name, member)| (name, sorted(member))).collect::<Vec<_>>();
                    members.sort_by(|(one, _), (other, _)| one.cmp(other));
                    Value::Object(Map::from_iter(members))
                }
                Value::Array(items) => items.into_iter().map(sorted).collect(),
                other => other,
            }
        }
        let members = json!({
            "action": event.action, "actor_id": event.actor_id, "actor_kind": event.actor_kind, "address": event.address,
            "after": event.after, "at": event.at.timestamp_micros(), "before": event.before, "id": event.id, "key": event.key,
            "request_id": event.request_id, "resource": event.resource, "version": event.version,
        });
        sorted(members).to_string()
    }

    /// The hash of an event as its writer makes it, who has JSON text.
    fn written(event: &event::Model) -> Hash {
        let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
        let (before, after) = (text(&event.before), text(&event.after));
        let content = Content { before: before.as_deref(), after: after.as_deref(), ..apart_from_json(event) };
        content.hash().unwrap()
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_event_has_the_form_of_the_definition(before in json_value(), after in json_value(), text in any::<String>()) {
            let event = event::Model {
                before: Some(before), after: Some(after), key: text.clone(), actor_id: text.clone(), request_id: Some(text), ..event()
            };
            prop_assert_eq!(canonical(&event), by_definition(&event));
            prop_assert_eq!(written(&event), content_hash(&event));
        }
    }

    fn event() -> event::Model {
        event::Model {
            seq: 7,
            id: "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11".parse().unwrap(),
            at: "2022-10-04T01:00:00Z".parse().unwrap(),
            resource: "programme".into(),
            key: "SG-09".into(),
            action: "updated".into(),
            version: 2,
            actor_kind: "user".into(),
            actor_id: "admin@demo.invalid".into(),
            request_id: None,
            address: Some("127.0.0.1".into()),
            before: Some(json!({ "name": "Lama", "regions": [], "code": "SG-09" })),
            after: Some(json!({ "code": "SG-09", "name": "Baru \"é\"", "regions": [{ "b": 1, "a": null }] })),
            content_hash: None,
            first_event: None,
            events: 1,
            batch: None,
        }
    }

    #[test]
    fn the_canonical_form_is_the_documented_one() {
        assert_eq!(
            canonical(&event()),
            r#"{"action":"updated","actor_id":"admin@demo.invalid","actor_kind":"user","address":"127.0.0.1","after":{"code":"SG-09","name":"Baru \"é\"","regions":[{"a":null,"b":1}]},"at":1664845200000000,"before":{"code":"SG-09","name":"Lama","regions":[]},"id":"01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11","key":"SG-09","request_id":null,"resource":"programme","version":2}"#
        );
        let by_hand = |text: String| hex::encode(Sha256::digest(text));
        let (text, next) = (canonical(&event()), event::Model { version: 3, ..event() });
        assert_eq!(hex::encode(content_hash(&event())), by_hand(text.clone()));
        assert_eq!(early_block_hash(BEGINNING, &event()), by_hand(format!("{BEGINNING}\n{text}")));
        let (one, other) = (by_hand(text), by_hand(canonical(&next)));
        let hashes = [content_hash(&event()), content_hash(&next)];
        assert_eq!(block_hash(BEGINNING, hashes), by_hand(format!("{BEGINNING}\n{one}\n{other}")));
        assert_ne!(block_hash(BEGINNING, hashes), block_hash(BEGINNING, [hashes[1], hashes[0]]));
    }

    #[test]
    fn every_member_counts_but_the_number_of_the_row() {
        let first = content_hash(&event());
        let changes: [fn(&mut event::Model); 12] = [
            |event| event.id = uuid(),
            |event| event.at += chrono::Duration::microseconds(1),
            |event| event.resource.push('s'),
            |event| event.key.push('0'),
            |event| event.action = "deleted".into(),
            |event| event.version = 3,
            |event| event.actor_kind = "client".into(),
            |event| event.actor_id.push('x'),
            |event| event.request_id = Some(String::new()),
            |event| event.address = None,
            |event| event.before = None,
            |event| event.after.as_mut().unwrap()["name"] = json!("Baru"),
        ];
        for (index, transaction) in changes.into_iter().enumerate() {
            let mut changed = event();
            transaction(&mut changed);
            assert_ne!(content_hash(&changed), first, "change {index}");
        }
        let moved = event::Model { seq: 8, content_hash: Some(vec![0]), ..event() };
        assert_eq!(content_hash(&moved), first);
    }

    fn uuid() -> uuid::Uuid {
        uuid::Uuid::from_u128(1)
    }
}
