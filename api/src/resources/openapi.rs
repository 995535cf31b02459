//! The description of the seven operations of a resource, from what the resource tells about itself.

use std::marker::PhantomData;

use actix_web::http::Method;
use entity::value::code::Code;
use serde_json::{Map, Value, json};

use super::crud::fields;
use super::history::Entry;
use super::resource::{Key, Resource, show_example};
use super::schemas::{self, SchemaNames};
use crate::auth::permissions::{Permission, ReadAll};
use crate::http::operation::Operation;
use crate::http::query::LONGEST_LIST;
use crate::http::schema::ANY_TEXT;
use crate::store::listing::{Field, Kind};

/// Describes the operations of `R`.
pub struct Describe<R> {
    one: String,
    many: String,
    names: SchemaNames,
    resource: PhantomData<R>,
}

/// The media types that `PATCH` takes.
pub const PATCHES: &[&str] = &["application/merge-patch+json", "application/json"];

impl<R: Resource> Describe<R> {
    /// Describes the operations of `R`.
    pub fn resource() -> Self {
        Self { one: R::path_of_one(), many: R::path(), names: schemas::names::<R>(), resource: PhantomData }
    }

    fn operation(&self, method: Method, path: &str, verb: &str, summary: &str, description: &str) -> Operation {
        let id = if path == self.many && method == Method::GET { R::NAMES.snake() } else { R::NAMES.one.to_owned() };
        Operation::new(method, path, &format!("{verb}_{id}"), tag::<R>(), summary, description)
    }

    /// The list.
    pub fn list(&self) -> Operation {
        let about = R::NAMES.about;
        let description =
            format!("{about}\n\nA page at a time, in a stable order: a row written meanwhile never repeats or skips another.");
        let operation = self
            .operation(Method::GET, &self.many, "list", &format!("List {}", R::NAMES.plural), &description)
            .roles(&ReadAll::role_names());
        let operation = list_parameters(operation, &fields::<R>(), R::DEFAULT_SORT, true);
        let operation = if R::PARENT.is_some() { operation.problems(&[404]) } else { operation };
        let page = json!({ "data": [show_example::<R>()], "page": { "next_cursor": null, "limit": 50 } });
        self.shaped(operation)
            .with_schemas(Map::from_iter([(self.names.page.clone(), schemas::page(self.either()))]))
            .answers_schema(
                200,
                "One page.",
                json!({ "$ref": format!("#/components/schemas/{}", self.names.page) }),
                Some(page),
                &["Link"],
            )
    }

    /// The creation.
    pub fn create(&self) -> Operation {
        let description = match R::KEY {
            Key::Code => "The `code` in the body becomes the identifier; a taken one is a 409.",
            Key::Id => "The service gives it an `id`. Send an `Idempotency-Key`, so that a retry does not make a second one.",
        };
        let operation = self
            .operation(Method::POST, &self.many, "create", &format!("Create {}", R::NAMES.a()), description)
            .roles(&R::Write::role_names())
            .body(&self.names.new, schemas::new::<R>(), schemas::given::<R>(), &["application/json"])
            .retryable();
        let operation = if R::PARENT.is_some() { operation.problems(&[404]) } else { operation };
        self.answers(operation, 201, "Created.", &["ETag", "Location", "Idempotent-Replayed"])
    }

    /// One.
    pub fn get(&self) -> Operation {
        let operation = self
            .operation(
                Method::GET,
                &self.one,
                "get",
                &format!("Get {}", R::NAMES.a()),
                "`If-Match` takes the `ETag`, whatever `expand` and `fields` show. A part of it behind a dot tells representations of one version apart.",
            )
            .roles(&ReadAll::role_names())
            .conditional()
            .problems(&[404]);
        self.shaped(operation).answers_schema(200, "It.", self.either(), Some(show_example::<R>()), &["ETag"])
    }

    /// The replacement.
    pub fn replace(&self) -> Operation {
        let (summary, description) = match R::KEY {
            Key::Code => (
                format!("Create or replace {}", R::NAMES.a()),
                "Creates it under the code in the path (201) or replaces it whole (200): the natural call for a system that owns the code. \
                 Members that only the service writes may be sent back as they were read. `If-None-Match: *` only creates.",
            ),
            Key::Id => (
                format!("Replace {}", R::NAMES.a()),
                "Replaces it whole. Members that only the service writes may be sent back as they were read.",
            ),
        };
        let operation = self
            .operation(Method::PUT, &self.one, "replace", &summary, description)
            .roles(&R::Write::role_names())
            .guarded()
            .body(&self.names.replacement, schemas::replacement::<R>(), schemas::given::<R>(), &["application/json"])
            .retryable();
        let operation = match R::KEY {
            Key::Code => self.answers(operation, 201, "Created.", &["ETag", "Location", "Idempotent-Replayed"]),
            Key::Id => operation.problems(&[404]),
        };
        self.answers(operation, 200, "Replaced.", &["ETag", "Idempotent-Replayed"])
    }

    /// The merge patch.
    pub fn update(&self) -> Operation {
        let description = "A merge patch (RFC 7396): what the body names is changed, null removes, lists are replaced whole.";
        let example = R::example().as_object().map(|members| {
            let picked = members.iter().filter(|(name, _)| matches!(name.as_str(), "name" | "title"));
            Value::Object(picked.map(|(name, value)| (name.clone(), value.clone())).collect())
        });
        let operation = self
            .operation(Method::PATCH, &self.one, "update", &format!("Change {}", R::NAMES.a()), description)
            .roles(&R::Write::role_names())
            .guarded()
            .body(&self.names.patch, schemas::patch::<R>(), example.unwrap_or_default(), PATCHES)
            .problems(&[404, 409]);
        self.answers(operation, 200, "Changed.", &["ETag"])
    }

