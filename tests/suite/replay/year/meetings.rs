//! Meetings, what they find, and the commitment.

use serde_json::json;

use super::{COMMITMENTS, Day, EVALUATIONS, FINDINGS, Year};

impl Year {
    pub(super) async fn make_evaluation(&mut self, day: &Day) -> bool {
        if self.evaluations.len() >= EVALUATIONS {
            return false;
        }
        let code = self.code("E");
        let body = json!({ "code": code, "masterplan": "KLU-SC", "held_on": day.on, "reported_counts": [], "published": self.dice.flip() });
        day.admin.create("/v1/evaluations", body).await;
        self.evaluations.push(code);
        true
    }

    pub(super) async fn change_evaluation(&mut self, day: &Day) -> bool {
        let Some(path) = self.one_of("/v1/evaluations", &self.evaluations.clone()) else { return false };
        let change = if self.dice.flip() { json!({ "venue": self.name() }) } else { json!({ "published": self.dice.flip() }) };
        day.patch(&path, change).await
    }

    pub(super) async fn make_finding(&mut self, day: &Day) -> bool {
        let Some(path) = self.one_of("/v1/evaluations", &self.evaluations.clone()) else { return false };
        if self.findings.len() >= FINDINGS {
            return false;
        }
        let body = json!({
            "programme": self.perhaps(Self::programme), "opd": self.perhaps(Self::opd), "text": self.name(),
            "due_on": self.perhaps(|year| year.day_near(day))
        });
        let id = day.admin.create(&format!("{path}/findings"), body).await.text_at("id");
        self.findings.push((format!("{path}/findings/{id}"), "open"));
        true
    }

    pub(super) async fn change_finding(&mut self, day: &Day) -> bool {
        if self.findings.is_empty() {
            return false;
        }
        let (path, _) = self.dice.pick(&self.findings);
        let change = match self.dice.below(5) {
            0 => json!({ "programme": self.perhaps(Self::programme) }),
            1 => json!({ "opd": self.perhaps(Self::opd) }),
            2 => json!({ "due_on": self.perhaps(|year| year.day_near(day)) }),
            3 => json!({ "text": self.name() }),
            _ => {
                let deleted = day.delete(&path).await;
                self.findings.retain(|(kept, _)| !deleted || *kept != path);
                return deleted;
            }
        };
        day.patch(&path, change).await
    }

    pub(super) async fn follow_up(&mut self, day: &Day) -> bool {
        if self.findings.is_empty() {
            return false;
        }
        let at = self.dice.below(self.findings.len());
        let (path, state) = self.findings[at].clone();
        let next = match state {
            "open" => self.dice.pick(&["open", "in_progress", "done"]),
            "in_progress" => self.dice.pick(&["in_progress", "done"]),
            _ => self.dice.pick(&["done", "in_progress"]),
        };
        let body = if next == state { json!({ "text": self.name() }) } else { json!({ "text": self.name(), "state": next }) };
        day.admin.post(format!("{path}/follow-ups"), body).await.is(201);
        self.findings[at].1 = next;
        true
    }

    pub(super) async fn make_commitment(&mut self, day: &Day) -> bool {
        if self.commitments.len() >= COMMITMENTS {
            return false;
        }
        let body =
            json!({ "title": self.name(), "signed_on": self.perhaps(|year| year.day_near(day)), "signatories": [self.opd()] });
        self.commitments.push(day.admin.create("/v1/commitments", body).await.text_at("id"));
        true
    }

    pub(super) async fn change_commitment(&mut self, day: &Day) -> bool {
        let Some(path) = self.one_of("/v1/commitments", &self.commitments.clone()) else { return false };
        let change = match self.dice.below(2) {
            0 => json!({ "signed_on": self.perhaps(|year| year.day_near(day)) }),
            _ => json!({ "signatories": self.opds.clone() }),
        };
        day.patch(&path, change).await
    }

    pub(super) async fn delete_commitment(&mut self, day: &Day) -> bool {
        let Some(path) = self.one_of("/v1/commitments", &self.commitments.clone()) else { return false };
        let deleted = day.delete(&path).await;
        self.commitments.retain(|id| !deleted || !path.ends_with(id.as_str()));
        deleted
    }
}
