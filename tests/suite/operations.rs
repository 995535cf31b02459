//! What `docs/operations.md` and the files beside it tell an operator is true: its commands work as they stand, its alerts and its
//! dashboard read metrics that exist, and its Indonesian form has the same parts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use renaksi_tests::guide::Guide;
use renaksi_tests::metrics::Metrics;
use renaksi_tests::server::binary;
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{on_sqlite, unique};
use serde_json::Value;

/// The guides that exist in both languages.
const TRANSLATED: [(&str, &str); 2] = [("operations.md", "id/operasi.md"), ("push.md", "id/push.md")];

#[test]
fn the_guide_works_as_written_on_a_fresh_folder() {
    let folder = Workplace::get().join(unique::word());
    fs::create_dir(&folder).unwrap();
    symlink(binary(), folder.join("renaksi")).unwrap();
    let blocks = Guide("operations.md").blocks().into_iter().filter(|(kind, _)| kind == "sh").map(|(_, block)| block);
    let blocks = blocks.collect::<Vec<_>>();
    assert!(blocks.len() >= 15, "only {} blocks were found", blocks.len());
    let work = folder.join("work");
    fs::create_dir(&work).unwrap();
    let steps = blocks.iter().enumerate().map(|(number, block)| format!("echo '== block {number}' >&2\n{block}"));
    // Whatever fails, the service that the guide starts ends with the shell.
    let guard = "set -eu\ntrap 'kill -9 $(cat renaksi.pid) 2> /dev/null || true' EXIT\n";
    let script = guard.to_owned() + &steps.collect::<String>();
    let script = script.replace("127.0.0.1:8080", &free_address()).replace("127.0.0.1:9464", &free_address());
    fs::write(folder.join("guide"), script).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let ended = Command::new("sh")
        .arg("../guide")
        .current_dir(&work)
        .env_clear()
        .env("PATH", path)
        .env("HOME", &work)
        // Neither a proxy nor a `.curlrc` comes between.
        .env("no_proxy", "*")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    let log = fs::read_to_string(work.join("renaksi.log")).unwrap_or_default();
    assert!(ended.status.success(), "{said}\n{}\n{log}", String::from_utf8_lossy(&ended.stdout));
    assert!(!work.join("renaksi.db-wal").exists(), "the guide says that one file is left");
}

