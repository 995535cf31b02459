//! CSV as it arrives: takes bytes, however they are cut, and gives a row of JSON for each line of the table.

use std::cell::OnceCell;

use serde_json::{Map, Value};

use super::Separator;
use super::column::{Cells, Column};
use super::refused::{Limits, Refused};
use super::scan::{Record, Scanner, not_utf8};
use super::swallowed::{self, Shape};
use crate::http::language::Text;
use crate::http::problem::FieldError;
use crate::http::wording::nearest;

/// A row.
#[derive(Debug)]
pub struct Row {
    /// The line of the file on which it begins, from 1.
    pub line: u64,
    /// An object of its cells that are not empty, or what is wrong with it.
    pub value: Result<Value, Vec<FieldError>>,
}

/// A CSV that is being read.
pub struct Reader {
    columns: Vec<Column>,
    limits: Limits,
    stage: Stage,
}

enum Stage {
    /// What has arrived of a line before the rows.
    Head(Head),
    Rows(Box<Rows>),
}

#[derive(Default)]
struct Head {
    begun: Vec<u8>,
    /// The line, from 1.
    line: u64,
    /// What the line `sep=` says.
    said: Option<Separator>,
    /// Whether the last byte was a carriage return.
    returned: bool,
}

struct Rows {
    scanner: Scanner,
    /// The column of each cell; none where the header has no name.
    header: Vec<Option<Column>>,
    separator: Separator,
    /// What rows look like; made when a cell of several lines comes.
    shape: OnceCell<Shape>,
}

impl Reader {
    /// A reader of a table that may have these columns.
    pub fn new(columns: Vec<Column>, limits: Limits) -> Self {
        Self { columns, limits, stage: Stage::Head(Head { line: 1, ..Head::default() }) }
    }

    /// Takes what has arrived, and gives the rows that end in it to `sink`.
    pub fn take<E: From<Refused>>(&mut self, mut input: &[u8], sink: &mut impl FnMut(Row) -> Result<(), E>) -> Result<(), E> {
        while !input.is_empty() {
            let taken = match &mut self.stage {
                Stage::Head(head) => {
                    let (taken, is_whole) = head.take(input, self.limits)?;
                    if is_whole {
                        self.begin()?;
                    }
                    taken
                }
                Stage::Rows(rows) => {
                    let (taken, record) = rows.scanner.take(input)?;
                    if let Some(row) = record.map(|record| rows.row(record)).transpose()?.flatten() {
                        sink(row)?;
                    }
                    taken
                }
            };
            input = &input[taken..];
        }
        Ok(())
    }

    /// Takes the end, and gives the last row to `sink` where it ends without a line break.
    pub fn finish<E: From<Refused>>(&mut self, sink: &mut impl FnMut(Row) -> Result<(), E>) -> Result<(), E> {
        if matches!(self.stage, Stage::Head(_)) {
            self.begin()?;
        }
        match &mut self.stage {
            // There is not even a header.
            Stage::Head(_) => Err(Refused::Header(missing(&[], &self.columns)).into()),
            Stage::Rows(rows) => {
                let last = rows.scanner.finish()?;
                match last.map(|record| rows.row(record)).transpose()?.flatten() {
                    Some(row) => sink(row),
                    None => Ok(()),
                }
            }
        }
    }

    /// The columns that the header names, in their order; none before it was read.
    pub fn header(&self) -> Vec<Column> {
        match &self.stage {
            Stage::Head(_) => Vec::new(),
            Stage::Rows(rows) => rows.header.iter().flatten().cloned().collect(),
        }
    }

