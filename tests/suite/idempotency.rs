//! Retries: the same Idempotency-Key gets the first answer again.

use renaksi_tests::resource::{OPDS, all};
use renaksi_tests::{on_a_shared_server, on_both_databases, on_shared_servers, unique};
use serde_json::json;

on_shared_servers! {
    async fn a_retry_gets_the_first_answer(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (_, body) = resource.new_body();
            let key = unique::word();
            let first = admin.post(resource.path, body.clone()).idempotency_key(&key).await.is(201);
            assert_eq!(first.header("idempotent-replayed"), None);
            for again in [key.clone(), format!("\"{key}\"")] {
                let retry = admin.post(resource.path, body.clone()).idempotency_key(&again).await.is(201);
                assert_eq!(retry.json(), first.json());
                assert_eq!(retry.header("location"), first.header("location"));
                assert_eq!(retry.etag(), first.etag());
                retry.has_header("idempotent-replayed", "true");
            }
            assert_eq!(admin.get(format!("{}/history", resource.one(&first.text_at(resource.key)))).await.is(200).rows().len(), 1);
        }
    }

    async fn a_key_belongs_to_one_body(app) {
        let admin = app.admin().await;
        let key = unique::word();
        let (_, body) = OPDS.new_body();
        admin.post(OPDS.path, body).idempotency_key(&key).await.is(201);
        let (other, body) = OPDS.new_body();
        admin.post(OPDS.path, body).idempotency_key(&key).await.is(422).has_problem("idempotency_key_reused");
        admin.get(OPDS.one(&other)).await.is(404);
    }

    async fn a_key_belongs_to_one_person_and_path(app) {
        let (admin, operator) = (app.admin().await, app.operator_dinkes().await);
        let key = unique::word();
        let (_, programme) = renaksi_tests::resource::PROGRAMMES.new_body();
        admin.post("/v1/programmes", programme).idempotency_key(&key).await.is(201);
        // The same key of somebody else is another key.
        let (code, programme) = renaksi_tests::resource::PROGRAMMES.new_body();
        operator.post("/v1/programmes", programme).idempotency_key(&key).await.is(201).has("code", code);
        let (code, opd) = OPDS.new_body();
        admin.post(OPDS.path, opd).idempotency_key(&key).await.is(201).has("code", code);
    }

    async fn a_refused_request_may_be_corrected(app) {
        let admin = app.admin().await;
        let key = unique::word();
        let (_, body) = OPDS.new_body();
        let mut wrong = body.clone();
        wrong["tpyo"] = json!(1);
        admin.post(OPDS.path, wrong).idempotency_key(&key).await.is(422).has_problem("invalid");
        let corrected = admin.post(OPDS.path, body).idempotency_key(&key).await;
        // Nothing was done under the key, so it is free; a service that keeps refusals says so clearly.
        assert!(corrected.status() == 201, "{corrected:?}");
    }
}

on_a_shared_server! {
    async fn a_strange_key_is_refused(app) {
        let admin = app.admin().await;
        for key in ["", "\"\"", &"k".repeat(5000)] {
            let (_, body) = OPDS.new_body();
            admin.post(OPDS.path, body).idempotency_key(key).await.is(400).has_problem("malformed_request");
        }
    }
}

on_both_databases! {
    async fn a_retry_after_a_restart_gets_the_first_answer(app) {
        let admin = app.admin().await;
        let key = unique::word();
        let (_, body) = OPDS.new_body();
        let first = admin.post(OPDS.path, body.clone()).idempotency_key(&key).await.is(201);
        app.server().kill9();
        app.server().restart();
        let retry = app.admin().await.post(OPDS.path, body).idempotency_key(&key).await.is(201).has_header("idempotent-replayed", "true");
        assert_eq!(retry.json(), first.json());
    }
}
