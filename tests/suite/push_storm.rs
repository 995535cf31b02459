//! Sixteen systems push overlapping periods over bad lines, and a replica dies: each push counts once, the newest value wins.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use renaksi_tests::dice::Dice;
use renaksi_tests::resource::KPIS;
use renaksi_tests::{Actor, Answer, App, Backend, on_both_databases, tier, unique};
use serde_json::{Value, json};

const CLIENTS: u64 = 16;
const KPIS_PUSHED: usize = 4;
const MONTHS: usize = 24;
const PUSH: &str = "/v1/push/measurements?mode=partial";
const NDJSON: &str = "application/x-ndjson";
/// No push is tried for longer than this.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long they push before and after one dies.
fn half() -> Duration {
    Duration::from_secs(tier::size(1, 30))
}

on_both_databases! {
    async fn a_storm_of_pushes_ends_as_the_model_does(app) {
        // SQLite is for one server: there it is the only one that dies.
        let replica = (app.backend() == Backend::Postgres).then(|| app.replica());
        let victim = replica.as_ref().unwrap_or(&app);
        let mut doors = vec![Mutex::new(Door::of(victim).await)];
        if replica.is_some() {
            doors.push(Mutex::new(Door::of(&app).await));
        }
        let storm = Arc::new(Storm::over(doors, &app.admin().await).await);
        let clients = (0..CLIENTS).map(|seed| tokio::spawn(push_on(seed, Arc::clone(&storm)))).collect::<Vec<_>>();

        tokio::time::sleep(half()).await;
        victim.server().kill9();
        tokio::time::sleep(Duration::from_millis(300)).await;
        victim.server().restart();
        let reopened = Door::of(victim).await;
        *storm.doors[0].lock().unwrap() = reopened;
        tokio::time::sleep(half()).await;

        storm.over.store(true, Ordering::Relaxed);
        for ended in join_all(clients).await {
            ended.unwrap();
        }
        is_as_the_model(&app.admin().await, &storm).await;
    }
}

/// A client at one of the servers.
#[derive(Clone)]
struct Door {
    client: Actor,
    address: String,
}

impl Door {
    async fn of(app: &App) -> Self {
        Self { client: app.client_dinkes().await, address: app.address() }
    }
}

struct Storm {
    /// One for each server; the first is the one that dies.
    doors: Vec<Mutex<Door>>,
    kpis: Vec<String>,
    /// The clock of the source system: each row has a second of its own.
    clock: AtomicU64,
    /// The newest second of each KPI and month.
    model: Mutex<BTreeMap<(usize, usize), u64>>,
    /// Rows that were created and updated, as the answers say.
    created: AtomicU64,
    updated: AtomicU64,
    over: AtomicBool,
}

impl Storm {
    async fn over(doors: Vec<Mutex<Door>>, admin: &Actor) -> Self {
        let mut kpis = Vec::new();
        for _ in 0..KPIS_PUSHED {
            kpis.push(new_kpi(admin).await);
        }
        Self {
            doors,
            kpis,
            clock: AtomicU64::new(0),
            model: Mutex::default(),
            created: AtomicU64::new(0),
            updated: AtomicU64::new(0),
            over: AtomicBool::new(false),
        }
    }

    fn door(&self, turn: usize) -> Door {
        self.doors[turn % self.doors.len()].lock().unwrap().clone()
    }

    /// Some rows, each of another KPI and month, as far as the model is concerned stored from now on.
    fn rows(&self, dice: &mut Dice) -> Vec<String> {
        let (count, mut keys) = (5 + dice.below(26), BTreeSet::new());
        while keys.len() < count {
            keys.insert((dice.below(KPIS_PUSHED), dice.below(MONTHS)));
        }
        let rows = keys.into_iter().map(|key| {
            let second = self.clock.fetch_add(1, Ordering::Relaxed) + 1;
            let mut model = self.model.lock().unwrap();
            let newest = model.entry(key).or_default();
            *newest = second.max(*newest);
            // No two rows have one value: a repeat would be `unchanged` and keep the older time.
            let (kpi, period, value) = (&self.kpis[key.0], period(key.1), second.to_string());
            json!({ "kpi": kpi, "period": period, "value": value, "source_updated_at": time(second) }).to_string()
        });
        rows.collect()
    }

