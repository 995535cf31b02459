//! The feed as Server-Sent Events.

use std::collections::BTreeSet;
use std::time::Duration;

use renaksi_tests::document::Document;
use renaksi_tests::resource::{OPDS, PROGRAMMES};
use renaksi_tests::stream::Stream;
use renaksi_tests::{Actor, App, Backend, on_both_databases, on_shared_servers};
use serde_json::json;

const LONG: Duration = Duration::from_secs(30);

async fn new_opd(admin: &Actor) -> String {
    let (code, body) = OPDS.new_body();
    admin.create(OPDS.path, body).await;
    code
}

/// The next event about `key`.
fn until(stream: &mut Stream, key: &str) -> renaksi_tests::stream::Heard {
    loop {
        let heard = stream.next(LONG).unwrap_or_else(|| panic!("nothing is heard of {key}"));
        if heard.data["key"] == key {
            return heard;
        }
    }
}

on_shared_servers! {
    async fn what_happens_is_heard_at_once(app) {
        let admin = app.admin().await;
        let head = admin.get("/v1/events/head").await.is(200).at("position");
        let mut stream = Stream::open(app, &format!("/v1/events/stream?after={head}&names=true"), Some(admin.token()), None);
        let mut public = Stream::open(app, &format!("/v1/public/events/stream?after={head}&resource=opd&names=true"), None, None);
        let code = new_opd(&admin).await;
        let heard = until(&mut stream, &code);
        assert_eq!((heard.event.as_str(), heard.data["after"]["code"].as_str()), ("opd.created", Some(code.as_str())));
        assert_eq!(heard.data["position"], heard.id);
        let heard = until(&mut public, &code);
        assert_eq!(heard.event, "opd.published");
        assert!(heard.data.get("actor").is_none() && heard.data["data"].get("email").is_none());
    }

    async fn a_stream_begins_now_unless_a_place_is_named(app) {
        let admin = app.admin().await;
        let head = admin.get("/v1/events/head").await.is(200).at("position");
        let before = new_opd(&admin).await;
        let earlier = until(&mut Stream::open(app, &format!("/v1/events/stream?after={head}"), Some(admin.token()), None), &before).id;
        for (path, token) in [("/v1/events/stream", Some(admin.token())), ("/v1/public/events/stream", None)] {
            let mut stream = Stream::open(app, path, token, None);
            assert!(stream.begins() >= earlier, "{path}");
            let after = new_opd(&admin).await;
            loop {
                let heard = stream.next(LONG).unwrap();
                assert!(heard.id > earlier && heard.event == "message", "{path}: {heard:?}");
                if heard.data["key"] == after.as_str() {
                    break;
                }
            }
            let mut replay = Stream::open(app, &format!("{path}?after=0"), token, None);
            assert_eq!(replay.begins(), 0);
            assert!(replay.next(LONG).unwrap().id < earlier, "{path}");
        }
    }

    async fn who_is_cut_off_before_the_first_event_misses_none(app) {
        let admin = app.admin().await;
        let mut stream = Stream::open(app, "/v1/events/stream?resource=opd", Some(admin.token()), None);
        // What a browser remembers of a stream on which nothing happened yet.
        let place = stream.begins();
        drop(stream);
        let code = new_opd(&admin).await;
        until(&mut Stream::open(app, "/v1/events/stream?resource=opd", Some(admin.token()), Some(place)), &code);
    }

    async fn a_stream_asks_for_a_token_and_sound_parameters(app) {
        let viewer = app.viewer().await;
        app.anyone().get("/v1/events/stream").await.is(401);
        viewer.get("/v1/events/stream?resource=nothing").await.is(400).has_fault_in_parameter("resource");
        viewer.get("/v1/events/stream").header("Last-Event-ID", "x").await.is(400);
        viewer.get("/v1/events/stream?names=perhaps").await.is(400).has_fault_in_parameter("names");
        viewer.get("/v1/events").header("Accept", "text/event-stream").await.is(406);
        let mut stream = Stream::open(app, "/v1/events/stream?resource=user,client", Some(viewer.token()), None);
        stream.begins();
        let admin = app.admin().await;
        admin.create("/v1/users", json!({ "email": renaksi_tests::unique::email(), "role": "viewer", "password": "perahu-hijau-di-gili-meno-3" })).await;
        assert!(stream.next(Duration::from_secs(3)).is_none(), "accounts are not told of to a viewer");
    }
}

