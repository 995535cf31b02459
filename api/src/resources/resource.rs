//! What a resource tells about itself. The type that implements [`Resource`] is its wire form: the members a client
//! writes, beside the `code` or `id`. All schemas (shown, new, replacement, patch) are derived from it.

use std::str::FromStr;

use chrono::NaiveDate;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait, PrimaryKeyTrait,
    Value as Stored,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use entity::value::code::Code;

use super::references::Target;
use crate::auth::permissions::Permission;
use crate::http::body::hex;
use crate::http::precondition::{entity_tag, entity_tag_with};
use crate::http::problem::{ApiError, ApiResult, FieldError};
use crate::store::listing::Field;
use crate::store::scope::Scope;
use crate::store::transaction::WriteTransaction;

/// The row of a resource.
pub type Row<R> = <<R as Resource>::Entity as EntityTrait>::Model;
/// The row of a resource, to be written.
pub type NewRow<R> = <<R as Resource>::Entity as EntityTrait>::ActiveModel;
/// A column of a resource's table.
pub type Column<R> = <<R as Resource>::Entity as EntityTrait>::Column;

/// What a resource is called.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// One, in the audit log: `quick_win`.
    pub one: &'static str,
    /// Several, in the URL and as the tag: `quick-wins`.
    pub many: &'static str,
    /// One, in prose: `Quick Win`.
    pub spoken: &'static str,
    /// Several, in prose: `Quick Wins`.
    pub plural: &'static str,
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
}

/// A member that holds the code of another thing, or several.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// The member.
    pub member: &'static str,
    /// What it refers to.
    pub to: Target,
    /// Whether it is a list.
    pub many: bool,
}

impl Reference {
    /// A member that holds one code.
    pub const fn one(member: &'static str, to: Target) -> Self {
        Self { member, to, many: false }
    }

