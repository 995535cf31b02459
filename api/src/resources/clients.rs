//! `/v1/clients`: the systems of OPDs that report, as OAuth2 clients.

use actix_web::HttpRequest;
use actix_web::web::Path;
use chrono::{DateTime, Utc};
use entity::client::{self, Scope};
use entity::value::code::Code;
use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::accounts::{self, Account, Secret, apply, created, describe, insert, locked, matching, shown, with_secret};
use super::opds;
use crate::auth::permissions::ManageClients;
use crate::auth::secret;
use crate::crud::references::must_exist;
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::language::Noun;
use crate::http::precondition::Preconditions;
use crate::http::problem::ApiResult;
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::clock::now;
use crate::store::kind::{Audited, Field, Names, Recorded, Stored, ValueType};
use crate::store::retry::Retry;
use crate::store::transaction::WriteTransaction;

const ROTATE: &str = "/v1/clients/{client}/rotate";

/// The body of a request that adds a client.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// The `client_id`, which never changes.
    pub id: Code,
    /// The name to show.
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// The OPD for which the client writes, together with the OPDs below it.
    pub opd: Code,
    /// The scopes of the client: what it may do.
    #[schema(min_items = 1, max_items = 10)]
    pub scopes: Vec<Scope>,
}

/// The body of a request that changes a client. Only the members in it change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientPatch {
    /// The name to show.
    #[schema(max_length = 200, nullable = false)]
    name: Option<String>,
    /// The OPD for which the client writes, together with the OPDs below it.
    #[schema(nullable = false)]
    opd: Option<Code>,
    /// The scopes of the client: what it may do.
    #[schema(min_items = 1, max_items = 10, nullable = false)]
    scopes: Option<Vec<Scope>>,
    /// Whether the client can get tokens. Tokens of a disabled client can write nothing any more, and expire within 15 minutes.
    #[schema(nullable = false)]
    active: Option<bool>,
}

/// A client: a system that reports for an OPD.
#[derive(Serialize, ToSchema)]
// Generated clients have a type `Client` of their own.
#[schema(as = ClientAccount)]
pub struct Client {
    /// The `client_id`, which never changes.
    #[schema(max_length = 64)]
    id: String,
    /// The name to show.
    #[schema(max_length = 200)]
    name: String,
    /// The OPD for which the client writes, together with the OPDs below it.
    #[schema(max_length = 64)]
    opd: String,
    /// The scopes of the client: what it may do.
    #[schema(max_items = 10)]
    scopes: Vec<Scope>,
    /// Whether the client can get tokens.
    active: bool,
    /// When the client last got a token; null before the first one.
    #[schema(max_length = 35, required)]
    last_used_at: Option<DateTime<Utc>>,
    /// Until when the previous secret, which the last rotation replaced, stays valid; null before the first rotation.
    #[schema(max_length = 35, required)]
    previous_secret_until: Option<DateTime<Utc>>,
    /// The secret. Only the answer that created it has this member, and a replay of that answer does not. A client that missed
    /// the secret has to be given another one by a rotation.
    #[schema(max_length = 128)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client_secret: Option<String>,
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

/// What the audit log tells of it.
pub static AUDITED: Audited = Audited::new("client", Noun::new("client", "klien"))
    .about_accounts(&["created", "updated", "rotated"])
    .recorded(|| Recorded::of::<Client>(Client::example()).without(Client::MEMBER));

/// Where it refers to its OPD.
pub const STORED: Stored = Stored { to: &opds::KIND, resource: "client", table: "client", column: "opd", name: "id", only: None };

impl Account for Client {
    const NAMES: Names = Names {
        one: "client",
        many: "clients",
        spoken: "client",
        plural: "clients",
        indonesian: "klien",
        schema: "ClientAccount",
        about: "A client: a system that reports for an OPD.",
    };
    const AUDITED: &'static Audited = &AUDITED;
    const ABOUT_ALL: &'static str = "The clients: systems that report for their OPDs.";
    const TAG: &'static str = "identity";
    const ONE: &'static str = "/v1/clients/{client}";
    const FIELDS: &'static [Field] = &[Field::filter("opd", ValueType::Code), Field::filter("active", ValueType::Flag)];
    const SORT: Field = Field::sort("id", ValueType::Code);
    const SEARCHES: &'static str = "the ids and names of clients";
    type Entity = client::Entity;
    type Manage = ManageClients;

