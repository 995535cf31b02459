//! `/v1/public/kpis/{code}/metadata`

use actix_web::web::Path;
use entity::kpi;
use sea_orm::{EntityTrait, QueryFilter};
use serde_json::json;

use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::resources::kpis::KIND;
use crate::resources::kpis::statistical_metadata::IndicatorMetadata;
use crate::store::access::Public;

async fn get_public_metadata(
    public: Public,
    code: Path<String>,
    preconditions: Preconditions,
    _: NoParameters,
) -> ApiResult<Answer> {
    let kpi = kpi::Entity::find_by_id(code.as_str()).filter(KIND.visible()).one(public.store.db()).await?;
    let kpi = kpi.ok_or_else(|| ApiError::not_found(&KIND, &code))?;
    Ok(Answer::ok(&IndicatorMetadata::of(&kpi))?.tagged().public().unless_known(&preconditions))
}

/// Mounts it.
pub fn mount(table: &mut Table) {
    let about = "What a KPI is, as Peraturan BPS 5/2020 has indicators described (MS-Ind): a portal of Satu Data Indonesia takes it as it \
                 is. What is not known is null. No login.";
    let id = "get_public_kpi_metadata";
    let get = Operation::get("/v1/public/kpis/{code}/metadata", id, "public", "Statistical metadata of a KPI (public)", about);
    let example = json!({
        "kpi": "TPS3R-DESA", "name": "Desa yang memiliki TPS3R", "concept": null,
        "definition": "Banyaknya desa yang memiliki tempat pengolahan sampah reduce, reuse, recycle.", "interpretation": null,
        "formula": "Hitungan desa yang memiliki TPS3R.", "measure": "Jumlah", "unit": "desa", "presentation": null, "composite": false,
        "components": [{ "kind": "variable", "name": "Status TPS3R desa", "source": "Dinas Lingkungan Hidup" }],
        "level_of_estimation": "Kabupaten", "public_access": true,
    });
    table.on(
        get.public().conditional().problems(&[404]).answers::<IndicatorMetadata>(
            200,
            "The metadata of the KPI.",
            Some(example),
            &["ETag"],
        ),
        get_public_metadata,
    );
}
