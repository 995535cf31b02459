//! `renaksi keys`

use entity::signing_key;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};

use super::CommandResult;
use crate::auth::actor::Actor;
use crate::auth::keys;
use crate::config::KeysCommand;
use crate::http::problem::ApiResult;
use crate::store::change::{Change, Happening, Origin, Store};
use crate::store::connection;

/// Does what the command line says about the keys that sign access tokens.
pub async fn run(command: KeysCommand) -> CommandResult {
    let KeysCommand::Rotate(database) = command;
    let db = connection::open(&database.database_url, database.database_connections).await?;
    connection::migrate(&db).await?;
    let origin = Origin { actor: Actor::system("command line"), request_id: None, address: None };
    let store = Store::new(db.clone(), database.calendar());
    let rotated = store.transact(origin, async |change: &Change| rotate(change).await).await;
    db.close().await?;
    println!("{}", rotated.map_err(|error| error.sentence())?);
    Ok(())
}

/// Makes a key that signs from now on. Tokens that the one before signed hold until they run out, so nobody is logged out;
/// replicas that still sign with it notice within a minute.
async fn rotate(change: &Change) -> ApiResult<String> {
    use signing_key::Column;
    change.lock("the signing keys").await?;
    for row in signing_key::Entity::find().filter(Column::Slot.eq(keys::CURRENT)).all(&change.db).await? {
        let mut old = row.clone().into_active_model();
        old.slot = Set(format!("retired {}", row.kid));
        old.retired_at = Set(Some(change.now));
        old.update(&change.db).await?;
    }
    signing_key::Entity::delete_many().filter(Column::RetiredAt.lt(change.now - keys::RETIRED_HOLDS)).exec(&change.db).await?;
    let row = keys::new_key()?.insert(&change.db).await?;
    change
        .record(Happening {
            resource: "signing_key",
            key: &row.kid,
            action: "created",
            version: 1,
            before: None,
            after: Some(row.public_jwk),
        })
        .await?;
    Ok(row.kid)
}
