//! Lists and figures as tables: CSV beside JSON, in the one dialect, with all rows.
//!
//! What a table looks like is read off the description of its operation: the columns are the members that the JSON of a row has
//! ([`columns`]). So a list has as CSV what it has as JSON, and nobody lists members a second time. A list is read in pages, from
//! one snapshot of the database, while it is sent ([`stream`]).

pub mod asked;
pub mod columns;
pub mod exports;
pub mod stream;
