//! The first day of which anything is recorded, found without a look at every row: figures cannot be asked about earlier ones.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [
            ("status_change", "effective_on"),
            ("coverage", "effective_on"),
            ("commitment", "signed_on"),
            ("past", "since"),
            ("measurement", "known_on"),
            ("action_report", "known_on"),
        ] {
            let index = Index::create().name(format!("ix_{table}_{column}")).table(table).col(column).take();
            // What is not verified has no such day, and costs nothing.
            let index =
                if column == "known_on" { index.clone().and_where(Expr::col(column).is_not_null()).take() } else { index };
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
