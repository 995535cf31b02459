//! `/v1/evaluations/{code}/record` and its public counterpart: the figures that were frozen when an evaluation was closed.

use crate::http::language::Noun;
use crate::resources::evaluations;
use crate::resources::kpis;
use crate::resources::programmes;
use crate::store::kind::Scope;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Path;
use chrono::{DateTime, NaiveDate, Utc};
use entity::rules::finding::FindingState;
use entity::rules::renaksi::{ACTION_STATE_VERSION, OPD_PROGRESS_VERSION};
use entity::rules::{bands, kpi, spbe};
use entity::{evaluation, evaluation_record, finding};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::examples;
use super::reconciliation::{self, Reconciliation};
use super::scoreboard::{self, Scoreboard, ScoreboardRequest};
use super::standing::{self, KpiStanding};
use super::summary::{self, Summary};
use crate::auth::permissions::{Permission, ReadAll};
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::NoParameters;
use crate::http::schema;
use crate::http::schema::reference;
use crate::http::table::Table;
use crate::resources::evaluations::ReportedCount;
use crate::resources::evaluations::findings::FollowUp;
use crate::store::access::{Access, Public};
use crate::store::snapshots::AsOf;
use crate::store::visible::{Named, public_among};

/// The figures of the day of an evaluation, as they were when it was closed. The order of the members is fixed, because the hash
/// covers the bytes.
#[derive(Serialize, ToSchema)]
pub struct EvaluationRecord {
    /// The meeting at which the masterplan was evaluated.
    evaluation: Meeting,
    /// The day of the meeting: the figures hold as of its end.
    #[schema(max_length = 10, example = "2022-10-04")]
    as_of: NaiveDate,
    /// When the evaluation was closed.
    #[schema(max_length = 35)]
    closed_at: DateTime<Utc>,
    /// The summary of the masterplan that was evaluated.
    summary: Summary,
    /// The scoreboard of the last quarter that had ended by the day of the meeting.
    scoreboard: Scoreboard,
    /// The standing of each KPI of the masterplan.
    #[schema(max_items = 100000)]
    standings: Vec<KpiStanding>,
    /// The counts that the meeting was told, beside those that were recorded.
    reconciliation: Reconciliation,
    /// The findings as they were when the evaluation was closed.
    #[schema(max_items = 100000)]
    findings: Vec<FrozenFinding>,
    /// The versions of the rules by which the figures were computed.
    rule_versions: RuleVersions,
}

/// The meeting to which a record belongs.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordedMeeting)]
struct Meeting {
    /// The code of the evaluation.
    #[schema(max_length = 64, example = "EVAL-2022-10-04")]
    code: String,
    /// The code of the masterplan that was evaluated.
    #[schema(max_length = 64, example = "KLU-SC")]
    masterplan: String,
    /// The day of the meeting.
    #[schema(max_length = 10)]
    held_on: NaiveDate,
    /// The place where the meeting was held.
    #[schema(max_length = 300)]
    venue: Option<String>,
    /// The person who chaired the meeting.
    #[schema(max_length = 300)]
    chair: Option<String>,
    /// A summary of the results of the meeting.
    #[schema(max_length = 10000)]
    summary: Option<String>,
    /// The counts of programmes that the meeting was told, one entry for each dimension.
    #[schema(max_items = 100)]
    reported_counts: Vec<ReportedCount>,
}

/// A finding, as a record keeps it.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordedFinding)]
struct FrozenFinding {
    /// The identifier of the finding.
    #[schema(max_length = 36)]
    id: String,
    /// The programme that the finding is about.
    #[schema(max_length = 64)]
    programme: Option<String>,
    /// The OPD that is responsible for resolving the finding.
    #[schema(max_length = 64)]
    opd: Option<String>,
    /// The text of the finding.
    #[schema(max_length = 10000)]
    text: String,
    /// The recommendation of the evaluation.
    #[schema(max_length = 10000)]
    recommendation: Option<String>,
    /// The day by which the finding is to be resolved.
    #[schema(max_length = 10)]
    due_on: Option<NaiveDate>,
    /// The state of the finding when the evaluation was closed.
    state: FindingState,
    /// What had been done about the finding, the oldest entry first. Who reported it is kept in the history, not in the record.
    #[schema(max_items = 1000)]
    follow_ups: Vec<FrozenFollowUp>,
}

