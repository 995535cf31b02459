//! Reports on actions: the review, revisions, and the day of the first handing in.

use renaksi_tests::actor::Request;
use renaksi_tests::resource::{ACTIONS, KPIS};
use renaksi_tests::{Actor, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

on_shared_servers! {
    async fn a_report_goes_its_way(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        let path = new_report_path(&operator, "DINKES", 3).await;
        let body = json!({
            "realisation": 4.5, "narrative": "Dua unit selesai", "obstacles": "Lahan", "source_updated_at": "2022-10-01T00:00:00Z",
            "evidence": [{ "title": "Berita acara", "url": "https://tests.invalid/a", "sha256": "0f".repeat(32) }]
        });
        let draft = operator.put(&path, body.clone()).await.is(201).has("state", "draft").has("realisation", "4.5");
        let draft = draft.has("quarter", 3).has("revision", 1).has("handed_in_on", Value::Null).has("evidence", body["evidence"].clone());
        draft.has_header("location", &path);
        let submitted = take(&operator, &path, "submit").await.is(200).has("state", "submitted");
        let submitted = submitted.has("submitted_by", "operator.dinkes@demo.invalid").has("known_on", Value::Null);
        assert!(submitted.at("handed_in_on").is_string(), "{submitted:?}");
        take(&operator, &path, "verify").await.is(403).has_problem("forbidden");
        let verified = take(&verifier, &path, "verify").await.is(200).has("state", "verified").has("narrative", "Dua unit selesai");
        assert_eq!(verified.at("known_on"), verified.at("handed_in_on"), "both today: {verified:?}");
        assert_eq!(operator.etag_of(&path).await, verified.etag());
        let history = operator.get(format!("{path}/history")).await.is(200);
        assert_eq!(history.column("action"), ["created", "submitted", "verified"]);
        history.has("data/0/resource", "action_report").has("data/0/key", key_of(&path));
        operator.delete(&path).if_match(&verified.etag()).await.is(409).has_problem("conflict");
        let list = operator.get(path.trim_end_matches("/3")).await.is(200);
        assert_eq!(list.rows(), [operator.get(&path).await.json()]);
    }

    async fn what_cannot_be_is_refused(app) {
        let operator = app.operator_dinkes().await;
        let path = new_report_path(&operator, "DINKES", 1).await;
        let reports = path.trim_end_matches("/1");
        for quarter in ["0", "5", "01", "Q1", "-1"] {
            operator.put(format!("{reports}/{quarter}"), json!({ "realisation": "1" })).await.is(404).has_problem("not_found");
            operator.get(format!("{reports}/{quarter}")).await.is(404).has_problem("not_found");
        }
        for (body, pointer) in [
            (json!({ "realisation": "-0.1" }), "/realisation"),
            (json!({}), "/realisation"),
            (json!({ "realisation": "1", "value": "1" }), "/value"),
            (json!({ "realisation": "1", "evidence": [{ "url": "https://tests.invalid" }] }), "/evidence/0/title"),
        ] {
            operator.put(&path, body).await.is(422).has_fault_at(pointer);
        }
        let nowhere = "/v1/actions/0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21/reports";
        operator.put(format!("{nowhere}/1"), json!({ "realisation": "1" })).await.is(404).has_problem("not_found");
        operator.get(nowhere).await.is(404).has_problem("not_found");
        operator.get(&path).await.is(404).has_problem("not_found");
        operator.get(reports).await.is(200).has("data", json!([]));
    }

    async fn nobody_verifies_what_they_submitted(app) {
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        for (reporter, other) in [(&admin, &verifier), (&verifier, &admin)] {
            let path = new_report_path(&admin, "DLH", 1).await;
            reporter.put(&path, json!({ "realisation": "1" })).await.is(201);
            take(reporter, &path, "submit").await.is(200);
            take(reporter, &path, "verify").await.is(403).has_problem("own_report");
            take(other, &path, "verify").await.is(200).has("state", "verified");
        }
    }

    async fn each_step_has_its_people(app) {
        let operator = app.operator_dinkes().await;
        let path = new_report_path(&operator, "DINKES", 1).await;
        for stranger in [app.operator_dlh().await, app.client_dlh().await] {
            stranger.put(&path, json!({ "realisation": "1" })).await.is(403).has_problem("outside_own_opd");
        }
        app.client_dinkes().await.put(&path, json!({ "realisation": "1" })).await.is(201);
        take(&app.operator_dlh().await, &path, "submit").await.is(403).has_problem("outside_own_opd");
        take(&app.viewer().await, &path, "submit").await.is(403).has_problem("forbidden");
        app.anyone().get(&path).await.is(401);
        take(&app.client_dinkes().await, &path, "submit").await.is(200).has("submitted_by", "demo-dinkes");
    }

    async fn a_returned_report_is_mended_and_handed_in_again(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        let path = new_report_path(&operator, "DINKES", 1).await;
        operator.put(&path, json!({ "realisation": "1" })).await.is(201);
        take(&operator, &path, "submit").await.is(200);
        verifier.post(format!("{path}/return"), json!({})).await.is(422).has_fault_at("/reason");
        let returned = take(&verifier, &path, "return").await.is(200).has("state", "returned").has("return_reason", "Uji");
        let mended = operator.put(&path, json!({ "realisation": "2" })).if_match(&returned.etag()).await.is(200);
        let mended = mended.has("state", "returned").has("revision", 1).has("handed_in_on", returned.at("handed_in_on"));
        operator.delete(&path).if_match(&mended.etag()).await.is(409).has_problem("conflict");
        take(&verifier, &path, "verify").await.is(409).has_problem("illegal_transition").has("allowed", json!(["submit"]));
        take(&operator, &path, "submit").await.is(200).has("return_reason", Value::Null);
        take(&verifier, &path, "verify").await.is(200).has("realisation", "2");
    }

    async fn reviewers_who_decide_the_same_at_once_do_not_wait_for_ever(app) {
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        let mut decisions = Vec::new();
        for _ in 0..4 {
            for (kind, path, member) in [
                ("action_report", new_report_path(&admin, "DINKES", 1).await, "realisation"),
                ("measurement", new_measurement_path(&admin).await, "value"),
            ] {
                app.operator_dinkes().await.put(&path, json!({ member: "1" })).await.is(201);
                take(&app.operator_dinkes().await, &path, "submit").await.is(200);
                decisions.push(json!({ "kind": kind, "key": key_of(&path), "decision": "verify" }));
            }
        }
        let mut reversed = decisions.clone();
        reversed.reverse();
        let (one, other) = tokio::join!(
            async { verifier.post("/v1/reviews", json!({ "reviews": decisions })).await.is(200) },
            async { admin.post("/v1/reviews", json!({ "reviews": reversed })).await.is(200) },
        );
        let verified = one.at("verified").as_u64().unwrap() + other.at("verified").as_u64().unwrap();
        assert_eq!(verified, 8, "each is verified once: {one:?} {other:?}");
    }

    async fn writers_of_one_action_take_turns(app) {
        let operator = app.operator_dinkes().await;
        let path = new_report_path(&operator, "DINKES", 1).await;
        let puts = (0..8).map(|value| operator.put(&path, json!({ "realisation": value })).if_none_match("*"));
        let answers = futures_util::future::join_all(puts.map(IntoFuture::into_future)).await;
        let statuses = answers.iter().map(|answer| answer.status()).collect::<Vec<_>>();
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 412].contains(status)), "{statuses:?}");
        operator.get(&path).await.is(200).has("version", 1);
    }
}

