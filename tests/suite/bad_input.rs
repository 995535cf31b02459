//! Bad input: each a clear problem, and nothing changed.

use std::fmt::Write;

use renaksi_tests::actor::Request;
use renaksi_tests::{Actor, App, on_a_shared_server, on_both_databases, on_shared_servers, on_sqlite};
use reqwest::Method;
use serde_json::{Value, json};

const PROGRAMME: &str = "/v1/programmes/SL-01";
const KPI: &str = "/v1/kpis/STUNTING";

on_shared_servers! {
    async fn strange_codes_in_paths_are_not_found(app) {
        let admin = app.admin().await;
        for code in ["%00", "a%00b", "..%2F..%2Fetc", "%F0%9F%8C%B4", "'%20OR%201=1--", &"x".repeat(3000), "%FF"] {
            let answer = admin.get(format!("/v1/programmes/{code}")).await;
            assert!([400, 404].contains(&answer.status()), "{code}: {answer:?}");
            assert_eq!(answer.media_type(), "application/problem+json", "{code}");
        }
        // What a client sends is repeated only as far as the document allows.
        admin.get(format!("/v1/programmes/{}", "x".repeat(5000))).await.is(404);
    }
}

on_a_shared_server! {
    async fn bad_parameters_are_named(app) {
        let admin = app.admin().await;
        for (path, name) in [
            ("/v1/programmes?limit=-1", "limit"),
            ("/v1/programmes?limit=99999999999999999999", "limit"),
            ("/v1/summary?as_of=2022-13-01", "as_of"),
            ("/v1/summary?as_of=tomorrow", "as_of"),
            ("/v1/summary?as_of=-999-01-01", "as_of"),
            ("/v1/summary?as_of=2022-%209-%201", "as_of"),
            ("/v1/programmes?start_date[gte]=%2B12345-1-1", "start_date[gte]"),
            ("/v1/summary?tpyo=1", "tpyo"),
            ("/v1/timeline?interval=fortnight", "interval"),
            ("/v1/kpis/STUNTING/standing?as_of=x", "as_of"),
            ("/v1/kpis/STUNTING/series?from=x", "from"),
            ("/v1/public/summary?as_of=x", "as_of"),
            ("/v1/public/programmes?tpyo=1", "tpyo"),
            ("/v1/public/programmes?limit=-1", "limit"),
            ("/v1/programmes/SL-01?tpyo=1", "tpyo"),
            ("/v1/public/charts/summary.svg?width=319", "width"),
            ("/v1/public/charts/summary.svg?width=+400", "width"),
            ("/v1/public/charts/timeline.svg?theme=pink", "theme"),
            ("/v1/public/charts/timeline.svg?interval=fortnight", "interval"),
            ("/v1/public/charts/scoreboard.svg?lang=fr", "lang"),
            ("/v1/public/charts/kpis/STUNTING.svg?width=1601", "width"),
            ("/v1/public/charts/kpis/STUNTING.svg?from=x", "from"),
            ("/v1/public/charts/kpis/STUNTING.svg?as_of=2022-10-04", "as_of"),
        ] {
            let answer = admin.get(path).await;
            assert_eq!(answer.status(), 400, "{path}: {answer:?}");
            let _ = answer.is(400).has_problem("invalid_parameter").has_fault_in_parameter(name);
        }
        let mut long = String::from("/v1/programmes?q=");
        write!(long, "{}", "x".repeat(20_000)).unwrap();
        let answer = admin.get(long).await;
        assert!([400, 414].contains(&answer.status()), "{answer:?}");
        for path in ["/v1/programmes?q=%FF%FE", "/v1/programmes?q=%zz"] {
            let answer = admin.get(path).await;
            assert!([200, 400].contains(&answer.status()), "{answer:?}");
        }
    }
}

