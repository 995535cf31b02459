//! The login of a person: `grant_type=password` (RFC 6749 §4.3), with a one-time code where the account needs one.

use entity::user;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::form::Form;
use super::login_throttle::{Attempt, Who};
use super::refusal::{Issued, Refusal};
use super::{answer, origin};
use crate::auth::keys::Keys;
use crate::auth::{password, secret};
use crate::http::answer::Answer;
use crate::http::problem::ApiResult;
use crate::resources::second_factor;
use crate::resources::sessions::{self, actor_of, held};
use crate::store::access::Anyone;
use crate::store::transaction::WriteTransaction;

/// What becomes of a login with the right password.
enum Checked {
    Granted(Answer),
    /// The account was disabled or changed while the password was compared.
    Changed,
    CodeMissing,
    CodeWrong,
}

/// Issues a token for a user name and a password.
pub(super) async fn log_in(anyone: Anyone, keys: &Keys, form: &Form) -> Issued {
    let (Some(name), Some(given)) = (form.get("username"), form.get("password")) else {
        return Ok(Err(Refusal::request("`username` and `password` are required.", "`username` dan `password` wajib ada.")));
    };
    let email = name.to_lowercase();
    let attempt = Attempt::begin(&anyone, Who::Person, &email).await?;
    let user = user::Entity::find().filter(user::Column::Email.eq(&email)).one(anyone.store.db()).await?;
    let user = user.filter(|user| user.active);
    // Whether the account exists or not, and has a password or not, one hash is computed and one failure is counted.
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let is_right = password::verify(password::cut(given), hash, attempt.is_known).await?;
    let Some(user) = user.filter(|_| is_right) else {
        attempt.failed(&anyone, "unknown or disabled account, or wrong password").await?;
        return Ok(Err(wrong()));
    };
    match grant(&anyone, keys, &attempt, &user, form.get("totp")).await? {
        Checked::Granted(answer) => Ok(Ok(answer)),
        Checked::CodeMissing => Ok(Err(Refusal::mfa())),
        Checked::CodeWrong => {
            attempt.failed(&anyone, "wrong or used one-time code").await?;
            Ok(Err(Refusal::grant(
                "The one-time code is wrong or was used before.",
                "Kode sekali pakai salah atau sudah pernah dipakai.",
            )))
        }
        Checked::Changed => {
            attempt.failed(&anyone, "disabled or changed during the login").await?;
            Ok(Err(wrong()))
        }
    }
}

fn wrong() -> Refusal {
    Refusal::grant("The user name or the password is wrong.", "Nama pengguna atau kata sandi salah.")
}

async fn grant(anyone: &Anyone, keys: &Keys, attempt: &Attempt, user: &user::Model, code: Option<&str>) -> ApiResult<Checked> {
    let policy = anyone.store.logins();
    let (family, token) = (Uuid::now_v7(), secret::fresh());
    let origin = origin(anyone, actor_of(user, Some(family), policy));
    anyone
        .store
        .transact(origin, async |transaction: &WriteTransaction| {
            // The account was read before the password was compared. In the meantime it may have been disabled, or its password
            // changed.
            let now = held(transaction, user.id).await?.filter(|now| now.password_hash == user.password_hash);
            let Some(now) = now else { return Ok(Checked::Changed) };
            if now.totp_since.is_some() {
                let Some(code) = code else { return Ok(Checked::CodeMissing) };
                if !second_factor::spend(transaction, &now, code).await? {
                    return Ok(Checked::CodeWrong);
                }
            }
            attempt.succeeded(transaction, "login").await?;
            sessions::issue(transaction, now.id, family, &token).await?;
            let answer = answer(keys, &actor_of(&now, Some(family), policy), Some(token))?;
            let mut row = now.into_active_model();
            row.last_login_at = Set(Some(transaction.now));
            row.update(&transaction.db).await?;
            Ok(Checked::Granted(answer))
        })
        .await
}
