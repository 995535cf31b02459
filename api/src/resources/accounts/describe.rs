//! The descriptions of the operations on accounts.

use actix_web::http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{Account, Rotation, Secret};
use crate::auth::permissions::Permission;
use crate::crud::openapi::PATCHES;
use crate::crud::parameters::{filter_parameters, page_parameters};
use crate::crud::recorded;
use crate::crud::schemas;
use crate::http::operation::Operation;
use crate::http::schema;
use crate::store::kind::ETAG;

/// An operation for those who manage the accounts.
pub fn operation<A: Account>(method: Method, path: &str, id: &str, summary: &str, about: &str) -> Operation {
    Operation::new(method, path, id, A::TAG, summary, about).roles(&A::Manage::role_names())
}

fn of_one<A: Account>(method: Method, verb: &str, summary: &str, about: &str) -> Operation {
    operation::<A>(method, A::ONE, &format!("{verb}_{}", A::NAMES.one), summary, about).problems(&[404])
}

/// The schemas of an account as answers show it, with its entity tag.
pub fn components<A: Account>() -> Map<String, Value> {
    let mut components = schema::components::<A>();
    if let Some(own) = components.get_mut(A::name().as_ref()) {
        own["properties"][ETAG.name] = schemas::etag_schema();
        if let Some(required) = own["required"].as_array_mut() {
            required.push(json!(ETAG.name));
        }
    }
    components
}

/// Adds an answer that shows an account.
fn answers<A: Account>(operation: Operation, status: u16, about: &str, example: Value, headers: &[&str]) -> Operation {
    let shown = json!({ "$ref": format!("#/components/schemas/{}", A::name()) });
    operation.with_schemas(components::<A>()).answers_schema(status, about, shown, Some(tagged(example)), headers)
}

/// An example with its entity tag.
pub fn tagged(mut example: Value) -> Value {
    example[ETAG.name] = json!("\"1-5ea2bd2b24c80\"");
    example
}

/// Describes the list.
pub fn list<A: Account>() -> Operation {
    let (name, path) = (A::name(), A::path());
    let page = schemas::page(json!({ "$ref": format!("#/components/schemas/{name}") }));
    let summary = format!("List {}", A::NAMES.plural);
    let list = operation::<A>(Method::GET, &path, &format!("list_{}", A::NAMES.many), &summary, A::ABOUT_ALL);
    let q = json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\u0000]*[^\\u0000\\s][^\\u0000]*$" });
    let list = A::FIELDS.iter().fold(list, filter_parameters).query("q", q, &format!("Searches {}.", A::SEARCHES));
    let others = A::FIELDS.iter().filter(|field| field.sortable).map(|field| field.name);
    let sortable = [A::SORT.name].into_iter().chain(others).collect::<Vec<_>>();
    page_parameters(list, &sortable, A::SORT.name)
        .with_schemas(components::<A>())
        .with_schemas(Map::<String, Value>::from_iter([(format!("{name}Page"), page)]))
        .answers_schema(
            200,
            "One page of the list.",
            json!({ "$ref": format!("#/components/schemas/{name}Page") }),
            Some(json!({ "data": [tagged(A::example())], "page": { "next_cursor": null, "limit": 50 } })),
            &["Link"],
        )
}

/// Describes the creation from a `New`, such as `example`; `shown` is the answer.
pub fn create<A: Account, New: DeserializeOwned + ToSchema>(about: &str, example: Value, shown: Value) -> Operation {
    let (id, summary) = (format!("create_{}", A::NAMES.one), format!("Create {}", A::NAMES.a()));
    let operation = operation::<A>(Method::POST, &A::path(), &id, &summary, about).takes::<New>(example).retryable();
    let about = format!("The {} that was created.", A::NAMES.spoken);
    answers::<A>(operation, 201, &about, shown, &["ETag", "Location", "Idempotent-Replayed"])
}

/// Describes the reading of one account.
pub fn get<A: Account>() -> Operation {
    let operation = of_one::<A>(Method::GET, "get", &format!("Get {}", A::NAMES.a()), A::NAMES.about).conditional();
    answers::<A>(operation, 200, &format!("The requested {}.", A::NAMES.spoken), A::example(), &["ETag"])
}

/// Describes the change by a `Patch`, such as `example`.
pub fn update<A: Account, Patch: ToSchema>(about: &str, example: Value) -> Operation {
    let operation = of_one::<A>(Method::PATCH, "update", &format!("Change {}", A::NAMES.a()), about).guarded().body(
        &Patch::name(),
        schema::input::<Patch>(),
        example,
        PATCHES,
    );
    answers::<A>(operation, 200, &format!("The {} after the change.", A::NAMES.spoken), A::example(), &["ETag"])
}

/// Describes the deletion.
pub fn delete<A: Account>(about: &str) -> Operation {
    of_one::<A>(Method::DELETE, "delete", &format!("Delete {}", A::NAMES.a()), about)
        .guarded()
        .answers_nothing(204, &format!("The {} was deleted.", A::NAMES.spoken))
}

/// Describes the replacement of a secret.
pub fn rotate<A: Secret>(path: &str, id: &str, about: &str) -> Operation {
    let operation = operation::<A>(Method::POST, path, id, &format!("Replace {}'s secret", A::NAMES.a()), about)
        .takes::<Rotation>(json!({ "grace_seconds": 86400 }))
        .retryable()
        .problems(&[404]);
    let about = format!("The {} with its new secret.", A::NAMES.spoken);
    answers::<A>(operation, 200, &about, example_with_secret::<A>(), &["ETag", "Idempotent-Replayed"])
}

/// The example of an account in the answer that shows its secret.
pub fn example_with_secret<A: Secret>() -> Value {
    let mut shown = A::example();
    shown[A::MEMBER] = json!(A::SECRET_EXAMPLE);
    shown
}

/// Describes the history.
pub fn history<A: Account>(about: &str) -> Operation {
    let (path, id) = (format!("{}/history", A::ONE), format!("list_{}_history", A::NAMES.one));
    let history = operation::<A>(Method::GET, &path, &id, &format!("History of {}", A::NAMES.a()), about);
    recorded::describe_history(history, A::AUDITED)
}
