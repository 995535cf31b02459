//! The reports of OPDs, whatever they are about. A report is written in revisions, submitted, and counts once somebody else has
//! verified it. A verified revision is never overwritten: writing the report again adds a revision.
//!
//! `Report` says what differs between the kinds of reports. The flow, the handlers and their descriptions are the same for all.

pub mod evidence;
pub mod flow;
pub mod many;
mod put;
pub mod review;
pub mod review_state;
pub mod routes;

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use chrono::NaiveDate;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, EntityTrait, FromQueryResult, IntoActiveModel, ModelTrait, PartialModelTrait,
    PrimaryKeyTrait,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use self::review_state::ReviewState;
use crate::auth::permissions::Permission;
use crate::http::precondition::Tagged;
use crate::http::problem::{ApiResult, FieldError};
use crate::store::kind::{Audited, Field, Kind};
use crate::store::transaction::WriteTransaction;

/// The kinds of reports, in the order in which they are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// A measurement of a KPI.
    Measurement,
    /// A report on an action for a quarter.
    ActionReport,
}

entity::labels! { ReportKind {
    Measurement: "Measurement", "Capaian indikator";
    ActionReport: "Action report", "Laporan renaksi";
} }

impl ReportKind {
    /// The words for all kinds.
    pub const NAMES: &'static [&'static str] = &["measurement", "action_report"];

    /// The word in the audit log and in bodies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measurement => "measurement",
            Self::ActionReport => "action_report",
        }
    }
}

/// The names and texts for a kind of report.
pub struct Words {
    /// The path of the collection: `/v1/kpis/{code}/measurements`.
    pub path: &'static str,
    /// The tag of the operations.
    pub tag: &'static str,
    /// The resource that the reports are about, in the audit log, as a table and as a column: `kpi`.
    pub of: &'static str,
    /// The column that identifies that resource: `code`.
    pub of_key: &'static str,
    /// The period of the report, as a column and in paths: `period` or `quarter`.
    pub part: &'static str,
    /// That parameter of a path, for the document.
    pub part_parameter: fn() -> (Value, &'static str),
    /// The name of a report, in titles: `Measurement`.
    pub title: &'static str,
    /// The name of a report in prose, with its article: `a measurement`.
    pub a: &'static str,
    /// The resource that it is about in prose, with its article: `a KPI`.
    pub of_a: &'static str,
    /// The title of the operation that writes a report: `Report a measurement`.
    pub put: &'static str,
    /// What that operation creates or changes, in words.
    pub about: &'static str,
    /// The further rules for writing a report, in sentences.
    pub more: &'static str,
}

/// The key of a report: the KPI or action, and the period or quarter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportKey {
    /// The code or id of the KPI or action.
    pub of: String,
    /// The period or quarter, as paths have it.
    pub part: String,
}

impl ReportKey {
    /// Reads the key from its form in the audit log.
    pub fn read(key: &str) -> Option<Self> {
        key.split_once('/').map(|(of, part)| Self { of: of.to_owned(), part: part.to_owned() })
    }
}

/// The key in the form of the audit log.
impl Display for ReportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.of, self.part)
    }
}

/// A report that is about to be written over `before`.
pub struct Written<'a, R: Report> {
    /// The code or id of the KPI or action.
    pub of: &'a str,
    /// The period or quarter.
    pub part: R::Part,
    /// The content of the report.
    pub input: R::Input,
    /// The revision that it replaces or follows.
    pub before: Option<&'a R>,
}

/// A kind of report. The type that implements it is the row of one revision.
#[expect(async_fn_in_trait, reason = "handlers stay on their worker thread, so the futures need not be Send")]
pub trait Report:
    ModelTrait<Entity = Self::Table> + FromQueryResult + IntoActiveModel<<Self::Table as EntityTrait>::ActiveModel> + Sync + 'static
{
    /// The kind.
    const KIND: ReportKind;
    /// What the audit log tells of it.
    const AUDITED: &'static Audited;
    /// What it is about.
    const OF: &'static Kind;
    /// The names and texts for the kind.
    const WORDS: Words;
    /// The order of a list of reports.
    const ORDER: Field;
    /// The table of the reports.
    type Table: EntityTrait<
            Model = Self,
            ActiveModel: ActiveModelTrait<Entity = Self::Table> + ActiveModelBehavior + Send,
            Column: std::str::FromStr<Err: fmt::Debug>,
        >;
    /// The table of the KPI or action.
    type Of: EntityTrait<PrimaryKey: PrimaryKeyTrait<ValueType = String>>;
    /// What of the KPI or action a report depends on.
    type Subject: PartialModelTrait + Send + Sync;
    /// Whether a report depends on the reports for other periods, see [`Report::field_errors_together`].
    const BESIDE_OTHERS: bool = false;
    /// The SQL type of the column of the period or quarter.
    const PART_TYPE: &'static str;
    /// The type of the period or quarter.
    type Part: Copy + Display + Serialize;
    /// The body of a request that writes a report.
    type Input: Clone + DeserializeOwned + ToSchema + 'static;
    /// The form of a report in answers.
    type Shown: Serialize + ToSchema + Tagged + for<'a> From<&'a Self>;
    /// The permission to report.
    type May: Permission;

    /// An example from the real case, in the form of an answer.
    fn example() -> Value;

    /// An example of the body of a request.
    fn input_example() -> Value;

    /// Reads the period or quarter of a path: 404 if the text can be none.
    fn part(text: &str) -> ApiResult<Self::Part>;

    /// The period or quarter in the form of the table.
    fn stored(part: Self::Part) -> sea_orm::Value;

    /// The code or id of the KPI or action.
    fn key(subject: &Self::Subject) -> &str;

    /// The OPD that reports.
    fn opd(subject: &Self::Subject) -> &str;

    /// Every field error of a report, compared with the KPI or action that it is about.
    fn field_errors(subject: &Self::Subject, part: Self::Part, input: &Self::Input) -> Vec<FieldError>;

    /// The field error of a report for a period that has not begun on a day.
    fn early(subject: &Self::Subject, part: Self::Part, today: NaiveDate) -> Option<FieldError>;

    /// The field errors of reports that are written together, compared with each other and with the stored reports for other
    /// periods, by their place in the list. The rows of the KPIs or actions are locked.
    async fn field_errors_together(
        _change: &WriteTransaction,
        _written: &[Written<'_, Self>],
    ) -> ApiResult<BTreeMap<usize, FieldError>> {
        Ok(BTreeMap::new())
    }

    /// Why a verified report is corrected, as the client says.
    fn reason(input: &Self::Input) -> Option<&str>;

    /// The row that results from reporting `input` over `before`. It is not submitted yet.
    fn drafted(transaction: &WriteTransaction, of: &str, part: Self::Part, before: Option<&Self>, input: Self::Input) -> Self;

    /// The key of the report.
    fn place(&self) -> ReportKey;

    /// The review state of the row.
    fn review_state(&self) -> ReviewState;

    /// Sets the review state of the row.
    fn set_review_state(&mut self, review_state: ReviewState);

    /// Notes that the row was submitted.
    fn handed_in(&mut self, _today: NaiveDate) {}

    /// Sets the columns of a row that is about to count, and returns the day from which it counts. It sets only columns that the
    /// other kinds do not have.
    async fn count(&mut self, transaction: &WriteTransaction) -> ApiResult<NaiveDate>;
}
