//! A running service, and the people who use it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::actor::{Actor, Request};
use crate::database::{Backend, Database};
use crate::server::{CLIENT_SECRET, PASSWORD, Server};

/// Access tokens hold for 15 minutes, and a long story needs its own.
const TOKEN_USE: Duration = Duration::from_secs(4 * 60);

/// A running service with the demo data, as those see it who use it: nothing here stops it, reads its log, or goes past it to its
/// database. That is for an [`App`](crate::App), which nobody else uses.
pub struct Service {
    pub(crate) server: Server,
    // After the server: the database goes when nobody uses it any more.
    pub(crate) database: Arc<Database>,
}

impl Service {
    /// The one that stories share on a kind of database; the first that asks starts it, and it runs until the process ends.
    pub fn shared(backend: Backend) -> &'static Self {
        static SQLITE: OnceLock<Service> = OnceLock::new();
        static POSTGRES: OnceLock<Service> = OnceLock::new();
        let cell = match backend {
            Backend::Sqlite => &SQLITE,
            Backend::Postgres => &POSTGRES,
        };
        cell.get_or_init(|| {
            let database = Arc::new(Database::demo(backend));
            Self { server: Server::start(&database.url()), database }
        })
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.url().trim_start_matches("http://").to_owned()
    }

    /// The kind of its database.
    pub fn backend(&self) -> Backend {
        self.database.backend()
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
