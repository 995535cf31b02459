//! THE ONE DIALECT OF CSV, for all that is read and written as such: pushes, imports, exports.
//!
//! - UTF-8, with or without a byte order mark. The first line names the columns, without regard to case and outer blanks;
//!   before it may stand a line such as `sep=;`.
//! - `,`, `;` or a tab separates, whichever the header shows. Where `;` separates, a decimal may be written with a comma.
//! - A cell is trimmed; what stands between quotation marks is taken as it is. An empty cell is an absent member. Lines that are
//!   empty or hold only separators are ignored, and so is an empty column without a name.
//! - A formula is defused by an apostrophe before it, which reading takes away again (`column::escaped`).
//! - Quotation marks are taken strictly, unlike in most readers: one that is never closed, or stands where none may, refuses the
//!   whole, since nobody can tell where rows begin and end from there on. For the same reason a line break may stand only in
//!   the columns of long texts.
//!
//! A [`column::Column`] says what its cells hold, as data; [`column::of_schema`] makes them from the schema of a row.
//! [`reader::Reader`] takes bytes as they arrive and gives rows as JSON; [`writer::Writer`] gives lines. What was written comes
//! back equal from reading, in each dialect that is written.

pub mod column;
pub mod reader;
pub mod refused;
mod scan;
mod swallowed;
pub mod writer;

#[cfg(test)]
mod tests;

/// What stands between cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    /// As RFC 4180 says.
    Comma,
    /// As spreadsheets write it where the comma is the decimal point, as in Indonesia.
    Semicolon,
    /// As what is copied from a spreadsheet.
    Tab,
}

impl Separator {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    /// The byte.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    /// As a sentence names it, in English and in Indonesian.
    const fn shown(self) -> (&'static str, &'static str) {
        match self {
            Self::Comma => ("`,`", "`,`"),
            Self::Semicolon => ("`;`", "`;`"),
            Self::Tab => ("a tab", "tab"),
        }
    }
}
