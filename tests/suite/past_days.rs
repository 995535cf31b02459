//! What was answered about a day is answered about it ever after, whatever changed since.

use renaksi_tests::{Actor, App, on_both_databases};
use serde_json::{Value, json};

use crate::scoreboard::{action, verified};

/// The day that is asked about, and the one after it.
const DAY: &str = "2090-10-04";
const NEXT: &str = "2090-10-05";

const FIGURES: &[&str] = &[
    "summary?",
    "summary?masterplan=KLU-SC&",
    "timeline?",
    "timeline?interval=year&masterplan=KLU-SC&",
    "scoreboard?year=2090&quarter=3&",
    "scoreboard?masterplan=KLU-SC&",
    "opds/DLH/scorecard?year=2090&quarter=3&",
    "opds/DINKES/scorecard?",
    "kpis/STUNTING/standing?",
    "kpis/TPS3R-DESA/standing?",
    "standings?limit=200&",
    "programmes?limit=200&sort=-progress&",
];

on_both_databases! {
    async fn later_changes_leave_it_alone(app) {
        let (app, clock) = app.rehearsed(DAY);
        let admin = app.admin().await;
        let stations = action(&admin, "DLH", "SV-01", ["2", "6", "10", "14"], "1").await;
        verified(&app, &stations, 3, "8").await;
        let gone = action(&admin, "DINKES", "SL-01", ["1", "2", "3", "4"], "1").await;
        let day = admin.get("/v1/summary").await.is(200).text_at("as_of");
        let before = figures(&admin, &day).await;

        clock.is(NEXT.parse().unwrap());
        let today = admin.get("/v1/summary").await.is(200).text_at("as_of");
        assert!(day < today, "{day} is over on {today}");
        assert_same(&before, &figures(&admin, &day).await, "a day later");
        change_everything(&app, &admin, &stations).await;
        admin.create("/v1/programmes/SG-09/transitions", json!({ "to": "running", "effective_on": today })).await;
        assert_same(&before, &figures(&admin, &day).await, "after the changes");
        let now = figures(&admin, &today).await;
        for (path, answer) in &before {
            let still = now.iter().any(|(other, now)| other == path && strip_day(now) == strip_day(answer));
            assert!(!still, "{path} takes no notice of the changes");
        }
        // What is withdrawn or deleted goes out of what everybody is told of that day, and only out of that.
        admin.patch("/v1/programmes/SV-02", json!({ "published": false })).if_match(&admin.etag_of("/v1/programmes/SV-02").await).await.is(200);
        let path = format!("/v1/actions/{gone}");
        admin.delete(&path).if_match(&admin.etag_of(&path).await).await.is(204);
        let inside = |figures: &[(String, Value)]| figures.iter().filter(|(path, _)| !path.contains("/public/")).cloned().collect::<Vec<_>>();
        let after = figures(&admin, &day).await;
        assert_same(&inside(&before), &inside(&after), "after something was withdrawn");
        let public = |figures: &[(String, Value)]| figures.iter().find(|(path, _)| path == "/v1/public/summary?").unwrap().1.clone();
        let planned = |figures: &[(String, Value)]| public(figures)["totals"]["planned"].as_u64().unwrap();
        assert_eq!(planned(&after), planned(&before) - 1);
        assert!(!after.iter().any(|(path, answer)| path.contains("/public/") && answer.to_string().contains(&gone)), "a deleted action");
    }

    async fn what_is_made_later_was_not_there(app) {
        let (app, clock) = app.rehearsed(DAY);
        let day = app.admin().await.get("/v1/summary").await.is(200).text_at("as_of");
        let before = figures(&app.admin().await, &day).await;
        clock.is(NEXT.parse().unwrap());
        let admin = app.admin().await;
        admin.create("/v1/dimensions", json!({ "code": "health", "name": "Smart Health", "position": 9 })).await;
        admin.create("/v1/opds", json!({ "code": "BARU", "name": "Dinas Baru" })).await;
        admin.create("/v1/opds", json!({ "code": "SALAH", "name": "Dinas Salah" })).await;
        admin.delete("/v1/opds/SALAH").if_match(&admin.etag_of("/v1/opds/SALAH").await).await.is(204);
        let (code, mut kpi) = renaksi_tests::resource::KPIS.new_body();
        kpi["published"] = json!(true);
        kpi["baseline"] = Value::Null;
        kpi["frequency"] = json!("yearly");
        admin.create("/v1/kpis", kpi).await;
        admin.put(format!("/v1/kpis/{code}/targets/2024"), json!({ "value": "14" })).await.is(201);
        let stations = action(&admin, "DLH", "SV-01", ["2", "6", "10", "14"], "1").await;
        verified(&app, &stations, 3, "8").await;
        assert_same(&before, &figures(&admin, &day).await, "after new things came");
        // Who asks for one thing by its code gets it as it was made.
        let standing = admin.get(format!("/v1/kpis/{code}/standing?as_of={day}")).await.is(200);
        assert_eq!(standing.at("targets/0/value"), "14");

        // A programme is dated back by its history, and brings its dimension and its OPD along.
        let (code, mut programme) = renaksi_tests::resource::PROGRAMMES.new_body();
        for (member, value) in [("dimension", json!("health")), ("lead_opd", json!("BARU")), ("start_date", json!("2022-01-01"))] {
            programme[member] = value;
        }
        programme["end_date"] = Value::Null;
        admin.create("/v1/programmes", programme).await;
        let summary = admin.get(format!("/v1/summary?as_of={day}")).await.is(200);
        assert!(summary.at("dimensions").to_string().contains("health"), "{code}: {summary:?}");
        let board = admin.get(format!("/v1/scoreboard?as_of={day}")).await.is(200);
        assert!(board.at("rows").to_string().contains("BARU"), "{board:?}");
    }
}

