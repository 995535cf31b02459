//! What people and systems with a token read and write: one file a resource.
//!
//! `resource` says what a resource must tell about itself; `crud` is the same seven operations for all of them.

pub mod crud;
pub mod describe;
pub mod history;
pub mod references;
pub mod resource;
pub mod wire;

pub mod auth;
pub mod awards;
pub mod clients;
pub mod dimensions;
pub mod kpis;
pub mod masterplans;
pub mod me;
pub mod obligations;
pub mod opds;
pub mod programmes;
pub mod provenance;
pub mod quick_wins;
pub mod regions;
pub mod reviews;
pub mod users;
