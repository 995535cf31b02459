//! The figures of the evaluation of 4 October 2022, computed from rows.

use renaksi_tests::{Answer, on_both_databases, on_shared_servers};
use serde_json::{Value, json};

use crate::scoreboard::{action, verified};

/// Dimension, planned, running.
const STATED: [(&str, u64, u64); 6] =
    [("governance", 10, 8), ("branding", 4, 4), ("economy", 9, 8), ("living", 6, 5), ("society", 7, 7), ("environment", 4, 3)];

on_shared_servers! {
    async fn before_the_first_day_nothing_runs(app) {
        let answer = app.anyone().get("/v1/public/summary?as_of=1999-01-01").await.is(200);
        answer.has("totals/running", 0);
    }

    async fn an_unknown_masterplan_is_named(app) {
        let answer = app.anyone().get("/v1/public/summary?masterplan=NO-SUCH").await;
        assert!([400, 404].contains(&answer.status()), "{answer:?}");
    }
}

on_both_databases! {
    async fn the_day_of_the_evaluation_is_as_reported(app) {
        for path in ["/v1/public/summary", "/v1/summary"] {
            let answer = app.viewer().await.get(format!("{path}?as_of=2022-10-04")).await.is(200).has("as_of", "2022-10-04");
            is_as_reported(&answer);
            app.viewer().await.get(format!("{path}?masterplan=KLU-SC&as_of=2022-10-04")).await.is(200).has("totals/running", 35);
        }
    }

    async fn a_later_move_leaves_the_past_alone(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let move_on = json!({ "to": "running", "effective_on": "2022-11-01", "reason": "Mulai berjalan" });
        admin.create("/v1/programmes/SG-09/transitions", move_on).await;

        is_as_reported(&anyone.get("/v1/public/summary?as_of=2022-10-04").await.is(200));
        anyone.get("/v1/public/summary?as_of=2022-10-31").await.is(200).has("totals/running", 35);
        let next_day = anyone.get("/v1/public/summary?as_of=2022-11-01").await.is(200);
        next_day.has("totals/planned", 40).has("totals/running", 36).has("totals/running_percent", "90.00");
        anyone.get("/v1/public/summary").await.is(200).has("totals/running", 36);
        admin.get("/v1/summary").await.is(200).has("totals/running", 36);
    }

    async fn what_is_not_published_counts_only_inside(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let (_, mut body) = renaksi_tests::resource::PROGRAMMES.new_body();
        body["published"] = json!(false);
        admin.create("/v1/programmes", body).await;
        anyone.get("/v1/public/summary").await.is(200).has("totals/planned", 40);
        admin.get("/v1/summary").await.is(200).has("totals/planned", 41);
    }

    async fn the_opds_that_signed_are_named_from_the_day_of_signing(app) {
        let admin = app.admin().await;
        let opds = admin.get("/v1/opds?active=true&count=true").await.is(200).at("page/total");
        // What the demo data tells of, from the 4th of October 2022 on: all signed, on a day that nobody knows.
        for commitment in admin.all("/v1/commitments").await {
            let path = format!("/v1/commitments/{}", commitment["id"].as_str().unwrap());
            admin.delete(&path).if_match(&admin.etag_of(&path).await).await.is(204);
        }
        let signed = json!({ "title": "Komitmen bersama", "signed_on": "2022-10-02", "signatories": ["DLH", "DINKES"] });
        admin.create("/v1/commitments", signed).await;
        admin.create("/v1/commitments", json!({ "title": "Tanggal tidak diketahui", "signatories": ["DLH", "BPBD"] })).await;
        for path in ["/v1/summary", "/v1/public/summary"] {
            let commitment = |answer: Answer| answer.is(200).at("commitment");
            assert_eq!(commitment(admin.get(format!("{path}?as_of=2022-10-01")).await)["signatories"], json!([]));
            let of_day = commitment(admin.get(format!("{path}?as_of=2022-10-02")).await);
            // The OPDs of the demo are known from the 4th on.
            assert_eq!(of_day, json!({ "opds": 0, "signed": 2, "signatories": ["DINKES", "DLH"] }));
            let now = commitment(admin.get(path).await);
            assert_eq!(now, json!({ "opds": opds, "signed": 3, "signatories": ["BPBD", "DINKES", "DLH"] }));
        }
    }

    async fn actions_are_those_of_the_year_of_the_day(app) {
        let (app, today) = app.rehearsed("2090-03-31");
        let admin = app.admin().await;
        let stations = action(&admin, "DLH", "SV-01", ["2", "6", "10", "14"], "1").await;
        action(&admin, "DINKES", "SL-01", ["0", "0", "0", "4"], "1").await;
        verified(&app, &stations, 1, "2").await;
        for (day, expected) in [
            ("2090-03-31", json!({ "total": 2, "not_started": 1, "on_track": 1, "late": 0, "done": 0 })),
            ("2090-06-30", json!({ "total": 2, "not_started": 1, "on_track": 1, "late": 0, "done": 0 })),
            ("2090-07-01", json!({ "total": 2, "not_started": 1, "on_track": 0, "late": 1, "done": 0 })),
            ("2090-12-31", json!({ "total": 2, "not_started": 1, "on_track": 0, "late": 1, "done": 0 })),
            ("2091-01-01", json!({ "total": 0, "not_started": 0, "on_track": 0, "late": 0, "done": 0 })),
        ] {
            today.is(day.parse().unwrap());
            for path in ["/v1/summary", "/v1/public/summary", "/v1/summary?masterplan=KLU-SC"] {
                let mark = if path.contains('?') { '&' } else { '?' };
                assert_eq!(admin.get(format!("{path}{mark}as_of={day}")).await.is(200).at("actions"), expected, "{path} of {day}");
            }
        }
    }

    async fn the_timeline_ends_where_the_summary_stands(app) {
        for interval in ["month", "quarter", "year"] {
            for path in ["/v1/timeline", "/v1/public/timeline"] {
                let last = last_step(&app.viewer().await.get(format!("{path}?interval={interval}")).await.is(200));
                assert_eq!((&last["total"], &last["by_status"]["running"]), (&json!(40), &json!(35)), "{path}?interval={interval}");
            }
        }
        app.admin().await.create("/v1/programmes/SG-09/transitions", json!({ "to": "running", "effective_on": "2022-11-01" })).await;
        let timeline = app.anyone().get("/v1/public/timeline?interval=month").await.is(200);
        let running = steps(&timeline).iter().map(|step| step["by_status"]["running"].as_u64().unwrap()).collect::<Vec<_>>();
        assert!(running.is_sorted(), "nothing stopped: {running:?}");
        assert_eq!(running.last(), Some(&36));
        let of_day = app.anyone().get("/v1/public/timeline?as_of=2022-10-04").await.is(200);
        assert_eq!(last_step(&of_day)["by_status"]["running"], 35);
    }
}

fn steps(timeline: &Answer) -> Vec<Value> {
    timeline.at("steps").as_array().unwrap().clone()
}

fn last_step(timeline: &Answer) -> Value {
    steps(timeline).pop().expect("a step")
}

fn is_as_reported(answer: &Answer) {
    assert_eq!(answer.at("totals/planned"), 40);
    assert_eq!(answer.at("totals/running"), 35);
    assert_eq!(answer.at("totals/running_percent"), "87.50");
    let dimensions = answer.at("dimensions").as_array().unwrap().clone();
    let found = dimensions
        .iter()
        .map(|row| (text(row), row["planned"].as_u64().unwrap(), row["running"].as_u64().unwrap()))
        .collect::<Vec<_>>();
    let expected = STATED.map(|(code, planned, running)| (code.to_owned(), planned, running));
    assert_eq!(found, expected);
}

fn text(row: &Value) -> String {
    row["dimension"].as_str().unwrap_or_else(|| panic!("no `dimension` in {row}")).to_owned()
}
