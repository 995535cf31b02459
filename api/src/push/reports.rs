//! Pushes of what is reported on: measurements of KPIs, and what was done of actions. What becomes of their rows is the same.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Display;

use chrono::{DateTime, NaiveDate, Utc};
use entity::rules::review::{Arrival, Stored, arrival};
use futures_util::TryStreamExt;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rows::{Column, Row};
use super::{Outcome, Pushed};
use crate::http::body;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, Fault};
use crate::resources::references::{Target, unknown};
use crate::resources::reporting::course::Course;
use crate::resources::reporting::flow::{hand_in, reason_required, written_action};
use crate::resources::reporting::{Place, Report, Subject, Written};
use crate::store::bulk;
use crate::store::change::{Change, Happening};

/// A row that is a report: the whole of it, as `PUT` takes it, with its key.
pub trait Reported: DeserializeOwned + ToSchema + 'static {
    /// The kind of report.
    type Report: Report<Part: Serialize + Display, Shown: Serialize>;
    /// What it is about.
    const OF: Target;
    /// The type of the part of time in SQL.
    const PART: &'static str;
    /// The columns of the CSV form.
    const COLUMNS: &'static [Column];

    /// The code or id of what it is about.
    fn of(&self) -> &str;

    /// The part of time.
    fn part(&self) -> <Self::Report as Report>::Part;

    /// When the source system last changed it.
    fn changed_at(&self) -> Option<DateTime<Utc>>;

    /// What `PUT` takes.
    fn input(&self) -> <Self::Report as Report>::Input;

    /// Whether it says what is stored.
    fn says(&self, stored: &Self::Report) -> bool;

    /// Whether it says the same as another row of the push.
    fn repeats(&self, other: &Self) -> bool;

    /// Which report it is.
    fn place(&self) -> Place {
        Place { of: self.of().to_owned(), part: self.part().to_string() }
    }

    /// What is stored, as far as this row is concerned.
    fn beside(&self, stored: &Self::Report) -> Stored {
        let is_newer = self.changed_at().zip(stored.changed_at()).is_some_and(|(own, stored)| own < stored);
        Stored { state: stored.state(), is_same: self.says(stored), is_newer }
    }
}

/// What is written: which of the rows, each with what it takes the place of.
pub struct Plan<R> {
    writes: Vec<(usize, Option<Box<R>>)>,
    submits: bool,
}

/// What is known of the things that the rows are about.
struct Known<R: Report> {
    subjects: HashMap<String, Subject<R>>,
    /// The OPDs that the actor may write for; `None` for all.
    covered: Option<HashSet<String>>,
    /// The last revisions by their places, until they are taken into the plan.
    stored: HashMap<String, Box<R>>,
    submits: bool,
    today: NaiveDate,
}

impl<T: Reported> Pushed for T {
    type May = <T::Report as Report>::May;
    type Plan = Plan<T::Report>;
    const COLUMNS: &'static [Column] = <T as Reported>::COLUMNS;

    fn read(value: Value) -> Result<Self, Vec<Fault>> {
        body::accept_or_faults(value)
    }

    fn key(&self) -> String {
        self.place().to_string()
    }

    async fn decide(change: &Change, rows: &[Row<Self>], submits: bool) -> ApiResult<(Vec<Outcome>, Self::Plan)> {
        let good = rows.iter().filter_map(|row| row.read.as_ref().ok());
        let subjects = subjects::<T::Report>(change, good.clone().map(|row| row.of()).collect()).await?;
        let (covered, stored, today) = (change.covered().await?, stored(change, good).await?, change.today);
        let mut known = Known { subjects, covered, stored, submits, today };
        let (mut writes, mut seen) = (Vec::new(), HashMap::new());
        let outcomes = rows.iter().enumerate().map(|(index, row)| match &row.read {
            Err(faults) => Outcome::Rejected(faults.clone()),
            Ok(row) => known.judge(row, &mut seen, |before| writes.push((index, before))),
        });
        let mut outcomes = outcomes.collect::<Vec<_>>();
        if T::Report::BESIDE_OTHERS {
            let written = writes.iter().filter_map(|(index, before)| {
                let row = rows.get(*index)?.read.as_ref().ok()?;
                Some(Written { of: row.of(), part: row.part(), input: row.input(), before: before.as_deref() })
            });
            let faults = T::Report::faults_together(change, &written.collect::<Vec<_>>()).await?;
            let mut places = 0..;
            writes.retain(|(index, _)| {
                let fault = places.next().and_then(|place| faults.get(&place));
                fault.into_iter().for_each(|fault| outcomes[*index] = Outcome::Rejected(vec![fault.clone()]));
                fault.is_none()
            });
        }
        Ok((outcomes, Plan { writes, submits }))
    }

    async fn write(change: &Change, rows: &[Row<Self>], plan: Self::Plan) -> ApiResult<()> {
        supersede(change, plan.writes.iter().filter_map(|(_, before)| before.as_deref())).await?;
        let read = |index: &usize| rows.get(*index)?.read.as_ref().ok();
        // Each row is made when its turn comes, and again for its event: all of them would take more than the push itself.
        let writes = || {
            let made = |row: &Self, before: Option<&T::Report>| made(change, row, before, plan.submits);
            plan.writes.iter().filter_map(move |(index, before)| Some((before.as_deref(), made(read(index)?, before.as_deref()))))
        };
        bulk::upsert::<T::Report>(&change.db, writes().map(|(_, after)| after)).await?;
        let keys = plan.writes.iter().filter_map(|(index, _)| read(index).map(Self::key)).collect::<Vec<_>>();
        let happenings = writes().zip(&keys).map(|((before, after), key)| Happening {
            resource: T::Report::KIND.name(),
            key,
            action: written_action(before),
            version: after.course().version,
            before: before.map(<T::Report as Report>::Shown::from),
            after: Some(<T::Report as Report>::Shown::from(&after)),
        });
        change.record_all(happenings).await
    }
}

