//! What Peraturan BPS 5/2020 wants to be known of an indicator.

use sea_orm_migration::prelude::*;

use crate::columns::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Columns::of(manager).json("statistical_metadata");
        manager.alter_table(Table::alter().table("kpi").add_column(column).take()).await
    }
}
