//! Webhooks: what happens is sent to a real receiver, signed, until it says yes.

use std::time::Duration;

use renaksi_tests::receiver::{Manner, PATIENCE, Receiver};
use renaksi_tests::resource::OPDS;
use renaksi_tests::{Actor, App, Backend, on_both_databases, on_sqlite};
use serde_json::{Value, json};

/// Receivers of the tests listen here, without TLS; three days last 26 seconds.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("RENAKSI_WEBHOOK_ALLOW_HTTP", "true"),
    ("RENAKSI_WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8"),
    ("RENAKSI_WEBHOOK_TIMEOUT_SECONDS", "2"),
    ("RENAKSI_WEBHOOK_RETRY_SCALE", "0.0001"),
];

on_both_databases! {
    async fn an_event_arrives_signed_once(app) {
        let (app, receiver) = (instead_of(&app, SETTINGS), Receiver::start(Manner::Accepts).await);
        let admin = app.admin().await;
        let (id, secret) = subscribe(&admin, &receiver.url, &["opd.*"]).await;
        let code = new_opd(&admin).await;
        let messages = receiver.until(1).await;
        assert_eq!(messages[0].body["type"], "opd.created");
        assert_eq!((&messages[0].body["data"]["key"], &messages[0].body["data"]["after"]["code"]), (&json!(code), &json!(code)));
        assert_eq!(messages[0].body["timestamp"], messages[0].body["data"]["at"]);
        assert_eq!(messages[0].header("webhook-id"), messages[0].body["data"]["id"].as_str().unwrap());
        messages[0].must_fit(&secret);
        assert!(messages[0].verified_by("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").is_err());
        let log = delivery(&admin, &id, "delivered").await;
        assert_eq!((&log["attempts"], &log["response_status"], &log["response_excerpt"]), (&json!(1), &json!(200), &json!("terima kasih")));
        // What it did not ask for, and what is about accounts, does not come.
        let etag = admin.etag_of("/v1/kpis/STUNTING").await;
        admin.patch("/v1/kpis/STUNTING", json!({ "name": "Tengkes" })).if_match(&etag).await.is(200);
        subscribe(&admin, &receiver.url, &["programme.*"]).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(receiver.messages().len(), 1);
    }

    async fn a_rotation_signs_twice_and_no_secret_is_shown_again(app) {
        let (app, receiver) = (instead_of(&app, SETTINGS), Receiver::start(Manner::Accepts).await);
        let admin = app.admin().await;
        let (id, old) = subscribe(&admin, &receiver.url, &["*"]).await;
        let rotate = format!("/v1/webhooks/{id}/rotate-secret");
        let new = admin.post(&rotate, json!({})).await.is(200).text_at("secret");
        admin.post(format!("/v1/webhooks/{id}/ping"), json!({})).await.is(202).has("event_type", "webhook.ping");
        let message = receiver.until(1).await.remove(0);
        assert_eq!((message.header("webhook-signature").split(' ').count(), &message.body["type"]), (2, &json!("webhook.ping")));
        message.must_fit(&old);
        message.must_fit(&new);
        admin.post(&rotate, json!({ "grace_seconds": 0 })).await.is(200);
        admin.post(format!("/v1/webhooks/{id}/ping"), json!({})).await.is(202);
        let message = receiver.until(2).await.remove(1);
        assert_eq!(message.header("webhook-signature").split(' ').count(), 1);
        assert!(message.verified_by(&new).is_err(), "without grace the old one ends at once");
        let mut shown = vec![app.server().log()];
        for path in [format!("/v1/webhooks/{id}"), format!("/v1/webhooks/{id}/history"), "/v1/webhooks".into(), "/v1/events?resource=webhook".into()] {
            shown.push(admin.get(path).await.is(200).text());
        }
        assert!(shown.iter().all(|text| !text.contains(&old[6..]) && !text.contains(&new[6..])));
        app.viewer().await.get("/v1/webhooks").await.is(403);
    }

    async fn a_message_is_sent_until_the_receiver_says_yes(app) {
        let app = instead_of(&app, SETTINGS);
        let admin = app.admin().await;
        for (manner, error) in [(Manner::Fails, false), (Manner::Redirects, false), (Manner::Hangs, true), (Manner::Cuts, true)] {
            let receiver = Receiver::start(manner).await;
            let (id, secret) = subscribe(&admin, &receiver.url, &["*"]).await;
            admin.post(format!("/v1/webhooks/{id}/ping"), json!({})).await.is(202);
            receiver.until(2).await;
            let failed = admin.get(format!("/v1/webhooks/{id}/deliveries")).await.is(200).rows().remove(0);
            assert_eq!(failed["error"].is_string(), error, "{manner:?}: {failed}");
            receiver.change(Manner::Accepts);
            let log = delivery(&admin, &id, "delivered").await;
            assert!(log["attempts"].as_i64() >= Some(2), "{manner:?}: {log}");
            let messages = receiver.messages();
            assert!(messages.iter().all(|message| message.header("webhook-id") == messages[0].header("webhook-id")));
            messages.iter().for_each(|message| message.must_fit(&secret));
        }
    }

    async fn a_receiver_is_given_the_pause_that_it_asks_for(app) {
        // Without it, the second attempt would follow in half a millisecond.
        let (app, receiver) = (instead_of(&app, SETTINGS), Receiver::start(Manner::AsksForAPause).await);
        let admin = app.admin().await;
        let (id, _) = subscribe(&admin, &receiver.url, &["*"]).await;
        admin.post(format!("/v1/webhooks/{id}/ping"), json!({})).await.is(202);
        receiver.until(1).await;
        let waiting = until(&admin, &id, |delivery| delivery["response_status"] == 503).await;
        let instant = |name: &str| chrono::DateTime::parse_from_rfc3339(waiting[name].as_str().unwrap()).unwrap();
        let pause = (instant("next_attempt_at") - instant("last_attempt_at")).num_milliseconds();
        assert!((2_900..20_000).contains(&pause), "{pause} ms in {waiting}");
        receiver.change(Manner::Accepts);
        delivery(&admin, &id, "delivered").await;
    }

    async fn what_can_never_happen_is_no_event_type(app) {
        let admin = app.admin().await;
        let hook = |types: Value| json!({ "url": "https://sistem.example.go.id/renaksi", "event_types": types });
        for (pattern, told) in [
            ("measurement.verifed", "verified"), ("programme.closed", "transitioned"), ("opds.*", "opd"), ("user.created", "programme"),
            ("client.*", "programme"), ("webhook.ping", "programme"), ("signing_key.created", "programme"), ("coverage.deleted", "created"),
        ] {
            let refused = admin.post("/v1/webhooks", hook(json!(["opd.*", pattern]))).await.is(422).has_fault_at("/event_types/1");
            refused.has("errors/0/code", "unknown_event_type").text_at("errors/0/detail").find(told).unwrap_or_else(|| panic!("{pattern}"));
        }
        let types = json!(["*", "measurement.revised", "action_report.returned", "finding.followed_up", "evaluation.closed", "kpi_target.imported"]);
        let created = admin.post("/v1/webhooks", hook(types)).await.is(201);
        let path = format!("/v1/webhooks/{}", created.text_at("id"));
        let refused = admin.patch(&path, json!({ "event_types": ["opd.renamed"] })).if_match(&created.etag()).await.is(422);
        refused.has_fault_at("/event_types/0");
        // Null would remove a member, and these cannot be removed.
        for member in ["url", "event_types", "active"] {
            admin.patch(&path, json!({ member: null })).if_match(&created.etag()).await.is(422).has_fault_at(&format!("/{member}"));
        }
    }

    async fn a_receiver_that_is_gone_or_fails_for_three_days_is_disabled(app) {
        // Here they last 5 seconds.
        let app = instead_of(&app, &[SETTINGS, &[("RENAKSI_WEBHOOK_RETRY_SCALE", "0.00002")]].concat());
        let admin = app.admin().await;
        for (manner, reason) in [(Manner::IsGone, "gone"), (Manner::Fails, "failing")] {
            let receiver = Receiver::start(manner).await;
            let (id, _) = subscribe(&admin, &receiver.url, &["opd.*"]).await;
            new_opd(&admin).await;
            let failed = delivery(&admin, &id, "failed").await;
            let path = format!("/v1/webhooks/{id}");
            let disabled = admin.get(&path).await.is(200).has("active", false).has("disabled_reason", reason);
            let notice = admin.get(format!("{path}/history")).await.is(200).rows().pop().unwrap();
            assert_eq!((&notice["action"], &notice["actor"]["kind"]), (&json!("disabled"), &json!("system")));
            let again = format!("{path}/deliveries/{}/redeliver", failed["id"].as_str().unwrap());
            admin.post(&again, json!({})).await.is(409).has_problem("conflict");
            receiver.change(Manner::Accepts);
            admin.patch(&path, json!({ "active": true })).if_match(&disabled.etag()).await.is(200).has("disabled_reason", json!(null));
            admin.post(&again, json!({})).await.is(202).has("status", "pending");
            let log = delivery(&admin, &id, "delivered").await;
            assert_eq!(log["message_id"], failed["message_id"]);
        }
    }

    async fn of_a_long_answer_little_is_read(app) {
        let (app, receiver) = (instead_of(&app, SETTINGS), Receiver::start(Manner::Talks).await);
        let admin = app.admin().await;
        let (id, _) = subscribe(&admin, &receiver.url, &["*"]).await;
        admin.post(format!("/v1/webhooks/{id}/ping"), json!({})).await.is(202);
        let log = delivery(&admin, &id, "delivered").await;
        assert_eq!(log["response_excerpt"].as_str().map(str::len), Some(1000));
    }

    async fn kill9_in_the_middle_loses_nothing(app) {
        let (app, receiver) = (instead_of(&app, SETTINGS), Receiver::start(Manner::Hangs).await);
        let admin = app.admin().await;
        let (id, secret) = subscribe(&admin, &receiver.url, &["opd.*"]).await;
        new_opd(&admin).await;
        receiver.until(1).await;
        app.server().kill9();
        receiver.change(Manner::Accepts);
        app.server().restart();
        let messages = receiver.until(2).await;
        assert_eq!(messages[0].header("webhook-id"), messages[1].header("webhook-id"));
        messages[1].must_fit(&secret);
        delivery(&app.admin().await, &id, "delivered").await;
    }

    async fn a_stop_finishes_what_is_being_sent(app) {
        let (app, receiver) = (instead_of(&app, SETTINGS), Receiver::start(Manner::Thinks).await);
        let admin = app.admin().await;
        let (id, _) = subscribe(&admin, &receiver.url, &["opd.*"]).await;
        new_opd(&admin).await;
        receiver.until(1).await;
        app.server().terminate();
        assert!(app.server().wait().success());
        app.server().restart();
        let log = delivery(&app.admin().await, &id, "delivered").await;
        assert_eq!((&log["attempts"], receiver.messages().len()), (&json!(1), 1));
    }

    async fn replicas_make_each_message_once(app) {
        let (app, receiver) = (instead_of(&app, SETTINGS), Receiver::start(Manner::Accepts).await);
        let other = (app.backend() == Backend::Postgres).then(|| app.replica_with(SETTINGS));
        let admin = app.admin().await;
        let (id, _) = subscribe(&admin, &receiver.url, &["opd.created"]).await;
        let also = match &other {
            Some(other) => other.admin().await,
            None => admin.clone(),
        };
        for _ in 0..20 {
            tokio::join!(new_opd(&admin), new_opd(&also));
        }
        receiver.until(40).await;
        let rows = admin.all(&format!("/v1/webhooks/{id}/deliveries")).await;
        let mut positions = rows.iter().map(|row| row["position"].as_i64().unwrap()).collect::<Vec<_>>();
        positions.sort_unstable();
        positions.dedup();
        assert_eq!((rows.len(), positions.len()), (40, 40));
    }

    async fn a_webhook_is_kept_like_anything_else(app) {
        let admin = app.admin().await;
        let body = json!({ "url": "https://example.com/hook", "event_types": ["*"] });
        let created = admin.post("/v1/webhooks", body.clone()).idempotency_key("once").await.is(201);
        assert!(created.text_at("secret").starts_with("whsec_"));
        let path = format!("/v1/webhooks/{}", created.text_at("id"));
        let replay = admin.post("/v1/webhooks", body).idempotency_key("once").await.is(201);
        replay.has("id", created.at("id")).lacks("secret");
        admin.patch(&path, json!({ "description": "x" })).if_match("\"0-0\"").await.is(412);
        let paused = admin.patch(&path, json!({ "active": false })).if_match(&created.etag()).await.is(200).has("disabled_reason", "paused");
        admin.post(format!("{path}/ping"), json!({})).await.is(409);
        admin.delete(&path).if_match(&paused.etag()).await.is(204);
        admin.get(&path).await.is(404);
        admin.get(format!("{path}/deliveries")).await.is(404);
        let actions = admin.get(format!("{path}/history")).await.is(200).column("action");
        assert_eq!(actions, ["created", "updated", "deleted"]);
    }
}

