//! Whatever the figures are and however wide the chart is: every text is within the picture, and none meets another.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::drawing::{Area, Drawing, Look, Mark};
use super::options::Theme;
use super::words::Words;
use super::{kpi, scoreboard, summary, svg, timeline};
use crate::aggregates::examples;
use crate::http::language::Language;

/// What is wrong with a drawing.
fn faults(drawing: &Drawing) -> Vec<String> {
    let whole = Area::new(0.0, 0.0, drawing.width, drawing.height);
    let mut faults = Vec::new();
    let mut texts: Vec<(&str, Area)> = Vec::new();
    for mark in &drawing.marks {
        let (name, area) = match mark {
            Mark::Text(label) => (label.text.as_str(), label.area()),
            Mark::Rectangle(_, area) | Mark::Path(_, _, area) => ("a shape", *area),
        };
        if !whole.holds(area) {
            faults.push(format!("`{name}` leaves the picture: {area:?}"));
        }
        if let Mark::Text(label) = mark {
            // A hair's breadth is no meeting.
            let own = Area::new(area.x + 0.2, area.y + 0.5, area.width - 0.4, area.height - 1.0);
            faults
                .extend(texts.iter().filter(|(_, other)| other.meets(own)).map(|(other, _)| format!("`{name}` meets `{other}`")));
            texts.push((&label.text, own));
        }
    }
    faults
}

fn words() -> impl Strategy<Value = Words> {
    prop_oneof![Just(Words(Language::Indonesian)), Just(Words(Language::English))]
}

fn width() -> impl Strategy<Value = u16> {
    prop_oneof![Just(320), Just(1600), 320_u16..=1600]
}

/// Names as people give them: words, one long word, and what means something to XML.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z][a-z]{0,12}( [A-Za-z]{1,14}){0,12}",
        "[A-Za-zéÉ]{1,200}",
        "[<>&\"'\\x01 —漢字a-z]{1,40}",
        Just("Dinas Pengendalian Penduduk, Keluarga Berencana dan Pemberdayaan Masyarakat Desa".to_owned()),
    ]
}

/// The numbers of programmes in each status.
fn statuses() -> impl Strategy<Value = [u32; 5]> {
    let number = || prop_oneof![Just(0), 0_u32..12, 0_u32..3_000];
    [number(), number(), number(), number(), number()]
}

fn by_status([planned, running, suspended, completed, cancelled]: [u32; 5]) -> Value {
    json!({ "planned": planned, "running": running, "suspended": suspended, "completed": completed, "cancelled": cancelled })
}

fn counts(of: [u32; 5]) -> Value {
    let planned = of.iter().sum::<u32>();
    let percent = (planned > 0).then(|| format!("{:.2}", f64::from(of[1]) * 100.0 / f64::from(planned)));
    json!({ "planned": planned, "running": of[1], "running_percent": percent, "by_status": by_status(of) })
}

fn summaries() -> impl Strategy<Value = Value> {
    prop::collection::vec((name(), statuses()), 0..70).prop_map(|rows| {
        let mut totals = [0; 5];
        rows.iter().for_each(|(_, of)| totals.iter_mut().zip(of).for_each(|(total, number)| *total += number));
        let rows = rows.into_iter().map(|(name, of)| {
            let mut row = counts(of);
            row["name"] = json!(name);
            row
        });
        let rows = rows.collect::<Vec<_>>();
        json!({ "as_of": "2022-10-04", "masterplan": "KLU-SC", "totals": counts(totals), "dimensions": rows })
    })
}

fn timelines() -> impl Strategy<Value = Value> {
    let intervals = prop_oneof![Just(1), Just(4), Just(12)];
    (prop::collection::vec(statuses(), 0..600), intervals, 1900_i32..2100).prop_map(|(steps, a_year, first)| {
        let period = |index: i32| match a_year {
            1 => format!("{}", first + index % 200),
            4 => format!("{}-Q{}", first + index / 4, index % 4 + 1),
            _ => format!("{}-{:02}", first + index / 12, index % 12 + 1),
        };
        let most = if a_year == 1 { 90 } else { 390 };
        let steps = (0..)
            .zip(steps)
            .take(most)
            .map(|(index, of)| json!({ "period": period(index), "total": of.iter().sum::<u32>(), "by_status": by_status(of) }));
        json!({ "as_of": "2022-10-04", "masterplan": null, "steps": steps.collect::<Vec<_>>() })
    })
}

fn scoreboards() -> impl Strategy<Value = Value> {
    let achievement = prop_oneof![Just(None), (0_u32..1_000_000).prop_map(Some), (0_u32..15_000).prop_map(Some)];
    let row = (name(), achievement, 0_u32..40, 0_u32..9).prop_map(|(name, achievement, led, actions)| {
        let percent = achievement.map(|hundredths| format!("{}.{:02}", hundredths / 100, hundredths % 100));
        let band = achievement.map(|hundredths| if hundredths % 2 == 0 { "very_high" } else { "very_low" });
        json!({
            "name": name, "rank": achievement.map(|rank| rank % 70 + 1), "programmes_led": { "total": led, "running": led / 2 },
            "renaksi": { "progress": percent, "expected": "75.00", "achievement": percent, "band": band, "actions": { "total": actions } },
        })
    });
    prop::collection::vec(row, 0..70)
        .prop_map(|rows| json!({ "as_of": "2022-10-04", "year": 2022, "quarter": 3, "masterplan": null, "rows": rows }))
}

