//! Reading one thing: tags, HEAD, OPTIONS, compression, request ids.

use renaksi_tests::resource::{PROGRAMMES, all};
use renaksi_tests::{on_a_shared_server, on_shared_servers, on_sqlite};
use reqwest::Method;

on_shared_servers! {
    async fn a_known_tag_answers_304(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let (key, created) = resource.create(&admin).await;
            let (path, etag) = (resource.one(&key), created.etag());
            for known in [etag.clone(), format!("\"other\", {etag}"), format!("W/{}", etag.trim_start_matches("W/")), "*".to_owned()] {
                let unchanged = admin.get(&path).if_none_match(&known).await.is(304);
                assert!(unchanged.bytes().is_empty());
                assert_eq!(unchanged.etag(), etag);
            }
            admin.get(&path).if_none_match("\"other\"").await.is(200);
        }
    }

    async fn what_is_not_there_is_a_problem(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let path = resource.one(&resource.new_code());
            admin.get(&path).await.is(404).has_problem("not_found").has("instance", path.clone());
            admin.get(format!("{path}/history")).await.is(404).has_problem("not_found");
        }
    }

    async fn a_replaced_thing_is_seen_by_the_next_request(app) {
        let (admin, viewer) = (app.admin().await, app.viewer().await);
        let (code, body) = PROGRAMMES.new_body();
        let mut etag = admin.create(PROGRAMMES.path, body).await.etag();
        for turn in 0..10 {
            let name = format!("Nama ke-{turn}");
            let patch = admin.patch(PROGRAMMES.one(&code), serde_json::json!({ "name": name, "published": true }));
            etag = patch.if_match(&etag).await.is(200).etag();
            viewer.get(PROGRAMMES.one(&code)).await.is(200).has("name", name.clone());
            app.anyone().get(format!("/v1/public/programmes/{code}")).await.is(200).has("name", name);
        }
    }
}

on_a_shared_server! {
    async fn options_lists_the_methods(app) {
        let expected = [
            ("/v1/programmes", vec!["GET", "HEAD", "OPTIONS", "POST"]),
            ("/v1/programmes/SL-01", vec!["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"]),
            ("/v1/public/summary", vec!["GET", "HEAD", "OPTIONS"]),
        ];
        for (path, methods) in expected {
            let answer = app.anyone().request(Method::OPTIONS, path).await;
            assert!([200, 204].contains(&answer.status()), "{answer:?}");
            let mut allowed = answer.header("allow").expect("Allow").split(',').map(str::trim).collect::<Vec<_>>();
            allowed.sort_unstable();
            assert_eq!(allowed, methods, "{path}");
        }
        app.anyone().request(Method::OPTIONS, "/v1/nothing-here").await.is(404);
    }

    async fn a_sane_request_id_comes_back(app) {
        let anyone = app.anyone();
        anyone.get("/health/live").header("X-Request-Id", "klien-42.a_b").await.is(200).has_header("x-request-id", "klien-42.a_b");
        anyone.get("/v1/programmes").header("X-Request-Id", "klien-43").await.is(401).has("request_id", "klien-43");
        let strange = anyone.get("/health/live").header("X-Request-Id", "a b\"<script>").await.is(200);
        assert_ne!(strange.header("x-request-id"), Some("a b\"<script>"));
        let long = "x".repeat(5000);
        let replaced = anyone.get("/health/live").header("X-Request-Id", &long).await.is(200);
        assert!(replaced.header("x-request-id").is_some_and(|id| id.len() <= 128));
        let (one, two) = (anyone.get("/health/live").await.is(200), anyone.get("/health/live").await.is(200));
        assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
    }
}

on_sqlite! {
    async fn head_is_get_without_a_body(app) {
        let admin = app.admin().await;
        for path in ["/v1/programmes/SL-01", "/v1/programmes", "/v1/public/programmes", "/v1/public/summary", "/health/live", "/openapi.json"] {
            let got = admin.get(path).await.is(200);
            let head = admin.head(path).await.is(200);
            assert!(head.bytes().is_empty(), "HEAD {path} has a body");
            for header in ["content-type", "etag"] {
                assert_eq!(head.header(header), got.header(header), "`{header}` of HEAD {path}");
            }
        }
        assert!(admin.head("/v1/programmes/NO-SUCH").await.is(404).bytes().is_empty());
        app.anyone().head("/v1/programmes").await.is(401);
    }

    async fn an_answer_is_compressed_on_request(app) {
        let viewer = app.viewer().await;
        let path = "/v1/programmes?limit=40";
        let plain = viewer.get(path).await.is(200);
        assert_eq!(plain.header("content-encoding"), None);
        for coding in ["br", "gzip", "zstd"] {
            let packed = viewer.get(path).header("Accept-Encoding", coding).await;
            assert_eq!(packed.header("content-encoding"), Some(coding), "{coding}");
            assert!(packed.bytes().len() * 3 < plain.bytes().len(), "{coding}: {} of {}", packed.bytes().len(), plain.bytes().len());
            let unpacked = viewer.unpacking().get(path).header("Accept-Encoding", coding).await;
            assert!(unpacked.bytes() == plain.bytes(), "{coding} unpacks to something else");
        }
        let vary = viewer.get(path).header("Accept-Encoding", "gzip").await;
        assert!(vary.headers("vary").to_lowercase().contains("accept-encoding"), "{vary:?}");
    }

    async fn a_compressed_answer_keeps_its_tag_usable(app) {
        let admin = app.admin().await;
        let packed = admin.get("/v1/programmes/SL-01").header("Accept-Encoding", "gzip").await;
        admin.get("/v1/programmes/SL-01").header("Accept-Encoding", "gzip").if_none_match(&packed.etag()).await.is(304);
        let patch = admin.patch("/v1/programmes/SL-01", serde_json::json!({ "funding_source": "APBD" }));
        patch.if_match(&packed.etag()).await.is(200);
    }
}
