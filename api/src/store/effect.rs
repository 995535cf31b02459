//! Which answers an event may change: those of today, or those of past days as well.
//!
//! Figures of past days are kept for long, since what is past changes seldom. So this errs towards "the past may have changed":
//! whatever is not known to leave it alone is taken to change it.

use chrono::NaiveDate;
use serde_json::Value;

use super::kind::{Audited, Changes, Kind, Member};
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

/// Members that decide whether a resource is visible now, also in answers about past days; beside them those that refer to what
/// may be hidden.
const VISIBILITY: [&str; 3] = ["published", "status", "parent"];

/// An event, as far as its effect depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Who made the change. What the service itself loads may count from any day on.
    pub actor: ActorKind,
    /// What it is about.
    pub of: &'static Audited,
    /// Whether the action is a verification.
    pub is_verified: bool,
}

impl Seen {
    /// The effect where the resources themselves need not be looked at.
    pub fn effect(&self) -> Option<Effect> {
        if self.of.changes == Changes::Nothing {
            return Some(Effect::Nothing);
        }
        if self.actor == ActorKind::System {
            return Some(Effect::Past);
        }
        (self.of.changes == Changes::FromItsDay && !self.is_verified).then_some(Effect::Present)
    }

    /// The effect of an event on `today`, by the resource before and after it.
    pub fn effect_of(&self, before: Option<&Value>, after: Option<&Value>, today: NaiveDate) -> Effect {
        if let Some(effect) = self.effect() {
            return effect;
        }
        let leaves_past_alone = match (self.of.changes, before, after) {
            (Changes::FromItsDay, _, Some(after)) => {
                let known_on = after["known_on"].as_str().and_then(|day| day.parse::<NaiveDate>().ok());
                known_on.is_some_and(|day| day >= today)
            }
            (Changes::DayByDay, Some(before), Some(after)) => {
                let hides = |member: &&Member| member.target().is_some_and(Kind::can_be_hidden);
                let referring = (self.of.groups)().into_iter().flatten().filter(hides).map(|member| member.name);
                VISIBILITY.into_iter().chain(referring).all(|member| before.get(member) == after.get(member))
            }
            _ => false,
        };
        if leaves_past_alone { Effect::Present } else { Effect::Past }
    }
}
