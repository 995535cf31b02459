//! `/v1/evaluations/{code}/record` and its public twin: what was frozen when an evaluation was closed.

use actix_web::web::Path;
use chrono::{DateTime, NaiveDate, Utc};
use entity::rules::finding::FindingState;
use entity::rules::renaksi::{ACTION_STATE_VERSION, OPD_PROGRESS_VERSION};
use entity::rules::{bands, kpi, spbe};
use entity::{evaluation, evaluation_record, finding};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
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
use crate::http::table::Table;
use crate::resources::evaluations::ReportedCount;
use crate::resources::evaluations::follow_ups::FollowUp;
use crate::store::access::{Access, Public};
use crate::store::scope::Scope;
use crate::store::snapshots::AsOf;
use crate::store::visible::{Thing, Things, public_among};

/// The figures of the day of an evaluation, as they were when it was closed. The order of the members is fixed: the hash is
/// that of the bytes.
#[derive(Serialize, ToSchema)]
pub struct EvaluationRecord {
    /// The meeting.
    evaluation: Meeting,
    /// The day of the meeting, as of whose end the figures hold.
    #[schema(max_length = 10, example = "2022-10-04")]
    as_of: NaiveDate,
    /// When it was closed.
    #[schema(max_length = 35)]
    closed_at: DateTime<Utc>,
    /// The summary of its masterplan.
    summary: Summary,
    /// The scoreboard of the last quarter that had ended.
    scoreboard: Scoreboard,
    /// The standing of each KPI of its masterplan.
    #[schema(max_items = 100000)]
    standings: Vec<KpiStanding>,
    /// What the meeting was told beside what was recorded.
    reconciliation: Reconciliation,
    /// The findings as they were when it was closed.
    #[schema(max_items = 100000)]
    findings: Vec<FrozenFinding>,
    /// The versions of the rules by which the figures were computed.
    rule_versions: RuleVersions,
}

/// The meeting of a record.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordedMeeting)]
struct Meeting {
    /// The evaluation.
    #[schema(max_length = 64, example = "EVAL-2022-10-04")]
    code: String,
    /// The masterplan that was evaluated.
    #[schema(max_length = 64, example = "KLU-SC")]
    masterplan: String,
    /// The day.
    #[schema(max_length = 10)]
    held_on: NaiveDate,
    /// Where it was held.
    #[schema(max_length = 300)]
    venue: Option<String>,
    /// Who chaired it.
    #[schema(max_length = 300)]
    chair: Option<String>,
    /// What came of it.
    #[schema(max_length = 10000)]
    summary: Option<String>,
    /// What it was told.
    #[schema(max_items = 100)]
    reported_counts: Vec<ReportedCount>,
}

/// A finding of a record.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordedFinding)]
struct FrozenFinding {
    /// Its id.
    #[schema(max_length = 36)]
    id: String,
    /// The programme it is about.
    #[schema(max_length = 64)]
    programme: Option<String>,
    /// The OPD that has to mend it.
    #[schema(max_length = 64)]
    opd: Option<String>,
    /// What was found.
    #[schema(max_length = 10000)]
    text: String,
    /// What should be done.
    #[schema(max_length = 10000)]
    recommendation: Option<String>,
    /// By which day.
    #[schema(max_length = 10)]
    due_on: Option<NaiveDate>,
    /// Where it stood.
    state: FindingState,
    /// What had been done, the oldest first. Who told it is kept in the history, not here.
    #[schema(max_items = 1000)]
    follow_ups: Vec<FrozenFollowUp>,
}

/// A follow-up of a record.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordedFollowUp)]
struct FrozenFollowUp {
    /// When it was told.
    #[schema(max_length = 35)]
    at: DateTime<Utc>,
    /// What was done.
    #[schema(max_length = 10000)]
    text: String,
    /// The state that the finding moved to; null where it stayed.
    state: Option<FindingState>,
}

