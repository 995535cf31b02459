//! `/v1/users`: the people who log in.

pub mod invitations;
pub mod reset;

use actix_web::HttpRequest;
use actix_web::web::Path;
use chrono::{DateTime, Utc};
use entity::user::{self, Role};
use entity::value::code::Code;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::accounts::{self, Account, apply, created, describe, insert, matching, shown};
use super::{opds, sessions};
use crate::auth::permissions::ManageUsers;
use crate::auth::secret;
use crate::crud::references::must_exist;
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::language::{Noun, Text};
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::kind::{Audited, Field, Names, Recorded, Stored, ValueType};
use crate::store::retry::Retry;
use crate::store::transaction::WriteTransaction;

const ROLES: &[&str] = &["admin", "verifier", "operator", "viewer"];

/// The body of a request that adds a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The e-mail address, which is the user name; upper and lower case do not matter.
    #[schema(max_length = 254, pattern = r"^[^@\s\u0000]+@[^@\s\u0000]+$")]
    pub email: String,
    /// The name to show.
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// The role of the user: what the person may do.
    pub role: Role,
    /// The OPD of an operator; users with other roles have none.
    pub opd: Option<Code>,
}

/// The body of a request that changes a user. Only the members in it change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// The name to show.
    #[schema(max_length = 200, nullable = false)]
    name: Option<String>,
    /// The role of the user: what the person may do.
    #[schema(nullable = false)]
    role: Option<Role>,
    /// The OPD of an operator; users with other roles have none.
    opd: Option<Code>,
    /// Whether the user may log in. Disabling a user ends all sessions and all writes at once; reads with an access token that
    /// was issued before end within 15 minutes.
    #[schema(nullable = false)]
    active: Option<bool>,
}

/// A user: a person who logs in.
#[derive(Serialize, ToSchema)]
pub struct User {
    /// The identifier, a UUIDv7.
    #[schema(max_length = 36)]
    id: Uuid,
    /// The e-mail address, which is the user name.
    #[schema(max_length = 254)]
    email: String,
    /// The name to show.
    #[schema(max_length = 200)]
    name: String,
    /// The role of the user: what the person may do.
    role: Role,
    /// The OPD of an operator; null for other roles.
    #[schema(max_length = 64, required)]
    opd: Option<String>,
    /// Whether the user may log in.
    active: bool,
    /// Whether the user has set a password. Until then the user can only use an invitation.
    has_password: bool,
    /// Whether a login needs a one-time code (TOTP).
    totp: bool,
    /// The time of the last successful login; null before the first one.
    #[schema(max_length = 35, required)]
    last_login_at: Option<DateTime<Utc>>,
    /// The version: it grows by one with every write.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: i32,
    /// When it was created.
    #[schema(max_length = 35)]
    created_at: DateTime<Utc>,
    /// When it was last changed.
    #[schema(max_length = 35)]
    updated_at: DateTime<Utc>,
}

