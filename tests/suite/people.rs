//! People: what an account is told about itself, invitations, and passwords that only their owners know.

use renaksi_tests::person::{Person, accept, refresh};
use renaksi_tests::server::PASSWORD;
use renaksi_tests::{on_both_databases, on_shared_servers, unique};
use serde_json::{Value, json};

const FIRST: &str = "sepeda-biru-di-pelabuhan-9";
const SECOND: &str = "layang-layang-merah-di-sawah";
const WRONG: &str = "kata-sandi-yang-salah";
/// Before now, as both databases read it.
const LONG_AGO: &str = "2020-01-01 00:00:00+00:00";

on_shared_servers! {
    async fn an_account_is_told_who_it_is_and_what_it_may(app) {
        let me = app.operator_dinkes().await.get("/v1/me").await.is(200);
        let me = me.has("kind", "user").has("role", "operator").has("opd/code", "DINKES").has("scopes", Value::Null);
        assert!(me.text_at("opd/name").contains("Kesehatan"), "{me:?}");
        assert_eq!(me.text_at("subject"), format!("user:{}", me.text_at("id")));
        assert!(!me.text_at("name").is_empty());
        let may = permissions(&me);
        assert!(may.contains(&"edit_programmes".to_owned()) && may.contains(&"read_all".to_owned()), "{may:?}");
        assert!(!may.contains(&"review".to_owned()) && !may.contains(&"manage_users".to_owned()), "{may:?}");

        let admin = app.admin().await.get("/v1/me").await.is(200).has("opd", Value::Null);
        assert!(permissions(&admin).contains(&"manage_users".to_owned()));
        let viewer = app.viewer().await.get("/v1/me").await.is(200);
        assert_eq!(permissions(&viewer), ["know_oneself", "manage_own_account", "read_all"]);

        let client = app.client_dinkes().await.get("/v1/me").await.is(200);
        let client = client.has("kind", "client").has("email", Value::Null).has("subject", "client:demo-dinkes").has("opd/code", "DINKES");
        assert!(!permissions(&client).contains(&"manage_own_account".to_owned()), "{client:?}");
        // Without a scope there is no permission that needs it.
        let narrow = app.anyone().post_form("/v1/auth/token", &[
            ("grant_type", "client_credentials"), ("client_id", "demo-dinkes"),
            ("client_secret", renaksi_tests::server::CLIENT_SECRET), ("scope", "read"),
        ]).await.is(200).text_at("access_token");
        let narrow = app.anyone().with_token(&narrow).get("/v1/me").await.is(200);
        assert_eq!(permissions(&narrow), ["know_oneself", "read_all"]);
    }

    async fn a_retry_sets_the_password_once(app) {
        let anyone = app.anyone();
        let created = app.admin().await.create("/v1/users", json!({ "email": unique::email(), "role": "viewer" })).await;
        let body = json!({ "invitation": created.text_at("invitation"), "new": FIRST });
        let set = |body: &Value| anyone.post("/v1/auth/password", body.clone()).idempotency_key("the same");
        set(&body).await.is(204);
        set(&body).await.is(204).has_header("idempotent-replayed", "true");
        // The key of one invitation is another key with another invitation.
        let other = app.admin().await.create("/v1/users", json!({ "email": unique::email(), "role": "viewer" })).await;
        set(&json!({ "invitation": other.text_at("invitation"), "new": FIRST })).await.is(204).lacks_header("idempotent-replayed");
    }

    async fn an_invitation_of_somebody_disabled_is_good_for_nothing(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let created = admin.create("/v1/users", json!({ "email": unique::email(), "role": "viewer" })).await;
        let path = format!("/v1/users/{}", created.text_at("id"));
        admin.patch(&path, json!({ "active": false })).if_match("*").await.is(200);
        accept(&anyone, &created.text_at("invitation"), FIRST).await.is(422).has_fault_at("/invitation");
        admin.post(format!("{path}/invitation"), json!({})).await.is(409).has_problem("conflict");
        admin.patch(&path, json!({ "active": true })).if_match("*").await.is(200);
        accept(&anyone, &created.text_at("invitation"), FIRST).await.is(422);
        let again = admin.post(format!("{path}/invitation"), json!({})).await.is(200);
        accept(&anyone, &again.text_at("invitation"), FIRST).await.is(204);
    }

    async fn a_token_alone_gives_nobody_a_new_way_to_log_in(app) {
        let admin = Person::invited(app, "admin", None, FIRST).await;
        admin.set_up_totp().await;
        admin.actor.post(format!("{}/invitation", admin.path), json!({})).await.is(403).has_problem("forbidden");
        admin.actor.delete(format!("{}/totp", admin.path)).await.is(403).has_problem("forbidden");
        admin.actor.get("/v1/me").await.is(200).has("totp", true);
    }

    async fn no_admin_sets_a_password(app) {
        let admin = app.admin().await;
        let person = Person::invited(app, "viewer", None, FIRST).await;
        admin.post("/v1/users", json!({ "email": unique::email(), "role": "viewer", "password": SECOND })).await.is(422).has_fault_at("/password");
        admin.patch(&person.path, json!({ "password": SECOND })).if_match("*").await.is(422).has_fault_at("/password");
        for role in ["verifier", "operator", "viewer"] {
            let opd = (role == "operator").then_some("DINKES");
            let other = Person::invited(app, role, opd, FIRST).await;
            other.actor.post(format!("{}/invitation", person.path), json!({})).await.is(403).has_problem("forbidden");
            other.actor.delete(format!("{}/totp", person.path)).await.is(403).has_problem("forbidden");
        }
    }

    async fn of_two_who_use_one_invitation_at_once_one_wins(app) {
        let anyone = app.anyone();
        let created = app.admin().await.create("/v1/users", json!({ "email": unique::email(), "role": "viewer" })).await;
        let invitation = created.text_at("invitation");
        let attempts = (0..6).map(|number| {
            let (anyone, invitation) = (anyone.clone(), invitation.clone());
            async move { accept(&anyone, &invitation, &format!("sepeda-biru-nomor-{number}-di-sini")).await.status() }
        });
        let statuses = futures_util::future::join_all(attempts).await;
        assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [204, 422].contains(status)), "{statuses:?}");
    }
}