    /// The deletion.
    pub fn delete(&self) -> Operation {
        let description = "Refused with 409 while anything refers to it; `referenced_by` lists what does. Its history stays.";
        self.operation(Method::DELETE, &self.one, "delete", &format!("Delete {}", R::NAMES.a()), description)
            .roles(&R::Write::role_names())
            .guarded()
            .problems(&[404, 409])
            .answers_nothing(204, "Deleted.")
    }

    /// The history.
    pub fn history(&self) -> Operation {
        let path = format!("{}/history", self.one);
        let operation = Operation::get(
            &path,
            &format!("list_{}_history", R::NAMES.one),
            tag::<R>(),
            &format!("History of {}", R::NAMES.a()),
            "Who changed what, when and from where, with what was before and after; the oldest first. It outlives a deletion.",
        );
        Entry::describe_list(operation.roles(&ReadAll::role_names()))
    }

    /// Adds `fields` and `expand`.
    fn shaped(&self, operation: Operation) -> Operation {
        let schemas = schemas::shown::<R>();
        let members = &schemas[&self.names.shown]["properties"];
        let names = members.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        let operation =
            operation.with_schemas(schemas).query("fields", words(&names), "Only these members, as a comma-separated list.");
        if R::REFERENCES.is_empty() {
            return operation;
        }
        let references = R::REFERENCES.iter().map(|reference| reference.member.to_owned()).collect::<Vec<_>>();
        operation.query(
            "expand",
            words(&references),
            "Puts what is referred to in the place of its code, as a comma-separated list.",
        )
    }

    fn either(&self) -> Value {
        json!({ "anyOf": [
            { "$ref": format!("#/components/schemas/{}", self.names.shown) },
            { "$ref": format!("#/components/schemas/{}", self.names.selection) },
        ] })
    }

    fn answers(&self, operation: Operation, status: u16, description: &str, headers: &[&str]) -> Operation {
        let reference = json!({ "$ref": format!("#/components/schemas/{}", self.names.shown) });
        operation.with_schemas(schemas::shown::<R>()).answers_schema(
            status,
            description,
            reference,
            Some(show_example::<R>()),
            headers,
        )
    }
}

/// The heading that its operations stand under: a part stands with its whole.
fn tag<R: Resource>() -> &'static str {
    R::PARENT.map_or(R::NAMES.many, |parent| parent.many)
}

/// A comma-separated list.
fn list_of(entry: Value) -> Value {
    json!({ "type": "array", "minItems": 1, "maxItems": LONGEST_LIST, "items": entry })
}

/// A comma-separated list of some of `names`.
fn words(names: &[impl AsRef<str>]) -> Value {
    list_of(json!({ "type": "string", "enum": names.iter().map(AsRef::as_ref).collect::<Vec<_>>() }))
}

/// Adds the parameters of a list: filters, search, sort, page.
pub fn list_parameters(operation: Operation, fields: &[Field], default_sort: &str, searchable: bool) -> Operation {
    let mut operation = fields.iter().fold(operation, filter_parameters);
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
        .query("sort", sort, "Names of fields; `-` before a name for descending. What is null comes last either way. Of a name given twice the first counts.")
        .query(
            "limit",
            json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": 200, "default": 50 }),
            "Rows on a page.",
        )
        .query(
            "cursor",
            json!({ "type": "string", "maxLength": 4096, "pattern": "^[A-Za-z0-9_-]+$" }),
            "`page.next_cursor` of the page before; filters and sort must be the same.",
        )
        .query(
            "count",
            json!({ "type": "boolean", "default": false }),
            "Adds `page.total`. Leave it out where the number does not matter: counting is the slow part.",
        )
}

/// Adds the parameters that filter by one field.
pub fn filter_parameters(operation: Operation, field: &Field) -> Operation {
    let one = match field.kind {
        Kind::Text => json!({ "type": "string", "maxLength": 1000, "pattern": ANY_TEXT }),
        Kind::Code | Kind::Id => json!({ "type": "string", "minLength": 1, "maxLength": 64, "pattern": Code::PATTERN }),
        Kind::Choice(choices) => json!({ "type": "string", "enum": choices }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Integer => json!({ "type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX }),
        Kind::Decimal => {
            json!({ "type": "string", "format": "decimal", "maxLength": 29, "pattern": entity::value::decimal::PATTERN })
        }
        Kind::Date => json!({ "type": "string", "format": "date", "maxLength": 10 }),
        Kind::Instant => json!({ "type": "string", "format": "date-time", "maxLength": 35 }),
    };
    let name = field.name;
    if !field.kind.takes_several() {
        return operation.query(name, one, &format!("Only where `{name}` is this."));
    }
    let any = list_of(one.clone());
    let mut operation = operation.query(
        name,
        any,
        &format!("Only where `{name}` is this, or any of a list: with commas, or the parameter repeated."),
    );
    if field.kind.has_range() {
        operation = operation
            .query(&format!("{name}[gte]"), one.clone(), &format!("Only where `{name}` is this or more."))
            .query(&format!("{name}[lte]"), one, &format!("Only where `{name}` is this or less."));
    }
    operation
}
