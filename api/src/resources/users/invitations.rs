//! Invitations: an administrator never knows a password. Whoever is invited sets it, once and within 72 hours.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use chrono::{DateTime, Duration, Utc};
use entity::invitation;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::{User, must_be_another};
use crate::auth::permissions::ManageUsers;
use crate::auth::secret;
use crate::http::answer::Answer;
use crate::http::body::OptionalBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::NoParameters;
use crate::http::security;
use crate::http::table::Table;
use crate::resources::accounts::{Account, apply, describe, locked};
use crate::store::access::{Access, retry};
use crate::store::transaction::WriteTransaction;

/// How long an invitation is good.
const LASTS: Duration = Duration::hours(72);
/// The member of answers that shows an invitation, once.
const MEMBER: &str = "invitation";

/// An invitation to set a password.
#[derive(Serialize, ToSchema)]
pub struct Invitation {
    /// The invitation, with which the person sets a password by `POST /v1/auth/password`. A replay of the answer does not have this
    /// member, because only a hash is stored; create another invitation if the answer was lost.
    #[schema(max_length = 128, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
    /// When the invitation expires, 72 hours after it was created.
    #[schema(max_length = 35)]
    pub expires_at: DateTime<Utc>,
}

/// Stores an invitation, which ends an earlier one, and says when it expires.
pub async fn invite(transaction: &WriteTransaction, user_id: Uuid, fresh: &str) -> ApiResult<DateTime<Utc>> {
    use invitation::Column;
    let expires_at = transaction.now + LASTS;
    let row = invitation::ActiveModel { user_id: Set(user_id), hash: Set(secret::hash_of(fresh)), expires_at: Set(expires_at) };
    let again = OnConflict::column(Column::UserId).update_columns([Column::Hash, Column::ExpiresAt]).to_owned();
    invitation::Entity::insert(row).on_conflict(again).exec_without_returning(&transaction.db).await?;
    Ok(expires_at)
}

/// Invites a user who exists, with the event.
pub async fn invite_again(transaction: &WriteTransaction, id: &str, fresh: &str) -> ApiResult<DateTime<Utc>> {
    let row = locked::<User>(transaction, id).await?;
    must_be_another(transaction, &row)?;
    if !row.active {
        return Err(ApiError::new(codes::CONFLICT).detail(
            "This user is disabled. Enable the user first.",
            "Pengguna ini dinonaktifkan. Aktifkan pengguna terlebih dahulu.",
        ));
    }
    security::note("invitation_created", &row.email, transaction.origin.address.as_deref());
    let row = apply::<User>(transaction, row, "invited", |_, _| {}).await?;
    invite(transaction, row.id, fresh).await
}

/// Uses up the invitation of a user: whether it was good.
pub async fn use_up(transaction: &WriteTransaction, user_id: Uuid, hash: &str) -> ApiResult<bool> {
    use invitation::Column;
    let of_user = invitation::Entity::delete_many().filter(Column::UserId.eq(user_id)).filter(Column::Hash.eq(hash));
    let used = of_user.filter(Column::ExpiresAt.gt(transaction.now)).exec(&transaction.db).await?;
    Ok(used.rows_affected == 1)
}

/// Ends the invitation of a user, if there is one.
pub async fn end(transaction: &WriteTransaction, user_id: Uuid) -> ApiResult<()> {
    invitation::Entity::delete_by_id(user_id).exec(&transaction.db).await?;
    Ok(())
}

/// Adds an invitation to an answer after the answer was kept for retries, so that nothing that is stored gives it away.
pub fn with_invitation(answer: Answer, fresh: String) -> ApiResult<Answer> {
    let answer = if answer.is_replayed() { answer } else { answer.member(MEMBER, json!(fresh))? };
    Ok(answer.header("Cache-Control", "no-store"))
}

async fn create_invitation(
    access: Access<ManageUsers>,
    request: HttpRequest,
    id: Path<String>,
    _: NoParameters,
    key: IdempotencyKey,
    body: OptionalBody,
) -> ApiResult<Answer> {
    access.store.logins().must_allow_passwords()?;
    let retry = retry(&request, key, &body.fingerprint);
    let fresh = secret::fresh();
    let answer = access
        .write(retry, async |transaction: &WriteTransaction| {
            let expires_at = invite_again(transaction, &id, &fresh).await?;
            Answer::ok(&Invitation { invitation: None, expires_at })
        })
        .await?;
    with_invitation(answer, fresh)
}

/// The example of an invitation.
fn example() -> Value {
    json!({ "invitation": "Zm9yIHRoZSBleGFtcGxlIG9ubHk…", "expires_at": "2022-10-07T01:00:00Z" })
}

/// A new user in the answer that shows the invitation: its schema and an example.
pub fn invited_user() -> (Map<String, Value>, Value) {
    let (mut schemas, invitation) = (describe::components::<User>(), json!(Invitation::schema()));
    let mut user = schemas.get("User").cloned().unwrap_or_default();
    if let (Some(properties), Some(more)) = (user["properties"].as_object_mut(), invitation["properties"].as_object()) {
        properties.extend(more.clone());
    }
    if let Some(required) = user["required"].as_array_mut() {
        required.push(json!("expires_at"));
    }
    user["description"] = json!("A new user, with the invitation to set a password.");
    schemas.insert("InvitedUser".to_owned(), user);
    let mut shown = describe::tagged(User::example());
    if let (Some(shown), Value::Object(more)) = (shown.as_object_mut(), example()) {
        shown.insert("has_password".to_owned(), json!(false));
        shown.extend(more);
    }
    (schemas, shown)
}

/// Adds the route.
pub(super) fn mount(table: &mut Table) {
    let about = "Creates an invitation with which the user sets a new password, for somebody who was never invited, missed the \
        invitation or forgot the password. The answer shows it, this once: pass it on in a way that reaches nobody else. It is good \
        once, for 72 hours, and ends an earlier one. The present password and all logins stay valid until it is used. Nobody invites \
        themselves (403): `POST /v1/me/password` changes the own password.";
    let path = "/v1/users/{id}/invitation";
    let create = describe::operation::<User>(Method::POST, path, "create_invitation", "Invite a user to set a password", about);
    table.on(
        create.may_take_nothing().retryable().problems(&[404]).answers::<Invitation>(
            200,
            "The invitation, which is shown this once.",
            Some(example()),
            &["Idempotent-Replayed"],
        ),
        create_invitation,
    );
}
