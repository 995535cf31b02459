//! A token says what an account could do when it was made. Every write, and every read about accounts, asks what it can do now.

use renaksi_tests::document::{Document, Operation};
use renaksi_tests::person::Person;
use renaksi_tests::resource::PROGRAMMES;
use renaksi_tests::{Actor, Answer, Service, on_both_databases, on_shared_servers, unique};
use reqwest::Method;
use serde_json::{Value, json};

/// A well-formed identifier that nothing has.
const NO_UUID: &str = "01890000-0000-7000-8000-000000000000";
const SECRET: &str = "sapi-makan-rumput-hijau";

on_shared_servers! {
    async fn no_write_of_somebody_without_the_role_is_done(app) {
        let admin = app.admin().await;
        let person = Account::person(app, "admin", None).await;
        person.change(&admin, json!({ "role": "viewer" })).await;
        // Every person may change the own account.
        for operation in writes().into_iter().filter(|operation| !operation.path.starts_with("/v1/me")) {
            let refused = send(&person.actor, &operation, &place(&operation), &body_of(&operation)).await;
            assert_eq!(refused.status(), 403, "{}: {refused:?}", operation.name());
            let _ = refused.is(403).has_problem("forbidden");
        }
        // Neither does it get its role back by itself.
        person.actor.patch(&person.path, json!({ "role": "admin" })).if_match("*").await.is(403);
        person.actor.get("/v1/me").await.is(200).has("role", "viewer");
    }

    async fn no_write_of_a_client_without_its_scope_is_done(app) {
        let admin = app.admin().await;
        let client = Account::client(app, "DINKES").await;
        client.change(&admin, json!({ "scopes": ["read"] })).await;
        for (path, row) in pushes() {
            client.actor.post(path, json!([row])).await.is(403).has_problem("forbidden");
        }
        client.change(&admin, json!({ "active": false })).await;
        for (path, row) in pushes() {
            client.actor.post(path, json!([row])).await.is(401);
        }
    }

    async fn reads_about_accounts_look_again_too(app) {
        let admin = app.admin().await;
        let person = Account::person(app, "admin", None).await;
        let about = ["/v1/me", "/v1/users", "/v1/clients", "/v1/webhooks", "/v1/clients/demo-dinkes", "/v1/clients/demo-dinkes/history", "/v1/events"];
        for path in about {
            person.actor.get(path).await.is(200);
        }
        person.change(&admin, json!({ "active": false })).await;
        for path in about.into_iter().chain([person.path.as_str(), "/v1/events/stream"]) {
            person.actor.get(path).await.is(401);
        }
        // What everybody with a login reads goes on until the token ends.
        person.actor.get("/v1/programmes").await.is(200);
    }

    async fn a_disabled_account_gets_no_kept_answer(app) {
        let admin = app.admin().await;
        let person = Account::person(app, "admin", None).await;
        let (key, (_, body)) = (unique::word(), PROGRAMMES.new_body());
        person.actor.post(PROGRAMMES.path, body.clone()).idempotency_key(&key).await.is(201);
        let replayed = person.actor.post(PROGRAMMES.path, body.clone()).idempotency_key(&key).await.is(201);
        let _ = replayed.has_header("idempotent-replayed", "true");
        person.change(&admin, json!({ "active": false })).await;
        person.actor.post(PROGRAMMES.path, body).idempotency_key(&key).await.is(401);
    }

    async fn admins_who_change_each_other_do_not_wait_for_ever(app) {
        let (one, other) = (Account::person(app, "admin", None).await, Account::person(app, "admin", None).await);
        for _ in 0..5 {
            let name = || json!({ "name": unique::word() });
            let (first, second) = tokio::join!(
                one.actor.patch(&other.path, name()).if_match("*").into_future(),
                other.actor.patch(&one.path, name()).if_match("*").into_future(),
            );
            assert_eq!((first.status(), second.status()), (200, 200), "{first:?} {second:?}");
        }
        let (first, second) = tokio::join!(
            one.actor.patch(&other.path, json!({ "active": false })).if_match("*").into_future(),
            other.actor.patch(&one.path, json!({ "active": false })).if_match("*").into_future(),
        );
        let mut statuses = [first.status(), second.status()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "who comes second is disabled already");
    }
}

