//! `renaksi user`

use std::io::{BufRead, IsTerminal, stdin};

use entity::user;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::CommandResult;
use crate::auth::actor::Actor;
use crate::auth::{password, secret};
use crate::config::Database;
use crate::config::accounts::{UserAdd, UserCommand, UserNamed};
use crate::http::problem::{ApiError, ApiResult};
use crate::resources::accounts::locked;
use crate::resources::users::{self, NewUser, User, invitations, reset};
use crate::store::connection;
use crate::store::transaction::{Origin, Store, WriteTransaction};

/// Runs the commands about users.
pub async fn run(command: UserCommand) -> CommandResult {
    match command {
        UserCommand::Add(user) => add(user).await,
        UserCommand::Invite(user) => invite(user).await,
        UserCommand::ResetTotp(user) => reset_totp(user).await,
    }
}

async fn add(user: UserAdd) -> CommandResult {
    if !user.email.contains('@') || user.email.len() > 254 {
        return Err("EMAIL: expected an e-mail address".into());
    }
    if let Some(field_error) = users::field_errors_of(user.role, user.opd.as_ref()).first() {
        return Err(field_error.sentence().into());
    }
    let password = read_password()?;
    password::must_be_strong("/password", &password).map_err(described)?;
    let hash = password::hash(password).await.map_err(described)?;
    let new = NewUser { email: user.email, name: user.name, role: user.role, opd: user.opd };
    let added = transact(user.database, async |transaction: &WriteTransaction| users::add(transaction, new, Some(hash)).await);
    println!("{}", added.await?.id);
    Ok(())
}

/// Prints an invitation. It may end on a terminal: whoever runs this command can read the database.
async fn invite(user: UserNamed) -> CommandResult {
    let fresh = secret::fresh();
    transact(user.database, async |transaction: &WriteTransaction| {
        let id = id_of(transaction, &user.email).await?;
        invitations::invite_again(transaction, &id, &fresh).await
    })
    .await?;
    println!("{fresh}");
    Ok(())
}

async fn reset_totp(user: UserNamed) -> CommandResult {
    transact(user.database, async |transaction: &WriteTransaction| {
        let row = locked::<User>(transaction, &id_of(transaction, &user.email).await?).await?;
        reset::remove_totp(transaction, row, "totp_reset").await
    })
    .await
}

async fn id_of(transaction: &WriteTransaction, email: &str) -> ApiResult<String> {
    let found = user::Entity::find().filter(user::Column::Email.eq(email.to_lowercase())).one(&transaction.db).await?;
    found.map(|user| user.id.to_string()).ok_or_else(|| ApiError::not_found(users::AUDITED.noun, email))
}

/// Does `work` in one transaction of the command line.
async fn transact<T>(
    database: Database,
    work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<T>,
) -> Result<T, Box<dyn std::error::Error>> {
    let db = connection::open(&database.database_url, database.database_connections).await?;
    connection::migrate(&db).await?;
    let store = Store::new(db, database.calendar());
    let origin = Origin { actor: Actor::system("command line"), request_id: None, address: None };
    store.transact(origin, work).await.map_err(described)
}

fn described(error: ApiError) -> Box<dyn std::error::Error> {
    error.sentence().into()
}

/// Reads the password: from a pipe the first line; on a terminal a person types it twice.
fn read_password() -> Result<String, Box<dyn std::error::Error>> {
    let line = || -> Result<String, std::io::Error> {
        let mut line = String::new();
        stdin().lock().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    };
    if !stdin().is_terminal() {
        return Ok(line()?);
    }
    let first = rpassword::prompt_password("Password: ")?;
    let second = rpassword::prompt_password("Again: ")?;
    if first == second { Ok(first) } else { Err("the two passwords differ".into()) }
}
