//! The figures of the real case, as examples in the document: what the service answers about 4 October 2022.

use serde_json::{Value, json};

fn counts(planned: u32, running: u32, percent: &str) -> Value {
    json!({
        "planned": planned, "running": running, "running_percent": percent,
        "by_status": { "planned": planned - running, "running": running, "suspended": 0, "completed": 0, "cancelled": 0 },
    })
}

/// The summary of the day.
pub fn summary() -> Value {
    let mut governance = counts(10, 8, "80.00");
    governance["dimension"] = json!("governance");
    governance["name"] = json!("Smart Governance");
    governance["name_en"] = json!("Smart Governance");
    json!({
        "as_of": "2022-10-04", "masterplan": null, "totals": counts(40, 35, "87.50"), "dimensions": [governance],
        "kpis": { "total": 4, "by_standing": { "achieved": 0, "on_track": 1, "at_risk": 1, "off_track": 0, "regressed": 0, "no_data": 2 } },
    })
}

/// The first step.
pub fn timeline() -> Value {
    let by_status = &counts(40, 35, "87.50")["by_status"];
    json!({ "masterplan": null, "as_of": "2022-10-04", "steps": [{ "period": "2022-10", "ends_on": "2022-10-04", "total": 40, "by_status": by_status }] })
}

/// Stunting.
pub fn standing() -> Value {
    json!({
        "kpi": "STUNTING", "name": "Prevalensi stunting", "unit": { "kind": "percent", "label": "persen" }, "direction": "decrease",
        "frequency": "yearly", "as_of": "2022-10-04", "baseline": { "period": "2021", "value": "28.3" },
        "latest": { "period": "2022", "value": "22.9" }, "target": { "period": "2022", "value": "23.5333", "interpolated": true },
        "targets": [{ "period": "2024", "value": "14", "kind": "aspiration" }], "achievement": "102.69", "progress": "37.76",
        "standing": "on_track",
        "projected": { "period": "2024", "value": "12.1", "met_in": "2024", "points": 2, "confidence": "low" },
        "required_pace": "-4.45", "predicate": null, "target_predicate": null,
        "explanation": {
            "rule": "kpi_standing", "rule_version": "kpi-standing-1",
            "inputs": {
                "as_of": "2022-10-04", "direction": "decrease", "baseline": "28.3 (2021)", "actual": "22.9 (2022)",
                "applicable_target": "23.5333 (2022)", "final_target": "14 (2024)", "ratio": "1.1329",
            },
            "reasons": ["The ratio is at least 0.95."],
        },
    })
}

/// Waste stations.
pub fn series() -> Value {
    json!({
        "kpi": "TPS3R-DESA", "unit": { "kind": "count", "label": "desa" },
        "baseline": { "period": "2021", "value": "8", "provenance": null },
        "targets": [{ "period": "2022", "value": "14", "kind": "commitment" }, { "period": "2026", "value": "43", "kind": "commitment" }],
        "actuals": [],
    })
}

/// What the evaluation of the day was told, beside the records.
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
