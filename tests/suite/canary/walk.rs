//! Everybody asks everything: every public GET of the document, with every filter, order and day.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;
use futures_util::future::join_all;
use renaksi_tests::document::{Document, Operation};
use renaksi_tests::{Actor, Answer, App, tier};
use serde_json::Value;
use zip::ZipArchive;

use super::world::{BEGINNING, Bird, Fate, Stage, World, never};

/// An id that nothing has.
const NO_ID: &str = "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21";
/// The page for people.
const PAGE: &str = "/";
/// Requests at a time.
const AT_ONCE: usize = 8;
/// Faults that are shown.
const MOST: usize = 20;

/// What was asked, and what was heard.
pub(super) struct Walk<'a> {
    anyone: Actor,
    world: &'a World,
    stage: Stage,
    hidden: BTreeSet<String>,
    heard: BTreeSet<String>,
    faults: Vec<String>,
    asked: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(app: &App, world: &'a World, stage: Stage) -> Self {
        let hidden = world.hidden(stage).collect();
        Self { anyone: app.anyone(), world, stage, hidden, heard: BTreeSet::new(), faults: Vec::new(), asked: 0 }
    }

    /// Asks every operation about everything that is shown, with every parameter.
    pub(super) async fn everything(mut self) -> Self {
        let operations = operations();
        let paths = operations.iter().flat_map(|operation| {
            let bases = self.paths_of(operation, &self.world.shown(self.stage).collect::<Vec<_>>());
            // With every parameter at some things of a kind; the others as they are.
            let with =
                bases.iter().take(tier::size(2, 4)).flat_map(|base| self.with_parameters(operation, base)).collect::<Vec<_>>();
            let files = if has_csv(operation) { files(&bases, &with) } else { Vec::new() };
            [bases, with, files].concat()
        });
        let mut paths = paths.collect::<Vec<_>>();
        paths.extend([PAGE, "/?lang=en"].map(str::to_owned));
        self.ask(paths).await;
        self
    }

    /// Asks every figure of a day.
    pub(super) async fn figures_of(mut self, day: NaiveDate) -> Self {
        let mut paths = vec![format!("{PAGE}?as_of={day}")];
        // Also those that were hidden then: who asks by a code knows it.
        for operation in operations().iter().filter(|operation| parameter(operation, "as_of").is_some()) {
            for base in self.paths_of(operation, &self.world.shown(Stage::Now).collect::<Vec<_>>()) {
                paths.push(format!("{base}?as_of={day}"));
                if parameter(operation, "masterplan").is_some() {
                    let plans = self.world.shown(Stage::Now).filter(|bird| bird.kind == "masterplans");
                    paths.extend(plans.map(|plan| format!("{base}?as_of={day}&masterplan={}", plan.key)));
                }
                if let Some(expand) = parameter(operation, "expand") {
                    paths.push(format!("{base}?as_of={day}&limit=200&expand={}", values_of(&expand).join(",")));
                }
                if parameter(operation, "year").is_some() {
                    paths.push(format!("{base}?as_of={day}&year=2022&quarter=4"));
                }
            }
        }
        self.ask(paths).await;
        self
    }

    /// Every place in a path or a query where the code, the id or a word of what is hidden may stand answers as it does for one
    /// that was never there, byte for byte but for that very text.
    pub(super) async fn what_is_hidden_answers_like_what_never_was(mut self) {
        let unseen = self.world.unseen(self.stage).collect::<Vec<_>>();
        let mut pairs = Vec::new();
        for operation in operations() {
            for bird in &unseen {
                let places = self.paths_of(&operation, std::slice::from_ref(bird));
                pairs.extend(places.into_iter().filter(|path| path.contains(&bird.key)).map(|path| pair(path, &bird.key)));
            }
            let Some(base) = self.paths_of(&operation, &self.world.shown(self.stage).collect::<Vec<_>>()).into_iter().next()
            else {
                continue;
            };
            for name in parameters(&operation).iter().filter_map(|parameter| parameter["name"].as_str()) {
                let birds = unseen.iter().filter(|bird| kinds_of(name).contains(&bird.kind));
                pairs.extend(birds.flat_map(|bird| {
                    ["", "&count=true"]
                        .map(|more| pair(format!("{base}?{name}={}{more}", bird.key), &bird.key))
                        .into_iter()
                        .take(if parameter(&operation, "count").is_some() { 2 } else { 1 })
                }));
                if name == "q" {
                    pairs.extend(unseen.iter().map(|bird| pair(format!("{base}?q={}&count=true", bird.word), &bird.word)));
                }
            }
        }
        assert!(pairs.len() > 300, "only {} places", pairs.len());
        for some in pairs.chunks(AT_ONCE) {
            let answers = join_all(some.iter().map(async |(hidden, never, known)| {
                let ask = |path: &str| self.anyone.get(path).header("X-Request-Id", "canary");
                (ask(hidden).await, ask(never).await, known)
            }));
            for (hidden, never, (known, unknown)) in answers.await {
                let same = |answer: &Answer, text: &str| {
                    (answer.status(), heads(answer).replace(text, "?"), answer.text().replace(text, "?"))
                };
                if same(&hidden, known) != same(&never, unknown) {
                    self.faults.push(format!("{hidden:?}\nis not as\n{never:?}"));
                }
            }
        }
        assert!(self.faults.is_empty(), "{} tell what is hidden\n{}", self.faults.len(), self.shown_faults());
    }

    /// Fails where a word of what is hidden was heard.
    pub(super) fn hears_of_nothing_hidden(&self) {
        assert!(self.asked > 30, "only {} answers", self.asked);
        assert!(self.faults.is_empty(), "{:?}: {} answers tell\n{}", self.stage, self.faults.len(), self.shown_faults());
    }

    /// Fails where something that everybody sees was not heard of: then silence proves nothing.
    pub(super) fn hears_of_all_that_is_shown(&self) {
        let missing = self.world.shown(self.stage).filter(|bird| !self.heard.contains(&bird.word)).collect::<Vec<_>>();
        assert!(missing.is_empty(), "{:?}: nothing was heard of {missing:?}", self.stage);
    }

    /// The same for figures, which do not name everything.
    pub(super) fn hears_of_some(&self) {
        for kind in ["programmes", "actions", "kpis", "findings", "opds"] {
            let of_kind = self.world.shown(self.stage).filter(|bird| bird.kind == kind).collect::<Vec<_>>();
            // A small world may show none of a kind.
            let is_heard = of_kind.is_empty() || of_kind.iter().any(|bird| self.heard.contains(&bird.word));
            assert!(is_heard, "{:?}: nothing was heard of {kind}", self.stage);
        }
    }

    fn shown_faults(&self) -> String {
        self.faults.iter().take(MOST).cloned().collect::<Vec<_>>().join("\n")
    }

    async fn ask(&mut self, paths: Vec<String>) {
        let mut next = paths;
        while !next.is_empty() {
            let mut pages = Vec::new();
            for some in next.chunks(AT_ONCE) {
                for answer in join_all(some.iter().map(async |path| self.get(path).await)).await {
                    assert!([200, 404, 410].contains(&answer.status()), "{answer:?}");
                    pages.extend(answer.next_page().filter(|_| answer.status() == 200));
                    self.listen(&answer);
                }
            }
            next = pages;
        }
    }

    /// Asks for the page as browsers do, and for everything else as programs do.
    async fn get(&self, path: &str) -> Answer {
        let accepted = if path.starts_with("/?") || path == PAGE { "text/html" } else { "*/*" };
        self.anyone.get(path).header("Accept", accepted).await
    }

    fn listen(&mut self, answer: &Answer) {
        self.asked += 1;
        let cursor = serde_json::from_slice::<Value>(answer.bytes()).ok();
        let cursor = cursor
            .as_ref()
            .and_then(|body| body["page"]["next_cursor"].as_str())
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let cursor = String::from_utf8_lossy(&cursor.unwrap_or_default()).into_owned();
        let asked = answer.path().to_lowercase();
        let text = format!("{}\n{}\n{cursor}", heads(answer), told(answer)).to_lowercase();
        let words = text.match_indices(BEGINNING).filter_map(|(at, _)| text.get(at..at + BEGINNING.len() + 5));
        let ids = text.match_indices('-').filter_map(|(at, _)| text.get(at.checked_sub(8)?..at + 28));
        let found = words.chain(ids).map(str::to_owned).collect::<BTreeSet<_>>();
        let hidden = found.iter().filter(|word| self.hidden.contains(*word) && !asked.contains(word.as_str()));
        let is_kept = |word: &&String| answer.path().ends_with("/record") && self.is_kept_in_records(word);
        let hidden = hidden.filter(|word| !is_kept(word)).collect::<Vec<_>>();
        if !hidden.is_empty() {
            let of =
                |word: &&String| self.world.birds.iter().find(|bird| bird.word == **word || bird.key.to_lowercase() == **word);
            let birds = hidden.iter().filter_map(of).map(|bird| (bird.kind, &bird.key, bird.fate)).collect::<BTreeSet<_>>();
            self.faults.push(format!("{} {} tells of {hidden:?} {birds:?}", answer.status(), answer.path()));
        }
        if answer.status() == 200 {
            self.heard.extend(found);
        }
    }

    /// What is frozen keeps what has no publication of its own, also where that was removed since.
    fn is_kept_in_records(&self, word: &str) -> bool {
        let kept = |bird: &&Bird| ["opds", "dimensions"].contains(&bird.kind) && bird.fate == Fate::Deleted;
        self.world.birds.iter().filter(kept).any(|bird| bird.word == word)
    }

    /// The paths of an operation: as it is, or of each of `birds` that it can be asked of.
    fn paths_of(&self, operation: &Operation, birds: &[&Bird]) -> Vec<String> {
        if !operation.path.contains('{') {
            return vec![operation.path.clone()];
        }
        // A chart of a thing stands beside the thing, at the same path with an end of its own.
        let (below, end) = if operation.path.ends_with("}.svg") { ("/v1/public/charts/", ".svg") } else { ("/v1/public/", "") };
        let fits = |bird: &Bird| {
            let path = bird.path.replace("/v1/", below) + end;
            let (given, wanted) = (path.split('/').collect::<Vec<_>>(), operation.path.split('/').collect::<Vec<_>>());
            // Its own path, or one below it.
            let own = wanted.len() >= given.len()
                && given.iter().zip(&wanted).all(|(one, other)| one == other || other.starts_with('{'));
            (own && wanted[given.len()..].iter().all(|part| !part.starts_with('{')) && wanted[given.len() - 1].starts_with('{'))
                .then(|| [&given[..], &wanted[given.len()..]].concat().join("/"))
        };
        birds.iter().filter_map(|bird| fits(bird)).collect()
    }

    /// A path with every value of every parameter, one at a time.
    fn with_parameters(&self, operation: &Operation, base: &str) -> Vec<String> {
        let shown = self.world.shown(self.stage).collect::<Vec<_>>();
        let mut paths = Vec::new();
        for parameter in parameters(operation) {
            let name = parameter["name"].as_str().unwrap();
            let own = kinds_of(name);
            let mut values = match name {
                "cursor" => Vec::new(),
                "limit" => vec!["7".to_owned(), "200".to_owned()],
                "q" => shown
                    .iter()
                    .step_by(9)
                    .map(|bird| bird.word.clone())
                    .chain([BEGINNING.to_owned(), "rancangan".to_owned()])
                    .collect(),
                _ if !own.is_empty() => {
                    shown.iter().filter(|bird| own.contains(&bird.kind)).map(|bird| bird.key.clone()).take(4).collect()
                }
                _ => values_of(&parameter),
            };
            if name == "expand" {
                values.push(values.join(","));
            }
            if name == "sort" {
                values = values.into_iter().map(|value| format!("{value}&limit=40")).collect();
            }
            paths.extend(values.into_iter().map(|value| format!("{base}?{name}={value}")));
        }
        paths
    }
}

