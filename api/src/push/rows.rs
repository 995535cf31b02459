//! The rows of a push, checked one by one while the body arrives: a JSON array, NDJSON, or CSV (RFC 4180).

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::Pushed;
use super::csv::Csv;
use crate::http::body::hex;
use crate::http::json::{self, Unread};
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, Fault, codes};

/// The most rows of one push.
pub const MOST_ROWS: usize = 10_000;
/// The most bytes of one push.
pub const LARGEST: usize = 16 * 1024 * 1024;
/// The most bytes of one row.
pub const LARGEST_ROW: usize = 64 * 1024;
/// A push of more bytes than these takes a turn: slow lines that bring little hold nobody up.
const SMALL: usize = 256 * 1024;
/// Large pushes that this process takes in at once: each may hold its 10,000 rows in memory, also while a slow line brings
/// them.
static TURNS: Semaphore = Semaphore::const_new(16);
/// The longest a line may be silent, and the longest a whole body may take.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
const LONGEST_READ: Duration = Duration::from_secs(300);

/// A column of the CSV form.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in the header.
    pub name: &'static str,
    /// Where its value stands in the JSON of the row.
    pub pointer: &'static str,
    /// What its cells hold.
    pub cells: Cells,
    /// Whether the header must have it.
    pub required: bool,
}

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cells {
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer,
    /// Texts separated by `;`.
    List,
}

impl Column {
    /// A column of texts.
    pub const fn text(name: &'static str, pointer: &'static str, required: bool) -> Self {
        Self { name, pointer, cells: Cells::Text, required }
    }
}

/// One row.
pub struct Row<T> {
    /// Its number, from 1.
    pub number: u32,
    /// The row, or every fault it has by itself.
    pub read: Result<T, Vec<Fault>>,
}

/// All rows of a push.
pub struct Rows<T> {
    /// The rows, in their order.
    pub rows: Vec<Row<T>>,
    /// SHA-256 of the bytes, for retries.
    pub fingerprint: String,
    /// The columns of a CSV; none else.
    pub columns: &'static [Column],
    /// The turn of a large push, given back when dropped.
    pub turn: Option<SemaphorePermit<'static>>,
}

/// Reads the rows of a request.
pub async fn read<T: Pushed>(request: &HttpRequest, payload: Payload) -> ApiResult<Rows<T>> {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut reader = match media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Form::Array(Vec::new()),
        "application/x-ndjson" => Form::Lines(Vec::new()),
        "text/csv" => Form::Csv(Box::new(Csv::new(T::COLUMNS))),
        _ => {
            let known = ["application/json", "application/x-ndjson", "text/csv"];
            return Err(crate::http::body::unsupported(media_type, &known).header("Accept-Post", known.join(", ")));
        }
    };
    let declared = request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > LARGEST) {
        return Err(too_large(format!("{LARGEST} bytes")));
    }
    let columns = if matches!(reader, Form::Csv(_)) { T::COLUMNS } else { &[] };
    let reading = timeout(LONGEST_READ, read_all(&mut reader, payload)).await;
    let (rows, fingerprint, turn) = reading.unwrap_or_else(|_| Err(too_slow()))?;
    Ok(Rows { rows, fingerprint, columns, turn })
}

type Read<T> = (Vec<Row<T>>, String, Option<SemaphorePermit<'static>>);

async fn read_all<T: Pushed>(form: &mut Form, mut payload: Payload) -> ApiResult<Read<T>> {
    let (mut rows, mut hash, mut length, mut turn) = (Vec::new(), Sha256::new(), 0, None);
    loop {
        let chunk = match timeout(LONGEST_SILENCE, payload.next()).await {
            Err(_) => return Err(too_slow()),
            Ok(None) => break,
            Ok(Some(chunk)) => chunk.map_err(|_| cut_short())?,
        };
        length += chunk.len();
        if length > LARGEST {
            return Err(too_large(format!("{LARGEST} bytes")));
        }
        if length > SMALL && turn.is_none() {
            turn = Some(TURNS.acquire().await.map_err(ApiError::unexpected)?);
        }
        hash.update(&chunk);
        form.take(&chunk, &mut rows)?;
    }
    form.finish(&mut rows)?;
    Ok((rows, hex(&hash.finalize()), turn))
}

/// The form of a body, with what has arrived of the row that is not whole yet.
enum Form {
    /// Collected whole: an array ends nowhere before its end.
    Array(Vec<u8>),
    /// The beginning of a line.
    Lines(Vec<u8>),
    Csv(Box<Csv>),
}

impl Form {
    fn take<T: Pushed>(&mut self, chunk: &Bytes, rows: &mut Vec<Row<T>>) -> ApiResult<()> {
        match self {
            Self::Array(bytes) => bytes.extend_from_slice(chunk),
            Self::Lines(begun) => {
                let mut parts = chunk.split(|byte| *byte == b'\n');
                begun.extend_from_slice(parts.next().unwrap_or_default());
                for part in parts {
                    add_line(begun, rows)?;
                    begun.clear();
                    begun.extend_from_slice(part);
                }
                if begun.len() > LARGEST_ROW {
                    return Err(too_large(format!("{LARGEST_ROW} bytes a row")));
                }
            }
            Self::Csv(csv) => csv.take(chunk, &mut |value| add(rows, value))?,
        }
        Ok(())
    }

    fn finish<T: Pushed>(&mut self, rows: &mut Vec<Row<T>>) -> ApiResult<()> {
        match self {
            Self::Array(bytes) => read_array(bytes, rows),
            Self::Lines(begun) => add_line(begun, rows),
            Self::Csv(csv) => csv.finish(&mut |value| add(rows, value)),
        }
    }
}

/// Each element is parsed on its own, so that the whole never stands in memory twice.
fn read_array<T: Pushed>(bytes: &[u8], rows: &mut Vec<Row<T>>) -> ApiResult<()> {
    let text = json::text_of(bytes)?;
    if text.trim_start().starts_with('{') {
        let (en, id) = ("Expected an array of rows: put the row in brackets.", "Seharusnya larik baris: letakkan baris itu dalam kurung siku.");
        return Err(ApiError::fault("", "wrong_type", en, id));
    }
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| crate::http::body::malformed(&error))?;
    elements.into_iter().try_for_each(|element| add(rows, parse(element.get().as_bytes())))
}

