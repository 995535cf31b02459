//! Rows as lines of CSV.

use serde_json::{Map, Value};

use super::Separator;
use super::column::Column;

/// How a table is written.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// What stands between cells.
    pub separator: Separator,
    /// Whether a byte order mark stands first, by which some spreadsheets know UTF-8.
    pub has_mark: bool,
    /// Whether the first line says what separates.
    pub says_separator: bool,
    /// Whether decimals have a comma; only where `;` separates.
    pub has_decimal_comma: bool,
    /// What ends a line.
    pub line_end: &'static str,
}

impl Dialect {
    /// RFC 4180.
    pub const PLAIN: Self =
        Self { separator: Separator::Comma, has_mark: false, says_separator: false, has_decimal_comma: false, line_end: "\r\n" };
}

/// A table that is being written.
pub struct Writer {
    dialect: Dialect,
    columns: Vec<Column>,
}

impl Writer {
    /// A writer of these columns.
    pub fn new(dialect: Dialect, columns: Vec<Column>) -> Self {
        let has_decimal_comma = dialect.has_decimal_comma && dialect.separator == Separator::Semicolon;
        Self { dialect: Dialect { has_decimal_comma, ..dialect }, columns }
    }

    /// What stands before the rows.
    pub fn header(&self) -> String {
        let mark = if self.dialect.has_mark { "\u{feff}" } else { "" };
        let separator = char::from(self.dialect.separator.byte());
        let said = if self.dialect.says_separator { format!("sep={separator}{}", self.dialect.line_end) } else { String::new() };
        format!("{mark}{said}{}", self.line(self.columns.iter().map(|column| column.name.clone())))
    }

    /// A row: of each column the member of `row` that it shows.
    pub fn row(&self, row: &Map<String, Value>) -> String {
        self.line(self.columns.iter().map(|column| column.cell(row, self.dialect.has_decimal_comma)))
    }

    fn line(&self, cells: impl Iterator<Item = String>) -> String {
        let separator = char::from(self.dialect.separator.byte());
        let mut line = String::with_capacity(128);
        for (place, cell) in cells.enumerate() {
            if place > 0 {
                line.push(separator);
            }
            if cell.contains([separator, '"', '\r', '\n']) || cell.trim() != cell {
                line.extend(["\"", &cell.replace('"', "\"\""), "\""]);
            } else {
                line.push_str(&cell);
            }
        }
        line.push_str(self.dialect.line_end);
        line
    }
}
