//! What the audit log records of something: its actions, how events show it, and which answers its events change.

use serde_json::{Map, Value};

use super::Kind;
use super::member::Member;
use crate::http::language::Noun;
use crate::store::tables::Tables;

/// How much is counted of what was made after a past day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeforeFirst {
    /// Nothing: it was not there.
    Absent,
    /// As it was made: whether it existed follows from something else, such as its status history.
    AsMade,
}

/// What happens to every resource.
pub const USUAL: &[&str] = &["created", "updated", "deleted", "imported"];
/// What happens to every report.
pub const REPORTED: &[&str] = &["created", "updated", "submitted", "returned", "verified", "revised", "deleted", "imported"];

/// What the audit log tells of. There is one static value for each, beside what it is about.
#[derive(Clone, Copy, Debug)]
pub struct Audited {
    /// What the audit log calls it: `kpi_target`.
    pub name: &'static str,
    /// What people call it.
    pub noun: Noun,
    /// What can happen to it.
    pub actions: &'static [&'static str],
    /// What its events change of answers.
    pub changes: Changes,
    /// How its snapshots count for days before it was made; `None` where past days need no snapshots of it.
    pub snapshots: Option<BeforeFirst>,
    /// Its members, where it is a kind of resource.
    pub groups: fn() -> [&'static [Member]; 3],
    /// What the public feed tells of it, where it is a part of a resource.
    pub public_part: Option<PublicPart>,
    /// The columns of its key, where its first events may lie in batches. It has the table of its name, in which `first_event` names
    /// them.
    pub batched_by: Option<[&'static str; 2]>,
    /// The tables that its changes write, beside those of the links of its members and that of snapshots.
    pub writes: &'static [&'static str],
    /// Whether it is about accounts: only who manages those sees what happens to them.
    pub is_about_accounts: bool,
    /// How events show it.
    pub recorded: fn() -> Recorded,
}

/// How events show something before and after a change.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// The name of its schema in answers: `Programme`.
    pub name: String,
    /// Its members, with their schemas.
    pub members: Map<String, Value>,
    /// The members that the public sees, with their schemas; `None` where the public feed does not tell of it.
    pub public: Option<Map<String, Value>>,
    /// Schemas that those refer to.
    pub schemas: Map<String, Value>,
    /// One from the real case.
    pub example: Value,
}

/// What the public sees of a part of a resource, if it sees the resource. The key of the part begins with that of the resource.
#[derive(Clone, Copy, Debug)]
pub struct PublicPart {
    /// The kind of the resource.
    pub of: &'static Kind,
    /// The members that it sees.
    pub members: &'static [&'static str],
    /// The value that a member must have.
    pub only: Option<(&'static str, &'static str)>,
}

/// What events of something change of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// No list and no figure that is kept: it is about accounts, keys or what only few read.
    Nothing,
    /// Once it is verified, what counts from that day on, or from an earlier one that its source gives. Before that only its own lists.
    WhenVerified,
    /// The same, but that it was handed in counts already.
    FromItsDay,
    /// Of past days only what was kept day by day, and whether it is visible now.
    DayByDay,
    /// Anything.
    Everything,
}

impl Changes {
    /// Whether it must be verified to count fully.
    pub fn needs_verification(self) -> bool {
        matches!(self, Self::WhenVerified | Self::FromItsDay)
    }
}

impl Audited {
    /// Something that is created, updated, deleted and imported, and that may change any answer.
    pub const fn new(name: &'static str, noun: Noun) -> Self {
        Self {
            name,
            noun,
            actions: USUAL,
            changes: Changes::Everything,
            snapshots: None,
            groups: || [&[], &[], &[]],
            public_part: None,
            batched_by: None,
            writes: &[],
            is_about_accounts: false,
            recorded: Recorded::default,
        }
    }

    /// How events show it.
    pub const fn recorded(mut self, recorded: fn() -> Recorded) -> Self {
        self.recorded = recorded;
        self
    }

    /// It is about accounts, to which this can happen. No answer that is kept changes with it.
    pub const fn about_accounts(mut self, actions: &'static [&'static str]) -> Self {
        self.actions = actions;
        self.is_about_accounts = true;
        self.changes = Changes::Nothing;
        self
    }

    /// The tables that its changes write.
    pub const fn writes(mut self, tables: &'static [&'static str]) -> Self {
        self.writes = tables;
        self
    }

    /// All tables that its changes write, of those that are followed.
    pub fn tables(&self) -> Tables {
        let links = (self.groups)().into_iter().flatten().filter_map(|member| member.link).map(|link| link.table);
        let snapshots = self.snapshots.map(|_| "past");
        Tables::of([self.name].into_iter().chain(self.writes.iter().copied()).chain(links).chain(snapshots)).followed()
    }

    /// All that can happen to it.
    pub const fn actions(mut self, actions: &'static [&'static str]) -> Self {
        self.actions = actions;
        self
    }

    /// What its events change of answers.
    pub const fn changes(mut self, changes: Changes) -> Self {
        self.changes = changes;
        self
    }

    /// Figures of past days count it as it was at their end.
    pub const fn with_snapshots(mut self, before_first: BeforeFirst) -> Self {
        self.snapshots = Some(before_first);
        self
    }

    /// The public feed tells of it.
    pub const fn public_part(mut self, part: PublicPart) -> Self {
        self.public_part = Some(part);
        self
    }

    /// Its first events may lie in batches; its key is made of these columns.
    pub const fn in_batches(mut self, key: [&'static str; 2]) -> Self {
        self.batched_by = Some(key);
        self
    }

    /// Whether this can happen to it.
    pub fn can(&self, action: &str) -> bool {
        self.actions.contains(&action)
    }
}
