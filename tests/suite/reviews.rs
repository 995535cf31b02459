//! The review of what OPDs report: nothing counts until somebody else has verified it.

use renaksi_tests::actor::Request;
use renaksi_tests::resource::KPIS;
use renaksi_tests::{Actor, App, on_both_databases, on_shared_servers, unique};
use reqwest::Method;
use serde_json::{Value, json};

const STUNTING: &str = "/v1/kpis/STUNTING";
const VALUE_2022: &str = "/v1/kpis/STUNTING/measurements/2022";
const VALUE_2023: &str = "/v1/kpis/STUNTING/measurements/2023";

on_shared_servers! {
    async fn nobody_verifies_what_they_submitted(app) {
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        for (reporter, other) in [(&admin, &verifier), (&verifier, &admin)] {
            let path = format!("{}/measurements/2023", new_kpi(&admin, "DINKES").await);
            reporter.put(&path, json!({ "value": "19" })).await.is(201);
            reporter.post(format!("{path}/submit"), json!({})).await.is(200);
            reporter.post(format!("{path}/verify"), json!({})).await.is(403).has_problem("own_report");
            other.get(&path).await.is(200).has("state", "submitted");
            other.post(format!("{path}/verify"), json!({})).await.is(200).has("state", "verified");
        }
        // Who wrote it matters as much as who handed it in.
        let path = format!("{}/measurements/2023", new_kpi(&admin, "DINKES").await);
        verifier.put(&path, json!({ "value": "19" })).await.is(201);
        admin.post(format!("{path}/submit"), json!({})).await.is(200).has("submitted_by", "admin@demo.invalid");
        verifier.post(format!("{path}/verify"), json!({})).await.is(403).has_problem("own_report");
    }

    async fn an_illegal_step_says_what_is_legal(app) {
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        let ways: [(&[&str], &[&str]); 4] = [
            (&[], &["submit"]),
            (&["submit"], &["verify", "return"]),
            (&["submit", "return"], &["submit"]),
            (&["submit", "verify"], &[]),
        ];
        for (way, legal) in ways {
            for step in ["submit", "verify", "return"] {
                let path = format!("{}/measurements/2023", new_kpi(&admin, "DINKES").await);
                admin.put(&path, json!({ "value": "19" })).await.is(201);
                for before in way {
                    take(if *before == "submit" { &admin } else { &verifier }, &path, before).await.is(200);
                }
                let etag = admin.etag_of(&path).await;
                let answer = take(&verifier, &path, step).await;
                if legal.contains(&step) {
                    let _ = answer.is(200);
                    continue;
                }
                assert_eq!(answer.status(), 409, "{step} after {way:?}: {answer:?}");
                let _ = answer.is(409).has_problem("illegal_transition").has("allowed", json!(legal));
                assert_eq!(admin.etag_of(&path).await, etag);
            }
        }
    }

    async fn many_are_decided_at_once(app) {
        let (admin, operator, verifier) = (app.admin().await, app.operator_dinkes().await, app.verifier().await);
        let mut keys = Vec::new();
        for _ in 0..4 {
            let path = format!("{}/measurements/2023", new_kpi(&admin, "DINKES").await);
            operator.put(&path, json!({ "value": "19" })).await.is(201);
            take(&operator, &path, "submit").await.is(200);
            keys.push(key_of(&path));
        }
        let own = format!("{}/measurements/2023", new_kpi(&admin, "DINKES").await);
        verifier.put(&own, json!({ "value": "19" })).await.is(201);
        take(&verifier, &own, "submit").await.is(200);
        let version = admin.get(path_of(&keys[0])).await.is(200).at("version");
        let decide = |key: &str, decision: &str| json!({ "kind": "measurement", "key": key, "decision": decision });
        let with = |mut review: Value, member: &str, value: Value| {
            review[member] = value;
            review
        };
        let reviews = json!([
            with(decide(&keys[0], "verify"), "version", version),
            with(decide(&keys[1], "return"), "reason", json!("Bukti belum ada")),
            decide(&keys[2], "return"),
            with(decide(&keys[3], "verify"), "version", json!(1)),
            decide("STUNTING/1999", "verify"),
            decide("STUNTING/2022", "verify"),
            decide(&key_of(&own), "verify"),
        ]);
        let decided = verifier.post("/v1/reviews", json!({ "reviews": reviews })).await.is(200);
        let decided = decided.has("verified", 1).has("returned", 1).has("rejected", 5);
        let expected = [
            ("verified", None), ("returned", None), ("rejected", Some("required")), ("rejected", Some("precondition_failed")),
            ("rejected", Some("not_found")), ("rejected", Some("illegal_transition")), ("rejected", Some("own_report")),
        ];
        for (index, (result, code)) in expected.into_iter().enumerate() {
            let item = decided.at(&format!("results/{index}"));
            assert_eq!((&item["item"], &item["result"]), (&json!(index + 1), &json!(result)), "{item}");
            assert_eq!(item.pointer("/errors/0/code").and_then(Value::as_str), code, "{item}");
        }
        for (key, state) in keys.iter().zip(["verified", "returned", "submitted", "submitted"]) {
            admin.get(path_of(key)).await.is(200).has("state", state);
        }
    }

    async fn a_list_of_decisions_is_checked(app) {
        let verifier = app.verifier().await;
        let review = json!({ "kind": "measurement", "key": "STUNTING/1999", "decision": "verify" });
        for reviews in [json!([]), json!(vec![review.clone(); 201]), json!({})] {
            verifier.post("/v1/reviews", json!({ "reviews": reviews })).await.is(422).has_fault_at("/reviews");
        }
        let wrong = json!({ "kind": "measurement", "key": "STUNTING/1999", "decision": "applaud" });
        verifier.post("/v1/reviews", json!({ "reviews": [review.clone(), wrong] })).await.is(422).has_fault_at("/reviews/1/decision");
        verifier.post("/v1/reviews", json!({ "reviews": vec![review.clone(); 200] })).await.is(200).has("rejected", 200);
        for actor in [app.operator_dinkes().await, app.viewer().await, app.client_dinkes().await] {
            actor.post("/v1/reviews", json!({ "reviews": [review.clone()] })).await.is(403).has_problem("forbidden");
        }
    }
}

