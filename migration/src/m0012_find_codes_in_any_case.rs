//! Indexes by which a code is found whatever its case: a new one that differs only in case from one that is there is refused.
//! They are not unique: what differed like that before stays.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: [&str; 9] =
    ["masterplan", "dimension", "opd", "region", "programme", "quick_win", "kpi", "award", "evaluation"];

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            let sql = format!("CREATE INDEX ix_{table}_code_in_any_case ON {table} (lower(code))");
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
