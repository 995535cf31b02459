//! What the public sees: what is published, and nothing of what is not.

use renaksi_tests::document::Document;
use renaksi_tests::resource::{AWARDS, KPIS, MASTERPLANS, OPDS, PROGRAMMES, QUICK_WINS, SURVEYS};
use renaksi_tests::{App, on_a_shared_server, on_both_databases, on_shared_servers, on_sqlite, unique};
use reqwest::Method;
use serde_json::{Value, json};

/// An evaluation that is closed.
const CLOSED: &str = "EVAL-PUBLIK";

on_shared_servers! {
    async fn publishing_shows_and_hides(app) {
        let admin = app.admin().await;
        for resource in [PROGRAMMES, QUICK_WINS, KPIS, AWARDS, SURVEYS] {
            let (_, mut body) = resource.new_body();
            body["published"] = json!(true);
            let (key, created) = resource.create_as(&admin, body).await;
            let path = public(&resource.one(&key));
            app.anyone().get(&path).await.is(200).has(resource.key, key.clone());
            admin.patch(resource.one(&key), json!({ "published": false })).if_match(&created.etag()).await.is(200);
            app.anyone().get(&path).await.is(404);
            let listed = app.anyone().get(format!("{}?{}={key}", public(resource.path), resource.key)).await;
            assert!(listed.status() == 400 || listed.rows().is_empty(), "{listed:?}");
        }
    }
}

