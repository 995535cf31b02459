//! The database: how to reach it, the one way to change it, and how lists are read.

pub mod access;
pub mod bulk;
pub mod change;
pub mod clock;
pub mod connection;
pub mod days;
pub mod effect;
pub mod figures;
pub mod files;
pub mod generation;
pub mod happenings;
pub mod kept;
pub mod listing;
pub mod output;
pub mod past;
pub mod progress;
pub mod scope;
pub mod standing;
pub mod visible;
