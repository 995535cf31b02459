//! Bytes into records of cells, strictly. Libraries for CSV read whatever comes: a quotation mark within a cell is a character,
//! the end of the file closes an open one. A file that swallowed its own rows then looks valid, which must not happen here.

use super::refused::{Limits, Refused};
use crate::http::language::Text;

/// Where the scanner is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first character of a cell.
    Start,
    /// In a cell without quotation marks.
    Plain,
    /// Between quotation marks.
    Quoted,
    /// After a quotation mark that closes the cell, or is the first of two that stand for one.
    Closed,
}

/// A cell as it was written.
pub(super) struct Cell {
    /// Its text; trimmed, unless it stood between quotation marks.
    pub(super) text: String,
    /// The line on which its quotation mark opened.
    pub(super) opened: Option<u64>,
}

/// A line of the table, which may be several lines of the file.
pub(super) struct Record {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    pub(super) cells: Vec<Cell>,
}

pub(super) struct Scanner {
    separator: u8,
    limits: Limits,
    state: State,
    /// Whether the last byte was a carriage return: a line feed after it belongs to the same line break.
    returned: bool,
    line: u64,
    record_line: u64,
    opened: Option<u64>,
    bytes: Vec<u8>,
    /// Where each cell ends, and where its quotation mark opened.
    ends: Vec<(usize, Option<u64>)>,
}

