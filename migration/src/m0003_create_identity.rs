//! People who log in, their refresh tokens, the keys that sign access tokens, and failed logins.

use sea_orm_migration::prelude::*;

use crate::columns::{Columns, index, refers};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns::of(manager);
        let mut user = Table::create()
            .table("user_account")
            .col(c.uuid("id").primary_key().take())
            .col(c.required_text("email").unique_key().take())
            .col(c.required_text("name"))
            .col(c.required_text("role"))
            .col(c.text("opd"))
            .col(c.boolean("active"))
            .col(c.required_text("password_hash"))
            .col(c.instant("last_login_at"))
            .col(c.required_text("search"))
            .foreign_key(&mut refers("user_account", "opd", "opd"))
            .take();
        c.versioned(&mut user);
        manager.create_table(user).await?;
        index(manager, "user_account", &["opd"]).await?;
        let token = Table::create()
            .table("refresh_token")
            .col(c.required_text("hash").primary_key().take())
            .col(c.uuid("family"))
            .col(c.uuid("user_id"))
            .col(c.instant("expires_at").not_null().take())
            .col(c.instant("used_at"))
            .col(c.instant("revoked_at"))
            .col(c.instant("created_at").not_null().take())
            .foreign_key(
                ForeignKey::create()
                    .name("fk_refresh_token_user_id")
                    .from("refresh_token", "user_id")
                    .to("user_account", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .take();
        manager.create_table(token).await?;
        index(manager, "refresh_token", &["family"]).await?;
        index(manager, "refresh_token", &["user_id"]).await?;
        let key = Table::create()
            .table("signing_key")
            .col(c.required_text("kid").primary_key().take())
            .col(ColumnDef::new("private_der").blob().not_null())
            .col(c.json("public_jwk").not_null().take())
            .col(c.required_text("slot").unique_key().take())
            .col(c.instant("created_at").not_null().take())
            .take();
        manager.create_table(key).await?;
        let failure = Table::create()
            .table("login_failure")
            .col(c.required_text("subject").primary_key().take())
            .col(c.integer("failures").not_null().take())
            .col(c.instant("blocked_until").not_null().take())
            .col(c.instant("updated_at").not_null().take())
            .take();
        manager.create_table(failure).await
    }
}
