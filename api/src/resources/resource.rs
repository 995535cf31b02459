//! What a coded resource tells about itself. The type that implements [`Resource`] is its wire form: the members a client
//! writes, beside the `code`. All schemas (shown, new, replacement, patch) are derived from it.

use std::str::FromStr;

use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait, PrimaryKeyTrait, Value as Stored,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use entity::value::code::Code;

use super::references::Target;
use crate::auth::permissions::Permission;
use crate::http::problem::{ApiError, ApiResult, Fault};
use crate::store::change::Change;
use crate::store::listing::Field;

/// The row of a resource.
pub type Row<R> = <<R as Resource>::Entity as EntityTrait>::Model;
/// The row of a resource, to be written.
pub type NewRow<R> = <<R as Resource>::Entity as EntityTrait>::ActiveModel;
/// A column of a resource's table.
pub type Column<R> = <<R as Resource>::Entity as EntityTrait>::Column;

/// What a resource is called.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// One, in the trail: `quick_win`.
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
    /// The path of the collection.
    pub fn path(&self) -> String {
        format!("/v1/{}", self.many)
    }

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

/// A resource identified by its code.
#[expect(async_fn_in_trait, reason = "handlers stay on their worker thread, so the futures need not be Send")]
pub trait Resource: Serialize + DeserializeOwned + ToSchema + Sized + 'static {
    /// What it is called.
    const NAMES: Names;
    /// What lists can be filtered and sorted by, beside the code and the instants that all have.
    const FIELDS: &'static [Field];
    /// The order of a list where the client does not say.
    const DEFAULT_SORT: &'static str = "code";
    /// What it refers to.
    const REFERENCES: &'static [Reference] = &[];
    /// Its table.
    type Entity: EntityTrait<
            PrimaryKey: PrimaryKeyTrait<ValueType = String>,
            Model: ModelTrait<Entity = Self::Entity> + IntoActiveModel<NewRow<Self>> + Send + Sync + Clone,
            ActiveModel: ActiveModelTrait<Entity = Self::Entity> + ActiveModelBehavior + Send,
            Column: FromStr<Err: std::fmt::Debug>,
        >;
    /// Who may write it.
    type Write: Permission;

    /// A body from the real case, with its code.
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

    /// Every fault that its members have among themselves and a schema cannot say.
    fn faults(&self) -> Vec<Fault> {
        Vec::new()
    }

    /// The members that only the service writes, of a row or (`None`) of one that does not exist yet.
    fn read_only(_row: Option<&Row<Self>>) -> Map<String, Value> {
        Map::new()
    }

    /// The schema of those members.
    fn read_only_schema() -> Map<String, Value> {
        Map::new()
    }

    /// Sets what only creation sets.
    fn born(_row: &mut NewRow<Self>) {}

    /// Rules over several rows, checked before a write. `before` is the row as it was.
    async fn check(&self, _change: &Change, _code: &str, _before: Option<&Row<Self>>) -> ApiResult<()> {
        Ok(())
    }

    /// What else is written with it.
    async fn written(&self, _change: &Change, _code: &str, _created: bool) -> ApiResult<()> {
        Ok(())
    }

    /// What else goes with it, before the row is deleted.
    async fn deleting(_change: &Change, _code: &str) -> ApiResult<()> {
        Ok(())
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
    /// The stamp of a row.
    pub fn of<R: Resource>(row: &Row<R>) -> ApiResult<Self> {
        let instant = |name| match row.get(column::<R>(name)?) {
            Stored::ChronoDateTimeUtc(Some(instant)) => Ok(instant),
            _ => Err(ApiError::unexpected(format!("column `{name}` holds no instant"))),
        };
        let version = match row.get(column::<R>("version")?) {
            Stored::Int(Some(version)) => version,
            _ => return Err(ApiError::unexpected("column `version` holds no number")),
        };
        Ok(Self { version, created_at: instant("created_at")?, updated_at: instant("updated_at")? })
    }

    /// The entity tag.
    pub fn etag(&self) -> String {
        crate::http::precondition::entity_tag(self.version, self.created_at)
    }
}

/// The code of a row.
pub fn code_of<R: Resource>(row: &Row<R>) -> ApiResult<String> {
    match row.get(column::<R>("code")?) {
        Stored::String(Some(code)) => Ok(code),
        _ => Err(ApiError::unexpected("column `code` holds no text")),
    }
}

/// A row as answers show it: code, what clients write, what only the service writes, and the stamp.
pub fn show<R: Resource>(row: &Row<R>) -> ApiResult<Value> {
    let stamp = Stamp::of::<R>(row)?;
    let mut shown = Map::new();
    shown.insert("code".into(), json!(code_of::<R>(row)?));
    if let Value::Object(members) = serde_json::to_value(R::of(row)).map_err(ApiError::unexpected)? {
        shown.extend(members);
    }
    shown.extend(R::read_only(Some(row)));
    shown.insert("version".into(), json!(stamp.version));
    shown.insert("created_at".into(), json!(stamp.created_at));
    shown.insert("updated_at".into(), json!(stamp.updated_at));
    Ok(Value::Object(shown))
}

/// The example of a resource as answers show it.
pub fn show_example<R: Resource>() -> Value {
    let mut shown = Map::new();
    let mut given = R::example();
    let code = given.as_object_mut().and_then(|object| object.remove("code")).unwrap_or_default();
    shown.insert("code".into(), code);
    // An example that is not an `R` shows as it is; a test holds examples to their schemas.
    let members = serde_json::from_value::<R>(given.clone()).ok().and_then(|members| serde_json::to_value(members).ok());
    if let Value::Object(members) = members.unwrap_or(given) {
        shown.extend(members);
    }
    shown.extend(R::read_only(None));
    shown.insert("version".into(), json!(1));
    shown.insert("created_at".into(), json!("2022-10-04T01:00:00Z"));
    shown.insert("updated_at".into(), json!("2022-10-04T01:00:00Z"));
    Value::Object(shown)
}

/// A code that stands in the database: it was checked when it was written.
pub fn code(stored: &str) -> Code {
    Code::parse(stored).unwrap_or_else(|_| unreachable!("`{stored}` stands in the database but is no code"))
}
