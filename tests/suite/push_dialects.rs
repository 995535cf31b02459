//! What real systems send: files of spreadsheets, broken files, other encodings. What was meant is read, and what cannot be told
//! is refused in words for people.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use renaksi_tests::{Answer, on_a_shared_server, on_both_databases, on_shared_servers};
use serde_json::json;

use super::push::{CSV, JSON, NDJSON, PUSH, counted, measurements, new_kpi};

const DRY: &str = "/v1/push/measurements?dry_run=true&rows=all";

on_shared_servers! {
    async fn files_of_spreadsheets_are_read(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let kpi = new_kpi(&admin, "DINKES").await;
        let bodies = [
            "kpi;period;value\n{k};{p};1,5\n",
            "kpi,period,value\n{k},{p}, 1.5\n",
            "kpi\tperiod\tvalue\r\n{k}\t{p}\t1.5\r\n",
            "\u{feff}sep=;\r\nKPI;Period;Value\r\n{k};{p};1,5\r\n",
            "kpi,period,value\n{k},{p},1.5\n,,\n\n",
            "kpi,period,value,\n{k},{p},1.5,\n",
            "KPI,Period,Value\n{k},{p},1.5\n",
        ];
        for (month, body) in (1..).zip(bodies) {
            let period = format!("2010-{month:02}");
            let body = body.replace("{k}", &kpi).replace("{p}", &period);
            counted(&client.push(PUSH, CSV, body).await.is(200), [1, 1, 0, 0, 0, 0]);
            client.get(format!("/v1/kpis/{kpi}/measurements/{period}")).await.is(200).has("value", "1.5");
        }
        let published = "code,masterplan,dimension,name,lead_opd,published\nX-1,KLU-SC,environment,Uji,DLH,TRUE\n";
        counted(&admin.push("/v1/push/programmes?dry_run=true", CSV, published).await.is(200), [1, 1, 0, 0, 0, 0]);
    }

    async fn what_is_wrong_is_said_for_people(app) {
        let client = app.client_dinkes().await;
        let kpi = new_kpi(&app.admin().await, "DINKES").await;
        for (body, en, id) in [
            (format!("kpi,period,value\n{kpi},2010-01,\"1,5\"\n"), "write 1.5: a point, no comma", "tulis 1.5: titik, bukan koma"),
            (format!("kpi,period,value\n{kpi},Triwulan I 2010,1.5\n"), "(did you mean 2010-Q1?)", "(apakah maksudnya 2010-Q1?)"),
            (format!("kpi,period,value,source_updated_at\n{kpi},2010-01,1.5,kemarin\n"), "2022-10-04T01:00:00Z", "waktu dengan zonanya"),
        ] {
            for (language, told) in [("en", en), ("id", id)] {
                let refused = client.push(PUSH, CSV, body.clone()).header("Accept-Language", language).await.is(422);
                let refused = refused.has("rows/0/line", 2);
                assert!(refused.text_at("rows/0/errors/0/detail").contains(told), "{told}: {refused:?}");
                assert!(!refused.text_at("rows/0/errors/0/detail").contains("[0-9]"), "{refused:?}");
            }
        }
        for (body, told) in [
            ("kpi,periode,value\n", "Did you mean `period`?"),
            ("kpi|period|value\n", "separated by `|`, this reads `,`, `;` or a tab"),
            ("sep=,\nkpi;period;value\n", "separated by `;`, this reads `,`"),
        ] {
            let refused = client.push(PUSH, CSV, body).await.is(422).has_problem("invalid");
            assert!(refused.text_at("errors/0/detail").contains(told), "{refused:?}");
        }
        let alone = client.push(PUSH, JSON, json!({ "kpi": kpi, "period": "2011-01", "value": "1" }).to_string()).await.is(422);
        assert!(alone.has("errors/0/code", "wrong_type").text_at("errors/0/detail").contains("Expected an array"));
    }
}

