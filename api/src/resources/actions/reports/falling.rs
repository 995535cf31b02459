//! A cumulative realisation may fall from one quarter to the next, but only with a reason.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::action_report::{self, Model};
use entity::rules::renaksi;
use entity::value::decimal::Decimal;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::has_reason;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, FieldError};
use crate::resources::reporting::Written;

/// What is reported for each quarter, by its number less one: what was written last, whether it counts yet or not.
pub type Reported = [Option<Decimal>; 4];

/// The field errors of reports that make the realisation fall without a reason, by their place in the list. Such a report is not
/// written, so the others are then compared with what is stored, until none is left that falls. It takes one statement.
pub async fn field_errors(db: &impl ConnectionTrait, written: &[Written<'_, Model>]) -> ApiResult<BTreeMap<usize, FieldError>> {
    let stand = reported(db, written.iter().map(|one| one.of).collect::<BTreeSet<_>>()).await?;
    let mut field_errors = BTreeMap::new();
    loop {
        let left = || written.iter().enumerate().filter(|(place, _)| !field_errors.contains_key(place));
        let mut reported = stand.clone();
        for (_, one) in left() {
            set(reported.entry(one.of.to_owned()).or_default(), one.part, one.input.realisation);
        }
        let field_error = |one: &Written<'_, Model>| field_error(reported.get(one.of)?, one.part, one.input.realisation);
        let fell = left().filter(|(_, one)| !needs_none(one)).filter_map(|(place, one)| Some((place, field_error(one)?)));
        let fell = fell.collect::<Vec<_>>();
        if fell.is_empty() {
            return Ok(field_errors);
        }
        field_errors.extend(fell);
    }
}

/// Whether a report needs no reason of its own: it gives one, repeats what is stored, or replaces a report that keeps its reason.
fn needs_none(one: &Written<'_, Model>) -> bool {
    let stands = |before: &Model| before.realisation == one.input.realisation || has_reason(before);
    one.input.reason.is_some() || one.before.is_some_and(stands)
}

/// What is reported on these actions.
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

/// Notes the realisation that is reported for a quarter.
pub fn set(reported: &mut Reported, quarter: i32, realisation: Decimal) {
    let place = usize::try_from(quarter - 1).ok().and_then(|place| reported.get_mut(place));
    if let Some(place) = place {
        *place = Some(realisation);
    }
}

/// The field error of a realisation that falls, compared with those reported for the other quarters, without a reason.
pub fn field_error(reported: &Reported, quarter: i32, realisation: Decimal) -> Option<FieldError> {
    let others = reported.map(|value| value.map(Decimal::inner));
    let falls = renaksi::falls(&others, u8::try_from(quarter).ok()?, realisation.inner());
    let text = || {
        Text::new(
            "The realisation is counted from the beginning of the year, and this value makes it fall from one quarter to the \
             next: give a reason.",
            "Realisasi dihitung kumulatif dari awal tahun, dan nilai ini membuatnya turun antartriwulan: berikan alasannya.",
        )
    };
    falls.then(|| FieldError::at("/reason", "reason_required", text()))
}
