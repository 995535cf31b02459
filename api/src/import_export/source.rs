//! The file of an import: JSON, or a folder of CSV files. It is read some rows at a time, each list when its turn comes.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::scan::Scanner;
use super::{FORMAT, FileList, LISTS, csv_reader};
use crate::csv::reader::{Reader, Row};
use crate::csv::refused::Refused;
use crate::http::json::{self, Unread};
use crate::http::language::Language;
use crate::http::problem::FieldError;

/// Bytes that are read at once.
const BUFFER: usize = 256 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A text that can be read more than once.
pub(super) trait Text: Read + Seek {}
impl<T: Read + Seek> Text for T {}

/// What an import reads: its lists, not yet looked into.
pub(super) enum Source {
    /// A JSON text, with the place where each list begins.
    Json { text: Box<dyn Text>, lists: BTreeMap<String, u64> },
    /// The CSV file of each list.
    Csv(BTreeMap<String, PathBuf>),
}

/// A row: its value, or why it is none.
pub(super) type Given = Result<Value, String>;

impl Source {
    /// Opens a JSON file or a folder of CSV files.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let message_of = |error: io::Error| format!("{}: {error}", path.display());
        if !path.is_dir() {
            return Self::json(File::open(path).map_err(message_of)?);
        }
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(path).map_err(message_of)? {
            let entry = entry.map_err(message_of)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(list) = name.strip_suffix(".csv") else { continue };
            must_be_known(list)?;
            files.insert(list.to_owned(), entry.path());
        }
        if files.is_empty() {
            return Err(format!("{}: there is no CSV file in it, such as {}.csv", path.display(), LISTS[0]));
        }
        Ok(Self::Csv(files))
    }

    /// The lists of a JSON text that is in memory.
    pub(super) fn of_text(text: &'static str) -> Result<Self, String> {
        Self::json(Cursor::new(text.as_bytes()))
    }

    fn json(mut text: impl Text + 'static) -> Result<Self, String> {
        let message_of = |error: io::Error| error.to_string();
        let start = begin(&mut text).map_err(message_of)?;
        // Once through all of it, for what is wrong as JSON: with its line, and without holding anything.
        let mut reader = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER, &mut text));
        IgnoredAny::deserialize(&mut reader).and_then(|_| reader.end()).map_err(|error| error.to_string())?;
        drop(reader);
        text.seek(SeekFrom::Start(start)).map_err(message_of)?;
        let lists = index(&mut Scanner::new(BufReader::with_capacity(BUFFER, &mut text)))?;
        let lists = lists.into_iter().map(|(name, place)| (name, start + place)).collect();
        Ok(Self::Json { text: Box::new(text), lists })
    }

    /// The rows of a list: none where the file has no such list.
    pub(super) fn rows<K: FileList>(&mut self, list: &str) -> Result<Rows<'_>, String> {
        match self {
            Self::Json { text, lists } => {
                let Some(place) = lists.get(list) else { return Ok(Rows::None) };
                text.seek(SeekFrom::Start(*place)).map_err(|error| error.to_string())?;
                let mut scanner = Scanner::new(BufReader::with_capacity(BUFFER, text as &mut dyn Read));
                scanner.take(b'[').map_err(|error| error.to_string())?;
                Ok(Rows::Json(Box::new(scanner)))
            }
            Self::Csv(files) => {
                let Some(path) = files.get(list) else { return Ok(Rows::None) };
                let message_of = |error: io::Error| format!("{}: {error}", path.display());
                let file = File::open(path).map_err(message_of)?;
                if file.metadata().map_err(message_of)?.len() == 0 {
                    return Ok(Rows::None);
                }
                Ok(Rows::Csv(Box::new(Table { file, reader: csv_reader::<K>(), ready: VecDeque::new(), is_over: false })))
            }
        }
    }
}

/// Goes behind a byte order mark; gives where that is.
fn begin(text: &mut impl Text) -> io::Result<u64> {
    let mut first = Vec::new();
    text.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut first)?;
    let start = if first == BYTE_ORDER_MARK { first.len() as u64 } else { 0 };
    text.seek(SeekFrom::Start(start))
}

