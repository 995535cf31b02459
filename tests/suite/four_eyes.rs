//! Nobody verifies what they wrote or handed in, whoever else had a hand in it and whatever they are called.

use renaksi_tests::person::Person;
use renaksi_tests::resource::KPIS;
use renaksi_tests::{Actor, Service, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

const SECRET: &str = "sapi-makan-rumput-hijau";

on_shared_servers! {
    async fn an_author_does_not_verify_what_another_handed_in(app) {
        let (admin, verifier, operator) = (app.admin().await, app.verifier().await, app.operator_dinkes().await);
        let other = person(app, "verifier").await.0;
        for path in [measurement(&admin).await, report(&admin).await] {
            verifier.put(&path, value(&path, "19")).await.is(201);
            operator.post(format!("{path}/submit"), json!({})).await.is(200);
            verify(&verifier, &path).await.is(403).has_problem("own_report");
            decide(&verifier, &path, "rejected").await;
            verify(&other, &path).await.is(200);
        }
    }

    async fn a_part_of_a_draft_is_enough(app) {
        let (admin, verifier, operator) = (app.admin().await, app.verifier().await, app.operator_dinkes().await);
        let path = measurement(&admin).await;
        verifier.put(&path, value(&path, "19")).await.is(201);
        operator.put(&path, value(&path, "19.5")).if_match(&operator.etag_of(&path).await).await.is(200);
        operator.post(format!("{path}/submit"), json!({})).await.is(200);
        verify(&verifier, &path).await.is(403).has_problem("own_report");
        verify(&admin, &path).await.is(200);
        // A correction is another revision: its own authors count.
        let mut correction = value(&path, "20");
        correction["reason"] = json!("Salah ketik");
        operator.put(&path, correction).if_match(&operator.etag_of(&path).await).await.is(200);
        operator.post(format!("{path}/submit"), json!({})).await.is(200);
        verify(&verifier, &path).await.is(200);
    }
}

on_both_databases! {
    async fn rows_from_before_are_compared_by_name(app) {
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        let path = measurement(&admin).await;
        verifier.put(&path, value(&path, "19")).await.is(201);
        admin.post(format!("{path}/submit"), json!({})).await.is(200);
        app.database().tamper("UPDATE measurement SET authors = NULL, submitter = NULL");
        verify(&verifier, &path).await.is(403).has_problem("own_report");
        verify(&admin, &path).await.is(403).has_problem("own_report");
        verify(&person(&app, "verifier").await.0, &path).await.is(200);
    }

    async fn viewers_and_clients_do_not_see_people_in_the_trail(app) {
        let (admin, operator) = (app.admin().await, app.operator_dinkes().await);
        let path = measurement(&admin).await;
        operator.put(&path, value(&path, "19")).await.is(201);
        operator.post(format!("{path}/submit"), json!({})).await.is(200);
        let history = format!("{path}/history");
        let full = operator.get(&history).await.is(200);
        assert!(full.text().contains("operator.dinkes@demo.invalid") && full.text().contains("127.0.0.1"), "{full:?}");
        assert_eq!(full.at("data/0/actor/id"), "operator.dinkes@demo.invalid");
        // Until the feed has it.
        let code = path.split('/').nth(3).unwrap();
        while !admin.get("/v1/events?resource=measurement&limit=200").await.is(200).text().contains(code) {}
        for reader in [app.viewer().await, app.client_dinkes().await] {
            for path in [history.as_str(), "/v1/events?limit=200", "/v1/events?resource=measurement&limit=200"] {
                let seen = reader.get(path).await.is(200);
                let names = ["@demo.invalid", "@tests.invalid", "127.0.0.1"];
                assert!(!names.iter().any(|name| seen.text().contains(name)), "{path}: {}", seen.text());
            }
            reader.get(&history).await.is(200).has("data/0/actor/kind", "user").has("data/0/actor/id", Value::Null);
        }
    }
}

/// Somebody with a role, and the e-mail address.
async fn person(app: &Service, role: &str) -> (Actor, String) {
    let person = Person::invited(app, role, None, SECRET).await;
    (person.actor, person.email)
}

/// The path of a measurement that is not there yet.
async fn measurement(admin: &Actor) -> String {
    let (code, body) = KPIS.new_body();
    admin.create(KPIS.path, body).await;
    format!("{}/measurements/2023", KPIS.one(&code))
}

/// The path of an action report that is not there yet.
async fn report(admin: &Actor) -> String {
    let (id, _) = renaksi_tests::resource::ACTIONS.create(admin).await;
    format!("/v1/actions/{id}/reports/1")
}

fn value(path: &str, value: &str) -> Value {
    if path.contains("/reports/") { json!({ "realisation": value }) } else { json!({ "value": value }) }
}

async fn verify(actor: &Actor, path: &str) -> renaksi_tests::Answer {
    actor.post(format!("{path}/verify"), json!({})).await
}

/// The same by the door of many decisions.
async fn decide(actor: &Actor, path: &str, result: &str) {
    let parts = path.split('/').collect::<Vec<_>>();
    let kind = if path.contains("/reports/") { "action_report" } else { "measurement" };
    let key = format!("{}/{}", parts[3], parts[5]);
    let decision = json!({ "reviews": [{ "kind": kind, "key": key, "decision": "verify" }] });
    actor.post("/v1/reviews", decision).await.is(200).has("results/0/result", result);
}
