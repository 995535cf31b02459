//! The hash of an event's content, stored with the event, so that sealing needs only the hashes. Events that are there already keep the
//! hash of their seal.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let hash = ColumnDef::new("content_hash").blob().take();
        manager.alter_table(Table::alter().table("event").add_column(hash).take()).await
    }
}
