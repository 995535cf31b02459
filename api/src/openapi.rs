//! The OpenAPI 3.1 document, built from the URL table. It needs no database.

mod parameters;
mod shape;
mod words;

use entity::client::Scope;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::crud::schemas::beside_rows;
use crate::http::media::MediaType;
use crate::http::operation::headers;
use crate::http::problem::{MEDIA_TYPE, Problem, codes};
use crate::http::schema::{self, ANY_TEXT};
use crate::http::table::{Description, Table};
use crate::routes;
use crate::webhooks::message;

const DESCRIPTION: &str = include_str!("openapi/description.md");

const TAGS: &[(&str, &str)] = &[
    ("public", "Everything that is published and verified, readable by anybody without a login."),
    ("figures", "Figures that the service computes from the data."),
    ("masterplans", "The masterplans to which the programmes, KPIs and evaluations belong."),
    ("dimensions", "The dimensions of the smart city, such as governance or environment."),
    ("programmes", "The programmes of a masterplan, with their status and its history."),
    ("quick-wins", "Quick Wins, the programmes that show results first."),
    ("kpis", "Key performance indicators with their targets and measurements."),
    ("actions", "Actions (renaksi): what OPDs have to do within a year, and their reports on it."),
    ("evaluations", "Evaluations of a masterplan, with their findings, follow-ups and frozen records."),
    ("commitments", "The joint commitment and the OPDs that signed it."),
    ("council-members", "The members of the Smart City council."),
    ("surveys", "Surveys of how satisfied people are with public services."),
    ("opds", "OPDs, the agencies of the regency."),
    ("regions", "The regency, its districts and its villages."),
    ("awards", "Awards that the regency, its OPDs, programmes, regions or people received."),
    ("events", "The feed: every change in one order, to follow and to verify."),
    ("webhooks", "Subscriptions to events, which are sent to an address of yours. See `docs/webhooks.md`."),
    ("push", "Reports of other systems, many rows in one request."),
    ("reviews", "The review: reports wait here until somebody else verifies or returns them."),
    ("identity", "Logging in, and the accounts of people and systems."),
    ("problems", "The kinds of problems and field errors, with their texts in both languages."),
    ("health", "Whether the service is alive and ready."),
];

/// Builds the document.
pub fn document() -> Value {
    let Description { paths, mut schemas } = routes::all(Table::described()).describe();
    schemas.extend(problem_schemas());
    schemas.extend(message::schemas());
    schemas.insert("Page".to_owned(), beside_rows());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Renaksi API",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "An API with which an Indonesian regency runs its smart-city masterplan and shows its progress.",
            "description": DESCRIPTION,
            "contact": { "name": "Dinas Komunikasi dan Informatika" },
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The production or local server from which this document was read.", "x-internal": false }],
        "tags": TAGS.iter().map(|(name, about)| json!({ "name": name, "description": about })).collect::<Vec<_>>(),
        "security": [{ "oauth2": [] }],
        "paths": paths,
        "webhooks": message::described(),
        "components": {
            "schemas": schemas,
            "responses": problem_responses(),
            "headers": shared_headers(),
            "securitySchemes": { "oauth2": security_scheme() },
        },
    });
    tell_limits(&mut document["paths"]);
    bound(&mut document);
    shape::shape(&mut document);
    parameters::share(&mut document);
    drop_unused(&mut document);
    document
}

/// The document as text, in the form in which it is served and committed.
pub fn text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

fn problem_schemas() -> Map<String, Value> {
    let mut schemas = schema::components::<Problem>();
    let text = |about: &str| json!({ "type": "string", "maxLength": 200, "description": about });
    let more = json!({
        "allowed": { "type": "array", "maxItems": 100, "items": { "type": "string", "maxLength": 64 }, "description": "With `illegal_transition`: the statuses or states that can follow." },
        "current_etag": text("With `precondition_failed`: the present `ETag` of the resource."),
        "existing": text("With `already_exists`, if the code differs only in case: the code that exists."),
        "head": { "type": "integer", "format": "int64", "minimum": 0, "maximum": 9_007_199_254_740_991_i64, "description": "With `feed_restarted`: the position of the last event." },
        "line": { "type": "integer", "format": "int32", "minimum": 0, "maximum": i32::MAX, "description": "With malformed JSON: the number of the line." },
        "column": { "type": "integer", "format": "int32", "minimum": 0, "maximum": i32::MAX, "description": "With malformed JSON: the number of the column." },
        "referenced_by": {
            "type": "array", "maxItems": 1000, "description": "With `still_referenced`: the resources that refer to this one.",
            "items": { "$ref": "#/components/schemas/Referrer" },
        },
    });
    if let (Some(properties), Value::Object(more)) = (schemas["Problem"]["properties"].as_object_mut(), more) {
        properties.extend(more);
    }
    let referrer = json!({
        "type": "object", "required": ["resource", "key"], "additionalProperties": false,
        "description": "A resource that refers to another one.",
        "properties": { "resource": text("The kind of resource."), "key": text("The code or id of the resource.") },
    });
    schemas.insert("Referrer".to_owned(), referrer);
    schemas
}

