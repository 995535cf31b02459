//! Figures are right for all signs, directions, units and periods, and what cannot be is refused when it is written.

use std::process::Output;

use futures_util::future::join_all;
use renaksi_tests::resource::{ACTIONS, KPIS, SURVEYS};
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{Actor, Answer, App, Service, on_both_databases, on_shared_servers, unique};
use serde_json::{Value, json};

on_shared_servers! {
    async fn achievement_holds_below_zero(app) {
        let admin = app.admin().await;
        for (value, achievement, standing) in [("-3", "0.00", "off_track"), ("-0.5", "166.67", "achieved"), ("-1.5", "100.00", "achieved")] {
            let growth = json!({ "direction": "increase", "baseline": { "period": "2019", "value": "-5" } });
            let kpi = new_kpi(&admin, growth).await;
            admin.put(format!("{kpi}/targets/2020"), json!({ "value": "-1.5" })).await.is(201);
            measured(app, &kpi, "2020", value).await;
            for path in [format!("{kpi}/standing"), kpi.replace("/v1/", "/v1/public/") + "/standing"] {
                admin.get(path).await.is(200).has("achievement", achievement).has("standing", standing);
            }
        }
    }

    async fn a_target_against_the_direction_is_refused(app) {
        let admin = app.admin().await;
        let kpi = new_kpi(&admin, json!({ "direction": "increase", "baseline": { "period": "2021", "value": "10" } })).await;
        let target = format!("{kpi}/targets/2022");
        let refused = admin.put(&target, json!({ "value": "5" })).await.is(422).has_fault_at("/value");
        refused.has("errors/0/code", "against_direction");
        admin.put(&target, json!({ "value": "10" })).await.is(201);
        admin.put(format!("{kpi}/targets/2024"), json!({ "value": "20" })).await.is(201);
        // What would make a target wrong names it, and nothing else is refused.
        for (change, pointer) in [
            (json!({ "direction": "decrease" }), "/direction"),
            (json!({ "baseline": { "period": "2021", "value": "15" } }), "/baseline/value"),
        ] {
            let answer = admin.patch(&kpi, change).if_match(&admin.etag_of(&kpi).await).await.is(422).has_fault_at(pointer);
            let answer = answer.has("errors/0/code", "against_direction");
            assert!(answer.text().contains(if pointer == "/direction" { "2024" } else { "2022" }), "{answer:?}");
        }
        for change in [json!({ "name": "Nama lain" }), json!({ "baseline": null }), json!({ "direction": "decrease" })] {
            admin.patch(&kpi, change).if_match(&admin.etag_of(&kpi).await).await.is(200);
        }
    }

    async fn a_percentage_has_bounds_that_may_change(app) {
        let admin = app.admin().await;
        let percent = json!({ "unit": { "kind": "percent" }, "direction": "increase", "baseline": null });
        let kpi = new_kpi(&admin, percent.clone()).await;
        admin.get(&kpi).await.is(200).has("minimum", "0").has("maximum", "100");
        admin.put(format!("{kpi}/targets/2022"), json!({ "value": "100" })).await.is(201);
        let value = format!("{kpi}/measurements/2022");
        for path in [&value, &format!("{kpi}/targets/2023")] {
            let refused = admin.put(path, json!({ "value": "104.5" })).await.is(422).has_fault_at("/value");
            let refused = refused.has("errors/0/code", "outside_range");
            assert!(refused.text().contains("0 to 100"), "{refused:?}");
        }
        let patch = async |change: Value| admin.patch(&kpi, change).if_match(&admin.etag_of(&kpi).await).await;
        patch(json!({ "maximum": null })).await.is(200).has("maximum", Value::Null).has("minimum", "0");
        admin.put(&value, json!({ "value": "104.5" })).await.is(201);
        let refused = patch(json!({ "maximum": "100" })).await.is(422).has_fault_at("/maximum");
        assert!(refused.text().contains("2022, 104.5"), "{refused:?}");
        patch(json!({ "minimum": "100.1" })).await.is(422).has_fault_at("/minimum");
        patch(json!({ "minimum": "5", "maximum": "4" })).await.is(422).has_fault_at("/maximum");
        patch(json!({ "maximum": "104.5", "minimum": null })).await.is(200).has("maximum", "104.5");
        patch(json!({ "baseline": { "period": "2020", "value": "104.6" } })).await.is(422).has_fault_at("/baseline/value");

        // What is said is kept, and saying the same again changes nothing.
        let open = new_kpi(&admin, json!({ "unit": { "kind": "percent" }, "baseline": null, "maximum": null })).await;
        admin.get(&open).await.is(200).has("minimum", "0").has("maximum", Value::Null);
        let (code, mut body) = KPIS.new_body();
        body["unit"] = json!({ "kind": "percent" });
        body["minimum"] = json!("0");
        body.as_object_mut().unwrap().remove("maximum");
        let path = KPIS.one(&code);
        let first = admin.put(&path, body.clone()).await.is(201).has("maximum", "100");
        admin.put(&path, body).if_match(&first.etag()).await.is(200).has("version", 1).has("maximum", "100");
        // Other units have none.
        let other = new_kpi(&admin, json!({ "unit": { "kind": "index" } })).await;
        admin.get(&other).await.is(200).has("minimum", Value::Null).has("maximum", Value::Null);
    }

    async fn a_projection_ends_at_the_bounds(app) {
        let admin = app.admin().await;
        for (direction, baseline, value, target, expected) in [
            ("decrease", "28.3", "12", "1", json!({ "value": "0", "bounded": true })),
            ("increase", "20", "60", "95", json!({ "value": "100", "bounded": true })),
            ("increase", "20", "40", "95", json!({ "value": "80", "bounded": false })),
        ] {
            let body = json!({
                "unit": { "kind": "percent" }, "direction": direction, "baseline": { "period": "2021", "value": baseline },
            });
            let kpi = new_kpi(&admin, body).await;
            admin.put(format!("{kpi}/targets/2024"), json!({ "value": target })).await.is(201);
            measured(app, &kpi, "2022", value).await;
            let standing = admin.get(format!("{kpi}/standing")).await.is(200).has("projected/value", expected["value"].clone());
            let standing = standing.has("projected/bounded", expected["bounded"].clone());
            assert_eq!(standing.at("explanation/reasons").to_string().contains("ends at a bound"), expected["bounded"] == true);
        }
    }

    async fn half_years_are_periods(app) {
        let admin = app.admin().await;
        let kpi = new_kpi(&admin, json!({
            "direction": "increase", "frequency": "semesterly", "baseline": { "period": "2021-S2", "value": "10" },
        })).await;
        for (period, value) in [("2022-S2", "20"), ("2023-S2", "40")] {
            admin.put(format!("{kpi}/targets/{period}"), json!({ "value": value })).await.is(201).has("period", period);
        }
        for period in ["2022-S0", "2022-S3", "2022-s1", "2022-S01"] {
            admin.put(format!("{kpi}/measurements/{period}"), json!({ "value": "1" })).await.is(404);
        }
        admin.put(format!("{kpi}/measurements/2022-Q1"), json!({ "value": "1" })).await.is(422).has("errors/0/code", "wrong_frequency");
        measured(app, &kpi, "2022-S1", "15").await;
        let standing = admin.get(format!("{kpi}/standing")).await.is(200).has("frequency", "semesterly");
        // Half of the way from 10 to 20 within one of two half-years; 5 more each takes it to 30 at the end of 2023, and to 40 a year later.
        let standing = standing.has("target/value", "15").has("target/interpolated", true).has("achievement", "100.00");
        standing.has("standing", "on_track").has("projected/value", "30").has("projected/met_in", "2024-S2").has("progress", "16.67");
        let code = kpi.rsplit('/').next().unwrap();
        let body = format!("kpi,period,value\n{code},2022-S2,21\n");
        admin.push("/v1/push/measurements", "text/csv", body).await.is(200).has("created", 1);
        let series = admin.get(format!("{kpi}/series?from=2022-S1&to=2022-S2")).await.is(200);
        assert_eq!(series.at("targets").as_array().map(Vec::len), Some(1), "{series:?}");
        admin.get(format!("{kpi}/measurements")).await.is(200).has("data/0/period", "2022-S1").has("data/1/period", "2022-S2");
        let listed = admin.all("/v1/kpis?frequency=semesterly").await;
        assert!(listed.iter().any(|row| row["code"] == code), "{listed:?}");
        let owed = admin.all("/v1/me/obligations?opd=DINKES").await;
        assert!(owed.iter().any(|one| one["kpi"] == code && one["period"] == "2024-S1" && one["due_on"] == "2024-07-10"), "{owed:?}");
        let (_, mut survey) = SURVEYS.new_body();
        survey["period"] = json!("2022-S1");
        admin.post(SURVEYS.path, survey).await.is(201).has("period", "2022-S1");
    }

    async fn a_value_does_not_count_before_its_period_has_begun(app) {
        let admin = app.admin().await;
        let kpi = new_kpi(&admin, json!({ "direction": "increase", "baseline": { "period": "2021", "value": "1" } })).await;
        admin.put(format!("{kpi}/targets/2025"), json!({ "value": "10" })).await.is(201);
        // The source gave a value of 2024 when 2023 had just begun.
        for (period, value, date) in [("2024", "10", "2023-01-15"), ("2022", "3", "2023-01-20"), ("2023", "4", "2024-02-01")] {
            let body = json!({ "value": value, "provenance": { "date": date, "basis": "stated" } });
            let path = format!("{kpi}/measurements/{period}");
            admin.put(&path, body).await.is(201);
            verified(app, &path).await.has("known_on", date);
        }
        for (day, period, explained) in [
            ("2023-01-14", Value::Null, false), ("2023-01-16", Value::Null, true), ("2023-06-01", json!("2022"), true),
            ("2023-12-31", json!("2022"), true), ("2024-01-01", json!("2024"), false), ("2024-03-01", json!("2024"), false),
        ] {
            let standing = admin.get(format!("{kpi}/standing?as_of={day}")).await.is(200);
            let latest = standing.json()["latest"]["period"].clone();
            assert_eq!(latest, period, "as of {day}: {standing:?}");
            assert_eq!(standing.at("explanation/reasons").to_string().contains("value of 2024"), explained, "as of {day}: {standing:?}");
        }
    }

    async fn the_index_comes_from_exact_answers(app) {
        let admin = app.admin().await;
        let sums = json!({ "u1": 494, "u2": 502, "u3": 509, "u4": 527, "u5": 562, "u6": 530, "u7": 562, "u8": 530, "u9": 520 });
        let means = ["3.3154", "3.3691", "3.4161", "3.5369", "3.7718", "3.5570", "3.7718", "3.5570", "3.4899"];
        let means = (1..).zip(means).map(|(element, mean)| (format!("u{element}"), json!(mean)));
        let means = Value::Object(means.collect());
        let survey = |scores: Value, sums: Value, respondents: Value| {
            let (_, mut body) = SURVEYS.new_body();
            for (name, value) in [("scores", scores), ("sums", sums), ("respondents", respondents)] {
                body[name] = value;
            }
            body
        };
        let (key, exact) = SURVEYS.create_as(&admin, survey(Value::Null, sums.clone(), json!(149))).await;
        let exact = exact.has("ikm", "88.29").has("grade", "B").has("scores", Value::Null).has("sums", sums.clone());
        let exact = exact.has("explanation/inputs/u9", "520").has("explanation/inputs/respondents", "149");
        let created = admin.post(SURVEYS.path, survey(means.clone(), Value::Null, json!(149))).await.is(201);
        created.has("ikm", "88.29").has("grade", "B").has("scores/u1", "3.3154").has("sums", Value::Null);
        // What was read may be sent back; the one may take the place of the other.
        let path = SURVEYS.one(&key);
        admin.put(&path, exact.json()).if_match(&exact.etag()).await.is(200).has("version", 1);
        let changed = admin.patch(&path, json!({ "sums": null, "scores": means })).if_match(&exact.etag()).await.is(200);
        admin.patch(&path, json!({ "scores": null, "sums": sums, "published": true })).if_match(&changed.etag()).await.is(200).has("ikm", "88.29");
        app.anyone().get(format!("/v1/public/surveys/{key}")).await.is(200).has("sums/u1", 494).has("grade", "B");

        let mut low = sums.clone();
        low["u3"] = json!(148);
        let mut high = sums.clone();
        high["u9"] = json!(597);
        for (scores, sums, respondents, pointer) in [
            (Value::Null, low, json!(149), "/sums/u3"),
            (Value::Null, high, json!(149), "/sums/u9"),
            (Value::Null, sums.clone(), Value::Null, "/respondents"),
            (Value::Null, Value::Null, json!(149), "/scores"),
            (exact_means(), sums, json!(149), "/sums"),
        ] {
            admin.post(SURVEYS.path, survey(scores, sums, respondents)).await.is(422).has_fault_at(pointer);
        }
    }

    async fn a_realisation_falls_only_for_a_reason(app) {
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        let action = new_action(&admin, json!({})).await;
        let id = action.rsplit('/').next().unwrap().to_owned();
        let path = |quarter: u8| format!("{action}/reports/{quarter}");
        let fell = |answer: Answer| {
            answer.is(422).has_fault_at("/reason").has("errors/0/code", "reason_required");
        };
        admin.put(path(1), json!({ "realisation": "5.5" })).await.is(201);
        verified(app, &path(1)).await;
        fell(admin.put(path(2), json!({ "realisation": "2" })).await);
        // The quarter before is the last one that is reported.
        fell(admin.put(path(3), json!({ "realisation": "5.4" })).await);
        let reasoned = json!({ "realisation": "2", "reason": "Tiga desa dihitung dua kali" });
        let draft = admin.put(path(2), reasoned).await.is(201).has("reason", "Tiga desa dihitung dua kali").has("revision", 1);
        // What is being written keeps its reason.
        admin.put(path(2), json!({ "realisation": "2.5" })).if_match(&draft.etag()).await.is(200).has("reason", "Tiga desa dihitung dua kali");
        admin.post(format!("{}/submit", path(2)), json!({})).await.is(200);
        verifier.post(format!("{}/verify", path(2)), json!({})).await.is(200).has("reason", "Tiga desa dihitung dua kali");
        admin.put(path(3), json!({ "realisation": "2.5" })).await.is(201);

        let push = async |rows: Value| {
            admin.push("/v1/push/action-reports?mode=partial&rows=all", "application/json", rows.to_string()).await.is(200)
        };
        let row = |quarter: u8, realisation: &str| json!({ "action": id, "quarter": quarter, "realisation": realisation });
        push(json!([row(4, "2.4")])).await.has("rejected", 1).has("rows/0/errors/0/code", "reason_required");
        // Of two rows that fall beside each other neither is believed.
        push(json!([row(3, "6"), row(4, "5.9")])).await.has("rejected", 2);
        // An earlier quarter does not rise above a later one either, but where both of them are pushed.
        let other = new_action(&admin, json!({})).await;
        let id = other.rsplit('/').next().unwrap().to_owned();
        let row = |quarter: u8, realisation: &str| json!({ "action": id, "quarter": quarter, "realisation": realisation });
        push(json!([row(2, "4"), row(1, "3")])).await.has("created", 2);
        fell(admin.put(format!("{other}/reports/1"), json!({ "realisation": "4.1" })).if_match(&admin.etag_of(&format!("{other}/reports/1")).await).await);
        push(json!([row(1, "5")])).await.has("rejected", 1).has("rows/0/errors/0/code", "reason_required");
        push(json!([row(1, "5"), row(2, "6")])).await.has("updated", 2);
        let mut reasoned = row(2, "1");
        reasoned["reason"] = json!("Dihitung ulang");
        push(json!([reasoned])).await.has("updated", 1);
        admin.get(format!("{other}/reports/2")).await.is(200).has("reason", "Dihitung ulang");
    }
}

