//! What users, clients and webhooks have in common: only those who manage them see them, what changes is remembered, and no
//! answer shows a secret but the one that made it.

pub mod describe;

use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::web::Path;
use chrono::{DateTime, Duration, Utc};
use sea_orm::{ActiveModelBehavior, ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait, PrimaryKeyTrait};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::history;
use super::resource::{Names, Stamp};
use crate::auth::permissions::Permission;
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{NoParameters, Parameters};
use crate::store::access::{Access, retry};
use crate::store::listing::{Field, Listing};
use crate::store::standing::lock_name;
use crate::store::transaction::{AuditEvent, Retry, WriteTransaction};

/// The row of an account.
pub type Row<A> = <<A as Account>::Entity as EntityTrait>::Model;
/// The row of an account, to be written.
pub type NewRow<A> = <<A as Account>::Entity as EntityTrait>::ActiveModel;
type Key<A> = <<<A as Account>::Entity as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::ValueType;
type Column<A> = <<A as Account>::Entity as EntityTrait>::Column;

/// How long the old secret holds after a rotation where the request does not say: a day to bring the new one out.
pub const GRACE_SECONDS: i32 = 86_400;

/// A kind of account: the type that implements it is how answers and the audit log show it.
pub trait Account: Serialize + ToSchema + for<'row> From<&'row Row<Self>> + 'static {
    /// What it is called. `about` tells of one.
    const NAMES: Names;
    /// What the list of them is.
    const ABOUT_ALL: &'static str;
    /// Whose part of the document it is in.
    const TAG: &'static str;
    /// The path of one.
    const ONE: &'static str;
    /// What lists can be filtered and sorted by.
    const FIELDS: &'static [Field];
    /// What they are sorted by where the request does not say: no two have the same.
    const SORT: Field;
    /// What `q=` looks through, in words.
    const SEARCHES: &'static str;
    /// Its table.
    type Entity: EntityTrait<
            Model: ModelTrait<Entity = Self::Entity> + IntoActiveModel<NewRow<Self>> + Send + Sync + Clone,
            ActiveModel: ActiveModelTrait<Entity = Self::Entity> + ActiveModelBehavior + Send,
            Column: FromStr<Err: std::fmt::Debug>,
        >;
    /// Who manages them.
    type Manage: Permission;

    /// One of them.
    fn example() -> Value;

    /// What an id in a path stands for, if it can be one.
    fn key(id: &str) -> Option<Key<Self>>;

    /// The id of a row.
    fn id(row: &Row<Self>) -> String;

    /// What a path calls it, as its tokens do.
    fn subject(id: &str) -> String {
        id.to_owned()
    }

    /// The path of all.
    fn path() -> String {
        format!("/v1/{}", Self::NAMES.many)
    }
}

/// An account with a secret that the service makes.
pub trait Secret: Account {
    /// The member that shows it.
    const MEMBER: &'static str;
    /// One that fits nothing.
    const SECRET_EXAMPLE: &'static str;

    /// Another secret.
    fn fresh() -> String;

    /// Puts it in the place of the one that the row has, which holds beside it for a while.
    fn replace(row: &mut NewRow<Self>, before: &Row<Self>, fresh: &str, until: DateTime<Utc>);
}

/// How a secret is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Seconds that the old secret holds beside the new one; a day (86400) where it is absent.
    #[serde(default = "default_grace")]
    #[schema(minimum = 0, maximum = 604800, example = 86400)]
    pub grace_seconds: i32,
}

fn default_grace() -> i32 {
    GRACE_SECONDS
}

/// There is none with this id.
pub fn missing<A: Account>(id: &str) -> ApiError {
    ApiError::not_found(A::NAMES.one, id)
}

fn key<A: Account>(id: &str) -> ApiResult<Key<A>> {
    A::key(id).ok_or_else(|| missing::<A>(id))
}

fn column<A: Account>(name: &str) -> ApiResult<Column<A>> {
    Column::<A>::from_str(name).map_err(|_| ApiError::unexpected(format!("no column `{name}`")))
}

/// One as the answer to a request shows it.
pub fn shown<A: Account>(row: &Row<A>) -> ApiResult<Answer> {
    Ok(Answer::ok(&A::from(row))?.etag(&Stamp::of_row::<A::Entity>(row)?.etag()))
}

