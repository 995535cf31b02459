//! `/v1/push/measurements`

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::kpi;
use entity::measurement::{self, ReportState};
use entity::rules::review::{Arrival, Stored, arrival};
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, Iterable, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rows::{Column, Row};
use super::{Outcome, Pushed};
use crate::auth::permissions::Report;
use crate::http::body;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, Fault};
use crate::resources::kpis::measurements::review::hand_in;
use crate::resources::kpis::measurements::wire_types::{Evidence, Measurement, MeasurementInput};
use crate::resources::kpis::measurements::{drafted, key_of, reason_required, written_action};
use crate::resources::kpis::value_faults;
use crate::resources::provenance::Provenance;
use crate::resources::references::{Target, unknown};
use crate::store::change::{Change, Happening};

/// Rows of one statement: few enough that they take little memory.
const ROWS_AT_ONCE: usize = 500;

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

/// A row that is written, and what it takes the place of.
pub struct Write {
    before: Option<measurement::Model>,
    after: measurement::Model,
}

/// What is known of the things that the rows are about.
struct Known {
    kpis: HashMap<String, kpi::Model>,
    /// The OPDs that the actor may write for; `None` for all.
    covered: Option<HashSet<String>>,
    stored: HashMap<(String, String), measurement::Model>,
    submits: bool,
}

impl Pushed for MeasurementRow {
    type May = Report;
    type Plan = Vec<Write>;
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

    async fn decide(change: &Change, rows: &[Row<Self>], submits: bool) -> ApiResult<(Vec<Outcome>, Vec<Write>)> {
        let good = rows.iter().filter_map(|row| row.read.as_ref().ok());
        let codes = good.clone().map(|row| row.kpi.to_string()).collect::<BTreeSet<_>>();
        // In one order, so that pushes that overlap wait for each other instead of for ever.
        let kpis = kpi::Entity::find().filter(kpi::Column::Code.is_in(codes)).order_by_asc(kpi::Column::Code).lock_exclusive();
        let kpis = kpis.all(&change.db).await?.into_iter().map(|kpi| (kpi.code.clone(), kpi)).collect();
        let known = Known { kpis, covered: change.covered().await?, stored: stored(change, good).await?, submits };
        let (mut plan, mut seen) = (Vec::new(), HashMap::new());
        let outcomes = rows.iter().map(|row| match &row.read {
            Err(faults) => Outcome::Rejected(faults.clone()),
            Ok(row) => known.judge(change, row, &mut seen, &mut plan),
        });
        Ok((outcomes.collect(), plan))
    }

    async fn write(change: &Change, plan: Vec<Write>) -> ApiResult<()> {
        let revised = plan.iter().filter_map(|write| write.before.as_ref().filter(|row| row.state == ReportState::Verified));
        let revised =
            revised.map(|row| json!({ "kpi": row.kpi, "period": row.period, "revision": row.revision })).collect::<Vec<_>>();
        if !revised.is_empty() {
            change.db.execute_raw(supersede(change.db.get_database_backend(), json!(revised).to_string())).await?;
        }
        for some in plan.chunks(ROWS_AT_ONCE) {
            use measurement::{Column, PrimaryKey};
            let rows = some.iter().map(|write| write.after.clone().into_active_model().reset_all());
            let replaced = OnConflict::columns(PrimaryKey::iter()).update_columns(Column::iter()).to_owned();
            measurement::Entity::insert_many(rows).on_conflict(replaced).exec_without_returning(&change.db).await?;
        }
        let keys = plan.iter().map(|write| key_of(&write.after.kpi, &write.after.period)).collect::<Vec<_>>();
        let show = |row: &measurement::Model| json!(Measurement::from(row));
        let happenings = plan.iter().zip(&keys).map(|(write, key)| Happening {
            resource: "measurement",
            key,
            action: written_action(write.before.as_ref()),
            version: write.after.version,
            before: write.before.as_ref().map(show),
            after: Some(show(&write.after)),
        });
        change.record_all(happenings).await
    }
}

impl Known {
    fn judge<'a>(
        &self,
        change: &Change,
        row: &'a MeasurementRow,
        seen: &mut HashMap<(&'a str, Period), &'a MeasurementRow>,
        plan: &mut Vec<Write>,
    ) -> Outcome {
        let faults = self.faults(row);
        if !faults.is_empty() {
            return Outcome::Rejected(faults);
        }
        if let Some(earlier) = seen.insert((row.kpi.as_str(), row.period), row) {
            return if row.repeats(earlier) { Outcome::Unchanged } else { Outcome::Rejected(vec![duplicate()]) };
        }
        let before = self.stored.get(&(row.kpi.to_string(), row.period.to_string()));
        let arrival = arrival(before.map(|before| row.beside(before)), self.submits);
        let outcome = match arrival {
            Arrival::Unchanged => return Outcome::Unchanged,
            Arrival::Stale => return Outcome::Stale,
            Arrival::Revision if row.reason.is_none() => return Outcome::Rejected(vec![reason_required()]),
            Arrival::New => Outcome::Created,
            Arrival::Replacement | Arrival::Revision => Outcome::Updated,
        };
        let mut after = drafted(change, &row.kpi, row.period, before, row.input());
        if self.submits {
            after.state = ReportState::Submitted;
            hand_in(change, &mut after);
        }
        plan.push(Write { before: before.cloned(), after });
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
) -> ApiResult<HashMap<(String, String), measurement::Model>> {
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
    let found = measurement::Entity::find().from_raw_sql(statement).all(&change.db).await?;
    Ok(found.into_iter().map(|row| ((row.kpi.clone(), row.period.clone()), row)).collect())
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
