//! Gives the document the shape from which generators make good types: every enum and every nested object is a component with a name,
//! what may be null is `oneOf` with null, and no number needs more than a plain integer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::words::{self, Enum};
use crate::http::schema::NAMED;

/// The largest integer that every JSON reader has exactly.
const LARGEST_EXACT: i64 = 9_007_199_254_740_991;
/// The parameters whose words are members.
const OF_MEMBERS: [(&str, &str); 3] = [("sort", "Sort"), ("fields", "Field"), ("expand", "Expansion")];

/// What stays beside a reference: it is about the very place.
const BESIDE: [&str; 7] = ["description", "x-label", "x-description-id", "x-refers-to", "readOnly", "example", "examples"];

/// Shapes a document whose parameters are not shared yet.
pub(super) fn shape(document: &mut Value) {
    name_words_of_members(document);
    let mut shaper = Shaper { enums: words::all(), components: BTreeMap::new() };
    let mut schemas = match document["components"]["schemas"].take() {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    };
    for schema in schemas.values_mut() {
        shaper.children(schema);
        if let Some(object) = schema.as_object_mut() {
            object.remove(NAMED);
            simplify(object);
        }
    }
    for place in ["paths", "webhooks", "components"] {
        shaper.children(&mut document[place]);
    }
    name_answers(document, &mut schemas);
    for Enum { name, schema } in shaper.enums {
        schemas.insert(name, schema);
    }
    for (name, schema) in shaper.components {
        let known = schemas.insert(name.clone(), schema.clone());
        assert!(known.is_none_or(|known| known == schema), "two schemas are called {name}");
    }
    schemas.sort_keys();
    document["components"]["schemas"] = Value::Object(schemas);
    tell_defaults(document);
    fill_examples(document);
}

/// Replaces what stands inline by references.
struct Shaper {
    enums: Vec<Enum>,
    /// The components that were made.
    components: BTreeMap<String, Value>,
}

