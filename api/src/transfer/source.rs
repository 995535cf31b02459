//! The file of an import: JSON, or a folder of CSV files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{FORMAT, Kind, LARGEST, LISTS, csv_reader};
use crate::csv::reader::{Refused, Row};
use crate::http::problem::Fault;

/// What an import reads: its lists, not yet looked into.
pub(super) enum Source {
    Json(BTreeMap<String, Vec<Box<RawValue>>>),
    Csv(BTreeMap<String, Vec<u8>>),
}

/// The rows of a list: each a value, or why it is none.
pub(super) type Values = Vec<Result<Value, String>>;

impl Source {
    /// Opens a JSON file or a folder of CSV files.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        if !path.is_dir() {
            must_be_small(fs::metadata(path).map_err(told)?.len())?;
            return Self::json(&fs::read(path).map_err(told)?);
        }
        let (mut files, mut size) = (BTreeMap::new(), 0);
        for entry in fs::read_dir(path).map_err(told)? {
            let entry = entry.map_err(told)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(list) = name.strip_suffix(".csv") else { continue };
            must_be_known(list)?;
            size += entry.metadata().map_err(told)?.len();
            must_be_small(size)?;
            files.insert(list.to_owned(), fs::read(entry.path()).map_err(told)?);
        }
        if files.is_empty() {
            return Err(format!("{}: there is no CSV file in it, such as {}.csv", path.display(), LISTS[0]));
        }
        Ok(Self::Csv(files))
    }

    /// The lists of a JSON text.
    pub(super) fn json(bytes: &[u8]) -> Result<Self, String> {
        let members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut lists = BTreeMap::new();
        for (name, value) in members {
            let wrong = |error: serde_json::Error| format!("{name}: {error}");
            match name.as_str() {
                // What a person notes about the file; it is not stored.
                "source" => drop(serde_json::from_str::<Map<String, Value>>(value.get()).map_err(wrong)?),
                "format" if value.get() == FORMAT.to_string() => {}
                "format" => return Err(format!("format: this version of renaksi reads format {FORMAT}")),
                list => {
                    must_be_known(list)?;
                    lists.insert(list.to_owned(), serde_json::from_str(value.get()).map_err(wrong)?);
                }
            }
        }
        Ok(Self::Json(lists))
    }

    /// Takes the rows of a list.
    pub(super) fn take<K: Kind>(&mut self, list: &str) -> Result<Values, String> {
        match self {
            Self::Json(lists) => {
                let rows = lists.remove(list).unwrap_or_default();
                Ok(rows.iter().map(|row| serde_json::from_str(row.get()).map_err(|error| error.to_string())).collect())
            }
            Self::Csv(files) => match files.remove(list).filter(|bytes| !bytes.is_empty()) {
                Some(bytes) => rows_of::<K>(&bytes).map_err(|refused| refused.sentences()),
                None => Ok(Vec::new()),
            },
        }
    }
}

/// The rows of a CSV; a fault of a row names its line.
fn rows_of<K: Kind>(bytes: &[u8]) -> Result<Values, Refused> {
    let (mut reader, mut values) = (csv_reader::<K>(), Values::new());
    let mut sink = |Row { line, value }: Row| {
        let told = |fault: &Fault| fault.sentence().trim_start_matches(": ").to_owned();
        let faults = |faults: Vec<Fault>| format!("line {line}: {}", faults.iter().map(told).collect::<Vec<_>>().join(" "));
        values.push(value.map_err(faults));
        Ok::<(), Refused>(())
    };
    reader.take(bytes, &mut sink)?;
    reader.finish(&mut sink)?;
    Ok(values)
}

fn must_be_small(size: u64) -> Result<(), String> {
    if size <= LARGEST { Ok(()) } else { Err(format!("at most {} MiB are read", LARGEST / 1024 / 1024)) }
}

fn must_be_known(list: &str) -> Result<(), String> {
    if LISTS.contains(&list) {
        return Ok(());
    }
    Err(format!("`{list}` is no list; there are {}", LISTS.join(", ")))
}
