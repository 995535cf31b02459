//! Who wrote and handed in a report, by subject; from where an account logged in lately; and secrets that the service keeps to
//! itself.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{Columns, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns::of(manager);
        for table in ["measurement", "action_report"] {
            for column in [c.json("authors"), c.text("submitter")] {
                manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
            }
        }
        let known = Table::create()
            .table("known_address")
            .col(c.required_text("subject").primary_key().take())
            .col(c.instant("seen_at").not_null().take())
            .take();
        manager.create_table(known).await?;
        index(manager, "known_address", &["seen_at"]).await?;
        index(manager, "login_failure", &["updated_at"]).await?;
        let secret = Table::create()
            .table("server_secret")
            .col(c.required_text("name").primary_key().take())
            .col(ColumnDef::new("value").blob().not_null())
            .take();
        manager.create_table(secret).await?;
        // Replicas that start together take turns with the whole schema, so there is one value.
        let random = match manager.get_database_backend() {
            DbBackend::Postgres => "decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')",
            _ => "randomblob(32)",
        };
        let insert = format!("INSERT INTO server_secret (name, value) VALUES ('idempotency', {random})");
        manager.get_connection().execute_unprepared(&insert).await?;
        Ok(())
    }
}
