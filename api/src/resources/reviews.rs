//! `/v1/reviews`: the reviewer's inbox, and many decisions at once.

use std::collections::HashMap;

use actix_web::HttpRequest;
use actix_web::http::Method;
use chrono::{DateTime, Utc};
use entity::measurement::{self, ReportState};
use entity::rules::review::Step;
use entity::value::code::Code;
use entity::{kpi, measurement::Column};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::describe::{filter_parameters, page_parameters};
use super::kpis::measurements::key_of;
use super::kpis::measurements::review::{take, waiting};
use super::kpis::measurements::wire_types::Measurement;
use super::wire;
use crate::auth::permissions::{Permission, Review};
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::language::{Language, Text};
use crate::http::operation::Operation;
use crate::http::page::Page;
use crate::http::problem::{ApiError, ApiResult, Fault, ProblemFault, codes};
use crate::http::query::{NoParameters, Parameters};
use crate::http::schema;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::change::Change;
use crate::store::listing::{Field, Kind, Listing};

const PATH: &str = "/v1/reviews";
const KINDS: &[&str] = &["measurement"];
const PERIOD: Field = Field::sort("period", Kind::Text);
/// What the inbox is filtered and sorted by.
const ORDER: &[Field] = &[Field::sort("submitted_at", Kind::Instant), Field::sort("kpi", Kind::Code)];
const OLDEST_FIRST: &str = "submitted_at,kpi";

/// A report that waits for the reviewer.
#[derive(Serialize, ToSchema)]
pub struct WaitingReport {
    /// What is reported: `measurement`.
    #[schema(max_length = 32, example = "measurement")]
    kind: &'static str,
    /// Which one; send it back in `POST /v1/reviews`.
    #[schema(max_length = 200, example = "STUNTING/2023")]
    key: String,
    /// The KPI.
    #[schema(max_length = 64)]
    kpi: String,
    /// The OPD that the KPI belongs to.
    #[schema(max_length = 64)]
    opd: String,
    /// Who handed it in.
    #[schema(max_length = 254)]
    submitted_by: Option<String>,
    /// When.
    #[schema(max_length = 35)]
    submitted_at: Option<DateTime<Utc>>,
    /// What is to be verified.
    report: Measurement,
    /// The verified value that it would take the place of.
    in_force: Option<Measurement>,
}

/// Many decisions.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewInput {
    /// The decisions, taken in this order.
    #[schema(min_items = 1, max_items = 200)]
    reviews: Vec<Decision>,
}

/// A decision on one report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What was reported.
    kind: ReportKind,
    /// Which one, as the inbox names it.
    #[schema(min_length = 1, max_length = 200)]
    key: String,
    /// What to do with it.
    decision: Verdict,
    /// Why it is sent back: required then.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    reason: Option<String>,
    /// The `version` that was looked at: the decision is refused if the report changed since.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: Option<i32>,
}

/// What can be reported.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// A measurement of a KPI.
    Measurement,
}

/// What a reviewer decides.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It counts.
    Verify,
    /// The OPD has to mend it.
    Return,
}

/// What became of the decisions.
#[derive(Default, Serialize, ToSchema)]
pub struct ReviewReport {
    /// Reports that count now.
    #[schema(minimum = 0, maximum = 200)]
    verified: u32,
    /// Reports that were sent back.
    #[schema(minimum = 0, maximum = 200)]
    returned: u32,
    /// Decisions that could not be taken; they change nothing.
    #[schema(minimum = 0, maximum = 200)]
    rejected: u32,
    /// Each decision, in the order of the request.
    #[schema(max_items = 200)]
    results: Vec<ReviewResult>,
}

/// What became of one decision.
#[derive(Serialize, ToSchema)]
pub struct ReviewResult {
    /// Its number, from 1.
    #[schema(minimum = 1, maximum = 200)]
    item: u32,
    /// What was reported.
    kind: ReportKind,
    /// Which one.
    #[schema(max_length = 200)]
    key: String,
    /// `verified`, `returned` or `rejected`.
    #[schema(max_length = 16, example = "verified")]
    result: &'static str,
    /// The version afterwards; null where it was rejected.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: Option<i32>,
    /// Why it was rejected.
    #[schema(max_items = 10)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemFault>,
}

