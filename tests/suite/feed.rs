//! The feed: every change once, in one order, to follow with a cursor.

use renaksi_tests::resource::{OPDS, PROGRAMMES};
use renaksi_tests::{Actor, App, on_both_databases, unique};
use serde_json::{Value, json};

/// Where the feed ends, once everything that was written is in it.
pub(super) async fn end_of(app: &App) -> i64 {
    // An event of our own: what was committed before it stands before it.
    let admin = app.admin().await;
    let (code, body) = OPDS.new_body();
    admin.create(OPDS.path, body).await;
    for _ in 0..200 {
        let position = admin.get("/v1/events/head").await.is(200).at("position").as_i64().unwrap();
        let last = admin.get(format!("/v1/events?after={}", (position - 1).max(0))).await.is(200).rows();
        if last.first().is_some_and(|event| event["key"] == code.as_str()) {
            return position;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("what was written does not come into the feed");
}

/// Everything after a place, in pages of `limit`.
async fn follow(reader: &Actor, query: &str, mut after: i64, limit: u32) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let page = reader.get(format!("/v1/events?after={after}&limit={limit}{query}")).await.is(200);
        let rows = page.rows();
        after = page.text_at("page/next_cursor").parse().unwrap();
        if rows.is_empty() {
            return events;
        }
        assert_eq!(rows[rows.len() - 1]["position"], after, "the cursor is the place of the last event");
        events.extend(rows);
    }
}

fn member(events: &[Value], name: &str) -> Vec<String> {
    events.iter().map(|event| event[name].as_str().unwrap().to_owned()).collect()
}

