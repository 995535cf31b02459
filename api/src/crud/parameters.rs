//! The description of the parameters of lists: filters, search, sort and page.

use entity::value::code::Code;
use serde_json::{Value, json};

use crate::http::operation::Operation;
use crate::http::query::LONGEST_LIST;
use crate::http::schema::ANY_TEXT;
use crate::store::kind::{Field, ValueType};

/// A comma-separated list.
fn list_of(entry: Value) -> Value {
    json!({ "type": "array", "minItems": 1, "maxItems": LONGEST_LIST, "items": entry })
}

/// A comma-separated list of some of `names`.
pub fn words(names: &[impl AsRef<str>]) -> Value {
    list_of(json!({ "type": "string", "enum": names.iter().map(AsRef::as_ref).collect::<Vec<_>>() }))
}

/// Adds the parameters of a list: filters, search, sort, page.
pub fn list_parameters(operation: Operation, fields: &[Field], default_sort: &str, searchable: bool) -> Operation {
    let filters = fields.iter().filter(|field| !field.is_computed);
    let mut operation = filters.fold(operation, filter_parameters);
    if searchable {
        let schema =
            json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\u0000]*[^\\u0000\\s][^\\u0000]*$" });
        operation = operation.query("q", schema, "Searches the code, names and descriptions, whatever the case.");
    }
    let names = fields.iter().filter(|field| field.sortable).map(|field| field.name).collect::<Vec<_>>();
    page_parameters(operation, &names, default_sort)
}

/// Adds `sort`, `limit`, `cursor` and `count`.
pub fn page_parameters(operation: Operation, sortable: &[&str], default_sort: &str) -> Operation {
    let mut sort = words(&sortable.iter().flat_map(|name| [(*name).to_owned(), format!("-{name}")]).collect::<Vec<_>>());
    sort["default"] = default_sort.split(',').collect();
    operation
        .query("sort", sort, "The names of the members to sort by, with `-` before a name for descending order. Null comes last in either order. If a name is given twice, the first one counts.")
        .query(
            "limit",
            json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": 200, "default": 50 }),
            "The greatest number of rows on a page.",
        )
        .query(
            "cursor",
            json!({ "type": "string", "maxLength": 4096, "pattern": "^[A-Za-z0-9_-]+$" }),
            "The `page.next_cursor` of the previous page; filters and order must be the same.",
        )
        .query(
            "count",
            json!({ "type": "boolean", "default": false }),
            "Adds the number of all rows as `page.total`. Leave it out if the number does not matter: counting is the slow part.",
        )
}

/// Adds the parameters that filter by one field.
pub fn filter_parameters(operation: Operation, field: &Field) -> Operation {
    let one = match field.value {
        ValueType::Text => json!({ "type": "string", "maxLength": 1000, "pattern": ANY_TEXT }),
        ValueType::Code | ValueType::Codes | ValueType::Json | ValueType::Id => {
            json!({ "type": "string", "minLength": 1, "maxLength": 64, "pattern": Code::PATTERN })
        }
        ValueType::Choice(choices) => json!({ "type": "string", "enum": choices }),
        ValueType::Flag => json!({ "type": "boolean" }),
        ValueType::Integer => json!({ "type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX }),
        ValueType::Decimal => {
            json!({ "type": "string", "format": "decimal", "maxLength": 29, "pattern": entity::value::decimal::PATTERN })
        }
        ValueType::Date => json!({ "type": "string", "format": "date", "maxLength": 10 }),
        ValueType::Instant => json!({ "type": "string", "format": "date-time", "maxLength": 35 }),
    };
    let name = field.name;
    if !field.value.takes_several() {
        return operation.query(name, one, &format!("Only where `{name}` is this."));
    }
    let any = list_of(one.clone());
    let mut operation = operation.query(
        name,
        any,
        &format!("Only where `{name}` is this, or any of a list: with commas, or the parameter repeated."),
    );
    if field.value.has_range() {
        operation = operation
            .query(&format!("{name}[gte]"), one.clone(), &format!("Only where `{name}` is this or more."))
            .query(&format!("{name}[lte]"), one, &format!("Only where `{name}` is this or less."));
    }
    operation
}
