//! `/v1/push`: other systems report many rows in one request, over unreliable lines, and may send everything again.
//!
//! The rows are read and checked while the body arrives, and only then a transaction is opened, so that a slow line holds nothing
//! up. The result of each row is decided before anything is written. A dry run stops there, and so does an atomic push with a
//! rejected row. Pushes that write nothing, as most do, are decided in a preview, which keeps no writer waiting, and what was decided
//! is kept for those that come again.

pub mod action_reports;
mod clock;
pub mod measurements;
mod permits;
pub mod programmes;
pub mod repeats;
pub mod report;
mod reports;
pub mod rows;
mod schema;

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use serde_json::{Value, json};

use entity::{action_report, measurement};

use self::programmes::ProgrammeRow;
use self::repeats::{Asked, Repeats};
use self::report::PushReport;
use self::reports::ReportRow;
use self::rows::{Row, Rows};
use crate::auth::permissions::Permission;
use crate::csv::column::{Cells, Column};
use crate::http::answer::Answer;
use crate::http::idempotency::IdempotencyKey;
use crate::http::language::Language;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::http::query::Parameters;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::dependencies::{self, Counted};
use crate::store::retry::Retry;
use crate::store::transaction::WriteTransaction;

/// The result of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was stored for the row.
    Created,
    /// The row changes what was stored.
    Updated,
    /// All that the row says is stored already.
    Unchanged,
    /// What is stored is newer by the clock of the source system.
    Stale,
    /// The row cannot be stored, for these reasons.
    Rejected(Vec<FieldError>),
}

/// A kind of resource that is pushed: the type is a row as a client sends it.
#[expect(async_fn_in_trait, reason = "handlers stay on their worker thread, so the futures need not be Send")]
pub trait Pushed: Sized + 'static {
    /// The permission to push it.
    type May: Permission;
    /// The plan: what is written once all rows are decided.
    type Plan;

    /// The schema of a row.
    fn schema() -> Value;

    /// The columns of the CSV form of a row.
    fn columns() -> Vec<Column>;

    /// Reads a row from its JSON, or returns every field error that it has by itself.
    fn read(value: Value) -> Result<Self, Vec<FieldError>>;

    /// The key of the row, as the answer names it.
    fn key(&self) -> String;

    /// Whether anything is to be written.
    fn writes(plan: &Self::Plan) -> bool;

    /// Decides the result of each row, in a number of statements that does not depend on the number of rows. What is to be
    /// written is locked until the commit; a preview locks nothing.
    async fn decide(transaction: &WriteTransaction, rows: &[Row<Self>], submits: bool) -> ApiResult<(Vec<Outcome>, Self::Plan)>;

    /// Writes what was decided.
    async fn write(transaction: &WriteTransaction, rows: &[Row<Self>], plan: Self::Plan) -> ApiResult<()>;
}

/// How a push is to be carried out.
#[derive(Clone, Copy, Debug)]
struct Mode {
    atomic: bool,
    dry_run: bool,
    submits: bool,
    all_rows: bool,
}

impl Mode {
    fn read(mut parameters: Parameters) -> ApiResult<Self> {
        let expected = ("atomic or partial", "atomic atau partial");
        let atomic = parameters.read("mode", expected, |text| match text {
            "atomic" => Some(true),
            "partial" => Some(false),
            _ => None,
        });
        let (dry_run, submits) = (parameters.flag("dry_run"), parameters.flag("submit"));
        let all_rows = parameters.read("rows", ("all", "all"), |text| (text == "all").then_some(true));
        parameters.finish()?;
        Ok(Self {
            atomic: atomic.unwrap_or(true),
            dry_run: dry_run.unwrap_or_default(),
            submits: submits.unwrap_or(true),
            all_rows: all_rows.unwrap_or_default(),
        })
    }
}

/// A push that was received.
struct Received<T> {
    rows: Vec<Row<T>>,
    /// The columns of a CSV.
    columns: Vec<Column>,
    mode: Mode,
    language: Language,
}

