//! What a kind of resource is, as data. Generic code reads this and names no kind: lists, answers, the public view, references,
//! refusal to delete, push, import, export, CSV, figures of past days, the audit log's event types and the document.

mod audited;
mod field;
mod member;
mod reference;
mod row;
mod value_type;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use sea_orm::sea_query::{LikeExpr, SimpleExpr};
use serde_json::Value;

pub use audited::{Audited, BeforeFirst, Changes, PublicPart, REPORTED, Recorded, USUAL};
pub use field::Field;
pub use member::{Member, PartColumn};
pub use reference::{Link, Refers, Stored, Within};
pub use row::{Render, Row, Rows, Scope, Sink, Stamp, Whole};
pub use value_type::ValueType;

use crate::http::language::Noun;

/// A kind of resource. There is one static value for each, beside its struct; two are equal if they have the same name.
pub struct Kind {
    /// What it is called.
    pub names: Names,
    /// What identifies one.
    pub key: Key,
    /// What it is a part of, where its path stands below another.
    pub parent: Option<Parent>,
    /// Its members, see [`Kind::members`].
    pub groups: fn() -> [&'static [Member]; 3],
    /// What lists can be filtered by, beside members.
    pub filters: &'static [Field],
    /// The order of a list where the client does not say.
    pub default_sort: &'static str,
    /// When the public sees one; `None` where it never does.
    pub publication: Option<Publication>,
    /// What the audit log tells of one.
    pub audited: Audited,
    /// Reads its rows.
    pub rows: &'static dyn Rows,
    /// Reads all of them, where lists can be asked for past days or sorted by what is computed.
    pub whole: Option<&'static dyn Whole>,
    /// Whether there is a list of the parts of all wholes as well.
    pub is_listed_across: bool,
}

/// What a kind is called.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// One, in the audit log and as the table: `quick_win`.
    pub one: &'static str,
    /// Several, in the URL and as the tag: `quick-wins`.
    pub many: &'static str,
    /// One, in prose: `Quick Win`.
    pub spoken: &'static str,
    /// Several, in prose: `Quick Wins`.
    pub plural: &'static str,
    /// One, in Indonesian prose: `Quick Win`.
    pub indonesian: &'static str,
    /// The name of its schema: `QuickWin`.
    pub schema: &'static str,
    /// What it is, in a sentence or two.
    pub about: &'static str,
}

impl Names {
    /// One, with its article: `a Quick Win`.
    pub fn a(&self) -> String {
        let article = if self.spoken.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']) { "an" } else { "a" };
        format!("{article} {}", self.spoken)
    }

    /// The plural as it stands in operation ids: `quick_wins`.
    pub fn snake(&self) -> String {
        self.many.replace('-', "_")
    }

    /// One in prose, in both languages.
    pub const fn noun(&self) -> Noun {
        Noun { en: self.spoken, id: self.indonesian }
    }
}

/// What identifies one among its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A code that the client gives and that others refer to.
    Code,
    /// A UUIDv7 that the service makes.
    Id,
}

impl Key {
    /// Its name in paths, in bodies and in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Id => "id",
        }
    }
}

/// The coded resource that another is a part of: the part stands below its path.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    /// The member and column that holds its code: `evaluation`.
    pub member: &'static str,
    /// What it is.
    pub kind: &'static Kind,
}

/// When the public sees a resource: if what is said of itself holds, and the resource that it hangs on is seen.
#[derive(Clone, Copy, Debug)]
pub struct Publication {
    /// What of itself makes it public.
    pub own: Own,
    /// The member with what it hangs on.
    pub hangs_on: Option<&'static str>,
    /// Where `q=` looks through what may be hidden: of the rows that it finds, those that it finds in what is shown.
    pub found_in_shown: Option<fn(LikeExpr) -> SimpleExpr>,
    /// Whether the public feed tells what happens to it. It does not where that depends on another resource, whose events tell of it.
    pub is_in_feed: bool,
}

/// What of a resource itself makes it public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// That it exists.
    Always,
    /// Its member `published`.
    Published,
    /// Its status: anything but a draft.
    NotDraft,
}

/// The instants that every row carries.
const INSTANTS: [Member; 2] = [
    Member::new("created_at", ValueType::Instant, false, &[]).sort().label("Created at", "Dibuat pada", "Waktu pembuatan."),
    Member::new("updated_at", ValueType::Instant, false, &[]).sort().public().label(
        "Updated at",
        "Diperbarui pada",
        "Waktu penulisan terakhir.",
    ),
];

/// The version that every row carries.
const VERSION: Member = Member::new("version", ValueType::Integer, false, &[]).label("Version", "Versi", "Jumlah penulisan.");

