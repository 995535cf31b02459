//! `/v1/public/programmes/{code}/coverage`

use crate::resources::programmes;
use actix_web::HttpRequest;
use actix_web::web::Path;
use chrono::NaiveDate;
use entity::coverage::{self, CoverageStatus};
use entity::programme;
use sea_orm::{EntityTrait, QueryFilter};
use serde::Serialize;
use serde_json::{Map, json};
use utoipa::ToSchema;

use crate::crud::schemas;
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::page::{Page, texts};
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::http::schema;
use crate::http::table::Table;
use crate::resources::programmes::coverage::{AskedCoverage, list_parameters};
use crate::store::access::Public;

const PATH: &str = "/v1/public/programmes/{code}/coverage";

/// What a programme has in a village.
#[derive(Serialize, ToSchema)]
pub struct PublicCoverage {
    /// The village.
    #[schema(max_length = 64, example = "52.08.04.2006")]
    region: String,
    /// The name of the village.
    #[schema(max_length = 200, example = "Senaru")]
    region_name: String,
    /// What is there.
    status: CoverageStatus,
    /// The first day on which it held.
    #[schema(max_length = 10)]
    effective_on: NaiveDate,
}

impl PublicCoverage {
    fn of((row, name): &(coverage::Model, String)) -> Self {
        Self { region: row.region.clone(), region_name: name.clone(), status: row.status, effective_on: row.effective_on }
    }
}

async fn list_public_coverage(
    public: Public,
    request: HttpRequest,
    code: Path<String>,
    preconditions: Preconditions,
    parameters: Parameters,
) -> ApiResult<Answer> {
    let (path, query, db) = (request.path(), request.query_string(), public.store.db());
    let asked = AskedCoverage::read(parameters, &code, public.store.calendar().today())?;
    let visible = programme::Entity::find_by_id(code.clone()).filter(programmes::KIND.visible()).one(db).await?;
    visible.ok_or_else(|| ApiError::not_found(&programmes::KIND, &code))?;
    let (rows, page) = asked.rows(db).await?;
    let page = Page { data: texts(rows.iter().map(PublicCoverage::of))?, ..page };
    Ok(page.answer(path, query)?.tagged().public().unless_known(&preconditions))
}

/// Mounts it.
pub fn mount(table: &mut Table) {
    let about = "What the programme has in each village at the end of a day. No login.";
    let list = Operation::get(PATH, "list_public_coverage", "public", "Villages that a programme reaches (public)", about);
    let page = schemas::page(json!({ "$ref": "#/components/schemas/PublicCoverage" }));
    let senaru = json!({ "region": "52.08.04.2006", "region_name": "Senaru", "status": "built", "effective_on": "2022-12-20" });
    table.on(
        list_parameters(list.public())
            .conditional()
            .problems(&[404])
            .with_schemas(schema::components::<PublicCoverage>())
            .with_schemas(Map::from_iter([("PublicCoveragePage".to_owned(), page)]))
            .answers_schema(
                200,
                "A page of the coverage.",
                json!({ "$ref": "#/components/schemas/PublicCoveragePage" }),
                Some(json!({ "data": [senaru], "page": { "next_cursor": null, "limit": 50 } })),
                &["ETag", "Link"],
            ),
        list_public_coverage,
    );
}
