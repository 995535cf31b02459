//! `/v1/clients`: the systems of OPDs that report, as OAuth2 clients.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use chrono::{DateTime, Duration, Utc};
use entity::client::{self, Scope};
use entity::opd;
use entity::value::code::Code;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::describe::{filter_parameters, page_parameters};
use super::history::{self, Entry};
use super::references::{Target, unknown};
use super::wire;
use crate::auth::permissions::{ManageClients, Permission};
use crate::auth::secret;
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::Operation;
use crate::http::precondition::{Preconditions, entity_tag};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{NoParameters, Parameters};
use crate::http::schema;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::change::{Change, Happening, Retry};
use crate::store::clock::now;
use crate::store::listing::{Field, Kind, Listing};

const LIST: &str = "/v1/clients";
const ONE: &str = "/v1/clients/{client}";
const ROTATE: &str = "/v1/clients/{client}/rotate";
const HISTORY: &str = "/v1/clients/{client}/history";
const ID: Field = Field::sort("id", Kind::Code);
const FIELDS: &[Field] = &[Field::filter("opd", Kind::Code), Field::filter("active", Kind::Flag)];
/// How long the old secret holds after a rotation where the request does not say: a day to bring the new one out.
pub const GRACE_SECONDS: i32 = 86_400;

/// What a client sends to add a system.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// The `client_id`; it never changes.
    pub id: Code,
    /// Name to show.
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// The OPD that it writes for, with those below.
    pub opd: Code,
    /// What it may do.
    #[schema(min_items = 1, max_items = 10)]
    pub scopes: Vec<Scope>,
}

/// What a client sends to change a system: only what is named changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientPatch {
    /// Name to show.
    #[schema(max_length = 200)]
    name: Option<String>,
    /// The OPD that it writes for, with those below.
    opd: Option<Code>,
    /// What it may do.
    #[schema(min_items = 1, max_items = 10)]
    scopes: Option<Vec<Scope>>,
    /// Whether it gets tokens. Those it has run out within 15 minutes.
    active: Option<bool>,
}

/// How a secret is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Seconds that the old secret holds beside the new one.
    #[serde(default = "default_grace")]
    #[schema(minimum = 0, maximum = 604800, default = 86400)]
    pub grace_seconds: i32,
}

fn default_grace() -> i32 {
    GRACE_SECONDS
}