on_both_databases! {
    async fn a_period_that_has_not_begun_takes_no_report(app) {
        let (app, today) = app.rehearsed("2031-12-31");
        let admin = app.admin().await;
        let kpi = new_kpi(&admin, json!({ "direction": "increase", "baseline": null })).await;
        let code = kpi.rsplit('/').next().unwrap();
        let action = new_action(&admin, json!({ "year": 2032 })).await;
        let id = action.rsplit('/').next().unwrap();
        let (_, mut survey) = SURVEYS.new_body();
        survey["period"] = json!("2032");
        let push = async |path: &str, row: Value| {
            admin.push(format!("/v1/push/{path}?mode=partial&dry_run=true"), "application/json", json!([row]).to_string()).await.is(200)
        };
        let (value, report) = (json!({ "value": "1" }), json!({ "realisation": "1" }));
        let pushed = [
            ("measurements", json!({ "kpi": code, "period": "2032", "value": "1" })),
            ("action-reports", json!({ "action": id, "quarter": 1, "realisation": "1" })),
        ];
        let early = |answer: Answer| {
            answer.is(422).has("errors/0/code", "period_not_begun");
        };
        early(admin.put(format!("{kpi}/measurements/2032"), value.clone()).await);
        early(admin.put(format!("{action}/reports/1"), report.clone()).await);
        early(admin.post(SURVEYS.path, survey.clone()).await);
        for (path, row) in &pushed {
            push(path, row.clone()).await.has("rejected", 1).has("rows/0/errors/0/code", "period_not_begun");
        }
        // Targets may lie ahead.
        admin.put(format!("{kpi}/targets/2035"), value.clone()).await.is(201);

        today.is("2032-01-01".parse().unwrap());
        admin.put(format!("{kpi}/measurements/2032"), value.clone()).await.is(201);
        admin.put(format!("{action}/reports/1"), report.clone()).await.is(201);
        early(admin.put(format!("{action}/reports/2"), report).await);
        early(admin.put(format!("{kpi}/measurements/2033"), value).await);
        let (key, created) = SURVEYS.create_as(&admin, survey).await;
        for (path, row) in &pushed {
            push(path, row.clone()).await.has("rejected", 0);
        }
        early(admin.patch(SURVEYS.one(&key), json!({ "period": "2032-S2" })).if_match(&created.etag()).await);
    }

    async fn of_a_service_there_is_one_survey_a_period(app) {
        let (one, other) = (app.admin().await, app.replica());
        let other_admin = other.admin().await;
        let (_, body) = SURVEYS.new_body();
        let name = body["service"].as_str().unwrap().to_owned();
        let named = |name: String| {
            let mut body = body.clone();
            body["service"] = json!(name);
            body
        };
        let names = [name.clone(), name.to_uppercase(), format!("  {name} "), name.to_lowercase()];
        let posts = (0..8).map(|turn| {
            let actor = if turn % 2 == 0 { &one } else { &other_admin };
            actor.post(SURVEYS.path, named(names[turn % 4].clone())).into_future()
        });
        let answers = join_all(posts).await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 201);
        assert_eq!((made.len(), refused.len()), (1, 7), "{refused:?}");
        let id = made[0].text_at("id");
        for answer in refused {
            assert!(answer.is(409).has_problem("already_exists").text().contains(&id));
        }
        // Another period or OPD is another survey; it does not become this one.
        let mut later = named(name.clone());
        later["period"] = json!("2022-Q4");
        let (key, later) = SURVEYS.create_as(&one, later).await;
        one.patch(SURVEYS.one(&key), json!({ "period": "2022-Q3" })).if_match(&later.etag()).await.is(409).has_problem("already_exists");
        let mut elsewhere = named(name.clone());
        elsewhere["opd"] = json!("DLH");
        one.post(SURVEYS.path, elsewhere).await.is(201);
        let path = SURVEYS.one(&id);
        one.patch(&path, json!({ "service": name.to_uppercase() })).if_match(&one.etag_of(&path).await).await.is(200);
    }

    async fn a_percentage_is_100_only_where_all_is_reached(app) {
        let admin = app.admin().await;
        for (realised, progress, state) in [("29999", "99.99", "late"), ("1", "0.01", "late"), ("30000", "100.00", "done")] {
            let targets = json!({ "q1": "0", "q2": "0", "q3": "0", "q4": "30000" });
            let programme = json!("SG-10");
            let action = new_action(&admin, json!({ "targets": targets, "programme": programme, "published": true })).await;
            admin.put(format!("{action}/reports/4"), json!({ "realisation": realised })).await.is(201);
            verified(&app, &format!("{action}/reports/4")).await;
            admin.get(&action).await.is(200).has("progress", progress).has("state", state);
            if realised == "29999" {
                admin.get("/v1/programmes/SG-10").await.is(200).has("progress", "99.99");
                let board = admin.get("/v1/scoreboard?year=2022&quarter=4").await.is(200);
                let dinkes = board.at("rows").as_array().unwrap().iter().find(|row| row["opd"] == "DINKES").cloned().unwrap();
                assert_ne!(dinkes["renaksi"]["progress"], "100.00", "{dinkes}");
            }
        }
        for weight in [json!("0"), json!("-1"), json!("1000.1"), json!(1001)] {
            let (_, mut body) = ACTIONS.new_body();
            body["weight"] = weight;
            admin.post(ACTIONS.path, body).await.is(422).has_fault_at("/weight");
        }
        new_action(&admin, json!({ "weight": "1000" })).await;
    }

    async fn an_import_is_held_to_the_same(app) {
        let (_, mut kpi) = KPIS.new_body();
        for (member, value) in [("direction", json!("increase")), ("unit", json!({ "kind": "percent" })), ("minimum", Value::Null)] {
            kpi[member] = value;
        }
        kpi.as_object_mut().unwrap().remove("maximum");
        let code = kpi["code"].clone();
        let (_, mut action) = ACTIONS.new_body();
        let id = "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e77";
        action["id"] = json!(id);
        // What hangs on a row that is refused is not looked at, so it stands alone.
        let mut heavy = action.clone();
        heavy["id"] = json!("0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e78");
        heavy["weight"] = json!("1000.5");
        let (_, survey) = SURVEYS.new_body();
        let mut twin = survey.clone();
        twin["service"] = json!(format!(" {} ", survey["service"].as_str().unwrap().to_uppercase()));
        let file = json!({
            "kpis": [kpi], "actions": [action, heavy], "surveys": [survey, twin],
            "targets": [{ "kpi": code, "period": "2022", "value": "5", "kind": "commitment" }],
            "measurements": [{ "kpi": code, "period": "2199", "value": "5" }, { "kpi": code, "period": "2022", "value": "104.5" }],
            "action_reports": [
                { "action": id, "quarter": 1, "realisation": "5" }, { "action": id, "quarter": 2, "realisation": "4" },
                { "action": id, "quarter": 3, "realisation": "3", "reason": "Dihitung ulang" },
            ],
        });
        let refused = imported(&app, &file);
        assert!(!refused.status.success());
        let told = String::from_utf8(refused.stderr).unwrap();
        for fault in [
            "targets[0]/value: This KPI should increase", "measurements[0]/period: 2199 begins on", "measurements[1]/value: Values of this KPI",
            "actions[1]/weight", "action_reports[1]/reason", "surveys[1]/service",
        ] {
            assert!(told.contains(fault), "`{fault}` is not in {told}");
        }
        assert!(!told.contains("action_reports[2]"), "{told}");
        // What an export wrote was taken once, and is taken again.
        let mut file = file;
        file["measurements"].as_array_mut().unwrap().truncate(1);
        for list in ["kpis", "actions", "surveys", "targets", "measurements", "action_reports"] {
            for row in file[list].as_array_mut().unwrap() {
                row["created_at"] = json!("2022-10-04T00:00:00Z");
            }
        }
        let taken = imported(&app, &file);
        assert!(taken.status.success(), "{taken:?}");
        let standing = app.admin().await.get(format!("/v1/kpis/{}/standing", code.as_str().unwrap())).await.is(200);
        let standing = standing.has("latest", Value::Null).has("standing", "no_data");
        assert!(standing.text().contains("verified value of 2199"), "{standing:?}");
    }
}

