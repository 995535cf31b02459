//! Many at once, on one server and on two: no update is lost, nothing happens twice.

use std::collections::HashSet;

use futures_util::future::join_all;
use renaksi_tests::resource::OPDS;
use renaksi_tests::{Actor, App, Backend, on_both_databases, tier, unique};
use serde_json::{Value, json};

on_both_databases! {
    async fn of_200_changes_from_one_version_one_wins(app) {
        let fleet = Fleet::of(&app).await;
        let (code, body) = OPDS.new_body();
        let path = OPDS.one(&code);
        let etag = fleet.actors[0].create(OPDS.path, body).await.etag();
        let rounds = tier::size(1, 10);
        for round in 0..rounds {
            let etag = if round == 0 { etag.clone() } else { fleet.actors[0].etag_of(&path).await };
            let changes = (0..200).map(|turn| {
                let change = json!({ "name": format!("Ronde {round} giliran {turn}") });
                fleet.actor(turn).patch(&path, change).if_match(&etag)
            });
            let answers = join_all(changes.map(IntoFuture::into_future)).await;
            let won = answers.iter().filter(|answer| answer.status() == 200).collect::<Vec<_>>();
            let lost = answers.iter().filter(|answer| answer.status() == 412).count();
            assert_eq!((won.len(), lost), (1, 199), "{:?}", other_than(&answers, &[200, 412]));
            let now = fleet.actors[0].get(&path).await.is(200);
            assert_eq!(now.json(), won[0].json());
            assert_eq!(now.at("version"), round + 2);
        }
        assert_eq!(history(&fleet.actors[0], &path).await.len(), rounds + 1);
    }

    async fn many_who_try_again_lose_nothing(app) {
        let fleet = Fleet::of(&app).await;
        let (code, body) = OPDS.new_body();
        let path = OPDS.one(&code);
        fleet.actors[0].create(OPDS.path, body).await;
        // 20 people, some changes each, each reading again until its change is in.
        let changes = tier::size(3, 10);
        let people = (0..20).map(|person| {
            let (actor, path) = (fleet.actor(person).clone(), path.clone());
            async move {
                for change in 0..changes {
                    change_until_it_is_in(&actor, &path, &format!("Orang {person} perubahan {change}")).await;
                }
            }
        });
        join_all(people).await;
        let events = history(&fleet.actors[0], &path).await;
        let versions = events.iter().map(|event| event["version"].as_u64().unwrap()).collect::<HashSet<_>>();
        let all = 20 * changes + 1;
        assert_eq!(versions.len(), all, "each version was written once");
        assert_eq!(events.len(), all);
        let names = events.iter().filter_map(|event| event["after"]["name"].as_str()).collect::<HashSet<_>>();
        assert_eq!(names.len(), all, "each change is in the history");
    }

    async fn fifty_retries_make_one_row(app) {
        let fleet = Fleet::of(&app).await;
        for _ in 0..tier::size(1, 10) {
            let (code, body) = OPDS.new_body();
            let key = unique::word();
            let retries = (0..50).map(|turn| fleet.actor(turn).post(OPDS.path, body.clone()).idempotency_key(&key));
            let answers = join_all(retries.map(IntoFuture::into_future)).await;
            let strange = other_than(&answers, &[201, 409]);
            assert!(strange.is_empty(), "{strange:?}");
            for busy in answers.iter().filter(|answer| answer.status() == 409) {
                assert_eq!(busy.at("code"), "idempotency_key_in_use", "{busy:?}");
                assert!(busy.header("retry-after").is_some());
            }
            let created = answers.iter().filter(|answer| answer.status() == 201).collect::<Vec<_>>();
            let first = created.iter().filter(|answer| answer.header("idempotent-replayed").is_none()).count();
            assert_eq!(first, 1, "one created it, {} answers are replays", created.len() - first);
            assert!(created.iter().all(|answer| answer.json() == created[0].json()));
            assert_eq!(history(&fleet.actors[0], &OPDS.one(&code)).await.len(), 1);
        }
    }

    async fn of_fifty_who_create_one_code_one_wins(app) {
        let fleet = Fleet::of(&app).await;
        let (code, body) = OPDS.new_body();
        let path = OPDS.one(&code);
        let puts = (0..50).map(|turn| match turn % 2 {
            0 => fleet.actor(turn).put(&path, body.clone()).if_none_match("*"),
            _ => fleet.actor(turn).post(OPDS.path, body.clone()),
        });
        let answers = join_all(puts.map(IntoFuture::into_future)).await;
        let strange = other_than(&answers, &[201, 409, 412]);
        assert!(strange.is_empty(), "{strange:?}");
        assert_eq!(answers.iter().filter(|answer| answer.status() == 201).count(), 1);
        assert_eq!(history(&fleet.actors[0], &path).await.len(), 1);
    }

    async fn two_who_move_opds_make_no_cycle(app) {
        let fleet = Fleet::of(&app).await;
        for _ in 0..tier::size(2, 20) {
            let (a, b) = (new_opd(&fleet.actors[0]).await, new_opd(&fleet.actors[0]).await);
            let below = |child: &(String, String), parent: &(String, String), turn| {
                fleet.actor(turn).patch(OPDS.one(&child.0), json!({ "parent": parent.0 })).if_match(&child.1).into_future()
            };
            let answers = join_all([below(&a, &b, 0), below(&b, &a, 1)]).await;
            let in_place = answers.iter().filter(|answer| answer.status() == 200).count();
            assert_eq!(in_place, 1, "{answers:?}");
        }
    }

    async fn a_change_is_seen_on_the_other_server_within_a_second(app) {
        if app.backend() == Backend::Sqlite {
            return; // One file, one server: the next request sees it, as `reading` shows.
        }
        let replica = app.replica();
        let path = "/v1/public/programmes/SL-01";
        replica.anyone().get(path).await.is(200);
        let admin = app.admin().await;
        let etag = admin.etag_of("/v1/programmes/SL-01").await;
        let name = unique::word();
        admin.patch("/v1/programmes/SL-01", json!({ "name": name })).if_match(&etag).await.is(200);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        replica.anyone().get(path).await.is(200).has("name", name);
        replica.admin().await.get("/v1/programmes/SL-01").await.is(200);
    }
}

