//! How the OPDs are ranked by what they did of their actions: computed by hand.

use renaksi_tests::{Actor, Answer, App, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

/// A quarter that has just ended on the day that is rehearsed: what is handed in then is on time for it.
const BOARD: &str = "/v1/scoreboard?year=2090&quarter=3&as_of=2090-10-04";
/// The day that is rehearsed.
const DAY: &str = "2090-10-04";
const PUBLIC: &str = "/v1/public/scoreboard?year=2090&quarter=3&as_of=2090-10-04";

on_shared_servers! {
    async fn the_quarter_is_the_last_that_ended(app) {
        let viewer = app.viewer().await;
        for (query, year, quarter) in [
            ("as_of=2022-10-04", 2022, 3), ("as_of=2022-09-30", 2022, 2),
            ("as_of=2022-10-04&year=2021", 2021, 4), ("as_of=2022-10-04&year=2022", 2022, 3), ("as_of=2022-10-04&year=2023", 2023, 1),
            ("as_of=2022-10-04&quarter=1", 2022, 1),
        ] {
            for path in ["/v1/scoreboard", "/v1/public/scoreboard", "/v1/opds/DLH/scorecard", "/v1/public/opds/DLH/scorecard"] {
                viewer.get(format!("{path}?{query}")).await.is(200).has("year", year).has("quarter", quarter);
            }
        }
        for query in ["quarter=5", "quarter=0", "quarter=Q3", "year=22", "year=2022-Q1", "as_of=soon", "opd=DLH"] {
            viewer.get(format!("/v1/scoreboard?{query}")).await.is(400);
        }
        app.anyone().get("/v1/scoreboard").await.is(401);
    }
}

on_both_databases! {
    async fn opds_are_ranked_by_their_achievement(app) {
        let (app, _today) = app.rehearsed(DAY);
        let admin = app.admin().await;
        // 8 of 14 by September, where 10 were due: 57.142857 against 71.428571.
        let stations = action(&admin, "DLH", "SG-10", ["2", "6", "10", "14"], "1").await;
        for (quarter, realisation) in [(1, "2"), (2, "6"), (3, "8")] {
            verified(&app, &stations, quarter, realisation).await;
        }
        // All of it, three times as heavy: 100 against 100.
        let banks = action(&admin, "DLH", "SG-10", ["0", "2", "4", "4"], "3").await;
        verified(&app, &banks, 3, "4").await;
        // 37.5 against 75, twice, by other numbers.
        let visits = action(&admin, "DINKES", "SL-01", ["10", "20", "30", "40"], "1").await;
        verified(&app, &visits, 2, "15").await;
        let events = action(&admin, "DISPAR", "SB-01", ["1", "2", "3", "4"], "7").await;
        verified(&app, &events, 2, "1.5").await;
        // Nothing is due before December.
        action(&admin, "PUPR", "SG-10", ["0", "0", "0", "5"], "1").await;

        for path in [BOARD, PUBLIC] {
            let board = app.viewer().await.get(path).await.is(200).has("year", 2090).has("quarter", 3).has("as_of", "2090-10-04");
            let rows = rows(&board);
            let places = rows.iter().take(4).map(|row| (row["opd"].clone(), row["rank"].clone())).collect::<Vec<_>>();
            let place = |opd: &str, rank: Value| (json!(opd), rank);
            assert_eq!(places[..3], [place("DLH", json!(1)), place("DINKES", json!(2)), place("DISPAR", json!(2))]);
            assert!(rows[3..].iter().all(|row| row["rank"].is_null()), "{rows:?}");
            assert!(rows[3..].is_sorted_by_key(|row| row["opd"].as_str().map(str::to_owned)), "{rows:?}");
            assert_eq!(rows.len(), 14, "silent OPDs stand there too");

            let dlh = &rows[0];
            // (57.142857 + 3 × 100) ÷ 4, (71.428571 + 3 × 100) ÷ 4, and the ratio of both.
            assert_eq!(dlh["renaksi"], json!({
                "progress": "89.29", "expected": "92.86", "achievement": "96.15", "band": "very_high",
                "actions": { "total": 2, "not_started": 0, "on_track": 0, "late": 1, "done": 1 },
            }));
            assert_eq!(dlh["reports"], json!({ "due": 2, "on_time": 2, "late": 0, "missing": 0 }));
            assert_eq!(dlh["programmes_led"], json!({ "total": 2, "running": dlh["programmes_led"]["running"] }));
            assert_eq!((&dlh["kpis"]["total"], &dlh["kpis"]["by_standing"]["no_data"]), (&json!(1), &json!(1)));
            let explanation = &dlh["explanation"];
            assert_eq!((&explanation["rule"], &explanation["inputs"]["weights"]), (&json!("opd_progress"), &json!("4")));
            let dinkes = &rows[1]["renaksi"];
            assert_eq!((&dinkes["progress"], &dinkes["expected"]), (&json!("37.50"), &json!("75.00")));
            assert_eq!((&dinkes["achievement"], &dinkes["band"]), (&json!("50.00"), &json!("very_low")));
            let pupr = &row(&board, "PUPR")["renaksi"];
            assert_eq!((&pupr["progress"], &pupr["achievement"], &pupr["band"]), (&json!("0.00"), &Value::Null, &Value::Null));
            assert_eq!(pupr["actions"]["not_started"], 1);
        }
        let programme = app.viewer().await.get("/v1/programmes/SG-10").await.is(200);
        // (57.142857 + 3 × 100 + 0) ÷ 5
        programme.has("progress", "71.43");
        app.anyone().get("/v1/public/programmes/SG-10").await.is(200).has("progress", "71.43");
        app.anyone().get("/v1/public/programmes/SG-09").await.is(200).has("progress", Value::Null);
    }

    async fn a_report_is_due_on_the_tenth(app) {
        let (app, today) = app.rehearsed("2090-09-30");
        let admin = app.admin().await;
        let stations = action(&admin, "DLH", "SG-10", ["2", "6", "10", "14"], "1").await;
        action(&admin, "DLH", "SG-10", ["2", "6", "10", "14"], "1").await;
        handed_in(&app, &stations, 3, "10").await;
        for (day, expected, for_everybody) in [
            ("2090-09-30", [0, 0, 0], [0, 0, 0]), ("2090-10-01", [1, 1, 0], [0, 0, 0]),
            ("2090-10-10", [1, 1, 0], [0, 0, 0]), ("2090-10-11", [2, 1, 1], [1, 0, 1]),
        ] {
            today.is(day.parse().unwrap());
            let query = format!("scoreboard?year=2090&quarter=3&as_of={day}");
            for (path, [due, on_time, missing]) in [(format!("/v1/{query}"), expected), (format!("/v1/public/{query}"), for_everybody)] {
                let board = app.viewer().await.get(&path).await.is(200);
                let counts = json!({ "due": due, "on_time": on_time, "late": 0, "missing": missing });
                assert_eq!(row(&board, "DLH")["reports"], counts, "{path}");
            }
        }
        // What waits for its review is not realised.
        let now = "scoreboard?year=2090&quarter=3";
        let board = app.viewer().await.get(format!("/v1/{now}")).await.is(200);
        assert_eq!(row(&board, "DLH")["renaksi"]["progress"], "0.00");
        app.verifier().await.post(format!("/v1/actions/{stations}/reports/3/verify"), json!({})).await.is(200);
        let board = app.viewer().await.get(format!("/v1/{now}")).await.is(200);
        // 10 of 14, and nothing of 14.
        assert_eq!(row(&board, "DLH")["renaksi"]["progress"], "35.71");
        let counts = json!({ "due": 2, "on_time": 1, "late": 0, "missing": 1 });
        assert_eq!(row(&app.anyone().get(format!("/v1/public/{now}")).await.is(200), "DLH")["reports"], counts);
    }

    async fn a_report_for_a_quarter_long_past_is_late(app) {
        let stations = action(&app.admin().await, "DLH", "SG-10", ["2", "6", "10", "14"], "1").await;
        let path = format!("/v1/actions/{stations}");
        let admin = app.admin().await;
        admin.patch(&path, json!({ "year": 2020 })).if_match(&admin.etag_of(&path).await).await.is(200);
        verified(&app, &stations, 4, "14").await;
        let board = app.viewer().await.get("/v1/scoreboard?year=2020").await.is(200).has("quarter", 4);
        let dlh = row(&board, "DLH");
        assert_eq!(dlh["reports"], json!({ "due": 1, "on_time": 0, "late": 1, "missing": 0 }));
        assert_eq!((&dlh["renaksi"]["achievement"], &dlh["renaksi"]["actions"]["done"]), (&json!("100.00"), &json!(1)));
        let board = app.viewer().await.get("/v1/scoreboard?year=2020&quarter=1").await.is(200);
        let dlh = row(&board, "DLH");
        assert_eq!(dlh["reports"], json!({ "due": 1, "on_time": 0, "late": 0, "missing": 1 }));
        assert_eq!((&dlh["renaksi"]["achievement"], &dlh["renaksi"]["actions"]["late"]), (&json!("0.00"), &json!(1)));
    }

    async fn what_is_not_published_counts_only_inside(app) {
        let (app, _today) = app.rehearsed(DAY);
        let admin = app.admin().await;
        let stations = action(&admin, "DLH", "SG-10", ["2", "6", "10", "14"], "1").await;
        verified(&app, &stations, 3, "7").await;
        let path = format!("/v1/actions/{stations}");
        admin.patch(&path, json!({ "published": false })).if_match(&admin.etag_of(&path).await).await.is(200);
        assert_eq!(row(&admin.get(BOARD).await.is(200), "DLH")["renaksi"]["actions"]["total"], 1);
        assert_eq!(row(&app.anyone().get(PUBLIC).await.is(200), "DLH")["renaksi"]["actions"]["total"], 0);
        admin.get("/v1/programmes/SG-10").await.is(200).has("progress", "50.00");
        app.anyone().get("/v1/public/programmes/SG-10").await.is(200).has("progress", Value::Null);
        let board = admin.get(format!("{BOARD}&masterplan=KLU-SC")).await.is(200).has("masterplan", "KLU-SC");
        assert_eq!(row(&board, "DLH")["renaksi"]["actions"]["total"], 1);
        admin.get(format!("{BOARD}&masterplan=NO-SUCH")).await.is(404);
    }
}

/// An action of 2090 that everybody sees.
pub(crate) async fn action(admin: &Actor, opd: &str, programme: &str, [q1, q2, q3, q4]: [&str; 4], weight: &str) -> String {
    let body = json!({
        "programme": programme, "opd": opd, "title": "Membangun TPS3R di desa", "output_unit": "desa", "year": 2090, "weight": weight,
        "targets": { "q1": q1, "q2": q2, "q3": q3, "q4": q4 }, "published": true,
    });
    admin.create("/v1/actions", body).await.text_at("id")
}

/// Hands in the report of an action for a quarter.
pub(crate) async fn handed_in(app: &App, action: &str, quarter: u8, realisation: &str) {
    let path = format!("/v1/actions/{action}/reports/{quarter}");
    let admin = app.admin().await;
    admin.put(&path, json!({ "realisation": realisation })).await.is(201);
    admin.post(format!("{path}/submit"), json!({})).await.is(200);
}

/// Hands it in and has somebody else verify it.
pub(crate) async fn verified(app: &App, action: &str, quarter: u8, realisation: &str) {
    handed_in(app, action, quarter, realisation).await;
    app.verifier().await.post(format!("/v1/actions/{action}/reports/{quarter}/verify"), json!({})).await.is(200);
}

fn rows(board: &Answer) -> Vec<Value> {
    board.at("rows").as_array().unwrap().clone()
}

fn row(board: &Answer, opd: &str) -> Value {
    rows(board).into_iter().find(|row| row["opd"] == opd).unwrap_or_else(|| panic!("no row of {opd} in {board:?}"))
}