/// A system that reports for an OPD.
#[derive(Serialize, ToSchema)]
pub struct Client {
    /// The `client_id`.
    #[schema(max_length = 64)]
    id: String,
    /// Name to show.
    #[schema(max_length = 200)]
    name: String,
    /// The OPD that it writes for, with those below.
    #[schema(max_length = 64)]
    opd: String,
    /// What it may do.
    #[schema(max_items = 10)]
    scopes: Vec<Scope>,
    /// Whether it gets tokens.
    active: bool,
    /// When it last got a token.
    #[schema(max_length = 35)]
    last_used_at: Option<DateTime<Utc>>,
    /// Until when the secret before the last rotation holds.
    #[schema(max_length = 35)]
    previous_secret_until: Option<DateTime<Utc>>,
    /// The secret: only in the answer that made it, and not in a replay of that answer. Who missed it rotates.
    #[schema(max_length = 128)]
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
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

impl From<&client::Model> for Client {
    fn from(row: &client::Model) -> Self {
        Self {
            id: row.id.clone(),
            name: row.name.clone(),
            opd: row.opd.clone(),
            scopes: row.scopes(),
            active: row.active,
            last_used_at: row.last_used_at,
            previous_secret_until: row.previous_secret_until,
            client_secret: None,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn etag(row: &client::Model) -> String {
    entity_tag(row.version, row.created_at)
}

fn missing(id: &str) -> ApiError {
    ApiError::not_found("client", id)
}

/// Whether `given` is a secret of this client; without a client it does the same work and says no.
pub fn fits(row: Option<&client::Model>, given: &str) -> bool {
    let hash = row.map_or("", |row| row.secret_hash.as_str());
    let previous = row.filter(|row| row.previous_secret_until.is_some_and(|until| until > now()));
    let previous = previous.and_then(|row| row.previous_secret_hash.as_deref()).unwrap_or_default();
    // Both are compared, whichever it is.
    secret::fits(given, hash) | secret::fits(given, previous)
}

async fn list_clients(access: Access<ManageClients>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let listing = Listing::read(&mut parameters, "clients", FIELDS, "id", ID, true);
    parameters.finish()?;
    let page = listing.page(access.store.db(), client::Entity::find(), |row| Ok(json!(Client::from(row)))).await?;
    page.answer(request.path(), request.query_string())
}

async fn get_client(
    access: Access<ManageClients>,
    id: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let row = client::Entity::find_by_id(id.clone()).one(access.store.db()).await?.ok_or_else(|| missing(&id))?;
    Ok(Answer::ok(&Client::from(&row))?.etag(&etag(&row)).unless_known(&preconditions))
}

async fn create_client(
    access: Access<ManageClients>,
    request: HttpRequest,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let new: NewClient = body.read()?;
    let fresh = secret::fresh();
    let answer = access
        .change(retry, async |change: &Change| {
            let row = add(change, new, &fresh).await?;
            Ok(Answer::created(&format!("{LIST}/{}", row.id), &Client::from(&row))?.etag(&etag(&row)))
        })
        .await?;
    with_secret(answer, fresh)
}

/// Shows a new secret. It is added after the answer was kept for retries: nothing that is stored gives it away.
fn with_secret(answer: Answer, fresh: String) -> ApiResult<Answer> {
    if answer.is_replayed() { Ok(answer) } else { answer.member("client_secret", json!(fresh)) }
}

/// Adds a client with this secret.
pub async fn add(change: &Change, new: NewClient, fresh: &str) -> ApiResult<client::Model> {
    must_know_opd(change, &new.opd).await?;
    let id = new.id.to_string();
    let name = new.name.unwrap_or_else(|| id.clone());
    let row = client::ActiveModel {
        search: Set(format!("{id}\n{name}").to_lowercase()),
        id: Set(id),
        name: Set(name),
        opd: Set(new.opd.to_string()),
        scopes: Set(stored(new.scopes)),
        active: Set(true),
        secret_hash: Set(secret::hash_of(fresh)),
        previous_secret_hash: Set(None),
        previous_secret_until: Set(None),
        last_used_at: Set(None),
        version: Set(1),
        created_at: Set(change.now),
        updated_at: Set(change.now),
    };
    let row = row.insert(&change.db).await?;
    record(change, "created", None, &row).await?;
    Ok(row)
}

/// In one order and each once, whatever the request says.
fn stored(mut scopes: Vec<Scope>) -> Value {
    scopes.sort_unstable();
    scopes.dedup();
    json!(scopes)
}

async fn must_know_opd(change: &Change, code: &Code) -> ApiResult<()> {
    match opd::Entity::find_by_id(code.to_string()).one(&change.db).await? {
        Some(_) => Ok(()),
        None => Err(ApiError::invalid(vec![unknown("/opd".into(), Target::Opd, code)])),
    }
}

async fn update_client(
    access: Access<ManageClients>,
    id: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
    body: JsonBody,
) -> ApiResult<Answer> {
    let patch: ClientPatch = body.read()?;
    access
        .change(Retry::default(), async |change: &Change| {
            let row = change.locked::<client::Entity>(id.clone()).await?.ok_or_else(|| missing(&id))?;
            preconditions.must_match(&etag(&row))?;
            if let Some(opd) = &patch.opd {
                must_know_opd(change, opd).await?;
            }
            let row = apply(change, row, "updated", |row, before| {
                let name = patch.name.unwrap_or_else(|| before.name.clone());
                row.search = Set(format!("{}\n{name}", before.id).to_lowercase());
                row.name = Set(name);
                row.opd = Set(patch.opd.map_or_else(|| before.opd.clone(), |opd| opd.to_string()));
                row.scopes = Set(patch.scopes.map_or_else(|| before.scopes.clone(), stored));
                row.active = Set(patch.active.unwrap_or(before.active));
            });
            let row = row.await?;
            Ok(Answer::ok(&Client::from(&row))?.etag(&etag(&row)))
        })
        .await
}

async fn rotate_client(
    access: Access<ManageClients>,
    request: HttpRequest,
    id: Path<String>,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let rotation: Rotation = body.read()?;
    let fresh = secret::fresh();
    let answer = access
        .change(retry, async |change: &Change| {
            let row = rotate(change, &id, &fresh, rotation.grace_seconds).await?;
            Ok(Answer::ok(&Client::from(&row))?.etag(&etag(&row)))
        })
        .await?;
    with_secret(answer, fresh)
}

/// Gives a client another secret; the one it had holds for some seconds more.
pub async fn rotate(change: &Change, id: &str, fresh: &str, grace_seconds: i32) -> ApiResult<client::Model> {
    let row = change.locked::<client::Entity>(id.to_owned()).await?.ok_or_else(|| missing(id))?;
    let until = change.now + Duration::seconds(i64::from(grace_seconds));
    apply(change, row, "rotated", |row, before| {
        row.previous_secret_hash = Set(Some(before.secret_hash.clone()));
        row.previous_secret_until = Set(Some(until));
        row.secret_hash = Set(secret::hash_of(fresh));
    })
    .await
}

/// Keeps a client from getting tokens.
pub async fn disable(change: &Change, id: &str) -> ApiResult<client::Model> {
    let row = change.locked::<client::Entity>(id.to_owned()).await?.ok_or_else(|| missing(id))?;
    apply(change, row, "updated", |row, _| row.active = Set(false)).await
}

async fn apply(
    change: &Change,
    before: client::Model,
    action: &str,
    set: impl FnOnce(&mut client::ActiveModel, &client::Model),
) -> ApiResult<client::Model> {
    let mut row = before.clone().into_active_model();
    set(&mut row, &before);
    row.version = Set(before.version + 1);
    row.updated_at = Set(change.now);
    let row = row.update(&change.db).await?;
    record(change, action, Some(&before), &row).await?;
    Ok(row)
}

async fn record(change: &Change, action: &str, before: Option<&client::Model>, after: &client::Model) -> ApiResult<()> {
    let show = |row: &client::Model| json!(Client::from(row));
    let (before, after_shown) = (before.map(show), Some(show(after)));
    let (key, version) = (after.id.as_str(), after.version);
    change.record(Happening { resource: "client", key, action, version, before, after: after_shown }).await
}

async fn client_history(
    access: Access<ManageClients>,
    request: HttpRequest,
    id: Path<String>,
    parameters: Parameters,
) -> ApiResult<Answer> {
    history::answer(access.store.db(), &request, parameters, "client", &id).await
}

fn example() -> Value {
    json!({
        "id": "demo-dinkes", "name": "Sistem informasi kesehatan", "opd": "DINKES", "scopes": ["measurements:write", "read"],
        "active": true, "last_used_at": null, "previous_secret_until": null, "version": 1,
        "created_at": "2022-10-04T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
    })
}

/// Mounts the clients.
pub fn mount(table: &mut Table) {
    let roles = ManageClients::role_names();
    let shown = example();
    let mut with_secret = example();
    with_secret["client_secret"] = json!("Zm9yIHRoZSBleGFtcGxlIG9ubHk…");
    let page = Map::<String, Value>::from_iter([(
        "ClientPage".to_owned(),
        wire::page(json!({ "$ref": "#/components/schemas/Client" })),
    )]);
    let list = Operation::get(LIST, "list_clients", "identity", "List clients", "The systems that report.").roles(&roles);
    let q = json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\u0000]*[^\\u0000\\s][^\\u0000]*$" });
    let list = FIELDS.iter().fold(list, filter_parameters).query("q", q, "Searches ids and names.");
    let new = json!({ "id": "demo-dinkes", "name": "Sistem informasi kesehatan", "opd": "DINKES", "scopes": ["measurements:write", "read"] });
    let create = Operation::new(
        Method::POST,
        LIST,
        "create_client",
        "identity",
        "Create a client",
        "The answer shows the secret, once: it is kept as a hash only.",
    );
    let get = Operation::get(ONE, "get_client", "identity", "Get a client", "A system that reports.");
    let update = Operation::new(
        Method::PATCH,
        ONE,
        "update_client",
        "identity",
        "Change a client",
        "Only what the body names changes. Clients are disabled, not deleted: history names them.",
    );
    let rotate = Operation::new(
        Method::POST,
        ROTATE,
        "rotate_client",
        "identity",
        "Replace a client's secret",
        "The answer shows the new secret, once. The old one holds for `grace_seconds` beside it, so that nothing stops meanwhile.",
    );
    let past = Operation::get(
        HISTORY,
        "list_client_history",
        "identity",
        "History of a client",
        "Who changed it, the oldest first. Secrets are not in it.",
    );
    table
        .on(
            page_parameters(list, &["id"], "id").with_schemas(schema::components::<Client>()).with_schemas(page).answers_schema(
                200,
                "One page.",
                json!({ "$ref": "#/components/schemas/ClientPage" }),
                None,
                &["Link"],
            ),
            list_clients,
        )
        .on(
            create.roles(&roles).takes::<NewClient>(new).retryable().answers::<Client>(
                201,
                "Created.",
                Some(with_secret.clone()),
                &["ETag", "Location", "Idempotent-Replayed"],
            ),
            create_client,
        )
        .on(
            get.roles(&roles).conditional().problems(&[404]).answers::<Client>(200, "It.", Some(shown.clone()), &["ETag"]),
            get_client,
        )
        .on(
            update
                .roles(&roles)
                .guarded()
                .body(
                    "ClientPatch",
                    schema::input::<ClientPatch>(),
                    json!({ "active": false }),
                    &["application/merge-patch+json", "application/json"],
                )
                .problems(&[404])
                .answers::<Client>(200, "Changed.", Some(shown), &["ETag"]),
            update_client,
        )
        .on(
            rotate
                .roles(&roles)
                .takes::<Rotation>(json!({ "grace_seconds": 86400 }))
                .retryable()
                .problems(&[404])
                .answers::<Client>(200, "Replaced.", Some(with_secret), &["ETag", "Idempotent-Replayed"]),
            rotate_client,
        )
        .on(Entry::describe_list(past.roles(&roles)), client_history);
}
