//! A database that is moved to the other kind goes on where it stopped: accounts, tokens, clients, keys, kept answers, the feed.

use std::fs;
use std::process::Output;
use std::time::Duration;

use renaksi_tests::resource::OPDS;
use renaksi_tests::server::{CLIENT_SECRET, PASSWORD, command};
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{Actor, App, Backend, Database, Server, on_both_databases, on_sqlite, unique};
use serde_json::{Value, json};

fn moved(from: &Database, to: &Database) -> Output {
    command(&["move", "--from", &from.url(), "--to", &to.url()]).output().unwrap()
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn is_refused(output: &Output, why: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && told.contains(why), "`{why}`: {output:?}");
}

fn on(database: &Database, arguments: &[&str]) -> Output {
    command(&[arguments, &["--database-url", &database.url()]].concat()).output().unwrap()
}

fn head_of(database: &Database) -> String {
    succeeds(&on(database, &["audit", "verify"])).rsplit_once("Head: ").unwrap().1.trim().to_owned()
}

/// The names of the tables, as SQLite tells them.
fn tables(database: &Database) -> Vec<String> {
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    database.query(names).lines().map(str::to_owned).collect()
}

fn exported(database: &Database) -> Vec<u8> {
    let file = Workplace::get().join(format!("{}.json", unique::word()));
    succeeds(&on(database, &["export", "--output", file.to_str().unwrap()]));
    fs::read(file).unwrap()
}

/// What people and systems hold in their hands when the service stops.
struct Held {
    access: String,
    refresh: String,
    invited: String,
    invitation: String,
    key: String,
    body: Value,
    answer: Value,
    webhook: String,
    position: i64,
}

async fn use_it(app: &App) -> Held {
    let (admin, anyone) = (app.admin().await, app.anyone());
    let login = anyone.log_in("viewer@demo.invalid", PASSWORD).await.is(200);
    let invited = unique::email();
    let user = json!({ "email": invited, "name": "Pegawai baru", "role": "viewer" });
    let invitation = admin.post("/v1/users", user).await.is(201).text_at("invitation");
    let webhook = json!({ "url": "https://receiver.example.go.id/hook", "event_types": ["programme.updated"] });
    let webhook = admin.post("/v1/webhooks", webhook).await.is(201).text_at("id");
    // Trees, decimals, texts of every kind.
    let (parent, mut child) = (OPDS.new_body(), OPDS.new_body());
    admin.create(OPDS.path, parent.1).await;
    child.1["parent"] = json!(parent.0);
    child.1["name"] = json!("Dinas \"Ékologi\" \\ {laut}, 水; 'satu' | dua\ttiga");
    admin.create(OPDS.path, child.1).await;
    let etag = admin.etag_of("/v1/programmes/SL-01").await;
    admin.patch("/v1/programmes/SL-01", json!({ "budget": "123456789012.345" })).if_match(&etag).await.is(200);
    let (key, (_, body)) = (unique::word(), OPDS.new_body());
    let answer = admin.post(OPDS.path, body.clone()).idempotency_key(&key).await.is(201).json();
    let position = admin.get("/v1/events/head").await.is(200).at("position").as_i64().unwrap();
    Held {
        access: login.text_at("access_token"),
        refresh: login.text_at("refresh_token"),
        invited,
        invitation,
        key,
        body,
        answer,
        webhook,
        position,
    }
}

