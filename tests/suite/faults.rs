//! What clients see when a part fails, and what holds afterwards: the table in docs/operations/faults.md. Servers are really killed, frozen,
//! promoted and filled up, and the figures are printed. All of it is of the heavy tier.

mod clock;
mod small_disk;

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use renaksi_tests::cluster::OwnCluster;
use renaksi_tests::forwarder::Forwarder;
use renaksi_tests::holder::Holder;
use renaksi_tests::resource::OPDS;
use renaksi_tests::server::{PASSWORD, command};
use renaksi_tests::traffic::{Told, Traffic};
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{Actor, App, Backend, Server, tier, unique};
use serde_json::json;

use self::clock::Clock;
use self::small_disk::SmallDisk;

const WRITERS: usize = 32;
const DATABASE: &str = "renaksi";

/// Whether stories on this kind of database are told, and only in the heavy tier.
fn is_told(backend: Backend) -> bool {
    let is_told = backend.is_wanted() && tier::is_heavy();
    if !is_told {
        let _ = writeln!(std::io::stderr(), "not run: a story of the heavy tier on {}", backend.name());
    }
    is_told
}

async fn admin_of(server: &Server) -> Actor {
    let anyone = Actor::new(server.url(), None);
    let login = anyone.log_in("admin@demo.invalid", PASSWORD).await.is(200);
    anyone.with_token(&login.text_at("access_token"))
}

