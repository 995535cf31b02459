//! Machine push: many rows in one call, each with its result, all or none where that is asked for.

use futures_util::future::join_all;
use renaksi_tests::resource::KPIS;
use renaksi_tests::{Actor, Answer, on_a_shared_server, on_both_databases, on_shared_servers, unique};
use serde_json::{Value, json};

use super::{push_action_reports, push_programmes};

pub(super) const PUSH: &str = "/v1/push/measurements";
pub(super) const FORMATS: [&str; 3] = [JSON, NDJSON, CSV];
pub(super) const JSON: &str = "application/json";
pub(super) const NDJSON: &str = "application/x-ndjson";
pub(super) const CSV: &str = "text/csv";
const COLUMNS: &str = "kpi,period,value,note,source_updated_at,reason,evidence_title,evidence_url,evidence_sha256";

on_shared_servers! {
    async fn every_format_says_the_same(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        for format in FORMATS {
            let kpi = new_kpi(&admin, "DINKES").await;
            let rows = [
                json!({
                    "kpi": kpi, "period": "2023-01", "value": "28.35", "note": "Koma, \"kutip\"\ndan baris",
                    "source_updated_at": "2024-05-01T00:00:00Z",
                    "evidence": [{ "title": "Laporan", "url": "https://tests.invalid/a", "sha256": "0f".repeat(32) }]
                }),
                json!({ "kpi": kpi, "period": "2023-02", "value": "3" }),
            ];
            let body = written(format, &rows);
            let pushed = client.push(format!("{PUSH}?rows=all"), format, body.clone()).await.is(200);
            counted(&pushed, [2, 2, 0, 0, 0, 0]);
            for (index, period) in ["2023-01", "2023-02"].into_iter().enumerate() {
                let row = pushed.at(&format!("rows/{index}"));
                assert_eq!((&row["row"], &row["result"]), (&json!(index + 1), &json!("created")), "{row}");
                assert_eq!(row["key"], format!("{kpi}/{period}"));
            }
            let stored = admin.get(one(&kpi, "2023-01")).await.is(200);
            let stored = stored.has("state", "submitted").has("submitted_by", "demo-dinkes").has("value", "28.35");
            for member in ["note", "source_updated_at", "evidence"] {
                assert_eq!(stored.at(member), rows[0][member], "{stored:?}");
            }
            admin.get(one(&kpi, "2023-02")).await.is(200).has("value", "3").has("note", Value::Null).has("evidence", json!([]));

            let repeat = client.push(PUSH, format, body).await.is(200).has("rows", json!([]));
            counted(&repeat, [2, 0, 0, 2, 0, 0]);
            for other in FORMATS {
                counted(&client.push(PUSH, other, written(other, &rows)).await.is(200), [2, 0, 0, 2, 0, 0]);
            }
        }
    }

    async fn csv_comes_as_spreadsheets_write_it(app) {
        let kpi = new_kpi(&app.admin().await, "DINKES").await;
        let client = app.client_dinkes().await;
        let body = format!("\u{feff}{COLUMNS}\r\n{kpi},2023-01,\"4.5\",,,,,,\r\n\"{kpi}\",2023-02,5,\"a \"\"b\"\"\",,,,,\r\n");
        counted(&client.push(PUSH, "text/csv; charset=utf-8", body).await.is(200), [2, 2, 0, 0, 0, 0]);
        client.get(one(&kpi, "2023-02")).await.is(200).has("note", "a \"b\"");
    }

    async fn a_wrong_csv_header_refuses_the_whole(app) {
        let kpi = new_kpi(&app.admin().await, "DINKES").await;
        let client = app.client_dinkes().await;
        for header in ["kpi,period,value,tpyo", "kpi,value", "kpi,period,value,value", "", "2023,4,5"] {
            let body = format!("{header}\n{kpi},2023-01,4,5\n");
            for mode in ["atomic", "partial"] {
                client.push(format!("{PUSH}?mode={mode}"), CSV, body.clone()).await.is(422).has_problem("invalid");
            }
        }
        client.get(one(&kpi, "2023-01")).await.is(404);
    }

    async fn a_fault_names_its_row_and_column(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let row = |period: &str, value: &str| json!({ "kpi": kpi, "period": period, "value": value });
        let rows = [row("2023-01", "4"), row("2023-02", "many")];
        for format in FORMATS {
            let refused = client.push(PUSH, format, written(format, &rows)).await.is(422).has_problem("rows_rejected");
            let refused = refused.has("rows/0/row", 2).has("rows/0/result", "rejected").has("rows/0/errors/0/pointer", "/value");
            counted(&refused, [2, 0, 0, 0, 0, 1]);
            if format == CSV {
                refused.has("rows/0/errors/0/column", "value");
            } else {
                refused.lacks("rows/0/errors/0/column");
            }
        }
        client.get(one(&kpi, "2023-01")).await.is(404);
    }

    async fn every_fault_has_its_code(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let (own, foreign) = (new_kpi(&admin, "DINKES").await, new_kpi(&admin, "DLH").await);
        let good = |period: &str| json!({ "kpi": own, "period": period, "value": "4" });
        let with = |member: &str, value: Value| {
            let mut row = good("2023-01");
            row[member] = value;
            row
        };
        let without = |member: &str| {
            let mut row = good("2023-01");
            row.as_object_mut().unwrap().remove(member);
            row
        };
        let cases = [
            (without("value"), "/value", "required"),
            (without("kpi"), "/kpi", "required"),
            (with("tpyo", json!(1)), "/tpyo", "unknown_field"),
            (with("note", json!(1)), "/note", "wrong_type"),
            (with("kpi", json!("NO-SUCH")), "/kpi", "unknown_reference"),
            (with("kpi", json!(foreign)), "/kpi", "outside_own_opd"),
            (with("period", json!("2023")), "/period", "wrong_frequency"),
            (json!({ "kpi": "STUNTING", "period": "2023", "value": "100.1" }), "/value", "outside_range"),
            (json!({ "kpi": "STUNTING", "period": "2022", "value": "21" }), "/reason", "required"),
        ];
        let mut cases = cases.into_iter().collect::<Vec<_>>();
        // A month of its own for each, so that none is refused as a duplicate.
        for (month, (row, ..)) in (3..).zip(&mut cases).filter(|(_, (row, ..))| row["period"] == "2023-01") {
            row["period"] = json!(format!("2023-{month:02}"));
        }
        let mut rows = vec![good("2023-02")];
        rows.extend(cases.iter().map(|(row, ..)| row.clone()));
        rows.push(json!({ "kpi": own, "period": "2023-02", "value": "5" }));
        let pushed = client.push(format!("{PUSH}?mode=partial"), JSON, json!(rows).to_string()).await.is(200);
        counted(&pushed, [11, 1, 0, 0, 0, 10]);
        let listed = pushed.at("rows").as_array().unwrap().clone();
        assert_eq!(listed.len(), 10, "only what was rejected: {pushed:?}");
        for (index, (row, pointer, code)) in cases.iter().enumerate() {
            let found = listed.iter().find(|listed| listed["row"] == json!(index + 2));
            let found = found.unwrap_or_else(|| panic!("no result of {row}"));
            let errors = found["errors"].as_array().unwrap();
            assert!(errors.iter().any(|error| error["pointer"] == *pointer && error["code"] == *code), "{row}: {found}");
        }
        pushed.has("rows/9/row", 11).has("rows/9/errors/0/code", "duplicate_key");
        client.get(one(&own, "2023-02")).await.is(200).has("value", "4");
        admin.get("/v1/kpis/STUNTING/measurements/2022").await.is(200).has("value", "22.9").has("revision", 1);
    }

    async fn a_malformed_line_is_a_rejected_row(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let good = |period: &str| json!({ "kpi": kpi, "period": period, "value": "4" }).to_string();
        let body = format!("{}\n{{\"kpi\": \n[1]\n{}\n", good("2023-01"), good("2023-02"));
        let refused = client.push(PUSH, NDJSON, body.clone()).await.is(422).has_problem("rows_rejected").has("rows/0/row", 2);
        counted(&refused.has("rows/0/errors/0/code", "malformed_json"), [4, 0, 0, 0, 0, 2]);
        client.get(one(&kpi, "2023-01")).await.is(404);
        let partial = client.push(format!("{PUSH}?mode=partial"), NDJSON, body).await.is(200);
        counted(&partial.has("rows/0/errors/0/code", "malformed_json").has("rows/1/row", 3), [4, 2, 0, 0, 0, 2]);
        client.get(one(&kpi, "2023-02")).await.is(200);
    }

    async fn atomic_writes_all_or_nothing(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let mut rows = whole_year(&kpi);
        rows.push(json!({ "kpi": kpi, "period": "2023-13", "value": "4" }));
        for path in [PUSH.to_owned(), format!("{PUSH}?mode=atomic")] {
            let refused = client.push(path, JSON, json!(rows).to_string()).await.is(422).has_problem("rows_rejected");
            counted(&refused.has("rows/0/row", 13), [13, 0, 0, 0, 0, 1]);
        }
        assert!(measurements(&client, &kpi).await.is_empty());
        let partial = client.push(format!("{PUSH}?mode=partial"), JSON, json!(rows).to_string()).await.is(200);
        counted(&partial.has("rows/0/row", 13), [13, 12, 0, 0, 0, 1]);
        assert_eq!(measurements(&client, &kpi).await.len(), 12);
        rows.pop();
        counted(&client.push(PUSH, JSON, json!(rows).to_string()).await.is(200), [12, 0, 0, 12, 0, 0]);
    }

    async fn a_dry_run_answers_as_the_real_one(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let row = |period: &str, value: &str, updated: &str| dated(&kpi, period, value, updated);
        let (earlier, later) = ("2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z");
        for (mode, rows) in [
            ("atomic", json!([row("2023-01", "4", later), row("2023-02", "5", later)])),
            ("atomic", json!([row("2023-01", "4", later), row("2023-02", "6", later), row("2023-03", "7", later)])),
            ("atomic", json!([row("2023-04", "4", later), row("2023-04", "5", later)])),
            (
                "partial",
                json!([row("2023-01", "9", earlier), row("2023-05", "4", later), row("2023", "4", later), row("2023-03", "7", later)]),
            ),
        ] {
            let before = measurements(&client, &kpi).await;
            let path = format!("{PUSH}?mode={mode}&rows=all");
            let dry = client.push(format!("{path}&dry_run=true"), JSON, rows.to_string()).await;
            assert_eq!(measurements(&client, &kpi).await, before, "a dry run writes nothing");
            let real = client.push(path, JSON, rows.to_string()).await;
            assert_eq!(dry.status(), real.status(), "{dry:?}");
            let status = real.status();
            let (dry, real) = (dry.is(status).json(), real.is(status).json());
            for member in ["received", "created", "updated", "unchanged", "stale", "rejected", "rows"] {
                assert_eq!(dry[member], real[member], "`{member}` of {mode} {rows}");
            }
        }
        client.get(one(&kpi, "2023-01")).await.is(200).has("value", "4");
        client.get(one(&kpi, "2023-04")).await.is(404);
    }

    async fn each_row_has_its_result(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let row = |period: &str, value: &str, updated: &str| dated(&kpi, period, value, updated);
        let (earlier, middle, later) = ("2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z", "2024-05-03T00:00:00Z");
        let first = json!([row("2023-01", "1", middle), row("2023-02", "2", middle), row("2023-03", "3", middle)]);
        counted(&client.push(PUSH, JSON, first.to_string()).await.is(200).has("rows", json!([])), [3, 3, 0, 0, 0, 0]);
        let second = json!([
            row("2023-01", "1", middle), row("2023-02", "2.5", later), row("2023-03", "9", earlier),
            row("2023-04", "4", middle), row("2023-04", "4", middle), row("2023", "4", middle),
        ]);
        let pushed = client.push(format!("{PUSH}?mode=partial"), JSON, second.to_string()).await.is(200);
        counted(&pushed, [6, 1, 1, 2, 1, 1]);
        let pushed = pushed.has("rows/0/row", 3).has("rows/0/result", "stale");
        pushed.has("rows/1/row", 6).has("rows/1/result", "rejected").lacks("rows/2");
        for (period, value) in [("2023-01", "1"), ("2023-02", "2.5"), ("2023-03", "3"), ("2023-04", "4")] {
            client.get(one(&kpi, period)).await.is(200).has("value", value).has("revision", 1);
        }
    }

    async fn a_repeat_leaves_no_trace(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let rows = json!([{ "kpi": kpi, "period": "2023-01", "value": "4.50" }, { "kpi": kpi, "period": "2023-02", "value": 5 }]);
        counted(&client.push(PUSH, JSON, rows.to_string()).await.is(200), [2, 2, 0, 0, 0, 0]);
        let history = format!("{}/history", one(&kpi, "2023-01"));
        let (seen, etag) = (client.get(&history).await.is(200).json(), client.etag_of(&one(&kpi, "2023-01")).await);
        for _ in 0..3 {
            // The same number, written otherwise.
            let rows = json!([{ "kpi": kpi, "period": "2023-01", "value": 4.5 }, { "kpi": kpi, "period": "2023-02", "value": "5.0" }]);
            counted(&client.push(PUSH, JSON, rows.to_string()).await.is(200), [2, 0, 0, 2, 0, 0]);
        }
        assert_eq!(client.get(&history).await.is(200).json(), seen);
        assert_eq!(client.etag_of(&one(&kpi, "2023-01")).await, etag);
    }

    async fn what_is_pushed_goes_through_the_review(app) {
        let (client, verifier) = (app.client_dinkes().await, app.verifier().await);
        let kpi = new_kpi(&app.admin().await, "DINKES").await;
        let (path, push) = (one(&kpi, "2023-01"), |row: Value| client.push(PUSH, JSON, json!([row]).to_string()));
        let row = |value: &str| json!({ "kpi": kpi, "period": "2023-01", "value": value });
        let draft = client.push(format!("{PUSH}?submit=false"), JSON, json!([row("4")]).to_string()).await.is(200);
        counted(&draft, [1, 1, 0, 0, 0, 0]);
        client.get(&path).await.is(200).has("state", "draft");
        // The same value again, but handed in now.
        counted(&push(row("4")).await.is(200), [1, 0, 1, 0, 0, 0]);
        client.get(&path).await.is(200).has("state", "submitted");

        verifier.post(format!("{path}/return"), json!({ "reason": "Bukti belum ada" })).await.is(200);
        counted(&push(row("4")).await.is(200), [1, 0, 0, 1, 0, 0]);
        client.get(&path).await.is(200).has("state", "returned");
        counted(&push(row("4.5")).await.is(200), [1, 0, 1, 0, 0, 0]);
        client.get(&path).await.is(200).has("state", "submitted");

        verifier.post(format!("{path}/verify"), json!({})).await.is(200);
        counted(&push(row("4.5")).await.is(200), [1, 0, 0, 1, 0, 0]);
        push(row("4.7")).await.is(422).has("rows/0/errors/0/pointer", "/reason").has("rows/0/errors/0/code", "required");
        let mut correction = row("4.7");
        correction["reason"] = json!("Salah hitung");
        counted(&push(correction.clone()).await.is(200), [1, 0, 1, 0, 0, 0]);
        client.get(&path).await.is(200).has("state", "submitted").has("revision", 2).has("reason", "Salah hitung");
        client.get(format!("/v1/kpis/{kpi}/standing")).await.is(200).has("latest/value", "4.5");
        counted(&push(correction).await.is(200), [1, 0, 0, 1, 0, 0]);
    }

    async fn a_retried_push_gets_the_first_answer(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let key = unique::word();
        let body = written(NDJSON, &[json!({ "kpi": kpi, "period": "2023-01", "value": "4" })]);
        let first = client.push(PUSH, NDJSON, body.clone()).idempotency_key(&key).await.is(200);
        counted(&first, [1, 1, 0, 0, 0, 0]);
        assert_eq!(first.header("idempotent-replayed"), None);
        let retry = client.push(PUSH, NDJSON, body.clone()).idempotency_key(&key).await.is(200);
        assert_eq!(retry.json(), first.json());
        retry.has_header("idempotent-replayed", "true");
        let other = body.replace("\"4\"", "\"5\"");
        assert_ne!(other, body);
        client.push(PUSH, NDJSON, other).idempotency_key(&key).await.is(422).has_problem("idempotency_key_reused");
        let dry = client.push(format!("{PUSH}?dry_run=true"), NDJSON, body.replace("\"4\"", "\"5\"")).idempotency_key(&key).await;
        counted(&dry.is(200), [1, 0, 1, 0, 0, 0]);
        client.get(one(&kpi, "2023-01")).await.is(200).has("value", "4");

        // A refused push did nothing under its key, so it may be corrected.
        let key = unique::word();
        let wrong = body.replace("\"4\"", "\"many\"");
        client.push(PUSH, NDJSON, wrong).idempotency_key(&key).await.is(422).has_problem("rows_rejected");
        counted(&client.push(PUSH, NDJSON, body.clone()).idempotency_key(&key).await.is(200), [1, 0, 0, 1, 0, 0]);

        // What a push without writes was answered holds for its retries as well, even if it would be refused by now.
        let other = body.replace("\"4\"", "\"5\"");
        counted(&client.push(PUSH, NDJSON, other.clone()).await.is(200), [1, 0, 1, 0, 0, 0]);
        client.push(PUSH, NDJSON, body.clone()).idempotency_key(&key).await.is(200).has_header("idempotent-replayed", "true");
        client.push(PUSH, NDJSON, other.clone()).idempotency_key(&key).await.is(422).has_problem("idempotency_key_reused");
        let admin = app.admin().await;
        let found = admin.get(KPIS.one(&kpi)).await.is(200);
        admin.patch(KPIS.one(&kpi), json!({ "minimum": "4.5" })).if_match(&found.etag()).await.is(200);
        client.push(PUSH, NDJSON, body.clone()).await.is(422).has_problem("rows_rejected");
        counted(&client.push(PUSH, NDJSON, body).idempotency_key(&key).await.is(200), [1, 0, 0, 1, 0, 0]);
    }

    async fn many_who_push_the_same_write_it_once(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let rows = whole_year(&kpi);
        let pushes = FORMATS.into_iter().cycle().take(9).map(|format| client.push(PUSH, format, written(format, &rows)));
        let answers = join_all(pushes.map(IntoFuture::into_future)).await.into_iter().map(|answer| answer.is(200)).collect::<Vec<_>>();
        let sum = |member: &str| answers.iter().map(|answer| answer.at(member).as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("created"), sum("updated"), sum("unchanged")), (12, 0, 96));
        assert_eq!(measurements(&client, &kpi).await.len(), 12);
    }

    async fn a_client_writes_its_own_opd_and_those_below(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let kpis = [new_kpi(&admin, "DINKES").await, new_kpi(&admin, "PKM-KAYANGAN").await, new_kpi(&admin, "DLH").await];
        let rows = kpis.each_ref().map(|kpi| json!({ "kpi": kpi, "period": "2023-01", "value": "4" }));
        for format in FORMATS {
            let refused = client.push(PUSH, format, written(format, &rows)).await.is(422).has_problem("rows_rejected");
            counted(&refused.has("rows/0/row", 3).has("rows/0/errors/0/code", "outside_own_opd"), [3, 0, 0, 0, 0, 1]);
        }
        for kpi in &kpis {
            assert!(measurements(&admin, kpi).await.is_empty(), "nothing is written of a refused push");
        }
        for foreigner in [app.client_dlh().await, app.operator_dlh().await] {
            let refused = foreigner.push(PUSH, JSON, written(JSON, &rows)).await.is(422);
            counted(&refused, [3, 0, 0, 0, 0, 2]);
        }
        let partial = client.push(format!("{PUSH}?mode=partial"), JSON, written(JSON, &rows)).await.is(200);
        counted(&partial.has("rows/0/row", 3).has("rows/0/errors/0/code", "outside_own_opd"), [3, 2, 0, 0, 0, 1]);
        assert!(measurements(&admin, &kpis[2]).await.is_empty());
        counted(&admin.push(PUSH, JSON, written(JSON, &rows)).await.is(200), [3, 1, 0, 2, 0, 0]);
    }
}

