//! People set their passwords themselves, by invitation, and may need a one-time code to log in.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{Columns, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// SQLite cannot let a column be null that could not be: another column takes its place.
const NULLABLE_ON_SQLITE: &[&str] = &[
    "ALTER TABLE user_account ADD COLUMN nullable_hash text",
    "UPDATE user_account SET nullable_hash = password_hash",
    "ALTER TABLE user_account DROP COLUMN password_hash",
    "ALTER TABLE user_account RENAME COLUMN nullable_hash TO password_hash",
];
const NULLABLE_ON_POSTGRES: &[&str] = &["ALTER TABLE user_account ALTER COLUMN password_hash DROP NOT NULL"];

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns::of(manager);
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        for sql in if is_postgres { NULLABLE_ON_POSTGRES } else { NULLABLE_ON_SQLITE } {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        manager.alter_table(Table::alter().table("user_account").add_column(c.instant("totp_since")).take()).await?;
        let totp = Table::create()
            .table("totp")
            .col(c.uuid("user_id").primary_key().take())
            .col(ColumnDef::new("secret").blob().not_null())
            .col(ColumnDef::new("last_step").big_integer().not_null())
            .col(c.instant("created_at").not_null().take())
            .foreign_key(&mut of_user("totp"))
            .take();
        manager.create_table(totp).await?;
        let recovery = Table::create()
            .table("recovery_code")
            .col(c.uuid("user_id"))
            .col(c.required_text("hash"))
            .primary_key(Index::create().col("user_id").col("hash"))
            .foreign_key(&mut of_user("recovery_code"))
            .take();
        manager.create_table(recovery).await?;
        let invitation = Table::create()
            .table("invitation")
            .col(c.uuid("user_id").primary_key().take())
            .col(c.required_text("hash").unique_key().take())
            .col(c.instant("expires_at").not_null().take())
            .foreign_key(&mut of_user("invitation"))
            .take();
        manager.create_table(invitation).await?;
        index(manager, "invitation", &["expires_at"]).await
    }
}

/// What belongs to a user goes with it.
fn of_user(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk_{table}_user_id"))
        .from(table, "user_id")
        .to("user_account", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}
