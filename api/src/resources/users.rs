//! `/v1/users`: the people who log in.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use chrono::{DateTime, Utc};
use entity::user::{self, Role};
use entity::value::code::Code;
use entity::{opd, refresh_token};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::describe::{filter_parameters, page_parameters};
use super::history::{self, Entry};
use super::references::{Target, unknown};
use super::wire;
use crate::auth::password;
use crate::auth::permissions::{ManageUsers, Permission};
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::language::Text;
use crate::http::operation::Operation;
use crate::http::precondition::{Preconditions, entity_tag};
use crate::http::problem::{ApiError, ApiResult, Fault, codes};
use crate::http::query::{NoParameters, Parameters};
use crate::http::schema;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::change::{Change, Happening, Retry};
use crate::store::listing::{Field, Kind, Listing};

const LIST: &str = "/v1/users";
const ONE: &str = "/v1/users/{id}";
const HISTORY: &str = "/v1/users/{id}/history";
const EMAIL: Field = Field::sort("email", Kind::Text);
const ROLES: &[&str] = &["admin", "verifier", "operator", "viewer"];
const FIELDS: &[Field] = &[
    Field::filter("email", Kind::Text),
    Field::filter("role", Kind::Choice(ROLES)),
    Field::filter("opd", Kind::Code),
    Field::filter("active", Kind::Flag),
];

/// What a client sends to add a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// E-mail address: the user name, whatever its case.
    #[schema(max_length = 254, pattern = r"^[^@\s\u0000]+@[^@\s\u0000]+$")]
    pub email: String,
    /// Name to show.
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// What the person may do.
    pub role: Role,
    /// The OPD of an operator; nobody else has one.
    pub opd: Option<Code>,
    /// At least 12 characters, and none of the common ones.
    #[schema(min_length = 12, max_length = 128, format = Password)]
    pub password: String,
}

/// What a client sends to change a user: only what is named changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// Name to show.
    #[schema(max_length = 200)]
    name: Option<String>,
    /// What the person may do.
    role: Option<Role>,
    /// The OPD of an operator.
    opd: Option<Code>,
    /// Whether the person may log in. Disabling ends all sessions; access tokens run out within 15 minutes.
    active: Option<bool>,
    /// A new password; it ends all sessions.
    #[schema(min_length = 12, max_length = 128, format = Password)]
    password: Option<String>,
}

/// A person who logs in.
#[derive(Serialize, ToSchema)]
pub struct User {
    /// Its id, a UUIDv7.
    #[schema(max_length = 36)]
    id: Uuid,
    /// E-mail address: the user name.
    #[schema(max_length = 254)]
    email: String,
    /// Name to show.
    #[schema(max_length = 200)]
    name: String,
    /// What the person may do.
    role: Role,
    /// The OPD of an operator.
    #[schema(max_length = 64)]
    opd: Option<String>,
    /// Whether the person may log in.
    active: bool,
    /// Last successful login.
    #[schema(max_length = 35)]
    last_login_at: Option<DateTime<Utc>>,
    /// Counts the writes.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: i32,
    /// When it was made.
    #[schema(max_length = 35)]
    created_at: DateTime<Utc>,
    /// When it was last written.
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
            last_login_at: row.last_login_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn etag(row: &user::Model) -> String {
    entity_tag(row.version, row.created_at)
}

fn missing(id: &str) -> ApiError {
    ApiError::not_found("user", id)
}

fn id_of(text: &str) -> ApiResult<Uuid> {
    Uuid::parse_str(text).map_err(|_| missing(text))
}

async fn list_users(access: Access<ManageUsers>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let listing = Listing::read(&mut parameters, "users", FIELDS, "email", EMAIL, true);
    parameters.finish()?;
    let page = listing.page(access.store.db(), user::Entity::find(), |row| Ok(json!(User::from(row)))).await?;
    page.answer(request.path(), request.query_string())
}

async fn get_user(
    access: Access<ManageUsers>,
    id: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let row = user::Entity::find_by_id(id_of(&id)?).one(access.store.db()).await?.ok_or_else(|| missing(&id))?;
    Ok(Answer::ok(&User::from(&row))?.etag(&etag(&row)).unless_known(&preconditions))
}

async fn create_user(
    access: Access<ManageUsers>,
    request: HttpRequest,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let new: NewUser = body.read()?;
    let faults = faults_of(new.role, new.opd.as_ref(), Some(&new.password));
    if !faults.is_empty() {
        return Err(ApiError::invalid(faults));
    }
    // Hashed before the transaction: it takes long and needs no row.
    let hash = password::hash(new.password.clone()).await?;
    access
        .change(retry, async |change: &Change| {
            let row = add(change, new, hash).await?;
            Ok(Answer::created(&format!("{LIST}/{}", row.id), &User::from(&row))?.etag(&etag(&row)))
        })
        .await
}

/// Adds a user whose password has this hash.
pub async fn add(change: &Change, new: NewUser, hash: String) -> ApiResult<user::Model> {
    must_know_opd(change, new.opd.as_ref()).await?;
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
        last_login_at: Set(None),
        version: Set(1),
        created_at: Set(change.now),
        updated_at: Set(change.now),
    };
    let row = row.insert(&change.db).await?;
    record(change, "created", None, &row).await?;
    Ok(row)
}