on_both_databases! {
    async fn a_stream_resumes_where_it_was_cut_on_any_replica(app) {
        let admin = app.admin().await;
        let first = new_opd(&admin).await;
        let mut stream = Stream::open(&app, "/v1/events/stream?after=0", Some(admin.token()), None);
        let seen = until(&mut stream, &first).id;
        drop(stream);
        let second = new_opd(&admin).await;
        let replica = (app.backend() == Backend::Postgres).then(|| app.replica());
        let other: &App = replica.as_ref().unwrap_or(&app);
        let mut resumed = Stream::open(other, "/v1/events/stream", Some(admin.token()), Some(seen));
        let heard = resumed.next(LONG).unwrap();
        assert!(heard.id > seen);
        if heard.data["key"] != second.as_str() {
            until(&mut resumed, &second);
        }
        // What another replica writes is heard as well.
        let third = new_opd(&admin).await;
        until(&mut resumed, &third);
    }

    async fn every_frame_is_as_the_document_says(app) {
        let admin = app.admin().await;
        // Something of each fate: made, changed, moved on, removed, and an account.
        let (code, body) = PROGRAMMES.new_body();
        admin.create(PROGRAMMES.path, body).await;
        let one = PROGRAMMES.one(&code);
        let etag = admin.etag_of(&one).await;
        admin.patch(&one, json!({ "name": "Lain" })).if_match(&etag).await.is(200);
        admin.post(format!("{one}/transitions"), json!({ "to": "running" })).await.is(201);
        admin.put(format!("{one}/coverage"), json!({ "region": "52.08.04.2006", "status": "planned" })).await.is(201);
        admin.create("/v1/clients", json!({ "id": renaksi_tests::unique::code("sys"), "name": "Sistem", "opd": "DINKES", "scopes": ["read"] })).await;
        let gone = new_opd(&admin).await;
        let etag = admin.etag_of(&OPDS.one(&gone)).await;
        admin.delete(OPDS.one(&gone)).if_match(&etag).await.is(204);
        let last = new_opd(&admin).await;

        let viewer = app.viewer().await;
        let (private, public) = ("/components/schemas/FeedEvent", "/components/schemas/PublicEvent");
        for (path, token, schema, names) in [
            ("/v1/events/stream", Some(admin.token()), private, "EventType"),
            ("/v1/events/stream", Some(viewer.token()), private, "EventType"),
            ("/v1/public/events/stream", None, public, "PublicEventType"),
        ] {
            let document = Document::get();
            let mut kinds = BTreeSet::new();
            let mut stream = Stream::open(&app, &format!("{path}?after=0&names=true"), token, None);
            loop {
                let heard = stream.next(LONG).unwrap();
                document.validate(schema, &heard.data).unwrap_or_else(|fault| panic!("{fault}\n{}", heard.data));
                document.validate(&format!("/components/schemas/{names}"), &json!(heard.event)).unwrap();
                assert_eq!(heard.event, format!("{}.{}", heard.data["resource"].as_str().unwrap(), heard.data["action"].as_str().unwrap()));
                kinds.insert(heard.data["resource"].as_str().unwrap().to_owned());
                if heard.data["key"] == last.as_str() {
                    break;
                }
            }
            assert!(kinds.len() > 9, "{path} told only of {kinds:?}");
            assert_eq!(kinds.contains("client"), token == Some(admin.token()), "{path} as {token:?}");
        }
    }

    async fn a_stop_ends_streams_instead_of_waiting_for_them(app) {
        // Longer than a story may take.
        let app = app.replica_with(&[("RENAKSI_SHUTDOWN_SECONDS", "3600")]);
        let admin = app.admin().await;
        let mut streams = [("/v1/events/stream", Some(admin.token())), ("/v1/public/events/stream", None)]
            .map(|(path, token)| Stream::open(&app, path, token, None));
        for stream in &mut streams {
            stream.begins();
        }
        let code = new_opd(&admin).await;
        streams.iter_mut().for_each(|stream| drop(until(stream, &code)));
        app.server().terminate();
        assert!(app.server().wait().success());
        assert!(streams.iter_mut().all(|stream| stream.next(LONG).is_none()));
    }
}
