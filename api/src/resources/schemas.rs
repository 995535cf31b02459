//! The schemas of a resource, all derived from its one wire type: as shown, to create, to replace, to patch.

use std::any::TypeId;

use serde_json::{Map, Value, json};

use super::resource::{Key, Resource};
use crate::http::problem::FieldError;
use crate::http::{body, schema};

/// The names of a resource's schemas.
pub struct SchemaNames {
    /// As shown.
    pub shown: String,
    /// As shown with `fields=`.
    pub selection: String,
    /// To create.
    pub new: String,
    /// To replace.
    pub replacement: String,
    /// To patch.
    pub patch: String,
    /// A page of a list.
    pub page: String,
}

/// The names of the schemas of `R`.
pub fn names<R: Resource>() -> SchemaNames {
    let name = R::name();
    SchemaNames {
        shown: name.to_string(),
        selection: format!("{name}Selection"),
        new: format!("New{name}"),
        replacement: format!("{name}Replacement"),
        patch: format!("{name}Patch"),
        page: format!("{name}Page"),
    }
}

/// The schema of a code.
pub fn code_schema() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 64, "pattern": entity::value::code::Code::PATTERN, "description": "The identifier. It never changes." })
}

/// The schema of what identifies an `R`.
fn key_schema<R: Resource>() -> Value {
    match R::KEY {
        Key::Code => code_schema(),
        Key::Id => {
            json!({ "type": "string", "format": "uuid", "maxLength": 36, "readOnly": true, "description": "The identifier, a UUIDv7. It never changes." })
        }
    }
}

/// The members that say where an `R` stands: its key, and its parent if it is a part.
fn place_schema<R: Resource>() -> Map<String, Value> {
    let mut place = Map::from_iter([(R::KEY.name().to_owned(), key_schema::<R>())]);
    if let Some(parent) = R::PARENT {
        let mut code = code_schema();
        code["description"] = json!(format!("The {} that it is a part of.", parent.member));
        code["readOnly"] = json!(true);
        place.insert(parent.member.to_owned(), code);
    }
    place
}

/// The example as a client sends it: without what only the service writes.
pub fn given<R: Resource>() -> Value {
    let mut given = R::example();
    if let Some(members) = given.as_object_mut() {
        let own = R::KEY == Key::Code;
        members.retain(|name, _| own || name != R::KEY.name());
        let read_only = R::read_only(None);
        members.retain(|name, _| !read_only.contains_key(name));
        members.retain(|name, _| R::PARENT.is_none_or(|parent| parent.member != name) && !R::COMPUTED.contains(&name.as_str()));
    }
    given
}

/// What a client sends to create.
pub fn new<R: Resource>() -> Value {
    if R::KEY == Key::Id {
        return schema::input::<R>();
    }
    let mut schema = replacement::<R>();
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.insert(0, json!("code"));
    } else {
        schema["required"] = json!(["code"]);
    }
    schema
}

/// What a client sends to replace; a code may be left out, as the path has it.
pub fn replacement<R: Resource>() -> Value {
    let mut schema = schema::input::<R>();
    let mut properties = Map::new();
    if R::KEY == Key::Code {
        properties.insert("code".to_owned(), code_schema());
    }
    if let Some(own) = schema.get("properties").and_then(Value::as_object) {
        properties.extend(own.clone());
    }
    schema["properties"] = Value::Object(properties);
    schema
}

/// What a client sends to change some members (RFC 7396): null removes a member that need not be there.
pub fn patch<R: Resource>() -> Value {
    let mut schema = replacement::<R>();
    loosen(&mut schema);
    schema
}

fn loosen(schema: &mut Value) {
    let required = schema.as_object_mut().and_then(|object| object.remove("required")).unwrap_or_default();
    let is_required = |name: &str| required.as_array().is_some_and(|names| names.iter().any(|known| known == name));
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        loosen(property);
        if let Some(object) = property.as_object_mut()
            && !is_required(name)
            && name != "code"
        {
            schema::nullable(object);
        }
    }
}

