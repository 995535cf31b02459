//! Random pushes beside a model that fits on a page: any members, any form, repeats, nulls, clocks, and a reviewer in between. What
//! becomes of each row, and what is stored afterwards, is what the model says.

use std::collections::BTreeMap;

use renaksi_tests::dice::Dice;
use renaksi_tests::resource::{ACTIONS, PROGRAMMES};
use renaksi_tests::{Actor, Service, on_shared_servers, tier};
use serde_json::{Map, Value, json};

use super::push::{CSV, JSON, NDJSON, new_kpi};

/// Pushes of each kind.
fn pushes() -> u64 {
    tier::size(150, 1_000)
}

/// The members that say when or why, and not what.
const ASIDE: [&str; 2] = ["source_updated_at", "reason"];

type Members = Map<String, Value>;

on_shared_servers! {
    async fn random_pushes_of_measurements_end_as_the_model_does(app) {
        let kpi = new_kpi(&app.admin().await, "DINKES").await;
        let keys = (1..=5).map(|month| {
            let period = format!("2023-{month:02}");
            (json!({ "kpi": kpi, "period": period }), format!("/v1/kpis/{kpi}/measurements/{period}"))
        });
        let kind = Kind { path: "/v1/push/measurements", needed: &["value"], is_reviewed: true, members: measurement };
        play(app, kind, keys.collect(), 1).await;
    }

    async fn random_pushes_of_action_reports_end_as_the_model_does(app) {
        let mut keys = Vec::new();
        for _ in 0..2 {
            let id = ACTIONS.create(&app.client_dinkes().await).await.0;
            keys.extend((1..=4).map(|quarter| (json!({ "action": id, "quarter": quarter }), format!("{}/reports/{quarter}", ACTIONS.one(&id)))));
        }
        let kind = Kind { path: "/v1/push/action-reports", needed: &["realisation"], is_reviewed: true, members: action_report };
        play(app, kind, keys, 2).await;
    }

    async fn random_pushes_of_programmes_end_as_the_model_does(app) {
        let codes = (0..5).map(|_| PROGRAMMES.new_code());
        let keys = codes.map(|code| (json!({ "code": code }), PROGRAMMES.one(&code))).collect();
        let needed = &["masterplan", "dimension", "name", "lead_opd"];
        play(app, Kind { path: "/v1/push/programmes", needed, is_reviewed: false, members: programme }, keys, 3).await;
    }
}

/// A kind of thing that is pushed.
#[derive(Clone, Copy)]
struct Kind {
    path: &'static str,
    needed: &'static [&'static str],
    is_reviewed: bool,
    /// Random values of all members of a row about a key.
    members: fn(&Value, &mut Dice) -> Members,
}

/// What the model knows of a key.
#[derive(Clone, Default)]
struct Stored {
    latest: Members,
    in_force: Option<Members>,
    is_verified: bool,
}

/// What a key has after the rows of one push so far, and whether one of them is written.
type Seen = BTreeMap<usize, (Members, bool)>;

