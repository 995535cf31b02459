//! The committed OpenAPI document: what it lists, and whether an answer keeps what it promises.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Map, Value, json};

use crate::actor::percent_encoded;
use crate::answer::Answer;

const BASE: &str = "urn:renaksi:openapi";
const METHODS: [&str; 8] = ["get", "head", "post", "put", "patch", "delete", "options", "trace"];

/// The committed document.
pub struct Document {
    root: Value,
    registry: Registry<'static>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One operation of the document.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Upper-case method.
    pub method: String,
    /// Path with its parameters in braces.
    pub path: String,
    /// Whether it can be called without a token.
    pub public: bool,
    /// All that the document says about it.
    pub value: Value,
}

impl Operation {
    /// Method and path, for messages.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether its answer has an end: a stream has none.
    pub fn ends(&self) -> bool {
        !self.path.ends_with("/stream")
    }

    /// The path with `value` in place of each parameter.
    pub fn path_with(&self, value: impl Fn(&str) -> String) -> String {
        let filled = self.path.split('/').map(|segment| match parameter_of(segment) {
            Some((name, end)) => value(name) + end,
            None => segment.to_owned(),
        });
        filled.collect::<Vec<_>>().join("/")
    }
}

/// Where the committed document lies.
pub fn committed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json")
}

/// The parameter that a segment of a path has, and what follows it: `{code}`, or `{code}.svg`.
pub fn parameter_of(segment: &str) -> Option<(&str, &str)> {
    segment.strip_prefix('{')?.split_once('}')
}

impl Document {
    /// The one of this process.
    pub fn get() -> &'static Self {
        static DOCUMENT: LazyLock<Document> = LazyLock::new(Document::read);
        &DOCUMENT
    }

    fn read() -> Self {
        let text = std::fs::read(committed()).unwrap_or_else(|error| panic!("{}: {error}", committed().display()));
        let root = serde_json::from_slice::<Value>(&text).expect("openapi/openapi.json is JSON");
        let registry = Registry::new().add(BASE, closed(root.clone())).unwrap().prepare().unwrap();
        Self { root, registry, validators: Mutex::default() }
    }

    /// The document itself.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// What a schema refers to, or the schema itself.
    pub fn target<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let reference = schema["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
        reference.and_then(|place| self.root.pointer(place)).unwrap_or(schema)
    }

    /// Every operation.
    pub fn operations(&self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (path, item) in self.paths() {
            let item = item.as_object().expect("a path item is an object");
            for (method, operation) in item.iter().filter(|(method, _)| METHODS.contains(&method.as_str())) {
                let security = operation.get("security").unwrap_or(&self.root["security"]);
                operations.push(Operation {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    public: security.as_array().is_none_or(|ways| ways.is_empty() || ways.contains(&json!({}))),
                    value: operation.clone(),
                });
            }
        }
        operations
    }

    /// Whether an answer is one that the document lists for its path, method and status.
    pub fn check(&self, answer: &Answer) -> Result<(), String> {
        let path = answer.path().split('?').next().unwrap_or("");
        let method = answer.method().as_str().to_lowercase();
        let operation = self.template_of(path).and_then(|template| {
            let operation = self.paths().get(template)?.get(&method)?;
            Some((format!("/paths/{}/{method}", escaped(template)), operation))
        });
        let Some((pointer, operation)) = operation else {
            return if method == "head" { Ok(()) } else { self.check_unlisted(answer) };
        };
        let status = answer.status().to_string();
        let listed = operation["responses"]
            .get(&status)
            .ok_or_else(|| format!("the document does not list status {status} for {pointer}"))?;
        let place = match listed.get("$ref").and_then(Value::as_str) {
            Some(reference) => reference.trim_start_matches('#').to_owned(),
            None => format!("{pointer}/responses/{status}"),
        };
        let response = self.root.pointer(&place).ok_or_else(|| format!("{place} is missing"))?;
        self.check_body(answer, &place, response)
    }

    /// What no operation of the document answers is a problem, or no business of the document.
    fn check_unlisted(&self, answer: &Answer) -> Result<(), String> {
        if answer.status() < 400 {
            return Ok(());
        }
        if answer.media_type() != "application/problem+json" {
            return Err("an error that is no application/problem+json".to_owned());
        }
        self.validate("/components/schemas/Problem", &answer.json())
    }

    fn check_body(&self, answer: &Answer, place: &str, response: &Value) -> Result<(), String> {
        let content = response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty());
        let Some(content) = content else {
            let empty = answer.bytes().is_empty();
            return if empty { Ok(()) } else { Err(format!("a body where the document lists none: {place}")) };
        };
        let media_type = answer.media_type();
        if !content.contains_key(media_type) {
            return Err(format!("media type `{media_type}` is not among {:?} of {place}", content.keys().collect::<Vec<_>>()));
        }
        if media_type.ends_with("json") && content[media_type].get("schema").is_some() {
            let body = serde_json::from_slice(answer.bytes()).map_err(|error| format!("not JSON: {error}"))?;
            let schema = format!("{place}/content/{}/schema", escaped(media_type));
            match Shaped::of(answer) {
                Some(shaped) if answer.status() == 200 => self.validate_shaped(&schema, &shaped, &body)?,
                _ => self.validate(&schema, &body)?,
            }
            let problem = media_type == "application/problem+json";
            if problem && body["status"] != answer.status() {
                return Err("the problem's `status` is not the answer's".to_owned());
            }
        }
        Ok(())
    }

    /// Holds an answer to `fields` or `expand` to the schema of the whole thing: it has some of its members, or all, and other resources
    /// in the place of their codes.
    fn validate_shaped(&self, place: &str, shaped: &Shaped, body: &Value) -> Result<(), String> {
        let place = self.resolved(place)?;
        let Some(rows) = body.get("data").and_then(Value::as_array) else { return self.validate_row(&place, shaped, body) };
        let mut empty = body.clone();
        empty["data"] = json!([]);
        self.validate(&place, &empty)?;
        let row = self.resolved(&format!("{place}/properties/data/items"))?;
        rows.iter().try_for_each(|value| self.validate_row(&row, shaped, value))
    }

    fn validate_row(&self, place: &str, shaped: &Shaped, row: &Value) -> Result<(), String> {
        let schema = self.root.pointer(place).ok_or_else(|| format!("{place} is missing"))?;
        let members = row.as_object().ok_or_else(|| format!("not an object, as {place} promises"))?;
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let is_wanted = shaped.fields.as_ref().is_none_or(|fields| fields.iter().any(|field| field == name));
            if is_wanted != members.contains_key(name) {
                return Err(format!("`{name}` should {}be among the members", if is_wanted { "" } else { "not " }));
            }
        }
        for (name, value) in members {
            let property = format!("{place}/properties/{}", escaped(name));
            let listed = self.root.pointer(&property).ok_or_else(|| format!("{property} is missing"))?;
            let values = value.as_array().map_or_else(|| vec![value], |values| values.iter().collect());
            let expanded = listed["x-refers-to"].as_str().filter(|_| shaped.expand.contains(name));
            match expanded {
                Some(to) => values
                    .into_iter()
                    .filter(|value| !value.is_null())
                    .try_for_each(|value| self.validate(&format!("/components/schemas/{to}"), value))?,
                None => self.validate(&property, value)?,
            }
        }
        Ok(())
    }

    /// The place to which a reference at a place refers, or the place itself.
    fn resolved(&self, place: &str) -> Result<String, String> {
        let schema = self.root.pointer(place).ok_or_else(|| format!("{place} is missing"))?;
        Ok(schema["$ref"].as_str().map_or_else(|| place.to_owned(), |reference| reference.trim_start_matches('#').to_owned()))
    }

    /// Holds a value to the schema at a JSON pointer into the document.
    pub fn validate(&self, pointer: &str, value: &Value) -> Result<(), String> {
        let validator = self.validator(pointer);
        let faults =
            validator.iter_errors(value).map(|error| format!("  at `{}`: {error}", error.instance_path())).collect::<Vec<_>>();
        if faults.is_empty() { Ok(()) } else { Err(format!("not as {pointer} promises:\n{}", faults.join("\n"))) }
    }

    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let validator = validators.entry(pointer.to_owned()).or_insert_with(|| {
            let schema = json!({ "$ref": format!("{BASE}#{}", in_fragment(pointer)) });
            let options =
                jsonschema::options().with_draft(Draft::Draft202012).with_registry(&self.registry).should_validate_formats(true);
            Arc::new(options.build(&schema).unwrap_or_else(|error| panic!("{pointer}: {error}")))
        });
        Arc::clone(validator)
    }

    fn paths(&self) -> &Map<String, Value> {
        self.root["paths"].as_object().expect("the document has paths")
    }

    /// The listed path that a real one belongs to: the one with the fewest parameters.
    fn template_of(&self, path: &str) -> Option<&String> {
        let segments = path.split('/').collect::<Vec<_>>();
        let fits = |template: &&String| {
            let parts = template.split('/').collect::<Vec<_>>();
            parts.len() == segments.len()
                && parts.iter().zip(&segments).all(|(part, segment)| match parameter_of(part) {
                    Some((_, end)) => segment.len() > end.len() && segment.ends_with(end),
                    None => part == segment,
                })
        };
        self.paths().keys().filter(fits).min_by_key(|template| template.matches('{').count())
    }
}