impl Shaper {
    fn children(&mut self, value: &mut Value) {
        match value {
            Value::Object(object) => {
                for (key, member) in object.iter_mut() {
                    if !matches!(key.as_str(), "example" | "examples" | "default" | "enum") {
                        self.schema(member);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.schema(item)),
            _ => {}
        }
    }

    /// Shapes what may be a schema, its parts first.
    fn schema(&mut self, value: &mut Value) {
        self.children(value);
        let Some(object) = value.as_object_mut() else { return };
        simplify(object);
        if let Some(name) = self.known_enum(object) {
            *value = referring(object, &name);
        } else if let Some(named) = object.remove(NAMED) {
            let name = named["name"].as_str().unwrap_or_default().to_owned();
            let mut component = object.clone();
            component.retain(|key, _| !BESIDE.contains(&key.as_str()));
            component.insert("type".into(), json!("object"));
            component.insert("description".into(), named["description"].clone());
            let component = Value::Object(component);
            let known = self.components.insert(name.clone(), component.clone());
            assert!(known.is_none_or(|known| known == component), "two schemas are called {name}");
            if object.get("description") == Some(&named["description"]) {
                object.remove("description");
            }
            *value = referring(object, &name);
        }
    }

    /// The enum that has exactly these words.
    fn known_enum(&self, object: &Map<String, Value>) -> Option<String> {
        let words = object.get("enum")?.as_array()?.iter().filter_map(Value::as_str).collect::<BTreeSet<_>>();
        let known = self.enums.iter().find(|known| known.words().into_iter().collect::<BTreeSet<_>>() == words)?;
        Some(known.name.clone())
    }
}

/// A reference to a component in the place of a schema, and null where the schema allows it.
fn referring(object: &Map<String, Value>, name: &str) -> Value {
    let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
    let mut beside = object.clone();
    beside.retain(|key, _| BESIDE.contains(&key.as_str()));
    let is_nullable = object.get("type").and_then(Value::as_array).is_some_and(|types| types.contains(&json!("null")));
    let mut place = if is_nullable { json!({ "oneOf": [reference, { "type": "null" }] }) } else { reference };
    if let Some(place) = place.as_object_mut() {
        place.extend(beside);
    }
    place
}

/// Puts a schema into the form that all generators understand; it allows what it allowed before.
fn simplify(object: &mut Map<String, Value>) {
    null_last(object);
    plain_integer(object);
    printable_pattern(object);
    fixed_length(object);
    without_index(object);
    open(object);
}

/// Null comes last among alternatives.
fn null_last(object: &mut Map<String, Value>) {
    if let Some(Value::Array(options)) = object.get_mut("oneOf") {
        options.sort_by_key(|option| option["type"] == "null");
    }
}

/// Integers are those that every reader has exactly, and those beyond 32 bits have no format: of `int64` some generators make a `BigInt`.
fn plain_integer(object: &mut Map<String, Value>) {
    if object.get("format") != Some(&json!("int64")) {
        return;
    }
    object.remove("format");
    if object.get("maximum").and_then(Value::as_i64).is_none_or(|most| most > LARGEST_EXACT) {
        object.insert("maximum".into(), json!(LARGEST_EXACT));
    }
}

/// A pattern names NUL in a way that no generator turns into the byte itself.
fn printable_pattern(object: &mut Map<String, Value>) {
    if let Some(Value::String(pattern)) = object.get_mut("pattern") {
        *pattern = pattern.replace("\\u0000", "\\x00");
    }
}

/// The format of a date or a UUID says how long it is; with a type of its own, generators have no use for a bound.
fn fixed_length(object: &mut Map<String, Value>) {
    if ["date", "date-time", "uuid"].into_iter().any(|format| object.get("format").is_some_and(|own| own == format)) {
        object.remove("maxLength");
    }
}

/// An object with members of its own is open or closed: a schema for all other members would become an index signature, to which the
/// members themselves do not fit.
fn without_index(object: &mut Map<String, Value>) {
    if object.contains_key("properties") && object.get("additionalProperties").is_some_and(|others| *others != json!(false)) {
        object.remove("additionalProperties");
    }
}

/// An object of which nothing is said may hold anything: without that, some generators make an object that holds nothing.
fn open(object: &mut Map<String, Value>) {
    let is_object = object.get("type").is_some_and(|own| own == "object" || *own == json!(["object", "null"]));
    let says_more =
        ["properties", "additionalProperties", "allOf", "oneOf", "anyOf"].into_iter().any(|key| object.contains_key(key));
    if is_object && !says_more {
        object.insert("additionalProperties".into(), json!(true));
    }
}

fn for_each_operation(document: &mut Value, mut visit: impl FnMut(&mut Value)) {
    for operations in document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        operations.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(&mut visit);
    }
}

fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// The name of the schema of the rows of a list, or of the one thing that an operation answers with.
fn row_of(operation: &Value) -> Option<&str> {
    let name = name_of(&operation["responses"]["200"]["content"]["application/json"]["schema"])?;
    Some(name.strip_suffix("Page").unwrap_or(name))
}

/// Makes components of the words of `sort`, `fields` and `expand`, and labels them as the members are labelled.
fn name_words_of_members(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    // Rows of one schema may be listed in several ways; then the operations tell the words apart.
    let mut words: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for_each_operation(document, |operation| {
        let Some(row) = row_of(operation).map(str::to_owned) else { return };
        for (suffix, items) in of_members(operation) {
            words.entry(format!("{row}{suffix}")).or_default().insert(items.to_string());
        }
    });
    let mut made = Map::new();
    for_each_operation(document, |operation| {
        let row = row_of(operation).unwrap_or_default().to_owned();
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        for (suffix, items) in of_members(operation) {
            let by_row = format!("{row}{suffix}");
            let is_one = words.get(&by_row).is_some_and(|ways| ways.len() == 1);
            let name = if is_one { by_row } else { super::parameters::camel_case(&id) + suffix };
            let members = &schemas[row.as_str()]["properties"];
            let labels =
                items["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(|word| label(word, members));
            let about = match suffix {
                "Sort" => "A member to sort by; with `-` before it, in descending order.",
                "Field" => "A member to show.",
                _ => "A member whose code can be replaced by the resource that it refers to.",
            };
            let mut schema = words::labelled(items.clone(), labels);
            schema["description"] = json!(about);
            made.insert(name.clone(), schema);
            *items = json!({ "$ref": format!("#/components/schemas/{name}") });
        }
    });
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.extend(made);
    }
}

/// Makes components of the objects that operations answer with, named after the operations.
fn name_answers(document: &mut Value, schemas: &mut Map<String, Value>) {
    for_each_operation(document, |operation| {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let name = super::parameters::camel_case(id.trim_start_matches("get_")) + "Answer";
        for response in operation["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            let Some(schema) = response.pointer_mut("/content/application~1json/schema") else { continue };
            if schema["type"] == "object" {
                let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
                schemas.insert(name.clone(), std::mem::replace(schema, reference));
            }
        }
    });
}

/// The lists of words among the parameters of an operation that are members.
fn of_members(operation: &mut Value) -> Vec<(&'static str, &mut Value)> {
    let parameters = operation["parameters"].as_array_mut().into_iter().flatten();
    let lists = parameters.filter_map(|parameter| {
        let (_, suffix) = OF_MEMBERS.iter().find(|(name, _)| parameter["name"] == *name)?;
        parameter["schema"].get_mut("items").filter(|items| items.get("enum").is_some()).map(|items| (*suffix, items))
    });
    lists.collect()
}

/// What a member is called, and with `-` before it its descending order.
fn label(word: &str, members: &Value) -> (String, String, String) {
    let name = word.trim_start_matches('-');
    let own = &members[name]["x-label"];
    let text = |language: &str| own[language].as_str().map(str::to_owned);
    let (en, id) = match (text("en"), text("id")) {
        (Some(en), Some(id)) => (en, id),
        _ => {
            let (en, id) = unlabelled(name);
            (en.to_owned(), id.to_owned())
        }
    };
    if name == word {
        (word.to_owned(), en, id)
    } else {
        (word.to_owned(), format!("{en}, descending"), format!("{id}, menurun"))
    }
}

/// The members of what is no kind of its own.
fn unlabelled(name: &str) -> (&'static str, &'static str) {
    match name {
        "achievement" => ("Achievement", "Capaian"),
        "age" => ("Age of the data", "Umur data"),
        "as_of" => ("As of", "Per tanggal"),
        "baseline" => ("Baseline", "Nilai awal"),
        "created_at" => ("Created", "Dibuat"),
        "dimension" => ("Dimension", "Dimensi"),
        "direction" => ("Direction", "Arah"),
        "due_on" => ("Due", "Batas waktu"),
        "email" => ("E-mail address", "Alamat surel"),
        "frequency" => ("Frequency", "Frekuensi"),
        "id" => ("Identifier", "Pengenal"),
        "key" => ("Key", "Kunci"),
        "kind" => ("Kind", "Jenis"),
        "kpi" => ("KPI", "IKU"),
        "latest" => ("Latest value", "Nilai terakhir"),
        "masterplan" => ("Masterplan", "Rencana induk"),
        "name" => ("Name", "Nama"),
        "opd" => ("OPD", "OPD"),
        "period" => ("Period", "Periode"),
        "period_end" => ("End of the period", "Akhir periode"),
        "periods" => ("Periods that ended since", "Periode yang telah berakhir"),
        "predicate" => ("Predicate", "Predikat"),
        "programme" => ("Programme", "Program"),
        "progress" => ("Progress", "Kemajuan"),
        "projected" => ("Projection", "Proyeksi"),
        "quarter" => ("Quarter", "Triwulan"),
        "region" => ("Region", "Wilayah"),
        "required_pace" => ("Required pace", "Laju yang diperlukan"),
        "seq" => ("Order", "Urutan"),
        "standing" => ("Standing", "Kondisi"),
        "submitted_at" => ("Submitted", "Diajukan"),
        "target" => ("Target", "Target"),
        "target_predicate" => ("Predicate of the target", "Predikat target"),
        "targets" => ("Targets", "Target-target"),
        "unit" => ("Unit", "Satuan"),
        _ => ("", ""),
    }
}

/// Tells in prose what an absent parameter means: generated clients send a `default`, or make the parameter required.
fn tell_defaults(document: &mut Value) {
    for_each_operation(document, |operation| {
        for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
            let Some(default) = parameter["schema"].as_object_mut().and_then(|schema| schema.remove("default")) else { continue };
            let value = match &default {
                Value::String(text) => text.clone(),
                Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
                other => other.to_string(),
            };
            let about = parameter["description"].as_str().unwrap_or_default();
            parameter["description"] = json!(format!("{about} Without it: `{value}`."));
        }
    });
}

/// A list without an example of its own shows the example of one of its rows.
fn fill_examples(document: &mut Value) {
    let mut known = BTreeMap::new();
    for_each_operation(document, |operation| {
        for response in operation["responses"].as_object().into_iter().flat_map(Map::values) {
            let content = &response["content"]["application/json"];
            if let (Some(name), Some(example)) = (name_of(&content["schema"]), content.get("example")) {
                known.entry(name.to_owned()).or_insert_with(|| example.clone());
            }
        }
    });
    for_each_operation(document, |operation| {
        let Some(content) = operation.pointer_mut("/responses/200/content/application~1json") else { return };
        let row = name_of(&content["schema"]).and_then(|name| name.strip_suffix("Page"));
        if let Some(row) = row.and_then(|row| known.get(row)).filter(|_| content.get("example").is_none()) {
            content["example"] = json!({ "data": [row], "page": { "next_cursor": null, "limit": 50 } });
        }
    });
}

#[cfg(test)]
mod tests;
