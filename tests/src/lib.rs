//! Black-box tests of Renaksi: named actors speak HTTP to the real binary, on SQLite and on PostgreSQL.
//!
//! ```text
//! cargo build -p renaksi && cargo test -p renaksi-tests            # everything, in its small form
//! cargo test -p renaksi-tests -- lists::                           # one capability
//! cargo test -p renaksi-tests -- ::sqlite                          # one database
//! RENAKSI_TEST_TIER=heavy cargo test -p renaksi-tests -- replay::  # one capability in full size
//! ```
//!
//! | variable | meaning | default |
//! | --- | --- | --- |
//! | `RENAKSI_TEST_TIER` | `heavy` tells the stories with large numbers in full size: see [`tier`] | `normal` |
//! | `RENAKSI_TEST_SEED` | what random stories draw their numbers from; they print it | fixed, and new in each heavy run |
//! | `RENAKSI_TEST_DATABASES` | which databases to run on; what is left out is named on stderr | `sqlite,postgres` |
//! | `RENAKSI_BIN` | the binary to test, such as a release build | `renaksi` beside the test binary's folder |
//! | `RENAKSI_OLD_REVISION` | the revision from which a fleet is upgraded, in the heavy tier | the one before the last change of the schema |
//! | `RENAKSI_SOAK_MINUTES` | how long a day of traffic takes, in the heavy tier | `20` |
//! | `RENAKSI_FAKETIME` | the library `libfaketimeMT`, which shifts the clock of a service, in the heavy tier | where Debian installs it |
//! | `RENAKSI_PG_BIN` | folder with `initdb`, `pg_ctl` and `psql` | highest `/usr/lib/postgresql/*/bin`, else `PATH` |
//!
//! Four macros say what a story needs; each tells it once for each database that it names.
//!
//! | macro | databases | service |
//! | --- | --- | --- |
//! | [`on_both_databases!`] | both | of its own, with a copy of the demo data: an [`App`], which it may stop, tamper with and look into |
//! | [`on_shared_servers!`] | both | shared with other stories: a [`Service`], which it only speaks HTTP to |
//! | [`on_sqlite!`] | SQLite | of its own |
//! | [`on_a_shared_server!`] | SQLite | shared |
//!
//! A story shares its service when it makes what it writes to, under names from [`unique`], and asks only for that or for demo
//! data that no other such story changes: it counts no table, reads no figure of the whole, neither the head of the feed nor the
//! first page of a list, and fails no login. It is told on SQLite alone when the kind of database cannot matter to it: bodies,
//! headers, methods, documents, the form of problems.
//!
//! One PostgreSQL cluster serves the whole process, in memory where there is room and without `fsync`. Everything lies in
//! temporary folders; a small shell beside the process (see [`workplace`]) stops what runs and removes the folders when the
//! process ends, also when it is killed.
//!
//! A story reads like this; [`Answer::is`] also holds the answer to `openapi/openapi.json`:
//!
//! ```ignore
//! on_both_databases! {
//!     async fn a_stale_edit_is_refused(app) {
//!         let admin = app.admin().await;
//!         let etag = admin.get("/v1/opds/DLH").await.is(200).etag();
//!         admin.patch("/v1/opds/DLH", json!({ "name": "DLH" })).if_match(&etag).await.is(200);
//!         admin.patch("/v1/opds/DLH", json!({ "name": "LH" })).if_match(&etag).await.is(412);
//!     }
//! }
//! ```
#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

pub mod actor;
pub mod answer;
pub mod app;
pub mod cluster;
pub mod collector;
pub mod csv;
pub mod database;
pub mod dice;
pub mod document;
pub mod forwarder;
pub mod guide;
pub mod holder;
pub mod metrics;
pub mod person;
pub mod postgres;
pub mod receiver;
pub mod rehearsal;
pub mod resource;
pub mod server;
pub mod service;
pub mod sqlite;
pub mod story;
pub mod stream;
pub mod tier;
pub mod traffic;
pub mod unique;
pub mod workplace;

pub use actor::Actor;
pub use answer::Answer;
pub use app::App;
pub use database::{Backend, Database};
pub use server::Server;
pub use service::Service;
