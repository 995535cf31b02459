//! `/v1/public/programmes/{code}/transitions`

use crate::resources::programmes;
use actix_web::HttpRequest;
use actix_web::web::Path;
use chrono::NaiveDate;
use entity::rules::programme_status::ProgrammeStatus;
use entity::{programme, status_change};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use serde_json::{Map, json};
use utoipa::ToSchema;

use crate::crud::parameters::page_parameters;
use crate::crud::schemas;
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::http::schema;
use crate::http::table::Table;
use crate::store::access::Public;
use crate::store::kind::{Field, ValueType};
use crate::store::listing::Listing;

const PATH: &str = "/v1/public/programmes/{code}/transitions";
const SEQ: Field = Field::sort("seq", ValueType::Integer);

/// A change of a programme's status.
#[derive(Serialize, ToSchema)]
pub struct PublicTransition {
    /// Order within the programme, from 1.
    #[schema(minimum = 1, maximum = 2147483647)]
    seq: i32,
    /// The status before; null for the first entry.
    from: Option<ProgrammeStatus>,
    /// The status from then on.
    to: ProgrammeStatus,
    /// The first day on which it held.
    #[schema(max_length = 10)]
    effective_on: NaiveDate,
}

async fn list_public_transitions(
    public: Public,
    request: HttpRequest,
    code: Path<String>,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let (path, query, db) = (request.path(), request.query_string(), public.store.db());
    let listing = Listing::read(&mut parameters, path, &[], "seq", SEQ, false);
    parameters.finish()?;
    let visible = programme::Entity::find_by_id(code.clone()).filter(programmes::KIND.visible()).one(db).await?;
    visible.ok_or_else(|| ApiError::not_found(&programmes::KIND, &code))?;
    let rows = status_change::Entity::find().filter(status_change::Column::Programme.eq(code.as_str()));
    let show = |row: &status_change::Model| {
        Ok(json!(PublicTransition { seq: row.seq, from: row.from_status, to: row.to_status, effective_on: row.effective_on }))
    };
    Ok(listing.page(db, rows, show).await?.answer(path, query)?.tagged().public().unless_known(&preconditions))
}

/// Mounts it.
pub fn mount(table: &mut Table) {
    let about = "Every status the programme had, from which day; the oldest first. No login.";
    let list = Operation::get(PATH, "list_public_transitions", "public", "Status history of a programme (public)", about);
    let page = schemas::page(json!({ "$ref": "#/components/schemas/PublicTransition" }));
    let rows = json!([
        { "seq": 1, "from": null, "to": "planned", "effective_on": "2022-01-03" },
        { "seq": 2, "from": "planned", "to": "running", "effective_on": "2022-11-01" },
    ]);
    let example = json!({ "data": rows, "page": { "next_cursor": null, "limit": 50 } });
    table.on(
        page_parameters(list.public(), &["seq"], "seq")
            .conditional()
            .problems(&[404])
            .with_schemas(schema::components::<PublicTransition>())
            .with_schemas(Map::from_iter([("PublicTransitionPage".to_owned(), page)]))
            .answers_schema(
                200,
                "A page of the status history.",
                json!({ "$ref": "#/components/schemas/PublicTransitionPage" }),
                Some(example),
                &["ETag", "Link"],
            ),
        list_public_transitions,
    );
}
