//! `/v1/reviews`: the reviewer's inbox, and many decisions at once.

use std::collections::HashMap;

use actix_web::HttpRequest;
use actix_web::http::Method;
use chrono::{DateTime, Utc};
use entity::rules::review::Step;
use entity::value::code::Code;
use entity::{action_report, measurement, waiting_report};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::actions::reports::wire_types::ActionReport;
use super::kpis::measurements::wire_types::Measurement;
use super::reporting::flow::{self, waiting};
use super::reporting::review::apply;
use super::reporting::{Report, ReportKey, ReportKind};
use crate::auth::permissions::{Permission, Review};
use crate::crud::parameters::{filter_parameters, page_parameters};
use crate::crud::schemas;
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::identifiers::in_lower_case;
use crate::http::language::{Language, Text};
use crate::http::operation::Operation;
use crate::http::page::{Page, texts};
use crate::http::problem::{ApiError, ApiResult, FieldError, ProblemFault, codes};
use crate::http::query::{NoParameters, Parameters};
use crate::http::schema;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::kind::{Field, ValueType};
use crate::store::listing::Listing;
use crate::store::transaction::WriteTransaction;

const PATH: &str = "/v1/reviews";
const KEY: Field = Field::sort("key", ValueType::Text);
/// The fields by which the inbox is filtered and sorted.
const FIELDS: &[Field] = &[
    Field::sort("submitted_at", ValueType::Instant),
    Field::sort("kind", ValueType::Choice(ReportKind::NAMES)),
    Field::filter("kpi", ValueType::Code),
    Field::filter("action", ValueType::Id),
];
const OLDEST_FIRST: &str = "submitted_at,kind";

/// A report that waits for review.
#[derive(Serialize, ToSchema)]
pub struct WaitingReport {
    /// The kind of report: `measurement` or `action_report`.
    kind: ReportKind,
    /// The key of the report, to be sent back in `POST /v1/reviews`.
    #[schema(max_length = 200, example = "STUNTING/2023")]
    key: String,
    /// The code of the KPI, for a measurement.
    #[schema(max_length = 64)]
    kpi: Option<String>,
    /// The identifier of the action, for an action report.
    #[schema(max_length = 36)]
    action: Option<String>,
    /// The code of the OPD to which the report belongs.
    #[schema(max_length = 64)]
    opd: String,
    /// Who submitted the report.
    #[schema(max_length = 254)]
    submitted_by: Option<String>,
    /// When the report was submitted.
    #[schema(max_length = 35)]
    submitted_at: Option<DateTime<Utc>>,
    /// The report that is to be verified.
    report: ReportShown,
    /// The verified report that is in force now and that this one would replace; null if there is none.
    in_force: Option<ReportShown>,
}

/// A report of either kind.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Report)]
pub enum ReportShown {
    /// The report, if it is a measurement of a KPI.
    Measurement(Box<Measurement>),
    /// The report, if it is about an action for a quarter.
    ActionReport(Box<ActionReport>),
}

impl From<&measurement::Model> for ReportShown {
    fn from(row: &measurement::Model) -> Self {
        Self::Measurement(Box::new(flow::shown(row)))
    }
}

impl From<&action_report::Model> for ReportShown {
    fn from(row: &action_report::Model) -> Self {
        Self::ActionReport(Box::new(flow::shown(row)))
    }
}

/// The body of a request that decides on many reports.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewInput {
    /// The decisions, which are taken in this order.
    #[schema(min_items = 1, max_items = 200)]
    reviews: Vec<Decision>,
}

/// A decision on one report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportDecision)]
pub struct Decision {
    /// The kind of the report.
    kind: ReportKind,
    /// The key of the report, as the inbox shows it.
    #[schema(min_length = 1, max_length = 200)]
    key: String,
    /// The decision: to verify the report or to return it.
    decision: Verdict,
    /// Why the report is returned; required in that case.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    reason: Option<String>,
    /// The `version` of the report that was reviewed. The decision is refused if the report changed since.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: Option<i32>,
}

/// The decisions that a reviewer can take.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReviewDecision)]
pub enum Verdict {
    /// The report is verified and counts.
    Verify,
    /// The report is returned to the OPD to be corrected.
    Return,
}

