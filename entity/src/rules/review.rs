//! The review of reports: `draft → submitted → verified`, or `submitted → returned → submitted`.
//!
//! The functions are pure. Who may take a step is decided elsewhere, except that nobody verifies what they submitted.

use crate::measurement::ReportState::{self, Draft, Returned, Submitted, Verified};

/// A step of the review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The OPD submits its report.
    Submit,
    /// The reviewer verifies the report: from now on it counts.
    Verify,
    /// The reviewer returns the report with a reason.
    Return,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 3] = [Self::Submit, Self::Verify, Self::Return];

    /// The word for the step in paths and bodies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Verify => "verify",
            Self::Return => "return",
        }
    }

    /// The word for the completed step in the audit log.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Submit => "submitted",
            Self::Verify => "verified",
            Self::Return => "returned",
        }
    }

    /// The state that the step leads to from `state`; `None` if it cannot be taken.
    pub const fn from(self, state: ReportState) -> Option<ReportState> {
        match (self, state) {
            (Self::Submit, Draft | Returned) => Some(Submitted),
            (Self::Verify, Submitted) => Some(Verified),
            (Self::Return, Submitted) => Some(Returned),
            _ => None,
        }
    }
}

/// The names of the steps that can be taken from `state`.
pub fn allowed(state: ReportState) -> Vec<&'static str> {
    Step::ALL.into_iter().filter(|step| step.from(state).is_some()).map(Step::name).collect()
}

/// What a report of a machine does to what is stored for the same period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Nothing is stored, so it creates a report.
    New,
    /// The same is stored already.
    Unchanged,
    /// What is stored is newer by the clock of the source system.
    Stale,
    /// The same is stored as a draft, which is submitted.
    Submission,
    /// It replaces a report that does not count yet.
    Replacement,
    /// It corrects a report that counts: a new revision, which needs a reason.
    Revision,
}

/// What is stored for a period, as far as an arriving report needs it.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// The review state of the last revision.
    pub state: ReportState,
    /// Whether the last revision says the same.
    pub is_same: bool,
    /// Whether the revision in force says the same, while a correction of it is not verified yet.
    pub is_in_force: bool,
    /// Whether the source system changed the stored report later than the arriving one.
    pub is_newer: bool,
}

/// Decides what becomes of an arriving report. What is in force or waits for review is not written again. A repeat of a returned
/// report stays returned: a machine that sends the same state each night does not submit it again; a person does, or a changed
/// value.
pub const fn arrival(stored: Option<Stored>, submits: bool) -> Arrival {
    match stored {
        None => Arrival::New,
        Some(Stored { is_newer: true, .. }) => Arrival::Stale,
        Some(Stored { state: Draft, is_same: true, .. }) if submits => Arrival::Submission,
        Some(Stored { is_same: true, .. } | Stored { is_in_force: true, .. }) => Arrival::Unchanged,
        Some(Stored { state: Verified, .. }) => Arrival::Revision,
        Some(_) => Arrival::Replacement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [ReportState; 4] = [Draft, Submitted, Verified, Returned];

    #[test]
    fn the_steps_of_the_contract_are_legal_and_no_others() {
        let legal = [
            (Step::Submit, Draft, Submitted),
            (Step::Submit, Returned, Submitted),
            (Step::Verify, Submitted, Verified),
            (Step::Return, Submitted, Returned),
        ];
        for step in Step::ALL {
            for state in STATES {
                let expected = legal.iter().find(|(of, from, _)| *of == step && *from == state).map(|(_, _, to)| *to);
                assert_eq!(step.from(state), expected, "{step:?} from {state:?}");
            }
        }
        assert_eq!(allowed(Submitted), ["verify", "return"]);
        assert!(allowed(Verified).is_empty());
    }

    const OTHER: Stored = Stored { state: Draft, is_same: false, is_in_force: false, is_newer: false };

    #[test]
    fn a_repeat_changes_nothing() {
        for state in STATES {
            let stored = Some(Stored { state, is_same: true, ..OTHER });
            let expected = if state == Draft { Arrival::Submission } else { Arrival::Unchanged };
            assert_eq!(arrival(stored, true), expected, "{state:?}");
            assert_eq!(arrival(stored, false), Arrival::Unchanged, "{state:?}");
        }
    }

    #[test]
    fn what_is_in_force_does_not_take_the_place_of_its_correction() {
        for state in [Draft, Submitted, Returned] {
            assert_eq!(arrival(Some(Stored { state, is_in_force: true, ..OTHER }), true), Arrival::Unchanged, "{state:?}");
        }
    }

    #[test]
    fn what_is_older_than_stored_changes_nothing() {
        for state in STATES {
            assert_eq!(arrival(Some(Stored { state, is_newer: true, ..OTHER }), true), Arrival::Stale);
        }
    }

    #[test]
    fn only_what_counts_is_revised() {
        for state in STATES {
            let expected = if state == Verified { Arrival::Revision } else { Arrival::Replacement };
            assert_eq!(arrival(Some(Stored { state, ..OTHER }), true), expected);
        }
        assert_eq!(arrival(None, true), Arrival::New);
    }
}