async fn list_reviews(access: Access<Review>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let expected = ("measurement", "measurement");
    parameters.read("kind", expected, |text| KINDS.contains(&text).then_some(()));
    let opds = parameters.list("opd").unwrap_or_default();
    let name = format!("reviews of {}", opds.join(","));
    if opds.iter().any(|opd| Code::parse(opd).is_err()) {
        parameters.refuse("opd", "Expected codes.", "Seharusnya kode.");
    }
    let mut listing = Listing::read(&mut parameters, &name, ORDER, OLDEST_FIRST, PERIOD, false);
    parameters.finish()?;
    if !opds.is_empty() {
        let theirs = Query::select().column("code").from("kpi").and_where(Expr::col("opd").is_in(opds)).take();
        listing = listing.only(Expr::col("kpi").in_subquery(theirs));
    }
    let db = access.store.db();
    // A constant, not a parameter: the index holds these rows only.
    let rows = measurement::Entity::find().filter(Expr::cust("state = 'submitted'"));
    let (rows, page) = listing.rows(db, rows).await?;
    Page { data: shown(db, &rows).await?, ..page }.answer(request.path(), request.query_string())
}

/// The rows of a page with what stands around them: one statement each for the KPIs and for the values in force.
async fn shown(db: &impl ConnectionTrait, rows: &[measurement::Model]) -> ApiResult<Vec<Value>> {
    let codes = rows.iter().map(|row| row.kpi.clone()).collect::<Vec<_>>();
    let kpis = kpi::Entity::find().filter(kpi::Column::Code.is_in(codes.clone())).all(db).await?;
    let opds = kpis.into_iter().map(|kpi| (kpi.code, kpi.opd)).collect::<HashMap<_, _>>();
    let periods = rows.iter().map(|row| row.period.clone()).collect::<Vec<_>>();
    let counting = measurement::Entity::find()
        .filter(Column::Kpi.is_in(codes))
        .filter(Column::Period.is_in(periods))
        .filter(Column::State.eq(ReportState::Verified))
        .all(db)
        .await?;
    let below = |row: &measurement::Model| {
        counting.iter().find(|old| old.kpi == row.kpi && old.period == row.period && old.revision + 1 == row.revision)
    };
    let item = |row: &measurement::Model| WaitingReport {
        kind: "measurement",
        key: key_of(&row.kpi, &row.period),
        kpi: row.kpi.clone(),
        opd: opds.get(&row.kpi).cloned().unwrap_or_default(),
        submitted_by: row.submitted_by.clone(),
        submitted_at: row.submitted_at,
        report: Measurement::from(row),
        in_force: below(row).map(Measurement::from),
    };
    Ok(rows.iter().map(|row| json!(item(row))).collect())
}

async fn create_reviews(
    access: Access<Review>,
    request: HttpRequest,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let input: ReviewInput = body.read()?;
    let language = Language::preferred(request.headers());
    access
        .change(retry, async |change: &Change| {
            // In one order, so that two reviewers wait for each other instead of for ever.
            let mut order = (0..input.reviews.len()).collect::<Vec<_>>();
            order.sort_by_key(|index| &input.reviews[*index].key);
            let mut results = Vec::new();
            for index in order {
                results.push((index, decide(change, index, &input.reviews[index], language).await?));
            }
            results.sort_by_key(|(index, _)| *index);
            let mut report = ReviewReport::default();
            for (_, result) in results {
                match result.result {
                    "verified" => report.verified += 1,
                    "returned" => report.returned += 1,
                    _ => report.rejected += 1,
                }
                report.results.push(result);
            }
            Answer::ok(&report)
        })
        .await
}

