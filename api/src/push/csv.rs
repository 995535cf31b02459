//! CSV (RFC 4180) as it arrives: a header row that names columns, then a row of cells each.

use csv_core::{ReadRecordResult, Reader};
use serde_json::{Map, Value};

use super::rows::{Column, LARGEST_ROW, put, too_large};
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, Fault};

/// The most columns of a row.
const MOST_COLUMNS: usize = 64;

/// What takes a row.
type Sink<'a> = dyn FnMut(Result<Value, Vec<Fault>>) -> ApiResult<()> + 'a;

/// A CSV that is being read.
pub(super) struct Csv {
    reader: Reader,
    known: &'static [Column],
    header: Option<Vec<&'static Column>>,
    /// The cells of the row that is not whole yet, one after the other, and where each ends.
    cells: Vec<u8>,
    filled: usize,
    ends: [usize; MOST_COLUMNS + 1],
    ended: usize,
}

impl Csv {
    pub(super) fn new(known: &'static [Column]) -> Self {
        let (cells, ends) = (vec![0; LARGEST_ROW], [0; MOST_COLUMNS + 1]);
        Self { reader: Reader::new(), known, header: None, cells, filled: 0, ends, ended: 0 }
    }

    /// Takes what has arrived.
    pub(super) fn take(&mut self, mut input: &[u8], sink: &mut Sink<'_>) -> ApiResult<()> {
        while !input.is_empty() {
            let taken = self.step(input, sink)?;
            input = &input[taken..];
        }
        Ok(())
    }

    /// Takes the end: a last row need not end with a line break.
    pub(super) fn finish(&mut self, sink: &mut Sink<'_>) -> ApiResult<()> {
        self.step(&[], sink)?;
        if self.header.is_none() {
            self.read_header(&[])?;
        }
        Ok(())
    }

    fn step(&mut self, input: &[u8], sink: &mut Sink<'_>) -> ApiResult<usize> {
        let (result, taken, written, ended) =
            self.reader.read_record(input, &mut self.cells[self.filled..], &mut self.ends[self.ended..]);
        self.filled += written;
        self.ended += ended;
        match result {
            ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            ReadRecordResult::OutputFull => return Err(too_large(format!("{LARGEST_ROW} bytes a row"))),
            ReadRecordResult::OutputEndsFull => return Err(too_large(format!("{MOST_COLUMNS} columns"))),
            ReadRecordResult::Record => {
                let cells = self.record();
                (self.filled, self.ended) = (0, 0);
                match self.header.clone() {
                    None => self.read_header(&cells)?,
                    Some(header) => sink(row_of(&header, cells))?,
                }
            }
        }
        Ok(taken)
    }

    /// The cells of a whole row; `None` where one is not UTF-8.
    fn record(&self) -> Vec<Option<String>> {
        let ends = &self.ends[..self.ended];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends).map(|(start, end)| std::str::from_utf8(&self.cells[start..*end]).ok().map(str::to_owned)).collect()
    }

    fn read_header(&mut self, cells: &[Option<String>]) -> ApiResult<()> {
        let (mut header, mut faults) = (Vec::<&'static Column>::new(), Vec::new());
        let known = self.known.iter().map(|column| column.name).collect::<Vec<_>>().join(", ");
        for (index, cell) in cells.iter().enumerate() {
            let name = cell.as_deref().unwrap_or_default().trim_start_matches('\u{feff}').trim();
            match self.known.iter().find(|column| column.name == name) {
                Some(column) if header.iter().any(|other| other.name == column.name) => {
                    faults.push(Fault::at(
                        format!("/{index}"),
                        "not_unique",
                        Text::new("A column stands here twice.", "Kolom tercantum dua kali."),
                    ));
                }
                Some(column) => header.push(column),
                None => faults.push(Fault::at(
                    format!("/{index}"),
                    "unknown_column",
                    Text::new(format!("Known columns: {known}."), format!("Kolom yang dikenal: {known}.")),
                )),
            }
        }
        for column in self.known.iter().filter(|column| column.required && header.iter().all(|other| other.name != column.name)) {
            let name = column.name;
            let text =
                Text::new(format!("The header has no column `{name}`."), format!("Baris kepala tidak memuat kolom `{name}`."));
            faults.push(Fault::at("", "required", text));
        }
        if !faults.is_empty() {
            return Err(ApiError::invalid(faults));
        }
        self.header = Some(header);
        Ok(())
    }
}

/// The JSON of a row; an empty cell is absent.
fn row_of(header: &[&'static Column], cells: Vec<Option<String>>) -> Result<Value, Vec<Fault>> {
    if cells.len() != header.len() {
        let (is, expected) = (cells.len(), header.len());
        let text = Text::new(
            format!("{is} cells where the header has {expected}."),
            format!("{is} sel, sedangkan kepala memuat {expected}."),
        );
        return Err(vec![Fault::at("", "wrong_number_of_cells", text)]);
    }
    let mut row = Value::Object(Map::new());
    let mut faults = Vec::new();
    for (column, cell) in header.iter().zip(cells) {
        match cell {
            Some(cell) if cell.is_empty() => {}
            Some(cell) => put(&mut row, column, cell),
            None => faults.push(Fault::at(column.pointer, "not_utf8", Text::new("Not UTF-8.", "Bukan UTF-8."))),
        }
    }
    if faults.is_empty() { Ok(row) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    const COLUMNS: &[Column] =
        &[Column::text("kpi", "/kpi", true), Column::text("value", "/value", true), Column::text("note", "/note", false)];

    fn read(text: &str, at_once: usize) -> ApiResult<Vec<Result<Value, Vec<Fault>>>> {
        let (mut csv, mut rows) = (Csv::new(COLUMNS), Vec::new());
        let mut sink = |row| {
            rows.push(row);
            Ok(())
        };
        for chunk in text.as_bytes().chunks(at_once) {
            csv.take(chunk, &mut sink)?;
        }
        csv.finish(&mut sink)?;
        Ok(rows)
    }

    #[test]
    fn rows_are_the_same_however_the_bytes_arrive() {
        let text = "\u{feff}kpi,value,note\r\nSTUNTING,22.9,\"a \"\"quoted\"\", one\nof two lines\"\r\nSPBE,2.01,";
        let expected = vec![
            Ok(json!({ "kpi": "STUNTING", "value": "22.9", "note": "a \"quoted\", one\nof two lines" })),
            Ok(json!({ "kpi": "SPBE", "value": "2.01" })),
        ];
        for at_once in [1, 2, 3, 7, 1000] {
            assert_eq!(read(text, at_once).unwrap(), expected, "{at_once} bytes at once");
        }
    }

    #[test]
    fn a_wrong_header_refuses_the_whole() {
        for text in ["", "kpi\n", "kpi,value,tpyo\n", "kpi,value,kpi\n"] {
            assert!(read(text, 100).is_err(), "{text:?}");
        }
        assert!(read("kpi,value\nSPBE\n", 100).unwrap()[0].is_err());
    }
}