/// The entity tag that every row carries in answers, and nowhere else.
pub const ETAG: Member = Member::new("etag", ValueType::Text, false, &[]).label(
    "Entity tag",
    "Entity tag",
    "Yang diterima `If-Match` untuk mengubah data ini.",
);

impl Kind {
    /// A kind that no member is computed of, that the public never sees and that past days know nothing of.
    pub const fn new(names: Names, groups: fn() -> [&'static [Member]; 3], rows: &'static dyn Rows) -> Self {
        Self {
            names,
            key: Key::Code,
            parent: None,
            groups,
            filters: &[],
            default_sort: "code",
            publication: None,
            audited: Audited { groups, ..Audited::new(names.one, names.noun()) }.changes(Changes::DayByDay),
            rows,
            whole: None,
            is_listed_across: false,
        }
    }

    /// Its resources are identified by ids that the service makes.
    pub const fn with_ids(mut self) -> Self {
        self.key = Key::Id;
        self.default_sort = "id";
        self
    }

    /// Each is a part of a resource of another kind.
    pub const fn part_of(mut self, member: &'static str, kind: &'static Kind) -> Self {
        self.parent = Some(Parent { member, kind });
        self
    }

    /// There is a list of the parts of all wholes as well.
    pub const fn listed_across(mut self) -> Self {
        self.is_listed_across = true;
        self
    }

    /// Lists can be asked for past days, or sorted by what is computed.
    pub const fn read_whole(mut self, whole: Option<&'static dyn Whole>) -> Self {
        self.whole = whole;
        self
    }

    /// Lists can be filtered by more than members.
    pub const fn filters(mut self, filters: &'static [Field]) -> Self {
        self.filters = filters;
        self
    }

    /// The order of a list where the client does not say.
    pub const fn sorted_by(mut self, sort: &'static str) -> Self {
        self.default_sort = sort;
        self
    }

    /// The public sees one if this holds of it.
    pub const fn public(mut self, own: Own) -> Self {
        self.publication = Some(Publication { own, hangs_on: None, found_in_shown: None, is_in_feed: true });
        self
    }

    /// The public sees one if this holds of it, and it sees what a member refers to.
    pub const fn public_with(mut self, own: Own, hangs_on: &'static str) -> Self {
        self.publication = Some(Publication { own, hangs_on: Some(hangs_on), found_in_shown: None, is_in_feed: true });
        self
    }

    /// What `q=` looks through may be hidden, see [`Publication::found_in_shown`].
    pub const fn found_in_shown(mut self, found: fn(LikeExpr) -> SimpleExpr) -> Self {
        if let Some(publication) = self.publication {
            self.publication = Some(Publication { found_in_shown: Some(found), ..publication });
        }
        self
    }

    /// The public feed tells nothing of it.
    pub const fn without_feed(mut self) -> Self {
        if let Some(publication) = self.publication {
            self.publication = Some(Publication { is_in_feed: false, ..publication });
        }
        self
    }

    /// Figures of past days count it as it was at their end.
    pub const fn with_snapshots(mut self, before_first: BeforeFirst) -> Self {
        self.audited = self.audited.with_snapshots(before_first);
        self
    }

    /// All that can happen to one, where that is not the usual.
    pub const fn actions(mut self, actions: &'static [&'static str]) -> Self {
        self.audited = self.audited.actions(actions);
        self
    }

    /// What its events change of answers, where that is more or less than most change.
    pub const fn changes(mut self, changes: Changes) -> Self {
        self.audited = self.audited.changes(changes);
        self
    }

    /// How events show one.
    pub const fn recorded(mut self, recorded: fn() -> Recorded) -> Self {
        self.audited = self.audited.recorded(recorded);
        self
    }

