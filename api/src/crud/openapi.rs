//! The description of the operations of a kind, from what is known of it.

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use super::history::Entry;
use super::parameters::{list_parameters, words};
use super::schemas;
use super::writes::Described;
use crate::auth::permissions::{Permission, ReadAll};
use crate::http::operation::Operation;
use crate::store::kind::{Field, Key};

/// Describes the operations of a kind.
pub struct Describe {
    described: Described,
    /// Who may write it.
    writers: Vec<String>,
    one: String,
    many: String,
    /// As shown, with examples: made once for all operations.
    shown: Map<String, Value>,
    example: Value,
}

/// The media types that `PATCH` takes.
pub const PATCHES: &[&str] = &["application/merge-patch+json", "application/json"];

impl Describe {
    /// Describes the operations of a kind that these roles may write.
    pub fn new(described: Described, writers: Vec<String>) -> Self {
        let (one, many) = (described.kind.path_of_one(), described.kind.path());
        let (shown, example) = (described.shown(), described.shown_example());
        Self { described, writers, one, many, shown, example }
    }

    fn operation(&self, method: Method, path: &str, verb: &str, summary: &str, description: &str) -> Operation {
        let names = &self.described.kind.names;
        let id = if path == self.many && method == Method::GET { names.snake() } else { names.one.to_owned() };
        Operation::new(method, path, &format!("{verb}_{id}"), self.tag(), summary, description)
    }

