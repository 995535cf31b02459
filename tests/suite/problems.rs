//! Errors: one form from every corner, in two languages, each with a page that explains it.

use renaksi_tests::on_a_shared_server;
use renaksi_tests::resource::{OPDS, all};
use reqwest::Method;
use serde_json::json;

on_a_shared_server! {
    async fn unknown_paths_are_problems(app) {
        for path in ["/v1", "/v1/", "/v1/nothing-here", "/v1/opds/", "/v2/opds", "/v1/public/nothing", "/%00", "/v1/opds/a%2Fb", "/v1//opds"] {
            let answer = app.admin().await.get(path).await;
            assert!([404, 301, 308].contains(&answer.status()), "{answer:?}");
            if answer.status() == 404 {
                answer.is(404).has_problem("not_found");
            }
        }
    }

    async fn a_wrong_method_names_the_right_ones(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let refused = admin.request(Method::PATCH, resource.path).json(&json!({})).await.is(405).has_problem("method_not_allowed");
            let allowed = refused.header("allow").expect("Allow");
            for method in ["GET", "HEAD", "POST"] {
                assert!(allowed.contains(method), "{method} is not in {allowed}");
            }
            let refused = admin.post(resource.one("X"), json!({})).await.is(405);
            assert!(refused.header("allow").is_some_and(|allowed| allowed.contains("PATCH")));
        }
        app.anyone().post("/v1/public/summary", json!({})).await.is(405).has_problem("method_not_allowed");
        app.anyone().request(Method::from_bytes(b"BREW").unwrap(), "/v1/opds").await.is(405).has_problem("method_not_allowed");
    }

    async fn media_types_are_negotiated(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            admin.get(resource.path).header("Accept", "image/png").await.is(406).has_problem("not_acceptable");
            for none in ["identity;q=0", "*;q=0", "compress, *;q=0"] {
                admin.get(resource.path).header("Accept-Encoding", none).await.is(406).has_problem("not_acceptable");
            }
            for good in ["*/*", "application/*;q=0.5", "text/html, application/json;q=0.1", "application/json; charset=utf-8"] {
                admin.get(resource.path).header("Accept", good).await.is(200);
            }
            let (_, body) = resource.new_body();
            for bad in ["text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense"] {
                let post = admin.post(resource.path, body.clone()).header("Content-Type", bad);
                post.await.is(415).has_problem("unsupported_media_type");
            }
            admin.post(resource.path, body.clone()).without_header("Content-Type").await.is(415);
            admin.post(resource.path, body).header("Content-Type", "application/json; charset=utf-8").await.is(201);
        }
    }

    async fn a_merge_patch_is_no_way_to_create(app) {
        let (_, body) = OPDS.new_body();
        let post = app.admin().await.post(OPDS.path, body).header("Content-Type", "application/merge-patch+json");
        post.await.is(415);
    }

    async fn malformed_json_is_pointed_at(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await {
            let text = "{\n  \"code\": \"A\",\n  \"name\" \"B\"\n}";
            let refused = admin.request(Method::POST, resource.path).body(text, "application/json").await.is(400).has_problem("malformed_request");
            let detail = refused.text_at("detail");
            assert!(detail.contains("line 3") && detail.contains("column"), "{detail}");
            let refused = admin.request(Method::POST, resource.path).body("", "application/json").await.is(400);
            refused.has_problem("malformed_request");
        }
    }

    async fn problems_speak_indonesian_and_english(app) {
        let anyone = app.anyone();
        let english = anyone.get("/v1/nothing").await.is(404);
        for (preferred, expected) in [
            ("id", "id"), ("id-ID,id;q=0.9,en;q=0.8", "id"), ("en", "en"), ("en-GB, id;q=0.5", "en"), ("fr", "en"), ("fr, id;q=0.1", "id"), ("*", "en"), ("nonsense;;;", "en"),
        ] {
            let answer = anyone.get("/v1/nothing").header("Accept-Language", preferred).await.is(404).has_header("content-language", expected);
            assert_eq!(answer.text_at("title") == english.text_at("title"), expected == "en", "{preferred}: {answer:?}");
        }
        let admin = app.admin().await;
        let indonesian = admin.post("/v1/opds", json!({ "tpyo": 1 })).header("Accept-Language", "id").await.is(422);
        let english = admin.post("/v1/opds", json!({ "tpyo": 1 })).await.is(422);
        assert_ne!(indonesian.text_at("errors/0/detail"), english.text_at("errors/0/detail"));
        assert_eq!(indonesian.at("errors/0/code"), english.at("errors/0/code"));
    }

    async fn every_problem_has_a_page(app) {
        let anyone = app.anyone();
        let admin = app.admin().await;
        let kinds = [
            anyone.get("/v1/opds").await, admin.get("/v1/opds/NO-SUCH").await, admin.get("/v1/opds?tpyo=1").await,
            admin.post("/v1/opds", json!({})).await, admin.request(Method::PATCH, "/v1/opds").await, admin.delete("/v1/opds/DLH").await,
            admin.get("/v1/opds").header("Accept", "image/png").await, admin.post("/v1/opds", json!({})).header("Content-Type", "a/b").await,
        ];
        for problem in kinds {
            let place = problem.text_at("type");
            assert!(place.contains("/problems/"), "{place}");
            let page = anyone.get(&place).header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8").await;
            assert_eq!((page.status(), page.media_type()), (200, "text/html"), "{page:?}");
            assert!(page.text().contains(problem.text_at("code").as_str()));
            let policy = page.header("content-security-policy").unwrap_or_default();
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{page:?}");
            for accepted in ["application/json", "*/*", "application/json, text/html;q=0.5", "text/html;q=0, application/json"] {
                let data = anyone.get(&place).header("Accept", accepted).await;
                assert_eq!((data.status(), data.media_type()), (200, "application/json"), "{accepted}: {data:?}");
                assert!(data.header("vary").is_some_and(|vary| vary.contains("Accept")), "{data:?}");
            }
        }
        anyone.get("/problems/no-such-problem").await.is(404);
    }

    async fn the_kinds_of_problems_are_listed_in_both_languages(app) {
        let anyone = app.anyone();
        let list = anyone.get("/problems").await.is(200);
        let codes = |member: &str| list.at(member).as_array().unwrap().iter().map(|kind| kind["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let (problems, faults) = (codes("problems"), codes("errors"));
        assert!(problems.len() > 20 && faults.len() > 30, "{list:?}");
        for kind in list.at("problems").as_array().unwrap() {
            assert_ne!(kind["title"], kind["title_id"]);
            assert_ne!(kind["advice"], kind["advice_id"]);
            let place = format!("/problems/{}", kind["code"].as_str().unwrap());
            assert_eq!(&anyone.get(&place).header("Accept", "application/json").await.json(), kind);
            let page = anyone.get(&place).header("Accept", "text/html").header("Accept-Language", "id").await.text();
            assert!(page.contains(kind["title_id"].as_str().unwrap()) && !page.contains("Reference"), "{page}");
        }
        for kind in list.at("errors").as_array().unwrap() {
            assert_ne!(kind["text"], kind["text_id"]);
        }
        assert!(list.header("cache-control").is_some_and(|value| value.contains("public")), "{list:?}");
        anyone.get("/problems").if_none_match(&list.etag()).await.is(304);
        assert_eq!(anyone.get("/problems").header("Origin", "https://a.invalid").await.is(200).header("access-control-allow-origin"), Some("*"));
        anyone.get("/problems?tpyo=1").await.is(400).has_fault_in_parameter("tpyo");
    }

    async fn a_problem_names_where_and_which_request(app) {
        let refused = app.anyone().get("/v1/opds?limit=1").await.is(401).has("status", 401).has("instance", "/v1/opds");
        assert_eq!(Some(refused.text_at("request_id").as_str()), refused.header("x-request-id"));
        assert!(refused.header("www-authenticate").is_some_and(|way| way.starts_with("Bearer")));
    }
}