    /// A member that holds a list of codes.
    pub const fn many(member: &'static str, to: Target) -> Self {
        Self { member, to, many: true }
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

/// The coded thing that a resource is a part of: it stands under its path.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    /// Several of them, in the URL: `evaluations`.
    pub many: &'static str,
    /// The member and column that holds its code: `evaluation`.
    pub member: &'static str,
    /// What it is.
    pub to: Target,
}

/// A resource with a table of its own.
#[expect(async_fn_in_trait, reason = "handlers stay on their worker thread, so the futures need not be Send")]
pub trait Resource: Serialize + DeserializeOwned + ToSchema + Sized + 'static {
    /// What it is called.
    const NAMES: Names;
    /// What lists can be filtered and sorted by, beside the code and the instants that all have.
    const FIELDS: &'static [Field];
    /// The order of a list where the client does not say.
    const DEFAULT_SORT: &'static str = "code";
    /// What identifies one.
    const KEY: Key = Key::Code;
    /// What it is a part of.
    const PARENT: Option<Parent> = None;
    /// What it refers to.
    const REFERENCES: &'static [Reference] = &[];
    /// The members that are computed from other rows or from the day, see [`Resource::computed`].
    const COMPUTED: &'static [&'static str] = &[];
    /// Its table.
    type Entity: EntityTrait<
            PrimaryKey: PrimaryKeyTrait<ValueType = String>,
            Model: ModelTrait<Entity = Self::Entity> + IntoActiveModel<NewRow<Self>> + Send + Sync + Clone,
            ActiveModel: ActiveModelTrait<Entity = Self::Entity> + ActiveModelBehavior + Send,
            Column: FromStr<Err: std::fmt::Debug>,
        >;
    /// Who may write it.
    type Write: Permission;

    /// One from the real case, with its code or id and what is computed.
    fn example() -> Value;

    /// The members a client writes, out of a row.
    fn of(row: &Row<Self>) -> Self;

    /// The row of these members; version, instants and search text are set elsewhere.
    fn into_row(self) -> NewRow<Self>;

    /// The texts that `q=` looks through, beside the code.
    fn search(&self) -> Vec<&str>;

    /// The OPD it belongs to, for those who may write only their own.
    fn owner(&self) -> Option<&str> {
        None
    }

    /// Every field error that its members have among themselves and a schema cannot say.
    fn field_errors(&self) -> Vec<FieldError> {
        Vec::new()
    }

    /// Adds to a whole body, which creates or replaces one, what absent members stand for; `null` stays what it is.
    fn complete(_whole: &mut Value) {}

    /// Every field error that its members have on the day of the write, beside the row as it was: what was taken earlier and does not
    /// change is no field error.
    fn field_errors_beside(&self, _before: Option<&Row<Self>>, _today: NaiveDate) -> Vec<FieldError> {
        Vec::new()
    }

    /// The members that only the service writes, of a row or (`None`) of one that does not exist yet.
    fn read_only(_row: Option<&Row<Self>>) -> Map<String, Value> {
        Map::new()
    }

    /// The schema of those members, and of those that are computed.
    fn read_only_schema() -> Map<String, Value> {
        Map::new()
    }

    /// The computed members of each of `rows`, over what `scope` counts: a fixed number of statements, whatever the rows.
    async fn computed(
        _db: &impl ConnectionTrait,
        rows: &[Row<Self>],
        _scope: Scope,
        _today: NaiveDate,
    ) -> ApiResult<Vec<Map<String, Value>>> {
        Ok(vec![Map::new(); rows.len()])
    }

    /// Sets what only creation sets.
    fn before_insert(_row: &mut NewRow<Self>) {}

    /// Rules over several rows, checked before a write. `before` is the row as it was.
    async fn check(&self, _change: &WriteTransaction, _key: &str, _before: Option<&Row<Self>>) -> ApiResult<()> {
        Ok(())
    }

    /// What else is written with it.
    async fn after_write(&self, _change: &WriteTransaction, _key: &str, _created: bool) -> ApiResult<()> {
        Ok(())
    }

    /// What else goes with it, before the row is deleted.
    async fn before_delete(_change: &WriteTransaction, _key: &str) -> ApiResult<()> {
        Ok(())
    }

    /// Refuses what may not be written any more, before anything else is looked at.
    async fn must_be_open(_change: &WriteTransaction, _row: &Row<Self>) -> ApiResult<()> {
        Ok(())
    }

    /// The path of the collection.
    fn path() -> String {
        match Self::PARENT {
            None => format!("/v1/{}", Self::NAMES.many),
            Some(parent) => format!("/v1/{}/{{code}}/{}", parent.many, Self::NAMES.many),
        }
    }

    /// The path of one.
    fn path_of_one() -> String {
        format!("{}/{{{}}}", Self::path(), Self::KEY.name())
    }
}

/// The column called `name`.
pub fn column<R: Resource>(name: &str) -> ApiResult<Column<R>> {
    Column::<R>::from_str(name).map_err(|_| ApiError::unexpected(format!("no column `{name}`")))
}

/// What every row carries, read without knowing its type.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Counts the writes.
    pub version: i32,
    /// When it was made.
    pub created_at: chrono::DateTime<chrono::Utc>,
    /// When it was last written.
    pub updated_at: chrono::DateTime<chrono::Utc>,
}

impl Stamp {
    /// The stamp of the row of a resource.
    pub fn of<R: Resource>(row: &Row<R>) -> ApiResult<Self> {
        Self::of_row::<R::Entity>(row)
    }

    /// The stamp of a row.
    pub fn of_row<E: EntityTrait<Model: ModelTrait<Entity = E>, Column: FromStr>>(row: &E::Model) -> ApiResult<Self> {
        let column = |name| E::Column::from_str(name).map_err(|_| ApiError::unexpected(format!("no column `{name}`")));
        let instant = |name| match row.get(column(name)?) {
            Stored::ChronoDateTimeUtc(Some(instant)) => Ok(instant),
            _ => Err(ApiError::unexpected(format!("column `{name}` holds no instant"))),
        };
        let version = match row.get(column("version")?) {
            Stored::Int(Some(version)) => version,
            _ => return Err(ApiError::unexpected("column `version` holds no number")),
        };
        Ok(Self { version, created_at: instant("created_at")?, updated_at: instant("updated_at")? })
    }

    /// The entity tag.
    pub fn etag(&self) -> String {
        entity_tag(self.version, self.created_at)
    }

