//! `/v1/public/{resource}` and `/v1/public/{resource}/{code}`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use sea_orm::{EntityTrait, QueryFilter};
use serde_json::{Map, json};

use super::view::{self, Published};
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{NoParameters, Parameters};
use crate::http::table::Table;
use crate::resources::describe::list_parameters;
use crate::resources::wire;
use crate::store::access::Public;
use crate::store::kept::Kept;
use crate::store::listing::{Field, Kind, Listing};

const CODE: Field = Field::sort("code", Kind::Code);

/// The filters of members that are shown.
fn fields<R: Published>() -> Vec<Field> {
    let shown = R::FIELDS.iter().filter(|field| R::MEMBERS.contains(&field.name)).copied();
    shown.chain([CODE, Field::sort("updated_at", Kind::Instant)]).collect()
}

async fn list<R: Published>(
    public: Public,
    request: HttpRequest,
    kept: Data<Kept>,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let (path, query) = (request.path(), request.query_string());
    let name = format!("public/{}", R::NAMES.many);
    let listing = Listing::read(&mut parameters, &name, &fields::<R>(), R::DEFAULT_SORT, CODE, true).only(R::visible());
    parameters.finish()?;
    let compute = async || {
        let db = public.store.db();
        let mut page = listing.page(db, R::Entity::find(), view::view::<R>).await?;
        view::hide_unpublished(db, &mut page.data).await?;
        page.answer(path, query)
    };
    kept.answer(&public.store, format!("{path}?{query}"), &preconditions, compute).await.map(Answer::public)
}

async fn get<R: Published>(
    public: Public,
    request: HttpRequest,
    code: Path<String>,
    _: NoParameters,
    kept: Data<Kept>,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let compute = async || {
        let row = R::Entity::find_by_id(code.clone()).filter(R::visible()).one(public.store.db()).await?;
        let row = row.ok_or_else(|| ApiError::not_found(R::NAMES.one, &code))?;
        let mut things = [view::view::<R>(&row)?];
        view::hide_unpublished(public.store.db(), &mut things).await?;
        Answer::ok(&things[0])
    };
    kept.answer(&public.store, request.path().to_owned(), &preconditions, compute).await.map(Answer::public)
}

/// Mounts what the public sees of `R`.
pub fn mount<R: Published>(table: &mut Table) {
    let (list_path, name) = (format!("/v1/public/{}", R::NAMES.many), view::name::<R>());
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
        &format!("{list_path}/{{code}}"),
        &format!("get_public_{}", R::NAMES.one),
        "public",
        &format!("Get {} (public)", R::NAMES.a()),
        "What the public sees of it: 404 where it is not published.",
    );
    table
        .on(
            list_parameters(listing.public(), &fields::<R>(), R::DEFAULT_SORT, true)
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