on_both_databases! {
    async fn a_report_goes_its_way(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        let draft = operator.put(VALUE_2023, json!({ "value": "19.1" })).await.is(201).has("state", "draft");
        let draft = draft.has("submitted_by", Value::Null);
        let submitted = operator.post(format!("{VALUE_2023}/submit"), json!({})).await.is(200).has("state", "submitted");
        let submitted = submitted.has("submitted_by", "operator.dinkes@demo.invalid").has("verified_by", Value::Null);
        assert!(submitted.at("submitted_at").is_string(), "{submitted:?}");
        assert_ne!(submitted.etag(), draft.etag());
        assert_eq!(operator.etag_of(VALUE_2023).await, submitted.etag());
        in_force(&app, "22.9").await;

        let verified = verifier.post(format!("{VALUE_2023}/verify"), json!({})).await.is(200).has("state", "verified");
        verified.has("verified_by", "verifier@demo.invalid").has("value", "19.1").has("revision", 1);
        in_force(&app, "19.1").await;
        let history = verifier.get(format!("{VALUE_2023}/history")).await.is(200).rows();
        assert_eq!(history.len(), 3, "each step is one event: {history:?}");
    }

    async fn a_step_needs_no_body(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        operator.put(VALUE_2023, json!({ "value": "19.1" })).await.is(201);
        operator.request(Method::POST, format!("{VALUE_2023}/submit")).await.is(200).has("state", "submitted");
        verifier.post(format!("{VALUE_2023}/verify"), json!({ "tpyo": 1 })).await.is(422).has_fault_at("/tpyo");
        verifier.request(Method::POST, format!("{VALUE_2023}/verify")).await.is(200).has("state", "verified");
        operator.post(format!("{STUNTING}/measurements/2019/submit"), json!({})).await.is(404).has_problem("not_found");
    }

    async fn everybody_writes_a_draft(app) {
        let everybody = [app.admin().await, app.verifier().await, app.operator_dinkes().await, app.client_dinkes().await];
        for (year, actor) in (2015..).zip(everybody) {
            let path = format!("{STUNTING}/measurements/{year}");
            actor.put(&path, json!({ "value": "25" })).await.is(201).has("state", "draft");
            actor.post(format!("{path}/submit"), json!({})).await.is(200).has("state", "submitted");
        }
        in_force(&app, "22.9").await;
    }

    async fn a_report_is_returned_with_a_reason(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        operator.put(VALUE_2023, json!({ "value": "19.1" })).await.is(201);
        operator.post(format!("{VALUE_2023}/submit"), json!({})).await.is(200);
        for body in [json!({}), json!({ "reason": "" }), json!({ "reason": null })] {
            verifier.post(format!("{VALUE_2023}/return"), body).await.is(422).has_fault_at("/reason");
        }
        let returned = verifier.post(format!("{VALUE_2023}/return"), json!({ "reason": "Bukti belum ada" })).await.is(200);
        returned.has("state", "returned").has("return_reason", "Bukti belum ada").has("returned_by", "verifier@demo.invalid");

        // Corrected, it still waits for its OPD.
        let etag = operator.etag_of(VALUE_2023).await;
        let corrected = operator.put(VALUE_2023, json!({ "value": "19.2" })).if_match(&etag).await.is(200);
        corrected.has("state", "returned").has("revision", 1);
        let refused = verifier.post(format!("{VALUE_2023}/verify"), json!({})).await.is(409);
        refused.has_problem("illegal_transition").has("allowed", json!(["submit"]));
        operator.post(format!("{VALUE_2023}/submit"), json!({})).await.is(200).has("state", "submitted");
        verifier.post(format!("{VALUE_2023}/verify"), json!({})).await.is(200).has("value", "19.2");
    }

    async fn a_changed_report_is_handed_in_again(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        operator.put(VALUE_2023, json!({ "value": "19.1" })).await.is(201);
        let submitted = operator.post(format!("{VALUE_2023}/submit"), json!({})).await.is(200);
        operator.put(VALUE_2023, json!({ "value": "18.1" })).if_match(&submitted.etag()).await.is(200).has("state", "draft");
        verifier.post(format!("{VALUE_2023}/verify"), json!({})).await.is(409).has_problem("illegal_transition");
    }

    async fn a_stale_step_is_refused(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        let draft = operator.put(VALUE_2023, json!({ "value": "19.1" })).await.is(201);
        let submitted = operator.post(format!("{VALUE_2023}/submit"), json!({})).if_match(&draft.etag()).await.is(200);
        let refused = verifier.post(format!("{VALUE_2023}/verify"), json!({})).if_match(&draft.etag()).await.is(412);
        refused.has_problem("precondition_failed");
        verifier.post(format!("{VALUE_2023}/verify"), json!({})).if_match(&submitted.etag()).await.is(200);
    }

    async fn a_retried_step_is_taken_once(app) {
        let operator = app.operator_dinkes().await;
        operator.put(VALUE_2023, json!({ "value": "19.1" })).await.is(201);
        let key = unique::word();
        let first = operator.post(format!("{VALUE_2023}/submit"), json!({})).idempotency_key(&key).await.is(200);
        let retry = operator.post(format!("{VALUE_2023}/submit"), json!({})).idempotency_key(&key).await.is(200);
        assert_eq!((retry.json(), retry.etag()), (first.json(), first.etag()));
        retry.has_header("idempotent-replayed", "true");
        operator.post(format!("{VALUE_2023}/submit"), json!({})).await.is(409).has_problem("illegal_transition");
    }

    async fn a_correction_leaves_the_verified_value_in_force(app) {
        let (operator, verifier, anyone) = (app.operator_dinkes().await, app.verifier().await, app.anyone());
        let etag = operator.etag_of(VALUE_2022).await;
        let refused = operator.put(VALUE_2022, json!({ "value": "21.9" })).if_match(&etag).await.is(422).has_fault_at("/reason");
        refused.has("errors/0/code", "required");
        assert_eq!(operator.etag_of(VALUE_2022).await, etag);

        let correction = json!({ "value": "21.9", "reason": "Salah hitung" });
        let draft = operator.put(VALUE_2022, correction).if_match(&etag).await.is(200).has("state", "draft");
        draft.has("revision", 2).has("reason", "Salah hitung").has("value", "21.9");
        in_force(&app, "22.9").await;
        operator.post(format!("{VALUE_2022}/submit"), json!({})).await.is(200).has("revision", 2);
        in_force(&app, "22.9").await;
        let waiting = verifier.get("/v1/reviews?opd=DINKES").await.is(200);
        waiting.has("data/0/report/value", "21.9").has("data/0/report/reason", "Salah hitung").has("data/0/in_force/value", "22.9");

        verifier.post(format!("{VALUE_2022}/verify"), json!({})).await.is(200).has("state", "verified").has("revision", 2);
        in_force(&app, "21.9").await;
        let past = anyone.get("/v1/public/kpis/STUNTING/standing?as_of=2022-12-31").await.is(200);
        past.has("latest/value", "22.9");
    }

    async fn a_returned_correction_changes_nothing_that_counts(app) {
        let (operator, verifier) = (app.operator_dinkes().await, app.verifier().await);
        let etag = operator.etag_of(VALUE_2022).await;
        operator.put(VALUE_2022, json!({ "value": "21.9", "reason": "Salah hitung" })).if_match(&etag).await.is(200);
        operator.post(format!("{VALUE_2022}/submit"), json!({})).await.is(200);
        verifier.post(format!("{VALUE_2022}/return"), json!({ "reason": "Bukan kesalahan" })).await.is(200).has("revision", 2);
        in_force(&app, "22.9").await;
    }

    async fn the_inbox_holds_what_waits(app) {
        let (admin, operator, verifier) = (app.admin().await, app.operator_dinkes().await, app.verifier().await);
        let mut keys = Vec::new();
        // The last one belongs to another agency.
        for opd in ["DINKES", "PKM-KAYANGAN", "DLH"] {
            let kpi = new_kpi(&admin, opd).await;
            let path = format!("{kpi}/measurements/2023");
            admin.put(&path, json!({ "value": "19" })).await.is(201);
            assert!(!listed(&verifier, "/v1/reviews").await.contains(&key_of(&path)), "a draft waits for nobody");
            take(&admin, &path, "submit").await.is(200);
            keys.push(key_of(&path));
        }
        assert_eq!(listed(&verifier, "/v1/reviews").await, keys, "the oldest first");
        assert_eq!(listed(&verifier, "/v1/reviews?limit=1&kind=measurement").await, keys);
        assert_eq!(listed(&verifier, "/v1/reviews?opd=DLH").await, keys[2..]);
        let row = verifier.get("/v1/reviews?opd=DLH").await.is(200).has("data/0/kind", "measurement").has("data/0/opd", "DLH");
        let row = row.has("data/0/key", keys[2].clone()).has("data/0/submitted_by", "admin@demo.invalid").has("data/0/in_force", Value::Null);
        row.has("data/0/report/state", "submitted").has("data/0/report/value", "19");
        verifier.get("/v1/reviews?kind=rumour").await.is(400).has_fault_in_parameter("kind");
        for actor in [operator, app.viewer().await, app.client_dinkes().await] {
            actor.get("/v1/reviews").await.is(403).has_problem("forbidden");
        }
        take(&verifier, &path_of(&keys[0]), "verify").await.is(200);
        assert_eq!(listed(&verifier, "/v1/reviews").await, keys[1..]);
    }

    async fn each_step_has_its_people(app) {
        let operator = app.operator_dinkes().await;
        operator.put(VALUE_2023, json!({ "value": "19.1" })).await.is(201);
        for stranger in [app.operator_dlh().await, app.client_dlh().await] {
            let refused = stranger.put(format!("{STUNTING}/measurements/2018"), json!({ "value": "19.1" })).await.is(403);
            refused.has_problem("outside_own_opd");
            take(&stranger, VALUE_2023, "submit").await.is(403).has_problem("outside_own_opd");
        }
        take(&app.viewer().await, VALUE_2023, "submit").await.is(403).has_problem("forbidden");
        take(&app.client_dinkes().await, VALUE_2023, "submit").await.is(200).has("submitted_by", "demo-dinkes");
        for actor in [operator, app.operator_dlh().await, app.viewer().await, app.client_dinkes().await] {
            for step in ["verify", "return"] {
                take(&actor, VALUE_2023, step).await.is(403).has_problem("forbidden");
            }
        }
        take(&app.anyone(), VALUE_2023, "submit").await.is(401);
        app.admin().await.get(VALUE_2023).await.is(200).has("state", "submitted");
    }

    async fn the_public_sees_no_draft(app) {
        let (admin, operator, verifier) = (app.admin().await, app.operator_dinkes().await, app.verifier().await);
        let anyone = app.anyone();
        let kpi = "/v1/public/kpis/STUNTING";
        let paths = [kpi.to_owned(), format!("{kpi}/standing"), format!("{kpi}/series"), "/v1/public/kpis".to_owned()];
        let hidden = |text: String| assert!(!text.contains("\"17.37\"") && !text.contains("Rahasia"), "{text}");
        operator.put(VALUE_2023, json!({ "value": "17.37", "note": "Rahasia" })).await.is(201);
        for step in ["draft", "submit", "return"] {
            if step != "draft" {
                let path = format!("{VALUE_2023}/{step}");
                let body = if step == "return" { json!({ "reason": "Rahasia" }) } else { json!({}) };
                (if step == "return" { &verifier } else { &operator }).post(path, body).await.is(200);
            }
            for path in &paths {
                hidden(anyone.get(path).await.is(200).text());
            }
            // A projection knows no more than the public.
            admin.get("/v1/kpis/STUNTING/standing").await.is(200).has("latest/period", "2022");
        }
        take(&operator, VALUE_2023, "submit").await.is(200);
        take(&verifier, VALUE_2023, "verify").await.is(200);
        let standing = anyone.get("/v1/public/kpis/STUNTING/standing").await.is(200).has("latest/value", "17.37");
        assert!(!standing.text().contains("Rahasia"), "a remark of the review is shown: {standing:?}");
    }

    async fn of_two_who_decide_at_once_one_wins(app) {
        let (admin, verifier, operator) = (app.admin().await, app.verifier().await, app.operator_dinkes().await);
        operator.put(VALUE_2023, json!({ "value": "19.1" })).await.is(201);
        take(&operator, VALUE_2023, "submit").await.is(200);
        let attempts = (0..10).map(|turn| match turn % 2 {
            0 => take(&verifier, VALUE_2023, "verify"),
            _ => take(&admin, VALUE_2023, "return"),
        });
        let answers = futures_util::future::join_all(attempts.map(IntoFuture::into_future)).await;
        let statuses = answers.iter().map(|answer| answer.status()).collect::<Vec<_>>();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    }
}

