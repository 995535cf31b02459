//! The types of events, for the document: one schema for each kind of thing that the feed tells of, told apart by `resource`.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::wire_types::{Place, PublicEvent};
use crate::crud::recorded::{self, action_label, labelled};
use crate::http::schema;
use crate::http::schema::reference;
use crate::kinds;
use crate::store::kind::{Audited, Recorded};

/// The schema of an event for those who log in.
pub const FEED_EVENT: &str = "FeedEvent";
/// The schema of an event for the public.
pub const PUBLIC_EVENT: &str = "PublicEvent";
/// The names of the frames of a stream.
pub const EVENT_TYPE: &str = "EventType";
/// The names of the frames of a public stream.
pub const PUBLIC_EVENT_TYPE: &str = "PublicEventType";
/// The types of the messages of webhooks.
pub const WEBHOOK_EVENT_TYPE: &str = "WebhookEventType";

/// Something that the public feed tells of.
struct Public {
    of: &'static Audited,
    recorded: Recorded,
    /// What the public sees of it.
    members: Map<String, Value>,
    /// What happens to it, as the public sees it.
    actions: Vec<&'static str>,
}

/// What the public feed tells of.
fn public() -> impl Iterator<Item = Public> {
    kinds::fed().filter_map(|of| {
        let mut recorded = (of.recorded)();
        let of_part = || {
            let part = of.public_part?;
            let picked = part.members.iter().filter_map(|name| recorded.members.get_key_value(*name));
            Some(picked.map(|(name, schema)| (name.clone(), schema.clone())).collect())
        };
        let members = recorded.public.take().or_else(of_part)?;
        // What the public sees for the first time is published to it, and what it sees no longer is withdrawn from it.
        let others = of.actions.iter().copied().filter(|action| !["created", "deleted"].contains(action));
        Some(Public { of, members, actions: ["published", "withdrawn"].into_iter().chain(others).collect(), recorded })
    })
}

/// The schemas of events for those who log in.
pub fn feed() -> Map<String, Value> {
    let mut place = schema::components::<Place>();
    let place = place.remove(Place::name().as_ref()).unwrap_or_default();
    let mut schemas = Map::new();
    let mut kinds = Vec::new();
    for of in kinds::AUDITED.iter() {
        let (entry, others) = recorded::entry(of);
        let mut members = place["properties"].as_object().cloned().unwrap_or_default();
        members.extend(entry);
        let name = format!("{}Event", (of.recorded)().name);
        schemas.extend(others);
        schemas.insert(name.clone(), recorded::complete(members, &format!("A change of the {} in the feed.", of.noun.en)));
        kinds.push((of.name, name));
    }
    let about =
        "A change, at its position in the feed. `resource` tells what it is about, and with it the type of `before` and `after`.";
    schemas.insert(FEED_EVENT.to_owned(), one_of(&kinds, about));
    let about = "The name of a frame of `/v1/events/stream?names=true`: what the event is about, and what happened to it. Events that \
        concern accounts (`user`, `client`, `webhook`, `signing_key`) are sent only to those who manage accounts.";
    schemas.insert(EVENT_TYPE.to_owned(), types(kinds::AUDITED.iter().map(|of| (*of, of.actions.to_vec())), about));
    schemas
}

/// The schemas of events for the public.
pub fn public_feed() -> Map<String, Value> {
    let mut schemas = schema::components::<PublicEvent>();
    let event = schemas.remove(PublicEvent::name().as_ref()).unwrap_or_default();
    let template = event["properties"].as_object().cloned().unwrap_or_default();
    let described = |name: &str| template[name]["description"].as_str().unwrap_or_default().to_owned();
    let mut kinds = Vec::new();
    for Public { of, recorded, members, actions } in public() {
        let state_name = format!("Public{}Snapshot", recorded.name);
        let (action_name, action) = recorded::actions("Public", of, &actions);
        let mut event = template.clone();
        event.insert("resource".to_owned(), recorded::resource(of, &described("resource")));
        event.insert("action".to_owned(), reference(&action_name));
        event.insert("data".to_owned(), recorded::or_null(reference(&state_name), &described("data")));
        let about = format!("What the public feed shows of the {}.", of.noun.en);
        let name = format!("Public{}Event", recorded.name);
        schemas.extend(recorded.schemas);
        schemas.extend([
            (action_name, action),
            (state_name, recorded::whole(members, &about)),
            (name.clone(), recorded::complete(event, &format!("A change of the {} in the public feed.", of.noun.en))),
        ]);
        kinds.push((of.name, name));
    }
    let about = "A change of something published, at its position in the feed. `resource` tells what it is about, and with it the type \
        of `data`.";
    schemas.insert(PUBLIC_EVENT.to_owned(), one_of(&kinds, about));
    let about = "The name of a frame of `/v1/public/events/stream?names=true`: what the event is about, and what happened to it.";
    schemas.insert(PUBLIC_EVENT_TYPE.to_owned(), types(public().map(|told| (told.of, told.actions)), about));
    schemas
}

