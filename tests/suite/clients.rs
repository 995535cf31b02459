//! Systems that report for an OPD: how the admin manages them, what their tokens allow, and where secrets are shown.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use renaksi_tests::actor::Request;
use renaksi_tests::resource::PROGRAMMES;
use renaksi_tests::server::CLIENT_SECRET;
use renaksi_tests::{Actor, Answer, App, on_a_shared_server, on_both_databases, on_shared_servers, unique};
use serde_json::{Value, json};

const TOKEN: &str = "/v1/auth/token";
const SCOPES: [&str; 4] = ["actions:write", "measurements:write", "programmes:write", "read"];

on_shared_servers! {
    async fn an_admin_creates_and_changes_clients(app) {
        let admin = app.admin().await;
        let id = unique::code("sys");
        let created = admin.create("/v1/clients", client(&id, &["read", "measurements:write"])).await;
        let created = created.has("id", id.clone()).has("opd", "DINKES").has("active", true).has("last_used_at", Value::Null);
        let path = format!("/v1/clients/{id}");
        assert!(created.header("location").is_some_and(|place| place.ends_with(&path)));
        assert_eq!(words(&created.at("scopes")), BTreeSet::from(["measurements:write".to_owned(), "read".to_owned()]));
        admin.post("/v1/clients", client(&id, &["read"])).await.is(409).has_problem("already_exists");

        // Null would remove a member, and these cannot be removed.
        for member in ["name", "opd", "scopes", "active"] {
            admin.patch(&path, json!({ member: null })).if_match(&created.etag()).await.is(422).has_fault_at(&format!("/{member}"));
        }
        let change = json!({ "name": "Nama baru", "opd": "DLH", "scopes": ["read"] });
        admin.patch(&path, change.clone()).await.is(428);
        let changed = admin.patch(&path, change.clone()).if_match(&admin.etag_of(&path).await).await.is(200);
        changed.has("name", "Nama baru").has("opd", "DLH").has("scopes", json!(["read"]));
        admin.patch(&path, change).if_match("\"stale\"").await.is(412);
        assert!(admin.all("/v1/clients?limit=2").await.iter().any(|row| row["id"] == id.as_str()));
        assert_eq!(admin.get(format!("/v1/clients?opd=DLH&active=true&q={id}")).await.is(200).column("id"), [json!(id)]);
        assert!(admin.get(format!("/v1/clients?opd=DINKES&q={id}")).await.is(200).rows().is_empty());
        assert_eq!(admin.get(format!("{path}/history")).await.is(200).rows().len(), 2);
        admin.delete(&path).if_match("*").await.is(405);
    }

    async fn clients_are_checked(app) {
        let admin = app.admin().await;
        for (member, value, pointer) in [
            ("id", json!("no spaces allowed"), "/id"), ("id", json!(""), "/id"), ("opd", json!("NO-SUCH"), "/opd"),
            ("opd", Value::Null, "/opd"),
            ("scopes", json!(["read", "everything"]), "/scopes/1"), ("scopes", json!("read"), "/scopes"), ("tpyo", json!(1), "/tpyo"),
            ("client_secret", json!("chosen-by-myself"), "/client_secret"),
        ] {
            let mut body = client(&unique::code("sys"), &["read"]);
            body[member] = value.clone();
            let answer = admin.post("/v1/clients", body).await;
            assert_eq!(answer.status(), 422, "{member} {value}: {answer:?}");
            let _ = answer.is(422).has_fault_at(pointer);
        }
    }

    async fn only_an_admin_manages_clients(app) {
        for actor in [app.verifier().await, app.operator_dinkes().await, app.viewer().await, app.client_dinkes().await] {
            actor.get("/v1/clients").await.is(403).has_problem("forbidden");
            actor.get("/v1/clients/demo-dinkes").await.is(403).has_problem("forbidden");
            actor.post("/v1/clients", client(&unique::code("sys"), &["read"])).await.is(403).has_problem("forbidden");
            actor.post("/v1/clients/demo-dinkes/rotate", json!({})).await.is(403).has_problem("forbidden");
        }
        app.anyone().get("/v1/clients").await.is(401);
    }

    async fn a_client_gets_a_token(app) {
        let anyone = app.anyone();
        for ask in [anyone.client_token("demo-dinkes", CLIENT_SECRET), basic(&anyone, "demo-dinkes", CLIENT_SECRET, &[])] {
            let granted = ask.await.is(200).has("token_type", "Bearer").has("expires_in", 900).lacks("refresh_token");
            assert!(granted.header("cache-control").is_some_and(|value| value.contains("no-store")));
            let claims = claims(&granted);
            for (claim, value) in [("sub", "demo-dinkes"), ("client_id", "demo-dinkes"), ("opd", "DINKES")] {
                assert_eq!(claims[claim], value, "{claims}");
            }
            assert_eq!(scopes_of(&claims), BTreeSet::from(SCOPES.map(str::to_owned)));
            assert!(claims.get("role").is_none(), "{claims}");
            let client = anyone.with_token(&granted.text_at("access_token"));
            client.get("/v1/me").await.is(200).has("kind", "client").has("id", "demo-dinkes").has("opd/code", "DINKES");
        }
        let used = app.admin().await.get("/v1/clients/demo-dinkes").await.is(200).at("last_used_at");
        assert!(used.is_string(), "{used}");
    }
}

