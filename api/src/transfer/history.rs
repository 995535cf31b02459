//! What follows from several rows of a file: their order, what they have to agree on, and what is computed from them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use entity::measurement::{self, ReportState};
use entity::region::{self, RegionLevel};
use entity::rules::coverage::{Arrival, Entry, arrival};
use entity::rules::programme_status::{self, ProgrammeStatus};
use entity::value::period::Period;
use entity::{action_report, kpi, programme, status_change};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::check::{Checking, KEYS_AT_ONCE};
use super::parts::{Coverage, EvaluationRecord, Transition};
use super::reports::{ActionReport, Measurement};
use super::sense;
use super::things::Thing;
use super::{Everything, Incoming, Kind, Row, key_of};
use crate::http::problem::ApiResult;
use crate::resources::evaluations::Evaluation;
use crate::resources::kpis::value_faults;
use crate::resources::programmes::coverage::entry_of;
use crate::resources::programmes::{Programme, transitions};
use crate::resources::regions::{self, Region};
use crate::store::change::Change;

/// Checks what rows have to agree on, and sets what follows from others.
pub(super) async fn complete(change: &Change, everything: &mut Everything, checking: &mut Checking<'_>) -> ApiResult<()> {
    let elsewhere = everything.coverage.iter().map(|incoming| incoming.row.region.clone());
    let levels = levels(change, &everything.regions, elsewhere.collect(), checking).await?;
    parents_first(&mut everything.regions, "regions", |row| row.parent.as_deref(), checking);
    parents_first(&mut everything.opds, "opds", |row| row.parent.as_deref(), checking);
    statuses(change, &mut everything.programmes, &mut everything.transitions, checking)?;
    let villages = levels.into_iter().filter(|(_, level)| *level == RegionLevel::Village).map(|(code, _)| code).collect();
    coverage(&mut everything.coverage, &villages, checking);
    records(&everything.evaluations, &everything.evaluation_records, checking);
    let kpis = everything.kpis.iter().map(|incoming| (incoming.row.code.as_str(), &incoming.row)).collect();
    for target in &everything.targets {
        let row = &target.row;
        of_kpi(&kpis, "targets", target.index, (&row.kpi, &row.period, row.value), checking);
    }
    for measurement in &everything.measurements {
        let row = &measurement.row;
        of_kpi(&kpis, "measurements", measurement.index, (&row.kpi, &row.period, row.value), checking);
    }
    sense::check(change, everything, checking).await?;
    revisions("measurements", &mut everything.measurements, checking);
    revisions("action_reports", &mut everything.action_reports, checking);
    lead(&mut everything.measurements);
    Ok(())
}

/// A region lies in one of the level above it. Gives the level of each region of the file and of `elsewhere`.
async fn levels(
    change: &Change,
    rows: &[Incoming<Thing<Region>>],
    elsewhere: BTreeSet<String>,
    checking: &mut Checking<'_>,
) -> ApiResult<HashMap<String, RegionLevel>> {
    let mut levels = rows.iter().map(|incoming| (incoming.row.code.clone(), incoming.row.level)).collect::<HashMap<_, _>>();
    let outside = rows.iter().filter_map(|incoming| incoming.row.parent.clone()).chain(elsewhere);
    let outside = outside.filter(|code| !levels.contains_key(code)).collect::<Vec<_>>();
    for some in outside.chunks(KEYS_AT_ONCE) {
        let found = region::Entity::find().filter(region::Column::Code.is_in(some.iter().cloned())).all(&change.db).await?;
        levels.extend(found.into_iter().map(|row| (row.code, row.level)));
    }
    for Incoming { index, row, .. } in rows {
        // A parent that is nowhere is a fault of its own.
        let parent: Option<RegionLevel> = row.parent.as_ref().and_then(|code| levels.get(code).copied());
        if row.parent.is_some() == parent.is_some() && !regions::lies_in(row.level, parent) {
            checking.fault("regions", *index, &regions::wrong_level());
        }
    }
    Ok(levels)
}

