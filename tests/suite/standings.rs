//! The standings of all KPIs in one list, and what a home page takes.

use std::cmp::Ordering;

use renaksi_tests::dice::Dice;
use renaksi_tests::resource::KPIS;
use renaksi_tests::{Actor, on_both_databases, on_shared_servers, tier};
use serde_json::{Value, json};

on_shared_servers! {
    async fn a_row_says_what_the_standing_of_its_kpi_says(app) {
        for (actor, start) in [(app.viewer().await, "/v1"), (app.anyone(), "/v1/public")] {
            for day in ["", "&as_of=2022-10-04", "&as_of=2022-12-31"] {
                let rows = actor.all(&format!("{start}/standings?kpi=STUNTING,SPBE,TPS3R-DESA&limit=2{day}")).await;
                assert_eq!(rows.len(), 3, "{rows:?}");
                for mut row in rows {
                    let code = row["kpi"].as_str().unwrap().to_owned();
                    let path = format!("{start}/kpis/{code}/standing?{}", day.trim_start_matches('&'));
                    let mut standing = actor.get(path).await.is(200).json();
                    standing.as_object_mut().unwrap().remove("explanation");
                    let kpi = actor.get(format!("{start}/kpis/{code}")).await.is(200).json();
                    for member in ["masterplan", "dimension", "programme", "opd"] {
                        assert_eq!(row.as_object_mut().unwrap().remove(member), Some(kpi[member].clone()), "{member} of {code}");
                    }
                    assert_eq!(row, standing);
                }
            }
        }
    }

    async fn standings_are_filtered_sorted_counted_and_picked(app) {
        let viewer = app.viewer().await;
        let on_track = viewer.get("/v1/standings?standing=on_track,achieved&dimension=living&q=stunting&count=true").await.is(200);
        assert_eq!(on_track.column("kpi"), ["STUNTING"]);
        assert_eq!(on_track.at("page/total"), 1);
        viewer.get("/v1/standings?standing=at_risk&standing=regressed&q=stunting").await.is(200).has("data", json!([]));
        let stale = viewer.get("/v1/standings?stale=true&as_of=2022-10-04").await.is(200);
        assert!(!stale.column("kpi").contains(&json!("STUNTING")), "its value is of this year");
        assert!(viewer.get("/v1/standings?stale=true&kpi=STUNTING").await.is(200).column("kpi") == ["STUNTING"], "it is old by now");
        let picked = viewer.get("/v1/standings?fields=kpi,standing&limit=1").await.is(200);
        assert_eq!(picked.rows()[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["kpi", "standing"]);
        for (query, name) in [
            ("standing=green", "standing"), ("sort=explanation", "sort"), ("fields=explanation", "fields"), ("tpyo=1", "tpyo"),
            ("as_of=2999-01-01", "as_of"), ("limit=1&limit=2", "limit"), ("cursor=a&cursor=b", "cursor"), ("limit=0", "limit"),
        ] {
            viewer.get(format!("/v1/standings?{query}")).await.is(400).has_fault_in_parameter(name);
        }
        let cursor = viewer.get("/v1/standings?limit=1").await.is(200).text_at("page/next_cursor");
        viewer.get(format!("/v1/standings?limit=1&sort=-name&cursor={cursor}")).await.is(400).has_problem("invalid_cursor");
        app.anyone().get("/v1/standings").await.is(401);
    }

    async fn an_answer_has_an_age(app) {
        let of = async |query: &str| app.anyone().get(format!("/v1/public/kpis/STUNTING/standing{query}")).await.is(200).at("age");
        assert_eq!(of("?as_of=2022-12-31").await, json!({ "periods": 0, "due_on": null, "stale": false }));
        assert_eq!(of("?as_of=2024-01-10").await, json!({ "periods": 1, "due_on": "2024-01-10", "stale": false }));
        assert_eq!(of("?as_of=2024-01-11").await, json!({ "periods": 1, "due_on": "2024-01-10", "stale": true }));
    }

    async fn reasons_come_in_the_language_that_is_asked_for(app) {
        for path in ["/v1/public/kpis/STUNTING/standing", "/v1/public/scoreboard", "/v1/public/opds/DINKES/scorecard"] {
            let told = async |language: &str| app.anyone().get(path).header("Accept-Language", language).await.is(200);
            let (english, indonesian) = (told("en").await, told("id").await);
            assert_ne!(english.etag(), indonesian.etag(), "{path}");
            assert_eq!((english.header("content-language"), indonesian.header("content-language")), (Some("en"), Some("id")));
            assert!(english.headers("vary").to_lowercase().contains("accept-language"), "{english:?}");
            assert!(!english.text().contains("text_id") && !indonesian.text().contains("text_id"));
        }
        let scorecard = app.anyone().get("/v1/public/opds/DINKES/scorecard?year=2022&quarter=3").header("Accept-Language", "id").await.is(200);
        let actions = scorecard.at("actions");
        assert!(!actions.as_array().unwrap().is_empty());
        for action in actions.as_array().unwrap() {
            assert!(action["reasons"][1]["text"].as_str().unwrap().starts_with("kemajuan "), "{action}");
        }
        let standing = app.anyone().get("/v1/public/kpis/STUNTING/standing").header("Accept-Language", "id").await.is(200);
        let reasons = standing.at("explanation/reasons");
        assert_eq!(reasons[0]["code"], "target_on_line");
        assert_eq!(reasons[2], json!({
            "code": "ratio_on_track", "parameters": { "ratio": "1.13", "from": "0.95" }, "text": "rasio 1,13 paling sedikit 0,95",
        }));
    }
}

on_both_databases! {
    async fn a_home_page_takes_four_requests(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        measured(&admin, &app.verifier().await, 50).await;
        let summary = anyone.get("/v1/public/summary").await.is(200);
        let kpis = anyone.get("/v1/public/standings?limit=200&sort=-progress&count=true").await.is(200);
        let quick_wins = anyone.get("/v1/public/quick-wins?sort=-started_on&limit=3&fields=code,name,started_on,opd&expand=opd").await.is(200);
        let awards = anyone.get("/v1/public/awards?sort=-year&limit=3&fields=code,name,year").await.is(200);
        assert!(kpis.rows().len() >= 50);
        assert_eq!(kpis.at("page/total"), summary.at("kpis/total"));
        for (standing, number) in summary.at("kpis/by_standing").as_object().unwrap() {
            let rows = kpis.column("standing").iter().filter(|one| *one == standing).count();
            assert_eq!(*number, rows, "{standing}");
        }
        assert!(!quick_wins.rows().is_empty() && quick_wins.rows().iter().all(|row| row["opd"]["name"].is_string()), "{quick_wins:?}");
        assert!(!awards.rows().is_empty());
    }

    async fn pages_of_standings_give_each_row_once_in_order(app) {
        let admin = app.admin().await;
        measured(&admin, &app.verifier().await, tier::size(23, 60)).await;
        let mut dice = Dice::new(tier::seed(23));
        let names = ["kpi", "name", "standing", "achievement", "progress", "required_pace", "periods", "due_on", "programme", "opd"];
        for _ in 0..tier::size(12, 60) {
            let by = (0..1 + dice.below(3)).map(|_| format!("{}{}", if dice.flip() { "-" } else { "" }, dice.pick(&names)));
            let sort = by.collect::<Vec<_>>().join(",");
            let path = format!("/v1/public/standings?sort={sort}");
            let whole = admin.get(format!("{path}&limit=200")).await.is(200).rows();
            let walked = admin.all(&format!("{path}&limit={}", 1 + dice.below(9))).await;
            assert_eq!(walked, whole, "{path}");
            let sorted = whole.windows(2).all(|pair| compare(&sort, &pair[0], &pair[1]) == Ordering::Less);
            assert!(sorted, "{path}: {whole:?}");
        }
    }

    async fn a_row_follows_what_it_is_made_of(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let of = async || anyone.get("/v1/public/standings?kpi=STUNTING").await.is(200).rows();
        assert_eq!(of().await[0]["targets"].as_array().unwrap().len(), 1);
        admin.put("/v1/kpis/STUNTING/targets/2026", json!({ "value": "9", "kind": "aspiration" })).await.is(201);
        assert_eq!(of().await[0]["targets"].as_array().unwrap().len(), 2);
        admin.put("/v1/kpis/STUNTING/measurements/2023", json!({ "value": "13.9" })).await.is(201);
        assert_eq!(of().await[0]["latest"]["period"], "2022");
        admin.post("/v1/kpis/STUNTING/measurements/2023/submit", json!({})).await.is(200);
        app.verifier().await.post("/v1/kpis/STUNTING/measurements/2023/verify", json!({})).await.is(200);
        assert_eq!(of().await[0]["latest"]["period"], "2023");
        admin.patch("/v1/kpis/STUNTING", json!({ "published": false })).if_match(&admin.etag_of("/v1/kpis/STUNTING").await).await.is(200);
        assert!(of().await.is_empty());
        assert_eq!(admin.get("/v1/standings?kpi=STUNTING").await.is(200).rows().len(), 1);
    }
}

/// Adds KPIs, some of which have targets and verified values.
async fn measured(admin: &Actor, verifier: &Actor, number: usize) {
    for turn in 0..number {
        let (code, mut body) = KPIS.new_body();
        body["published"] = json!(true);
        body["unit"] = json!({ "kind": "index" });
        body["baseline"] = json!({ "period": "2021", "value": "10" });
        body["direction"] = json!("increase");
        body["frequency"] = json!("yearly");
        body["name"] = json!(format!("Uji {}", turn % 5));
        admin.create("/v1/kpis", body).await;
        if turn % 3 > 0 {
            admin.put(format!("/v1/kpis/{code}/targets/2024"), json!({ "value": "20", "kind": "commitment" })).await.is(201);
        }
        if turn % 4 > 0 {
            let path = format!("/v1/kpis/{code}/measurements/{}", 2021 + turn % 3);
            admin.put(&path, json!({ "value": (9 + turn % 7).to_string() })).await.is(201);
            admin.post(format!("{path}/submit"), json!({})).await.is(200);
            verifier.post(format!("{path}/verify"), json!({})).await.is(200);
        }
    }
}

/// Which of two rows comes first: by the names of `sort` with nulls last, and then by the KPI.
fn compare(sort: &str, one: &Value, other: &Value) -> Ordering {
    let mut names = sort.split(',').map(|name| (name.trim_start_matches('-'), name.starts_with('-'))).collect::<Vec<_>>();
    // A name given again sorts nothing.
    let mut seen = Vec::new();
    names.retain(|(name, _)| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    let last = names.last().is_some_and(|(_, descending)| *descending);
    names.push(("kpi", last));
    let value = |row: &Value, name: &str| match name {
        "periods" | "due_on" => row["age"][name].clone(),
        _ => row[name].clone(),
    };
    let orders = names.iter().map(|(name, descending)| {
        let (one, other) = (value(one, name), value(other, name));
        match (one.is_null(), other.is_null()) {
            (false, false) => {
                let order = place(&one).cmp(&place(&other));
                if *descending { order.reverse() } else { order }
            }
            (one, other) => one.cmp(&other),
        }
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

/// A value as a number in hundred-millionths, or as a text.
fn place(value: &Value) -> (i64, String) {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.parse::<f64>() {
        Ok(number) => ((number * 1e6).round() as i64, String::new()),
        Err(_) => (0, text),
    }
}