/// The people of a test, spread over two servers where the database allows it, each with connections of their own.
struct Fleet {
    actors: Vec<Actor>,
    _replica: Option<App>,
}

impl Fleet {
    async fn of(app: &App) -> Self {
        let replica = (app.backend() == Backend::Postgres).then(|| app.replica());
        let second = match &replica {
            Some(replica) => replica.admin().await,
            None => app.admin().await,
        };
        Self { actors: vec![app.admin().await, second], _replica: replica }
    }

    fn actor(&self, turn: usize) -> &Actor {
        &self.actors[turn % self.actors.len()]
    }
}

async fn change_until_it_is_in(actor: &Actor, path: &str, name: &str) {
    for _ in 0..2000 {
        let etag = actor.etag_of(path).await;
        let answer = actor.patch(path, json!({ "name": name })).if_match(&etag).await;
        match answer.status() {
            200 => return,
            412 => {}
            _ => panic!("{answer:?}"),
        }
    }
    panic!("{name} was never let through");
}

async fn new_opd(admin: &Actor) -> (String, String) {
    let (code, mut body) = OPDS.new_body();
    body["parent"] = Value::Null;
    let etag = admin.create(OPDS.path, body).await.etag();
    (code, etag)
}

async fn history(admin: &Actor, path: &str) -> Vec<Value> {
    admin.all(&format!("{path}/history?limit=200")).await
}

fn other_than<'a>(answers: &'a [renaksi_tests::Answer], statuses: &[u16]) -> Vec<&'a renaksi_tests::Answer> {
    answers.iter().filter(|answer| !statuses.contains(&answer.status())).take(2).collect()
}
