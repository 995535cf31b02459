//! `/v1/public/{resource}` and one of them.

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::NaiveDate;
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
use crate::resources::describe::list_parameters;
use crate::resources::resource::column;
use crate::resources::wire;
use crate::store::access::Public;
use crate::store::kept::Kept;
use crate::store::listing::{Field, Kind, Listing};

/// The filters of members that are shown.
fn fields<R: Published>() -> Vec<Field> {
    let shown = R::FIELDS.iter().filter(|field| R::MEMBERS.contains(&field.name)).copied();
    shown.chain([key_field::<R>(), Field::sort("updated_at", Kind::Instant)]).collect()
}

async fn list<R: Published>(
    public: Public,
    request: HttpRequest,
    kept: Data<Kept>,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let (path, query) = (request.path(), request.query_string());
    let name = path.trim_start_matches("/v1/");
    let listing = Listing::read(&mut parameters, name, &fields::<R>(), R::DEFAULT_SORT, key_field::<R>(), true);
    let listing = listing.only(R::visible());
    parameters.finish()?;
    let today = public.store.calendar().today();
    let compute = async || {
        let db = public.store.db();
        let (rows, page) = listing.rows(db, rows_at::<R>(&request)?).await?;
        if rows.is_empty() {
            view::must_have_visible_parent::<R>(db, &request).await?;
        }
        let mut data = view::view_all::<R>(db, &rows, today).await?;
        view::hide_unpublished(db, &mut data).await?;
        Page { data, ..page }.answer(path, query)
    };
    kept.answer(&public.store, format!("{path}?{query} {}", day::<R>(today)), &preconditions, compute).await.map(Answer::public)
}

async fn get<R: Published>(
    public: Public,
    request: HttpRequest,
    _: NoParameters,
    kept: Data<Kept>,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let today = public.store.calendar().today();
    let key = request.match_info().get(R::KEY.name()).unwrap_or_default();
    let compute = async || {
        let db = public.store.db();
        let rows = rows_at::<R>(&request)?.filter(column::<R>(R::KEY.name())?.eq(key)).filter(R::visible());
        let row = rows.one(db).await?.ok_or_else(|| ApiError::not_found(R::NAMES.one, key))?;
        let mut things = view::view_all::<R>(db, &[row], today).await?;
        view::hide_unpublished(db, &mut things).await?;
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
    let about = format!("{} What is published of them; no login.", R::NAMES.about);
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
        "What the public sees of it: 404 where it is not published.",
    );
    table
        .on(
            list_parameters(listing.public(), &fields::<R>(), R::DEFAULT_SORT, true)
                .problems(if R::PARENT.is_some() { &[404] } else { &[] })
                .conditional()
                .with_schemas(view::schemas::<R>())
                .with_schemas(Map::from_iter([(page_name.clone(), wire::page(reference.clone()))]))
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