entity::labels! { Verdict {
    Verify: "Verify", "Verifikasi";
    Return: "Return", "Kembalikan";
} }

/// The results of the decisions.
#[derive(Default, Serialize, ToSchema)]
pub struct ReviewReport {
    /// The number of reports that were verified.
    #[schema(minimum = 0, maximum = 200)]
    verified: u32,
    /// The number of reports that were returned.
    #[schema(minimum = 0, maximum = 200)]
    returned: u32,
    /// The number of decisions that could not be taken; they change nothing.
    #[schema(minimum = 0, maximum = 200)]
    rejected: u32,
    /// The result of each decision, in the order of the request.
    #[schema(max_items = 200)]
    results: Vec<ReviewResult>,
}

/// The result of one decision.
#[derive(Serialize, ToSchema)]
pub struct ReviewResult {
    /// The number of the decision in the request, from 1.
    #[schema(minimum = 1, maximum = 200)]
    item: u32,
    /// The kind of the report.
    kind: ReportKind,
    /// The key of the report.
    #[schema(max_length = 200)]
    key: String,
    /// What became of the report.
    result: ReviewOutcome,
    /// The version of the report after the decision; null if the decision was rejected.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: Option<i32>,
    /// The reasons why the decision was rejected.
    #[schema(max_items = 10)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemFault>,
}

/// What became of a report on which somebody decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewOutcome {
    /// The report was verified.
    Verified,
    /// The report was returned.
    Returned,
    /// The decision could not be taken.
    Rejected,
}

entity::labels! { ReviewOutcome {
    Verified: "Verified", "Terverifikasi";
    Returned: "Returned", "Dikembalikan";
    Rejected: "Rejected", "Ditolak";
} }

async fn list_reviews(access: Access<Review>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let opds = parameters.list("opd").unwrap_or_default();
    let name = format!("reviews of {}", opds.join(","));
    if opds.iter().any(|opd| Code::parse(opd).is_err()) {
        parameters.refuse("opd", "Expected codes of OPDs, separated by commas.", "Seharusnya kode OPD, dipisahkan koma.");
    }
    let mut listing = Listing::read(&mut parameters, &name, FIELDS, OLDEST_FIRST, KEY, false);
    parameters.finish()?;
    if !opds.is_empty() {
        let of_kpis = Expr::col("kpi").in_subquery(theirs::<measurement::Model>(&opds));
        listing = listing.only(of_kpis.or(Expr::col("action").in_subquery(theirs::<action_report::Model>(&opds))));
    }
    let db = access.store.db();
    let (rows, page) = listing.rows(db, waiting_report::Entity::find()).await?;
    let mut shown = shown::<measurement::Model>(db, &rows).await?;
    shown.extend(self::shown::<action_report::Model>(db, &rows).await?);
    // A report that was decided on since the page was read is no longer in the inbox.
    let data = rows.iter().filter_map(|row| shown.get(&(row.kind.as_str(), row.key.as_str())));
    let data = texts(data)?;
    Page { data, ..page }.answer(request.path(), request.query_string())
}

/// The KPIs or actions of these OPDs.
fn theirs<R: Report>(opds: &[String]) -> SelectStatement {
    let belongs = Expr::col("opd").is_in(opds.iter().cloned());
    Query::select().column(R::WORDS.of_key).from(R::WORDS.of).and_where(belongs).take()
}

