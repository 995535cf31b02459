//! What follows from several rows of a file: what they have to agree on, and what is computed from them.
//!
//! Rows come some hundred at a time, so what came before them is read from the database.

use std::cmp::max;
use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::measurement::{self, ReportState};
use entity::region::{self, RegionLevel};
use entity::rules::coverage::{Arrival, arrival};
use entity::rules::programme_status::{self, ProgrammeStatus};
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use entity::{action_report, coverage, kpi, programme, status_change};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ModelTrait, QueryFilter, QueryOrder};
use serde_json::Value;

use super::check::Checking;
use super::forms::{ActionReport, Coverage, EvaluationRecord, Measurement, ResourceRows, Transition};
use super::source::Source;
use super::state::{Import, Leading, write};
use super::{FileList, Incoming, ROWS_AT_ONCE, Row, key_of};
use crate::http::problem::{ApiResult, FieldError};
use crate::resources::evaluations::Evaluation;
use crate::resources::kpis::value_field_errors;
use crate::resources::programmes::coverage_entries::entry_of;
use crate::resources::programmes::{Programme, transitions};
use crate::resources::regions::{self, Region};

/// Goes through a list ahead of its turn, for what rows of an earlier list follow from. What cannot be read is reported later.
fn look_ahead<K: FileList>(source: &mut Source, list: &str, mut note: impl FnMut(&Value)) {
    let Ok(mut rows) = source.rows::<K>(list) else { return };
    while let Ok(some) = rows.next(ROWS_AT_ONCE) {
        if some.is_empty() {
            return;
        }
        some.iter().flatten().for_each(&mut note);
    }
}

/// The levels of regions.
async fn levels(import: &Import<'_>, codes: BTreeSet<String>) -> ApiResult<HashMap<String, RegionLevel>> {
    let rows = region::Entity::find().filter(region::Column::Code.is_in(codes)).all(&import.transaction.db).await?;
    Ok(rows.into_iter().map(|row| (row.code, row.level)).collect())
}

/// A region lies in one of the level above it.
pub(super) async fn regions(
    import: &mut Import<'_>,
    list: &'static str,
    rows: &mut [Incoming<ResourceRows<Region>>],
) -> ApiResult<()> {
    let mut levels = levels(import, rows.iter().filter_map(|row| row.row.parent.clone()).collect()).await?;
    levels.extend(rows.iter().map(|row| (row.row.code.clone(), row.row.level)));
    for row in rows {
        let parent = row.row.parent.as_ref().and_then(|code| levels.get(code).copied());
        if !regions::lies_in(row.row.level, parent) {
            import.checking.refuse(list, row, &regions::wrong_level());
        }
    }
    Ok(())
}

/// Reads the status histories of all programmes ahead: the status of a programme is the last of its history.
pub(super) fn read_statuses(import: &mut Import<'_>, source: &mut Source) {
    let statuses = &mut import.statuses;
    look_ahead::<Transition>(source, "transitions", |value| {
        let to = serde_json::from_value::<ProgrammeStatus>(value["to"].clone());
        if let (Some(programme), Ok(to)) = (value["programme"].as_str(), to) {
            statuses.entry(programme.to_owned()).and_modify(|(_, last)| *last = to).or_insert((to, to));
        }
    });
}

/// The status of each programme.
pub(super) fn statuses(import: &Import<'_>, rows: &mut [Incoming<ResourceRows<Programme>>]) {
    for row in rows {
        row.row.status = import.statuses.get(&row.row.code).map_or(ProgrammeStatus::Planned, |(_, last)| *last);
    }
}

/// A status history begins as planned, also where the file does not say so.
pub(super) async fn begin(import: &mut Import<'_>, rows: &[Incoming<ResourceRows<Programme>>]) -> ApiResult<()> {
    let begins =
        |row: &&programme::Model| import.statuses.get(&row.code).is_none_or(|(first, _)| *first != ProgrammeStatus::Planned);
    let unsaid = rows.iter().map(|row| &row.row).filter(begins);
    let entries = unsaid.map(|row| transitions::beginning(import.transaction, &row.code, row.start_date));
    let mut entries = entries.map(Incoming::<Transition>::made).collect::<Vec<_>>();
    import.beginnings += entries.len();
    if entries.is_empty() { Ok(()) } else { write(import, &mut entries).await }
}

