//! The schemas of what events show: resources before and after a change, and the actions.
//!
//! An event keeps the members that a resource had when it was recorded, so older events may lack members that were added later, and what
//! is computed is in none. No member of these schemas is therefore required.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::history::{self, Entry};
use super::parameters::page_parameters;
use super::schemas;
use super::writes::Described;
use crate::http::operation::Operation;
use crate::http::schema;
use crate::http::schema::reference;
use crate::store::kind::{Audited, ETAG, REPORTED, Recorded, Refers, USUAL};

/// What can happen to something, in English and in Indonesian.
const ACTIONS: &[(&str, &str, &str)] = &[
    ("closed", "closed", "ditutup"),
    ("created", "created", "dibuat"),
    ("deleted", "deleted", "dihapus"),
    ("disabled", "disabled", "dinonaktifkan"),
    ("followed_up", "followed up", "ditindaklanjuti"),
    ("imported", "imported", "diimpor"),
    ("invited", "invited to set a password", "diundang untuk menetapkan kata sandi"),
    ("password_changed", "password changed", "kata sandi diganti"),
    ("password_set", "password set", "kata sandi ditetapkan"),
    ("published", "published", "dipublikasikan"),
    ("recovery_codes_replaced", "recovery codes replaced", "kode pemulihan diganti"),
    ("returned", "returned", "dikembalikan"),
    ("revised", "corrected", "dikoreksi"),
    ("revoked", "revoked", "dicabut"),
    ("rotated", "secret replaced", "rahasia diganti"),
    ("submitted", "submitted", "diajukan"),
    ("totp_enabled", "one-time codes switched on", "kode sekali pakai diaktifkan"),
    ("totp_removed", "one-time codes switched off", "kode sekali pakai dinonaktifkan"),
    ("totp_reset", "one-time codes reset", "kode sekali pakai disetel ulang"),
    ("transitioned", "status changed", "status berubah"),
    ("updated", "changed", "diubah"),
    ("verified", "verified", "diverifikasi"),
    ("withdrawn", "withdrawn", "ditarik"),
];

/// What an action is called; the word itself where nothing is said of it, which a test forbids.
pub fn action_label(action: &str) -> (&str, &str) {
    let known = ACTIONS.iter().find(|(word, _, _)| *word == action);
    known.map_or((action, action), |(_, en, id)| (*en, *id))
}

/// An enum of words with their labels.
pub fn labelled(words: impl IntoIterator<Item = (String, (String, String))>, about: &str) -> Value {
    let words = words.into_iter().collect::<Vec<_>>();
    let labels = words.iter().map(|(word, (en, id))| (word.clone(), json!({ "en": en, "id": id })));
    let labels = labels.collect::<Map<_, _>>();
    let names = words.iter().map(|(word, _)| word).collect::<Vec<_>>();
    json!({ "type": "string", "enum": names, "description": about, "x-labels": labels })
}

/// The schema of what happens to something, with its name. What is alike for many kinds has one schema.
pub fn actions(prefix: &str, of: &Audited, words: &[&str]) -> (String, Value) {
    let (name, whom) = match of.actions {
        USUAL => ("Usual".to_owned(), "a resource".to_owned()),
        REPORTED => ("Report".to_owned(), "a report".to_owned()),
        _ => ((of.recorded)().name, format!("the {}", of.noun.en)),
    };
    let label = |word: &str| {
        let (en, id) = action_label(word);
        (en.to_owned(), id.to_owned())
    };
    let about = format!("What happened to {whom}.");
    let words = words.iter().map(|word| ((*word).to_owned(), label(word)));
    (format!("{prefix}{name}EventAction"), labelled(words, &about))
}

/// A schema, or null.
pub fn or_null(schema: Value, about: &str) -> Value {
    json!({ "oneOf": [schema, { "type": "null" }], "description": about })
}

impl Recorded {
    /// What answers of type `T` show, which `example` is one of.
    pub fn of<T: ToSchema>(example: Value) -> Self {
        let mut schemas = schema::components::<T>();
        let name = T::name().into_owned();
        let own = schemas.remove(&name).unwrap_or_default();
        let members = own["properties"].as_object().cloned().unwrap_or_default();
        Self { name, members, public: None, schemas, example }
    }

    /// The same under another name.
    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// Without a member that events do not show.
    pub fn without(mut self, name: &str) -> Self {
        self.members.remove(name);
        self
    }
}