on_both_databases! {
    async fn no_write_of_a_disabled_person_is_done(app) {
        let admin = app.admin().await;
        let person = Account::person(&app, "admin", None).await;
        person.change(&admin, json!({ "active": false })).await;
        for operation in writes() {
            let refused = send(&person.actor, &operation, &place(&operation), &body_of(&operation)).await;
            assert_eq!(refused.status(), 401, "{}: {refused:?}", operation.name());
            let refused = refused.is(401).has_problem("unauthenticated");
            assert!(refused.header("www-authenticate").is_some_and(|way| way.contains("invalid_token")), "{}", operation.name());
        }
        assert_eq!(written_by(&admin, &person.name).await.0, 0);
        app.server().logged(&["\"target\":\"security\"", "\"event\":\"disabled_account\"", &person.name]);
    }

    async fn no_write_outside_the_new_opd_is_done(app) {
        let admin = app.admin().await;
        let person = Account::person(&app, "operator", Some("DINKES")).await;
        let client = Account::client(&app, "DINKES").await;
        person.change(&admin, json!({ "opd": "DLH" })).await;
        client.change(&admin, json!({ "opd": "DLH" })).await;
        let mut walked = 0;
        for operation in writes() {
            let Some(path) = of_dinkes(&operation) else { continue };
            let current = admin.get(&path).await;
            let mut body = body_of(&operation);
            if operation.method == "PUT" && current.status() == 200 && body.get("value").is_none() {
                body = current.json();
            }
            let etag = current.header("etag").unwrap_or("\"1\"").to_owned();
            for actor in [&person.actor, &client.actor] {
                let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
                let refused = actor.request(method, &path).json(&body).if_match(&etag).await;
                assert_eq!(refused.status(), 403, "{}: {refused:?}", operation.name());
            }
            walked += 1;
        }
        assert!(walked >= 8, "only {walked} operations");
        for (path, row) in pushes() {
            for actor in [&person.actor, &client.actor] {
                let refused = actor.post(path, json!([row])).await.is(422).has("rejected", 1);
                assert_eq!(refused.at("rows/0/errors/0/code"), "outside_own_opd", "{path}");
            }
        }
    }

    async fn a_disabled_account_gets_no_token(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let person = Account::person(&app, "viewer", None).await;
        let granted = anyone.log_in(&person.name, SECRET).await.is(200);
        person.change(&admin, json!({ "active": false })).await;
        anyone.log_in(&person.name, SECRET).await.is(400).has("error", "invalid_grant");
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &granted.text_at("refresh_token"))];
        anyone.post_form("/v1/auth/token", &fields).await.is(400).has("error", "invalid_grant");
    }

    async fn what_began_before_an_account_is_disabled_ends_before_it(app) {
        let admin = app.admin().await;
        let person = Account::person(&app, "admin", None).await;
        let writer = async {
            let mut accepted = 0;
            for _ in 0..40 {
                let writes = (0..4).map(|_| person.actor.post(PROGRAMMES.path, PROGRAMMES.new_body().1).into_future());
                let answers = futures_util::future::join_all(writes).await;
                assert!(answers.iter().all(|answer| [201, 401].contains(&answer.status())), "{answers:?}");
                accepted += answers.iter().filter(|answer| answer.status() == 201).count();
                if answers.iter().any(|answer| answer.status() == 401) {
                    break;
                }
            }
            accepted
        };
        let disable = async {
            // In the middle of it, as far as that can be had.
            while admin.get("/v1/programmes?sort=-created_at&limit=1&q=T-").await.is(200).rows().is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            person.change(&admin, json!({ "active": false })).await;
            written_by(&admin, &person.name).await
        };
        let (accepted, (known, is_last)) = tokio::join!(writer, disable);
        // Once the change is answered nothing more comes of that account, and what came stands before it.
        assert!(is_last, "the account wrote something after it was disabled");
        assert_eq!((known, written_by(&admin, &person.name).await.0), (accepted, accepted));
    }
}

/// An account of a test, and somebody with its token.
struct Account {
    name: String,
    path: String,
    actor: Actor,
}

impl Account {
    async fn person(app: &Service, role: &str, opd: Option<&str>) -> Self {
        let Person { email, path, actor, .. } = Person::invited(app, role, opd, SECRET).await;
        Self { name: email, path, actor }
    }

