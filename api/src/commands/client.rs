//! `renaksi client`

use entity::client;
use serde_json::json;

use super::CommandResult;
use crate::auth::actor::Actor;
use crate::auth::secret;
use crate::config::Database;
use crate::config::accounts::{ClientAdd, ClientCommand, ClientRotate};
use crate::http::problem::ApiResult;
use crate::resources::accounts;
use crate::resources::clients::{self, Client, NewClient};
use crate::store::connection;
use crate::store::transaction::{Origin, Store, WriteTransaction};

/// Runs the commands about clients.
pub async fn run(command: ClientCommand) -> CommandResult {
    match command {
        ClientCommand::Add(client) => add(client).await,
        ClientCommand::Rotate(client) => rotate(client).await,
        ClientCommand::Disable(client) => {
            let disabled = transaction(&client.database, async |transaction: &WriteTransaction| {
                clients::disable(transaction, &client.id).await
            })
            .await?;
            println!("{} is disabled", disabled.id);
            Ok(())
        }
    }
}

async fn add(client: ClientAdd) -> CommandResult {
    let fresh = secret::fresh();
    let new = NewClient { id: client.id, name: client.name, opd: client.opd, scopes: client.scope };
    let added =
        transaction(&client.database, async |transaction: &WriteTransaction| clients::add(transaction, new, &fresh).await)
            .await?;
    show(&added, &fresh, client.json);
    Ok(())
}

async fn rotate(client: ClientRotate) -> CommandResult {
    let (fresh, grace) = (secret::fresh(), client.grace_seconds);
    let work = async |transaction: &WriteTransaction| accounts::rotate::<Client>(transaction, &client.id, &fresh, grace).await;
    let rotated = transaction(&client.database, work).await?;
    show(&rotated, &fresh, client.json);
    Ok(())
}

/// Prints the secret. It is shown only this once.
fn show(client: &client::Model, fresh: &str, as_json: bool) {
    if as_json {
        println!("{}", json!({ "client_id": client.id, "client_secret": fresh }));
    } else {
        println!("client_id:     {}\nclient_secret: {fresh}", client.id);
    }
}

async fn transaction<T>(
    database: &Database,
    work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<T>,
) -> Result<T, Box<dyn std::error::Error>> {
    let db = connection::open(&database.database_url, database.database_connections).await?;
    connection::migrate(&db).await?;
    let origin = Origin { actor: Actor::system("command line"), request_id: None, address: None };
    let result = Store::new(db.clone(), database.calendar()).transact(origin, work).await;
    db.close().await?;
    result.map_err(|error| error.sentence().into())
}