async fn play(app: &Service, kind: Kind, keys: Vec<(Value, String)>, fixed: u64) {
    let (client, verifier, admin) = (app.client_dinkes().await, app.verifier().await, app.admin().await);
    let mut model: BTreeMap<usize, Stored> = BTreeMap::new();
    let mut dice = Dice::new(tier::seed(fixed));
    let mut results: BTreeMap<String, u32> = BTreeMap::new();
    for turn in 0..pushes() {
        let form = Form::random(&mut dice);
        let rows = (0..1 + dice.below(6)).map(|_| random_row(kind, &keys, &form, &mut dice)).collect::<Vec<_>>();
        let body = form.written(&rows.iter().map(|(key, row)| whole(&keys[*key].0, row)).collect::<Vec<_>>(), &mut dice);
        let dry = if dice.below(6) == 0 { "&dry_run=true" } else { "" };
        let mut after = model.clone();
        let mut seen = Seen::new();
        let expected = rows.iter().map(|(key, row)| judge(kind, *key, row, &mut after, &mut seen)).collect::<Vec<_>>();
        let pushed =
            client.push(format!("{}?mode=partial&rows=all{dry}", kind.path), form.media_type(), body.clone()).await.is(200);
        let told = pushed
            .at("rows")
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["result"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>();
        assert_eq!(told, expected, "push {turn}: {}\n{pushed:?}", String::from_utf8_lossy(&body));
        told.into_iter().for_each(|result| *results.entry(result).or_default() += 1);
        if dry.is_empty() {
            model = after;
        }
        is_as_the_model(&admin, &keys, &model).await;
        if kind.is_reviewed && dice.flip() {
            review(&verifier, &keys, &mut model, &mut dice).await;
        }
    }
    for result in ["created", "updated", "unchanged", "stale", "rejected"] {
        assert!(results.contains_key(result), "nothing was {result}: {results:?}");
    }
}

/// What becomes of a row, in the words of the contract.
fn judge(kind: Kind, key: usize, row: &Members, model: &mut BTreeMap<usize, Stored>, seen: &mut Seen) -> &'static str {
    let stored = model.get(&key).cloned();
    if let Some((said, is_written)) = seen.get(&key) {
        let in_force = stored.and_then(|stored| stored.in_force).filter(|_| !is_written);
        let repeats = says(row, said) || in_force.is_some_and(|in_force| says(row, &in_force));
        return if repeats { "unchanged" } else { "rejected" };
    }
    let Some(stored) = stored else {
        if kind.needed.iter().any(|name| !row.contains_key(*name)) {
            return "rejected";
        }
        let latest = merged(&Members::new(), row);
        seen.insert(key, (latest.clone(), true));
        model.insert(key, Stored { latest, ..Stored::default() });
        return "created";
    };
    let is_older =
        row.get("source_updated_at").and_then(Value::as_str) < stored.latest.get("source_updated_at").and_then(Value::as_str);
    let result = if is_older && row.get("source_updated_at").is_some_and(Value::is_string) {
        "stale"
    } else if says(row, &stored.latest) || stored.in_force.as_ref().is_some_and(|in_force| says(row, in_force)) {
        "unchanged"
    } else if stored.is_verified && !row.get("reason").is_some_and(Value::is_string) {
        return "rejected";
    } else {
        "updated"
    };
    if result == "updated" {
        let latest = merged(&stored.latest, row);
        let in_force = if stored.is_verified { Some(stored.latest) } else { stored.in_force };
        model.insert(key, Stored { latest, in_force, is_verified: false });
    }
    seen.insert(key, (model[&key].latest.clone(), result == "updated"));
    result
}

/// Whether all that a row names is so already.
fn says(row: &Members, stored: &Members) -> bool {
    let content = |members: &Members| {
        let mut members = members.clone();
        members.retain(|name, value| !ASIDE.contains(&name.as_str()) && *value != Value::Null && *value != json!([]));
        members
    };
    content(&merged(stored, row)) == content(stored)
}

/// What is stored after a row: what it names instead of what was, null for nothing, and into objects likewise.
fn merged(stored: &Members, row: &Members) -> Members {
    let mut after = stored.clone();
    for (name, value) in row.iter().filter(|(name, _)| *name != "reason") {
        let value = match (value, after.get(name)) {
            (Value::Object(inner), Some(Value::Object(before))) => Value::Object(merged(before, inner)),
            (Value::Object(inner), _) => Value::Object(merged(&Members::new(), inner)),
            (value, _) => value.clone(),
        };
        after.insert(name.clone(), value);
    }
    after
}

async fn is_as_the_model(admin: &Actor, keys: &[(Value, String)], model: &BTreeMap<usize, Stored>) {
    for (number, (_, path)) in keys.iter().enumerate() {
        let answer = admin.get(path).await;
        let Some(stored) = model.get(&number) else {
            assert_eq!(answer.status(), 404, "{answer:?}");
            continue;
        };
        let shown = answer.is(200).json();
        for (name, value) in &stored.latest {
            let is = &shown[name];
            let same = match value {
                Value::Null => is.is_null() || *is == json!([]),
                Value::Object(members) => {
                    is.as_object().unwrap().iter().all(|(name, value)| members.get(name).unwrap_or(&Value::Null) == value)
                }
                value => is == value,
            };
            assert!(same, "`{name}` should be {value} in {shown}");
        }
    }
}

