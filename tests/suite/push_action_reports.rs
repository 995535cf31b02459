//! Action reports that systems push: created, updated, unchanged, stale, rejected, in every format.

use renaksi_tests::answer::Answer;
use renaksi_tests::resource::ACTIONS;
use renaksi_tests::{Actor, on_shared_servers};
use serde_json::{Value, json};

pub(super) const PUSH: &str = "/v1/push/action-reports";
const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";
const COLUMNS: [&str; 10] = [
    "action",
    "quarter",
    "realisation",
    "narrative",
    "obstacles",
    "source_updated_at",
    "reason",
    "evidence_title",
    "evidence_url",
    "evidence_sha256",
];

on_shared_servers! {
    async fn every_format_says_the_same(app) {
        let client = app.client_dinkes().await;
        for format in [JSON, NDJSON, CSV] {
            let id = new_action(&client, "DINKES").await;
            let rows = [
                json!({
                    "action": id, "quarter": 1, "realisation": "0.5", "narrative": "Koma, \"kutip\"\ndan baris", "obstacles": "Lahan",
                    "source_updated_at": "2024-05-01T00:00:00Z", "evidence": [{ "title": "Laporan", "url": "https://tests.invalid/a" }]
                }),
                json!({ "action": id, "quarter": 2, "realisation": "2" }),
            ];
            let pushed = client.push(format!("{PUSH}?rows=all"), format, written(format, &rows)).await.is(200);
            counted(&pushed, [2, 2, 0, 0, 0, 0]);
            pushed.has("rows/0/key", format!("{id}/1")).has("rows/0/result", "created").has("rows/1/row", 2);
            let stored = client.get(one(&id, 1)).await.is(200).has("state", "submitted").has("submitted_by", "demo-dinkes");
            let stored = stored.has("realisation", "0.5").has("narrative", rows[0]["narrative"].clone()).has("obstacles", "Lahan");
            assert!(stored.at("handed_in_on").is_string(), "{stored:?}");
            stored.has("evidence/0/title", "Laporan").has("source_updated_at", "2024-05-01T00:00:00Z");
            for other in [JSON, NDJSON, CSV] {
                counted(&client.push(PUSH, other, written(other, &rows)).await.is(200), [2, 0, 0, 2, 0, 0]);
            }
        }
    }

    async fn each_row_has_its_result(app) {
        let (client, verifier) = (app.client_dinkes().await, app.verifier().await);
        let (own, foreign) = (new_action(&client, "DINKES").await, new_action(&app.client_dlh().await, "DLH").await);
        let row = |quarter: i32, realisation: &str| json!({ "action": own, "quarter": quarter, "realisation": realisation });
        let dated = |quarter: i32, realisation: &str, updated: &str| {
            let mut row = row(quarter, realisation);
            row["source_updated_at"] = json!(format!("{updated}T00:00:00Z"));
            row
        };
        let first = json!([dated(1, "1", "2024-05-02"), row(2, "2"), dated(3, "3", "2024-05-02")]);
        counted(&client.push(PUSH, JSON, first.to_string()).await.is(200), [3, 3, 0, 0, 0, 0]);
        verifier.post(format!("{}/verify", one(&own, 2)), json!({})).await.is(200);
        let rows = json!([
            dated(1, "1", "2024-05-03"),
            row(2, "2.5"),
            dated(3, "9", "2024-05-01"),
            row(4, "4"),
            row(4, "5"),
            row(5, "4"),
            row(1, "-1"),
            { "action": foreign, "quarter": 1, "realisation": "1" },
            { "action": "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21", "quarter": 1, "realisation": "1" },
        ]);
        let pushed = client.push(format!("{PUSH}?mode=partial&rows=all"), JSON, rows.to_string()).await.is(200);
        counted(&pushed, [9, 1, 0, 1, 1, 6]);
        let expected = [
            ("unchanged", ""), ("rejected", "/reason"), ("stale", ""), ("created", ""), ("rejected", ""), ("rejected", "/quarter"),
            ("rejected", "/realisation"), ("rejected", "/action"), ("rejected", "/action"),
        ];
        for (index, (result, pointer)) in expected.into_iter().enumerate() {
            let row = pushed.at(&format!("rows/{index}"));
            assert_eq!(row["result"], result, "{row}");
            assert_eq!(row["errors"][0]["pointer"].as_str().unwrap_or_default(), pointer, "{row}");
        }
        pushed.has("rows/4/errors/0/code", "duplicate_key").has("rows/7/errors/0/code", "outside_own_opd");
        client.get(one(&own, 3)).await.is(200).has("realisation", "3");

        // With its reason a verified one is revised, and stays in force until the revision is verified.
        let mut revision = row(2, "2.5");
        revision["reason"] = json!("Salah hitung");
        counted(&client.push(PUSH, JSON, json!([revision, row(4, "4.5")]).to_string()).await.is(200), [2, 0, 2, 0, 0, 0]);
        client.get(one(&own, 2)).await.is(200).has("revision", 2).has("state", "submitted").has("reason", "Salah hitung");
        client.get(ACTIONS.one(&own)).await.is(200).has("realisation/q2", "2");
        let history = client.get(format!("{}/history", one(&own, 2))).await.is(200);
        assert_eq!(history.column("action"), ["created", "verified", "revised"]);
        verifier.post(format!("{}/verify", one(&own, 2)), json!({})).await.is(200);
        client.get(ACTIONS.one(&own)).await.is(200).has("realisation/q2", "2.5");
    }

    async fn a_dry_run_and_a_refused_push_write_nothing(app) {
        let client = app.client_dinkes().await;
        let id = new_action(&client, "DINKES").await;
        let good = json!({ "action": id, "quarter": 1, "realisation": "1" });
        let dry = client.push(format!("{PUSH}?dry_run=true"), JSON, json!([good]).to_string()).await.is(200);
        counted(&dry, [1, 1, 0, 0, 0, 0]);
        let bad = json!({ "action": id, "quarter": 2, "realisation": "-1" });
        let refused = client.push(PUSH, JSON, json!([good, bad]).to_string()).await.is(422).has_problem("rows_rejected");
        counted(&refused, [2, 0, 0, 0, 0, 1]);
        client.get(one(&id, 1)).await.is(404);
        counted(&client.push(format!("{PUSH}?submit=false"), JSON, json!([good]).to_string()).await.is(200), [1, 1, 0, 0, 0, 0]);
        client.get(one(&id, 1)).await.is(200).has("state", "draft").has("handed_in_on", Value::Null);
        // A draft that is sent again is handed in.
        counted(&client.push(PUSH, JSON, json!([good]).to_string()).await.is(200), [1, 0, 1, 0, 0, 0]);
        client.get(one(&id, 1)).await.is(200).has("state", "submitted");
    }

    async fn a_fault_names_its_row_and_column(app) {
        let client = app.client_dinkes().await;
        let id = new_action(&client, "DINKES").await;
        let body = format!("action,quarter,realisation\n{id},satu,1\n{id},2,1\n");
        let pushed = client.push(format!("{PUSH}?mode=partial"), CSV, body).await.is(200);
        counted(&pushed, [2, 1, 0, 0, 0, 1]);
        pushed.has("rows/0/row", 1).has("rows/0/errors/0/column", "quarter").has("rows/0/errors/0/pointer", "/quarter");
        app.viewer().await.push(PUSH, JSON, "[]").await.is(403).has_problem("forbidden");
        app.verifier().await.push(PUSH, JSON, "[]").await.is(200);
    }

    async fn pushes_that_overlap_end(app) {
        let client = app.client_dinkes().await;
        let mut rows = Vec::new();
        for _ in 0..10 {
            let id = new_action(&client, "DINKES").await;
            rows.extend((1..=4).map(|quarter| json!({ "action": id, "quarter": quarter, "realisation": quarter })));
        }
        let pushes = (0..6).map(|turn| {
            let mut rows = rows.clone();
            rows.rotate_left(turn * 7);
            client.push(PUSH, JSON, json!(rows).to_string())
        });
        let answers = futures_util::future::join_all(pushes.map(IntoFuture::into_future)).await;
        let created = answers.into_iter().map(|answer| answer.is(200).at("created").as_u64().unwrap()).sum::<u64>();
        assert_eq!(created, 40, "each is created once");
    }
}