/// A follow-up of a finding, as a record keeps it.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordedFollowUp)]
struct FrozenFollowUp {
    /// When the follow-up was reported.
    #[schema(max_length = 35)]
    at: DateTime<Utc>,
    /// What was done about the finding.
    #[schema(max_length = 10000)]
    text: String,
    /// The state to which the finding moved; null if it stayed in the same state.
    state: Option<FindingState>,
}

/// The versions of the rules by which the figures were computed.
#[derive(Serialize, ToSchema)]
struct RuleVersions {
    /// The version of the rule for the standing of KPIs.
    #[schema(max_length = 64, example = "kpi-standing-2")]
    kpi_standing: &'static str,
    /// The version of the rule for the state of actions.
    #[schema(max_length = 64, example = "action-state-2")]
    action_state: &'static str,
    /// The version of the rule for the progress of OPDs.
    #[schema(max_length = 64, example = "opd-progress-2")]
    opd_progress: &'static str,
    /// The version of the rule for the performance bands.
    #[schema(max_length = 64)]
    performance_band: &'static str,
    /// The version of the rule for the SPBE predicate.
    #[schema(max_length = 64)]
    spbe_predicate: &'static str,
}

impl RuleVersions {
    fn on(day: NaiveDate) -> Self {
        Self {
            kpi_standing: kpi::standing_bounds(day).version,
            action_state: ACTION_STATE_VERSION,
            opd_progress: OPD_PROGRESS_VERSION,
            performance_band: bands::band_bounds(day).version,
            spbe_predicate: spbe::spbe_bounds(day).version,
        }
    }
}

/// Computes the record of an evaluation that is closed at an instant, with a fixed number of statements, whatever the number of
/// rows.
pub async fn compute(
    db: &impl ConnectionTrait,
    scope: Scope,
    row: &evaluation::Model,
    today: NaiveDate,
    closed_at: DateTime<Utc>,
) -> ApiResult<EvaluationRecord> {
    let as_of = AsOf::new(row.held_on, today, db.get_database_backend());
    let masterplan = Some(row.masterplan.clone());
    let (year, quarter) = scoreboard::last_ended(row.held_on);
    let asked = ScoreboardRequest { masterplan: masterplan.clone(), year, quarter, as_of };
    Ok(EvaluationRecord {
        evaluation: Meeting {
            code: row.code.clone(),
            masterplan: row.masterplan.clone(),
            held_on: row.held_on,
            venue: row.venue.clone(),
            chair: row.chair.clone(),
            summary: row.summary.clone(),
            reported_counts: ReportedCount::all_of(row),
        },
        as_of: row.held_on,
        closed_at,
        summary: summary::compute(db, scope, masterplan, as_of).await?,
        scoreboard: scoreboard::compute(db, scope, asked).await?,
        standings: standing::of_masterplan(db, scope, &row.masterplan, as_of).await?,
        reconciliation: reconciliation::compute(db, scope, row, as_of).await?,
        findings: findings(db, scope, &row.code).await?,
        rule_versions: RuleVersions::on(row.held_on),
    })
}

/// The findings in the order in which they were created. References to programmes that the public does not see are left out for
/// it.
async fn findings(db: &impl ConnectionTrait, scope: Scope, evaluation: &str) -> ApiResult<Vec<FrozenFinding>> {
    let rows = finding::Entity::find().filter(finding::Column::Evaluation.eq(evaluation));
    let rows = rows.order_by_asc(finding::Column::Id).all(db).await?;
    let named = rows.iter().filter_map(|row| Some((&programmes::KIND, row.programme.clone()?))).collect();
    let seen = public_among(db, named).await?;
    let frozen = rows.into_iter().map(|row| {
        let follow_ups = FollowUp::all_of(&row).into_iter();
        Ok(FrozenFinding {
            follow_ups: follow_ups.map(|one| FrozenFollowUp { at: one.at, text: one.text, state: one.state }).collect(),
            programme: row.programme.filter(|code| scope == Scope::All || seen.contains(&(&programmes::KIND, code.clone()))),
            id: row.id,
            opd: row.opd,
            text: row.text,
            recommendation: row.recommendation,
            due_on: row.due_on,
            state: row.state,
        })
    });
    frozen.collect()
}