/// Every fault of a role with its OPD and a password.
pub fn faults_of(role: Role, opd: Option<&Code>, password: Option<&str>) -> Vec<Fault> {
    let mut faults = Vec::new();
    match (role, opd) {
        (Role::Operator, None) => {
            faults.push(Fault::at("/opd", "required", Text::new("An operator has an OPD.", "Operator memiliki OPD.")))
        }
        (Role::Operator, Some(_)) | (_, None) => {}
        (_, Some(_)) => faults.push(Fault::at(
            "/opd",
            "not_allowed",
            Text::new("Only an operator has an OPD.", "Hanya operator yang memiliki OPD."),
        )),
    }
    faults.extend(password.and_then(password::weakness).map(|text| Fault::at("/password", "weak_password", text)));
    faults
}

async fn must_know_opd(change: &Change, code: Option<&Code>) -> ApiResult<()> {
    let Some(code) = code else { return Ok(()) };
    match opd::Entity::find_by_id(code.to_string()).one(&change.db).await? {
        Some(_) => Ok(()),
        None => Err(ApiError::invalid(vec![unknown("/opd".into(), Target::Opd, code)])),
    }
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
    let hash = match patch.password.clone().filter(|password| password::weakness(password).is_none()) {
        Some(password) => Some(password::hash(password).await?),
        None => None,
    };
    access
        .change(Retry::default(), async |change: &Change| {
            let row = change.locked::<user::Entity>(id_of(&id)?).await?.ok_or_else(|| missing(&id))?;
            preconditions.must_match(&etag(&row))?;
            let row = apply(change, row, patch, clears_opd, hash).await?;
            Ok(Answer::ok(&User::from(&row))?.etag(&etag(&row)))
        })
        .await
}

async fn apply(
    change: &Change,
    row: user::Model,
    patch: UserPatch,
    clears_opd: bool,
    hash: Option<String>,
) -> ApiResult<user::Model> {
    let before = row.clone();
    let role = patch.role.unwrap_or(row.role);
    let kept = row.opd.as_deref().filter(|_| !clears_opd && role == Role::Operator).map(super::resource::code);
    let opd = patch.opd.or(kept);
    let faults = faults_of(role, opd.as_ref(), patch.password.as_deref());
    if !faults.is_empty() {
        return Err(ApiError::invalid(faults));
    }
    must_know_opd(change, opd.as_ref()).await?;
    let active = patch.active.unwrap_or(row.active);
    must_leave_an_admin(change, &before, role, active).await?;
    let name = patch.name.unwrap_or_else(|| row.name.clone());
    let ends_sessions = !active || hash.is_some();
    let mut new = row.into_active_model();
    new.search = Set(format!("{}\n{name}", before.email).to_lowercase());
    new.name = Set(name);
    new.role = Set(role);
    new.opd = Set(opd.map(|code| code.to_string()));
    new.active = Set(active);
    if let Some(hash) = hash {
        new.password_hash = Set(hash);
    }
    new.version = Set(before.version + 1);
    new.updated_at = Set(change.now);
    let row = new.update(&change.db).await?;
    if ends_sessions {
        let sessions = refresh_token::Entity::delete_many().filter(refresh_token::Column::UserId.eq(row.id));
        sessions.exec(&change.db).await?;
    }
    record(change, "updated", Some(&before), &row).await?;
    Ok(row)
}