impl From<&user::Model> for User {
    fn from(row: &user::Model) -> Self {
        Self {
            id: row.id,
            email: row.email.clone(),
            name: row.name.clone(),
            role: row.role,
            opd: row.opd.clone(),
            active: row.active,
            has_password: row.password_hash.is_some(),
            totp: row.totp_since.is_some(),
            last_login_at: row.last_login_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// What the audit log tells of it.
pub static AUDITED: Audited = Audited::new("user", Noun::new("user", "pengguna"))
    .about_accounts(&[
        "created",
        "updated",
        "invited",
        "password_set",
        "password_changed",
        "totp_enabled",
        "totp_removed",
        "totp_reset",
        "recovery_codes_replaced",
    ])
    .recorded(|| Recorded::of::<User>(User::example()));

/// Where it refers to its OPD.
pub const STORED: Stored =
    Stored { to: &opds::KIND, resource: "user", table: "user_account", column: "opd", name: "email", only: None };

impl Account for User {
    const NAMES: Names = Names {
        one: "user",
        many: "users",
        spoken: "user",
        plural: "users",
        indonesian: "pengguna",
        schema: "User",
        about: "A user: a person who logs in.",
    };
    const AUDITED: &'static Audited = &AUDITED;
    const ABOUT_ALL: &'static str = "The users: people who log in.";
    const TAG: &'static str = "identity";
    const ONE: &'static str = "/v1/users/{id}";
    const FIELDS: &'static [Field] = &[
        Field::filter("email", ValueType::Text),
        Field::filter("role", ValueType::Choice(ROLES)),
        Field::filter("opd", ValueType::Code),
        Field::filter("active", ValueType::Flag),
    ];
    const SORT: Field = Field::sort("email", ValueType::Text);
    const SEARCHES: &'static str = "the e-mail addresses and names of users";
    type Entity = user::Entity;
    type Manage = ManageUsers;

    fn example() -> Value {
        json!({
            "id": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11", "email": "operator.dinkes@demo.invalid", "name": "Operator DINKES",
            "role": "operator", "opd": "DINKES", "active": true, "has_password": true, "totp": false, "last_login_at": null, "version": 1,
            "created_at": "2022-10-04T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
        })
    }

    fn key(id: &str) -> Option<Uuid> {
        Uuid::parse_str(id).ok()
    }

    fn id(row: &user::Model) -> String {
        row.id.to_string()
    }

    fn subject(id: &str) -> String {
        Uuid::parse_str(id).map_or_else(|_| id.to_owned(), |id| id.to_string())
    }
}

async fn create_user(
    access: Access<ManageUsers>,
    request: HttpRequest,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    access.store.logins().must_allow_passwords()?;
    let retry = retry(&request, key, &body.fingerprint);
    let new: NewUser = body.read()?;
    let fresh = secret::fresh();
    let answer = access
        .write(retry, async |transaction: &WriteTransaction| {
            let row = add(transaction, new, None).await?;
            let expires_at = invitations::invite(transaction, row.id, &fresh).await?;
            created::<User>(&row)?.member("expires_at", json!(expires_at))
        })
        .await?;
    invitations::with_invitation(answer, fresh)
}

/// Adds a user, whose password has this hash or is set by invitation.
pub async fn add(transaction: &WriteTransaction, new: NewUser, hash: Option<String>) -> ApiResult<user::Model> {
    let field_errors = field_errors_of(new.role, new.opd.as_ref());
    if !field_errors.is_empty() {
        return Err(ApiError::invalid(field_errors));
    }
    if let Some(opd) = &new.opd {
        must_exist(&transaction.db, "/opd", &opds::KIND, opd).await?;
    }
    let email = new.email.to_lowercase();
    let name = new.name.unwrap_or_else(|| email.clone());
    let row = user::ActiveModel {
        id: Set(Uuid::now_v7()),
        search: Set(format!("{email}\n{name}").to_lowercase()),
        email: Set(email),
        name: Set(name),
        role: Set(new.role),
        opd: Set(new.opd.map(|code| code.to_string())),
        active: Set(true),
        password_hash: Set(hash),
        totp_since: Set(None),
        last_login_at: Set(None),
        ..Default::default()
    };
    insert::<User>(transaction, row).await
}

/// Sets the password of an account that is locked, with the event: its invitation and its logins end, but for the login that is to be
/// kept.
pub async fn set_password(
    transaction: &WriteTransaction,
    row: user::Model,
    action: &'static str,
    hash: String,
    kept: Option<Uuid>,
) -> ApiResult<()> {
    let row = apply::<User>(transaction, row, action, |row, _| row.password_hash = Set(Some(hash))).await?;
    invitations::end(transaction, row.id).await?;
    sessions::end(transaction, row.id, kept).await
}

/// 403 for the own account: whoever has only a token must prove more to change how the account logs in.
fn must_be_another(transaction: &WriteTransaction, row: &user::Model) -> ApiResult<()> {
    if transaction.origin.actor.id != row.id.to_string() {
        return Ok(());
    }
    Err(ApiError::new(codes::FORBIDDEN).detail(
        "This is your own account: use `/v1/me/password` or `/v1/me/totp`, which ask for your password.",
        "Ini akun Anda sendiri: gunakan `/v1/me/password` atau `/v1/me/totp`, yang meminta kata sandi Anda.",
    ))
}

/// Every field error of a role together with its OPD.
pub fn field_errors_of(role: Role, opd: Option<&Code>) -> Vec<FieldError> {
    let mut field_errors = Vec::new();
    match (role, opd) {
        (Role::Operator, None) => field_errors.push(FieldError::at(
            "/opd",
            "required",
            Text::new("An operator needs an OPD.", "Operator harus memiliki OPD."),
        )),
        (Role::Operator, Some(_)) | (_, None) => {}
        (_, Some(_)) => field_errors.push(FieldError::at(
            "/opd",
            "not_allowed",
            Text::new("Only an operator can have an OPD.", "Hanya operator yang dapat memiliki OPD."),
        )),
    }
    field_errors
}

async fn update_user(
    access: Access<ManageUsers>,
    id: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
    body: JsonBody,
) -> ApiResult<Answer> {
    let clears_opd = body.value.get("opd").is_some_and(Value::is_null);
    let patch: UserPatch = body.read()?;
    access
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = matching::<User>(transaction, &id, &preconditions).await?;
            shown::<User>(&update(transaction, row, patch, clears_opd).await?)
        })
        .await
}

