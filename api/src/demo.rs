//! The North Lombok data set: what the evaluation of 4 October 2022 reported, and accounts to try the service with.

use chrono::NaiveDate;
use entity::client::Scope;
use entity::user::Role;
use entity::value::code::Code;
use entity::{masterplan, user};
use sea_orm::{ActiveEnum, EntityTrait};
use serde::Deserialize;

use crate::auth::actor::Actor;
use crate::auth::{password, secret};
use crate::http::problem::{ApiError, ApiResult};
use crate::import_export::import;
use crate::resources::clients::{self, NewClient};
use crate::resources::users::{self, NewUser};
use crate::store::transaction::{Origin, Store, WriteTransaction};

const DATA: &str = include_str!("../demo/klu-2022.json");

/// The accounts: user name, role, OPD.
const ACCOUNTS: &[(&str, Role, Option<&str>)] = &[
    ("admin@demo.invalid", Role::Admin, None),
    ("verifier@demo.invalid", Role::Verifier, None),
    ("operator.dinkes@demo.invalid", Role::Operator, Some("DINKES")),
    ("operator.dlh@demo.invalid", Role::Operator, Some("DLH")),
    ("viewer@demo.invalid", Role::Viewer, None),
];

/// The clients: `client_id`, OPD. They have every scope.
const CLIENTS: &[(&str, &str)] = &[("demo-dinkes", "DINKES"), ("demo-dlh", "DLH")];

/// What the data set notes about itself.
#[derive(Deserialize)]
struct Data {
    source: Source,
}

#[derive(Deserialize)]
struct Source {
    date: NaiveDate,
}

/// A way to log in.
pub struct Login {
    /// The user name or the `client_id`.
    pub name: &'static str,
    /// The password or the secret.
    pub secret: String,
    /// What the account is.
    pub what: String,
}

/// What people and machines of the demo prove themselves with, where it is not to be random.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fixed<'a> {
    /// The password of all accounts.
    pub password: Option<&'a str>,
    /// The secret of all clients.
    pub client_secret: Option<&'a str>,
}

/// Loads the data set into an empty database: all of it or nothing. Gives the logins, or `None` where there was data.
pub async fn load(store: &Store, fixed: Fixed<'_>) -> ApiResult<Option<Vec<Login>>> {
    let data: Data = serde_json::from_str(DATA).map_err(ApiError::unexpected)?;
    if !is_empty(store.db()).await? {
        return Ok(None);
    }
    let (mut logins, mut hashes) = (Vec::new(), Vec::new());
    for (email, role, _) in ACCOUNTS {
        let password = fixed.password.map_or_else(random_password, str::to_owned);
        hashes.push(password::hash(password.clone()).await?);
        logins.push(Login { name: email, secret: password, what: role.to_value() });
    }
    let mut secrets = Vec::new();
    for (id, opd) in CLIENTS {
        let secret = fixed.client_secret.map_or_else(secret::fresh, str::to_owned);
        secrets.push(secret.clone());
        logins.push(Login { name: id, secret, what: format!("client of {opd}") });
    }
    let origin = Origin { actor: Actor::system("demo"), request_id: None, address: None };
    let loaded = store
        .transact_on(data.source.date, origin, async |transaction: &WriteTransaction| {
            // Of two replicas that start together one loads, the other then finds the data.
            transaction.lock("the demo data").await?;
            if !is_empty(&transaction.db).await? {
                return Ok(false);
            }
            import::insert(transaction, store.calendar(), DATA).await?;
            insert_accounts(transaction, hashes).await?;
            insert_clients(transaction, secrets).await?;
            Ok(true)
        })
        .await?;
    Ok(loaded.then_some(logins))
}

async fn is_empty(db: &impl sea_orm::ConnectionTrait) -> ApiResult<bool> {
    Ok(masterplan::Entity::find().one(db).await?.is_none() && user::Entity::find().one(db).await?.is_none())
}

async fn insert_accounts(transaction: &WriteTransaction, hashes: Vec<String>) -> ApiResult<()> {
    for ((email, role, opd), hash) in ACCOUNTS.iter().zip(hashes) {
        let opd = opd.map(Code::parse).transpose().map_err(ApiError::unexpected)?;
        let new = NewUser { email: (*email).to_owned(), name: None, role: *role, opd };
        users::add(transaction, new, Some(hash)).await?;
    }
    Ok(())
}

async fn insert_clients(transaction: &WriteTransaction, secrets: Vec<String>) -> ApiResult<()> {
    for ((id, opd), secret) in CLIENTS.iter().zip(secrets) {
        let (id, opd) = (Code::parse(id).map_err(ApiError::unexpected)?, Code::parse(opd).map_err(ApiError::unexpected)?);
        clients::add(transaction, NewClient { id, name: None, opd, scopes: Scope::ALL.to_vec() }, &secret).await?;
    }
    Ok(())
}

/// 120 random bits, in groups that can be read aloud.
fn random_password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let groups = (0..4).map(|_| (0..6).map(|_| char::from(LETTERS[usize::from(rand::random::<u8>() % 32)])).collect::<String>());
    groups.collect::<Vec<_>>().join("-")
}
