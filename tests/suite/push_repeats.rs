//! Pushes that come again and changed nothing are answered from memory, and never when something was written meanwhile.

use renaksi_tests::metrics::Metrics;
use renaksi_tests::{Actor, Backend, Service, on_both_databases, unique};
use serde_json::{Value, json};

use super::push::{JSON, NDJSON, PUSH, counted, new_kpi};
use super::{push_action_reports, push_programmes};

const REPEAT: [u64; 6] = [1, 0, 0, 1, 0, 0];
const CHANGE: [u64; 6] = [1, 0, 1, 0, 0, 0];

on_both_databases! {
    async fn what_changed_nothing_is_answered_again_until_it_would_change_something(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let (kpi, action) = (new_kpi(&admin, "DINKES").await, push_action_reports::new_action(&admin, "DINKES").await);
        let programme = admin.get("/v1/programmes/SV-01").await.is(200);
        let programme = json!({ "code": "SV-01", "name": programme.at("name"), "lead_opd": programme.at("lead_opd") });
        let measurement = json!({ "kpi": kpi, "period": "2023-01", "value": "4" });
        let report = json!({ "action": action, "quarter": 1, "realisation": "1" });
        let pushes = [
            (PUSH, &client, measurement, format!("/v1/kpis/{kpi}/measurements/2023-01"), json!({ "value": "5" })),
            (push_action_reports::PUSH, &client, report, format!("/v1/actions/{action}/reports/1"), json!({ "realisation": "2" })),
            (push_programmes::PUSH, &admin, programme, "/v1/programmes/SV-01".to_owned(), json!({ "name": "Lain" })),
        ];
        for (path, actor, row, ..) in &pushes {
            let body = json!([row]).to_string();
            actor.push(*path, JSON, body.clone()).await.is(200);
            let first = actor.push(*path, JSON, body.clone()).await.is(200);
            counted(&first, REPEAT);
            assert_eq!(until_known(&app, actor, path, &body).await, first.json(), "{path}");
            // Another question: another form, or other parameters.
            for (path, form, body) in [((*path).to_owned(), NDJSON, row.to_string()), (format!("{path}?rows=all"), JSON, body.clone())] {
                let before = hits(&app).await;
                counted(&actor.push(path, form, body).await.is(200), REPEAT);
                assert_eq!(hits(&app).await, before);
            }
            // With a key the answer is kept for retries all the same.
            let key = unique::code("key");
            let keyed = async || actor.push(*path, JSON, body.clone()).idempotency_key(&key).await.is(200);
            assert_eq!(keyed().await.json(), first.json());
            assert_eq!(keyed().await.header("idempotent-replayed"), Some("true"));
        }
        // Somebody else wrote something that no push was decided by.
        let etag = admin.etag_of("/v1/awards/BKN-2022").await;
        admin.patch("/v1/awards/BKN-2022", json!({ "issuer": "BKN RI" })).if_match(&etag).await.is(200);
        for (path, actor, row, ..) in &pushes {
            let before = hits(&app).await;
            counted(&actor.push(*path, JSON, json!([row]).to_string()).await.is(200), REPEAT);
            assert_eq!(hits(&app).await - before, 1, "{path}");
        }
        for (path, actor, row, one, change) in &pushes {
            let etag = admin.etag_of(one).await;
            let changed = if change["name"].is_null() { admin.put(one, change.clone()) } else { admin.patch(one, change.clone()) };
            changed.if_match(&etag).await.is(200);
            let before = hits(&app).await;
            counted(&actor.push(*path, JSON, json!([row]).to_string()).await.is(200), CHANGE);
            assert_eq!(hits(&app).await, before, "{path}");
        }
        // What it belongs to went to another agency.
        let (kpi, body) = (format!("/v1/kpis/{kpi}"), json!([&pushes[0].2]).to_string());
        counted(&client.push(PUSH, JSON, body.clone()).await.is(200), REPEAT);
        let etag = admin.etag_of(&kpi).await;
        admin.patch(&kpi, json!({ "opd": "DLH" })).if_match(&etag).await.is(200);
        client.push(PUSH, JSON, body).await.is(422).has("rows/0/errors/0/code", "outside_own_opd");
    }

    async fn a_new_day_is_decided_anew(app) {
        let (app, today) = app.rehearsed("2031-05-30");
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let body = json!([{ "kpi": kpi, "period": "2023-01", "value": "4" }]).to_string();
        client.push(PUSH, JSON, body.clone()).await.is(200);
        until_known(&app, &client, PUSH, &body).await;
        let before = hits(&app).await;
        counted(&client.push(PUSH, JSON, body.clone()).await.is(200), REPEAT);
        assert_eq!(hits(&app).await - before, 1);
        today.is("2031-05-31".parse().unwrap());
        let before = hits(&app).await;
        counted(&client.push(PUSH, JSON, body.clone()).await.is(200), REPEAT);
        assert_eq!(hits(&app).await, before, "what was decided yesterday is not looked at");
        until_known(&app, &client, PUSH, &body).await;
    }

    async fn an_account_that_lost_something_gets_no_answer_again(app) {
        let admin = app.admin().await;
        let (kpi, id) = (new_kpi(&admin, "DINKES").await, unique::code("sys"));
        let body = json!([{ "kpi": kpi, "period": "2023-01", "value": "4" }]).to_string();
        let system = json!({ "id": id, "name": "Sistem", "opd": "DINKES", "scopes": ["read", "measurements:write"] });
        let secret = admin.create("/v1/clients", system).await.at("client_secret");
        let token = app.anyone().client_token(&id, secret.as_str().unwrap()).await.is(200).at("access_token");
        let (client, path) = (app.anyone().with_token(token.as_str().unwrap()), format!("/v1/clients/{id}"));
        let change = async |change: Value| {
            let etag = admin.etag_of(&path).await;
            admin.patch(&path, change).if_match(&etag).await.is(200);
        };
        client.push(PUSH, JSON, body.clone()).await.is(200);
        counted(&client.push(PUSH, JSON, body.clone()).await.is(200), REPEAT);
        until_known(&app, &client, PUSH, &body).await;
        change(json!({ "opd": "DLH" })).await;
        client.push(PUSH, JSON, body.clone()).await.is(422).has("rows/0/errors/0/code", "outside_own_opd");
        change(json!({ "opd": "DINKES", "scopes": ["read"] })).await;
        client.push(PUSH, JSON, body.clone()).await.is(403).has_problem("forbidden");
        change(json!({ "scopes": ["read", "measurements:write"] })).await;
        counted(&client.push(PUSH, JSON, body.clone()).await.is(200), REPEAT);
        change(json!({ "active": false })).await;
        client.push(PUSH, JSON, body).await.is(401);
    }

    async fn what_another_replica_wrote_just_now_is_not_missed(app) {
        let replica = (app.backend() == Backend::Postgres).then(|| app.replica());
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let other = match &replica {
            Some(replica) => replica.client_dinkes().await,
            None => app.client_dinkes().await,
        };
        let body = |value: &str| json!([{ "kpi": kpi, "period": "2023-01", "value": value }]).to_string();
        counted(&other.push(PUSH, JSON, body("5")).await.is(200), [1, 1, 0, 0, 0, 0]);
        for _ in 0..40 {
            counted(&client.push(PUSH, JSON, body("4")).await.is(200), CHANGE);
            counted(&client.push(PUSH, JSON, body("4")).await.is(200), REPEAT);
            until_known(&app, &client, PUSH, &body("4")).await;
            // No watch can have looked between these two.
            counted(&other.push(PUSH, JSON, body("5")).await.is(200), CHANGE);
        }
    }
}

/// Repeats a push until it is answered from memory: what was written before may still be noticed. Returns the answer.
async fn until_known(app: &Service, actor: &Actor, path: &str, body: &str) -> Value {
    for _ in 0..100 {
        let before = hits(app).await;
        let answer = actor.push(path, JSON, body).await.is(200);
        counted(&answer, REPEAT);
        if hits(app).await > before {
            return answer.json();
        }
    }
    panic!("{path} is never answered from memory")
}

/// How many pushes were answered from memory.
async fn hits(app: &Service) -> u64 {
    let page = app.anyone().get("/metrics").await.is_status(200);
    Metrics::read(&page.text()).value("renaksi_push_repeats_total", &[]).unwrap_or_default() as u64
}
