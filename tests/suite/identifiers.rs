//! Identifiers: UUIDs in either case, and codes that differ from others by more than their case.

use renaksi_tests::document::Document;
use renaksi_tests::resource::{ACTIONS, PROGRAMMES, all};
use renaksi_tests::{Actor, Answer, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

on_shared_servers! {
    async fn ids_are_taken_in_either_case_in_bodies_and_filters(app) {
        let admin = app.admin().await;
        let (id, created) = ACTIONS.create(&admin).await;
        let upper = id.to_uppercase();
        let (path, body) = (ACTIONS.one(&upper), json!({ "id": upper, "title": "Renaksi lain" }));
        admin.patch(&path, body).if_match(&created.etag()).await.is(200).has("id", id.clone()).has("title", "Renaksi lain");
        assert_eq!(admin.all(&format!("/v1/actions?id={upper}")).await.len(), 1);
        let row = json!([{ "action": upper, "quarter": 1, "realisation": "1" }]);
        let pushed = admin.push("/v1/push/action-reports?rows=all", "application/json", row.to_string()).await.is(200);
        pushed.has("created", 1).has("rows/0/key", format!("{id}/1"));
        assert_eq!(admin.all(&format!("/v1/reviews?action={upper}")).await.len(), 1);
        let decision = json!({ "reviews": [{ "kind": "action_report", "key": format!("{upper}/1"), "decision": "verify" }] });
        app.verifier().await.post("/v1/reviews", decision).await.is(200).has("verified", 1);
    }

    async fn a_code_that_differs_only_in_case_is_refused(app) {
        let admin = app.admin().await;
        for resource in all(&admin).await.into_iter().filter(|resource| resource.is_coded()) {
            let (code, created) = resource.create(&admin).await;
            let twin = code.to_lowercase();
            let refused = admin.post(resource.path, (resource.example)(&twin)).await.is(409).has_problem("already_exists").has("existing", code.clone());
            assert!(refused.text_at("detail").contains(&format!("`{code}`")), "{refused:?}");
            let mut body = (resource.example)(&twin);
            body.as_object_mut().unwrap().remove("code");
            admin.put(resource.one(&twin), body.clone()).await.is(409).has("existing", code.clone());
            admin.get(resource.one(&twin)).await.is(404);
            // What is there is written as before, and its code is taken as before.
            admin.put(resource.one(&code), body).if_match(&created.etag()).await.is(200);
            let again = admin.post(resource.path, (resource.example)(&code)).await.is(409).has_problem("already_exists");
            again.lacks("existing");
        }
    }

    async fn of_codes_made_at_the_same_time_one_stays(app) {
        let admin = app.admin().await;
        let code = PROGRAMMES.new_code();
        let forms = [code.to_uppercase(), code.to_lowercase()];
        let made = futures_util::future::join_all((0..8).map(|turn| {
            let code = &forms[turn % 2];
            admin.put(PROGRAMMES.one(code), without_code((PROGRAMMES.example)(code))).if_none_match("*")
        }).map(std::future::IntoFuture::into_future)).await;
        assert_eq!(made.iter().filter(|answer| answer.status() == 201).count(), 1);
        assert!(made.iter().all(|answer| [201, 409, 412].contains(&answer.status())));
        assert_eq!(there(&admin, &forms).await, 1);
    }

    async fn a_push_makes_no_twins(app) {
        let admin = app.admin().await;
        let (code, other) = (PROGRAMMES.create(&admin).await.0, PROGRAMMES.new_code());
        let rows = [code.to_lowercase(), other.clone(), other.to_lowercase(), code.clone()].map(|code| (PROGRAMMES.example)(&code));
        let pushed = admin.push("/v1/push/programmes?mode=partial&rows=all", "application/json", json!(rows).to_string()).await.is(200);
        let results = pushed.at("rows").as_array().unwrap().iter().map(|row| row["result"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(results, ["rejected", "created", "rejected", "unchanged"]);
        for (row, named) in [(0, &code), (2, &other)] {
            assert_eq!(pushed.at(&format!("rows/{row}/errors/0/code")), "differs_in_case");
            assert!(pushed.text_at(&format!("rows/{row}/errors/0/detail")).contains(&format!("`{named}`")));
        }
        assert_eq!(there(&admin, &[other.to_uppercase(), other.to_lowercase()]).await, 1);
    }
}

on_both_databases! {
    async fn ids_are_taken_in_either_case_in_every_path(app) {
        let admin = app.admin().await;
        // So that there is one of each kind.
        for resource in all(&admin).await.into_iter().filter(|resource| !resource.is_coded()) {
            resource.create(&admin).await;
        }
        let hook = json!({ "url": "https://sistem.example.go.id/renaksi", "event_types": ["*"] });
        admin.post("/v1/webhooks", hook).await.is(201);
        let mut tried = 0;
        for operation in Document::get().operations().into_iter().filter(|operation| operation.method == "GET" && operation.path.contains("{id}")) {
            let collection = operation.path.split("/{id}").next().unwrap().replace("{code}", "EVAL-UJI");
            let path = collection.replace("/public/", "/");
            let ids = admin.get(format!("{path}?limit=1")).await.is(200);
            let Some(id) = ids.rows().first().and_then(|row| row["id"].as_str().map(str::to_owned)) else { continue };
            let one = |id: &str| operation.path_with(|name| match name {
                "id" => id.to_owned(),
                "code" => "EVAL-UJI".to_owned(),
                _ => "1".to_owned(),
            });
            let (lower, upper) = (admin.get(one(&id)).await, admin.get(one(&id.to_uppercase())).await);
            assert_eq!(lower.status(), upper.status(), "{upper:?}");
            // A page that names itself names what it is asked for. Deliveries go on meanwhile.
            let shown = |answer: &Answer| match answer.json()["data"].as_array() {
                Some(rows) if rows.iter().all(|row| row["id"].is_string()) => rows.iter().map(|row| row["id"].clone()).collect(),
                Some(rows) => rows.clone(),
                None => vec![answer.json()["id"].clone()],
            };
            assert_eq!(shown(&lower), shown(&upper), "{upper:?}");
            tried += 1;
        }
        assert!(tried >= 12, "only {tried} paths with an id");
    }
}

fn without_code(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("code");
    body
}

async fn there(admin: &Actor, codes: &[String]) -> usize {
    admin.all(&format!("/v1/programmes?code={}", codes.join(","))).await.len()
}
