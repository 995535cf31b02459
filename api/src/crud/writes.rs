//! Writing rows of any kind, without knowing their type.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value};

use crate::http::problem::{ApiResult, FieldError};
use crate::store::kind::{Kind, Row};
use crate::store::transaction::{AuditEvent, WriteTransaction};

/// For each member that a body must have, values that may stand in for it: each word of an enum, or that of the example.
pub type StandIns = BTreeMap<String, Vec<Value>>;

/// Writes rows of one kind.
pub trait Writes: Sync {
    /// The kind.
    fn kind(&self) -> &'static Kind;

    /// What the document needs to know of it.
    fn described(&self) -> Described;

    /// Every error of a body that creates one.
    fn errors_of_new(&self, value: &Value) -> Vec<FieldError>;

    /// Every error of a whole body that may leave out its code.
    fn errors_of_replacement(&self, value: &Value) -> Vec<FieldError>;

    /// Adds to a whole body what absent members stand for.
    fn complete(&self, whole: &mut Value);

    /// What may stand in for members that a body must have, to check the others.
    fn stand_ins(&self) -> Arc<StandIns>;

    /// The members that only the service writes, of one that does not exist yet.
    fn read_only_of_new(&self) -> Value;

    /// The members of a body whose shape is right.
    fn parse(&self, value: Value) -> Result<Box<dyn Draft>, FieldError>;

    /// The members of a row.
    fn draft_of(&self, row: &dyn Row) -> ApiResult<Box<dyn Draft>>;

    /// 409 where a row may not be written any more.
    fn must_be_open(&self, row: &dyn Row) -> ApiResult<()>;

    /// The row called `key`, kept from others until the commit.
    fn lock<'a>(&'a self, transaction: &'a WriteTransaction, key: String) -> LocalBoxFuture<'a, ApiResult<Option<Box<dyn Row>>>>;

    /// A row with what is computed of it.
    fn present<'a>(&'a self, transaction: &'a WriteTransaction, row: &'a dyn Row) -> LocalBoxFuture<'a, ApiResult<Box<dyn Row>>>;

    /// Deletes a row, with what else goes with it.
    fn delete<'a>(&'a self, transaction: &'a WriteTransaction, row: &'a dyn Row) -> LocalBoxFuture<'a, ApiResult<()>>;
}

/// Members that are to be written.
pub trait Draft {
    /// The kind.
    fn kind(&self) -> &'static Kind;

    /// As JSON.
    fn value(&self) -> ApiResult<Value>;

    /// The OPD that it belongs to.
    fn owner(&self) -> Option<&str>;

    /// What it hangs on, if its kind hangs on another.
    fn attached(&self) -> Option<Attached>;

    /// Every error that a schema cannot say, on the day of the write and beside the row as it was.
    fn field_errors(&self, before: Option<&dyn Row>, today: NaiveDate) -> ApiResult<Vec<FieldError>>;

    /// Checks rules over several rows.
    fn check<'a>(
        &'a self,
        transaction: &'a WriteTransaction,
        key: &'a str,
        before: Option<&'a dyn Row>,
    ) -> LocalBoxFuture<'a, ApiResult<()>>;

    /// Inserts a new row, as a part of `parent` if it is one, with what else is written with it.
    fn insert<'a>(
        &'a self,
        transaction: &'a WriteTransaction,
        parent: Option<&'a str>,
        key: &'a str,
    ) -> LocalBoxFuture<'a, ApiResult<Box<dyn Row>>>;

    /// Writes them over a row, with what else is written with it.
    fn update<'a>(
        &'a self,
        transaction: &'a WriteTransaction,
        before: &'a dyn Row,
    ) -> LocalBoxFuture<'a, ApiResult<Box<dyn Row>>>;
}

/// What hangs on something else: who may attach it there, and who else may write it.
pub trait Attachment: Sync {
    /// 403 where the actor may write neither for the owner nor for what it hangs on.
    fn may_write<'a>(
        &'a self,
        transaction: &'a WriteTransaction,
        owner: &'a str,
        whole: Option<&'a str>,
    ) -> LocalBoxFuture<'a, ApiResult<()>>;

    /// 403 where the actor may not attach anything to `whole`.
    fn may_attach<'a>(&'a self, transaction: &'a WriteTransaction, whole: &'a str) -> LocalBoxFuture<'a, ApiResult<()>>;
}

/// That something hangs on resources of a kind.
pub struct Attached {
    /// Who may attach it.
    pub attachment: &'static dyn Attachment,
    /// The kind.
    pub to: &'static Kind,
}

/// What the document tells of a kind, from the schemas that utoipa derives.
pub struct Described {
    /// The kind.
    pub kind: &'static Kind,
    /// Its schema and those it refers to.
    pub components: Map<String, Value>,
    /// The name of its schema.
    pub name: String,
    /// What a client sends, complete in itself.
    pub input: Value,
    /// The schemas of the members that only the service writes.
    pub read_only: Map<String, Value>,
    /// The schemas of the members that are computed.
    pub computed: Map<String, Value>,
    /// Schemas that those refer to.
    pub more: Map<String, Value>,
    /// One from the real case, with its code or id and what is computed.
    pub example: Value,
    /// The members of the example that clients write, all of them.
    pub example_written: Value,
    /// What only the service writes of a new one.
    pub of_new: Value,
    /// What is computed of a new one, where that differs from the example.
    pub computed_of_new: Value,
}

/// The resource that a draft hangs on.
fn whole(draft: &dyn Draft) -> ApiResult<Option<(&'static dyn Attachment, String)>> {
    let Some(Attached { attachment, to }) = draft.attached() else { return Ok(None) };
    let value = draft.value()?;
    let codes = draft.kind().named_by(&value).into_iter();
    Ok(codes.filter(|(_, kind, _)| *kind == to).map(|(_, _, code)| (attachment, code)).next())
}

/// 403 where the actor may write neither for the owner nor for what it hangs on.
pub async fn must_own(transaction: &WriteTransaction, draft: &dyn Draft) -> ApiResult<()> {
    let Some(owner) = draft.owner() else { return Ok(()) };
    match whole(draft)? {
        Some((attachment, code)) => attachment.may_write(transaction, owner, Some(&code)).await,
        None => transaction.must_cover(owner).await,
    }
}

/// 403 where the actor is bound to an OPD that does not own what is to be made.
pub async fn must_own_new(transaction: &WriteTransaction, draft: &dyn Draft) -> ApiResult<()> {
    match draft.owner() {
        Some(owner) => transaction.must_cover(owner).await,
        None => Ok(()),
    }
}

/// 403 where the actor may not attach this to what it hangs on. What hung on it before may stay.
pub async fn may_attach(transaction: &WriteTransaction, draft: &dyn Draft, before: Option<&dyn Draft>) -> ApiResult<()> {
    let Some((attachment, code)) = whole(draft)? else { return Ok(()) };
    let hung = before.map(whole).transpose()?.flatten();
    if hung.is_some_and(|(_, hung)| hung == code) {
        return Ok(());
    }
    attachment.may_attach(transaction, &code).await
}

/// Appends to the audit log what happened to a row.
pub async fn recorded(transaction: &WriteTransaction, row: &dyn Row, action: &str, before: Option<Value>) -> ApiResult<()> {
    let (of, version) = (&row.kind().audited, row.stamp().version);
    transaction
        .record(AuditEvent { of, key: row.key(), action, version, before, after: Some(row.shown()), first_event: None })
        .await
}
