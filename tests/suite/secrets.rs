//! Secrets appear in no log line, error, event or history.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use renaksi_tests::person::accept;
use renaksi_tests::server::{CLIENT_SECRET, PASSWORD};
use renaksi_tests::{Answer, on_both_databases, unique};
use serde_json::json;

const TOKEN: &str = "/v1/auth/token";
const WRONG_PASSWORD: &str = "perahu-hijau-di-gili-meno-3";
const NEW_PASSWORD: &str = "sepeda-biru-di-pelabuhan-9";
const WRONG_SECRET: &str = "rahasia-yang-salah-0123456789-0123456789";
const UNKNOWN_TOKEN: &str = "eyJ0eXAiOiJhdCtqd3QifQ.tidak-dikenal-0123456789.tanda-tangan";

on_both_databases! {
    async fn secrets_are_told_to_nobody(app) {
        let (anyone, admin) = (app.anyone(), app.admin().await);
        let mut secrets = [PASSWORD, WRONG_PASSWORD, NEW_PASSWORD, CLIENT_SECRET, WRONG_SECRET, UNKNOWN_TOKEN, admin.token()]
            .map(str::to_owned)
            .to_vec();
        let mut shown = Vec::new();

        let email = unique::email();
        let person = json!({ "email": email, "name": "Baiq Uji", "role": "operator", "opd": "DINKES" });
        let user = admin.create("/v1/users", person.clone()).await;
        let invitation = user.text_at("invitation");
        accept(&anyone, &invitation, NEW_PASSWORD).await.is(204);
        shown.push(accept(&anyone, &invitation, NEW_PASSWORD).await.is(422));
        secrets.push(invitation);
        shown.push(admin.post("/v1/users", person).await.is(409));
        let first = anyone.log_in(&email, NEW_PASSWORD).await.is(200);
        shown.push(anyone.log_in(&email, WRONG_PASSWORD).await.is(400));
        let used = first.text_at("refresh_token");
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", used.as_str())];
        let second = anyone.post_form(TOKEN, &refresh).await.is(200);
        app.database().tamper("UPDATE refresh_token SET used_at = '2020-01-01 00:00:00+00:00' WHERE used_at IS NOT NULL");
        shown.push(anyone.post_form(TOKEN, &refresh).await.is(400));
        let newest = second.text_at("refresh_token");
        shown.push(anyone.post_form("/v1/auth/revoke", &[("token", newest.as_str())]).await.is(200));
        for granted in [&first, &second] {
            secrets.extend([granted.text_at("access_token"), granted.text_at("refresh_token")]);
        }
        anyone.log_in("viewer@demo.invalid", PASSWORD).await.is(200);

        let id = unique::code("sys");
        let body = json!({ "id": id, "opd": "DINKES", "scopes": ["measurements:write", "read"] });
        let created = admin.create("/v1/clients", body.clone()).await.text_at("client_secret");
        shown.push(admin.post("/v1/clients", body).await.is(409));
        let rotated = admin.post(format!("/v1/clients/{id}/rotate"), json!({})).await.is(200).text_at("client_secret");
        for secret in [&created, &rotated] {
            let basic = STANDARD.encode(format!("{id}:{secret}"));
            let by_header = anyone.post_form(TOKEN, &[("grant_type", "client_credentials")]);
            let by_header = by_header.header("Authorization", &format!("Basic {basic}")).await.is(200);
            let by_form = anyone.client_token(&id, secret).await.is(200);
            secrets.extend([secret.clone(), basic, by_header.text_at("access_token"), by_form.text_at("access_token")]);
        }
        shown.push(anyone.client_token(&id, WRONG_SECRET).await.is(401));
        shown.push(anyone.client_token("demo-dinkes", WRONG_SECRET).await.is(401));
        anyone.client_token("demo-dinkes", CLIENT_SECRET).await.is(200);

        let client = anyone.with_token(&anyone.client_token(&id, &rotated).await.is(200).text_at("access_token"));
        secrets.push(client.token().to_owned());
        let rows = json!([{ "kpi": "STUNTING", "period": "2023", "value": "19.1" }]).to_string();
        let push = client.push("/v1/push/measurements", "application/json", rows).header("X-Request-Id", "secrets-test-1");
        shown.push(push.await.is(200));
        shown.push(client.push("/v1/push/measurements", "application/json", "[{}]").await.is(422));
        shown.push(client.push("/v1/push/programmes", "application/json", "[{}]").await.is(403));
        shown.push(anyone.with_token(UNKNOWN_TOKEN).get("/v1/me").await.is(401));
        // A token where none belongs: in the query, which a log likes to repeat.
        shown.push(anyone.get(format!("/v1/me?access_token={UNKNOWN_TOKEN}")).await);

        let place = user.header("location").unwrap().to_owned();
        for path in [place, format!("/v1/clients/{id}")] {
            shown.extend([admin.get(&path).await.is(200), admin.get(format!("{path}/history")).await.is(200)]);
        }
        for path in ["/v1/users?limit=200", "/v1/clients?limit=200", "/v1/kpis/STUNTING/measurements/2023/history"] {
            shown.push(admin.get(path).await.is(200));
        }
        // The log is written beside the answers.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let log = app.server().log();
        assert!(log.contains("secrets-test-1"), "the push is not in the log: {log}");
        let mut texts = shown.iter().map(Answer::text).collect::<Vec<_>>();
        texts.push(log);
        for secret in &secrets {
            for text in &texts {
                assert!(!text.contains(secret.as_str()), "`{secret}` is shown in {text}");
            }
        }
    }
}
