//! Tickets, with which browsers open streams: what one opens, for how long, and what it does not open.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use renaksi_tests::resource::OPDS;
use renaksi_tests::stream::Stream;
use renaksi_tests::{Actor, App, Backend, Service, on_both_databases, on_shared_servers, unique};
use serde_json::{Value, json};

const LONG: Duration = Duration::from_secs(30);
const TICKETS: &str = "/v1/events/tickets";

async fn ticket(actor: &Actor) -> String {
    actor.post(TICKETS, json!({})).await.is(200).text_at("ticket")
}

fn with(ticket: &str) -> String {
    format!("/v1/events/stream?ticket={ticket}")
}

async fn new_opd(admin: &Actor) -> String {
    let (code, body) = OPDS.new_body();
    admin.create(OPDS.path, body).await;
    code
}

fn hears(stream: &mut Stream, key: &str) {
    while stream.next(LONG).unwrap_or_else(|| panic!("nothing is heard of {key}")).data["key"] != key {}
}

/// A ticket with other claims, as somebody with the key of the service would make it.
fn forged(app: &Service, ticket: &str, change: impl FnOnce(&mut Value)) -> String {
    let header = jsonwebtoken::decode_header(ticket).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(ticket.split('.').nth(1).unwrap()).unwrap();
    let mut claims = serde_json::from_slice(&claims).unwrap();
    change(&mut claims);
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ec_der(&app.signing_key())).unwrap()
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

on_shared_servers! {
    async fn a_ticket_opens_what_its_owner_may_see(app) {
        let (admin, viewer, anyone) = (app.admin().await, app.viewer().await, app.anyone());
        let given = admin.post(TICKETS, json!({})).await.is(200).has_header("cache-control", "no-store");
        // No body is needed.
        viewer.request(reqwest::Method::POST, TICKETS).await.is(200);
        let mut streams = [given.text_at("ticket"), ticket(&viewer).await].map(|ticket| Stream::open(app, &with(&ticket), None, None));
        for stream in &mut streams {
            stream.begins();
        }
        let id = unique::code("sys");
        admin.create("/v1/clients", json!({ "id": id, "name": "Sistem", "opd": "DINKES", "scopes": ["read"] })).await;
        let code = new_opd(&admin).await;
        let [of_admin, of_viewer] = &mut streams;
        hears(of_admin, &id);
        hears(of_admin, &code);
        loop {
            let heard = of_viewer.next(LONG).unwrap();
            assert!(heard.data["key"] != id.as_str() && heard.data["address"].is_null(), "{heard:?}");
            if heard.data["key"] == code.as_str() {
                break;
            }
        }
        anyone.post(TICKETS, json!({})).await.is(401);
        viewer.post(TICKETS, json!({ "tpyo": 1 })).await.is(422);
    }

    async fn a_ticket_is_no_access_token_and_an_access_token_no_ticket(app) {
        let (viewer, anyone) = (app.viewer().await, app.anyone());
        let ticket = ticket(&viewer).await;
        for path in ["/v1/me", "/v1/programmes", "/v1/events", "/v1/events/stream"] {
            anyone.with_token(&ticket).get(path).await.is(401).has_problem("unauthenticated");
        }
        for path in ["/v1/events", "/v1/events/head", "/v1/programmes"] {
            anyone.get(format!("{path}?ticket={ticket}")).await.is(401);
            viewer.get(format!("{path}?ticket={ticket}")).await.is(400).has_fault_in_parameter("ticket");
        }
        anyone.get(format!("/v1/public/events/stream?ticket={ticket}")).await.is(400).has_fault_in_parameter("ticket");
        anyone.post(format!("{TICKETS}?ticket={ticket}"), json!({})).await.is(401);
        for wrong in [viewer.token(), "x", "a.b.c", ""] {
            anyone.get(with(wrong)).await.is(401);
        }
        // Which of the two would it be?
        viewer.get(with(&ticket)).await.is(400).has_fault_in_parameter("ticket");
        anyone.get(format!("{}&ticket={ticket}", with(&ticket))).await.is(400).has_fault_in_parameter("ticket");
        anyone.get(format!("{}&after=9000000000", with(&ticket))).await.is(410).has_problem("feed_restarted");
    }

    async fn an_old_ticket_ends_the_attempts_of_a_browser(app) {
        let (viewer, anyone) = (app.viewer().await, app.anyone());
        let given = ticket(&viewer).await;
        let same = forged(app, &given, |_| {});
        let mut stream = Stream::open(app, &with(&same), None, None);
        stream.begins();
        let old = forged(app, &given, |claims| {
            claims["iat"] = json!(now() - 80);
            claims["exp"] = json!(now() - 20);
        });
        // A browser stops at any answer but 200, so the app has to open the stream anew with another ticket.
        let refused = anyone.get(with(&old)).await.is(401).has_problem("unauthenticated");
        assert!(refused.text_at("detail").contains(TICKETS), "{refused:?}");
        let refused = anyone.get(with(&old)).header("Accept-Language", "id").await.is(401);
        assert!(refused.text_at("detail").contains("kedaluwarsa"), "{refused:?}");
        for (claim, value) in [("aud", "renaksi"), ("iss", "https://elsewhere.invalid"), ("role", "emperor")] {
            anyone.get(with(&forged(app, &given, |claims| claims[claim] = json!(value)))).await.is(401);
        }
    }

    async fn a_stream_ends_with_the_token_of_its_owner(app) {
        let viewer = app.viewer().await;
        let brief = forged(app, &ticket(&viewer).await, |claims| claims["ends"] = json!(now() + 3));
        let mut stream = Stream::open(app, &format!("{}&resource=survey", with(&brief)), None, None);
        stream.begins();
        let since = Instant::now();
        assert!(stream.next(LONG).is_none() && since.elapsed() < Duration::from_secs(15), "it goes on for {:?}", since.elapsed());
    }

    async fn a_disabled_account_opens_nothing(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let id = unique::code("sys");
        let created = admin.create("/v1/clients", json!({ "id": id, "name": "Sistem", "opd": "DINKES", "scopes": ["read"] })).await;
        let token = anyone.client_token(&id, &created.text_at("client_secret")).await.is(200).text_at("access_token");
        let client = anyone.with_token(&token);
        let given = ticket(&client).await;
        Stream::open(app, &with(&given), None, None).begins();
        let path = format!("/v1/clients/{id}");
        let etag = admin.etag_of(&path).await;
        admin.patch(&path, json!({ "active": false })).if_match(&etag).await.is(200);
        anyone.get(with(&given)).await.is(401);
        client.post(TICKETS, json!({})).await.is(401);
    }
}