on_a_shared_server! {
    async fn the_metadata_tells_what_the_server_can(app) {
        let anyone = app.anyone();
        let metadata = anyone.get("/.well-known/oauth-authorization-server").await.is(200);
        let token = claims(&anyone.client_token("demo-dinkes", CLIENT_SECRET).await.is(200));
        assert_eq!(metadata.at("issuer"), token["iss"], "RFC 8414: the issuer is the one of the tokens");
        for (member, end) in [
            ("token_endpoint", "/v1/auth/token"), ("revocation_endpoint", "/v1/auth/revoke"), ("jwks_uri", "/.well-known/jwks.json"),
        ] {
            assert!(metadata.text_at(member).ends_with(end), "`{member}` of {metadata:?}");
        }
        for (member, known) in [
            ("grant_types_supported", &["client_credentials", "password", "refresh_token"][..]),
            ("token_endpoint_auth_methods_supported", &["client_secret_basic", "client_secret_post"][..]),
            ("scopes_supported", &SCOPES[..]),
        ] {
            let told = words(&metadata.at(member));
            assert!(known.iter().all(|word| told.contains(*word)), "`{member}` of {metadata:?}");
        }
    }
}

on_both_databases! {
    async fn a_wrong_client_is_refused_alike(app) {
        let (anyone, wrong) = (app.anyone(), "rahasia-yang-salah-0123456789-0123456789");
        let mut bodies = Vec::new();
        for (id, secret) in [("demo-dinkes", wrong), ("no-such-client", wrong), ("no-such-client", CLIENT_SECRET)] {
            for ask in [anyone.client_token(id, secret), basic(&anyone, id, secret, &[])] {
                let refused = ask.await.is(401).has("error", "invalid_client");
                bodies.push(refused.has_header("www-authenticate", "Basic realm=\"renaksi\"").json());
            }
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]), "the answers tell which clients there are: {bodies:?}");
        for header in ["Basic", "Basic ???", "Basic bm9jb2xvbg=="] {
            let fields = [("grant_type", "client_credentials")];
            let refused = anyone.post_form(TOKEN, &fields).header("Authorization", header).await;
            assert!([400, 401].contains(&refused.status()), "{header}: {refused:?}");
        }
        let both = [("grant_type", "client_credentials"), ("client_id", "demo-dinkes"), ("client_secret", CLIENT_SECRET)];
        let twice = anyone.post_form(TOKEN, &both).header("Authorization", &authorization("demo-dinkes", wrong)).await;
        assert!([400, 401].contains(&twice.status()), "one way of two is wrong: {twice:?}");
    }

    async fn a_scope_may_be_narrowed(app) {
        let anyone = app.anyone();
        let granted = basic(&anyone, "demo-dinkes", CLIENT_SECRET, &[("scope", "read measurements:write")]).await.is(200);
        assert_eq!(scopes_of(&claims(&granted)), BTreeSet::from(["measurements:write", "read"].map(str::to_owned)));
        let reader = basic(&anyone, "demo-dinkes", CLIENT_SECRET, &[("scope", "read")]).await.is(200).text_at("access_token");
        let reader = anyone.with_token(&reader);
        reader.get("/v1/kpis/STUNTING").await.is(200);
        reader.put("/v1/kpis/STUNTING/measurements/2023", json!({ "value": "20" })).await.is(403).has_problem("forbidden");

        let client = Client::new(&app, &["measurements:write"]).await;
        for scope in ["read", "measurements:write read", "everything"] {
            basic(&anyone, &client.id, &client.secret, &[("scope", scope)]).await.is(400).has("error", "invalid_scope");
        }
    }

    async fn each_scope_allows_its_own(app) {
        for (scope, reads, measures, programmes) in [
            ("read", 200, 403, 403), ("measurements:write", 403, 201, 403), ("programmes:write", 403, 403, 201),
            ("actions:write", 403, 403, 403),
        ] {
            let client = Client::new(&app, &[scope]).await;
            let actor = client.token(&app).await;
            for path in ["/v1/kpis", "/v1/kpis/STUNTING", "/v1/programmes", "/v1/opds/DLH", "/v1/summary"] {
                let answer = actor.get(path).await;
                assert_eq!(answer.status(), reads, "{scope} reads {path}: {answer:?}");
            }
            let measured = actor.put("/v1/kpis/STUNTING/measurements/2023", json!({ "value": "20" })).await;
            assert_eq!(measured.status(), measures, "{scope}: {measured:?}");
            let (code, body) = PROGRAMMES.new_body();
            let written = actor.put(PROGRAMMES.one(&code), body).await;
            assert_eq!(written.status(), programmes, "{scope}: {written:?}");
            for refused in [measured, written].into_iter().filter(|answer| answer.status() == 403) {
                let _ = refused.is(403).has_problem("forbidden");
            }
            for path in ["/v1/push/measurements", "/v1/push/programmes"] {
                let pushed = actor.push(path, "application/json", "[{}]").await;
                let status = if path.contains(&scope.replace(":write", "")) { 422 } else { 403 };
                assert_eq!(pushed.status(), status, "{scope} pushes to {path}: {pushed:?}");
            }
            actor.get("/v1/users").await.is(403);
            actor.get("/v1/reviews").await.is(403);
        }
    }

    async fn a_disabled_client_gets_no_token(app) {
        let admin = app.admin().await;
        let client = Client::new(&app, &["read"]).await;
        client.token(&app).await.get("/v1/kpis").await.is(200);
        let path = format!("/v1/clients/{}", client.id);
        admin.patch(&path, json!({ "active": false })).if_match(&admin.etag_of(&path).await).await.is(200).has("active", false);
        let refused = app.anyone().client_token(&client.id, &client.secret).await.is(401).has("error", "invalid_client");
        let unknown = app.anyone().client_token("no-such-client", &client.secret).await.is(401);
        assert_eq!(refused.json(), unknown.json());
        admin.patch(&path, json!({ "active": true })).if_match(&admin.etag_of(&path).await).await.is(200);
        app.anyone().client_token(&client.id, &client.secret).await.is(200);
    }

    async fn a_secret_is_shown_once(app) {
        let (admin, id, key) = (app.admin().await, unique::code("sys"), unique::word());
        let body = client(&id, &["read"]);
        let first = admin.post("/v1/clients", body.clone()).idempotency_key(&key).await.is(201);
        let secret = first.text_at("client_secret");
        assert!(secret.len() >= 32, "{secret}");
        let replay = admin.post("/v1/clients", body).idempotency_key(&key).await.is(201);
        let replay = replay.has_header("idempotent-replayed", "true").has("id", id.clone()).lacks("client_secret");

        let rotate = format!("/v1/clients/{id}/rotate");
        let key = unique::word();
        let newer = admin.post(&rotate, json!({})).idempotency_key(&key).await.is(200).text_at("client_secret");
        assert_ne!(newer, secret);
        let again = admin.post(&rotate, json!({})).idempotency_key(&key).await.is(200).has_header("idempotent-replayed", "true");
        again.lacks("client_secret");
        app.anyone().client_token(&id, &newer).await.is(200);

        let path = format!("/v1/clients/{id}");
        let mut shown = vec![replay.text(), app.server().log()];
        for path in [path.clone(), format!("{path}/history"), format!("/v1/clients?q={id}")] {
            shown.push(admin.get(path).await.is(200).text());
        }
        for word in [secret.as_str(), newer.as_str(), "client_secret", "secret_hash"] {
            assert!(!shown.iter().any(|text| text.contains(word)), "`{word}` is shown");
        }
    }

    async fn an_old_secret_holds_for_the_grace_period(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let client = Client::new(&app, &["read"]).await;
        let rotate = format!("/v1/clients/{}/rotate", client.id);
        let second = admin.post(&rotate, json!({})).await.is(200);
        assert!(second.at("previous_secret_until").is_string(), "{second:?}");
        for secret in [&client.secret, &second.text_at("client_secret")] {
            anyone.client_token(&client.id, secret).await.is(200);
        }
        // A third secret ends the first one: only the one before the newest holds on.
        let third = admin.post(&rotate, json!({ "grace_seconds": 2 })).await.is(200).text_at("client_secret");
        anyone.client_token(&client.id, &client.secret).await.is(401);
        anyone.client_token(&client.id, &second.text_at("client_secret")).await.is(200);
        tokio::time::sleep(Duration::from_millis(2500)).await;
        anyone.client_token(&client.id, &second.text_at("client_secret")).await.is(401).has("error", "invalid_client");
        anyone.client_token(&client.id, &third).await.is(200);
    }

    async fn without_grace_an_old_secret_ends_at_once(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let client = Client::new(&app, &["read"]).await;
        let rotate = format!("/v1/clients/{}/rotate", client.id);
        let newer = admin.post(&rotate, json!({ "grace_seconds": 0 })).await.is(200).text_at("client_secret");
        anyone.client_token(&client.id, &client.secret).await.is(401).has("error", "invalid_client");
        anyone.client_token(&client.id, &newer).await.is(200);
        for grace in [json!(-1), json!(604_801), json!("long")] {
            admin.post(&rotate, json!({ "grace_seconds": grace })).await.is(422).has_fault_at("/grace_seconds");
        }
        anyone.client_token(&client.id, &newer).await.is(200);
        admin.post("/v1/clients/no-such-client/rotate", json!({})).await.is(404).has_problem("not_found");
    }

    async fn clients_come_from_the_command_line(app) {
        let (anyone, id) = (app.anyone(), unique::code("sys"));
        let added = printed(&app, &["client", "add", &id, "--opd", "DINKES", "--scope", "read", "measurements:write", "--json"]);
        assert_eq!(added["client_id"], id.as_str());
        let first = added["client_secret"].as_str().unwrap();
        let granted = anyone.client_token(&id, first).await.is(200);
        assert_eq!(scopes_of(&claims(&granted)), BTreeSet::from(["measurements:write", "read"].map(str::to_owned)));
        app.admin().await.get(format!("/v1/clients/{id}")).await.is(200).has("opd", "DINKES").has("active", true);

        let rotated = printed(&app, &["client", "rotate", &id, "--grace-seconds", "0", "--json"]);
        anyone.client_token(&id, first).await.is(401).has("error", "invalid_client");
        let second = rotated["client_secret"].as_str().unwrap();
        anyone.client_token(&id, second).await.is(200);

        let disabled = app.command(&["client", "disable", &id]);
        assert!(disabled.status.success(), "{disabled:?}");
        anyone.client_token(&id, second).await.is(401).has("error", "invalid_client");
        let other = unique::code("sys");
        let refusals: [(&[&str], &str); 5] = [
            (&["client", "add", &other, "--opd", "DINKES", "--scope", "everything"], "measurements:write"),
            (&["client", "add", &other, "--opd", "NO-SUCH", "--scope", "read"], ""),
            (&["client", "add", &id, "--opd", "DINKES", "--scope", "read"], ""),
            (&["client", "rotate", &other], ""), (&["client", "disable", &other], ""),
        ];
        for (arguments, said) in refusals {
            let refused = app.command(arguments);
            assert!(!refused.status.success(), "{arguments:?}: {refused:?}");
            assert!(String::from_utf8_lossy(&refused.stderr).contains(said), "{arguments:?}: {refused:?}");
        }
        app.admin().await.get(format!("/v1/clients/{other}")).await.is(404);
    }

    async fn keys_are_rotated_and_nobody_is_logged_out(app) {
        // From here on only tokens of its own: `App` shares those that it hands out, and no other database knows the new key.
        let old = app.client_dinkes().await.token().to_owned();
        let rotated = app.command(&["keys", "rotate"]);
        assert!(rotated.status.success(), "{rotated:?}");
        app.server().restart();
        let anyone = app.anyone();
        let new = anyone.client_token("demo-dinkes", CLIENT_SECRET).await.is(200).text_at("access_token");
        assert_ne!(kid(&new), kid(&old));
        assert_eq!(String::from_utf8_lossy(&rotated.stdout).trim(), kid(&new));
        for token in [&old, &new] {
            anyone.with_token(token).get("/v1/me").await.is(200).has("id", "demo-dinkes");
        }
        let set = anyone.get("/.well-known/jwks.json").await.is(200).at("keys");
        let known = set.as_array().unwrap().iter().filter_map(|key| key["kid"].as_str()).collect::<BTreeSet<_>>();
        assert_eq!(known, BTreeSet::from([kid(&old).as_str(), kid(&new).as_str()]));
    }
}

