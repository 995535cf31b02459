//! The description of one operation, as the OpenAPI document shows it.

use std::time::SystemTime;

use actix_web::http::Method;
use actix_web::http::header::HttpDate;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::media::MediaType;
use super::schema;

/// Who may call an operation.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// The permission that it needs.
    pub permission: String,
    /// The roles that have the permission, and the clients.
    pub roles: Vec<String>,
}

/// An operation that is withdrawn: it works until a day, and each of its answers says so before.
#[derive(Clone, Copy, Debug)]
pub struct Deprecated {
    /// Since when it is deprecated.
    pub since: DateTime<Utc>,
    /// Until when it works.
    pub until: DateTime<Utc>,
    /// The `operationId` of what takes its place.
    pub instead: &'static str,
}

impl Deprecated {
    /// Where the policy is described.
    const POLICY: &'static str = "/docs/";

    /// The headers of each answer: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and the link to the policy.
    pub fn headers(&self) -> [(&'static str, String); 3] {
        [
            ("Deprecation", format!("@{}", self.since.timestamp())),
            ("Sunset", HttpDate::from(SystemTime::from(self.until)).to_string()),
            ("Link", format!("<{}>; rel=\"deprecation\"; type=\"text/html\"", Self::POLICY)),
        ]
    }
}

/// One operation: a method on a path, with all that a client must know to call it.
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, with `{parameters}`.
    pub path: String,
    /// The OpenAPI operation object.
    pub object: Value,
    /// The schemas it refers to.
    pub schemas: Map<String, Value>,
    /// Set if it is withdrawn.
    pub deprecated: Option<Deprecated>,
}

impl Operation {
    /// An operation; its parameters are added from the path.
    pub fn new(method: Method, path: &str, id: &str, tag: &str, summary: &str, description: &str) -> Self {
        let object = json!({
            "operationId": id, "tags": [tag], "summary": summary, "description": description,
            "parameters": [], "responses": {},
        });
        let mut operation = Self { method, path: path.to_owned(), object, schemas: Map::new(), deprecated: None };
        for name in parameters_of(path) {
            let (schema, about) = known_path_parameter(name);
            operation = operation.parameter("path", name, true, schema, about);
        }
        // Any query can be wrong, anybody can ask too much, and any server can fail.
        operation.problems(&[400, 406, 429, 500, 503])
    }

    /// A `GET`.
    pub fn get(path: &str, id: &str, tag: &str, summary: &str, description: &str) -> Self {
        Self::new(Method::GET, path, id, tag, summary, description)
    }

    /// Adds a parameter.
    pub fn parameter(mut self, place: &str, name: &str, required: bool, schema: Value, description: &str) -> Self {
        let mut parameter =
            json!({ "name": name, "in": place, "required": required, "description": description, "schema": schema });
        if schema["type"] == "array" {
            // `name=a&name=b`, as most generated clients send it; `name=a,b` means the same.
            parameter["style"] = json!("form");
            parameter["explode"] = json!(true);
        }
        if let Some(parameters) = self.object["parameters"].as_array_mut() {
            parameters.push(parameter);
        }
        self
    }

    /// Says what a parameter of the path is, where it is neither an id nor a code. A path without it stays as it is.
    pub fn path_parameter(mut self, name: &str, schema: Value, description: &str) -> Self {
        for parameter in self.object["parameters"].as_array_mut().into_iter().flatten() {
            if parameter["in"] == "path" && parameter["name"] == name {
                parameter["schema"] = schema.clone();
                parameter["description"] = json!(description);
            }
        }
        self
    }

    /// Adds a query parameter.
    pub fn query(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter("query", name, false, schema, description)
    }

    /// Adds `If-None-Match`, and 304 to the answers; where everybody may read, `If-Modified-Since` as well.
    pub fn conditional(self) -> Self {
        let about = "The `ETag` of an answer you have: if it still holds, the answer is 304 without a body.";
        let mut operation = self.parameter("header", "If-None-Match", false, entity_tags(), about);
        if operation.is_open() {
            let date =
                json!({ "type": "string", "format": "http-date", "maxLength": 64, "example": "Tue, 04 Oct 2022 02:30:00 GMT" });
            let about = "The `Last-Modified` of an answer you have: if that is still the answer, it is 304 without a body. Beside \
                         `If-None-Match` it is not looked at, nor where it is no date.";
            operation = operation.parameter("header", "If-Modified-Since", false, date, about);
        }
        operation.object["responses"]["304"] =
            json!({ "description": "You have this state already.", "headers": operation.headers_of_answer(&["ETag"]) });
        operation
    }

