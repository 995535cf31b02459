//! The commands of the binary, one short file each.

pub mod audit;
pub mod client;
pub mod export;
pub mod healthcheck;
pub mod import;
pub mod keys;
pub mod migrate;
pub mod serve;
pub mod user;

/// What a command ends with: a sentence for the person who ran it.
pub type CommandResult = Result<(), Box<dyn std::error::Error>>;
