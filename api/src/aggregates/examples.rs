//! The figures of the real case, as examples in the document: what the service answers about 4 October 2022.

use entity::rules::reason::{Reason as Rule, ReasonCode};
use serde_json::{Value, json};

use crate::http::language::{Language, speak};
use crate::resources::explanation::Reason;

fn reason(code: ReasonCode) -> Rule {
    Rule::new(code)
}

fn in_both_languages(reasons: impl IntoIterator<Item = Rule>) -> Value {
    json!(reasons.into_iter().map(Reason::from).collect::<Vec<_>>())
}

fn in_english(mut figure: Value) -> Value {
    speak(&mut figure, Language::English);
    figure
}

fn counts(planned: u32, running: u32, percent: &str) -> Value {
    json!({
        "planned": planned, "running": running, "running_percent": percent,
        "by_status": { "planned": planned - running, "running": running, "suspended": 0, "completed": 0, "cancelled": 0 },
    })
}

fn by_standing([achieved, on_track, at_risk, off_track, regressed, no_data]: [u32; 6]) -> Value {
    json!({
        "achieved": achieved, "on_track": on_track, "at_risk": at_risk, "off_track": off_track, "regressed": regressed,
        "no_data": no_data,
    })
}

/// The summary of 4 October 2022.
pub fn summary() -> Value {
    let mut governance = counts(10, 8, "80.00");
    governance["dimension"] = json!("governance");
    governance["name"] = json!("Smart Governance");
    governance["name_en"] = json!("Smart Governance");
    json!({
        "as_of": "2022-10-04", "masterplan": null, "totals": counts(40, 35, "87.50"), "dimensions": [governance],
        "kpis": { "total": 4, "by_standing": by_standing([0, 1, 1, 0, 0, 2]) },
        "actions": { "total": 3, "not_started": 0, "on_track": 2, "late": 1, "done": 0 },
        "findings": { "open": 2, "in_progress": 1, "done": 0, "overdue": 0 },
        "commitment": { "opds": 15, "signed": 2, "signatories": ["DINKES", "DLH"] },
    })
}

/// The first step of the timeline.
pub fn timeline() -> Value {
    let by_status = &counts(40, 35, "87.50")["by_status"];
    json!({ "masterplan": null, "as_of": "2022-10-04", "steps": [{ "period": "2022-10", "ends_on": "2022-10-04", "total": 40, "by_status": by_status }] })
}

/// The standing of the KPI for stunting.
pub fn standing() -> Value {
    in_english(frozen_standing())
}

/// The same as a record keeps it, with its texts in both languages.
pub fn frozen_standing() -> Value {
    let on_line = reason(ReasonCode::TargetOnLine).with("from", "28.3").with("from_period", "2021").with("to", "14");
    let ratio = reason(ReasonCode::Ratio).with("actual", "22.9").with("baseline", "28.3").with("target", "23.5333");
    let reasons = in_both_languages([
        on_line.with("to_period", "2024").with("period", "2022").with("target", "23.5333"),
        ratio,
        reason(ReasonCode::RatioOnTrack).with("from", "0.95").with("ratio", "1.13"),
    ]);
    json!({
        "kpi": "STUNTING", "name": "Prevalensi stunting", "unit": { "kind": "percent", "label": "persen" }, "direction": "decrease",
        "frequency": "yearly", "as_of": "2022-10-04", "baseline": { "period": "2021", "value": "28.3" },
        "latest": { "period": "2022", "value": "22.9" }, "target": { "period": "2022", "value": "23.5333", "interpolated": true },
        "targets": [{ "period": "2024", "value": "14", "kind": "aspiration" }], "achievement": "102.69", "progress": "37.76",
        "standing": "on_track",
        "projected": { "period": "2024", "value": "12.1", "bounded": false, "met_in": "2024", "points": 2, "confidence": "low" },
        "required_pace": "-4.45", "predicate": null, "target_predicate": null,
        "age": { "periods": 0, "due_on": null, "stale": false },
        "explanation": {
            "rule": "kpi_standing", "rule_version": "kpi-standing-2",
            "inputs": {
                "as_of": "2022-10-04", "direction": "decrease", "baseline": "28.3 (2021)", "actual": "22.9 (2022)",
                "applicable_target": "23.5333 (2022)", "final_target": "14 (2024)", "minimum": "0", "maximum": "100", "ratio": "1.1329",
            },
            "reasons": reasons,
        },
    })
}

/// The series of the KPI for waste stations.
pub fn series() -> Value {
    json!({
        "kpi": "TPS3R-DESA", "unit": { "kind": "count", "label": "desa" },
        "baseline": { "period": "2021", "value": "8", "provenance": null },
        "targets": [{ "period": "2022", "value": "14", "kind": "commitment" }, { "period": "2026", "value": "43", "kind": "commitment" }],
        "actuals": [],
    })
}

