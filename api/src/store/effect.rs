//! Which answers an event may change: only lists of reports, those of today, or those of past days as well.
//!
//! Figures of past days are kept for long, since what is past changes seldom. So this errs towards "the past may have changed":
//! whatever is not known to leave it alone is taken to change it.

use chrono::NaiveDate;
use serde_json::Value;

use super::dependencies::Counted;
use super::kind::{Audited, Changes, Kind, Member};
use super::tables::Tables;
use crate::auth::actor::ActorKind;

/// What an event may change of what is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// No list and no figure: it is about accounts or keys.
    Nothing,
    /// Lists of reports that count nowhere yet.
    Reported,
    /// What is answered about today.
    Present,
    /// What is answered about past days as well.
    Past,
}

/// The tables that a change writes, by what it may change of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touched([Tables; 3]);

impl Touched {
    /// Anything.
    pub const EVERYTHING: Self = Self([Tables::ALL; 3]);

    /// Adds what an event about something changes.
    pub fn add(&mut self, of: &Audited, effect: Effect) {
        let changed = match effect {
            Effect::Nothing => 0,
            Effect::Reported => 1,
            Effect::Present => 2,
            Effect::Past => 3,
        };
        for tables in &mut self.0[..changed] {
            *tables |= of.tables();
        }
    }

    /// Adds what other events change.
    pub fn add_all(&mut self, others: Self) {
        for (tables, other) in self.0.iter_mut().zip(others.0) {
            *tables |= other;
        }
    }

    /// The tables of which what is counted so is written.
    pub fn of(&self, counted: Counted) -> Tables {
        self.0[counted as usize]
    }
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
        match self.of.changes {
            Changes::WhenVerified if !self.is_verified => Some(Effect::Reported),
            Changes::FromItsDay if !self.is_verified => Some(Effect::Present),
            _ => None,
        }
    }

    /// The effect of an event on `today`, by the resource before and after it.
    pub fn effect_of(&self, before: Option<&Value>, after: Option<&Value>, today: NaiveDate) -> Effect {
        if let Some(effect) = self.effect() {
            return effect;
        }
        let leaves_past_alone = match (self.of.changes, before, after) {
            (Changes::WhenVerified | Changes::FromItsDay, _, Some(after)) => {
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