/// What importing a file of these lists says.
fn imported(app: &App, lists: &Value) -> Output {
    let file = Workplace::get().join(format!("{}.json", unique::word()));
    std::fs::write(&file, lists.to_string()).unwrap();
    app.command(&["import", file.to_str().unwrap()])
}

/// Nine mean answers.
fn exact_means() -> Value {
    Value::Object((1..=9).map(|element| (format!("u{element}"), json!("3.333333"))).collect())
}

/// Makes a KPI of these members that everybody sees, and answers its path; bounds that they do not have are left out.
pub(super) async fn new_kpi(admin: &Actor, members: Value) -> String {
    let (code, mut body) = KPIS.new_body();
    body["published"] = json!(true);
    body.as_object_mut().unwrap().retain(|name, _| !["minimum", "maximum"].contains(&name.as_str()));
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    admin.create("/v1/kpis", body).await;
    KPIS.one(&code)
}

/// Makes an action of these members, and answers its path.
async fn new_action(admin: &Actor, members: Value) -> String {
    let (_, mut body) = ACTIONS.new_body();
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    let (id, _) = ACTIONS.create_as(admin, body).await;
    ACTIONS.one(&id)
}

/// Reports a value, hands it in and has somebody else verify it.
async fn measured(app: &Service, kpi: &str, period: &str, value: &str) {
    let path = format!("{kpi}/measurements/{period}");
    app.admin().await.put(&path, json!({ "value": value })).await.is(201);
    verified(app, &path).await;
}

/// Hands a report in and has somebody else verify it.
async fn verified(app: &Service, path: &str) -> Answer {
    app.admin().await.post(format!("{path}/submit"), json!({})).await.is(200);
    app.verifier().await.post(format!("{path}/verify"), json!({})).await.is(200).has("state", "verified")
}