async fn get_evaluation_record(
    access: Access<ReadAll>,
    code: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let record = stored(access.store.db(), Scope::All, &code).await?;
    Ok(answer(record, &preconditions))
}

async fn get_public_evaluation_record(
    public: Public,
    code: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let db = public.store.db();
    let shown = evaluation::Entity::find_by_id(code.clone()).filter(evaluations::KIND.visible()).one(db).await?;
    shown.ok_or_else(|| ApiError::not_found(&evaluations::KIND, &code))?;
    let record = stored(db, Scope::Published, &code).await?;
    let named = FrozenNames::of(&record)?;
    if public_among(db, named.clone()).await?.len() < named.len() {
        return Err(withheld(&code));
    }
    Ok(answer(record, &preconditions).public())
}

/// What a record names that can be withdrawn from the public by itself and may have been since.
#[derive(Deserialize)]
struct FrozenNames {
    standings: Vec<NamedKpi>,
    findings: Vec<NamedProgramme>,
}

#[derive(Deserialize)]
struct NamedKpi {
    kpi: String,
}

#[derive(Deserialize)]
struct NamedProgramme {
    programme: Option<String>,
}

impl FrozenNames {
    fn of(record: &evaluation_record::Model) -> ApiResult<Named> {
        let named: Self = serde_json::from_str(&record.content).map_err(ApiError::unexpected)?;
        let kpis = named.standings.into_iter().map(|one| (&kpis::KIND, one.kpi));
        let programmes = named.findings.into_iter().filter_map(|one| Some((&programmes::KIND, one.programme?)));
        Ok(kpis.chain(programmes).collect())
    }
}

/// A record without what was withdrawn would have other bytes and another hash, so the whole record is withheld.
fn withheld(code: &str) -> ApiError {
    ApiError::new(codes::WITHHELD).detail(
        format!("Something that the record of `{code}` names is no longer public."),
        format!("Ada hal yang disebut dalam catatan `{code}` yang tidak lagi terbuka untuk publik."),
    )
}

/// Answers with the record of an evaluation.
async fn stored(db: &impl ConnectionTrait, scope: Scope, code: &str) -> ApiResult<evaluation_record::Model> {
    let key = (code.to_owned(), scope.name().to_owned());
    let record = evaluation_record::Entity::find_by_id(key).one(db).await?;
    record.ok_or_else(|| ApiError::not_found(Noun::new("record of the evaluation", "rekaman evaluasi"), code))
}

/// Answers with a record byte by byte, as it was written.
fn answer(record: evaluation_record::Model, preconditions: &Preconditions) -> Answer {
    let etag = format!("\"{}\"", record.sha256);
    Answer::text(StatusCode::OK, record.content).etag(&etag).unless_known(preconditions)
}

fn example() -> Value {
    json!({
        "evaluation": {
            "code": "EVAL-2022-10-04", "masterplan": "KLU-SC", "held_on": "2022-10-04", "venue": "Aula Kantor Bupati",
            "chair": "H. Djohan Sjamsu, Bupati Lombok Utara", "summary": null,
            "reported_counts": [{ "dimension": "governance", "planned": 10, "running": 8 }],
        },
        "as_of": "2022-10-04", "closed_at": "2022-10-05T02:00:00Z", "summary": examples::summary(),
        "scoreboard": examples::frozen_scoreboard(), "standings": [examples::frozen_standing()], "reconciliation": examples::reconciliation(),
        "findings": [{
            "id": "0183a0c6-5c00-7a00-8000-000000000001", "programme": null, "opd": null,
            "text": "Seluruh OPD terus berbenah menjalankan rencana aksi dan masterplan", "recommendation": null, "due_on": null,
            "state": "open", "follow_ups": [],
        }],
        "rule_versions": RuleVersions::on(NaiveDate::MAX),
    })
}