    /// Takes a whole line before the rows: a blank one, `sep=;` or the header.
    fn begin(&mut self) -> Result<(), Refused> {
        let Stage::Head(head) = &mut self.stage else { return Ok(()) };
        must_be_text(&head.begun, head.line)?;
        let mut line = std::mem::take(&mut head.begun);
        if head.line == 1 && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        let number = head.line;
        head.line += 1;
        if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b',' | b';')) {
            return Ok(());
        }
        if let (None, Some(said)) = (head.said, said_separator(&line)) {
            head.said = Some(said?);
            return Ok(());
        }
        let (separator, record) = split(&line, number, head.said, &self.columns, self.limits)?;
        let header = named(&record, &self.columns, separator, head.said)?;
        let scanner = Scanner::new(separator.byte(), self.limits, head.line, head.returned);
        self.stage = Stage::Rows(Box::new(Rows { scanner, header, separator, shape: OnceCell::new() }));
        Ok(())
    }
}

impl Head {
    /// Takes bytes up to the end of the line; answers how many, and whether the line is whole.
    fn take(&mut self, input: &[u8], limits: Limits) -> Result<(usize, bool), Refused> {
        let second = usize::from(std::mem::take(&mut self.returned) && self.begun.is_empty() && input.first() == Some(&b'\n'));
        let rest = &input[second..];
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        self.begun.extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
        if self.begun.len() > limits.row {
            must_be_text(&self.begun, self.line)?;
            return Err(Refused::too_large(format!("{} bytes a row", limits.row), format!("{} bita per baris", limits.row)));
        }
        self.returned = end.is_some_and(|end| rest[end] == b'\r');
        Ok((second + end.map_or(rest.len(), |end| end + 1), end.is_some()))
    }
}

/// Refuses what is no text in UTF-8, by what it is where that can be recognized.
fn must_be_text(begun: &[u8], line: u64) -> Result<(), Refused> {
    let refuse = |en: &str, id: &str| Err(Refused::Unreadable { line: 1, text: Text::new(en, id) });
    let is_first = line == 1;
    match begun {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] if is_first => refuse(
            "This is UTF-16, not UTF-8. Save the file as UTF-8, in a spreadsheet as \"CSV UTF-8\".",
            "Ini UTF-16, bukan UTF-8. Simpan berkas sebagai UTF-8, di aplikasi lembar kerja sebagai \"CSV UTF-8\".",
        ),
        [0x1f, 0x8b, ..] if is_first => refuse(
            "This is compressed by gzip, not UTF-8. Say so with `Content-Encoding: gzip`, or send it as it is.",
            "Ini terkompresi gzip, bukan UTF-8. Sebutkan dengan `Content-Encoding: gzip`, atau kirim tanpa kompresi.",
        ),
        [b'P', b'K', 3, 4, ..] if is_first => refuse(
            "This is a workbook or another ZIP file, not CSV. Save the sheet as \"CSV UTF-8\".",
            "Ini buku kerja atau berkas ZIP lain, bukan CSV. Simpan lembarnya sebagai \"CSV UTF-8\".",
        ),
        _ if std::str::from_utf8(begun).is_err() => Err(not_utf8(line)),
        _ => Ok(()),
    }
}

/// What a line such as `sep=;` says.
fn said_separator(line: &[u8]) -> Option<Result<Separator, Refused>> {
    let text = std::str::from_utf8(line).ok()?.trim_matches(' ').trim_matches('"');
    let said = text.get(..4).filter(|begin| begin.eq_ignore_ascii_case("sep=")).map(|_| &text[4..])?;
    let known = Separator::ALL.into_iter().find(|separator| said.as_bytes() == [separator.byte()]);
    let text = || {
        Text::new(
            format!("The columns are separated by `{said}`, as the line `sep=` says; this reads `,`, `;` or a tab."),
            format!("Kolom dipisahkan oleh `{said}`, menurut baris `sep=`; yang dibaca di sini `,`, `;` atau tab."),
        )
    };
    Some(known.ok_or_else(|| Refused::Header(vec![FieldError::at("", "unknown_separator", text())])))
}

