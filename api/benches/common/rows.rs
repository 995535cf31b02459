//! Rows by the thousand, straight into the tables.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, IntoActiveModel, ModelTrait,
    TransactionTrait,
};

/// Rows of a statement: SQLite takes 32,766 parameters.
const ROWS: usize = 1_300;

/// Inserts rows, many to a statement, in one transaction.
pub(crate) async fn insert<A>(db: &DatabaseConnection, rows: impl Iterator<Item = A>) -> Result<(), DbErr>
where
    A: ActiveModelTrait + Send,
    <A::Entity as EntityTrait>::Model: ModelTrait + IntoActiveModel<A>,
{
    let transaction = db.begin().await?;
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        A::Entity::insert_many(rows.by_ref().take(ROWS)).exec_without_returning(&transaction).await?;
    }
    transaction.commit().await
}

/// Does what autovacuum does before long.
pub(crate) async fn settle(db: &DatabaseConnection) -> Result<(), DbErr> {
    if db.get_database_backend() == DbBackend::Postgres {
        db.execute_unprepared("VACUUM ANALYZE").await?;
    }
    Ok(())
}

/// A day.
pub(crate) fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

/// The beginning of a day.
pub(crate) fn instant(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}