const ABOUT: &str = "The figures of the day of the meeting (summary, scoreboard, standings of the KPIs, reconciliation) and its \
    findings, as they were frozen when the evaluation was closed. The bytes stay the same for ever, whatever is changed or \
    corrected later. The answer is 404 until the evaluation is closed.\n\n\
    Anybody can check the record: the SHA-256 of the body, without any `Content-Encoding`, is the `ETag`, and the evaluation and \
    its history have held it since the moment of closing. `curl -s …/record | sha256sum` prints it.";

fn described(operation: Operation) -> Operation {
    operation.conditional().problems(&[404]).with_schemas(schemas()).answers_schema(
        200,
        "The record of the evaluation, byte for byte as it was frozen.",
        reference(EvaluationRecord::name().as_ref()),
        Some(example()),
        &["ETag"],
    )
}

/// The schemas of a record. A record stays as it was frozen, so its figures have schemas of their own: their texts are in both
/// languages, and what earlier versions froze is allowed, too.
fn schemas() -> Map<String, Value> {
    const FROZEN: [&str; 5] = ["KpiStanding", "Scoreboard", "ScoreboardRow", "Explanation", "Reason"];
    let mut text = Value::Object(schema::components::<EvaluationRecord>()).to_string();
    for name in FROZEN {
        text = text.replace(&format!("/schemas/{name}\""), &format!("/schemas/Recorded{name}\""));
    }
    let Ok(Value::Object(mut schemas)) = serde_json::from_str(&text) else { return Map::new() };
    for name in FROZEN {
        if let Some(schema) = schemas.remove(name) {
            schemas.insert(format!("Recorded{name}"), schema);
        }
    }
    if let Some(Value::Array(required)) = schemas.get_mut("RecordedKpiStanding").and_then(|schema| schema.get_mut("required")) {
        required.retain(|name| name != "age");
    }
    if let Some(reasons) = schemas.get_mut("RecordedExplanation").and_then(|schema| schema.pointer_mut("/properties/reasons")) {
        let sentence = json!({
            "type": "string", "maxLength": 1000, "description": "The sentence in English, in the records of earlier versions.",
        });
        reasons["items"] = json!({ "anyOf": [reference("RecordedReason"), sentence] });
    }
    if let Some(reason) = schemas.get_mut("RecordedReason") {
        let text = |about: &str| json!({ "type": "string", "maxLength": 1000, "description": about });
        reason["properties"]["text"] = text("The sentence for people, in English.");
        reason["properties"]["text_id"] = text("The sentence for people, in Indonesian.");
        if let Some(required) = reason["required"].as_array_mut() {
            required.push(json!("text_id"));
        }
    }
    schemas
}

const PATH: &str = "/v1/evaluations/{code}/record";
const PUBLIC_PATH: &str = "/v1/public/evaluations/{code}/record";

/// Adds the route for those who log in.
pub fn mount(table: &mut Table) {
    let describe = || {
        let about = format!("{ABOUT} The hash of this record is `record_sha256`.");
        let get = Operation::get(PATH, "get_evaluation_record", "evaluations", "Record of a closed evaluation", &about);
        described(get.roles(&ReadAll::role_names()))
    };
    table.lazily(Method::GET, PATH, describe, get_evaluation_record);
}

/// Adds the public route.
pub fn mount_public(table: &mut Table) {
    let describe = || {
        let about = format!(
            "{ABOUT} The hash of this record is `public_record_sha256`. The record holds only what was published and verified, and \
             no login is needed. While a KPI or a programme that the record names is not public, the record is withheld (410 \
             `withheld`): what was withdrawn must be named nowhere, and a record without it would have another hash."
        );
        let id = "get_public_evaluation_record";
        let get = Operation::get(PUBLIC_PATH, id, "public", "Record of a closed evaluation (public)", &about);
        described(get.public()).problems(&[410])
    };
    table.lazily(Method::GET, PUBLIC_PATH, describe, get_public_evaluation_record);
}