/// Takes one decision. What refuses it concerns this one only; a failure of the service ends them all.
async fn decide(change: &Change, index: usize, decision: &Decision, language: Language) -> ApiResult<ReviewResult> {
    let (version, fault) = match attempt(change, decision).await {
        Ok(row) => (Some(row.version), None),
        Err(error) => match error.as_fault() {
            Some(fault) => (None, Some(fault)),
            None => return Err(error),
        },
    };
    let result = match (&fault, decision.decision) {
        (Some(_), _) => "rejected",
        (None, Verdict::Verify) => "verified",
        (None, Verdict::Return) => "returned",
    };
    Ok(ReviewResult {
        item: u32::try_from(index + 1).unwrap_or(u32::MAX),
        kind: decision.kind,
        key: decision.key.clone(),
        result,
        version,
        errors: fault.iter().map(|fault| fault.shown(language)).collect(),
    })
}

async fn attempt(change: &Change, decision: &Decision) -> ApiResult<measurement::Model> {
    let (kpi, period) = decision.key.split_once('/').ok_or_else(|| ApiError::not_found("measurement", &decision.key))?;
    let step = match decision.decision {
        Verdict::Verify => Step::Verify,
        Verdict::Return if decision.reason.is_none() => return Err(ApiError::invalid(vec![reason_required()])),
        Verdict::Return => Step::Return,
    };
    let row = waiting(change, kpi, period).await?;
    if decision.version.is_some_and(|seen| seen != row.version) {
        return Err(ApiError::new(codes::STALE));
    }
    take(change, row, step, decision.reason.clone()).await
}

fn reason_required() -> Fault {
    let text = Text::new("A report is sent back for a reason.", "Laporan dikembalikan dengan alasan.");
    Fault::at("/reason", "required", text)
}

/// Mounts the inbox.
pub fn mount(table: &mut Table) {
    let roles = Review::role_names();
    let list = Operation::get(
        PATH,
        "list_reviews",
        "reviews",
        "Reports that wait for review",
        "The reviewer's inbox, the oldest first: what was handed in, beside the verified value that it would take the place of.",
    );
    let kind = json!({ "type": "string", "enum": KINDS });
    let list = list.roles(&roles).query("kind", kind, "Only reports of this kind.");
    let list = filter_parameters(list, &Field::filter("opd", Kind::Code));
    let create = Operation::new(
        Method::POST,
        PATH,
        "create_reviews",
        "reviews",
        "Decide on many reports",
        "Each is verified, sent back or rejected on its own: one that cannot be decided keeps no other from it.",
    );
    let example = json!({ "reviews": [
        { "kind": "measurement", "key": "STUNTING/2023", "decision": "verify", "version": 2 },
        { "kind": "measurement", "key": "TPS3R/2022", "decision": "return", "reason": "Lampirkan berita acara" },
    ] });
    let report = json!({ "verified": 1, "returned": 0, "rejected": 1, "results": [
        { "item": 1, "kind": "measurement", "key": "STUNTING/2023", "result": "verified", "version": 3 },
        { "item": 2, "kind": "measurement", "key": "TPS3R/2022", "result": "rejected", "version": null,
          "errors": [{ "pointer": "", "code": "not_found", "detail": "There is no measurement `TPS3R/2022`." }] },
    ] });
    let page = Map::<String, Value>::from_iter([(
        "WaitingReportPage".to_owned(),
        wire::page(json!({ "$ref": "#/components/schemas/WaitingReport" })),
    )]);
    let list = ORDER.iter().fold(list, filter_parameters);
    table
        .on(
            page_parameters(list, &["submitted_at", "kpi", "period"], OLDEST_FIRST)
                .with_schemas(schema::components::<WaitingReport>())
                .with_schemas(page)
                .answers_schema(200, "One page.", json!({ "$ref": "#/components/schemas/WaitingReportPage" }), None, &["Link"]),
            list_reviews,
        )
        .on(
            create.roles(&roles).takes::<ReviewInput>(example).retryable().answers::<ReviewReport>(
                200,
                "What became of each.",
                Some(report),
                &["Idempotent-Replayed"],
            ),
            create_reviews,
        );
}
