//! The description of the operations of a kind, from what is known of it.

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use super::parameters::{list_parameters, words};
use super::recorded;
use super::references::expandable;
use super::schemas;
use super::writes::Described;
use crate::auth::permissions::{Permission, ReadAll};
use crate::http::operation::{Allowed, Operation};
use crate::http::schema::reference;
use crate::store::kind::{Field, Key, Scope};

/// Describes the operations of a kind.
pub struct Describe {
    described: Described,
    /// Who may write it.
    writers: Allowed,
    one: String,
    many: String,
    /// As shown, with examples: made once for all operations.
    shown: Map<String, Value>,
    example: Value,
}

/// The media type of `PATCH` in the document. The service takes `application/json` as the same; a second one here would make generators
/// offer two ways to send one thing.
pub const PATCHES: &[&str] = &["application/merge-patch+json"];

/// Where the public reads what is at a path.
pub fn public_path(path: &str) -> String {
    path.replace("/v1/", "/v1/public/")
}

impl Describe {
    /// Describes the operations of a kind that these roles may write.
    pub fn new(described: Described, writers: Allowed) -> Self {
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
        let (kind, names) = (self.described.kind, &self.described.kind.names);
        let operation =
            self.operation(Method::GET, &self.many, "list", &format!("List {}", names.plural), &self.about_list(names.about));
        let operation = self.listed(operation, &kind.fields());
        if self.is_part() { operation.problems(&[404]) } else { operation }
    }

    /// The list of the parts of all wholes.
    pub fn list_across(&self) -> Operation {
        let (kind, names) = (self.described.kind, &self.described.kind.names);
        let (id, summary) = (format!("list_all_{}", names.snake()), format!("List all {}", names.plural));
        let about = self.about_list(&self.about_across());
        self.listed(Operation::get(&kind.path_across(), &id, self.tag(), &summary, &about), &kind.fields_across())
    }

    fn about_list(&self, about: &str) -> String {
        format!("{about}\n\nA page at a time, in a stable order: a row written meanwhile never repeats or skips another.")
    }

    fn about_across(&self) -> String {
        let names = &self.described.kind.names;
        let whole = self.described.kind.parent.map(|parent| parent.kind.names.plural).unwrap_or_default();
        format!("The {} of all {whole}.", names.plural)
    }

    /// A list with its parameters and its page.
    fn listed(&self, operation: Operation, fields: &[Field]) -> Operation {
        let kind = self.described.kind;
        let operation = list_parameters(operation.roles(&ReadAll::role_names()), fields, kind.default_sort, true);
        let page = json!({ "data": [self.example], "page": { "next_cursor": null, "limit": 50 } });
        let name = self.described.page_name();
        let operation = self.as_of(self.shaped(operation, Scope::All));
        operation.with_schemas(Map::from_iter([(name.clone(), schemas::page(reference(&self.described.name)))])).answers_schema(
            200,
            &format!("A page of {}.", kind.names.plural),
            reference(&name),
            Some(page),
            &["Link"],
        )
    }