on_a_shared_server! {
    async fn an_open_quotation_mark_refuses_the_whole(app) {
        let (admin, client) = (app.admin().await, app.client_dinkes().await);
        let kpi = new_kpi(&admin, "DINKES").await;
        for (body, line) in [
            (format!("kpi,period,value,note\n{kpi},2021-01,1,\"belum ditutup\n{kpi},2022-01,2,ok\n{kpi},2023-01,3,ok\n"), 2),
            (format!("kpi,period,value,note\n{kpi},2021-01,1,ok\n{kpi},2024-01,1,\"terpotong di te"), 3),
            (format!("kpi,period,value,note\n{kpi},2021-01,1,a \"b\" c\n"), 2),
            (format!("kpi,period,value,note\n{kpi},2021-01,1,\"a\" b\n"), 2),
            (format!("sep=;\nkpi;period;value;note\n{kpi};2021-01;1;\"a\n{kpi};2022-01;1;b\"\n"), 3),
        ] {
            for mode in ["atomic", "partial"] {
                let refused = client.push(format!("{PUSH}?mode={mode}"), CSV, body.clone()).await.is(400);
                let refused = refused.has_problem("malformed_request").has("line", line);
                assert!(refused.text_at("detail").contains(&format!("line {line}")), "{refused:?}");
            }
        }
        assert!(measurements(&client, &kpi).await.is_empty());
        let body = "code,masterplan,dimension,lead_opd,name\nN-1,KLU-SC,environment,DLH,\"Satu\nN-2,KLU-SC,environment,DLH,Dua\n";
        let refused = admin.push("/v1/push/programmes?dry_run=true&rows=all", CSV, body).await.is(400).has("line", 2);
        assert!(refused.text_at("detail").contains("never closed"), "{refused:?}");
        let indonesian = admin.push("/v1/push/programmes", CSV, body).header("Accept-Language", "id").await.is(400);
        assert!(indonesian.text_at("detail").contains("tidak pernah ditutup"), "{indonesian:?}");
    }

    async fn what_surrounds_a_body_is_read_or_named(app) {
        let client = app.client_dinkes().await;
        let kpi = new_kpi(&app.admin().await, "DINKES").await;
        let row = json!({ "kpi": kpi, "period": "2011-01", "value": "1", "note": "é" });
        let csv = format!("kpi,period,value,note\n{kpi},2011-01,1,é\n");
        let bodies = [(JSON, json!([row]).to_string()), (NDJSON, row.to_string()), (CSV, csv)];
        for (format, body) in &bodies {
            counted(&client.push(DRY, format, format!("\u{feff}{body}")).await.is(200), [1, 1, 0, 0, 0, 0]);
            for encoding in ["gzip", "x-gzip", "GZIP"] {
                let packed = client.push(DRY, format, gzip(body.as_bytes())).header("Content-Encoding", encoding);
                counted(&packed.await.is(200), [1, 1, 0, 0, 0, 0]);
            }
            counted(&client.push(DRY, format, body.clone()).header("Content-Encoding", "identity").await.is(200), [1, 1, 0, 0, 0, 0]);
            let other = client.push(DRY, format, body.clone()).header("Content-Encoding", "br").await.is(415);
            other.has_problem("unsupported_media_type").has_header("accept-encoding", "gzip, identity");
            let mut cut = gzip(body.as_bytes());
            cut.truncate(cut.len() - 6);
            named(client.push(DRY, format, cut).header("Content-Encoding", "gzip").await, "gzip");
            named(client.push(DRY, format, body.clone()).header("Content-Encoding", "gzip").await, "gzip");
            let latin = body.chars().map(|character| character as u8).collect::<Vec<_>>();
            named(client.push(DRY, format, latin).await, "not UTF-8");
            let wide = [0xfeff_u16].into_iter().chain(body.encode_utf16()).flat_map(u16::to_le_bytes).collect::<Vec<_>>();
            named(client.push(DRY, format, wide.clone()).await, "not UTF-8");
            named(client.push(DRY, &format!("{format}; charset=utf-16"), wide).await, "not UTF-8");
        }
        named(client.push(DRY, CSV, gzip(bodies[2].1.as_bytes())).await, "gzip");
    }

    async fn what_inflates_is_bounded(app) {
        let client = app.client_dinkes().await;
        for format in [JSON, NDJSON, CSV] {
            let large = gzip(&vec![b'\n'; 17 * 1024 * 1024]);
            assert!(large.len() < 64 * 1024);
            client.push(DRY, format, large).header("Content-Encoding", "gzip").await.is(413).has_problem("content_too_large");
        }
    }
}

on_both_databases! {
    /// The columns that only the service writes are read over, also with a formula defused.
    async fn what_was_exported_is_pushed(app) {
        let admin = app.admin().await;
        let folder = renaksi_tests::workplace::Workplace::get().join_in_memory(renaksi_tests::unique::word());
        let code = renaksi_tests::resource::PROGRAMMES.new_body();
        let mut body = code.1.clone();
        (body["name"], body["description"]) = (json!("=1+1"), json!("-a\n\"b\""));
        admin.create("/v1/programmes", body).await;
        let exported = app.command(&["export", "--format", "csv", "--output", folder.to_str().unwrap()]);
        assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
        for (file, path) in [("programmes", "/v1/push/programmes"), ("measurements", PUSH), ("action_reports", "/v1/push/action-reports")] {
            let body = std::fs::read_to_string(folder.join(format!("{file}.csv"))).unwrap();
            let pushed = admin.push(path, CSV, body.clone()).await.is(200);
            assert!(pushed.at("received").as_u64().unwrap() > 0);
            assert_eq!(pushed.at("unchanged"), pushed.at("received"), "{pushed:?}");
            // No spreadsheet takes a cell for a formula.
            if file == "programmes" {
                assert!(body.contains(",'=1+1,") && body.contains("\"'-a"), "{body}");
            }
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn named(answer: Answer, told: &str) {
    let answer = answer.is(400).has_problem("malformed_request");
    assert!(answer.text_at("detail").contains(told), "{told}: {answer:?}");
}
