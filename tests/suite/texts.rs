//! Texts for people: each in English and in Indonesian, and none a regular expression.

use std::collections::BTreeSet;

use renaksi_tests::document::{Document, Operation};
use renaksi_tests::{Actor, Answer, on_a_shared_server};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// The members that people read.
const READ: [&str; 3] = ["title", "detail", "error_description"];

/// How a value is wrong.
#[derive(Clone, Copy)]
enum Wrong {
    Type,
    Form,
    Size,
    Little,
    Absent,
}

const WRONGS: [Wrong; 5] = [Wrong::Type, Wrong::Form, Wrong::Size, Wrong::Little, Wrong::Absent];

/// What was read, for the question whether it was enough.
#[derive(Default)]
struct Read {
    texts: usize,
    problems: BTreeSet<String>,
    faults: BTreeSet<String>,
}

impl Read {
    /// Holds two answers to one request, in two languages, to each other.
    fn compare(&mut self, english: &Answer, indonesian: &Answer) {
        if english.status() < 400 || english.bytes().is_empty() {
            return;
        }
        assert_eq!(english.status(), indonesian.status(), "{english:?}\n{indonesian:?}");
        self.walk(english, &english.json(), &indonesian.json());
    }

    fn walk(&mut self, answer: &Answer, english: &Value, indonesian: &Value) {
        match (english, indonesian) {
            (Value::Object(english), Value::Object(indonesian)) => {
                if let Some(code) = english.get("code").and_then(Value::as_str) {
                    let codes = if english.contains_key("status") { &mut self.problems } else { &mut self.faults };
                    codes.insert(code.to_owned());
                }
                assert!(english.keys().eq(indonesian.keys()), "{answer:?}");
                for ((name, english), indonesian) in english.iter().zip(indonesian.values()) {
                    match (english.as_str(), indonesian.as_str()) {
                        (Some(english), Some(indonesian)) if READ.contains(&name.as_str()) => {
                            self.texts += 1;
                            assert_ne!(english, indonesian, "{name} is the same in both languages: {answer:?}");
                            for text in [english, indonesian] {
                                assert!(!is_pattern(text), "{name} shows a regular expression, {text:?}: {answer:?}");
                            }
                        }
                        _ => self.walk(answer, english, indonesian),
                    }
                }
            }
            (Value::Array(english), Value::Array(indonesian)) => {
                assert_eq!(english.len(), indonesian.len(), "{answer:?}");
                english.iter().zip(indonesian).for_each(|(english, indonesian)| self.walk(answer, english, indonesian));
            }
            _ => {}
        }
    }
}

fn is_pattern(text: &str) -> bool {
    ["^", "\\", "[A-Z", "[a-z", "[0-9", "(?", "){", "]{", "]+", "]*", ")$"].iter().any(|sign| text.contains(sign))
}

/// A value that a schema forbids in one way.
fn wrong(schema: &Value, way: Wrong, depth: u32) -> Value {
    let schema = resolved(schema);
    let options = ["oneOf", "anyOf", "allOf"].iter().filter_map(|name| schema[*name].as_array()).flatten();
    let types =
        [schema["type"].clone()].into_iter().chain(options.map(|option| resolved(option)["type"].take())).collect::<Vec<_>>();
    let is = |name: &str| {
        types.iter().any(|types| types == name || types.as_array().is_some_and(|types| types.contains(&json!(name))))
    };
    if schema["properties"].is_object() && depth < 4 && !(depth > 0 && matches!(way, Wrong::Type)) {
        return Value::Object(wrong_members(&schema, way, depth));
    }
    match way {
        Wrong::Type if is("object") || schema["properties"].is_object() => json!("x"),
        Wrong::Type => json!({ "x": 1 }),
        Wrong::Absent => json!({}),
        Wrong::Form if is("array") => json!([wrong(&schema["items"], way, depth + 1), wrong(&schema["items"], way, depth + 1)]),
        Wrong::Size if is("array") => Value::Array(vec![wrong(&schema["items"], Wrong::Form, depth + 1); 1_001]),
        Wrong::Little if is("array") => json!([]),
        Wrong::Form if is("string") => json!("~ 1,5 ~"),
        Wrong::Size if is("string") => json!("x".repeat(11_000)),
        Wrong::Little if is("string") => json!(""),
        Wrong::Form if is("integer") || is("number") => json!(1.5),
        Wrong::Size if is("integer") || is("number") => json!(9_000_000_000_000_000_000_i64),
        Wrong::Little if is("integer") || is("number") => json!(-9_000_000_000_000_000_000_i64),
        _ => json!("x"),
    }
}

/// Members that are all wrong, and one that is not known.
fn wrong_members(schema: &Value, way: Wrong, depth: u32) -> Map<String, Value> {
    let mut members = Map::from_iter([("tpyo".to_owned(), json!(1))]);
    if !matches!(way, Wrong::Absent) {
        let properties = schema["properties"].as_object().into_iter().flatten();
        members.extend(properties.map(|(name, schema)| (name.clone(), wrong(schema, way, depth + 1))));
    }
    members
}

fn resolved(schema: &Value) -> Value {
    let target = schema["$ref"].as_str().and_then(|reference| Document::get().root().pointer(&reference[1..]));
    target.map_or_else(|| schema.clone(), resolved)
}

