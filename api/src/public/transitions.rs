//! `/v1/public/transitions` and `/v1/public/programmes/{code}/transitions`

use chrono::NaiveDate;
use entity::rules::programme_status::ProgrammeStatus;
use entity::status_change;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::parts::{Part, Words};
use crate::http::problem::ApiResult;
use crate::resources::programmes;
use crate::store::kind::{Field, Kind, ValueType};
use crate::store::transaction::Store;

/// A change of a programme's status.
#[derive(Serialize, ToSchema)]
pub struct PublicTransition {
    /// The code of the programme.
    #[schema(max_length = 64, example = "SV-01")]
    pub(crate) programme: String,
    /// Order within the programme, from 1.
    #[schema(minimum = 1, maximum = 2147483647)]
    seq: i32,
    /// The status before; null for the first entry.
    from: Option<ProgrammeStatus>,
    /// The status from then on.
    pub(crate) to: ProgrammeStatus,
    /// The first day on which it held.
    #[schema(max_length = 10)]
    pub(crate) effective_on: NaiveDate,
}

/// The status histories of some programmes, up to the end of a day. One statement. That the public sees these programmes is for the
/// caller to know.
pub(crate) async fn histories(store: &Store, programmes: Vec<String>, until: NaiveDate) -> ApiResult<Vec<PublicTransition>> {
    use status_change::Column;
    let rows = status_change::Entity::find()
        .filter(Column::Programme.is_in(programmes))
        .filter(Column::EffectiveOn.lte(until))
        .order_by_asc(Column::Programme)
        .order_by_asc(Column::Seq);
    Ok(rows.all(store.db()).await?.into_iter().map(PublicTransition::show).collect())
}

impl Part for PublicTransition {
    type Entity = status_change::Entity;

    const OF: &'static Kind = &programmes::KIND;
    const COLUMN: Field = Field::sort("programme", ValueType::Code);
    const PLACE: Field = Field::sort("seq", ValueType::Integer);
    const FIELDS: &'static [Field] = &[Field::filter("effective_on", ValueType::Date)];
    const WORDS: Words = Words {
        path: "transitions",
        schema: "PublicTransition",
        of_one: Some([
            "/v1/public/programmes/{code}/transitions",
            "list_public_transitions",
            "Status history of a programme (public)",
            "Every status the programme had, from which day; the oldest first.",
        ]),
        of_all: [
            "list_all_public_transitions",
            "Status histories of all programmes (public)",
            "Every status that the programmes had, from which day; of each programme the oldest first.",
        ],
        page: "the status history",
    };

    fn show(row: status_change::Model) -> Self {
        Self { programme: row.programme, seq: row.seq, from: row.from_status, to: row.to_status, effective_on: row.effective_on }
    }

    fn example() -> Vec<Value> {
        vec![
            json!({ "programme": "SV-01", "seq": 1, "from": null, "to": "planned", "effective_on": "2022-01-03" }),
            json!({ "programme": "SV-01", "seq": 2, "from": "planned", "to": "running", "effective_on": "2022-11-01" }),
        ]
    }
}
