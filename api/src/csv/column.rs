//! Columns as data: what a cell holds, and where its value stands in the JSON of the row.

use entity::value::decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::http::json::{self, Unread};
use crate::http::language::Text;
use crate::http::problem::FieldError;
use crate::http::schema;

/// The members that hold long texts, in which line breaks may stand.
const LONG_TEXTS: [&str; 9] =
    ["description", "note", "narrative", "obstacles", "outcome", "reason", "text", "recommendation", "summary"];

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Where its value stands in the JSON of the row: an RFC 6901 pointer.
    pub pointer: String,
    /// What its cells hold.
    pub cells: Cells,
    /// Whether its cells may hold line breaks.
    pub is_long: bool,
    /// Whether the header must have it.
    pub is_required: bool,
    /// The regular expression that its texts match, where there is one.
    pub form: Option<String>,
}

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cells {
    /// A text.
    Text,
    /// A text without outer blanks, such as a code, a period or a date.
    Word,
    /// A decimal number, as a text.
    Decimal,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
    /// Words separated by `;` or `,`, or a JSON array.
    List,
    /// The same for those who only read: of no words the cell is empty, as of no list.
    Words,
    /// Anything else, as JSON.
    Json,
    /// What only the service writes: exported, and ignored where it comes back.
    Ignored,
}

impl Column {
    /// A column of a member, by the schema of the member.
    pub fn of(name: &str, pointer: String, schema: &Value) -> Self {
        let is_long = pointer.rsplit('/').next().is_some_and(|member| LONG_TEXTS.contains(&member));
        let form = schema["pattern"].as_str().map(str::to_owned);
        Self { name: name.to_owned(), pointer, cells: Cells::of(schema), is_long, is_required: false, form }
    }

    /// A column that is read over.
    pub fn ignored(name: &str) -> Self {
        let (name, pointer) = (name.to_owned(), String::new());
        Self { name, pointer, cells: Cells::Ignored, is_long: true, is_required: false, form: None }
    }

    /// The value of a cell that is not empty.
    pub(super) fn value(&self, cell: &str, has_decimal_comma: bool) -> Result<Value, FieldError> {
        if self.cells == Cells::Text {
            return Ok(json!(unescaped(cell)));
        }
        let cell = unescaped(cell.trim());
        let cell = cell.trim();
        Ok(match self.cells {
            Cells::Decimal if has_decimal_comma => json!(with_point(cell).as_deref().unwrap_or(cell)),
            Cells::Integer => cell.parse::<i64>().map_or_else(|_| json!(cell), Value::from),
            Cells::Flag => flag(cell).map_or_else(|| json!(cell), Value::Bool),
            Cells::List | Cells::Words if !cell.starts_with('[') => {
                cell.split([';', ',']).map(str::trim).filter(|word| !word.is_empty()).map(Value::from).collect()
            }
            Cells::List | Cells::Words | Cells::Json => self.json(cell)?,
            _ => json!(cell),
        })
    }

    fn json(&self, cell: &str) -> Result<Value, FieldError> {
        json::parse(cell.as_bytes()).map_err(|unread| match unread {
            Unread::Malformed(error) => self.not_json(&error),
            Unread::Repeated(_) => {
                let (en, id) = ("A member stands twice in this cell.", "Ada anggota yang tercantum dua kali di sel ini.");
                FieldError::at(self.pointer.clone(), "repeated_member", Text::new(en, id))
            }
        })
    }

    fn not_json(&self, error: &serde_json::Error) -> FieldError {
        let text = Text::new(
            format!("A cell of `{}` is JSON, such as {}: {error}.", self.name, self.example()),
            format!("Sel kolom `{}` berisi JSON, seperti {}: {error}.", self.name, self.example()),
        );
        FieldError::at(self.pointer.clone(), "malformed_json", text)
    }

    fn example(&self) -> &'static str {
        if self.cells == Cells::List { "[\"A\", \"B\"]" } else { "{\"name\": \"value\"}" }
    }

    /// The cell of a value; empty for what is absent.
    pub(super) fn cell(&self, row: &Map<String, Value>, has_decimal_comma: bool) -> String {
        match (self.at(row), self.cells) {
            (None | Some(Value::Null), _) | (_, Cells::Ignored) => String::new(),
            (Some(Value::String(number)), Cells::Decimal) if Decimal::read(number).is_ok() => {
                if has_decimal_comma {
                    number.replace('.', ",")
                } else {
                    number.clone()
                }
            }
            (Some(number @ Value::Number(_)), Cells::Integer) => number.to_string(),
            (Some(Value::Array(items)), Cells::Words) if items.is_empty() => String::new(),
            (Some(Value::Array(items)), Cells::List | Cells::Words) => {
                escaped(&words(items).unwrap_or_else(|| json!(items).to_string()), false)
            }
            (Some(value), Cells::List | Cells::Words | Cells::Json) => escaped(&value.to_string(), false),
            (Some(Value::String(text)), _) => escaped(text, self.is_long),
            (Some(value), _) => value.to_string(),
        }
    }

    fn at<'a>(&self, row: &'a Map<String, Value>) -> Option<&'a Value> {
        let mut names = self.pointer.split('/').skip(1);
        let first = row.get(names.next()?)?;
        names.try_fold(first, |value, name| match value {
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            other => other.get(name),
        })
    }

    /// Puts a value where it belongs in the JSON of its row.
    pub(super) fn put(&self, row: &mut Value, value: Value) {
        let mut place = row;
        let mut names = self.pointer.split('/').skip(1).peekable();
        while let Some(name) = names.next() {
            let next = names.peek().map(|next| if next.parse::<usize>().is_ok() { json!([]) } else { json!({}) });
            place = match place {
                Value::Array(items) => {
                    if items.is_empty() {
                        items.push(next.clone().unwrap_or_default());
                    }
                    &mut items[0]
                }
                other => &mut other[name],
            };
            if let (true, Some(empty)) = (place.is_null(), next) {
                *place = empty;
            }
        }
        *place = value;
    }
}

