//! What a kind says about itself: its struct implements [`Resource`]. What only some kinds need are hooks, small traits of their own that
//! a kind names in [`Resource::HOOKS`].

use std::str::FromStr;

use chrono::NaiveDate;
use futures_util::future::LocalBoxFuture;
use sea_orm::{ActiveModelBehavior, ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait, PrimaryKeyTrait};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use super::members::{FromRow, ReadMembers, Written};
use super::writes::Attachment;
use crate::auth::permissions::Permission;
use crate::http::problem::{ApiResult, FieldError};
use crate::store::kind::{Kind, Scope, Whole};
use crate::store::rows::Executor;
use crate::store::transaction::WriteTransaction;

/// The row of a resource.
pub type RowOf<R> = <<R as Written>::Entity as EntityTrait>::Model;
/// The row of a resource, to be written.
pub type NewRow<R> = <<R as Written>::Entity as EntityTrait>::ActiveModel;

/// A resource with a table of its own: the members that clients write, see `members!`.
pub trait Resource:
    Written<
        Entity: EntityTrait<
            PrimaryKey: PrimaryKeyTrait<ValueType = String>,
            Model: ModelTrait<Entity = <Self as Written>::Entity> + IntoActiveModel<NewRow<Self>> + Send + Sync + Clone,
            ActiveModel: ActiveModelTrait<Entity = <Self as Written>::Entity> + ActiveModelBehavior + Send,
            Column: FromStr,
        >,
    > + Serialize
    + DeserializeOwned
    + ToSchema
    + Clone
    + Send
    + Sync
    + 'static
{
    /// Its kind: the static value beside it.
    const KIND: &'static Kind;
    /// Who may write it.
    type Write: Permission;
    /// The members that only the service writes and that stand in the row; by default as in a new one.
    type ReadOnly: ReadMembers + FromRow<RowOf<Self>> + Default + ToSchema;
    /// The members that are computed from other rows or from the day.
    type Computed: ReadMembers + ToSchema + Send + Sync;
    /// What else its writes need.
    const HOOKS: Hooks<Self> = Hooks::NONE;

    /// One from the real case, with its code or id and what is computed.
    fn example() -> Value;

    /// What is computed of the example when it is new, where that differs.
    fn computed_of_new() -> Value {
        Value::Null
    }

    /// The texts that `q=` looks through, beside the code.
    fn search(&self) -> Vec<&str>;

    /// The OPD it belongs to, for those who may write only their own.
    fn owner(&self) -> Option<&str> {
        None
    }

    /// Every error that its members have among themselves and a schema cannot say.
    fn field_errors(&self) -> Vec<FieldError> {
        Vec::new()
    }

    /// Every error that its members have on the day of the write, beside the row as it was: what was accepted earlier and does not
    /// change is no error.
    fn field_errors_beside(&self, _before: Option<&RowOf<Self>>, _today: NaiveDate) -> Vec<FieldError> {
        Vec::new()
    }

    /// Adds to a whole body, which creates or replaces one, what absent members stand for; `null` stays what it is.
    fn complete(_whole: &mut Value) {}
}

/// Sets what only creation sets.
pub trait BeforeInsert: Resource {
    /// Sets it in a new row.
    fn before_insert(row: &mut NewRow<Self>);
}

/// Refuses what may not be written any more.
pub trait Closable: Resource {
    /// 409 where this one may not, before anything else is looked at.
    fn must_be_open(row: &RowOf<Self>) -> ApiResult<()>;
}

/// Rules over several rows.
#[expect(async_fn_in_trait, reason = "handlers stay on their worker thread, so the futures need not be Send")]
pub trait Check: Resource {
    /// Checks them before a write. `before` is the row as it was.
    async fn check(&self, transaction: &WriteTransaction, key: &str, before: Option<&RowOf<Self>>) -> ApiResult<()>;
}

/// What else is written with one.
#[expect(async_fn_in_trait, reason = "handlers stay on their worker thread, so the futures need not be Send")]
pub trait AfterWrite: Resource {
    /// Writes it.
    async fn after_write(&self, transaction: &WriteTransaction, key: &str, created: bool) -> ApiResult<()>;
}

/// What else goes with one.
#[expect(async_fn_in_trait, reason = "handlers stay on their worker thread, so the futures need not be Send")]
pub trait BeforeDelete: Resource {
    /// Removes it, or refuses, before the row is deleted.
    async fn before_delete(transaction: &WriteTransaction, key: &str) -> ApiResult<()>;
}

