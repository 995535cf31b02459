//! Evaluations: what a meeting was told, and the figures of its day, frozen when it is closed.

use std::io::Write;
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use renaksi_tests::resource::{KPIS, MASTERPLANS, PROGRAMMES};
use renaksi_tests::{Actor, App, on_both_databases, on_shared_servers, unique};
use serde_json::{Value, json};

on_shared_servers! {
    async fn a_meeting_is_read_as_it_was_written(app) {
        let verifier = app.verifier().await;
        let (path, body) = (new_path(), meeting("2022-10-04"));
        let created = verifier.put(&path, body.clone()).await.is(201).has("state", "open").has("closed_at", json!(null));
        created.has("record_sha256", json!(null)).has("public_record_sha256", json!(null));
        let shown = verifier.get(&path).await.is(200);
        for (member, value) in body.as_object().unwrap() {
            assert_eq!(&shown.at(member), value, "{member}");
        }
        let code = shown.text_at("code");
        for (query, found) in [
            ("masterplan=KLU-SC", true), ("held_on[lte]=2022-10-03", false), ("dimension=branding", true), ("dimension=economy", false),
            ("published=true", true), ("q=aula uji", true),
        ] {
            let rows = verifier.all(&format!("/v1/evaluations?{query}")).await;
            assert_eq!(rows.iter().any(|row| row["code"] == code.as_str()), found, "{query}");
        }
        verifier.patch(&path, json!({ "reported_counts": [] })).if_match(&shown.etag()).await.is(200).has("version", 2);
        let none = verifier.all("/v1/evaluations?dimension=branding").await;
        assert!(none.iter().all(|row| row["code"] != code.as_str()), "{none:?}");
        let events = verifier.get(format!("{path}/history")).await.is(200);
        assert_eq!(events.column("action"), ["created", "updated"]);
        app.anyone().get(public(&path)).await.is(200).lacks("record_sha256").lacks("version").has("venue", "Aula Uji");
        let etag = verifier.etag_of(&path).await;
        verifier.delete(&path).if_match(&etag).await.is(204);
        app.anyone().get(public(&path)).await.is(404);
    }

    async fn what_the_meeting_was_told_makes_sense(app) {
        let admin = app.admin().await;
        let mut body = meeting("2022-10-04");
        body["reported_counts"] = json!([
            { "dimension": "governance", "planned": 3, "running": 4 }, { "dimension": "governance", "planned": 1, "running": 1 },
        ]);
        let refused = admin.put(new_path(), body.clone()).await.is(422);
        refused.has_fault_at("/reported_counts/0/running").has_fault_at("/reported_counts/1/dimension");
        body["reported_counts"] = json!([{ "dimension": "NO-SUCH", "planned": 1, "running": 1 }]);
        admin.put(new_path(), body.clone()).await.is(422).has_fault_at("/reported_counts/0/dimension");
        body["reported_counts"] = json!([{ "dimension": "living", "planned": -1, "running": 0 }]);
        admin.put(new_path(), body).await.is(422).has_fault_at("/reported_counts/0/planned");
        let (dimension, named) = (unique::code("DIM"), new_path());
        let etag = admin.create("/v1/dimensions", json!({ "code": dimension, "name": "Uji", "position": 90 })).await.etag();
        let mut body = meeting("2022-10-04");
        body["reported_counts"] = json!([{ "dimension": dimension, "planned": 1, "running": 1 }]);
        admin.put(&named, body).await.is(201);
        let refused = admin.delete(format!("/v1/dimensions/{dimension}")).if_match(&etag).await.is(409).has_problem("still_referenced");
        refused.has("referenced_by/0/resource", "evaluation");
    }

    async fn an_operator_holds_no_meeting(app) {
        let (path, operator) = (held(&app.admin().await, "2022-10-04").await, app.operator_dinkes().await);
        operator.put(new_path(), meeting("2022-10-04")).await.is(403).has_problem("forbidden");
        operator.post(format!("{path}/close"), json!({})).await.is(403).has_problem("forbidden");
        app.anyone().get(format!("{path}/record")).await.is(401);
    }

    async fn what_is_closed_stays_closed(app) {
        let admin = app.admin().await;
        let path = held(&admin, "2022-10-04").await;
        let stale = admin.etag_of(&path).await;
        admin.patch(&path, json!({ "venue": "Aula Kedua" })).if_match(&stale).await.is(200);
        admin.post(format!("{path}/close"), json!({})).if_match(&stale).await.is(412).has_problem("precondition_failed");
        let key = unique::word();
        let close = || admin.post(format!("{path}/close"), json!({})).idempotency_key(&key);
        let closed = close().await.is(200);
        let again = close().await.is(200).has_header("idempotent-replayed", "true");
        assert_eq!(again.bytes(), closed.bytes());
        admin.post(format!("{path}/close"), json!({})).await.is(409).has_problem("closed");
        let etag = admin.etag_of(&path).await;
        admin.put(&path, meeting("2022-10-05")).if_match(&etag).await.is(409).has_problem("closed");
        let refused = admin.patch(&path, json!({ "summary": "Lain" })).if_match(&etag).header("Accept-Language", "id");
        assert!(refused.await.is(409).text_at("detail").contains("ditutup"));
        admin.delete(&path).if_match(&etag).await.is(409).has_problem("closed");
        assert_eq!(admin.get(&path).await.is(200).json(), closed.json());
    }

    async fn what_is_not_published_has_no_public_record(app) {
        let admin = app.admin().await;
        let path = new_path();
        let mut body = meeting("2022-10-04");
        body["published"] = json!(false);
        admin.put(&path, body).await.is(201);
        admin.post(format!("{path}/close"), json!({})).await.is(200);
        admin.get(format!("{path}/record")).await.is(200);
        for hidden in ["", "/record", "/findings"] {
            app.anyone().get(public(&path) + hidden).await.is(404).has_problem("not_found");
        }
    }

    async fn closing_waits_for_the_day_and_for_the_masterplan(app) {
        let admin = app.admin().await;
        let ahead = held(&admin, "2199-01-01").await;
        admin.post(format!("{ahead}/close"), json!({})).await.is(409).has_problem("conflict");
        let (plan, draft) = MASTERPLANS.new_body();
        admin.create(MASTERPLANS.path, draft).await;
        let path = new_path();
        let mut body = meeting("2022-10-04");
        body["masterplan"] = json!(plan);
        admin.put(&path, body).await.is(201);
        admin.post(format!("{path}/close"), json!({})).await.is(409).has_problem("conflict");
        admin.get(&path).await.is(200).has("state", "open");
        admin.post("/v1/evaluations/NO-SUCH/close", json!({})).await.is(404);
    }

    async fn of_those_who_close_at_once_one_wins(app) {
        let admin = app.admin().await;
        let path = held(&admin, "2022-10-04").await;
        let attempts = (0..8).map(|_| async { admin.post(format!("{path}/close"), json!({})).await });
        let statuses = join_all(attempts).await.iter().map(|answer| answer.status()).collect::<Vec<_>>();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
        assert_eq!(admin.get(format!("{path}/history")).await.is(200).column("action"), ["created", "closed"]);
    }
}

