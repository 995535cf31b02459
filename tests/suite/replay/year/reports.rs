//! KPIs and actions, with what is reported.

use serde_json::{Value, json};

use super::{ACTIONS, DIMENSIONS, Day, KPIS, PERIODS, Year};

impl Year {
    pub(super) async fn make_kpi(&mut self, day: &Day) -> bool {
        if self.kpis.len() >= KPIS {
            return false;
        }
        let (code, frequency) = (self.code("K"), self.dice.below(PERIODS.len()));
        let body = json!({
            "code": code, "masterplan": "KLU-SC", "dimension": self.dice.pick(&DIMENSIONS), "programme": self.perhaps(Self::programme),
            "opd": self.opd(), "name": self.name(), "unit": { "kind": "index" }, "direction": self.dice.pick(&["increase", "decrease"]),
            "frequency": PERIODS[frequency].0, "baseline": self.baseline(frequency), "published": self.dice.below(3) > 0
        });
        day.admin.create("/v1/kpis", body).await;
        self.kpis.push((code, frequency));
        true
    }

    pub(super) async fn change_kpi(&mut self, day: &Day) -> bool {
        let (code, frequency) = self.dice.pick(&self.kpis);
        let change = match self.dice.below(8) {
            0 => json!({ "name": self.name() }),
            1 => json!({ "direction": self.dice.pick(&["increase", "decrease"]) }),
            2 => json!({ "dimension": self.dice.pick(&DIMENSIONS) }),
            3 => json!({ "opd": self.opd() }),
            4 => json!({ "programme": self.perhaps(Self::programme) }),
            5 => json!({ "unit": { "label": self.name() } }),
            6 => json!({ "published": self.dice.flip() }),
            _ => json!({ "baseline": self.baseline(frequency) }),
        };
        day.patch(&format!("/v1/kpis/{code}"), change).await
    }

    /// What has measurements stays; the newest has none.
    pub(super) async fn delete_kpi(&mut self, day: &Day) -> bool {
        let newest = self.kpis.len() - 1;
        let code = if self.dice.flip() { self.kpis[newest].0.clone() } else { self.dice.pick(&self.kpis).0 };
        let deleted = day.delete(&format!("/v1/kpis/{code}")).await;
        self.kpis.retain(|(kept, _)| !deleted || *kept != code);
        deleted
    }

    pub(super) async fn set_target(&mut self, day: &Day) -> bool {
        let body = json!({ "value": self.value(), "kind": self.dice.pick(&["commitment", "aspiration"]) });
        let path = self.target();
        day.put(&path, body).await
    }

    pub(super) async fn delete_target(&mut self, day: &Day) -> bool {
        let path = self.target();
        day.admin.get(&path).await.status() == 200 && day.delete(&path).await
    }

    pub(super) async fn measure(&mut self, day: &Day) -> bool {
        let (code, frequency) = self.dice.pick(all_but_newest(&self.kpis));
        let path = format!("/v1/kpis/{code}/measurements/{}", self.dice.pick(PERIODS[frequency].2));
        let body = json!({ "value": self.value(), "note": self.name() });
        self.hand_in(day, &path, body).await
    }

    pub(super) async fn make_action(&mut self, day: &Day) -> bool {
        if self.actions.len() >= ACTIONS {
            return false;
        }
        let body = json!({
            "programme": self.programme(), "opd": self.opd(), "title": self.name(), "year": self.dice.pick(&[2022, 2023]),
            "weight": self.dice.below(3) + 1, "due_on": self.perhaps(|year| year.day_near(day)), "targets": self.quarters(),
            "published": self.dice.below(3) > 0
        });
        self.actions.push(day.admin.create("/v1/actions", body).await.text_at("id"));
        true
    }

    pub(super) async fn change_action(&mut self, day: &Day) -> bool {
        let Some(path) = self.one_of("/v1/actions", &self.actions.clone()) else { return false };
        let change = match self.dice.below(7) {
            0 => json!({ "title": self.name() }),
            1 => json!({ "weight": self.dice.below(5) + 1 }),
            2 => json!({ "due_on": self.perhaps(|year| year.day_near(day)) }),
            3 => json!({ "targets": self.quarters() }),
            4 => json!({ "opd": self.opd() }),
            5 => json!({ "programme": self.programme() }),
            _ => json!({ "published": self.dice.flip() }),
        };
        day.patch(&path, change).await
    }

    /// What has reports stays; the newest has none.
    pub(super) async fn delete_action(&mut self, day: &Day) -> bool {
        let start = if self.dice.flip() { self.actions.len().saturating_sub(1) } else { 0 };
        let of = self.actions[start..].to_vec();
        let Some(path) = self.one_of("/v1/actions", &of) else { return false };
        let deleted = day.delete(&path).await;
        self.actions.retain(|id| !deleted || !path.ends_with(id.as_str()));
        deleted
    }

    pub(super) async fn report(&mut self, day: &Day) -> bool {
        let Some(path) = self.one_of("/v1/actions", all_but_newest(&self.actions.clone())) else { return false };
        let path = format!("{path}/reports/{}", self.dice.below(4) + 1);
        // It may fall from one quarter to the next.
        let body = json!({ "realisation": self.value(), "narrative": self.name(), "reason": "Dihitung ulang" });
        self.hand_in(day, &path, body).await
    }

    /// Writes a report and hands it in, or decides on one that was; a verified one is corrected.
    async fn hand_in(&mut self, day: &Day, path: &str, mut body: Value) -> bool {
        let found = day.admin.get(path).await;
        let state = if found.status() == 200 { found.text_at("state") } else { String::new() };
        if state == "submitted" && self.dice.flip() {
            day.verifier.post(format!("{path}/return"), json!({ "reason": "Bukti belum ada" })).await.is(200);
            return true;
        }
        if state != "submitted" {
            if state == "verified" {
                body["reason"] = json!("Salah ketik");
            }
            if !day.put(path, body).await {
                return false;
            }
            day.admin.post(format!("{path}/submit"), json!({})).await.is(200);
        }
        if self.dice.below(4) > 0 {
            day.verifier.post(format!("{path}/verify"), json!({})).await.is(200);
        }
        true
    }
}

/// All but the last, if there are several.
fn all_but_newest<T>(things: &[T]) -> &[T] {
    &things[..things.len().saturating_sub(1).max(things.len().min(1))]
}
