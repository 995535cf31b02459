//! `renaksi user`

use std::io::{BufRead, IsTerminal, stdin};

use super::CommandResult;
use crate::auth::actor::Actor;
use crate::auth::password;
use crate::config::{UserAdd, UserCommand};
use crate::http::problem::ApiError;
use crate::resources::users::{self, NewUser};
use crate::store::connection;
use crate::store::transaction::{Origin, Store, WriteTransaction};

/// Runs the commands about users.
pub async fn run(command: UserCommand) -> CommandResult {
    match command {
        UserCommand::Add(user) => add(user).await,
    }
}

async fn add(user: UserAdd) -> CommandResult {
    if !user.email.contains('@') || user.email.len() > 254 {
        return Err("EMAIL: expected an e-mail address".into());
    }
    let password = read_password()?;
    if let Some(field_error) = users::field_errors_of(user.role, user.opd.as_ref(), Some(&password)).first() {
        return Err(field_error.sentence().into());
    }
    let db = connection::open(&user.database.database_url, user.database.database_connections).await?;
    connection::migrate(&db).await?;
    let store = Store::new(db, user.database.calendar());
    let hash = password::hash(password.clone()).await.map_err(described)?;
    let new = NewUser { email: user.email, name: user.name, role: user.role, opd: user.opd, password };
    let origin = Origin { actor: Actor::system("command line"), request_id: None, address: None };
    let added = store
        .transact(origin, async |transaction: &WriteTransaction| users::add(transaction, new, hash).await)
        .await
        .map_err(described)?;
    println!("{}", added.id);
    Ok(())
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