on_both_databases! {
    async fn closing_freezes_the_figures_of_the_day(app) {
        let verifier = app.verifier().await;
        let path = held(&verifier, "2022-10-04").await;
        for record in [format!("{path}/record"), public(&path) + "/record"] {
            verifier.get(record).await.is(404).has_problem("not_found");
        }
        verifier.create(&format!("{path}/findings"), json!({ "text": "Jadwal pengangkutan sampah" })).await;
        let closed = verifier.post(format!("{path}/close"), json!({})).await.is(200).has("state", "closed").has("version", 2);
        assert_eq!(verifier.etag_of(&path).await, closed.etag());
        let events = verifier.get(format!("{path}/history")).await.is(200);
        assert_eq!(events.column("action"), ["created", "closed"]);
        assert_eq!(events.at("data/1/after/record_sha256"), closed.at("record_sha256"));

        let record = verifier.get(format!("{path}/record")).await.is(200).has_header("content-type", "application/json");
        assert_eq!(sha256sum(record.bytes()), closed.text_at("record_sha256"));
        assert_eq!(record.etag(), format!("\"{}\"", closed.text_at("record_sha256")));
        let record = record.has("as_of", "2022-10-04").has("summary/totals/planned", 40).has("summary/totals/running", 35);
        let record = record.has("scoreboard/year", 2022).has("scoreboard/quarter", 3).has("reconciliation/totals/recorded/running", 35);
        let record = record.has("evaluation/chair", "Bupati").has("closed_at", closed.at("closed_at"));
        let record = record.has("findings/0/text", "Jadwal pengangkutan sampah").has("rule_versions/kpi_standing", "kpi-standing-2");
        let standings = record.at("standings");
        let stunting = standings.as_array().unwrap().iter().find(|one| one["kpi"] == "STUNTING").unwrap();
        let told = verifier.get("/v1/kpis/STUNTING/standing?as_of=2022-10-04").await.is(200).json();
        assert_eq!(in_language(stunting.clone(), "en"), told);
        assert_eq!(record.at("summary"), verifier.get("/v1/summary?masterplan=KLU-SC&as_of=2022-10-04").await.is(200).json());
        let scoreboard = "/v1/scoreboard?year=2022&quarter=3&masterplan=KLU-SC&as_of=2022-10-04";
        for language in ["en", "id"] {
            let told = verifier.get(scoreboard).header("Accept-Language", language).await.is(200).json();
            assert_eq!(in_language(record.at("scoreboard"), language), told, "the record is in both languages");
        }
        let code = closed.text_at("code");
        assert_eq!(record.at("reconciliation"), verifier.get(format!("/v1/reconciliation?evaluation={code}")).await.is(200).json());
        let members = "evaluation as_of closed_at summary scoreboard standings reconciliation findings rule_versions";
        assert_eq!(top_members(&record.text()), members.split(' ').collect::<Vec<_>>());

        let everybody = app.anyone().get(public(&path)).await.is(200).has("state", "closed");
        let shown = app.anyone().get(public(&path) + "/record").await.is(200);
        assert_eq!(sha256sum(shown.bytes()), everybody.text_at("public_record_sha256"));
        assert!(shown.header("cache-control").is_some_and(|value| value.contains("public")));
        app.anyone().get(public(&path) + "/record").if_none_match(&shown.etag()).await.is(304);
    }

    async fn the_record_outlives_every_change(app) {
        let admin = app.admin().await;
        let path = held(&admin, "2022-10-04").await;
        let finding = admin.create(&format!("{path}/findings"), json!({ "text": "Temuan", "opd": "DINKES", "programme": "SL-01" })).await;
        let finding = format!("{path}/findings/{}", finding.text_at("id"));
        admin.post(format!("{path}/close"), json!({})).await.is(200);
        let records = [format!("{path}/record"), public(&path) + "/record"];
        let mut before = Vec::new();
        for record in &records {
            before.push(admin.get(record).await.is(200).bytes().to_vec());
        }
        for (path, change) in [
            ("/v1/programmes/SL-01", json!({ "name": "Nama lain", "published": false, "dimension": "governance" })),
            ("/v1/kpis/STUNTING", json!({ "name": "Nama lain", "baseline": { "period": "2021", "value": "40" } })),
            ("/v1/kpis/STUNTING/targets/2024", json!({ "value": "1" })),
            ("/v1/dimensions/living", json!({ "name": "Nama lain", "position": 99 })),
            ("/v1/opds/DINKES", json!({ "name": "Nama lain", "short_name": "NL" })),
            ("/v1/masterplans/KLU-SC", json!({ "title": "Nama lain", "status": "closed" })),
            (finding.as_str(), json!({ "text": "Lain", "programme": null })),
        ] {
            let etag = admin.etag_of(path).await;
            if path.contains("/targets/") {
                admin.put(path, change).if_match(&etag).await.is(200);
            } else {
                admin.patch(path, change).if_match(&etag).await.is(200);
            }
        }
        admin.create("/v1/programmes/SG-09/transitions", json!({ "to": "running", "effective_on": "2022-09-01" })).await;
        admin.create(&format!("{finding}/follow-ups"), json!({ "text": "Selesai", "state": "done" })).await;
        // It names a programme that was withdrawn: the public waits until that is back.
        admin.get(&records[1]).await.is(410).has_problem("withheld");
        app.anyone().get(public(&path)).await.is(200).has("state", "closed");
        let programme = "/v1/programmes/SL-01";
        admin.patch(programme, json!({ "published": true })).if_match(&admin.etag_of(programme).await).await.is(200);
        for (record, before) in records.iter().zip(before) {
            let now = admin.get(record).await.is(200);
            assert_eq!(String::from_utf8_lossy(now.bytes()), String::from_utf8_lossy(&before), "{record}");
        }
        let etag = admin.etag_of(&finding).await;
        admin.delete(&finding).if_match(&etag).await.is(204);
        assert_eq!(admin.get(&records[0]).await.is(200).at("findings/0/state"), "open");
    }

    async fn the_record_outlives_an_upgrade(app) {
        let admin = app.admin().await;
        let path = held(&admin, "2022-10-04").await;
        admin.create(&format!("{path}/findings"), json!({ "text": "Temuan", "opd": "DINKES" })).await;
        admin.post(format!("{path}/close"), json!({})).await.is(200);
        let records = [format!("{path}/record"), public(&path) + "/record"];
        let mut before = Vec::new();
        for record in &records {
            before.push(admin.get(record).await.is(200).bytes().to_vec());
        }
        app.server().terminate();
        assert!(app.server().wait().success());
        // As a database is that has not seen the last step of the schema yet ...
        for table in ["webhook_delivery", "webhook_cursor", "webhook"] {
            app.database().tamper(&format!("DROP TABLE {table}"));
        }
        app.database().tamper("DELETE FROM seaql_migrations WHERE version LIKE 'm0007%'");
        // ... and as a later one may leave what the record was made of.
        for (table, text) in [("programme", "name"), ("kpi", "name"), ("opd", "name"), ("finding", "text"), ("evaluation", "summary")] {
            app.database().tamper(&format!("ALTER TABLE {table} ADD COLUMN added_later TEXT NOT NULL DEFAULT 'x'"));
            app.database().tamper(&format!("UPDATE {table} SET {text} = 'Ditulis ulang'"));
        }
        app.server().restart();
        let admin = app.admin().await;
        admin.get("/v1/webhooks").await.is(200);
        admin.get("/v1/programmes/SL-01").await.is(200).has("name", "Ditulis ulang");
        for (record, before) in records.iter().zip(before) {
            assert!(admin.get(record).await.is(200).bytes() == before, "{record}");
        }
    }

    async fn the_public_record_holds_only_what_is_public(app) {
        let admin = app.admin().await;
        let path = held(&admin, &today(&app).await).await;
        let ((programme, mut kpi), (hidden, plan)) = ((unique::code("KPI-T"), (KPIS.example)("")), PROGRAMMES.new_body());
        kpi["code"] = json!(programme);
        kpi["name"] = json!("Indikator rahasia");
        admin.create(KPIS.path, kpi).await;
        admin.create(PROGRAMMES.path, plan).await;
        let finding = admin.create(&format!("{path}/findings"), json!({ "text": "Temuan", "programme": hidden })).await;
        let follow_ups = format!("{path}/findings/{}/follow-ups", finding.text_at("id"));
        admin.create(&follow_ups, json!({ "text": "Sudah dibahas", "state": "in_progress" })).await;
        admin.post(format!("{path}/close"), json!({})).await.is(200);

        let all = admin.get(format!("{path}/record")).await.is(200).has("summary/totals/planned", 41).has("findings/0/programme", hidden.clone());
        assert!(all.text().contains("Indikator rahasia"));
        let shown = app.anyone().get(public(&path) + "/record").await.is(200).has("summary/totals/planned", 40);
        let shown = shown.has("findings/0/programme", json!(null)).has("findings/0/follow_ups/0/text", "Sudah dibahas");
        for secret in ["Indikator rahasia", programme.as_str(), hidden.as_str()] {
            assert!(!shown.text().contains(secret), "the public record names {secret}");
        }
        for record in [all, shown] {
            assert!(!record.text().contains('@'), "a record names people by their address");
        }
    }
}

