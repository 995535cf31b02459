//! Which answers an event may change: those of today, or those of past days as well.
//!
//! Figures of past days are kept for long, since what is past changes seldom. So this errs towards "the past may have changed":
//! whatever is not known to leave it alone is taken to change it.

use chrono::NaiveDate;
use serde_json::Value;

use crate::auth::actor::ActorKind;

/// What an event may change of what is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// No list and no figure: it is about accounts or keys.
    Nothing,
    /// What is answered about today.
    Present,
    /// What is answered about past days as well.
    Past,
}

/// What is in no list and no figure that is kept.
const UNSEEN: [&str; 5] = ["user", "client", "webhook", "signing_key", "council_member"];
/// Reports: they count from the day on which they were verified, or from an earlier one that their source gives.
const REPORTS: [&str; 2] = ["measurement", "action_report"];
/// Kinds of which figures of past days read nothing, or only what was kept day by day and whether they are visible now.
const KEPT_BY_DAY: [&str; 12] = [
    "masterplan",
    "dimension",
    "opd",
    "programme",
    "kpi",
    "kpi_target",
    "action",
    "finding",
    "region",
    "quick_win",
    "award",
    "survey",
];
/// Members that decide whether a thing is visible now, also in answers about past days.
const VISIBILITY: [&str; 6] = ["published", "status", "masterplan", "programme", "evaluation", "parent"];

/// An event, as far as its effect depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Who made the change. What the service itself loads may count from any day on.
    pub actor: ActorKind,
    /// Kind of thing.
    pub resource: &'a str,
    /// What happened to it.
    pub action: &'a str,
}

impl Seen<'_> {
    /// The effect where the things themselves need not be looked at.
    pub fn effect(&self) -> Option<Effect> {
        if UNSEEN.contains(&self.resource) {
            return Some(Effect::Nothing);
        }
        if self.actor == ActorKind::System {
            return Some(Effect::Past);
        }
        (REPORTS.contains(&self.resource) && self.action != "verified").then_some(Effect::Present)
    }

    /// The effect of an event on `today`, by the thing before and after it.
    pub fn effect_of(&self, before: Option<&Value>, after: Option<&Value>, today: NaiveDate) -> Effect {
        if let Some(effect) = self.effect() {
            return effect;
        }
        let leaves_past_alone = match (before, after) {
            (_, Some(after)) if REPORTS.contains(&self.resource) => {
                let known_on = after["known_on"].as_str().and_then(|day| day.parse::<NaiveDate>().ok());
                known_on.is_some_and(|day| day >= today)
            }
            (Some(before), Some(after)) if KEPT_BY_DAY.contains(&self.resource) => {
                VISIBILITY.iter().all(|member| before.get(member) == after.get(member))
            }
            _ => false,
        };
        if leaves_past_alone { Effect::Present } else { Effect::Past }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn effect(resource: &str, action: &str, before: Option<Value>, after: Option<Value>) -> Effect {
        let seen = Seen { actor: ActorKind::User, resource, action };
        seen.effect_of(before.as_ref(), after.as_ref(), "2022-10-04".parse().unwrap())
    }

    #[test]
    fn a_draft_leaves_the_past_alone_and_so_does_a_value_that_counts_from_today() {
        assert_eq!(effect("measurement", "created", None, Some(json!({ "state": "draft" }))), Effect::Present);
        assert_eq!(effect("measurement", "verified", None, Some(json!({ "known_on": "2022-10-04" }))), Effect::Present);
        assert_eq!(effect("measurement", "verified", None, Some(json!({ "known_on": "2022-01-10" }))), Effect::Past);
    }

    #[test]
    fn what_changes_who_is_visible_changes_answers_about_the_past() {
        let thing = |published: bool, name: &str| Some(json!({ "published": published, "name": name }));
        assert_eq!(effect("programme", "updated", thing(true, "A"), thing(true, "B")), Effect::Present);
        assert_eq!(effect("programme", "updated", thing(true, "A"), thing(false, "A")), Effect::Past);
        assert_eq!(effect("programme", "created", None, thing(true, "A")), Effect::Past);
        assert_eq!(effect("programme", "deleted", thing(true, "A"), None), Effect::Past);
    }

    #[test]
    fn what_is_not_known_is_taken_to_change_the_past() {
        assert_eq!(effect("something_new", "updated", Some(json!({})), Some(json!({}))), Effect::Past);
        assert_eq!(effect("user", "updated", Some(json!({})), Some(json!({}))), Effect::Nothing);
    }
}
