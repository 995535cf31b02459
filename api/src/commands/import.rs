//! `renaksi import`

use super::CommandResult;
use crate::config::data::Import;
use crate::import_export::import::{self, Refused};
use crate::store::connection;
use crate::store::progress::Progress;
use crate::store::transaction::Store;

/// Imports a file and prints the number of rows of each kind.
pub async fn run(settings: Import) -> CommandResult {
    let db = connection::open(&settings.database.database_url, settings.database.database_connections).await?;
    connection::migrate(&db).await?;
    let store = Store::new(db.clone(), settings.database.calendar());
    let imported = import::run(&store, &settings.path, settings.dry_run, Progress::of("import")).await;
    db.close().await?;
    let counts = imported.map_err(|refused| match refused {
        Refused::File(field_errors) => format!("nothing was imported:\n{field_errors}"),
        Refused::Database(error) => error.sentence(),
    })?;
    for (list, count) in counts {
        println!("{list}: {count}");
    }
    Ok(())
}
