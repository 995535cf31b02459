//! The columns of a list or a figure, read off the description of its operation.
//!
//! Each member of a row is a column. An object becomes a column for each of its members (`baseline.value`), whatever the depth; a list of
//! words has `;` between them, and any other list is JSON. Columns stand in the order in which the example of the operation has the
//! members.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};

use super::asked::{self, AskedCsv};
use crate::csv::column::{Cells, Column};
use crate::csv::writer::{Dialect, Writer};
use crate::http::media::MediaType;
use crate::http::operation::Operation;
use crate::http::representation::Selection;

/// The column that tells parts of a figure apart.
const PART: &str = "part";
/// In a schema that another one referred to, the reference by which it did.
pub const NAME: &str = "x-schema";
/// Objects within objects that become columns.
const DEEPEST: usize = 5;

/// What the lines of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The rows of a list.
    Rows,
    /// Of a figure the entries of these members; what stands beside them is repeated on each line. If there are several, a column says
    /// from which of them a line is; if there is none, the figure is one line.
    Entries(&'static [&'static str]),
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct TableColumn {
    /// Its name, and where its value stands in a line.
    pub column: Column,
    /// The schema of its values.
    pub schema: Value,
    /// The schema of the member that it is, or is a part of.
    pub member: Value,
    /// Whether each line has a value.
    pub is_required: bool,
}

/// A list or a figure as a table.
#[derive(Clone, Debug)]
pub struct Tabular {
    /// Its columns.
    pub columns: Vec<TableColumn>,
    lines: Lines,
}

impl Tabular {
    /// Reads off what an operation answers with.
    fn of(operation: &Operation, lines: Lines) -> Self {
        let content = &operation.object["responses"]["200"]["content"][MediaType::Json.name()];
        let known = Known(&operation.schemas);
        let (whole, example) = (known.resolved(&content["schema"]), &content["example"]);
        let mut columns = Vec::new();
        match lines {
            Lines::Rows => known.add_members(&whole["properties"]["data"]["items"], &example["data"][0], &mut columns),
            Lines::Entries(parts) => known.add_lines(&whole, example, parts, &mut columns),
        }
        assert!(columns.len() > 1, "{} {} has no columns", operation.method, operation.path);
        Self { columns, lines }
    }

    /// Writes a table with the columns that a client picked.
    pub fn writer(&self, dialect: Dialect, selection: &Selection) -> Writer {
        let member = |column: &Column| column.pointer.split('/').nth(1).unwrap_or_default().to_owned();
        let columns = self.columns.iter().map(|column| &column.column);
        Writer::new(dialect, columns.filter(|column| selection.has(&member(column))).cloned().collect())
    }

    /// The lines of an answer.
    pub fn lines(&self, answer: Value) -> Vec<Map<String, Value>> {
        let Value::Object(mut whole) = answer else { return Vec::new() };
        let objects = |value: Value| match value {
            Value::Array(entries) => entries.into_iter().filter_map(object).collect::<Vec<_>>(),
            other => object(other).into_iter().collect(),
        };
        match self.lines {
            Lines::Rows => objects(whole.remove("data").unwrap_or_default()),
            Lines::Entries([]) => vec![whole],
            Lines::Entries(parts) => {
                let entries = parts.iter().map(|part| (part, objects(whole.remove(*part).unwrap_or_default())));
                let entries = entries.collect::<Vec<_>>();
                let line = |part: &str, entry: Map<String, Value>| {
                    let mut line = whole.clone();
                    if parts.len() > 1 {
                        line.insert(PART.to_owned(), json!(part));
                    }
                    line.extend(entry);
                    line
                };
                entries
                    .into_iter()
                    .flat_map(|(part, found)| found.into_iter().map(move |entry| (part, entry)))
                    .map(|(part, entry)| line(part, entry))
                    .collect()
            }
        }
    }

