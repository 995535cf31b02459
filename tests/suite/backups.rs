//! Backups while many write, and restoring them: what was acknowledged before is there, and the chain goes through.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use renaksi_tests::postgres::Cluster;
use renaksi_tests::resource::OPDS;
use renaksi_tests::server::{binary, command};
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{Actor, App, Backend, Database, Server, on_both_databases, on_sqlite, tier, unique};
use serde_json::json;

const WRITERS: usize = 16;

/// The codes of each writer, in the order in which they were acknowledged.
#[derive(Default)]
struct Written {
    by: Vec<Mutex<Vec<String>>>,
    over: AtomicBool,
    all: AtomicUsize,
}

impl Written {
    fn now(&self) -> Vec<Vec<String>> {
        self.by.iter().map(|codes| codes.lock().unwrap().clone()).collect()
    }

    async fn reach(&self, number: usize) {
        while self.all.load(Ordering::Relaxed) < number {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn write(writer: usize, admin: Actor, written: Arc<Written>) {
    while !written.over.load(Ordering::Relaxed) {
        let (code, body) = OPDS.new_body();
        admin.create(OPDS.path, body).await;
        written.by[writer].lock().unwrap().push(code);
        written.all.fetch_add(1, Ordering::Relaxed);
    }
}

/// Writes without a pause while `work` is done, and tells what was acknowledged before it, and after it.
async fn while_many_write<T>(app: &App, work: impl FnOnce() -> T + Send + 'static) -> (Vec<Vec<String>>, T, Vec<Vec<String>>)
where
    T: Send + 'static,
{
    let some = tier::size(60, 2_000);
    let written = Arc::new(Written { by: (0..WRITERS).map(|_| Mutex::default()).collect(), ..Written::default() });
    let admin = app.admin().await;
    let writers = (0..WRITERS).map(|writer| tokio::spawn(write(writer, admin.clone(), Arc::clone(&written))));
    let writers = writers.collect::<Vec<_>>();
    written.reach(some).await;
    let before = written.now();
    let worked = tokio::task::spawn_blocking(work).await.unwrap();
    let after = written.now();
    written.reach(written.all.load(Ordering::Relaxed) + WRITERS).await;
    written.over.store(true, Ordering::Relaxed);
    for ended in join_all(writers).await {
        ended.unwrap();
    }
    (before, worked, after)
}

/// Of each writer a beginning is there: all that was acknowledged before, and nothing without what came before it.
fn holds_a_prefix(database: &Database, before: &[Vec<String>], after: &[Vec<String>]) {
    let stored = database.query("SELECT code FROM opd").lines().map(str::to_owned).collect::<std::collections::HashSet<_>>();
    for (before, after) in before.iter().zip(after) {
        let there = after.iter().take_while(|code| stored.contains(*code)).count();
        assert!(there >= before.len(), "{} were acknowledged before the backup, {there} are in it", before.len());
        assert!(after[there..].iter().all(|code| !stored.contains(code)), "a write is there without an earlier one");
    }
}

fn fresh(end: &str) -> PathBuf {
    Workplace::get().join(format!("{}.{end}", unique::word()))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn is_refused(output: &Output, why: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && told.contains(why), "`{why}`: {output:?}");
}

/// The head that a command printed.
fn head_in(printed: &str) -> String {
    printed.rsplit_once("Head: ").expect("a head is printed").1.trim().to_owned()
}

fn on(database: &Database, arguments: &[&str]) -> Output {
    command(&[arguments, &["--database-url", &database.url()]].concat()).output().unwrap()
}

/// Runs lines as somebody who copied them, with the programs of PostgreSQL and the binary under test at hand.
fn run_lines(lines: &str, url: &str) -> Output {
    let here = binary().parent().unwrap().to_owned();
    let paths = [here, Cluster::get().programs().to_owned()].into_iter();
    let path = std::env::join_paths(paths.chain(std::env::split_paths(&std::env::var_os("PATH").unwrap()))).unwrap();
    Command::new("sh")
        .args(["-euc", lines])
        .env("PATH", path)
        .env("DATABASE_URL", url)
        .stdin(Stdio::null())
        .current_dir(Workplace::get().join(""))
        .output()
        .unwrap()
}

fn is_private(path: &Path) -> bool {
    path.metadata().unwrap().permissions().mode() & 0o077 == 0
}

/// A service on a restored database goes on: with its accounts, and in the feed where the backup ends.
async fn goes_on(database: &Database, head: &str) {
    let server = Server::start(&database.url());
    let anyone = Actor::new(server.url(), None);
    let login = anyone.log_in("admin@demo.invalid", renaksi_tests::server::PASSWORD).await.is(200);
    let admin = anyone.with_token(&login.text_at("access_token"));
    let position = |head: &str| head.split(':').next().unwrap().parse::<i64>().unwrap();
    let (code, body) = OPDS.new_body();
    admin.create(OPDS.path, body).await;
    for _ in 0..100 {
        let events = admin.get(format!("/v1/events?after={}&limit=200", position(head))).await.is(200).rows();
        if events.iter().any(|event| event["key"] == code.as_str()) {
            succeeds(&on(database, &["audit", "verify", "--head", head]));
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the feed does not go on after {head}");
}

async fn of_sqlite(app: &App) {
    let (file, url) = (fresh("backup"), app.database().url());
    let path = file.clone();
    let backup = move || command(&["backup", text(&path), "--database-url", &url]).output().unwrap();
    let (before, output, after) = while_many_write(app, backup).await;
    let head = head_in(&succeeds(&output));
    assert!(is_private(&file) && !file.with_extension("backup-wal").exists());
    let restored = Database::empty(Backend::Sqlite);
    let printed = succeeds(&on(&restored, &["restore", text(&file), "--head", &head]));
    assert_eq!(head_in(&printed), head);
    assert_eq!(head_in(&succeeds(&on(&restored, &["audit", "verify"]))), head);
    holds_a_prefix(&restored, &before, &after);
    goes_on(&restored, &head).await;
}

async fn of_postgres(app: &App) {
    let (file, url) = (fresh("dump"), app.database().url());
    let (path, to) = (file.clone(), url.clone());
    let backup = move || {
        let told = command(&["backup", text(&path), "--database-url", &to]).output().unwrap();
        assert_eq!(told.status.code(), Some(3), "{told:?}");
        run_lines(&String::from_utf8(told.stdout).unwrap(), &to)
    };
    let (before, output, after) = while_many_write(app, backup).await;
    succeeds(&output);
    assert!(is_private(&file));
    // A database of another name, which the lines create.
    let restored = Database::unmade(Backend::Postgres);
    let told = on(&restored, &["restore", text(&file)]);
    assert_eq!(told.status.code(), Some(3), "{told:?}");
    let head = head_in(&succeeds(&run_lines(&String::from_utf8(told.stdout).unwrap(), &restored.url())));
    holds_a_prefix(&restored, &before, &after);
    goes_on(&restored, &head).await;
}

on_both_databases! {
    async fn a_backup_while_many_write_holds_all_that_was_acknowledged_before_it(app) {
        match app.backend() {
            Backend::Sqlite => of_sqlite(&app).await,
            Backend::Postgres => of_postgres(&app).await,
        }
    }
}

on_sqlite! {
    async fn a_backup_is_written_over_nothing(app) {
        // A folder of its own: other stories write backups meanwhile.
        let folder = Workplace::get().join(unique::word());
        fs::create_dir(&folder).unwrap();
        let file = folder.join("a.backup");
        succeeds(&app.command(&["backup", text(&file)]));
        let first = fs::read(&file).unwrap();
        is_refused(&app.command(&["backup", text(&file)]), "--force");
        assert_eq!(fs::read(&file).unwrap(), first);
        app.admin().await.create(OPDS.path, OPDS.new_body().1).await;
        succeeds(&app.command(&["backup", text(&file), "--force"]));
        assert_ne!(fs::read(&file).unwrap(), first);
        assert!(is_private(&file));
        let itself = app.database().url();
        let itself = itself.trim_start_matches("sqlite://");
        is_refused(&app.command(&["backup", itself, "--force"]), "the database itself");
        // Whatever ended badly leaves nothing behind.
        is_refused(&app.command(&["backup", "/no-such-folder/a.backup"]), "/no-such-folder");
        is_refused(&command(&["backup", text(&folder.join("b.backup")), "--database-url", "sqlite:///no/such/folder/file.db"]).output().unwrap(), "no database");
        let beside = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(beside.filter(|name| name.ends_with(".part")).count(), 0);
    }

    async fn nothing_is_restored_over_a_database_in_use_or_from_a_damaged_file(app) {
        let file = fresh("backup");
        let head = head_in(&succeeds(&app.command(&["backup", text(&file)])));
        is_refused(&app.command(&["restore", text(&file)]), "in use");
        // A service may stand still and hold it all the same.
        app.admin().await.create(OPDS.path, OPDS.new_body().1).await;
        app.server().terminate();
        app.server().wait();
        let before = app.database().query("SELECT COUNT(*) FROM event");
        let damaged = fresh("backup");
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2 / 4096 * 4096;
        bytes[middle..middle + 4096].fill(0x5a);
        fs::write(&damaged, bytes).unwrap();
        let output = app.command(&["restore", text(&damaged)]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        // Whole pages, but somebody was at the rows.
        let altered = Database::empty(Backend::Sqlite);
        succeeds(&on(&altered, &["restore", text(&file)]));
        altered.tamper("UPDATE opd SET name = 'Dinas palsu' WHERE code = 'DLH'");
        let path = altered.url();
        is_refused(&app.command(&["restore", path.trim_start_matches("sqlite://")]), "differs from its history");
        is_refused(&app.command(&["restore", text(&file), "--head", &format!("999999:{}", "0".repeat(64))]), "an event is missing");
        let nothing = fresh("backup");
        fs::write(&nothing, "").unwrap();
        is_refused(&app.command(&["restore", text(&nothing)]), "no database of Renaksi");
        assert_eq!(app.database().query("SELECT COUNT(*) FROM event"), before);
        // The good one takes its place, and what was there is kept.
        let output = app.command(&["restore", text(&file), "--head", &head]);
        succeeds(&output);
        let told = String::from_utf8(output.stderr).unwrap();
        let kept = told.lines().find_map(|line| line.strip_prefix("the database that was replaced is now ")).expect("it is told");
        assert!(is_private(Path::new(kept)));
        let there = command(&["audit", "verify", "--database-url", &format!("sqlite://{kept}")]).output().unwrap();
        assert_ne!(head_in(&succeeds(&there)), head);
        assert_eq!(head_in(&succeeds(&app.command(&["audit", "verify"]))), head);
        succeeds(&app.command(&["restore", text(&file), "--discard"]));
        app.server().restart();
        app.admin().await.create(OPDS.path, OPDS.new_body().1).await;
        fs::remove_file(kept).unwrap();
    }

    async fn a_damaged_database_is_replaced(app) {
        let file = fresh("backup");
        let head = head_in(&succeeds(&app.command(&["backup", text(&file)])));
        app.server().kill9();
        let path = app.database().url();
        let path = Path::new(path.trim_start_matches("sqlite://"));
        fs::write(path, vec![0x5a; 100_000]).unwrap();
        succeeds(&app.command(&["restore", text(&file), "--discard"]));
        assert_eq!(head_in(&succeeds(&app.command(&["audit", "verify"]))), head);
        app.server().restart();
        app.admin().await.get("/v1/opds/DLH").await.is(200);
    }

    async fn a_backup_of_an_earlier_version_is_verified_and_restored_as_it_was(_app) {
        let old = Database::of_version(Backend::Sqlite, "0007");
        let file = fresh("backup");
        let head = head_in(&succeeds(&on(&old, &["backup", text(&file)])));
        let steps = |database: &Database| database.query("SELECT COUNT(*) FROM seaql_migrations");
        let restored = Database::empty(Backend::Sqlite);
        succeeds(&on(&restored, &["restore", text(&file)]));
        assert_eq!(steps(&restored), steps(&old), "only the service brings it up to date");
        let server = Server::start(&restored.url());
        server.greet();
        drop(server);
        // The chain goes on from what the old version wrote.
        let old_head = old.query("SELECT position || ':' || hash FROM feed_head");
        assert!(head.split(':').next().unwrap().parse::<i64>().unwrap() >= old_head.split(':').next().unwrap().parse::<i64>().unwrap());
        succeeds(&on(&restored, &["audit", "verify", "--head", &old_head]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_on_another_server_goes_on() {
    if !Backend::Postgres.is_wanted() {
        return;
    }
    let app = App::start(Backend::Postgres);
    let admin = app.admin().await;
    admin.create(OPDS.path, OPDS.new_body().1).await;
    app.server().terminate();
    app.server().wait();
    // What a dump brings from a server that has counted further, with events that were not sealed when it was made.
    let block = "SELECT MAX(s.position) FROM event_seal s, feed_head h WHERE s.hash <> '' AND s.position < h.position";
    let end = app.database().query(block);
    app.database().tamper(&format!("DELETE FROM event_seal WHERE position > {end}"));
    app.database().tamper(&format!(
        "UPDATE feed_head SET position = {end}, hash = (SELECT hash FROM event_seal WHERE position = {end}), horizon = 3000000000"
    ));
    app.database()
        .tamper("UPDATE event SET xact = CASE WHEN seq IN (SELECT seq FROM event_seal) THEN 2999999999 ELSE 3000000001 END");
    let before = app.database().query("SELECT position || ':' || hash FROM feed_head");
    app.server().restart();
    let admin = app.admin().await;
    let (code, body) = OPDS.new_body();
    admin.create(OPDS.path, body).await;
    let all = app.database().query("SELECT SUM(events) FROM event");
    for _ in 0..100 {
        if app.database().query("SELECT position FROM feed_head") == all {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(app.database().query("SELECT position FROM feed_head"), all, "every event has its position");
    let last = admin.get(format!("/v1/events?after={}", all.parse::<i64>().unwrap() - 1)).await.is(200).rows();
    assert_eq!(last[0]["key"], json!(code));
    succeeds(&app.command(&["audit", "verify", "--head", &before]));
}
