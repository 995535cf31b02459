//! What a request does not mention stays: no schema of a request says otherwise, and no `PATCH` does otherwise.

use std::collections::BTreeSet;

use renaksi_tests::document::Document;
use renaksi_tests::resource::all;
use renaksi_tests::{on_both_databases, on_shared_servers};
use serde_json::{Value, json};

on_shared_servers! {
    async fn what_a_patch_does_not_mention_stays(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (key, created) = resource.create(&admin).await;
            let (path, mut before) = (resource.one(&key), created.json());
            let mut etag = created.etag();
            let (_, other) = resource.new_body();
            for (member, value) in other.as_object().unwrap().iter().filter(|(member, _)| *member != resource.key) {
                for value in [changed(value), value.clone(), Value::Null] {
                    let answer = admin.patch(&path, json!({ member: value })).if_match(&etag).await;
                    if ![409, 422].contains(&answer.status()) {
                        etag = answer.is(200).etag();
                    }
                    let after = admin.get(&path).await.is(200).json();
                    let free = [member.as_str(), "version", "etag", "updated_at"];
                    let differs = after.as_object().unwrap().iter().filter(|(name, value)| {
                        !free.contains(&name.as_str()) && !resource.computed.contains(&name.as_str()) && before[name.as_str()] != **value
                    });
                    let differs = differs.map(|(name, _)| name.clone()).collect::<Vec<_>>();
                    // Of a survey the index follows from its scores.
                    let follows = member == "scores" && differs.iter().all(|name| !other.as_object().unwrap().contains_key(name));
                    assert!(differs.is_empty() || follows, "{path}: {member} = {value} changed {differs:?}");
                    before = after;
                }
            }
        }
    }
}

on_both_databases! {
    async fn accounts_keep_what_a_patch_does_not_mention(app) {
        let admin = app.admin().await;
        let hook = json!({ "url": "https://sistem.example.go.id/renaksi", "description": "Dasbor", "event_types": ["opd.*"], "active": false });
        let created = admin.create("/v1/webhooks", hook).await;
        let path = format!("/v1/webhooks/{}", created.text_at("id"));
        let after = admin.patch(&path, json!({ "description": "Lain" })).if_match(&created.etag()).await.is(200);
        after.has("active", false).has("event_types", json!(["opd.*"])).has("url", "https://sistem.example.go.id/renaksi");
        let target = "/v1/opds/DLH";
        let dissolved = admin.patch(target, json!({ "active": false })).if_match(&admin.etag_of(target).await).await.is(200);
        admin.patch(target, json!({ "short_name": "BB" })).if_match(&dissolved.etag()).await.is(200).has("active", false);
    }
}

/// Another value of the same kind, as far as that can be told.
fn changed(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => json!(!flag),
        Value::String(text) if !text.contains(['-', '.', '/', '@']) && text.contains(' ') => json!(format!("{text} lain")),
        other => other.clone(),
    }
}

#[test]
fn no_schema_of_a_request_says_what_an_absent_member_becomes() {
    let root = Document::get().root();
    let mut walked = BTreeSet::new();
    for operation in Document::get().operations() {
        for media in operation.value["requestBody"]["content"].as_object().into_iter().flatten().map(|(_, media)| media) {
            must_have_no_default(root, &media["schema"], &operation.name(), &mut walked);
        }
    }
    assert!(walked.len() > 40, "only {} schemas of requests", walked.len());
}

fn must_have_no_default(root: &Value, schema: &Value, place: &str, walked: &mut BTreeSet<String>) {
    assert!(schema.get("default").is_none(), "{place} has a default: {schema}");
    match schema {
        Value::Object(members) => {
            if let Some(reference) = schema["$ref"].as_str() {
                let target = root.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference} is missing"));
                if walked.insert(reference.to_owned()) {
                    must_have_no_default(root, target, &format!("{place} → {reference}"), walked);
                }
            }
            // A member may be called `default`; a schema of one may not.
            for (name, member) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "examples" | "enum")) {
                must_have_no_default(root, member, &format!("{place}/{name}"), walked);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| must_have_no_default(root, item, place, walked)),
        _ => {}
    }
}
