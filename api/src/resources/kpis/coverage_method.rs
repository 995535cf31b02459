//! KPIs with the method `coverage`, whose values are not entered but counted: the villages in which their programme has built.

use chrono::{Months, NaiveDate};
use entity::coverage::{self, CoverageStatus};
use entity::measurement::ReportState;
use entity::rules::coverage::built;
use entity::rules::review::Step;
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use entity::{kpi, masterplan, measurement};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::measurements::wire_types::MeasurementInput;
use super::outside_range;
use crate::http::problem::ApiResult;
use crate::resources::programmes::coverage_entries::{entry_of, recorded};
use crate::resources::reporting::ReportKey;
use crate::resources::reporting::flow::{latest, write};
use crate::resources::reporting::review::apply;
use crate::store::transaction::WriteTransaction;

/// The value of `method` by which such a KPI is known.
const METHOD: &str = "coverage";
/// How many months back villages are counted again at most.
const LONGEST: Months = Months::new(10 * 12);

/// Counts the KPIs of a programme again after a new entry of its coverage, from the period of the entry to the present one, and
/// submits the values that changed. What the service itself recorded counts at once.
pub async fn recount(transaction: &WriteTransaction, entry: &coverage::Model) -> ApiResult<()> {
    let kpis = kpi::Entity::find().filter(kpi::Column::Programme.eq(&entry.programme)).filter(kpi::Column::Method.eq(METHOD));
    // The KPIs are locked in the same order as by pushes.
    let kpis = transaction.locking(kpis.order_by_asc(kpi::Column::Code)).all(&transaction.db).await?;
    if kpis.is_empty() {
        return Ok(());
    }
    let entries = recorded(&transaction.db, &entry.programme, None).await?;
    let count = |period: Period| {
        let entries = entries.iter().map(|row| (row.region.as_str(), entry_of(row)));
        Decimal::computed(built(entries, period.end()).into(), 0)
    };
    for kpi in &kpis {
        let last = Period::containing(kpi.frequency, transaction.today);
        let begins = first_day(transaction, kpi).await?.max(entry.effective_on);
        let mut next = Some(Period::containing(kpi.frequency, begins));
        while let Some(period) = next.filter(|period| *period <= last) {
            let value = count(period);
            if outside_range(kpi.unit_kind, kpi.bounds(), value).is_none() {
                report(transaction, kpi, period, value, entry).await?;
            }
            next = period.next();
        }
    }
    Ok(())
}

/// The first day that is counted: what was built before the masterplan began counts in its first period.
async fn first_day(transaction: &WriteTransaction, kpi: &kpi::Model) -> ApiResult<NaiveDate> {
    let masterplan = masterplan::Entity::find_by_id(&kpi.masterplan).one(&transaction.db).await?;
    let begins = masterplan.and_then(|plan| NaiveDate::from_ymd_opt(plan.start_year?, 1, 1));
    // However long a masterplan lasts, an entry leads to a bounded number of reports.
    let earliest = transaction.today.checked_sub_months(LONGEST).unwrap_or(transaction.today);
    Ok(begins.unwrap_or(earliest).max(earliest))
}

/// Reports a count and submits it, unless the same value was submitted before.
async fn report(
    transaction: &WriteTransaction,
    kpi: &kpi::Model,
    period: Period,
    value: Decimal,
    entry: &coverage::Model,
) -> ApiResult<()> {
    let place = ReportKey { of: kpi.code.clone(), part: period.to_string() };
    let before = latest(&transaction.db, &place).await?;
    let is_said = |row: &measurement::Model| row.value == value && row.state != ReportState::Draft;
    if before.as_ref().is_some_and(is_said) {
        return Ok(());
    }
    let is_correction = before.as_ref().is_some_and(|row| row.state == ReportState::Verified);
    let input = MeasurementInput {
        value,
        note: Some(format!("Dihitung dari cakupan {0} / Counted from the coverage of {0}", entry.programme)),
        evidence: Vec::new(),
        source_updated_at: None,
        provenance: None,
        reason: is_correction.then(|| reason(entry)),
    };
    let row = write(transaction, &place, before.as_ref(), input).await?;
    if Step::Submit.from(row.state).is_some() {
        apply(transaction, row, Step::Submit, None).await?;
    }
    Ok(())
}

/// The reason for which a verified count is corrected.
fn reason(entry: &coverage::Model) -> String {
    let (region, day) = (&entry.region, entry.effective_on);
    let (id, en) = match entry.status {
        CoverageStatus::Built => ("terbangun", "built"),
        CoverageStatus::Planned => ("direncanakan", "planned"),
    };
    format!("Cakupan {region} berubah: {id} sejak {day} / The coverage of {region} changed: {en} from {day} on")
}
