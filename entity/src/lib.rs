//! The domain of Renaksi: its tables, its values and the pure rules over them.
//!
//! This crate does not know HTTP. The file of a table holds its row and the enums that belong to it; `rules` holds every computed
//! figure as a pure function.

pub mod labels;
pub mod rules;
pub mod value;

pub mod action;
pub mod action_report;
pub mod award;
pub mod commitment;
pub mod commitment_signatory;
pub mod council_member;
pub mod coverage;
pub mod dimension;
pub mod evaluation;
pub mod evaluation_dimension;
pub mod evaluation_record;
pub mod finding;
pub mod kpi;
pub mod kpi_target;
pub mod masterplan;
pub mod measurement;
pub mod opd;
pub mod programme;
pub mod programme_region;
pub mod programme_supporting_opd;
pub mod quick_win;
pub mod region;
pub mod status_change;
pub mod survey;
pub mod waiting_report;

pub mod client;
pub mod event;
pub mod event_seal;
pub mod feed_head;
pub mod idempotency_record;
pub mod invitation;
pub mod known_address;
pub mod login_failure;
pub mod recovery_code;
pub mod refresh_token;
pub mod server_secret;
pub mod signing_key;
pub mod snapshot;
pub mod totp;
pub mod user;
pub mod webhook;
pub mod webhook_cursor;
pub mod webhook_delivery;

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;
    use serde_json::{Value, json};

    use crate::award::RecipientKind;
    use crate::council_member::CouncilRole;
    use crate::kpi::UnitKind;
    use crate::masterplan::MasterplanStatus;
    use crate::region::RegionLevel;
    use crate::rules::finding::FindingState;
    use crate::rules::kpi::Direction;
    use crate::rules::programme_status::ProgrammeStatus;
    use crate::rules::renaksi::ActionState;
    use crate::value::period::Frequency;

    fn written<T: Iterable + serde::Serialize>() -> Vec<Value> {
        T::iter().map(|value| json!(value)).collect()
    }

    #[test]
    fn words_are_those_that_are_written() {
        assert_eq!(written::<CouncilRole>(), CouncilRole::WORDS);
        assert_eq!(written::<Direction>(), Direction::WORDS);
        assert_eq!(written::<UnitKind>(), UnitKind::WORDS);
        assert_eq!(written::<MasterplanStatus>(), MasterplanStatus::WORDS);
        assert_eq!(written::<RegionLevel>(), RegionLevel::WORDS);
        assert_eq!(written::<RecipientKind>(), RecipientKind::WORDS);
        assert_eq!(written::<FindingState>(), FindingState::WORDS);
        assert_eq!(written::<ProgrammeStatus>(), ProgrammeStatus::WORDS);
        assert_eq!(written::<ActionState>(), ActionState::WORDS);
        assert_eq!(written::<Frequency>(), Frequency::WORDS);
    }
}
