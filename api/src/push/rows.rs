//! Reads the rows of a push and checks them one by one while the body arrives: a JSON array, NDJSON, or CSV.

use std::io::Write;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::Payload;
use flate2::write::MultiGzDecoder;
use futures_util::StreamExt;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::Pushed;
use super::permits::{self, PushPermit};
use crate::auth::actor::Actor;
use crate::csv::column::Column;
use crate::csv::reader::{self, Reader};
use crate::csv::refused::Limits;
use crate::http::body::unsupported;
use crate::http::json::{self, Unread};
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};

/// The greatest number of rows of one push.
pub const MOST_ROWS: usize = 10_000;
/// The greatest number of bytes of one push, both compressed and uncompressed.
pub const LARGEST: usize = 16 * 1024 * 1024;
/// The greatest number of bytes of one row.
pub const LARGEST_ROW: usize = 64 * 1024;
/// The greatest number of columns of a CSV.
const MOST_COLUMNS: usize = 256;
/// A push of more bytes needs a permit. Slow lines that bring few bytes hold nobody up.
const SMALL: usize = 256 * 1024;
/// The number of compressed bytes that are inflated at once; they yield at most a thousand times as many.
const INFLATED_AT_ONCE: usize = 1024;
/// How long a line may be silent, and how long a whole body may take.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
const LONGEST_READ: Duration = Duration::from_secs(300);
/// The media types that a push accepts.
const MEDIA_TYPES: [&str; 3] = [JSON, NDJSON, CSV];
const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// One row.
pub struct Row<T> {
    /// The number of the row, from 1.
    pub number: u32,
    /// The line of a CSV on which the row begins.
    pub line: Option<u64>,
    /// The row, or every field error that it has by itself.
    pub read: Result<T, Vec<FieldError>>,
}

/// All rows of a push.
pub struct Rows<T> {
    /// The rows, in their order.
    pub rows: Vec<Row<T>>,
    /// The columns of a CSV; empty for other forms.
    pub columns: Vec<Column>,
    /// The permit of a large push, given back when it is dropped.
    pub turn: Option<PushPermit>,
}

/// The body of a push that has arrived. An array of JSON is not read yet.
pub struct Body<T> {
    form: Form,
    rows: Vec<Row<T>>,
    turn: Option<PushPermit>,
    /// The SHA-256 of the bytes, by which retries and repeats are recognised.
    pub fingerprint: String,
}

impl<T: Pushed> Body<T> {
    /// Reads what was not read while it arrived.
    pub fn rows(self) -> ApiResult<Rows<T>> {
        let Self { mut form, mut rows, turn, .. } = self;
        form.finish(&mut rows)?;
        Ok(Rows { rows, columns: form.columns(), turn })
    }

    /// The media type.
    pub fn media_type(&self) -> &'static str {
        match self.form {
            Form::Array(_) => JSON,
            Form::Lines(..) => NDJSON,
            Form::Csv(_) => CSV,
        }
    }
}

/// Receives the body of a request.
pub async fn receive<T: Pushed>(request: &HttpRequest, payload: Payload, actor: &Actor) -> ApiResult<Body<T>> {
    let (form, coding) = (Form::of::<T>(request)?, Coding::of(request)?);
    let declared = request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > LARGEST) {
        return Err(too_many_bytes());
    }
    let reading = timeout(LONGEST_READ, receive_all(form, coding, payload, actor)).await;
    reading.unwrap_or_else(|_| Err(too_slow()))
}

async fn receive_all<T: Pushed>(form: Form, mut coding: Coding, mut payload: Payload, actor: &Actor) -> ApiResult<Body<T>> {
    let (mut length, mut turn) = (0, None);
    let mut taking = Taking { form, rows: Vec::new(), hash: Sha256::new(), length: 0 };
    loop {
        let chunk = match timeout(LONGEST_SILENCE, payload.next()).await {
            Err(_) => return Err(too_slow()),
            Ok(None) => break,
            Ok(Some(chunk)) => chunk.map_err(|_| cut_short())?,
        };
        length += chunk.len();
        if length > LARGEST {
            return Err(too_many_bytes());
        }
        for piece in coding.pieces(&chunk) {
            let bytes = coding.decoded(piece)?;
            if taking.length + bytes.len() > SMALL && turn.is_none() {
                turn = Some(permits::ALL.take(actor).await?);
            }
            taking.take(&bytes)?;
        }
    }
    let rest = coding.finish()?;
    taking.take(&rest)?;
    let Taking { form, rows, hash, .. } = taking;
    Ok(Body { form, rows, turn, fingerprint: hex::encode(hash.finalize()) })
}