/// A new one as the answer to a request shows it.
pub fn created<A: Account>(row: &Row<A>) -> ApiResult<Answer> {
    let location = format!("{}/{}", A::path(), A::id(row));
    Ok(Answer::created(&location, &A::from(row))?.etag(&Stamp::of_row::<A::Entity>(row)?.etag()))
}

/// Shows a new secret. It is added after the answer was kept for retries: nothing that is kept for those gives it away.
pub fn with_secret<A: Secret>(answer: Answer, fresh: String) -> ApiResult<Answer> {
    let answer = if answer.is_replayed() { answer } else { answer.member(A::MEMBER, json!(fresh))? };
    Ok(answer.header("Cache-Control", "no-store"))
}

/// One, kept from others until the commit, and from making writes of its own: those that have begun end first.
pub async fn locked<A: Account>(transaction: &WriteTransaction, id: &str) -> ApiResult<Row<A>> {
    transaction.lock(&lock_name(&A::subject(id))).await?;
    transaction.locked::<A::Entity>(key::<A>(id)?).await?.ok_or_else(|| missing::<A>(id))
}

/// The same, where the request knows it as it is.
pub async fn matching<A: Account>(transaction: &WriteTransaction, id: &str, preconditions: &Preconditions) -> ApiResult<Row<A>> {
    let row = locked::<A>(transaction, id).await?;
    preconditions.must_match(&Stamp::of_row::<A::Entity>(&row)?.etag())?;
    Ok(row)
}

/// Inserts one, with its event.
pub async fn insert<A: Account>(transaction: &WriteTransaction, mut row: NewRow<A>) -> ApiResult<Row<A>> {
    row.set(column::<A>("version")?, 1.into());
    row.set(column::<A>("created_at")?, transaction.now.into());
    row.set(column::<A>("updated_at")?, transaction.now.into());
    let row = row.insert(&transaction.db).await?;
    record::<A>(transaction, "created", None, Some(&row)).await?;
    Ok(row)
}

/// Changes one, with its event.
pub async fn apply<A: Account>(
    transaction: &WriteTransaction,
    before: Row<A>,
    action: &str,
    set: impl FnOnce(&mut NewRow<A>, &Row<A>),
) -> ApiResult<Row<A>> {
    let version = Stamp::of_row::<A::Entity>(&before)?.version + 1;
    let mut row = before.clone().into_active_model();
    set(&mut row, &before);
    row.set(column::<A>("version")?, version.into());
    row.set(column::<A>("updated_at")?, transaction.now.into());
    let row = row.update(&transaction.db).await?;
    record::<A>(transaction, action, Some(&before), Some(&row)).await?;
    Ok(row)
}

/// Appends to the audit log what happened to one.
pub async fn record<A: Account>(
    transaction: &WriteTransaction,
    action: &str,
    before: Option<&Row<A>>,
    after: Option<&Row<A>>,
) -> ApiResult<()> {
    let Some(row) = after.or(before) else { return Ok(()) };
    let show = |row: &Row<A>| json!(A::from(row));
    let (key, version) = (A::id(row), Stamp::of_row::<A::Entity>(row)?.version);
    let (before, after) = (before.map(show), after.map(show));
    transaction.record(AuditEvent { resource: A::NAMES.one, key: &key, action, version, before, after }).await
}

/// Replaces the secret of one.
pub async fn rotate<A: Secret>(transaction: &WriteTransaction, id: &str, fresh: &str, grace_seconds: i32) -> ApiResult<Row<A>> {
    let row = locked::<A>(transaction, id).await?;
    let until = transaction.now + Duration::seconds(i64::from(grace_seconds));
    apply::<A>(transaction, row, "rotated", |row, before| A::replace(row, before, fresh, until)).await
}

/// Answers with a page of them.
pub async fn list<A: Account>(access: Access<A::Manage>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let listing = Listing::read(&mut parameters, A::NAMES.many, A::FIELDS, A::SORT.name, A::SORT, true);
    parameters.finish()?;
    access.now().await?;
    let page = listing.page(access.store.db(), A::Entity::find(), |row| Ok(json!(A::from(row)))).await?;
    page.answer(request.path(), request.query_string())
}

/// Answers with one.
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

/// Answers with its history.
pub async fn history<A: Account>(
    access: Access<A::Manage>,
    request: HttpRequest,
    id: Path<String>,
    parameters: Parameters,
) -> ApiResult<Answer> {
    access.now().await?;
    history::answer(&access, &request, parameters, A::NAMES.one, &id).await
}

/// Deletes one.
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

/// Replaces the secret of one and answers with the new one, once.
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
