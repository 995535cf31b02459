//! The JSON Schemas of wire types, as utoipa derives them and as requests must have them.
//!
//! The document shows these, and the service checks bodies against the same: they cannot drift apart.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// What a text may hold where nothing narrower is said: everything but NUL, which no database text can hold.
pub const ANY_TEXT: &str = "^[^\\u0000]*$";
/// The same for a text that is not blank.
pub const NOT_BLANK: &str = r"^[^\u0000]*[^\s\u0000][^\u0000]*$";

/// In the schema of a request, what an object within it is called in the document: its name, and what it is.
pub const NAMED: &str = "x-named";

/// A reference to a schema of the document.
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schema of a text that is one of these words.
pub fn one_of<'a>(about: &str, words: impl Iterator<Item = &'a str>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).description(Some(about)).enum_values(Some(words)).into()
}

/// `T` and everything it refers to, by name, as answers have them: a member that may be null always comes.
pub fn components<T: ToSchema>() -> Map<String, Value> {
    let mut components = raw_components::<T>();
    components.values_mut().for_each(require_nullable);
    components
}

/// A member that is left out where there is none is not nullable: `#[schema(nullable = false)]`.
fn require_nullable(schema: &mut Value) {
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        require_nullable(part);
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let present =
        properties.iter().filter(|(_, property)| may_be_null(property)).map(|(name, _)| json!(name)).collect::<Vec<_>>();
    let mut required = schema["required"].as_array().cloned().unwrap_or_default();
    required.extend(present.into_iter().filter(|name| !required.contains(name)).collect::<Vec<_>>());
    if !required.is_empty() {
        schema["required"] = Value::Array(required);
    }
}

/// Whether a schema allows null.
fn may_be_null(schema: &Value) -> bool {
    let is_null = |option: &Value| option["type"] == "null";
    schema["type"].as_array().is_some_and(|types| types.contains(&json!("null")))
        || schema["oneOf"].as_array().is_some_and(|options| options.iter().any(is_null))
}

fn raw_components<T: ToSchema>() -> Map<String, Value> {
    let mut found = Vec::new();
    T::schemas(&mut found);
    found.push((T::name().into_owned(), T::schema()));
    found.into_iter().map(|(name, schema)| (name, json!(schema))).collect()
}

/// One of the words that a text can be.
pub struct Word {
    /// The word.
    pub word: String,
    /// What people call it in English.
    pub en: &'static str,
    /// What people call it in Indonesian.
    pub id: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// The schema of a text that is one of these words, each with a label for people in both languages.
pub fn words(about: &str, words: &[Word]) -> RefOr<Schema> {
    let meanings = words.iter().map(|word| format!("- `{}`: {}", word.word, word.about.trim())).collect::<Vec<_>>();
    let labels = words.iter().map(|word| (word.word.clone(), json!({ "en": word.en, "id": word.id })));
    let labels = labels.collect::<Map<_, _>>();
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(format!("{about}\n\n{}", meanings.join("\n"))))
        .enum_values(Some(words.iter().map(|word| word.word.clone())))
        .extensions(Some(ExtensionsBuilder::new().add("x-labels", labels).build()));
    schema.build().into()
}

/// The schema a request of type `T` must have: complete in itself, closed to unknown members.
pub fn input<T: ToSchema>() -> Value {
    let components = raw_components::<T>();
    let mut schema = components.get(T::name().as_ref()).cloned().unwrap_or_default();
    harden_input(&mut schema, &components);
    schema
}

/// Resolves references, closes objects and bounds texts, all the way down.
fn harden_input(schema: &mut Value, components: &Map<String, Value>) {
    resolve(schema, components);
    merge_nullable(schema, components);
    let Value::Object(object) = schema else { return };
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(|property| harden_input(property, components));
        object.entry("additionalProperties").or_insert(json!(false));
    }
    if let Some(items) = object.get_mut("items") {
        harden_input(items, components);
    }
    accept_numbers(object);
    bound_text(object);
}

fn resolve(schema: &mut Value, components: &Map<String, Value>) {
    let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return };
    let name = reference.rsplit('/').next().unwrap_or_default();
    let mut target = components.get(name).cloned().unwrap_or_default();
    if target.get("properties").is_some() {
        target[NAMED] = json!({ "name": format!("{name}Input"), "description": target["description"] });
    }
    if let (Some(target), Some(own)) = (target.as_object_mut(), schema.as_object()) {
        // What stands beside the reference is about this very place.
        target.extend(own.iter().filter(|(key, _)| *key != "$ref").map(|(key, value)| (key.clone(), value.clone())));
    }
    *schema = target;
    resolve(schema, components);
}

/// `oneOf [null, X]` becomes X that may be null, so that field errors inside X keep their pointers.
fn merge_nullable(schema: &mut Value, components: &Map<String, Value>) {
    let Some(options) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let (nulls, others): (Vec<_>, Vec<_>) = options.iter().cloned().partition(|option| option["type"] == "null");
    let ([_], [other]) = (nulls.as_slice(), others.as_slice()) else { return };
    let mut merged = other.clone();
    resolve(&mut merged, components);
    let Some(object) = merged.as_object_mut() else { return };
    nullable(object);
    if let Some(own) = schema.as_object() {
        object.extend(own.iter().filter(|(key, _)| *key != "oneOf").map(|(key, value)| (key.clone(), value.clone())));
    }
    *schema = merged;
}

/// Tells an object within a request of which not all has to be given from the whole one.
pub fn rename_loosened(object: &mut Map<String, Value>) {
    if let Some(Value::String(name)) = object.get_mut(NAMED).and_then(|named| named.get_mut("name"))
        && let Some(plain) = name.strip_suffix("Input")
    {
        *name = format!("{plain}Patch");
    }
}

/// Lets a schema hold null as well.
pub fn nullable(object: &mut Map<String, Value>) {
    match object.get_mut("type") {
        Some(Value::String(one)) => {
            let one = one.clone();
            object.insert("type".into(), json!([one, "null"]));
        }
        Some(Value::Array(several)) if !several.contains(&json!("null")) => several.push(json!("null")),
        _ => {}
    }
    if let Some(Value::Array(options)) = object.get_mut("enum")
        && !options.contains(&Value::Null)
    {
        options.push(Value::Null);
    }
}

/// A request may send a decimal as a JSON number as well.
fn accept_numbers(object: &mut Map<String, Value>) {
    if object.get("format") != Some(&json!("decimal")) {
        return;
    }
    let types = match object.get("type") {
        Some(Value::Array(types)) if types.contains(&json!("null")) => json!(["string", "number", "null"]),
        _ => json!(["string", "number"]),
    };
    object.insert("type".into(), types);
}

fn bound_text(object: &mut Map<String, Value>) {
    let is_text = match object.get("type") {
        Some(Value::String(one)) => one == "string",
        Some(Value::Array(types)) => types.contains(&json!("string")),
        _ => false,
    };
    let narrowed = ["pattern", "format", "enum", "const"].iter().any(|key| object.contains_key(*key));
    if is_text && !narrowed {
        object.insert("pattern".into(), json!(ANY_TEXT));
    }
}
