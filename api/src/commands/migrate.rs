//! `renaksi migrate`

use super::CommandResult;
use crate::config::Migrate;
use crate::store::{connection, events};

/// Brings the schema up to date, and tells of each step on standard error.
pub async fn run(Migrate { database, complete }: Migrate) -> CommandResult {
    let steps = tracing_subscriber::fmt().with_env_filter("sea_orm_migration=info").with_writer(std::io::stderr);
    steps.without_time().with_target(false).with_level(false).with_ansi(false).init();
    let db = connection::open(&database.database_url, database.database_connections).await?;
    connection::migrate(&db).await?;
    eprintln!("the schema is up to date");
    if complete {
        events::allow_batches(&db).await?;
        eprintln!("the upgrade is complete: the events of a push may lie in one row");
    }
    Ok(())
}
