//! Entity tags: one that was shown is one that `If-Match` takes, whatever was shown with it and whoever stood in between.

use renaksi_tests::resource::all;
use renaksi_tests::{on_a_shared_server, on_both_databases, on_sqlite};
use serde_json::json;

/// What Apache, Jetty and others make of a tag when they compress.
const MARKS: [&str; 8] = ["", "-gzip", ";gzip", "--gzip", "-br", ";br", "-zstd", "--zstd"];

on_a_shared_server! {
    async fn a_tag_that_a_proxy_marked_is_what_it_was(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (key, created) = resource.create(&admin).await;
            let path = resource.one(&key);
            let mut etag = created.etag();
            for mark in MARKS {
                for weak in ["", "W/"] {
                    let marked = format!("{weak}\"{}{mark}\"", etag.trim_matches('"'));
                    let read = admin.get(&path).if_none_match(&marked).await;
                    assert_eq!(read.status(), 304, "{marked} of {path}");
                    let change = json!({ resource.text: format!("Nama {}", marked.len()) });
                    etag = admin.patch(&path, change).if_match(&marked).await.is(200).etag();
                }
            }
            admin.patch(&path, json!({})).if_match("\"1-0-gzip\"").await.is(412);
            admin.get(&path).if_none_match("\"1-0-gzip\"").await.is(200);
        }
    }
}

on_both_databases! {
    async fn what_is_shown_has_a_tag_to_change_it_with(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (key, _) = resource.create(&admin).await;
            let path = resource.one(&key);
            let mut shapes = vec![String::new(), format!("?fields={}", resource.text)];
            if let Some(reference) = resource.expand {
                shapes.extend([format!("?expand={reference}"), format!("?expand={reference}&fields={reference}")]);
            }
            for (turn, shape) in shapes.iter().enumerate() {
                let etag = admin.get(format!("{path}{shape}")).await.is(200).etag();
                assert!(etag.starts_with('"'), "{etag} of {path}{shape}");
                admin.get(format!("{path}{shape}")).if_none_match(&etag).await.is(304);
                admin.patch(&path, json!({ resource.text: format!("Nama {turn}") })).if_match(&etag).await.is(200);
                admin.patch(&path, json!({ resource.text: "Nama lain" })).if_match(&etag).await.is(412);
            }
        }
    }

    async fn an_expanded_thing_has_another_tag_when_what_it_refers_to_changes(app) {
        let admin = app.admin().await;
        let (shape, opd) = ("/v1/programmes/SL-01?expand=lead_opd", "/v1/opds/DINKES");
        let before = admin.get(shape).await.is(200).etag();
        admin.patch(opd, json!({ "short_name": "Kesehatan" })).if_match(&admin.etag_of(opd).await).await.is(200);
        let after = admin.get(shape).if_none_match(&before).await.is(200).etag();
        assert_ne!(before, after);
        // Of the programme itself nothing changed.
        admin.patch("/v1/programmes/SL-01", json!({})).if_match(&before).await.is(200);
    }
}

on_sqlite! {
    async fn what_is_kept_is_asked_for_behind_a_proxy_too(app) {
        for path in ["/v1/public/programmes", "/v1/public/programmes/SL-01", "/v1/public/summary", "/openapi.json", "/openapi.yaml"] {
            let etag = app.anyone().get(path).await.header("etag").unwrap().to_owned();
            for mark in MARKS {
                let marked = format!("W/\"{}{mark}\"", etag.trim_start_matches("W/").trim_matches('"'));
                assert_eq!(app.anyone().get(path).if_none_match(&marked).await.status(), 304, "{marked} of {path}");
            }
        }
    }
}