fn problem_responses() -> Map<String, Value> {
    let statuses = codes::ALL.iter().map(|code| code.status).collect::<BTreeSet<_>>();
    statuses.into_iter().map(|status| (format!("Problem{status}"), problem_response(status))).collect()
}

fn problem_response(status: u16) -> Value {
    let known = codes::ALL.iter().filter(|code| code.status == status).collect::<Vec<_>>();
    let words = known.iter().map(|code| format!("`{}`: {}", code.name, code.title)).collect::<Vec<_>>().join("; ");
    let first = known[0];
    let example = json!({
        "type": format!("/problems/{}", first.name), "title": first.title, "status": status, "code": first.name,
        "instance": "/v1/programmes", "request_id": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11",
    });
    let names: &[&str] = match status {
        401 => &["WWW-Authenticate"],
        405 => &["Allow"],
        429 => &["RateLimit", "RateLimit-Policy", "Retry-After"],
        503 => &["Retry-After"],
        _ => &[],
    };
    json!({
        "description": format!("{words}."),
        "headers": headers(names),
        "content": { MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" }, "example": example } },
    })
}

fn shared_headers() -> Value {
    let text = |about: &str, length: u32| json!({ "description": about, "schema": { "type": "string", "maxLength": length } });
    json!({
        "Access-Control-Allow-Origin": text("`*` on public paths; on other paths the origin, if it is a configured one. Only \
                                             answers to a browser have it.", 2000),
        "Age": text("How old the answer is, in seconds (RFC 9111): only while the database is away, when public answers that were kept are \
                     given on for at most a day.", 10),
        "Allow": text("The methods that the path supports.", 200),
        "Content-Disposition": text("Of a file: that it is one, and the name under which a browser keeps it (RFC 6266).", 300),
        "Deprecation": text("Since when the operation is deprecated, as seconds since 1970 after an `@` (RFC 9745).", 30),
        "ETag": text("The entity tag of this state. Send it in `If-Match` to change the resource, or in `If-None-Match` to ask \
                      whether the state is still the same.", 200),
        "Idempotent-Replayed": text("`true` if this answer repeats the first answer to the same request.", 8),
        "Last-Modified": text("Since when this is the answer, as far as the process knows that gives it (RFC 9110): not before it was \
                               started. Send it in `If-Modified-Since`, or better the `ETag` in `If-None-Match`, which holds longer.", 40),
        "Link": text("The next page (RFC 8288), with `rel=\"next\"`; of deprecated operations also the policy, with `rel=\"deprecation\"`.", 10000),
        "Location": text("The path of the new resource.", 500),
        "RateLimit": text("What is left for the address of the client: `\"requests\";r=599;t=1` means 599 more requests now, and the \
                           whole quota in 1 second. Only where requests are counted (draft-ietf-httpapi-ratelimit-headers).", 200),
        "RateLimit-Policy": text("The quotas of an address: `\"requests\";q=600;w=60` means 600 requests in 60 seconds.", 200),
        "Retry-After": { "description": "The number of seconds to wait before the next attempt.", "schema": { "type": "integer", "format": "int32", "minimum": 0, "maximum": 86400 } },
        "Sunset": text("The time until which the deprecated operation works (RFC 8594).", 40),
        "WWW-Authenticate": text("The challenge, which names the scheme: `Bearer` (RFC 6750), or `Basic` at the token endpoint.", 500),
        "X-Request-Id": text("The request's own `X-Request-Id` if it was well formed, otherwise a new one.", 128),
    })
}

fn security_scheme() -> Value {
    let about = |scope: Scope| match scope {
        Scope::ActionsWrite => "Report on actions of the client's OPD and the OPDs below it.",
        Scope::MeasurementsWrite => "Report measurements of KPIs of the client's OPD and the OPDs below it.",
        Scope::ProgrammesWrite => "Write programmes and Quick Wins of the client's OPD and the OPDs below it.",
        Scope::Read => "Read everything that is not about accounts.",
    };
    let scopes = Scope::ALL.into_iter().map(|scope| (scope.name().to_owned(), json!(about(scope)))).collect::<Map<_, _>>();
    json!({
        "type": "oauth2",
        "description": "Access tokens are RFC 9068 JWTs, signed with ES256, and issued and checked as RFC8725 recommends. They last 15 minutes.",
        "flows": {
            "password": { "tokenUrl": "/v1/auth/token", "refreshUrl": "/v1/auth/token", "scopes": {} },
            "clientCredentials": { "tokenUrl": "/v1/auth/token", "scopes": scopes },
        },
    })
}

/// What needs no login is limited by address, and its answers tell the quotas; where it is public data, also their age.
fn tell_limits(paths: &mut Value) {
    let operations = paths.as_object_mut().into_iter().flatten().flat_map(|(path, operations)| {
        let is_data = path.starts_with("/v1/public/");
        operations.as_object_mut().into_iter().flatten().map(move |(_, operation)| (is_data, operation))
    });
    let limited =
        operations.filter(|(_, operation)| operation["security"] == json!([{}]) && operation["responses"].get("429").is_some());
    for (is_data, operation) in limited {
        let answers = operation["responses"].as_object_mut().into_iter().flatten();
        for (_, answer) in answers.filter(|(status, _)| status.starts_with('2')) {
            // A stream is not kept.
            let may_be_kept = is_data && answer["content"].get(MediaType::EventStream.name()).is_none();
            let names: &[&str] =
                if may_be_kept { &["Age", "RateLimit", "RateLimit-Policy"] } else { &["RateLimit", "RateLimit-Policy"] };
            if let Some(known) = answer.get_mut("headers").and_then(Value::as_object_mut) {
                known.extend(headers(names).as_object().cloned().unwrap_or_default());
            }
        }
    }
}

/// Gives every schema the bounds that follow from its type, unless narrower ones are set.
fn bound(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, member) in object.iter_mut() {
                if !matches!(key.as_str(), "example" | "examples" | "default" | "enum") {
                    bound(member);
                }
            }
            bound_schema(object);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        _ => {}
    }
}