/// Takes a step, with a reason where one is needed.
fn take(actor: &Actor, path: &str, step: &str) -> Request {
    let body = if step == "return" { json!({ "reason": "Uji" }) } else { json!({}) };
    actor.post(format!("{path}/{step}"), body)
}

/// Expects which value of stunting is in force.
async fn in_force(app: &App, value: &str) {
    app.viewer().await.get("/v1/kpis/STUNTING/standing").await.is(200).has("latest/value", value);
    app.anyone().get("/v1/public/kpis/STUNTING/standing").await.is(200).has("latest/value", value);
}

/// Creates a KPI that nothing was measured of, and answers its path.
async fn new_kpi(admin: &Actor, opd: &str) -> String {
    let (code, mut body) = KPIS.new_body();
    body["opd"] = json!(opd);
    body["programme"] = Value::Null;
    admin.create(KPIS.path, body).await;
    KPIS.one(&code)
}

/// The keys of what waits.
async fn listed(actor: &Actor, path: &str) -> Vec<String> {
    actor.all(path).await.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect()
}

/// `T-1/2023` of `/v1/kpis/T-1/measurements/2023`.
fn key_of(path: &str) -> String {
    path.trim_start_matches("/v1/kpis/").replace("/measurements/", "/")
}

fn path_of(key: &str) -> String {
    format!("/v1/kpis/{}", key.replace('/', "/measurements/"))
}
