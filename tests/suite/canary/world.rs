//! The random database: things of every kind with a fate of their own, nested in each other.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use renaksi_tests::dice::Dice;
use renaksi_tests::{Actor, App, unique};
use serde_json::{Value, json};

/// What becomes of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// Everybody sees it from the first day on.
    Shown,
    /// Everybody saw it until the second day.
    Withdrawn,
    /// Everybody sees it from the second day on.
    Late,
    /// Nobody ever sees it.
    Hidden,
    /// Everybody saw it until it was deleted on the second day.
    Deleted,
}

use Fate::{Deleted, Hidden, Late, Shown, Withdrawn};

/// From when one looks, and at what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// On the first day.
    Before,
    /// On the third, as things are.
    Now,
    /// On the third, as things were at the end of the first day.
    Then,
}

/// A thing, with its word.
#[derive(Clone, Debug)]
pub(super) struct Bird {
    /// Its kind, as the path has it.
    pub kind: &'static str,
    pub key: String,
    /// Stands in its texts, in lower case; its code is the same in upper case.
    pub word: String,
    pub fate: Fate,
    /// What it hangs on.
    above: Option<usize>,
    /// Its path for those who log in.
    pub path: String,
}

/// How a word begins.
pub(super) const BEGINNING: &str = "kenari";

impl Bird {
    /// Whether it has events in the public feed.
    pub(super) fn is_told(&self) -> bool {
        !["actions", "findings"].contains(&self.kind)
    }

    fn is_up(&self, stage: Stage) -> bool {
        match stage {
            Stage::Before => [Shown, Withdrawn, Deleted].contains(&self.fate),
            Stage::Now => [Shown, Late].contains(&self.fate),
            Stage::Then => self.fate == Shown,
        }
    }

    /// The member in which a late thing has a text that nobody is to see until it is replaced.
    fn text(&self) -> &'static str {
        match self.kind {
            "masterplans" => "title",
            "actions" => "title",
            "surveys" => "service",
            "evaluations" => "venue",
            _ => "name",
        }
    }
}

/// Everything there is.
pub(super) struct World {
    dice: Dice,
    pub birds: Vec<Bird>,
    /// How often each kind was made: fates take turns.
    turns: BTreeMap<&'static str, usize>,
    /// What else changes on the second day: path, merge patch.
    moves: Vec<(String, Value)>,
}

/// Something new that everybody sees, to know where the feed is.
pub(super) async fn marker(admin: &Actor) -> String {
    let code = unique::code("R");
    admin.create("/v1/regions", json!({ "code": code, "name": "Penanda", "level": "village", "parent": "52.08.01" })).await;
    code
}

/// A word that is no thing's.
pub(super) fn never() -> String {
    format!("{BEGINNING}9999x")
}

impl World {
    /// Makes it, on the first day.
    pub(super) async fn make(app: &App, seed: u64) -> Self {
        let mut world = Self { dice: Dice::new(seed), birds: Vec::new(), turns: BTreeMap::new(), moves: Vec::new() };
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        world.make_places(&admin).await;
        for fate in [Shown, Withdrawn, Late, Hidden, Shown] {
            world.make_masterplan(&admin, fate).await;
        }
        world.make_programmes(&admin).await;
        world.make_actions(&admin, &verifier).await;
        world.make_kpis(&admin, &verifier).await;
        world.make_references(&admin).await;
        world.make_meetings(&admin).await;
        world
    }

    /// The words and ids of what everybody must not hear of.
    pub(super) fn hidden(&self, stage: Stage) -> impl Iterator<Item = String> {
        let hidden = (0..self.birds.len()).filter(move |at| !self.is_public(*at, stage));
        let words = hidden.flat_map(|at| [self.birds[at].word.clone(), self.birds[at].key.to_lowercase()]);
        // The drafts of what came late.
        words.chain(self.birds.iter().filter(|bird| bird.fate == Late).map(|bird| draft(&bird.word)))
    }

    /// What everybody sees.
    pub(super) fn shown(&self, stage: Stage) -> impl Iterator<Item = &Bird> {
        (0..self.birds.len()).filter(move |at| self.is_public(*at, stage)).map(|at| &self.birds[at])
    }

    /// What everybody does not see.
    pub(super) fn unseen(&self, stage: Stage) -> impl Iterator<Item = &Bird> {
        (0..self.birds.len()).filter(move |at| !self.is_public(*at, stage)).map(|at| &self.birds[at])
    }

