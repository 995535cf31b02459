//! `renaksi keys`

use entity::signing_key;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};

use super::CommandResult;
use crate::auth::actor::Actor;
use crate::auth::keys;
use crate::config::Database;
use crate::config::accounts::{KeyRevoke, KeysCommand};
use crate::http::problem::{ApiError, ApiResult};
use crate::resources::signing_keys::AUDITED;
use crate::store::connection;
use crate::store::transaction::{AuditEvent, Origin, Store, WriteTransaction};

/// Runs the commands about the keys that sign access tokens.
pub async fn run(command: KeysCommand) -> CommandResult {
    match command {
        KeysCommand::Rotate(database) => done(&database, async |transaction: &WriteTransaction| rotate(transaction).await).await,
        KeysCommand::Revoke(KeyRevoke { kid, database }) => {
            done(&database, async |transaction: &WriteTransaction| revoke(transaction, &kid).await).await
        }
    }
}

/// Changes the keys in one transaction and prints the key that signs afterwards.
async fn done(database: &Database, work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<String>) -> CommandResult {
    let db = connection::open(&database.database_url, database.database_connections).await?;
    connection::migrate(&db).await?;
    let origin = Origin { actor: Actor::system("command line"), request_id: None, address: None };
    let store = Store::new(db.clone(), database.calendar());
    let signs = store.transact(origin, work).await;
    db.close().await?;
    println!("{}", signs.map_err(|error| error.sentence())?);
    Ok(())
}

/// Creates a key that signs from now on. Tokens that the previous key signed stay valid until they expire, so nobody is logged
/// out. Replicas that still sign with the previous key notice the new one within a second or two.
async fn rotate(transaction: &WriteTransaction) -> ApiResult<String> {
    use signing_key::Column;
    transaction.lock("the signing keys").await?;
    for row in signing_key::Entity::find().filter(Column::Slot.eq(keys::CURRENT)).all(&transaction.db).await? {
        let mut old = row.clone().into_active_model();
        old.slot = Set(format!("retired {}", row.kid));
        old.retired_at = Set(Some(transaction.now));
        old.update(&transaction.db).await?;
    }
    signing_key::Entity::delete_many()
        .filter(Column::RetiredAt.lt(transaction.now - keys::RETIRED_HOLDS))
        .exec(&transaction.db)
        .await?;
    let row = keys::new_key()?.insert(&transaction.db).await?;
    transaction
        .record(AuditEvent {
            of: &AUDITED,
            key: &row.kid,
            action: "created",
            version: 1,
            before: None,
            after: Some(row.public_jwk),
            first_event: None,
        })
        .await?;
    Ok(row.kid)
}

/// Revokes a key. Every replica reads the keys once a second, so tokens that the key signed are refused within a second or two.
/// Refresh tokens are not signed and stay valid. If the key is the signing key, it is replaced first.
async fn revoke(transaction: &WriteTransaction, kid: &str) -> ApiResult<String> {
    use signing_key::Column;
    transaction.lock("the signing keys").await?;
    let row = signing_key::Entity::find_by_id(kid).one(&transaction.db).await?;
    let row = row.ok_or_else(|| ApiError::not_found(AUDITED.noun, kid))?;
    if row.slot == keys::CURRENT {
        rotate(transaction).await?;
    }
    signing_key::Entity::delete_by_id(kid).exec(&transaction.db).await?;
    let (before, after) = (Some(row.public_jwk), None);
    transaction
        .record(AuditEvent { of: &AUDITED, key: kid, action: "revoked", version: 2, before, after, first_event: None })
        .await?;
    let signs = signing_key::Entity::find().filter(Column::Slot.eq(keys::CURRENT)).one(&transaction.db).await?;
    signs.map(|row| row.kid).ok_or_else(|| ApiError::unexpected("no signing key"))
}
