//! The status of programmes: it changes only by a recorded move, and every move stays on record.

use renaksi_tests::resource::PROGRAMMES;
use renaksi_tests::{Actor, on_both_databases, on_shared_servers};
use serde_json::json;

on_shared_servers! {
    async fn a_programme_goes_its_way(app) {
        let admin = app.admin().await;
        let path = new_programme(&admin).await;
        let mut etag = admin.etag_of(&path).await;
        for (to, on) in [("running", "2023-01-10"), ("suspended", "2023-02-01"), ("running", "2023-03-01"), ("completed", "2023-12-31")] {
            let moved = admin.create(&format!("{path}/transitions"), json!({ "to": to, "effective_on": on, "reason": "Uji" })).await;
            moved.has("to", to).has("effective_on", on);
            let now = admin.get(&path).await.is(200).has("status", to).etag();
            assert_ne!(now, etag, "a move changes the programme");
            etag = now;
        }
        let history = admin.get(format!("{path}/transitions")).await.is(200);
        let to = history.column("to");
        assert_eq!(to[to.len() - 4..], ["running", "suspended", "running", "completed"]);
        for to in ["planned", "running", "suspended", "cancelled"] {
            let refused = admin.post(format!("{path}/transitions"), json!({ "to": to, "effective_on": "2024-01-01" })).await.is(409);
            refused.has_problem("illegal_transition").has("allowed", json!([]));
        }
    }

    async fn a_programme_that_moved_stays(app) {
        let admin = app.admin().await;
        let path = new_programme(&admin).await;
        admin.create(&format!("{path}/transitions"), json!({ "to": "running", "effective_on": "2023-01-10" })).await;
        let etag = admin.etag_of(&path).await;
        admin.delete(&path).if_match(&etag).await.is(409).has_problem("conflict");
        admin.get(format!("{path}/transitions")).await.is(200);
        assert_eq!(admin.etag_of(&path).await, etag);
        let entered = new_programme(&admin).await;
        let etag = admin.etag_of(&entered).await;
        admin.delete(&entered).if_match(&etag).await.is(204);
    }

    async fn an_illegal_move_says_what_is_legal(app) {
        let admin = app.admin().await;
        let path = new_programme(&admin).await;
        let refused = admin.post(format!("{path}/transitions"), json!({ "to": "completed", "effective_on": "2023-01-10" }));
        let refused = refused.header("Accept-Language", "id").await.is(409);
        refused.has("detail", "Program berstatus planned tidak dapat menjadi completed; yang mungkin: running, suspended, cancelled.");
    }

    async fn every_pair_of_statuses_is_legal_or_refused(app) {
        let admin = app.admin().await;
        let ways = [
            ("planned", vec![]), ("running", vec!["running"]), ("suspended", vec!["suspended"]),
            ("completed", vec!["running", "completed"]), ("cancelled", vec!["cancelled"]),
        ];
        for (from, way) in ways {
            let legal: &[&str] = match from {
                "planned" => &["running", "suspended", "cancelled"],
                "running" => &["completed", "suspended", "cancelled"],
                "suspended" => &["running", "cancelled"],
                _ => &[],
            };
            for to in ["planned", "running", "suspended", "completed", "cancelled"] {
                let path = new_programme(&admin).await;
                for step in &way {
                    admin.create(&format!("{path}/transitions"), json!({ "to": step, "effective_on": "2023-01-01" })).await;
                }
                let status = if legal.contains(&to) { 201 } else { 409 };
                let answer = admin.post(format!("{path}/transitions"), json!({ "to": to, "effective_on": "2023-02-01" })).await;
                assert_eq!(answer.status(), status, "{from} to {to}: {answer:?}");
                let answer = answer.is(status);
                if status == 409 {
                    let mut allowed = answer.at("allowed").as_array().unwrap().clone();
                    allowed.sort_by_key(ToString::to_string);
                    let mut expected = legal.iter().map(|status| json!(status)).collect::<Vec<_>>();
                    expected.sort_by_key(ToString::to_string);
                    assert_eq!(allowed, expected);
                }
            }
        }
    }

    async fn a_move_lies_not_before_the_one_before(app) {
        let admin = app.admin().await;
        let path = new_programme(&admin).await;
        let transitions = format!("{path}/transitions");
        admin.create(&transitions, json!({ "to": "running", "effective_on": "2023-05-05" })).await;
        let refused = admin.post(&transitions, json!({ "to": "suspended", "effective_on": "2023-05-04" })).await;
        assert!([409, 422].contains(&refused.status()), "{refused:?}");
        admin.create(&transitions, json!({ "to": "suspended", "effective_on": "2023-05-05" })).await;
    }

    async fn one_move_is_one_event(app) {
        let admin = app.admin().await;
        let path = new_programme(&admin).await;
        admin.create(&format!("{path}/transitions"), json!({ "to": "running", "effective_on": "2023-05-05", "reason": "Anggaran cair" })).await;
        let events = admin.get(format!("{path}/history")).await.is(200).rows();
        assert_eq!(events.len(), 2, "{events:?}");
    }

    async fn of_two_who_move_at_once_one_wins(app) {
        let admin = app.admin().await;
        let path = format!("{}/transitions", new_programme(&admin).await);
        let attempts = (0..10).map(|_| async { admin.post(&path, json!({ "to": "running", "effective_on": "2023-05-05" })).await });
        let statuses = futures_util::future::join_all(attempts).await.iter().map(|answer| answer.status()).collect::<Vec<_>>();
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    }
}

on_both_databases! {
    async fn an_operator_moves_its_own(app) {
        let transition = json!({ "to": "completed", "effective_on": "2023-05-05" });
        app.operator_dlh().await.post("/v1/programmes/SL-01/transitions", transition.clone()).await.is(403).has_problem("outside_own_opd");
        app.operator_dinkes().await.create("/v1/programmes/SL-01/transitions", transition).await;
    }
}

async fn new_programme(admin: &Actor) -> String {
    let (code, body) = PROGRAMMES.new_body();
    admin.create(PROGRAMMES.path, body).await.has("status", "planned");
    PROGRAMMES.one(&code)
}