/// What was decided of a push.
struct Decided<P> {
    answer: Answer,
    /// What is to be written.
    plan: P,
    /// Whether every row only repeats what is stored.
    is_repeat: bool,
}

impl<T: Pushed> Received<T> {
    /// What becomes of the rows; 422 if a row of an atomic push is rejected.
    async fn decided(&self, transaction: &WriteTransaction) -> ApiResult<Decided<T::Plan>> {
        let (outcomes, plan) = T::decide(transaction, &self.rows, self.mode.submits).await?;
        let report = PushReport::of(&self.rows, &outcomes, self.mode.all_rows, &self.columns, self.language);
        if self.mode.atomic && report.has_rejected() {
            return Err(refused(report.without_writes())?);
        }
        Ok(Decided { answer: Answer::json(StatusCode::OK, &report)?, plan, is_repeat: report.is_repeat() })
    }

    /// What was decided, if nothing is to be written. If the first of several rows brings something, no other is looked at.
    async fn decided_without_writes(&self, transaction: &WriteTransaction) -> ApiResult<Option<Decided<T::Plan>>> {
        if let [first, _, ..] = self.rows.as_slice()
            && T::writes(&T::decide(transaction, std::slice::from_ref(first), self.mode.submits).await?.1)
        {
            return Ok(None);
        }
        let decided = self.decided(transaction).await?;
        Ok((!T::writes(&decided.plan)).then_some(decided))
    }

    /// The answer, if nothing is to be written. What only repeats what is stored is noted under `asked`.
    async fn previewed(&self, access: &Access<T::May>, repeats: &Repeats, asked: Asked) -> ApiResult<Option<Answer>> {
        let since = access.store.generation().now();
        let preview = async |transaction: &WriteTransaction| {
            let deciding = self.decided_without_writes(transaction);
            let (decided, made_of) = dependencies::recorded(since, Counted::Everything, deciding).await;
            let Some(Decided { answer, is_repeat, .. }) = decided? else { return Ok(None) };
            if is_repeat {
                repeats.keep(asked, answer.clone(), transaction, made_of);
            }
            Ok(Some(answer))
        };
        access.preview(preview).await
    }

    /// The answer, with everything written.
    async fn written(&self, transaction: &WriteTransaction) -> ApiResult<Answer> {
        let Decided { answer, plan, .. } = self.decided(transaction).await?;
        T::write(transaction, &self.rows, plan).await?;
        Ok(answer)
    }
}

async fn push<T: Pushed>(
    access: Access<T::May>,
    request: HttpRequest,
    parameters: Parameters,
    key: IdempotencyKey,
    repeats: Data<Repeats>,
    payload: Payload,
) -> ApiResult<Answer> {
    let mode = Mode::read(parameters)?;
    let body = rows::receive::<T>(&request, payload, access.actor()).await?;
    let language = Language::preferred(request.headers());
    let asked = Asked::of(&request, &body, access.actor(), language);
    // A request with other parameters is another request.
    let retry = retry(&request, key, &format!("{} {}", body.fingerprint, request.query_string()));
    // No dry run is kept, so none is found.
    if let Some(answer) = repeats.answer(asked, &access).await? {
        return without_writes(&access, retry, answer).await;
    }
    let Rows { rows, columns, turn: _turn } = body.rows()?;
    let push = Received { rows, columns, mode, language };
    if mode.dry_run {
        return access.preview(async |transaction: &WriteTransaction| Ok(push.decided(transaction).await?.answer)).await;
    }
    // Most pushes repeat what is stored. That is found out without keeping writers waiting.
    match push.previewed(&access, &repeats, asked).await {
        Ok(Some(answer)) => without_writes(&access, retry, answer).await,
        // A retry of a push that was carried out gets its answer, even if rows would be rejected by now.
        Err(error) if !retry.has_key() || error.code() != codes::ROWS_REJECTED => Err(error),
        Ok(None) | Err(_) => access.write(retry, async |transaction: &WriteTransaction| push.written(transaction).await).await,
    }
}