fn counted(answer: &Answer, expected: [u64; 6]) {
    let members = ["received", "created", "updated", "unchanged", "stale", "rejected"];
    assert_eq!(members.map(|member| answer.at(member)), expected.map(Value::from), "{members:?} of {answer:?}");
}

/// Rows as a body of a format.
fn written(format: &str, rows: &[Value]) -> String {
    match format {
        JSON => json!(rows).to_string(),
        NDJSON => rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"),
        _ => [COLUMNS.join(",")].into_iter().chain(rows.iter().map(csv_row)).collect::<Vec<_>>().join("\n"),
    }
}

fn csv_row(row: &Value) -> String {
    let cells = COLUMNS.map(|column| match column.strip_prefix("evidence_") {
        Some(member) => row["evidence"][0][member].clone(),
        None => row[column].clone(),
    });
    let cell = |cell| match cell {
        Value::Null => String::new(),
        Value::String(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        other => other.to_string(),
    };
    cells.map(cell).join(",")
}

/// Creates an action, and answers its id.
pub(super) async fn new_action(actor: &Actor, opd: &str) -> String {
    let (_, mut body) = ACTIONS.new_body();
    body["opd"] = json!(opd);
    if opd == "DLH" {
        // Its own programme: an action hangs on one that its OPD leads or supports.
        body["programme"] = json!("SV-01");
    }
    ACTIONS.create_as(actor, body).await.0
}

fn one(action: &str, quarter: i32) -> String {
    format!("{}/reports/{quarter}", ACTIONS.one(action))
}