/// The reviewer verifies or returns one that waits.
async fn review(verifier: &Actor, keys: &[(Value, String)], model: &mut BTreeMap<usize, Stored>, dice: &mut Dice) {
    let key = dice.below(keys.len());
    let Some(stored) = model.get_mut(&key).filter(|stored| !stored.is_verified) else { return };
    let path = &keys[key].1;
    if verifier.get(path).await.is(200).at("state") != "submitted" {
        return;
    }
    if dice.below(4) == 0 {
        verifier.post(format!("{path}/return"), json!({ "reason": "Lengkapi" })).await.is(200);
    } else {
        verifier.post(format!("{path}/verify"), json!({})).await.is(200);
        (stored.is_verified, stored.in_force) = (true, None);
    }
}

/// A row about a random key with a random part of its members; some repeat what was said before, as few values are.
fn random_row(kind: Kind, keys: &[(Value, String)], form: &Form, dice: &mut Dice) -> (usize, Members) {
    let key = dice.below(keys.len());
    let mut row = (kind.members)(&keys[key].0, dice);
    let often = 1 + dice.below(3);
    row.retain(|_, value| {
        let is_named = dice.below(3) < often;
        if is_named && form.has_null() && dice.below(8) == 0 && may_be_null(value) {
            *value = Value::Null;
        }
        is_named
    });
    row.retain(|name, value| !(kind.needed.contains(&name.as_str()) && value.is_null()));
    if form.is_csv() {
        row.retain(|_, value| !value.is_null());
    }
    (key, row)
}

fn may_be_null(value: &Value) -> bool {
    !value.is_boolean()
}

fn whole(key: &Value, row: &Members) -> Members {
    let mut whole = key.as_object().unwrap().clone();
    whole.extend(row.clone());
    whole
}

fn time(dice: &mut Dice) -> Value {
    json!(format!("2024-05-0{}T00:00:00Z", 1 + dice.below(4)))
}

fn evidence(dice: &mut Dice) -> Value {
    let titles = (0..dice.below(3))
        .map(|number| json!({ "title": format!("Bukti, \"{number}\""), "url": "https://tests.invalid/a", "sha256": null }));
    titles.collect()
}

fn provenance(dice: &mut Dice) -> Value {
    let members =
        [("publisher", dice.pick(&["Uji", "Uji; dua"])), ("title", dice.pick(&["Naskah", "=Naskah"])), ("date", "2022-10-04")];
    members.into_iter().filter(|_| dice.flip()).map(|(name, value)| (name.to_owned(), json!(value))).collect::<Members>().into()
}

/// A long text, also one that is hard to write.
fn text(dice: &mut Dice) -> Value {
    json!(dice.pick(&["a", "koma, titik; \"kutip\"", "dua\nbaris", "=1+1", "'satu", "-", "\tx"]))
}

fn measurement(_: &Value, dice: &mut Dice) -> Members {
    Members::from_iter([
        ("value".to_owned(), json!(dice.pick(&["1.5", "2", "3"]))),
        ("note".to_owned(), text(dice)),
        ("evidence".to_owned(), evidence(dice)),
        ("provenance".to_owned(), provenance(dice)),
        ("source_updated_at".to_owned(), time(dice)),
        ("reason".to_owned(), json!("Salah hitung")),
    ])
}

/// What is realised does not fall from quarter to quarter.
fn action_report(key: &Value, dice: &mut Dice) -> Members {
    let quarter = key["quarter"].as_u64().unwrap();
    Members::from_iter([
        ("realisation".to_owned(), json!(format!("{quarter}{}", dice.pick(&["", ".5"])))),
        ("narrative".to_owned(), text(dice)),
        ("obstacles".to_owned(), text(dice)),
        ("evidence".to_owned(), evidence(dice)),
        ("source_updated_at".to_owned(), time(dice)),
        ("reason".to_owned(), json!("Salah hitung")),
    ])
}

