//! Programmes, where they are, and OPDs.

use serde_json::json;

use super::{DIMENSIONS, Day, OPDS, PROGRAMMES, REGIONS, Year};

/// What a programme may become.
fn ways(status: &str) -> &'static [&'static str] {
    match status {
        "planned" => &["running", "running", "suspended", "cancelled"],
        "running" => &["completed", "suspended", "suspended"],
        "suspended" => &["running", "running", "cancelled"],
        _ => &[],
    }
}

impl Year {
    pub(super) async fn make_programme(&mut self, day: &Day) -> bool {
        if self.programmes.len() >= PROGRAMMES {
            return false;
        }
        let code = self.code("P");
        let body = json!({
            "code": code, "masterplan": "KLU-SC", "dimension": self.dice.pick(&DIMENSIONS), "name": self.name(), "lead_opd": self.opd(),
            "published": self.dice.flip()
        });
        day.admin.create("/v1/programmes", body).await;
        self.programmes.push((code, "planned"));
        true
    }

    pub(super) async fn change_programme(&mut self, day: &Day) -> bool {
        let change = match self.dice.below(6) {
            0 => json!({ "name": self.name() }),
            1 => json!({ "dimension": self.dice.pick(&DIMENSIONS) }),
            2 => json!({ "lead_opd": self.opd() }),
            3 => json!({ "supporting_opds": [self.opd()] }),
            4 => json!({ "budget": self.value() }),
            _ => json!({ "published": self.dice.flip() }),
        };
        let path = format!("/v1/programmes/{}", self.programme());
        day.patch(&path, change).await
    }

    pub(super) async fn move_programme(&mut self, day: &Day) -> bool {
        let at = self.dice.below(self.programmes.len());
        let (code, status) = self.programmes[at].clone();
        if ways(status).is_empty() {
            return false;
        }
        let to = self.dice.pick(ways(status));
        let path = format!("/v1/programmes/{code}/transitions");
        day.admin.create(&path, json!({ "to": to, "effective_on": day.on, "reason": "Uji" })).await;
        self.programmes[at].1 = to;
        true
    }

    pub(super) async fn delete_programme(&mut self, day: &Day) -> bool {
        let code = self.programme();
        let deleted = day.delete(&format!("/v1/programmes/{code}")).await;
        self.programmes.retain(|(kept, _)| !deleted || *kept != code);
        deleted
    }

    pub(super) async fn cover(&mut self, day: &Day) -> bool {
        let path = format!("/v1/programmes/{}/coverage", self.programme());
        let (region, status) = (self.dice.pick(&REGIONS), self.dice.pick(&["planned", "built"]));
        let body = json!({ "region": region, "status": status, "effective_on": day.on });
        day.admin.put(path, body).await.status() < 300
    }

    pub(super) async fn make_opd(&mut self, day: &Day) -> bool {
        if self.opds.len() >= OPDS {
            return false;
        }
        let code = self.code("O");
        day.admin.create("/v1/opds", json!({ "code": code, "name": self.name(), "parent": "KOMINFO" })).await;
        self.opds.push(code);
        true
    }

    pub(super) async fn change_opd(&mut self, day: &Day) -> bool {
        let (opd, part) = (self.opd(), self.dice.below(5));
        let path = format!("/v1/opds/{opd}");
        if part == 0 {
            let deleted = day.delete(&path).await;
            self.opds.retain(|kept| !deleted || *kept != opd);
            return deleted;
        }
        let change = match part {
            1 => json!({ "name": self.name() }),
            2 => json!({ "short_name": self.name() }),
            // No cycle: these two stay where they are.
            3 => json!({ "parent": self.dice.pick(&["BPBD", "DISHUB"]) }),
            _ => json!({ "active": self.dice.flip() }),
        };
        day.patch(&path, change).await
    }

    pub(super) async fn change_dimension(&mut self, day: &Day) -> bool {
        let change = match self.dice.below(3) {
            0 => json!({ "name": self.name() }),
            1 => json!({ "name_en": self.name() }),
            _ => json!({ "position": self.dice.below(9) + 1 }),
        };
        let path = format!("/v1/dimensions/{}", self.dice.pick(&DIMENSIONS));
        day.patch(&path, change).await
    }

    pub(super) async fn change_masterplan(&mut self, day: &Day) -> bool {
        let change = match self.dice.below(2) {
            0 => json!({ "title": self.name() }),
            _ => json!({ "status": self.dice.pick(&["active", "draft"]) }),
        };
        day.patch("/v1/masterplans/KLU-SC", change).await
    }
}
