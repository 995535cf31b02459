//! A key that leaked is ended at once, on every replica; and it never made tokens that outlast those of the service.

use std::time::{Duration, Instant};

use jsonwebtoken::EncodingKey;
use renaksi_tests::server::PASSWORD;
use renaksi_tests::{Actor, on_both_databases};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

on_both_databases! {
    async fn a_revoked_key_verifies_nothing_on_any_replica(app) {
        let replica = app.replica();
        let granted = app.anyone().log_in("viewer@demo.invalid", PASSWORD).await.is(200);
        let old = granted.text_at("access_token");
        let services = [&app, &replica];
        for service in services {
            service.anyone().with_token(&old).get("/v1/programmes?limit=1").await.is(200);
        }
        let revoked = app.command(&["keys", "revoke", &kid(&old)]);
        assert!(revoked.status.success(), "{revoked:?}");
        for service in services {
            until_refused(&service.anyone().with_token(&old)).await;
            let log = service.server().log();
            assert!(log.lines().any(|line| line.contains("signing_key_ended") && line.contains("\"target\":\"security\"")), "{log}");
            let set = service.anyone().get("/.well-known/jwks.json").await.is(200).text();
            assert!(!set.contains(&kid(&old)), "{set}");
        }
        // Nobody has to log in again: a refresh token is no such token.
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &granted.text_at("refresh_token"))];
        let new = replica.anyone().post_form("/v1/auth/token", &fields).await.is(200).text_at("access_token");
        assert_eq!(kid(&new), String::from_utf8_lossy(&revoked.stdout).trim());
        for service in services {
            service.anyone().with_token(&new).get("/v1/programmes?limit=1").await.is(200);
        }
        let unknown = app.command(&["keys", "revoke", &kid(&old)]);
        assert!(!unknown.status.success() && String::from_utf8_lossy(&unknown.stderr).contains(&kid(&old)), "{unknown:?}");
    }

    async fn a_key_that_was_replaced_can_be_revoked_too(app) {
        let old = app.viewer().await.token().to_owned();
        let rotated = app.command(&["keys", "rotate"]);
        let revoked = app.command(&["keys", "revoke", &kid(&old)]);
        assert!(revoked.status.success(), "{revoked:?}");
        assert_eq!(revoked.stdout, rotated.stdout, "the key that signs stays");
        until_refused(&app.anyone().with_token(&old)).await;
    }

    async fn a_token_that_lasts_longer_than_ours_is_refused(app) {
        let token = app.viewer().await.token().to_owned();
        let (header, key) = (jsonwebtoken::decode_header(&token).unwrap(), EncodingKey::from_ec_der(&app.signing_key()));
        let claims = claims(&token);
        let iat = claims["iat"].as_i64().unwrap();
        let century = 100 * 365 * 24 * 3600;
        for (issued, ends, status) in [
            (iat, iat + 900, 200), (iat, iat + 901, 401), (iat, iat + century, 401), (iat + century, iat + century + 900, 401),
            (iat + century, iat + century, 401), (i64::MIN, i64::MAX, 401), (i64::MAX, iat + 900, 401),
        ] {
            let mut forged = claims.clone();
            forged["iat"] = json!(issued);
            forged["exp"] = json!(ends);
            let forged = jsonwebtoken::encode(&header, &forged, &key).unwrap();
            let answer = app.anyone().with_token(&forged).get("/v1/programmes?limit=1").await;
            assert_eq!(answer.status(), status, "from {issued} to {ends}");
        }
        assert!(app.server().log().contains("forged_token"));
    }
}

async fn until_refused(actor: &Actor) {
    let since = Instant::now();
    while actor.get("/v1/programmes?limit=1").await.status() != 401 {
        assert!(since.elapsed() < PATIENCE, "the token of a revoked key is still good");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    actor.get("/v1/programmes?limit=1").await.is(401).has_problem("unauthenticated");
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

fn claims(token: &str) -> Value {
    use base64::Engine;
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
