//! A fleet is upgraded without a pause: replicas of the version before go on serving while a new one takes its steps of the schema,
//! and with it. Of the heavy tier, because it builds the version before.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use renaksi_tests::cluster::OwnCluster;
use renaksi_tests::server::{PASSWORD, command};
use renaksi_tests::traffic::Traffic;
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{Actor, Backend, Server, tier, unique};

const WRITERS: usize = 32;
const DATABASE: &str = "renaksi";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn git(arguments: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(root()).args(arguments).output().expect("git is there");
    assert!(
        output.status.success(),
        "this story builds an earlier revision, and needs the history of the repository: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The revision that is upgraded: `RENAKSI_OLD_REVISION`, or the one before the last change of the schema.
fn revision() -> String {
    let named = env::var("RENAKSI_OLD_REVISION").unwrap_or_else(|_| {
        let last = git(&["log", "-n", "1", "--first-parent", "--format=%H", "--", "migration/src/lib.rs"]);
        assert!(!last.is_empty(), "the history of the repository does not reach the last change of the schema: fetch more of it");
        format!("{last}^1")
    });
    git(&["rev-parse", "--verify", &format!("{named}^{{commit}}")])
}

/// The binary of that revision, built in a work tree of its own. What it depends on is compiled once.
fn old_binary() -> PathBuf {
    let revision = revision();
    let target = root().join("target/old-revision");
    let kept = target.join(format!("renaksi-{revision}"));
    if !kept.is_file() {
        let tree = Workplace::get().join(unique::word());
        git(&["worktree", "add", "--detach", tree.to_str().unwrap(), &revision]);
        let built = Command::new("cargo")
            .args(["build", "-p", "renaksi", "--locked"])
            .current_dir(&tree)
            .env("CARGO_TARGET_DIR", &target)
            .output()
            .unwrap();
        git(&["worktree", "remove", "--force", tree.to_str().unwrap()]);
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        fs::copy(target.join("debug/renaksi"), &kept).unwrap();
    }
    kept
}

async fn admin_of(server: &Server) -> Actor {
    let anyone = Actor::new(server.url(), None);
    let login = anyone.log_in("admin@demo.invalid", PASSWORD).await.is(200);
    anyone.with_token(&login.text_at("access_token"))
}

fn steps(cluster: &OwnCluster) -> String {
    cluster.query(DATABASE, "SELECT COUNT(*) FROM seaql_migrations")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_replicas_serve_while_a_new_one_takes_its_steps() {
    if !Backend::Postgres.is_wanted() || !tier::is_heavy() {
        return;
    }
    let old_binary = old_binary();
    let cluster = OwnCluster::start(&[]);
    cluster.query("postgres", &format!("CREATE DATABASE {DATABASE}"));
    let url = cluster.url(DATABASE);
    let (first, second) = (Server::start_binary(&old_binary, &url, &[]), Server::start_binary(&old_binary, &url, &[]));
    let before = steps(&cluster);
    let (one, two) = (admin_of(&first).await, admin_of(&second).await);
    let traffic = Traffic::start(WRITERS, &[one.clone(), two.clone()]);
    traffic.go_on(500).await;
    // The new one takes its steps while both old ones write, and serves beside them.
    let since = Instant::now();
    let new = Server::start(&url);
    println!("from {before} steps to {}, and serving, after {:.1?}", steps(&cluster), since.elapsed());
    let beside = Traffic::start(WRITERS, &[admin_of(&new).await]);
    traffic.go_on(500).await;
    beside.go_on(500).await;
    // What one wrote the others read, old or new.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for reader in [&one, &two, &admin_of(&new).await] {
        for path in ["/v1/opds?limit=200", "/v1/programmes", "/v1/me", "/v1/events?after=0&limit=200", "/v1/summary"] {
            assert_eq!(reader.get(path).await.status(), 200, "{path}");
        }
    }
    // The old ones go, one after the other, as an orchestrator lets them.
    let told = traffic.stop().await;
    told.print("the old replicas");
    told.says_only(&[(503, "unavailable"), (503, "busy"), (409, "idempotency_key_in_use")]);
    for old in [first, second] {
        old.terminate();
        assert!(old.wait().success(), "{}", old.end_of_log());
    }
    beside.go_on(200).await;
    let more = beside.stop().await;
    more.print("the new replica");
    more.says_only(&[(503, "unavailable"), (503, "busy"), (409, "idempotency_key_in_use")]);
    for told in [told, more] {
        told.is_all_there(|sql| cluster.query(DATABASE, sql));
    }
    let since = Instant::now();
    while cluster.query(DATABASE, "SELECT (SELECT position FROM feed_head) = (SELECT COUNT(*) FROM event)") != "t" {
        assert!(since.elapsed() < Duration::from_secs(60), "the feed stands still");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let output = command(&["audit", "verify", "--database-url", &url]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
