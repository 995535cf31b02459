//! Findings of an evaluation: who follows them up, and how they come to be done.

use futures_util::future::join_all;
use renaksi_tests::{Actor, on_both_databases, on_shared_servers, unique};
use serde_json::{Value, json};

on_shared_servers! {
    async fn operators_follow_up_what_their_opd_has_to_mend(app) {
        let (admin, dinkes, dlh) = (app.admin().await, app.operator_dinkes().await, app.operator_dlh().await);
        let told = json!({ "text": "Sudah dibahas" });
        for (finding, of_dinkes) in [
            (json!({ "text": "Satu", "opd": "DINKES" }), true),
            (json!({ "text": "Dua", "opd": "PKM-KAYANGAN" }), true),
            (json!({ "text": "Tiga", "programme": "SL-01" }), true),
            (json!({ "text": "Empat", "programme": "SL-01", "opd": "KOMINFO" }), true),
            (json!({ "text": "Lima", "opd": "KOMINFO" }), false),
            (json!({ "text": "Enam" }), false),
        ] {
            let path = found(&admin, finding.clone()).await;
            let answer = dinkes.post(format!("{path}/follow-ups"), told.clone()).await;
            if of_dinkes {
                answer.is(201).has_header("location", &path).has("follow_ups/0/by", "operator.dinkes@demo.invalid");
            } else {
                answer.is(403).has_problem("outside_own_opd");
            }
            dlh.post(format!("{path}/follow-ups"), told.clone()).await.is(403).has_problem("outside_own_opd");
            let expected = if of_dinkes { 2 } else { 1 };
            let after = app.verifier().await.create(&format!("{path}/follow-ups"), told.clone()).await;
            assert_eq!(after.at("follow_ups").as_array().unwrap().len(), expected, "{finding}");
            dinkes.patch(&path, json!({ "text": "Lain" })).if_match(&after.etag()).await.is(403).has_problem("forbidden");
        }
        app.viewer().await.post(format!("{}/follow-ups", found(&admin, json!({ "text": "x" })).await), told).await.is(403);
    }

    async fn a_finding_moves_with_its_follow_ups(app) {
        let admin = app.admin().await;
        let path = found(&admin, json!({ "text": "Kontrak TPS3R" })).await;
        let follow_ups = format!("{path}/follow-ups");
        let moves = [("open", 409), ("in_progress", 201), ("in_progress", 409), ("open", 201), ("done", 201), ("open", 409), ("in_progress", 201)];
        for (state, status) in moves {
            let answer = admin.post(&follow_ups, json!({ "text": "Langkah", "state": state })).await.is(status);
            if status == 201 {
                answer.has("state", state);
            } else {
                answer.has_problem("illegal_transition");
            }
        }
        admin.create(&follow_ups, json!({ "text": "Selesai", "state": "done" })).await;
        let refused = admin.post(&follow_ups, json!({ "text": "Buka", "state": "open" })).header("Accept-Language", "id").await.is(409);
        refused.has("allowed", json!(["in_progress"])).has("detail", "Temuan berstatus done tidak dapat menjadi open; yang mungkin: in_progress.");
        let only_told = admin.create(&follow_ups, json!({ "text": "Catatan" })).await.has("state", "done");
        let states = only_told.at("follow_ups").as_array().unwrap().iter().map(|one| one["state"].clone()).collect::<Vec<_>>();
        assert_eq!(states, [json!("in_progress"), json!("open"), json!("done"), json!("in_progress"), json!("done"), json!(null)]);
        admin.post(&follow_ups, json!({ "text": " " })).await.is(422).has_fault_at("/text");
        admin.post(&follow_ups, json!({ "text": "x", "state": "closed" })).await.is(422).has_fault_at("/state");

        let events = admin.get(format!("{path}/history")).await.is(200);
        assert_eq!(events.column("action")[..2], ["created", "followed_up"]);
        let last = events.rows().pop().unwrap();
        assert_eq!((&last["version"], &last["after"]["state"]), (&json!(7), &json!("done")));
    }

    async fn a_follow_up_is_taken_once_and_in_turn(app) {
        let admin = app.admin().await;
        let path = found(&admin, json!({ "text": "Temuan" })).await;
        let first = admin.etag_of(&path).await;
        let follow_ups = format!("{path}/follow-ups");
        let key = unique::word();
        for replayed in [None, Some("true")] {
            let answer = admin.post(&follow_ups, json!({ "text": "Sekali" })).idempotency_key(&key).await.is(201);
            assert_eq!(answer.header("idempotent-replayed"), replayed);
        }
        admin.post(&follow_ups, json!({ "text": "Usang" })).if_match(&first).await.is(412).has_problem("precondition_failed");
        let texts = (0..8).map(|turn| format!("Bersamaan {turn}")).collect::<Vec<_>>();
        let attempts = join_all(texts.iter().map(|text| admin.post(&follow_ups, json!({ "text": text })).into_future())).await;
        assert!(attempts.iter().all(|answer| answer.status() == 201), "{attempts:?}");
        let kept = admin.get(&path).await.is(200).at("follow_ups");
        let kept = kept.as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(kept.len(), 9, "{kept:?}");
        assert!(texts.iter().all(|text| kept.contains(&text.as_str())), "{kept:?}");
    }

    async fn findings_go_on_after_the_meeting_is_closed(app) {
        let (admin, operator) = (app.admin().await, app.operator_dinkes().await);
        let path = found(&admin, json!({ "text": "Posyandu", "opd": "DINKES", "due_on": "2022-12-31" })).await;
        let meeting = path.split("/findings").next().unwrap().to_owned();
        admin.post(format!("{meeting}/close"), json!({})).await.is(200);
        operator.create(&format!("{path}/follow-ups"), json!({ "text": "Kader dilatih", "state": "done" })).await;
        admin.get(&path).await.is(200).has("state", "done");
        let done = admin.all(&format!("{meeting}/findings?state=done&due_on[gte]=2022-12-01")).await;
        assert_eq!(done.len(), 1);
        assert!(admin.all(&format!("{meeting}/findings?state=open,in_progress")).await.is_empty());
    }

    async fn a_finding_belongs_to_its_meeting(app) {
        let admin = app.admin().await;
        let (one, other) = (found(&admin, json!({ "text": "Satu" })).await, found(&admin, json!({ "text": "Dua" })).await);
        let (meeting, id) = (one.split("/findings").next().unwrap(), other.rsplit('/').next().unwrap());
        admin.get(format!("{meeting}/findings/{id}")).await.is(404);
        admin.post(format!("{meeting}/findings/{id}/follow-ups"), json!({ "text": "x" })).await.is(404).has_problem("not_found");
        admin.post("/v1/evaluations/NO-SUCH/findings", json!({ "text": "x" })).await.is(404);
        admin.get("/v1/evaluations/NO-SUCH/findings").await.is(404);
        let etag = admin.etag_of(meeting).await;
        let refused = admin.delete(meeting).if_match(&etag).await.is(409).has_problem("still_referenced");
        refused.has("referenced_by/0/resource", "finding");
        for (member, code) in [("programme", "NO-SUCH"), ("opd", "NO-SUCH")] {
            let body = json!({ "text": "x", member: code });
            admin.post(format!("{meeting}/findings"), body).await.is(422).has_fault_at(&format!("/{member}"));
        }
        admin.post(format!("{meeting}/findings"), json!({ "text": "x", "state": "done" })).await.is(422).has_fault_at("/state");
    }
}

