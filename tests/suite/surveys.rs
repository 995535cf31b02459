//! Surveys of public services: the index and its grade are computed, and say how.

use renaksi_tests::on_shared_servers;
use renaksi_tests::resource::SURVEYS;
use serde_json::{Value, json};

on_shared_servers! {
    async fn the_index_follows_from_the_scores(app) {
        let admin = app.admin().await;
        for (score, ikm, grade) in
            [("3.00", "75.00", "C"), ("3.20", "80.00", "B"), ("3.60", "90.00", "A"), ("4.00", "100.00", "A"), ("1.00", "25.00", "D")]
        {
            let (key, created) = SURVEYS.create_as(&admin, survey(all(score))).await;
            created.has("ikm", ikm).has("grade", grade).has("explanation/rule", "ikm").has("explanation/inputs/u9", score);
            admin.get(SURVEYS.one(&key)).await.is(200).has("ikm", ikm).has("grade", grade);
        }
    }

    async fn a_changed_score_changes_the_index(app) {
        let admin = app.admin().await;
        let (key, created) = SURVEYS.create_as(&admin, survey(all("3.60"))).await;
        let path = SURVEYS.one(&key);
        // (8 x 3.6 + 3.42) / 9 x 25 = 89.5.
        let change = admin.patch(&path, json!({ "scores": { "u5": "3.42" } })).if_match(&created.etag());
        let changed = change.await.is(200).has("ikm", "89.50").has("grade", "A").has("scores/u1", "3.6");
        // (8 x 3.53 + 3.55) / 9 x 25 = 88.3055…, which is an A once it is rounded.
        let mut scores = all("3.53");
        scores["u9"] = json!("3.55");
        admin.patch(&path, json!({ "scores": scores })).if_match(&changed.etag()).await.is(200).has("ikm", "88.31").has("grade", "A");
        let events = admin.get(format!("{path}/history")).await.is(200).rows();
        assert_eq!(events[2]["before"]["ikm"], "89.50");
        assert_eq!(events[2]["after"]["ikm"], "88.31");
    }

    async fn a_score_is_from_one_to_four(app) {
        let admin = app.admin().await;
        for bad in [json!("0.99"), json!("4.01"), json!("-3"), json!("3.2555555"), json!(0.5), json!(4.2), json!(3.2555555), json!(null), json!("baik")] {
            let mut scores = all("3.20");
            scores["u4"] = bad;
            admin.post(SURVEYS.path, survey(scores)).await.is(422).has_fault_at("/scores/u4");
        }
        let mut scores = all("3.20");
        scores.as_object_mut().unwrap().remove("u7");
        admin.post(SURVEYS.path, survey(scores)).await.is(422).has_fault_at("/scores/u7");
        let mut scores = all("3.20");
        scores["u10"] = json!("3.20");
        admin.post(SURVEYS.path, survey(scores)).await.is(422).has_fault_at("/scores/u10");
        let mut scores = all("3.20");
        scores["u4"] = json!(3.2);
        admin.post(SURVEYS.path, survey(scores)).await.is(201).has("ikm", "80.00");
    }

    async fn nobody_sets_the_index(app) {
        let admin = app.admin().await;
        let mut body = survey(all("3.00"));
        body["ikm"] = json!("99.00");
        admin.post(SURVEYS.path, body).await.is(422).has_fault_at("/ikm");
        // What was read may be sent back.
        let (key, created) = SURVEYS.create_as(&admin, survey(all("3.00"))).await;
        admin.put(SURVEYS.one(&key), created.json()).if_match(&created.etag()).await.is(200).has("ikm", "75.00");
        let mut body = created.json();
        body["grade"] = json!("A");
        admin.put(SURVEYS.one(&key), body).if_match(&created.etag()).await.is(422).has_fault_at("/grade");
    }

    async fn an_opd_writes_its_own_and_the_public_reads_what_is_published(app) {
        let (operator, stranger, anyone) = (app.operator_dinkes().await, app.operator_dlh().await, app.anyone());
        let (key, created) = SURVEYS.create_as(&operator, survey(all("3.20"))).await;
        let (path, public) = (SURVEYS.one(&key), format!("/v1/public/surveys/{key}"));
        stranger.patch(&path, json!({ "published": true })).if_match(&created.etag()).await.is(403).has_problem("outside_own_opd");
        stranger.post(SURVEYS.path, survey(all("3.20"))).await.is(403);
        app.verifier().await.post(SURVEYS.path, survey(all("3.20"))).await.is(403).has_problem("forbidden");
        anyone.get(&public).await.is(404);
        operator.patch(&path, json!({ "published": true })).if_match(&created.etag()).await.is(200);
        anyone.get(&public).await.is(200).has("ikm", "80.00").has("grade", "B").lacks("version").lacks("published");
        let listed = anyone.all("/v1/public/surveys?opd=DINKES&period=2022-Q3").await;
        assert!(listed.iter().any(|row| row["id"] == json!(key)), "{listed:?}");
    }
}

fn survey(scores: Value) -> Value {
    let (_, mut body) = SURVEYS.new_body();
    body["scores"] = scores;
    body
}

fn all(score: &str) -> Value {
    Value::Object((1..=9).map(|element| (format!("u{element}"), json!(score))).collect())
}
