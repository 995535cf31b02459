//! What a kind of resource is, as data. Generic code reads this and names no kind: lists, answers, the public view, references,
//! refusal to delete, push, import, export, CSV, figures of past days, the audit log's event types and the document.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::{BoxFuture, LocalBoxFuture};
use sea_orm::sea_query::{LikeExpr, SelectStatement, SimpleExpr};
use sea_orm::{Condition, DatabaseConnection, DatabaseExecutor, Value as Parameter};
use serde_json::{Map, Value};

use super::tables::Tables;
use crate::http::language::Noun;
use crate::http::problem::ApiResult;

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

/// How much is counted of what was made after a past day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeforeFirst {
    /// Nothing: it was not there.
    Absent,
    /// As it was made: whether it was there is told by something else, such as its status history.
    AsMade,
}

/// What a member or a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Any text.
    Text,
    /// The code of a resource.
    Code,
    /// The id of a resource: a UUID, in either case.
    Id,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer,
    /// An exact decimal.
    Decimal,
    /// A date.
    Date,
    /// An instant.
    Instant,
    /// A list of codes.
    Codes,
    /// An object or a list of objects.
    Json,
}

/// A member of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name in bodies; in the table too, unless it has several columns.
    pub name: &'static str,
    /// What it holds.
    pub value: ValueType,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// Whether lists can be filtered by it.
    pub is_filter: bool,
    /// Whether lists can be sorted by it.
    pub is_sortable: bool,
    /// Whether the public sees it.
    pub is_public: bool,
    /// Of the entries of its list the members that the public sees, where these are not all.
    pub public_entries: Option<&'static [&'static str]>,
    /// What it refers to.
    pub refers: Refers,
    /// The table that holds the codes of its list.
    pub link: Option<Link>,
    /// Where its list has objects: the member of each that has the code.
    pub entry: Option<&'static str>,
    /// The columns that hold its parts, where it has several.
    pub columns: &'static [PartColumn],
    /// Whether it holds texts in both languages, of which answers show one.
    pub is_in_language: bool,
    /// What it is called, in both languages.
    pub label: Noun,
    /// What it says, in Indonesian; in English the schema has it.
    pub about_id: &'static str,
}