/// Puts what stands below something after it; a cycle is a fault.
fn parents_first<K: Kind>(
    rows: &mut Vec<Incoming<K>>,
    list: &'static str,
    parent: fn(&Row<K>) -> Option<&str>,
    checking: &mut Checking<'_>,
) {
    let parents = rows.iter().map(|incoming| (key_of::<K>(&incoming.row), parent(&incoming.row).map(str::to_owned)));
    let parents = parents.collect::<HashMap<_, _>>();
    let depth = |key: &str| {
        let above = std::iter::successors(parents.get(key), |parent| parents.get(parent.as_deref()?));
        above.take(parents.len() + 1).count()
    };
    let depths = rows.iter().map(|incoming| depth(&key_of::<K>(&incoming.row))).collect::<Vec<_>>();
    for (incoming, _) in rows.iter().zip(&depths).filter(|(_, depth)| **depth > parents.len()) {
        checking.fault_at(list, incoming.index, "/parent", "It stands below itself.");
    }
    let mut sorted = depths.into_iter().zip(std::mem::take(rows)).collect::<Vec<_>>();
    sorted.sort_by_key(|(depth, _)| *depth);
    rows.extend(sorted.into_iter().map(|(_, incoming)| incoming));
}

/// The status history of each programme: it begins as planned, and the last entry says the status.
fn statuses(
    change: &Change,
    programmes: &mut [Incoming<Thing<Programme>>],
    entries: &mut Vec<Incoming<Transition>>,
    checking: &mut Checking<'_>,
) -> ApiResult<()> {
    let mut of: HashMap<String, Vec<Incoming<Transition>>> = HashMap::new();
    for entry in std::mem::take(entries) {
        of.entry(entry.row.programme.clone()).or_default().push(entry);
    }
    for Incoming { index, row, .. } in programmes {
        let mut own = of.remove(&row.code).unwrap_or_default();
        if own.first().is_none_or(|first| first.row.to_status != ProgrammeStatus::Planned) {
            own.insert(0, Incoming { index: *index, since: None, was_taken: false, row: beginning(change, row) });
        }
        let mut before: Option<status_change::Model> = None;
        for (seq, entry) in (1..).zip(&mut own) {
            entry.row.seq = seq;
            entry.row.from_status = before.as_ref().map(|before| before.to_status);
            follows(before.as_ref(), entry, checking);
            before = Some(entry.row.clone());
        }
        row.status = before.map_or(ProgrammeStatus::Planned, |last| last.to_status);
        entries.extend(own);
    }
    Ok(())
}

fn beginning(change: &Change, row: &programme::Model) -> status_change::Model {
    transitions::beginning(change, &row.code, row.start_date)
}

/// Whether an entry may follow the one before it.
fn follows(before: Option<&status_change::Model>, entry: &Incoming<Transition>, checking: &mut Checking<'_>) {
    let Incoming { index, row, .. } = entry;
    if row.effective_on > checking.defaults.today {
        checking.fault_at("transitions", *index, "/effective_on", format!("Not after today, {}.", checking.defaults.today));
    }
    let Some(before) = before else { return };
    if let Err(illegal) = programme_status::check(before.to_status, row.to_status) {
        checking.fault_at("transitions", *index, "/to", illegal.to_string());
    }
    // The first entry only says since when the programme is known.
    if before.from_status.is_some() && row.effective_on < before.effective_on {
        let earliest = before.effective_on;
        checking.fault_at("transitions", *index, "/effective_on", format!("Not before the previous transition, {earliest}."));
    }
}

/// The entries of each village follow each other, as they do when they are recorded one by one.
fn coverage(entries: &mut [Incoming<Coverage>], villages: &HashSet<String>, checking: &mut Checking<'_>) {
    let mut known: HashMap<(String, String), Vec<Entry>> = HashMap::new();
    for Incoming { index, row, .. } in entries {
        if row.effective_on > checking.defaults.today {
            checking.fault_at("coverage", *index, "/effective_on", format!("Not after today, {}.", checking.defaults.today));
        }
        if !villages.contains(&row.region) {
            checking.fault_at("coverage", *index, "/region", format!("`{}` is no village.", row.region));
        }
        let own = known.entry((row.programme.clone(), row.region.clone())).or_default();
        match arrival(own, entry_of(row)) {
            Arrival::News => {}
            Arrival::Known(_) => checking.fault_at("coverage", *index, "", "An earlier entry says so already."),
            Arrival::TooEarly => checking.fault_at("coverage", *index, "/effective_on", "Not before the previous entry."),
        }
        own.push(entry_of(row));
        row.seq = i32::try_from(own.len()).unwrap_or(i32::MAX);
    }
}