/// Each entry of a status history begins where the one before it ends.
pub(super) async fn transitions(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Transition>]) -> ApiResult<()> {
    use status_change::Column;
    let programmes = rows.iter().map(|row| row.row.programme.clone()).collect::<BTreeSet<_>>();
    let before = status_change::Entity::find().filter(Column::Programme.is_in(programmes)).order_by_asc(Column::Seq);
    let before = before.all(&import.transaction.db).await?;
    let mut last = before.into_iter().map(|row| (row.programme.clone(), row)).collect::<HashMap<_, _>>();
    for row in rows {
        if import.checking.is_spoiled(list, row.subject.as_deref()) {
            import.checking.drop_row(list, row);
            continue;
        }
        let before = last.get(&row.row.programme);
        row.row.seq = before.map_or(1, |before| before.seq + 1);
        row.row.from_status = before.map(|before| before.to_status);
        follows(before, row, list, import.defaults.today, &mut import.checking);
        last.insert(row.row.programme.clone(), row.row.clone());
    }
    Ok(())
}

/// Whether an entry may follow the one before it.
fn follows(
    before: Option<&status_change::Model>,
    row: &mut Incoming<Transition>,
    list: &'static str,
    today: NaiveDate,
    checking: &mut Checking,
) {
    let (to, effective_on) = (row.row.to_status, row.row.effective_on);
    if effective_on > today {
        checking.refuse_at(list, row, "/effective_on", format!("Not after today, {today}."));
    }
    let Some(before) = before else { return };
    if let Err(illegal) = programme_status::check(before.to_status, to) {
        checking.refuse_at(list, row, "/to", illegal.to_string());
    }
    // The first entry only says since when the programme is known.
    if before.from_status.is_some() && effective_on < before.effective_on {
        let earliest = before.effective_on;
        checking.refuse_at(list, row, "/effective_on", format!("Not before the previous transition, {earliest}."));
    }
}

/// The entries of each village follow each other, as they do when they are recorded one by one.
pub(super) async fn villages(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Coverage>]) -> ApiResult<()> {
    use coverage::Column;
    let codes = |of: fn(&coverage::Model) -> &String| rows.iter().map(|row| of(&row.row).clone()).collect::<BTreeSet<_>>();
    let (programmes, places) = (codes(|row| &row.programme), codes(|row| &row.region));
    let levels = levels(import, places.clone()).await?;
    let before = coverage::Entity::find().filter(Column::Programme.is_in(programmes)).filter(Column::Region.is_in(places));
    let mut known: HashMap<(String, String), Vec<_>> = HashMap::new();
    for row in before.order_by_asc(Column::Seq).all(&import.transaction.db).await? {
        known.entry((row.programme.clone(), row.region.clone())).or_default().push(entry_of(&row));
    }
    let today = import.defaults.today;
    for row in rows {
        let checking = &mut import.checking;
        if checking.is_spoiled(list, row.subject.as_deref()) {
            checking.drop_row(list, row);
            continue;
        }
        if row.row.effective_on > today {
            checking.refuse_at(list, row, "/effective_on", format!("Not after today, {today}."));
        }
        if levels.get(&row.row.region) != Some(&RegionLevel::Village) {
            let message = format!("`{}` is no village.", row.row.region);
            checking.refuse_at(list, row, "/region", message);
        }
        let own = known.entry((row.row.programme.clone(), row.row.region.clone())).or_default();
        match arrival(own, entry_of(&row.row)) {
            Arrival::News => {}
            Arrival::Known(_) => checking.refuse_at(list, row, "", "An earlier entry says so already."),
            Arrival::TooEarly => checking.refuse_at(list, row, "/effective_on", "Not before the previous entry."),
        }
        own.push(entry_of(&row.row));
        row.row.seq = i32::try_from(own.len()).unwrap_or(i32::MAX);
    }
    Ok(())
}

/// Reads the hashes of the records of closed evaluations ahead.
pub(super) fn read_records(import: &mut Import<'_>, source: &mut Source) {
    let records = &mut import.records;
    look_ahead::<EvaluationRecord>(source, "evaluation_records", |value| {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        records.insert((text("evaluation"), text("audience")), text("sha256"));
    });
}

/// A closed evaluation has its records, with the hashes that it names; an open one has none.
pub(super) fn records(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<ResourceRows<Evaluation>>]) {
    for row in rows {
        let named = [
            ("all", "/record_sha256", row.row.record_sha256.clone()),
            ("published", "/public_record_sha256", row.row.public_record_sha256.clone()),
        ];
        for (audience, pointer, hash) in named {
            let frozen = import.records.get(&(row.row.code.clone(), audience.to_owned()));
            if frozen != hash.as_ref() || frozen.is_some() != row.row.closed_at.is_some() {
                let message = "It does not go with the evaluation's records and its closing.";
                import.checking.refuse_at(list, row, pointer, message);
            }
        }
    }
}