    /// The tables that its changes write, beside its own and those of its links.
    pub const fn writes(mut self, tables: &'static [&'static str]) -> Self {
        self.audited = self.audited.writes(tables);
        self
    }

    /// Its table.
    pub const fn table(&self) -> &'static str {
        self.names.one
    }

    /// The members that clients write.
    pub fn written(&self) -> &'static [Member] {
        (self.groups)()[0]
    }

    /// The members that only the service writes and that stand in the row, but for what every row carries.
    pub fn read_only(&self) -> &'static [Member] {
        (self.groups)()[1]
    }

    /// The members that are computed from other rows or from the day.
    pub fn computed(&self) -> &'static [Member] {
        (self.groups)()[2]
    }

    /// All members, in the order in which answers show them.
    pub fn members(&self) -> Vec<Member> {
        let parent = self.parent.map(|parent| parent.as_member());
        let groups = (self.groups)().into_iter().flatten().copied();
        [self.key_member()].into_iter().chain(parent).chain(groups).chain([VERSION, ETAG]).chain(INSTANTS).collect()
    }

    /// Those that are shown in a scope.
    pub fn members_in(&self, scope: Scope) -> Vec<Member> {
        let is_shown = |member: &Member| scope == Scope::All || member.is_public;
        self.members().into_iter().filter(is_shown).collect()
    }

    /// Whether it has members with texts of the service, in the language that is asked for.
    pub fn has_texts(&self) -> bool {
        (self.groups)().into_iter().flatten().any(|member| member.is_in_language)
    }

    /// The member called `name`.
    pub fn member(&self, name: &str) -> Option<Member> {
        self.members().into_iter().find(|member| member.name == name)
    }

    /// The key as a member.
    pub const fn key_member(&self) -> Member {
        let value = match self.key {
            Key::Code => ValueType::Code,
            Key::Id => ValueType::Id,
        };
        let member = Member::new(self.key.name(), value, false, &[]).sort().public();
        match self.key {
            Key::Code => member.label("Code", "Kode", "Pengenal; tidak pernah berubah."),
            Key::Id => member.label("Id", "Id", "Pengenal (UUIDv7); tidak pernah berubah."),
        }
    }

    /// Everything that a list can be filtered and sorted by.
    pub fn fields(&self) -> Vec<Field> {
        let members = self.members();
        let computed = self.whole.map(|whole| whole.computed()).unwrap_or_default();
        members.iter().filter_map(Member::field).chain(self.filters.iter().copied()).chain(computed.iter().copied()).collect()
    }

    /// The same for the list of the parts of all wholes: by the whole, too.
    pub fn fields_across(&self) -> Vec<Field> {
        let parent = self.parent.and_then(|parent| parent.as_member().sort().field());
        parent.into_iter().chain(self.fields()).collect()
    }

    /// The path of the list of the parts of all wholes.
    pub fn path_across(&self) -> String {
        format!("/v1/{}", self.names.many)
    }

    /// The key as a field of a list.
    pub fn key_field(&self) -> Field {
        let value = self.key_member().value;
        Field::sort(self.key.name(), value)
    }

    /// The members that hold nothing but references to other resources, with the kind of these.
    pub fn references(&self) -> impl Iterator<Item = (&'static Member, &'static Kind)> {
        let members = self.written().iter().filter(|member| member.entry.is_none());
        members.filter_map(|member| Some((member, member.target()?)))
    }

    /// The members whose codes stand in tables of their own, with these.
    pub fn links(&self) -> impl Iterator<Item = (&'static Member, Link)> {
        self.written().iter().filter_map(|member| Some((member, member.link?)))
    }

    /// What a resource of this kind that looks like `value` names: the place as a JSON pointer, the kind and the key.
    pub fn named_by(&self, value: &Value) -> Vec<(String, &'static Kind, String)> {
        let members = self.written().iter().filter_map(|member| Some((member, value.get(member.name)?)));
        members.flat_map(|(member, value)| member.named(value)).collect()
    }

    /// Where its rows refer to others.
    pub fn stored(&'static self) -> Vec<Stored> {
        let (resource, name) = (self.names.one, self.key.name());
        let parent = self.parent.map(|parent| Stored {
            to: parent.kind,
            resource,
            table: self.table(),
            column: parent.member,
            name,
            only: None,
        });
        let members = self.written().iter().flat_map(|member| match (member.refers, member.link) {
            (Refers::To(to), None) => vec![Stored { to, resource, table: self.table(), column: member.name, name, only: None }],
            (Refers::To(to), Some(link)) => {
                vec![Stored { to, resource, table: link.table, column: link.code, name: link.row, only: None }]
            }
            (Refers::Within(within), _) => within.stored(),
            (Refers::Nothing, _) => Vec::new(),
        });
        parent.into_iter().chain(members).collect()
    }

    /// The path of the collection.
    pub fn path(&self) -> String {
        match self.parent {
            None => format!("/v1/{}", self.names.many),
            Some(parent) => format!("/v1/{}/{{code}}/{}", parent.kind.names.many, self.names.many),
        }
    }

    /// The path of one.
    pub fn path_of_one(&self) -> String {
        format!("{}/{{{}}}", self.path(), self.key.name())
    }
}

impl Parent {
    /// The member that holds its code.
    pub const fn as_member(&self) -> Member {
        let noun = self.kind.names.noun();
        Member::new(self.member, ValueType::Code, false, &[]).public().label(noun.en, noun.id, "Bagian dari ini.")
    }
}

impl From<&'static Kind> for Noun {
    fn from(kind: &'static Kind) -> Self {
        kind.names.noun()
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.names.one == other.names.one
    }
}

impl Eq for Kind {}

impl Ord for Kind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.names.one.cmp(other.names.one)
    }
}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Kind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.names.one.hash(state);
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.names.one)
    }
}
