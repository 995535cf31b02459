//! Data that an earlier version accepted survives: the schema is brought up to date over it, and all of it can be read, proven, taken
//! out and put back.

use std::path::PathBuf;

use renaksi_tests::document::{Document, Operation};
use renaksi_tests::server::CLIENT_SECRET;
use renaksi_tests::story::tell_upgraded;
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{Actor, Answer, App, Backend, Database, unique};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The versions that are upgraded, by the last step of their schema: the first with all that is recorded today, and the last one before
/// steps had to be additive.
const VERSIONS: [&str; 2] = ["0007", "0015"];

/// What the path of one needs, out of a row of the list that it stands below.
fn one(operation: &Operation, row: &Value) -> Option<String> {
    let key = ["code", "id", "period", "email"].iter().find_map(|member| row[member].as_str())?;
    let parameters = operation.path.matches('{').count();
    (parameters == 1).then(|| operation.path_with(|_| key.to_owned()))
}

/// Everything that `reader` can read: each list whole, each row of it, and all that stands below that row.
async fn read_everything(reader: &Actor, is_public: bool) -> usize {
    let document = Document::get();
    let gets = document.operations().into_iter().filter(|operation| {
        operation.method == "GET" && operation.ends() && operation.public == is_public && operation.path.starts_with("/v1/")
    });
    let gets = gets.collect::<Vec<_>>();
    let mut read = 0;
    for list in gets.iter().filter(|operation| !operation.path.contains('{')) {
        let mut rows = Vec::new();
        let mut next = Some(list.path.clone());
        while let Some(path) = next {
            let page = reader.get(path).await.is(200);
            if page.media_type() != "application/json" {
                break;
            }
            next = page.next_page().filter(|_| page.json()["data"].is_array());
            rows.extend(page.json()["data"].as_array().cloned().unwrap_or_default());
        }
        read += 1;
        let below = format!("{}/", list.path);
        for operation in gets.iter().filter(|operation| operation.path.starts_with(&below)) {
            for path in rows.iter().filter_map(|row| one(operation, row)) {
                let answer: Answer = reader.get(&path).await;
                // What only some have, such as the record of an evaluation that is closed.
                assert!([200, 404].contains(&answer.status()), "{answer:?}");
                let status = answer.status();
                answer.is(status);
                read += 1;
            }
        }
    }
    read
}

fn said(app: &App, arguments: &[&str]) -> String {
    let output = app.command(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn exported(app: &App) -> PathBuf {
    let file = Workplace::get().join(format!("{}.json", unique::word()));
    said(app, &["export", "--output", file.to_str().unwrap()]);
    file
}

async fn everything_can_be_read_and_proven(app: &App) {
    let (admin, anyone) = (app.admin().await, app.anyone());
    let read = read_everything(&admin, false).await;
    assert!(read > 300, "only {read} answers were read");
    let read = read_everything(&anyone, true).await;
    assert!(read > 150, "only {read} public answers were read");
    said(app, &["audit", "verify"]);
    // A closed evaluation is the same to the byte.
    let evaluation = admin.get("/v1/evaluations?sort=code&limit=1").await.is(200).at("data/0");
    let code = evaluation["code"].as_str().unwrap();
    let record = admin.get(format!("/v1/evaluations/{code}/record")).await.is(200);
    let hash = Sha256::digest(record.bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(evaluation["record_sha256"], hash.as_str());
}

async fn everything_can_be_taken_out_and_put_back(app: &App) {
    let file = exported(app);
    let other = Database::empty(app.backend());
    let output = renaksi_tests::server::command(&["migrate", "--database-url", &other.url()]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let path = file.to_str().unwrap();
    let output = renaksi_tests::server::command(&["import", path, "--database-url", &other.url()]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let back = Workplace::get().join(format!("{}.json", unique::word()));
    let output = renaksi_tests::server::command(&["export", "--output", back.to_str().unwrap(), "--database-url", &other.url()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read_to_string(back).unwrap(), std::fs::read_to_string(file).unwrap());
}

/// What is refused today but was accepted then is read, is explained, and can be mended.
async fn what_would_be_refused_today_is_explained(app: &App) {
    let (admin, anyone) = (app.admin().await, app.anyone());
    let standing = async |code: &str| anyone.get(format!("/v1/public/kpis/{code}/standing")).await.is(200).json();
    let against = standing("OLD-AGAINST").await;
    assert_eq!(against["progress"], Value::Null, "{against}");
    let negative = standing("OLD-NEGATIVE").await;
    assert_eq!(negative["achievement"], "0.00", "{negative}");
    // A value of a period that has not begun is no latest value.
    let future = standing("OLD-FUTURE").await;
    assert_eq!(future["latest"]["period"], "2022", "{future}");
    assert_ne!(future["standing"], "achieved", "{future}");
    // OPDs whose codes differ in case only stay apart.
    for code in ["DLH", "dlh"] {
        admin.get(format!("/v1/opds/{code}")).await.is(200).has("code", code);
    }
    let etag = admin.etag_of("/v1/opds/dlh").await;
    admin.patch("/v1/opds/dlh", json!({ "name": "Dinas ganda, tidak dipakai" })).if_match(&etag).await.is(200);
    let surveys = admin.get("/v1/surveys?opd=DINKES&q=puskesmas").await.is(200).rows();
    assert!(surveys.len() >= 2, "the same survey twice: {surveys:?}");
    // Bounds hold all that a percentage has.
    admin.get("/v1/kpis/OLD-PERCENT").await.is(200).has("minimum", "0").has("maximum", "100");
}

/// People and systems of then get in as they did, and what waited goes on.
async fn people_go_on(app: &App) {
    let (admin, anyone) = (app.admin().await, app.anyone());
    let refused = anyone.log_in("sudah.datang@example.invalid", "perahu-kertas-di-sungai-5").await;
    assert!(refused.status() == 400 && refused.text().contains("mfa_required"), "{refused:?}");
    for role in ["demo-dinkes", "demo-dlh"] {
        anyone.client_token(role, CLIENT_SECRET).await.is(200);
    }
    let users = admin.get("/v1/users?limit=200").await.is(200).rows();
    let waiting = users.iter().find(|user| user["email"] == "belum.datang@example.invalid").expect("the invited person is there");
    let id = waiting["id"].as_str().unwrap();
    let invitation = admin.post(format!("/v1/users/{id}/invitation"), json!({})).await.is(200).text_at("invitation");
    let accepted = json!({ "invitation": invitation, "new": "kapal-layar-di-teluk-9" });
    assert!(anyone.post("/v1/auth/password", accepted).await.status() < 300);
    anyone.log_in("belum.datang@example.invalid", "kapal-layar-di-teluk-9").await.is(200);
    app.verifier().await.post("/v1/kpis/STUNTING/measurements/2025/verify", json!({})).await.is(200);
    admin.get("/v1/programmes/SL-01").await.is(200).has("budget", "123456789012.345");
    said(app, &["audit", "verify"]);
}

async fn story(app: App) {
    everything_can_be_read_and_proven(&app).await;
    match app.database().lineage() {
        "0007" => what_would_be_refused_today_is_explained(&app).await,
        _ => people_go_on(&app).await,
    }
    everything_can_be_taken_out_and_put_back(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_of_earlier_versions_survives_on_sqlite() {
    for version in VERSIONS {
        tell_upgraded(Backend::Sqlite, version, story).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_of_earlier_versions_survives_on_postgres() {
    for version in VERSIONS {
        tell_upgraded(Backend::Postgres, version, story).await;
    }
}