/// Somebody must be able to manage users. Two admins who disable each other take turns.
async fn must_leave_an_admin(change: &Change, before: &user::Model, role: Role, active: bool) -> ApiResult<()> {
    let was_admin = before.role == Role::Admin && before.active;
    if !was_admin || (role == Role::Admin && active) {
        return Ok(());
    }
    change.lock("the admins").await?;
    let others = user::Entity::find().filter(user::Column::Role.eq(Role::Admin)).filter(user::Column::Active.eq(true));
    if others.filter(user::Column::Id.ne(before.id)).count(&change.db).await? > 0 {
        return Ok(());
    }
    Err(ApiError::new(codes::CONFLICT).detail("This is the last active admin.", "Ini admin aktif yang terakhir."))
}

async fn record(change: &Change, action: &str, before: Option<&user::Model>, after: &user::Model) -> ApiResult<()> {
    let show = |row: &user::Model| json!(User::from(row));
    let key = after.id.to_string();
    change
        .record(Happening {
            resource: "user",
            key: &key,
            action,
            version: after.version,
            before: before.map(show),
            after: Some(show(after)),
        })
        .await
}

async fn user_history(
    access: Access<ManageUsers>,
    request: HttpRequest,
    id: Path<String>,
    parameters: Parameters,
) -> ApiResult<Answer> {
    history::answer(access.store.db(), &request, parameters, "user", &id).await
}

/// Mounts the users.
pub fn mount(table: &mut Table) {
    let roles = ManageUsers::role_names();
    let shown = json!({
        "id": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11", "email": "operator.dinkes@demo.invalid", "name": "Operator DINKES", "role": "operator",
        "opd": "DINKES", "active": true, "last_login_at": null, "version": 1,
        "created_at": "2022-10-04T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
    });
    let page =
        Map::<String, Value>::from_iter([("UserPage".to_owned(), wire::page(json!({ "$ref": "#/components/schemas/User" })))]);
    let list = Operation::get(LIST, "list_users", "identity", "List users", "The people who log in.").roles(&roles);
    let q = json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\u0000]*[^\\u0000\\s][^\\u0000]*$" });
    let list = FIELDS.iter().fold(list, filter_parameters).query("q", q, "Searches e-mail addresses and names.");
    let new = json!({ "email": "operator.dinkes@demo.invalid", "name": "Operator DINKES", "role": "operator", "opd": "DINKES", "password": "kopi tubruk tanpa gula" });
    let create = Operation::new(
        Method::POST,
        LIST,
        "create_user",
        "identity",
        "Create a user",
        "The password is kept as an argon2id hash and never shown.",
    );
    let get = Operation::get(ONE, "get_user", "identity", "Get a user", "A person who logs in.");
    let update = Operation::new(
        Method::PATCH,
        ONE,
        "update_user",
        "identity",
        "Change a user",
        "Only what the body names changes. Users are disabled, not deleted: history names them.",
    );
    let past = Operation::get(
        HISTORY,
        "list_user_history",
        "identity",
        "History of a user",
        "Who changed the account, the oldest first. Passwords are not in it.",
    );
    table
        .on(
            page_parameters(list, &["email"], "email")
                .with_schemas(schema::components::<User>())
                .with_schemas(page)
                .answers_schema(200, "One page.", json!({ "$ref": "#/components/schemas/UserPage" }), None, &["Link"]),
            list_users,
        )
        .on(
            create.roles(&roles).takes::<NewUser>(new).retryable().answers::<User>(
                201,
                "Created.",
                Some(shown.clone()),
                &["ETag", "Location", "Idempotent-Replayed"],
            ),
            create_user,
        )
        .on(
            get.roles(&roles).conditional().problems(&[404]).answers::<User>(200, "It.", Some(shown.clone()), &["ETag"]),
            get_user,
        )
        .on(
            update
                .roles(&roles)
                .guarded()
                .body(
                    "UserPatch",
                    schema::input::<UserPatch>(),
                    json!({ "active": false }),
                    &["application/merge-patch+json", "application/json"],
                )
                .problems(&[404, 409])
                .answers::<User>(200, "Changed.", Some(shown), &["ETag"]),
            update_user,
        )
        .on(Entry::describe_list(past.roles(&roles)), user_history);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_operator_has_an_opd() {
        let opd = Code::parse("DINKES").ok();
        assert!(faults_of(Role::Operator, opd.as_ref(), None).is_empty());
        assert_eq!(faults_of(Role::Operator, None, None).len(), 1);
        assert_eq!(faults_of(Role::Viewer, opd.as_ref(), None).len(), 1);
    }
}