on_both_databases! {
    async fn a_ticket_is_good_on_every_replica_and_in_no_log(app) {
        let admin = app.admin().await;
        let given = ticket(&admin).await;
        let mut stream = Stream::open(&app, &with(&given), None, None);
        let place = stream.begins();
        drop(stream);
        let code = new_opd(&admin).await;
        // Within its time a browser connects again with the same ticket, here or elsewhere, and goes on where it was cut off.
        let replica = (app.backend() == Backend::Postgres).then(|| app.replica());
        let other: &App = replica.as_ref().unwrap_or(&app);
        hears(&mut Stream::open(other, &with(&given), None, Some(place)), &code);
        app.anyone().get(format!("/v1/events/stream?ticket={given}x")).await.is(401);
        app.server().terminate();
        assert!(app.server().wait().success());
        for log in [Some(app.server().log()), replica.map(|replica| replica.server().log())].into_iter().flatten() {
            let signature = given.rsplit('.').next().unwrap();
            assert!(log.contains("/v1/events/stream") && !log.contains(signature) && !log.contains("ticket="), "{log}");
        }
    }

    async fn a_browser_goes_on_after_a_restart(app) {
        let admin = app.admin().await;
        let given = ticket(&admin).await;
        let mut stream = Stream::open(&app, &with(&given), None, None);
        stream.begins();
        let first = new_opd(&admin).await;
        let mut last = 0;
        while let Some(heard) = stream.next(LONG) {
            last = heard.id;
            if heard.data["key"] == first.as_str() {
                break;
            }
        }
        app.server().kill9();
        app.server().restart();
        let admin = app.admin().await;
        let second = new_opd(&admin).await;
        let mut stream = Stream::open(&app, &with(&given), None, Some(last));
        let heard = stream.next(LONG).unwrap();
        assert_eq!(heard.id, last + 1, "no event is missed, and none comes twice");
        if heard.data["key"] != second.as_str() {
            hears(&mut stream, &second);
        }
    }
}
