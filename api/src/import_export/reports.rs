//! Measurements and action reports as rows of the file, in all revisions.

use chrono::{DateTime, SubsecRound, Utc};
use entity::action_report;
use entity::measurement::{self, ReportState};
use serde_json::{Map, Value, json};

use super::compare::EventKey;
use super::forms::{ActionReport, Measurement};
use super::state::Import;
use super::{Defaults, ExportRow, FileList, Incoming, Row, history, id_in_lower_case, members_of, sense};
use crate::http::body::deserialize_or_field_error;
use crate::http::problem::{ApiResult, FieldError};
use crate::http::schema;
use crate::resources::actions::reports::wire_types as actions;
use crate::resources::actions::reports::{self, realisation_field_error};
use crate::resources::kpis::measurements::wire_types;
use crate::resources::kpis::measurements::{self, counts_from, known_on};
use crate::resources::provenance::Provenance;
use crate::store::kind::Audited;

impl FileList for Measurement {
    const AUDITED: &'static Audited = &measurements::AUDITED;
    const WHOLE: Option<(&'static str, &'static str)> = Some(("kpi", "kpis"));
    const IN_ORDER: bool = true;
    const SUBJECT: &'static [&'static str] = &["kpi", "period"];
    const EVENT_KEY: EventKey = EventKey::Revision;
    type Entity = measurement::Entity;

    fn order() -> Vec<measurement::Column> {
        vec![measurement::Column::Kpi, measurement::Column::Period, measurement::Column::Revision]
    }

    fn schema() -> Value {
        schema::input::<Self>()
    }

    fn show(row: &measurement::Model) -> ApiResult<Map<String, Value>> {
        Ok(members_of(&wire_types::Measurement::from(row)))
    }

    /// Which revision is the latest of its period, and which value leads its KPI, follows from the others.
    fn read(value: Value, defaults: &Defaults) -> Result<Row<Self>, Vec<FieldError>> {
        let given: Self = deserialize_or_field_error(value).map_err(|field_error| vec![field_error])?;
        let stated = given.provenance.as_ref().and_then(|provenance| provenance.date);
        let revision = given.revision.unwrap_or(1);
        let counts = given.state.unwrap_or(ReportState::Verified) == ReportState::Verified;
        let handed_in = given.state.is_some_and(|state| state == ReportState::Submitted);
        let created_at = given.created_at.unwrap_or(defaults.now).trunc_subsecs(6);
        let actor = || defaults.actor.clone();
        let known_on = given.known_on.or_else(|| counts.then(|| known_on(revision, stated, defaults.today)));
        Ok(measurement::Model {
            kpi: given.kpi.to_string(),
            period: given.period.to_string(),
            revision,
            period_end: given.period.end(),
            value: given.value,
            note: given.note,
            evidence: json!(given.evidence),
            source_updated_at: micros(given.source_updated_at),
            provenance: Provenance::stored(given.provenance.as_ref()),
            state: given.state.unwrap_or(ReportState::Verified),
            known_on,
            counts_from: known_on.map(|known_on| counts_from(given.period, known_on)),
            latest: false,
            leads: false,
            reason: given.reason,
            reported_by: given.reported_by.unwrap_or_else(actor),
            authors: None,
            submitter: None,
            submitted_by: given.submitted_by.or_else(|| handed_in.then(actor)),
            submitted_at: micros(given.submitted_at).or_else(|| handed_in.then_some(defaults.now)),
            return_reason: given.return_reason,
            returned_by: given.returned_by,
            verified_by: given.verified_by.or_else(|| counts.then(actor)),
            verified_at: micros(given.verified_at).or_else(|| counts.then_some(defaults.now)),
            version: given.version.unwrap_or(1),
            created_at,
            updated_at: micros(given.updated_at).unwrap_or(created_at),
            first_event: None,
        })
    }

    fn recorded(row: &measurement::Model) -> ApiResult<Option<ExportRow>> {
        let (key, after) = (measurements::key_of(&row.kpi, &row.period), json!(wire_types::Measurement::from(row)));
        Ok(Some(ExportRow { key, version: row.version, created_at: row.created_at, after }))
    }

    async fn complete(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Self>]) -> ApiResult<()> {
        history::of_kpis(import, list, rows, |row| (row.kpi.as_str(), row.period.as_str(), row.value), |_, _| None).await?;
        sense::measurements(import, list, rows);
        history::revisions(import, list, rows).await?;
        history::lead(&mut import.leading, rows);
        Ok(())
    }

    async fn finish(import: &mut Import<'_>) -> ApiResult<()> {
        history::lead_again(import).await
    }
}

