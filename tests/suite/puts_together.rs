//! Reports that one account writes at the same moment share a transaction, and nothing else: each has its own answer and its own event.

use std::time::Duration;

use futures_util::future::join_all;
use renaksi_tests::metrics::Metrics;
use renaksi_tests::resource::{ACTIONS, KPIS};
use renaksi_tests::{Actor, Backend, on_both_databases};
use serde_json::{Value, json};

/// More than are written in one transaction.
const MANY: usize = 150;

on_both_databases! {
    async fn each_of_many_has_its_own_answer_and_its_own_event(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let kpis = join_all((0..MANY).map(|_| new_kpi(&admin, "DINKES"))).await;
        let others = new_kpi(&admin, "DLH").await;
        let value = |value: &str| json!({ "value": value });
        let (period, first) = ("2022", client.put(measurement(&kpis[0], "2021"), value("1")).await.is(201).etag());
        let puts = kpis.iter().enumerate().map(|(index, kpi)| {
            let path = measurement(kpi, period);
            let (expected, put) = match index % 8 {
                1 => (422, client.put(path, value("many"))),
                2 => (404, client.put(measurement("NO-SUCH-KPI", period), value("1"))),
                3 => (404, client.put(measurement(kpi, "last year"), value("1"))),
                4 => (403, client.put(measurement(&others, period), value("1"))),
                5 => (412, client.put(path, value("1")).if_match(&first)),
                6 => (422, client.put(measurement(kpi, "2090"), value("1"))),
                _ => (201, client.put(path, value(&index.to_string()))),
            };
            async move { (kpi, index, expected, put.await) }
        });
        let answers = join_all(puts).await;
        for (kpi, index, expected, answer) in answers {
            let answer = answer.is(expected);
            if expected != 201 {
                assert!(history(&admin, kpi).await.is_empty(), "nothing was written of {kpi}");
                continue;
            }
            let answer = answer.has("kpi", kpi.as_str()).has("value", index.to_string());
            assert_eq!(answer.header("location"), Some(measurement(kpi, period).as_str()));
            let stored = admin.get(measurement(kpi, period)).await.is(200);
            assert_eq!((stored.json(), stored.etag()), (answer.json(), answer.etag()));
            let events = history(&admin, kpi).await;
            assert_eq!(events.len(), 1, "{events:?}");
            assert_eq!(events[0]["request_id"], answer.header("x-request-id").unwrap());
            assert_eq!((&events[0]["action"], &events[0]["after"]["value"]), (&json!("created"), &json!(index.to_string())));
        }
    }

    async fn of_many_who_write_one_report_each_change_is_in_its_history(app) {
        let admin = app.admin().await;
        let (_, action) = ACTIONS.new_body();
        let action = admin.create(ACTIONS.path, action).await.text_at("id");
        let path = format!("/v1/actions/{action}/reports/1");
        let etag = admin.put(&path, json!({ "realisation": "1" })).await.is(201).etag();
        // All know the first version: one of them writes the second.
        let puts = (2..40).map(|value| admin.put(&path, json!({ "realisation": value.to_string() })).if_match(&etag).into_future());
        let answers = join_all(puts).await;
        let statuses = |status| answers.iter().filter(|answer| answer.status() == status).count();
        assert_eq!((statuses(200), statuses(412)), (1, 37), "{answers:?}");
        // None cares which version it replaces: all of them are written, one after the other.
        let puts = (2..40).map(|value| admin.put(&path, json!({ "realisation": value.to_string() })).if_match("*").into_future());
        let mut versions = join_all(puts).await.into_iter().map(|answer| answer.is(200).at("version")).collect::<Vec<_>>();
        versions.sort_by_key(Value::as_i64);
        assert_eq!(versions, (3..41).map(Value::from).collect::<Vec<_>>());
        assert_eq!(admin.all(&format!("{path}/history")).await.len(), 40);
    }

    async fn the_statements_of_what_is_written_are_counted_for_its_route(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let kpi = new_kpi(&admin, "DINKES").await;
        let counted = async || {
            let page = anyone.get("/metrics").await.is_status(200);
            let of_it = [("method", "PUT"), ("route", "/v1/kpis/{code}/measurements/{period}")];
            Metrics::read(&page.text()).value("renaksi_sql_statements_total", &of_it).unwrap_or_default()
        };
        let before = counted().await;
        admin.put(measurement(&kpi, "2022"), json!({ "value": "1" })).await.is(201);
        assert!(counted().await >= before + 5.0, "it reads the account, the KPI and what is stored, and writes the row and its event");
    }

    async fn those_who_wait_are_counted(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let kpi = new_kpi(&admin, "DINKES").await;
        let holder = app.database().hold("LOCK TABLE kpi IN EXCLUSIVE MODE");
        let waiting = async || {
            let page = anyone.get("/metrics").await.is_status(200);
            Metrics::read(&page.text()).value("renaksi_writers_waiting", &[]).unwrap_or_default()
        };
        let puts = join_all((2010..2015).map(|year| {
            admin.put(measurement(&kpi, &year.to_string()), json!({ "value": "1" })).into_future()
        }));
        let counted = async {
            // Each worker thread has one of them under way; the others wait.
            until(async || waiting().await >= 1.0).await;
            drop(holder);
        };
        let (answers, ()) = tokio::join!(puts, counted);
        // On a machine that stands still they may have waited for too long.
        assert!(answers.iter().all(|answer| [201, 503].contains(&answer.status())), "{answers:?}");
        until(async || waiting().await == 0.0).await;
    }

    async fn who_writes_of_a_locked_kpi_waits_alone(app) {
        if app.backend() == Backend::Sqlite {
            return; // It has no locks of rows.
        }
        let client = app.client_dinkes().await;
        let admin = app.admin().await;
        let (locked, free) = (new_kpi(&admin, "DINKES").await, new_kpi(&admin, "DINKES").await);
        let lock = format!("SELECT 1 FROM kpi WHERE code = '{locked}' FOR UPDATE");
        let holder = app.database().hold(&lock);
        let put = |kpi: &str, year: usize| client.put(measurement(kpi, &year.to_string()), json!({ "value": "1" })).into_future();
        let waiting = join_all((2010..2013).map(|year| put(&locked, year)));
        let others = async {
            // In many rounds, so that some of them come while those wait.
            for year in 2010..2020 {
                put(&free, year).await.is(201);
            }
            drop(holder);
        };
        let (waited, ()) = tokio::join!(waiting, others);
        waited.into_iter().for_each(|answer| drop(answer.is(201)));
    }
}

/// Waits until something holds; it fails after a time in which it would hold on any machine.
async fn until(holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waiting).await.expect("it holds in the end");
}

async fn new_kpi(admin: &Actor, opd: &str) -> String {
    let (code, mut body) = KPIS.new_body();
    body["opd"] = json!(opd);
    admin.create(KPIS.path, body).await;
    code
}

fn measurement(kpi: &str, period: &str) -> String {
    format!("/v1/kpis/{kpi}/measurements/{}", period.replace(' ', "%20"))
}

async fn history(admin: &Actor, kpi: &str) -> Vec<Value> {
    let path = measurement(kpi, "2022");
    let answer = admin.get(format!("{path}/history")).await;
    if answer.status() == 404 { Vec::new() } else { answer.is(200).rows() }
}
