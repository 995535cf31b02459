//! Changing and deleting: PATCH, DELETE and the history of both, alike for every resource.

use renaksi_tests::resource::{OPDS, all};
use renaksi_tests::{Actor, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

on_shared_servers! {
    async fn a_change_needs_the_tag_last_read(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (key, created) = resource.create(&admin).await;
            let (path, first) = (resource.one(&key), created.etag());
            let change = json!({ resource.text: "Nama baru" });

            admin.patch(&path, change.clone()).await.is(428).has_problem("precondition_required");
            admin.patch(&path, change.clone()).if_match("\"nonsense\"").await.is(412).has_problem("precondition_failed");
            let second = admin.patch(&path, change.clone()).if_match(&first).await.is(200).has(resource.text, "Nama baru").has("version", 2);
            admin.patch(&path, change).if_match(&first).await.is(412);
            assert_eq!(admin.etag_of(&path).await, second.etag());
        }
    }

    async fn a_merge_patch_changes_what_it_names(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (key, before) = resource.create(&admin).await;
            let path = resource.one(&key);
            let Some(optional) = resource.optional else { continue };
            let cleared = admin.patch(&path, json!({ optional: null })).if_match(&before.etag()).await.is(200);
            let mut expected = before.json();
            for member in [optional, "version", "etag", "updated_at"] {
                expected[member] = cleared.at(member);
            }
            assert_eq!(cleared.json(), expected, "only what the patch names changes");
            assert_eq!(cleared.at(optional), json!(null));

            // `application/json` is taken as the same.
            let patch = admin.patch(&path, json!({ resource.text: "Nama" })).header("Content-Type", "application/json");
            patch.if_match(&cleared.etag()).await.is(200).has(resource.text, "Nama");
        }
    }

    async fn a_bad_patch_changes_nothing(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (key, created) = resource.create(&admin).await;
            let (path, etag) = (resource.one(&key), created.etag());
            let text = format!("/{}", resource.text);

            admin.patch(&path, json!({ resource.text: null })).if_match(&etag).await.is(422).has_fault_at(&text);
            admin.patch(&path, json!({ resource.key: "ELSE", "tpyo": 1, resource.text: 5 })).if_match(&etag).await
                .is(422).has_fault_at(&format!("/{}", resource.key)).has_fault_at("/tpyo").has_fault_at(&text);
            admin.patch(&path, json!({ "version": 9 })).if_match(&etag).await.is(422).has_fault_at("/version");
            admin.patch(&path, json!("text")).if_match(&etag).await.is(422);
            assert_eq!(admin.etag_of(&path).await, etag);
        }
    }

    async fn deleting_needs_the_tag_and_leaves_nothing(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (key, created) = resource.create(&admin).await;
            let (path, etag) = (resource.one(&key), created.etag());

            admin.delete(&path).await.is(428).has_problem("precondition_required");
            admin.delete(&path).if_match("\"nonsense\"").await.is(412).has_problem("precondition_failed");
            admin.delete(&path).if_match(&etag).await.is(204);
            admin.get(&path).await.is(404).has_problem("not_found");
            admin.delete(&path).if_match(&etag).await.is(404);
        }
    }

    async fn what_refers_is_named(app) {
        let admin = app.admin().await;
        let (parent, body) = OPDS.new_body();
        let etag = admin.create(OPDS.path, body).await.etag();
        let (child, mut body) = OPDS.new_body();
        body["parent"] = json!(parent);
        admin.create(OPDS.path, body).await;

        let refused = admin.delete(OPDS.one(&parent)).if_match(&etag).await.is(409);
        let named = refused.at("referenced_by").to_string();
        assert!(named.contains(&child), "{named}");
    }

    async fn history_tells_who_changed_what(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (key, created) = resource.create(&admin).await;
            let path = resource.one(&key);
            let patch = admin.patch(&path, json!({ resource.text: "Sesudah" })).if_match(&created.etag()).header("X-Request-Id", "history-test-1");
            let changed = patch.await.is(200);
            admin.delete(&path).if_match(&changed.etag()).await.is(204);

            let events = history(&admin, &path).await;
            let actions = events.iter().map(|event| event["action"].as_str().unwrap()).collect::<Vec<_>>();
            assert_eq!(actions, ["created", "updated", "deleted"], "{path}");
            assert_eq!(events[0]["before"], json!(null));
            assert_eq!(events[0]["after"], resource.recorded(created.json()));
            assert_eq!(events[1]["before"], resource.recorded(created.json()));
            assert_eq!(events[1]["after"], resource.recorded(changed.json()));
            assert_eq!(events[1]["request_id"], json!("history-test-1"));
            assert_eq!(events[2]["after"], json!(null));
            let actor = events[1]["actor"].to_string();
            assert!(actor.contains("admin@demo.invalid"), "{actor}");
        }
    }

    async fn a_thing_made_again_goes_on_in_its_history(app) {
        let admin = app.admin().await;
        let (code, body) = OPDS.new_body();
        let path = OPDS.one(&code);
        let first = admin.create(OPDS.path, body.clone()).await.etag();
        admin.delete(&path).if_match(&first).await.is(204);
        let second = admin.create(OPDS.path, body).await;
        assert_eq!(history(&admin, &path).await.len(), 3);
        // A tag of the first life does not fit the second one.
        assert_ne!(second.etag(), first);
    }
}

on_both_databases! {
    async fn what_is_referred_to_stays(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let Some(code) = resource.referred_to else { continue };
            let path = resource.one(code);
            let etag = admin.etag_of(&path).await;
            let refused = admin.delete(&path).if_match(&etag).await.is(409).has_problem("still_referenced");
            let referrers = refused.at("referenced_by");
            assert!(referrers.as_array().is_some_and(|list| !list.is_empty()), "{referrers}");
            assert_eq!(admin.etag_of(&path).await, etag);
        }
    }
}

/// The events of one thing, oldest first.
async fn history(admin: &Actor, path: &str) -> Vec<Value> {
    admin.get(format!("{path}/history")).await.is(200).rows()
}