on_both_databases! {
    async fn everybody_reads_what_was_done_but_not_by_whom(app) {
        let admin = app.admin().await;
        let path = found(&admin, json!({ "text": "Temuan terbuka", "opd": "DINKES", "programme": "SL-01" })).await;
        app.operator_dinkes().await.create(&format!("{path}/follow-ups"), json!({ "text": "Tindak lanjut", "state": "in_progress" })).await;
        let meeting = path.split("/findings").next().unwrap().to_owned();
        let public = |path: &str| path.replace("/v1/", "/v1/public/");
        let shown = app.anyone().get(public(&path)).await.is(200).has("state", "in_progress").has("programme", "SL-01");
        let shown = shown.has("follow_ups/0/text", "Tindak lanjut").lacks("follow_ups/0/by");
        assert!(!shown.text().contains('@'));
        let listed = app.anyone().get(format!("{}?opd=DINKES", public(&format!("{meeting}/findings")))).await.is(200);
        assert_eq!(listed.rows(), [shown.json()]);

        let programme = admin.etag_of("/v1/programmes/SL-01").await;
        admin.patch("/v1/programmes/SL-01", json!({ "published": false })).if_match(&programme).await.is(200);
        app.anyone().get(public(&path)).await.is(200).has("programme", json!(null));
        let etag = admin.etag_of(&meeting).await;
        admin.patch(&meeting, json!({ "published": false })).if_match(&etag).await.is(200);
        for hidden in [path.clone(), format!("{meeting}/findings")] {
            app.anyone().get(public(&hidden)).await.is(404).has_problem("not_found");
        }
    }
}

/// The path of a new finding of a new evaluation.
async fn found(actor: &Actor, finding: Value) -> String {
    let meeting = format!("/v1/evaluations/{}", unique::code("EVAL"));
    let body = json!({ "masterplan": "KLU-SC", "held_on": "2022-10-04", "published": true });
    actor.put(&meeting, body).await.is(201);
    let created = actor.create(&format!("{meeting}/findings"), finding).await.has("state", "open").has("follow_ups", json!([]));
    format!("{meeting}/findings/{}", created.text_at("id"))
}
