//! The scorecard of an OPD: its row of the scoreboard with what that was computed from.

use renaksi_tests::on_both_databases;
use serde_json::{Value, json};

use crate::scoreboard::{action, handed_in, verified};

const CARD: &str = "/v1/opds/DLH/scorecard?year=2090&quarter=3&as_of=2090-10-04";
const PUBLIC: &str = "/v1/public/opds/DLH/scorecard?year=2090&quarter=3&as_of=2090-10-04";

on_both_databases! {
    async fn it_shows_what_the_row_was_computed_from(app) {
        let (app, _today) = app.rehearsed("2090-10-04");
        let admin = app.admin().await;
        let stations = action(&admin, "DLH", "SV-01", ["2", "6", "10", "14"], "1").await;
        verified(&app, &stations, 1, "2").await;
        verified(&app, &stations, 3, "8").await;
        handed_in(&app, &stations, 2, "5").await;
        let visits = action(&admin, "DINKES", "SL-01", ["10", "20", "30", "40"], "1").await;
        verified(&app, &visits, 3, "30").await;

        for (path, handed_in, timeliness) in [(CARD, true, "late"), (PUBLIC, false, "not_due")] {
            let card = app.viewer().await.get(path).await.is(200).has("row/opd", "DLH").has("row/rank", 2).has("ranked", 2);
            let board = app.viewer().await.get(path.replace("/opds/DLH/scorecard", "/scoreboard")).await.is(200);
            assert_eq!(card.at("row"), board.at("rows/1"));
            let action = card.at("actions/0");
            assert_eq!(action["id"], json!(stations));
            assert_eq!(action["targets"], json!({ "q1": "2", "q2": "6", "q3": "10", "q4": "14" }));
            assert_eq!(action["realisation"], json!({ "q1": "2", "q2": null, "q3": "8", "q4": null }));
            assert_eq!((&action["progress"], &action["state"]), (&json!("57.14"), &json!("late")));
            assert_eq!((&action["programme"], &action["weight"]), (&json!("SV-01"), &json!("1")));
            assert_eq!((&action["reasons"][0]["code"], &action["reasons"][1]["code"]), (&json!("action_behind"), &json!("action_progress")));
            let second = &action["reports"][1];
            assert_eq!((&second["quarter"], &second["due_on"]), (&json!(2), &json!("2090-07-10")));
            assert_eq!((second["handed_in_on"].is_string(), &second["verified"]), (handed_in, &json!(false)));
            assert_eq!(second["timeliness"], timeliness);
            assert_eq!(action["reports"][3]["timeliness"], "not_due");
            assert_eq!(card.at("actions").as_array().unwrap().len(), 1, "those of others are not there");
            assert_eq!(card.at("kpis/0/kpi"), "TPS3R-DESA");
            let standing = app.viewer().await.get("/v1/kpis/TPS3R-DESA/standing?as_of=2090-10-04").await.is(200).json();
            assert_eq!(card.at("kpis/0"), standing);
            let led = card.at("programmes").as_array().unwrap().clone();
            assert_eq!(led.len(), 2);
            assert!(led.iter().any(|programme| programme["code"] == "SV-01" && programme["dimension"] == "environment"), "{led:?}");
        }
    }

    async fn an_opd_that_is_no_more_has_one_too(app) {
        let admin = app.admin().await;
        admin.create("/v1/opds", json!({ "code": "LAMA", "name": "Dinas Lama", "active": false })).await;
        let card = admin.get("/v1/opds/LAMA/scorecard").await.is(200).has("row/opd", "LAMA").has("row/rank", Value::Null);
        for member in ["programmes", "actions", "kpis", "findings"] {
            assert_eq!(card.at(member), json!([]), "{member}");
        }
        let board = admin.get("/v1/scoreboard").await.is(200);
        assert!(!board.text().contains("LAMA"), "nothing is counted for it");
        admin.get("/v1/opds/NO-SUCH/scorecard").await.is(404).has_problem("not_found");
        app.anyone().get("/v1/public/opds/NO-SUCH/scorecard").await.is(404);
    }

    async fn the_public_does_not_learn_of_hidden_programmes(app) {
        let (app, _today) = app.rehearsed("2090-10-04");
        let admin = app.admin().await;
        action(&admin, "DLH", "SV-01", ["2", "6", "10", "14"], "1").await;
        admin.patch("/v1/programmes/SV-01", json!({ "published": false })).if_match(&admin.etag_of("/v1/programmes/SV-01").await).await.is(200);
        admin.get(CARD).await.is(200).has("actions/0/programme", "SV-01");
        let card = app.anyone().get(PUBLIC).await.is(200).has("actions", json!([])).has("row/renaksi/actions/total", 0);
        assert!(!card.text().contains("SV-01"), "{card:?}");
    }
}
