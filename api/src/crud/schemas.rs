//! The schemas of a kind, all derived from its one struct: as shown, to create, to replace, to patch, and as the public sees it.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::hiding::keep_public;
use super::references::expandable as expandable_members;
use super::writes::Described;
use crate::http::schema;
use crate::store::kind::{ETAG, Key, Kind, Scope};

/// The schema of a code.
pub fn code_schema() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 64, "pattern": entity::value::code::Code::PATTERN, "description": "The identifier. It never changes." })
}

/// The schemas of the members of a struct that clients only read, by name.
pub fn properties<T: ToSchema>() -> Map<String, Value> {
    let mut own = schema::components::<T>().remove(T::name().as_ref()).unwrap_or_default();
    let mut properties = match own["properties"].take() {
        Value::Object(properties) => properties,
        _ => Map::new(),
    };
    properties.values_mut().for_each(|property| property["readOnly"] = json!(true));
    properties
}

/// The names of a kind's schemas.
impl Described {
    /// As shown with `fields=`.
    pub fn selection_name(&self) -> String {
        format!("{}Selection", self.name)
    }

    /// To create.
    pub fn new_name(&self) -> String {
        format!("New{}", self.name)
    }

    /// To replace.
    pub fn replacement_name(&self) -> String {
        format!("{}Replacement", self.name)
    }

    /// To patch.
    pub fn patch_name(&self) -> String {
        format!("{}Patch", self.name)
    }

    /// A page of a list.
    pub fn page_name(&self) -> String {
        format!("{}Page", self.name)
    }

    /// As the public sees it.
    pub fn public_name(&self) -> String {
        format!("Public{}", self.name)
    }
}

/// The schemas themselves.
impl Described {
    /// The members that say where one stands: its key, and its parent if it is a part.
    fn place(&self) -> Map<String, Value> {
        let key = match self.kind.key {
            Key::Code => code_schema(),
            Key::Id => {
                json!({ "type": "string", "format": "uuid", "maxLength": 36, "readOnly": true, "description": "The identifier, a UUIDv7. It never changes." })
            }
        };
        let mut place = Map::from_iter([(self.kind.key.name().to_owned(), key)]);
        if let Some(parent) = self.kind.parent {
            let mut code = code_schema();
            code["description"] = json!(format!("The {} that it is a part of.", parent.kind.names.spoken));
            code["readOnly"] = json!(true);
            place.insert(parent.member.to_owned(), code);
        }
        place
    }

    /// The example as a client sends it: without what only the service writes.
    pub fn given(&self) -> Value {
        let mut given = self.example.clone();
        if let Some(members) = given.as_object_mut() {
            let kind = self.kind;
            let is_read = |name: &str| {
                let mut read = kind.read_only().iter().chain(kind.computed());
                let is_key = kind.key == Key::Id && name == kind.key.name();
                is_key || kind.parent.is_some_and(|parent| parent.member == name) || read.any(|member| member.name == name)
            };
            members.retain(|name, _| !is_read(name));
        }
        given
    }

    /// The example as answers show it.
    pub fn shown_example(&self) -> Value {
        let stamp = json!({
            "version": 1, "etag": "\"1-5ea2bd2b24c80\"", "created_at": "2022-10-04T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
        });
        let sources = [&self.example_written, &self.example, &self.of_new, &stamp];
        let members = self.kind.members().into_iter().filter_map(|member| {
            let value = sources.iter().find_map(|source| source.get(member.name));
            Some((member.name.to_owned(), value?.clone()))
        });
        Value::Object(members.collect())
    }

    /// The example as the public sees it.
    pub fn public_example(&self) -> Value {
        let mut shown = self.shown_example();
        if let Some(members) = shown.as_object_mut() {
            for member in self.kind.members() {
                match members.get_mut(member.name) {
                    Some(value) if member.is_public => keep_public(&member, value),
                    _ => {
                        members.remove(member.name);
                    }
                }
            }
        }
        shown
    }

