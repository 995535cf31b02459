//! The logins of people. All refresh tokens that follow from one login form a family, which lives until it is revoked or expires.

use chrono::Duration;
use entity::{refresh_token, user};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::auth::actor::{Actor, ActorKind, Login};
use crate::auth::secret;
use crate::http::problem::ApiResult;
use crate::store::standing::{self, LoginPolicy};
use crate::store::transaction::WriteTransaction;

/// How long a refresh token can be used.
const REFRESH_TOKEN_LASTS: Duration = Duration::days(30);

/// Who a token of a login is issued to.
pub fn actor_of(user: &user::Model, family: Option<Uuid>, policy: LoginPolicy) -> Actor {
    Actor {
        kind: ActorKind::User,
        id: user.id.to_string(),
        name: user.email.clone(),
        is_outside: false,
        role: user.role,
        opd: user.opd.clone(),
        scopes: None,
        login: Login { family, must_set_up_totp: policy.demands_totp(user.role, user.totp_since.is_some()) },
    }
}

/// Reads an account that may log in, and keeps it as it is until the commit.
pub async fn held(transaction: &WriteTransaction, id: Uuid) -> ApiResult<Option<user::Model>> {
    standing::hold(&transaction.db, &id.to_string()).await?;
    Ok(user::Entity::find_by_id(id).one(&transaction.db).await?.filter(|user| user.active))
}

/// Reads a refresh token and locks it until the commit. Its account is locked first, as by everybody who ends all its sessions;
/// otherwise two transactions could wait for each other.
pub async fn locked(transaction: &WriteTransaction, hash: &str) -> ApiResult<Option<refresh_token::Model>> {
    let Some(row) = refresh_token::Entity::find_by_id(hash).one(&transaction.db).await? else { return Ok(None) };
    standing::hold(&transaction.db, &row.user_id.to_string()).await?;
    transaction.locked::<refresh_token::Entity>(hash.to_owned()).await
}

/// Stores the next refresh token of a family.
pub async fn issue(transaction: &WriteTransaction, user_id: Uuid, family: Uuid, token: &str) -> ApiResult<()> {
    let row = refresh_token::ActiveModel {
        hash: Set(secret::hash_of(token)),
        family: Set(family),
        user_id: Set(user_id),
        expires_at: Set(transaction.now + REFRESH_TOKEN_LASTS),
        used_at: Set(None),
        revoked_at: Set(None),
        created_at: Set(transaction.now),
    };
    row.insert(&transaction.db).await?;
    Ok(())
}

/// Revokes a family.
pub async fn revoke_family(transaction: &WriteTransaction, family: Uuid) -> ApiResult<()> {
    let revoked = refresh_token::ActiveModel { revoked_at: Set(Some(transaction.now)), ..Default::default() };
    refresh_token::Entity::update_many()
        .set(revoked)
        .filter(refresh_token::Column::Family.eq(family))
        .exec(&transaction.db)
        .await?;
    Ok(())
}

/// Ends the logins of a user, but for the one that is to be kept. The account must be locked.
pub async fn end(transaction: &WriteTransaction, user_id: Uuid, kept: Option<Uuid>) -> ApiResult<()> {
    let all = refresh_token::Entity::delete_many().filter(refresh_token::Column::UserId.eq(user_id));
    let ended = match kept {
        Some(family) => all.filter(refresh_token::Column::Family.ne(family)),
        None => all,
    };
    ended.exec(&transaction.db).await?;
    Ok(())
}