/// Values have to be such as their KPI has.
pub(super) async fn of_kpis<K: FileList>(
    import: &mut Import<'_>,
    list: &'static str,
    rows: &mut [Incoming<K>],
    value: fn(&Row<K>) -> (&str, &str, Decimal),
    of_new: fn(&kpi::Model, Decimal) -> Option<FieldError>,
) -> ApiResult<()> {
    let codes = rows.iter().map(|row| value(&row.row).0.to_owned()).collect::<BTreeSet<_>>();
    let kpis = kpi::Entity::find().filter(kpi::Column::Code.is_in(codes)).all(&import.transaction.db).await?;
    let kpis = kpis.into_iter().map(|row| (row.code.clone(), row)).collect::<HashMap<_, _>>();
    for row in rows {
        let (code, period, value) = value(&row.row);
        let Some((kpi, period)) = kpis.get(code).zip(Period::parse(period).ok()) else { continue };
        let new = (!row.was_taken).then(|| of_new(kpi, value)).flatten();
        for field_error in value_field_errors(kpi.scale(), period, "/period", value, "/value").into_iter().chain(new) {
            import.checking.refuse(list, row, &field_error);
        }
    }
    Ok(())
}

/// A row of a report that is kept in revisions.
pub(super) trait Revised: FileList {
    /// The column that says whether it is the last.
    fn latest() -> super::Column<Self>;
    /// Its number, its state, and whether it is said from when it counts.
    fn revision(row: &Row<Self>) -> (i32, ReportState, bool);
    /// Sets whether it is the last.
    fn set_latest(row: &mut Row<Self>, latest: bool);
}

impl Revised for Measurement {
    fn latest() -> measurement::Column {
        measurement::Column::Latest
    }

    fn revision(row: &measurement::Model) -> (i32, ReportState, bool) {
        (row.revision, row.state, row.known_on.is_some())
    }

    fn set_latest(row: &mut measurement::Model, latest: bool) {
        row.latest = latest;
    }
}

impl Revised for ActionReport {
    fn latest() -> action_report::Column {
        action_report::Column::Latest
    }

    fn revision(row: &action_report::Model) -> (i32, ReportState, bool) {
        (row.revision, row.state, row.known_on.is_some())
    }

    fn set_latest(row: &mut action_report::Model, latest: bool) {
        row.latest = latest;
    }
}

/// What a revision is one of: what it is about, and the part of time.
fn place<K: Revised>(row: &Row<K>) -> String {
    key_of::<K>(row).rsplit_once('/').map(|(place, _)| place.to_owned()).unwrap_or_default()
}

/// The revisions of each place count from 1, in the order of the list, and only the last may not count yet.
pub(super) async fn revisions<K: Revised>(
    import: &mut Import<'_>,
    list: &'static str,
    rows: &mut [Incoming<K>],
) -> ApiResult<()> {
    let mut last = latest(import, rows).await?;
    // The row of this place that came last, where it is one of these.
    let (mut own, mut outdone) = (HashMap::new(), Vec::new());
    for at in 0..rows.len() {
        if import.checking.is_spoiled(list, rows[at].subject.as_deref()) {
            import.checking.drop_row(list, &mut rows[at]);
            continue;
        }
        let (place, (revision, state, is_known)) = (place::<K>(&rows[at].row), K::revision(&rows[at].row));
        let before = last.insert(place.clone(), (revision, state));
        let expected = before.map_or(1, |(revision, _)| revision + 1);
        if revision < expected {
            let message = format!("`{}` stands there twice.", key_of::<K>(&rows[at].row));
            import.checking.refuse_at(list, &mut rows[at], "", message);
        } else if revision != expected {
            import.checking.refuse_at(list, &mut rows[at], "/revision", format!("Expected {expected}."));
        }
        if is_known != (state == ReportState::Verified) {
            let message = "What is verified counts from a day, and nothing else does.";
            import.checking.refuse_at(list, &mut rows[at], "/known_on", message);
        }
        if before.is_some_and(|(_, state)| state != ReportState::Verified) {
            let message = "Only the last revision may be other than verified, and the one before this is not.";
            import.checking.refuse_at(list, &mut rows[at], "/revision", message);
        }
        K::set_latest(&mut rows[at].row, true);
        match own.insert(place, at) {
            Some(earlier) => K::set_latest(&mut rows[earlier].row, false),
            None if before.is_some() => outdone.push(at),
            None => {}
        }
    }
    outdo::<K>(import, outdone.into_iter().map(|at| &rows[at].row)).await
}