/// What an answer tells: of a ZIP what is in it.
fn told(answer: &Answer) -> String {
    if answer.media_type() != "application/zip" {
        return answer.text();
    }
    let mut archive = ZipArchive::new(Cursor::new(answer.bytes())).unwrap();
    let mut text = String::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        text += &file.name().unwrap();
        file.read_to_string(&mut text).unwrap();
    }
    text
}

fn has_csv(operation: &Operation) -> bool {
    operation.value["responses"]["200"]["content"].get("text/csv").is_some()
}

/// The same as CSV: without what is for pages of JSON, and every fourth with a parameter.
fn files(bases: &[String], with: &[String]) -> Vec<String> {
    let is_of_pages = |path: &&String| ["limit=", "cursor=", "count=", "expand="].iter().any(|name| path.contains(name));
    let with = with.iter().filter(|path| !is_of_pages(path)).step_by(4);
    let sorted = with.map(|path| path.replacen('?', ".csv?", 1));
    bases.iter().map(|path| format!("{path}.csv")).chain(sorted).collect()
}

/// A path with what is hidden and the same with what never was, and both texts.
fn pair(path: String, hidden: &str) -> (String, String, (String, String)) {
    let unknown = if hidden.len() == NO_ID.len() {
        NO_ID.to_owned()
    } else if hidden.starts_with(BEGINNING) {
        never()
    } else {
        never().to_uppercase()
    };
    (path.clone(), path.replace(hidden, &unknown), (hidden.to_owned(), unknown))
}

