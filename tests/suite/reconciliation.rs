//! The reconciliation: what a meeting was told beside what is recorded for its day.

use renaksi_tests::{Actor, on_both_databases, unique};
use serde_json::{Value, json};

/// Dimension, planned, running, as the meeting of 4 October 2022 was told.
const TOLD: [(&str, u64, u64); 6] =
    [("governance", 10, 8), ("branding", 4, 4), ("economy", 9, 8), ("living", 6, 5), ("society", 7, 7), ("environment", 4, 3)];

on_both_databases! {
    async fn what_the_meeting_was_told_is_what_is_recorded(app) {
        let code = held(&app.admin().await, "2022-10-04", &TOLD).await;
        for path in ["/v1/reconciliation", "/v1/public/reconciliation"] {
            let answer = app.viewer().await.get(format!("{path}?evaluation={code}")).await.is(200);
            let answer = answer.has("evaluation", code.clone()).has("masterplan", "KLU-SC").has("as_of", "2022-10-04");
            let answer = answer.has("totals/reported", json!({ "planned": 40, "running": 35 }));
            let answer = answer.has("totals/recorded", json!({ "planned": 40, "running": 35 }));
            let answer = answer.has("totals/difference", json!({ "planned": 0, "running": 0 }));
            let dimensions = answer.at("dimensions");
            for ((dimension, planned, running), row) in TOLD.iter().zip(dimensions.as_array().unwrap()) {
                assert_eq!(row["dimension"], *dimension);
                assert_eq!(row["reported"], json!({ "planned": planned, "running": running }), "{dimension}");
                assert_eq!(row["recorded"], row["reported"], "{dimension}");
                assert_eq!(row["difference"], json!({ "planned": 0, "running": 0 }), "{dimension}");
            }
        }
    }

    async fn what_is_dated_back_makes_a_difference(app) {
        let admin = app.admin().await;
        let code = held(&admin, "2022-10-04", &TOLD).await;
        let of = format!("evaluation={code}");
        let before = admin.get(format!("/v1/reconciliation?{of}")).await.is(200).json();
        admin.create("/v1/programmes/SG-09/transitions", json!({ "to": "running", "effective_on": "2022-10-04" })).await;
        admin.create("/v1/programmes/SG-10/transitions", json!({ "to": "running", "effective_on": "2022-10-05" })).await;
        for path in ["/v1/reconciliation", "/v1/public/reconciliation"] {
            let after = admin.get(format!("{path}?{of}")).await.is(200);
            let after = after.has("totals/recorded", json!({ "planned": 40, "running": 36 }));
            let after = after.has("totals/difference", json!({ "planned": 0, "running": 1 }));
            let after = after.has("dimensions/0/difference", json!({ "planned": 0, "running": 1 }));
            assert_eq!(after.at("totals/reported"), before["totals"]["reported"]);
            assert_eq!(after.at("dimensions/1"), before["dimensions"][1]);
        }
    }

    async fn a_meeting_that_was_told_too_much_is_above_the_records(app) {
        let code = held(&app.admin().await, "2022-10-04", &[("governance", 12, 12), ("living", 1, 0)]).await;
        let answer = app.viewer().await.get(format!("/v1/reconciliation?evaluation={code}")).await.is(200);
        let of = |dimension: &str| answer.at("dimensions").as_array().unwrap().iter().find(|row| row["dimension"] == dimension).unwrap().clone();
        assert_eq!(of("governance")["difference"], json!({ "planned": -2, "running": -4 }));
        assert_eq!(of("living")["difference"], json!({ "planned": 5, "running": 5 }));
        let untold = of("branding");
        assert_eq!((&untold["reported"], &untold["difference"]), (&Value::Null, &Value::Null));
        assert_eq!(untold["recorded"], json!({ "planned": 4, "running": 4 }));
        answer.has("totals/reported", json!({ "planned": 13, "running": 12 })).has("totals/difference", json!({ "planned": 27, "running": 23 }));
    }

    async fn nothing_was_told_and_nothing_differs(app) {
        let code = held(&app.admin().await, "2022-10-04", &[]).await;
        let answer = app.viewer().await.get(format!("/v1/reconciliation?evaluation={code}")).await.is(200);
        answer.has("totals/reported", json!(null)).has("totals/difference", json!(null)).has("totals/recorded/planned", 40);
    }

    async fn without_a_name_it_is_the_latest_that_was_held(app) {
        let admin = app.admin().await;
        let code = held(&admin, "2023-05-05", &TOLD).await;
        held(&admin, "2199-01-01", &TOLD).await;
        for path in ["/v1/reconciliation", "/v1/public/reconciliation"] {
            admin.get(path).await.is(200).has("evaluation", code.clone());
        }
        let etag = admin.etag_of(&format!("/v1/evaluations/{code}")).await;
        admin.patch(format!("/v1/evaluations/{code}"), json!({ "published": false })).if_match(&etag).await.is(200);
        app.anyone().get(format!("/v1/public/reconciliation?evaluation={code}")).await.is(404).has_problem("not_found");
        admin.get(format!("/v1/reconciliation?evaluation={code}")).await.is(200);
        admin.get("/v1/reconciliation?evaluation=NO-SUCH").await.is(404).has_problem("not_found");
        admin.get("/v1/reconciliation?as_of=2022-10-04").await.is(400).has_fault_in_parameter("as_of");
    }

    async fn what_is_not_published_counts_only_inside(app) {
        let admin = app.admin().await;
        let code = held(&admin, "2022-10-04", &TOLD).await;
        let etag = admin.etag_of("/v1/programmes/SL-01").await;
        admin.patch("/v1/programmes/SL-01", json!({ "published": false })).if_match(&etag).await.is(200);
        // What was public on that day and is hidden now does not count for everybody any more.
        app.anyone().get(format!("/v1/public/reconciliation?evaluation={code}")).await.is(200).has("totals/recorded/planned", 39);
        admin.get(format!("/v1/reconciliation?evaluation={code}")).await.is(200).has("totals/recorded/planned", 40);
        let today = held(&admin, &admin.get("/v1/summary").await.is(200).text_at("as_of"), &TOLD).await;
        app.anyone().get(format!("/v1/public/reconciliation?evaluation={today}")).await.is(200).has("totals/recorded/planned", 39);
        admin.get(format!("/v1/reconciliation?evaluation={today}")).await.is(200).has("totals/recorded/planned", 40);
    }
}

/// The code of a new evaluation that was told this.
async fn held(actor: &Actor, on: &str, told: &[(&str, u64, u64)]) -> String {
    let code = unique::code("EVAL");
    let told = told
        .iter()
        .map(|(dimension, planned, running)| json!({ "dimension": dimension, "planned": planned, "running": running }));
    let body = json!({ "masterplan": "KLU-SC", "held_on": on, "published": true, "reported_counts": told.collect::<Vec<_>>() });
    actor.put(format!("/v1/evaluations/{code}"), body).await.is(201);
    code
}