on_both_databases! {
    async fn a_revision_leaves_the_verified_report_in_force(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        let path = new_report_path(&operator, "DINKES", 2).await;
        let action = path.trim_end_matches("/reports/2");
        operator.put(&path, json!({ "realisation": "3" })).await.is(201);
        take(&operator, &path, "submit").await.is(200);
        let verified = take(&verifier, &path, "verify").await.is(200);
        let refused = operator.put(&path, json!({ "realisation": "2" })).if_match(&verified.etag()).await.is(422);
        refused.has_fault_at("/reason").has("errors/0/code", "required");

        let revision = json!({ "realisation": "2", "reason": "Salah hitung" });
        let draft = operator.put(&path, revision.clone()).if_match(&verified.etag()).await.is(200);
        let draft = draft.has("revision", 2).has("state", "draft").has("reason", "Salah hitung");
        operator.get(action).await.is(200).has("realisation/q2", "3").has("progress", "50.00");
        // A draft that is deleted leaves what it was to correct.
        operator.delete(&path).if_match(&draft.etag()).await.is(204);
        let restored = operator.get(&path).await.is(200).has("revision", 1).has("state", "verified").has("realisation", "3");
        assert_ne!(restored.etag(), verified.etag());

        operator.put(&path, revision).if_match(&restored.etag()).await.is(200).has("revision", 2);
        take(&operator, &path, "submit").await.is(200);
        operator.get(action).await.is(200).has("realisation/q2", "3");
        let waiting = verifier.get("/v1/reviews?opd=DINKES&kind=action_report").await.is(200);
        waiting.has("data/0/report/realisation", "2").has("data/0/in_force/realisation", "3");
        take(&verifier, &path, "verify").await.is(200).has("revision", 2);
        operator.get(action).await.is(200).has("realisation/q2", "2").has("progress", "33.33");
    }

    async fn the_day_of_the_first_handing_in_stays(app) {
        // Two clocks that never show the same day.
        let (west, east) = (app.replica_with(&[("RENAKSI_UTC_OFFSET", "-12:00")]), app.replica_with(&[("RENAKSI_UTC_OFFSET", "+14:00")]));
        let (operator, verifier) = (west.operator_dinkes().await, west.verifier().await);
        let path = new_report_path(&operator, "DINKES", 1).await;
        operator.put(&path, json!({ "realisation": "1" })).await.is(201);
        let first = take(&operator, &path, "submit").await.is(200).text_at("handed_in_on");
        take(&verifier, &path, "return").await.is(200).has("handed_in_on", first.clone());

        let (operator, verifier) = (east.operator_dinkes().await, east.verifier().await);
        take(&operator, &path, "submit").await.is(200).has("handed_in_on", first.clone());
        let verified = take(&verifier, &path, "verify").await.is(200).has("handed_in_on", first.clone());
        assert!(verified.text_at("known_on") > first, "it counts from the day it was verified: {verified:?}");
        let revision = json!({ "realisation": "2", "reason": "Salah hitung" });
        operator.put(&path, revision).if_match(&verified.etag()).await.is(200).has("handed_in_on", first.clone());
        take(&operator, &path, "submit").await.is(200).has("handed_in_on", first);
    }

    async fn one_inbox_holds_both_kinds(app) {
        let (admin, operator, verifier) = (app.admin().await, app.operator_dinkes().await, app.verifier().await);
        let mut keys = Vec::new();
        for turn in 0..3 {
            let action = new_report_path(&admin, if turn == 2 { "DLH" } else { "DINKES" }, 1).await;
            admin.put(&action, json!({ "realisation": "1" })).await.is(201);
            take(&admin, &action, "submit").await.is(200);
            keys.push(key_of(&action));
            let kpi = new_measurement_path(&admin).await;
            admin.put(&kpi, json!({ "value": "19" })).await.is(201);
            take(&admin, &kpi, "submit").await.is(200);
            keys.push(key_of(&kpi));
        }
        assert_eq!(listed(&verifier, "/v1/reviews").await, keys, "the oldest first, whatever the kind");
        assert_eq!(listed(&verifier, "/v1/reviews?limit=1").await, keys);
        assert_eq!(listed(&verifier, "/v1/reviews?sort=-submitted_at&limit=2").await, keys.iter().rev().cloned().collect::<Vec<_>>());
        let of = |first: usize| keys.iter().skip(first).step_by(2).cloned().collect::<Vec<_>>();
        assert_eq!(listed(&verifier, "/v1/reviews?kind=action_report&limit=1").await, of(0));
        assert_eq!(listed(&verifier, "/v1/reviews?kind=measurement").await, of(1));
        assert_eq!(listed(&verifier, "/v1/reviews?opd=DLH").await, keys[4..5]);
        let (id, _) = keys[0].split_once('/').unwrap();
        let row = verifier.get(format!("/v1/reviews?action={id}&count=true")).await.is(200).has("page/total", 1);
        let row = row.has("data/0/kind", "action_report").has("data/0/action", id).has("data/0/kpi", Value::Null);
        row.has("data/0/opd", "DINKES").has("data/0/report/realisation", "1").has("data/0/in_force", Value::Null);
        operator.get("/v1/reviews").await.is(403).has_problem("forbidden");

        let decisions = keys.iter().enumerate().map(|(index, key)| {
            let kind = if index % 2 == 0 { "action_report" } else { "measurement" };
            json!({ "kind": kind, "key": key, "decision": if index < 4 { "verify" } else { "return" }, "reason": "Uji" })
        });
        let mut decisions = decisions.collect::<Vec<_>>();
        decisions.push(json!({ "kind": "action_report", "key": format!("{id}/5"), "decision": "verify" }));
        decisions.push(json!({ "kind": "action_report", "key": "STUNTING/2022", "decision": "verify" }));
        let decided = verifier.post("/v1/reviews", json!({ "reviews": decisions })).await.is(200);
        let decided = decided.has("verified", 4).has("returned", 2).has("rejected", 2);
        decided.has("results/6/errors/0/code", "not_found").has("results/7/errors/0/code", "not_found");
        assert!(listed(&verifier, "/v1/reviews").await.is_empty());
    }
}