/// All of it works on the other database.
async fn works_there(held: &Held, database: &Database) -> Server {
    let server = Server::start(&database.url());
    let anyone = Actor::new(server.url(), None);
    anyone.with_token(&held.access).get("/v1/me").await.is(200).has("email", "viewer@demo.invalid");
    let form = [("grant_type", "refresh_token"), ("refresh_token", held.refresh.as_str())];
    anyone.post_form("/v1/auth/token", &form).await.is(200);
    anyone.client_token("demo-dinkes", CLIENT_SECRET).await.is(200);
    let login = anyone.log_in("admin@demo.invalid", PASSWORD).await.is(200);
    let admin = anyone.with_token(&login.text_at("access_token"));
    // The retry of a request that was answered there.
    let retry = admin.post(OPDS.path, held.body.clone()).idempotency_key(&held.key).await.is(201);
    assert_eq!(retry.json(), held.answer);
    retry.has_header("idempotent-replayed", "true");
    let accepted = json!({ "invitation": held.invitation, "new": "perahu-kertas-di-sungai-5" });
    let status = anyone.post("/v1/auth/password", accepted).await.status();
    assert!((200..300).contains(&status), "{status}");
    anyone.log_in(&held.invited, "perahu-kertas-di-sungai-5").await.is(200);
    admin.get(format!("/v1/webhooks/{}", held.webhook)).await.is(200);
    admin.get("/v1/programmes/SL-01").await.is(200).has("budget", "123456789012.345");
    // Readers of the feed go on from where they were.
    let (code, body) = OPDS.new_body();
    admin.create(OPDS.path, body).await;
    let mut heard = Vec::new();
    for _ in 0..100 {
        heard = admin.all(&format!("/v1/events?after={}&limit=200", held.position)).await;
        if heard.iter().any(|event| event["key"] == code.as_str()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(heard.iter().any(|event| event["key"] == code.as_str()), "the feed stands still");
    let positions = heard.iter().map(|event| event["position"].as_i64().unwrap_or_default()).collect::<Vec<_>>();
    assert!(positions.is_sorted() && positions.windows(2).all(|two| two[0] < two[1]), "{positions:?}");
    server
}

fn other(backend: Backend) -> Backend {
    match backend {
        Backend::Sqlite => Backend::Postgres,
        Backend::Postgres => Backend::Sqlite,
    }
}

on_both_databases! {
    async fn everything_moves_to_the_other_kind_and_back(app) {
        if !other(app.backend()).is_wanted() {
            return;
        }
        let held = use_it(&app).await;
        let there = Database::empty(other(app.backend()));
        is_refused(&moved(app.database(), &there), "in use");
        app.server().terminate();
        app.server().wait();
        let printed = succeeds(&moved(app.database(), &there));
        let head = head_of(app.database());
        assert!(printed.contains(&head), "{printed}");
        assert_eq!(head_of(&there), head);
        assert_eq!(exported(&there), exported(app.database()));
        let sqlite = if app.backend() == Backend::Sqlite { app.database() } else { &there };
        let count = |database: &Database, table: &str| database.query(&format!("SELECT COUNT(*) FROM {table}"));
        for table in tables(sqlite) {
            assert_eq!(count(&there, &table), count(app.database(), &table), "{table}");
        }
        is_refused(&moved(app.database(), &there), "not empty");
        let server = works_there(&held, &there).await;
        is_refused(&moved(&there, &Database::empty(app.backend())), "in use");
        server.terminate();
        assert!(server.wait().success(), "{}", server.log());
        // And back, with what was written there.
        let back = Database::empty(app.backend());
        succeeds(&moved(&there, &back));
        assert_eq!(head_of(&back), head_of(&there));
        assert_eq!(exported(&back), exported(&there));
        let server = Server::start(&back.url());
        let anyone = Actor::new(server.url(), None);
        anyone.with_token(&held.access).get("/v1/me").await.is(200);
        anyone.log_in(&held.invited, "perahu-kertas-di-sungai-5").await.is(200);
    }
}

on_sqlite! {
    async fn every_column_of_every_table_is_moved(app) {
        use_it(&app).await;
        app.server().terminate();
        app.server().wait();
        let there = Database::empty(Backend::Sqlite);
        succeeds(&moved(app.database(), &there));
        let all = tables(&there);
        assert_eq!(all, tables(app.database()));
        for table in all.iter().filter(|table| *table != "seaql_migrations") {
            let rows = |database: &Database| {
                let mut rows = database.query(&format!("SELECT * FROM {table}")).lines().map(str::to_owned).collect::<Vec<_>>();
                rows.sort();
                rows
            };
            assert_eq!(rows(&there), rows(app.database()), "{table}");
        }
    }

    async fn a_database_of_another_version_is_not_moved(app) {
        app.server().terminate();
        app.server().wait();
        let (old, empty) = (Database::of_version(Backend::Sqlite, "0007"), Database::empty(Backend::Sqlite));
        is_refused(&moved(&old, &empty), "renaksi migrate");
        is_refused(&command(&["move", "--from", "sqlite:///no/such/folder/file.db", "--to", &empty.url()]).output().unwrap(), "no such database");
        is_refused(&moved(app.database(), app.database()), "the same database");
        // What somebody altered is not carried on.
        app.database().tamper("UPDATE opd SET name = 'Dinas palsu' WHERE code = 'DLH'");
        is_refused(&moved(app.database(), &empty), "differs from its history");
        assert_eq!(empty.query("SELECT COUNT(*) FROM event"), "0");
    }
}
