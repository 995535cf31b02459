//! What is kept for a time only is gone after it, and nothing else is.

use std::time::Duration;

use renaksi_tests::resource::OPDS;
use renaksi_tests::{App, on_both_databases};
use serde_json::json;

/// Long before anything that is kept, as both databases read it.
const LONG_AGO: &str = "2020-01-01 00:00:00+00:00";

/// How many rows a table has where `which` holds.
fn rows(app: &App, table: &str, which: &str) -> u32 {
    app.database().query(&format!("SELECT COUNT(*) FROM {table} WHERE {which}")).parse().unwrap()
}

/// Expects that soon.
async fn becomes(app: &App, table: &str, count: u32) {
    for _ in 0..300 {
        if rows(app, table, "1 = 1") == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{table} has {} rows instead of {count}", rows(app, table, "1 = 1"));
}

on_both_databases! {
    async fn what_is_old_is_forgotten_and_the_trail_is_not(app) {
        let admin = app.admin().await;
        let subscription = json!({ "url": "https://example.invalid/hook", "event_types": ["survey.*"] });
        let [old, new] = [admin.create("/v1/webhooks", subscription.clone()).await, admin.create("/v1/webhooks", subscription).await];
        for webhook in [&old, &new] {
            admin.post(format!("/v1/webhooks/{}/ping", webhook.text_at("id")), json!({})).await.is(202);
        }
        for key in ["old", "new"] {
            admin.post(OPDS.path, OPDS.new_body().1).idempotency_key(key).await.is(201);
        }
        app.anyone().log_in("viewer@demo.invalid", renaksi_tests::server::PASSWORD).await.is(200);
        app.anyone().log_in("nobody@tests.invalid", "salah-sekali-lagi").await.is(400);
        app.server().terminate();
        assert!(app.server().wait().success());

        let of_old = format!("webhook = '{}'", old.text_at("id"));
        app.database().tamper(&format!("UPDATE webhook_delivery SET created_at = '{LONG_AGO}' WHERE {of_old}"));
        let one = "(SELECT MIN(id) FROM idempotency_record)";
        app.database().tamper(&format!("UPDATE idempotency_record SET created_at = '{LONG_AGO}' WHERE id = {one}"));
        app.database().tamper(&format!("UPDATE refresh_token SET expires_at = '{LONG_AGO}'"));
        app.database().tamper(&format!("UPDATE login_failure SET updated_at = '{LONG_AGO}'"));
        assert!(rows(&app, "refresh_token", "1 = 1") > 0 && rows(&app, "login_failure", "1 = 1") > 0);
        let (kept, events) = (rows(&app, "idempotency_record", "1 = 1"), rows(&app, "event", "1 = 1"));
        let others = rows(&app, "webhook_delivery", &format!("NOT {of_old}"));
        assert!(kept > 1 && others > 0 && rows(&app, "webhook_delivery", &of_old) > 0);

        app.server().restart();
        becomes(&app, "webhook_delivery", others).await;
        becomes(&app, "idempotency_record", kept - 1).await;
        becomes(&app, "refresh_token", 0).await;
        becomes(&app, "login_failure", 0).await;
        assert_eq!(rows(&app, "webhook_delivery", &of_old), 0);
        assert!(rows(&app, "event", "1 = 1") >= events);
    }

    async fn of_many_old_rows_all_are_forgotten(app) {
        app.server().terminate();
        assert!(app.server().wait().success());
        // More than one transaction deletes.
        app.database().tamper(&format!(
            "INSERT INTO login_failure (subject, failures, blocked_until, updated_at) WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 2500) \
             SELECT 'k' || n, 1, '{LONG_AGO}', '{LONG_AGO}' FROM number"
        ));
        app.server().restart();
        becomes(&app, "login_failure", 0).await;
    }
}
