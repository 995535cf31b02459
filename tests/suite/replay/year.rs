//! The changes of a random year: a few a day, of every kind that figures count.

mod catalogue;
mod meetings;
mod reports;

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use renaksi_tests::dice::Dice;
use renaksi_tests::{Actor, Answer, App};
use serde_json::{Value, json};

/// Every kind of change.
const KINDS: [&str; 27] = [
    "programme made",
    "programme changed",
    "programme moved",
    "programme deleted",
    "coverage",
    "kpi made",
    "kpi changed",
    "kpi deleted",
    "target set",
    "target deleted",
    "measured",
    "action made",
    "action changed",
    "action deleted",
    "action reported",
    "evaluation made",
    "evaluation changed",
    "finding made",
    "finding changed",
    "finding followed up",
    "commitment made",
    "commitment changed",
    "commitment deleted",
    "opd made",
    "opd changed",
    "dimension changed",
    "masterplan changed",
];
/// Changes of a day.
const A_DAY: usize = 9;
/// How many of a kind there are at most, of those that change.
const PROGRAMMES: usize = 12;
const KPIS: usize = 6;
const OPDS: usize = 6;
const ACTIONS: usize = 10;
const EVALUATIONS: usize = 2;
const FINDINGS: usize = 8;
const COMMITMENTS: usize = 4;

const DIMENSIONS: [&str; 3] = ["governance", "living", "society"];
const VILLAGES: [&str; 4] = ["52.08.01.2001", "52.08.01.2002", "52.08.01.2003", "52.08.01.2004"];
/// For each frequency: before the first target, periods that are measured, periods with a target.
const PERIODS: [(&str, &str, &[&str], &[&str]); 4] = [
    ("yearly", "2019", &["2020", "2021", "2022"], &["2021", "2023", "2026"]),
    ("semesterly", "2021-S2", &["2022-S1", "2022-S2", "2023-S1"], &["2022-S2", "2023-S2", "2025-S1"]),
    ("quarterly", "2021-Q4", &["2022-Q1", "2022-Q3", "2022-Q4"], &["2022-Q2", "2023-Q4", "2024-Q4"]),
    ("monthly", "2021-12", &["2022-02", "2022-08", "2022-12"], &["2022-06", "2023-03", "2023-12"]),
];

/// What there is, and the dice that change it.
pub(super) struct Year {
    dice: Dice,
    /// Counts what was ever made, for names and codes.
    made: usize,
    programmes: Vec<(String, &'static str)>,
    /// With the place of their frequency in `PERIODS`.
    kpis: Vec<(String, usize)>,
    opds: Vec<String>,
    actions: Vec<String>,
    evaluations: Vec<String>,
    findings: Vec<(String, &'static str)>,
    commitments: Vec<String>,
    /// Whether things are deleted.
    pub(super) deletes: bool,
    /// How often each kind of change came about.
    done: BTreeMap<&'static str, usize>,
}

/// A day of the year and who changes things on it.
struct Day {
    on: NaiveDate,
    deletes: bool,
    admin: Actor,
    verifier: Actor,
}

impl Year {
    /// The year of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let programmes =
            ["SG-09", "SL-01", "SS-02"].map(|code| (code.to_owned(), if code == "SG-09" { "planned" } else { "running" }));
        Self {
            dice: Dice::new(seed),
            made: 0,
            programmes: programmes.into(),
            kpis: vec![("STUNTING".to_owned(), 0)],
            opds: ["DINKES", "DLH", "PKM-KAYANGAN"].map(str::to_owned).into(),
            actions: Vec::new(),
            evaluations: Vec::new(),
            findings: Vec::new(),
            commitments: Vec::new(),
            deletes: true,
            done: BTreeMap::new(),
        }
    }

    /// The KPIs there are.
    pub(super) fn kpis(&self) -> impl Iterator<Item = &str> {
        self.kpis.iter().map(|(code, _)| code.as_str())
    }

    /// The OPDs there are.
    pub(super) fn opds(&self) -> impl Iterator<Item = &str> {
        self.opds.iter().map(String::as_str)
    }

    /// Fails where a kind of change never came about: then the year proves less than it says.
    pub(super) fn did_everything(&self) {
        println!("{:?}", self.done);
        let never = KINDS.iter().filter(|kind| !self.done.contains_key(*kind)).collect::<Vec<_>>();
        assert!(never.is_empty(), "never: {never:?} of {:?}", self.done);
    }

    /// Brings back what was withdrawn.
    pub(super) async fn publish_everything(&self, app: &App) {
        let admin = app.admin().await;
        let coded = self.programmes.iter().map(|(code, _)| format!("programmes/{code}"));
        let coded = coded.chain(self.kpis.iter().map(|(code, _)| format!("kpis/{code}")));
        let all = coded.chain(self.evaluations.iter().map(|code| format!("evaluations/{code}")));
        for path in all.chain(self.actions.iter().map(|id| format!("actions/{id}"))).map(|path| format!("/v1/{path}")) {
            admin.patch(&path, json!({ "published": true })).if_match(&admin.etag_of(&path).await).await.is(200);
        }
    }

    /// Changes of a day.
    pub(super) async fn play(&mut self, app: &App, on: NaiveDate) {
        let day = Day { on, deletes: self.deletes, admin: app.admin().await, verifier: app.verifier().await };
        for _ in 0..A_DAY {
            let kind = self.dice.pick(&KINDS);
            if self.change(&day, kind).await {
                *self.done.entry(kind).or_default() += 1;
            }
        }
    }

    /// Whether it came about: there may be nothing to change, and what is referred to is not deleted.
    async fn change(&mut self, day: &Day, kind: &str) -> bool {
        match kind {
            "programme made" => self.make_programme(day).await,
            "programme changed" => self.change_programme(day).await,
            "programme moved" => self.move_programme(day).await,
            "programme deleted" => self.delete_programme(day).await,
            "coverage" => self.cover(day).await,
            "kpi made" => self.make_kpi(day).await,
            "kpi changed" => self.change_kpi(day).await,
            "kpi deleted" => self.delete_kpi(day).await,
            "target set" => self.set_target(day).await,
            "target deleted" => self.delete_target(day).await,
            "measured" => self.measure(day).await,
            "action made" => self.make_action(day).await,
            "action changed" => self.change_action(day).await,
            "action deleted" => self.delete_action(day).await,
            "action reported" => self.report(day).await,
            "evaluation made" => self.make_evaluation(day).await,
            "evaluation changed" => self.change_evaluation(day).await,
            "finding made" => self.make_finding(day).await,
            "finding changed" => self.change_finding(day).await,
            "finding followed up" => self.follow_up(day).await,
            "commitment made" => self.make_commitment(day).await,
            "commitment changed" => self.change_commitment(day).await,
            "commitment deleted" => self.delete_commitment(day).await,
            "opd made" => self.make_opd(day).await,
            "opd changed" => self.change_opd(day).await,
            "dimension changed" => self.change_dimension(day).await,
            "masterplan changed" => self.change_masterplan(day).await,
            other => panic!("no change is called {other}"),
        }
    }
}

/// What the dice say.
impl Year {
    fn code(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}-{}", self.made)
    }

