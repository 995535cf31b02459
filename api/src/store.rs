//! The database: how to reach it, the one way to change it, and how lists are read.

pub mod access;
pub mod backup;
pub mod bulk;
pub mod clock;
pub mod connection;
pub mod copy;
pub mod days;
pub mod dependencies;
pub mod effect;
pub mod figure_cache;
pub mod figures;
pub mod files;
pub mod generation;
pub mod kind;
pub mod listing;
pub mod output;
pub mod progress;
pub mod rows;
pub mod schema;
pub mod scope;
pub mod snapshots;
pub mod standing;
pub mod tables;
pub mod transaction;
pub mod turns;
pub mod visible;
