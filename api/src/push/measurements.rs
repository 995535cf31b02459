//! `/v1/push/measurements`

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::kpi;
use entity::measurement::{self, ReportState};
use entity::rules::review::{Arrival, Stored, arrival};
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use futures_util::TryStreamExt;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rows::{Column, Row};
use super::{Outcome, Pushed};
use crate::auth::permissions::Report;
use crate::http::body;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, Fault};
use crate::resources::kpis::measurements::key_of;
use crate::resources::kpis::measurements::wire_types::{Measurement, MeasurementInput};
use crate::resources::kpis::value_faults;
use crate::resources::provenance::Provenance;
use crate::resources::references::{Target, unknown};
use crate::resources::reporting::Report as _;
use crate::resources::reporting::evidence::Evidence;
use crate::resources::reporting::flow::{hand_in, reason_required, written_action};
use crate::store::bulk;
use crate::store::change::{Change, Happening};

/// A measurement, as other systems push it: the whole of it, as `PUT` takes it, with its key.
#[derive(Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasurementRow {
    /// The KPI.
    kpi: Code,
    /// The period, of the KPI's frequency.
    period: Period,
    /// The value, in the KPI's unit.
    value: Decimal,
    /// A remark.
    #[schema(max_length = 5000)]
    note: Option<String>,
    /// What proves it.
    #[serde(default)]
    #[schema(max_items = 20)]
    evidence: Vec<Evidence>,
    /// When the source system last changed it.
    #[schema(max_length = 35)]
    source_updated_at: Option<DateTime<Utc>>,
    /// Where it comes from.
    provenance: Option<Provenance>,
    /// Why a verified value is corrected: required then.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    reason: Option<String>,
}

impl MeasurementRow {
    fn input(&self) -> MeasurementInput {
        MeasurementInput {
            value: self.value,
            note: self.note.clone(),
            evidence: self.evidence.clone(),
            source_updated_at: self.source_updated_at,
            provenance: self.provenance.clone(),
            reason: self.reason.clone(),
        }
    }

    /// The row that is stored in the place of `before`.
    fn over(&self, change: &Change, before: Option<&measurement::Model>, submits: bool) -> measurement::Model {
        let mut after = measurement::Model::drafted(change, &self.kpi, self.period, before, self.input());
        if submits {
            hand_in(change, &mut after);
        }
        after
    }

    /// What is stored, as far as this row is concerned.
    fn beside(&self, stored: &measurement::Model) -> Stored {
        let is_same = stored.value == self.value
            && stored.note == self.note
            && stored.evidence == json!(self.evidence)
            && stored.provenance == Provenance::stored(self.provenance.as_ref());
        let is_newer = self.source_updated_at.zip(stored.source_updated_at).is_some_and(|(own, stored)| own < stored);
        Stored { state: stored.state, is_same, is_newer }
    }

    /// Whether it says the same as another row of the push.
    fn repeats(&self, other: &Self) -> bool {
        self.value == other.value
            && self.note == other.note
            && self.evidence == other.evidence
            && self.provenance == other.provenance
    }
}

/// What is written: which of the rows, each with what it takes the place of.
pub struct Plan {
    writes: Vec<(usize, Option<Box<measurement::Model>>)>,
    submits: bool,
}

/// What is known of the things that the rows are about.
struct Known {
    kpis: HashMap<String, kpi::Model>,
    /// The OPDs that the actor may write for; `None` for all.
    covered: Option<HashSet<String>>,
    /// The last revision of each period, until it is taken into the plan.
    stored: HashMap<String, Box<measurement::Model>>,
    submits: bool,
}

impl Pushed for MeasurementRow {
    type May = Report;
    type Plan = Plan;
    const COLUMNS: &'static [Column] = &[
        Column::text("kpi", "/kpi", true),
        Column::text("period", "/period", true),
        Column::text("value", "/value", true),
        Column::text("note", "/note", false),
        Column::text("source_updated_at", "/source_updated_at", false),
        Column::text("reason", "/reason", false),
        Column::text("evidence_title", "/evidence/0/title", false),
        Column::text("evidence_url", "/evidence/0/url", false),
        Column::text("evidence_sha256", "/evidence/0/sha256", false),
    ];

    fn read(value: Value) -> Result<Self, Vec<Fault>> {
        body::accept_or_faults(value)
    }

    fn key(&self) -> String {
        key_of(&self.kpi, &self.period.to_string())
    }

    async fn decide(change: &Change, rows: &[Row<Self>], submits: bool) -> ApiResult<(Vec<Outcome>, Plan)> {
        let good = rows.iter().filter_map(|row| row.read.as_ref().ok());
        let codes = good.clone().map(|row| row.kpi.as_str()).collect::<BTreeSet<_>>();
        // In one order, so that pushes that overlap wait for each other instead of for ever.
        let kpis = kpi::Entity::find().filter(kpi::Column::Code.is_in(codes)).order_by_asc(kpi::Column::Code).lock_exclusive();
        let kpis = kpis.all(&change.db).await?.into_iter().map(|kpi| (kpi.code.clone(), kpi)).collect();
        let mut known = Known { kpis, covered: change.covered().await?, stored: stored(change, good).await?, submits };
        let (mut writes, mut seen) = (Vec::new(), HashMap::new());
        let outcomes = rows.iter().enumerate().map(|(index, row)| match &row.read {
            Err(faults) => Outcome::Rejected(faults.clone()),
            Ok(row) => known.judge(row, &mut seen, |before| writes.push((index, before))),
        });
        Ok((outcomes.collect(), Plan { writes, submits }))
    }

    async fn write(change: &Change, rows: &[Row<Self>], plan: Plan) -> ApiResult<()> {
        let revised =
            plan.writes.iter().filter_map(|(_, before)| before.as_ref().filter(|row| row.state == ReportState::Verified));
        let revised =
            revised.map(|row| json!({ "kpi": row.kpi, "period": row.period, "revision": row.revision })).collect::<Vec<_>>();
        if !revised.is_empty() {
            change.db.execute_raw(supersede(change.db.get_database_backend(), json!(revised).to_string())).await?;
        }
        // Each row is made when its turn comes, and again for its event: all of them would take more than the push itself.
        let writes = || {
            plan.writes.iter().filter_map(|(index, before)| {
                let row = rows.get(*index)?.read.as_ref().ok()?;
                let before = before.as_deref();
                Some((before, row.over(change, before, plan.submits)))
            })
        };
        bulk::upsert::<measurement::Model>(&change.db, writes().map(|(_, after)| after)).await?;
        let keys =
            plan.writes.iter().filter_map(|(index, _)| rows.get(*index)?.read.as_ref().ok().map(Self::key)).collect::<Vec<_>>();
        let happenings = writes().zip(&keys).map(|((before, after), key)| Happening {
            resource: "measurement",
            key,
            action: written_action(before),
            version: after.version,
            before: before.map(Measurement::from),
            after: Some(Measurement::from(&after)),
        });
        change.record_all(happenings).await
    }
}

