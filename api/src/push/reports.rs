//! Pushes of reports: measurements of KPIs, and reports on actions. The results of their rows are decided alike.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use entity::measurement::ReportState;
use entity::rules::review::{Arrival, Stored, arrival};
use sea_orm::FromQueryResult;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::rows::Row;
use super::{Outcome, Pushed, clock, schema};
use crate::crud::references::unknown;
use crate::csv::column::{Column, nested};
use crate::http::body;
use crate::http::json::merge;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, FieldError};
use crate::http::schema as json_schema;
use crate::resources::reporting::flow::{hand_in, reason_required, written_action};
use crate::resources::reporting::many::{self, Locked};
use crate::resources::reporting::review_state::ReviewState;
use crate::resources::reporting::{Report, ReportKey, Written};
use crate::store::transaction::{AuditEvent, FirstEvent, WriteTransaction};

/// Rows that are written at once.
const AT_ONCE: usize = 1_000;

/// The members that say when or why a report was written, and not what it reports.
const ASIDE: [&str; 2] = ["source_updated_at", "reason"];

/// A kind of report that is pushed.
pub(super) trait Reported: Report<Part: DeserializeOwned> {
    /// The schema of the key of a row: the KPI and the period, or the action and the quarter.
    fn key_schema() -> Value;

    /// The key of the KPI or action as it is stored, for the text by which a row names it.
    fn key_of(text: &str) -> String {
        text.to_owned()
    }

    /// What of a stored report a row is compared with.
    type Compared: Compared + for<'a> From<&'a Self>;

    /// The stored report in the form that `PUT` takes.
    fn said(stored: &Self::Compared) -> Map<String, Value>;

    /// The members by which two reports are compared: not when or why they were written.
    fn content(input: &Self::Input) -> Value;
}

/// What of a stored report a row is compared with. Most rows of most pushes change nothing, so nothing else is read of their reports.
pub(super) trait Compared: FromQueryResult + Send + 'static {
    /// The columns that it is read from.
    const COLUMNS: &'static [&'static str];

    /// The key of the report.
    fn place(&self) -> ReportKey;

    /// The review state.
    fn state(&self) -> ReportState;

    /// The number of the revision.
    fn revision(&self) -> i32;

    /// When the source system last changed the report.
    fn changed_at(&self) -> Option<DateTime<Utc>>;
}

