//! The description of all data sets: `datapackage.json`, a Data Package of version 2.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde_json::{Map, Value, json};

use super::labels;
use super::list::{ABOUT, TITLE, ZIP_PATH};
use super::sources::Source;
use crate::csv::column::Cells;
use crate::licence::Licence;
use crate::store::kind::Kind;
use crate::tabular::columns::{NAME, TableColumn};

/// The standard that it follows.
const PROFILE: &str = "https://datapackage.org/profiles/2.0/datapackage.json";

/// The file with the metadata of the indicators.
pub(super) const INDICATORS: &str = "indicators.json";

/// The state of the data that is described.
pub(super) struct State {
    /// The position of the last event, if every event has one.
    pub(super) position: Option<i64>,
    /// The instant of the last change.
    pub(super) last: DateTime<Utc>,
    /// The day for which figures are computed.
    pub(super) today: NaiveDate,
    /// The licence.
    pub(super) licence: Licence,
    /// The address of the service.
    pub(super) address: String,
}

impl State {
    /// A version by which two states are distinguished.
    fn version(&self) -> String {
        let day = format!("{}.{}.{}", self.last.year(), self.last.month(), self.last.day());
        self.position.map_or(day.clone(), |position| format!("{day}+{position}"))
    }
}

/// Describes the data sets.
pub(super) fn describe(sources: &[Source], state: &State) -> Value {
    let State { licence, address, .. } = state;
    json!({
        "$schema": PROFILE,
        "name": "renaksi",
        "id": format!("{address}{ZIP_PATH}"),
        "title": TITLE.en,
        "title_id": TITLE.id,
        "description": ABOUT.en,
        "description_id": ABOUT.id,
        "homepage": address,
        "version": state.version(),
        "created": state.last.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "keywords": ["smart city", "masterplan", "renaksi", "open data", "Indonesia"],
        "licenses": [{ "name": licence.name(), "title": licence.title(), "path": licence.url() }],
        "sources": [{ "title": "Renaksi API", "path": format!("{address}/openapi.json") }],
        "resources": sources.iter().map(|source| resource(source, sources, address)).chain([indicators()]).collect::<Vec<_>>(),
    })
}

fn indicators() -> Value {
    json!({
        "name": "indicators",
        "path": INDICATORS,
        "title": "Metadata of the indicators (MS-Ind)",
        "title_id": "Metadata indikator (MS-Ind)",
        "description": "What Peraturan BPS 5/2020 wants to be known of each KPI.",
        "description_id": "Keterangan setiap indikator menurut Peraturan BPS 5/2020.",
        "format": "json",
        "mediatype": "application/json",
        "encoding": "utf-8",
    })
}

fn resource(source: &Source, sources: &[Source], address: &str) -> Value {
    let dataset = source.dataset;
    json!({
        "name": dataset.name,
        "path": format!("{}.csv", dataset.name),
        "type": "table",
        "title": dataset.title.en,
        "title_id": dataset.title.id,
        "description": dataset.about.en,
        "description_id": dataset.about.id,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "sources": [{ "title": dataset.title.en, "path": format!("{address}{}", dataset.csv_path()) }],
        "dialect": { "delimiter": ",", "lineTerminator": "\r\n", "quoteChar": "\"", "doubleQuote": true, "header": true },
        "schema": schema(source, sources),
    })
}

fn schema(source: &Source, sources: &[Source]) -> Value {
    let fields = source.table.columns.iter().map(|column| field(source, column)).collect::<Vec<_>>();
    let mut schema = json!({ "fields": fields, "missingValues": [""] });
    if !source.dataset.key.is_empty() {
        schema["primaryKey"] = json!(source.dataset.key);
    }
    let references = source.table.columns.iter().filter_map(|column| reference(source, column, sources)).collect::<Vec<_>>();
    if !references.is_empty() {
        schema["foreignKeys"] = Value::Array(references);
    }
    schema
}

/// Where a column refers to the key of another data set, or of its own.
fn reference(source: &Source, column: &TableColumn, sources: &[Source]) -> Option<Value> {
    let name = &column.column.name;
    if type_of(column) == "list" || source.dataset.key == [name.as_str()] && source.kind.is_some() {
        return None;
    }
    let kind = refers_to(column)?;
    let to = sources.iter().find(|other| other.kind == Some(kind))?;
    let resource = if to.dataset.name == source.dataset.name { "" } else { to.dataset.name };
    Some(json!({ "fields": [name], "reference": { "resource": resource, "fields": to.dataset.key } }))
}

/// The kind that a column refers to: by what its member says, or by its name.
fn refers_to(column: &TableColumn) -> Option<&'static Kind> {
    let said = column.member["x-refers-to"].as_str().and_then(|name| name.strip_prefix("Public"));
    let is_it = |kind: &&&'static Kind| match said {
        Some(name) => kind.names.schema == name,
        None => kind.names.one == column.column.name,
    };
    crate::kinds::KINDS.iter().find(is_it).copied()
}

fn field(source: &Source, column: &TableColumn) -> Value {
    let (name, schema) = (&column.column.name, &column.schema);
    let labels::Labels { title, description } = labels::of(column);
    let mut field = json!({
        "name": name, "type": type_of(column), "title": title[0], "title_id": title[1],
        "description": description[0], "description_id": description[1],
    });
    if field["type"] == "list" {
        field["delimiter"] = json!(";");
        field["itemType"] = json!("string");
    }
    if let Some(unit) = unit(column) {
        field["unit"] = json!(unit);
    }
    let mut constraints = Map::new();
    let is_only_key = source.dataset.key == [name.as_str()];
    // Of a list without entries the cell is empty.
    if (column.is_required && type_of(column) != "list") || source.dataset.key.contains(&name.as_str()) {
        constraints.insert("required".into(), json!(true));
    }
    if is_only_key {
        constraints.insert("unique".into(), json!(true));
    }
    let words = schema["enum"].as_array().map(|words| words.iter().filter(|word| !word.is_null()).cloned().collect::<Vec<_>>());
    if let Some(words) = words.filter(|words| !words.is_empty() && field["type"] == "string") {
        constraints.insert("enum".into(), Value::Array(words));
    }
    for bound in ["minimum", "maximum"] {
        if let Some(value) = schema[bound].as_i64().filter(|_| field["type"] == "integer") {
            constraints.insert(bound.into(), json!(value));
        }
    }
    if !constraints.is_empty() {
        field["constraints"] = Value::Object(constraints);
    }
    field
}

fn type_of(column: &TableColumn) -> &'static str {
    let (schema, format) = (&column.schema, column.schema["format"].as_str().unwrap_or_default());
    match (column.column.cells, format) {
        (Cells::Decimal, _) => "number",
        (Cells::Integer, _) => "integer",
        (Cells::Flag, _) => "boolean",
        (Cells::List | Cells::Words, _) => "list",
        (Cells::Word, "date") => "date",
        (Cells::Word, "date-time") => "datetime",
        (Cells::Json, _) if is_array(schema) => "array",
        (Cells::Json, _) => "object",
        _ => "string",
    }
}

fn is_array(schema: &Value) -> bool {
    schema["type"] == "array" || schema["type"].as_array().is_some_and(|types| types.contains(&json!("array")))
}

/// The unit of a column, where all its values have the same.
fn unit(column: &TableColumn) -> Option<&'static str> {
    let is = |name: &str| column.schema[NAME].as_str().is_some_and(|own| own.ends_with(name));
    match column.column.name.as_str() {
        "budget" => Some("IDR"),
        "respondents" => Some("respondents"),
        _ if is("/Percent") => Some("percent"),
        _ => None,
    }
}