    fn name(&mut self) -> String {
        format!("Uji {}", self.dice.below(1000))
    }

    fn value(&mut self) -> String {
        format!("{}.{}", self.dice.below(40), self.dice.below(10))
    }

    fn programme(&mut self) -> String {
        self.dice.pick(&self.programmes).0
    }

    fn opd(&mut self) -> String {
        self.dice.pick(&self.opds)
    }

    fn perhaps<T>(&mut self, some: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.dice.below(3) > 0).then(|| some(self))
    }

    fn one_of(&mut self, collection: &str, keys: &[String]) -> Option<String> {
        (!keys.is_empty()).then(|| format!("{collection}/{}", self.dice.pick(keys)))
    }

    fn baseline(&mut self, frequency: usize) -> Option<Value> {
        self.perhaps(|year| json!({ "period": PERIODS[frequency].1, "value": year.value() }))
    }

    fn target(&mut self) -> String {
        let (code, frequency) = self.dice.pick(&self.kpis);
        format!("/v1/kpis/{code}/targets/{}", self.dice.pick(PERIODS[frequency].3))
    }

    /// Cumulative, so they do not decrease.
    fn quarters(&mut self) -> Value {
        let mut reached = 0;
        let mut next = || {
            reached += self.dice.below(12);
            reached.to_string()
        };
        json!({ "q1": next(), "q2": next(), "q3": next(), "q4": next() })
    }

    /// A commitment counts from the day it was signed on, also where it is entered later; so none is signed in the past.
    fn day_to_come(&mut self, day: &Day) -> NaiveDate {
        day.on + Days::new(self.dice.below(20) as u64)
    }

    fn day_near(&mut self, day: &Day) -> NaiveDate {
        day.on + Days::new(self.dice.below(40) as u64) - Days::new(20)
    }
}

/// What the dice say may be against the rules of figures: such a change is refused, and did not come about.
const SENSELESS: [&str; 2] = ["against_direction", "period_not_begun"];

impl Day {
    async fn patch(&self, path: &str, change: Value) -> bool {
        let etag = self.admin.etag_of(path).await;
        came_about(self.admin.patch(path, change).if_match(&etag).await, 200)
    }

    async fn put(&self, path: &str, body: Value) -> bool {
        let found = self.admin.get(path).await;
        if found.status() == 200 {
            came_about(self.admin.put(path, body).if_match(&found.etag()).await, 200)
        } else {
            came_about(self.admin.put(path, body).await, 201)
        }
    }

    /// Whether it went: what others refer to stays.
    async fn delete(&self, path: &str) -> bool {
        if !self.deletes {
            return false;
        }
        let etag = self.admin.etag_of(path).await;
        let answer: Answer = self.admin.delete(path).if_match(&etag).await;
        assert!([204, 409].contains(&answer.status()), "{answer:?}");
        answer.status() == 204
    }
}

/// Whether a change came about, or was refused for what the dice may say.
fn came_about(answer: Answer, status: u16) -> bool {
    if answer.status() == 422 {
        let faults = answer.is(422).at("errors");
        let code = faults[0]["code"].as_str().unwrap_or_default();
        assert!(SENSELESS.contains(&code), "{faults}");
        return false;
    }
    answer.is(status);
    true
}
