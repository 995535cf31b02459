//! Many who write without a pause, and try again what was not acknowledged: what they were told, and whether it is true.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::task::JoinHandle;

use crate::actor::Actor;
use crate::answer::Answer;
use crate::resource::OPDS;
use crate::unique;

/// How long somebody waits before trying again.
const PAUSE: Duration = Duration::from_millis(50);
/// What ends a story that gets nowhere.
const PATIENCE: Duration = Duration::from_secs(120);

/// Writers at work.
pub struct Traffic {
    shared: Arc<Shared>,
    writers: Vec<JoinHandle<()>>,
    since: Instant,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    acknowledged: AtomicUsize,
    told: Mutex<Told>,
}

/// What the writers were told.
#[derive(Default)]
pub struct Told {
    /// The codes that were acknowledged.
    pub acknowledged: Vec<String>,
    /// How often something else was said: status and code of the problem, or 0 for a connection that broke.
    pub refused: BTreeMap<(u16, String), usize>,
    /// What was said of refusals that lack what they need.
    pub wrong: Vec<String>,
    /// How long answers took.
    pub took: Vec<Duration>,
    /// When the answers came that acknowledged something.
    pub at: Vec<Instant>,
    /// How long all of it took.
    pub elapsed: Duration,
}

impl Traffic {
    /// Lets so many write, each through one of these doors in turn.
    pub fn start(writers: usize, doors: &[Actor]) -> Self {
        let shared = Arc::<Shared>::default();
        let writers = (0..writers).map(|writer| {
            let (doors, shared) = (doors.to_vec(), Arc::clone(&shared));
            tokio::spawn(write(writer, doors, shared))
        });
        Self { writers: writers.collect(), shared, since: Instant::now() }
    }

    /// How much was acknowledged until now.
    pub fn acknowledged(&self) -> usize {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until so much more is acknowledged.
    pub async fn go_on(&self, more: usize) {
        let (goal, since) = (self.acknowledged() + more, Instant::now());
        while self.acknowledged() < goal {
            assert!(
                since.elapsed() < PATIENCE,
                "nothing is acknowledged any more: {:?}",
                self.shared.told.lock().unwrap().refused
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// How often something else was said until now.
    pub fn refused(&self) -> usize {
        self.shared.told.lock().unwrap().refused.values().sum()
    }

    /// Lets them finish what they are at.
    pub async fn stop(self) -> Told {
        self.shared.over.store(true, Ordering::Relaxed);
        for ended in join_all(self.writers).await {
            ended.unwrap();
        }
        let mut told = std::mem::take(&mut *self.shared.told.lock().unwrap());
        told.elapsed = self.since.elapsed();
        told
    }
}

async fn write(writer: usize, doors: Vec<Actor>, shared: Arc<Shared>) {
    let mut turn = writer;
    while !shared.over.load(Ordering::Relaxed) {
        let ((code, body), key, began) = (OPDS.new_body(), unique::word(), Instant::now());
        loop {
            // Another door for the next try, as a balancer does.
            let door = &doors[turn % doors.len()];
            turn += 1;
            let since = Instant::now();
            let answer = door.post(OPDS.path, body.clone()).idempotency_key(&key).attempt().await;
            if shared.note(&code, answer.ok(), since.elapsed()) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            // What was tried may have been written, so it is repeated until it is answered, while that makes sense.
            if shared.over.load(Ordering::Relaxed) && began.elapsed() > PATIENCE {
                return;
            }
        }
    }
}

impl Shared {
    /// Notes what was said, and tells whether that acknowledged the write.
    fn note(&self, code: &str, answer: Option<Answer>, took: Duration) -> bool {
        let mut told = self.told.lock().unwrap();
        told.took.push(took);
        let Some(answer) = answer else {
            *told.refused.entry((0, "no answer".to_owned())).or_default() += 1;
            return false;
        };
        if answer.status() == 201 {
            told.acknowledged.push(code.to_owned());
            told.at.push(Instant::now());
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        if answer.status() == 503 && answer.header("retry-after").is_none() {
            told.wrong.push(format!("{answer:?}"));
        }
        // What the server says by itself, before it has read a request, has no body.
        let problem = serde_json::from_str::<serde_json::Value>(&answer.text()).unwrap_or_default();
        let code = problem["code"].as_str().unwrap_or("no problem").to_owned();
        *told.refused.entry((answer.status(), code)).or_default() += 1;
        false
    }
}

impl Told {
    /// Prints the figures.
    pub fn print(&self, what: &str) {
        let mut took = self.took.clone();
        took.sort();
        let at = |part: usize| took.get(took.len() * part / 1000).or(took.last()).copied().unwrap_or_default();
        println!(
            "{what}: {} acknowledged in {:.1?}, refused {:?}, p50 {:.1?}, p99 {:.1?}, slowest {:.1?}, longest pause {:.1?}",
            self.acknowledged.len(),
            self.elapsed,
            self.refused,
            at(500),
            at(990),
            at(1000),
            self.longest_pause()
        );
    }

    /// The longest time without any acknowledgement.
    pub fn longest_pause(&self) -> Duration {
        let mut at = self.at.clone();
        at.sort();
        at.windows(2).map(|two| two[1] - two[0]).max().unwrap_or_default()
    }

    /// Expects that nothing else was said than these, and everything in its form.
    #[track_caller]
    pub fn says_only(&self, expected: &[(u16, &str)]) {
        assert!(self.wrong.is_empty(), "{:?}", &self.wrong[..1]);
        let strange = self.refused.keys().filter(|(status, code)| !expected.contains(&(*status, code.as_str())));
        let strange = strange.collect::<Vec<_>>();
        assert!(strange.is_empty(), "{strange:?}");
    }

    /// Expects that everything that was acknowledged is there, once, with one event; `query` looks into the database.
    #[track_caller]
    pub fn is_all_there(&self, query: impl Fn(&str) -> String) {
        let events = query("SELECT \"key\", COUNT(*) FROM event WHERE resource = 'opd' AND action = 'created' GROUP BY \"key\"");
        let events = events.lines().filter_map(|line| line.split_once('|')).collect::<HashMap<_, _>>();
        let rows = query("SELECT code FROM opd").lines().map(str::to_owned).collect::<std::collections::HashSet<_>>();
        for code in &self.acknowledged {
            assert!(rows.contains(code), "{code} was acknowledged and is not there");
            assert_eq!(events.get(code.as_str()), Some(&"1"), "{code} was written once");
        }
    }
}