/// What the evaluation of that day was told, beside what is recorded.
pub fn reconciliation() -> Value {
    let compared = |planned: u32, running: u32| {
        let counts = json!({ "planned": planned, "running": running });
        json!({ "reported": counts, "recorded": counts, "difference": { "planned": 0, "running": 0 } })
    };
    let mut governance = compared(10, 8);
    governance["dimension"] = json!("governance");
    governance["name"] = json!("Smart Governance");
    governance["name_en"] = json!("Smart Governance");
    json!({
        "evaluation": "EVAL-2022-10-04", "masterplan": "KLU-SC", "as_of": "2022-10-04", "totals": compared(40, 35),
        "dimensions": [governance],
    })
}

/// A scoreboard that has only the environment agency.
pub fn scoreboard() -> Value {
    in_english(frozen_scoreboard())
}

/// The same as a record keeps it, with its texts in both languages.
pub fn frozen_scoreboard() -> Value {
    json!({ "as_of": "2022-10-04", "year": 2022, "quarter": 3, "masterplan": null, "rows": [row()] })
}

fn row() -> Value {
    let mean = |code, name, percent, sum| reason(code).with(name, percent).with("sum", sum).with("weights", "1");
    let reasons = in_both_languages([
        mean(ReasonCode::MeanProgress, "progress", "57.14", "57.1429"),
        mean(ReasonCode::MeanExpected, "expected", "71.43", "71.4286"),
        reason(ReasonCode::OpdAchievement).with("achievement", "80.00").with("realised", "57.1429").with("planned", "71.4286"),
    ]);
    json!({
        "opd": "DLH", "name": "Dinas Lingkungan Hidup", "rank": 1, "programmes_led": { "total": 1, "running": 1 },
        "renaksi": {
            "progress": "57.14", "expected": "71.43", "achievement": "80.00", "band": "high",
            "actions": { "total": 1, "not_started": 0, "on_track": 0, "late": 1, "done": 0 },
        },
        "reports": { "due": 1, "on_time": 1, "late": 0, "missing": 0 },
        "kpis": { "total": 1, "by_standing": by_standing([0, 0, 0, 0, 0, 1]) }, "findings_open": 1,
        "explanation": {
            "rule": "opd_progress", "rule_version": "opd-progress-2",
            "inputs": {
                "period": "2022-Q3", "actions": "1", "weights": "1", "weighted_progress": "57.1429", "weighted_expected": "71.4286",
                "band_version": "Permendagri 86/2017",
            },
            "reasons": reasons,
        },
    })
}

/// The scorecard of the environment agency with its action: by September 8 of the 10 villages planned until then, out of 14, have
/// a waste station.
pub fn scorecard() -> Value {
    let report = |quarter: u8, due_on: &str, handed_in_on: Option<&str>, timeliness: &str| {
        let verified = handed_in_on.is_some();
        json!({ "quarter": quarter, "due_on": due_on, "handed_in_on": handed_in_on, "verified": verified, "timeliness": timeliness })
    };
    let behind = reason(ReasonCode::ActionBehind).with("realisation", 8).with("target", 10).with("period", "2022-Q3");
    let progress = reason(ReasonCode::ActionProgress).with("progress", "57.14").with("realisation", 8).with("target", 14);
    let action = json!({
        "id": "0183a0c1-7d00-7000-8000-000000000001", "programme": "SV-01", "title": "Membangun TPS3R di desa", "output_unit": "desa", "weight": "1",
        "due_on": "2022-12-31", "targets": { "q1": "2", "q2": "6", "q3": "10", "q4": "14" },
        "realisation": { "q1": "2", "q2": "6", "q3": "8", "q4": null }, "progress": "57.14", "state": "late",
        "reasons": in_english(in_both_languages([behind, progress])),
        "reports": [
            report(1, "2022-04-10", Some("2022-04-05"), "on_time"), report(2, "2022-07-10", Some("2022-07-12"), "late"),
            report(3, "2022-10-10", Some("2022-10-03"), "on_time"), report(4, "2023-01-10", None, "not_due"),
        ],
    });
    let programme = json!({
        "code": "SV-01", "name": "TPS3R: Tempat Pengolahan Sampah Reduce, Reuse, Recycle", "dimension": "environment", "status": "running",
    });
    let finding = json!({
        "id": "0183a0c1-7d00-7000-8000-000000000002", "evaluation": "EVAL-2022", "programme": "SV-01", "text": "Dua desa belum memiliki lahan.",
        "recommendation": "Menetapkan lahan bersama pemerintah desa.", "due_on": "2022-12-31", "state": "open", "overdue": false,
    });
    json!({
        "as_of": "2022-10-04", "year": 2022, "quarter": 3, "row": in_english(row()), "ranked": 1, "programmes": [programme], "actions": [action],
        "kpis": [], "findings": [finding],
    })
}
