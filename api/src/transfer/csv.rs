//! A list as CSV (RFC 4180): a column for each member of a row.
//!
//! A cell of text is that text; any other cell, such as a number or a nested value, is JSON. So is a text that is empty or
//! begins with a quotation mark: an empty cell is an absent member.

use csv_core::{ReadRecordResult, Reader};
use serde_json::{Map, Value};

/// A column.
pub(super) struct Column {
    /// The member.
    pub(super) name: String,
    is_text: bool,
}

impl Column {
    /// The column of a member with this schema.
    pub(super) fn of(name: String, schema: &Value) -> Self {
        let is_text = match &schema["type"] {
            Value::Array(types) => types.contains(&Value::from("string")),
            // A choice without a type is one of words.
            Value::Null => schema.get("enum").is_some(),
            one => one == "string",
        };
        Self { name, is_text }
    }

    fn cell(&self, value: Option<&Value>) -> String {
        match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) if self.is_text && !text.is_empty() && !text.starts_with('"') => text.clone(),
            Some(value) => value.to_string(),
        }
    }

    fn value(&self, cell: &str) -> Result<Value, String> {
        if self.is_text && !cell.starts_with('"') {
            return Ok(Value::String(cell.to_owned()));
        }
        serde_json::from_str(cell).map_err(|error| format!("column `{}`: not JSON: {error}", self.name))
    }
}

/// The header.
pub(super) fn header(columns: &[Column]) -> String {
    line(columns.iter().map(|column| column.name.clone()))
}

/// A row.
pub(super) fn row(columns: &[Column], row: &Map<String, Value>) -> String {
    line(columns.iter().map(|column| column.cell(row.get(&column.name))))
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let quoted = cells.map(|cell| {
        let needs = cell.contains([',', '"', '\r', '\n']) || cell.starts_with(' ') || cell.ends_with(' ');
        if needs { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
    });
    format!("{}\r\n", quoted.collect::<Vec<_>>().join(","))
}

/// The rows of a file, each as a JSON object or what is wrong with it.
pub(super) fn read(bytes: &[u8], columns: &[Column]) -> Result<Vec<Result<Value, String>>, String> {
    let mut records = records(bytes)?.into_iter();
    let Some(names) = records.next() else { return Ok(Vec::new()) };
    let mut header = Vec::new();
    for name in &names {
        let name = name.trim_start_matches('\u{feff}').trim();
        let column = columns.iter().find(|column| column.name == name).ok_or_else(|| format!("there is no column `{name}`"))?;
        if header.iter().any(|other: &&Column| other.name == name) {
            return Err(format!("column `{name}` stands there twice"));
        }
        header.push(column);
    }
    Ok(records.map(|cells| object(&header, &cells)).collect())
}

fn object(header: &[&Column], cells: &[String]) -> Result<Value, String> {
    if cells.len() != header.len() {
        return Err(format!("{} cells in a row of {}", cells.len(), header.len()));
    }
    let given = header.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
    let members = given.map(|(column, cell)| Ok((column.name.clone(), column.value(cell)?)));
    Ok(Value::Object(members.collect::<Result<_, String>>()?))
}

fn records(mut input: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let (mut reader, mut records) = (Reader::new(), Vec::new());
    let (mut cells, mut ends, mut filled, mut ended) = (vec![0; 4096], vec![0; 64], 0, 0);
    loop {
        let (result, taken, written, new_ends) = reader.read_record(input, &mut cells[filled..], &mut ends[ended..]);
        input = &input[taken..];
        filled += written;
        ended += new_ends;
        match result {
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::OutputFull => cells.resize(cells.len() * 2, 0),
            ReadRecordResult::OutputEndsFull => ends.resize(ends.len() * 2, 0),
            ReadRecordResult::Record => {
                let starts = std::iter::once(0).chain(ends[..ended].iter().copied());
                let texts = starts.zip(&ends[..ended]).map(|(start, end)| String::from_utf8(cells[start..*end].to_vec()));
                records.push(texts.collect::<Result<_, _>>().map_err(|_| "not UTF-8".to_owned())?);
                (filled, ended) = (0, 0);
            }
            ReadRecordResult::End => return Ok(records),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_a_row_holds_comes_back() {
        let columns = ["code", "name", "count", "tags"].map(|name| {
            let kind = match name {
                "count" => json!({ "type": "integer" }),
                "tags" => json!({ "type": "array" }),
                _ => json!({ "type": ["string", "null"] }),
            };
            Column::of(name.to_owned(), &kind)
        });
        let rows = [
            json!({ "code": "A", "name": "dua\r\nbaris, \"kutip\"", "count": 3, "tags": ["x", "y,\n"] }),
            json!({ "code": "B", "name": "", "tags": [] }),
            json!({ "code": "\"C\"", "name": " 1.50 " }),
            json!({ "code": "=1+1" }),
        ];
        let lines = rows.iter().map(|value| row(&columns, value.as_object().unwrap())).collect::<String>();
        let read = read(format!("{}{lines}", header(&columns)).as_bytes(), &columns).unwrap();
        assert_eq!(read.into_iter().collect::<Result<Vec<_>, _>>().unwrap(), rows);
    }

    #[test]
    fn a_strange_column_is_refused() {
        assert!(read(b"code,nama\r\n", &[Column::of("code".to_owned(), &json!({ "type": "string" }))]).is_err());
    }
}
