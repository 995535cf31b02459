//! The schemas of a kind, all derived from its one struct: as shown, to create, to replace, to patch, and as the public sees it.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::hiding::keep_public;
use super::references::expandable;
use super::writes::Described;
use crate::http::schema;
use crate::http::schema::reference;
use crate::store::kind::{ETAG, Key, Kind, Names, Scope};

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

    /// The example as the answer to its creation shows it.
    pub fn created_example(&self) -> Value {
        let mut created = self.shown_example();
        for (name, value) in self.computed_of_new.as_object().into_iter().flatten() {
            created[name] = value.clone();
        }
        created
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
        self.label(&mut properties);
        schema["properties"] = Value::Object(properties);
        schema
    }

    /// What a client sends to change some members (RFC 7396): null removes a member that need not be there.
    pub fn patch(&self) -> Value {
        let mut schema = self.replacement();
        loosen(&mut schema);
        schema
    }

    /// A row as answers show it: the whole, with codes for what it refers to. That `fields` picks some of the members and `expand` puts
    /// other rows in the place of their codes is told in prose, because a type that allowed both would tell readers little.
    pub fn shown(&self) -> Map<String, Value> {
        let mut properties = self.plain();
        self.tell_expansions(&mut properties, Scope::All);
        let required = properties.keys().cloned().collect::<Vec<_>>();
        let mut schemas = self.components.clone();
        let about = schemas.remove(&self.name).and_then(|own| own.get("description").cloned()).unwrap_or_default();
        schemas.extend(self.more.clone());
        let full = json!({ "type": "object", "description": about, "properties": properties, "required": required, "additionalProperties": false });
        schemas.insert(self.name.clone(), full);
        schemas
    }

    /// What the public sees of one, and the schemas it refers to.
    pub fn public(&self) -> Map<String, Value> {
        let (mut properties, mut entries) = (self.plain(), Map::new());
        for property in properties.values_mut() {
            if let Some(Value::String(name)) = property.get_mut("x-refers-to") {
                *name = format!("Public{name}");
            }
        }
        for member in self.kind.members() {
            if !member.is_public {
                properties.remove(member.name);
            } else if let Some(names) = member.public_entries {
                let item = &mut properties[member.name]["items"];
                let name =
                    item["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()).unwrap_or_default().to_owned();
                let whole = self.more.get(&name).or_else(|| self.components.get(&name));
                let mut entry = whole.cloned().unwrap_or_else(|| item.clone());
                if let Some(properties) = entry["properties"].as_object_mut() {
                    properties.retain(|name, _| names.contains(&name.as_str()));
                }
                entry["required"] = json!(names);
                *item = reference(&format!("Public{name}"));
                entries.insert(format!("Public{name}"), entry);
            }
        }
        self.tell_expansions(&mut properties, Scope::Published);
        let required = properties.keys().cloned().collect::<Vec<_>>();
        let mut schemas = self.components.clone();
        let about = schemas.remove(&self.name).and_then(|own| own["description"].as_str().map(str::to_owned)).unwrap_or_default();
        schemas.extend(self.more.clone());
        schemas.extend(entries);
        let about = format!("What the public sees. {about}");
        let own = json!({ "type": "object", "description": about, "properties": properties, "required": required, "additionalProperties": false });
        schemas.insert(self.public_name(), own);
        schemas
    }

    /// Tells of each reference that can be expanded what `expand` does to it.
    fn tell_expansions(&self, properties: &mut Map<String, Value>, scope: Scope) {
        for (member, to) in expandable(self.kind, scope) {
            if let Some(property) = properties.get_mut(member.name).and_then(Value::as_object_mut) {
                tell_expansion(property, member.name, to);
            }
        }
    }

    /// Adds to the schemas of members what they are called, what they say in Indonesian, and an example that fits them.
    fn label(&self, properties: &mut Map<String, Value>) {
        for member in self.kind.members() {
            let Some(property) = properties.get_mut(member.name).and_then(Value::as_object_mut) else { continue };
            property.insert("x-label".into(), json!({ "en": member.label.en, "id": member.label.id }));
            property.insert("x-description-id".into(), json!(member.about_id));
            if let Some(example) = self.example.get(member.name).filter(|example| !example.is_null() && !example.is_object()) {
                property.remove("example");
                property.insert("examples".into(), json!([example]));
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
        self.label(&mut properties);
        for (member, to) in self.kind.references() {
            if let Some(property) = properties.get_mut(member.name) {
                property["x-refers-to"] = json!(to.names.schema);
            }
        }
        properties
    }
}

fn loosen(schema: &mut Value) {
    let required = schema.as_object_mut().and_then(|object| object.remove("required")).unwrap_or_default();
    let is_required = |name: &str| required.as_array().is_some_and(|names| names.iter().any(|known| known == name));
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        loosen(property);
        let Some(object) = property.as_object_mut() else { continue };
        schema::rename_loosened(object);
        if !is_required(name) && name != "code" {
            schema::nullable(object);
        }
    }
}

/// Tells of a member that refers to a kind what `expand` does to it.
fn tell_expansion(property: &mut Map<String, Value>, name: &str, to: &Kind) {
    let Names { spoken, indonesian, .. } = to.names;
    let sentences = [
        ("description", format!("`expand={name}` puts the {spoken} in the place of its code.")),
        ("x-description-id", format!("`expand={name}` menampilkan {indonesian} itu sendiri sebagai pengganti kodenya.")),
    ];
    for (key, sentence) in sentences {
        let about = property.get(key).and_then(Value::as_str).unwrap_or_default();
        property.insert(key.to_owned(), json!(format!("{about} {sentence}").trim()));
    }
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
        "type": "object", "required": ["data", "page"], "additionalProperties": false, "description": "A page of a list.",
        "properties": {
            "data": { "type": "array", "maxItems": 200, "items": item, "description": "The rows of this page." },
            "page": reference("Page"),
        },
    })
}

/// What stands beside the rows of a page, in the schema `Page`.
pub fn beside_rows() -> Value {
    json!({
        "type": "object", "required": ["next_cursor", "limit"], "additionalProperties": false,
        "description": "Where a page of a list stands within the list.",
        "properties": {
            "next_cursor": { "type": ["string", "null"], "maxLength": 4096, "pattern": "^[A-Za-z0-9_-]*$", "description": "Send it as `cursor` to get the next page; null on the last." },
            "limit": { "type": "integer", "format": "int32", "minimum": 1, "maximum": 200, "description": "The page size." },
            "total": { "type": "integer", "format": "int32", "minimum": 0, "maximum": i32::MAX, "description": "Rows of the whole list; only with `count=true`." },
        },
    })
}
