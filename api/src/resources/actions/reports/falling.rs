//! A cumulative realisation that falls from one quarter to the next: it happens, but not without a reason.

use std::collections::HashMap;

use entity::action_report;
use entity::rules::renaksi;
use entity::value::decimal::Decimal;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::http::language::Text;
use crate::http::problem::{ApiResult, Fault};

/// What is reported for each quarter, by its number less one: what was written last, whether it counts yet or not.
pub type Reported = [Option<Decimal>; 4];

/// What is reported of these actions. One statement.
pub async fn reported<'a>(
    db: &impl ConnectionTrait,
    actions: impl IntoIterator<Item = &'a str>,
) -> ApiResult<HashMap<String, Reported>> {
    use action_report::Column;
    let rows = action_report::Entity::find().filter(Column::Action.is_in(actions)).filter(Column::Latest.eq(true));
    let mut reported: HashMap<String, Reported> = HashMap::new();
    for row in rows.all(db).await? {
        set(reported.entry(row.action).or_default(), row.quarter, row.realisation);
    }
    Ok(reported)
}

/// Notes what is reported for a quarter.
pub fn set(reported: &mut Reported, quarter: i32, realisation: Decimal) {
    let place = usize::try_from(quarter - 1).ok().and_then(|place| reported.get_mut(place));
    if let Some(place) = place {
        *place = Some(realisation);
    }
}

/// The fault of a realisation that falls beside what is reported for the other quarters, and says not why.
pub fn fault(reported: &Reported, quarter: i32, realisation: Decimal) -> Option<Fault> {
    let others = reported.map(|value| value.map(Decimal::inner));
    let falls = renaksi::falls(&others, u8::try_from(quarter).ok()?, realisation.inner());
    let text = || {
        Text::new(
            "What is realised counts from the beginning of the year, and this makes it fall from one quarter to the next: say why.",
            "Realisasi dihitung kumulatif dari awal tahun, dan ini membuatnya turun antartriwulan: sebutkan alasannya.",
        )
    };
    falls.then(|| Fault::at("/reason", "reason_required", text()))
}