impl Described {
    /// How events show one.
    pub fn recorded(&self) -> Recorded {
        let mut members = self.plain();
        // What follows from other members is in no event, and neither is the entity tag.
        members.retain(|name, _| name != ETAG.name && !self.kind.computed().iter().any(|member| member.name == name));
        let mut example = self.shown_example();
        if let Some(example) = example.as_object_mut() {
            example.retain(|name, _| members.contains_key(name));
        }
        let mut schemas = self.components.clone();
        schemas.remove(&self.name);
        schemas.extend(self.more.clone());
        let is_public = self.kind.publication.is_some_and(|publication| publication.is_in_feed);
        Recorded { name: self.name.clone(), public: is_public.then(|| self.public_members(&members)), members, schemas, example }
    }

    /// What the public feed shows. What refers to something hidden is null there.
    fn public_members(&self, members: &Map<String, Value>) -> Map<String, Value> {
        let mut public = self.public().remove(&self.public_name()).unwrap_or_default();
        let Some(public) = public["properties"].as_object_mut() else { return Map::new() };
        public.retain(|name, _| members.contains_key(name));
        for member in self.kind.members() {
            if let (Some(schema), false) = (public.get_mut(member.name), matches!(member.refers, Refers::Nothing)) {
                nullable(schema);
            }
        }
        std::mem::take(public)
    }
}

/// Lets a member be null.
fn nullable(schema: &mut Value) {
    let has_null = |options: &Value| options.as_array().is_some_and(|options| options.iter().any(|one| one["type"] == "null"));
    if has_null(&schema["oneOf"]) || has_null(&schema["anyOf"]) {
        return;
    }
    match schema.as_object_mut() {
        Some(object) if object.contains_key("type") => schema::nullable(object),
        Some(object) => {
            let beside = ["description", "x-label", "x-description-id"];
            let kept = beside.iter().filter_map(|name| object.remove_entry(*name)).collect::<Map<_, _>>();
            let mut schema_or_null = json!({ "oneOf": [object, { "type": "null" }] });
            if let Some(schema) = schema_or_null.as_object_mut() {
                schema.extend(kept);
            }
            *schema = schema_or_null;
        }
        None => {}
    }
}

/// Lets members that name people be null, at any depth, since those who only read do not see these. A schema that several places
/// refer to is copied into the place.
fn hide_people(schema: &mut Value, schemas: &Map<String, Value>) {
    let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    if let Some(target) = name.and_then(|name| schemas.get(name)).filter(|target| names_people(target, schemas)) {
        let mut copy = target.clone();
        copy[schema::NAMED] =
            json!({ "name": format!("{}Snapshot", name.unwrap_or_default()), "description": target["description"] });
        *schema = copy;
    }
    for options in ["oneOf", "anyOf"] {
        let options = schema.get_mut(options).and_then(Value::as_array_mut);
        options.into_iter().flatten().for_each(|option| hide_people(option, schemas));
    }
    if let Some(items) = schema.get_mut("items") {
        hide_people(items, schemas);
    }
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        members.iter_mut().for_each(|(name, member)| hide_in_member(name, member, schemas));
    }
}

fn hide_in_member(name: &str, member: &mut Value, schemas: &Map<String, Value>) {
    hide_people(member, schemas);
    if history::PEOPLE.contains(&name) {
        nullable(member);
    }
}

fn names_people(schema: &Value, schemas: &Map<String, Value>) -> bool {
    match schema {
        Value::Object(object) => object.iter().any(|(name, value)| match (name.as_str(), value) {
            ("properties", Value::Object(members)) => {
                members.iter().any(|(name, member)| history::PEOPLE.contains(&name.as_str()) || names_people(member, schemas))
            }
            ("$ref", Value::String(reference)) => {
                let target = reference.rsplit('/').next().and_then(|name| schemas.get(name));
                target.is_some_and(|target| names_people(target, schemas))
            }
            (_, value) => names_people(value, schemas),
        }),
        Value::Array(items) => items.iter().any(|item| names_people(item, schemas)),
        _ => false,
    }
}

/// The name of the schema of something as events show it.
pub fn recorded_name(recorded: &Recorded) -> String {
    format!("{}Snapshot", recorded.name)
}

