//! Renaksi: cumulative targets, and what verified reports make of them.

use renaksi_tests::resource::{ACTIONS, PROGRAMMES};
use renaksi_tests::{Actor, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

on_shared_servers! {
    async fn targets_count_from_the_beginning_of_the_year(app) {
        let admin = app.admin().await;
        for (targets, pointer) in [
            (json!({ "q1": "1", "q2": "0", "q3": "4", "q4": "6" }), "/targets/q2"),
            (json!({ "q1": "0", "q2": "2", "q3": "4", "q4": "3.99" }), "/targets/q4"),
            (json!({ "q1": "-1", "q2": "2", "q3": "4", "q4": "6" }), "/targets/q1"),
            (json!({ "q1": "0", "q2": "2", "q3": "4" }), "/targets/q4"),
            (json!({ "q1": "0", "q2": "2", "q3": "4", "q4": null }), "/targets/q4"),
            (json!({ "q1": "0", "q2": "2", "q3": "4", "q4": "6", "q5": "7" }), "/targets/q5"),
        ] {
            let (_, mut body) = ACTIONS.new_body();
            body["targets"] = targets;
            admin.post(ACTIONS.path, body).await.is(422).has_fault_at(pointer);
        }
        for weight in ["0", "-1"] {
            let (_, mut body) = ACTIONS.new_body();
            body["weight"] = json!(weight);
            admin.post(ACTIONS.path, body).await.is(422).has_fault_at("/weight");
        }
        let (_, mut body) = ACTIONS.new_body();
        body.as_object_mut().unwrap().remove("weight");
        body["targets"] = json!({ "q1": 0, "q2": 0, "q3": 0, "q4": 0 });
        admin.create(ACTIONS.path, body).await.has("weight", "1").has("targets/q4", "0");
    }

    async fn an_action_belongs_to_its_opd(app) {
        let (operator, stranger) = (app.operator_dinkes().await, app.operator_dlh().await);
        let (_, body) = ACTIONS.new_body();
        stranger.post(ACTIONS.path, body.clone()).await.is(403).has_problem("outside_own_opd");
        app.verifier().await.post(ACTIONS.path, body.clone()).await.is(403).has_problem("forbidden");
        app.client_dinkes().await.create(ACTIONS.path, body).await;
        let path = new_action(&operator, json!({ "opd": "PKM-KAYANGAN" })).await;
        let etag = operator.etag_of(&path).await;
        operator.patch(&path, json!({ "opd": "DLH" })).if_match(&etag).await.is(403).has_problem("outside_own_opd");
        stranger.patch(&path, json!({ "title": "Lain" })).if_match(&etag).await.is(403).has_problem("outside_own_opd");
    }

    async fn what_was_reported_on_stays(app) {
        let operator = app.operator_dinkes().await;
        let path = new_action(&operator, json!({})).await;
        let draft = operator.put(format!("{path}/reports/1"), json!({ "realisation": "1" })).await.is(201);
        let etag = operator.etag_of(&path).await;
        let refused = operator.delete(&path).if_match(&etag).await.is(409).has_problem("still_referenced");
        refused.has("referenced_by/0/resource", "action_report");
        operator.delete(format!("{path}/reports/1")).if_match(&draft.etag()).await.is(204);
        operator.delete(&path).if_match(&etag).await.is(204);
    }

    async fn the_public_sees_what_is_published_and_verified(app) {
        let (admin, verifier, anyone) = (app.admin().await, app.verifier().await, app.anyone());
        let path = new_action(&admin, json!({ "published": true })).await;
        let public = path.replace("/v1/", "/v1/public/");
        report(&admin, &path, 2, "3").await;
        let seen = anyone.get(&public).await.is(200).has("progress", "0.00").has("programme", "SL-01");
        for member in ["published", "version", "created_at"] {
            assert!(seen.json().get(member).is_none(), "{seen:?}");
        }
        verifier.post(format!("{path}/reports/2/verify"), json!({})).await.is(200);
        anyone.get(&public).await.is(200).has("progress", "50.00").has("realisation/q2", "3");

        // Of a programme that is hidden the public sees no action.
        let (code, mut programme) = PROGRAMMES.new_body();
        programme["published"] = json!(false);
        admin.create(PROGRAMMES.path, programme).await;
        let etag = admin.etag_of(&path).await;
        admin.patch(&path, json!({ "programme": code })).if_match(&etag).await.is(200);
        anyone.get(&public).await.is(404).has_problem("not_found");
        let listed = anyone.get(format!("/v1/public/actions?programme={code}")).await.is(200);
        assert!(listed.rows().is_empty(), "{listed:?}");
    }
}

on_both_databases! {
    async fn an_action_shows_what_is_verified(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        let path = new_action(&operator, json!({})).await;
        let nothing = json!({ "q1": null, "q2": null, "q3": null, "q4": null });
        let shown = operator.get(&path).await.is(200).has("realisation", nothing.clone());
        // Its year is over, and nothing of it is done.
        let shown = shown.has("progress", "0.00").has("state", "late");

        report(&operator, &path, 2, "3").await;
        operator.get(&path).await.is(200).has("realisation", nothing).has("progress", "0.00");
        verifier.post(format!("{path}/reports/2/verify"), json!({})).await.is(200);
        let verified = operator.get(&path).await.is(200).has("progress", "50.00").has("state", "late");
        let verified = verified.has("realisation", json!({ "q1": null, "q2": "3", "q3": null, "q4": null }));
        assert_ne!(verified.etag(), shown.etag(), "what is computed is part of what was read");
        operator.get(&path).if_none_match(&shown.etag()).await.is(200);

        report(&operator, &path, 4, "6.5").await;
        verifier.post(format!("{path}/reports/4/verify"), json!({})).await.is(200);
        operator.get(&path).await.is(200).has("progress", "100.00").has("state", "done");
        let listed = operator.get("/v1/actions?opd=DINKES&sort=-id&limit=1").await.is(200);
        listed.has("data/0/progress", "100.00").has("data/0/state", "done");
    }

    async fn the_state_follows_the_calendar(app) {
        let (app, _today) = app.rehearsed("2190-01-15");
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        let future = json!({ "year": 2190, "due_on": "2190-12-31" });
        let path = new_action(&operator, future).await;
        operator.get(&path).await.is(200).has("state", "not_started").has("progress", "0.00");
        report(&operator, &path, 1, "1.5").await;
        verifier.post(format!("{path}/reports/1/verify"), json!({})).await.is(200);
        operator.get(&path).await.is(200).has("state", "on_track").has("progress", "25.00");
        // Its day has passed, whatever the quarter.
        let etag = operator.etag_of(&path).await;
        operator.patch(&path, json!({ "due_on": "2022-10-04" })).if_match(&etag).await.is(200).has("state", "late");
        // A change of the plan changes what is computed.
        let targets = json!({ "targets": { "q1": 0, "q2": 0, "q3": 0, "q4": 1.5 } });
        let etag = operator.etag_of(&path).await;
        operator.patch(&path, targets).if_match(&etag).await.is(200).has("state", "done").has("progress", "100.00");
    }

    async fn pages_of_actions_make_up_the_list(app) {
        let operator = app.operator_dinkes().await;
        for _ in 0..3 {
            let path = new_action(&operator, json!({})).await;
            report(&operator, &path, 1, "1").await;
        }
        let pages = operator.all("/v1/actions?limit=1&opd=DINKES").await;
        assert_eq!(pages, operator.all("/v1/actions?opd=DINKES").await);
    }
}

/// Creates an action, and answers its path.
async fn new_action(actor: &Actor, with: Value) -> String {
    let (_, mut body) = ACTIONS.new_body();
    body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    let (id, _) = ACTIONS.create_as(actor, body).await;
    ACTIONS.one(&id)
}

/// Reports and hands it in.
async fn report(actor: &Actor, action: &str, quarter: u8, realisation: &str) {
    let path = format!("{action}/reports/{quarter}");
    actor.put(&path, json!({ "realisation": realisation })).await.is(201).has("state", "draft");
    actor.post(format!("{path}/submit"), json!({})).await.is(200).has("state", "submitted");
}
