//! Events for the entries of status histories, so that the trail proves them too: those that were recorded before there were any.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (id, object) = match manager.get_database_backend() {
            DbBackend::Postgres => ("gen_random_uuid()", "jsonb_build_object"),
            _ => ("randomblob(16)", "json_object"),
        };
        // What happened keeps its instant and its author; only the event itself is recorded now.
        let sql = format!(
            "INSERT INTO event (id, at, resource, \"key\", action, version, actor_kind, actor_id, request_id, address, before, after) \
             SELECT {id}, recorded_at, 'transition', programme || '/' || seq, 'created', seq, 'system', recorded_by, NULL, NULL, NULL, \
             {object}('programme', programme, 'seq', seq, 'from', from_status, 'to', to_status, \
             'effective_on', CAST(effective_on AS TEXT), 'reason', reason) \
             FROM status_change ORDER BY recorded_at, programme, seq"
        );
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }
}
