//! How a story becomes tests: what it needs is made, and told to it.

use std::future::Future;
use std::io::Write;
use std::thread;
use std::time::Duration;

use crate::app::App;
use crate::database::Backend;
use crate::service::Service;
use crate::tier;

/// Tells a story to a service of its own on one kind of database, if this run covers it.
pub async fn tell<F, S>(backend: Backend, story: S)
where
    S: FnOnce(App) -> F,
    F: Future<Output = ()>,
{
    if is_wanted(backend) {
        in_time(story(App::start(backend))).await;
    }
}

/// Tells a story to the service that is shared on one kind of database, if this run covers it.
pub async fn tell_shared<F, S>(backend: Backend, story: S)
where
    S: FnOnce(&'static Service) -> F,
    F: Future<Output = ()>,
{
    if is_wanted(backend) {
        let service = Service::shared(backend);
        let _log = LogOfFailure(service);
        in_time(story(service)).await;
        service.server.keeps_secrets();
    }
}

/// Tells a story about a database that an earlier version filled, if this run covers its kind.
pub async fn tell_upgraded<F, S>(backend: Backend, step: &'static str, story: S)
where
    S: FnOnce(App) -> F,
    F: Future<Output = ()>,
{
    if is_wanted(backend) {
        in_time(story(App::upgraded(backend, step))).await;
    }
}

fn is_wanted(backend: Backend) -> bool {
    let is_wanted = backend.is_wanted();
    if !is_wanted {
        // Not `eprintln!`: the test harness would keep it to itself.
        let _ = writeln!(std::io::stderr(), "not run: {} is not in RENAKSI_TEST_DATABASES", backend.name());
    }
    is_wanted
}

async fn in_time(story: impl Future<Output = ()>) {
    let longest = Duration::from_secs(tier::size(600, 6 * 3600));
    let told = tokio::time::timeout(longest, story).await;
    assert!(told.is_ok(), "the story did not end within {longest:?}");
}

/// Shows the end of the log of a shared service when a story fails; one of its own shows it when it goes.
struct LogOfFailure(&'static Service);

impl Drop for LogOfFailure {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- the end of the shared server's log ---\n{}", self.0.server.end_of_log());
        }
    }
}

/// Writes one test for each database from one story; each gets a service of its own, an [`App`].
#[macro_export]
macro_rules! on_both_databases {
    ($($stories:tt)*) => { $crate::stories! { $crate::App, $crate::story::tell, [sqlite: Sqlite, postgres: Postgres]; $($stories)* } };
}

/// Writes one test for each database from one story, which shares its service with others: a [`Service`].
#[macro_export]
macro_rules! on_shared_servers {
    ($($stories:tt)*) => { $crate::stories! { &'static $crate::Service, $crate::story::tell_shared, [sqlite: Sqlite, postgres: Postgres]; $($stories)* } };
}

/// Writes one test on PostgreSQL from one story about what only it does; it gets a service of its own, an [`App`].
#[macro_export]
macro_rules! on_postgres {
    ($($stories:tt)*) => { $crate::stories! { $crate::App, $crate::story::tell, [postgres: Postgres]; $($stories)* } };
}

/// Writes one test on SQLite from one story to which the kind of database cannot matter; it gets a service of its own, an [`App`].
#[macro_export]
macro_rules! on_sqlite {
    ($($stories:tt)*) => { $crate::stories! { $crate::App, $crate::story::tell, [sqlite: Sqlite]; $($stories)* } };
}

/// Writes one test on SQLite from one story to which the kind of database cannot matter, and which shares its service: a [`Service`].
#[macro_export]
macro_rules! on_a_shared_server {
    ($($stories:tt)*) => { $crate::stories! { &'static $crate::Service, $crate::story::tell_shared, [sqlite: Sqlite]; $($stories)* } };
}

/// What the macros above have in common.
#[doc(hidden)]
#[macro_export]
macro_rules! stories {
    ($app_type:ty, $tell:path, $databases:tt; $($(#[$meta:meta])* async fn $name:ident($app:ident) $story:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a story may need nothing from the module around it")]
            use super::*;

            async fn story($app: $app_type) $story

            $crate::tests! { $tell, $databases }
        }
    )*};
}

/// One test for each database.
#[doc(hidden)]
#[macro_export]
macro_rules! tests {
    ($tell:path, [$($test:ident: $backend:ident),*]) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            $tell($crate::Backend::$backend, story).await;
        }
    )*};
}
