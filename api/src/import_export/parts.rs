//! Status history, coverage and targets as rows of the file.

use chrono::SubsecRound;
use entity::coverage::{self};
use entity::evaluation_record;
use entity::kpi_target::{self};
use entity::status_change;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::compare::EventKey;
use super::forms::{Coverage, EvaluationRecord, Target, Transition};
use super::state::Import;
use super::{Defaults, ExportRow, FileList, Incoming, Row, history, key_of, members_of};
use crate::crud::members::code;
use crate::http::body::deserialize_or_field_error;
use crate::http::language::{Noun, Text};
use crate::http::problem::{ApiResult, FieldError};
use crate::http::schema;
use crate::resources::kpis::targets::KpiTarget;
use crate::resources::kpis::{self, against_direction};
use crate::resources::programmes::{self, transitions};
use crate::resources::provenance::Provenance;
use crate::resources::regions;
use crate::store::kind::{Audited, Kind};

impl FileList for Transition {
    const AUDITED: &'static Audited = &transitions::AUDITED;
    const WHOLE: Option<(&'static str, &'static str)> = Some(("programme", "programmes"));
    const IN_ORDER: bool = true;
    const SUBJECT: &'static [&'static str] = &["programme"];
    type Entity = status_change::Entity;

    fn order() -> Vec<status_change::Column> {
        vec![status_change::Column::Programme, status_change::Column::Seq]
    }

    fn schema() -> Value {
        schema::input::<Self>()
    }

    fn show(row: &status_change::Model) -> ApiResult<Map<String, Value>> {
        Ok(members_of(&Self {
            programme: code(&row.programme),
            to: row.to_status,
            effective_on: row.effective_on,
            reason: row.reason.clone(),
            id: Some(row.id),
            recorded_by: Some(row.recorded_by.clone()),
            recorded_at: Some(row.recorded_at),
        }))
    }

    /// Its number and the status before it follow from its place in the list.
    fn read(value: Value, defaults: &Defaults) -> Result<Row<Self>, Vec<FieldError>> {
        let given: Self = deserialize_or_field_error(value).map_err(|field_error| vec![field_error])?;
        Ok(status_change::Model {
            id: given.id.unwrap_or_else(Uuid::now_v7),
            programme: given.programme.to_string(),
            seq: 0,
            from_status: None,
            to_status: given.to,
            effective_on: given.effective_on,
            reason: given.reason,
            recorded_by: given.recorded_by.unwrap_or_else(|| defaults.actor.clone()),
            recorded_at: given.recorded_at.unwrap_or(defaults.now).trunc_subsecs(6),
        })
    }

    fn recorded(row: &status_change::Model) -> ApiResult<Option<ExportRow>> {
        let (key, after) = (transitions::trail_key(row), transitions::in_trail(row));
        Ok(Some(ExportRow { key, version: row.seq, created_at: row.recorded_at, after }))
    }

    async fn complete(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Self>]) -> ApiResult<()> {
        history::transitions(import, list, rows).await
    }

    fn more(import: &Import<'_>) -> usize {
        import.beginnings
    }
}

impl FileList for Coverage {
    const AUDITED: &'static Audited = &programmes::coverage::AUDITED;
    const WHOLE: Option<(&'static str, &'static str)> = Some(("programme", "programmes"));
    const IN_ORDER: bool = true;
    const SUBJECT: &'static [&'static str] = &["programme", "region"];
    const EVENT_KEY: EventKey = EventKey::Number;
    type Entity = coverage::Entity;

    fn order() -> Vec<coverage::Column> {
        vec![coverage::Column::Programme, coverage::Column::Region, coverage::Column::Seq]
    }

    fn schema() -> Value {
        schema::input::<Self>()
    }

    fn show(row: &coverage::Model) -> ApiResult<Map<String, Value>> {
        Ok(members_of(&Self {
            programme: code(&row.programme),
            region: code(&row.region),
            status: row.status,
            effective_on: row.effective_on,
            recorded_by: Some(row.recorded_by.clone()),
            recorded_at: Some(row.recorded_at),
        }))
    }

    /// Its number follows from its place in the list.
    fn read(value: Value, defaults: &Defaults) -> Result<Row<Self>, Vec<FieldError>> {
        let given: Self = deserialize_or_field_error(value).map_err(|field_error| vec![field_error])?;
        Ok(coverage::Model {
            programme: given.programme.to_string(),
            region: given.region.to_string(),
            seq: 0,
            status: given.status,
            effective_on: given.effective_on,
            recorded_by: given.recorded_by.unwrap_or_else(|| defaults.actor.clone()),
            recorded_at: given.recorded_at.unwrap_or(defaults.now).trunc_subsecs(6),
        })
    }

    fn references(value: &Value) -> Vec<(String, &'static Kind, String)> {
        let region = value["region"].as_str().map(str::to_owned);
        region.map(|code| ("/region".to_owned(), &regions::KIND, code)).into_iter().collect()
    }

    fn recorded(row: &coverage::Model) -> ApiResult<Option<ExportRow>> {
        let after = Value::Object(Self::show(row)?);
        let key = format!("{}/{}", row.programme, row.region);
        Ok(Some(ExportRow { key, version: row.seq, created_at: row.recorded_at, after }))
    }

    async fn complete(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Self>]) -> ApiResult<()> {
        history::villages(import, list, rows).await
    }
}