on_both_databases! {
    async fn bad_values_change_nothing(app) {
        let state = State::of(&app).await;
        let faults = [
            (json!({ "tpyo": 1 }), "/tpyo"),
            (json!({ "name": 5 }), "/name"),
            (json!({ "name": null }), "/name"),
            (json!({ "name": "" }), "/name"),
            (json!({ "published": "yes" }), "/published"),
            (json!({ "budget": "1e400" }), "/budget"),
            (json!({ "budget": "12,5" }), "/budget"),
            (json!({ "budget": "" }), "/budget"),
            (json!({ "budget": "1234567890123456" }), "/budget"),
            (json!({ "budget": "-1" }), "/budget"),
            (json!({ "start_date": "2022-02-30" }), "/start_date"),
            (json!({ "start_date": "04/10/2022" }), "/start_date"),
            (json!({ "start_date": "2022-10-04T00:00:00Z" }), "/start_date"),
            (json!({ "start_date": "2022-10-04", "end_date": "2022-10-03" }), "/end_date"),
            (json!({ "lead_opd": "NO-SUCH" }), "/lead_opd"),
            (json!({ "dimension": "NO-SUCH" }), "/dimension"),
            (json!({ "masterplan": "NO-SUCH" }), "/masterplan"),
            (json!({ "supporting_opds": ["DLH", "NO-SUCH"] }), "/supporting_opds/1"),
            (json!({ "supporting_opds": "DLH" }), "/supporting_opds"),
            (json!({ "supporting_opds": ["DLH", "DLH"] }), "/supporting_opds/1"),
            (json!({ "regions": ["no spaces allowed"] }), "/regions/0"),
            (json!({ "provenance": { "basis": "hearsay" } }), "/provenance/basis"),
            (json!({ "provenance": { "tpyo": 1 } }), "/provenance/tpyo"),
            (json!({ "status": "completed" }), "/status"),
        ];
        for (patch, pointer) in faults {
            let answer = state.admin.patch(PROGRAMME, patch.clone()).if_match(&state.etag).await;
            assert_eq!(answer.status(), 422, "{patch}: {answer:?}");
            let _ = answer.is(422).has_problem("invalid").has_fault_at(pointer);
        }
        state.is_unchanged().await;
    }

    async fn kpis_keep_their_kind(app) {
        let state = State::of(&app).await;
        let value = |value: &str| json!({ "value": value });
        for (path, body, pointer) in [
            ("/measurements/2023", value("100.1"), "/value"),
            ("/measurements/2023", value("-0.1"), "/value"),
            ("/targets/2023", json!({ "value": "101", "kind": "commitment" }), "/value"),
            ("/targets/2023", json!({ "value": "10", "kind": "wish" }), "/kind"),
            ("/measurements/2023", json!({}), "/value"),
            ("/measurements/2023", value("many"), "/value"),
            ("/measurements/2023", value("1234567890.1234567"), "/value"),
            ("/measurements/2023", json!({ "value": "10", "tpyo": 1 }), "/tpyo"),
        ] {
            let answer = state.admin.put(format!("{KPI}{path}"), body.clone()).await;
            assert_eq!(answer.status(), 422, "{path} {body}: {answer:?}");
            let _ = answer.is(422).has_fault_at(pointer);
        }
        for period in ["2022-Q3", "2022-09", "22", "2022-Q5", "2022-13", "abcd", "0000", "99999", "2022%00"] {
            for path in ["measurements", "targets"] {
                let answer = state.admin.put(format!("{KPI}/{path}/{period}"), value("10")).await;
                assert!([400, 404, 422].contains(&answer.status()), "{path}/{period}: {answer:?}");
                let status = answer.status();
                let _ = answer.is(status);
            }
        }
        state.admin.put(format!("{KPI}/measurements/2022-Q3"), value("10")).await.is(422);
        state.is_unchanged().await;
    }

    async fn trees_have_no_cycles(app) {
        let admin = app.admin().await;
        let etag = admin.etag_of("/v1/opds/DINKES").await;
        for parent in ["DINKES", "PKM-KAYANGAN"] {
            let refused = admin.patch("/v1/opds/DINKES", json!({ "parent": parent })).if_match(&etag).await;
            assert!([409, 422].contains(&refused.status()), "{refused:?}");
        }
        admin.patch("/v1/opds/DINKES", json!({ "parent": "NO-SUCH" })).if_match(&etag).await.is(422).has_fault_at("/parent");
        assert_eq!(admin.etag_of("/v1/opds/DINKES").await, etag);
        let region = admin.etag_of("/v1/regions/52.08.01").await;
        let refused = admin.patch("/v1/regions/52.08.01", json!({ "parent": "52.08.01" })).if_match(&region).await;
        assert!([409, 422].contains(&refused.status()), "{refused:?}");
    }

    async fn an_illegal_move_changes_nothing(app) {
        let state = State::of(&app).await;
        let path = format!("{PROGRAMME}/transitions");
        for (body, status) in [
            (json!({ "to": "planned", "effective_on": "2022-11-01" }), 409),
            (json!({ "to": "running", "effective_on": "2022-11-01" }), 409),
            (json!({ "to": "completed", "effective_on": "1990-01-01" }), 409),
            (json!({ "to": "asleep", "effective_on": "2022-11-01" }), 422),
            (json!({ "to": "completed", "effective_on": "2999-01-01" }), 422),
            (json!({ "effective_on": "2022-11-01" }), 422),
            (json!({ "to": "completed", "effective_on": "soon" }), 422),
        ] {
            let answer = state.admin.post(&path, body.clone()).await;
            let close = answer.status() == status || (status == 409 && body["effective_on"] == "1990-01-01" && answer.status() == 422);
            assert!(close, "{body}: {answer:?}");
        }
        let refused = state.admin.post(&path, json!({ "to": "planned", "effective_on": "2022-11-01" })).await.is(409);
        refused.has_problem("illegal_transition");
        state.is_unchanged().await;
    }
}

