//! Black-box tests of Renaksi: named actors speak HTTP to the real binary, on SQLite and on PostgreSQL.
//!
//! ```text
//! cargo build -p renaksi && cargo test -p renaksi-tests            # everything, on both databases
//! cargo test -p renaksi-tests -- crud::                            # one capability
//! cargo test -p renaksi-tests -- ::sqlite                          # one database
//! ```
//!
//! | variable | meaning | default |
//! | --- | --- | --- |
//! | `RENAKSI_TEST_DATABASES` | which databases to run on; what is left out is named on stderr | `sqlite,postgres` |
//! | `RENAKSI_TEST_MUTATIONS` | broken pushes that are sent to each database; their story has the time for them | `300` |
//! | `RENAKSI_BIN` | the binary to test, such as a release build | `renaksi` beside the test binary's folder |
//! | `RENAKSI_PG_BIN` | folder with `initdb`, `pg_ctl` and `psql` | highest `/usr/lib/postgresql/*/bin`, else `PATH` |
//!
//! Each test gets a database of its own, copied from one with the demo data, and a server of its own. One PostgreSQL
//! cluster serves the whole process. Everything lies in one temporary folder; a small shell beside the process (see
//! [`workplace`]) stops what runs and removes the folder when the process ends, also when it is killed.
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
pub mod database;
pub mod dice;
pub mod document;
pub mod guide;
pub mod postgres;
pub mod receiver;
pub mod rehearsal;
pub mod resource;
pub mod server;
pub mod stream;
pub mod unique;
pub mod workplace;

pub use actor::Actor;
pub use answer::Answer;
pub use app::App;
pub use database::{Backend, Database};
pub use server::Server;

/// Writes one test for each database from one story.
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident) $story:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a story may need nothing from the module around it")]
            use super::*;

            async fn story($app: $crate::App) $story

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::app::tell($crate::Backend::Sqlite, story).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::app::tell($crate::Backend::Postgres, story).await;
            }
        }
    )*};
}