    /// An answer as CSV.
    pub fn text(&self, answer: Value, AskedCsv(dialect): AskedCsv, selection: &Selection) -> String {
        let writer = self.writer(dialect, selection);
        self.lines(answer).iter().fold(writer.header(), |text, line| text + &writer.row(line))
    }
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Adds CSV to what an operation answers with, and gives the table that it then is.
pub fn with_csv(operation: Operation, lines: Lines) -> (Operation, Tabular) {
    let table = Tabular::of(&operation, lines);
    let example = operation.object["responses"]["200"]["content"][MediaType::Json.name()]["example"].clone();
    let example = table.text(example, AskedCsv(Dialect::PLAIN), &Selection::default());
    let what = match lines {
        Lines::Rows => "A line for each row of the list, of all pages.".to_owned(),
        Lines::Entries([]) => "One line with the whole answer.".to_owned(),
        Lines::Entries([part]) => format!("A line for each entry of `{part}`; what stands beside them is repeated on each line."),
        Lines::Entries(parts) => format!(
            "A line for each entry of {}; the column `{PART}` says from which of them a line is, and what stands beside them is repeated \
             on each line.",
            parts.iter().map(|part| format!("`{part}`")).collect::<Vec<_>>().join(" and "),
        ),
    };
    let about = format!(
        "CSV (RFC 4180), UTF-8. {what} Members of objects are columns such as `baseline.value`. A list of words has `;` between them, and \
         any other list is JSON. A text that a spreadsheet would take for a formula has an apostrophe before it."
    );
    let schema = json!({ "type": "string", "maxLength": 2_000_000_000, "description": about });
    let mut operation = asked::describe(operation);
    operation.object["responses"]["200"]["content"][MediaType::Csv.name()] = json!({ "schema": schema, "example": example });
    operation.object["responses"]["200"]["headers"]["Content-Disposition"] =
        json!({ "$ref": "#/components/headers/Content-Disposition" });
    (operation, table)
}

/// A table that is made when somebody asks for it first.
pub type LazyTabular = LazyLock<Tabular, Box<dyn FnOnce() -> Tabular + Send>>;

/// The same as [`with_csv`] for an operation that is described later.
pub fn lazily_with_csv(
    describe: impl Fn() -> Operation + Clone + Send + 'static,
    lines: Lines,
) -> (impl FnOnce() -> Operation + Send + 'static, Arc<LazyTabular>) {
    let again = describe.clone();
    let table: LazyTabular = LazyLock::new(Box::new(move || with_csv(again(), lines).1));
    (move || with_csv(describe(), lines).0, Arc::new(table))
}

/// The schemas that others refer to.
struct Known<'a>(&'a Map<String, Value>);

