//! Webhooks: who is told of events, what was told, and up to where in the feed.

use sea_orm_migration::prelude::*;

use crate::columns::{Columns, index, part_of_id};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns::of(manager);
        let webhook = c.identified_table(
            "webhook",
            vec![
                c.required_text("url"),
                c.text("description"),
                c.json("event_types").not_null().take(),
                c.boolean("active"),
                c.text("disabled_reason"),
                c.instant("disabled_at"),
                c.required_text("secret"),
                c.text("previous_secret"),
                c.instant("previous_secret_until"),
                ColumnDef::new("after_position").big_integer().not_null().take(),
                c.instant("failing_since"),
            ],
        );
        manager.create_table(webhook).await?;
        manager.create_table(deliveries(&c)).await?;
        let once =
            Index::create().name("uq_webhook_delivery").table("webhook_delivery").col("webhook").col("position").unique().take();
        manager.create_index(once).await?;
        let due = Index::create().name("ix_webhook_delivery_due").table("webhook_delivery").col("next_attempt_at").take();
        manager.create_index(due.clone().and_where(Expr::cust("status = 'pending'")).take()).await?;
        index(manager, "webhook_delivery", &["webhook", "id"]).await?;
        index(manager, "webhook_delivery", &["created_at"]).await?;
        let cursor = Table::create()
            .table("webhook_cursor")
            .col(c.integer("id").not_null().primary_key().take())
            .col(ColumnDef::new("position").big_integer().not_null())
            .take();
        manager.create_table(cursor).await?;
        // Nobody is to be told of what happened before there were webhooks.
        let start = "INSERT INTO webhook_cursor (id, position) SELECT 1, position FROM feed_head";
        manager.get_connection().execute_unprepared(start).await?;
        Ok(())
    }
}

fn deliveries(c: &Columns) -> TableCreateStatement {
    Table::create()
        .table("webhook_delivery")
        .col(c.required_text("id").primary_key().take())
        .col(c.required_text("webhook"))
        .col(ColumnDef::new("position").big_integer())
        .col(c.required_text("message_id"))
        .col(c.required_text("event_type"))
        .col(c.required_text("status"))
        .col(c.integer("attempts").not_null().take())
        .col(c.instant("first_attempt_at"))
        .col(c.instant("last_attempt_at"))
        .col(c.instant("next_attempt_at"))
        .col(c.instant("leased_until"))
        .col(c.integer("response_status"))
        .col(c.text("response_excerpt"))
        .col(c.text("error"))
        .col(c.instant("created_at").not_null().take())
        .foreign_key(&mut part_of_id("webhook_delivery", "webhook", "webhook"))
        .take()
}