on_a_shared_server! {
    async fn any_site_may_read_what_is_public(app) {
        let anyone = app.anyone();
        let answer = anyone.get("/v1/public/summary").header("Origin", "https://berita.invalid").await.is(200);
        answer.has_header("access-control-allow-origin", "*");
        let preflight = anyone.request(Method::OPTIONS, "/v1/public/summary").header("Origin", "https://berita.invalid");
        let answer = preflight.header("Access-Control-Request-Method", "GET").header("Access-Control-Request-Headers", "if-none-match").await;
        assert!([200, 204].contains(&answer.status()), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let private = anyone.get("/v1/programmes").header("Origin", "https://berita.invalid").await;
        assert_eq!(private.header("access-control-allow-origin"), None, "only listed origins read what is private");
    }
}

on_both_databases! {
    async fn what_is_not_published_is_not_there(app) {
        let admin = app.admin().await;
        let word = unique::word();
        let mut codes = Vec::new();
        for resource in [PROGRAMMES, QUICK_WINS, KPIS, AWARDS, MASTERPLANS, SURVEYS] {
            let (_, mut body) = resource.new_body();
            body[resource.text] = json!(format!("Rahasia {word}"));
            let (key, _) = resource.create_as(&admin, body).await;
            app.anyone().get(public(&resource.one(&key))).await.is(404).has_problem("not_found");
            codes.push(key);
        }
        for (path, text) in every_public_answer(&app, &[]).await {
            assert!(!text.contains(&word), "{path} shows what is not published");
            for code in &codes {
                assert!(!text.contains(code), "{path} shows {code}, which is not published");
            }
        }
    }

    async fn what_is_hidden_is_not_named_by_what_refers_to_it(app) {
        let admin = app.admin().await;
        let (hidden, body) = PROGRAMMES.new_body();
        admin.create(PROGRAMMES.path, body).await;
        let mut seen = Vec::new();
        for resource in [KPIS, QUICK_WINS] {
            let (code, mut body) = resource.new_body();
            body["published"] = json!(true);
            body["programme"] = json!(hidden);
            admin.create(resource.path, body).await;
            let (_, mut award) = AWARDS.new_body();
            award["published"] = json!(true);
            award["recipient"] = json!({ "kind": "programme", "ref": hidden });
            admin.create(AWARDS.path, award).await;
            seen.push(public(&resource.one(&code)));
        }
        let references = seen.iter().map(String::as_str).collect::<Vec<_>>();
        for (path, text) in every_public_answer(&app, &references).await {
            assert!(!text.contains(&hidden), "{path} names {hidden}, which is not published");
        }
        app.anyone().get(format!("/v1/public/kpis?programme={hidden}")).await;
    }

    async fn nobodys_contact_is_public(app) {
        let admin = app.admin().await;
        let (code, mut body) = OPDS.new_body();
        let (mail, phone) = (unique::email(), format!("+62 {}", unique::word()));
        body["email"] = json!(mail);
        body["phone"] = json!("+62 370 123987456");
        admin.create(OPDS.path, body).await;
        let (_, mut programme) = PROGRAMMES.new_body();
        programme["lead_opd"] = json!(code);
        programme["published"] = json!(true);
        admin.create(PROGRAMMES.path, programme).await;
        let paths = [public(&OPDS.one(&code)), format!("/v1/public/programmes?lead_opd={code}")];
        let extra = paths.iter().map(String::as_str).collect::<Vec<_>>();
        for (path, text) in every_public_answer(&app, &extra).await {
            for hidden in [mail.as_str(), phone.as_str(), "123987456", "@demo.invalid", "@tests.invalid"] {
                assert!(!text.contains(hidden), "{path} shows {hidden}");
            }
            let value = serde_json::from_str::<Value>(&text).unwrap_or_default();
            for member in ["email", "phone", "recorded_by", "reported_by", "verified_by", "actor", "version"] {
                assert!(!has_member(&value, member), "{path} shows `{member}`: {text}");
            }
        }
    }

    async fn drafts_of_measurements_are_not_public(app) {
        let note = unique::word();
        let report = json!({ "value": "19.87", "note": note });
        app.operator_dinkes().await.put("/v1/kpis/STUNTING/measurements/2023", report).await.is(201);
        for (path, text) in every_public_answer(&app, &[]).await {
            assert!(!text.contains("19.87") && !text.contains(&note), "{path} shows a draft");
        }
    }
}

on_sqlite! {
    async fn public_answers_may_be_kept_and_asked_again(app) {
        for path in ["/v1/public/summary", "/v1/public/programmes", "/v1/public/kpis/STUNTING/standing", "/v1/public/programmes/SL-01"] {
            let answer = app.anyone().get(path).await.is(200);
            assert!(answer.header("cache-control").is_some_and(|value| value.contains("public")), "{answer:?}");
            app.anyone().get(path).if_none_match(&answer.etag()).await.is(304);
        }
    }

    async fn listed_origins_use_the_rest(app) {
        let app = app.replica_with(&[("RENAKSI_CORS_ORIGINS", "https://dasbor.invalid,https://lain.invalid")]);
        let anyone = app.anyone();
        let allowed = |answer: &renaksi_tests::Answer| answer.header("access-control-allow-origin").map(str::to_owned);
        let good = anyone.get("/v1/programmes").header("Origin", "https://dasbor.invalid").await.is(401);
        assert_eq!(allowed(&good).as_deref(), Some("https://dasbor.invalid"));
        let exposed = good.header("access-control-expose-headers").unwrap_or_default().to_lowercase();
        let headers = [
            "accept-patch", "age", "allow", "content-disposition", "etag", "idempotent-replayed", "link", "location", "ratelimit",
            "ratelimit-policy", "retry-after", "www-authenticate", "x-request-id",
        ];
        for header in headers {
            assert!(exposed.split(", ").any(|known| known == header), "a page cannot read {header}: {exposed}");
        }
        let preflight = anyone.request(Method::OPTIONS, "/v1/programmes/SL-01").header("Origin", "https://dasbor.invalid");
        let preflight = preflight.header("Access-Control-Request-Method", "PATCH").header("Access-Control-Request-Headers", "authorization,if-match,content-type,idempotency-key");
        let answer = preflight.await;
        assert!([200, 204].contains(&answer.status()), "{answer:?}");
        assert!(answer.header("access-control-allow-methods").is_some_and(|methods| methods.contains("PATCH")));
        // What apps and their libraries send: to resume a stream, and to trace a request.
        for path in ["/v1/events/stream", "/v1/public/events/stream", "/v1/programmes"] {
            for header in ["Last-Event-ID", "Cache-Control", "X-Requested-With", "traceparent", "tracestate", "baggage", "Authorization"] {
                let preflight = anyone.request(Method::OPTIONS, path).header("Origin", "https://dasbor.invalid");
                let preflight = preflight.header("Access-Control-Request-Method", "GET").header("Access-Control-Request-Headers", header);
                let answer = preflight.await;
                let allowed = answer.header("access-control-allow-headers").unwrap_or_default().to_lowercase();
                assert!(allowed.split(", ").any(|known| known == header.to_lowercase()), "{header} of {path}: {allowed}");
            }
        }
        let bad = anyone.get("/v1/programmes").header("Origin", "https://elsewhere.invalid").await.is(401);
        assert_eq!(allowed(&bad), None);
    }

    async fn an_app_on_the_developers_machine_logs_in_to_the_demo(app) {
        let anyone = app.anyone();
        for origin in ["http://localhost:5173", "http://127.0.0.1:3000", "https://localhost:8443", "http://localhost"] {
            let answer = anyone.log_in("viewer@demo.invalid", renaksi_tests::server::PASSWORD).header("Origin", origin).await.is(200);
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            let viewer = anyone.with_token(&answer.text_at("access_token"));
            let read = viewer.get("/v1/programmes").header("Origin", origin).await.is(200);
            assert_eq!(read.header("access-control-allow-origin"), Some(origin));
            assert!(read.headers("vary").to_lowercase().contains("origin"), "{read:?}");
        }
        for origin in ["http://localhost.evil.invalid", "http://evil.invalid:5173", "null"] {
            let answer = anyone.get("/v1/programmes").header("Origin", origin).await.is(401);
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        }
    }
}

fn public(path: &str) -> String {
    path.replace("/v1/", "/v1/public/")
}

/// Every public GET without a parameter in its path, all pages of the lists, what the demo data has by code, and `extra`.
async fn every_public_answer(app: &App, extra: &[&str]) -> Vec<(String, String)> {
    let anyone = app.anyone();
    close_an_evaluation(app).await;
    let operations = Document::get().operations();
    let public = operations
        .iter()
        .filter(|operation| operation.method == "GET" && operation.path.starts_with("/v1/public/") && operation.ends());
    let mut paths = extra.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    for operation in public {
        let (list, is_one) = operation.path.split_once("/{id}").map_or(("", false), |(list, _)| (list, true));
        let id = if is_one {
            let list = if list.contains("{code}") { list.replace("{code}", demo_code(list)) } else { list.to_owned() };
            anyone.get(list).await.is(200).rows().first().map(|row| row["id"].as_str().unwrap().to_owned())
        } else {
            Some(String::new())
        };
        let Some(id) = id else { continue };
        paths.push(operation.path_with(|name| if name == "id" { id.clone() } else { demo_code(&operation.path).to_owned() }));
    }
    let mut answers = Vec::new();
    for path in paths {
        let mut next = Some(path);
        while let Some(path) = next {
            let answer = anyone.get(&path).await.is(200);
            next = answer.next_page();
            answers.push((path, answer.text()));
        }
    }
    assert!(answers.len() > 10, "only {} public answers", answers.len());
    answers
}

/// There is one that is closed, with a finding that somebody followed up.
async fn close_an_evaluation(app: &App) {
    let (admin, path) = (app.admin().await, format!("/v1/evaluations/{CLOSED}"));
    let meeting = json!({ "masterplan": "KLU-SC", "held_on": "2022-10-04", "published": true });
    if admin.put(&path, meeting).if_none_match("*").await.status() == 201 {
        let finding = admin.create(&format!("{path}/findings"), json!({ "text": "Temuan" })).await.text_at("id");
        admin.create(&format!("{path}/findings/{finding}/follow-ups"), json!({ "text": "Sudah dibahas" })).await;
        admin.post(format!("{path}/close"), json!({})).await.is(200);
    }
}

fn demo_code(path: &str) -> &'static str {
    match path.split('/').nth(3).unwrap_or_default() {
        "masterplans" => "KLU-SC",
        "dimensions" => "governance",
        "opds" => "DINKES",
        "regions" => "52.08",
        "programmes" => "SL-01",
        "quick-wins" => "QW-SS",
        "kpis" | "charts" => "STUNTING",
        "awards" => "BKN-2022",
        "evaluations" => CLOSED,
        other => panic!("no demo code for {other}"),
    }
}

fn has_member(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(member, value)| member == name || has_member(value, name)),
        Value::Array(items) => items.iter().any(|item| has_member(item, name)),
        _ => false,
    }
}