/// What a request asked of the shape of its answer.
struct Shaped {
    fields: Option<Vec<String>>,
    expand: Vec<String>,
}

impl Shaped {
    fn of(answer: &Answer) -> Option<Self> {
        let query = answer.path().split_once('?').map_or("", |(_, query)| query);
        let named = |wanted: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(name, _)| *name == wanted);
            let names = pairs.flat_map(|(_, value)| value.split(',').flat_map(|part| part.split("%2C")).map(str::to_owned));
            names.collect::<Vec<_>>()
        };
        let (fields, expand) = (named("fields"), named("expand"));
        (!fields.is_empty() || !expand.is_empty())
            .then(|| Self { fields: Some(fields).filter(|fields| !fields.is_empty()), expand })
    }
}

/// The document with every plain object schema closed, so that a member which it does not list is a fault.
fn closed(mut root: Value) -> Value {
    let schemas = root.pointer_mut("/components/schemas").and_then(Value::as_object_mut).expect("the document has schemas");
    let combined = schemas.values().flat_map(|schema| schema["allOf"].as_array().cloned().unwrap_or_default());
    let parts = combined.filter_map(|part| part["$ref"].as_str().map(str::to_owned)).collect::<Vec<_>>();
    let open = ["additionalProperties", "unevaluatedProperties", "allOf", "anyOf", "oneOf"];
    for (name, schema) in schemas.iter_mut() {
        let schema = schema.as_object_mut().expect("a schema is an object");
        let part = parts.contains(&format!("#/components/schemas/{name}"));
        // RFC 9457 lets a kind of problem carry members of its own. Events of the first versions show how an index was computed.
        let is_open = ["Problem", "SurveySnapshot", "PublicSurveySnapshot"].contains(&name.as_str());
        if !is_open && !part && schema.contains_key("properties") && !open.iter().any(|key| schema.contains_key(*key)) {
            schema.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    root
}

/// A member's name as part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A JSON pointer as the fragment of a URI.
fn in_fragment(pointer: &str) -> String {
    pointer.split('/').map(percent_encoded).collect::<Vec<_>>().join("/")
}
