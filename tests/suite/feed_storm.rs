//! Many write at the same time on two replicas, one of which dies: each reader sees each event exactly once, in one order.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use renaksi_tests::resource::OPDS;
use renaksi_tests::stream::Stream;
use renaksi_tests::{Actor, App, Backend, on_both_databases, tier};
use serde_json::json;

const WRITERS: usize = 32;
const READERS: usize = 3;
const LISTENERS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(60);

/// How long they write before and after one dies.
fn half() -> Duration {
    Duration::from_secs(tier::size(1, 30))
}

/// The addresses of the servers with a token, and what was acknowledged.
struct Storm {
    doors: Vec<Mutex<Actor>>,
    addresses: Vec<Mutex<String>>,
    token: String,
    written: AtomicU64,
    over: AtomicBool,
    /// Whether the last write was answered.
    ended: AtomicBool,
}

impl Storm {
    fn door(&self, turn: usize) -> Actor {
        self.doors[turn % self.doors.len()].lock().unwrap().clone()
    }

    fn address(&self, turn: usize) -> String {
        self.addresses[turn % self.addresses.len()].lock().unwrap().clone()
    }
}

on_both_databases! {
    async fn every_reader_sees_every_event_once(app) {
        // SQLite is for one server: there it is the only one that dies.
        let replica = (app.backend() == Backend::Postgres).then(|| app.replica());
        let servers = [Some(&app), replica.as_ref()].into_iter().flatten().collect::<Vec<_>>();
        let start = app.admin().await.get("/v1/events/head").await.is(200).at("position").as_i64().unwrap();
        let storm = Arc::new(storm_over(&servers).await);
        let writers = (0..WRITERS).map(|turn| tokio::spawn(write_on(turn, Arc::clone(&storm)))).collect::<Vec<_>>();
        let readers = (0..READERS).map(|turn| tokio::spawn(read_on(turn, start, Arc::clone(&storm)))).collect::<Vec<_>>();
        let listening = (0..LISTENERS).map(|turn| {
            let storm = Arc::clone(&storm);
            tokio::task::spawn_blocking(move || listen_on(turn, start, &storm))
        });
        let listeners = listening.collect::<Vec<_>>();

        tokio::time::sleep(half()).await;
        let victim = servers[servers.len() - 1];
        victim.server().kill9();
        tokio::time::sleep(Duration::from_millis(300)).await;
        victim.server().restart();
        *storm.doors[servers.len() - 1].lock().unwrap() = victim.admin().await;
        *storm.addresses[servers.len() - 1].lock().unwrap() = address_of(victim);
        tokio::time::sleep(half()).await;
        storm.over.store(true, Ordering::Relaxed);
        join_all(writers).await.into_iter().for_each(|ended| ended.unwrap());
        storm.ended.store(true, Ordering::Relaxed);

        let mut orders = Vec::new();
        for ended in join_all(readers).await {
            orders.push(ended.unwrap());
        }
        for ended in join_all(listeners).await {
            orders.push(ended.unwrap());
        }
        let longest = orders.iter().max_by_key(|order| order.len()).unwrap().clone();
        let ids = longest.iter().map(|(_, id)| id).collect::<BTreeSet<_>>();
        assert_eq!(ids.len(), longest.len(), "no event twice");
        let places = longest.iter().map(|(position, _)| *position).collect::<Vec<_>>();
        assert_eq!(places, (start + 1..=start + places.len() as i64).collect::<Vec<_>>(), "no event skipped");
        for order in &orders {
            assert_eq!(*order, longest, "one order for everybody");
        }
        let written = storm.written.load(Ordering::Relaxed);
        assert!(longest.len() as u64 >= written, "{} events of {written} acknowledged changes", longest.len());
        assert!(app.command(&["audit", "verify"]).status.success());
    }
}

async fn storm_over(servers: &[&App]) -> Storm {
    let (mut doors, mut addresses) = (Vec::new(), Vec::new());
    for server in servers {
        doors.push(Mutex::new(server.admin().await));
        addresses.push(Mutex::new(address_of(server)));
    }
    let token = doors[0].lock().unwrap().token().to_owned();
    Storm { doors, addresses, token, written: AtomicU64::new(0), over: AtomicBool::new(false), ended: AtomicBool::new(false) }
}

fn address_of(app: &App) -> String {
    app.address()
}

async fn write_on(mut turn: usize, storm: Arc<Storm>) {
    while !storm.over.load(Ordering::Relaxed) {
        let (_, body) = OPDS.new_body();
        turn += 1;
        match storm.door(turn).post(OPDS.path, body).attempt().await {
            Ok(answer) if answer.status() == 201 => drop(storm.written.fetch_add(1, Ordering::Relaxed)),
            Ok(answer) => assert_eq!(answer.status(), 503, "{answer:?}"),
            // The server is gone, or went while it answered.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Whether a reader has all there is, after the writers have stopped.
async fn is_at_the_end(storm: &Storm, turn: usize, position: i64) -> bool {
    if !storm.ended.load(Ordering::Relaxed) {
        return false;
    }
    // What is committed is sealed within a second.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let head = storm.door(turn).get("/v1/events/head").attempt().await;
    head.is_ok_and(|head| head.status() == 200 && head.at("position") == json!(position))
}

async fn read_on(mut turn: usize, start: i64, storm: Arc<Storm>) -> Vec<(i64, String)> {
    let (mut seen, mut after, since) = (Vec::new(), start, Instant::now());
    loop {
        turn += 1;
        match storm.door(turn).get(format!("/v1/events?after={after}&limit=50")).attempt().await {
            Ok(page) if page.status() == 200 => {
                let rows = page.rows();
                seen.extend(
                    rows.iter().map(|event| (event["position"].as_i64().unwrap(), event["id"].as_str().unwrap().to_owned())),
                );
                after = page.text_at("page/next_cursor").parse().unwrap();
                if rows.is_empty() && is_at_the_end(&storm, turn, after).await {
                    return seen;
                }
            }
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        assert!(since.elapsed() < PATIENCE * 4, "a reader does not come to the end");
    }
}

fn listen_on(mut turn: usize, start: i64, storm: &Storm) -> Vec<(i64, String)> {
    let (mut seen, mut last, since) = (Vec::new(), start, Instant::now());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    loop {
        turn += 1;
        assert!(since.elapsed() < PATIENCE * 4, "a listener does not come to the end");
        let Ok(mut stream) = Stream::at(&storm.address(turn), "/v1/events/stream", Some(&storm.token), Some(last)) else {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        // Cut, or silent for a while: it resumes elsewhere.
        while let Some(heard) = stream.next(Duration::from_secs(3)) {
            seen.push((heard.id, heard.data["id"].as_str().unwrap().to_owned()));
            last = heard.id;
        }
        if runtime.block_on(is_at_the_end(storm, turn, last)) {
            return seen;
        }
    }
}