/// The path of something that exists, as far as its code is known beforehand.
fn path_of(operation: &Operation) -> String {
    let collection =
        operation.path.split('/').rfind(|segment| !segment.starts_with('{') && operation.path.contains(&format!("{segment}/{{")));
    let code = match collection {
        Some("programmes") => "SL-01",
        Some("kpis") => "STUNTING",
        Some("quick-wins") => "QW-SS",
        Some("opds") => "DINKES",
        Some("masterplans") => "KLU-SC",
        _ => "NO-SUCH",
    };
    operation.path_with(|name| match name {
        "id" | "delivery" => "01890000-0000-7000-8000-000000000000".to_owned(),
        "period" => "2022".to_owned(),
        "quarter" => "3".to_owned(),
        _ => code.to_owned(),
    })
}

/// The query of an operation with every parameter wrong, and one that is not known.
fn wrong_query(operation: &Operation) -> String {
    let parameters = operation.value["parameters"].as_array().into_iter().flatten().map(resolved);
    let names =
        parameters.filter(|parameter| parameter["in"] == "query").map(|parameter| parameter["name"].as_str().unwrap().to_owned());
    names
        .chain(["tpyo".to_owned()])
        .map(|name| format!("{}=~~", name.replace('[', "%5B").replace(']', "%5D")))
        .collect::<Vec<_>>()
        .join("&")
}

async fn ask(actor: &Actor, operation: &Operation, path: &str, body: Option<&Value>, language: &str) -> Answer {
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
    // The tag fits nothing, so that nothing is changed whatever the body is.
    let request = actor.request(method, path).header("Accept-Language", language).if_match("\"0\"");
    match body {
        Some(body) => request.json(body).await,
        None => request.await,
    }
}

on_a_shared_server! {
    async fn every_text_of_a_refusal_exists_in_both_languages(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let mut read = Read::default();
        for operation in Document::get().operations() {
            let path = path_of(&operation);
            for actor in [&admin, &client, &app.anyone()] {
                let path = format!("{path}?{}", wrong_query(&operation));
                let answers = [ask(actor, &operation, &path, None, "en").await, ask(actor, &operation, &path, None, "id").await];
                read.compare(&answers[0], &answers[1]);
            }
            let schema = &operation.value["requestBody"]["content"]["application/json"]["schema"];
            if !schema.is_null() {
                for way in WRONGS {
                    let body = match resolved(schema)["items"].is_object() {
                        true => json!([wrong(&resolved(schema)["items"], way, 0), 1]),
                        false => wrong(schema, way, 0),
                    };
                    for actor in [&admin, &client] {
                        let english = ask(actor, &operation, &path, Some(&body), "en").await;
                        read.compare(&english, &ask(actor, &operation, &path, Some(&body), "id").await);
                    }
                }
            }
        }
        assert!(read.texts > 3_000, "only {} texts were read", read.texts);
        for code in ["invalid", "invalid_parameter", "not_found", "unauthenticated", "forbidden", "rows_rejected"] {
            assert!(read.problems.contains(code), "no {code} among {:?}", read.problems);
        }
        let known = app.anyone().get("/problems").await.is(200).at("errors");
        let known = known.as_array().unwrap().iter().map(|kind| kind["code"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
        let of_schemas = [
            "required", "unknown_field", "unknown_parameter", "wrong_type", "wrong_pattern", "wrong_format", "not_allowed", "too_long", "too_short",
            "too_many", "too_few", "too_large", "too_small", "invalid_value",
        ];
        for code in of_schemas {
            assert!(read.faults.contains(code), "no {code} among {:?}", read.faults);
        }
        // A row of a push may have the code of a problem.
        assert!(read.faults.iter().all(|code| known.contains(code) || read.problems.contains(code)), "{:?}", read.faults.difference(&known));
    }

    async fn refusals_of_the_token_endpoint_exist_in_both_languages(app) {
        let anyone = app.anyone();
        let mut read = Read::default();
        let refused = [
            ("/v1/auth/token", vec![("grant_type", "magic")]),
            ("/v1/auth/token", vec![]),
            ("/v1/auth/token", vec![("grant_type", "password"), ("username", "a@b.invalid")]),
            ("/v1/auth/token", vec![("grant_type", "password"), ("username", "nobody@demo.invalid"), ("password", "kata-sandi-yang-salah")]),
            ("/v1/auth/token", vec![("grant_type", "refresh_token")]),
            ("/v1/auth/token", vec![("grant_type", "refresh_token"), ("refresh_token", "made-up")]),
            ("/v1/auth/token", vec![("grant_type", "client_credentials")]),
            ("/v1/auth/token", vec![("grant_type", "client_credentials"), ("client_id", "no-such"), ("client_secret", "x")]),
            ("/v1/auth/token", vec![("grant_type", "client_credentials"), ("client_id", "demo-dinkes"), ("client_secret", renaksi_tests::server::CLIENT_SECRET), ("scope", "everything")]),
            ("/v1/auth/revoke", vec![]),
        ];
        for (path, form) in &refused {
            let english = anyone.post_form(*path, form).await;
            assert!([400, 401].contains(&english.status()), "{english:?}");
            let english = { let status = english.status(); english.is(status) };
            let indonesian = anyone.post_form(*path, form).header("Accept-Language", "id").await.has_header("content-language", "id");
            assert_eq!(english.at("error"), indonesian.at("error"), "the word is that of the standard");
            for answer in [&english, &indonesian] {
                // RFC 6749 §5.2
                let text = answer.text_at("error_description");
                assert!(text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{text}");
                assert_eq!(answer.header("cache-control"), Some("no-store"));
            }
            read.compare(&english, &indonesian);
        }
        assert_eq!(read.texts, refused.len());
    }
}
