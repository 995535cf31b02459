//! `DELETE /v1/users/{id}/totp`: an administrator removes the one-time codes of a user who lost them.

use actix_web::http::Method;
use actix_web::web::Path;
use entity::user;
use sea_orm::ActiveValue::Set;

use super::{User, must_be_another};
use crate::auth::permissions::ManageUsers;
use crate::http::answer::Answer;
use crate::http::language::Noun;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::NoParameters;
use crate::http::security;
use crate::http::table::Table;
use crate::resources::accounts::{apply, describe, locked};
use crate::resources::second_factor;
use crate::store::access::Access;
use crate::store::retry::Retry;
use crate::store::transaction::WriteTransaction;

/// Removes the one-time codes of a user, with the event: 404 if there are none.
pub async fn remove_totp(transaction: &WriteTransaction, row: user::Model, action: &'static str) -> ApiResult<()> {
    if !second_factor::forget(transaction, row.id).await? {
        let noun = Noun::new("one-time code setup of", "penyiapan kode sekali pakai untuk");
        return Err(ApiError::not_found(noun, &row.email));
    }
    security::note(action, &row.email, transaction.origin.address.as_deref());
    if row.totp_since.is_some() {
        apply::<User>(transaction, row, action, |row, _| row.totp_since = Set(None)).await?;
    }
    Ok(())
}

async fn reset_totp(access: Access<ManageUsers>, id: Path<String>, _: NoParameters) -> ApiResult<Answer> {
    access
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = locked::<User>(transaction, &id).await?;
            must_be_another(transaction, &row)?;
            remove_totp(transaction, row, "totp_reset").await?;
            Ok(Answer::nothing())
        })
        .await
}

/// Adds the route.
pub(super) fn mount(table: &mut Table) {
    let about = "Removes the one-time codes (TOTP) and recovery codes of a user who lost them. The user then logs in with the password \
        alone and can set up new codes; where the role needs one-time codes, the user reaches only the own account until then. 404 if \
        the user has none. Nobody does so for themselves (403): `DELETE /v1/me/totp` asks for a proof.";
    let path = "/v1/users/{id}/totp";
    let reset = describe::operation::<User>(Method::DELETE, path, "reset_user_totp", "Remove a user's one-time codes", about);
    table.on(reset.problems(&[404]).answers_nothing(204, "The one-time codes were removed."), reset_totp);
}
