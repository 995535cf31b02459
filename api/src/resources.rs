//! What people and systems with a token read and write: one file a resource.
//!
//! `resource` says what a resource must tell about itself; `crud` is the same seven operations for all of them.
//! `accounts` is the same for what only its managers see, whose secrets nobody sees; `reporting` for what OPDs
//! report: what they write, hand in and correct, and who reviews it.

pub mod accounts;
pub mod association;
pub mod reporting;

pub mod action_plans;
pub mod actions;
pub mod auth;
pub mod awards;
pub mod clients;
pub mod commitments;
pub mod council_members;
pub mod dimensions;
pub mod evaluations;
pub mod explanation;
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
pub mod second_factor;
pub mod sessions;
pub mod signing_keys;
pub mod surveys;
pub mod users;
