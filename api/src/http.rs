//! The manners of HTTP that every endpoint shares. Nothing here knows a word of the domain.

pub mod answer;
pub mod body;
pub mod client_address;
pub mod codes;
pub mod cors;
pub mod error_codes;
pub mod faults;
pub mod idempotency;
pub mod identifiers;
pub mod json;
pub mod language;
pub mod media;
pub mod middleware;
pub mod operation;
pub mod page;
pub mod precondition;
pub mod problem;
pub mod query;
pub mod rate_limit;
pub mod representation;
pub mod request_id;
pub mod schema;
pub mod security;
pub mod statements;
pub mod table;
pub mod wording;