/// The types of the messages of webhooks: those of the feed that are not about accounts.
pub fn webhook_event_type() -> Value {
    types(kinds::fed().map(|of| (of, of.actions.to_vec())), "The type of an event: what it is about, and what happened to it.")
}

/// The events of all kinds, told apart by `resource`.
fn one_of(kinds: &[(&str, String)], about: &str) -> Value {
    let mapping = kinds.iter().map(|(resource, name)| ((*resource).to_owned(), reference(name)["$ref"].take()));
    let options = kinds.iter().map(|(_, name)| reference(name)).collect::<Vec<_>>();
    json!({
        "description": about, "oneOf": options,
        "discriminator": { "propertyName": "resource", "mapping": mapping.collect::<Map<_, _>>() },
    })
}

fn types(told: impl Iterator<Item = (&'static Audited, Vec<&'static str>)>, about: &str) -> Value {
    let words = told.flat_map(|(of, actions)| {
        actions.into_iter().map(|action| {
            let (en, id) = action_label(action);
            (format!("{}.{action}", of.name), (format!("{}: {en}", of.noun.en), format!("{}: {id}", of.noun.id)))
        })
    });
    labelled(words, about)
}

/// A programme that was changed, as the feed shows it.
pub fn feed_example() -> Value {
    let mut event = json!({ "position": 42, "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" });
    let entry = kinds::audited("programme").map(recorded::example).unwrap_or_default();
    if let (Some(event), Value::Object(entry)) = (event.as_object_mut(), entry) {
        event.extend(entry);
    }
    event
}

/// A programme that was changed, as the public feed shows it.
pub fn public_example() -> Value {
    let example = public().find(|told| told.of.name == "programme").map(|told| {
        let mut data = told.recorded.example;
        if let Some(data) = data.as_object_mut() {
            data.retain(|name, _| told.members.contains_key(name));
        }
        json!({
            "position": 42, "id": "01929e3c-89f0-7b12-8b1f-5a0c3d2e1f44", "at": "2022-10-04T01:00:00Z", "resource": "programme",
            "thing": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11", "key": data["code"], "action": "updated", "data": data,
        })
    });
    example.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn words(schema: &Value) -> BTreeSet<String> {
        schema["enum"].as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
    }

    #[test]
    fn webhooks_and_streams_have_the_same_types_but_for_accounts() {
        let (streams, webhooks) = (words(&feed()[EVENT_TYPE]), words(&webhook_event_type()));
        let accounts = streams.difference(&webhooks).filter_map(|word| word.split_once('.')).collect::<Vec<_>>();
        assert!(webhooks.is_subset(&streams) && !accounts.is_empty());
        assert!(
            accounts.iter().all(|(resource, _)| kinds::audited(resource).is_some_and(|of| of.is_about_accounts)),
            "{accounts:?}"
        );
    }

    #[test]
    fn the_public_is_told_of_nothing_but_what_it_sees() {
        let told = public().map(|told| told.of.name).collect::<BTreeSet<_>>();
        let seen = kinds::KINDS.iter().filter(|kind| kind.publication.is_some_and(|publication| publication.is_in_feed));
        let parts = kinds::fed().filter(|of| of.public_part.is_some()).map(|of| of.name);
        assert_eq!(told, seen.map(|kind| kind.names.one).chain(parts).collect());
        for told in public() {
            for hidden in ["email", "phone", "version", "reported_by"] {
                assert!(!told.members.contains_key(hidden), "{} shows {hidden}", told.of.name);
            }
        }
    }
}