/// Takes a step, with a reason where one is needed.
fn take(actor: &Actor, path: &str, step: &str) -> Request {
    let body = if step == "return" { json!({ "reason": "Uji" }) } else { json!({}) };
    actor.post(format!("{path}/{step}"), body)
}

/// Creates an action, and answers where its report for a quarter goes.
async fn new_report_path(actor: &Actor, opd: &str, quarter: u8) -> String {
    let (_, mut body) = ACTIONS.new_body();
    body["opd"] = json!(opd);
    let (id, _) = ACTIONS.create_as(actor, body).await;
    format!("{}/reports/{quarter}", ACTIONS.one(&id))
}

/// Creates a KPI, and answers where a measurement of it goes.
async fn new_measurement_path(admin: &Actor) -> String {
    let (code, mut body) = KPIS.new_body();
    body["programme"] = Value::Null;
    admin.create(KPIS.path, body).await;
    format!("{}/measurements/2023", KPIS.one(&code))
}

/// What the trail and the inbox call the report at a path.
fn key_of(path: &str) -> String {
    let parts = path.split('/').collect::<Vec<_>>();
    format!("{}/{}", parts[3], parts[5])
}

/// The keys of what waits.
async fn listed(actor: &Actor, path: &str) -> Vec<String> {
    actor.all(path).await.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect()
}
