//! What people and systems with a token read and write: one file a resource.
//!
//! Each implements the trait `crud::resource::Resource`; the operations in `crud` are the same for all of them. `accounts` does the
//! same for users, clients and webhooks, and `reporting` for the reports of OPDs, from the draft to the review.

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
pub mod webhooks;
