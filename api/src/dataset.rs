//! The open data as a whole: which tables there are, and all of them in one file.

pub mod list;
