//! Rows of any kind, for code that does not know their types.

use std::any::Any;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::{BoxFuture, LocalBoxFuture};
use sea_orm::sea_query::SelectStatement;
use sea_orm::{Condition, DatabaseConnection, DatabaseExecutor, Value as Parameter};
use serde_json::Value;

use super::Kind;
use super::field::Field;
use crate::http::problem::ApiResult;

/// All rows, or only those that the public sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For those who log in.
    All,
    /// For everybody.
    Published,
}

/// Reads rows of one kind.
pub trait Rows: Sync {
    /// The rows that `narrow` leaves of a selection of all, with what is computed over what `scope` counts: a fixed number of
    /// statements, whatever the rows.
    fn all<'a>(
        &'a self,
        db: &'a DatabaseExecutor<'a>,
        narrow: Box<dyn FnOnce(&mut SelectStatement) + 'a>,
        scope: Scope,
        today: NaiveDate,
    ) -> LocalBoxFuture<'a, ApiResult<Vec<Box<dyn Row>>>>;
}

/// Reads all rows of one kind, for lists that the database cannot cut into pages: those of a past day, and those in the order of
/// something that is computed. Such lists are figures: they are computed few at a time, and kept.
pub trait Whole: Sync {
    /// Whether lists can be asked for past days.
    fn has_past(&self) -> bool;

    /// What lists can be sorted by that is computed.
    fn computed(&self) -> &'static [Field];

    /// What `q=` looks through of a row.
    fn text(&self, row: &Value) -> String;

    /// The rows that `scope` shows at the end of a day, each with all its members and its entity tag. Of today those that meet
    /// `narrow`, if that helps.
    fn rows<'a>(
        &'a self,
        db: &'a DatabaseConnection,
        scope: Scope,
        day: NaiveDate,
        today: NaiveDate,
        narrow: Condition,
    ) -> BoxFuture<'a, ApiResult<Vec<Value>>>;
}

/// A row of some kind.
pub trait Row: Send + Sync {
    /// Its kind.
    fn kind(&self) -> &'static Kind;

    /// Its code or id.
    fn key(&self) -> &str;

    /// What every row carries.
    fn stamp(&self) -> Stamp;

    /// What the column called `name` holds.
    fn column(&self, name: &str) -> Option<Parameter>;

    /// Tells the members that clients write.
    fn written(&self, sink: &mut dyn Sink);

    /// Tells the members that only the service writes and that stand in the row.
    fn read_only(&self, sink: &mut dyn Sink);

    /// Tells the members that are computed, if they were.
    fn computed(&self, sink: &mut dyn Sink);

    /// The row itself, for who knows its type.
    fn as_any(&self) -> &dyn Any;
}

/// Takes the members of a row, in the order in which answers show them.
pub trait Sink {
    /// Takes a member.
    fn member(&mut self, name: &'static str, value: &dyn Render);
}

/// What every row carries.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Counts the writes.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    pub updated_at: DateTime<Utc>,
}

/// A value as answers show it.
pub trait Render {
    /// As JSON text.
    fn json(&self, out: &mut Vec<u8>);

    /// As JSON in memory.
    fn value(&self) -> Value;
}