/// What has been received of a body.
struct Taking<T> {
    form: Form,
    rows: Vec<Row<T>>,
    hash: Sha256,
    length: usize,
}

impl<T: Pushed> Taking<T> {
    fn take(&mut self, bytes: &[u8]) -> ApiResult<()> {
        self.length += bytes.len();
        if self.length > LARGEST {
            return Err(too_many_bytes());
        }
        self.hash.update(bytes);
        self.form.take(bytes, &mut self.rows)
    }
}

/// How a body is compressed.
enum Coding {
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Coding {
    fn of(request: &HttpRequest) -> ApiResult<Self> {
        let named =
            request.headers().get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
        match named.as_deref() {
            None | Some("" | "identity") => Ok(Self::Plain),
            Some("gzip" | "x-gzip") => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))),
            Some(_) => Err(ApiError::new(codes::UNSUPPORTED_MEDIA_TYPE).header("Accept-Encoding", "gzip, identity").detail(
                "The only `Content-Encoding` that is accepted here is gzip. Send the body uncompressed, or compressed with gzip.",
                "Satu-satunya `Content-Encoding` yang diterima di sini adalah gzip. Kirim isi tanpa kompresi, atau terkompresi dengan gzip.",
            )),
        }
    }

    /// The pieces in which bytes are inflated, so that their size stays bounded.
    fn pieces<'a>(&self, bytes: &'a [u8]) -> std::slice::Chunks<'a, u8> {
        let at_once = if matches!(self, Self::Plain) { bytes.len().max(1) } else { INFLATED_AT_ONCE };
        bytes.chunks(at_once)
    }

    fn decoded<'a>(&mut self, piece: &'a [u8]) -> ApiResult<std::borrow::Cow<'a, [u8]>> {
        match self {
            Self::Plain => Ok(piece.into()),
            Self::Gzip(decoder) => {
                decoder.write_all(piece).map_err(|_| not_gzip())?;
                Ok(std::mem::take(decoder.get_mut()).into())
            }
        }
    }

    /// Ends the reading. A compressed body ends with a checksum.
    fn finish(self) -> ApiResult<Vec<u8>> {
        match self {
            Self::Plain => Ok(Vec::new()),
            Self::Gzip(decoder) => decoder.finish().map_err(|_| not_gzip()),
        }
    }
}

/// The form of a body, with what has arrived of an incomplete row.
enum Form {
    /// The whole array, because it cannot be read before its end has arrived.
    Array(Vec<u8>),
    /// The beginning of a line, and the number of the lines before it.
    Lines(Vec<u8>, u64),
    Csv(Box<Reader>),
}

impl Form {
    fn of<T: Pushed>(request: &HttpRequest) -> ApiResult<Self> {
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut parts = media_type.split(';').map(|part| part.trim().to_ascii_lowercase());
        let essence = parts.next().unwrap_or_default();
        let charset = parts.find_map(|part| part.strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned()));
        let form = match essence.as_str() {
            JSON => Self::Array(Vec::new()),
            NDJSON => Self::Lines(Vec::new(), 0),
            CSV => Self::Csv(Box::new(Reader::new(T::columns(), Limits { row: LARGEST_ROW, columns: MOST_COLUMNS }))),
            _ => {
                return Err(unsupported(&essence, &MEDIA_TYPES).header("Accept-Post", MEDIA_TYPES.join(", ")));
            }
        };
        match charset.as_deref() {
            None | Some("utf-8" | "utf8" | "us-ascii") => Ok(form),
            Some(_) => Err(not_utf8(None)),
        }
    }

    fn take<T: Pushed>(&mut self, chunk: &[u8], rows: &mut Vec<Row<T>>) -> ApiResult<()> {
        match self {
            Self::Array(bytes) => bytes.extend_from_slice(chunk),
            Self::Lines(begun, line) => {
                let mut parts = chunk.split(|byte| *byte == b'\n');
                begun.extend_from_slice(parts.next().unwrap_or_default());
                for part in parts {
                    *line += 1;
                    add_line(begun, *line, rows)?;
                    begun.clear();
                    begun.extend_from_slice(part);
                }
                if begun.len() > LARGEST_ROW {
                    return Err(too_long_row());
                }
            }
            Self::Csv(csv) => csv.take(chunk, &mut |row| add_csv(rows, row))?,
        }
        Ok(())
    }

    fn finish<T: Pushed>(&mut self, rows: &mut Vec<Row<T>>) -> ApiResult<()> {
        match self {
            Self::Array(bytes) => read_array(bytes, rows),
            Self::Lines(begun, line) => add_line(begun, *line + 1, rows),
            Self::Csv(csv) => csv.finish(&mut |row| add_csv(rows, row)),
        }
    }

    fn columns(&self) -> Vec<Column> {
        if let Self::Csv(csv) = self { csv.header() } else { Vec::new() }
    }
}

