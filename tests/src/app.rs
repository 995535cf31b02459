//! A service and a database of one story, which may do with both as it likes.

use std::ops::Deref;
use std::process::Output;
use std::sync::Arc;

use crate::database::{Backend, Database};
use crate::rehearsal::Today;
use crate::server::{Server, command};
use crate::service::Service;

/// A running service with the demo data that nobody else uses: its story may stop it, read its log and go past it to its database.
pub struct App(Service);

impl Deref for App {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.0
    }
}

impl App {
    /// Starts a service on a copy of the demo database.
    pub fn start(backend: Backend) -> Self {
        Self::start_with(backend, &[])
    }

    /// The same with settings from the environment.
    pub fn start_with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let database = Arc::new(Database::demo(backend));
        let server = Server::start_with(&database.url(), settings);
        Self(Service { server, database })
    }

    /// A service on a database that an earlier version filled.
    pub fn upgraded(backend: Backend, step: &'static str) -> Self {
        let database = Arc::new(Database::of_version(backend, step));
        let server = Server::start(&database.url());
        Self(Service { server, database })
    }

    /// Another service on the same database.
    pub fn replica(&self) -> Self {
        self.replica_with(&[])
    }

    /// Another service on the same database, with settings from the environment.
    pub fn replica_with(&self, settings: &[(&str, &str)]) -> Self {
        let server = Server::start_with(&self.database.url(), settings);
        Self(Service { server, database: Arc::clone(&self.database) })
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
}
