//! The status of a programme, and the moves between statuses that are allowed.

use std::{error::Error, fmt};

use sea_orm::{DeriveActiveEnum, EnumIter, sea_query::StringLen};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The status of a programme.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ProgrammeStatus {
    /// The programme is in the masterplan but has not started.
    Planned,
    /// The programme is being carried out.
    Running,
    /// The programme is halted, and may be resumed.
    Suspended,
    /// The programme was carried out; this status is final.
    Completed,
    /// The programme was given up; this status is final.
    Cancelled,
}

crate::labels! { ProgrammeStatus {
    Planned: "Planned", "Direncanakan";
    Running: "Running", "Berjalan";
    Suspended: "Suspended", "Ditunda";
    Completed: "Completed", "Selesai";
    Cancelled: "Cancelled", "Dibatalkan";
} }

impl ProgrammeStatus {
    /// Its words, in their order.
    pub const WORDS: &'static [&'static str] = &["planned", "running", "suspended", "completed", "cancelled"];

    /// The word for the status in answers and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for ProgrammeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The statuses to which a programme may move from this one; none from a final status.
pub const fn allowed_next(from: ProgrammeStatus) -> &'static [ProgrammeStatus] {
    use ProgrammeStatus::{Cancelled, Completed, Planned, Running, Suspended};
    match from {
        Planned => &[Running, Suspended, Cancelled],
        Running => &[Completed, Suspended, Cancelled],
        Suspended => &[Running, Cancelled],
        Completed | Cancelled => &[],
    }
}

/// Whether a programme may make this move.
pub fn check(from: ProgrammeStatus, to: ProgrammeStatus) -> Result<(), IllegalMove> {
    let allowed = allowed_next(from);
    if allowed.contains(&to) { Ok(()) } else { Err(IllegalMove { from, to, allowed }) }
}

/// A move that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalMove {
    /// The status of the programme.
    pub from: ProgrammeStatus,
    /// The status to which it was to move.
    pub to: ProgrammeStatus,
    /// The statuses to which it may move.
    pub allowed: &'static [ProgrammeStatus],
}

impl fmt::Display for IllegalMove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, allowed } = self;
        write!(f, "A programme that is {from} cannot become {to}; ")?;
        match allowed {
            [] => write!(f, "{from} is final."),
            [first, rest @ ..] => {
                write!(f, "it can become {first}")?;
                for (position, status) in rest.iter().enumerate() {
                    let joint = if position + 1 == rest.len() { " or" } else { "," };
                    write!(f, "{joint} {status}")?;
                }
                f.write_str(".")
            }
        }
    }
}

impl Error for IllegalMove {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sea_orm::{ActiveEnum, Iterable};

    use super::ProgrammeStatus::{Cancelled, Completed, Planned, Running, Suspended};
    use super::*;

    #[test]
    fn the_moves_of_the_contract_are_legal_and_no_others() {
        let legal = [
            (Planned, Running),
            (Planned, Suspended),
            (Planned, Cancelled),
            (Running, Completed),
            (Running, Suspended),
            (Running, Cancelled),
            (Suspended, Running),
            (Suspended, Cancelled),
        ];
        for from in ProgrammeStatus::iter() {
            for to in ProgrammeStatus::iter() {
                assert_eq!(check(from, to).is_ok(), legal.contains(&(from, to)), "{from} to {to}");
            }
        }
    }

    #[test]
    fn an_illegal_move_lists_the_legal_ones() {
        assert_eq!(
            check(Planned, Completed).unwrap_err().to_string(),
            "A programme that is planned cannot become completed; it can become running, suspended or cancelled."
        );
        assert_eq!(
            check(Suspended, Completed).unwrap_err().to_string(),
            "A programme that is suspended cannot become completed; it can become running or cancelled."
        );
        assert_eq!(
            check(Completed, Running).unwrap_err().to_string(),
            "A programme that is completed cannot become running; completed is final."
        );
    }

    #[test]
    fn a_status_is_written_alike_everywhere() {
        for status in ProgrammeStatus::iter() {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(status.to_value(), status.as_str());
        }
    }
}
