//! The events by which a push creates many measurements lie in one row of the audit log, and nobody notices but who measures its size.

use std::collections::HashSet;

use renaksi_tests::receiver::{Manner, Receiver};
use renaksi_tests::resource::KPIS;
use renaksi_tests::server::command;
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{Actor, App, Backend, Database, on_both_databases, on_postgres, unique};
use serde_json::{Value, json};

use super::chain::verified;
use super::feed::end_of;
use super::push::{JSON, PUSH, new_kpi};
use super::push_action_reports::{PUSH as ACTION_REPORTS, new_action};
use super::webhooks::{SETTINGS, instead_of, subscribe};

/// Periods of this many months from 1990 on.
fn months(number: usize) -> Vec<String> {
    (0..number).map(|month| format!("{}-{:02}", 1990 + month / 12, month % 12 + 1)).collect()
}

fn rows(kpi: &str, periods: &[String]) -> Vec<Value> {
    let row = |(place, period): (usize, &String)| json!({ "kpi": kpi, "period": period, "value": (place % 90).to_string() });
    periods.iter().enumerate().map(row).collect()
}

async fn push(client: &Actor, query: &str, rows: &[Value]) {
    client.push(format!("{PUSH}{query}"), JSON, json!(rows).to_string()).await.is(200).has("rejected", 0);
}

/// All events about measurements after a position, in pages of `limit`.
async fn told(reader: &Actor, path: &str, mut after: i64, limit: usize) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let page = reader.get(format!("{path}?after={after}&limit={limit}&resource=measurement")).await.is(200);
        let rows = page.rows();
        after = page.text_at("page/next_cursor").parse().unwrap();
        let is_last = rows.len() < limit;
        assert_eq!(page.next_page().is_none(), is_last);
        events.extend(rows);
        if is_last {
            return events;
        }
    }
}

fn keys(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["key"].as_str().unwrap().to_owned()).collect()
}

fn batches(app: &App) -> usize {
    app.database().query("SELECT COUNT(*) FROM event WHERE batch IS NOT NULL").parse().unwrap()
}

/// Changes something behind the service's back, expects it to be found, and changes it back.
fn is_found(app: &App, change: &str, back: &str, said: &str) {
    app.database().tamper(change);
    let (sound, text) = verified(app, &[]);
    assert!(!sound && text.contains(said), "{change}: {text}");
    app.database().tamper(back);
    let (sound, text) = verified(app, &[]);
    assert!(sound, "{back}: {text}");
}

/// The bytes that the measurements and their events take.
fn size(app: &App) -> usize {
    let sql = match app.backend() {
        Backend::Sqlite => "SELECT SUM(pgsize) FROM dbstat",
        Backend::Postgres => {
            "SELECT pg_total_relation_size('measurement') + pg_total_relation_size('event') + pg_total_relation_size('event_seal')"
        }
    };
    app.database().query(sql).parse().unwrap()
}