    /// Pushes, as the guide says: with the same key until there is an answer.
    async fn push(&self, body: &str, dice: &mut Dice) -> Answer {
        let (key, since, mut turn) = (unique::word(), Instant::now(), dice.below(self.doors.len()));
        while since.elapsed() < PATIENCE {
            let door = self.door(turn);
            turn += 1;
            if dice.below(5) == 0 {
                hang_up(&door, body, &key, dice).await;
                continue;
            }
            match door.client.push(PUSH, NDJSON, body).idempotency_key(&key).attempt().await {
                Ok(answer) if answer.status() == 200 => return answer.is(200),
                Ok(answer) if answer.status() == 409 => drop(answer.is(409).has_problem("idempotency_key_in_use")),
                Ok(answer) => assert_eq!(answer.status(), 503, "{answer:?}"),
                // The server is gone, or went while it answered.
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("a push was not acknowledged within {PATIENCE:?}");
    }
}

async fn push_on(seed: u64, storm: Arc<Storm>) {
    let mut dice = Dice::new(seed);
    while !storm.over.load(Ordering::Relaxed) {
        let rows = storm.rows(&mut dice);
        let answer = storm.push(&rows.join("\n"), &mut dice).await;
        let count = |member: &str| answer.at(member).as_u64().unwrap();
        assert_eq!((count("received"), count("rejected"), count("unchanged")), (rows.len() as u64, 0, 0), "{answer:?}");
        assert_eq!(count("created") + count("updated") + count("stale"), rows.len() as u64, "{answer:?}");
        storm.created.fetch_add(count("created"), Ordering::Relaxed);
        storm.updated.fetch_add(count("updated"), Ordering::Relaxed);
    }
}

/// Sends a push, or the beginning of it, and hangs up without reading the answer.
async fn hang_up(door: &Door, body: &str, key: &str, dice: &mut Dice) {
    let Ok(mut connection) = TcpStream::connect(&door.address) else { return };
    let head = format!(
        "POST {PUSH} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: {NDJSON}\r\nIdempotency-Key: {key}\r\n\
         Content-Length: {}\r\n\r\n",
        door.address,
        door.client.token(),
        body.len()
    );
    let sent = if dice.below(2) == 0 { body } else { &body[..dice.below(body.len())] };
    // The server may be gone: then nobody has read it.
    let _ = connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(sent.as_bytes()));
    tokio::time::sleep(Duration::from_millis(dice.below(30) as u64)).await;
}

/// Of each KPI and month the newest row is stored, and every change was written once, with its event.
async fn is_as_the_model(admin: &Actor, storm: &Storm) {
    let model = storm.model.lock().unwrap().clone();
    let mut changes = 0;
    for (index, kpi) in storm.kpis.iter().enumerate() {
        let path = format!("/v1/kpis/{kpi}/measurements");
        let rows = admin.all(&format!("{path}?limit=200")).await;
        let stored = rows.iter().map(|row| (text(&row["period"]), text(&row["value"]))).collect::<BTreeMap<_, _>>();
        assert_eq!(stored.len(), rows.len(), "one row for each month of {kpi}");
        let newest = model.iter().filter(|((of, _), _)| *of == index);
        let newest = newest.map(|((_, month), second)| (period(*month), second.to_string())).collect::<BTreeMap<_, _>>();
        assert_eq!(stored, newest, "{kpi}");
        for (period, value) in &stored {
            changes += history_is_whole(admin, &format!("{path}/{period}"), value).await;
        }
    }
    let (created, updated) = (storm.created.load(Ordering::Relaxed), storm.updated.load(Ordering::Relaxed));
    assert_eq!(created, model.len() as u64, "each row was created once");
    assert_eq!(created + updated, changes, "the answers and the histories tell of the same changes");
    assert!(updated > 0, "nothing overlapped");
}

/// One event for each version, the last with the value; answers how many.
async fn history_is_whole(admin: &Actor, path: &str, value: &str) -> u64 {
    let mut events = admin.all(&format!("{path}/history?limit=200")).await;
    events.sort_by_key(|event| event["version"].as_u64());
    let versions = events.iter().map(|event| event["version"].as_u64().unwrap()).collect::<Vec<_>>();
    let count = events.len() as u64;
    assert_eq!(versions, (1..=count).collect::<Vec<_>>(), "one event for each version of {path}");
    assert_eq!(events[events.len() - 1]["after"]["value"], value, "the last event of {path} is what is stored");
    count
}

/// Creates a monthly KPI of the health agency that nothing was measured of, and answers its code.
async fn new_kpi(admin: &Actor) -> String {
    let (code, mut body) = KPIS.new_body();
    body["programme"] = Value::Null;
    body["frequency"] = json!("monthly");
    body["baseline"] = Value::Null;
    admin.create(KPIS.path, body).await;
    code
}

fn period(month: usize) -> String {
    format!("{}-{:02}", 2021 + month / 12, 1 + month % 12)
}

/// A second of the source's clock as a time; its months have 28 days.
fn time(second: u64) -> String {
    let (day, hour, minute) = (second / 86_400, second / 3600 % 24, second / 60 % 60);
    let (year, month) = (2020 + day / 336, 1 + day / 28 % 12);
    format!("{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{:02}Z", 1 + day % 28, second % 60)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