#[test]
fn what_cannot_be_run_here_is_at_least_shell() {
    for (kind, block) in Guide("operations.md").blocks() {
        assert!(["sh", "bash"].contains(&kind.as_str()), "a block of {kind:?} is neither run nor read");
        let read = Command::new("bash").args(["-n", "-c", &block]).output().unwrap();
        assert!(read.status.success(), "{block}: {}", String::from_utf8_lossy(&read.stderr));
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

on_sqlite! {
    async fn alerts_and_dashboard_read_metrics_that_there_are(app) {
        app.anyone().get("/v1/public/opds").await.is(200);
        let mut metrics = Metrics::default();
        for _ in 0..200 {
            metrics = Metrics::read(&app.anyone().get("/metrics").await.text());
            if metrics.value("renaksi_webhook_deliveries", &[("state", "due")]).is_some() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let mut labels = BTreeMap::<&str, BTreeSet<&str>>::new();
        for series in metrics.series() {
            labels.entry(&series.name).or_default().extend(series.labels.keys().map(String::as_str));
        }
        // What Prometheus adds by itself.
        labels.insert("up", BTreeSet::new());
        let (alerts, dashboard) = (alerts(), dashboard());
        assert!(alerts.len() >= 10 && dashboard.len() >= 20, "{} alerts, {} queries", alerts.len(), dashboard.len());
        for query in alerts.iter().map(|alert| alert["expr"].as_str().unwrap()).chain(dashboard.iter().map(String::as_str)) {
            let read = selectors(query);
            assert!(!read.is_empty(), "no metric in {query}");
            for (name, by) in read {
                let known = labels.get(name.as_str()).unwrap_or_else(|| panic!("there is no metric {name}: {query}"));
                let unknown = by.iter().find(|label| !known.contains(label.as_str()) && !["job", "instance"].contains(&label.as_str()));
                assert_eq!(unknown, None, "{name} has no such label: {query}");
            }
        }
    }
}

#[test]
fn each_alert_names_what_to_do() {
    let guide = read("docs/operations.md");
    let anchors = guide.lines().filter(|line| line.starts_with('#')).map(anchor).collect::<BTreeSet<_>>();
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        let (file, heading) = alert["annotations"]["runbook"].as_str().unwrap().split_once('#').unwrap();
        assert_eq!(file, "docs/operations.md", "{name}");
        assert!(anchors.contains(heading), "{name}: docs/operations.md has no heading for #{heading}");
        assert!(["page", "ticket"].contains(&alert["labels"]["severity"].as_str().unwrap()), "{name}");
        assert!(alert["annotations"]["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{name}");
    }
}

#[test]
fn the_indonesian_guides_have_the_parts_of_the_english_ones() {
    for (english, indonesian) in TRANSLATED {
        let (original, translation) = (Outline::of(english), Outline::of(indonesian));
        assert_eq!(original.levels, translation.levels, "the headings of docs/{indonesian} are not those of docs/{english}");
        assert_eq!(
            original.rows, translation.rows,
            "the rows of the tables of docs/{indonesian} are not those of docs/{english}"
        );
        for (number, (own, theirs)) in original.blocks.iter().zip(&translation.blocks).enumerate() {
            assert_eq!(own, theirs, "block {number} of docs/{indonesian} is not that of docs/{english}");
        }
        assert_eq!(original.blocks.len(), translation.blocks.len(), "docs/{indonesian} lacks blocks of docs/{english}");
    }
}

#[test]
fn what_the_guides_link_to_is_there() {
    for guide in TRANSLATED.into_iter().flat_map(|(english, indonesian)| [english, indonesian]) {
        let file = root().join("docs").join(guide);
        let text = fs::read_to_string(&file).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        for target in targets.filter(|target| !target.contains("://")) {
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let other = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            assert!(other.exists(), "docs/{guide} links to {target}");
            let is_there =
                || fs::read_to_string(&other).unwrap().lines().any(|line| line.starts_with('#') && anchor(line) == heading);
            assert!(heading.is_empty() || is_there(), "docs/{guide} links to {target}");
        }
    }
}

/// The parts of a guide that are the same in both languages.
struct Outline {
    levels: Vec<usize>,
    /// Rows of tables.
    rows: usize,
    /// Code, each block with its kind.
    blocks: Vec<(String, String)>,
}

impl Outline {
    fn of(guide: &'static str) -> Self {
        let blocks = Guide(guide).blocks();
        let text = fs::read_to_string(root().join("docs").join(guide)).unwrap();
        // The blocks have lines that look like headings.
        let prose = text.split("```").step_by(2).collect::<Vec<_>>().join("\n");
        let levels = prose
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| line.chars().take_while(|letter| *letter == '#').count());
        Self { levels: levels.collect(), rows: prose.lines().filter(|line| line.starts_with('|')).count(), blocks }
    }
}

fn alerts() -> Vec<Value> {
    let rules: Value = yaml_serde::from_str(&read("docs/operations/alerts.yml")).unwrap();
    rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

fn dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("docs/operations/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// The metrics of a query in PromQL, each with the labels by which its series are chosen.
fn selectors(query: &str) -> Vec<(String, BTreeSet<String>)> {
    const WORDS: [&str; 13] =
        ["and", "or", "unless", "bool", "group_left", "group_right", "sum", "min", "max", "avg", "count", "topk", "bottomk"];
    let (mut found, mut rest) = (Vec::new(), query);
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            // A number such as 450e6.
            rest = rest.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '.');
        } else if first.is_ascii_alphabetic() || first == '_' {
            let (word, after) = word(rest);
            let is_called = after.starts_with('(');
            rest = after;
            if ["by", "without", "on", "ignoring"].contains(&word) {
                // Names of labels follow.
                rest = after.split_once(')').unwrap().1;
            } else if !is_called && !WORDS.contains(&word) {
                let (labels, after) = match after.strip_prefix('{') {
                    Some(inside) => matchers(inside),
                    None => (BTreeSet::new(), after),
                };
                found.push((word.to_owned(), labels));
                rest = after;
            }
        } else if first == '[' {
            rest = rest.split_once(']').unwrap().1;
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// The labels between braces, and what comes after them.
fn matchers(mut rest: &str) -> (BTreeSet<String>, &str) {
    let mut labels = BTreeSet::new();
    loop {
        let (label, after) = word(rest.trim_start_matches([',', ' ']));
        labels.insert(label.to_owned());
        let (_, value) = after.split_once('"').unwrap();
        rest = value.split_once('"').unwrap().1;
        if let Some(end) = rest.strip_prefix('}') {
            return (labels, end);
        }
    }
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len()))
}

#[test]
fn a_query_tells_its_metrics() {
    let labels = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let query = r#"histogram_quantile(0.95, sum by (le, x) (rate(a_bucket{route!~".*}x",status="1"}[10m]))) > 450e6 and max(b) or vector(0)"#;
    assert_eq!(selectors(query), [("a_bucket".to_owned(), labels(&["route", "status"])), ("b".to_owned(), labels(&[]))]);
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

fn root() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).to_owned()
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}
