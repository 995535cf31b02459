//! All data as one file: written by `renaksi export`, read by `renaksi import`, and what the demo data is.
//!
//! The file has a list for each kind. A row of a list holds what the API takes, beside it what only the service
//! writes (how often and when it was written, where a report stands in its review), so that importing an export gives the same
//! data. Whoever writes a file by hand leaves that out: the rows are then as if the service itself had made them now.
//! Accounts, clients, keys, the audit log and kept answers are no part of it.

mod check;
pub mod compare;
pub mod export;
mod forms;
mod history;
pub mod import;
mod parts;
mod reports;
mod resources;
mod scan;
mod sense;
mod source;
mod state;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{EntityTrait, IdenStatic, Iterable, ModelTrait, Value as Stored};
use serde_json::{Map, Value, json};

use self::forms::{ActionReport, Coverage, EvaluationRecord, Measurement, ResourceRows, Target, Transition};
use self::source::Source;
use self::state::Import;
use crate::csv::column;
use crate::csv::reader::Reader;
use crate::csv::refused::Limits;
use crate::http::identifiers::in_lower_case;
use crate::http::problem::{ApiResult, FieldError};
use crate::kinds::every_kind;
use crate::store::clock::Calendar;
use crate::store::kind::{Audited, Kind};

/// The version of the format, in the member `format`.
pub const FORMAT: u32 = 1;
/// Rows of one statement: few enough that they take little memory.
const ROWS_AT_ONCE: usize = 500;
/// The most of a row of a CSV: a frozen record of an evaluation is the longest.
const ROW_LIMITS: Limits = Limits { row: 64 * 1024 * 1024, columns: 256 };

/// A row of a kind, as it is stored.
type Row<K> = <<K as FileList>::Entity as EntityTrait>::Model;
/// A column of it.
type Column<K> = <<K as FileList>::Entity as EntityTrait>::Column;

/// The column with this name, if there is one.
fn column_named<K: FileList>(name: &str) -> Option<Column<K>> {
    Column::<K>::iter().find(|column| column.as_str() == name)
}

/// What a row names as standing above it in the tree of its kind.
type ParentOf<R> = fn(&R) -> Option<&str>;

/// A kind: what a row of it looks like in the file, and where it is stored.
trait FileList: Sized + 'static {
    /// What the audit log tells of one.
    const AUDITED: &'static Audited;
    /// The member that names what it is a part of, with the list of that. A part comes with its whole, in one file.
    const WHOLE: Option<(&'static str, &'static str)> = None;
    /// Whether a row follows the one before it in the list: its number in the key is then its place.
    const IN_ORDER: bool = false;
    /// Whether a code that the file gives identifies one.
    const IS_CODED: bool = false;
    /// The members by which other rows refer to one, or follow on it.
    const SUBJECT: &'static [&'static str];
    /// What one stands below in its own list, where they form a tree. Such a list is held as a whole.
    const PARENT: Option<ParentOf<Row<Self>>> = None;
    /// Which event records a row.
    const EVENT_KEY: compare::EventKey = compare::EventKey::Last;
    /// What refers to one, where anything does: what is there already cannot be imported again.
    const TARGET: Option<&'static Kind> = None;
    /// Its table.
    type Entity: EntityTrait<Model: ModelTrait<Entity = Self::Entity> + Send + Sync>;

    /// The columns that identify a row, and by which a list is sorted.
    fn order() -> Vec<Column<Self>>;

    /// The schema of a row in the file.
    fn schema() -> Value;

    /// A row as it stands in the file.
    fn show(row: &Row<Self>) -> ApiResult<Map<String, Value>>;

    /// Puts into one form what may come in several.
    fn tidy(_value: &mut Value) {}

    /// The row of a value that the schema allows.
    fn read(value: Value, defaults: &Defaults) -> Result<Row<Self>, Vec<FieldError>>;

    /// What a value refers to: pointer, kind, key.
    fn references(_value: &Value) -> Vec<(String, &'static Kind, String)> {
        Vec::new()
    }

    /// A row as the audit log records it; `None` where it is recorded with what it is a part of.
    fn recorded(row: &Row<Self>) -> ApiResult<Option<ExportRow>>;

    /// Looks at a later list before the first row of this one.
    fn prepare(_import: &mut Import<'_>, _source: &mut Source) {}

    /// Checks what rows have to agree on with what is there, and sets what follows from it.
    async fn complete(_import: &mut Import<'_>, _list: &'static str, _rows: &mut [Incoming<Self>]) -> ApiResult<()> {
        Ok(())
    }

    /// Writes what else there is of some rows, such as links.
    async fn after_write(_import: &mut Import<'_>, _rows: &[Incoming<Self>]) -> ApiResult<()> {
        Ok(())
    }

    /// Sets what follows from all rows of the list.
    async fn finish(_import: &mut Import<'_>) -> ApiResult<()> {
        Ok(())
    }

    /// How many rows there are beside those of the file.
    fn more(_import: &Import<'_>) -> usize {
        0
    }
}