on_a_shared_server! {
    async fn what_is_no_list_of_rows_is_refused(app) {
        let client = app.client_dinkes().await;
        for body in ["", "{", "[{]", "null", "{\"kpi\":\"STUNTING\"}", "[1"] {
            let answer = client.push(PUSH, JSON, body).await;
            assert!([400, 422].contains(&answer.status()), "{body}: {answer:?}");
            let status = answer.status();
            let _ = answer.is(status);
        }
        client.push(PUSH, "application/xml", "<rows/>").await.is(415).has_problem("unsupported_media_type");
        for parameter in ["mode=sometimes", "dry_run=perhaps", "submit=7", "rows=few", "tpyo=1"] {
            let name = parameter.split('=').next().unwrap();
            let refused = client.push(format!("{PUSH}?{parameter}"), JSON, "[]").await.is(400);
            refused.has_problem("invalid_parameter").has_fault_in_parameter(name);
        }
        for actor in [app.viewer().await, app.anyone()] {
            let refused = actor.push(PUSH, JSON, "[]").await;
            assert!([401, 403].contains(&refused.status()), "{refused:?}");
        }
    }
}

on_both_databases! {
    async fn a_push_without_writes_waits_for_no_writer(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let (kpi, action) = (new_kpi(&admin, "DINKES").await, push_action_reports::new_action(&admin, "DINKES").await);
        let programme = json!({ "code": "SV-01", "name": admin.get("/v1/programmes/SV-01").await.is(200).at("name") });
        let pushes = [
            (PUSH, &client, json!({ "kpi": kpi, "period": "2023-01", "value": "4" }), json!({ "value": "5" })),
            (push_action_reports::PUSH, &client, json!({ "action": action, "quarter": 1, "realisation": "1" }), json!({ "realisation": "2" })),
            (push_programmes::PUSH, &admin, programme, json!({ "name": "Lain" })),
        ];
        for (path, actor, row, _) in &pushes {
            actor.push(*path, JSON, json!([row]).to_string()).await.is(200);
        }
        let holder = app.database().hold("LOCK TABLE kpi, action, programme, measurement, action_report IN EXCLUSIVE MODE");
        for (path, actor, row, change) in &pushes {
            let mut other = row.clone();
            other.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            counted(&actor.push(*path, JSON, json!([row]).to_string()).await.is(200), [1, 0, 0, 1, 0, 0]);
            counted(&actor.push(format!("{path}?dry_run=true"), JSON, json!([row, other]).to_string()).await.is(422), [2, 0, 0, 1, 0, 1]);
            counted(&actor.push(format!("{path}?dry_run=true"), JSON, json!([other]).to_string()).await.is(200), [1, 0, 1, 0, 0, 0]);
        }
        drop(holder);
    }

    async fn a_push_has_its_limits(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        let row = json!({ "kpi": kpi, "period": "2023-01", "value": "4" });
        for format in FORMATS {
            let most = written(format, &vec![row.clone(); 10_000]);
            let dry = client.push(format!("{PUSH}?dry_run=true"), format, most).await.is(200);
            counted(&dry, [10_000, 1, 0, 9_999, 0, 0]);
            let more = written(format, &vec![row.clone(); 10_001]);
            for mode in ["atomic", "partial"] {
                client.push(format!("{PUSH}?mode={mode}"), format, more.clone()).await.is(413).has_problem("content_too_large");
            }
            let mut long = written(format, std::slice::from_ref(&row));
            long.push_str(&" ".repeat(16 * 1024 * 1024));
            client.push(PUSH, format, long).await.is(413).has_problem("content_too_large");
        }
        assert!(measurements(&client, &kpi).await.is_empty());
    }
}

