//! A day of traffic in some minutes: memory, the size of the database for each write, and how long answers take stay what they are.
//!
//! Of the heavy tier. `RENAKSI_SOAK_MINUTES` says how long it takes on both databases together; without it, 20 minutes.

use std::fs;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use renaksi_tests::resource::OPDS;
use renaksi_tests::{Actor, App, Backend, tier, unique};
use serde_json::json;

/// So many parts have their figures.
const PARTS: usize = 10;
/// A day of a regency: people and systems that write, people and the public who read.
const WRITES_A_DAY: f64 = 20_000.0;
const READERS: usize = 4;
const READS_A_WRITE: usize = 5;

fn minutes() -> f64 {
    let text = std::env::var("RENAKSI_SOAK_MINUTES").unwrap_or_else(|_| "20".to_owned());
    text.parse().unwrap_or_else(|_| panic!("RENAKSI_SOAK_MINUTES={text}: expected a number"))
}

/// What was measured in one part.
#[derive(Clone, Debug, Default)]
struct Part {
    /// Of the process, in KiB.
    memory: u64,
    /// Of the database, in bytes, and the events in it.
    size: u64,
    events: u64,
    writes: Vec<Duration>,
    reads: Vec<Duration>,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    turn: AtomicUsize,
    writes: Mutex<Vec<Duration>>,
    reads: Mutex<Vec<Duration>>,
    /// The token holds for 15 minutes, and a day is longer.
    people: Mutex<Option<(Actor, Actor)>>,
}

impl Shared {
    fn people(&self) -> (Actor, Actor) {
        self.people.lock().unwrap().clone().expect("somebody is logged in")
    }
}

fn median(times: &[Duration]) -> Duration {
    at(times, 500)
}

fn at(times: &[Duration], part: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times.get(times.len() * part / 1000).copied().unwrap_or_default()
}

