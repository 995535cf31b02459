//! The OpenAPI document: the one that is served is the one that is committed, and it says all that a client needs.

use std::collections::HashSet;

use renaksi_tests::document::{Document, committed};
use renaksi_tests::{on_a_shared_server, server};
use serde_json::Value;

on_a_shared_server! {
    async fn the_served_document_is_the_committed_one(app) {
        let served = app.anyone().get("/openapi.json").await;
        assert_eq!(served.status(), 200);
        assert_eq!(&served.json(), Document::get().root(), "regenerate openapi/openapi.json");
        let yaml = app.anyone().get("/openapi.yaml").await;
        assert_eq!(yaml.status(), 200);
        assert!(yaml.text().contains("openapi: 3.1"), "{yaml:?}");
    }

    async fn the_reference_page_needs_no_internet(app) {
        let anyone = app.anyone();
        let mut page = anyone.get("/docs").await;
        if [301, 302, 303, 307, 308].contains(&page.status()) {
            page = anyone.get(page.header("location").unwrap()).await;
        }
        assert_eq!((page.status(), page.media_type()), (200, "text/html"), "{page:?}");
        let text = page.text();
        for attribute in ["src=\"http", "src=\"//", "href=\"http", "href=\"//"] {
            assert!(!text.contains(attribute), "{attribute} in {text}");
        }
    }
}

#[test]
fn the_command_prints_the_committed_document() {
    // No database, no settings: the document is part of the program.
    let output = server::command(&["openapi"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let committed = std::fs::read_to_string(committed()).unwrap();
    assert!(String::from_utf8_lossy(&output.stdout) == committed, "regenerate openapi/openapi.json with `renaksi openapi`");
}

#[test]
fn every_operation_is_described_once() {
    let operations = Document::get().operations();
    let mut ids = HashSet::new();
    for operation in &operations {
        let text = |member: &str| operation.value[member].as_str().unwrap_or_default().trim().to_owned();
        assert!(!text("summary").is_empty(), "{} has no summary", operation.name());
        assert!(!text("description").is_empty(), "{} has no description", operation.name());
        assert!(operation.value["tags"].as_array().is_some_and(|tags| !tags.is_empty()), "{} has no tag", operation.name());
        assert!(
            !text("operationId").is_empty() && ids.insert(text("operationId")),
            "{} has no operationId of its own",
            operation.name()
        );
        let success = operation.value["responses"].as_object().unwrap().keys().any(|status| status.starts_with('2'));
        assert!(success, "{} lists no success", operation.name());
    }
    assert!(operations.len() > 60, "only {} operations", operations.len());
}

#[test]
fn private_operations_list_their_refusals() {
    for operation in Document::get().operations().iter().filter(|operation| !operation.public) {
        for status in ["401", "403"] {
            assert!(operation.value["responses"].get(status).is_some(), "{} does not list {status}", operation.name());
        }
    }
}

#[test]
fn decimals_are_texts() {
    let mut found = 0;
    walk(Document::get().root(), &mut |value| {
        if value["format"] == "decimal" {
            found += 1;
            assert!(value["type"].to_string().contains("string"), "{value}");
        }
    });
    assert!(found > 0, "the document has no decimal");
}

#[test]
fn public_schemas_know_no_contact() {
    let document = Document::get().root();
    for (name, schema) in
        document["components"]["schemas"].as_object().unwrap().iter().filter(|(name, _)| name.starts_with("Public"))
    {
        let members = schema["properties"].as_object().cloned().unwrap_or_default();
        for hidden in ["email", "phone", "version"] {
            assert!(!members.contains_key(hidden), "{name} has `{hidden}`");
        }
    }
}

fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Object(members) => members.values().for_each(|member| walk(member, visit)),
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}
