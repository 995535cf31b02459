//! The people who log in, as the admin manages them.

use renaksi_tests::person::{Person, accept};
use renaksi_tests::{Actor, on_both_databases, on_shared_servers, unique};
use serde_json::{Value, json};

const NEW_PASSWORD: &str = "sepeda-biru-di-pelabuhan-9";

on_shared_servers! {
    async fn an_admin_creates_and_changes_people(app) {
        let admin = app.admin().await;
        let email = unique::email();
        let created = admin.create("/v1/users", person(&email)).await.has("email", email.clone()).has("role", "operator").has("opd", "DLH");
        let path = created.header("location").unwrap().to_owned();
        admin.get(&path).await.is(200).has("active", true);
        admin.post("/v1/users", person(&email)).await.is(409).has_problem("already_exists");
        admin.post("/v1/users", person(&email.to_uppercase())).await.is(409);
        // Null would remove a member, and these cannot be removed.
        for member in ["name", "role", "active"] {
            admin.patch(&path, json!({ member: null })).if_match(&created.etag()).await.is(422).has_fault_at(&format!("/{member}"));
        }
        admin.patch(&path, json!({ "role": "viewer", "opd": null })).if_match(&created.etag()).await.is(200).has("role", "viewer").has("opd", json!(null));
        admin.patch(&path, json!({ "name": "x" })).if_match(&created.etag()).await.is(412);
        admin.patch(&path, json!({ "name": "x" })).await.is(428);
        let rows = admin.all("/v1/users?limit=2").await;
        assert!(rows.iter().any(|row| row["email"] == email.as_str()));
    }

    async fn weak_passwords_are_refused(app) {
        let invitation = app.admin().await.create("/v1/users", person(&unique::email())).await.text_at("invitation");
        for password in ["", "short", "elevenchars", "password1234", "aaaaaaaaaaaaaaaa", "123456789012", "qwertyuiop12"] {
            accept(&app.anyone(), &invitation, password).await.is(422).has_fault_at("/new");
        }
        accept(&app.anyone(), &invitation, NEW_PASSWORD).await.is(204);
    }

    async fn people_are_checked(app) {
        let admin = app.admin().await;
        for (member, value, pointer) in [
            ("email", json!("no address"), "/email"), ("email", json!("a\u{0}@b.invalid"), "/email"), ("role", json!("emperor"), "/role"),
            ("opd", json!("NO-SUCH"), "/opd"), ("opd", json!(null), "/opd"), ("tpyo", json!(1), "/tpyo"),
        ] {
            let mut body = person(&unique::email());
            body[member] = value.clone();
            let answer = admin.post("/v1/users", body).await;
            assert_eq!(answer.status(), 422, "{member} {value}: {answer:?}");
            let _ = answer.is(422).has_fault_at(pointer);
        }
    }
}

on_both_databases! {
    async fn a_disabled_person_is_out(app) {
        let admin = app.admin().await;
        let Person { email, path, granted, .. } = Person::created(&app, person(&unique::email()), NEW_PASSWORD).await;
        let etag = admin.etag_of(&path).await;
        admin.patch(&path, json!({ "active": false })).if_match(&etag).await.is(200);
        app.anyone().log_in(&email, NEW_PASSWORD).await.is(400).has("error", "invalid_grant");
        let refresh = granted.text_at("refresh_token");
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        app.anyone().post_form("/v1/auth/token", &fields).await.is(400).has("error", "invalid_grant");
    }

    async fn nothing_secret_is_shown(app) {
        let admin = app.admin().await;
        let Person { email, path, actor, .. } = Person::created(&app, person(&unique::email()), NEW_PASSWORD).await;
        let change = json!({ "current": NEW_PASSWORD, "new": "layang-layang-merah-di-sawah" });
        actor.post("/v1/me/password", change).await.is(204);
        app.anyone().log_in(&email, "layang-layang-merah-di-sawah").await.is(200);
        app.anyone().log_in(&email, NEW_PASSWORD).await.is(400);

        let shown = [text(&admin, &path).await, text(&admin, &format!("{path}/history")).await, text(&admin, "/v1/users").await, app.server().log()];
        for secret in [NEW_PASSWORD, "layang-layang-merah-di-sawah", "argon2", "$argon2id"] {
            assert!(!shown.iter().any(|text| text.contains(secret)), "`{secret}` is shown");
        }
    }
}

async fn text(admin: &Actor, path: &str) -> String {
    admin.get(path).await.is(200).text()
}

fn person(email: &str) -> Value {
    json!({ "email": email, "name": "Baiq Uji", "role": "operator", "opd": "DLH" })
}