fn kpis() -> impl Strategy<Value = (Value, Value)> {
    let values = || prop_oneof![-500_i64..20_000, Just(0), -1_000_000_000_000_i64..1_000_000_000_000_000];
    let series = |most: usize| prop::collection::btree_map(0_i32..300, values(), 0..most);
    let units = prop_oneof![
        Just(json!({ "kind": "percent", "label": "persen" })),
        Just(json!({ "kind": "count", "label": "desa" })),
        Just(json!({ "kind": "currency", "label": "Rp" })),
        Just(json!({ "kind": "index", "label": null })),
    ];
    let frequencies = prop_oneof![Just("yearly"), Just("semesterly"), Just("quarterly"), Just("monthly")];
    (name(), units, frequencies, prop::option::of(values()), series(30), series(120), 0_u32..3).prop_map(
        |(name, unit, frequency, baseline, targets, actuals, places)| {
            let period = |index: i32| match frequency {
                "yearly" => format!("{}", 1900 + index % 290),
                "semesterly" => format!("{}-S{}", 1990 + index / 2, index % 2 + 1),
                "quarterly" => format!("{}-Q{}", 1990 + index / 4, index % 4 + 1),
                _ => format!("{}-{:02}", 1990 + index / 12, index % 12 + 1),
            };
            let point = |(index, value): (i32, i64)| json!({ "period": period(index), "value": rust_decimal::Decimal::new(value, places) });
            let standing = json!({ "name": name, "direction": "decrease", "frequency": frequency, "as_of": "2022-10-04", "standing": "regressed" });
            let series = json!({
                "unit": unit, "baseline": baseline.map(|value| point((0, value))),
                "targets": targets.into_iter().map(point).collect::<Vec<_>>(),
                "actuals": actuals.into_iter().map(point).collect::<Vec<_>>(),
            });
            (standing, series)
        },
    )
}

/// Draws it, and looks for faults.
macro_rules! check {
    ($drawing:expr) => {{
        let drawing = $drawing;
        let faults = faults(&drawing);
        prop_assert!(faults.is_empty(), "{} px: {faults:#?}", drawing.width);
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_text_of_a_summary_meets_another(figure in summaries(), width in width(), words in words()) {
        check!(summary::draw(&serde_json::from_value(figure).unwrap(), width, words));
    }

    #[test]
    fn no_text_of_a_timeline_meets_another(figure in timelines(), width in width(), words in words()) {
        check!(timeline::draw(&serde_json::from_value(figure).unwrap(), width, words));
    }

    #[test]
    fn no_text_of_a_scoreboard_meets_another(figure in scoreboards(), width in width(), words in words()) {
        check!(scoreboard::draw(&serde_json::from_value(figure).unwrap(), width, words));
    }

    #[test]
    fn no_text_of_a_kpi_meets_another((standing, series) in kpis(), width in width(), words in words()) {
        let (standing, series) = (serde_json::from_value(standing).unwrap(), serde_json::from_value(series).unwrap());
        check!(kpi::draw("X", &standing, &series, width, words));
    }
}

#[test]
fn two_texts_at_one_place_are_found() {
    let mut drawing = summary::draw(&serde_json::from_value(examples::summary()).unwrap(), 720, Words(Language::Indonesian));
    assert_eq!(faults(&drawing), Vec::<String>::new());
    let text = drawing.marks.iter().find(|mark| matches!(mark, Mark::Text(_))).unwrap().clone();
    drawing.marks.push(text);
    assert_eq!(faults(&drawing).len(), 1);
}

#[test]
fn every_colour_has_contrast_with_the_ground() {
    let (light, dark) = (svg::colours(Theme::Light), svg::colours(Theme::Dark));
    let is_text = |look: Look| matches!(look, Look::Ink | Look::Faint | Look::LineText | Look::TargetText);
    let is_quiet = |look: Look| matches!(look, Look::Ground | Look::Grid | Look::Track);
    for (theme, colours) in [("light", light), ("dark", dark)] {
        let ground = colours.iter().find(|(look, _)| *look == Look::Ground).unwrap().1;
        for (look, colour) in colours.iter().filter(|(look, _)| !is_quiet(*look)) {
            let contrast = contrast(luminance(colour), luminance(ground));
            let least = if is_text(*look) { 4.5 } else { 3.0 };
            assert!(contrast >= least, "{theme} {look:?}: {contrast:.2}");
        }
    }
}

/// By WCAG 2.2.
fn contrast(one: f64, other: f64) -> f64 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: &str) -> f64 {
    let digits = colour.trim_start_matches('#');
    let digits = if digits.len() == 3 { digits.chars().flat_map(|digit| [digit, digit]).collect() } else { digits.to_owned() };
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

#[test]
fn what_means_something_to_xml_is_only_text() {
    let mut figure = examples::summary();
    figure["dimensions"][0]["name"] = json!("</text><script>alert('&\u{1}')</script>");
    let drawing = summary::draw(&serde_json::from_value(figure).unwrap(), 720, Words(Language::Indonesian));
    let svg = svg::write(&drawing, Theme::Auto, Language::Indonesian);
    assert!(svg.contains("&lt;script&gt;alert('&amp; ')") && !svg.contains("<script"), "{svg}");
}