/// Gives the answer to a push that writes nothing, or that which the same key got before.
async fn without_writes<P: Permission>(access: &Access<P>, retry: Retry, answer: Answer) -> ApiResult<Answer> {
    if retry.has_key() { access.write(retry, async |_: &WriteTransaction| Ok(answer)).await } else { Ok(answer) }
}

/// 422 with the members of the report.
fn refused(report: PushReport) -> ApiResult<ApiError> {
    let Value::Object(members) = serde_json::to_value(report).map_err(ApiError::unexpected)? else {
        return Err(ApiError::unexpected("a report is an object"));
    };
    Ok(members.into_iter().fold(ApiError::new(codes::ROWS_REJECTED), |error, (name, value)| error.member(&name, value)))
}

const MEASUREMENTS: &str = "/v1/push/measurements";
const ACTION_REPORTS: &str = "/v1/push/action-reports";
const PROGRAMMES: &str = "/v1/push/programmes";

/// Adds the routes.
pub fn mount(table: &mut Table) {
    table
        .lazily(Method::POST, MEASUREMENTS, of_measurements, push::<ReportRow<measurement::Model>>)
        .lazily(Method::POST, ACTION_REPORTS, of_action_reports, push::<ReportRow<action_report::Model>>)
        .lazily(Method::POST, PROGRAMMES, of_programmes, push::<ProgrammeRow>);
}

fn of_measurements() -> Operation {
    describe::<ReportRow<measurement::Model>>(
        MEASUREMENTS,
        "push_measurements",
        "Push measurements",
        "The natural key of a row is its KPI and period. A new measurement needs a `value`. A changed value of a verified measurement \
         becomes a revision, which needs a `reason`; the verified value stays in force until the revision is verified, too. A period \
         that has not begun accepts no measurement (`period_not_begun`).",
        "MeasurementRow",
        json!([{ "kpi": "STUNTING", "period": "2023", "value": "18.4", "source_updated_at": "2024-01-08T02:00:00Z" }]),
        "kpi,period,value,source_updated_at\nSTUNTING,2023,18.4,2024-01-08T02:00:00Z\n",
    )
}

fn of_action_reports() -> Operation {
    describe::<ReportRow<action_report::Model>>(
        ACTION_REPORTS,
        "push_action_reports",
        "Push action reports",
        "The natural key of a row is its action and quarter. A new report needs a `realisation`. A change of a verified report becomes \
         a revision, which needs a `reason`; the verified report stays in force until the revision is verified, too. A realisation \
         that is less than that of the quarter before, or more than that of the next quarter, also needs a `reason` \
         (`reason_required`). A quarter that has not begun accepts no report (`period_not_begun`).",
        "ActionReportRow",
        json!([{ "action": "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21", "quarter": 3, "realisation": "4", "narrative": "Dua unit selesai" }]),
        "action,quarter,realisation,narrative\n0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21,3,4,Dua unit selesai\n",
    )
}

fn of_programmes() -> Operation {
    describe::<ProgrammeRow>(
        PROGRAMMES,
        "push_programmes",
        "Push programmes",
        "The natural key of a row is the code of the programme. A new programme needs `masterplan`, `dimension`, `name` and `lead_opd`, \
         and is not published unless the row says so. The status changes only through transitions. Programmes are not reviewed, so \
         `submit` has no effect.",
        "ProgrammeRow",
        json!([{ "code": "SV-01", "masterplan": "KLU-SC", "dimension": "environment", "name": "TPS3R", "lead_opd": "DLH" }]),
        "code,masterplan,dimension,name,lead_opd\nSV-01,KLU-SC,environment,TPS3R,DLH\n",
    )
}

