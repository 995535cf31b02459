//! One service with its database, and the people who use it.

use std::collections::HashMap;
use std::future::Future;
use std::io::Write;
use std::process::Output;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::actor::{Actor, Request};
use crate::database::{Backend, Database};
use crate::rehearsal::Today;
use crate::server::{CLIENT_SECRET, PASSWORD, Server, command};

/// No story takes longer than this, beside the time for its mutations.
const LONGEST_STORY: Duration = Duration::from_secs(600);
/// Time for one mutated request.
const A_MUTATION: Duration = Duration::from_millis(50);
/// Access tokens hold for 15 minutes, and a long story needs its own.
const TOKEN_USE: Duration = Duration::from_secs(4 * 60);

/// A running service with the demo data.
pub struct App {
    server: Server,
    // After the server: the database goes when nobody uses it any more.
    database: Arc<Database>,
}

/// Tells a story to one kind of database, if this run covers it.
pub async fn tell<F, S>(backend: Backend, story: S)
where
    S: FnOnce(App) -> F,
    F: Future<Output = ()>,
{
    if !backend.is_wanted() {
        // Not `eprintln!`: the test harness would keep it to itself.
        let _ = writeln!(std::io::stderr(), "not run: {} is not in RENAKSI_TEST_DATABASES", backend.name());
        return;
    }
    let longest = LONGEST_STORY + A_MUTATION * mutations();
    let told = tokio::time::timeout(longest, story(App::start(backend))).await;
    assert!(told.is_ok(), "the story did not end within {longest:?}");
}

/// Tells a story about a database that an earlier version filled, if this run covers its kind.
pub async fn tell_upgraded<F, S>(backend: Backend, step: &'static str, story: S)
where
    S: FnOnce(App) -> F,
    F: Future<Output = ()>,
{
    if backend.is_wanted() {
        story(App::upgraded(backend, step)).await;
    }
}

/// How many mutated requests a story sends: `RENAKSI_TEST_MUTATIONS`, 300 where it is not set.
pub fn mutations() -> u32 {
    std::env::var("RENAKSI_TEST_MUTATIONS").map_or(300, |count| count.parse().expect("RENAKSI_TEST_MUTATIONS"))
}

impl App {
    /// Starts a service on a copy of the demo database.
    pub fn start(backend: Backend) -> Self {
        Self::start_with(backend, &[])
    }

    /// The same with settings from the environment.
    pub fn start_with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let database = Arc::new(Database::demo(backend));
        Self { server: Server::start_with(&database.url(), settings), database }
    }

    /// A service on a database that an earlier version filled.
    pub fn upgraded(backend: Backend, step: &'static str) -> Self {
        let database = Arc::new(Database::of_version(backend, step));
        Self { server: Server::start(&database.url()), database }
    }

    /// Another service on the same database.
    pub fn replica(&self) -> Self {
        Self { server: Server::start(&self.database.url()), database: Arc::clone(&self.database) }
    }

    /// Another service on the same database, with settings from the environment.
    pub fn replica_with(&self, settings: &[(&str, &str)]) -> Self {
        Self { server: Server::start_with(&self.database.url(), settings), database: Arc::clone(&self.database) }
    }

    /// Another service on the same database, which takes a day for today that the story sets.
    pub fn rehearsed(&self, day: &str) -> (Self, Today) {
        let today = Today::starting(day.parse().expect("a day"));
        (self.replica_with(&[("RENAKSI_REHEARSAL", today.setting())]), today)
    }

    /// Its server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The kind of its database.
    pub fn backend(&self) -> Backend {
        self.database.backend()
    }

    /// What `renaksi …` says about its database, while it runs or not.
    pub fn command(&self, arguments: &[&str]) -> Output {
        command(&[arguments, &["--database-url", &self.database.url()]].concat()).output().unwrap()
    }

    /// Whether changes lie beside the database's file: never on PostgreSQL, which has no such file.
    pub fn has_write_ahead_log(&self) -> bool {
        self.database.has_write_ahead_log()
    }

    /// Its database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The private key that its tokens are signed with, PKCS #8: a fixture to forge tokens with.
    pub fn signing_key(&self) -> Vec<u8> {
        self.database.signing_key()
    }

    /// Somebody without a token.
    pub fn anyone(&self) -> Actor {
        Actor::new(self.server.url(), None)
    }

    /// The Kominfo office.
    pub async fn admin(&self) -> Actor {
        self.logged_in("admin@demo.invalid").await
    }

    /// A member of the council.
    pub async fn verifier(&self) -> Actor {
        self.logged_in("verifier@demo.invalid").await
    }

    /// Somebody of the health agency.
    pub async fn operator_dinkes(&self) -> Actor {
        self.logged_in("operator.dinkes@demo.invalid").await
    }

    /// Somebody of the environment agency.
    pub async fn operator_dlh(&self) -> Actor {
        self.logged_in("operator.dlh@demo.invalid").await
    }

    /// Somebody who reads all and writes nothing.
    pub async fn viewer(&self) -> Actor {
        self.logged_in("viewer@demo.invalid").await
    }

    /// The system of the health agency, with all scopes.
    pub async fn client_dinkes(&self) -> Actor {
        self.client("demo-dinkes").await
    }

    /// The system of the environment agency, with all scopes.
    pub async fn client_dlh(&self) -> Actor {
        self.client("demo-dlh").await
    }

    async fn logged_in(&self, email: &str) -> Actor {
        self.granted(email, |anyone| anyone.log_in(email, PASSWORD)).await
    }

    async fn client(&self, id: &str) -> Actor {
        self.granted(id, |anyone| anyone.client_token(id, CLIENT_SECRET)).await
    }

    /// Databases are copied with their signing keys, so one login serves all tests of a backend: hashing a password is slow on purpose.
    async fn granted(&self, name: &str, ask: impl FnOnce(&Actor) -> Request) -> Actor {
        type Tokens = Mutex<HashMap<String, (Instant, String)>>;
        static TOKENS: LazyLock<Tokens> = LazyLock::new(Tokens::default);
        let mut tokens = TOKENS.lock().await;
        let key = format!("{name} on {} {}", self.database.lineage(), self.backend().name());
        if let Some((_, token)) = tokens.get(&key).filter(|(since, _)| since.elapsed() < TOKEN_USE) {
            return Actor::new(self.server.url(), Some(token.clone()));
        }
        let token = ask(&self.anyone()).await.is(200).text_at("access_token");
        tokens.insert(key, (Instant::now(), token.clone()));
        Actor::new(self.server.url(), Some(token))
    }
}
