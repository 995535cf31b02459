//! The schema of a row of a push: its key, and as many of the other members as change.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, RwLock};

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::csv::column::{self, Column};
use crate::http::schema::{input, nullable, rename_loosened};

/// The schema of a row, made from the schema of the whole resource and the schemas of the members of its key. Only the key is
/// required, and members that are not required may be null.
pub(super) fn of_row(mut whole: Value, key: Map<String, Value>, about: &str) -> Value {
    for name in needed(&whole) {
        if let Some(Value::String(description)) = whole["properties"][name.as_str()].get_mut("description") {
            description.push_str(" Required if nothing is stored for the key yet.");
        }
    }
    loosen(&mut whole);
    let mut properties = key.clone();
    let members = whole["properties"].as_object().cloned().unwrap_or_default();
    properties.extend(members.into_iter().filter(|(name, _)| !key.contains_key(name)));
    let about = format!("{about} Members that the row does not name stay as they are stored; null clears a member.");
    json!({
        "type": "object", "description": about, "required": key.keys().collect::<Vec<_>>(), "properties": properties,
        "additionalProperties": false,
    })
}

/// The members that a new resource must have.
pub(super) fn needed(whole: &Value) -> Vec<String> {
    let required = whole["required"].as_array().into_iter().flatten();
    required.filter_map(Value::as_str).filter(|name| *name != "code").map(str::to_owned).collect()
}

/// The members that a new `T` must have, found out once.
pub(super) fn needed_in<T: ToSchema + 'static>() -> Arc<[String]> {
    static NEEDED: LazyLock<RwLock<HashMap<TypeId, Arc<[String]>>>> = LazyLock::new(RwLock::default);
    let key = TypeId::of::<T>();
    if let Some(known) = NEEDED.read().ok().and_then(|needed| needed.get(&key).cloned()) {
        return known;
    }
    let names: Arc<[String]> = needed(&input::<T>()).into();
    if let Ok(mut needed) = NEEDED.write() {
        needed.insert(key, Arc::clone(&names));
    }
    names
}

fn loosen(schema: &mut Value) {
    let required = schema.as_object_mut().and_then(|object| object.remove("required")).unwrap_or_default();
    let is_required = |name: &str| required.as_array().is_some_and(|names| names.iter().any(|known| known == name));
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        loosen(property);
        let Some(object) = property.as_object_mut() else { continue };
        rename_loosened(object);
        object.remove("default");
        // A boolean has no third value, so null is not allowed.
        if !is_required(name) && object.get("type") != Some(&json!("boolean")) {
            nullable(object);
        }
    }
}

/// The columns that only the service writes, whatever the rows are about.
const STAMPS: [&str; 7] = ["version", "revision", "state", "since", "created_at", "updated_at", "etag"];

/// The columns of a CSV: those of the schema, members of its objects, and the other columns of an export, which are ignored.
pub(super) fn columns(row: &Value, exported: impl IntoIterator<Item = String>) -> Vec<Column> {
    let mut columns = column::of_schema(row);
    columns.extend(column::nested(row));
    for name in exported.into_iter().chain(STAMPS.map(str::to_owned)) {
        if columns.iter().all(|column| column.name != name) {
            columns.push(Column::ignored(&name));
        }
    }
    columns
}
