//! What new rows of a file are held to beside other rows and the day: as the API holds what is written to it.
//!
//! Rows that an export wrote were taken once, by the rules of their time: a file of the service's own is read as it is.

use std::collections::{HashMap, HashSet};

use entity::value::period::Period;
use entity::{action, kpi, survey};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::check::{Checking, KEYS_AT_ONCE};
use super::{Everything, Incoming, Kind};
use crate::http::problem::ApiResult;
use crate::resources::actions::reports::falling::{self, Reported};
use crate::resources::actions::weight_fault;
use crate::resources::kpis::{against_direction, not_begun};
use crate::resources::surveys::identity;
use crate::store::change::Change;

/// Checks the rows that no export wrote.
pub(super) async fn check(change: &Change, everything: &Everything, checking: &mut Checking<'_>) -> ApiResult<()> {
    let kpis = everything.kpis.iter().map(|incoming| (incoming.row.code.as_str(), &incoming.row)).collect();
    targets(everything, &kpis, checking);
    measurements(everything, checking);
    actions(everything, checking);
    surveys(change, everything, checking).await
}

fn new<K: Kind>(rows: &[Incoming<K>]) -> impl Iterator<Item = &Incoming<K>> {
    rows.iter().filter(|incoming| !incoming.was_taken)
}

fn targets(everything: &Everything, kpis: &HashMap<&str, &kpi::Model>, checking: &mut Checking<'_>) {
    for Incoming { index, row, .. } in new(&everything.targets) {
        let fault = kpis.get(row.kpi.as_str()).and_then(|kpi| against_direction(kpi, row.value, "/value"));
        fault.iter().for_each(|fault| checking.fault("targets", *index, fault));
    }
}

fn measurements(everything: &Everything, checking: &mut Checking<'_>) {
    let today = checking.defaults.today;
    for Incoming { index, row, .. } in new(&everything.measurements) {
        let fault = Period::parse(&row.period).ok().and_then(|period| not_begun(period, today, "/period"));
        fault.iter().for_each(|fault| checking.fault("measurements", *index, fault));
    }
}

fn actions(everything: &Everything, checking: &mut Checking<'_>) {
    let today = checking.defaults.today;
    for Incoming { index, row, .. } in new(&everything.actions) {
        weight_fault(row.weight).iter().for_each(|fault| checking.fault("actions", *index, fault));
    }
    let actions = everything.actions.iter().map(|incoming| (incoming.row.id.as_str(), &incoming.row));
    let actions = actions.collect::<HashMap<&str, &action::Model>>();
    let mut reported: HashMap<&str, Reported> = HashMap::new();
    // Of several revisions the last stands.
    for Incoming { row, .. } in &everything.action_reports {
        falling::set(reported.entry(&row.action).or_default(), row.quarter, row.realisation);
    }
    for Incoming { index, row, .. } in new(&everything.action_reports) {
        let quarter = u8::try_from(row.quarter).unwrap_or_default();
        let period = actions.get(row.action.as_str()).map(|action| Period::Quarter(action.year, quarter));
        let early = period.and_then(|period| not_begun(period, today, "/quarter"));
        let beside = reported.get(row.action.as_str()).filter(|_| row.reason.is_none());
        let fell = beside.and_then(|reported| falling::fault(reported, row.quarter, row.realisation));
        early.iter().chain(&fell).for_each(|fault| checking.fault("action_reports", *index, fault));
    }
}

/// Of a service there is one survey a period, in the file and in the database.
async fn surveys(change: &Change, everything: &Everything, checking: &mut Checking<'_>) -> ApiResult<()> {
    use survey::Column;
    let today = checking.defaults.today;
    for Incoming { index, row, .. } in new(&everything.surveys) {
        let fault = Period::parse(&row.period).ok().and_then(|period| not_begun(period, today, "/period"));
        fault.iter().for_each(|fault| checking.fault("surveys", *index, fault));
    }
    let fresh = new(&everything.surveys).map(|incoming| (incoming.index, identity(&incoming.row))).collect::<Vec<_>>();
    let mut opds = fresh.iter().map(|(_, (opd, ..))| opd.clone()).collect::<Vec<_>>();
    opds.sort();
    opds.dedup();
    let mut known = HashSet::new();
    for some in opds.chunks(KEYS_AT_ONCE) {
        let rows = survey::Entity::find().filter(Column::Opd.is_in(some.iter().cloned())).all(&change.db).await?;
        known.extend(rows.iter().map(identity));
    }
    known.extend(everything.surveys.iter().filter(|incoming| incoming.was_taken).map(|incoming| identity(&incoming.row)));
    for (index, identity) in fresh {
        let (opd, service, period) = identity.clone();
        if !known.insert(identity) {
            checking.fault_at("surveys", index, "/service", format!("`{opd}` has a survey of `{service}` for {period} already."));
        }
    }
    Ok(())
}