    /// The heading that its operations stand under: a part stands with its whole.
    fn tag(&self) -> &'static str {
        let kind = self.described.kind;
        kind.parent.map_or(kind.names.many, |parent| parent.kind.names.many)
    }

    fn is_part(&self) -> bool {
        self.described.kind.parent.is_some()
    }

    /// The list.
    pub fn list(&self) -> Operation {
        let kind = self.described.kind;
        let about = kind.names.about;
        let description =
            format!("{about}\n\nA page at a time, in a stable order: a row written meanwhile never repeats or skips another.");
        let operation = self
            .operation(Method::GET, &self.many, "list", &format!("List {}", kind.names.plural), &description)
            .roles(&ReadAll::role_names());
        let operation = list_parameters(operation, &kind.fields(), kind.default_sort, true);
        let operation = if self.is_part() { operation.problems(&[404]) } else { operation };
        let page = json!({ "data": [self.example], "page": { "next_cursor": null, "limit": 50 } });
        let name = self.described.page_name();
        self.shaped(operation).with_schemas(Map::from_iter([(name.clone(), schemas::page(self.either()))])).answers_schema(
            200,
            &format!("A page of {}.", kind.names.plural),
            reference(&name),
            Some(page),
            &["Link"],
        )
    }

    /// The creation.
    pub fn create(&self) -> Operation {
        let (described, names) = (&self.described, &self.described.kind.names);
        let description = match described.kind.key {
            Key::Code => "The `code` in the body becomes the identifier; if it is taken, the answer is 409.",
            Key::Id => "The service gives it an `id`. Send an `Idempotency-Key`, so that a retry does not create a second one.",
        };
        let operation = self
            .operation(Method::POST, &self.many, "create", &format!("Create {}", names.a()), description)
            .roles(&self.writers)
            .body(&described.new_name(), described.creation(), described.given(), &["application/json"])
            .retryable();
        let operation = if self.is_part() { operation.problems(&[404]) } else { operation };
        let about = format!("The {} that was created. `Location` is its path.", names.spoken);
        self.answers(operation, 201, &about, &["ETag", "Location", "Idempotent-Replayed"])
    }

    /// One.
    pub fn get(&self) -> Operation {
        let names = &self.described.kind.names;
        let operation = self
            .operation(
                Method::GET,
                &self.one,
                "get",
                &format!("Get {}", names.a()),
                "`If-Match` takes the `ETag` of this answer, whatever `expand` and `fields` show. The part of it behind a dot tells \
                 representations of one version apart.",
            )
            .roles(&ReadAll::role_names())
            .conditional()
            .problems(&[404]);
        let about = format!("The {}.", names.spoken);
        self.shaped(operation).answers_schema(200, &about, self.either(), Some(self.example.clone()), &["ETag"])
    }

    /// The replacement.
    pub fn replace(&self) -> Operation {
        let (described, names) = (&self.described, &self.described.kind.names);
        let (summary, description) = match described.kind.key {
            Key::Code => (
                format!("Create or replace {}", names.a()),
                "Creates it under the code in the path (201) or replaces it as a whole (200): the natural call for a system that owns the \
                 code. Members that only the service writes may be sent back as they were read. `If-None-Match: *` only creates.",
            ),
            Key::Id => (
                format!("Replace {}", names.a()),
                "Replaces it as a whole. Members that only the service writes may be sent back as they were read.",
            ),
        };
        let operation = self
            .operation(Method::PUT, &self.one, "replace", &summary, description)
            .roles(&self.writers)
            .guarded()
            .body(&described.replacement_name(), described.replacement(), described.given(), &["application/json"])
            .retryable();
        let created = format!("The {} that was created.", names.spoken);
        let operation = match described.kind.key {
            Key::Code => self.answers(operation, 201, &created, &["ETag", "Location", "Idempotent-Replayed"]),
            Key::Id => operation.problems(&[404]),
        };
        self.answers(operation, 200, &format!("The {} after the replacement.", names.spoken), &["ETag", "Idempotent-Replayed"])
    }

    /// The merge patch.
    pub fn update(&self) -> Operation {
        let (described, names) = (&self.described, &self.described.kind.names);
        let description = "A merge patch (RFC 7396): members that the body names are changed, `null` removes a member, and lists are replaced \
                           as a whole.";
        let example = described.example.as_object().map(|members| {
            let picked = members.iter().filter(|(name, _)| matches!(name.as_str(), "name" | "title"));
            Value::Object(picked.map(|(name, value)| (name.clone(), value.clone())).collect())
        });
        let operation = self
            .operation(Method::PATCH, &self.one, "update", &format!("Change {}", names.a()), description)
            .roles(&self.writers)
            .guarded()
            .body(&described.patch_name(), described.patch(), example.unwrap_or_default(), PATCHES)
            .problems(&[404, 409]);
        self.answers(operation, 200, &format!("The {} after the change.", names.spoken), &["ETag"])
    }

    /// The deletion.
    pub fn delete(&self) -> Operation {
        let names = &self.described.kind.names;
        let description = "Refused with 409 while anything refers to it; `referenced_by` lists what does. Its history stays.";
        self.operation(Method::DELETE, &self.one, "delete", &format!("Delete {}", names.a()), description)
            .roles(&self.writers)
            .guarded()
            .problems(&[404, 409])
            .answers_nothing(204, &format!("The {} was deleted.", names.spoken))
    }

    /// The history.
    pub fn history(&self) -> Operation {
        let (path, names) = (format!("{}/history", self.one), &self.described.kind.names);
        let operation = Operation::get(
            &path,
            &format!("list_{}_history", names.one),
            self.tag(),
            &format!("History of {}", names.a()),
            "Who changed what, when and from where, with the resource before and after; the oldest first. It outlives a deletion.",
        );
        Entry::describe_list(operation.roles(&ReadAll::role_names()), &self.described.kind.audited)
    }

    /// The list that the public sees, with these fields.
    pub fn public_list(&self, fields: &[Field]) -> Operation {
        let (kind, name) = (self.described.kind, self.described.public_name());
        let names = &kind.names;
        let about = format!(
            "{} Only what is published and hangs on nothing that is hidden. A reference to something hidden is null, and nothing is found \
             by it. No login.",
            names.about
        );
        let listing = Operation::get(
            &self.many.replace("/v1/", "/v1/public/"),
            &format!("list_public_{}", names.snake()),
            "public",
            &format!("List {} (public)", names.plural),
            &about,
        );
        let page_name = format!("{name}Page");
        let example = json!({ "data": [self.described.public_example()], "page": { "next_cursor": null, "limit": 50 } });
        list_parameters(listing.public(), fields, kind.default_sort, true)
            .problems(if self.is_part() { &[404] } else { &[] })
            .conditional()
            .with_schemas(self.described.public())
            .with_schemas(Map::from_iter([(page_name.clone(), schemas::page(reference(&name)))]))
            .answers_schema(200, &format!("A page of {}.", names.plural), reference(&page_name), Some(example), &["ETag", "Link"])
    }

    /// One, as the public sees it.
    pub fn public_get(&self) -> Operation {
        let (names, name) = (&self.described.kind.names, self.described.public_name());
        let one = Operation::get(
            &self.one.replace("/v1/", "/v1/public/"),
            &format!("get_public_{}", names.one),
            "public",
            &format!("Get {} (public)", names.a()),
            "What the public sees of it: 404 where it, or what it hangs on, is not published.",
        );
        one.public().conditional().problems(&[404]).with_schemas(self.described.public()).answers_schema(
            200,
            &format!("The {}.", names.spoken),
            reference(&name),
            Some(self.described.public_example()),
            &["ETag"],
        )
    }

    /// Adds `fields` and `expand`.
    fn shaped(&self, operation: Operation) -> Operation {
        let kind = self.described.kind;
        let names = kind.members().iter().map(|member| member.name).collect::<Vec<_>>();
        let operation = operation.with_schemas(self.shown.clone()).query(
            "fields",
            words(&names),
            "Only these members, as a comma-separated list.",
        );
        let references = kind.references().map(|(member, _)| member.name).collect::<Vec<_>>();
        if references.is_empty() {
            return operation;
        }
        operation.query(
            "expand",
            words(&references),
            "Puts what is referred to in the place of its code, as a comma-separated list.",
        )
    }

    fn either(&self) -> Value {
        json!({ "anyOf": [reference(&self.described.name), reference(&self.described.selection_name())] })
    }

    fn answers(&self, operation: Operation, status: u16, description: &str, headers: &[&str]) -> Operation {
        let reference = reference(&self.described.name);
        operation.with_schemas(self.shown.clone()).answers_schema(
            status,
            description,
            reference,
            Some(self.example.clone()),
            headers,
        )
    }
}

/// A reference to a schema of the document.
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