/// The header with the separator that it shows: the one that finds most of the known columns.
fn split(
    line: &[u8],
    number: u64,
    said: Option<Separator>,
    known: &[Column],
    limits: Limits,
) -> Result<(Separator, Record), Refused> {
    let read = |separator: Separator| {
        let mut scanner = Scanner::new(separator.byte(), limits, number, false);
        scanner.take(line)?;
        Ok(scanner.finish()?.unwrap_or(Record { line: number, cells: Vec::new() }))
    };
    if let Some(said) = said {
        return Ok((said, read(said)?));
    }
    let score = |record: &Record| {
        let found = record.cells.iter().filter(|cell| find(known, &cell.text).is_some()).count();
        (found, record.cells.len())
    };
    let mut best: Result<(Separator, Record), Refused> = read(Separator::Comma).map(|record| (Separator::Comma, record));
    for separator in [Separator::Semicolon, Separator::Tab] {
        let better = match (&best, read(separator)) {
            (Ok((_, best)), Ok(record)) => (score(&record) > score(best)).then_some(record),
            (Err(_), Ok(record)) if score(&record).0 > 0 => Some(record),
            _ => None,
        };
        best = better.map(|record| Ok((separator, record))).unwrap_or(best);
    }
    best
}

/// The column that a name of the header means.
fn find<'a>(known: &'a [Column], name: &str) -> Option<&'a Column> {
    let name = name.trim().to_lowercase();
    known.iter().find(|column| column.name.to_lowercase() == name)
}

/// The columns that the header names, or every field error it has.
fn named(
    record: &Record,
    known: &[Column],
    separator: Separator,
    said: Option<Separator>,
) -> Result<Vec<Option<Column>>, Refused> {
    let (mut header, mut field_errors) = (Vec::<Option<Column>>::new(), Vec::new());
    for (index, cell) in record.cells.iter().enumerate() {
        let column = find(known, &cell.text);
        let field_error = match column {
            None if cell.text.trim().is_empty() => None,
            None => Some(unknown(cell.text.trim(), known)),
            Some(column) => header.iter().flatten().find(|other| overlap(other, column)).map(|other| repeated(&other.name)),
        };
        field_errors.extend(field_error.map(|(code, text)| FieldError::at(format!("/{index}"), code, text)));
        header.push(column.cloned());
    }
    if header.iter().flatten().next().is_none()
        && let Some(field_error) = other_separator(record, known, separator, said)
    {
        return Err(Refused::Header(vec![field_error]));
    }
    field_errors.extend(missing(&header, known));
    if field_errors.is_empty() { Ok(header) } else { Err(Refused::Header(field_errors)) }
}

/// Whether two columns say the same member, or one says a part of what the other does.
fn overlap(one: &Column, other: &Column) -> bool {
    let within =
        |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if one.cells == Cells::Ignored || other.cells == Cells::Ignored {
        return one.name == other.name;
    }
    within(&one.pointer, &other.pointer) || within(&other.pointer, &one.pointer)
}

fn repeated(name: &str) -> (&'static str, Text) {
    let text = Text::new(
        format!("What this column says is said by the column `{name}` already."),
        format!("Isi kolom ini sudah dimuat oleh kolom `{name}`."),
    );
    ("not_unique", text)
}

fn unknown(name: &str, known: &[Column]) -> (&'static str, Text) {
    let read = known.iter().filter(|column| column.cells != Cells::Ignored).map(|column| column.name.as_str());
    let (meant, dimaksud) = nearest(read, name, 1)
        .map_or_else(Default::default, |near| (format!(" Did you mean `{near}`?"), format!(" Apakah maksudnya `{near}`?")));
    let names = known.iter().filter(|column| column.cells != Cells::Ignored && !column.name.contains('.'));
    let names = names.map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    let text = Text::new(
        format!("No column `{name}` is known here.{meant} Columns: {names}."),
        format!("Kolom `{name}` tidak dikenal di sini.{dimaksud} Kolom: {names}."),
    );
    ("unknown_column", text)
}

