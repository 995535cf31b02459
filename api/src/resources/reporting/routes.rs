//! The operations on the reports about a KPI or an action.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{EntityTrait, QueryFilter};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::flow::{delete, etag, latest, missing, place_in, shown, waiting};
use super::put::put;
use super::{Report, review};
use crate::auth::permissions::{Permission, ReadAll};
use crate::crud::parameters::{filter_parameters, page_parameters};
use crate::crud::schemas;
use crate::crud::{history, recorded};
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{NoParameters, Parameters};
use crate::http::schema;
use crate::http::table::Table;
use crate::store::access::Access;
use crate::store::kind::{Field, ValueType};
use crate::store::listing::Listing;
use crate::store::retry::Retry;
use crate::store::transaction::WriteTransaction;

const STATES: &[&str] = &["draft", "submitted", "verified", "returned"];
const FIELDS: &[Field] = &[Field::filter("state", ValueType::Choice(STATES))];

async fn list<R: Report>(
    access: Access<ReadAll>,
    request: HttpRequest,
    of: Path<String>,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let name = format!("{}s of {of}", R::KIND.name());
    let listing = Listing::read(&mut parameters, &name, FIELDS, R::ORDER.name, R::ORDER, false);
    parameters.finish()?;
    let db = access.store.db();
    let rows = R::Table::find().filter(Expr::col(R::WORDS.of).eq(of.as_str())).filter(Expr::col("latest").eq(true));
    let page = listing.page(db, rows, |row| Ok(shown(row))).await?;
    if page.data.is_empty() && R::Of::find_by_id(of.clone()).one(db).await?.is_none() {
        return Err(ApiError::not_found(R::OF, &of));
    }
    page.answer(request.path(), request.query_string())
}

async fn get<R: Report>(
    access: Access<ReadAll>,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let place = place_in(path);
    let row = latest::<R>(access.store.db(), &place).await?.ok_or_else(|| missing::<R>(&place))?;
    Ok(Answer::ok(&shown(&row))?.etag(&etag(&row)).unless_known(&preconditions))
}

async fn delete_one<R: Report>(
    access: Access<R::May>,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let place = place_in(path);
    access
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = waiting::<R>(transaction, &place).await?;
            preconditions.must_match(&etag(&row))?;
            delete(transaction, row).await?;
            Ok(Answer::nothing())
        })
        .await
}

async fn history<R: Report>(
    access: Access<ReadAll>,
    request: HttpRequest,
    path: Path<(String, String)>,
    parameters: Parameters,
) -> ApiResult<Answer> {
    let key = place_in(path).to_string();
    history::answer(&access, &request, parameters, R::AUDITED, &key).await
}

/// Adds the routes for reports of kind `R` and for their review.
pub fn mount<R: Report>(table: &mut Table) {
    let one = path_of_one::<R>();
    table
        .lazily(Method::GET, R::WORDS.path, describe_list::<R>, list::<R>)
        .lazily(Method::GET, &one, describe_get::<R>, get::<R>)
        .lazily(Method::PUT, &one, describe_put::<R>, put::<R>)
        .lazily(Method::DELETE, &one, describe_delete::<R>, delete_one::<R>)
        .lazily(Method::GET, &format!("{one}/history"), describe_history::<R>, history::<R>);
    review::mount::<R>(table);
}

fn path_of_one<R: Report>() -> String {
    format!("{}/{{{}}}", R::WORDS.path, R::WORDS.part)
}

/// The operation on the report that a path names.
fn describe<R: Report>(method: Method, path: &str, id: &str, summary: &str, about: &str) -> Operation {
    let (schema, about_part) = (R::WORDS.part_parameter)();
    Operation::new(method, path, id, R::WORDS.tag, summary, about).path_parameter(R::WORDS.part, schema, about_part)
}

fn describe_get<R: Report>() -> Operation {
    let (id, summary) = (format!("get_{}", R::KIND.name()), format!("Get {} for one {}", R::WORDS.a, R::WORDS.part));
    let about = "The latest revision of the report.";
    let get = describe::<R>(Method::GET, &path_of_one::<R>(), &id, &summary, about).roles(&ReadAll::role_names());
    get.conditional().problems(&[404]).answers::<R::Shown>(200, about, Some(R::example()), &["ETag"])
}

