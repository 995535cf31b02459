//! One-time codes (TOTP): set up, asked for, used up, lost, and required.

use renaksi_tests::person::{Person, code, refresh};
use renaksi_tests::{App, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

const PASSWORD: &str = "sepeda-biru-di-pelabuhan-9";

on_shared_servers! {
    async fn an_admin_resets_what_somebody_lost(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let person = Person::invited(app, "viewer", None, PASSWORD).await;
        let path = format!("{}/totp", person.path);
        admin.delete(&path).await.is(404).has_problem("not_found");
        person.set_up_totp().await;
        anyone.log_in(&person.email, PASSWORD).await.is(400).has("error", "mfa_required");
        admin.delete(&path).await.is(204);
        anyone.log_in(&person.email, PASSWORD).await.is(200);
        admin.get(&person.path).await.is(200).has("totp", false);
        app.client_dinkes().await.post("/v1/me/totp", json!({})).await.is(403).has_problem("forbidden");
    }
}

on_both_databases! {
    async fn a_code_is_asked_for_once_it_is_set_up(app) {
        let anyone = app.anyone();
        let person = Person::invited(&app, "operator", Some("DLH"), PASSWORD).await;
        let begun = person.actor.post("/v1/me/totp", json!({})).await.is(200);
        let secret = begun.text_at("secret");
        assert!(begun.text_at("otpauth_uri").starts_with("otpauth://totp/Renaksi:"), "{begun:?}");
        assert!(begun.text_at("otpauth_uri").contains(&format!("secret={secret}")), "{begun:?}");
        // It is not in force yet, and the last secret counts.
        anyone.log_in(&person.email, PASSWORD).await.is(200);
        let last = person.actor.post("/v1/me/totp", json!({})).await.is(200).text_at("secret");
        assert_ne!(last, secret);
        person.actor.put("/v1/me/totp", json!({ "code": wrong(&last) })).await.is(422).has_fault_at("/code");
        person.actor.put("/v1/me/totp", json!({ "code": "12345" })).await.is(422).has_fault_at("/code");
        let confirmed = person.actor.put("/v1/me/totp", json!({ "code": code(&last, 0) })).await.is(200);
        assert_eq!(confirmed.at("recovery_codes").as_array().unwrap().len(), 10);
        person.actor.get("/v1/me").await.is(200).has("totp", true).has("totp_required", false);
        person.actor.post("/v1/me/totp", json!({})).await.is(409).has_problem("conflict");

        let asked = anyone.log_in(&person.email, PASSWORD).await.is(400).has("error", "mfa_required");
        assert!(asked.header("cache-control").is_some_and(|value| value.contains("no-store")));
        anyone.log_in(&person.email, "kata-sandi-yang-salah").await.is(400).has("error", "invalid_grant");
        person.log_in_with(&anyone, &wrong(&last)).await.is(400).has("error", "invalid_grant");
        // The code that set it up is used up.
        person.log_in_with(&anyone, &code(&last, 0)).await.is(400).has("error", "invalid_grant");
        person.log_in_with(&anyone, &code(&last, 1)).await.is(200).has("scope", "read write");
        app.admin().await.get(&person.path).await.is(200).has("totp", true);
        // A refresh needs no code.
        refresh(&anyone, &person.granted).await.is(200);
    }

    async fn a_recovery_code_is_good_once(app) {
        let anyone = app.anyone();
        let person = Person::invited(&app, "viewer", None, PASSWORD).await;
        let (secret, codes) = person.set_up_totp().await;
        let as_people_write = codes[0].to_uppercase().replace('-', " ");
        person.log_in_with(&anyone, &as_people_write).await.is(200);
        person.log_in_with(&anyone, &codes[0]).await.is(400).has("error", "invalid_grant");
        person.log_in_with(&anyone, &codes[1]).await.is(200);
        // New ones end the earlier ones.
        let renewed = person.actor.put("/v1/me/totp", json!({ "code": code(&secret, 1) })).await.is(200);
        person.log_in_with(&anyone, &codes[2]).await.is(400);
        person.log_in_with(&anyone, &renewed.text_at("recovery_codes/0")).await.is(200);
        let history = app.admin().await.get(format!("{}/history", person.path)).await.is(200);
        assert_eq!(history.column("action"), ["created", "password_set", "totp_enabled", "recovery_codes_replaced"]);
        assert!(codes.iter().all(|code| !history.text().contains(code.as_str())) && !history.text().contains(&secret));
    }

    async fn who_removes_the_codes_proves_who_they_are(app) {
        let anyone = app.anyone();
        let person = Person::invited(&app, "viewer", None, PASSWORD).await;
        let remove = |body: Value| person.actor.request(reqwest::Method::DELETE, "/v1/me/totp").json(&body);
        remove(json!({ "password": PASSWORD })).await.is(404).has_problem("not_found");
        let (secret, codes) = person.set_up_totp().await;
        remove(json!({})).await.is(422).has_fault_at("/password");
        remove(json!({ "password": PASSWORD, "code": "123456" })).await.is(422);
        remove(json!({ "password": "kata-sandi-yang-salah" })).await.is(422).has_fault_at("/password");
        remove(json!({ "code": wrong(&secret) })).await.is(422).has_fault_at("/code");
        remove(json!({ "password": PASSWORD })).await.is(204);
        anyone.log_in(&person.email, PASSWORD).await.is(200);
        person.actor.put("/v1/me/totp", json!({ "code": code(&secret, 1) })).await.is(409).has_problem("conflict");
        person.log_in_with(&anyone, &codes[0]).await.is(200);

        let (_, codes) = person.set_up_totp().await;
        remove(json!({ "code": codes[3] })).await.is(204);
        anyone.log_in(&person.email, PASSWORD).await.is(200);
    }

    async fn of_many_logins_with_one_code_at_once_one_wins(app) {
        let anyone = app.anyone();
        let person = Person::invited(&app, "viewer", None, PASSWORD).await;
        let (secret, codes) = person.set_up_totp().await;
        for totp in [code(&secret, 1), codes[0].clone()] {
            let attempts = futures_util::future::join_all((0..4).map(|_| person.log_in_with(&anyone, &totp))).await;
            let statuses = attempts.iter().map(renaksi_tests::Answer::status).collect::<Vec<_>>();
            assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        }
    }

    async fn of_logins_with_one_code_on_two_replicas_one_wins(app) {
        let person = Person::invited(&app, "viewer", None, PASSWORD).await;
        let (secret, _) = person.set_up_totp().await;
        let replica = app.replica();
        for _ in 0..5 {
            forget_used_codes(&app);
            let totp = code(&secret, 0);
            let (here, there) = (app.anyone(), replica.anyone());
            let (one, other) = tokio::join!(person.log_in_with(&here, &totp), person.log_in_with(&there, &totp));
            let mut statuses = [one.status(), other.status()];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 400], "{one:?} {other:?}");
        }
    }

    async fn wrong_codes_slow_down_and_end(app) {
        let anyone = app.anyone();
        let person = Person::invited(&app, "viewer", None, PASSWORD).await;
        let (secret, _) = person.set_up_totp().await;
        let mut tried = 0;
        while person.log_in_with(&anyone, &wrong(&secret)).await.status() != 429 {
            tried += 1;
            assert!(tried <= 100, "{tried} wrong codes were not slowed down");
        }
        person.log_in_with(&anyone, &code(&secret, 1)).await.is(429);
        app.server().logged(&["\"target\":\"security\"", "\"event\":\"login_failed\"", "one-time code"]);
    }

    async fn who_needs_codes_reaches_only_the_own_account_without(app) {
        let strict = app.replica_with(&[("RENAKSI_REQUIRE_TOTP", "true")]);
        let anyone = strict.anyone();
        let person = Person::invited(&app, "admin", None, PASSWORD).await;
        let granted = anyone.log_in(&person.email, PASSWORD).await.is(200).has("scope", "account");
        let limited = anyone.with_token(&granted.text_at("access_token"));
        let me = limited.get("/v1/me").await.is(200).has("totp_required", true);
        assert_eq!(me.at("permissions"), json!(["know_oneself", "manage_own_account"]));
        limited.get("/v1/me/obligations").await.is(200);
        for path in ["/v1/programmes", "/v1/users", "/v1/events", "/v1/summary", "/v1/events/stream"] {
            let refused = limited.get(path).header("Accept-Language", "id").await.is(403).has_problem("totp_required");
            assert!(refused.text_at("title").contains("Kode sekali pakai"), "{refused:?}");
        }
        // Also what is kept for everybody who may read it.
        app.admin().await.get("/v1/programmes").await.is(200);
        limited.get("/v1/programmes").await.is(403).has_problem("totp_required");
        limited.put("/v1/opds/BARU", json!({ "name": "Baru" })).await.is(403).has_problem("totp_required");
        // A token from before the setting reads on until it ends, and writes nothing.
        let earlier = anyone.with_token(person.actor.token());
        earlier.put("/v1/opds/BARU", json!({ "name": "Baru" })).await.is(403).has_problem("totp_required");
        earlier.get("/v1/users").await.is(403).has_problem("totp_required");

        let secret = limited.post("/v1/me/totp", json!({})).await.is(200).text_at("secret");
        limited.put("/v1/me/totp", json!({ "code": code(&secret, 0) })).await.is(200);
        let granted = refresh(&anyone, &granted).await.is(200).has("scope", "read write");
        let whole = anyone.with_token(&granted.text_at("access_token"));
        whole.get("/v1/users").await.is(200);
        whole.get("/v1/me").await.is(200).has("totp_required", false);
        // Others need none.
        let viewer = anyone.log_in("viewer@demo.invalid", renaksi_tests::server::PASSWORD).await.is(200).has("scope", "read write");
        anyone.with_token(&viewer.text_at("access_token")).get("/v1/programmes").await.is(200);
        // Whose codes are reset is held at once where it writes, and by the next token everywhere.
        app.admin().await.delete(format!("{}/totp", person.path)).await.is(204);
        whole.put("/v1/opds/BARU", json!({ "name": "Baru" })).await.is(403).has_problem("totp_required");
        refresh(&anyone, &granted).await.is(200).has("scope", "account");
    }

    async fn what_is_stored_gives_no_recovery_code_away(app) {
        let person = Person::invited(&app, "viewer", None, PASSWORD).await;
        let (secret, codes) = person.set_up_totp().await;
        let mut seen = app.server().log();
        for table in ["event", "idempotency_record", "recovery_code", "user_account"] {
            seen.push_str(&app.database().query(&format!("SELECT * FROM {table}")));
        }
        assert!(!seen.contains(&secret) && codes.iter().all(|code| !seen.contains(code.as_str())));
        let verified = app.command(&["audit", "verify"]);
        assert!(verified.status.success(), "{verified:?}");
    }
}

/// A code that is none of the present ones.
fn wrong(secret: &str) -> String {
    let good = [-1, 0, 1, 2].map(|steps| code(secret, steps));
    ["000000", "111111", "222222", "333333", "444444"]
        .into_iter()
        .find(|code| !good.iter().any(|good| good == code))
        .unwrap()
        .to_owned()
}

/// Moves the clock: codes that were used are as if their time had come anew.
fn forget_used_codes(app: &App) {
    app.database().tamper("UPDATE totp SET last_step = 0");
}
