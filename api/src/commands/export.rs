//! `renaksi export`

use super::CommandResult;
use crate::config::data::{Export, Format};
use crate::import_export::export;
use crate::store::connection;
use crate::store::progress::Progress;
use crate::store::transaction::Store;

/// Exports all data, and prints on standard error the number of rows of each kind.
pub async fn run(settings: Export) -> CommandResult {
    let db = connection::open(&settings.database.database_url, settings.database.database_connections).await?;
    connection::migrate(&db).await?;
    let store = Store::new(db.clone(), settings.database.calendar());
    let progress = Progress::of("export");
    let exported = match (settings.format, &settings.output) {
        (Format::Csv, Some(folder)) => export::csv(&store, folder, progress).await,
        (_, path) => export::json(&store, path.as_deref(), progress).await,
    };
    db.close().await?;
    for (list, count) in exported? {
        eprintln!("{list}: {count}");
    }
    Ok(())
}
