//! A random year, day by day: what the figures said at the end of a day they still say when asked for that day afterwards.
//!
//! The normal tier plays the first weeks of one in which everything happens early, and asks on every third day.

mod year;

use chrono::{Datelike, NaiveDate};
use futures_util::future::join_all;
use renaksi_tests::rehearsal::Today;
use renaksi_tests::{App, on_both_databases, tier};
use year::Year;

/// The demo data is of 2022-10-04.
const FIRST: NaiveDate = NaiveDate::from_ymd_opt(2023, 1, 20).expect("the day exists");
/// Faults that are shown.
const SHOWN: usize = 12;

on_both_databases! {
    async fn every_day_is_answered_as_it_was(app) {
        let (seed, days) = (tier::seed(2), tier::size(30, 365));
        let today = Today::starting(FIRST);
        let rehearsed = app.replica_with(&[("RENAKSI_REHEARSAL", today.setting())]);
        let mut year = Year::new(seed);
        let mut told = Vec::new();
        // What was deleted since is told of past days only to those who log in; so is what was withdrawn, and all of that comes back.
        let settled = FIRST + chrono::Days::new(days as u64 / 2);
        for (number, day) in FIRST.iter_days().take(days).enumerate() {
            today.is(day);
            year.deletes = day < settled;
            year.play(&rehearsed, day).await;
            if number % tier::size(3, 1) == 0 {
                told.extend(answers(&rehearsed, day, figures(&year, day), "").await);
            }
        }
        today.is(FIRST + chrono::Days::new(days as u64));
        year.publish_everything(&rehearsed).await;
        told.retain(|answer| answer.day >= settled || !answer.path.starts_with("/v1/public/"));

        let mut faults = Vec::new();
        for day in told.chunk_by(|one, next| one.day == next.day) {
            let paths = day.iter().map(|answer| answer.path.clone()).collect();
            let again = answers(&rehearsed, day[0].day, paths, &format!("as_of={}", day[0].day)).await;
            faults.extend(day.iter().zip(&again).filter(|(then, now)| then != now).map(|(then, now)| difference(then, now)));
        }
        let shown = faults.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n\n");
        assert!(faults.is_empty(), "seed {seed}: {} of {} answers differ\n\n{shown}", faults.len(), told.len());
        year.did_everything();
    }
}

/// A figure on a day.
#[derive(PartialEq)]
struct Told {
    day: NaiveDate,
    path: String,
    status: u16,
    body: String,
}

/// What is asked at the end of a day, each for those who log in and for everybody.
fn figures(year: &Year, day: NaiveDate) -> Vec<String> {
    let quarter = format!("year={}&quarter={}", day.year(), day.month0() / 3 + 1);
    let of_kpis = year.kpis().map(|kpi| format!("/kpis/{kpi}/standing"));
    let of_opds = year.opds().map(|opd| format!("/opds/{opd}/scorecard?{quarter}"));
    let fixed = ["/summary".to_owned(), "/summary?masterplan=KLU-SC".to_owned(), "/timeline?interval=month".to_owned()];
    let all = fixed.into_iter().chain([
        format!("/scoreboard?{quarter}"),
        "/scoreboard?year=2022&quarter=4".to_owned(),
        "/scoreboard".to_owned(),
        "/standings?limit=200".to_owned(),
    ]);
    all.chain(of_kpis).chain(of_opds).flat_map(|path| [format!("/v1{path}"), format!("/v1/public{path}")]).collect()
}

async fn answers(app: &App, day: NaiveDate, paths: Vec<String>, query: &str) -> Vec<Told> {
    let (viewer, anyone) = (app.viewer().await, app.anyone());
    let mut told = Vec::new();
    for some in paths.chunks(8) {
        told.extend(
            join_all(some.iter().map(async |path| {
                let actor = if path.starts_with("/v1/public/") { &anyone } else { &viewer };
                let separator = if query.is_empty() {
                    ""
                } else if path.contains('?') {
                    "&"
                } else {
                    "?"
                };
                let answer = actor.get(format!("{path}{separator}{query}")).await;
                let status = answer.status();
                assert!([200, 404].contains(&status), "{answer:?}");
                // A problem names its request.
                let body = if status == 200 { answer.is(200).text() } else { String::new() };
                Told { day, path: path.clone(), status, body }
            }))
            .await,
        );
    }
    told
}

/// Where two answers part.
fn difference(then: &Told, now: &Told) -> String {
    let at = then.body.bytes().zip(now.body.bytes()).take_while(|(then, now)| then == now).count();
    let around = |body: &str| body.chars().skip(at.saturating_sub(120)).take(300).collect::<String>();
    format!(
        "{} on {}, at {at}\n  then {}: …{}…\n  now  {}: …{}…",
        then.path,
        then.day,
        then.status,
        around(&then.body),
        now.status,
        around(&now.body)
    )
}
