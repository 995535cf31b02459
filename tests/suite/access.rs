//! Who may do what: every operation of the document, walked with every kind of visitor.

use std::collections::BTreeSet;

use renaksi_tests::document::{Document, Operation};
use renaksi_tests::{Actor, Answer, on_a_shared_server, on_both_databases, on_shared_servers};
use reqwest::Method;
use serde_json::{Value, json};

/// A well-formed identifier that nothing has.
const NO_UUID: &str = "01890000-0000-7000-8000-000000000000";

on_shared_servers! {
    async fn what_the_document_calls_public_needs_no_token(app) {
        for operation in Document::get().operations().iter().filter(|operation| operation.public && operation.ends()) {
            let answer = send(&app.anyone(), operation, &unknown(operation), &json!({})).await;
            assert!(![401, 403].contains(&answer.status()) || operation.path.starts_with("/v1/auth/"), "{}: {answer:?}", operation.name());
            assert!(!operation.path.starts_with("/v1/") || operation.path.starts_with("/v1/public/") || operation.path.starts_with("/v1/auth/"), "{} is public", operation.name());
        }
    }

    // A ticket for a stream writes nothing: it only stands for the token of who reads.
    async fn a_viewer_writes_nothing(app) {
        let viewer = app.viewer().await;
        for operation in Document::get().operations().iter().filter(|operation| !operation.public && operation.ends()) {
            let answer = send(&viewer, operation, &unknown(operation), &json!({})).await;
            let own_account = operation.path.starts_with("/v1/me");
            let of_others = ["/v1/users", "/v1/clients", "/v1/webhooks", "/v1/reviews"].iter().any(|path| operation.path.starts_with(path));
            let ticket = operation.path == "/v1/events/tickets";
            if operation.method != "GET" && !own_account && !ticket || of_others {
                assert_eq!(answer.status(), 403, "{}: {answer:?}", operation.name());
                let _ = answer.is(403).has_problem("forbidden");
            } else {
                let needs_more = operation.method != "GET" && operation.value["requestBody"]["required"] == true;
                let expected = if operation.path.contains('{') { 404 } else if needs_more { 422 } else { 200 };
                assert_eq!(answer.status(), expected, "{}: {answer:?}", operation.name());
            }
        }
    }

    async fn an_unknown_code_is_not_found(app) {
        let admin = app.admin().await;
        for operation in Document::get().operations().iter().filter(|operation| operation.path.contains('{') && operation.method != "PUT") {
            let body = body_of(operation);
            let answer = send(&admin, operation, &unknown(operation), &body).await;
            assert_eq!(answer.status(), 404, "{}: {answer:?}", operation.name());
            if !operation.path.starts_with("/docs") {
                let _ = answer.is(404).has_problem("not_found");
            }
        }
    }

    async fn a_part_of_an_unknown_whole_is_not_found(app) {
        let admin = app.admin().await;
        for path in ["/v1/kpis/NO-SUCH/targets/2022", "/v1/kpis/NO-SUCH/measurements/2022"] {
            admin.put(path, json!({ "value": "1" })).await.is(404).has_problem("not_found");
        }
        for path in ["/v1/kpis/STUNTING/targets/1999", "/v1/kpis/STUNTING/measurements/1999"] {
            admin.get(path).await.is(404);
            admin.delete(path).if_match("\"1\"").await.is(404);
        }
    }

    async fn a_part_is_found_under_its_own_whole_only(app) {
        let (admin, document) = (app.admin().await, Document::get());
        let mut walked = BTreeSet::new();
        for operation in document.operations().into_iter().filter(|operation| operation.method == "GET" && operation.ends()) {
            let path = &operation.path;
            let Some((whole, part)) = path.split_once("}/").filter(|(_, part)| part.contains('{')) else { continue };
            let (collection, _) = whole.rsplit_once("/{").unwrap();
            let (list, _) = part.split_once("/{").unwrap();
            // A whole with such a part, and another one.
            let wholes = admin.get(collection).await.is(200).rows();
            let codes = wholes.iter().filter_map(|row| row["code"].as_str().or(row["id"].as_str())).collect::<Vec<_>>();
            for code in &codes {
                let parts = admin.get(format!("{collection}/{code}/{list}")).await.is(200).rows();
                let Some(key) = parts.first().map(|row| ["quarter", "period", "id"].map(|name| row[name].clone())) else { continue };
                let key = key.iter().find(|key| !key.is_null()).unwrap().to_string().replace('"', "");
                let rest = part.split_once('}').unwrap().1;
                let at = |whole: &str| format!("{collection}/{whole}/{list}/{key}{rest}");
                admin.get(at(code)).await.is(200);
                for other in ["NO-SUCH", "%C3%97", "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21"] {
                    assert_eq!(admin.get(at(other)).await.status(), 404, "{}", at(other));
                }
                walked.insert(path.clone());
                break;
            }
        }
        assert!(walked.len() >= 8, "{walked:?}");
    }

    async fn an_operator_writes_for_its_own_opd_and_below(app) {
        let (operator, admin) = (app.operator_dinkes().await, app.admin().await);
        let resource = renaksi_tests::resource::PROGRAMMES;
        for (opd, status) in [("DINKES", 201), ("PKM-KAYANGAN", 201), ("DLH", 403), ("KOMINFO", 403)] {
            let (_, mut body) = resource.new_body();
            body["lead_opd"] = json!(opd);
            operator.post(resource.path, body).await.is(status);
        }
        // Neither taking from others nor giving away.
        let (code, body) = resource.new_body();
        let etag = operator.create(resource.path, body.clone()).await.etag();
        operator.patch(resource.one(&code), json!({ "lead_opd": "DLH" })).if_match(&etag).await.is(403).has_problem("outside_own_opd");
        let foreign = admin.etag_of("/v1/programmes/SV-01").await;
        operator.patch("/v1/programmes/SV-01", json!({ "lead_opd": "DINKES" })).if_match(&foreign).await.is(403);
        let (code, mut body) = resource.new_body();
        body["lead_opd"] = json!("DLH");
        operator.put(resource.one(&code), body).await.is(403);
        admin.get(resource.one(&code)).await.is(404);
    }

    async fn an_operator_and_a_verifier_set_nothing_up(app) {
        for actor in [app.operator_dinkes().await, app.verifier().await] {
            for resource in [renaksi_tests::resource::OPDS, renaksi_tests::resource::REGIONS, renaksi_tests::resource::DIMENSIONS, renaksi_tests::resource::MASTERPLANS] {
                let (_, body) = resource.new_body();
                actor.post(resource.path, body).await.is(403).has_problem("forbidden");
            }
            actor.get("/v1/users").await.is(403);
        }
    }
}

