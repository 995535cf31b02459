//! The review state of a report: the columns that every kind of report has.

use chrono::{DateTime, NaiveDate, Utc};
use entity::measurement::ReportState;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::actor::Actor;
use crate::store::transaction::WriteTransaction;

/// The review state of a revision, and who brought it there.
#[derive(Clone, Debug)]
pub struct ReviewState {
    /// The number of the revision, from 1.
    pub revision: i32,
    /// Whether this is the last revision.
    pub latest: bool,
    /// The word for the review state.
    pub state: ReportState,
    /// The day from which the revision counts, which is set when it is verified.
    pub known_on: Option<NaiveDate>,
    /// Why the revision corrects a verified one.
    pub reason: Option<String>,
    /// Who wrote the revision.
    pub reported_by: String,
    /// The subjects of all who wrote a part of the revision; empty in rows from before they were noted.
    pub authors: Option<Value>,
    /// Who submitted the revision.
    pub submitted_by: Option<String>,
    /// The subject of the actor who submitted the revision.
    pub submitter: Option<String>,
    /// When the revision was submitted.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Why the reviewer returned the revision.
    pub return_reason: Option<String>,
    /// Who returned the revision.
    pub returned_by: Option<String>,
    /// Who verified the revision.
    pub verified_by: Option<String>,
    /// When the revision was verified.
    pub verified_at: Option<DateTime<Utc>>,
    /// The version of the report: it grows by one with every write, over all revisions.
    pub version: i32,
    /// When the revision was created.
    pub created_at: DateTime<Utc>,
    /// When the revision was last changed.
    pub updated_at: DateTime<Utc>,
    /// The event that created the report, where it lies in a batch.
    pub first_event: Option<Uuid>,
}

/// Reads and sets the review state of a row, and builds a row from its own columns and a review state.
macro_rules! along {
    () => {
        along!(@members revision, latest, state, known_on, reason, reported_by, authors, submitted_by, submitter, submitted_at, return_reason,
            returned_by, verified_by, verified_at, version, created_at, updated_at, first_event);
    };
    (@members $($member:ident),*) => {
        fn review_state(&self) -> ReviewState {
            ReviewState { $($member: self.$member.clone()),* }
        }

        fn set_review_state(&mut self, review_state: ReviewState) {
            $(self.$member = review_state.$member;)*
        }
    };
}
pub(crate) use along;

impl ReviewState {
    /// The review state of what is written over `before`: a draft. A returned report stays returned, with the reason of the
    /// reviewer, until it is submitted.
    pub fn drafted(transaction: &WriteTransaction, before: Option<&Self>, reason: Option<String>) -> Self {
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
            reported_by: transaction.origin.actor.name.clone(),
            authors: Some(authors(before.filter(|_| !is_revision), &transaction.origin.actor)),
            submitted_by: None,
            submitter: None,
            submitted_at: None,
            return_reason: returned.and_then(|before| before.return_reason.clone()),
            returned_by: returned.and_then(|before| before.returned_by.clone()),
            verified_by: None,
            verified_at: None,
            version: before.map_or(1, |before| before.version + 1),
            created_at: before.filter(|_| !is_revision).map_or(transaction.now, |before| before.created_at),
            updated_at: transaction.now,
            first_event: before.and_then(|before| before.first_event),
        }
    }

    /// Whether `actor` wrote a part of the revision or submitted it. Actors are compared by subject, and by name only in rows
    /// from before subjects were noted.
    pub fn is_work_of(&self, actor: &Actor) -> bool {
        let (subject, name) = (actor.subject(), named(&actor.name));
        let wrote = match self.authors.as_ref().and_then(Value::as_array) {
            Some(authors) => authors.iter().any(|author| *author == subject || *author == name),
            None => self.reported_by == actor.name,
        };
        let submitted = match &self.submitter {
            Some(submitter) => *submitter == subject,
            None => self.submitted_by.as_ref() == Some(&actor.name),
        };
        wrote || submitted
    }

    /// Whether the revision counts, so that a correction of it is a new revision.
    pub fn counts(&self) -> bool {
        self.state == ReportState::Verified
    }
}

/// The subjects of those who wrote what `actor` continues, and of `actor`.
fn authors(before: Option<&ReviewState>, actor: &Actor) -> Value {
    let earlier = before.and_then(|before| match &before.authors {
        Some(authors) => authors.as_array().cloned(),
        None => Some(vec![named(&before.reported_by)]),
    });
    let mut all = earlier.unwrap_or_default();
    let subject = json!(actor.subject());
    if !all.contains(&subject) {
        all.push(subject);
    }
    Value::Array(all)
}

/// An author of whom only the name is known. No subject begins like this.
fn named(name: &str) -> Value {
    json!(format!("name:{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn by(reported_by: &str, submitted_by: Option<&str>) -> ReviewState {
        ReviewState {
            revision: 1,
            latest: true,
            state: ReportState::Submitted,
            known_on: None,
            reason: None,
            reported_by: reported_by.to_owned(),
            authors: None,
            submitted_by: submitted_by.map(str::to_owned),
            submitter: None,
            submitted_at: None,
            return_reason: None,
            returned_by: None,
            verified_by: None,
            verified_at: None,
            version: 1,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            first_event: None,
        }
    }

    fn person(id: &str, name: &str) -> Actor {
        Actor { kind: crate::auth::actor::ActorKind::User, id: id.to_owned(), name: name.to_owned(), ..Actor::system("") }
    }

    #[test]
    fn a_subject_decides_and_not_a_name() {
        let (ani, other) = (person("1", "ani"), person("2", "ani"));
        let review_state =
            ReviewState { authors: Some(json!(["user:1"])), submitter: Some("user:3".into()), ..by("ani", Some("ani")) };
        assert!(review_state.is_work_of(&ani) && !review_state.is_work_of(&other));
        assert!(review_state.is_work_of(&person("3", "budi")));
        assert!(!review_state.is_work_of(&Actor { kind: crate::auth::actor::ActorKind::Client, ..ani }));
    }

    #[test]
    fn rows_from_before_are_compared_by_name() {
        let review_state = by("ani", Some("budi"));
        assert!(review_state.is_work_of(&person("1", "ani")) && review_state.is_work_of(&person("2", "budi")));
        assert!(!review_state.is_work_of(&person("3", "cici")));
        // Continuing such a row does not remove its author.
        let review_state = ReviewState { authors: Some(authors(Some(&review_state), &person("3", "cici"))), ..by("cici", None) };
        assert!(review_state.is_work_of(&person("1", "ani")) && review_state.is_work_of(&person("3", "x")));
    }
}
