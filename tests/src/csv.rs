//! CSV as the service writes it, read by a reader of its own: what is tested must not read itself.

use serde_json::Value;

/// A table with its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The cells of each line.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads RFC 4180: lines end with CRLF, and a quotation mark within quotation marks is doubled.
    ///
    /// # Panics
    ///
    /// Where the text is anything else.
    pub fn read(text: &str, separator: char) -> Self {
        let mut lines = Vec::new();
        let (mut line, mut cell, mut letters) = (Vec::new(), String::new(), text.chars().peekable());
        while let Some(letter) = letters.next() {
            match letter {
                '"' if cell.is_empty() => loop {
                    match letters.next().expect("a cell that ends") {
                        '"' if letters.peek() == Some(&'"') => cell.push(letters.next().unwrap_or_default()),
                        '"' => break,
                        inner => cell.push(inner),
                    }
                },
                '\r' => {
                    assert_eq!(letters.next(), Some('\n'), "a line ends with CRLF");
                    line.push(std::mem::take(&mut cell));
                    lines.push(std::mem::take(&mut line));
                }
                '\n' => panic!("a line break outside of a cell"),
                letter if letter == separator => line.push(std::mem::take(&mut cell)),
                letter => cell.push(letter),
            }
        }
        assert!(line.is_empty() && cell.is_empty(), "the last line has an end");
        let columns = lines.remove(0);
        assert!(lines.iter().all(|line| line.len() == columns.len()), "every line has as many cells as the header: {columns:?}");
        Self { columns, rows: lines }
    }

    /// The place of a column.
    ///
    /// # Panics
    ///
    /// Where there is none of this name.
    pub fn column(&self, name: &str) -> usize {
        self.columns.iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name} in {:?}", self.columns))
    }
}

/// The cell in which a value of an answer stands. A decimal may have a comma where the table was asked for so; a code such as `52.08` looks
/// like one, and never has.
pub fn is_cell_of(cell: &str, value: &Value, has_decimal_comma: bool) -> bool {
    let is_word = |word: &Value| {
        word.as_str()
            .is_some_and(|word| !word.is_empty() && !word.contains([';', ',', '\'', '"', '\n', '[']) && word.trim() == word)
    };
    match value {
        Value::Null => cell.is_empty(),
        Value::String(text) if is_decimal(text) => cell == text || (has_decimal_comma && cell == text.replace('.', ",")),
        Value::String(text) => cell == escaped(text),
        Value::Array(items) if !items.is_empty() && items.iter().all(is_word) => {
            cell == items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";")
        }
        Value::Array(items) if items.is_empty() => cell.is_empty() || cell == "[]",
        other => serde_json::from_str::<Value>(cell).is_ok_and(|read| read == *other),
    }
}

/// Whether a text is a decimal number.
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    digits(text) || text.split_once('.').is_some_and(|(whole, fraction)| digits(whole) && digits(fraction))
}

fn escaped(text: &str) -> String {
    let begins = ['=', '+', '-', '@', '\t', '\r', '\n', '\''];
    if text.is_empty() || text.starts_with(begins) { format!("'{text}") } else { text.to_owned() }
}
