//! The append-only trail of changes, and the first answers kept for retries.

use sea_orm_migration::prelude::*;

use crate::columns::{Columns, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns::of(manager);
        let event = Table::create()
            .table("event")
            .col(ColumnDef::new("seq").big_integer().not_null().auto_increment().primary_key())
            .col(c.uuid("id").unique_key().take())
            .col(c.instant("at").not_null().take())
            .col(c.required_text("resource"))
            .col(c.required_text("key"))
            .col(c.required_text("action"))
            .col(c.integer("version").not_null().take())
            .col(c.required_text("actor_kind"))
            .col(c.required_text("actor_id"))
            .col(c.text("request_id"))
            .col(c.text("address"))
            .col(c.json("before"))
            .col(c.json("after"))
            .take();
        manager.create_table(event).await?;
        index(manager, "event", &["resource", "key", "seq"]).await?;
        let record = Table::create()
            .table("idempotency_record")
            .col(c.required_text("id").primary_key().take())
            .col(c.required_text("fingerprint"))
            .col(c.integer("status").not_null().take())
            .col(c.json("headers").not_null().take())
            .col(ColumnDef::new("body").blob().not_null())
            .col(c.instant("created_at").not_null().take())
            .take();
        manager.create_table(record).await?;
        index(manager, "idempotency_record", &["created_at"]).await
    }
}