on_both_databases! {
    async fn each_event_of_a_push_is_in_the_feed(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let (kpi, periods) = (new_kpi(&admin, "DINKES").await, months(300));
        let (start, before) = (end_of(&app).await, batches(&app));
        push(&client, "", &rows(&kpi, &periods)).await;
        let end = end_of(&app).await;
        assert_eq!(batches(&app) - before, 3, "128, 128 and 44 events");
        let wanted = periods.iter().map(|period| format!("{kpi}/{period}")).collect::<Vec<_>>();
        for limit in [7, 128, 200] {
            let events = told(&admin, "/v1/events", start, limit).await;
            assert_eq!(keys(&events), wanted);
            let positions = events.iter().map(|event| event["position"].as_i64().unwrap());
            assert!(positions.eq(start + 1..=start + 300), "positions have no gaps");
            assert_eq!(events.iter().map(|event| event["id"].as_str().unwrap()).collect::<HashSet<_>>().len(), 300);
        }
        assert_eq!(end, start + 301);
        // From the middle of a batch, one at a time.
        for place in [0, 1, 126, 127, 128, 299] {
            let one = admin.get(format!("/v1/events?after={}&limit=1", start + place)).await.is(200);
            let place = usize::try_from(place).unwrap();
            one.has("data/0/key", wanted[place].as_str()).has("data/0/after/value", (place % 90).to_string()).has("data/0/before", Value::Null);
        }
        // What nobody verified is not public, and the feed of the public passes over it.
        let public = told(&app.anyone(), "/v1/public/events", start, 50).await;
        assert!(public.is_empty(), "{public:?}");
        let (sound, text) = verified(&app, &[]);
        assert!(sound, "{text}");
    }

    async fn a_webhook_tells_each_event_of_a_push_once(app) {
        let (app, receiver) = (instead_of(&app, SETTINGS), Receiver::start(Manner::Accepts).await);
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        subscribe(&admin, &receiver.url, &["measurement.created"]).await;
        let (kpi, periods, start) = (new_kpi(&admin, "DINKES").await, months(20), end_of(&app).await);
        push(&client, "", &rows(&kpi, &periods)).await;
        let ids = receiver.until(20).await.iter().map(|message| message.header("webhook-id").to_owned()).collect::<HashSet<_>>();
        let told = told(&admin, "/v1/events", start, 50).await;
        assert_eq!(told.len(), 20);
        assert_eq!(ids, told.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect());
    }

    async fn the_history_goes_on_after_a_batch(app) {
        let (admin, client, verifier) = (app.admin().await, app.client_dinkes().await, app.verifier().await);
        let (kpi, periods) = (new_kpi(&admin, "DINKES").await, months(40));
        let etag = admin.etag_of(&format!("/v1/kpis/{kpi}")).await;
        admin.patch(format!("/v1/kpis/{kpi}"), json!({ "published": true })).if_match(&etag).await.is(200);
        let start = end_of(&app).await;
        push(&client, "", &rows(&kpi, &periods)).await;
        let path = format!("/v1/kpis/{kpi}/measurements/{}", periods[20]);
        let created = admin.get(format!("{path}/history")).await.is(200).rows();
        assert_eq!((created.len(), &created[0]["action"], &created[0]["after"]["value"]), (1, &json!("created"), &json!("20")));
        verifier.post(format!("{path}/verify"), json!({})).await.is(200);
        let correction = json!([{ "kpi": kpi, "period": periods[20], "value": "77", "reason": "Salah hitung" }]);
        push(&client, "", correction.as_array().unwrap()).await;
        verifier.post(format!("{path}/verify"), json!({})).await.is(200);
        let history = admin.get(format!("{path}/history?count=true")).await.is(200).has("page/total", 4);
        assert_eq!(history.column("action"), ["created", "verified", "revised", "verified"], "{history:?}");
        assert_eq!(history.rows()[0], created[0]);
        let first = admin.get(format!("{path}/history?limit=1")).await.is(200);
        let rest = admin.get(first.next_page().unwrap()).await.is(200).rows();
        assert_eq!([first.rows(), rest].concat()[..2], history.rows()[..2]);
        end_of(&app).await;
        // The public knows it by the event that created it.
        let public = told(&app.anyone(), "/v1/public/events", start, 50).await;
        assert_eq!(public.len(), 3, "{public:?}");
        assert!(public.iter().all(|event| event["thing"] == created[0]["id"]), "{public:?}");
        let (sound, text) = verified(&app, &[]);
        assert!(sound, "{text}");
    }

    async fn what_was_deleted_and_created_again_has_both_lives(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let (kpi, periods) = (new_kpi(&admin, "DINKES").await, months(12));
        for number in 1..=3 {
            push(&client, "?submit=false", &rows(&kpi, &periods)).await;
            let path = format!("/v1/kpis/{kpi}/measurements/{}", periods[3]);
            let history = admin.get(format!("{path}/history")).await.is(200);
            assert_eq!(history.rows().len(), 2 * number - 1, "{history:?}");
            if number < 3 {
                for period in &periods {
                    let path = format!("/v1/kpis/{kpi}/measurements/{period}");
                    let etag = client.etag_of(&path).await;
                    client.delete(&path).if_match(&etag).await.is(204);
                }
            }
        }
        end_of(&app).await;
        let (sound, text) = verified(&app, &[]);
        assert!(sound, "{text}");
    }

    async fn what_is_altered_in_a_batch_or_behind_it_is_found(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let (kpi, periods) = (new_kpi(&admin, "DINKES").await, months(140));
        let start = end_of(&app).await;
        push(&client, "", &rows(&kpi, &periods)).await;
        end_of(&app).await;
        let first = start + 1;
        app.database().tamper("CREATE TABLE aside AS SELECT seq, batch, content_hash, events FROM event WHERE batch IS NOT NULL");
        app.database().tamper("CREATE TABLE aside_measurement AS SELECT * FROM measurement");
        let row = format!("(SELECT seq FROM event_seal WHERE position = {})", start + 128);
        let other = format!("(SELECT seq FROM event_seal WHERE position = {})", start + 140);
        let back = format!(
            "UPDATE event SET batch = (SELECT a.batch FROM aside a WHERE a.seq = event.seq), \
             content_hash = (SELECT a.content_hash FROM aside a WHERE a.seq = event.seq), \
             events = (SELECT a.events FROM aside a WHERE a.seq = event.seq) WHERE seq IN ({row}, {other})"
        );
        let breaks = format!("breaks at event {first}:");
        for change in [
            format!("UPDATE event SET batch = (SELECT a.batch FROM aside a WHERE a.seq = {other}) WHERE seq = {row}"),
            format!("UPDATE event SET content_hash = (SELECT a.content_hash FROM aside a WHERE a.seq = {other}) WHERE seq = {row}"),
            format!("UPDATE event SET events = 12 WHERE seq = {row}"),
        ] {
            is_found(&app, &change, &back, &breaks);
        }
        let whole = |by: &str| format!("UPDATE event SET actor_id = {by} WHERE seq = {row}");
        is_found(&app, &whole("actor_id || 'x'"), &whole("substr(actor_id, 1, length(actor_id) - 1)"), &breaks);
        let seal = |by: &str| format!("UPDATE event_seal SET events = events {by} WHERE seq = {row}");
        is_found(&app, &seal("- 1"), &seal("+ 1"), "its seal counts another number of events");
        let of = |period: &str| format!("kpi = '{kpi}' AND period = '{period}'");
        let (one, two) = (of(&periods[5]), of(&periods[6]));
        let value = |value: u32| format!("UPDATE measurement SET value = {value} WHERE {one}");
        is_found(&app, &value(55), &value(5), &format!("`value` of measurement `{kpi}/{}`", periods[5]));
        let back = format!("INSERT INTO measurement SELECT * FROM aside_measurement WHERE {one}");
        is_found(&app, &format!("DELETE FROM measurement WHERE {one}"), &back, &format!("`{kpi}/{}` is missing", periods[5]));
        let names = |by: &str| format!("UPDATE measurement SET first_event = {by} WHERE {one}");
        let back = names(&format!("(SELECT a.first_event FROM aside_measurement a WHERE a.kpi = '{kpi}' AND a.period = '{}')", periods[5]));
        is_found(&app, &names("NULL"), &back, "no event tells of it");
        is_found(&app, &names(&format!("(SELECT a.first_event FROM aside_measurement a WHERE a.{two})").replace("AND period", "AND a.period")), &back, "is missing");
    }

    async fn of_a_batch_the_public_sees_what_is_public(app) {
        let start = end_of(&app).await;
        let kpi = |published: bool| {
            let (_, mut body) = KPIS.new_body();
            body["published"] = json!(published);
            body
        };
        let kpis = [kpi(true), kpi(false)];
        let code = |place: usize| kpis[place]["code"].as_str().unwrap();
        let year = |number: usize| (1900 + number).to_string();
        let row = |number: usize| json!({ "kpi": code(number % 2), "period": year(number / 2), "value": "5", "known_on": "2022-10-04" });
        let mut measurements = (0..200).map(row).collect::<Vec<_>>();
        let mut correction = row(0);
        (correction["revision"], correction["reason"]) = (json!(2), json!("Salah hitung"));
        measurements.push(correction);
        let file = Workplace::get().join(format!("{}.json", unique::word()));
        std::fs::write(&file, json!({ "kpis": kpis, "measurements": measurements }).to_string()).unwrap();
        let output = app.command(&["import", file.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        end_of(&app).await;
        let mixed = app.database().query("SELECT COUNT(*) FROM event_seal WHERE public_events IS NOT NULL");
        assert_eq!(mixed, "2", "the batches hold events of both KPIs");
        let wanted = (0..100).map(|number| format!("{}/{}", code(0), year(number))).chain([format!("{}/{}", code(0), year(0))]);
        let wanted = wanted.collect::<Vec<_>>();
        for limit in [7, 64, 200] {
            let public = told(&app.anyone(), "/v1/public/events", start, limit).await;
            assert_eq!(keys(&public), wanted);
            assert_eq!(public[0]["thing"], public[100]["thing"], "the correction is about the same measurement");
            assert_eq!(public.iter().map(|event| event["thing"].as_str().unwrap()).collect::<HashSet<_>>().len(), 100);
        }
        assert_eq!(told(&app.admin().await, "/v1/events", start, 200).await.len(), 201);
        let (sound, text) = verified(&app, &[]);
        assert!(sound, "{text}");
    }

    async fn reports_on_actions_lie_in_batches_too(app) {
        let (client, before) = (app.client_dinkes().await, batches(&app));
        let mut rows = Vec::new();
        for _ in 0..3 {
            let action = new_action(&client, "DINKES").await;
            rows.extend((1..=4).map(|quarter| json!({ "action": action, "quarter": quarter, "realisation": quarter })));
        }
        client.push(ACTION_REPORTS, JSON, json!(rows).to_string()).await.is(200).has("created", 12);
        assert_eq!(batches(&app), before + 1);
        let path = format!("/v1/actions/{}/reports/3", rows[6]["action"].as_str().unwrap());
        app.verifier().await.post(format!("{path}/verify"), json!({})).await.is(200);
        let history = client.get(format!("{path}/history")).await.is(200);
        assert_eq!(history.column("action"), ["created", "verified"], "{history:?}");
        history.has("data/0/after/realisation", "3");
        end_of(&app).await;
        let (sound, text) = verified(&app, &[]);
        assert!(sound, "{text}");
    }

    async fn a_measurement_takes_half_of_the_room_that_it_took(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let mut kpis = Vec::new();
        for _ in 0..30 {
            kpis.push(new_kpi(&admin, "DINKES").await);
        }
        let periods = months(300);
        // The first push makes room for some more.
        push(&client, "", &rows(&kpis[0], &periods)).await;
        end_of(&app).await;
        let before = size(&app);
        for kpi in &kpis[1..] {
            push(&client, "", &rows(kpi, &periods)).await;
        }
        end_of(&app).await;
        let each = (size(&app) - before) / (29 * 300);
        assert!(each <= 965 / 2, "a measurement takes {each} bytes");
    }
}

on_postgres! {
    async fn replicas_that_know_no_batches_meet_none_until_the_upgrade_is_complete(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let (kpi, periods) = (new_kpi(&admin, "DINKES").await, months(40));
        // As in a database that was in use before this version.
        app.database().tamper("UPDATE feed_head SET batches = FALSE");
        let before = batches(&app);
        push(&client, "", &rows(&kpi, &periods[..20])).await;
        assert_eq!(batches(&app), before);
        let output = app.command(&["migrate", "--complete"]);
        assert!(output.status.success(), "{output:?}");
        push(&client, "", &rows(&kpi, &periods[20..])).await;
        assert_eq!(batches(&app), before + 1);
        end_of(&app).await;
        let (sound, text) = verified(&app, &[]);
        assert!(sound, "{text}");
    }
}

#[test]
fn a_database_that_is_in_use_is_not_complete_by_itself() {
    let is_complete = |database: &Database| {
        assert!(command(&["migrate", "--database-url", &database.url()]).output().unwrap().status.success());
        ["t", "1"].contains(&database.query("SELECT batches FROM feed_head").as_str())
    };
    for backend in [Backend::Sqlite, Backend::Postgres].into_iter().filter(|backend| backend.is_wanted()) {
        assert!(is_complete(&Database::empty(backend)), "nobody uses a new database");
        // SQLite has one process.
        assert_eq!(is_complete(&Database::of_version(backend, "0015")), backend == Backend::Sqlite);
    }
}