impl Known {
    /// What becomes of a row; `write` takes what a row that is written takes the place of.
    fn judge<'a>(
        &mut self,
        row: &'a MeasurementRow,
        seen: &mut HashMap<(&'a str, Period), &'a MeasurementRow>,
        write: impl FnOnce(Option<Box<measurement::Model>>),
    ) -> Outcome {
        let faults = self.faults(row);
        if !faults.is_empty() {
            return Outcome::Rejected(faults);
        }
        if let Some(earlier) = seen.insert((row.kpi.as_str(), row.period), row) {
            return if row.repeats(earlier) { Outcome::Unchanged } else { Outcome::Rejected(vec![duplicate()]) };
        }
        let before = self.stored.remove(&row.key());
        let outcome = match arrival(before.as_deref().map(|before| row.beside(before)), self.submits) {
            Arrival::Unchanged => return Outcome::Unchanged,
            Arrival::Stale => return Outcome::Stale,
            Arrival::Revision if row.reason.is_none() => return Outcome::Rejected(vec![reason_required()]),
            Arrival::New => Outcome::Created,
            Arrival::Replacement | Arrival::Revision => Outcome::Updated,
        };
        write(before);
        outcome
    }

    /// Every fault that the row has beside what is stored.
    fn faults(&self, row: &MeasurementRow) -> Vec<Fault> {
        let Some(kpi) = self.kpis.get(row.kpi.as_str()) else {
            return vec![unknown("/kpi".into(), Target::Kpi, &row.kpi)];
        };
        if self.covered.as_ref().is_some_and(|covered| !covered.contains(&kpi.opd)) {
            return vec![outside("/kpi", &kpi.opd)];
        }
        value_faults(kpi, row.period, "/period", row.value, "/value")
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

/// The last revision of each of the periods. The keys are one parameter, so that it is one statement for any number.
async fn stored<'a>(
    change: &Change,
    rows: impl Iterator<Item = &'a MeasurementRow>,
) -> ApiResult<HashMap<String, Box<measurement::Model>>> {
    let keys = rows.map(|row| json!({ "kpi": row.kpi, "period": row.period })).collect::<Vec<_>>();
    let backend = change.db.get_database_backend();
    let keys_of = match backend {
        DbBackend::Postgres => "json_to_recordset($1::json) AS k(kpi text, period text)",
        _ => "(SELECT json_extract(value, '$.kpi') AS kpi, json_extract(value, '$.period') AS period FROM json_each($1)) k",
    };
    // CROSS JOIN keeps SQLite from reading the table first; the database holds one latest row for each key.
    let sql = match backend {
        DbBackend::Postgres => {
            format!(
                "SELECT DISTINCT ON (m.kpi, m.period) m.* FROM {keys_of} JOIN measurement m ON m.kpi = k.kpi AND m.period = k.period WHERE m.latest"
            )
        }
        _ => {
            format!("SELECT m.* FROM {keys_of} CROSS JOIN measurement m ON m.kpi = k.kpi AND m.period = k.period WHERE m.latest")
        }
    };
    let statement = Statement::from_sql_and_values(backend, sql, [json!(keys).to_string().into()]);
    let found = measurement::Entity::find().from_raw_sql(statement).stream(&change.db).await?;
    Ok(found.map_ok(|row| (key_of(&row.kpi, &row.period), Box::new(row))).try_collect().await?)
}

/// Takes the mark of the last revision from the rows with these keys.
fn supersede(backend: DbBackend, keys: String) -> Statement {
    let sql = match backend {
        DbBackend::Postgres => {
            "UPDATE measurement SET latest = FALSE FROM json_to_recordset($1::json) AS k(kpi text, period text, revision int) \
             WHERE measurement.kpi = k.kpi AND measurement.period = k.period AND measurement.revision = k.revision"
        }
        _ => {
            "UPDATE measurement SET latest = FALSE WHERE rowid IN (SELECT m.rowid FROM json_each($1) k CROSS JOIN measurement m \
             ON m.kpi = json_extract(k.value, '$.kpi') AND m.period = json_extract(k.value, '$.period') AND m.revision = json_extract(k.value, '$.revision'))"
        }
    };
    Statement::from_sql_and_values(backend, sql, [keys.into()])
}