impl Known<'_> {
    /// A schema with what it refers to in its place, and without null among what it may be.
    fn resolved(&self, schema: &Value) -> Value {
        let Some(own) = schema.as_object() else { return schema.clone() };
        let referred = own.get("$ref").and_then(Value::as_str).and_then(|name| self.0.get(name.rsplit('/').next()?));
        let options = own
            .get("oneOf")
            .and_then(Value::as_array)
            .map(|options| options.iter().filter(|option| option["type"] != "null").collect::<Vec<_>>());
        let mut resolved = match (referred, options.as_deref()) {
            (Some(referred), _) => self.resolved(referred),
            (None, Some([option])) => self.resolved(option),
            _ => return self.with_items(schema.clone()),
        };
        if let Some(members) = resolved.as_object_mut() {
            // What stands beside a reference is about the very place.
            members.extend(
                own.iter()
                    .filter(|(key, _)| !["$ref", "oneOf"].contains(&key.as_str()))
                    .map(|(key, value)| (key.clone(), value.clone())),
            );
            if let Some(name) = own.get("$ref") {
                members.insert(NAME.to_owned(), name.clone());
            }
        }
        resolved
    }

    fn with_items(&self, mut schema: Value) -> Value {
        if let Some(items) = schema.get("items") {
            schema["items"] = self.resolved(items);
        }
        schema
    }

    /// Adds the columns of the members of an object.
    fn add_members(&self, object: &Value, example: &Value, columns: &mut Vec<TableColumn>) {
        let object = self.resolved(object);
        for (name, schema) in in_order(&object, example) {
            self.add(&name, format!("/{name}"), &schema, &example[name.as_str()], is_required(&object, &name), columns, None);
        }
    }

    /// Adds the columns of the lines of a figure: first what is repeated and short, then what each entry has, then the rest.
    fn add_lines(&self, whole: &Value, example: &Value, parts: &[&str], columns: &mut Vec<TableColumn>) {
        if parts.is_empty() {
            return self.add_members(whole, example, columns);
        }
        let (mut entries, mut rest) = (Vec::new(), Vec::new());
        for part in parts {
            let schema = self.resolved(&whole["properties"][*part]);
            let (entry, example) =
                if schema["type"] == "array" { (&schema["items"], &example[*part][0]) } else { (&schema, &example[*part]) };
            self.add_members(entry, example, &mut entries);
        }
        if parts.len() > 1 {
            let words = json!({ "type": "string", "enum": parts });
            let column = Column::of(PART, format!("/{PART}"), &words);
            columns.push(TableColumn { column, schema: words.clone(), member: words, is_required: true });
        }
        for (name, schema) in in_order(whole, example).into_iter().filter(|(name, _)| !parts.contains(&name.as_str())) {
            let is_short = self.resolved(&schema).get("properties").is_none();
            let columns = if is_short { &mut *columns } else { &mut rest };
            self.add(&name, format!("/{name}"), &schema, &example[name.as_str()], is_required(whole, &name), columns, None);
        }
        for entry in entries {
            match columns.iter_mut().find(|known| known.column.name == entry.column.name) {
                Some(known) => known.is_required &= entry.is_required,
                None => columns.push(entry),
            }
        }
        columns.extend(rest);
        if parts.len() > 1 {
            // Not every part has every column.
            columns.iter_mut().filter(|column| column.column.name != PART).for_each(|column| column.is_required = false);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn add(
        &self,
        name: &str,
        pointer: String,
        schema: &Value,
        example: &Value,
        is_required: bool,
        columns: &mut Vec<TableColumn>,
        outer: Option<&Value>,
    ) {
        let is_nullable = may_be_null(schema);
        let schema = self.resolved(schema);
        let (member, depth) = (outer.unwrap_or(&schema), name.matches('.').count());
        let has_members = schema["properties"].as_object().is_some_and(|members| !members.is_empty());
        if !has_members || depth >= DEEPEST {
            let column = Column { cells: cells_of(&schema), ..Column::of(name, pointer, &schema) };
            let member = member.clone();
            columns.push(TableColumn { column, schema, member, is_required: is_required && !is_nullable });
            return;
        }
        for (inner, part) in in_order(&schema, example) {
            let is_required = is_required && !is_nullable && self::is_required(&schema, &inner);
            let (name, pointer) = (format!("{name}.{inner}"), format!("{pointer}/{inner}"));
            self.add(&name, pointer, &part, &example[inner.as_str()], is_required, columns, Some(member));
        }
    }
}

/// What cells hold: a list of any texts is one of words.
fn cells_of(schema: &Value) -> Cells {
    if schema["items"]["type"] == "string" { Cells::Words } else { Cells::of(schema) }
}

fn is_required(object: &Value, name: &str) -> bool {
    object["required"].as_array().into_iter().flatten().any(|known| known == name)
}

fn may_be_null(schema: &Value) -> bool {
    schema["type"].as_array().is_some_and(|types| types.contains(&json!("null")))
        || schema["oneOf"].as_array().is_some_and(|options| options.iter().any(|option| option["type"] == "null"))
}

/// The members of an object, in the order in which an example has them.
fn in_order(object: &Value, example: &Value) -> Vec<(String, Value)> {
    let members = object["properties"].as_object().cloned().unwrap_or_default();
    let shown = example.as_object().into_iter().flatten().map(|(name, _)| name);
    let first = shown.filter(|name| members.contains_key(*name)).cloned().collect::<Vec<_>>();
    let others = members.keys().filter(|name| !first.contains(name)).cloned().collect::<Vec<_>>();
    first.into_iter().chain(others).filter_map(|name| Some((name.clone(), members.get(&name)?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn operation() -> Operation {
        let example = json!({ "year": 2022, "rows": [{ "opd": "DLH", "counts": { "late": 1 }, "share": "87.50", "of": ["A", "B"] }], "whole": { "late": 2 } });
        let mut operation = Operation::get("/v1/public/scores", "get_scores", "public", "Scores", "Scores.");
        let counts = json!({ "type": "object", "properties": { "late": { "type": "integer" } }, "required": ["late"] });
        operation.schemas.insert("Counts".into(), counts);
        let row = json!({
            "type": "object", "required": ["opd", "counts"],
            "properties": {
                "counts": { "$ref": "#/components/schemas/Counts" }, "of": { "type": "array", "items": { "type": "string", "pattern": "^[A-Z]+$" } },
                "opd": { "type": "string" }, "share": { "oneOf": [{ "type": "null" }, { "type": "string", "format": "decimal" }] },
            },
        });
        let whole = json!({
            "type": "object", "required": ["year"],
            "properties": { "rows": { "type": "array", "items": row }, "whole": { "$ref": "#/components/schemas/Counts" }, "year": { "type": "integer" } },
        });
        operation.answers_schema(200, "The scores.", whole, Some(example), &[])
    }

    #[test]
    fn a_figure_is_a_line_for_each_entry_with_what_stands_beside() {
        let (described, table) = with_csv(operation(), Lines::Entries(&["rows"]));
        let content = &described.object["responses"]["200"]["content"];
        assert_eq!(content["text/csv"]["example"], "year,opd,counts.late,share,of,whole.late\r\n2022,DLH,1,87.50,A;B,2\r\n");
        let required = table.columns.iter().filter(|column| column.is_required).map(|column| column.column.name.as_str());
        assert_eq!(required.collect::<Vec<_>>(), ["year", "opd", "counts.late"]);
    }

    #[test]
    fn parts_are_told_apart() {
        let (_, table) = with_csv(operation(), Lines::Entries(&["whole", "rows"]));
        let answer = json!({ "year": 2022, "whole": { "late": 3 }, "rows": [{ "opd": "DLH", "counts": { "late": 1 }, "share": null, "of": [] }] });
        let dialect = Dialect { separator: crate::csv::Separator::Semicolon, has_decimal_comma: true, ..Dialect::PLAIN };
        assert_eq!(
            table.text(answer, AskedCsv(dialect), &Selection::default()),
            "part;year;late;opd;counts.late;share;of\r\nwhole;2022;3;;;;\r\nrows;2022;;DLH;1;;\r\n"
        );
    }
}
