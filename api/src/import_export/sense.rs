//! The rules that compare new rows of a file with other rows and with the day, as the API applies them to what is written.
//!
//! Rows that an export wrote were taken once, by the rules of their time: a file of the service's own is read as it is.

use std::collections::{BTreeSet, HashMap, HashSet};

use entity::value::period::Period;
use entity::{action, survey};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::Incoming;
use super::forms::{ActionReport, Measurement, ResourceRows};
use super::state::Import;
use crate::http::problem::ApiResult;
use crate::resources::actions::reports::falling;
use crate::resources::actions::{Action, weight_field_error};
use crate::resources::kpis::not_begun;
use crate::resources::surveys::{Survey, identity};

/// A period has begun before anything of it is measured.
pub(super) fn measurements(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Measurement>]) {
    let today = import.defaults.today;
    for row in rows.iter_mut().filter(|row| !row.was_taken) {
        let field_error = Period::parse(&row.row.period).ok().and_then(|period| not_begun(period, today, "/period"));
        field_error.iter().for_each(|field_error| import.checking.refuse(list, row, field_error));
    }
}

/// Weights have bounds.
pub(super) fn actions(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<ResourceRows<Action>>]) {
    for row in rows.iter_mut().filter(|row| !row.was_taken) {
        weight_field_error(row.row.weight).iter().for_each(|field_error| import.checking.refuse(list, row, field_error));
    }
}

/// A quarter has begun before anything of it is reported, and what is realised does not fall without a reason.
pub(super) async fn action_reports(
    import: &mut Import<'_>,
    list: &'static str,
    rows: &mut [Incoming<ActionReport>],
) -> ApiResult<()> {
    let (today, db) = (import.defaults.today, &import.transaction.db);
    let ids = rows.iter().map(|row| row.row.action.as_str()).collect::<BTreeSet<_>>();
    let mut reported = falling::reported(db, ids.iter().copied()).await?;
    let actions = action::Entity::find().filter(action::Column::Id.is_in(ids)).all(db).await?;
    let years = actions.into_iter().map(|action| (action.id, action.year)).collect::<HashMap<_, _>>();
    // Of several revisions the last stands.
    for Incoming { row, .. } in rows.iter() {
        falling::set(reported.entry(row.action.clone()).or_default(), row.quarter, row.realisation);
    }
    for row in rows.iter_mut().filter(|row| !row.was_taken) {
        let report = &row.row;
        let quarter = u8::try_from(report.quarter).unwrap_or_default();
        let period = years.get(&report.action).map(|year| Period::Quarter(*year, quarter));
        let early = period.and_then(|period| not_begun(period, today, "/quarter"));
        let beside = reported.get(&report.action).filter(|_| report.reason.is_none());
        let fell = beside.and_then(|reported| falling::field_error(reported, report.quarter, report.realisation));
        early.iter().chain(&fell).for_each(|field_error| import.checking.refuse(list, row, field_error));
    }
    Ok(())
}

/// Of a service there is one survey a period, in the file and in the database.
pub(super) async fn surveys(
    import: &mut Import<'_>,
    list: &'static str,
    rows: &mut [Incoming<ResourceRows<Survey>>],
) -> ApiResult<()> {
    use survey::Column;
    let today = import.defaults.today;
    let opds = rows.iter().map(|row| row.row.opd.clone()).collect::<BTreeSet<_>>();
    let there = survey::Entity::find().filter(Column::Opd.is_in(opds)).all(&import.transaction.db).await?;
    let mut known = there.iter().map(identity).collect::<HashSet<_>>();
    known.extend(rows.iter().filter(|row| row.was_taken).map(|row| identity(&row.row)));
    for row in rows.iter_mut().filter(|row| !row.was_taken) {
        let field_error = Period::parse(&row.row.period).ok().and_then(|period| not_begun(period, today, "/period"));
        field_error.iter().for_each(|field_error| import.checking.refuse(list, row, field_error));
        let identity = identity(&row.row);
        let (opd, service, period) = identity.clone();
        if !known.insert(identity) {
            let message = format!("`{opd}` has a survey of `{service}` for {period} already.");
            import.checking.refuse_at(list, row, "/service", message);
        }
    }
    Ok(())
}