on_both_databases! {
    async fn the_person_who_is_invited_sets_the_password(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let email = unique::email();
        let created = admin.create("/v1/users", json!({ "email": email, "role": "viewer" })).await;
        let created = created.has("has_password", false).has("totp", false).has_header("cache-control", "no-store");
        assert!(created.text_at("expires_at") > created.text_at("created_at"));
        anyone.log_in(&email, FIRST).await.is(400).has("error", "invalid_grant");

        let invitation = created.text_at("invitation");
        accept(&anyone, &invitation, "password1234").await.is(422).has_fault_at("/new");
        accept(&anyone, &invitation, FIRST).await.is(204);
        anyone.log_in(&email, FIRST).await.is(200);
        accept(&anyone, &invitation, SECOND).await.is(422).has_fault_at("/invitation").has("errors/0/code", "invalid_invitation");
        anyone.log_in(&email, FIRST).await.is(200);
        let path = format!("/v1/users/{}", created.text_at("id"));
        admin.get(&path).await.is(200).has("has_password", true).lacks("invitation");
        let history = admin.get(format!("{path}/history")).await.is(200);
        assert_eq!(history.column("action"), ["created", "password_set"]);
        assert_eq!(history.at("data/1/actor/id"), email.as_str(), "the person set it, not the admin");
    }

    async fn a_new_invitation_ends_the_old_one(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let person = Person::invited(&app, "viewer", None, FIRST).await;
        let path = format!("{}/invitation", person.path);
        let old = admin.post(&path, json!({})).await.is(200).text_at("invitation");
        let key = unique::word();
        let new = admin.post(&path, json!({})).idempotency_key(&key).await.is(200);
        // Nothing that is kept for retries gives an invitation away.
        admin.post(&path, json!({})).idempotency_key(&key).await.is(200).lacks("invitation").has("expires_at", new.at("expires_at"));
        accept(&anyone, &old, SECOND).await.is(422).has_fault_at("/invitation");
        // Until the invitation is used, nothing changes.
        refresh(&anyone, &person.granted).await.is(200);
        accept(&anyone, &new.text_at("invitation"), SECOND).await.is(204);
        anyone.log_in(&person.email, FIRST).await.is(400);
        anyone.log_in(&person.email, SECOND).await.is(200);
        refresh(&anyone, &person.granted).await.is(400).has("error", "invalid_grant");
    }

    async fn a_person_changes_the_own_password(app) {
        let anyone = app.anyone();
        let person = Person::invited(&app, "operator", Some("DLH"), FIRST).await;
        let elsewhere = anyone.log_in(&person.email, FIRST).await.is(200);
        let change = |current: &str, new: &str| person.actor.post("/v1/me/password", json!({ "current": current, "new": new }));
        change(FIRST, "password1234").await.is(422).has_fault_at("/new");
        let refused = change(WRONG, SECOND).header("Accept-Language", "id").await.is(422).has_fault_at("/current");
        assert_eq!(refused.at("errors/0/detail"), "Kata sandi salah.");
        change(FIRST, SECOND).idempotency_key("once").await.is(204);
        // A retry whose answer was lost gets it again, although the present password is another one by now.
        change(FIRST, SECOND).idempotency_key("once").await.is(204).has_header("idempotent-replayed", "true");
        anyone.log_in(&person.email, FIRST).await.is(400);
        anyone.log_in(&person.email, SECOND).await.is(200);
        // Other logins end, the own one goes on.
        refresh(&anyone, &elsewhere).await.is(400).has("error", "invalid_grant");
        refresh(&anyone, &person.granted).await.is(200);
        let history = app.admin().await.get(format!("{}/history", person.path)).await.is(200);
        assert_eq!(history.column("action"), ["created", "password_set", "password_changed"]);
        // A client has no password.
        app.client_dinkes().await.post("/v1/me/password", json!({ "current": FIRST, "new": SECOND })).await.is(403).has_problem("forbidden");
    }

    async fn an_invitation_ends_after_its_time(app) {
        let anyone = app.anyone();
        let created = app.admin().await.create("/v1/users", json!({ "email": unique::email(), "role": "viewer" })).await;
        app.database().tamper(&format!("UPDATE invitation SET expires_at = '{LONG_AGO}'"));
        accept(&anyone, &created.text_at("invitation"), FIRST).await.is(422).has_fault_at("/invitation");
        app.server().logged(&["\"target\":\"security\"", "\"event\":\"invitation_refused\""]);
    }

    async fn guessing_the_present_password_slows_down(app) {
        let person = Person::invited(&app, "viewer", None, FIRST).await;
        // Guesses with a token of the person count like failed logins, also on another replica.
        let replica = app.replica();
        let elsewhere = replica.anyone().with_token(person.actor.token());
        let mut tried = 0;
        loop {
            let actor = if tried % 2 == 0 { &person.actor } else { &elsewhere };
            let answer = actor.post("/v1/me/password", json!({ "current": WRONG, "new": SECOND })).await;
            if answer.status() == 429 {
                let _ = answer.is(429).has_problem("too_many_requests");
                break;
            }
            answer.is(422).has("errors/0/code", "wrong_password");
            tried += 1;
            assert!(tried <= 100, "{tried} guesses were not slowed down");
        }
        app.anyone().log_in(&person.email, FIRST).await.is(429);
        app.server().logged(&["\"target\":\"security\"", "\"event\":\"login_failed\"", "wrong present password"]);
    }

    async fn without_passwords_only_clients_and_the_provider_remain(app) {
        let person = Person::invited(&app, "admin", None, FIRST).await;
        let closed = app.replica_with(&[("RENAKSI_PASSWORD_LOGIN", "off")]);
        let anyone = closed.anyone();
        let refused = anyone.log_in(&person.email, FIRST).await.is(400).has("error", "unsupported_grant_type");
        assert!(refused.text_at("error_description").contains("identity provider"), "{refused:?}");
        refresh(&anyone, &person.granted).await.is(400).has("error", "unsupported_grant_type");
        let admin = anyone.with_token(person.actor.token());
        let users = json!({ "email": unique::email(), "role": "viewer" });
        admin.post("/v1/users", users).await.is(403).has_problem("password_login_off");
        admin.post(format!("{}/invitation", person.path), json!({})).await.is(403).has_problem("password_login_off");
        accept(&anyone, "an invitation", FIRST).await.is(403).has_problem("password_login_off");
        admin.post("/v1/me/password", json!({ "current": FIRST, "new": SECOND })).await.is(403).has_problem("password_login_off");
        anyone.client_token("demo-dinkes", renaksi_tests::server::CLIENT_SECRET).await.is(200);
        let metadata = |service: renaksi_tests::Actor| async move { service.get("/.well-known/oauth-authorization-server").await.is(200).at("grant_types_supported") };
        assert_eq!(metadata(anyone).await, json!(["client_credentials"]));
        assert_eq!(metadata(app.anyone()).await, json!(["client_credentials", "password", "refresh_token"]));
    }

    async fn nothing_secret_of_people_is_kept_readable(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let created = admin.post("/v1/users", json!({ "email": unique::email(), "role": "viewer" })).idempotency_key("kept").await.is(201);
        let invitation = created.text_at("invitation");
        accept(&anyone, &invitation, FIRST).await.is(204);
        let mut seen = app.server().log();
        for table in ["event", "idempotency_record", "invitation", "user_account"] {
            seen.push_str(&app.database().query(&format!("SELECT * FROM {table}")));
        }
        for secret in [FIRST, PASSWORD, invitation.as_str()] {
            assert!(!seen.contains(secret), "`{secret}` can be read");
        }
    }

    async fn the_command_line_helps_who_cannot_ask(app) {
        let person = Person::invited(&app, "admin", None, FIRST).await;
        person.set_up_totp().await;
        let invited = app.command(&["user", "invite", &person.email]);
        assert!(invited.status.success(), "{invited:?}");
        let invitation = String::from_utf8(invited.stdout).unwrap().trim().to_owned();
        accept(&app.anyone(), &invitation, SECOND).await.is(204);
        // The one-time codes stay until they are reset.
        app.anyone().log_in(&person.email, SECOND).await.is(400).has("error", "mfa_required");
        let reset = app.command(&["user", "reset-totp", &person.email.to_uppercase()]);
        assert!(reset.status.success(), "{reset:?}");
        app.anyone().log_in(&person.email, SECOND).await.is(200);
        assert!(!app.command(&["user", "invite", "nobody@tests.invalid"]).status.success());
    }
}

fn permissions(me: &renaksi_tests::Answer) -> Vec<String> {
    me.at("permissions").as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}
