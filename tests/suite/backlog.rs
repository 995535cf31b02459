//! However much is appended before it gets its place: the feed goes on from where it is, and a service that stopped at a long backlog
//! heals when it starts.

use std::time::Duration;

use renaksi_tests::stream::Stream;
use renaksi_tests::{Actor, App, Backend, on_both_databases, on_postgres, tier};
use serde_json::json;

/// Events of a backlog: more than one transaction seals, and more than are verified at once.
fn backlog() -> i64 {
    tier::size(6_000, 1_000_000)
}

/// Appends events behind the service's back, as an import beside it does: of things that came and went.
fn append(app: &App, number: i64) {
    let (id, numbers) = match app.backend() {
        Backend::Sqlite => (
            "randomblob(16)",
            format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number}) SELECT i FROM n"),
        ),
        Backend::Postgres => ("gen_random_uuid()", format!("SELECT i FROM generate_series(1, {number}) AS g(i)")),
    };
    app.database().tamper(&format!(
        "INSERT INTO event (id, at, resource, \"key\", action, version, actor_kind, actor_id) \
         SELECT {id}, '2022-10-04T01:00:00+00:00', 'award', 'GONE-' || i, 'deleted', 2, 'system', 'import' FROM ({numbers}) AS numbers"
    ));
}

async fn position(admin: &Actor) -> i64 {
    admin.get("/v1/events/head").await.is(200).at("position").as_i64().unwrap()
}

/// Waits until all that stands in the table has its place.
async fn sealed(app: &App, admin: &Actor) -> i64 {
    let all = app.database().query("SELECT SUM(events) FROM event").parse::<i64>().unwrap();
    for _ in 0..6_000 {
        if position(admin).await == all {
            return all;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the feed stands still at {} of {all}", position(admin).await);
}

async fn rename(admin: &Actor, name: &str) {
    let etag = admin.etag_of("/v1/opds/DLH").await;
    admin.patch("/v1/opds/DLH", json!({ "head_title": name })).if_match(&etag).await.is(200);
}

fn is_whole(app: &App) {
    let output = app.command(&["audit", "verify"]);
    assert!(output.status.success(), "{output:?}");
}

on_both_databases! {
    async fn a_backlog_of_any_length_is_sealed_while_others_write_and_listen(app) {
        let admin = app.admin().await;
        let before = sealed(&app, &admin).await;
        let mut stream = Stream::open(&app, "/v1/events/stream", Some(admin.token()), Some(before));
        append(&app, backlog());
        rename(&admin, "Saat menyusul").await;
        let after = sealed(&app, &admin).await;
        assert_eq!(after, before + backlog() + 1);
        // Whoever listens hears each of them once, in their order.
        for expected in before + 1..=after.min(before + 12_001) {
            assert_eq!(stream.next(Duration::from_secs(60)).unwrap().id, expected);
        }
        is_whole(&app);
    }

    async fn a_service_that_stopped_at_a_backlog_heals_when_it_starts(app) {
        let admin = app.admin().await;
        append(&app, backlog());
        sealed(&app, &admin).await;
        app.server().kill9();
        // As it was left: places and hashes were written, and the horizon stayed behind them.
        app.database().tamper("UPDATE feed_head SET horizon = 0");
        append(&app, backlog());
        app.server().restart();
        let admin = app.admin().await;
        rename(&admin, "Sudah pulih").await;
        sealed(&app, &admin).await;
        is_whole(&app);
    }
}

/// As many events as a feed of years has: enough that PostgreSQL reads a table as a whole where it may.
const YEARS: i64 = 100_000;

on_postgres! {
    async fn what_is_sealed_is_not_looked_at_again(app) {
        let admin = app.admin().await;
        sealed(&app, &admin).await;
        app.database().tamper(&format!(
            "BEGIN; \
             INSERT INTO event (id, at, resource, \"key\", action, version, actor_kind, actor_id) \
             SELECT gen_random_uuid(), '2022-10-04T01:00:00+00:00', 'award', 'GONE-' || i, 'deleted', 2, 'system', 'import' \
             FROM generate_series(1, {YEARS}) AS g(i); \
             INSERT INTO event_seal (position, seq, resource, public, hash) \
             SELECT (SELECT position FROM feed_head) + ROW_NUMBER() OVER (ORDER BY seq), seq, resource, FALSE, repeat('a', 64) \
             FROM event e WHERE NOT EXISTS (SELECT 1 FROM event_seal s WHERE s.seq = e.seq); \
             UPDATE feed_head SET position = position + {YEARS}, horizon = pg_current_xact_id()::text::bigint + 1; \
             COMMIT"
        ));
        app.database().tamper("ANALYZE");
        let walked = || {
            let sum = "SELECT SUM(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('event', 'event_seal')";
            app.database().query(sum).parse::<i64>().unwrap()
        };
        let before = walked();
        // Longer than PostgreSQL keeps such counts to itself.
        for number in 0..12 {
            rename(&admin, &format!("Ke-{number}")).await;
            let all = app.database().query("SELECT MAX(seq) FROM event");
            while app.database().query(&format!("SELECT COUNT(*) FROM event_seal WHERE seq = {all}")) == "0" {}
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        let walked = walked() - before;
        assert!(walked < YEARS, "{walked} rows were read to find 12 events");
    }
}