impl FileList for ActionReport {
    const AUDITED: &'static Audited = &reports::AUDITED;
    const WHOLE: Option<(&'static str, &'static str)> = Some(("action", "actions"));
    const IN_ORDER: bool = true;
    const SUBJECT: &'static [&'static str] = &["action", "quarter"];
    const EVENT_KEY: EventKey = EventKey::Revision;
    type Entity = action_report::Entity;

    fn order() -> Vec<action_report::Column> {
        vec![action_report::Column::Action, action_report::Column::Quarter, action_report::Column::Revision]
    }

    fn schema() -> Value {
        schema::input::<Self>()
    }

    fn show(row: &action_report::Model) -> ApiResult<Map<String, Value>> {
        Ok(members_of(&actions::ActionReport::from(row)))
    }

    /// Which revision is the latest of its quarter follows from the others.
    fn read(value: Value, defaults: &Defaults) -> Result<Row<Self>, Vec<FieldError>> {
        let given: Self = deserialize_or_field_error(value).map_err(|field_error| vec![field_error])?;
        if let Some(field_error) = realisation_field_error(given.realisation) {
            return Err(vec![field_error]);
        }
        let state = given.state.unwrap_or(ReportState::Verified);
        let (counts, handed_in) = (state == ReportState::Verified, state == ReportState::Submitted);
        let known_on = given.known_on.or_else(|| counts.then_some(defaults.today));
        let created_at = given.created_at.unwrap_or(defaults.now).trunc_subsecs(6);
        let actor = || defaults.actor.clone();
        Ok(action_report::Model {
            action: given.action.to_string(),
            quarter: given.quarter,
            revision: given.revision.unwrap_or(1),
            realisation: given.realisation,
            narrative: given.narrative,
            obstacles: given.obstacles,
            evidence: json!(given.evidence),
            source_updated_at: micros(given.source_updated_at),
            state,
            handed_in_on: given.handed_in_on.or(known_on).or_else(|| handed_in.then_some(defaults.today)),
            known_on,
            latest: false,
            reason: given.reason,
            reported_by: given.reported_by.unwrap_or_else(actor),
            authors: None,
            submitter: None,
            submitted_by: given.submitted_by.or_else(|| handed_in.then(actor)),
            submitted_at: micros(given.submitted_at).or_else(|| handed_in.then_some(defaults.now)),
            return_reason: given.return_reason,
            returned_by: given.returned_by,
            verified_by: given.verified_by.or_else(|| counts.then(actor)),
            verified_at: micros(given.verified_at).or_else(|| counts.then_some(defaults.now)),
            version: given.version.unwrap_or(1),
            created_at,
            updated_at: micros(given.updated_at).unwrap_or(created_at),
            first_event: None,
        })
    }

    fn recorded(row: &action_report::Model) -> ApiResult<Option<ExportRow>> {
        let (key, after) = (format!("{}/{}", row.action, row.quarter), json!(actions::ActionReport::from(row)));
        Ok(Some(ExportRow { key, version: row.version, created_at: row.created_at, after }))
    }

    fn tidy(value: &mut Value) {
        id_in_lower_case(value, "action");
    }

    async fn complete(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Self>]) -> ApiResult<()> {
        sense::action_reports(import, list, rows).await?;
        history::revisions(import, list, rows).await
    }
}

fn micros(instant: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    instant.map(|instant| instant.trunc_subsecs(6))
}