impl Scanner {
    /// A scanner that begins on `line`; `returned` says whether a carriage return came just before.
    pub(super) fn new(separator: u8, limits: Limits, line: u64, returned: bool) -> Self {
        Self {
            separator,
            limits,
            state: State::Start,
            returned,
            line,
            record_line: line,
            opened: None,
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Takes bytes up to the end of a record; answers how many, and the record if it is whole.
    pub(super) fn take(&mut self, input: &[u8]) -> Result<(usize, Option<Record>), Refused> {
        for (index, &byte) in input.iter().enumerate() {
            let is_second = std::mem::replace(&mut self.returned, byte == b'\r') && byte == b'\n';
            if self.state == State::Quoted {
                self.take_quoted(byte, is_second)?;
            } else if !is_second && self.take_plain(byte)? {
                return Ok((index + 1, Some(self.record()?)));
            }
        }
        Ok((input.len(), None))
    }

    /// Takes the end: a last record need not end with a line break.
    pub(super) fn finish(&mut self) -> Result<Option<Record>, Refused> {
        if self.state == State::Quoted {
            return Err(never_closed(self.opened.unwrap_or(self.line)));
        }
        if self.state == State::Start && self.ends.is_empty() {
            return Ok(None);
        }
        self.end_cell()?;
        self.record().map(Some)
    }

    fn take_quoted(&mut self, byte: u8, is_second: bool) -> Result<(), Refused> {
        if byte == b'"' {
            self.state = State::Closed;
            return Ok(());
        }
        if byte == b'\r' || (byte == b'\n' && !is_second) {
            self.line += 1;
        }
        self.push(byte)
    }

    /// Takes a byte outside of quotation marks; answers whether it ends the record.
    fn take_plain(&mut self, byte: u8) -> Result<bool, Refused> {
        match (byte, self.state) {
            (b'"', State::Closed) => {
                self.state = State::Quoted;
                self.push(byte)?;
            }
            (b'"', State::Start) => (self.state, self.opened) = (State::Quoted, Some(self.line)),
            (b'"', _) => return Err(misplaced(self.line)),
            (b'\r' | b'\n', _) => {
                self.end_cell()?;
                self.line += 1;
                return Ok(true);
            }
            _ if byte == self.separator => self.end_cell()?,
            (_, State::Closed) => return Err(not_ended(self.opened.unwrap_or(self.line), self.line)),
            (b' ' | b'\t', State::Start) => {}
            _ => {
                self.state = State::Plain;
                self.push(byte)?;
            }
        }
        Ok(false)
    }

    fn push(&mut self, byte: u8) -> Result<(), Refused> {
        if self.bytes.len() == self.limits.row {
            return Err(match self.opened {
                Some(opened) if self.state == State::Quoted => not_closed_within(opened, self.limits.row),
                _ => {
                    Refused::too_large(format!("{} bytes a row", self.limits.row), format!("{} bita per baris", self.limits.row))
                }
            });
        }
        self.bytes.push(byte);
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), Refused> {
        if self.ends.len() == self.limits.columns {
            let most = self.limits.columns;
            return Err(Refused::too_large(format!("{most} columns"), format!("{most} kolom")));
        }
        self.ends.push((self.bytes.len(), self.opened.take()));
        self.state = State::Start;
        Ok(())
    }

    fn record(&mut self) -> Result<Record, Refused> {
        let mut cells = Vec::with_capacity(self.ends.len());
        let mut start = 0;
        for (end, opened) in self.ends.drain(..) {
            let text = std::str::from_utf8(&self.bytes[start..end]).map_err(|_| not_utf8(self.record_line))?;
            let text = if opened.is_some() { text } else { text.trim() };
            cells.push(Cell { text: text.to_owned(), opened });
            start = end;
        }
        self.bytes.clear();
        let line = std::mem::replace(&mut self.record_line, self.line);
        Ok(Record { line, cells })
    }
}

fn never_closed(line: u64) -> Refused {
    Refused::Unreadable {
        line,
        text: Text::new(
            format!("The quotation mark that opens on line {line} is never closed, so nobody can tell which rows follow it."),
            format!(
                "Tanda kutip yang dibuka di baris {line} tidak pernah ditutup, sehingga baris-baris sesudahnya tidak dapat dikenali."
            ),
        ),
    }
}

fn not_closed_within(line: u64, most: usize) -> Refused {
    Refused::Unreadable {
        line,
        text: Text::new(
            format!("The quotation mark that opens on line {line} is not closed within {most} bytes, the most of a row."),
            format!("Tanda kutip yang dibuka di baris {line} tidak ditutup dalam {most} bita, batas terbesar satu baris."),
        ),
    }
}

fn misplaced(line: u64) -> Refused {
    Refused::Unreadable {
        line,
        text: Text::new(
            format!(
                "On line {line} a quotation mark stands within a cell. Put the whole cell between quotation marks and write each \
                 one inside it twice: \"a \"\"b\"\" c\"."
            ),
            format!(
                "Di baris {line} ada tanda kutip di tengah sel. Apit seluruh sel dengan tanda kutip dan tulis setiap tanda kutip \
                 di dalamnya dua kali: \"a \"\"b\"\" c\"."
            ),
        ),
    }
}

fn not_ended(opened: u64, line: u64) -> Refused {
    let text = Text::new(
        format!(
            "The cell whose quotation mark opens on line {opened} goes on after the closing one on line {line}. Only a separator \
             or the end of the line may follow; write a quotation mark inside a cell twice: \"a \"\"b\"\" c\"."
        ),
        format!(
            "Sel yang tanda kutipnya dibuka di baris {opened} masih berlanjut setelah tanda kutip penutup di baris {line}. Setelahnya \
             hanya boleh ada pemisah atau akhir baris; tulis tanda kutip di dalam sel dua kali: \"a \"\"b\"\" c\"."
        ),
    );
    Refused::Unreadable { line: opened, text }
}

/// What is in another encoding than UTF-8.
pub(super) fn not_utf8(line: u64) -> Refused {
    Refused::Unreadable {
        line,
        text: Text::new(
            format!("Line {line} is not UTF-8. Save the file as UTF-8, in a spreadsheet as \"CSV UTF-8\"."),
            format!("Baris {line} bukan UTF-8. Simpan berkas sebagai UTF-8, di aplikasi lembar kerja sebagai \"CSV UTF-8\"."),
        ),
    }
}
