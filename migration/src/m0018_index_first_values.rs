//! The index of the first values of KPIs holds only those that count: each measurement that is handed in was written to it as well, at
//! a place of its own.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = "measurement";
        let counting = Expr::cust("revision = 1 AND counts_from IS NOT NULL");
        let index = Index::create()
            .name("ix_measurement_first_value")
            .table(table)
            .col("kpi")
            .col("counts_from")
            .and_where(counting)
            .take();
        manager.create_index(index).await?;
        // Last: it locks the table against readers until the step is done.
        manager.drop_index(Index::drop().name("ix_measurement_first").table(table).to_owned()).await
    }
}