    fn example() -> Value {
        json!({
            "id": "demo-dinkes", "name": "Sistem informasi kesehatan", "opd": "DINKES", "scopes": ["measurements:write", "read"],
            "active": true, "last_used_at": null, "previous_secret_until": null, "version": 1,
            "created_at": "2022-10-04T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
        })
    }

    fn key(id: &str) -> Option<String> {
        Some(id.to_owned())
    }

    fn id(row: &client::Model) -> String {
        row.id.clone()
    }
}

impl Secret for Client {
    const MEMBER: &'static str = "client_secret";
    const SECRET_EXAMPLE: &'static str = "Zm9yIHRoZSBleGFtcGxlIG9ubHk…";

    fn fresh() -> String {
        secret::fresh()
    }

    fn replace(row: &mut client::ActiveModel, before: &client::Model, fresh: &str, until: DateTime<Utc>) {
        row.previous_secret_hash = Set(Some(before.secret_hash.clone()));
        row.previous_secret_until = Set(Some(until));
        row.secret_hash = Set(secret::hash_of(fresh));
    }
}

/// Whether `given` is a secret of this client. Without a client the same work is done and the answer is no.
pub fn fits(row: Option<&client::Model>, given: &str) -> bool {
    let hash = row.map_or("", |row| row.secret_hash.as_str());
    let previous = row.filter(|row| row.previous_secret_until.is_some_and(|until| until > now()));
    let previous = previous.and_then(|row| row.previous_secret_hash.as_deref()).unwrap_or_default();
    // Both secrets are compared, whichever of them fits.
    secret::fits(given, hash) | secret::fits(given, previous)
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
        .write(retry, async |transaction: &WriteTransaction| created::<Client>(&add(transaction, new, &fresh).await?))
        .await?;
    with_secret::<Client>(answer, fresh)
}

/// Adds a client with this secret.
pub async fn add(transaction: &WriteTransaction, new: NewClient, fresh: &str) -> ApiResult<client::Model> {
    must_exist(&transaction.db, "/opd", &opds::KIND, &new.opd).await?;
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
        ..Default::default()
    };
    insert::<Client>(transaction, row).await
}

/// The scopes in one order and each once, whatever the request says.
fn stored(mut scopes: Vec<Scope>) -> Value {
    scopes.sort_unstable();
    scopes.dedup();
    json!(scopes)
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
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = matching::<Client>(transaction, &id, &preconditions).await?;
            if let Some(opd) = &patch.opd {
                must_exist(&transaction.db, "/opd", &opds::KIND, opd).await?;
            }
            let row = apply::<Client>(transaction, row, "updated", |row, before| {
                let name = patch.name.unwrap_or_else(|| before.name.clone());
                row.search = Set(format!("{}\n{name}", before.id).to_lowercase());
                row.name = Set(name);
                row.opd = Set(patch.opd.map_or_else(|| before.opd.clone(), |opd| opd.to_string()));
                row.scopes = Set(patch.scopes.map_or_else(|| before.scopes.clone(), stored));
                row.active = Set(patch.active.unwrap_or(before.active));
            });
            shown::<Client>(&row.await?)
        })
        .await
}

/// Disables a client, so that it gets no more tokens.
pub async fn disable(transaction: &WriteTransaction, id: &str) -> ApiResult<client::Model> {
    let row = locked::<Client>(transaction, id).await?;
    apply::<Client>(transaction, row, "updated", |row, _| row.active = Set(false)).await
}

/// Adds the routes of the clients.
pub fn mount(table: &mut Table) {
    let new = json!({ "id": "demo-dinkes", "name": "Sistem informasi kesehatan", "opd": "DINKES", "scopes": ["measurements:write", "read"] });
    let about = "The answer shows the secret, this once, because only a hash of it is stored.";
    let create = describe::create::<Client, NewClient>(about, new, describe::example_with_secret::<Client>());
    let about = "Only the members in the body change. Clients are disabled instead of deleted, because the history names them.";
    let update = describe::update::<Client, ClientPatch>(about, json!({ "active": false }));
    let about = "The answer shows the new secret, this once. The old secret stays valid beside it for `grace_seconds`, so that \
        the system can be changed over without a gap.";
    let rotate = describe::rotate::<Client>(ROTATE, "rotate_client", about);
    table
        .on(describe::list::<Client>(), accounts::list::<Client>)
        .on(create, create_client)
        .on(describe::get::<Client>(), accounts::get::<Client>)
        .on(update, update_client)
        .on(rotate, accounts::replace_secret::<Client>)
        .on(
            describe::history::<Client>("Who changed the client and when, the oldest change first. It contains no secrets."),
            accounts::history::<Client>,
        );
}