fn new_path() -> String {
    format!("/v1/evaluations/{}", unique::code("EVAL"))
}

fn public(path: &str) -> String {
    path.replace("/v1/", "/v1/public/")
}

fn meeting(held_on: &str) -> Value {
    json!({
        "masterplan": "KLU-SC", "held_on": held_on, "venue": "Aula Uji", "chair": "Bupati", "summary": "Ringkasan", "published": true,
        "reported_counts": [{ "dimension": "governance", "planned": 10, "running": 8 }, { "dimension": "branding", "planned": 4, "running": 4 }],
        "provenance": { "publisher": "Uji", "title": null, "url": null, "date": "2022-10-04", "quote": null, "basis": "stated" }
    })
}

async fn held(actor: &Actor, on: &str) -> String {
    let path = new_path();
    actor.put(&path, meeting(on)).await.is(201);
    path
}

/// The regency's day.
async fn today(app: &App) -> String {
    app.anyone().get("/v1/public/summary").await.is(200).text_at("as_of")
}

/// What the description of the record tells everybody to do.
fn sha256sum(bytes: &[u8]) -> String {
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

/// The members of an object in the order in which they are written.
fn top_members(text: &str) -> Vec<&str> {
    let (mut depth, mut in_text, mut start, mut members) = (0, false, 0, Vec::new());
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' if at > 0 && bytes[at - 1] != b'\\' => {
                if in_text && depth == 1 && bytes.get(at + 1) == Some(&b':') {
                    members.push(&text[start..at]);
                }
                (in_text, start) = (!in_text, at + 1);
            }
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth -= 1,
            _ => {}
        }
    }
    members
}

/// What a record holds in both languages, in one.
fn in_language(mut frozen: Value, language: &str) -> Value {
    match &mut frozen {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = in_language(item.take(), language)),
        Value::Object(members) => {
            if let Some(indonesian) = members.remove("text_id").filter(|_| language == "id") {
                members.insert("text".to_owned(), indonesian);
            }
            members.values_mut().for_each(|member| *member = in_language(member.take(), language));
        }
        _ => {}
    }
    frozen
}
