//! The chain of events: each hash covers an event and the previous hash, so that nothing can be altered, removed or moved without
//! making every later hash wrong. `docs/chain.md` defines the form, for those who want to verify it with another program.

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::event;

/// The hash before the first event.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash of an event that follows the event with the hash `previous`: the SHA-256, in lower-case hexadecimal, over `previous`,
/// a line feed and the canonical form of the event.
pub fn link(previous: &str, event: &event::Model) -> String {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update("\n");
    hash.update(canonical(event));
    hex::encode(hash.finalize())
}

/// An event as one JSON text: the members of every object in the order of their names, without white space, and instants in whole
/// microseconds since 1970.
pub fn canonical(event: &event::Model) -> String {
    let text = |text: &str| Value::from(text);
    let optional = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
    let mut out = String::with_capacity(1024);
    let mut member = |start: &str, value: &Value| {
        out.push_str(start);
        write_sorted(value, &mut out);
    };
    member("{\"action\":", &text(&event.action));
    member(",\"actor_id\":", &text(&event.actor_id));
    member(",\"actor_kind\":", &text(&event.actor_kind));
    member(",\"address\":", &optional(&event.address));
    member(",\"after\":", event.after.as_ref().unwrap_or(&Value::Null));
    member(",\"at\":", &event.at.timestamp_micros().into());
    member(",\"before\":", event.before.as_ref().unwrap_or(&Value::Null));
    member(",\"id\":", &event.id.to_string().into());
    member(",\"key\":", &text(&event.key));
    member(",\"request_id\":", &optional(&event.request_id));
    member(",\"resource\":", &text(&event.resource));
    member(",\"version\":", &event.version.into());
    out.push('}');
    out
}

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
        }
    }

    #[test]
    fn the_canonical_form_is_the_documented_one() {
        assert_eq!(
            canonical(&event()),
            r#"{"action":"updated","actor_id":"admin@demo.invalid","actor_kind":"user","address":"127.0.0.1","after":{"code":"SG-09","name":"Baru \"é\"","regions":[{"a":null,"b":1}]},"at":1664845200000000,"before":{"code":"SG-09","name":"Lama","regions":[]},"id":"01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11","key":"SG-09","request_id":null,"resource":"programme","version":2}"#
        );
        let by_hand = Sha256::digest(format!("{BEGINNING}\n{}", canonical(&event())));
        assert_eq!(link(BEGINNING, &event()), by_hand.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }

    #[test]
    fn every_member_counts_but_the_number_of_the_row() {
        let first = link(BEGINNING, &event());
        assert_ne!(first, link(&first, &event()));
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
            assert_ne!(link(BEGINNING, &changed), first, "change {index}");
        }
        let moved = event::Model { seq: 8, ..event() };
        assert_eq!(link(BEGINNING, &moved), first);
    }

    fn uuid() -> uuid::Uuid {
        uuid::Uuid::from_u128(1)
    }
}