/// The row that is stored in the place of `before`.
fn made<T: Reported>(change: &Change, row: &T, before: Option<&T::Report>, submits: bool) -> T::Report {
    let mut after = T::Report::drafted(change, row.of(), row.part(), before, row.input());
    if submits {
        hand_in(change, &mut after);
    }
    after
}

impl<R: Report> Known<R> {
    /// What becomes of a row; `write` takes what a row that is written takes the place of.
    fn judge<'a, T: Reported<Report = R>>(
        &mut self,
        row: &'a T,
        seen: &mut HashMap<String, &'a T>,
        write: impl FnOnce(Option<Box<R>>),
    ) -> Outcome {
        let input = row.input();
        let faults = self.faults(row, &input);
        if !faults.is_empty() {
            return Outcome::Rejected(faults);
        }
        let key = row.place().to_string();
        let before = self.stored.remove(&key);
        if let Some(earlier) = seen.insert(key, row) {
            return if row.repeats(earlier) { Outcome::Unchanged } else { Outcome::Rejected(vec![duplicate()]) };
        }
        let outcome = match arrival(before.as_deref().map(|before| row.beside(before)), self.submits) {
            Arrival::Unchanged => return Outcome::Unchanged,
            Arrival::Stale => return Outcome::Stale,
            Arrival::Revision if R::reason(&input).is_none() => return Outcome::Rejected(vec![reason_required()]),
            Arrival::New => Outcome::Created,
            Arrival::Replacement | Arrival::Revision => Outcome::Updated,
        };
        write(before);
        outcome
    }

    /// Every fault that the row has beside what is stored.
    fn faults<T: Reported<Report = R>>(&self, row: &T, input: &R::Input) -> Vec<Fault> {
        let pointer = format!("/{}", R::WORDS.of);
        let Some(subject) = self.subjects.get(row.of()) else {
            return vec![unknown(pointer, T::OF, row.of())];
        };
        let opd = R::opd(subject);
        if self.covered.as_ref().is_some_and(|covered| !covered.contains(opd)) {
            return vec![outside(&pointer, opd)];
        }
        let mut faults = R::faults(subject, row.part(), input);
        faults.extend(R::early(subject, row.part(), self.today));
        faults
    }
}

/// The fault of a row that belongs to an OPD which the actor may not write for.
pub(super) fn outside(pointer: &str, opd: &str) -> Fault {
    let text = Text::new(
        format!("It belongs to `{opd}`, not to your OPD or one below it."),
        format!("Ini milik `{opd}`, bukan OPD Anda atau di bawahnya."),
    );
    Fault::at(pointer, "outside_own_opd", text)
}

/// The fault of a row whose key came before in the same push, with something else.
pub(super) fn duplicate() -> Fault {
    let text = Text::new(
        "An earlier row has the same key and says something else.",
        "Baris sebelumnya memiliki kunci sama dengan isi berbeda.",
    );
    Fault::at("", "duplicate_key", text)
}

/// What the rows are about, kept from others until the commit; in one order, so that pushes that overlap wait for each other
/// instead of for ever. One statement.
async fn subjects<R: Report>(change: &Change, keys: BTreeSet<&str>) -> ApiResult<HashMap<String, Subject<R>>> {
    let key = R::WORDS.of_key;
    let found = R::Subject::find().filter(Expr::col(key).is_in(keys)).order_by_asc(Expr::col(key)).lock_exclusive();
    Ok(found.all(&change.db).await?.into_iter().map(|subject| (R::key(&subject).to_owned(), subject)).collect())
}

/// The last revisions that stand where the rows go. The keys are one parameter, so that it is one statement for any number.
async fn stored<'a, T: Reported>(
    change: &Change,
    rows: impl Iterator<Item = &'a T>,
) -> ApiResult<HashMap<String, Box<T::Report>>> {
    let keys = rows.map(|row| json!({ "subject": row.of(), "part": row.part() })).collect::<Vec<_>>();
    let backend = change.db.get_database_backend();
    let (table, of, part, kind) = (T::Report::KIND.name(), T::Report::WORDS.of, T::Report::WORDS.part, T::PART);
    let on = format!("m.{of} = k.subject AND m.{part} = k.part WHERE m.latest");
    // CROSS JOIN keeps SQLite from reading the table first; the database holds one latest row for each key.
    let sql = match backend {
        DbBackend::Postgres => format!(
            "SELECT DISTINCT ON (m.{of}, m.{part}) m.* FROM json_to_recordset($1::json) AS k(subject text, part {kind}) JOIN {table} m ON {on}"
        ),
        _ => format!(
            "SELECT m.* FROM (SELECT json_extract(value, '$.subject') AS subject, json_extract(value, '$.part') AS part \
             FROM json_each($1)) k CROSS JOIN {table} m ON {on}"
        ),
    };
    let statement = Statement::from_sql_and_values(backend, sql, [json!(keys).to_string().into()]);
    let found = <T::Report as Report>::Table::find().from_raw_sql(statement).stream(&change.db).await?;
    Ok(found.map_ok(|row| (row.place().to_string(), Box::new(row))).try_collect().await?)
}

/// Takes the mark of the last revision from those that count. At most one statement.
async fn supersede<R: Report>(change: &Change, befores: impl Iterator<Item = &R>) -> ApiResult<()> {
    let revised = befores.filter(|row| row.course().counts());
    let superseded = revised.map(|row| {
        let mut row = row.clone();
        row.follow(Course { latest: false, ..row.course() });
        row
    });
    bulk::upsert::<R>(&change.db, superseded).await
}
