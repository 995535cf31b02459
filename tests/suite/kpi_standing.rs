//! How KPIs stand, with the reasons: the worked examples of the real data.

use renaksi_tests::{Answer, Service, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

on_shared_servers! {
    async fn stunting_is_on_track(app) {
        for path in ["/v1/kpis/STUNTING/standing", "/v1/public/kpis/STUNTING/standing"] {
            let standing = app.viewer().await.get(path).await.is(200);
            let standing = standing.has("standing", "on_track").has("progress", "37.76").has("achievement", "102.69").has("required_pace", "-4.45");
            let standing = standing.has("baseline/value", "28.3").has("baseline/period", "2021").has("latest/value", "22.9").has("latest/period", "2022");
            let standing = standing.has("projected/value", "12.1").has("projected/period", "2024").has("projected/met_in", "2024");
            let explanation = standing.at("explanation");
            for member in ["rule", "rule_version", "inputs", "reasons"] {
                assert!(!explanation[member].is_null(), "`{member}` of {explanation}");
            }
            assert!(explanation["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty()));
        }
    }

    async fn without_a_measurement_there_is_no_standing(app) {
        let anyone = app.anyone();
        let spbe = anyone.get("/v1/public/kpis/SPBE/standing").await.is(200).has("standing", "no_data").has("progress", json!(null));
        assert!(spbe.text().contains("\"baik\""), "the predicate of the target 2.8: {spbe:?}");
        anyone.get("/v1/public/kpis/TPS3R-DESA/standing").await.is(200).has("standing", "no_data").has("latest", json!(null));
        let targets = app.viewer().await.get("/v1/kpis/TPS3R-DESA/targets").await.is(200);
        assert_eq!(targets.column("value"), ["14", "43"]);
        assert_eq!(targets.column("period"), ["2022", "2026"]);
    }

    async fn the_latest_value_is_the_last_that_was_known_by_then(app) {
        let (admin, (code, mut body)) = (app.admin().await, renaksi_tests::resource::KPIS.new_body());
        body["frequency"] = json!("yearly");
        body["baseline"] = Value::Null;
        body["published"] = json!(true);
        admin.create("/v1/kpis", body).await;
        let mut known = Vec::new();
        let today = admin.get("/v1/summary").await.is(200).text_at("as_of");
        // Years in no order, become known on days in no order; every third is corrected, today.
        for turn in 0..26 {
            let (year, day) = (2000 + turn * 7 % 13, format!("2021-01-{:02}", 1 + turn * 11 % 26));
            let path = format!("/v1/kpis/{code}/measurements/{year}");
            let mut value = json!({ "value": turn.to_string(), "provenance": { "date": day, "basis": "stated" } });
            if turn < 13 {
                admin.put(&path, value).await.is(201);
            } else if turn % 3 == 0 {
                value["reason"] = json!("Salah ketik");
                admin.put(&path, value).if_match(&admin.etag_of(&path).await).await.is(200);
            } else {
                continue;
            }
            let answer = verified(app, &path).await;
            let since = answer.at("known_on").as_str().unwrap_or_default().to_owned();
            known.push((since, year, answer.at("revision").as_u64(), answer.at("value").clone()));
            for as_of in (1..=27).map(|day| format!("2021-01-{day:02}")).chain(["2022-01-01".to_owned(), today.clone()]) {
                let last = known.iter().filter(|(since, ..)| *since <= as_of).max_by_key(|(_, year, revision, _)| (*year, *revision));
                let expected = last.map(|(_, year, _, value)| (json!(year.to_string()), value.clone()));
                let standing = app.anyone().get(format!("/v1/public/kpis/{code}/standing?as_of={as_of}")).await.is(200).json();
                let latest = Some(&standing["latest"]).filter(|latest| !latest.is_null());
                let latest = latest.map(|latest| (latest["period"].clone(), latest["value"].clone()));
                assert_eq!(latest, expected, "as of {as_of} after {known:?}");
            }
        }
    }

    async fn a_series_has_baseline_targets_and_actuals(app) {
        for path in ["/v1/kpis/STUNTING/series", "/v1/public/kpis/STUNTING/series"] {
            let series = app.viewer().await.get(path).await.is(200).json().to_string();
            for value in ["\"28.3\"", "\"22.9\"", "\"14\"", "\"2021\"", "\"2022\"", "\"2024\""] {
                assert!(series.contains(value), "{value} is not in {series}");
            }
        }
        let later = app.viewer().await.get("/v1/kpis/STUNTING/series?from=2023&to=2024").await.is(200).json().to_string();
        assert!(later.contains("\"14\"") && !later.contains("\"22.9\""), "{later}");
    }

    async fn what_counts_is_not_deleted(app) {
        let admin = app.admin().await;
        let path = "/v1/kpis/STUNTING/measurements/2022";
        let etag = admin.etag_of(path).await;
        admin.delete(path).if_match(&etag).await.is(409);
        admin.get(path).await.is(200).has("value", "22.9").has("state", "verified");
    }

    async fn each_frequency_takes_its_own_periods(app) {
        let admin = app.admin().await;
        for (frequency, good, bad) in [("yearly", "2022", ["2022-Q1", "2022-01"]), ("semesterly", "2022-S2", ["2022", "2022-Q4"]), ("quarterly", "2022-Q4", ["2022-S2", "2022-10"]), ("monthly", "2022-12", ["2022", "2022-Q4"])] {
            let (code, mut body) = renaksi_tests::resource::KPIS.new_body();
            body["frequency"] = json!(frequency);
            body["baseline"] = Value::Null;
            admin.create("/v1/kpis", body.clone()).await;
            for part in ["targets", "measurements"] {
                admin.put(format!("/v1/kpis/{code}/{part}/{good}"), json!({ "value": "5" })).await.is(201).has("period", good);
                for period in bad {
                    admin.put(format!("/v1/kpis/{code}/{part}/{period}"), json!({ "value": "5" })).await.is(422);
                }
            }
            let (_, mut other) = renaksi_tests::resource::KPIS.new_body();
            other["frequency"] = json!(frequency);
            other["baseline"] = json!({ "period": bad[0], "value": "1" });
            admin.post("/v1/kpis", other).await.is(422).has_fault_at("/baseline/period");
        }
    }
}

on_both_databases! {
    async fn the_past_is_answered_as_it_was_known(app) {
        let anyone = app.anyone();
        let admin = app.admin().await;
        let today = anyone.get("/v1/public/kpis/STUNTING/standing").await.is(200);
        admin.put("/v1/kpis/STUNTING/measurements/2023", json!({ "value": "13.9" })).await.is(201);
        let _ = verified(&app, "/v1/kpis/STUNTING/measurements/2023").await;
        let now = anyone.get("/v1/public/kpis/STUNTING/standing").await.is(200).has("standing", "achieved").has("latest/period", "2023");
        assert_ne!(now.text(), today.text());
        let before = anyone.get("/v1/public/kpis/STUNTING/standing?as_of=2020-01-01").await.is(200);
        before.has("standing", "no_data");
    }

    async fn an_operator_reports_a_draft_that_does_not_count(app) {
        let (operator, admin) = (app.operator_dinkes().await, app.admin().await);
        let path = "/v1/kpis/STUNTING/measurements/2023";
        let reported = operator.put(path, json!({ "value": "1.0" })).await.is(201).has("value", "1").json();
        assert_ne!(reported["state"], "verified");
        admin.get("/v1/kpis/STUNTING/standing").await.is(200).has("latest/period", "2022");
        app.anyone().get("/v1/public/kpis/STUNTING/standing").await.is(200).has("latest/period", "2022");
        let etag = operator.etag_of(path).await;
        operator.delete(path).if_match(&etag).await.is(204);
        operator.get(path).await.is(404);
    }

    async fn parts_keep_the_conventions(app) {
        let admin = app.admin().await;
        for (part, body) in [("targets", json!({ "value": "20", "kind": "commitment" })), ("measurements", json!({ "value": "20", "note": "Uji" }))] {
            let path = format!("/v1/kpis/STUNTING/{part}/2023");
            let created = admin.put(&path, body.clone()).if_none_match("*").await.is(201);
            assert!(created.header("location").is_some_and(|place| place.ends_with(&path)));
            admin.put(&path, body.clone()).if_none_match("*").await.is(412);
            admin.put(&path, body.clone()).await.is(428);
            admin.put(&path, body.clone()).if_match("\"stale\"").await.is(412);
            let mut change = body.clone();
            change["value"] = json!(19.25);
            let changed = admin.put(&path, change).if_match(&created.etag()).await.is(200).has("value", "19.25");
            assert_eq!(admin.etag_of(&path).await, changed.etag());
            admin.get(&path).if_none_match(&changed.etag()).await.is(304);
            let periods = admin.get(format!("/v1/kpis/STUNTING/{part}")).await.is(200).column("period");
            assert!(periods.contains(&json!("2023")), "{periods:?}");
        }
        let path = "/v1/kpis/STUNTING/targets/2023";
        admin.delete(path).await.is(428);
        let etag = admin.etag_of(path).await;
        admin.delete(path).if_match(&etag).await.is(204);
        admin.get(path).await.is(404);
    }
}

/// Hands a measurement in and has somebody else verify it.
async fn verified(app: &Service, path: &str) -> Answer {
    app.admin().await.post(format!("{path}/submit"), json!({})).await.is(200);
    app.verifier().await.post(format!("{path}/verify"), json!({})).await.is(200)
}