/// The reports of kind `R` on a page, with the data around them. It takes one statement each for the reports, for the revisions
/// in force, and for the KPIs or actions.
async fn shown<'a, R: Report>(
    db: &impl ConnectionTrait,
    page: &'a [waiting_report::Model],
) -> ApiResult<HashMap<(&'a str, &'a str), WaitingReport>>
where
    ReportShown: for<'r> From<&'r R>,
{
    let own = page.iter().filter(|row| row.kind == R::KIND.name()).collect::<Vec<_>>();
    let places = own.iter().filter_map(|row| ReportKey::read(&row.key)).collect::<Vec<_>>();
    if places.is_empty() {
        return Ok(HashMap::new());
    }
    let parts = places.iter().map(|place| R::part(&place.part).map(R::stored)).collect::<ApiResult<Vec<_>>>()?;
    let subjects = places.iter().map(|place| place.of.clone()).collect::<Vec<_>>();
    let revisions =
        R::Table::find().filter(Expr::col(R::WORDS.of).is_in(subjects.clone())).filter(Expr::col(R::WORDS.part).is_in(parts));
    let submitted = revisions.clone().filter(Expr::cust("state = 'submitted'")).all(db).await?;
    let counting = revisions.filter(Expr::col("state").eq("verified")).all(db).await?;
    let opds = opds::<R>(db, subjects).await?;
    let item = |row: &'a waiting_report::Model, place: &ReportKey| {
        let report = submitted.iter().find(|report| report.place() == *place)?;
        let review_state = report.review_state();
        let below = |old: &&R| old.place() == *place && old.review_state().revision + 1 == review_state.revision;
        let shown = WaitingReport {
            kind: R::KIND,
            key: row.key.clone(),
            kpi: row.kpi.clone(),
            action: row.action.clone(),
            opd: opds.get(&place.of).cloned().unwrap_or_default(),
            submitted_by: review_state.submitted_by,
            submitted_at: review_state.submitted_at,
            report: report.into(),
            in_force: counting.iter().find(below).map(Into::into),
        };
        Some(((row.kind.as_str(), row.key.as_str()), shown))
    };
    Ok(own.into_iter().zip(&places).filter_map(|(row, place)| item(row, place)).collect())
}

/// The OPD of each KPI or action.
async fn opds<R: Report>(db: &impl ConnectionTrait, subjects: Vec<String>) -> ApiResult<HashMap<String, String>> {
    let key = R::WORDS.of_key;
    let select =
        Query::select().column(key).column("opd").from(Alias::new(R::WORDS.of)).and_where(Expr::col(key).is_in(subjects)).take();
    let rows = db.query_all(&select).await?;
    rows.iter().map(|row| Ok((row.try_get("", key)?, row.try_get("", "opd")?))).collect()
}

async fn create_reviews(
    access: Access<Review>,
    request: HttpRequest,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let mut input: ReviewInput = body.read()?;
    for decision in input.reviews.iter_mut().filter(|decision| decision.kind == ReportKind::ActionReport) {
        if let Some(place) = ReportKey::read(&decision.key) {
            decision.key = ReportKey { of: in_lower_case(&place.of).into_owned(), ..place }.to_string();
        }
    }
    let language = Language::preferred(request.headers());
    access
        .write(retry, async |transaction: &WriteTransaction| {
            // The reports are locked in one order, so that two reviewers wait for each other instead of deadlocking.
            let mut order = (0..input.reviews.len()).collect::<Vec<_>>();
            order.sort_by_key(|index| (input.reviews[*index].kind, ReportKey::read(&input.reviews[*index].key)));
            let mut results = Vec::new();
            for index in order {
                results.push((index, decide(transaction, index, &input.reviews[index], language).await?));
            }
            results.sort_by_key(|(index, _)| *index);
            let mut report = ReviewReport::default();
            for (_, result) in results {
                match result.result {
                    ReviewOutcome::Verified => report.verified += 1,
                    ReviewOutcome::Returned => report.returned += 1,
                    ReviewOutcome::Rejected => report.rejected += 1,
                }
                report.results.push(result);
            }
            Answer::ok(&report)
        })
        .await
}

/// Takes one decision. An error concerns only this decision, but a failure of the service ends them all.
async fn decide(
    transaction: &WriteTransaction,
    index: usize,
    decision: &Decision,
    language: Language,
) -> ApiResult<ReviewResult> {
    let attempt = match decision.kind {
        ReportKind::Measurement => attempt::<measurement::Model>(transaction, decision).await,
        ReportKind::ActionReport => attempt::<action_report::Model>(transaction, decision).await,
    };
    let (version, field_error) = match attempt {
        Ok(version) => (Some(version), None),
        Err(error) => match error.as_field_error() {
            Some(field_error) => (None, Some(field_error)),
            None => return Err(error),
        },
    };
    let result = match (&field_error, decision.decision) {
        (Some(_), _) => ReviewOutcome::Rejected,
        (None, Verdict::Verify) => ReviewOutcome::Verified,
        (None, Verdict::Return) => ReviewOutcome::Returned,
    };
    Ok(ReviewResult {
        item: u32::try_from(index + 1).unwrap_or(u32::MAX),
        kind: decision.kind,
        key: decision.key.clone(),
        result,
        version,
        errors: field_error.iter().map(|field_error| field_error.shown(language)).collect(),
    })
}