/// A closed evaluation has its records, with the hashes that it names; an open one has none.
fn records(evaluations: &[Incoming<Thing<Evaluation>>], records: &[Incoming<EvaluationRecord>], checking: &mut Checking<'_>) {
    let of = records.iter().map(|record| ((record.row.evaluation.as_str(), record.row.audience.as_str()), &record.row.sha256));
    let of = of.collect::<HashMap<_, _>>();
    for Incoming { index, row, .. } in evaluations {
        let named =
            [("all", "/record_sha256", &row.record_sha256), ("published", "/public_record_sha256", &row.public_record_sha256)];
        for (audience, pointer, hash) in named {
            let frozen = of.get(&(row.code.as_str(), audience)).copied();
            if frozen != hash.as_ref() || frozen.is_some() != row.closed_at.is_some() {
                checking.fault_at(
                    "evaluations",
                    *index,
                    pointer,
                    "It does not go with the evaluation's records and its closing.",
                );
            }
        }
    }
}

/// A value has to be one of its KPI.
fn of_kpi(
    kpis: &HashMap<&str, &kpi::Model>,
    list: &'static str,
    index: usize,
    (code, period, value): (&str, &str, entity::value::decimal::Decimal),
    checking: &mut Checking<'_>,
) {
    // A KPI that is not there is a fault of its own.
    let Some((kpi, period)) = kpis.get(code).zip(Period::parse(period).ok()) else { return };
    value_faults(kpi, period, "/period", value, "/value").iter().for_each(|fault| checking.fault(list, index, fault));
}

/// A row of a report that is kept in revisions.
trait Revised: Kind {
    /// What the revisions are of.
    fn place(row: &Row<Self>) -> (&str, String);
    /// Its number, its state, and whether it is said from when it counts.
    fn revision(row: &Row<Self>) -> (i32, ReportState, bool);
    /// Sets whether it is the last.
    fn set_latest(row: &mut Row<Self>, latest: bool);
}

impl Revised for Measurement {
    fn place(row: &measurement::Model) -> (&str, String) {
        (&row.kpi, row.period.clone())
    }

    fn revision(row: &measurement::Model) -> (i32, ReportState, bool) {
        (row.revision, row.state, row.known_on.is_some())
    }

    fn set_latest(row: &mut measurement::Model, latest: bool) {
        row.latest = latest;
    }
}

impl Revised for ActionReport {
    fn place(row: &action_report::Model) -> (&str, String) {
        (&row.action, row.quarter.to_string())
    }

    fn revision(row: &action_report::Model) -> (i32, ReportState, bool) {
        (row.revision, row.state, row.known_on.is_some())
    }

    fn set_latest(row: &mut action_report::Model, latest: bool) {
        row.latest = latest;
    }
}

/// The revisions of each place count from 1, in the order of the list, and only the last may not count yet.
fn revisions<K: Revised>(list: &'static str, rows: &mut [Incoming<K>], checking: &mut Checking<'_>) {
    let mut last: HashMap<(String, String), usize> = HashMap::new();
    for at in 0..rows.len() {
        let (of, part) = K::place(&rows[at].row);
        let before = last.insert((of.to_owned(), part), at);
        let (revision, state, is_known) = K::revision(&rows[at].row);
        let expected = before.map_or(1, |before| K::revision(&rows[before].row).0 + 1);
        if revision != expected {
            checking.fault_at(list, rows[at].index, "/revision", format!("Expected {expected}."));
        }
        if is_known != (state == ReportState::Verified) {
            checking.fault_at(list, rows[at].index, "/known_on", "What is verified counts from a day, and nothing else does.");
        }
        if let Some(before) = before {
            if K::revision(&rows[before].row).1 != ReportState::Verified {
                checking.fault_at(list, rows[before].index, "/state", "Only the last revision may be other than verified.");
            }
            K::set_latest(&mut rows[before].row, false);
        }
        K::set_latest(&mut rows[at].row, true);
    }
}

/// A verified value leads its KPI if none that counted by then belongs to a later period or revision.
fn lead(rows: &mut [Incoming<Measurement>]) {
    let mut of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, incoming) in rows.iter().enumerate().filter(|(_, incoming)| incoming.row.counts_from.is_some()) {
        of.entry(incoming.row.kpi.clone()).or_default().push(place);
    }
    let rank = |row: &measurement::Model| (row.period_end, row.revision);
    for mut places in of.into_values() {
        // Of one day the highest comes first, so that the others of that day do not lead.
        places.sort_by_key(|place| (rows[*place].row.counts_from, std::cmp::Reverse(rank(&rows[*place].row))));
        let mut best = None;
        for place in places {
            let row = &mut rows[place].row;
            row.leads = best.is_none_or(|best| best < rank(row));
            best = best.max(Some(rank(row)));
        }
    }
}
