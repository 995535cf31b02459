//! The canary walk: a random database with things of every kind that are shown, withdrawn, late, hidden and deleted, nested in each
//! other, each with a word of its own in its code and in every text. Then everybody asks everything: no word of what is hidden may
//! stand in any answer, and what is hidden answers like what never was.

mod walk;
mod world;

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::NaiveDate;
use renaksi_tests::rehearsal::Today;
use renaksi_tests::stream::Stream;
use renaksi_tests::{App, on_both_databases, tier};
use walk::Walk;
use world::{Stage, World};

/// Everything is made on the first day, changes on the second, and is asked on the third.
const MADE: NaiveDate = NaiveDate::from_ymd_opt(2023, 2, 1).expect("the day exists");
const CHANGED: NaiveDate = NaiveDate::from_ymd_opt(2023, 2, 10).expect("the day exists");
const ASKED: NaiveDate = NaiveDate::from_ymd_opt(2023, 2, 20).expect("the day exists");

on_both_databases! {
    async fn nobody_hears_of_what_is_hidden(app) {
        let today = Today::starting(MADE);
        let app = app.replica_with(&[("RENAKSI_REHEARSAL", today.setting())]);
        let mut world = World::make(&app, tier::seed(11)).await;

        // The positive control: what everybody may see is seen, also what will be withdrawn.
        let before = Walk::new(&app, &world, Stage::Before).everything().await;
        before.hears_of_nothing_hidden();
        before.hears_of_all_that_is_shown();
        let told = feed(&app).await;
        heard(&world, Stage::Before, &told.iter().map(|event| event.to_string()).collect::<String>());

        today.is(CHANGED);
        world.change(&app).await;
        today.is(ASKED);
        let after = Walk::new(&app, &world, Stage::Now).everything().await;
        after.hears_of_nothing_hidden();
        after.hears_of_all_that_is_shown();
        let mut then = Walk::new(&app, &world, Stage::Then);
        for day in [MADE, CHANGED.pred_opt().unwrap()] {
            then = then.figures_of(day).await;
        }
        then.hears_of_nothing_hidden();
        then.hears_of_some();
        let mut other_days = Walk::new(&app, &world, Stage::Now);
        for day in ["1999-12-31", "2022-10-04", "2023-01-31", "2023-02-10", "2023-02-20"] {
            other_days = other_days.figures_of(day.parse().unwrap()).await;
        }
        other_days.hears_of_nothing_hidden();
        Walk::new(&app, &world, Stage::Now).what_is_hidden_answers_like_what_never_was().await;

        let again = feed(&app).await;
        assert!(again.len() > told.len(), "the feed goes on");
        let text = again.iter().map(|event| event.to_string()).collect::<String>();
        heard(&world, Stage::Now, &text);
        followed(&world, &told, &again);
        let replayed = replay(&app, again[again.len() - 1]["position"].as_i64().unwrap());
        assert_eq!(replayed, again, "the stream tells what the feed tells");
    }
}

/// The public feed from its beginning, once it holds all that was written.
async fn feed(app: &App) -> Vec<serde_json::Value> {
    let (admin, anyone) = (app.admin().await, app.anyone());
    let region = world::marker(&admin).await;
    for _ in 0..400 {
        let end = admin.get("/v1/events/head").await.is(200).at("position").as_i64().unwrap();
        let last = anyone.get(format!("/v1/public/events?after={}", (end - 1).max(0))).await.is(200).rows();
        if last.first().is_some_and(|event| event["key"] == region.as_str()) {
            return anyone.all("/v1/public/events?after=0&limit=200").await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("what was written does not come into the feed");
}

/// The public stream from its beginning, up to a place.
fn replay(app: &App, end: i64) -> Vec<serde_json::Value> {
    let mut stream = Stream::open(app, "/v1/public/events/stream?after=0", None, None);
    let mut events = Vec::new();
    while let Some(heard) = stream.next(Duration::from_secs(20)) {
        let is_last = heard.id >= end;
        events.push(heard.data);
        if is_last {
            break;
        }
    }
    events
}

/// The feed names what is shown and has events of its own, and nothing that is hidden.
fn heard(world: &World, stage: Stage, text: &str) {
    let text = text.to_lowercase();
    let hidden = world.hidden(stage).filter(|word| text.contains(word.as_str())).collect::<Vec<_>>();
    assert!(hidden.is_empty(), "the feed tells of {hidden:?}");
    let missing = world.shown(stage).filter(|bird| bird.is_told()).filter(|bird| !text.contains(&bird.word)).collect::<Vec<_>>();
    assert!(missing.is_empty() || stage == Stage::Now, "the feed tells nothing of {missing:?}");
}

/// Who followed the feed learns what was withdrawn, without its name.
fn followed(world: &World, told: &[serde_json::Value], again: &[serde_json::Value]) {
    let mut withdrawn = 0;
    for bird in world.withdrawn().filter(|bird| bird.is_told()) {
        let things = told.iter().filter(|event| event["key"] == bird.key.as_str()).map(|event| event["thing"].to_string());
        let things = things.collect::<BTreeSet<_>>();
        assert_eq!(things.len(), 1, "{bird:?} is one thing");
        let events = again.iter().filter(|event| things.contains(&event["thing"].to_string())).collect::<Vec<_>>();
        assert!(events.iter().all(|event| event["key"].is_null() && event["data"].is_null()), "{events:?}");
        let last = events[events.len() - 1]["action"].as_str().unwrap_or_default();
        // What goes with what it hangs on has no event of its own.
        assert!(["withdrawn", "deleted"].contains(&last) || !world.went_alone(bird), "{bird:?}: {events:?}");
        withdrawn += 1;
    }
    assert!(withdrawn > 8, "only {withdrawn} were withdrawn");
}