/// Every public GET whose answer has an end.
fn operations() -> Vec<Operation> {
    let all = Document::get().operations().into_iter();
    all.filter(|operation| operation.method == "GET" && operation.path.starts_with("/v1/public/") && operation.ends()).collect()
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let root = Document::get().root();
    let listed = operation.value["parameters"].as_array().cloned().unwrap_or_default();
    let resolved = listed.into_iter().map(|parameter| match parameter["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).cloned().expect("the parameter is there"),
        None => parameter,
    });
    resolved.filter(|parameter| parameter["in"] == "query").collect()
}

fn parameter(operation: &Operation, name: &str) -> Option<Value> {
    parameters(operation).into_iter().find(|parameter| parameter["name"] == name)
}

/// The kinds of things that a parameter of this name takes the code of.
fn kinds_of(parameter: &str) -> &'static [&'static str] {
    match parameter {
        "code" => &["masterplans", "dimensions", "opds", "programmes", "quick-wins", "kpis", "evaluations", "awards"],
        "id" => &["actions", "findings", "surveys"],
        "masterplan" => &["masterplans"],
        "dimension" => &["dimensions"],
        "opd" | "lead_opd" | "supporting_opds" => &["opds"],
        "programme" => &["programmes"],
        "evaluation" => &["evaluations"],
        "kpi" => &["kpis"],
        _ => &[],
    }
}

