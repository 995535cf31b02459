//! What hangs on a hidden thing is hidden with it, and what was withdrawn is not named for past days either: by hand.

use renaksi_tests::rehearsal::Today;
use renaksi_tests::{Actor, Answer, App, on_both_databases};
use serde_json::{Value, json};

use crate::scoreboard::{action, verified};

const BOARD: &str = "scoreboard?year=2090&quarter=3&as_of=2090-10-04";
const CARD: &str = "opds/DLH/scorecard?year=2090&quarter=3&as_of=2090-10-04";

on_both_databases! {
    async fn what_a_hidden_programme_has_counts_nowhere(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        // 7 of 14 for a programme that stays, all of 4 for one that is withdrawn, three times as heavy.
        let stays = action(&admin, "DLH", "SG-10", ["2", "6", "10", "14"], "1").await;
        verified(&app, &stays, 3, "7").await;
        let goes = action(&admin, "DLH", "SV-01", ["0", "2", "4", "4"], "3").await;
        verified(&app, &goes, 3, "4").await;
        let open = anyone.get("/v1/public/summary").await.is(200).at("findings/open").as_u64().unwrap();
        admin.create("/v1/evaluations", json!({ "code": "E", "masterplan": "KLU-SC", "held_on": "2022-10-04", "published": true })).await;
        // Whose programme it is has to mend it; the last is DINKES's to mend, about whatever programme.
        for (programme, opd) in [("SG-10", Value::Null), ("SV-01", Value::Null), ("SV-01", Value::Null), ("SV-01", json!("DINKES"))] {
            let finding = json!({ "programme": programme, "opd": opd, "text": format!("Temuan tentang {programme}") });
            admin.create("/v1/evaluations/E/findings", finding).await;
        }
        let leads = |board: &Answer| row(board, "DLH")["programmes_led"]["total"].as_u64().unwrap();
        let shown = anyone.get(format!("/v1/public/{BOARD}")).await.is(200);
        // (50 + 3 × 100) ÷ 4
        assert_eq!(row(&shown, "DLH")["renaksi"]["progress"], "87.50");
        let of_dlh = row(&shown, "DLH")["findings_open"].as_u64().unwrap();
        let lead = admin.get("/v1/programmes/SG-10").await.is(200).text_at("lead_opd");
        let of_lead = row(&shown, &lead)["findings_open"].as_u64().unwrap();

        change(&admin, "/v1/programmes/SV-01", json!({ "published": false })).await;
        let board = anyone.get(format!("/v1/public/{BOARD}")).await.is(200);
        let dlh = row(&board, "DLH");
        assert_eq!((&dlh["renaksi"]["progress"], &dlh["renaksi"]["expected"]), (&json!("50.00"), &json!("71.43")));
        assert_eq!(dlh["renaksi"]["actions"], json!({ "total": 1, "not_started": 0, "on_track": 0, "late": 1, "done": 0 }));
        assert_eq!(dlh["reports"]["due"], json!(1));
        assert_eq!(leads(&board), leads(&shown) - 1);
        assert_eq!(dlh["findings_open"], of_dlh - 2, "those of a programme that is not shown are nobody's");
        let expected = if lead == "DLH" { of_lead - 2 } else { of_lead };
        assert_eq!(row(&board, &lead)["findings_open"], expected);
        assert_eq!(row(&board, "DINKES")["findings_open"], row(&shown, "DINKES")["findings_open"], "it says itself whose it is");

        let card = anyone.get(format!("/v1/public/{CARD}")).await.is(200).has("row", dlh);
        assert_eq!(card.at("actions").as_array().unwrap().len(), 1);
        assert!(!card.text().contains("SV-01"), "{card:?}");
        let card = anyone.get("/v1/public/opds/DINKES/scorecard").await.is(200).has("findings/0/programme", Value::Null);
        assert_eq!(card.at("findings").as_array().unwrap().len(), 1);
        let summary = anyone.get("/v1/public/summary?as_of=2090-10-04").await.is(200);
        summary.has("actions/total", 1).has("totals/planned", 39).has("findings/open", open + 4);
        anyone.get("/v1/public/actions?programme=SV-01&count=true").await.is(200).has("page/total", 0);
        anyone.get(format!("/v1/public/actions/{goes}")).await.is(404);
        // Those who log in go on counting all of it.
        admin.get("/v1/summary?as_of=2090-10-04").await.is(200).has("actions/total", 2).has("totals/planned", 40);
        assert_eq!(row(&admin.get(format!("/v1/{BOARD}")).await.is(200), "DLH")["renaksi"]["progress"], "87.50");
    }

    async fn a_draft_of_a_masterplan_shows_nothing(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        admin.create("/v1/evaluations", json!({ "code": "E", "masterplan": "KLU-SC", "held_on": "2022-10-04", "published": true })).await;
        let finding = admin.create("/v1/evaluations/E/findings", json!({ "text": "Temuan" })).await.text_at("id");
        let stays = action(&admin, "DLH", "SG-10", ["2", "6", "10", "14"], "1").await;
        let finding = format!("/v1/public/evaluations/E/findings/{finding}");
        let (action, kpi) = (format!("/v1/public/actions/{stays}"), "/v1/public/kpis/STUNTING");
        let of_plan = [
            "/v1/public/masterplans/KLU-SC", "/v1/public/programmes/SG-10", "/v1/public/programmes/SG-10/transitions",
            "/v1/public/programmes/SG-10/coverage", "/v1/public/evaluations/E", "/v1/public/evaluations/E/findings", &finding, &action, kpi,
            "/v1/public/kpis/STUNTING/standing", "/v1/public/kpis/STUNTING/series", "/v1/public/kpis/STUNTING/standing?as_of=2022-12-31",
            "/v1/public/reconciliation", "/v1/public/summary?masterplan=KLU-SC",
        ];
        for path in of_plan {
            anyone.get(path).await.is(200);
        }
        change(&admin, "/v1/masterplans/KLU-SC", json!({ "status": "draft" })).await;
        for path in of_plan {
            anyone.get(path).await.is(404);
        }
        for list in ["masterplans", "programmes", "kpis", "evaluations", "actions"] {
            anyone.get(format!("/v1/public/{list}?count=true")).await.is(200).has("page/total", 0);
        }
        for day in ["", "?as_of=2022-12-31"] {
            let summary = anyone.get(format!("/v1/public/summary{day}")).await.is(200);
            summary.has("totals/planned", 0).has("kpis/total", 0).has("actions/total", 0).has("findings/open", 0);
            anyone.get(format!("/v1/public/timeline{day}")).await.is(200).has("steps", json!([]));
        }
        // What refers to a programme stays, and does not say to which.
        anyone.get("/v1/public/quick-wins/QW-SV").await.is(200).has("programme", Value::Null);
        anyone.get("/v1/public/quick-wins?programme=SV-02&count=true").await.is(200).has("page/total", 0);
        admin.get("/v1/summary").await.is(200).has("totals/planned", 40);
    }

    async fn what_was_withdrawn_is_not_named_for_past_days(app) {
        let today = Today::starting("2023-01-20".parse().unwrap());
        let app = app.replica_with(&[("RENAKSI_REHEARSAL", today.setting())]);
        let (admin, anyone) = (app.admin().await, app.anyone());
        let day = "as_of=2023-01-20";
        let paths = [format!("opds/DLH/scorecard?{day}"), format!("summary?{day}"), format!("kpis/TPS3R-DESA/standing?{day}")];
        let ask = async |app: &App, door: &str| {
            let mut texts = Vec::new();
            for path in &paths {
                let answer = app.viewer().await.get(format!("{door}/{path}")).await;
                texts.push((answer.status(), if answer.status() == 200 { answer.text() } else { String::new() }));
            }
            texts
        };
        let (before, inside) = (ask(&app, "/v1/public").await, ask(&app, "/v1").await);
        assert!(before[0].1.contains("SV-01") && before[0].1.contains("TPS3R-DESA"), "{before:?}");
        today.is("2023-02-20".parse().unwrap());
        assert_eq!(ask(&app, "/v1/public").await, before, "nothing changed");
        change(&admin, "/v1/programmes/SV-01", json!({ "published": false })).await;
        change(&admin, "/v1/kpis/TPS3R-DESA", json!({ "published": false })).await;
        let after = ask(&app, "/v1/public").await;
        assert!(!after[0].1.contains("SV-01") && !after[0].1.contains("TPS3R-DESA"), "{after:?}");
        let summary = anyone.get(format!("/v1/public/summary?{day}")).await.is(200);
        assert_eq!((summary.at("totals/planned"), after[2].0), (json!(39), 404));
        assert_eq!(ask(&app, "/v1").await, inside, "those who log in read of that day what they read then");
        // What is back is told as it was.
        change(&admin, "/v1/programmes/SV-01", json!({ "published": true })).await;
        change(&admin, "/v1/kpis/TPS3R-DESA", json!({ "published": true })).await;
        assert_eq!(ask(&app, "/v1/public").await, before);
        // What comes late was not there for everybody then.
        change(&admin, "/v1/programmes/SG-09", json!({ "published": false })).await;
        today.is("2023-02-21".parse().unwrap());
        change(&admin, "/v1/programmes/SG-09", json!({ "published": true })).await;
        anyone.get("/v1/public/summary?as_of=2023-02-20").await.is(200).has("totals/planned", 39);
        anyone.get("/v1/public/summary").await.is(200).has("totals/planned", 40);
    }

    async fn an_award_does_not_name_a_hidden_recipient(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        for (code, kind, key) in [("A-1", "programme", "SV-01"), ("A-2", "quick_win", "QW-SV")] {
            let recipient = json!({ "kind": kind, "ref": key, "name": "Layanan Rahasia" });
            let award = json!({ "code": code, "name": "Juara", "issuer": "Kementerian", "recipient": recipient, "published": true });
            admin.create("/v1/awards", award).await;
        }
        anyone.get("/v1/public/awards?q=layanan+rahasia&count=true").await.is(200).has("page/total", 2);
        change(&admin, "/v1/programmes/SV-01", json!({ "published": false })).await;
        change(&admin, "/v1/quick-wins/QW-SV", json!({ "published": false })).await;
        for code in ["A-1", "A-2"] {
            let award = anyone.get(format!("/v1/public/awards/{code}")).await.is(200).has("name", "Juara");
            award.has("recipient/ref", Value::Null).has("recipient/name", Value::Null);
        }
        anyone.get("/v1/public/awards?q=rahasia&count=true").await.is(200).has("page/total", 0);
        anyone.get("/v1/public/awards?q=kementerian&count=true").await.is(200);
        let found = anyone.all("/v1/public/awards?q=juara").await;
        assert!(found.iter().filter(|award| award["code"].as_str().is_some_and(|code| code.starts_with("A-"))).count() == 2, "{found:?}");
        admin.get("/v1/awards?q=rahasia&count=true").await.is(200).has("page/total", 2);
    }
}

async fn change(admin: &Actor, path: &str, patch: Value) {
    admin.patch(path, patch).if_match(&admin.etag_of(path).await).await.is(200);
}

fn row(board: &Answer, opd: &str) -> Value {
    let rows = board.at("rows").as_array().unwrap().clone();
    rows.into_iter().find(|row| row["opd"] == opd).unwrap_or_else(|| panic!("no row of {opd} in {board:?}"))
}