/// A client that a test made.
struct Client {
    id: String,
    secret: String,
}

impl Client {
    async fn new(app: &App, scopes: &[&str]) -> Self {
        let id = unique::code("sys");
        let created = app.admin().await.create("/v1/clients", client(&id, scopes)).await;
        Self { id, secret: created.text_at("client_secret") }
    }

    async fn token(&self, app: &App) -> Actor {
        let granted = app.anyone().client_token(&self.id, &self.secret).await.is(200);
        app.anyone().with_token(&granted.text_at("access_token"))
    }
}

/// The JSON that a command prints.
#[track_caller]
fn printed(app: &App, arguments: &[&str]) -> Value {
    let output = app.command(arguments);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The key that a token is signed with.
fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

fn client(id: &str, scopes: &[&str]) -> Value {
    json!({ "id": id, "name": "Sistem uji", "opd": "DINKES", "scopes": scopes })
}

fn basic(anyone: &Actor, id: &str, secret: &str, others: &[(&str, &str)]) -> Request {
    let fields = [&[("grant_type", "client_credentials")][..], others].concat();
    anyone.post_form(TOKEN, &fields).header("Authorization", &authorization(id, secret))
}

fn authorization(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

fn claims(granted: &Answer) -> Value {
    let token = granted.text_at("access_token");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn scopes_of(claims: &Value) -> BTreeSet<String> {
    claims["scope"].as_str().unwrap_or_default().split(' ').map(str::to_owned).collect()
}

fn words(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}
