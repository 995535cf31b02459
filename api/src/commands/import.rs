//! `renaksi import`

use super::CommandResult;
use crate::config::Import;
use crate::store::change::Store;
use crate::store::connection;
use crate::store::progress::Progress;
use crate::transfer::import::{self, Refused};

/// Imports a file and says how many rows of each kind there were.
pub async fn run(settings: Import) -> CommandResult {
    let db = connection::open(&settings.database.database_url, settings.database.database_connections).await?;
    connection::migrate(&db).await?;
    let store = Store::new(db.clone(), settings.database.calendar());
    let imported = import::run(&store, &settings.path, settings.dry_run, Progress::of("import")).await;
    db.close().await?;
    let counts = imported.map_err(|refused| match refused {
        Refused::File(faults) => format!("nothing was imported:\n{faults}"),
        Refused::Database(error) => error.sentence(),
    })?;
    for (list, count) in counts {
        println!("{list}: {count}");
    }
    Ok(())
}