/// Some values that a parameter takes, by its schema.
fn values_of(parameter: &Value) -> Vec<String> {
    let mut schema = &parameter["schema"];
    if schema["type"] == "array" {
        schema = &schema["items"];
    }
    if let Some(reference) = schema["$ref"].as_str() {
        schema = Document::get().root().pointer(reference.trim_start_matches('#')).expect("the schema is there");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    let some = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let (kind, format) = (schema["type"].as_str().unwrap_or("string"), schema["format"].as_str().unwrap_or_default());
    match (parameter["name"].as_str().unwrap_or_default(), kind, format) {
        (_, "boolean", _) => some(&["true", "false"]),
        ("after", ..) => some(&["0", "40"]),
        ("year", ..) => some(&["2022", "2023"]),
        ("quarter", ..) => some(&["1", "4"]),
        ("width", ..) => some(&["320", "1600"]),
        ("from" | "to" | "period", ..) => some(&["2022"]),
        (_, "integer" | "number", _) => some(&["1"]),
        // Not after today, which is the first day as well.
        ("as_of", ..) => some(&["2022-12-31", "2023-01-20"]),
        (_, _, "date") => some(&["2022-12-31", "2023-01-20", "2023-02-20"]),
        (_, _, "date-time") => some(&["2023-02-05T00:00:00Z"]),
        (_, _, "decimal") => some(&["1"]),
        ("region" | "regions" | "parent", ..) => some(&["52.08.01", "52.08"]),
        ("opd", ..) => some(&["DLH"]),
        _ => some(&["Uji"]),
    }
}

/// Every header of an answer but what is new each time, or tells since when the process gives it.
fn heads(answer: &Answer) -> String {
    let lines = answer
        .head()
        .into_iter()
        .filter(|(name, _)| !["date", "last-modified", "x-request-id", "traceparent"].contains(&name.as_str()));
    let sorted = lines.collect::<BTreeMap<_, _>>();
    sorted.into_iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}
