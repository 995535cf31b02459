//! `POST /v1/me/password`: a person changes the own password.

use actix_web::HttpRequest;
use actix_web::http::Method;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::own_account;
use crate::auth::password;
use crate::auth::permissions::{ManageOwnAccount, Permission};
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::resources::accounts::locked;
use crate::resources::auth::login_throttle::{Attempt, Who};
use crate::resources::users::{self, User};
use crate::store::access::{Access, Anyone, retry};
use crate::store::transaction::WriteTransaction;

/// The body of a request that changes the own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The present password.
    #[schema(min_length = 1, max_length = 4096, format = Password)]
    current: String,
    /// The new password: at least 12 characters, and not a common one.
    #[schema(min_length = 12, max_length = 128, format = Password)]
    new: String,
}

/// 422 for a present password that is wrong.
pub(super) fn wrong_password(pointer: &str) -> ApiError {
    ApiError::field_error(pointer, "wrong_password", "The password is wrong.", "Kata sandi salah.")
}

async fn change_password(
    access: Access<ManageOwnAccount>,
    anyone: Anyone,
    request: HttpRequest,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let (actor, account) = own_account(&access).await?;
    anyone.store.logins().must_allow_passwords()?;
    let retry = retry(&request, key, &body.fingerprint);
    let PasswordChange { current, new } = body.read()?;
    password::must_be_strong("/new", &new)?;
    let attempt = Attempt::begin(&anyone, Who::Person, &account.email).await?;
    let is_right = password::verify(password::cut(&current), account.password_hash.clone(), attempt.is_known).await?;
    let hash = if is_right { Some(password::hash(new).await?) } else { None };
    // A wrong password is refused only in the transaction: a retry of the request that changed it gets its answer again.
    let change = access.write(retry, async |transaction: &WriteTransaction| {
        let row = locked::<User>(transaction, &actor.id).await?;
        let Some(hash) = hash.filter(|_| row.password_hash == account.password_hash) else {
            return Err(wrong_password("/current"));
        };
        attempt.succeeded(transaction, "password_changed").await?;
        users::set_password(transaction, row, "password_changed", hash, actor.login.family).await?;
        Ok(Answer::nothing())
    });
    let answer = change.await;
    if answer.as_ref().is_err_and(|error| error.code() == codes::INVALID) {
        attempt.failed(&anyone, "wrong present password").await?;
    }
    answer
}

/// Adds the route.
pub(super) fn mount(table: &mut Table) {
    let change = Operation::new(
        Method::POST,
        "/v1/me/password",
        "change_password",
        "identity",
        "Change your own password",
        "Changes the password of the person whose token it is. All other logins of the person end; the login to which the token belongs \
         goes on. A wrong `current` is refused with 422 `wrong_password` and counts as a failed login, so further attempts may have to \
         wait (429). Whoever forgot the password asks an administrator for an invitation.",
    );
    let example = json!({ "current": "sepeda biru di pelabuhan", "new": "kopi tubruk tanpa gula" });
    table.on(
        change
            .roles(&ManageOwnAccount::role_names())
            .takes::<PasswordChange>(example)
            .retryable()
            .problems(&[429])
            .answers_nothing(204, "The password is changed."),
        change_password,
    );
}