/// The number and the state of the latest revision of each place of `rows` that is there.
async fn latest<K: Revised>(import: &Import<'_>, rows: &[Incoming<K>]) -> ApiResult<HashMap<String, (i32, ReportState)>> {
    let order = K::order();
    let mut select = K::Entity::find().filter(Expr::col("latest").eq(true));
    for column in &order[..2] {
        select = select.filter(column.is_in(rows.iter().map(|row| row.row.get(*column))));
    }
    let there = select.all(&import.transaction.db).await?;
    let revision = |row: &Row<K>| {
        let (revision, state, _) = K::revision(row);
        (place::<K>(row), (revision, state))
    };
    Ok(there.iter().map(revision).collect())
}

/// Those that are there are the latest of their places no more.
async fn outdo<'a, K: Revised>(import: &Import<'_>, by: impl Iterator<Item = &'a Row<K>>) -> ApiResult<()>
where
    Row<K>: 'a,
{
    let order = K::order();
    let mut places = Condition::any();
    for row in by {
        let place = order[..2].iter().map(|column| Expr::col(*column).eq(row.get(*column)));
        places = places.add(place.fold(Condition::all(), |all, one| all.add(one)));
    }
    if places.is_empty() {
        return Ok(());
    }
    let update = K::Entity::update_many().col_expr(K::latest(), Expr::value(false));
    update.filter(Expr::col("latest").eq(true)).filter(places).exec(&import.transaction.db).await?;
    Ok(())
}

/// Notes which values lead their KPI: those beside which none that counted by then belongs to a later period or revision.
/// Where they come in the order of the days from which they count, as they do in an export, that is known at once.
pub(super) fn lead(leading: &mut HashMap<String, Leading>, rows: &mut [Incoming<Measurement>]) {
    for row in rows {
        let row = &mut row.row;
        let Some(counts_from) = row.counts_from else { continue };
        if !leading.contains_key(&row.kpi) {
            leading.insert(row.kpi.clone(), Leading::default());
        }
        let Some(leading) = leading.get_mut(&row.kpi) else { continue };
        let rank = (row.period_end, row.revision);
        let (is_later, is_higher) = match leading.last {
            None => (true, true),
            Some((last, best)) => {
                // Of one day only the highest leads.
                leading.is_unsure |= counts_from < last || (counts_from == last && best < rank);
                (last < counts_from, best < rank)
            }
        };
        row.leads = is_later && is_higher;
        leading.last = Some(leading.last.map_or((counts_from, rank), |(last, best)| (max(last, counts_from), max(best, rank))));
    }
}

/// Computes which values lead their KPI, where that was not known when they came.
pub(super) async fn lead_again(import: &mut Import<'_>) -> ApiResult<()> {
    let leading = std::mem::take(&mut import.leading);
    for (kpi, _) in leading.into_iter().filter(|(_, leading)| leading.is_unsure) {
        lead_of(import, &kpi).await?;
    }
    Ok(())
}

async fn lead_of(import: &Import<'_>, kpi: &str) -> ApiResult<()> {
    use measurement::Column;
    use sea_orm::QuerySelect;
    let of_kpi = || measurement::Entity::find().filter(Column::Kpi.eq(kpi)).filter(Column::CountsFrom.is_not_null());
    let columns = [Column::Period, Column::Revision, Column::PeriodEnd, Column::CountsFrom, Column::Leads];
    let mut rows = of_kpi()
        .select_only()
        .columns(columns)
        .into_tuple::<(String, i32, NaiveDate, NaiveDate, bool)>()
        .all(&import.transaction.db)
        .await?;
    // Of one day the highest comes first, so that the others of that day do not lead.
    rows.sort_by_key(|(_, revision, end, counts_from, _)| (*counts_from, std::cmp::Reverse((*end, *revision))));
    let (mut best, mut wrong, mut missing) = (None, Vec::new(), Vec::new());
    for (period, revision, end, _, leads) in rows {
        let rank = Some((end, revision));
        let should = best < rank;
        best = max(best, rank);
        match (leads, should) {
            (true, false) => wrong.push((period, revision)),
            (false, true) => missing.push((period, revision)),
            _ => {}
        }
    }
    // In this order, as two of one day never lead.
    for (which, leads) in [(wrong, false), (missing, true)] {
        for some in which.chunks(ROWS_AT_ONCE) {
            let these = some.iter().fold(Condition::any(), |any, (period, revision)| {
                any.add(Column::Period.eq(period.as_str()).and(Column::Revision.eq(*revision)))
            });
            let update = measurement::Entity::update_many().col_expr(Column::Leads, Expr::value(leads));
            update.filter(Column::Kpi.eq(kpi)).filter(these).exec(&import.transaction.db).await?;
        }
    }
    Ok(())
}