    /// What everybody saw and does not see any more.
    pub(super) fn withdrawn(&self) -> impl Iterator<Item = &Bird> {
        let went = |at: &usize| self.is_public(*at, Stage::Before) && !self.is_public(*at, Stage::Now);
        (0..self.birds.len()).filter(went).map(|at| &self.birds[at])
    }

    /// Whether it went while what it hangs on stayed.
    pub(super) fn went_alone(&self, bird: &Bird) -> bool {
        bird.above.is_none_or(|above| self.is_public(above, Stage::Now))
    }

    fn is_public(&self, at: usize, stage: Stage) -> bool {
        let bird = &self.birds[at];
        bird.is_up(stage) && bird.above.is_none_or(|above| self.is_public(above, stage))
    }

    fn all_of(&self, kind: &str) -> Vec<usize> {
        (0..self.birds.len()).filter(|at| self.birds[*at].kind == kind).collect()
    }

    /// A thing of a kind that stays, so that others may refer to it.
    fn one_of(&mut self, kind: &str) -> usize {
        let all = self.all_of(kind).into_iter().filter(|at| self.birds[*at].fate != Deleted).collect::<Vec<_>>();
        self.dice.pick(&all)
    }

    fn fate(&mut self, kind: &'static str, of: &[Fate]) -> Fate {
        let turn = self.turns.entry(kind).or_default();
        *turn += 1;
        of[(*turn + self.dice.below(2)) % of.len()]
    }

    fn word(&self) -> String {
        format!("{BEGINNING}{:04}x", self.birds.len())
    }

    /// Makes a thing out of a body that names its texts `WORD`; what everybody is to see from the first day on is published.
    async fn make_bird(
        &mut self,
        admin: &Actor,
        kind: &'static str,
        list: String,
        fate: Fate,
        above: Option<usize>,
        body: Value,
    ) -> usize {
        let word = self.word();
        let mut body: Value = serde_json::from_str(&body.to_string().replace("WORD", &word)).unwrap();
        let is_coded = !["actions", "findings", "surveys"].contains(&kind);
        if is_coded {
            body["code"] = json!(word.to_uppercase());
        }
        let has_flag = !["masterplans", "findings", "opds", "dimensions"].contains(&kind);
        if has_flag {
            body["published"] = json!([Shown, Withdrawn, Deleted].contains(&fate));
        }
        let mut bird = Bird { kind, key: word.to_uppercase(), word, fate, above, path: String::new() };
        if fate == Late {
            body[bird.text()] = json!(format!("Rancangan {}", draft(&bird.word)));
        }
        let created = admin.create(&list, body).await;
        if !is_coded {
            bird.key = created.text_at("id");
        }
        bird.path = format!("{list}/{}", bird.key);
        self.birds.push(bird);
        self.birds.len() - 1
    }

    async fn make_places(&mut self, admin: &Actor) {
        for fate in [Shown, Deleted] {
            let body = json!({ "name": "Dinas WORD", "short_name": "WORD", "head_name": "WORD", "active": true });
            self.make_bird(admin, "opds", "/v1/opds".into(), fate, None, body).await;
            let body = json!({ "name": "WORD", "name_en": "WORD", "position": 50, "description": "WORD" });
            self.make_bird(admin, "dimensions", "/v1/dimensions".into(), fate, None, body).await;
        }
        let opd = self.birds[2].key.clone();
        let commitment = json!({ "title": "Komitmen", "signed_on": "2023-01-15", "signatories": ["DLH", opd] });
        let id = admin.create("/v1/commitments", commitment).await.text_at("id");
        self.moves.push((format!("/v1/commitments/{id}"), json!({ "signatories": ["DLH"] })));
    }

    async fn make_masterplan(&mut self, admin: &Actor, fate: Fate) {
        let status = if [Shown, Withdrawn].contains(&fate) { "active" } else { "draft" };
        let body =
            json!({ "title": "Rencana WORD", "region": "52.08", "legal_basis": "WORD", "status": status, "description": "WORD" });
        self.make_bird(admin, "masterplans", "/v1/masterplans".into(), fate, None, body).await;
    }

