//! Machine push of programmes: each row says the whole programme.

use renaksi_tests::resource::PROGRAMMES;
use renaksi_tests::{on_both_databases, on_shared_servers};
use serde_json::{Value, json};

use super::push::{CSV, FORMATS, JSON, NDJSON, counted, csv_cell, written};

pub(super) const PUSH: &str = "/v1/push/programmes";
const COLUMNS: &str = "code,masterplan,dimension,name,lead_opd,supporting_opds,regions,source_updated_at,published";

on_shared_servers! {
    async fn programmes_come_in_every_format(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let (earlier, middle, later) = ("2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z", "2024-05-03T00:00:00Z");
        for format in FORMATS {
            let code = PROGRAMMES.new_code();
            let path = PROGRAMMES.one(&code);
            let push = |format: &str, name: &str, updated: &str| {
                client.push(PUSH, format, written_as(format, &[programme(&code, name, updated)]))
            };
            counted(&push(format, "Uji, \"satu\"", middle).await.is(200), [1, 1, 0, 0, 0, 0]);
            let created = admin.get(&path).await.is(200).has("name", "Uji, \"satu\"").has("status", "planned").has("version", 1);
            let created = created.has("supporting_opds", json!(["DLH", "KOMINFO"]));
            let created = created.has("regions", json!(["52.08.01", "52.08.02"]));
            for other in FORMATS {
                counted(&push(other, "Uji, \"satu\"", middle).await.is(200), [1, 0, 0, 1, 0, 0]);
            }
            let stale = push(format, "Uji dua", earlier).await.is(200).has("rows/0/key", code.clone());
            counted(&stale.has("rows/0/result", "stale"), [1, 0, 0, 0, 1, 0]);
            assert_eq!(admin.etag_of(&path).await, created.etag());
            counted(&push(format, "Uji dua", later).await.is(200), [1, 0, 1, 0, 0, 0]);
            admin.get(&path).await.is(200).has("name", "Uji dua").has("version", 2);
            assert_eq!(admin.get(format!("{path}/transitions")).await.is(200).column("to"), [json!("planned")]);
            assert_eq!(admin.get(format!("{path}/history")).await.is(200).rows().len(), 2);
        }
    }

    async fn a_programme_row_names_what_is_wrong(app) {
        let (client, foreigner) = (app.client_dinkes().await, app.client_dlh().await);
        let cases = [
            ("masterplan", json!("NO-SUCH"), "/masterplan"), ("dimension", json!("no-such"), "/dimension"),
            ("supporting_opds", json!(["DLH", "NO-SUCH"]), "/supporting_opds/1"),
            ("regions", json!(["52.08.01", "99.99"]), "/regions/1"),
        ];
        for format in FORMATS {
            let rows = cases.each_ref().map(|(member, value, _)| {
                let mut row = programme(&PROGRAMMES.new_code(), "Uji", "2024-05-01T00:00:00Z");
                row[*member] = value.clone();
                row
            });
            let body = written_as(format, &rows);
            let pushed = client.push(format!("{PUSH}?mode=partial"), format, body).await.is(200);
            counted(&pushed, [4, 0, 0, 0, 0, 4]);
            for (index, (member, _, pointer)) in cases.iter().enumerate() {
                let error = pushed.at(&format!("rows/{index}/errors/0"));
                assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!("unknown_reference")), "{error}");
                assert_eq!(error["column"], if format == CSV { json!(member) } else { Value::Null }, "{error}");
            }
            let code = PROGRAMMES.new_code();
            let own = written_as(format, &[programme(&code, "Uji", "2024-05-01T00:00:00Z")]);
            let refused = foreigner.push(PUSH, format, own).await.is(422).has_problem("rows_rejected");
            refused.has("rows/0/errors/0/code", "outside_own_opd").has("rows/0/errors/0/pointer", "/lead_opd");
            client.get(PROGRAMMES.one(&code)).await.is(404);
        }
    }
}

on_both_databases! {
    async fn programmes_are_pushed_too(app) {
        let (client, path) = (app.client_dinkes().await, PUSH);
        let (code, mut own) = PROGRAMMES.new_body();
        own["source_updated_at"] = json!("2024-05-02T00:00:00Z");
        let (other, mut foreign) = PROGRAMMES.new_body();
        foreign["lead_opd"] = json!("DLH");
        let refused = client.push(path, JSON, json!([own, foreign]).to_string()).await.is(422).has_problem("rows_rejected");
        let refused = refused.has("rows/0/row", 2).has("rows/0/key", other).has("rows/0/errors/0/code", "outside_own_opd");
        counted(&refused, [2, 0, 0, 0, 0, 1]);
        client.get(PROGRAMMES.one(&code)).await.is(404);

        counted(&client.push(path, JSON, json!([own]).to_string()).await.is(200), [1, 1, 0, 0, 0, 0]);
        counted(&client.push(path, NDJSON, own.to_string()).await.is(200), [1, 0, 0, 1, 0, 0]);
        let created = client.get(PROGRAMMES.one(&code)).await.is(200).has("status", "planned").has("version", 1);
        own["name"] = json!("Nama baru");
        own["source_updated_at"] = json!("2024-05-01T00:00:00Z");
        counted(&client.push(path, JSON, json!([own]).to_string()).await.is(200), [1, 0, 0, 0, 1, 0]);
        assert_eq!(client.etag_of(&PROGRAMMES.one(&code)).await, created.etag());
        own["source_updated_at"] = json!("2024-05-03T00:00:00Z");
        counted(&client.push(path, JSON, json!([own]).to_string()).await.is(200), [1, 0, 1, 0, 0, 0]);
        client.get(PROGRAMMES.one(&code)).await.is(200).has("name", "Nama baru");
        // What belongs to another agency is not taken over.
        let mut taken = own.clone();
        taken["code"] = json!("SV-01");
        let lead = client.get("/v1/programmes/SV-01").await.is(200).has("lead_opd", "DLH");
        client.push(path, JSON, json!([taken]).to_string()).await.is(422).has("rows/0/errors/0/code", "outside_own_opd");
        assert_eq!(client.etag_of("/v1/programmes/SV-01").await, lead.etag());
        app.verifier().await.push(path, JSON, json!([own]).to_string()).await.is(403).has_problem("forbidden");
    }
}

/// Programmes as a body of a format.
fn written_as(format: &str, rows: &[Value]) -> String {
    if format != CSV {
        return written(format, rows);
    }
    let columns = COLUMNS.split(',');
    let line = |row: &Value| columns.clone().map(|column| csv_cell(row[column].clone())).collect::<Vec<_>>().join(",");
    [COLUMNS.to_owned()].into_iter().chain(rows.iter().map(line)).collect::<Vec<_>>().join("\n")
}

/// A programme of the health agency, with all that a CSV can say in lists.
fn programme(code: &str, name: &str, updated: &str) -> Value {
    json!({
        "code": code, "masterplan": "KLU-SC", "dimension": "governance", "name": name, "lead_opd": "DINKES",
        "supporting_opds": ["DLH", "KOMINFO"], "regions": ["52.08.01", "52.08.02"], "source_updated_at": updated,
        "published": false
    })
}
