//! `POST /v1/auth/password`: an invited person sets a password.

use actix_web::HttpRequest;
use actix_web::http::Method;
use entity::{invitation, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::origin;
use crate::auth::actor::Actor;
use crate::auth::{password, secret};
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::NoParameters;
use crate::http::security;
use crate::http::table::Table;
use crate::resources::accounts::locked;
use crate::resources::sessions::actor_of;
use crate::resources::users::{self, User};
use crate::store::access::{Anyone, retry};
use crate::store::clock::now;
use crate::store::transaction::WriteTransaction;

/// The body of a request that sets the password of an invited person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitedPassword {
    /// The invitation, as an administrator passed it on. It is good once, for 72 hours.
    #[schema(min_length = 1, max_length = 128)]
    invitation: String,
    /// The password: at least 12 characters, and not a common one.
    #[schema(min_length = 12, max_length = 128, format = Password)]
    new: String,
}

/// 422 for an invitation that is good for nothing. The answer is the same whatever the reason is.
fn invalid() -> ApiError {
    ApiError::field_error(
        "/invitation",
        "invalid_invitation",
        "The invitation is unknown, was used or replaced, or has expired. Ask an administrator for another one.",
        "Undangan tidak dikenal, sudah dipakai atau diganti, atau kedaluwarsa. Mintalah undangan lain kepada administrator.",
    )
}

/// The person whom an invitation with this hash is for. It has 256 random bits, so guessing need not be slowed down.
async fn invited(anyone: &Anyone, hash: &str) -> ApiResult<Option<user::Model>> {
    let of_hash = invitation::Entity::find().filter(invitation::Column::Hash.eq(hash));
    let Some(row) = of_hash.one(anyone.store.db()).await?.filter(|row| row.expires_at > now()) else { return Ok(None) };
    Ok(user::Entity::find_by_id(row.user_id).one(anyone.store.db()).await?.filter(|user| user.active))
}

async fn set_password(
    anyone: Anyone,
    request: HttpRequest,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    anyone.store.logins().must_allow_passwords()?;
    let retry = retry(&request, key, &body.fingerprint);
    let InvitedPassword { invitation, new } = body.read()?;
    password::must_be_strong("/new", &new)?;
    let given = secret::hash_of(&invitation);
    let person = invited(&anyone, &given).await?;
    // Hashing takes long, so it is done only for an invitation that is good, and before the transaction.
    let hash = if person.is_some() { Some(password::hash(new).await?) } else { None };
    let actor = person.as_ref().map_or_else(|| Actor::system("auth"), |user| actor_of(user, None, anyone.store.logins()));
    let origin = origin(&anyone, actor);
    let written = anyone.store.write_by_secret(&given, origin, retry, async |transaction: &WriteTransaction| {
        let (Some(person), Some(hash)) = (person, hash) else { return Err(invalid()) };
        let row = locked::<User>(transaction, &person.id.to_string()).await?;
        // Of two requests with the same invitation the second one finds that it is used.
        let is_good = users::invitations::use_up(transaction, row.id, &given).await? && row.active;
        if !is_good {
            return Err(invalid());
        }
        security::note("password_set", &row.email, transaction.origin.address.as_deref());
        users::set_password(transaction, row, "password_set", hash, None).await?;
        Ok(Answer::nothing())
    });
    let answer = written.await;
    if answer.as_ref().is_err_and(|error| error.code().status == 422) {
        security::log("invitation_refused", "", anyone.address.as_deref(), "unknown, used, replaced or expired");
    }
    answer
}

/// Adds the route.
pub(super) fn mount(table: &mut Table) {
    let set = Operation::new(
        Method::POST,
        "/v1/auth/password",
        "set_invited_password",
        "identity",
        "Set your password with an invitation",
        "Sets the password of the person whom an administrator invited, as a new user or because the password was lost. The invitation is \
         good once, for 72 hours, and ends when an administrator creates another one. All logins of the account end; log in with the new \
         password. An invitation that is not good is refused with 422 `invalid_invitation`.",
    );
    let example = json!({ "invitation": "q3n8…", "new": "kopi tubruk tanpa gula" });
    table.on(
        set.public()
            .takes::<InvitedPassword>(example)
            .retryable()
            .problems(&[403])
            .answers_nothing(204, "The password is set, and the invitation is used up."),
        set_password,
    );
}