/// What everybody and those who log in are told about a day.
async fn figures(viewer: &Actor, day: &str) -> Vec<(String, Value)> {
    let mut answers = Vec::new();
    for figure in FIGURES {
        for door in ["/v1", "/v1/public"] {
            let path = format!("{door}/{figure}");
            answers.push((path.clone(), viewer.get(format!("{path}as_of={day}")).await.json()));
        }
    }
    answers
}

fn assert_same(before: &[(String, Value)], after: &[(String, Value)], when: &str) {
    for ((path, before), (_, after)) in before.iter().zip(after) {
        assert_eq!(before, after, "{path} {when}");
    }
}

/// An answer without the day that it is about.
fn strip_day(answer: &Value) -> Value {
    let mut answer = answer.clone();
    for kpi in answer["kpis"].as_array_mut().into_iter().flatten() {
        kpi["as_of"] = Value::Null;
        kpi["explanation"]["inputs"]["as_of"] = Value::Null;
        kpi["age"] = Value::Null;
    }
    if answer["explanation"].is_object() {
        answer["explanation"]["inputs"]["as_of"] = Value::Null;
        answer["age"] = Value::Null;
    }
    answer["as_of"] = Value::Null;
    answer["steps"].as_array_mut().into_iter().flatten().for_each(|step| step["ends_on"] = Value::Null);
    answer
}

async fn change_everything(app: &App, admin: &Actor, stations: &str) {
    let patch = async |path: &str, body: Value| {
        admin.patch(path, body).if_match(&admin.etag_of(path).await).await.is(200);
    };
    patch("/v1/programmes/SL-01", json!({ "dimension": "society", "lead_opd": "DLH" })).await;
    patch("/v1/programmes/SV-02", json!({ "lead_opd": "DINKES" })).await;
    admin.create("/v1/masterplans", masterplan()).await;
    patch("/v1/programmes/SG-01", json!({ "masterplan": "LAIN" })).await;
    patch("/v1/dimensions/living", json!({ "name": "Kehidupan", "position": 1 })).await;
    patch("/v1/opds/DISPAR", json!({ "name": "Dinas Wisata", "active": false })).await;
    patch("/v1/kpis/STUNTING", json!({ "baseline": { "period": "2021", "value": "40" }, "name": "Stunting" })).await;
    patch("/v1/kpis/TPS3R-DESA", json!({ "direction": "decrease", "baseline": null })).await;
    for (target, value) in [("STUNTING/targets/2024", "22.95"), ("TPS3R-DESA/targets/2022", "15")] {
        let path = format!("/v1/kpis/{target}");
        admin.put(&path, json!({ "value": value })).if_match(&admin.etag_of(&path).await).await.is(200);
    }
    admin.put("/v1/kpis/STUNTING/targets/2023", json!({ "value": "20" })).await.is(201);
    let path = "/v1/kpis/TPS3R-DESA/targets/2026";
    admin.delete(path).if_match(&admin.etag_of(path).await).await.is(204);
    let changed = json!({ "weight": "2", "targets": { "q1": "2", "q2": "6", "q3": "8", "q4": "16" } });
    patch(&format!("/v1/actions/{stations}"), changed).await;
    verified(app, stations, 2, "7").await;
    action(admin, "DINKES", "SL-01", ["1", "2", "3", "4"], "5").await;
    admin.create("/v1/commitments", json!({ "title": "Komitmen bersama", "signatories": ["DLH", "DINKES"] })).await;
}

fn masterplan() -> Value {
    let (_, mut body) = renaksi_tests::resource::MASTERPLANS.new_body();
    body["code"] = json!("LAIN");
    body["status"] = json!("active");
    body
}