on_sqlite! {
    async fn private_addresses_are_refused(app) {
        let admin = app.admin().await;
        for url in ["https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://2130706433/", "http://example.com/", "nowhere"] {
            let refused = admin.post("/v1/webhooks", json!({ "url": url, "event_types": ["*"] })).await;
            assert_eq!(refused.status(), 422, "{url}");
            let _ = refused.is(422).has_fault_at("/url");
        }
        for kind in ["user.*", "nothing.*"] {
            let body = json!({ "url": "https://example.com/", "event_types": ["*", kind] });
            admin.post("/v1/webhooks", body).await.is(422).has_fault_at("/event_types/1");
        }
        // A name tells nothing; what is behind it does.
        let receiver = Receiver::start(Manner::Accepts).await;
        let app = instead_of(&app, &[SETTINGS[0], SETTINGS[2]]);
        let admin = app.admin().await;
        let (id, _) = subscribe(&admin, &receiver.url.replace("127.0.0.1", "localhost"), &["*"]).await;
        admin.post(format!("/v1/webhooks/{id}/ping"), json!({})).await.is(202);
        let log = until(&admin, &id, |log| log["error"].is_string()).await;
        assert!(log["error"].as_str().unwrap().contains("on the public internet"), "{log}");
        assert!(receiver.messages().is_empty());
    }
}

/// The service with other settings; the one without would send messages too.
pub(crate) fn instead_of(app: &App, settings: &[(&str, &str)]) -> App {
    app.server().terminate();
    assert!(app.server().wait().success());
    app.replica_with(settings)
}

async fn new_opd(admin: &Actor) -> String {
    let (code, body) = OPDS.new_body();
    admin.create(OPDS.path, body).await;
    code
}

/// A webhook: its id and its secret.
pub(crate) async fn subscribe(admin: &Actor, url: &str, event_types: &[&str]) -> (String, String) {
    let made = admin.create("/v1/webhooks", json!({ "url": url, "event_types": event_types })).await;
    (made.text_at("id"), made.text_at("secret"))
}

/// The newest delivery, once it is like that.
async fn until(admin: &Actor, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/v1/webhooks/{id}/deliveries");
    let mut last = Value::Null;
    for _ in 0..PATIENCE.as_millis() / 100 {
        last = admin.get(&path).await.is(200).rows().into_iter().next().unwrap_or_default();
        if is_so(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not within {PATIENCE:?}: {last}");
}

pub(crate) async fn delivery(admin: &Actor, id: &str, status: &str) -> Value {
    until(admin, id, |log| log["status"] == status).await
}
