//! How far a report has come: the columns that every kind of report has.

use chrono::{DateTime, NaiveDate, Utc};
use entity::measurement::ReportState;

use crate::store::change::Change;

/// Where a revision stands, and who brought it there.
#[derive(Clone, Debug)]
pub struct Course {
    /// Counts corrections, from 1.
    pub revision: i32,
    /// Whether it is the last revision.
    pub latest: bool,
    /// Where it stands in the review.
    pub state: ReportState,
    /// From which day it counts; set when it is verified.
    pub known_on: Option<NaiveDate>,
    /// Why a verified one is corrected by it.
    pub reason: Option<String>,
    /// Who wrote it.
    pub reported_by: String,
    /// Who handed it in.
    pub submitted_by: Option<String>,
    /// When.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Why the reviewer sent it back.
    pub return_reason: Option<String>,
    /// Who sent it back.
    pub returned_by: Option<String>,
    /// Who verified it.
    pub verified_by: Option<String>,
    /// When.
    pub verified_at: Option<DateTime<Utc>>,
    /// Counts the writes, over all revisions.
    pub version: i32,
    /// When this revision was made.
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    pub updated_at: DateTime<Utc>,
}

/// Reads and moves the course of a row; and a row out of its own columns and a course.
macro_rules! along {
    () => {
        along!(@members revision, latest, state, known_on, reason, reported_by, submitted_by, submitted_at, return_reason,
            returned_by, verified_by, verified_at, version, created_at, updated_at);
    };
    (@members $($member:ident),*) => {
        fn state(&self) -> entity::measurement::ReportState {
            self.state
        }

        fn changed_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
            self.source_updated_at
        }

        fn course(&self) -> Course {
            Course { $($member: self.$member.clone()),* }
        }

        fn follow(&mut self, course: Course) {
            $(self.$member = course.$member;)*
        }
    };
}
pub(crate) use along;

impl Course {
    /// The course of what is written over `before`: a draft. What was returned stays so, with what the reviewer said, until
    /// it is handed in.
    pub fn drafted(change: &Change, before: Option<&Self>, reason: Option<String>) -> Self {
        let is_revision = before.is_some_and(Self::counts);
        let returned = before.filter(|before| before.state == ReportState::Returned);
        // A correction that is still being written keeps its reason.
        let reason = reason.or_else(|| before.filter(|_| !is_revision).and_then(|before| before.reason.clone()));
        Self {
            revision: before.map_or(1, |before| before.revision + i32::from(is_revision)),
            latest: true,
            state: returned.map_or(ReportState::Draft, |before| before.state),
            known_on: None,
            reason: reason.filter(|_| is_revision || before.is_some_and(|before| before.revision > 1)),
            reported_by: change.origin.actor.name.clone(),
            submitted_by: None,
            submitted_at: None,
            return_reason: returned.and_then(|before| before.return_reason.clone()),
            returned_by: returned.and_then(|before| before.returned_by.clone()),
            verified_by: None,
            verified_at: None,
            version: before.map_or(1, |before| before.version + 1),
            created_at: before.filter(|_| !is_revision).map_or(change.now, |before| before.created_at),
            updated_at: change.now,
        }
    }

    /// Whether it counts: a correction of it is a new revision.
    pub fn counts(&self) -> bool {
        self.state == ReportState::Verified
    }
}