/// What a member refers to.
#[derive(Clone, Copy)]
pub enum Refers {
    /// Nothing.
    Nothing,
    /// Each of its codes, or its one code, is that of a resource of this kind.
    To(&'static Kind),
    /// A code within it, of a kind that may depend on what else it holds.
    Within(&'static dyn Within),
}

/// References within a member.
pub trait Within: Sync {
    /// What a value of the member refers to: the place within the member as a JSON pointer, the kind and the key.
    fn named(&self, value: &Value) -> Vec<(String, &'static Kind, String)>;

    /// Takes out of a value of the member what names something that the public does not see.
    fn hide(&self, value: &mut Value);

    /// Where the references are stored.
    fn stored(&self) -> Vec<Stored>;
}

/// A column that holds keys of another kind.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// The kind that is referred to.
    pub to: &'static Kind,
    /// What refers, as the audit log calls it.
    pub resource: &'static str,
    /// The table.
    pub table: &'static str,
    /// The column with the key.
    pub column: &'static str,
    /// The column that names what refers.
    pub name: &'static str,
    /// Which rows of the table do: those that have one of these words in a column.
    pub only: Option<(&'static str, &'static [&'static str])>,
}

/// A table with a row for each code of a list that stands in a row of another table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The table.
    pub table: &'static str,
    /// Its column with the key of the other row.
    pub row: &'static str,
    /// Its column with the code.
    pub code: &'static str,
    /// The key column of the other table.
    pub key: &'static str,
}

/// A column that holds a part of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartColumn {
    /// The column.
    pub name: &'static str,
    /// The name of the part within the member.
    pub part: &'static str,
    /// What it holds.
    pub value: ValueType,
}

impl Link {
    /// A table for the lists of resources with codes.
    pub const fn new(table: &'static str, row: &'static str, code: &'static str) -> Self {
        Self { table, row, code, key: Key::Code.name() }
    }

    /// The same for the lists of resources with ids.
    pub const fn by_id(self) -> Self {
        Self { key: Key::Id.name(), ..self }
    }
}

impl Member {
    /// A member with a column of its own, or with several.
    pub const fn new(name: &'static str, value: ValueType, is_nullable: bool, columns: &'static [PartColumn]) -> Self {
        Self {
            name,
            value,
            is_nullable,
            is_filter: false,
            is_sortable: false,
            is_public: false,
            public_entries: None,
            refers: Refers::Nothing,
            link: None,
            entry: None,
            columns,
            is_in_language: false,
            label: Noun { en: name, id: name },
            about_id: "",
        }
    }

    /// Lists can be filtered by it.
    pub const fn filter(mut self) -> Self {
        self.is_filter = true;
        self
    }

    /// Lists can be filtered and sorted by it.
    pub const fn sort(mut self) -> Self {
        self.is_filter = true;
        self.is_sortable = true;
        self
    }

    /// The public sees it.
    pub const fn public(mut self) -> Self {
        self.is_public = true;
        self
    }

    /// The public sees it, and of the entries of its list only these members.
    pub const fn public_entries(mut self, names: &'static [&'static str]) -> Self {
        self.public_entries = Some(names);
        self.public()
    }

    /// It holds texts in both languages, of which answers show one.
    pub const fn in_language(mut self) -> Self {
        self.is_in_language = true;
        self
    }

    /// It holds the code, or codes, of resources of a kind.
    pub const fn refers(mut self, kind: &'static Kind) -> Self {
        self.refers = Refers::To(kind);
        self
    }

    /// Something within it refers to resources.
    pub const fn refers_within(mut self, within: &'static dyn Within) -> Self {
        self.refers = Refers::Within(within);
        self
    }

    /// A table holds its codes, by which lists can be filtered.
    pub const fn linked(mut self, link: Link) -> Self {
        self.link = Some(link);
        self.filter()
    }

    /// It is a list of objects, each with a code in one of its members; a table holds these codes.
    pub const fn in_entries(mut self, entry: &'static str, link: Link) -> Self {
        self.entry = Some(entry);
        self.link = Some(link);
        self
    }

    /// What it is called in English and in Indonesian, and what it says in Indonesian.
    pub const fn label(mut self, en: &'static str, id: &'static str, about_id: &'static str) -> Self {
        self.label = Noun { en, id };
        self.about_id = about_id;
        self
    }

    /// The kind that its codes, or its one code, refer to.
    pub const fn target(&self) -> Option<&'static Kind> {
        match self.refers {
            Refers::To(kind) => Some(kind),
            _ => None,
        }
    }

    /// As a field of lists, if it is one.
    pub const fn field(&self) -> Option<Field> {
        let value = if matches!(self.value, ValueType::Codes) { ValueType::Code } else { self.value };
        let (sortable, nullable) = (self.is_sortable, self.is_nullable);
        if self.is_filter { Some(Field { sortable, nullable, link: self.link, ..Field::filter(self.name, value) }) } else { None }
    }