impl FileList for Target {
    const AUDITED: &'static Audited = &kpis::targets::AUDITED;
    const WHOLE: Option<(&'static str, &'static str)> = Some(("kpi", "kpis"));
    const SUBJECT: &'static [&'static str] = &["kpi", "period"];
    type Entity = kpi_target::Entity;

    fn order() -> Vec<kpi_target::Column> {
        vec![kpi_target::Column::Kpi, kpi_target::Column::Period]
    }

    fn schema() -> Value {
        schema::input::<Self>()
    }

    fn show(row: &kpi_target::Model) -> ApiResult<Map<String, Value>> {
        let mut shown = Map::from_iter([("kpi".to_owned(), json!(row.kpi)), ("period".to_owned(), json!(row.period))]);
        shown.extend(members_of(&KpiTarget::from(row)));
        Ok(shown)
    }

    fn read(value: Value, defaults: &Defaults) -> Result<Row<Self>, Vec<FieldError>> {
        let given: Self = deserialize_or_field_error(value).map_err(|field_error| vec![field_error])?;
        let created_at = given.created_at.unwrap_or(defaults.now).trunc_subsecs(6);
        Ok(kpi_target::Model {
            kpi: given.kpi.to_string(),
            period: given.period.to_string(),
            period_end: given.period.end(),
            value: given.value,
            kind: given.kind,
            provenance: Provenance::stored(given.provenance.as_ref()),
            version: given.version.unwrap_or(1),
            created_at,
            updated_at: given.updated_at.map_or(created_at, |instant| instant.trunc_subsecs(6)),
        })
    }

    fn recorded(row: &kpi_target::Model) -> ApiResult<Option<ExportRow>> {
        let after = json!(KpiTarget::from(row));
        Ok(Some(ExportRow { key: key_of::<Self>(row), version: row.version, created_at: row.created_at, after }))
    }

    async fn complete(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<Self>]) -> ApiResult<()> {
        history::of_kpis(
            import,
            list,
            rows,
            |row| (row.kpi.as_str(), row.period.as_str(), row.value),
            |kpi, value| against_direction(kpi, value, "/value"),
        )
        .await
    }
}

/// The audit log tells of a record with its evaluation.
static RECORD: Audited = Audited::new("evaluation_record", Noun::new("record of the evaluation", "rekaman evaluasi"));

impl FileList for EvaluationRecord {
    const AUDITED: &'static Audited = &RECORD;
    const WHOLE: Option<(&'static str, &'static str)> = Some(("evaluation", "evaluations"));
    const SUBJECT: &'static [&'static str] = &["evaluation", "audience"];
    type Entity = evaluation_record::Entity;

    fn order() -> Vec<evaluation_record::Column> {
        vec![evaluation_record::Column::Evaluation, evaluation_record::Column::Audience]
    }

    fn schema() -> Value {
        schema::input::<Self>()
    }

    fn show(row: &evaluation_record::Model) -> ApiResult<Map<String, Value>> {
        Ok(members_of(&Self {
            evaluation: code(&row.evaluation),
            audience: row.audience.clone(),
            content: row.content.clone(),
            sha256: row.sha256.clone(),
        }))
    }

    fn read(value: Value, _: &Defaults) -> Result<Row<Self>, Vec<FieldError>> {
        let given: Self = deserialize_or_field_error(value).map_err(|field_error| vec![field_error])?;
        if hex::encode(Sha256::digest(&given.content)) != given.sha256 {
            let text = Text::new("It is not the SHA-256 of the content.", "Bukan SHA-256 dari isinya.");
            return Err(vec![FieldError::at("/sha256", "wrong_hash", text)]);
        }
        let evaluation = given.evaluation.to_string();
        Ok(evaluation_record::Model { evaluation, audience: given.audience, content: given.content, sha256: given.sha256 })
    }

    /// With its evaluation.
    fn recorded(_: &evaluation_record::Model) -> ApiResult<Option<ExportRow>> {
        Ok(None)
    }
}
