//! The feed: which place an event has in the chain, and where the chain ends.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{Columns, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns::of(manager);
        let db = manager.get_connection();
        let seal = Table::create()
            .table("event_seal")
            .col(ColumnDef::new("position").big_integer().not_null().primary_key())
            .col(ColumnDef::new("seq").big_integer().not_null().unique_key())
            .col(c.required_text("resource"))
            .col(c.boolean("public"))
            .col(c.required_text("hash"))
            .take();
        manager.create_table(seal).await?;
        index(manager, "event_seal", &["resource", "position"]).await?;
        let public = Index::create().name("ix_event_seal_public").table("event_seal").col("position").take();
        manager.create_index(public.clone().and_where(Expr::cust("public")).take()).await?;
        let head = Table::create()
            .table("feed_head")
            .col(c.integer("id").not_null().primary_key().take())
            .col(ColumnDef::new("position").big_integer().not_null())
            .col(c.required_text("hash"))
            .col(ColumnDef::new("horizon").big_integer().not_null())
            .take();
        manager.create_table(head).await?;
        let nothing = "0".repeat(64);
        db.execute_unprepared(&format!("INSERT INTO feed_head (id, position, hash, horizon) VALUES (1, 0, '{nothing}', 0)"))
            .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            // The transaction that appended an event: with it, what is not sealed yet is found among the recent ones only.
            db.execute_unprepared(
                "ALTER TABLE event ADD COLUMN xact bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)",
            )
            .await?;
            db.execute_unprepared("CREATE INDEX ix_event_xact ON event (xact)").await?;
        }
        Ok(())
    }
}