/// What the audit log tells of a row.
struct ExportRow {
    key: String,
    version: i32,
    created_at: DateTime<Utc>,
    after: Value,
}

/// What a row gets that a file does not give.
struct Defaults {
    /// The instant of the import.
    now: DateTime<Utc>,
    /// The day from which it counts.
    today: NaiveDate,
    /// Who imports.
    actor: String,
    /// The regency's calendar.
    calendar: Calendar,
}

/// A row on its way in.
struct Incoming<K: FileList> {
    /// Where it stands in its list, from 0.
    index: usize,
    /// The first day of which figures count it, if the file says so.
    since: Option<NaiveDate>,
    /// Whether the file says when it was made, as an export does: it was taken then, by the rules of its time.
    was_taken: bool,
    /// The row.
    row: Row<K>,
    /// By what other rows refer to it.
    subject: Option<String>,
    /// What it refers to: pointer, kind, key.
    references: Vec<(String, &'static Kind, String)>,
    /// What it is a part of.
    whole: Option<String>,
    /// Whether nothing is wrong with it, nor with what it refers to.
    is_sound: bool,
}

impl<K: FileList> Incoming<K> {
    /// A row that the import itself makes.
    fn made(row: Row<K>) -> Self {
        Self { index: 0, since: None, was_taken: false, row, subject: None, references: Vec::new(), whole: None, is_sound: true }
    }
}

/// How many rows there are of each kind, in the order of the file.
pub type Counts = Vec<(&'static str, usize)>;

/// What the rows of a list are.
macro_rules! rows {
    (resource $type:path) => { ResourceRows<$type> };
    (part $type:path) => { $type };
}

/// What is done with every list, in the order of the file: nothing refers to what comes after it, but for parts of a tree.
macro_rules! lists {
    ($($list:ident: $sort:ident $type:path $(, $public:ident)?;)*) => {
        /// The lists, in their order.
        pub const LISTS: &[&str] = &[$(stringify!($list)),*];

        /// Imports every list.
        async fn import_all(import: &mut Import<'_>, source: &mut Source) -> ApiResult<Counts> {
            Ok(vec![$((stringify!($list), Box::pin(import::import_list::<rows!($sort $type)>(import, source, stringify!($list))).await?)),*])
        }

        /// The first row that differs from what the audit log last recorded of it, in words; `None` where all agree. To be asked of
        /// one snapshot of the database.
        pub async fn compare_rows(db: &impl sea_orm::ConnectionTrait) -> ApiResult<Option<String>> {
            $(if let Some(difference) = compare::compare_list::<rows!($sort $type)>(db).await? {
                return Ok(Some(difference));
            })*
            Ok(None)
        }

        /// Writes every list out of a database.
        async fn export_all(
            db: &impl sea_orm::ConnectionTrait,
            sink: &mut export::Sink,
            progress: &mut crate::store::progress::Progress,
        ) -> Result<Counts, crate::store::output::Failed> {
            Ok(vec![$((stringify!($list), export::export_list::<rows!($sort $type)>(stringify!($list), db, sink, progress).await?)),*])
        }
    };
}

every_kind!(lists);

/// What a row is called in the audit log and among what was: the values of its key, separated by slashes.
fn key_of<K: FileList>(row: &Row<K>) -> String {
    let texts = K::order().into_iter().map(|column| match row.get(column) {
        Stored::String(text) => text.unwrap_or_default(),
        Stored::Int(number) => number.unwrap_or_default().to_string(),
        other => format!("{other:?}"),
    });
    texts.collect::<Vec<_>>().join("/")
}

/// The schema of a row of the file: that of its kind, and the day since when figures count it.
fn schema_of<K: FileList>() -> Value {
    let mut schema = K::schema();
    if K::AUDITED.snapshots.is_some() {
        schema["properties"]["since"] = json!({ "type": ["string", "null"], "format": "date", "maxLength": 10 });
    }
    schema
}

/// The columns of the CSV of a kind: the members of a row.
fn columns_of<K: FileList>() -> Vec<column::Column> {
    column::of_schema(&schema_of::<K>())
}

/// A reader of the CSV of a kind: parts of nested members may stand in columns of their own.
fn csv_reader<K: FileList>() -> Reader {
    let mut columns = columns_of::<K>();
    columns.extend(column::nested(&schema_of::<K>()));
    Reader::new(columns, ROW_LIMITS)
}

/// The members of what serializes to an object.
fn members_of(value: &impl serde::Serialize) -> Map<String, Value> {
    match json!(value) {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Puts the id that a member holds into lower case, as ids stand in the database.
fn id_in_lower_case(value: &mut Value, member: &str) {
    if let Some(Value::String(id)) = value.get_mut(member) {
        *id = in_lower_case(id).into_owned();
    }
}