/// The version of the report after the decision.
async fn attempt<R: Report>(transaction: &WriteTransaction, decision: &Decision) -> ApiResult<i32> {
    let place = ReportKey::read(&decision.key).ok_or_else(|| ApiError::not_found(R::AUDITED.noun, &decision.key))?;
    let step = match decision.decision {
        Verdict::Verify => Step::Verify,
        Verdict::Return if decision.reason.is_none() => return Err(ApiError::invalid(vec![reason_required()])),
        Verdict::Return => Step::Return,
    };
    let row = waiting::<R>(transaction, &place).await?;
    if decision.version.is_some_and(|seen| seen != row.review_state().version) {
        return Err(ApiError::new(codes::STALE));
    }
    Ok(apply(transaction, row, step, decision.reason.clone()).await?.review_state().version)
}

fn reason_required() -> FieldError {
    let text = Text::new("Returning a report requires a reason.", "Pengembalian laporan memerlukan alasan.");
    FieldError::at("/reason", "required", text)
}

/// Adds the routes of the inbox.
pub fn mount(table: &mut Table) {
    let roles = Review::role_names();
    let list = Operation::get(
        PATH,
        "list_reviews",
        "reviews",
        "List the reports that wait for review",
        "The inbox of the reviewers: the measurements and action reports that were submitted, the oldest first, each beside the \
         verified report that it would replace.",
    );
    let list = filter_parameters(list.roles(&roles), &Field::filter("opd", ValueType::Code));
    let create = Operation::new(
        Method::POST,
        PATH,
        "create_reviews",
        "reviews",
        "Decide on many reports",
        "Verifies or returns each of the reports by itself: a decision that cannot be taken does not prevent the others.",
    );
    let example = json!({ "reviews": [
        { "kind": "measurement", "key": "STUNTING/2023", "decision": "verify", "version": 2 },
        { "kind": "action_report", "key": "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21/3", "decision": "return", "reason": "Lampirkan berita acara" },
    ] });
    let report = json!({ "verified": 1, "returned": 0, "rejected": 1, "results": [
        { "item": 1, "kind": "measurement", "key": "STUNTING/2023", "result": "verified", "version": 3 },
        { "item": 2, "kind": "action_report", "key": "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21/3", "result": "rejected", "version": null,
          "errors": [{ "pointer": "", "code": "not_found", "detail": "There is no action report `0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21/3`." }] },
    ] });
    let mut submitted = Measurement::example();
    submitted["state"] = json!("submitted");
    for name in ["verified_by", "verified_at", "known_on"] {
        submitted[name] = Value::Null;
    }
    let inbox = json!({
        "data": [{
            "kind": "measurement", "key": "STUNTING/2022", "kpi": "STUNTING", "action": null, "opd": "DINKES",
            "submitted_by": "demo-dinkes", "submitted_at": "2022-10-03T01:00:00Z", "report": submitted, "in_force": null,
        }],
        "page": { "next_cursor": null, "limit": 50 },
    });
    let page = Map::<String, Value>::from_iter([(
        "WaitingReportPage".to_owned(),
        schemas::page(json!({ "$ref": "#/components/schemas/WaitingReport" })),
    )]);
    let list = FIELDS.iter().fold(list, filter_parameters);
    table
        .on(
            page_parameters(list, &["submitted_at", "kind", "key"], OLDEST_FIRST)
                .with_schemas(schema::components::<WaitingReport>())
                .with_schemas(page)
                .answers_schema(
                    200,
                    "One page of the inbox.",
                    json!({ "$ref": "#/components/schemas/WaitingReportPage" }),
                    Some(inbox),
                    &["Link"],
                ),
            list_reviews,
        )
        .on(
            create.roles(&roles).takes::<ReviewInput>(example).retryable().answers::<ReviewReport>(
                200,
                "The result of each decision.",
                Some(report),
                &["Idempotent-Replayed"],
            ),
            create_reviews,
        );
}