/// The field error of a header that knows no column since something else separates them.
fn other_separator(record: &Record, known: &[Column], separator: Separator, said: Option<Separator>) -> Option<FieldError> {
    let [cell] = &record.cells[..] else { return None };
    let separates = |other: &&char| cell.text.split(**other).filter(|name| find(known, name).is_some()).count() > 1;
    let found = [';', ',', '\t', '|', ':'].iter().find(separates)?;
    let (reads, membaca) = if said.is_some() { separator.shown() } else { ("`,`, `;` or a tab", "`,`, `;` atau tab") };
    let text = Text::new(
        format!("The columns are separated by `{found}`, this reads {reads}."),
        format!("Kolom dipisahkan oleh `{found}`, yang dibaca di sini {membaca}."),
    );
    Some(FieldError::at("", "unknown_separator", text))
}

/// The field errors of columns that must be there and are not.
fn missing(header: &[Option<Column>], known: &[Column]) -> Vec<FieldError> {
    let has = |column: &&Column| !header.iter().flatten().any(|other| overlap(other, column));
    let absent = known.iter().filter(|column| column.is_required).filter(has);
    let field_error = |column: &Column| {
        let name = &column.name;
        let text = Text::new(format!("The header has no column `{name}`."), format!("Baris kepala tidak memuat kolom `{name}`."));
        FieldError::at("", "required", text)
    };
    absent.map(field_error).collect()
}

impl Rows {
    /// The row of a record; none where all its cells are empty.
    fn row(&self, record: Record) -> Result<Option<Row>, Refused> {
        if record.cells.iter().all(|cell| cell.text.trim().is_empty()) {
            return Ok(None);
        }
        self.must_be_one_row(&record)?;
        let line = record.line;
        Ok(Some(Row { line, value: self.value(record) }))
    }

    /// Refuses a record of which a cell may have swallowed other rows.
    fn must_be_one_row(&self, record: &Record) -> Result<(), Refused> {
        for (index, cell) in record.cells.iter().enumerate() {
            let Some(opened) = cell.opened.filter(|_| cell.text.contains(['\r', '\n'])) else { continue };
            let column = self.header.get(index).and_then(Option::as_ref);
            if !column.is_some_and(|column| column.is_long) {
                return Err(swallowed::short(opened, column.map(|column| column.name.as_str()).unwrap_or_default()));
            }
            let shape = self.shape.get_or_init(|| Shape::of(&self.header, self.separator));
            if shape.is_in(&cell.text, index) {
                return Err(swallowed::long(opened));
            }
        }
        Ok(())
    }

    fn value(&self, record: Record) -> Result<Value, Vec<FieldError>> {
        let (is, expected) = (record.cells.len(), self.header.len());
        // A spreadsheet leaves separators behind where cells once were.
        let is_left_over = record.cells.iter().skip(expected).all(|cell| cell.text.is_empty());
        if is < expected || !is_left_over {
            let text = Text::new(
                format!("{is} cells where the header has {expected}."),
                format!("{is} sel, sedangkan kepala memuat {expected}."),
            );
            return Err(vec![FieldError::at("", "wrong_number_of_cells", text)]);
        }
        let (mut row, mut field_errors) = (Value::Object(Map::new()), Vec::new());
        let has_decimal_comma = self.separator == Separator::Semicolon;
        for (index, (column, cell)) in self.header.iter().zip(&record.cells).enumerate() {
            match column {
                None if !cell.text.trim().is_empty() => field_errors.push(nameless(index)),
                Some(column) if !cell.text.is_empty() && column.cells != Cells::Ignored => {
                    match column.value(&cell.text, has_decimal_comma) {
                        // Blanks are nothing where a word is meant.
                        Ok(Value::String(word)) if word.is_empty() && column.cells != Cells::Text => {}
                        Ok(value) => column.put(&mut row, value),
                        Err(field_error) => field_errors.push(field_error),
                    }
                }
                _ => {}
            }
        }
        if field_errors.is_empty() { Ok(row) } else { Err(field_errors) }
    }
}

fn nameless(index: usize) -> FieldError {
    let number = index + 1;
    let text = Text::new(
        format!("Column {number} has no name in the header, so its cells must be empty."),
        format!("Kolom {number} tidak bernama di baris kepala, jadi selnya harus kosong."),
    );
    FieldError::at("", "unknown_column", text)
}