/// One line of NDJSON; an empty one is none.
fn add_line<T: Pushed>(line: &[u8], rows: &mut Vec<Row<T>>) -> ApiResult<()> {
    let line = if rows.is_empty() { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    if line.len() > LARGEST_ROW {
        return Err(too_large(format!("{LARGEST_ROW} bytes a row")));
    }
    if line.iter().all(u8::is_ascii_whitespace) { Ok(()) } else { add(rows, parse(line)) }
}

fn parse(bytes: &[u8]) -> Result<Value, Vec<Fault>> {
    json::parse(bytes).map_err(|unread| match unread {
        Unread::Malformed(error) => {
            let text = Text::new(format!("Not JSON: {error}."), format!("Bukan JSON yang benar: {error}."));
            vec![Fault::at("", "malformed_json", text)]
        }
        Unread::Repeated(faults) => faults,
    })
}

fn add<T: Pushed>(rows: &mut Vec<Row<T>>, value: Result<Value, Vec<Fault>>) -> ApiResult<()> {
    if rows.len() == MOST_ROWS {
        return Err(too_large(format!("{MOST_ROWS} rows")));
    }
    let number = u32::try_from(rows.len() + 1).unwrap_or(u32::MAX);
    let read = value.and_then(T::read);
    rows.push(Row { number, read });
    Ok(())
}

/// Puts a cell where it belongs in the JSON of its row.
pub(super) fn put(row: &mut Value, column: &Column, cell: String) {
    let value = match column.cells {
        Cells::Text => json!(cell),
        Cells::Flag => cell.parse::<bool>().map_or(json!(cell), Value::Bool),
        Cells::Integer => cell.parse::<i64>().map_or(json!(cell), Value::from),
        Cells::List => cell.split(';').map(|entry| json!(entry.trim())).collect(),
    };
    let mut place = row;
    let mut names = column.pointer.split('/').skip(1).peekable();
    while let Some(name) = names.next() {
        let next_is_index = names.peek().is_some_and(|next| next.parse::<usize>().is_ok());
        let empty = if next_is_index { json!([]) } else { Value::Object(Map::new()) };
        place = match place {
            Value::Array(items) => {
                if items.is_empty() {
                    items.push(empty);
                }
                &mut items[0]
            }
            other => &mut other[name],
        };
        if place.is_null() && names.peek().is_some() {
            *place = if next_is_index { json!([]) } else { Value::Object(Map::new()) };
        }
    }
    *place = value;
}

pub(super) fn too_large(limit: String) -> ApiError {
    ApiError::new(codes::TOO_LARGE).detail(format!("At most {limit}."), format!("Paling banyak {limit}."))
}

fn too_slow() -> ApiError {
    ApiError::new(codes::MALFORMED).detail("The body took too long to arrive.", "Isi permintaan terlalu lama tiba.")
}

fn cut_short() -> ApiError {
    ApiError::new(codes::MALFORMED).detail("The body was cut short.", "Isi permintaan terputus.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_goes_where_its_pointer_says() {
        let mut row = Value::Object(Map::new());
        put(&mut row, &Column::text("value", "/value", true), "22.9".into());
        put(&mut row, &Column::text("evidence_title", "/evidence/0/title", false), "Laporan".into());
        put(&mut row, &Column::text("evidence_url", "/evidence/0/url", false), "https://a.example".into());
        put(
            &mut row,
            &Column { name: "regions", pointer: "/regions", cells: Cells::List, required: false },
            "52.08; 52.09".into(),
        );
        put(&mut row, &Column { name: "published", pointer: "/published", cells: Cells::Flag, required: false }, "true".into());
        let evidence = json!([{ "title": "Laporan", "url": "https://a.example" }]);
        assert_eq!(row, json!({ "value": "22.9", "evidence": evidence, "regions": ["52.08", "52.09"], "published": true }));
    }
}