/// Where each list begins.
fn index(scanner: &mut Scanner<impl BufRead>) -> Result<BTreeMap<String, u64>, String> {
    let message_of = |error: io::Error| error.to_string();
    let (mut lists, mut seen) = (BTreeMap::new(), Vec::new());
    if !scanner.take(b'{').map_err(message_of)? {
        return Err("the file is no object of lists, as `renaksi export` writes it".to_owned());
    }
    while scanner.next().map_err(message_of)? == Some(b'"') {
        let name: String = serde_json::from_slice(&scanner.value().map_err(message_of)?).map_err(|error| error.to_string())?;
        scanner.take(b':').map_err(message_of)?;
        if seen.contains(&name) {
            return Err(format!("`{name}` stands there twice"));
        }
        let begins = scanner.next().map_err(message_of)?;
        match name.as_str() {
            // What a person notes about the file; it is not stored.
            "source" => {
                let noted = scanner.value().map_err(message_of)?;
                serde_json::from_slice::<Map<String, Value>>(&noted).map_err(|error| format!("source: {error}"))?;
            }
            "format" if scanner.value().map_err(message_of)? == FORMAT.to_string().as_bytes() => {}
            "format" => return Err(format!("format: this version of renaksi reads format {FORMAT}")),
            list => {
                must_be_known(list)?;
                if begins != Some(b'[') {
                    return Err(format!("{list}: expected a list of rows, in `[` and `]`"));
                }
                lists.insert(list.to_owned(), scanner.place);
                scanner.skip().map_err(message_of)?;
            }
        }
        seen.push(name);
        scanner.take(b',').map_err(message_of)?;
    }
    Ok(lists)
}

fn must_be_known(list: &str) -> Result<(), String> {
    if LISTS.contains(&list) {
        return Ok(());
    }
    Err(format!("`{list}` is no list; there are {}", LISTS.join(", ")))
}

/// The rows of a list that are not read yet.
pub(super) enum Rows<'a> {
    None,
    Json(Box<Scanner<BufReader<&'a mut dyn Read>>>),
    Csv(Box<Table>),
}

/// A CSV file that is being read.
pub(super) struct Table {
    file: File,
    reader: Reader,
    /// The rows that were read and not yet given.
    ready: VecDeque<Given>,
    is_over: bool,
}

impl Table {
    /// The next rows, at most so many.
    fn next(&mut self, most: usize) -> Result<Vec<Given>, String> {
        let mut buffer = vec![0; BUFFER];
        while self.ready.len() < most && !self.is_over {
            let length = self.file.read(&mut buffer).map_err(|error| error.to_string())?;
            let ready = &mut self.ready;
            let mut sink = |row: Row| {
                ready.push_back(given(row));
                Ok::<(), Refused>(())
            };
            self.is_over = length == 0;
            let taken = if length == 0 { self.reader.finish(&mut sink) } else { self.reader.take(&buffer[..length], &mut sink) };
            taken.map_err(|refused| refused.sentences())?;
        }
        Ok(self.ready.drain(..most.min(self.ready.len())).collect())
    }
}

/// A row of a CSV; what is wrong with it names its line.
fn given(Row { line, value }: Row) -> Given {
    let message_of = |field_error: &FieldError| field_error.sentence().trim_start_matches(": ").to_owned();
    value.map_err(|field_errors| format!("line {line}: {}", field_errors.iter().map(message_of).collect::<Vec<_>>().join(" ")))
}

impl Rows<'_> {
    /// The next rows, at most so many; none where all were read. An error is one of the whole list.
    pub(super) fn next(&mut self, most: usize) -> Result<Vec<Given>, String> {
        match self {
            Self::None => Ok(Vec::new()),
            Self::Csv(table) => table.next(most),
            Self::Json(scanner) => {
                let mut rows = Vec::new();
                while rows.len() < most && !matches!(scanner.next().map_err(|error| error.to_string())?, None | Some(b']')) {
                    let text = scanner.value().map_err(|error| error.to_string())?;
                    rows.push(json::parse(&text).map_err(|unread| message_of(&unread)));
                    scanner.take(b',').map_err(|error| error.to_string())?;
                }
                Ok(rows)
            }
        }
    }
}

fn message_of(unread: &Unread) -> String {
    match unread {
        Unread::Malformed(error) => error.to_string(),
        Unread::Repeated(field_errors) => {
            field_errors.iter().map(|field_error| field_error.shown(Language::English).detail).collect::<Vec<_>>().join(" ")
        }
    }
}
