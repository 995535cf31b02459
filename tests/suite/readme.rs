//! What the README tells is true: its tour is run as it stands, with `sh` and `curl`, and its settings are those of the binary.
//!
//! A block ```` ```sh ```` of the tour is run; the block ```` ```json ```` or ```` ```http ```` after it is what it must
//! print, and without one it must print nothing. In an answer `"…"` fits any value but null, `…` within a text any part of
//! it, `"…"` at the end of a list and the member `"…"` at least one more entry, and a line `…` at least one more header.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use renaksi_tests::server::{PASSWORD, command};
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{on_both_databases, unique};
use serde_json::{Map, Value};

/// The address in the README; the service under test listens elsewhere.
const ADDRESS: &str = "http://127.0.0.1:8080";
const CUT: &str = "…";

on_both_databases! {
    async fn the_tour_is_true(app) {
        let steps = steps(&section("A tour"));
        let answers = steps.iter().filter(|step| step.answer.is_some()).count();
        assert!(answers >= 15, "only {answers} answers were found in the tour");
        let printed = run(&steps, &app.server().url());
        let faults = steps.iter().zip(&printed).flat_map(|(step, printed)| step.faults(printed)).collect::<Vec<_>>();
        assert!(faults.is_empty(), "README.md does not tell what happens:\n\n{}", faults.join("\n\n"));
    }
}

#[test]
fn the_settings_are_those_of_the_binary() {
    let output = command(&["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert_eq!(settings_in_table(&section("Commands and settings")), settings_in_help(&help));
}

#[test]
fn what_the_documents_link_to_is_there() {
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = read(document);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            assert!(root().join(file).exists(), "{document} links to {target}");
            let is_there = |line: &str| line.starts_with('#') && anchor(line) == heading;
            assert!(heading.is_empty() || read(file).lines().any(is_there), "{document} links to {target}");
        }
    }
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    words
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
        .collect::<String>()
        .replace(' ', "-")
}

#[test]
fn what_the_map_shows_is_there() {
    let text = read("ARCHITECTURE.md");
    let map = text.split_once("```text\n").and_then(|(_, rest)| rest.split_once("```")).expect("ARCHITECTURE.md has a map").0;
    let (mut folders, mut shown) = (Vec::<(usize, PathBuf)>::new(), 0);
    for line in map.lines().filter(|line| !line.trim().is_empty()) {
        let depth = line.len() - line.trim_start().len();
        // Names, then at least two spaces, then what they are.
        let names = line.trim_start().split("  ").next().unwrap_or_default();
        folders.retain(|(above, _)| *above < depth);
        let folder = folders.last().map(|(_, folder)| folder.clone()).unwrap_or_default();
        for name in names.split(", ") {
            let path = folder.join(name);
            assert!(root().join(&path).exists(), "the map shows {}", path.display());
            shown += 1;
            if name.ends_with('/') {
                folders.push((depth, path));
            }
        }
    }
    assert!(shown > 50, "only {shown} entries were found in the map");
}

/// A command of the tour, and what it must print.
struct Step {
    /// Line of the README.
    line: usize,
    command: String,
    /// Kind of the block, and what it holds.
    answer: Option<(String, String)>,
}

/// A section of the README with the number of its first line.
fn section(title: &str) -> (usize, String) {
    let text = read("README.md");
    let heading = format!("\n## {title}\n");
    let start = text.find(&heading).unwrap_or_else(|| panic!("README.md has no section `{title}`")) + heading.len();
    let body = text[start..].split("\n## ").next().unwrap_or_default();
    (text[..start].lines().count() + 1, body.to_owned())
}