    /// Whether everybody may read it, and caches on the way keep it.
    fn is_open(&self) -> bool {
        self.path.starts_with("/v1/public/")
    }

    /// References to the headers of an answer: what everybody may read has its date where it has a tag.
    fn headers_of_answer(&self, names: &[&str]) -> Value {
        let date = (self.is_open() && names.contains(&"ETag")).then_some("Last-Modified");
        headers(&names.iter().copied().chain(date).collect::<Vec<_>>())
    }

    /// Adds `If-Match`; 412 and 428 answer a wrong one and a missing one. `PUT` may also create, where there is none to send.
    pub fn guarded(self) -> Self {
        let required = self.method != Method::PUT;
        let about = "The `ETag` last read: the write happens only if nothing changed since. Required when the thing exists.";
        self.parameter("header", "If-Match", required, entity_tags(), about).problems(&[412, 428])
    }

    /// Adds an `If-Match` that need not be sent.
    pub fn if_match(self) -> Self {
        let about = "The `ETag` last read: the step is taken only if nothing changed since.";
        self.parameter("header", "If-Match", false, entity_tags(), about).problems(&[412])
    }

    /// Adds `Idempotency-Key`.
    pub fn retryable(self) -> Self {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$" });
        let about = "Your name for this request: a retry with the same key and body gets the first answer again, for 24 hours, on every replica.";
        self.parameter("header", "Idempotency-Key", false, schema, about).problems(&[409, 422])
    }

    /// Adds a JSON body with a schema of its own.
    pub fn body(mut self, name: &str, schema: Value, example: Value, media_types: &[&str]) -> Self {
        self.schemas.insert(name.to_owned(), schema);
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        let content: Map<String, Value> =
            media_types.iter().map(|media| ((*media).to_owned(), json!({ "schema": reference, "example": example }))).collect();
        self.object["requestBody"] = json!({ "required": true, "content": content });
        self.problems(&[413, 415, 422])
    }

    /// Adds a JSON body of type `T`.
    pub fn takes<T: ToSchema>(self, example: Value) -> Self {
        self.body(&T::name(), schema::input::<T>(), example, &["application/json"])
    }

    /// Adds a body that says nothing and need not be sent: `{}`.
    pub fn may_take_nothing(self) -> Self {
        let schema = json!({ "type": "object", "additionalProperties": false, "description": "An empty object." });
        let mut operation = self.body("Nothing", schema, json!({}), &["application/json"]);
        operation.object["requestBody"]["required"] = json!(false);
        operation
    }

    /// Adds an answer with a schema given by name; the schema is among [`Operation::schemas`] or another operation's.
    pub fn answers_schema(
        self,
        status: u16,
        description: &str,
        schema: Value,
        example: Option<Value>,
        header_names: &[&str],
    ) -> Self {
        self.answers_in(MediaType::Json, status, description, schema, example, header_names)
    }

    /// Adds an answer of a media type.
    pub fn answers_in(
        mut self,
        media: MediaType,
        status: u16,
        description: &str,
        schema: Value,
        example: Option<Value>,
        header_names: &[&str],
    ) -> Self {
        let mut content = json!({ "schema": schema });
        if let Some(example) = example {
            content["example"] = example;
        }
        self.object["responses"][status.to_string()] = json!({ "description": description, "headers": self.headers_of_answer(header_names), "content": { media.name(): content } });
        self
    }

    /// Adds an answer of type `T`.
    pub fn answers<T: ToSchema>(self, status: u16, description: &str, example: Option<Value>, header_names: &[&str]) -> Self {
        let reference = json!({ "$ref": format!("#/components/schemas/{}", T::name()) });
        self.with_schemas(schema::components::<T>()).answers_schema(status, description, reference, example, header_names)
    }