/// Members that are computed.
#[expect(async_fn_in_trait, reason = "handlers stay on their worker thread, so the futures need not be Send")]
pub trait Compute: Resource {
    /// Computes those of each of `rows`, over what `scope` counts: a fixed number of statements, whatever the rows.
    async fn compute(db: &Executor<'_>, rows: &[RowOf<Self>], scope: Scope, today: NaiveDate) -> ApiResult<Vec<Self::Computed>>;
}

/// Lists that the database cannot cut into pages.
pub trait ReadWhole: Resource {
    /// What reads all rows for them.
    const WHOLE: &'static dyn Whole;
}

type MustBeOpenHook<R> = fn(&RowOf<R>) -> ApiResult<()>;
type CheckHook<R> = for<'a> fn(&'a R, &'a WriteTransaction, &'a str, Option<&'a RowOf<R>>) -> LocalBoxFuture<'a, ApiResult<()>>;
type AfterWriteHook<R> = for<'a> fn(&'a R, &'a WriteTransaction, &'a str, bool) -> LocalBoxFuture<'a, ApiResult<()>>;
type BeforeDeleteHook = for<'a> fn(&'a WriteTransaction, &'a str) -> LocalBoxFuture<'a, ApiResult<()>>;
type ComputeHook<R> = for<'a> fn(
    &'a Executor<'a>,
    &'a [RowOf<R>],
    Scope,
    NaiveDate,
) -> LocalBoxFuture<'a, ApiResult<Vec<<R as Resource>::Computed>>>;

/// The hooks of a kind.
pub struct Hooks<R: Resource> {
    pub(super) before_insert: Option<fn(&mut NewRow<R>)>,
    pub(super) must_be_open: Option<MustBeOpenHook<R>>,
    pub(super) check: Option<CheckHook<R>>,
    pub(super) after_write: Option<AfterWriteHook<R>>,
    pub(super) before_delete: Option<BeforeDeleteHook>,
    pub(super) compute: Option<ComputeHook<R>>,
    pub(super) whole: Option<&'static dyn Whole>,
    pub(super) attachment: Option<(&'static dyn Attachment, &'static Kind)>,
}

impl<R: Resource> Hooks<R> {
    /// None.
    pub const NONE: Self = Self {
        before_insert: None,
        must_be_open: None,
        check: None,
        after_write: None,
        before_delete: None,
        compute: None,
        whole: None,
        attachment: None,
    };

    /// With [`BeforeInsert`].
    pub const fn before_insert(self) -> Self
    where
        R: BeforeInsert,
    {
        Self { before_insert: Some(R::before_insert), ..self }
    }

    /// With [`Closable`].
    pub const fn closable(self) -> Self
    where
        R: Closable,
    {
        Self { must_be_open: Some(R::must_be_open), ..self }
    }

    /// With [`Check`].
    pub const fn check(self) -> Self
    where
        R: Check,
    {
        Self { check: Some(check::<R>), ..self }
    }

    /// With [`AfterWrite`].
    pub const fn after_write(self) -> Self
    where
        R: AfterWrite,
    {
        Self { after_write: Some(after_write::<R>), ..self }
    }

    /// With [`BeforeDelete`].
    pub const fn before_delete(self) -> Self
    where
        R: BeforeDelete,
    {
        Self { before_delete: Some(before_delete::<R>), ..self }
    }

    /// With [`Compute`].
    pub const fn compute(self) -> Self
    where
        R: Compute,
    {
        Self { compute: Some(compute::<R>), ..self }
    }

    /// With [`ReadWhole`].
    pub const fn read_whole(self) -> Self
    where
        R: ReadWhole,
    {
        Self { whole: Some(R::WHOLE), ..self }
    }

    /// It hangs on a resource of another kind, which one of its members refers to.
    pub const fn attached_to(self, kind: &'static Kind, attachment: &'static dyn Attachment) -> Self {
        Self { attachment: Some((attachment, kind)), ..self }
    }
}

fn check<'a, R: Check>(
    members: &'a R,
    transaction: &'a WriteTransaction,
    key: &'a str,
    before: Option<&'a RowOf<R>>,
) -> LocalBoxFuture<'a, ApiResult<()>> {
    Box::pin(members.check(transaction, key, before))
}

fn after_write<'a, R: AfterWrite>(
    members: &'a R,
    transaction: &'a WriteTransaction,
    key: &'a str,
    created: bool,
) -> LocalBoxFuture<'a, ApiResult<()>> {
    Box::pin(members.after_write(transaction, key, created))
}

fn before_delete<'a, R: BeforeDelete>(transaction: &'a WriteTransaction, key: &'a str) -> LocalBoxFuture<'a, ApiResult<()>> {
    Box::pin(R::before_delete(transaction, key))
}

fn compute<'a, R: Compute>(
    db: &'a Executor<'a>,
    rows: &'a [RowOf<R>],
    scope: Scope,
    today: NaiveDate,
) -> LocalBoxFuture<'a, ApiResult<Vec<R::Computed>>> {
    Box::pin(R::compute(db, rows, scope, today))
}