async fn update(transaction: &WriteTransaction, row: user::Model, patch: UserPatch, clears_opd: bool) -> ApiResult<user::Model> {
    let role = patch.role.unwrap_or(row.role);
    let kept = row.opd.as_deref().filter(|_| !clears_opd && role == Role::Operator).map(crate::crud::members::code);
    let opd = patch.opd.or(kept);
    let field_errors = field_errors_of(role, opd.as_ref());
    if !field_errors.is_empty() {
        return Err(ApiError::invalid(field_errors));
    }
    if let Some(opd) = &opd {
        must_exist(&transaction.db, "/opd", &opds::KIND, opd).await?;
    }
    let active = patch.active.unwrap_or(row.active);
    must_leave_an_admin(transaction, &row, role, active).await?;
    let row = apply::<User>(transaction, row, "updated", |row, before| {
        let name = patch.name.unwrap_or_else(|| before.name.clone());
        row.search = Set(format!("{}\n{name}", before.email).to_lowercase());
        row.name = Set(name);
        row.role = Set(role);
        row.opd = Set(opd.map(|code| code.to_string()));
        row.active = Set(active);
    });
    let row = row.await?;
    if !active {
        invitations::end(transaction, row.id).await?;
        sessions::end(transaction, row.id, None).await?;
    }
    Ok(row)
}

/// Ensures that somebody can still log in and manage users. Two admins who disable each other take turns.
async fn must_leave_an_admin(transaction: &WriteTransaction, before: &user::Model, role: Role, active: bool) -> ApiResult<()> {
    let was_admin = before.role == Role::Admin && before.active;
    if !was_admin || (role == Role::Admin && active) {
        return Ok(());
    }
    transaction.lock("the admins").await?;
    let others = user::Entity::find().filter(user::Column::Role.eq(Role::Admin)).filter(user::Column::Active.eq(true));
    // Somebody who was invited and did not come yet manages nobody.
    let others = others.filter(user::Column::PasswordHash.is_not_null());
    if others.filter(user::Column::Id.ne(before.id)).count(&transaction.db).await? > 0 {
        return Ok(());
    }
    Err(ApiError::new(codes::CONFLICT).detail(
        "This is the last active admin, who cannot be disabled or given another role.",
        "Ini admin aktif yang terakhir, sehingga tidak dapat dinonaktifkan atau diganti perannya.",
    ))
}

/// Adds the routes of the users.
pub fn mount(table: &mut Table) {
    let new = json!({ "email": "operator.dinkes@demo.invalid", "name": "Operator DINKES", "role": "operator", "opd": "DINKES" });
    let about = "The answer shows an invitation, this once: pass it on to the person in a way that reaches nobody else. It is good once, \
        for 72 hours, to set a password by `POST /v1/auth/password`. No administrator sets or knows a password.";
    let (schemas, shown) = invitations::invited_user();
    let create = describe::create::<User, NewUser>(about, new, User::example()).with_schemas(schemas).answers_schema(
        201,
        "The user that was created, with the invitation to set a password.",
        json!({ "$ref": "#/components/schemas/InvitedUser" }),
        Some(shown),
        &["ETag", "Location", "Idempotent-Replayed"],
    );
    let about = "Only the members in the body change. Users are disabled instead of deleted, because the history names them.";
    let update = describe::update::<User, UserPatch>(about, json!({ "active": false })).problems(&[409]);
    let about = "Who changed the account and when, the oldest change first. It contains no passwords.";
    table
        .on(describe::list::<User>(), accounts::list::<User>)
        .on(create, create_user)
        .on(describe::get::<User>(), accounts::get::<User>)
        .on(update, update_user)
        .on(describe::history::<User>(about), accounts::history::<User>);
    invitations::mount(table);
    reset::mount(table);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_operator_has_an_opd() {
        let opd = Code::parse("DINKES").ok();
        assert!(field_errors_of(Role::Operator, opd.as_ref()).is_empty());
        assert_eq!(field_errors_of(Role::Operator, None).len(), 1);
        assert_eq!(field_errors_of(Role::Viewer, opd.as_ref()).len(), 1);
    }
}