    async fn make_programmes(&mut self, admin: &Actor) {
        let (opd, doomed_opd, doomed_dimension) =
            (self.birds[0].key.clone(), self.birds[2].key.clone(), self.birds[3].key.clone());
        for plan in self.all_of("masterplans") {
            for fate in [Shown, Withdrawn, Late, Hidden] {
                let number = self.all_of("programmes").len();
                let body = json!({
                    "masterplan": self.birds[plan].key, "dimension": if number == 0 { &doomed_dimension } else { "living" },
                    "lead_opd": if number == 16 { &doomed_opd } else if number.is_multiple_of(2) { &opd } else { "DINKES" },
                    "name": "Program WORD", "description": "WORD", "funding_source": "WORD", "regions": ["52.08.01"],
                    "start_date": if self.dice.flip() { json!("2022-06-01") } else { Value::Null }, "provenance": provenance(),
                });
                let at = self.make_bird(admin, "programmes", "/v1/programmes".into(), fate, Some(plan), body).await;
                let path = self.birds[at].path.clone();
                let reason = self.birds[at].word.clone();
                admin.create(&format!("{path}/transitions"), json!({ "to": "running", "reason": reason })).await;
                let coverage = json!({ "region": "52.08.01.2001", "status": "built" });
                admin.put(format!("{path}/coverage"), coverage).await.is(201);
                if number == 0 {
                    self.moves.push((path, json!({ "dimension": "living" })));
                } else if number == 16 {
                    self.moves.push((path, json!({ "lead_opd": "DLH" })));
                }
            }
        }
    }

    async fn make_actions(&mut self, admin: &Actor, verifier: &Actor) {
        let opd = self.birds[0].key.clone();
        for programme in self.all_of("programmes") {
            for number in 0..2 {
                let fate = if number == 0 { Shown } else { self.fate("actions", &[Withdrawn, Late, Hidden, Deleted]) };
                let body = json!({
                    "programme": self.birds[programme].key, "opd": opd, "title": "Renaksi WORD", "output_unit": "WORD", "year": 2022,
                    "targets": { "q1": "1", "q2": "2", "q3": "3", "q4": "4" }, "provenance": provenance(),
                });
                let at = self.make_bird(admin, "actions", "/v1/actions".into(), fate, Some(programme), body).await;
                if fate != Deleted {
                    let path = format!("{}/reports/1", self.birds[at].path);
                    let word = self.birds[at].word.clone();
                    hand_in(admin, verifier, &path, json!({ "realisation": "1", "narrative": word, "obstacles": word })).await;
                }
            }
        }
    }

    async fn make_kpis(&mut self, admin: &Actor, verifier: &Actor) {
        let opd = self.birds[0].key.clone();
        for plan in self.all_of("masterplans") {
            for _ in 0..5 {
                let fate = self.fate("kpis", &[Shown, Withdrawn, Late, Hidden, Deleted]);
                let programme = self.one_of("programmes");
                let baseline = json!({ "period": "2020", "value": "1", "provenance": provenance() });
                let body = json!({
                    "masterplan": self.birds[plan].key, "programme": self.birds[programme].key, "dimension": "living", "opd": opd,
                    "name": "Indikator WORD", "description": "WORD", "unit": { "kind": "other", "label": "WORD" }, "direction": "increase",
                    "frequency": "yearly", "baseline": baseline, "source": "WORD", "method": "WORD",
                });
                let at = self.make_bird(admin, "kpis", "/v1/kpis".into(), fate, Some(plan), body).await;
                if fate != Deleted {
                    let (path, word) = (self.birds[at].path.clone(), self.birds[at].word.clone());
                    let provenance: Value = serde_json::from_str(&provenance().to_string().replace("WORD", &word)).unwrap();
                    let target = json!({ "value": "5", "kind": "commitment", "provenance": provenance });
                    admin.put(format!("{path}/targets/2024"), target).await.is(201);
                    hand_in(admin, verifier, &format!("{path}/measurements/2022"), json!({ "value": "3", "note": word })).await;
                }
            }
        }
    }

    /// Quick Wins, awards and surveys: what refers to others but hangs on nothing.
    async fn make_references(&mut self, admin: &Actor) {
        let all = [Shown, Withdrawn, Late, Hidden, Shown, Deleted];
        let opd = self.birds[0].key.clone();
        for _ in 0..12 {
            let (fate, programme) = (self.fate("quick-wins", &all), self.one_of("programmes"));
            let body = json!({
                "dimension": "living", "programme": self.birds[programme].key, "opd": opd, "name": "Quick Win WORD", "description": "WORD",
                "outcome": "WORD", "provenance": provenance(),
            });
            self.make_bird(admin, "quick-wins", "/v1/quick-wins".into(), fate, None, body).await;
        }
        for number in 0..18 {
            let fate = self.fate("awards", &all);
            let (kind, path) = if number % 2 == 0 { ("programme", "programmes") } else { ("quick_win", "quick-wins") };
            let recipient = self.one_of(path);
            let (key, name) = (self.birds[recipient].key.clone(), self.birds[recipient].word.clone());
            let body = json!({
                "name": "Penghargaan WORD", "issuer": "WORD", "category": "WORD", "year": 2022, "provenance": provenance(),
                "recipient": { "kind": kind, "ref": key, "name": name },
            });
            self.make_bird(admin, "awards", "/v1/awards".into(), fate, None, body).await;
        }
        for number in 0..6 {
            let fate = self.fate("surveys", &all);
            let scores = (1..=9).map(|element| (format!("u{element}"), json!("3.2"))).collect::<serde_json::Map<_, _>>();
            let body = json!({ "opd": opd, "service": "Layanan WORD", "period": format!("201{number}"), "respondents": 100, "scores": scores });
            self.make_bird(admin, "surveys", "/v1/surveys".into(), fate, None, body).await;
        }
    }