fn bound_schema(object: &mut Map<String, Value>) {
    let types = match object.get("type") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => several.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => return,
    };
    let is = |name: &str| types.iter().any(|one| one == name);
    if is("string") && !object.contains_key("enum") && !object.contains_key("const") {
        let longest = match object.get("format").and_then(Value::as_str) {
            Some("date") => 10,
            Some("date-time") => 35,
            Some("uuid") => 36,
            _ => 10_000,
        };
        object.entry("maxLength").or_insert(json!(longest));
        if !object.contains_key("format") && !object.contains_key("pattern") {
            object.insert("pattern".into(), json!(ANY_TEXT));
        }
    }
    if is("integer") {
        object.entry("format").or_insert(json!("int32"));
        object.entry("minimum").or_insert(json!(0));
        object.entry("maximum").or_insert(json!(i32::MAX));
    }
    if is("array") {
        object.entry("maxItems").or_insert(json!(1000));
    }
}

/// Removes components to which nothing refers.
fn drop_unused(document: &mut Value) {
    loop {
        let mut used = BTreeSet::new();
        collect_references(document, &mut used);
        let mut dropped = false;
        for kind in ["schemas", "responses", "headers"] {
            if let Some(components) = document["components"][kind].as_object_mut() {
                let before = components.len();
                // A linter wants this header in every set of headers, including this set.
                components.retain(|name, _| {
                    used.contains(&format!("#/components/{kind}/{name}")) || name == "Access-Control-Allow-Origin"
                });
                dropped |= components.len() < before;
            }
        }
        if !dropped {
            return;
        }
    }
}

fn collect_references(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, member) in object {
                match member {
                    Value::String(reference) if key == "$ref" => {
                        used.insert(reference.clone());
                    }
                    _ => collect_references(member, used),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, used)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_have_names_of_their_own_and_are_described() {
        let document = document();
        let mut names = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                let name = operation["operationId"].as_str().unwrap_or_default();
                assert!(names.insert(name.to_owned()), "{name} stands twice");
                for member in ["summary", "description"] {
                    assert!(operation[member].as_str().is_some_and(|text| !text.is_empty()), "{method} {path} has no {member}");
                }
            }
        }
        assert!(names.len() > 80, "only {} operations", names.len());
    }

    #[test]
    fn request_examples_fit_their_schemas() {
        let document = document();
        for (path, operations) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                for (_, media) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                    holds(&document, &media["schema"], &media["example"], &format!("request of {method} {path}"));
                }
                for (status, response) in operation["responses"].as_object().into_iter().flatten() {
                    let media = &response["content"]["application/json"];
                    if let Some(example) = media.get("example") {
                        holds(&document, &media["schema"], example, &format!("{status} of {method} {path}"));
                    }
                }
            }
        }
    }

    fn holds(document: &Value, schema: &Value, example: &Value, place: &str) {
        let mut root = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"] });
        if let (Some(root), Some(schema)) = (root.as_object_mut(), schema.as_object()) {
            root.extend(schema.clone());
        }
        let validator = jsonschema::options().build(&root);
        let field_errors = match &validator {
            Ok(validator) => {
                validator.iter_errors(example).map(|error| format!("{}: {error}", error.instance_path())).collect::<Vec<_>>()
            }
            Err(error) => vec![error.to_string()],
        };
        assert!(field_errors.is_empty(), "the example of the {place} does not hold: {field_errors:?}");
    }
}