on_sqlite! {
    async fn bad_json_changes_nothing(app) {
        let state = State::of(&app).await;
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(10 * 1024 * 1024));
        let deep = format!(r#"{{"name":{}1{}}}"#, "[".repeat(1000), "]".repeat(1000));
        let deep_objects = format!("{}1{}", r#"{"name":"#.repeat(1000), "}".repeat(1000));
        let raw: [(&str, Vec<u8>, &[u16]); 12] = [
            ("10 MB", long.into_bytes(), &[413]),
            ("1,000 deep arrays", deep.into_bytes(), &[400, 422]),
            ("1,000 deep objects", deep_objects.into_bytes(), &[400, 422]),
            ("invalid UTF-8", b"{\"name\":\"\xff\xfe\"}".to_vec(), &[400]),
            ("overlong UTF-8", b"{\"name\":\"\xc0\x80\"}".to_vec(), &[400]),
            ("a lone surrogate", br#"{"name":"\ud800"}"#.to_vec(), &[400, 422]),
            ("a raw NUL", b"{\"name\":\"a\0b\"}".to_vec(), &[400]),
            ("a written NUL", br#"{"name":"a\u0000b"}"#.to_vec(), &[422]),
            ("1e400", br#"{"budget":1e400}"#.to_vec(), &[400, 422]),
            ("-1e400", br#"{"budget":-1e400}"#.to_vec(), &[400, 422]),
            ("NaN", br#"{"budget":NaN}"#.to_vec(), &[400]),
            ("two values", br#"{"name":"a"} {"name":"b"}"#.to_vec(), &[400]),
        ];
        for (what, body, statuses) in raw {
            let patch = state.admin.request(Method::PATCH, PROGRAMME).if_match(&state.etag).body(body, "application/merge-patch+json");
            refused(what, patch, statuses).await;
        }
        state.is_unchanged().await;
    }
}

/// What must stay as it was.
struct State {
    admin: Actor,
    etag: String,
    seen: Vec<Value>,
}

impl State {
    async fn of(app: &App) -> Self {
        let admin = app.admin().await;
        Self { etag: admin.etag_of(PROGRAMME).await, seen: Self::look(&admin).await, admin }
    }

    async fn look(admin: &Actor) -> Vec<Value> {
        let mut seen = Vec::new();
        for path in [PROGRAMME, KPI] {
            seen.push(admin.get(path).await.is(200).json());
            seen.push(admin.get(format!("{path}/history")).await.is(200).json());
        }
        for path in ["targets", "measurements"] {
            seen.push(admin.get(format!("{KPI}/{path}")).await.is(200).json());
        }
        seen.push(admin.get(format!("{PROGRAMME}/transitions")).await.is(200).json());
        seen
    }

    async fn is_unchanged(&self) {
        assert_eq!(Self::look(&self.admin).await, self.seen);
    }
}

async fn refused(what: &str, request: Request, statuses: &[u16]) {
    let answer = request.await;
    assert!(statuses.contains(&answer.status()), "{what}: {answer:?}");
    let status = answer.status();
    let _ = answer.is(status);
}
