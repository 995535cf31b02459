//! The open data as a whole: which tables there are, and all of them in one file.

pub mod catalogue;
pub mod list;

mod labels;
mod package;
mod sources;
pub mod zip;
