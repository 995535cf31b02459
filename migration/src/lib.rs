//! The steps that bring a database to Renaksi's schema, in order. A step that landed is never edited.
//!
//! Every step runs on SQLite and PostgreSQL and spells names out: it must mean the same when the entities have moved on.

pub use sea_orm_migration::prelude::*;

mod columns;
mod m0001_create_catalogue;
mod m0002_create_events;
mod m0003_create_identity;
mod m0004_create_reporting;
mod m0005_create_evaluation;
mod m0006_create_feed;
mod m0007_create_webhooks;
mod m0008_bound_figures;
mod m0009_harden_identity;
mod m0010_index_first_days;
mod m0012_find_codes_in_any_case;
mod m0014_record_transitions;
mod m0015_invite_people;
mod m0016_describe_indicators;
mod m0017_hash_contents;
mod m0018_index_first_values;
mod m0019_group_index_entries;
mod m0020_batch_events;

/// All steps of the schema.
pub struct Migrator;

#[sea_orm_migration::async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_create_catalogue::Migration),
            Box::new(m0002_create_events::Migration),
            Box::new(m0003_create_identity::Migration),
            Box::new(m0004_create_reporting::Migration),
            Box::new(m0005_create_evaluation::Migration),
            Box::new(m0006_create_feed::Migration),
            Box::new(m0007_create_webhooks::Migration),
            Box::new(m0008_bound_figures::Migration),
            Box::new(m0009_harden_identity::Migration),
            Box::new(m0010_index_first_days::Migration),
            Box::new(m0012_find_codes_in_any_case::Migration),
            Box::new(m0014_record_transitions::Migration),
            Box::new(m0015_invite_people::Migration),
            Box::new(m0016_describe_indicators::Migration),
            Box::new(m0017_hash_contents::Migration),
            Box::new(m0018_index_first_values::Migration),
            Box::new(m0019_group_index_entries::Migration),
            Box::new(m0020_batch_events::Migration),
        ]
    }
}