impl Cells {
    /// What the cells of a member with this schema hold.
    pub fn of(schema: &Value) -> Self {
        let is_choice = schema.get("enum").is_some() || schema.get("const").is_some();
        let types = match &schema["type"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).filter(|one| *one != "null").collect(),
            // A choice without a type is one of words.
            _ if is_choice => vec!["string"],
            _ => Vec::new(),
        };
        match types[..] {
            ["string"] | ["string", "number"] if schema["format"] == "decimal" => Self::Decimal,
            ["string"] if is_choice || schema.get("format").is_some() || has_form(schema) => Self::Word,
            ["string"] => Self::Text,
            ["integer"] => Self::Integer,
            ["boolean"] => Self::Flag,
            ["array"] if Self::of(&schema["items"]) == Self::Word => Self::List,
            _ => Self::Json,
        }
    }
}

/// Whether a text has a form, beyond that it is not blank.
fn has_form(schema: &Value) -> bool {
    schema["pattern"].as_str().is_some_and(|pattern| ![schema::ANY_TEXT, schema::NOT_BLANK].contains(&pattern))
}

/// The columns of a row with this schema: one for each member; those that the schema requires are required.
pub fn of_schema(schema: &Value) -> Vec<Column> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let members = schema["properties"].as_object().into_iter().flatten();
    let column = |(name, schema): (&String, &Value)| {
        let is_required = required.iter().any(|known| known == name);
        Column { is_required, ..Column::of(name, format!("/{name}"), schema) }
    };
    members.map(column).collect()
}

/// The columns that may stand in the place of those of objects: `baseline.value` of `baseline`.
pub fn nested(schema: &Value) -> Vec<Column> {
    let mut columns = Vec::new();
    for (outer, schema) in schema["properties"].as_object().into_iter().flatten() {
        for (inner, schema) in schema["properties"].as_object().into_iter().flatten() {
            columns.push(Column::of(&format!("{outer}.{inner}"), format!("/{outer}/{inner}"), schema));
        }
    }
    columns
}

/// With what a spreadsheet takes for the beginning of a formula.
const FORMULAS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A text as it stands in a cell. An apostrophe stands before a formula, so that no spreadsheet runs it, and alone for an empty
/// text. A text of several lines in a column of one-line texts is an apostrophe and a JSON text. What begins like any of these
/// by itself gets one more apostrophe.
pub(super) fn escaped(text: &str, is_long: bool) -> String {
    if !is_long && text.contains(['\r', '\n']) {
        return format!("'{}", json!(text));
    }
    let rest = text.trim_start_matches('\'');
    let is_quoted_json = rest.len() < text.len() && rest.starts_with('"');
    if rest.is_empty() || rest.starts_with(FORMULAS) || is_quoted_json { format!("'{text}") } else { text.to_owned() }
}

/// The text of a cell.
pub(super) fn unescaped(cell: &str) -> String {
    let Some(after) = cell.strip_prefix('\'') else { return cell.to_owned() };
    if after.starts_with('"')
        && let Ok(text) = serde_json::from_str::<String>(after)
    {
        return text;
    }
    let rest = after.trim_start_matches('\'');
    let is_escaped = rest.is_empty() || rest.starts_with(FORMULAS) || (rest.len() < after.len() && rest.starts_with('"'));
    if is_escaped { after.to_owned() } else { cell.to_owned() }
}

fn flag(cell: &str) -> Option<bool> {
    match cell.to_lowercase().as_str() {
        "true" | "1" | "yes" | "ya" | "benar" => Some(true),
        "false" | "0" | "no" | "tidak" | "salah" => Some(false),
        _ => None,
    }
}

/// A decimal that was written with a comma, with a point.
fn with_point(cell: &str) -> Option<String> {
    let (whole, fraction) = cell.split_once(',')?;
    let is_plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain(whole.trim_start_matches('-')) && is_plain(fraction)).then(|| format!("{whole}.{fraction}"))
}

/// Words with `;` between them, where that can be read again.
fn words(items: &[Value]) -> Option<String> {
    let is_plain = |word: &&str| {
        !word.is_empty() && word.trim() == *word && !word.contains([';', ',', '\'', '"', '\r', '\n']) && !word.starts_with('[')
    };
    let words = items.iter().map(|item| item.as_str().filter(is_plain)).collect::<Option<Vec<_>>>()?;
    (!words.is_empty()).then(|| words.join(";"))
}
