//! Answers that are kept are those that would be given anew, whatever was written and by whom.

use renaksi_tests::dice::Dice;
use renaksi_tests::resource::{Resource, all};
use renaksi_tests::{Actor, Answer, App, on_both_databases, on_postgres, on_sqlite, tier, unique};
use serde_json::{Value, json};

use crate::statements::Place;

/// What differs with whoever asks, or by itself.
const NOT_COMPARED: [&str; 5] = ["/v1/me", "/v1/users", "/v1/clients", "/v1/webhooks", "/health"];

on_both_databases! {
    async fn what_is_kept_is_what_a_service_answers_that_kept_nothing(app) {
        let place = Place::fill(&app).await;
        let other = app.replica();
        let (admin, elsewhere) = (app.admin().await, other.admin().await);
        let resources = all(&admin).await;
        let questions = place.questions().into_iter().filter(|path| !NOT_COMPARED.iter().any(|start| path.starts_with(start)));
        let questions = questions.collect::<Vec<_>>();
        let mut changes = Changes { dice: Dice::new(7), resources: resources.to_vec(), made: Vec::new() };
        for round in 0..tier::size(4, 30) {
            // All answers are kept by now, and then some of what they are made of is written, also by another process.
            ask(&admin, &questions).await;
            for _ in 0..6 {
                changes.make(&app, &admin).await;
                changes.make(&other, &elsewhere).await;
            }
            changes.make(&app, &admin).await;
            let fresh = app.replica();
            let expected = ask(&fresh.admin().await, &questions).await;
            // What another process wrote is noticed within a moment.
            let mut differing = Vec::new();
            for _ in 0..40 {
                let kept = ask(&admin, &questions).await;
                let pairs = questions.iter().cloned().zip(kept.into_iter().zip(expected.iter().cloned()));
                differing = pairs.filter(|(_, (kept, fresh))| kept != fresh).collect::<Vec<_>>();
                if differing.is_empty() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            assert!(differing.is_empty(), "round {round}: {differing:#?}");
        }
    }

    async fn a_write_drops_only_what_it_touches(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let questions = ["/v1/public/programmes", "/v1/public/awards", "/v1/public/summary", "/v1/public/summary?as_of=2022-10-04"];
        let hits = async |path: &str| {
            let before = hits(&admin).await;
            anyone.get(path).await.is(200);
            hits(&admin).await - before
        };
        // What was written while the service started may still be noticed.
        for path in questions {
            while hits(path).await == 0 {}
        }
        // A report that nobody verified counts nowhere yet.
        admin.put("/v1/kpis/STUNTING/measurements/2019", json!({ "value": "30" })).await.is(201);
        let person = json!({ "email": unique::email(), "role": "viewer" });
        admin.create("/v1/users", person).await;
        for path in questions {
            assert_eq!(hits(path).await, 1, "{path} is kept");
        }
        let etag = admin.etag_of("/v1/awards/BKN-2022").await;
        admin.patch("/v1/awards/BKN-2022", json!({ "issuer": "BKN RI" })).if_match(&etag).await.is(200);
        assert_eq!(hits("/v1/public/awards").await, 0);
        assert_eq!(hits("/v1/public/programmes").await + hits("/v1/public/summary").await, 2);
        admin.create("/v1/programmes/SG-09/transitions", json!({ "to": "running", "effective_on": "2023-02-01" })).await;
        assert_eq!(hits("/v1/public/programmes").await + hits("/v1/public/summary").await, 0);
        assert_eq!(hits("/v1/public/awards").await, 1);
    }

    async fn an_answer_in_every_form_is_the_first_one_again(app) {
        let anyone = app.anyone();
        let chart = "/v1/public/charts/summary.svg?width=320";
        for path in ["/v1/public/programmes?limit=200", "/v1/public/summary", "/v1/public/kpis/STUNTING/standing", chart] {
            for coding in ["", "gzip", "br", "zstd", "gzip, deflate, br, zstd", "identity"] {
                for origin in [None, Some("https://portal.example")] {
                    let asked = || {
                        let request = anyone.get(path).header("Accept-Encoding", coding);
                        origin.into_iter().fold(request, |request, origin| request.header("Origin", origin))
                    };
                    let (first, again) = (asked().await, asked().await);
                    assert_eq!(first.bytes(), again.bytes(), "{path} {coding}");
                    assert_eq!(told(&first), told(&again), "{path} {coding} {origin:?}");
                    let known = asked().if_none_match(&first.etag()).await;
                    assert_eq!((known.status(), known.bytes().len()), (304, 0), "{path} {coding}");
                    assert_eq!((known.header("etag"), known.header("vary")), (first.header("etag"), first.header("vary")));
                    assert!(known.header("content-type").is_none() && known.header("content-encoding").is_none());
                }
            }
            let (head, get) = (anyone.head(path).await, anyone.get(path).await);
            assert_eq!((head.status(), head.bytes().len()), (200, 0));
            assert_eq!(told(&head), told(&get));
        }
    }
}

on_postgres! {
    async fn while_the_database_is_away_the_public_reads_what_was_kept(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let kept = ["/v1/public/summary", "/v1/public/programmes?limit=200", "/v1/public/charts/summary.svg?width=320"];
        let mut known = Vec::new();
        for path in kept {
            known.push(anyone.get(path).await.is(200));
        }
        admin.get("/v1/programmes").await.is(200);
        app.database().set_away(true);
        for (path, known) in kept.into_iter().zip(&known) {
            // As soon as somebody waited in vain, nobody does.
            let mut answer = anyone.get(path).await;
            for _ in 0..100 {
                if answer.header("age").is_some() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                answer = anyone.get(path).await;
            }
            let age = answer.header("age").expect("the age of an answer that was kept").parse::<u32>().unwrap();
            assert!(age < 600 && answer.status() == 200 && answer.bytes() == known.bytes(), "{answer:?}");
            assert_eq!(told(&answer), told(known));
            assert_eq!(anyone.get(path).if_none_match(&known.etag()).await.status(), 304);
        }
        for path in ["/v1/public/awards", "/v1/public/summary?as_of=2022-10-04", "/health/ready"] {
            let _ = anyone.get(path).await.is(503).has_problem("unavailable");
        }
        admin.get("/v1/programmes").await.is(503);
        app.database().set_away(false);
        while anyone.get("/health/ready").await.status() != 200 {}
        let etag = admin.etag_of("/v1/programmes/SG-01").await;
        admin.patch("/v1/programmes/SG-01", json!({ "name": "Kembali" })).if_match(&etag).await.is(200);
        let answer = anyone.get(kept[1]).await.is(200);
        assert!(answer.header("age").is_none() && answer.text().contains("Kembali"), "{answer:?}");
    }
}

on_sqlite! {
    async fn what_is_kept_for_those_who_may_read_is_for_nobody_else(app) {
        let admin = app.admin().await;
        let path = "/v1/programmes?limit=3";
        admin.get(path).await.is(200);
        admin.get(path).await.is(200);
        app.anyone().get(path).await.is(401);
        admin.with_token("no.such.token").get(path).await.is(401);
        // Its scopes do not let it read.
        let created = admin.create("/v1/clients", json!({ "id": unique::code("sys"), "opd": "DINKES", "scopes": ["measurements:write"] })).await;
        let token = app.anyone().client_token(&created.text_at("id"), &created.text_at("client_secret")).await.is(200);
        admin.with_token(&token.text_at("access_token")).get(path).await.is(403);
        // Who sees fewer names in a history gets his own.
        let history = "/v1/programmes/SG-01/history";
        let etag = admin.etag_of("/v1/programmes/SG-01").await;
        admin.patch("/v1/programmes/SG-01", json!({ "description": "Uji" })).if_match(&etag).await.is(200);
        admin.get(history).await.is(200);
        assert!(admin.get(history).await.is(200).text().contains("admin@demo.invalid"));
        assert!(!app.viewer().await.get(history).await.is(200).text().contains("admin@demo.invalid"));
    }
}

/// The headers of an answer that must be the same each time.
fn told(answer: &Answer) -> Vec<(String, String)> {
    let mut head = answer.head();
    head.retain(|(name, _)| !["x-request-id", "date", "content-length", "transfer-encoding", "age"].contains(&name.as_str()));
    head.sort();
    head
}

/// How many answers were given again up to now.
async fn hits(admin: &Actor) -> u64 {
    let metrics = admin.get("/metrics").await.text();
    let line = metrics.lines().find(|line| line.starts_with("renaksi_response_cache_total{result=\"hit\"}"));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

/// The answers to all questions: status, entity tag and text.
async fn ask(admin: &Actor, questions: &[String]) -> Vec<(u16, Option<String>, String)> {
    let mut answers = Vec::new();
    for path in questions {
        let answer = admin.get(path).await;
        // A problem names the request.
        let text = answer.text().replace(answer.header("x-request-id").unwrap_or("-"), "");
        answers.push((answer.status(), answer.header("etag").map(str::to_owned), text));
    }
    answers
}

/// Random changes.
struct Changes {
    dice: Dice,
    resources: Vec<Resource>,
    /// What was made here: the path of each, and its text.
    made: Vec<(String, &'static str)>,
}

impl Changes {
    async fn make(&mut self, app: &App, admin: &Actor) {
        match self.dice.below(8) {
            0 | 1 => {
                let resource = self.dice.pick(&self.resources);
                let (key, _) = resource.create(admin).await;
                self.made.push((resource.one(&key), resource.text));
            }
            2 if !self.made.is_empty() => {
                let (path, text) = self.dice.pick(&self.made);
                let name = format!("Nama {}", self.dice.below(1000));
                patch(admin, &path, json!({ text: name })).await;
            }
            3 if !self.made.is_empty() => {
                let place = self.dice.below(self.made.len());
                let path = self.made.swap_remove(place).0;
                // What others refer to stays.
                let deleted = again(async || admin.delete(&path).if_match(&admin.etag_of(&path).await).await).await;
                assert!([204, 409].contains(&deleted.status()), "{deleted:?}");
            }
            4 => {
                let path = self.dice.pick(&["/v1/programmes/SG-01", "/v1/kpis/STUNTING", "/v1/awards/BKN-2022"]);
                let published = self.dice.flip();
                patch(admin, path, json!({ "published": published })).await;
            }
            5 => {
                let to = self.dice.pick(&["suspended", "running"]);
                let body = json!({ "to": to, "effective_on": "2023-03-01" });
                // Only one of them leads on.
                let moved = admin.post("/v1/programmes/SL-02/transitions", body).await;
                assert!([201, 409, 422].contains(&moved.status()), "{moved:?}");
            }
            6 => {
                let year = 1900 + self.dice.below(100);
                let path = format!("/v1/kpis/STUNTING/measurements/{year}");
                if admin.put(&path, json!({ "value": "25" })).await.status() == 201 {
                    admin.post(format!("{path}/submit"), json!({})).await.is(200);
                    if self.dice.flip() {
                        app.verifier().await.post(format!("{path}/verify"), json!({})).await.is(200);
                    }
                }
            }
            _ => {
                let village = self.dice.pick(&["52.08.04.2006", "52.08.01.2002"]);
                let status = self.dice.pick(&["planned", "built", "active"]);
                let body = json!({ "region": village, "status": status, "effective_on": "2023-01-01" });
                let put = admin.put("/v1/programmes/SL-01/coverage", body).await.status();
                assert!([200, 201, 422].contains(&put), "{put}");
            }
        }
    }
}

async fn patch(admin: &Actor, path: &str, change: Value) {
    again(async || admin.patch(path, change.clone()).if_match(&admin.etag_of(path).await).await).await.is(200);
}

/// Does something with the entity tag that is read before, until that tag is the one after the last write of another process.
async fn again(attempt: impl AsyncFn() -> Answer) -> Answer {
    loop {
        let answer = attempt().await;
        if answer.status() != 412 {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
