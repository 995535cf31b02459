//! Bodies as other systems send them: what stands before and around the JSON, and what stands in it twice.

use renaksi_tests::document::Document;
use renaksi_tests::resource::{OPDS, all};
use renaksi_tests::{Actor, on_a_shared_server};
use reqwest::Method;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const MARK: &[u8] = b"\xef\xbb\xbf";

on_a_shared_server! {
    async fn a_byte_order_mark_is_skipped_everywhere(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (_, body) = resource.new_body();
            let marked = [MARK, body.to_string().as_bytes()].concat();
            let created = admin.request(Method::POST, resource.path).body(marked, JSON).await.is(201);
            let patch = [MARK, json!({ resource.text: "Dengan tanda" }).to_string().as_bytes()].concat();
            let path = resource.one(&created.text_at(resource.key));
            let patch = admin.request(Method::PATCH, path).if_match(&created.etag()).body(patch, "application/merge-patch+json");
            patch.await.is(200).has(resource.text, "Dengan tanda");
        }
        let rows = [MARK, br#"[{"kpi":"STUNTING","period":"2021","value":"24"}]"#].concat();
        let pushed = admin.push("/v1/push/measurements?dry_run=true&mode=partial", JSON, rows).await.is(200);
        assert_eq!(pushed.at("received"), 1);
    }

    async fn what_is_no_utf_8_is_told_so(app) {
        let admin = app.admin().await;
        let body = r#"{"name":"Dinas"}"#;
        let wide: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let latin = b"{\"name\":\"Dinas \xe9\"}".to_vec();
        for bytes in [wide.clone(), [b"\xff\xfe".as_slice(), &wide].concat(), latin] {
            let refused = admin.request(Method::POST, OPDS.path).body(bytes.clone(), JSON).await.is(400).has_problem("malformed_request");
            assert!(refused.text_at("detail").contains("not UTF-8"), "{refused:?}");
            let request = admin.request(Method::POST, OPDS.path).body(bytes, JSON).header("Accept-Language", "id");
            assert!(request.await.is(400).text_at("detail").contains("bukan UTF-8"));
        }
    }

    async fn a_compressed_body_is_refused_where_it_is_not_read(app) {
        let admin = app.admin().await;
        for coding in ["gzip", "br", "zstd", "deflate", "gzip, gzip"] {
            let request = admin.request(Method::POST, OPDS.path).body(b"\x1f\x8b\x08".to_vec(), JSON).header("Content-Encoding", coding);
            let refused = request.await.is(415).has_problem("unsupported_media_type");
            assert!(refused.text_at("detail").contains(coding), "{refused:?}");
        }
        let (_, body) = OPDS.new_body();
        admin.post(OPDS.path, body).header("Content-Encoding", "identity").await.is(201);
        let form = app.anyone().log_in("admin@demo.invalid", "x").header("Content-Encoding", "gzip");
        form.await.is(415).has_problem("unsupported_media_type");
    }

    async fn another_media_type_is_told_what_is_read(app) {
        let admin = app.admin().await;
        for (method, path, accepted) in [
            (Method::POST, "/v1/opds", vec!["application/json"]),
            (Method::PATCH, "/v1/opds/DLH", vec!["application/merge-patch+json", "application/json"]),
            (Method::POST, "/v1/push/measurements", vec!["application/json", "application/x-ndjson", "text/csv"]),
            (Method::POST, "/v1/auth/token", vec!["application/x-www-form-urlencoded"]),
        ] {
            for given in ["text/plain", "application/xml"] {
                let refused = admin.request(method.clone(), path).body("x", given).await.is(415).has_problem("unsupported_media_type");
                let detail = refused.text_at("detail");
                assert!(detail.contains(given) && accepted.iter().all(|one| detail.contains(one)), "{detail}");
            }
        }
    }

    async fn a_step_needs_no_body_whatever_type_is_named(app) {
        let admin = app.admin().await;
        for media_type in [JSON, "application/json; charset=utf-8", "text/plain"] {
            admin.request(Method::POST, "/v1/events/tickets").body("", media_type).await.is(200);
        }
        admin.request(Method::POST, "/v1/events/tickets").body("x", "text/plain").await.is(415);
    }

    async fn rows_come_in_an_array(app) {
        let row = r#" {"kpi":"STUNTING","period":"2021","value":"24"}"#;
        let refused = app.admin().await.push("/v1/push/measurements", JSON, row).await.is(422).has("errors/0/code", "wrong_type");
        assert!(refused.text_at("errors/0/detail").contains("array"), "{refused:?}");
        app.admin().await.post("/v1/opds", json!([])).await.is(422).has("errors/0/code", "wrong_type");
    }

    async fn a_member_that_stands_twice_is_refused_everywhere(app) {
        let admin = app.admin().await;
        let mut refusals = 0;
        for operation in Document::get().operations() {
            let Some(content) = operation.value["requestBody"]["content"].as_object() else { continue };
            let Some(media) = content.keys().find(|media| media.ends_with("json")) else { continue };
            let path = operation.path_with(|name| if name == "id" { "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21".to_owned() } else { "NO-SUCH".to_owned() });
            let is_push = path.starts_with("/v1/push/");
            let body = if is_push { r#"[{"a":1,"a":2}]"# } else { r#"{"a":{"b":1,"b":2},"a":3}"# };
            let request = admin.request(operation.method.parse().unwrap(), path).body(body, media);
            let refused = request.if_match("*").await;
            assert!(refused.status() >= 400, "{}: {refused:?}", operation.name());
            if refused.status() != 422 {
                // Whoever may not do it is told that first.
                assert!([403, 404].contains(&refused.status()), "{}: {refused:?}", operation.name());
                continue;
            }
            let fault = if is_push { "rows/0/errors/0" } else { "errors/0" };
            refused.has(&format!("{fault}/code"), "repeated_member").has(&format!("{fault}/pointer"), if is_push { "/a" } else { "/a/b" });
            refusals += 1;
        }
        assert!(refusals > 50, "only {refusals} operations refused it as they should");
        nothing_is_written(&admin).await;
    }
}

async fn nothing_is_written(admin: &Actor) {
    let (code, mut body) = OPDS.new_body();
    body["name"] = json!("Satu");
    let twice = body.to_string().replacen('{', r#"{"name":"Dua","#, 1);
    let refused = admin.request(Method::POST, OPDS.path).body(twice, JSON).await.is(422).has_fault_at("/name");
    assert!(refused.text_at("errors/0/detail").contains("`name`"));
    admin.get(OPDS.one(&code)).await.is(404);
    // Deep inside, and many of them: at bounded cost.
    let many = format!("{{\"name\":[{}]}}", vec![r#"{"x":1,"x":2}"#; 20_000].join(","));
    let refused = admin.request(Method::POST, OPDS.path).body(many, JSON).await.is(422);
    let faults = refused.at("errors").as_array().map_or(0, Vec::len);
    assert!((1..=1000).contains(&faults), "{faults} faults");
    assert_eq!(refused.at("errors/0/code"), Value::from("repeated_member"));
}