fn programme(_: &Value, dice: &mut Dice) -> Members {
    let flag = dice.flip();
    Members::from_iter([
        ("masterplan".to_owned(), json!("KLU-SC")),
        ("dimension".to_owned(), json!(dice.pick(&["governance", "living"]))),
        ("name".to_owned(), json!(dice.pick(&["Satu", "Dua, \"tiga\"", "Dua\nbaris", "=Empat", " lima "]))),
        ("description".to_owned(), text(dice)),
        ("lead_opd".to_owned(), json!("DINKES")),
        ("supporting_opds".to_owned(), json!(dice.pick(&[&[][..], &["DLH"], &["DLH", "KOMINFO"]]))),
        ("start_date".to_owned(), json!(dice.pick(&["2022-01-01", "2022-02-01"]))),
        ("budget".to_owned(), json!(dice.pick(&["1.5", "2"]))),
        ("funding_source".to_owned(), json!(dice.pick(&["APBD", "APBN"]))),
        ("regions".to_owned(), json!(dice.pick(&[&["52.08.01"][..], &["52.08.01", "52.08.02"]]))),
        ("source_updated_at".to_owned(), time(dice)),
        ("published".to_owned(), json!(flag)),
        ("provenance".to_owned(), provenance(dice)),
    ])
}

/// The form of a push.
enum Form {
    Json,
    Lines,
    Csv { separator: char, has_decimal_comma: bool, has_mark: bool, says_separator: bool },
}

impl Form {
    fn random(dice: &mut Dice) -> Self {
        match dice.below(5) {
            0 => Self::Json,
            1 => Self::Lines,
            number => {
                let separator = [',', ';', '\t'][number - 2];
                Self::Csv {
                    separator,
                    has_decimal_comma: separator == ';' && dice.flip(),
                    has_mark: dice.flip(),
                    says_separator: dice.flip(),
                }
            }
        }
    }

    fn media_type(&self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Lines => NDJSON,
            Self::Csv { .. } => CSV,
        }
    }

    fn is_csv(&self) -> bool {
        matches!(self, Self::Csv { .. })
    }

    fn has_null(&self) -> bool {
        !self.is_csv()
    }

    fn written(&self, rows: &[Members], dice: &mut Dice) -> Vec<u8> {
        match self {
            Self::Json => json!(rows).to_string(),
            Self::Lines => rows.iter().map(|row| json!(row).to_string() + "\n").collect(),
            Self::Csv { separator, has_decimal_comma, has_mark, says_separator } => {
                let mut columns = rows.iter().flat_map(|row| row.keys().cloned()).collect::<Vec<_>>();
                columns.sort();
                columns.dedup();
                columns.push(["version", "state", "since"][dice.below(3)].to_owned());
                let turned = dice.below(columns.len());
                columns.rotate_left(turned);
                let mut text = if *has_mark { "\u{feff}".to_owned() } else { String::new() };
                if *says_separator {
                    text.push_str(&format!("sep={separator}\r\n"));
                }
                let header = columns.iter().map(|name| if dice.flip() { name.to_uppercase() } else { name.clone() });
                text.push_str(&header.collect::<Vec<_>>().join(&separator.to_string()));
                for row in rows {
                    let end = ["\n", "\r\n", "\n\n"][dice.below(3)];
                    let cells = columns.iter().map(|name| cell(name, row.get(name), *separator, *has_decimal_comma));
                    text.push_str(&format!("{end}{}", cells.collect::<Vec<_>>().join(&separator.to_string())));
                }
                text
            }
        }
        .into_bytes()
    }
}

/// A cell as a careful system writes it.
fn cell(name: &str, value: Option<&Value>, separator: char, has_decimal_comma: bool) -> String {
    let is_decimal = ["value", "realisation", "budget"].contains(&name);
    let plain = match value {
        None if ["version", "state", "since"].contains(&name) => "7".to_owned(),
        None => String::new(),
        Some(Value::String(text)) if is_decimal => {
            if has_decimal_comma {
                text.replace('.', ",")
            } else {
                text.clone()
            }
        }
        // In a column of one line, several are a JSON text after an apostrophe.
        Some(Value::String(text)) if name == "name" && text.contains('\n') => format!("'{}", json!(text)),
        Some(Value::String(text)) if text.starts_with(['=', '-', '\t']) => format!("'{text}"),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let needs = plain.contains([separator, '"', '\n']) || plain.trim() != plain;
    if needs { format!("\"{}\"", plain.replace('"', "\"\"")) } else { plain }
}
