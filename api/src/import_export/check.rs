//! What is wrong with an import, and what only follows from that.
//!
//! A row that is faulty is not written, so whatever refers to it would be found faulty as well. Such a consequence is not reported:
//! of a file with a wrong header somebody wants to know the header, and not the hundred rows that name what stands below it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::{FileList, Incoming};
use crate::http::problem::FieldError;
use crate::store::kind::Kind;

/// The most field errors that are listed: there the import ends.
const MOST_FIELD_ERRORS: usize = 200;
/// The most keys of faulty rows of a list that are kept; of more, no reference into that list is a field error any more.
const MOST_SPOILED: usize = 10_000;

/// What is known of an import while it is checked.
#[derive(Default)]
pub(super) struct Checking {
    field_errors: Vec<String>,
    /// What rows follow from is faulty, in each list.
    spoiled: HashMap<&'static str, Spoiled>,
    /// The lists that hold what is referred to.
    lists: BTreeMap<&'static Kind, &'static str>,
}

enum Spoiled {
    Some(HashSet<String>),
    All,
}

impl Checking {
    /// Begins with a list.
    pub(super) fn enter<K: FileList>(&mut self, list: &'static str) {
        if let Some(target) = K::TARGET {
            self.lists.insert(target, list);
        }
    }

    /// Notes what is wrong with a list as a whole: nothing is known of its rows.
    pub(super) fn refuse_list(&mut self, list: &'static str, field_error: &str) {
        self.field_errors.push(format!("{list}: {field_error}"));
        self.spoiled.insert(list, Spoiled::All);
    }

    /// Notes that a row is none.
    pub(super) fn refuse_unread(&mut self, list: &'static str, index: usize, field_error: &str) {
        self.field_errors.push(format!("{list}[{index}]: {field_error}"));
        // Which one it would have been nobody knows.
        self.spoiled.insert(list, Spoiled::All);
    }

    /// Notes what is wrong with a value that makes no row.
    pub(super) fn refuse_value<K: FileList>(
        &mut self,
        list: &'static str,
        index: usize,
        value: &Value,
        field_errors: &[FieldError],
    ) {
        self.field_errors.extend(field_errors.iter().map(|field_error| format!("{list}[{index}]{}", field_error.sentence())));
        self.spoil(list, subject::<K>(value));
    }

    /// Notes what is wrong with a row.
    pub(super) fn refuse<K: FileList>(&mut self, list: &'static str, row: &mut Incoming<K>, field_error: &FieldError) {
        self.field_errors.push(format!("{list}[{}]{}", row.index, field_error.sentence()));
        self.drop_row(list, row);
    }

    /// Notes what is wrong at a member of a row.
    pub(super) fn refuse_at<K: FileList>(
        &mut self,
        list: &'static str,
        row: &mut Incoming<K>,
        pointer: &str,
        en: impl AsRef<str>,
    ) {
        self.field_errors.push(format!("{list}[{}]{pointer}: {}", row.index, en.as_ref()));
        self.drop_row(list, row);
    }

    /// Leaves out a row whose field error is that of another.
    pub(super) fn drop_row<K: FileList>(&mut self, list: &'static str, row: &mut Incoming<K>) {
        row.is_sound = false;
        self.spoil(list, row.subject.clone());
    }

    fn spoil(&mut self, list: &'static str, subject: Option<String>) {
        let spoiled = self.spoiled.entry(list).or_insert_with(|| Spoiled::Some(HashSet::new()));
        match (spoiled, subject) {
            (Spoiled::Some(subjects), Some(subject)) if subjects.len() < MOST_SPOILED => {
                subjects.insert(subject);
            }
            (spoiled, _) => *spoiled = Spoiled::All,
        }
    }

    /// Whether a row of a list follows from a faulty one.
    pub(super) fn is_spoiled(&self, list: &str, subject: Option<&str>) -> bool {
        match (self.spoiled.get(list), subject) {
            (None, _) => false,
            (Some(Spoiled::All), _) | (Some(_), None) => true,
            (Some(Spoiled::Some(subjects)), Some(subject)) => subjects.contains(subject),
        }
    }

    /// Whether a reference to nothing is one to a faulty row.
    pub(super) fn is_spoiled_target(&self, target: &'static Kind, key: &str) -> bool {
        self.lists.get(target).is_some_and(|list| self.is_spoiled(list, Some(key)))
    }

    /// Whether so much is wrong that nobody would read more.
    pub(super) fn is_full(&self) -> bool {
        self.field_errors.len() >= MOST_FIELD_ERRORS
    }

    /// Every field error, if there is one.
    pub(super) fn result(mut self) -> Result<(), String> {
        if self.field_errors.is_empty() {
            return Ok(());
        }
        if self.is_full() {
            self.field_errors.truncate(MOST_FIELD_ERRORS);
            self.field_errors.push(format!("these are the first {MOST_FIELD_ERRORS}; what follows was not looked at"));
        }
        Err(self.field_errors.join("\n"))
    }
}

/// What other rows refer to or follow on, of a value: its members [`FileList::SUBJECT`], with slashes between them.
pub(super) fn subject<K: FileList>(value: &Value) -> Option<String> {
    let text = |name: &&str| match &value[*name] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    K::SUBJECT.iter().map(text).collect::<Option<Vec<_>>>().map(|parts| parts.join("/"))
}