fn describe<T: Pushed>(
    path: &str,
    id: &str,
    summary: &str,
    about: &str,
    row_name: &str,
    example: Value,
    csv_example: &str,
) -> Operation {
    let about = format!("{about}\n\n{}", common_description::<T>());
    let array =
        json!({ "type": "array", "maxItems": rows::MOST_ROWS, "items": { "$ref": format!("#/components/schemas/{row_name}") } });
    let mode = json!({ "type": "string", "enum": ["atomic", "partial"], "default": "atomic" });
    let flag = |default: bool| json!({ "type": "boolean", "default": default });
    let report = json!({
        "received": 2, "created": 1, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 1,
        "rows": [{ "row": 2, "key": "TPS3R/2022", "result": "rejected", "errors": [{ "pointer": "/kpi", "code": "outside_own_opd", "detail": "`DLH` is not `DINKES` or below it." }] }],
    });
    let mut operation = Operation::new(Method::POST, path, id, "push", summary, &about)
        .roles(&T::May::role_names())
        .query(
            "mode",
            mode,
            "`atomic` writes all rows or none: if any row is rejected, the answer is 422 `rows_rejected`. `partial` writes the \
             rows that can be written.",
        )
        .query(
            "dry_run",
            flag(false),
            "Checks everything and answers as the real push would, but writes nothing. An `Idempotency-Key` has no effect on it.",
        )
        .query("submit", flag(true), "Submits the written rows for review; with `false` they stay drafts.")
        .query("rows", json!({ "type": "string", "enum": ["all"] }), "`all` lists the accepted rows in the answer as well.")
        .body(row_name, T::schema(), example.clone(), &["application/json"])
        .retryable()
        .answers::<PushReport>(
            200,
            "The result of the push, with the rows that were rejected or stale.",
            Some(report),
            &["Idempotent-Replayed"],
        );
    let text = json!({ "type": "string", "maxLength": rows::LARGEST });
    operation.object["requestBody"]["content"] = json!({
        "application/json": { "schema": array, "example": example },
        "application/x-ndjson": { "schema": text, "example": format!("{}\n", example[0]) },
        "text/csv": { "schema": text, "example": csv_example },
    });
    operation
}

/// The part of the description that is the same for every push.
fn common_description<T: Pushed>() -> String {
    let columns = T::columns();
    let named = |is: fn(&Column) -> bool| {
        let names = columns.iter().filter(|column| is(column)).map(|column| format!("`{}`", column.name));
        names.collect::<Vec<_>>().join(", ")
    };
    let (read, ignored) = (named(|column| column.cells != Cells::Ignored), named(|column| column.cells == Cells::Ignored));
    format!(
        "Up to 10,000 rows and 16 MiB in one request, as a JSON array, as NDJSON (one object on each line) or as CSV; the body \
         may be compressed with `Content-Encoding: gzip`.\n\n\
         **A row changes only what it names.** A member that is absent, or an empty CSV cell, leaves what is stored; `null` \
         clears it. A row about something that exists needs only its key and the members that change. A row is `unchanged` if \
         every member that it names equals what is in force or waits for review, whoever wrote that.\n\n\
         A row whose `source_updated_at` is older than what is stored is `stale` and changes nothing; a time more than 5 minutes \
         in the future is rejected (`in_future`). The answer counts all rows and lists those that were rejected or stale. Send \
         the request again with the same `Idempotency-Key` until an answer arrives: the push is carried out only once.\n\n\
         **CSV** is UTF-8, with or without a byte order mark. The first line names the columns, in upper or lower case: {read}. \
         Columns that only the service writes are ignored, so that exported files can be pushed: {ignored}. The separator is \
         `,`, `;` or a tab, as the header line shows, or as a line such as `sep=;` before it says; with `;` as the separator, \
         decimal commas are accepted. Cells are trimmed, and empty lines are skipped. `TRUE`, `1`, `FALSE` and `0` are booleans. \
         Nested members are JSON, or have columns of their own such as `provenance.title`; lists are words separated by `;`, or \
         JSON. An apostrophe before a formula is removed. A quotation mark that is never closed, or that is in a place where \
         none is allowed, makes the whole body invalid: the answer is 400, with the `line` where the quotation mark opens. Only \
         cells of long texts such as `note` may contain line breaks."
    )
}
