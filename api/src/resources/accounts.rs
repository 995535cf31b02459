//! What users, clients and webhooks have in common: only those who manage them see them, every change is recorded in the audit
//! log, and the only answer that shows a secret is the one to the request that created it.

pub mod describe;

use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::web::Path;
use chrono::{DateTime, Duration, Utc};
use sea_orm::{ActiveModelBehavior, ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait, PrimaryKeyTrait};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::auth::permissions::Permission;
use crate::crud::history;
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{NoParameters, Parameters};
use crate::store::access::{Access, retry};
use crate::store::kind::{Audited, ETAG, Field, Names, Stamp};
use crate::store::listing::Listing;
use crate::store::retry::Retry;
use crate::store::standing::lock_name;
use crate::store::transaction::{AuditEvent, WriteTransaction};

/// The row of an account.
pub type Row<A> = <<A as Account>::Entity as EntityTrait>::Model;
/// The row of an account that is to be written.
pub type NewRow<A> = <<A as Account>::Entity as EntityTrait>::ActiveModel;
type Key<A> = <<<A as Account>::Entity as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::ValueType;
type Column<A> = <<A as Account>::Entity as EntityTrait>::Column;

/// How long the old secret stays valid after a rotation if the request does not say: one day, in which the new secret can be
/// distributed.
pub const GRACE_SECONDS: i32 = 86_400;

/// A kind of account. The type that implements it is the form in which answers and the audit log show it.
pub trait Account: Serialize + ToSchema + for<'row> From<&'row Row<Self>> + 'static {
    /// The names of the kind; `about` describes one account.
    const NAMES: Names;
    /// What the audit log tells of it.
    const AUDITED: &'static Audited;
    /// The description of the list.
    const ABOUT_ALL: &'static str;
    /// The tag of its operations in the document.
    const TAG: &'static str;
    /// The path of one account.
    const ONE: &'static str;
    /// The fields by which lists can be filtered and sorted.
    const FIELDS: &'static [Field];
    /// The field by which lists are sorted if the request does not say; it is unique.
    const SORT: Field;
    /// The fields that `q=` searches, in words.
    const SEARCHES: &'static str;
    /// The table of the kind.
    type Entity: EntityTrait<
            Model: ModelTrait<Entity = Self::Entity> + IntoActiveModel<NewRow<Self>> + Send + Sync + Clone,
            ActiveModel: ActiveModelTrait<Entity = Self::Entity> + ActiveModelBehavior + Send,
            Column: FromStr<Err: std::fmt::Debug>,
        >;
    /// The permission of those who manage the accounts.
    type Manage: Permission;

    /// The account of a row.
    fn example() -> Value;

    /// The key for an id in a path, if the id can be one.
    fn key(id: &str) -> Option<Key<Self>>;

    /// The id of a row.
    fn id(row: &Row<Self>) -> String;

    /// The name of the id in a path, as the path template has it.
    fn subject(id: &str) -> String {
        id.to_owned()
    }

    /// The path of the collection.
    fn path() -> String {
        format!("/v1/{}", Self::NAMES.many)
    }
}

/// An account with a secret that the service generates.
pub trait Secret: Account {
    /// The member that shows the secret.
    const MEMBER: &'static str;
    /// An example of a secret, which fits no account.
    const SECRET_EXAMPLE: &'static str;

    /// Generates a new secret.
    fn fresh() -> String;

    /// Replaces the secret of a row. The old secret stays valid beside the new one for a while.
    fn replace(row: &mut NewRow<Self>, before: &Row<Self>, fresh: &str, until: DateTime<Utc>);
}

/// How the secret is to be replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// The number of seconds for which the old secret stays valid beside the new one; one day (86400) if absent.
    #[serde(default = "default_grace")]
    #[schema(minimum = 0, maximum = 604800, example = 86400)]
    pub grace_seconds: i32,
}

fn default_grace() -> i32 {
    GRACE_SECONDS
}

/// 404 for an id that no account has.
pub fn missing<A: Account>(id: &str) -> ApiError {
    ApiError::not_found(A::AUDITED.noun, id)
}

fn key<A: Account>(id: &str) -> ApiResult<Key<A>> {
    A::key(id).ok_or_else(|| missing::<A>(id))
}

/// What every row carries.
fn stamp_of<A: Account>(row: &Row<A>) -> ApiResult<Stamp> {
    Stamp::read(|name| Some(row.get(column::<A>(name).ok()?)))
}

fn column<A: Account>(name: &str) -> ApiResult<Column<A>> {
    Column::<A>::from_str(name).map_err(|_| ApiError::unexpected(format!("no column `{name}`")))
}

/// An account, in the form in which answers show it.
pub fn shown<A: Account>(row: &Row<A>) -> ApiResult<Answer> {
    Ok(Answer::ok(&tagged::<A>(row)?)?.etag(&stamp_of::<A>(row)?.etag()))
}

/// An account as JSON, with its entity tag.
fn tagged<A: Account>(row: &Row<A>) -> ApiResult<Value> {
    let mut shown = json!(A::from(row));
    shown[ETAG.name] = json!(stamp_of::<A>(row)?.etag());
    Ok(shown)
}

/// A new account, in the form in which answers show it.
pub fn created<A: Account>(row: &Row<A>) -> ApiResult<Answer> {
    let location = format!("{}/{}", A::path(), A::id(row));
    Ok(Answer::created(&location, &tagged::<A>(row)?)?.etag(&stamp_of::<A>(row)?.etag()))
}

