//! `renaksi move`

use chrono::{Offset, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, Statement, TransactionTrait};

use super::CommandResult;
use super::audit::{describe, verified};
use crate::config::data::Move;
use crate::feed::seal::{Head, Sealer, Step};
use crate::store::clock::Calendar;
use crate::store::connection;
use crate::store::copy::{copy, first_filled};
use crate::store::progress::Progress;
use crate::store::schema::{self, Table};
use crate::store::transaction::Store;

/// Moves everything that a database holds into an empty one of either kind.
pub async fn run(asked: Move) -> CommandResult {
    if asked.from == asked.to {
        return Err("--from and --to are the same database".into());
    }
    let source_is_there = connection::file_of(&asked.from)?.is_none_or(|path| path.is_file());
    if !source_is_there {
        return Err("--from: there is no such database".into());
    }
    let named = |flag: &'static str| move |error: sea_orm::DbErr| format!("{flag}: {}", connection::reason(&error));
    let from = connection::alone(&asked.from).await.map_err(named("--from"))?;
    is_up_to_date(&from).await?;
    let to = connection::alone(&asked.to).await.map_err(named("--to"))?;
    let moved = moved(&from, &to).await;
    to.close().await?;
    from.close().await?;
    let (head, rows) = moved?;
    println!("{rows} rows were moved. Both databases hold {}", describe(&head));
    Ok(())
}

/// A database of another version might have other columns.
async fn is_up_to_date(from: &DatabaseConnection) -> CommandResult {
    let wrong = "--from: this is no database of this version of Renaksi";
    let taken = connection::steps_of(from).await.map_err(|_| wrong)?;
    let known = connection::steps();
    if let Some(missing) = known.difference(&taken).next() {
        return Err(format!("{wrong}: its schema lacks the step {missing}. Run `renaksi migrate` on it first").into());
    }
    if let Some(strange) = taken.difference(&known).next() {
        return Err(format!("{wrong}: its schema has the step {strange}, which a newer version took").into());
    }
    Ok(())
}

async fn moved(from: &DatabaseConnection, to: &DatabaseConnection) -> Result<(Head, u64), Box<dyn std::error::Error>> {
    let tables = schema::tables().await?;
    let mut progress = Progress::of("move");
    if connection::steps_of(to).await.is_err() {
        progress.step("making the tables");
        connection::migrate(to).await?;
    }
    if connection::steps_of(to).await? != connection::steps() {
        return Err("--to: the schema of this database is that of another version".into());
    }
    progress.step("giving the last events their positions");
    seal_all(from).await?;
    let source = still(from, &tables).await?;
    let target = to.begin().await?;
    lift_limit(&target).await?;
    if let Some(table) = first_filled(&target, &tables).await? {
        return Err(format!("--to: this database is not empty: there are rows in `{table}`").into());
    }
    progress.step("verifying the source");
    let head = verified(&source, None, Progress::silent()).await.map_err(|why| format!("--from: {why}"))?;
    let rows = copy(&source, &target, &tables, &mut progress).await?;
    progress.step("verifying the copy");
    let copied = verified(&target, Some(&head), Progress::silent())
        .await
        .map_err(|why| format!("the copy is not like the source: {why}"))?;
    if copied != head {
        return Err(format!("the copy ends at {}, and the source at {}", copied.position, head.position).into());
    }
    target.commit().await?;
    source.rollback().await?;
    Ok((head, rows))
}

/// Gives every event its position, as the service does before it stops in peace: then both databases end at the same one.
async fn seal_all(db: &DatabaseConnection) -> CommandResult {
    let store = Store::new(db.clone(), Calendar::new(Utc.fix()));
    let mut sealer = Sealer::default();
    while sealer.step(&store).await.map_err(|error| error.sentence())? != Step::Nothing {}
    Ok(())
}

/// The source as it is at one instant, while nobody can write to it.
async fn still(db: &DatabaseConnection, tables: &[Table]) -> Result<DatabaseTransaction, Box<dyn std::error::Error>> {
    if db.get_database_backend() == DbBackend::Sqlite {
        // Nobody else has the file open.
        return Ok(db.begin().await?);
    }
    let source = db.begin_with_config(Some(sea_orm::IsolationLevel::RepeatableRead), None).await?;
    lift_limit(&source).await?;
    let names = tables.iter().map(|table| format!("\"{}\"", table.name)).collect::<Vec<_>>().join(", ");
    // Before the first look, so that nothing is committed in between.
    let lock = format!("LOCK TABLE {names} IN SHARE MODE NOWAIT");
    source
        .execute_raw(Statement::from_string(DbBackend::Postgres, lock))
        .await
        .map_err(|error| format!("--from: somebody is writing to this database: {}", connection::reason(&error)))?;
    Ok(source)
}

/// Looks at all of a table take as long as they take.
async fn lift_limit(db: &DatabaseTransaction) -> CommandResult {
    if db.get_database_backend() == DbBackend::Postgres {
        db.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    }
    Ok(())
}
