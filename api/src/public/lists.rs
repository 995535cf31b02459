//! `/v1/public/{resource}` and one of them.

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::NaiveDate;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Map, json};

use super::view::{self, Published};
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::page::Page;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{NoParameters, Parameters};
use crate::http::table::Table;
use crate::resources::crud::{key_field, rows_at};
use crate::resources::openapi::list_parameters;
use crate::resources::resource::column;
use crate::resources::schemas;
use crate::store::access::Public;
use crate::store::listing::{Field, Kind, Listing};
use crate::store::response_cache::ResponseCache;

/// The filters of members that are shown. What may be shown as null instead is no order.
fn fields<R: Published>() -> Vec<Field> {
    let may_be_hidden = |name: &str| view::may_be_hidden::<R>().any(|(reference, _)| reference.member == name);
    let shown = R::FIELDS.iter().filter(|field| R::MEMBERS.contains(&field.name));
    let shown = shown.map(|field| Field { sortable: field.sortable && !may_be_hidden(field.name), ..*field });
    shown.chain([key_field::<R>(), Field::sort("updated_at", Kind::Instant)]).collect()
}

async fn list<R: Published>(
    public: Public,
    request: HttpRequest,
    kept: Data<ResponseCache>,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let (path, query) = (request.path(), request.query_string());
    let name = path.trim_start_matches("/v1/");
    let listing = Listing::read(&mut parameters, name, &fields::<R>(), R::DEFAULT_SORT, key_field::<R>(), true);
    let listing = listing.only(R::THING.visible());
    parameters.finish()?;
    let listing = by_what_is_shown::<R>(listing, query)?;
    let today = public.store.calendar().today();
    let compute = async || {
        let db = public.store.db();
        let (rows, page) = listing.rows(db, rows_at::<R>(&request)?).await?;
        if rows.is_empty() {
            view::must_have_visible_parent::<R>(db, &request).await?;
        }
        let mut data = view::view_all::<R>(db, &rows, today).await?;
        view::hide_hidden::<R>(db, &mut data).await?;
        Page { data, ..page }.answer(path, query)
    };
    kept.answer(&public.store, format!("{path}?{query} {}", day::<R>(today)), &preconditions, compute).await.map(Answer::public)
}

/// Filters and `q=` work on what is shown: one by a thing that is hidden finds what one by a thing that is not there finds.
fn by_what_is_shown<R: Published>(mut listing: Listing, query: &str) -> ApiResult<Listing> {
    let mut given = Parameters::parse(query)?;
    for (reference, to) in view::may_be_hidden::<R>().filter(|(reference, _)| given.text(reference.member).is_some()) {
        let (from, member, name, is_public) = (R::THING.name(), reference.member, to.name(), to.is_public("named"));
        let is_shown = format!("EXISTS (SELECT 1 FROM {name} named WHERE named.code = {from}.{member} AND {is_public})");
        listing = listing.only(Expr::cust(is_shown));
    }
    let found = given.text("q").and_then(|text| R::found_in_shown(&text.trim().to_lowercase()));
    Ok(match found {
        Some(found) => listing.only(found),
        None => listing,
    })
}

async fn get<R: Published>(
    public: Public,
    request: HttpRequest,
    _: NoParameters,
    kept: Data<ResponseCache>,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let today = public.store.calendar().today();
    let key = request.match_info().get(R::KEY.name()).unwrap_or_default();
    let compute = async || {
        let db = public.store.db();
        let rows = rows_at::<R>(&request)?.filter(column::<R>(R::KEY.name())?.eq(key)).filter(R::THING.visible());
        let row = rows.one(db).await?.ok_or_else(|| ApiError::not_found(R::NAMES.one, key))?;
        let mut things = view::view_all::<R>(db, &[row], today).await?;
        view::hide_hidden::<R>(db, &mut things).await?;
        Answer::ok(&things[0])
    };
    kept.answer(&public.store, format!("{} {}", request.path(), day::<R>(today)), &preconditions, compute)
        .await
        .map(Answer::public)
}

/// What is computed may change with the day, without a write.
fn day<R: Published>(today: NaiveDate) -> String {
    if R::COMPUTED.is_empty() { String::new() } else { today.to_string() }
}

/// Mounts what the public sees of `R`.
pub fn mount<R: Published>(table: &mut Table) {
    let (list_path, name) = (R::path().replace("/v1/", "/v1/public/"), view::name::<R>());
    let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
    let page_name = format!("{name}Page");
    let example = view::example::<R>();
    let page_example = json!({ "data": [example], "page": { "next_cursor": null, "limit": 50 } });
    let about = format!(
        "{} What is published of them and hangs on nothing that is hidden; what they refer to and is hidden is null, and nothing is \
         found by it. No login.",
        R::NAMES.about
    );
    let listing = Operation::get(
        &list_path,
        &format!("list_public_{}", R::NAMES.snake()),
        "public",
        &format!("List {} (public)", R::NAMES.plural),
        &about,
    );
    let one = Operation::get(
        &R::path_of_one().replace("/v1/", "/v1/public/"),
        &format!("get_public_{}", R::NAMES.one),
        "public",
        &format!("Get {} (public)", R::NAMES.a()),
        "What the public sees of it: 404 where it, or what it hangs on, is not published.",
    );
    table
        .on(
            list_parameters(listing.public(), &fields::<R>(), R::DEFAULT_SORT, true)
                .problems(if R::PARENT.is_some() { &[404] } else { &[] })
                .conditional()
                .with_schemas(view::schemas::<R>())
                .with_schemas(Map::from_iter([(page_name.clone(), schemas::page(reference.clone()))]))
                .answers_schema(
                    200,
                    "One page.",
                    json!({ "$ref": format!("#/components/schemas/{page_name}") }),
                    Some(page_example),
                    &["ETag", "Link"],
                ),
            list::<R>,
        )
        .on(
            one.public().conditional().problems(&[404]).with_schemas(view::schemas::<R>()).answers_schema(
                200,
                "It.",
                reference,
                Some(example),
                &["ETag"],
            ),
            get::<R>,
        );
}