/// Adds a new secret to an answer after the answer was kept for retries, so that nothing that is stored gives the secret away.
pub fn with_secret<A: Secret>(answer: Answer, fresh: String) -> ApiResult<Answer> {
    let answer = if answer.is_replayed() { answer } else { answer.member(A::MEMBER, json!(fresh))? };
    Ok(answer.header("Cache-Control", "no-store"))
}

/// Reads an account and locks it until the commit, also against writes of its own: those that have begun end first.
pub async fn locked<A: Account>(transaction: &WriteTransaction, id: &str) -> ApiResult<Row<A>> {
    transaction.lock(&lock_name(&A::subject(id))).await?;
    transaction.locked::<A::Entity>(key::<A>(id)?).await?.ok_or_else(|| missing::<A>(id))
}

/// The same, on condition that the request knows the present version.
pub async fn matching<A: Account>(transaction: &WriteTransaction, id: &str, preconditions: &Preconditions) -> ApiResult<Row<A>> {
    let row = locked::<A>(transaction, id).await?;
    preconditions.must_match(&stamp_of::<A>(&row)?.etag())?;
    Ok(row)
}

/// Inserts an account, with its event.
pub async fn insert<A: Account>(transaction: &WriteTransaction, mut row: NewRow<A>) -> ApiResult<Row<A>> {
    row.set(column::<A>("version")?, 1.into());
    row.set(column::<A>("created_at")?, transaction.now.into());
    row.set(column::<A>("updated_at")?, transaction.now.into());
    let row = row.insert(&transaction.db).await?;
    record::<A>(transaction, "created", None, Some(&row)).await?;
    Ok(row)
}

/// Changes an account, with its event.
pub async fn apply<A: Account>(
    transaction: &WriteTransaction,
    before: Row<A>,
    action: &str,
    set: impl FnOnce(&mut NewRow<A>, &Row<A>),
) -> ApiResult<Row<A>> {
    let version = stamp_of::<A>(&before)?.version + 1;
    let mut row = before.clone().into_active_model();
    set(&mut row, &before);
    row.set(column::<A>("version")?, version.into());
    row.set(column::<A>("updated_at")?, transaction.now.into());
    let row = row.update(&transaction.db).await?;
    record::<A>(transaction, action, Some(&before), Some(&row)).await?;
    Ok(row)
}

/// Appends an event about an account to the audit log.
pub async fn record<A: Account>(
    transaction: &WriteTransaction,
    action: &str,
    before: Option<&Row<A>>,
    after: Option<&Row<A>>,
) -> ApiResult<()> {
    let Some(row) = after.or(before) else { return Ok(()) };
    let show = |row: &Row<A>| json!(A::from(row));
    let (key, version) = (A::id(row), stamp_of::<A>(row)?.version);
    let (before, after) = (before.map(show), after.map(show));
    transaction.record(AuditEvent { of: A::AUDITED, key: &key, action, version, before, after, first_event: None }).await
}

/// Replaces the secret of an account.
pub async fn rotate<A: Secret>(transaction: &WriteTransaction, id: &str, fresh: &str, grace_seconds: i32) -> ApiResult<Row<A>> {
    let row = locked::<A>(transaction, id).await?;
    let until = transaction.now + Duration::seconds(i64::from(grace_seconds));
    apply::<A>(transaction, row, "rotated", |row, before| A::replace(row, before, fresh, until)).await
}

/// Answers with a page of accounts.
pub async fn list<A: Account>(access: Access<A::Manage>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let listing = Listing::read(&mut parameters, A::NAMES.many, A::FIELDS, A::SORT.name, A::SORT, true);
    parameters.finish()?;
    access.now().await?;
    let page = listing.page(access.store.db(), A::Entity::find(), tagged::<A>).await?;
    page.answer(request.path(), request.query_string())
}

/// Answers with one account.
pub async fn get<A: Account>(
    access: Access<A::Manage>,
    id: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    access.now().await?;
    let row = A::Entity::find_by_id(key::<A>(&id)?).one(access.store.db()).await?.ok_or_else(|| missing::<A>(&id))?;
    Ok(shown::<A>(&row)?.unless_known(&preconditions))
}

/// Answers with the history of an account.
pub async fn history<A: Account>(
    access: Access<A::Manage>,
    request: HttpRequest,
    id: Path<String>,
    parameters: Parameters,
) -> ApiResult<Answer> {
    access.now().await?;
    history::answer(&access, &request, parameters, A::AUDITED, &id).await
}

/// Deletes an account.
pub async fn delete<A: Account>(
    access: Access<A::Manage>,
    id: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    access
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = matching::<A>(transaction, &id, &preconditions).await?;
            row.clone().delete(&transaction.db).await?;
            record::<A>(transaction, "deleted", Some(&row), None).await?;
            Ok(Answer::nothing())
        })
        .await
}

/// Replaces the secret of an account and answers with the new secret, this once.
pub async fn replace_secret<A: Secret>(
    access: Access<A::Manage>,
    request: HttpRequest,
    id: Path<String>,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let rotation: Rotation = body.read()?;
    let fresh = A::fresh();
    let answer = access
        .write(retry, async |transaction: &WriteTransaction| {
            shown::<A>(&rotate::<A>(transaction, &id, &fresh, rotation.grace_seconds).await?)
        })
        .await?;
    with_secret::<A>(answer, fresh)
}
