//! Creating and replacing: POST and PUT, alike for every resource.

use renaksi_tests::resource::{Resource, all};
use renaksi_tests::{Actor, on_shared_servers};
use serde_json::json;

on_shared_servers! {
    async fn a_created_thing_has_a_place_and_a_tag(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (code, body) = resource.new_body();
            let (key, created) = resource.create_as(&admin, body.clone()).await;
            assert!(!resource.is_coded() || key == code);
            let created = created.has("version", 1);
            let place = created.header("location").expect("Location").to_owned();
            assert!(place.ends_with(&resource.one(&key)), "Location is {place}");

            let read = admin.get(resource.one(&key)).await.is(200);
            assert_eq!(read.json(), created.json(), "what was answered is what is stored");
            assert_eq!(read.etag(), created.etag());
            assert_eq!(read.at("created_at"), read.at("updated_at"));
            for (member, value) in body.as_object().unwrap() {
                assert_eq!(&read.at(member), value, "`{member}` of {}", resource.path);
            }
        }
    }

    async fn a_code_is_taken_once(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await.into_iter().filter(Resource::is_coded) {
            let (code, body) = resource.new_body();
            admin.create(resource.path, body.clone()).await;
            admin.post(resource.path, body).await.is(409).has_problem("already_exists");
            assert_eq!(history_length(&admin, resource, &code).await, 1);
        }
    }

    async fn put_creates_and_then_replaces(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (code, body) = resource.new_body();
            let (key, created) = if resource.is_coded() {
                let created = admin.put(resource.one(&code), body.clone()).await.is(201).has("version", 1);
                assert!(created.header("location").is_some_and(|place| place.ends_with(&resource.one(&code))));
                (code, created)
            } else {
                resource.create_as(&admin, body.clone()).await
            };
            let path = resource.one(&key);

            let mut change = body.clone();
            change[resource.text] = json!("Nama pengganti");
            if let Some(optional) = resource.optional {
                change.as_object_mut().unwrap().remove(optional);
            }
            admin.put(&path, change.clone()).await.is(428).has_problem("precondition_required");
            admin.put(&path, change.clone()).if_match("\"stale\"").await.is(412).has_problem("precondition_failed");
            let replaced = admin.put(&path, change.clone()).if_match(&created.etag()).await.is(200).has("version", 2);
            assert_ne!(replaced.etag(), created.etag());
            let replaced = replaced.has(resource.text, "Nama pengganti");
            if let Some(optional) = resource.optional {
                assert_eq!(replaced.at(optional), json!(null), "what is left out is not kept");
            }
            admin.put(&path, change).if_match(&created.etag()).await.is(412);
            assert_eq!(history_length(&admin, resource, &key).await, 2);
        }
    }

    async fn put_creates_only_when_asked_to(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await.into_iter().filter(Resource::is_coded) {
            let (code, body) = resource.new_body();
            let path = resource.one(&code);
            admin.put(&path, body.clone()).if_none_match("*").await.is(201);
            admin.put(&path, body.clone()).if_none_match("*").await.is(412).has_problem("precondition_failed");
            // Replacing what is not there is no creation in disguise.
            admin.put(resource.one(&resource.new_code()), without_code(body)).if_match("\"1\"").await.is(412);
            assert_eq!(history_length(&admin, resource, &code).await, 1);
        }
    }

    async fn the_code_of_the_path_is_the_code(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await.into_iter().filter(Resource::is_coded) {
            let (code, body) = resource.new_body();
            let other = resource.new_code();
            admin.put(resource.one(&other), body.clone()).await.is(422).has_fault_at("/code");
            admin.get(resource.one(&other)).await.is(404);
            admin.put(resource.one(&code), without_code(body)).await.is(201).has("code", code);
        }
    }

    async fn an_id_is_made_by_the_service(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await.into_iter().filter(|resource| !resource.is_coded()) {
            let (key, created) = resource.create(&admin).await;
            assert!(key.len() == 36 && key.as_bytes()[14] == b'7', "{key} is no UUIDv7");
            let other = "0183a000-0000-7000-8000-000000000000";
            let (_, mut body) = resource.new_body();
            admin.put(resource.one(other), body.clone()).await.is(404).has_problem("not_found");
            body["id"] = json!(other);
            admin.post(resource.path, body.clone()).await.is(422).has_fault_at("/id");
            admin.put(resource.one(&key), body.clone()).if_match(&created.etag()).await.is(422).has_fault_at("/id");
            body["id"] = json!(key);
            admin.put(resource.one(&key), body).if_match(&created.etag()).await.is(200).has("id", key);
        }
    }

    async fn every_fault_is_listed_with_its_pointer(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (_, mut body) = resource.new_body();
            let (key, text) = (format!("/{}", resource.key), format!("/{}", resource.text));
            body[resource.key] = json!("no spaces, please");
            body[resource.text] = json!(17);
            body["tpyo"] = json!(true);
            admin.post(resource.path, body).await.is(422).has_problem("invalid").has_fault_at(&key).has_fault_at(&text).has_fault_at("/tpyo");
            let empty = admin.post(resource.path, json!({})).await.is(422).has_fault_at(&text);
            if resource.is_coded() {
                empty.has_fault_at(&key);
            }
            admin.post(resource.path, json!([])).await.is(422);
            admin.post(resource.path, json!(null)).await.is(422);
        }
    }

    async fn an_empty_name_is_no_name(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (_, mut body) = resource.new_body();
            body[resource.text] = json!("   ");
            admin.post(resource.path, body.clone()).await.is(422).has_fault_at(&format!("/{}", resource.text));
            body[resource.text] = json!("x".repeat(100_000));
            admin.post(resource.path, body).await.is(422).has_fault_at(&format!("/{}", resource.text));
        }
    }
}

async fn history_length(admin: &Actor, resource: Resource, key: &str) -> usize {
    admin.get(format!("{}/history", resource.one(key))).await.is(200).rows().len()
}

fn without_code(mut body: serde_json::Value) -> serde_json::Value {
    body.as_object_mut().unwrap().remove("code");
    body
}