/// Each element is parsed on its own, so that the whole body is never held in memory twice.
fn read_array<T: Pushed>(bytes: &[u8], rows: &mut Vec<Row<T>>) -> ApiResult<()> {
    let text = json::text_of(bytes)?;
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
        if !error.is_data() {
            return json::malformed(&error);
        }
        ApiError::field_error(
            "",
            "wrong_type",
            "Expected an array of rows, such as [{…}]. A single row is sent as an array with one element.",
            "Seharusnya berupa larik berisi baris, seperti [{…}]. Satu baris pun dikirim sebagai larik berisi satu unsur.",
        )
    })?;
    elements.into_iter().try_for_each(|element| add(rows, None, parse(element.get().as_bytes())))
}

/// Reads one line of NDJSON. An empty line is no row.
fn add_line<T: Pushed>(line: &[u8], number: u64, rows: &mut Vec<Row<T>>) -> ApiResult<()> {
    let line = if number == 1 { without_mark(line) } else { line };
    if line.len() > LARGEST_ROW {
        return Err(too_long_row());
    }
    if std::str::from_utf8(line).is_err() {
        return Err(not_utf8(Some(number)));
    }
    if line.iter().all(u8::is_ascii_whitespace) { Ok(()) } else { add(rows, None, parse(line)) }
}

fn parse(bytes: &[u8]) -> Result<Value, Vec<FieldError>> {
    json::parse(bytes).map_err(|unread| match unread {
        Unread::Malformed(error) => {
            let text =
                Text::new(format!("The row is not valid JSON: {error}."), format!("Baris ini bukan JSON yang sah: {error}."));
            vec![FieldError::at("", "malformed_json", text)]
        }
        Unread::Repeated(field_errors) => field_errors,
    })
}

fn add_csv<T: Pushed>(rows: &mut Vec<Row<T>>, row: reader::Row) -> ApiResult<()> {
    add(rows, Some(row.line), row.value)
}

fn add<T: Pushed>(rows: &mut Vec<Row<T>>, line: Option<u64>, value: Result<Value, Vec<FieldError>>) -> ApiResult<()> {
    if rows.len() == MOST_ROWS {
        return Err(too_large(format!("{MOST_ROWS} rows"), format!("{MOST_ROWS} baris")));
    }
    let number = u32::try_from(rows.len() + 1).unwrap_or(u32::MAX);
    let read = value.and_then(T::read);
    rows.push(Row { number, line, read });
    Ok(())
}

/// The bytes after a byte order mark, if there is one.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn too_large(en: String, id: String) -> ApiError {
    ApiError::new(codes::TOO_LARGE).detail(format!("The limit is {en}."), format!("Batasnya {id}."))
}

fn too_many_bytes() -> ApiError {
    too_large(format!("{LARGEST} bytes, compressed or not"), format!("{LARGEST} bita, terkompresi atau tidak"))
}

fn too_long_row() -> ApiError {
    too_large(format!("{LARGEST_ROW} bytes for each row"), format!("{LARGEST_ROW} bita per baris"))
}

fn too_slow() -> ApiError {
    ApiError::new(codes::MALFORMED).detail("The body took too long to arrive.", "Isi permintaan terlalu lama tiba.")
}

fn cut_short() -> ApiError {
    ApiError::new(codes::MALFORMED).detail("The body was cut short.", "Isi permintaan terputus.")
}

fn not_gzip() -> ApiError {
    ApiError::new(codes::MALFORMED).detail(
        "`Content-Encoding` says gzip, but the body is not gzip or was cut short.",
        "`Content-Encoding` menyebut gzip, tetapi isinya bukan gzip atau terputus.",
    )
}

fn not_utf8(line: Option<u64>) -> ApiError {
    let (at, di) = line.map_or_else(Default::default, |line| (format!(", on line {line}"), format!(", di baris {line}")));
    ApiError::new(codes::MALFORMED).detail(
        format!("The body is not UTF-8{at}. Send it as UTF-8."),
        format!("Isi permintaan bukan UTF-8{di}. Kirim sebagai UTF-8."),
    )
}
