//! How resources refer to others, and where the references are stored.

use std::fmt;

use serde_json::Value;

use super::{Key, Kind};

/// What a member refers to.
#[derive(Clone, Copy)]
pub enum Refers {
    /// Nothing.
    Nothing,
    /// Each of its codes, or its one code, is that of a resource of this kind.
    To(&'static Kind),
    /// A code within it, of a kind that may depend on what else it holds.
    Within(&'static dyn Within),
}

/// References within a member.
pub trait Within: Sync {
    /// What a value of the member refers to: the place within the member as a JSON pointer, the kind and the key.
    fn named(&self, value: &Value) -> Vec<(String, &'static Kind, String)>;

    /// Takes out of a value of the member what names something that the public does not see.
    fn hide(&self, value: &mut Value);

    /// Where the references are stored.
    fn stored(&self) -> Vec<Stored>;
}

/// A column that holds keys of another kind.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// The kind that is referred to.
    pub to: &'static Kind,
    /// What refers, as the audit log calls it.
    pub resource: &'static str,
    /// The table.
    pub table: &'static str,
    /// The column with the key.
    pub column: &'static str,
    /// The column that names what refers.
    pub name: &'static str,
    /// Which rows of the table do: those that have one of these words in a column.
    pub only: Option<(&'static str, &'static [&'static str])>,
}

/// A table with a row for each code of a list that stands in a row of another table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The table.
    pub table: &'static str,
    /// Its column with the key of the other row.
    pub row: &'static str,
    /// Its column with the code.
    pub code: &'static str,
    /// The key column of the other table.
    pub key: &'static str,
}

impl Link {
    /// A table for the lists of resources with codes.
    pub const fn new(table: &'static str, row: &'static str, code: &'static str) -> Self {
        Self { table, row, code, key: Key::Code.name() }
    }

    /// The same for the lists of resources with ids.
    pub const fn by_id(self) -> Self {
        Self { key: Key::Id.name(), ..self }
    }
}

impl fmt::Debug for Refers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::To(kind) => write!(f, "To({kind:?})"),
            Self::Within(_) => f.write_str("Within"),
        }
    }
}