    /// What it names: the place as a JSON pointer, the kind and the key.
    pub fn named(&self, value: &Value) -> Vec<(String, &'static Kind, String)> {
        let pointer = format!("/{}", self.name);
        match (self.refers, value) {
            (Refers::To(kind), Value::String(code)) => vec![(pointer, kind, code.clone())],
            (Refers::To(kind), Value::Array(codes)) => {
                let code = |entry: &Value| match self.entry {
                    Some(name) => entry[name].as_str().map(|code| (format!("/{name}"), code.to_owned())),
                    None => entry.as_str().map(|code| (String::new(), code.to_owned())),
                };
                let codes = codes.iter().enumerate().filter_map(|(index, entry)| Some((index, code(entry)?)));
                codes.map(|(index, (place, code))| (format!("{pointer}/{index}{place}"), kind, code)).collect()
            }
            (Refers::Within(within), value) => {
                let named = within.named(value).into_iter();
                named.map(|(place, kind, code)| (pointer.clone() + &place, kind, code)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// A field that a list can be filtered or sorted by.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, in the query and in the table.
    pub name: &'static str,
    /// What values it has.
    pub value: ValueType,
    /// Whether `sort=` may name it.
    pub sortable: bool,
    /// Whether it may be null: such rows come last, whatever the direction.
    pub nullable: bool,
    /// Where the values stand, if not in a column of the same name.
    pub link: Option<Link>,
    /// For a flag that no column holds: the condition under which it is `true`, or `false`, on a day.
    pub derived: Option<fn(bool, NaiveDate) -> SimpleExpr>,
    /// Whether it is computed, so that the database cannot sort by it.
    pub is_computed: bool,
}

impl Field {
    /// A field that filters.
    pub const fn filter(name: &'static str, value: ValueType) -> Self {
        Self { name, value, sortable: false, nullable: false, link: None, derived: None, is_computed: false }
    }

    /// A field that filters and sorts, and is never null.
    pub const fn sort(name: &'static str, value: ValueType) -> Self {
        Self { sortable: true, ..Self::filter(name, value) }
    }

    /// A field that filters and sorts, and may be null.
    pub const fn sort_nullable(name: &'static str, value: ValueType) -> Self {
        Self { sortable: true, nullable: true, ..Self::filter(name, value) }
    }

    /// A field whose values stand in a table of references.
    pub const fn linked(name: &'static str, link: Link) -> Self {
        Self { link: Some(link), ..Self::filter(name, ValueType::Code) }
    }

    /// A flag that filters by a condition.
    pub const fn derived(name: &'static str, condition: fn(bool, NaiveDate) -> SimpleExpr) -> Self {
        Self { derived: Some(condition), ..Self::filter(name, ValueType::Flag) }
    }

    /// The same field, computed of rows in memory.
    pub const fn computed(self) -> Self {
        Self { is_computed: true, ..self }
    }
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

    /// Whether this can happen to it.
    pub fn can(&self, action: &str) -> bool {
        self.actions.contains(&action)
    }
}

/// All rows, or only those that the public sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For those who log in.
    All,
    /// For everybody.
    Published,
}

/// Reads rows of one kind.
pub trait Rows: Sync {
    /// The rows that `narrow` leaves of a selection of all, with what is computed over what `scope` counts: a fixed number of
    /// statements, whatever the rows.
    fn all<'a>(
        &'a self,
        db: &'a DatabaseExecutor<'a>,
        narrow: Box<dyn FnOnce(&mut SelectStatement) + 'a>,
        scope: Scope,
        today: NaiveDate,
    ) -> LocalBoxFuture<'a, ApiResult<Vec<Box<dyn Row>>>>;
}

/// Reads all rows of one kind, for lists that the database cannot cut into pages: those of a past day, and those in the order of
/// something that is computed. Such lists are figures: they are computed few at a time, and kept.
pub trait Whole: Sync {
    /// Whether lists can be asked for past days.
    fn has_past(&self) -> bool;

    /// What lists can be sorted by that is computed.
    fn computed(&self) -> &'static [Field];

    /// What `q=` looks through of a row.
    fn text(&self, row: &Value) -> String;

    /// The rows that `scope` shows at the end of a day, each with all its members and its entity tag. Of today those that meet
    /// `narrow`, if that helps.
    fn rows<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        scope: Scope,
        day: NaiveDate,
        today: NaiveDate,
        narrow: Condition,
    ) -> BoxFuture<'a, ApiResult<Vec<Value>>>;
}

/// A row of some kind.
pub trait Row: Send + Sync {
    /// Its kind.
    fn kind(&self) -> &'static Kind;

    /// Its code or id.
    fn key(&self) -> &str;

    /// What every row carries.
    fn stamp(&self) -> Stamp;

    /// What the column called `name` holds.
    fn column(&self, name: &str) -> Option<Parameter>;

    /// Tells the members that clients write.
    fn written(&self, sink: &mut dyn Sink);

    /// Tells the members that only the service writes and that stand in the row.
    fn read_only(&self, sink: &mut dyn Sink);

    /// Tells the members that are computed, if they were.
    fn computed(&self, sink: &mut dyn Sink);

    /// The row itself, for who knows its type.
    fn as_any(&self) -> &dyn Any;
}

/// Takes the members of a row, in the order in which answers show them.
pub trait Sink {
    /// Takes a member.
    fn member(&mut self, name: &'static str, value: &dyn Render);
}

/// What every row carries.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Counts the writes.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    pub updated_at: DateTime<Utc>,
}

/// A value as answers show it.
pub trait Render {
    /// As JSON text.
    fn json(&self, out: &mut Vec<u8>);

    /// As JSON in memory.
    fn value(&self) -> Value;
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

impl fmt::Debug for Refers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::To(kind) => write!(f, "To({kind:?})"),
            Self::Within(_) => f.write_str("Within"),
        }
    }
}
