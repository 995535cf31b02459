//! The events by which one request created many reports lie in one row, a *batch*, which takes a twentieth of the room. Reports and
//! later events name the first event of a report where it lies in such a row.
//!
//! A replica of the version before does not know batches. So none is written to a PostgreSQL database that is in use until
//! `renaksi migrate --complete` says that no such replica runs any more.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::Columns;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns::of(manager);
        let add = async |table: &'static str, column: ColumnDef| {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await
        };
        let number = || ColumnDef::new("events").integer().not_null().default(1).take();
        for table in ["event", "measurement", "action_report"] {
            add(table, ColumnDef::new("first_event").uuid().null().take()).await?;
        }
        add("event", number()).await?;
        add("event", ColumnDef::new("batch").blob().take()).await?;
        add("event_seal", number()).await?;
        add("event_seal", ColumnDef::new("public_events").blob().take()).await?;
        add("feed_head", c.boolean("batches").default(false).take()).await?;
        let is_alone = match manager.get_database_backend() {
            DbBackend::Postgres => "NOT EXISTS (SELECT 1 FROM event)",
            _ => "TRUE",
        };
        let db = manager.get_connection();
        db.execute_unprepared(&format!("UPDATE feed_head SET batches = TRUE WHERE {is_alone}")).await.map(drop)
    }
}