/// The chain holds, and every row equals what its last event says.
#[track_caller]
fn is_sound(url: &str) -> String {
    let output = command(&["audit", "verify", "--database-url", url]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.rsplit_once("Head: ").unwrap().1.trim().to_owned()
}

/// A PostgreSQL with an empty database, and a service on it.
fn served(cluster: &OwnCluster, settings: &[(&str, &str)]) -> Server {
    cluster.query("postgres", &format!("CREATE DATABASE {DATABASE}"));
    Server::start_with(&cluster.url(DATABASE), settings)
}

/// Waits until everything that was committed has its position.
fn is_sealed(query: impl Fn(&str) -> String) {
    let since = Instant::now();
    while query("SELECT position FROM feed_head") != query("SELECT SUM(events) FROM event") {
        assert!(
            since.elapsed() < Duration::from_secs(60),
            "the feed stands still at {}",
            query("SELECT position FROM feed_head")
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Everything that was acknowledged is in the database, once, and the log is whole.
#[track_caller]
fn holds(cluster: &OwnCluster, told: &Told) {
    told.is_all_there(|sql| cluster.query(DATABASE, sql));
    is_sealed(|sql| cluster.query(DATABASE, sql));
    is_sound(&cluster.url(DATABASE));
}

/// A path is answered, or refused as the document says, and soon.
async fn answers_soon(actor: &Actor, path: &str) -> u16 {
    let since = Instant::now();
    let answer = actor.get(path).await;
    let status = answer.status();
    assert!([200, 503].contains(&status), "{answer:?}");
    assert!(since.elapsed() < Duration::from_secs(12), "{path} took {:?}", since.elapsed());
    let answer = answer.is(status);
    assert!(status == 200 || answer.header("retry-after").is_some(), "{answer:?}");
    status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_killed_loses_nothing_that_was_acknowledged() {
    if !is_told(Backend::Postgres) {
        return;
    }
    let cluster = OwnCluster::start(&[]);
    let server = served(&cluster, &[]);
    let admin = admin_of(&server).await;
    let traffic = Traffic::start(WRITERS, std::slice::from_ref(&admin));
    for _ in 0..5 {
        traffic.go_on(500).await;
        let before = traffic.refused();
        cluster.kill9();
        tokio::time::sleep(Duration::from_secs(8)).await;
        assert!(traffic.refused() > before, "writers are told");
        Actor::new(server.url(), None).get("/health/live").await.is(200);
        Actor::new(server.url(), None).get("/health/ready").await.is(503);
        answers_soon(&admin, "/v1/opds/DLH").await;
        let since = Instant::now();
        cluster.start_again();
        let started = since.elapsed();
        traffic.go_on(1).await;
        println!(
            "PostgreSQL started in {started:.1?}, and the first write was acknowledged {:.1?} after it was asked to",
            since.elapsed()
        );
    }
    traffic.go_on(WRITERS).await;
    let told = traffic.stop().await;
    told.print("PostgreSQL killed");
    told.says_only(&[(503, "unavailable"), (503, "busy"), (409, "idempotency_key_in_use")]);
    holds(&cluster, &told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_is_promoted_goes_on() {
    if !is_told(Backend::Postgres) {
        return;
    }
    let primary = OwnCluster::start(&["wal_level=replica", "synchronous_commit=on"]);
    primary.query("postgres", &format!("CREATE DATABASE {DATABASE}"));
    let standby = primary.follower(&["hot_standby=on"]);
    // What is acknowledged is on both.
    primary.query("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
    primary.query("postgres", "SELECT pg_reload_conf()");
    primary.until("SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync'", "1");
    let forwarder = Forwarder::to(primary.port()).await;
    let url = format!("postgres://postgres@127.0.0.1:{}/{DATABASE}", forwarder.port());
    let server = Server::start(&url);
    let admin = admin_of(&server).await;
    let traffic = Traffic::start(WRITERS, &[admin]);
    traffic.go_on(1_000).await;
    // The address leads to the standby before it is promoted: a server that only reads.
    primary.kill9();
    let since = Instant::now();
    forwarder.turn_to(standby.port());
    tokio::time::sleep(Duration::from_secs(2)).await;
    standby.query("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
    standby.promote();
    traffic.go_on(1).await;
    println!("writes go on {:.1?} after the primary was killed", since.elapsed());
    traffic.go_on(1_000).await;
    let told = traffic.stop().await;
    told.print("standby promoted");
    told.says_only(&[(503, "unavailable"), (503, "busy"), (409, "idempotency_key_in_use")]);
    holds(&standby, &told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_finds_no_connection_is_told_soon() {
    if !is_told(Backend::Postgres) {
        return;
    }
    let cluster = OwnCluster::start(&[]);
    let server = served(&cluster, &[("RENAKSI_DATABASE_CONNECTIONS", "4")]);
    let admin = admin_of(&server).await;
    let anyone = Actor::new(server.url(), None);
    anyone.get("/v1/public/opds/DLH").await.is(200);
    let holder = Holder::of(cluster.psql(DATABASE), "LOCK TABLE event IN EXCLUSIVE MODE");
    let traffic = Traffic::start(WRITERS, std::slice::from_ref(&admin));
    let since = Instant::now();
    let mut read = 0;
    while since.elapsed() < Duration::from_secs(45) {
        // The public has connections of its own, and so it reads on.
        anyone.get("/v1/public/summary?as_of=2022-10-04").await.is(200);
        anyone.get("/v1/public/opds/DLH").await.is(200);
        anyone.get(format!("/v1/public/programmes?q={}", unique::word())).await.is(200);
        read += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(traffic.refused() > 0, "writers are told");
    drop(holder);
    let since = Instant::now();
    traffic.go_on(1).await;
    println!("the public read {} times meanwhile; writes go on {:.1?} after the lock was gone", 3 * read, since.elapsed());
    traffic.go_on(500).await;
    let told = traffic.stop().await;
    told.print("no connection left");
    told.says_only(&[(503, "unavailable"), (503, "busy"), (409, "idempotency_key_in_use")]);
    // Whoever has no connection is told after five seconds; only the few who have one wait for the lock itself.
    let patient = told.took.iter().filter(|took| **took > Duration::from_secs(7)).count();
    assert!(patient <= 8, "{patient} waited for longer");
    holds(&cluster, &told);
}

/// Until nothing can be written any more; then reading goes on, and writing does when there is room.
async fn fills_up(disk: &SmallDisk, server: &Server, leave: u64) -> Told {
    let admin = admin_of(server).await;
    let anyone = Actor::new(server.url(), None);
    let traffic = Traffic::start(WRITERS, std::slice::from_ref(&admin));
    traffic.go_on(200).await;
    disk.fill(leave);
    let since = Instant::now();
    let mut stood_still = (traffic.acknowledged(), Instant::now());
    // Full is when nothing is acknowledged for a while.
    while stood_still.1.elapsed() < Duration::from_secs(5) {
        assert!(since.elapsed() < Duration::from_secs(120), "it never fills up");
        tokio::time::sleep(Duration::from_millis(50)).await;
        if traffic.acknowledged() > stood_still.0 {
            stood_still = (traffic.acknowledged(), Instant::now());
        }
    }
    println!("full after {:.1?}, with {} acknowledged", since.elapsed(), traffic.acknowledged());
    let mut read = 0;
    for _ in 0..20 {
        read += usize::from(answers_soon(&admin, "/v1/opds?limit=5").await == 200);
        read += usize::from(answers_soon(&anyone, "/v1/public/opds/DLH").await == 200);
    }
    disk.free();
    let since = Instant::now();
    traffic.go_on(1).await;
    println!("{read} of 40 reads were answered while it was full; writes go on {:.1?} after there was room", since.elapsed());
    traffic.go_on(200).await;
    traffic.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_below_sqlite_stops_writing_and_nothing_else() {
    if !is_told(Backend::Sqlite) {
        return;
    }
    let disk = SmallDisk::of(64);
    let url = format!("sqlite://{}", disk.path().join("renaksi.db").display());
    let server = Server::start(&url);
    let told = fills_up(&disk, &server, 1 << 20).await;
    told.print("disk full below SQLite");
    told.says_only(&[(503, "storage_full"), (503, "unavailable"), (503, "busy"), (409, "idempotency_key_in_use")]);
    assert!(told.refused.contains_key(&(503, "storage_full".to_owned())), "{:?}", told.refused);
    server.terminate();
    assert!(server.wait().success(), "{}", server.end_of_log());
    let query = |sql: &str| {
        let script =
            "import sqlite3, sys\nfor row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print('|'.join(map(str, row)))";
        let output = Command::new("python3").args(["-c", script]).arg(disk.path().join("renaksi.db")).arg(sql).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    told.is_all_there(query);
    is_sound(&url);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_below_postgres_stops_writing_and_nothing_else() {
    if !is_told(Backend::Postgres) {
        return;
    }
    // The tables are on the small disk, and the log is not: PostgreSQL itself stops when it cannot write that.
    let disk = SmallDisk::of(64);
    let cluster = OwnCluster::start(&[]);
    let owner = Command::new("chown").arg("--reference").arg(cluster.folder("empty")).arg(disk.path()).status().unwrap();
    assert!(owner.success());
    let space = disk.path().display().to_string();
    cluster.query("postgres", &format!("CREATE TABLESPACE small LOCATION '{space}'"));
    cluster.query("postgres", &format!("CREATE DATABASE {DATABASE} TABLESPACE small"));
    let server = Server::start(&cluster.url(DATABASE));
    let told = fills_up(&disk, &server, 256 << 10).await;
    told.print("disk full below PostgreSQL");
    told.says_only(&[(503, "storage_full"), (503, "unavailable"), (503, "busy"), (409, "idempotency_key_in_use")]);
    assert!(told.refused.contains_key(&(503, "storage_full".to_owned())), "{:?}", told.refused);
    holds(&cluster, &told);
    drop(server);
    cluster.query("postgres", &format!("DROP DATABASE {DATABASE} WITH (FORCE)"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_replica_holds_nobody_up_and_catches_up() {
    if !is_told(Backend::Postgres) {
        return;
    }
    let cluster = OwnCluster::start(&[]);
    let frozen = served(&cluster, &[]);
    let other = Server::start(&cluster.url(DATABASE));
    let (one, two) = (admin_of(&frozen).await, admin_of(&other).await);
    // In the middle of what both are at.
    let both = Traffic::start(WRITERS, &[one.clone(), two.clone()]);
    both.go_on(200).await;
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &frozen.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    };
    signal("-STOP");
    let since = Instant::now();
    let alone = Traffic::start(WRITERS, std::slice::from_ref(&two));
    let pause = Duration::from_secs(40);
    let mut longest = Duration::ZERO;
    while since.elapsed() < pause {
        let before = alone.acknowledged();
        let began = Instant::now();
        while alone.acknowledged() == before && since.elapsed() < pause {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        longest = longest.max(began.elapsed());
    }
    let written = alone.acknowledged();
    let told = alone.stop().await;
    told.print("the other replica meanwhile");
    told.says_only(&[(503, "unavailable"), (503, "busy"), (409, "idempotency_key_in_use")]);
    // What it held when it was frozen is a transaction of an instant; no longer than a statement may take is anybody kept waiting.
    println!("{written} writes on the other replica in {pause:?}, the longest pause {longest:.1?}");
    assert!(written > 200, "the other replica writes on");
    // Events get positions without it, but for those after what it left open.
    let (code, body) = OPDS.new_body();
    signal("-CONT");
    let since = Instant::now();
    both.go_on(WRITERS).await;
    println!("it writes again {:.1?} after it went on", since.elapsed());
    two.create(OPDS.path, body).await;
    let since = Instant::now();
    while one.get(OPDS.one(&code)).await.status() != 200 {
        assert!(since.elapsed() < Duration::from_secs(10), "it does not catch up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let more = both.stop().await;
    more.print("both replicas");
    // A request of which only a part was read when it was frozen has timed out.
    more.says_only(&[(503, "unavailable"), (503, "busy"), (409, "idempotency_key_in_use"), (408, "no problem")]);
    holds(&cluster, &told);
    holds(&cluster, &more);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_breaks_neither_ids_nor_positions() {
    if !is_told(Backend::Sqlite) {
        return;
    }
    let clock = Clock::installed();
    let file = clock.file.display().to_string();
    let settings = [
        ("LD_PRELOAD", clock.library.as_str()),
        ("FAKETIME_TIMESTAMP_FILE", &file),
        ("FAKETIME_NO_CACHE", "1"),
        // Only the time of day jumps, as it does on a machine whose clock is set.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let app = App::start_with(Backend::Sqlite, &settings);
    for by in ["+0", "+40", "-300", "-86400", "+600", "+0"] {
        clock.shift(by);
        let anyone = app.anyone();
        let login = anyone.log_in("admin@demo.invalid", PASSWORD).await.is(200);
        let admin = anyone.with_token(&login.text_at("access_token"));
        let traffic = Traffic::start(8, std::slice::from_ref(&admin));
        traffic.go_on(100).await;
        let told = traffic.stop().await;
        told.print(&format!("clock {by} s"));
        told.says_only(&[]);
        told.is_all_there(|sql| app.database().query(sql));
        // A change of what was written at another time.
        let etag = admin.etag_of("/v1/opds/DLH").await;
        admin.patch("/v1/opds/DLH", json!({ "head_title": format!("Jam {by}") })).if_match(&etag).await.is(200);
        let shown =
            admin.get("/v1/opds/DLH").await.is(200).text_at("updated_at").parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let expected = chrono::Utc::now() + chrono::Duration::seconds(by.parse().unwrap());
        assert!((shown - expected).num_seconds().abs() < 30, "the clock of the service says {shown}, and not {expected}");
        let form = [("grant_type", "refresh_token"), ("refresh_token", &login.text_at("refresh_token"))];
        anyone.post_form("/v1/auth/token", &form).await.is(200);
    }
    is_sealed(|sql| app.database().query(sql));
    app.server().terminate();
    assert!(app.server().wait().success());
    is_sound(&app.database().url());
    let positions = app.database().query("SELECT SUM(events), SUM(events), MAX(position) FROM event_seal");
    let positions = positions.split('|').collect::<Vec<_>>();
    assert!(positions.iter().all(|number| *number == positions[0]), "{positions:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_brought_back_to_an_instant() {
    if !is_told(Backend::Postgres) {
        return;
    }
    let archive = Workplace::get().join_in_memory(format!("postgres-{}", unique::word()));
    fs::create_dir_all(&archive).unwrap();
    let command = format!("archive_command=test ! -f {0}/%f && cp %p {0}/%f.part && mv {0}/%f.part {0}/%f", archive.display());
    let cluster = OwnCluster::start(&["wal_level=replica", "archive_mode=on", &format!("\"{command}\"")]);
    let owner = Command::new("chown").arg("--reference").arg(cluster.folder("empty")).arg(&archive).status().unwrap();
    assert!(owner.success());
    let server = served(&cluster, &[]);
    let admin = admin_of(&server).await;
    let base = cluster.folder("bases").join("base");
    cluster.base_backup(&base, &[]);
    let write = async |number: usize| {
        let traffic = Traffic::start(8, std::slice::from_ref(&admin));
        traffic.go_on(number).await;
        let told = traffic.stop().await;
        is_sealed(|sql| cluster.query(DATABASE, sql));
        told
    };
    let before = write(300).await;
    let head = is_sound(&cluster.url(DATABASE));
    let instant = cluster.query(DATABASE, "SELECT clock_timestamp()");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let after = write(100).await;
    assert_ne!(is_sound(&cluster.url(DATABASE)), head);
    cluster.query("postgres", "SELECT pg_switch_wal()");
    cluster.until("SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) FROM pg_stat_archiver", "t");
    drop(server);
    let since = Instant::now();
    let recovered = OwnCluster::recovered(&base, &archive, &instant);
    println!("brought back to {instant} in {:.1?}", since.elapsed());
    assert_eq!(is_sound(&recovered.url(DATABASE)), head);
    before.is_all_there(|sql| recovered.query(DATABASE, sql));
    let gone = recovered.query(DATABASE, "SELECT code FROM opd");
    assert!(after.acknowledged.iter().all(|code| !gone.lines().any(|line| line == code)), "what came after is not there");
    // And it goes on from there.
    let server = Server::start(&recovered.url(DATABASE));
    let traffic = Traffic::start(8, &[admin_of(&server).await]);
    traffic.go_on(100).await;
    let told = traffic.stop().await;
    holds(&recovered, &told);
    drop(server);
    let _ = fs::remove_dir_all(archive);
}