    /// What a client sends to create one.
    pub fn creation(&self) -> Value {
        if self.kind.key == Key::Id {
            return self.input.clone();
        }
        let mut schema = self.replacement();
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.insert(0, json!("code"));
        } else {
            schema["required"] = json!(["code"]);
        }
        schema
    }

    /// What a client sends to replace one; a code may be left out, as the path has it.
    pub fn replacement(&self) -> Value {
        let mut schema = self.input.clone();
        let mut properties = Map::new();
        if self.kind.key == Key::Code {
            properties.insert("code".to_owned(), code_schema());
        }
        if let Some(own) = schema.get("properties").and_then(Value::as_object) {
            properties.extend(own.clone());
        }
        label(self.kind, &mut properties);
        schema["properties"] = Value::Object(properties);
        schema
    }

    /// What a client sends to change some members (RFC 7396): null removes a member that need not be there.
    pub fn patch(&self) -> Value {
        let mut schema = self.replacement();
        loosen(&mut schema);
        schema
    }

    /// A row as answers show it. Where a reference can be expanded, the referred resource may stand in its place.
    pub fn shown(&self) -> Map<String, Value> {
        let mut properties = self.plain();
        self.expand(&mut properties, Scope::All, |to| to.names.schema.to_owned());
        let required = properties.keys().cloned().collect::<Vec<_>>();
        let mut schemas = self.components.clone();
        let about = schemas.remove(&self.name).and_then(|own| own.get("description").cloned()).unwrap_or_default();
        schemas.extend(self.more.clone());
        let selection = json!({
            "type": "object", "properties": properties, "additionalProperties": false,
            "description": "The members picked with `fields=`, and no others.",
        });
        let full = json!({ "type": "object", "description": about, "properties": properties, "required": required, "additionalProperties": false });
        schemas.insert(self.name.clone(), full);
        schemas.insert(self.selection_name(), selection);
        schemas
    }

    /// What the public sees of one, and the schemas it refers to.
    pub fn public(&self) -> Map<String, Value> {
        let mut properties = self.plain();
        for member in self.kind.members() {
            if !member.is_public {
                properties.remove(member.name);
            } else if let Some(names) = member.public_entries {
                let entry = &mut properties[member.name]["items"];
                let name = entry["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()).map(str::to_owned);
                if let Some(whole) = name.and_then(|name| self.more.get(&name).or_else(|| self.components.get(&name))) {
                    *entry = whole.clone();
                }
                if let Some(properties) = entry["properties"].as_object_mut() {
                    properties.retain(|name, _| names.contains(&name.as_str()));
                }
                entry["required"] = json!(names);
            }
        }
        self.expand(&mut properties, Scope::Published, |to| format!("Public{}", to.names.schema));
        let required = properties.keys().cloned().collect::<Vec<_>>();
        let mut schemas = self.components.clone();
        let about = schemas.remove(&self.name).and_then(|own| own["description"].as_str().map(str::to_owned)).unwrap_or_default();
        schemas.extend(self.more.clone());
        let about = format!("What the public sees. {about}");
        let selection = json!({
            "type": "object", "properties": properties, "additionalProperties": false,
            "description": "The members picked with `fields=`, and no others.",
        });
        schemas.insert(format!("{}Selection", self.public_name()), selection);
        let own = json!({ "type": "object", "description": about, "properties": properties, "required": required, "additionalProperties": false });
        schemas.insert(self.public_name(), own);
        schemas
    }

    /// Lets the referred resource stand in the place of each reference that can be expanded.
    fn expand(&self, properties: &mut Map<String, Value>, scope: Scope, schema: impl Fn(&Kind) -> String) {
        for (member, to) in expandable_members(self.kind, scope) {
            let Some(property) = properties.get_mut(member.name) else { continue };
            let expanded = json!({ "$ref": format!("#/components/schemas/{}", schema(to)) });
            let is_list = property.get("items").is_some();
            if let Some(place) = if is_list { property.get_mut("items") } else { Some(property) } {
                *place = expandable(place.take(), expanded);
            }
        }
    }

    /// The members as answers show them, each reference as its code.
    pub(super) fn plain(&self) -> Map<String, Value> {
        let mut properties = self.place();
        let own = self.components.get(&self.name).and_then(|own| own["properties"].as_object());
        properties.extend(own.cloned().unwrap_or_default());
        properties.extend(self.read_only.clone());
        properties.extend(self.computed.clone());
        properties.extend(stamp_schema());
        properties.insert(ETAG.name.to_owned(), etag_schema());
        label(self.kind, &mut properties);
        properties
    }
}

/// Adds to the schemas of members what they are called, and what they say in Indonesian.
fn label(kind: &Kind, properties: &mut Map<String, Value>) {
    for member in kind.members() {
        if let Some(property) = properties.get_mut(member.name).and_then(Value::as_object_mut) {
            property.insert("x-label".into(), json!({ "en": member.label.en, "id": member.label.id }));
            property.insert("x-description-id".into(), json!(member.about_id));
        }
    }
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

fn expandable(plain: Value, expanded: Value) -> Value {
    let nullable = plain["type"].as_array().is_some_and(|types| types.contains(&json!("null"))) || plain.get("oneOf").is_some();
    let options = plain["oneOf"].as_array().into_iter().flatten();
    let beside = |name: &str| [&plain].into_iter().chain(options.clone()).find_map(|place| place.get(name)).cloned();
    let mut alternatives = vec![code_schema(), expanded];
    if nullable {
        alternatives.push(json!({ "type": "null" }));
    }
    let mut schema = json!({ "anyOf": alternatives });
    for name in ["description", "x-label", "x-description-id"] {
        if let Some(value) = beside(name) {
            schema[name] = value;
        }
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
            json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": i32::MAX, "readOnly": true, "description": "How often it was written, counted from 1." }),
        ),
        ("created_at".to_owned(), instant("When it was created.")),
        ("updated_at".to_owned(), instant("When it was last written.")),
    ])
}

/// The entity tag, as answers show it.
pub fn etag_schema() -> Value {
    json!({
        "type": "string", "minLength": 3, "maxLength": 128, "readOnly": true, "example": "\"1-5ea2bd2b24c80\"",
        "description": "The entity tag: what `If-Match` takes to change this.",
    })
}

/// A page of rows with this schema.
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