    /// The entity tag of a representation that also holds what was computed.
    pub fn etag_with(&self, computed: &Map<String, Value>) -> String {
        if computed.is_empty() {
            return self.etag();
        }
        let digest = Sha256::digest(json!(computed).to_string());
        entity_tag_with(self.version, self.created_at, &hex(&digest[..6]))
    }
}

/// The code or id of a row.
pub fn key_of<R: Resource>(row: &Row<R>) -> ApiResult<String> {
    text_of::<R>(row, R::KEY.name())
}

/// What a text column of a row holds.
pub fn text_of<R: Resource>(row: &Row<R>, name: &str) -> ApiResult<String> {
    match row.get(column::<R>(name)?) {
        Stored::String(Some(text)) => Ok(text),
        _ => Err(ApiError::unexpected(format!("column `{name}` holds no text"))),
    }
}

/// A row as answers and the audit log show it, but for what is computed.
pub fn show<R: Resource>(row: &Row<R>) -> ApiResult<Value> {
    show_with::<R>(row, Map::new())
}

/// Rows as answers show them, each with its entity tag.
pub async fn show_all<R: Resource>(
    db: &impl ConnectionTrait,
    rows: &[Row<R>],
    scope: Scope,
    today: NaiveDate,
) -> ApiResult<Vec<(Value, String)>> {
    let computed = R::computed(db, rows, scope, today).await?;
    rows.iter()
        .zip(computed)
        .map(|(row, computed)| {
            let etag = Stamp::of::<R>(row)?.etag_with(&computed);
            Ok((show_with::<R>(row, computed)?, etag))
        })
        .collect()
}

/// Key, parent, what clients write, what only the service writes, what is computed, and the stamp.
fn show_with<R: Resource>(row: &Row<R>, computed: Map<String, Value>) -> ApiResult<Value> {
    let stamp = Stamp::of::<R>(row)?;
    let mut shown = Map::new();
    shown.insert(R::KEY.name().into(), json!(key_of::<R>(row)?));
    if let Some(parent) = R::PARENT {
        shown.insert(parent.member.into(), json!(text_of::<R>(row, parent.member)?));
    }
    if let Value::Object(members) = serde_json::to_value(R::of(row)).map_err(ApiError::unexpected)? {
        shown.extend(members);
    }
    shown.extend(R::read_only(Some(row)));
    shown.extend(computed);
    shown.insert("version".into(), json!(stamp.version));
    shown.insert("created_at".into(), json!(stamp.created_at));
    shown.insert("updated_at".into(), json!(stamp.updated_at));
    Ok(Value::Object(shown))
}

/// The example of a resource as answers show it.
pub fn show_example<R: Resource>() -> Value {
    let mut shown = Map::new();
    let mut given = R::example();
    for name in [Some(R::KEY.name()), R::PARENT.map(|parent| parent.member)].into_iter().flatten() {
        let value = given.as_object_mut().and_then(|object| object.remove(name)).unwrap_or_default();
        shown.insert(name.into(), value);
    }
    let read_only = R::read_only(None);
    let names = R::COMPUTED.iter().copied().chain(read_only.keys().map(String::as_str));
    let known = given.as_object_mut().map(|object| names.filter_map(|name| object.remove_entry(name)).collect());
    // An example that is not an `R` shows as it is; a test holds examples to their schemas.
    let members = serde_json::from_value::<R>(given.clone()).ok().and_then(|members| serde_json::to_value(members).ok());
    if let Value::Object(members) = members.unwrap_or(given) {
        shown.extend(members);
    }
    shown.extend(read_only);
    shown.extend(known.unwrap_or(Map::new()));
    shown.insert("version".into(), json!(1));
    shown.insert("created_at".into(), json!("2022-10-04T01:00:00Z"));
    shown.insert("updated_at".into(), json!("2022-10-04T01:00:00Z"));
    Value::Object(shown)
}

/// A code that stands in the database: it was checked when it was written.
pub fn code(stored: &str) -> Code {
    Code::parse(stored).unwrap_or_else(|_| unreachable!("`{stored}` stands in the database but is no code"))
}
