//! The states of a finding, and the moves between them that are allowed.

use std::{error::Error, fmt};

use chrono::NaiveDate;
use sea_orm::{DeriveActiveEnum, EnumIter, sea_query::StringLen};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of a finding.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Nobody has begun to work on the finding.
    Open,
    /// The finding is being resolved.
    InProgress,
    /// The finding is resolved.
    Done,
}

crate::labels! { FindingState {
    Open: "Open", "Terbuka";
    InProgress: "In progress", "Ditindaklanjuti";
    Done: "Done", "Selesai";
} }

impl FindingState {
    /// Its words, in their order.
    pub const WORDS: &'static [&'static str] = &["open", "in_progress", "done"];

    /// The word for the state in answers and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in_progress",
            Self::Done => "done",
        }
    }
}

impl fmt::Display for FindingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The states to which a finding may move from this one.
pub const fn allowed_next(from: FindingState) -> &'static [FindingState] {
    use FindingState::{Done, InProgress, Open};
    match from {
        Open => &[InProgress, Done],
        InProgress => &[Open, Done],
        Done => &[InProgress],
    }
}

/// Whether a finding may make this move. Staying in the same state is no move.
pub fn check(from: FindingState, to: FindingState) -> Result<(), IllegalMove> {
    let allowed = allowed_next(from);
    if allowed.contains(&to) { Ok(()) } else { Err(IllegalMove { from, to, allowed }) }
}

/// Whether the move needs a follow-up that gives a reason, because something that was done is taken up again.
pub const fn needs_follow_up(from: FindingState, to: FindingState) -> bool {
    matches!(from, FindingState::Done) && !matches!(to, FindingState::Done)
}

/// Whether a finding is overdue: its due day has passed and it is not done.
pub fn is_overdue(due_on: Option<NaiveDate>, state: FindingState, today: NaiveDate) -> bool {
    state != FindingState::Done && due_on.is_some_and(|due_on| due_on < today)
}

/// A move that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalMove {
    /// The state of the finding.
    pub from: FindingState,
    /// The state to which it was to move.
    pub to: FindingState,
    /// The states to which it may move.
    pub allowed: &'static [FindingState],
}

impl fmt::Display for IllegalMove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, allowed } = self;
        let instead = allowed.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(" or ");
        write!(f, "A finding that is {from} cannot become {to}; it can become {instead}.")
    }
}

impl Error for IllegalMove {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sea_orm::{ActiveEnum, Iterable};

    use super::FindingState::{Done, InProgress, Open};
    use super::*;

    #[test]
    fn a_finding_moves_freely_until_it_is_done() {
        let legal = [(Open, InProgress), (Open, Done), (InProgress, Open), (InProgress, Done), (Done, InProgress)];
        for from in FindingState::iter() {
            for to in FindingState::iter() {
                assert_eq!(check(from, to).is_ok(), legal.contains(&(from, to)), "{from} to {to}");
                assert_eq!(needs_follow_up(from, to), from == Done && to != Done, "{from} to {to}");
            }
        }
    }

    #[test]
    fn an_illegal_move_lists_the_legal_ones() {
        assert_eq!(
            check(Done, Open).unwrap_err().to_string(),
            "A finding that is done cannot become open; it can become in_progress."
        );
        assert_eq!(
            check(Open, Open).unwrap_err().to_string(),
            "A finding that is open cannot become open; it can become in_progress or done."
        );
    }

    #[test]
    fn a_finding_is_overdue_on_the_day_after() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let due_on = Some(day("2022-09-30"));
        for state in [Open, InProgress] {
            assert!(!is_overdue(due_on, state, day("2022-09-30")));
            assert!(is_overdue(due_on, state, day("2022-10-01")));
            assert!(!is_overdue(None, state, day("2022-10-01")));
        }
        assert!(!is_overdue(due_on, Done, day("2022-10-01")));
    }

    #[test]
    fn a_state_is_written_alike_everywhere() {
        for state in FindingState::iter() {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
            assert_eq!(state.to_value(), state.as_str());
        }
    }
}