/// A row as answers show it. Where a reference can be expanded, the referred resource may stand in its place.
pub fn shown<R: Resource>() -> Map<String, Value> {
    let mut schemas = schema::components::<R>();
    let own = schemas.remove(R::name().as_ref()).unwrap_or_default();
    let mut properties = place_schema::<R>();
    if let Some(members) = own.get("properties").and_then(Value::as_object) {
        properties.extend(members.clone());
    }
    for reference in R::REFERENCES {
        if let Some(property) = properties.get_mut(reference.member) {
            let expanded = json!({ "$ref": format!("#/components/schemas/{}", reference.to.schema()) });
            let place = if reference.many { property.get_mut("items") } else { Some(property) };
            if let Some(place) = place {
                *place = expandable(place.take(), expanded);
            }
        }
    }
    properties.extend(R::read_only_schema());
    properties.extend(stamp_schema());
    let required = properties.keys().cloned().collect::<Vec<_>>();
    let about = own.get("description").cloned().unwrap_or_default();
    let names = names::<R>();
    let selection = json!({
        "type": "object", "properties": properties, "additionalProperties": false,
        "description": "The members picked with `fields=`, and no others.",
    });
    let full = json!({ "type": "object", "description": about, "properties": properties, "required": required, "additionalProperties": false });
    schemas.insert(names.shown, full);
    schemas.insert(names.selection, selection);
    schemas
}

fn expandable(plain: Value, expanded: Value) -> Value {
    let nullable = plain["type"].as_array().is_some_and(|types| types.contains(&json!("null"))) || plain.get("oneOf").is_some();
    let options = plain["oneOf"].as_array().into_iter().flatten();
    let description = [&plain].into_iter().chain(options).find_map(|place| place.get("description")).cloned();
    let mut options = vec![code_schema(), expanded];
    if nullable {
        options.push(json!({ "type": "null" }));
    }
    let mut schema = json!({ "anyOf": options });
    if let Some(description) = description {
        schema["description"] = description;
    }
    schema
}

/// The members that every row carries.
pub fn stamp_schema() -> Map<String, Value> {
    let instant =
        |about: &str| json!({ "type": "string", "format": "date-time", "maxLength": 35, "readOnly": true, "description": about });
    Map::from_iter([
        (
            "version".to_owned(),
            json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": i32::MAX, "readOnly": true, "description": "Counts the writes." }),
        ),
        ("created_at".to_owned(), instant("When it was made.")),
        ("updated_at".to_owned(), instant("When it was last written.")),
    ])
}

/// A page of things with the schema called `name`.
pub fn page(item: Value) -> Value {
    json!({
        "type": "object", "required": ["data", "page"], "additionalProperties": false,
        "properties": {
            "data": { "type": "array", "maxItems": 200, "items": item, "description": "The rows of this page." },
            "page": {
                "type": "object", "required": ["next_cursor", "limit"], "additionalProperties": false,
                "properties": {
                    "next_cursor": { "type": ["string", "null"], "maxLength": 4096, "pattern": "^[A-Za-z0-9_-]*$", "description": "Send it as `cursor` to get the next page; null on the last." },
                    "limit": { "type": "integer", "format": "int32", "minimum": 1, "maximum": 200, "description": "The page size." },
                    "total": { "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX, "description": "Rows of the whole list; only with `count=true`." },
                },
            },
        },
    })
}

/// Every field error of a body that creates an `R`.
pub fn field_errors_of_new<R: Resource>(value: &Value) -> Vec<FieldError> {
    body::field_errors_of(value, &body::cached(TypeId::of::<(R, &str)>(), new::<R>))
}

/// Every field error of a whole `R` that may leave out its code.
pub fn field_errors_of_replacement<R: Resource>(value: &Value) -> Vec<FieldError> {
    body::field_errors_of(value, &body::cached(TypeId::of::<(R, ())>(), replacement::<R>))
}
