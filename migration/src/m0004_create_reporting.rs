//! Systems that report: OAuth clients, keys that are replaced, and what the review of a report notes.

use sea_orm_migration::prelude::*;

use crate::columns::{Columns, index, refers};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns::of(manager);
        let mut client = Table::create()
            .table("client")
            .col(c.required_text("id").primary_key().take())
            .col(c.required_text("name"))
            .col(c.required_text("opd"))
            .col(c.json("scopes").not_null().take())
            .col(c.boolean("active"))
            .col(c.required_text("secret_hash"))
            .col(c.text("previous_secret_hash"))
            .col(c.instant("previous_secret_until"))
            .col(c.instant("last_used_at"))
            .col(c.required_text("search"))
            .foreign_key(&mut refers("client", "opd", "opd"))
            .take();
        c.versioned(&mut client);
        manager.create_table(client).await?;
        index(manager, "client", &["opd"]).await?;
        for column in
            [c.text("reason"), c.text("submitted_by"), c.instant("submitted_at"), c.text("return_reason"), c.text("returned_by")]
        {
            manager.alter_table(Table::alter().table("measurement").add_column(column).take()).await?;
        }
        // The inbox of the reviewer: what waits, the oldest first.
        let inbox = Index::create()
            .name("ix_measurement_inbox")
            .table("measurement")
            .col("submitted_at")
            .col("kpi")
            .col("period")
            .and_where(Expr::col("state").eq("submitted"))
            .take();
        manager.create_index(inbox).await?;
        manager.alter_table(Table::alter().table("programme").add_column(c.instant("source_updated_at")).take()).await?;
        manager.alter_table(Table::alter().table("signing_key").add_column(c.instant("retired_at")).take()).await
    }
}
