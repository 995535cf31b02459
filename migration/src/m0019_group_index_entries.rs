//! A push brings the values of many KPIs for one period. An index that begins with the KPI is written at as many places as there are KPIs,
//! and SQLite writes whole pages: a push of 1,000 values wrote 100 MB.
//!
//! On SQLite the index of events therefore begins with the period, so that the events of a push are neighbours in it. PostgreSQL writes what
//! changed in a page, and replicas of the version before need the index that is there. The second index of measurements by KPI goes: the
//! primary key begins with the KPI, too, and with the years of its periods.
//!
//! What is owed also lists the few reports that were never handed in, however old they are. They get an index of their own.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let run = async |sql: &str| manager.get_connection().execute_unprepared(sql).await.map(drop);
        let drop_index =
            async |table: &'static str, name: &str| manager.drop_index(Index::drop().name(name).table(table).to_owned()).await;
        run("CREATE INDEX ix_measurement_open ON measurement (kpi, period) WHERE latest AND state IN ('draft', 'returned')")
            .await?;
        if manager.get_database_backend() == DbBackend::Sqlite {
            run("CREATE INDEX ix_event_resource_part_key_seq ON event (resource, substr(\"key\", instr(\"key\", '/') + 1), \"key\", seq)")
                .await?;
            drop_index("event", "ix_event_resource_key_seq").await?;
        }
        // Last: it locks the table against readers until the step is done.
        drop_index("measurement", "ix_measurement_kpi_period_end_revision").await
    }
}
