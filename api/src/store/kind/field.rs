//! The fields by which a list can be filtered and sorted.

use chrono::NaiveDate;
use sea_orm::sea_query::SimpleExpr;

use super::reference::Link;
use super::value_type::ValueType;

/// A field that a list can be filtered or sorted by.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, in the query and in the table.
    pub name: &'static str,
    /// What values it has.
    pub value: ValueType,
    /// Whether `sort=` may name it.
    pub sortable: bool,
    /// Whether it may be null: such rows come last, whatever the direction.
    pub nullable: bool,
    /// Where the values stand, if not in a column of the same name.
    pub link: Option<Link>,
    /// For a flag that no column holds: the condition under which it is `true`, or `false`, on a day.
    pub derived: Option<fn(bool, NaiveDate) -> SimpleExpr>,
    /// Whether it is computed, so that the database cannot sort by it.
    pub is_computed: bool,
}

impl Field {
    /// A field that filters.
    pub const fn filter(name: &'static str, value: ValueType) -> Self {
        Self { name, value, sortable: false, nullable: false, link: None, derived: None, is_computed: false }
    }

    /// A field that filters and sorts, and is never null.
    pub const fn sort(name: &'static str, value: ValueType) -> Self {
        Self { sortable: true, ..Self::filter(name, value) }
    }

    /// A field that filters and sorts, and may be null.
    pub const fn sort_nullable(name: &'static str, value: ValueType) -> Self {
        Self { sortable: true, nullable: true, ..Self::filter(name, value) }
    }

    /// A field whose values stand in a table of references.
    pub const fn linked(name: &'static str, link: Link) -> Self {
        Self { link: Some(link), ..Self::filter(name, ValueType::Code) }
    }

    /// A flag that filters by a condition.
    pub const fn derived(name: &'static str, condition: fn(bool, NaiveDate) -> SimpleExpr) -> Self {
        Self { derived: Some(condition), ..Self::filter(name, ValueType::Flag) }
    }

    /// The same field, computed of rows in memory.
    pub const fn computed(self) -> Self {
        Self { is_computed: true, ..self }
    }
}