/// Makes what of a stored report a row is compared with: its key, these columns, and those that every kind has.
macro_rules! compared {
    ($(#[$about:meta])* $name:ident: $of:ident, $part:ident: $part_type:ty; $($column:ident: $type:ty),*) => {
        compared!(@all $(#[$about])* $name, $of, $part; $of: String, $part: $part_type, revision: i32, evidence: serde_json::Value,
            source_updated_at: Option<chrono::DateTime<chrono::Utc>>, state: entity::measurement::ReportState, $($column: $type),*);
    };
    (@all $(#[$about:meta])* $name:ident, $of:ident, $part:ident; $($column:ident: $type:ty),*) => {
        $(#[$about])*
        #[derive(sea_orm::FromQueryResult)]
        pub(super) struct $name {
            $($column: $type),*
        }

        impl From<&Model> for $name {
            fn from(row: &Model) -> Self {
                Self { $($column: row.$column.clone()),* }
            }
        }

        impl $crate::push::reports::Compared for $name {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),*];

            fn place(&self) -> $crate::resources::reporting::ReportKey {
                $crate::resources::reporting::ReportKey { of: self.$of.clone(), part: self.$part.to_string() }
            }

            fn state(&self) -> entity::measurement::ReportState {
                self.state
            }

            fn revision(&self) -> i32 {
                self.revision
            }

            fn changed_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
                self.source_updated_at
            }
        }
    };
}
pub(super) use compared;

/// A row: the report that it is about, and the members that it names.
pub(super) struct ReportRow<R: Reported> {
    place: ReportKey,
    part: R::Part,
    /// When the source system last changed the report.
    changed_at: Option<DateTime<Utc>>,
    /// The members that the row names, except its key.
    named: Map<String, Value>,
}

/// A row that is to be written, with the revision that it replaces or follows.
pub(super) struct Write<R: Report> {
    /// The number of the row, from 0.
    index: usize,
    /// What it reports, laid over what is stored.
    input: R::Input,
    /// The revision that it replaces or follows, once it was read.
    before: Option<Box<R>>,
    /// Whether the row only submits what is stored.
    only_submits: bool,
}

/// The plan of what is to be written.
pub(super) struct Plan<R: Report> {
    writes: Vec<Write<R>>,
    submits: bool,
}

/// The stored data that the rows need.
struct Known<R: Reported> {
    subjects: HashMap<String, R::Subject>,
    /// The OPDs for which the actor may write; `None` for all.
    covered: Option<HashSet<String>>,
    /// The stored reports, by key.
    stored: HashMap<String, Standing<R::Compared>>,
    /// The members that a report must have.
    needed: Arc<[String]>,
    today: NaiveDate,
}

/// What is stored for one report.
struct Standing<C> {
    /// The last revision.
    latest: C,
    /// The revision that is in force while the last one is not verified yet.
    in_force: Option<C>,
}

impl<R: Reported> ReportRow<R> {
    /// The members of a report, with those that the row names laid over them.
    fn over(&self, stored: Map<String, Value>) -> Value {
        let mut whole = Value::Object(stored);
        merge(&mut whole, Value::Object(self.named.clone()));
        whole
    }

    /// Whether everything that the row names has the same value in `stored`.
    fn says(&self, stored: &Map<String, Value>) -> bool {
        // Most repeated values have the same text as the stored ones, which is quick to check.
        if self.named.iter().all(|(name, value)| ASIDE.contains(&name.as_str()) || stored.get(name) == Some(value)) {
            return true;
        }
        let content = |value: Value| serde_json::from_value::<R::Input>(value).ok().map(|input| R::content(&input));
        content(self.over(stored.clone())) == content(Value::Object(stored.clone()))
    }

    fn input(&self, before: Option<&R::Compared>) -> Result<R::Input, FieldError> {
        body::deserialize_or_field_error(self.over(before.map(R::said).unwrap_or_default()))
    }

    /// What is stored, as far as the row needs it.
    fn beside(&self, stored: &Standing<R::Compared>, now: DateTime<Utc>) -> Stored {
        let is_newer = clock::is_newer(stored.latest.changed_at(), self.changed_at, now);
        let is_in_force = stored.in_force.as_ref().is_some_and(|row| self.says(&R::said(row)));
        Stored { state: stored.latest.state(), is_same: self.says(&R::said(&stored.latest)), is_in_force, is_newer }
    }
}

impl<R: Reported> Pushed for ReportRow<R> {
    type May = <R as Report>::May;
    type Plan = Plan<R>;

    fn schema() -> Value {
        let key = R::key_schema()["properties"].as_object().cloned().unwrap_or_default();
        let about = format!(
            "A row of a push, about {}. It holds the key, which is `{}` and `{}`, and the members that change.",
            R::WORDS.a,
            R::WORDS.of,
            R::WORDS.part
        );
        schema::of_row(json_schema::input::<R::Input>(), key, &about)
    }

    fn columns() -> Vec<Column> {
        let shown = json_schema::input::<R::Shown>();
        let exported = shown["properties"].as_object().into_iter().flat_map(|members| members.keys().cloned());
        let mut columns = schema::columns(&Self::schema(), exported);
        // The first piece of evidence may have columns of its own.
        let evidence = &Self::schema()["properties"]["evidence"];
        let piece = json!({ "properties": { "evidence_0": evidence["items"] } });
        columns.extend(nested(&piece).into_iter().map(|column| {
            let member = column.name.trim_start_matches("evidence_0.").to_owned();
            Column { name: format!("evidence_{member}"), pointer: format!("/evidence/0/{member}"), ..column }
        }));
        columns
    }

    fn read(value: Value) -> Result<Self, Vec<FieldError>> {
        let field_errors = body::field_errors_of(&value, &body::cached(TypeId::of::<Self>(), Self::schema));
        if !field_errors.is_empty() {
            return Err(field_errors);
        }
        let Value::Object(mut named) = value else { return Err(Vec::new()) };
        let of = named.remove(R::WORDS.of).and_then(|of| of.as_str().map(R::key_of)).unwrap_or_default();
        let time =
            Map::from_iter([("source_updated_at".to_owned(), named.get("source_updated_at").cloned().unwrap_or_default())]);
        let part = json!({ (R::WORDS.part): named.remove(R::WORDS.part) });
        let part = body::deserialize_or_field_error::<HashMap<String, R::Part>>(part).map(|parts| parts.into_values().next());
        let time = body::deserialize_or_field_error::<HashMap<String, Option<DateTime<Utc>>>>(Value::Object(time));
        match (part, time) {
            (Ok(Some(part)), Ok(time)) => {
                let place = ReportKey { of, part: part.to_string() };
                Ok(Self { place, part, changed_at: time.into_values().next().flatten(), named })
            }
            (part, time) => Err(part.err().into_iter().chain(time.err()).collect()),
        }
    }

    fn key(&self) -> String {
        self.place.to_string()
    }

    fn writes(plan: &Plan<R>) -> bool {
        !plan.writes.is_empty()
    }

    async fn decide(transaction: &WriteTransaction, rows: &[Row<Self>], submits: bool) -> ApiResult<(Vec<Outcome>, Self::Plan)> {
        let good = rows.iter().filter_map(|row| row.read.as_ref().ok());
        let known = Known {
            subjects: many::subjects::<R>(transaction, good.clone().map(|row| row.place.of.as_str()), Locked::Waits).await?,
            covered: transaction.covered().await?,
            stored: stored(transaction, good).await?,
            today: transaction.today,
            needed: schema::needed_in::<R::Input>(),
        };
        let mut plan = Plan { writes: Vec::new(), submits };
        let mut seen = HashMap::new();
        let outcomes = rows.iter().enumerate().map(|(index, row)| match &row.read {
            Err(field_errors) => Outcome::Rejected(field_errors.clone()),
            Ok(row) => known.judge(transaction, (index, row), &mut seen, &mut plan),
        });
        let mut outcomes = outcomes.collect::<Vec<_>>();
        read_before(transaction, rows, &known, &mut plan).await?;
        if R::BESIDE_OTHERS {
            together(transaction, rows, &mut plan, &mut outcomes).await?;
        }
        Ok((outcomes, plan))
    }

    async fn write(transaction: &WriteTransaction, rows: &[Row<Self>], Plan { writes, submits }: Self::Plan) -> ApiResult<()> {
        let mut made = writes.into_iter().filter_map(|write| {
            let row = rows.get(write.index)?.read.as_ref().ok()?;
            Some((row.key(), made(transaction, row, write, submits)))
        });
        loop {
            // Some at a time: all of them at once would take more memory than the push itself.
            let mut some = made.by_ref().take(AT_ONCE).collect::<Vec<_>>();
            if some.is_empty() {
                return Ok(());
            }
            // New reports come first: their events lie in batches.
            some.sort_by_key(|(_, (before, _))| before.is_some());
            let new = some.partition_point(|(_, (before, _))| before.is_none());
            many::in_batches(transaction, some.iter_mut().take(new).map(|(_, (_, after))| after)).await?;
            let made = some.iter().map(|(key, (before, after))| (key, before.as_deref(), after));
            let writing = many::store(transaction, made.clone().map(|(_, before, after)| (before, after)));
            let audit_events = made.map(|(key, before, after)| {
                let (before_shown, after_shown) = (before.map(R::Shown::from), Some(R::Shown::from(after)));
                let (action, ReviewState { version, first_event, .. }) = (written_action(before), after.review_state());
                let first_event = FirstEvent::of(first_event, before.is_none());
                let (before, after) = (before_shown, after_shown);
                (&transaction.origin, AuditEvent { of: R::AUDITED, key, action, version, before, after, first_event })
            });
            transaction.record_after(writing, audit_events).await?;
        }
    }
}

/// Rejects rows that would be written but conflict with those for other quarters, together with the rows that only repeat them.
async fn together<R: Reported>(
    transaction: &WriteTransaction,
    rows: &[Row<ReportRow<R>>],
    plan: &mut Plan<R>,
    outcomes: &mut [Outcome],
) -> ApiResult<()> {
    let read = |index: usize| rows.get(index)?.read.as_ref().ok();
    let written = plan.writes.iter().filter_map(|write| {
        let (row, before) = (read(write.index)?, write.before.as_deref());
        Some(Written { of: &row.place.of, part: row.part, input: write.input.clone(), before })
    });
    let field_errors = R::field_errors_together(transaction, &written.collect::<Vec<_>>()).await?;
    let mut refused = HashMap::new();
    let mut places = 0..;
    plan.writes.retain(|write| {
        let field_error = places.next().and_then(|place| field_errors.get(&place));
        refused.extend(field_error.zip(read(write.index)).map(|(field_error, row)| (row.key(), field_error.clone())));
        field_error.is_none()
    });
    for (index, outcome) in outcomes.iter_mut().enumerate().filter(|(_, outcome)| !matches!(outcome, Outcome::Rejected(_))) {
        if let Some(field_error) = read(index).and_then(|row| refused.get(&row.key())) {
            *outcome = Outcome::Rejected(vec![field_error.clone()]);
        }
    }
    Ok(())
}

/// The revision that a row replaces or follows, and the one that it makes.
fn made<R: Reported>(
    transaction: &WriteTransaction,
    row: &ReportRow<R>,
    Write { input, before, only_submits, .. }: Write<R>,
    submits: bool,
) -> (Option<Box<R>>, R) {
    let mut after = match before.as_deref().filter(|_| only_submits) {
        Some(draft) => {
            let mut draft = draft.clone();
            draft.set_review_state(ReviewState {
                version: draft.review_state().version + 1,
                updated_at: transaction.now,
                ..draft.review_state()
            });
            draft
        }
        None => R::drafted(transaction, &row.place.of, row.part, before.as_deref(), input),
    };
    if submits {
        hand_in(transaction, &mut after);
    }
    (before, after)
}

impl<R: Reported> Known<R> {
    /// Decides the result of a row.
    fn judge<'a>(
        &self,
        transaction: &WriteTransaction,
        (index, row): (usize, &'a ReportRow<R>),
        seen: &mut HashMap<String, Option<&'a ReportRow<R>>>,
        plan: &mut Plan<R>,
    ) -> Outcome {
        let field_errors =
            self.outside(row).into_iter().chain(clock::field_error(row.changed_at, transaction.now)).collect::<Vec<_>>();
        if !field_errors.is_empty() {
            return Outcome::Rejected(field_errors);
        }
        let key = row.key();
        if let Some(earlier) = seen.get(&key) {
            return self.again(row, &key, *earlier);
        }
        let standing = self.stored.get(&key);
        let arrival = arrival(standing.map(|standing| row.beside(standing, transaction.now)), plan.submits);
        let outcome = match arrival {
            Arrival::Unchanged => Outcome::Unchanged,
            Arrival::Stale => Outcome::Stale,
            Arrival::New => Outcome::Created,
            Arrival::Submission | Arrival::Replacement | Arrival::Revision => Outcome::Updated,
        };
        if matches!(outcome, Outcome::Unchanged | Outcome::Stale) {
            seen.insert(key, None);
            return outcome;
        }
        match self.checked(row, standing.map(|standing| &standing.latest), arrival) {
            Err(field_errors) => Outcome::Rejected(field_errors),
            Ok(input) => {
                seen.insert(key, Some(row));
                plan.writes.push(Write { index, input, before: None, only_submits: arrival == Arrival::Submission });
                outcome
            }
        }
    }

    /// Decides the result of a row whose key an earlier row of the same push has: it may only repeat what will be stored anyway.
    fn again(&self, row: &ReportRow<R>, key: &str, written: Option<&ReportRow<R>>) -> Outcome {
        let standing = self.stored.get(key);
        let before = standing.map(|standing| &standing.latest);
        let stored = before.map(R::said).unwrap_or_default();
        let stored = match written.map(|written| written.over(stored.clone())) {
            Some(Value::Object(written)) => written,
            _ => stored,
        };
        // What is written now waits beside what is in force, and is what counts for the rows after it.
        let in_force = standing.filter(|_| written.is_none()).and_then(|standing| standing.in_force.as_ref());
        if row.says(&stored) || in_force.is_some_and(|in_force| row.says(&R::said(in_force))) {
            return Outcome::Unchanged;
        }
        Outcome::Rejected(self.checked(row, before, Arrival::Replacement).err().unwrap_or_else(|| vec![duplicate()]))
    }

    /// The field error of a row about a KPI or action that does not exist, or for which the actor may not write.
    fn outside(&self, row: &ReportRow<R>) -> Option<FieldError> {
        let pointer = format!("/{}", R::WORDS.of);
        let Some(subject) = self.subjects.get(&row.place.of) else {
            return Some(unknown(pointer, R::OF, &row.place.of));
        };
        let opd = R::opd(subject);
        self.covered.as_ref().filter(|covered| !covered.contains(opd)).map(|_| outside(&pointer, opd))
    }

    /// What would be stored, or every field error of it.
    fn checked(&self, row: &ReportRow<R>, before: Option<&R::Compared>, arrival: Arrival) -> Result<R::Input, Vec<FieldError>> {
        let is_absent = |name: &&String| before.is_none() && !row.named.contains_key(*name);
        let mut field_errors = self.needed.iter().filter(is_absent).map(|name| needed(name)).collect::<Vec<_>>();
        if !field_errors.is_empty() {
            return Err(field_errors);
        }
        let input = row.input(before).map_err(|field_error| vec![field_error])?;
        // What is only submitted is stored already.
        if arrival != Arrival::Submission {
            if let Some(subject) = self.subjects.get(&row.place.of) {
                field_errors.extend(R::field_errors(subject, row.part, &input));
                field_errors.extend(R::early(subject, row.part, self.today));
            }
            if arrival == Arrival::Revision && R::reason(&input).is_none() {
                field_errors.push(reason_required());
            }
        }
        if field_errors.is_empty() { Ok(input) } else { Err(field_errors) }
    }
}

/// The field error of a new report that lacks a member.
pub(super) fn needed(name: &str) -> FieldError {
    let text = Text::new(
        "Nothing is stored for this key yet, so the member is required.",
        "Belum ada data tersimpan untuk kunci ini, sehingga anggota ini wajib ada.",
    );
    FieldError::at(format!("/{name}"), "required", text)
}

/// The field error of a row that belongs to an OPD for which the actor may not write.
pub(super) fn outside(pointer: &str, opd: &str) -> FieldError {
    let text = Text::new(
        format!("This belongs to `{opd}`, which is neither your OPD nor below it."),
        format!("Ini milik `{opd}`, yang bukan OPD Anda dan tidak berada di bawahnya."),
    );
    FieldError::at(pointer, "outside_own_opd", text)
}

/// The field error of a row whose key an earlier row of the same push has with other content.
pub(super) fn duplicate() -> FieldError {
    let text = Text::new(
        "An earlier row has the same key and different content.",
        "Baris sebelumnya memiliki kunci yang sama dengan isi yang berbeda.",
    );
    FieldError::at("", "duplicate_key", text)
}

/// What is stored under the keys of the rows: the last revisions, and the revisions in force. The keys are one parameter, so that
/// it takes two statements for any number of rows.
async fn stored<'a, R: Reported>(
    transaction: &WriteTransaction,
    rows: impl Iterator<Item = &'a ReportRow<R>>,
) -> ApiResult<HashMap<String, Standing<R::Compared>>> {
    let keys = rows.map(|row| many::key::<R>(&row.place.of, row.part)).collect::<Vec<_>>();
    let columns = <R::Compared as Compared>::COLUMNS;
    let mut stored = HashMap::new();
    for row in many::revisions::<R, R::Compared>(transaction, &keys, columns, "m.latest").await? {
        stored.insert(row.place().to_string(), Standing { latest: row, in_force: None });
    }
    // A correction that is not verified yet comes after the revision that it corrects.
    let corrected = "NOT m.latest AND m.state = 'verified' AND EXISTS (SELECT 1 FROM {table} c WHERE c.{of} = m.{of} AND c.{part} = m.{part} \
                     AND c.latest AND c.state <> 'verified' AND c.revision = m.revision + 1)";
    let is_correction = |latest: &R::Compared| latest.state() != ReportState::Verified && latest.revision() > 1;
    if stored.values().any(|standing| is_correction(&standing.latest)) {
        for row in many::revisions::<R, R::Compared>(transaction, &keys, columns, corrected).await? {
            if let Some(standing) = stored.get_mut(&row.place().to_string()) {
                standing.in_force = Some(row);
            }
        }
    }
    Ok(stored)
}

/// Reads the whole revisions that are replaced or followed. It takes at most one statement.
async fn read_before<R: Reported>(
    transaction: &WriteTransaction,
    rows: &[Row<ReportRow<R>>],
    known: &Known<R>,
    plan: &mut Plan<R>,
) -> ApiResult<()> {
    let read = |index: usize| rows.get(index)?.read.as_ref().ok();
    let written = plan.writes.iter().filter_map(|write| read(write.index));
    let existing = written.filter(|row| known.stored.contains_key(&row.key()));
    let keys = existing.map(|row| many::key::<R>(&row.place.of, row.part)).collect::<Vec<_>>();
    if keys.is_empty() {
        return Ok(());
    }
    let whole = many::revisions::<R, R>(transaction, &keys, &["*"], "m.latest").await?;
    let mut whole = whole.into_iter().map(|row| (row.place().to_string(), row)).collect::<HashMap<_, _>>();
    for write in &mut plan.writes {
        write.before = read(write.index).and_then(|row| whole.remove(&row.key())).map(Box::new);
    }
    Ok(())
}