/// The versions of the rules by which figures were computed.
#[derive(Serialize, ToSchema)]
struct RuleVersions {
    /// Of the standing of KPIs.
    #[schema(max_length = 64, example = "kpi-standing-2")]
    kpi_standing: &'static str,
    /// Of the state of actions.
    #[schema(max_length = 64, example = "action-state-2")]
    action_state: &'static str,
    /// Of the progress of OPDs.
    #[schema(max_length = 64, example = "opd-progress-2")]
    opd_progress: &'static str,
    /// Of the performance bands.
    #[schema(max_length = 64)]
    performance_band: &'static str,
    /// Of the SPBE predicate.
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

/// Computes the record of an evaluation that is closed at an instant: a fixed number of statements, whatever the number of rows.
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

/// The findings in the order in which they were made; the public does not read of programmes that it does not see.
async fn findings(db: &impl ConnectionTrait, scope: Scope, evaluation: &str) -> ApiResult<Vec<FrozenFinding>> {
    let rows = finding::Entity::find().filter(finding::Column::Evaluation.eq(evaluation));
    let rows = rows.order_by_asc(finding::Column::Id).all(db).await?;
    let named = rows.iter().filter_map(|row| Some((Thing::Programme, row.programme.clone()?))).collect();
    let seen = public_among(db, named).await?;
    let frozen = rows.into_iter().map(|row| {
        let follow_ups = FollowUp::all_of(&row)?.into_iter();
        Ok(FrozenFinding {
            follow_ups: follow_ups.map(|one| FrozenFollowUp { at: one.at, text: one.text, state: one.state }).collect(),
            programme: row.programme.filter(|code| scope == Scope::All || seen.contains(&(Thing::Programme, code.clone()))),
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
    let shown = evaluation::Entity::find_by_id(code.clone()).filter(Thing::Evaluation.visible()).one(db).await?;
    shown.ok_or_else(|| ApiError::not_found("evaluation", &code))?;
    let record = stored(db, Scope::Published, &code).await?;
    let named = Named::of(&record)?;
    if public_among(db, named.clone()).await?.len() < named.len() {
        return Err(withheld(&code));
    }
    Ok(answer(record, &preconditions).public())
}

/// What a record names that has a publication of its own, and may have been withdrawn since.
#[derive(Deserialize)]
struct Named {
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

impl Named {
    fn of(record: &evaluation_record::Model) -> ApiResult<Things> {
        let named: Self = serde_json::from_str(&record.content).map_err(ApiError::unexpected)?;
        let kpis = named.standings.into_iter().map(|one| (Thing::Kpi, one.kpi));
        let programmes = named.findings.into_iter().filter_map(|one| Some((Thing::Programme, one.programme?)));
        Ok(kpis.chain(programmes).collect())
    }
}

/// Leaving out what was withdrawn would give bytes of another hash, so all of it waits.
fn withheld(code: &str) -> ApiError {
    ApiError::new(codes::WITHHELD).detail(
        format!("Something that the record of `{code}` names is not public any more."),
        format!("Ada hal yang disebut dalam catatan `{code}` yang tidak lagi terbuka untuk publik."),
    )
}

/// The record of an evaluation.
async fn stored(db: &impl ConnectionTrait, scope: Scope, code: &str) -> ApiResult<evaluation_record::Model> {
    let key = (code.to_owned(), scope.name().to_owned());
    let record = evaluation_record::Entity::find_by_id(key).one(db).await?;
    record.ok_or_else(|| ApiError::not_found("evaluation_record", code))
}

/// A record as it was written, byte by byte.
fn answer(record: evaluation_record::Model, preconditions: &Preconditions) -> Answer {
    let etag = format!("\"{}\"", record.sha256);
    Answer::stored(record.content).etag(&etag).unless_known(preconditions)
}

fn example() -> Value {
    json!({
        "evaluation": {
            "code": "EVAL-2022-10-04", "masterplan": "KLU-SC", "held_on": "2022-10-04", "venue": "Aula Kantor Bupati",
            "chair": "H. Djohan Sjamsu, Bupati Lombok Utara", "summary": null,
            "reported_counts": [{ "dimension": "governance", "planned": 10, "running": 8 }],
        },
        "as_of": "2022-10-04", "closed_at": "2022-10-05T02:00:00Z", "summary": examples::summary(), "scoreboard": examples::scoreboard(),
        "standings": [examples::standing()], "reconciliation": examples::reconciliation(),
        "findings": [{
            "id": "0183a0c6-5c00-7a00-8000-000000000001", "programme": null, "opd": null,
            "text": "Seluruh OPD terus berbenah menjalankan rencana aksi dan masterplan", "recommendation": null, "due_on": null,
            "state": "open", "follow_ups": [],
        }],
        "rule_versions": RuleVersions::on(NaiveDate::MAX),
    })
}

const ABOUT: &str = "The summary, scoreboard, KPI standings and reconciliation of the day of the meeting and its findings, frozen when it was \
                     closed: the same bytes for ever, whatever is changed or corrected later. 404 until then.\n\nAnybody can check \
                     that they are: the SHA-256 of the body, without any `Content-Encoding`, is the `ETag`, and stands in the evaluation \
                     and in its history since the moment of closing. `curl -s …/record | sha256sum` prints it.";

fn described(operation: Operation) -> Operation {
    operation.conditional().problems(&[404]).answers::<EvaluationRecord>(200, "The record.", Some(example()), &["ETag"])
}

/// Mounts it.
pub fn mount(table: &mut Table) {
    let about = format!("{ABOUT} Of this record it is `record_sha256`.");
    let get = Operation::get(
        "/v1/evaluations/{code}/record",
        "get_evaluation_record",
        "evaluations",
        "Record of a closed evaluation",
        &about,
    );
    table.on(described(get.roles(&ReadAll::role_names())), get_evaluation_record);
}

/// Mounts its public twin.
pub fn mount_public(table: &mut Table) {
    let about = format!(
        "{ABOUT} Of this record it is `public_record_sha256`. It holds only what was published and verified; no login. While a KPI or a \
                 programme that it names is not public any more, it is withheld (410 `withheld`): what is withdrawn is named nowhere, and a record \
                 without it would have another hash."
    );
    let get = Operation::get(
        "/v1/public/evaluations/{code}/record",
        "get_public_evaluation_record",
        "public",
        "Record of a closed evaluation (public)",
        &about,
    );
    table.on(described(get.public()).problems(&[410]), get_public_evaluation_record);
}