    /// Adds `as_of`, if lists can be asked for past days.
    fn as_of(&self, operation: Operation) -> Operation {
        if self.described.kind.whole.is_none_or(|whole| !whole.has_past()) {
            return operation;
        }
        operation.query(
            "as_of",
            json!({ "type": "string", "format": "date", "maxLength": 10, "example": "2022-10-04" }),
            "Lists what existed at the end of that day, as it was then, and computes what is computed as of then. The day is not \
             after today; every day before the first of which anything is recorded is answered like the day before that one. What \
             is expanded is shown as it is now.",
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
        let about = format!("The {} as it is now, whole unless `fields` picks some of its members.", names.spoken);
        let whole = reference(&self.described.name);
        self.shaped(operation, Scope::All).answers_schema(200, &about, whole, Some(self.example.clone()), &["ETag"])
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
        recorded::describe_history(operation.roles(&ReadAll::role_names()), &self.described.kind.audited)
    }

    /// The list that the public sees, with these fields.
    pub fn public_list(&self, fields: &[Field]) -> Operation {
        let names = &self.described.kind.names;
        let (id, summary) = (format!("list_public_{}", names.snake()), format!("List {} (public)", names.plural));
        self.public_listed(&self.many, &id, &summary, names.about, fields).problems(if self.is_part() { &[404] } else { &[] })
    }

    /// The list of the parts of all wholes that the public sees.
    pub fn public_list_across(&self, fields: &[Field]) -> Operation {
        let (kind, names) = (self.described.kind, &self.described.kind.names);
        let (id, summary) = (format!("list_all_public_{}", names.snake()), format!("List all {} (public)", names.plural));
        self.public_listed(&kind.path_across(), &id, &summary, &self.about_across(), fields)
    }

    fn public_listed(&self, path: &str, id: &str, summary: &str, about: &str, fields: &[Field]) -> Operation {
        let (kind, name) = (self.described.kind, self.described.public_name());
        let about = format!(
            "{about} Only what is published and hangs on nothing that is hidden. A reference to something hidden is null, and nothing is \
             found by it. No login.",
        );
        let listing = Operation::get(&public_path(path), id, "public", summary, &about);
        let page_name = format!("{name}Page");
        let example = json!({ "data": [self.described.public_example()], "page": { "next_cursor": null, "limit": 50 } });
        let listing = list_parameters(listing.public(), fields, kind.default_sort, true);
        self.as_of(self.shaped(listing, Scope::Published))
            .conditional()
            .with_schemas(Map::from_iter([(page_name.clone(), schemas::page(reference(&name)))]))
            .answers_schema(
                200,
                &format!("A page of {}.", kind.names.plural),
                reference(&page_name),
                Some(example),
                &["ETag", "Link"],
            )
    }

    /// One, as the public sees it.
    pub fn public_get(&self) -> Operation {
        let (names, name) = (&self.described.kind.names, self.described.public_name());
        let one = Operation::get(
            &public_path(&self.one),
            &format!("get_public_{}", names.one),
            "public",
            &format!("Get {} (public)", names.a()),
            "What the public sees of it: 404 where it, or what it hangs on, is not published.",
        );
        self.shaped(one.public(), Scope::Published).conditional().problems(&[404]).answers_schema(
            200,
            &format!("The {} as the public sees it.", names.spoken),
            reference(&name),
            Some(self.described.public_example()),
            &["ETag"],
        )
    }

    /// Adds `fields` and `expand`.
    fn shaped(&self, operation: Operation, scope: Scope) -> Operation {
        let kind = self.described.kind;
        let names = kind.members_in(scope).iter().map(|member| member.name).collect::<Vec<_>>();
        let schemas = if scope == Scope::All { self.shown.clone() } else { self.described.public() };
        let operation = operation.with_schemas(schemas).query(
            "fields",
            words(&names),
            "Only these members of the answer, and no others: the parameter repeated, or a comma-separated list.",
        );
        let references = expandable(kind, scope).map(|(member, _)| member.name).collect::<Vec<_>>();
        if references.is_empty() {
            return operation;
        }
        operation.query(
            "expand",
            words(&references),
            match scope {
                Scope::All => {
                    "Puts the resources to which these members refer in the place of their codes: the parameter repeated, or a \
                     comma-separated list."
                }
                Scope::Published => {
                    "Puts what the public sees of the resources to which these members refer in the place of their codes: the parameter \
                     repeated, or a comma-separated list. What is hidden stays null."
                }
            },
        )
    }

    fn answers(&self, operation: Operation, status: u16, description: &str, headers: &[&str]) -> Operation {
        let reference = reference(&self.described.name);
        let example = if status == 201 { self.described.created_example() } else { self.example.clone() };
        operation.with_schemas(self.shown.clone()).answers_schema(status, description, reference, Some(example), headers)
    }
}