fn memory_of(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn size_of(app: &App) -> u64 {
    let sql = match app.backend() {
        Backend::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        Backend::Postgres => "SELECT pg_database_size(current_database())",
    };
    app.database().query(sql).parse().unwrap()
}

/// What people and systems write in turn: what is new, what changes, what changes nothing.
async fn write(shared: &Shared, admin: &Actor) {
    let turn = shared.turn.fetch_add(1, Ordering::Relaxed);
    let since = Instant::now();
    let answer = match turn % 4 {
        0 => admin.post(OPDS.path, OPDS.new_body().1).idempotency_key(&unique::word()).await,
        1 => admin.put(format!("/v1/opds/SOAK-{}", turn % 50), json!({ "name": unique::word() })).if_match("*").await,
        2 => {
            let rows = json!([{ "kpi": "STUNTING", "period": "2022", "value": format!("{}.{}", 20 + turn % 9, turn % 10) }]);
            admin.push("/v1/push/measurements?mode=partial", "application/json", rows.to_string()).await
        }
        _ => {
            let etag = admin.etag_of("/v1/programmes/SL-01").await;
            admin.patch("/v1/programmes/SL-01", json!({ "description": unique::word() })).if_match(&etag).await
        }
    };
    assert!(answer.status() < 500, "{answer:?}");
    shared.writes.lock().unwrap().push(since.elapsed());
}

/// What is read, some of it never asked before.
async fn read(shared: &Shared, reader: &Actor, turn: usize) {
    let path = match turn % 6 {
        0 => "/v1/public/summary".to_owned(),
        1 => "/v1/public/programmes?limit=20".to_owned(),
        2 => format!("/v1/public/programmes?q={}", unique::word()),
        3 => "/v1/standings?limit=20".to_owned(),
        4 => "/v1/opds?limit=50&sort=-updated_at".to_owned(),
        _ => "/v1/events?limit=20".to_owned(),
    };
    let since = Instant::now();
    let answer = reader.get(path).await;
    assert!(answer.status() == 200, "{answer:?}");
    shared.reads.lock().unwrap().push(since.elapsed());
}

async fn soak(app: App) {
    let day = Duration::from_secs_f64(minutes() * 60.0 / 2.0);
    let between = day.div_f64(WRITES_A_DAY).max(Duration::from_millis(15));
    let shared = Arc::new(Shared::default());
    *shared.people.lock().unwrap() = Some((app.admin().await, app.viewer().await));
    let (admin, _) = shared.people();
    for number in 0..50 {
        admin.put(format!("/v1/opds/SOAK-{number}"), json!({ "name": unique::word() })).await.is(201);
    }
    let writer = {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(between);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            while !shared.over.load(Ordering::Relaxed) {
                tick.tick().await;
                write(&shared, &shared.people().0).await;
            }
        })
    };
    let readers = (0..READERS).map(|reader| {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut tick =
                tokio::time::interval(between * u32::try_from(READERS).unwrap() / u32::try_from(READS_A_WRITE).unwrap());
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            let mut turn = reader;
            while !shared.over.load(Ordering::Relaxed) {
                tick.tick().await;
                turn += 1;
                read(&shared, &shared.people().1, turn).await;
            }
        })
    });
    let readers = readers.collect::<Vec<_>>();
    let mut parts = Vec::new();
    for number in 0..=PARTS {
        let ends = Instant::now() + day / u32::try_from(PARTS + 1).unwrap();
        while Instant::now() < ends {
            tokio::time::sleep(Duration::from_secs(1).min(day / 50)).await;
        }
        *shared.people.lock().unwrap() = Some((app.admin().await, app.viewer().await));
        let part = Part {
            memory: memory_of(app.server().pid()),
            size: size_of(&app),
            events: app.database().query("SELECT SUM(events) FROM event").parse().unwrap(),
            writes: std::mem::take(&mut *shared.writes.lock().unwrap()),
            reads: std::mem::take(&mut *shared.reads.lock().unwrap()),
        };
        println!(
            "{} part {number}: {} MiB, {} events in {} KiB, {} writes p50 {:.1?} p99 {:.1?}, {} reads p50 {:.1?} p99 {:.1?}",
            app.backend().name(),
            part.memory / 1024,
            part.events,
            part.size / 1024,
            part.writes.len(),
            median(&part.writes),
            at(&part.writes, 990),
            part.reads.len(),
            median(&part.reads),
            at(&part.reads, 990)
        );
        parts.push(part);
    }
    shared.over.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    for ended in join_all(readers).await {
        ended.unwrap();
    }
    is_flat(&app, &parts);
    let output = app.command(&["audit", "verify"]);
    assert!(output.status.success(), "{output:?}");
}

/// The first part warms up; of the others the end is like the beginning.
fn is_flat(app: &App, parts: &[Part]) {
    let (first, last) = (&parts[1], &parts[parts.len() - 1]);
    let middle = &parts[parts.len() / 2];
    assert!(last.memory < first.memory * 3 / 2 + 32 * 1024, "memory grows from {} to {} KiB", first.memory, last.memory);
    let grown = |from: &Part, to: &Part| (to.size - from.size) as f64 / (to.events - from.events).max(1) as f64;
    let (early, late) = (grown(first, middle), grown(middle, last));
    println!("{}: {early:.0} and {late:.0} bytes for an event, early and late", app.backend().name());
    assert!(late < early * 1.5 + 1_000.0, "an event takes {early:.0} bytes at first and {late:.0} in the end");
    let all =
        |parts: &[Part], of: fn(&Part) -> &Vec<Duration>| parts.iter().flat_map(|part| of(part).clone()).collect::<Vec<_>>();
    for (what, of) in [("writes", (|part| &part.writes) as fn(&Part) -> &Vec<Duration>), ("reads", |part| &part.reads)] {
        let (early, late) = (median(&all(&parts[1..4], of)), median(&all(&parts[parts.len() - 3..], of)));
        assert!(late < early * 3 + Duration::from_millis(5), "{what} take {early:?} at first and {late:?} in the end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_leaves_everything_as_fast_and_as_small() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        if backend.is_wanted() && tier::is_heavy() {
            soak(App::start(backend)).await;
        } else {
            let _ = writeln!(std::io::stderr(), "not run: a story of the heavy tier on {}", backend.name());
        }
    }
}
