//! The standings of random KPIs, of any sign, direction and size, agree with themselves and with what was reported.

use renaksi_tests::dice::Dice;
use renaksi_tests::{Actor, on_shared_servers, tier};
use serde_json::{Value, json};

use super::figures::new_kpi;

/// The number of KPIs.
fn many() -> usize {
    tier::size(12, 200)
}

const YEARS: [i32; 5] = [2021, 2022, 2023, 2024, 2025];

on_shared_servers! {
    async fn random_standings_agree_with_themselves(app) {
        let seed = tier::seed(20221004);
        let mut dice = Dice::new(seed);
        let (admin, verifier) = (app.admin().await, app.verifier().await);
        let mut models = Vec::new();
        for _ in 0..many() {
            models.push(Model::make(&mut dice, &admin).await);
        }
        let rows = models.iter().flat_map(Model::rows).collect::<Vec<_>>();
        admin.push("/v1/push/measurements", "application/json", json!(rows).to_string()).await.is(200).has("created", rows.len());
        let keys = rows.iter().map(|row| format!("{}/{}", row["kpi"].as_str().unwrap(), row["period"].as_str().unwrap()));
        let decisions = keys.map(|key| json!({ "kind": "measurement", "key": key, "decision": "verify" })).collect::<Vec<_>>();
        for some in decisions.chunks(200) {
            verifier.post("/v1/reviews", json!({ "reviews": some })).await.is(200).has("rejected", 0);
        }
        for model in &models {
            let standing = admin.get(format!("/v1/kpis/{}/standing", model.code)).await.is(200);
            model.must_agree(&standing.json(), seed);
        }
    }
}

/// A KPI as the test knows it; values in hundredths.
struct Model {
    code: String,
    increases: bool,
    baseline: Option<i64>,
    targets: Vec<(i32, i64)>,
    values: Vec<(i32, i64)>,
}

impl Model {
    /// Makes a random one; its targets are refused exactly where they lie on the wrong side of the baseline.
    async fn make(dice: &mut Dice, admin: &Actor) -> Self {
        let increases = dice.flip();
        let scale = dice.pick(&[5, 500, 50_000, 90_000_000]);
        let value = |dice: &mut Dice| dice.below(2 * scale as usize + 1) as i64 - scale;
        let baseline = (dice.below(4) > 0).then(|| value(dice));
        let body = json!({
            "direction": if increases { "increase" } else { "decrease" },
            "baseline": baseline.map(|value| json!({ "period": "2020", "value": text(value) })),
        });
        let path = new_kpi(admin, body).await;
        let mut model = Self {
            code: path.rsplit('/').next().unwrap().to_owned(),
            increases,
            baseline,
            targets: Vec::new(),
            values: Vec::new(),
        };
        for year in YEARS {
            if dice.flip() {
                let target = if dice.below(6) == 0 { 0 } else { value(dice) };
                let answer = admin.put(format!("{path}/targets/{year}"), json!({ "value": text(target) })).await;
                if model.baseline.is_some_and(|baseline| !model.reaches(target, baseline)) {
                    answer.is(422).has("errors/0/code", "against_direction");
                } else {
                    answer.is(201);
                    model.targets.push((year, target));
                }
            }
            if dice.flip() {
                let near = model.targets.last().map(|(_, target)| target + dice.below(3) as i64 - 1);
                let measured = near.filter(|_| dice.flip()).unwrap_or_else(|| value(dice));
                model.values.push((year, measured));
            }
        }
        model
    }

    fn rows(&self) -> Vec<Value> {
        self.values
            .iter()
            .map(|(year, value)| json!({ "kpi": self.code, "period": year.to_string(), "value": text(*value) }))
            .collect()
    }

    fn reaches(&self, value: i64, target: i64) -> bool {
        if self.increases { value >= target } else { value <= target }
    }

    fn must_agree(&self, standing: &Value, seed: u64) {
        let context = format!("seed {seed}, {:?} {:?} {:?}: {standing}", self.baseline, self.targets, self.values);
        let percent = |name: &str| standing[name].as_str().map(|text| text.parse::<f64>().unwrap());
        let Some(((year, actual), (_, last))) = self.values.last().zip(self.targets.last()) else {
            assert_eq!(standing["standing"], "no_data", "{context}");
            return;
        };
        let is_achieved = self.reaches(*actual, *last);
        assert_eq!(standing["standing"] == "achieved", is_achieved, "{context}");
        if let Some(progress) = percent("progress") {
            assert_eq!(progress >= 100.0, is_achieved, "{context}");
            assert_eq!(progress == 0.0, Some(*actual) == self.baseline, "{context}");
        } else {
            assert!(self.baseline.is_none_or(|baseline| baseline == *last), "{context}");
            let explained = standing["explanation"]["reasons"].to_string().contains("no progress");
            assert_eq!(explained, self.baseline.is_some(), "{context}");
        }
        let own = self
            .targets
            .iter()
            .find(|(period, _)| period == year)
            .or_else(|| self.targets.last().filter(|(last, _)| last < year));
        if let Some((_, target)) = own {
            assert_eq!(standing["target"]["interpolated"], false, "{context}");
            match percent("achievement") {
                Some(achievement) => assert_eq!(achievement >= 100.0, self.reaches(*actual, *target), "{context}"),
                None => assert!(*target == 0 && !self.reaches(*actual, 0), "{context}"),
            }
        } else if let Some(achievement) = percent("achievement") {
            // Of a point on a line the answer shows four decimals.
            let target = standing["target"]["value"].as_str().unwrap().parse::<f64>().unwrap() * 100.0;
            let gap = if self.increases { *actual as f64 - target } else { target - *actual as f64 };
            assert!(gap.abs() < 0.1 || (achievement >= 100.0) == (gap >= 0.0), "{context}");
        }
    }
}

/// Hundredths as they are written.
fn text(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
}