on_both_databases! {
    async fn a_place_beyond_the_end_tells_that_the_places_began_anew(app) {
        let admin = app.admin().await;
        let head = end_of(&app).await;
        for path in ["/v1/events", "/v1/public/events"] {
            // At the end there is nothing yet, and that is no fault.
            assert!(admin.get(format!("{path}?after={head}")).await.is(200).rows().is_empty());
            for beyond in [head + 1, 999_999, i64::MAX] {
                let refused = admin.get(format!("{path}?after={beyond}&resource=opd")).await.is(410).has_problem("feed_restarted").has("head", head);
                let next = refused.at("head");
                admin.get(format!("{path}?after={next}")).await.is(200);
                admin.get(format!("{path}/stream?after={beyond}")).await.is(410).has_problem("feed_restarted").has("head", head);
                let resumed = admin.get(format!("{path}/stream")).header("Last-Event-ID", &beyond.to_string());
                resumed.await.is(410).has_problem("feed_restarted").has("head", head);
            }
        }
    }

    async fn a_reader_sees_every_event_once_and_in_order(app) {
        let admin = app.admin().await;
        let start = end_of(&app).await;
        let (code, body) = PROGRAMMES.new_body();
        admin.create(PROGRAMMES.path, body).await;
        let one = PROGRAMMES.one(&code);
        for number in 0..5 {
            let etag = admin.etag_of(&one).await;
            admin.patch(&one, json!({ "name": format!("Program {number}") })).if_match(&etag).await.is(200);
        }
        admin.post(format!("{one}/transitions"), json!({ "to": "running" })).await.is(201);
        end_of(&app).await;

        let whole = follow(&admin, "", start, 200).await;
        for limit in [1, 3] {
            assert_eq!(follow(&admin, "", start, limit).await, whole, "pages of {limit}");
        }
        let positions = whole.iter().map(|event| event["position"].as_i64().unwrap()).collect::<Vec<_>>();
        assert_eq!(positions, (start + 1..=start + whole.len() as i64).collect::<Vec<_>>(), "no gaps");
        let ours = whole.iter().filter(|event| event["key"] == code.as_str()).cloned().collect::<Vec<_>>();
        assert_eq!(member(&ours, "action"), ["created", "updated", "updated", "updated", "updated", "updated", "transitioned"]);
        let history = admin.all(&format!("{one}/history")).await;
        assert_eq!(member(&ours, "id"), member(&history, "id"), "the feed and the history tell of the same events");
    }

    async fn the_feed_is_filtered_by_kind(app) {
        let admin = app.admin().await;
        let start = end_of(&app).await;
        let (code, body) = PROGRAMMES.new_body();
        admin.create(PROGRAMMES.path, body).await;
        end_of(&app).await;
        let programmes = follow(&admin, "&resource=programme", start, 50).await;
        assert_eq!(member(&programmes, "key"), [code]);
        assert_eq!(follow(&admin, "&resource=programme,opd", start, 50).await.len(), 2);
        admin.get("/v1/events?resource=nothing").await.is(400).has_fault_in_parameter("resource");
        admin.get("/v1/events?after=-1").await.is(400).has_fault_in_parameter("after");
        admin.get("/v1/events?limit=201").await.is(400).has_fault_in_parameter("limit");
        admin.get("/v1/events?cursor=1").await.is(400).has_fault_in_parameter("cursor");
        app.anyone().get("/v1/events").await.is(401);
    }

    async fn what_happens_to_accounts_is_shown_to_those_who_manage_them(app) {
        let (admin, viewer) = (app.admin().await, app.viewer().await);
        let start = end_of(&app).await;
        let person = json!({ "email": unique::email(), "role": "viewer" });
        admin.create("/v1/users", person).await;
        end_of(&app).await;
        assert_eq!(follow(&admin, "&resource=user", start, 50).await.len(), 1);
        assert!(follow(&viewer, "&resource=user", start, 50).await.is_empty());
        assert!(member(&follow(&viewer, "", start, 50).await, "resource").iter().all(|name| name != "user"));
    }

    async fn everybody_follows_what_is_published(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let start = end_of(&app).await;
        let (code, mut body) = PROGRAMMES.new_body();
        body["published"] = json!(false);
        admin.create(PROGRAMMES.path, body).await;
        let one = PROGRAMMES.one(&code);
        for published in [true, true, false] {
            let etag = admin.etag_of(&one).await;
            let change = json!({ "published": published, "name": unique::word() });
            admin.patch(&one, change).if_match(&etag).await.is(200);
        }
        end_of(&app).await;
        let page = anyone.get(format!("/v1/public/events?after={start}&resource=programme")).await.is(200);
        let events = page.rows();
        assert_eq!(member(&events, "action"), ["published", "updated", "withdrawn"]);
        assert!(!page.text().contains(&code), "what is withdrawn is no longer named, not even by what was told before: {page:?}");
        assert!(events.iter().all(|event| event["key"].is_null() && event["data"].is_null()), "{events:?}");
        let etag = admin.etag_of(&one).await;
        admin.patch(&one, json!({ "published": true })).if_match(&etag).await.is(200);
        end_of(&app).await;
        let again = anyone.get(format!("/v1/public/events?after={start}&resource=programme")).await.is(200).rows();
        assert_eq!(member(&again, "action"), ["published", "updated", "withdrawn", "published"]);
        assert_eq!(again[0]["data"]["code"], code.as_str());
        assert!(again[0]["data"].get("published").is_none() && again[0].get("actor").is_none());
        assert!(again[2]["data"].is_null(), "it was gone then");
        assert!(again.iter().all(|event| event["key"] == code.as_str() && event["thing"] == events[0]["thing"]), "{again:?}");
        let public = anyone.get("/v1/public/events/head").await.is(200).json();
        assert_eq!(public["hash"].as_str().unwrap().len(), 64);
    }

    async fn drafts_of_values_are_not_public(app) {
        let (operator, verifier, anyone) = (app.operator_dinkes().await, app.verifier().await, app.anyone());
        let start = end_of(&app).await;
        let path = "/v1/kpis/STUNTING/measurements/2023";
        operator.put(path, json!({ "value": "18.4", "note": "catatan" })).await.is(201);
        operator.post(format!("{path}/submit"), json!({})).await.is(200);
        end_of(&app).await;
        let public = format!("/v1/public/events?after={start}&resource=measurement");
        assert!(anyone.get(public.clone()).await.is(200).rows().is_empty());
        verifier.post(format!("{path}/verify"), json!({})).await.is(200);
        end_of(&app).await;
        let events = anyone.get(public).await.is(200).rows();
        assert_eq!(member(&events, "action"), ["published"]);
        assert_eq!((&events[0]["data"]["value"], events[0]["data"].get("note")), (&json!("18.4"), None));
    }
}
