//! What is recorded of the coverage of programmes.

use entity::coverage;
use entity::rules::coverage::Entry;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::http::problem::ApiResult;

/// The entries about a programme, for one village or for all; the entries of each village come oldest first.
pub async fn recorded(db: &impl ConnectionTrait, programme: &str, village: Option<&str>) -> ApiResult<Vec<coverage::Model>> {
    use coverage::Column;
    let mut rows = coverage::Entity::find().filter(Column::Programme.eq(programme));
    if let Some(village) = village {
        rows = rows.filter(Column::Region.eq(village));
    }
    Ok(rows.order_by_asc(Column::Region).order_by_asc(Column::Seq).all(db).await?)
}

/// An entry in the form that the rule takes.
pub fn entry_of(row: &coverage::Model) -> Entry {
    Entry { status: row.status, effective_on: row.effective_on }
}