/// The blocks of the tour, each command with its answer.
fn steps((first, text): &(usize, String)) -> Vec<Step> {
    let (mut steps, mut lines) = (Vec::<Step>::new(), text.lines().zip(*first..));
    while let Some((line, number)) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else { continue };
        let body = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```").collect::<Vec<_>>().join("\n");
        match (kind, steps.last_mut()) {
            ("sh", _) => steps.push(Step { line: number, command: body, answer: None }),
            ("json" | "http", Some(step)) if step.answer.is_none() => step.answer = Some((kind.to_owned(), body)),
            _ => panic!("README.md, line {number}: a block `{kind}` that is neither a command nor the answer to one"),
        }
    }
    steps
}

/// Runs all commands in one shell, as a reader would, and gives what each printed.
fn run(steps: &[Step], address: &str) -> Vec<String> {
    assert!(Command::new("curl").arg("--version").output().is_ok(), "curl is missing: the README's tour is told with it");
    let folder = Workplace::get().join(unique::word());
    fs::create_dir(&folder).unwrap();
    let blocks = steps.iter().enumerate().map(|(index, step)| format!("{{\n{}\n}} > {index}\n", step.command));
    let script = format!("set -eu\n{}", blocks.collect::<String>()).replace(ADDRESS, address);
    fs::write(folder.join("tour"), script).unwrap();
    let mut shell = Command::new("sh")
        .arg("tour")
        .current_dir(&folder)
        // Neither a proxy nor a `.curlrc` comes between.
        .env("no_proxy", "*")
        .env("HOME", &folder)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`sh` starts");
    // What the reader types.
    shell.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    let ended = shell.wait_with_output().unwrap();
    let printed = (0..steps.len()).map_while(|index| fs::read_to_string(folder.join(index.to_string())).ok());
    let printed = printed.collect::<Vec<_>>();
    let said = String::from_utf8_lossy(&ended.stderr);
    let line = steps[printed.len().saturating_sub(1)].line;
    assert!(ended.status.success() && printed.len() == steps.len(), "README.md, line {line}: the command failed: {said}");
    printed
}

impl Step {
    /// How what was printed differs from what the README tells.
    fn faults(&self, printed: &str) -> Option<String> {
        let mut faults = Vec::new();
        match &self.answer {
            None if printed.is_empty() => {}
            None => faults.push("the README shows no answer".to_owned()),
            Some((kind, told)) if kind == "json" => compare_json(told, printed, &mut faults),
            Some((_, told)) => compare_http(told, printed, &mut faults),
        }
        let (line, faults) = (self.line, faults.join("\n  "));
        (!faults.is_empty()).then(|| format!("line {line}:\n{}\n\n  {faults}\n\nprinted:\n{printed}", self.command))
    }
}

fn compare_http(told: &str, printed: &str, faults: &mut Vec<String>) {
    let printed = printed.replace("\r\n", "\n");
    let (told_head, told_body) = told.split_once("\n\n").unwrap_or((told, ""));
    let (head, body) = printed.split_once("\n\n").unwrap_or((&printed, ""));
    let (mut told_lines, mut lines) = (told_head.lines(), head.lines());
    let (told_status, status) = (told_lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    if told_status != status.trim_end() {
        faults.push(format!("`{told_status}` is told, `{status}` was printed"));
    }
    let (headers, told_headers) = (lines.collect::<Vec<_>>(), told_lines.collect::<Vec<_>>());
    let wanted = told_headers.iter().filter(|line| **line != CUT).collect::<Vec<_>>();
    for told in &wanted {
        if !headers.iter().any(|line| fits(told, line)) {
            faults.push(format!("no header `{told}`"));
        }
    }
    if (headers.len() > wanted.len()) != told_headers.contains(&CUT) {
        faults.push(format!(
            "`{CUT}` stands for headers that are not told; {} of these were printed",
            headers.len().saturating_sub(wanted.len())
        ));
    }
    if !told_body.is_empty() || !body.is_empty() {
        compare_json(told_body, body, faults);
    }
}

fn compare_json(told: &str, printed: &str, faults: &mut Vec<String>) {
    match (serde_json::from_str(told), serde_json::from_str(printed)) {
        (Ok(told), Ok(printed)) => compare(&told, &printed, "", faults),
        (Err(error), _) => faults.push(format!("what the README tells is not JSON: {error}")),
        (_, Err(error)) => faults.push(format!("what was printed is not JSON: {error}")),
    }
}

/// Notes where `found` does not fit what is told.
fn compare(told: &Value, found: &Value, place: &str, faults: &mut Vec<String>) {
    match (told, found) {
        (Value::String(told), found) if told == CUT && !found.is_null() => {}
        (Value::String(told), Value::String(found)) if fits(told, found) => {}
        (Value::Array(told), Value::Array(found)) => compare_lists(told, found, place, faults),
        (Value::Object(told), Value::Object(found)) => compare_objects(told, found, place, faults),
        _ if told == found => {}
        _ => faults.push(format!("{place}: {told} is told, {found} was printed")),
    }
}

fn compare_lists(told: &[Value], found: &[Value], place: &str, faults: &mut Vec<String>) {
    let is_cut = told.last().is_some_and(|last| last == CUT);
    let told = &told[..told.len() - usize::from(is_cut)];
    if found.len() < told.len() || (found.len() > told.len()) != is_cut {
        faults.push(format!("{place}: {} entries are told, {} were printed", told.len(), found.len()));
    }
    for (index, (told, found)) in told.iter().zip(found).enumerate() {
        compare(told, found, &format!("{place}/{index}"), faults);
    }
}

fn compare_objects(told: &Map<String, Value>, found: &Map<String, Value>, place: &str, faults: &mut Vec<String>) {
    for (name, value) in told.iter().filter(|(name, _)| *name != CUT) {
        match found.get(name) {
            Some(found) => compare(value, found, &format!("{place}/{name}"), faults),
            None => faults.push(format!("{place}/{name}: is told, but was not printed")),
        }
    }
    let others = found.keys().filter(|name| !told.contains_key(*name)).map(String::as_str).collect::<Vec<_>>();
    if others.is_empty() == told.contains_key(CUT) {
        let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
        faults.push(format!("{place}: `{CUT}` stands for members that are not told; of these were printed: {others}"));
    }
}

fn fits(told: &str, found: &str) -> bool {
    match told.split_once(CUT) {
        None => told == found,
        Some((start, end)) => found.len() >= start.len() + end.len() && found.starts_with(start) && found.ends_with(end),
    }
}

/// Flag, environment variable and default, sorted.
type Settings = Vec<(String, String, Option<String>)>;

fn settings_in_table((_, text): &(usize, String)) -> Settings {
    let quoted = |cell: &str| cell.trim().strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).map(str::to_owned);
    let rows = text.lines().filter(|line| line.starts_with("| `--")).map(|line| line.split('|').collect::<Vec<_>>());
    let mut settings = rows
        .map(|cells| (quoted(cells[1]).unwrap_or_default(), quoted(cells[2]).unwrap_or_default(), quoted(cells[3])))
        .collect::<Settings>();
    settings.sort();
    settings
}

fn settings_in_help(help: &str) -> Settings {
    let mut settings = Settings::new();
    for line in help.lines().map(str::trim) {
        let note = |name: &str| Some(line.split_once(&format!("[{name}: "))?.1.split_once(']')?.0.to_owned());
        match settings.last_mut() {
            _ if line.starts_with("--") => {
                settings.push((line.split(' ').next().unwrap_or_default().to_owned(), String::new(), None));
            }
            Some((_, variable, default)) if variable.is_empty() => {
                *variable = note("env").unwrap_or_default().trim_end_matches('=').to_owned();
                *default = note("default");
            }
            _ => {}
        }
    }
    settings.sort();
    settings
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}
