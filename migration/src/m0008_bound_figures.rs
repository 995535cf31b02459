//! Bounds of KPIs, surveys by the sums of their answers, and from when a verified value counts.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::prelude::{ChronoDateTimeUtc, Json, Uuid};
use sea_orm_migration::sea_orm::{DbBackend, QueryResult, Statement, Value};
use serde_json::json;

use crate::columns::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns::of(manager);
        for (table, column) in [
            ("kpi", c.decimal("minimum")),
            ("kpi", c.decimal("maximum")),
            ("survey", c.json("sums")),
            ("measurement", c.date("counts_from")),
        ] {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        count_values_of_their_period(manager).await?;
        bound_percentages(manager).await
    }
}

/// The first day of the period of a measurement: half-years come with this step.
fn first_day(backend: DbBackend) -> String {
    let first_of_quarter = "CASE substr(period, 7, 1) WHEN '1' THEN '-01' WHEN '2' THEN '-04' WHEN '3' THEN '-07' ELSE '-10' END";
    let first_month = format!(
        "CASE WHEN length(period) = 4 THEN '-01' WHEN substr(period, 6, 1) = 'Q' THEN {first_of_quarter} ELSE substr(period, 5, 3) END"
    );
    let text = format!("(substr(period, 1, 4) || {first_month} || '-01')");
    if backend == DbBackend::Postgres { format!("{text}::date") } else { text }
}

/// A verified value counts from the day it was known, but not before its period has begun: values of the future were taken
/// until now. Which value leads its KPI follows from that.
async fn count_values_of_their_period(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let first_day = first_day(manager.get_database_backend());
    for name in ["ux_measurement_leads", "ix_measurement_first"] {
        manager.drop_index(Index::drop().name(name).table("measurement").to_owned()).await?;
    }
    let later = "o.counts_from <= measurement.counts_from AND (o.period_end > measurement.period_end \
                 OR (o.period_end = measurement.period_end AND o.revision > measurement.revision))";
    for sql in [
        format!(
            "UPDATE measurement SET counts_from = CASE WHEN {first_day} > known_on THEN {first_day} ELSE known_on END \
             WHERE known_on IS NOT NULL"
        ),
        format!(
            "UPDATE measurement SET leads = NOT EXISTS (SELECT 1 FROM measurement o WHERE o.kpi = measurement.kpi AND {later}) \
             WHERE counts_from IS NOT NULL AND kpi IN (SELECT kpi FROM measurement WHERE counts_from > known_on)"
        ),
    ] {
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    let of_day = |name: &str| Index::create().name(name).table("measurement").col("kpi").col("counts_from").take();
    // Parts of the table only: they answer as of any day without a look at the other measurements.
    manager.create_index(of_day("ux_measurement_leads").unique().and_where(Expr::cust("leads")).take()).await?;
    manager.create_index(of_day("ix_measurement_first").and_where(Expr::col("revision").eq(1)).take()).await?;
    manager.create_index(of_day("ix_measurement_early").and_where(Expr::cust("counts_from > known_on")).take()).await
}

/// Percentages whose values, targets and baselines all lie from 0 to 100 are bound by these, as new ones are; those of which one
/// does not stay without bounds. Each change leaves its event, as any other.
async fn bound_percentages(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let (db, backend) = (manager.get_connection(), manager.get_database_backend());
    let outside =
        |table: &str| format!("EXISTS (SELECT 1 FROM {table} v WHERE v.kpi = k.code AND (v.value < 0 OR v.value > 100))");
    let sql = format!(
        "SELECT k.code, k.version, (SELECT e.after FROM event e WHERE e.resource = 'kpi' AND e.\"key\" = k.code \
           AND e.after IS NOT NULL ORDER BY e.seq DESC LIMIT 1) AS shown \
         FROM kpi k WHERE k.unit_kind = 'percent' AND (k.baseline_value IS NULL OR k.baseline_value BETWEEN 0 AND 100) \
         AND NOT {} AND NOT {}",
        outside("kpi_target"),
        outside("measurement")
    );
    let now = now();
    for row in db.query_all_raw(Statement::from_string(backend, sql)).await? {
        bound(db, backend, &row, now).await?;
    }
    Ok(())
}

async fn bound(
    db: &SchemaManagerConnection<'_>,
    backend: DbBackend,
    row: &QueryResult,
    now: ChronoDateTimeUtc,
) -> Result<(), DbErr> {
    let (code, version): (String, i32) = (row.try_get("", "code")?, row.try_get("", "version")?);
    let run = async |sql: &str, values: Vec<Value>| db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await;
    let bounded = "UPDATE kpi SET minimum = 0, maximum = 100, version = $1, updated_at = $2 WHERE code = $3";
    run(bounded, vec![(version + 1).into(), now.into(), code.clone().into()]).await?;
    let Some(before) = row.try_get::<Option<Json>>("", "shown")? else { return Ok(()) };
    let mut after = before.clone();
    for (name, value) in
        [("minimum", json!("0")), ("maximum", json!("100")), ("version", json!(version + 1)), ("updated_at", json!(now))]
    {
        after[name] = value;
    }
    let told = "INSERT INTO event (id, at, resource, \"key\", action, version, actor_kind, actor_id, before, after) \
                VALUES ($1, $2, 'kpi', $3, 'updated', $4, 'system', 'migrate', $5, $6)";
    let values =
        vec![Uuid::now_v7().into(), now.into(), code.clone().into(), (version + 1).into(), before.into(), after.clone().into()];
    run(told, values).await?;
    // What figures of past days know of it since it was last changed.
    run(
        "UPDATE past SET content = $1 WHERE resource = 'kpi' AND \"key\" = $2 AND until = '9999-12-31'",
        vec![after.into(), code.into()],
    )
    .await?;
    Ok(())
}

/// Now, in whole microseconds: PostgreSQL keeps no more.
fn now() -> ChronoDateTimeUtc {
    let now = chrono::Utc::now();
    ChronoDateTimeUtc::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
}
