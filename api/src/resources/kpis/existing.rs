//! Checks a change of a KPI against the values and targets that the KPI has.

use entity::kpi;
use entity::rules::kpi::Bounds;
use entity::value::decimal::Decimal;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement};

use super::Kpi;
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, FieldError};
use crate::store::transaction::WriteTransaction;

/// The greatest number of values and targets that an error names.
const MOST_NAMED: usize = 20;

/// A value or target that a KPI has.
struct Held {
    /// The value or target, in English words.
    en: String,
    /// The value or target, in Indonesian words.
    id: String,
    value: Decimal,
}

/// Refuses bounds that exclude existing values or targets, and a direction or baseline that puts a target on the wrong side, and
/// names the values and targets in question. A change of none of these is not checked. The row of the KPI is locked, as by
/// everybody who writes values and targets.
pub(super) async fn must_agree(kpi: &Kpi, transaction: &WriteTransaction, code: &str, before: &kpi::Model) -> ApiResult<()> {
    let baseline = kpi.baseline.as_ref().map(|baseline| baseline.value);
    let (permits, moves) = (before.direction != kpi.direction, before.baseline_value != baseline);
    let narrows = before.bounds() != kpi.bounds();
    if !permits && !moves && !narrows {
        return Ok(());
    }
    let targets = targets(transaction, code).await?;
    let mut field_errors = Vec::new();
    if narrows {
        let values = values(transaction, code).await?;
        field_errors.extend(targets.iter().chain(&values).filter_map(|one| beyond(kpi.bounds(), one)));
    }
    if let Some(baseline) = baseline.filter(|_| permits || moves) {
        let pointer = if permits { "/direction" } else { "/baseline/value" };
        let against = |one: &&Held| kpi.direction.is_against(baseline.inner(), one.value.inner());
        field_errors.extend(targets.iter().filter(against).map(|one| wrong_side(pointer, baseline, one)));
    }
    field_errors.truncate(MOST_NAMED);
    if field_errors.is_empty() { Ok(()) } else { Err(ApiError::invalid(field_errors)) }
}

fn beyond(bounds: Bounds, one: &Held) -> Option<FieldError> {
    let value = one.value.inner();
    if bounds.contain(value) {
        return None;
    }
    let pointer = if bounds.minimum.is_some_and(|least| value < least) { "/minimum" } else { "/maximum" };
    let Held { en, id, .. } = one;
    let text = Text::new(format!("The bound excludes {en}."), format!("Batas ini tidak mencakup {id}."));
    Some(FieldError::at(pointer, "outside_range", text))
}

fn wrong_side(pointer: &str, baseline: Decimal, one: &Held) -> FieldError {
    let Held { en, id, .. } = one;
    let text = Text::new(
        format!("This would put {en} on the wrong side of the baseline, {baseline}."),
        format!("Dengan ini {id} berada di sisi yang salah dari nilai awal, {baseline}."),
    );
    FieldError::at(pointer, "against_direction", text)
}

/// The targets of the KPI, in the order of their periods.
async fn targets(transaction: &WriteTransaction, code: &str) -> ApiResult<Vec<Held>> {
    use entity::kpi_target::{Column, Entity};
    let rows = Entity::find().filter(Column::Kpi.eq(code)).order_by_asc(Column::PeriodEnd).all(&transaction.db).await?;
    let held = rows.into_iter().map(|entity::kpi_target::Model { period, value, .. }| Held {
        en: format!("the target of {period}, {value}"),
        id: format!("target {period}, yaitu {value}"),
        value,
    });
    Ok(held.collect())
}

/// The current values of the KPI, in the order of their periods: the last revision of each period, and the revision in force.
/// Revisions that were corrected since are left out.
async fn values(transaction: &WriteTransaction, code: &str) -> ApiResult<Vec<Held>> {
    let sql = "SELECT m.period, m.value FROM measurement m WHERE m.kpi = $1 AND (m.latest OR (m.state = 'verified' AND NOT EXISTS \
               (SELECT 1 FROM measurement l WHERE l.kpi = m.kpi AND l.period = m.period AND l.revision > m.revision \
                AND l.state = 'verified'))) ORDER BY m.period_end, m.revision";
    let backend = transaction.db.get_database_backend();
    let rows = transaction.db.query_all_raw(Statement::from_sql_and_values(backend, sql, [code.into()])).await?;
    let held = rows.iter().map(|row| {
        let (period, value): (String, Decimal) = (row.try_get("", "period")?, row.try_get("", "value")?);
        let (en, id) = (format!("the value of {period}, {value}"), format!("nilai {period}, yaitu {value}"));
        Ok(Held { en, id, value })
    });
    held.collect()
}