fn describe_put<R: Report>() -> Operation {
    let about = format!(
        "Creates (201) or changes (200) {}, as a `draft`, which counts once it was submitted and somebody else has verified it. \
         A verified report is never overwritten: writing it again adds a `revision`, which needs a `reason`, and the verified \
         revision stays in force until the new one is verified. A {} that has not begun, by the regency's calendar, accepts no \
         report (`period_not_begun`).{}",
        R::WORDS.about,
        R::WORDS.part,
        R::WORDS.more,
    );
    let id = format!("put_{}", R::KIND.name());
    describe::<R>(Method::PUT, &path_of_one::<R>(), &id, R::WORDS.put, &about)
        .roles(&R::May::role_names())
        .guarded()
        .takes::<R::Input>(R::input_example())
        .retryable()
        .problems(&[404])
        .answers::<R::Shown>(
            201,
            "The new report, as a draft.",
            Some(drafted::<R>()),
            &["ETag", "Location", "Idempotent-Replayed"],
        )
        .answers::<R::Shown>(200, "The report after the change.", Some(R::example()), &["ETag", "Idempotent-Replayed"])
}

fn describe_delete<R: Report>() -> Operation {
    let (id, summary) = (format!("delete_{}", R::KIND.name()), format!("Delete the draft of {}", R::WORDS.a));
    let about = "Deletes a draft. Any other report cannot be deleted (409).";
    let delete = describe::<R>(Method::DELETE, &path_of_one::<R>(), &id, &summary, about).roles(&R::May::role_names());
    delete.guarded().problems(&[404, 409]).answers_nothing(204, "The draft was deleted.")
}

fn describe_history<R: Report>() -> Operation {
    let path = format!("{}/history", path_of_one::<R>());
    let (id, summary) = (format!("list_{}_history", R::KIND.name()), format!("History of {}", R::WORDS.a));
    let about = "Who wrote, submitted, returned or verified the report and when, the oldest change first.";
    let history = describe::<R>(Method::GET, &path, &id, &summary, about).roles(&ReadAll::role_names());
    recorded::describe_history(history, R::AUDITED)
}

/// The example as the answer to its creation shows it.
fn drafted<R: Report>() -> Value {
    let mut shown = R::example();
    let steps = [
        "known_on",
        "handed_in_on",
        "reason",
        "submitted_by",
        "submitted_at",
        "return_reason",
        "returned_by",
        "verified_by",
        "verified_at",
    ];
    for name in steps {
        if let Some(member) = shown.get_mut(name) {
            *member = Value::Null;
        }
    }
    for (name, value) in R::input_example().as_object().into_iter().flatten() {
        shown[name] = value.clone();
    }
    shown["state"] = json!("draft");
    shown
}

fn describe_list<R: Report>() -> Operation {
    let (part, schema) = (R::WORDS.part, R::Shown::name());
    let list = Operation::get(
        R::WORDS.path,
        &format!("list_{}s", R::KIND.name()),
        R::WORDS.tag,
        &format!("{}s of {}", R::WORDS.title, R::WORDS.of_a),
        &format!("The latest revision for each {part}, in the order of the {part}s."),
    );
    let page = schemas::page(json!({ "$ref": format!("#/components/schemas/{schema}") }));
    let page = Map::<String, Value>::from_iter([(format!("{schema}Page"), page)]);
    let filtered = FIELDS.iter().fold(list.roles(&ReadAll::role_names()), filter_parameters);
    page_parameters(filtered, &[R::ORDER.name], R::ORDER.name)
        .problems(&[404])
        .with_schemas(schema::components::<R::Shown>())
        .with_schemas(page)
        .answers_schema(
            200,
            "One page of the reports.",
            json!({ "$ref": format!("#/components/schemas/{schema}Page") }),
            None,
            &["Link"],
        )
}