    async fn make_meetings(&mut self, admin: &Actor) {
        let plans = self.all_of("masterplans");
        let mut closing = Vec::new();
        for plan in plans.clone() {
            for fate in [Shown, Withdrawn, Late, Hidden] {
                let body = json!({
                    "masterplan": self.birds[plan].key, "held_on": "2023-01-20", "venue": "WORD", "chair": "WORD", "summary": "WORD",
                    "reported_counts": [{ "dimension": "living", "planned": 3, "running": 1 }], "provenance": provenance(),
                });
                let at = self.make_bird(admin, "evaluations", "/v1/evaluations".into(), fate, Some(plan), body).await;
                let list = format!("{}/findings", self.birds[at].path);
                // What was frozen keeps what it found, also where that was deleted since.
                let freezes = fate == Shown && ![plans[2], plans[3]].contains(&plan);
                closing.extend(freezes.then(|| self.birds[at].path.clone()));
                for _ in 0..3 {
                    let fate = if freezes { Shown } else { self.fate("findings", &[Shown, Shown, Deleted]) };
                    let programme = self.one_of("programmes");
                    let opd = if self.dice.flip() { json!(self.birds[0].key) } else { Value::Null };
                    let body = json!({ "programme": self.birds[programme].key, "opd": opd, "text": "Temuan WORD", "recommendation": "WORD" });
                    let finding = self.make_bird(admin, "findings", list.clone(), fate, Some(at), body).await;
                    if fate != Deleted {
                        let (path, word) = (self.birds[finding].path.clone(), self.birds[finding].word.clone());
                        admin.post(format!("{path}/follow-ups"), json!({ "text": word })).await.is(201);
                    }
                }
            }
        }
        for path in closing {
            admin.post(format!("{path}/close"), json!({})).await.is(200);
        }
    }

    /// What happens on the second day.
    pub(super) async fn change(&mut self, app: &App) {
        let admin = app.admin().await;
        let mut moves = std::mem::take(&mut self.moves);
        for bird in self.birds.iter().filter(|bird| ![Shown, Hidden, Deleted].contains(&bird.fate)) {
            let mut patch = match (bird.kind, bird.fate) {
                ("masterplans", Late) => json!({ "status": "active" }),
                ("masterplans", _) => json!({ "status": "draft" }),
                (_, Late) => json!({ "published": true }),
                _ => json!({ "published": false }),
            };
            if bird.fate == Late {
                patch[bird.text()] = json!(format!("Akhir {}", bird.word));
            }
            moves.push((bird.path.clone(), patch));
        }
        for some in moves.chunks(8) {
            join_all(some.iter().map(async |(path, change)| {
                admin.patch(path, change.clone()).if_match(&admin.etag_of(path).await).await.is(200);
            }))
            .await;
        }
        // What hangs on a thing goes before it, an OPD last of all.
        for bird in self.birds.iter().rev().filter(|bird| bird.fate == Deleted) {
            admin.delete(&bird.path).if_match(&admin.etag_of(&bird.path).await).await.is(204);
        }
    }
}

/// The text of a late thing that nobody is to see.
fn draft(word: &str) -> String {
    word.replace('x', "y")
}

fn provenance() -> Value {
    json!({ "publisher": "WORD", "title": "WORD", "url": "https://tests.invalid/WORD", "date": "2022-10-04", "quote": "WORD", "basis": "stated" })
}

async fn hand_in(admin: &Actor, verifier: &Actor, path: &str, report: Value) {
    admin.put(path, report).await.is(201);
    admin.post(format!("{path}/submit"), json!({})).await.is(200);
    verifier.post(format!("{path}/verify"), json!({})).await.is(200);
}