/// Expects `received`, `created`, `updated`, `unchanged`, `stale` and `rejected`.
#[track_caller]
pub(super) fn counted(answer: &Answer, expected: [u64; 6]) {
    let members = ["received", "created", "updated", "unchanged", "stale", "rejected"];
    assert_eq!(members.map(|member| answer.at(member)), expected.map(Value::from), "{members:?} of {answer:?}");
}

/// Rows as a body of a format.
pub(super) fn written(format: &str, rows: &[Value]) -> String {
    match format {
        JSON => json!(rows).to_string(),
        NDJSON => rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"),
        _ => [COLUMNS.to_owned()].into_iter().chain(rows.iter().map(csv_row)).collect::<Vec<_>>().join("\n"),
    }
}

fn csv_row(row: &Value) -> String {
    let cells = COLUMNS.split(',').map(|column| match column.strip_prefix("evidence_") {
        Some(member) => row["evidence"][0][member].clone(),
        None => row[column].clone(),
    });
    cells.map(csv_cell).collect::<Vec<_>>().join(",")
}

pub(super) fn csv_cell(cell: Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";"),
        other => other.to_string(),
    }
}

/// Creates a monthly KPI that nothing was measured of, and answers its code.
pub(super) async fn new_kpi(admin: &Actor, opd: &str) -> String {
    let (code, mut body) = KPIS.new_body();
    body["opd"] = json!(opd);
    body["programme"] = Value::Null;
    body["frequency"] = json!("monthly");
    body["baseline"] = Value::Null;
    admin.create(KPIS.path, body).await;
    code
}

/// A row for each month of 2023.
pub(super) fn whole_year(kpi: &str) -> Vec<Value> {
    (1..=12).map(|month| json!({ "kpi": kpi, "period": format!("2023-{month:02}"), "value": "4" })).collect()
}

/// A row with the time when the source system changed it.
fn dated(kpi: &str, period: &str, value: &str, updated: &str) -> Value {
    json!({ "kpi": kpi, "period": period, "value": value, "source_updated_at": updated })
}

pub(super) fn one(kpi: &str, period: &str) -> String {
    format!("/v1/kpis/{kpi}/measurements/{period}")
}

pub(super) async fn measurements(actor: &Actor, kpi: &str) -> Vec<Value> {
    actor.all(&format!("/v1/kpis/{kpi}/measurements?limit=200")).await
}