    async fn client(app: &Service, opd: &str) -> Self {
        let id = unique::code("sys");
        let scopes = ["actions:write", "measurements:write", "programmes:write", "read"];
        let created = app.admin().await.create("/v1/clients", json!({ "id": id, "opd": opd, "scopes": scopes })).await;
        let granted = app.anyone().client_token(&id, &created.text_at("client_secret")).await.is(200);
        let actor = app.anyone().with_token(&granted.text_at("access_token"));
        Self { path: format!("/v1/clients/{id}"), name: id, actor }
    }

    async fn change(&self, admin: &Actor, patch: Value) {
        admin.patch(&self.path, patch).if_match("*").await.is(200);
    }
}

/// How many programmes somebody made, and whether all of them stand before the last change of an account.
async fn written_by(admin: &Actor, name: &str) -> (usize, bool) {
    // What was committed before this has its place once this has.
    let (marker, body) = PROGRAMMES.new_body();
    admin.create(PROGRAMMES.path, body).await;
    let (mut after, mut made, mut last_change, mut is_complete) = (0, Vec::new(), 0, false);
    while !is_complete {
        let page = admin.get(format!("/v1/events?after={after}&limit=200")).await.is(200);
        for event in page.rows() {
            let position = event["position"].as_u64().unwrap();
            if event["actor"]["id"] == name && event["action"] == "created" && event["resource"] == "programme" {
                made.push(position);
            }
            if event["resource"] == "user" && event["action"] == "updated" {
                last_change = position;
            }
            is_complete |= event["key"] == marker.as_str();
        }
        after = page.text_at("page/next_cursor").parse::<u64>().unwrap();
    }
    (made.len(), made.iter().all(|position| *position < last_change))
}

/// Every operation that writes and needs a login.
fn writes() -> Vec<Operation> {
    let all = Document::get().operations().into_iter();
    // A ticket writes nothing: it is for reading.
    let writes = all.filter(|operation| {
        !operation.public && !["GET", "HEAD"].contains(&operation.method.as_str()) && operation.path != "/v1/events/tickets"
    });
    let writes = writes.collect::<Vec<_>>();
    assert!(writes.len() > 60, "only {} operations write", writes.len());
    writes
}

async fn send(actor: &Actor, operation: &Operation, path: &str, body: &Value) -> Answer {
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
    actor.request(method, path).json(body).if_match("*").await
}

/// A path at which nothing is: whether something is there must not be told either.
fn place(operation: &Operation) -> String {
    operation.path_with(|name| match name {
        "id" | "delivery" => NO_UUID.to_owned(),
        "period" => "2022".to_owned(),
        "quarter" => "1".to_owned(),
        _ => "NO-SUCH-CODE".to_owned(),
    })
}

/// The body that the document gives as an example.
fn body_of(operation: &Operation) -> Value {
    let content = &operation.value["requestBody"]["content"];
    let body = ["application/json", "application/merge-patch+json"]
        .iter()
        .map(|media| &content[media]["example"])
        .find(|body| !body.is_null());
    body.cloned().unwrap_or_else(|| json!({}))
}

/// The path of something of DINKES.
fn of_dinkes(operation: &Operation) -> Option<String> {
    let code = match operation.path.split('/').collect::<Vec<_>>().as_slice() {
        [_, _, "programmes", "{code}", ..] => "SL-01",
        [_, _, "kpis", "{code}", ..] => "STUNTING",
        [_, _, "quick-wins", "{code}", ..] => "QW-SS",
        [_, _, "actions", "{id}", ..] => "017e1d3c-5400-7a00-8000-00000000000e",
        _ => return None,
    };
    Some(operation.path_with(|name| match name {
        "code" | "id" => code.to_owned(),
        "quarter" => "1".to_owned(),
        _ => "2022".to_owned(),
    }))
}

/// A row of DINKES for each push.
fn pushes() -> [(&'static str, Value); 3] {
    let programme =
        json!({ "code": unique::code("T"), "masterplan": "KLU-SC", "dimension": "living", "name": "Uji", "lead_opd": "DINKES" });
    [
        ("/v1/push/measurements", json!({ "kpi": "STUNTING", "period": "2023", "value": "18.4" })),
        (
            "/v1/push/action-reports",
            json!({ "action": "017e1d3c-5400-7a00-8000-00000000000e", "quarter": 4, "realisation": "9" }),
        ),
        ("/v1/push/programmes", programme),
    ]
}
