//! One-time codes and recovery codes as they are stored: set up, used up and removed.
//!
//! A code is good once: a time step only ever grows and a recovery code is deleted, each in a statement that no other transaction can
//! do a second time.

use entity::{recovery_code, totp, user};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::auth::totp::{recovery_hash, step_of};
use crate::http::problem::ApiResult;
use crate::http::security;
use crate::store::transaction::WriteTransaction;

/// Stores a new secret, which is not in force yet, in the place of an earlier one.
pub async fn prepare(transaction: &WriteTransaction, user_id: Uuid, secret: &[u8]) -> ApiResult<()> {
    use totp::Column;
    let row = totp::ActiveModel {
        user_id: Set(user_id),
        secret: Set(secret.to_vec()),
        last_step: Set(0),
        created_at: Set(transaction.now),
    };
    let again =
        OnConflict::column(Column::UserId).update_columns([Column::Secret, Column::LastStep, Column::CreatedAt]).to_owned();
    totp::Entity::insert(row).on_conflict(again).exec_without_returning(&transaction.db).await?;
    Ok(())
}

/// Whether a secret is stored for a user, in force or not.
pub async fn is_prepared(transaction: &WriteTransaction, user_id: Uuid) -> ApiResult<bool> {
    Ok(totp::Entity::find_by_id(user_id).one(&transaction.db).await?.is_some())
}

/// Uses up a one-time code: whether it was good.
pub async fn spend_code(transaction: &WriteTransaction, user_id: Uuid, code: &str) -> ApiResult<bool> {
    use totp::Column;
    let Some(row) = totp::Entity::find_by_id(user_id).one(&transaction.db).await? else { return Ok(false) };
    let Some(step) = step_of(&row.secret, code, transaction.now)? else { return Ok(false) };
    let spent = totp::Entity::update_many()
        .col_expr(Column::LastStep, Expr::value(step))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::LastStep.lt(step))
        .exec(&transaction.db)
        .await?;
    Ok(spent.rows_affected == 1)
}

/// Uses up a one-time code or, in its place, a recovery code: whether it was good.
pub async fn spend(transaction: &WriteTransaction, user: &user::Model, code: &str) -> ApiResult<bool> {
    if spend_code(transaction, user.id, code).await? {
        return Ok(true);
    }
    let spent = recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::UserId.eq(user.id))
        .filter(recovery_code::Column::Hash.eq(recovery_hash(code)))
        .exec(&transaction.db)
        .await?;
    let is_good = spent.rows_affected == 1;
    if is_good {
        security::log(
            "recovery_code_used",
            &user.email,
            transaction.origin.address.as_deref(),
            "in the place of a one-time code",
        );
    }
    Ok(is_good)
}

/// Gives a user new recovery codes; earlier ones end.
pub async fn replace_recovery_codes(transaction: &WriteTransaction, user_id: Uuid, codes: &[String]) -> ApiResult<()> {
    forget_recovery_codes(transaction, user_id).await?;
    let rows = codes.iter().map(|code| recovery_code::ActiveModel { user_id: Set(user_id), hash: Set(recovery_hash(code)) });
    recovery_code::Entity::insert_many(rows).exec_without_returning(&transaction.db).await?;
    Ok(())
}

/// Forgets the secret and the recovery codes of a user: whether there was a secret.
pub async fn forget(transaction: &WriteTransaction, user_id: Uuid) -> ApiResult<bool> {
    forget_recovery_codes(transaction, user_id).await?;
    Ok(totp::Entity::delete_by_id(user_id).exec(&transaction.db).await?.rows_affected == 1)
}

async fn forget_recovery_codes(transaction: &WriteTransaction, user_id: Uuid) -> ApiResult<()> {
    let all = recovery_code::Entity::delete_many().filter(recovery_code::Column::UserId.eq(user_id));
    all.exec(&transaction.db).await?;
    Ok(())
}
