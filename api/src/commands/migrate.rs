//! `renaksi migrate`

use super::CommandResult;
use crate::config::Database;
use crate::store::connection;

/// Brings the schema up to date.
pub async fn run(database: Database) -> CommandResult {
    let db = connection::open(&database.database_url, database.database_connections).await?;
    connection::migrate(&db).await?;
    eprintln!("the schema is up to date");
    Ok(())
}