    /// Adds an answer without a body.
    pub fn answers_nothing(mut self, status: u16, description: &str) -> Self {
        self.object["responses"][status.to_string()] = json!({ "description": description, "headers": headers(&[]) });
        self
    }

    /// Adds schemas.
    pub fn with_schemas(mut self, schemas: Map<String, Value>) -> Self {
        self.schemas.extend(schemas);
        self
    }

    /// Adds the problems it can answer, by status.
    pub fn problems(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            self.object["responses"][status.to_string()] = json!({ "$ref": format!("#/components/responses/Problem{status}") });
        }
        self
    }

    /// Takes back an answer that does not happen here.
    pub fn without(mut self, status: u16) -> Self {
        if let Some(responses) = self.object["responses"].as_object_mut() {
            responses.remove(&status.to_string());
        }
        self
    }

    /// The answer with this status may be a problem as well.
    pub fn or_problem(mut self, status: u16) -> Self {
        let example = json!({
            "type": "/problems/malformed_request", "title": "The request cannot be read", "status": status,
            "code": "malformed_request", "instance": self.path, "request_id": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11",
        });
        let content = json!({ "schema": { "$ref": "#/components/schemas/Problem" }, "example": example });
        self.object["responses"][status.to_string()]["content"]["application/problem+json"] = content;
        self
    }

    /// It needs a token of somebody who is allowed to call it.
    pub fn roles(mut self, allowed: &Allowed) -> Self {
        let Allowed { permission, roles } = allowed;
        let description = self.object["description"].as_str().unwrap_or_default();
        self.object["description"] = json!(format!("{description}\n\nPermission: `{permission}`. Roles: {}.", roles.join(", ")));
        self.object["x-permission"] = json!(permission);
        self.object["security"] = json!([{ "oauth2": [] }]);
        self.problems(&[401, 403])
    }

    /// It is withdrawn. Call it last: the headers are added to the answers that are described.
    pub fn deprecated(mut self, deprecated: Deprecated) -> Self {
        let Deprecated { since, until, instead } = &deprecated;
        let (since, until) = (since.date_naive(), until.date_naive());
        let description = self.object["description"].as_str().unwrap_or_default();
        let description = format!("Deprecated since {since}; it works until {until}. Use `{instead}` instead.\n\n{description}");
        self.object["description"] = json!(description);
        self.object["deprecated"] = json!(true);
        for (_, answer) in self.object["responses"].as_object_mut().into_iter().flatten() {
            if let Some(known) = answer.get_mut("headers").and_then(Value::as_object_mut) {
                known.extend(references(&["Deprecation", "Sunset", "Link"]));
            }
        }
        self.deprecated = Some(deprecated);
        self
    }

    /// It needs no token.
    pub fn public(mut self) -> Self {
        self.object["security"] = json!([{}]);
        self
    }
}

/// References to the headers of an answer; every answer carries `X-Request-Id`.
pub fn headers(names: &[&str]) -> Value {
    Value::Object(references(names).chain(references(&["X-Request-Id", "Access-Control-Allow-Origin"])).collect())
}

fn references(names: &[&str]) -> impl Iterator<Item = (String, Value)> {
    names.iter().map(|name| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") })))
}

/// A list of entity tags, as `If-Match` and `If-None-Match` have it (RFC 9110 §8.8.3).
fn entity_tags() -> Value {
    json!({ "type": "string", "maxLength": 1000, "pattern": "^(\\*|(W/)?\"[!#-~]*\"( *, *(W/)?\"[!#-~]*\")*)$" })
}

/// The names of the parameters of a path.
pub fn parameters_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

/// Whether a parameter of a path with this name is a UUID, unless the operation says something else.
pub fn is_uuid(name: &str) -> bool {
    known_path_parameter(name).0["format"] == "uuid"
}

/// What a parameter of a path is, unless the operation says something else: an id or a code.
fn known_path_parameter(name: &str) -> (Value, &'static str) {
    match name {
        "id" | "delivery" => (json!({ "type": "string", "format": "uuid", "maxLength": 36 }), "The identifier, a UUID."),
        _ => (
            json!({ "type": "string", "minLength": 1, "maxLength": 64, "pattern": entity::value::code::Code::PATTERN }),
            "The code that identifies it.",
        ),
    }
}
