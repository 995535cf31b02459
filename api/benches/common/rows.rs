//! Rows by the thousand, straight into the tables.

use chrono::{DateTime, NaiveDate, Utc};
use entity::measurement::{self, ReportState};
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, IntoActiveModel, ModelTrait,
    TransactionTrait,
};
use serde_json::json;

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

/// A verified value of a KPI for a period, known from its end on.
pub(crate) fn verified(kpi: String, period: Period, value: Decimal) -> measurement::Model {
    let end = period.end();
    measurement::Model {
        kpi,
        period: period.to_string(),
        revision: 1,
        period_end: end,
        value,
        note: None,
        evidence: json!([]),
        source_updated_at: None,
        first_event: None,
        provenance: None,
        state: ReportState::Verified,
        known_on: Some(end),
        counts_from: Some(end),
        latest: true,
        leads: true,
        reason: None,
        reported_by: "bench".into(),
        authors: None,
        submitter: None,
        submitted_by: None,
        submitted_at: None,
        return_reason: None,
        returned_by: None,
        verified_by: Some("bench".into()),
        verified_at: Some(instant(end)),
        version: 1,
        created_at: instant(end),
        updated_at: instant(end),
    }
}

/// A day.
pub(crate) fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

/// The beginning of a day.
pub(crate) fn instant(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}