on_a_shared_server! {
    async fn every_private_operation_needs_a_token(app) {
        let anyone = app.anyone();
        let mut walked = 0;
        for operation in Document::get().operations().iter().filter(|operation| !operation.public) {
            let refused = send(&anyone, operation, &unknown(operation), &json!({})).await;
            assert_eq!(refused.status(), 401, "{}", operation.name());
            let refused = refused.is(401).has_problem("unauthenticated");
            assert!(refused.header("www-authenticate").is_some_and(|way| way.starts_with("Bearer")), "{}", operation.name());
            walked += 1;
        }
        assert!(walked > 50, "only {walked} private operations");
    }
}

on_both_databases! {
    async fn another_opds_rows_are_out_of_reach(app) {
        let (stranger, admin) = (app.operator_dlh().await, app.admin().await);
        let mut refusals = 0;
        for operation in Document::get().operations().iter().filter(|operation| !operation.public && operation.method != "GET") {
            let Some(path) = of_dinkes(operation) else { continue };
            let etag = admin.get(&path).await.header("etag").unwrap_or("\"1\"").to_owned();
            let mut body = body_of(operation);
            if operation.method == "PUT" && !body.as_object().is_some_and(|body| body.contains_key("value")) {
                body = without_read_only(admin.get(&path).await.json());
            }
            let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
            let refused = stranger.request(method, &path).json(&body).if_match(&etag).await;
            assert_eq!(refused.status(), 403, "{} {path}: {refused:?}", operation.method);
            refusals += 1;
        }
        assert!(refusals >= 6, "only {refusals} operations write to a programme or KPI");
        assert_eq!(admin.get("/v1/programmes/SL-01/history").await.is(200).rows().len(), history_in_demo(&admin).await);
    }
}

async fn send(actor: &Actor, operation: &Operation, path: &str, body: &Value) -> Answer {
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
    let request = actor.request(method, path);
    if operation.method == "GET" || operation.method == "HEAD" {
        return request.await;
    }
    request.json(body).if_match("\"1\"").await
}

fn unknown(operation: &Operation) -> String {
    operation.path_with(|name| match name {
        "id" => NO_UUID.to_owned(),
        "period" => "2022".to_owned(),
        _ => "NO-SUCH-CODE".to_owned(),
    })
}

/// A body that has nothing wrong with it, where an operation needs one before it looks for the row.
fn body_of(operation: &Operation) -> Value {
    match operation.path.rsplit('/').next() {
        Some("transitions") => json!({ "to": "suspended", "effective_on": "2022-12-01", "reason": "Uji" }),
        Some("{period}") => json!({ "value": "10" }),
        _ => json!({}),
    }
}

/// The path of something of DINKES, for operations on a programme or a KPI.
fn of_dinkes(operation: &Operation) -> Option<String> {
    let code = match operation.path.split('/').collect::<Vec<_>>().as_slice() {
        [_, _, "programmes", "{code}", ..] => "SL-01",
        [_, _, "kpis", "{code}", ..] => "STUNTING",
        [_, _, "quick-wins", "{code}", ..] => "QW-SS",
        _ => return None,
    };
    Some(operation.path_with(|name| if name == "code" { code.to_owned() } else { "2022".to_owned() }))
}

fn without_read_only(mut body: Value) -> Value {
    for member in ["version", "created_at", "updated_at", "status", "progress"] {
        body.as_object_mut().unwrap().remove(member);
    }
    body
}

async fn history_in_demo(admin: &Actor) -> usize {
    let version = admin.get("/v1/programmes/SL-01").await.is(200).at("version");
    usize::try_from(version.as_u64().unwrap()).unwrap()
}