/// The schema of something as events show it.
pub fn recorded_schema(of: &Audited, recorded: &Recorded) -> Value {
    let mut members = recorded.members.clone();
    members.iter_mut().for_each(|(name, member)| hide_in_member(name, member, &recorded.schemas));
    whole(members, &format!("What an event shows of the {}.", of.noun.en))
}

/// The schema of members, none of which is required.
pub fn whole(mut members: Map<String, Value>, about: &str) -> Value {
    for member in members.values_mut().filter_map(Value::as_object_mut) {
        // The schema of the whole resource has the labels.
        for beside in ["readOnly", "x-label", "x-description-id"] {
            member.remove(beside);
        }
    }
    let about = format!(
        "{about} It has the members of the time of the event: older events may lack members that were added later, and members that \
         are computed are in none."
    );
    json!({ "type": "object", "description": about, "properties": members })
}

/// The members of an entry of the history of something, or of the feed, with their schemas; and the schemas that those refer to.
pub fn entry(of: &Audited) -> (Map<String, Value>, Map<String, Value>) {
    let recorded = (of.recorded)();
    let mut schemas = schema::components::<Entry>();
    let own = schemas.remove(Entry::name().as_ref()).unwrap_or_default();
    let mut members = own["properties"].as_object().cloned().unwrap_or_default();
    let (action_name, action) = actions("", of, of.actions);
    let described =
        |name: &str, members: &Map<String, Value>| members[name]["description"].as_str().unwrap_or_default().to_owned();
    for (name, schema) in [("before", reference(&recorded_name(&recorded))), ("after", reference(&recorded_name(&recorded)))] {
        let about = described(name, &members);
        members.insert(name.to_owned(), or_null(schema, &about));
    }
    members.insert("resource".to_owned(), resource(of, &described("resource", &members)));
    members.insert("action".to_owned(), reference(&action_name));
    schemas.extend([(action_name, action), (recorded_name(&recorded), recorded_schema(of, &recorded))]);
    schemas.extend(recorded.schemas);
    (members, schemas)
}

/// The member that says what an event is about.
pub fn resource(of: &Audited, about: &str) -> Value {
    json!({ "type": "string", "const": of.name, "description": about })
}

/// An object of which all these members always come.
pub fn complete(members: Map<String, Value>, about: &str) -> Value {
    let required = members.keys().cloned().collect::<Vec<_>>();
    json!({ "type": "object", "description": about, "properties": members, "required": required, "additionalProperties": false })
}

/// Adds the parameters and the answer of the history of something.
pub fn describe_history(operation: Operation, of: &Audited) -> Operation {
    let (members, mut schemas) = entry(of);
    let name = format!("{}HistoryEntry", (of.recorded)().name);
    let page_name = format!("{name}Page");
    let entry = complete(members, &format!("A change of the {}.", of.noun.en));
    schemas.extend([(page_name.clone(), schemas::page(reference(&name))), (name, entry)]);
    let example = json!({ "data": [example(of)], "page": { "next_cursor": null, "limit": 50 } });
    page_parameters(operation, &["seq"], "seq").problems(&[404]).with_schemas(schemas).answers_schema(
        200,
        "One page of the history.",
        reference(&page_name),
        Some(example),
        &["Link"],
    )
}

/// An entry of the history of something, as an example.
pub fn example(of: &Audited) -> Value {
    let state = (of.recorded)().example;
    let action = if of.actions.contains(&"updated") { "updated" } else { "created" };
    let before = if action == "updated" { state.clone() } else { Value::Null };
    json!({
        "id": "01929e3c-89f0-7b12-8b1f-5a0c3d2e1f44", "at": "2022-10-04T01:00:00Z", "resource": of.name, "key": key_of(&state),
        "action": action, "version": 2, "actor": { "kind": "user", "id": "admin@demo.invalid" },
        "request_id": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11", "address": "203.0.113.7", "before": before, "after": state,
    })
}

/// The key of something like this example.
fn key_of(state: &Value) -> String {
    let text =
        |name: &str| state[name].as_str().map(str::to_owned).or_else(|| state[name].as_i64().map(|number| number.to_string()));
    let parts = [["kpi", "period"], ["action", "quarter"], ["programme", "region"], ["programme", "seq"]];
    let part = || parts.iter().find_map(|[of, part]| Some(format!("{}/{}", text(of)?, text(part)?)));
    ["code", "id", "kid"].iter().find_map(|name| text(name)).or_else(part).unwrap_or_default()
}
