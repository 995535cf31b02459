//! What OPDs report, whatever it is about: a report is written in revisions, handed in, and counts once somebody else has
//! verified it. A verified one is never overwritten: writing it again adds a revision.
//!
//! `Report` says what a kind of report tells about itself; the flow, the handlers and their descriptions are the same for all.

pub mod evidence;
pub mod flow;
pub mod review;
pub mod review_state;
pub mod routes;

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use chrono::{DateTime, NaiveDate, Utc};
use entity::measurement::ReportState;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, EntityTrait, FromQueryResult, IntoActiveModel, ModelTrait, PrimaryKeyTrait,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use self::review_state::ReviewState;
use crate::auth::permissions::Permission;
use crate::http::problem::{ApiResult, FieldError};
use crate::store::listing::Field;
use crate::store::transaction::WriteTransaction;

/// The row of what a report is about.
pub type Subject<R> = <<R as Report>::Subject as EntityTrait>::Model;

/// What can be reported. In the order in which they are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// A measurement of a KPI.
    Measurement,
    /// What was done of an action within a quarter.
    ActionReport,
}

impl ReportKind {
    /// The words of all kinds.
    pub const NAMES: &'static [&'static str] = &["measurement", "action_report"];

    /// The word in the audit log and in bodies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measurement => "measurement",
            Self::ActionReport => "action_report",
        }
    }
}

/// What a kind of report is called.
pub struct Words {
    /// The collection: `/v1/kpis/{code}/measurements`.
    pub path: &'static str,
    /// The tag of its operations.
    pub tag: &'static str,
    /// What it is about, in the audit log, as a table and as a column: `kpi`.
    pub of: &'static str,
    /// The column that identifies that: `code`.
    pub of_key: &'static str,
    /// The part of time it is for, as a column and in paths: `period`.
    pub part: &'static str,
    /// One, in titles: `Measurement`.
    pub title: &'static str,
    /// One in prose, with its article: `a measurement`.
    pub a: &'static str,
    /// What it is about in prose, with its article: `a KPI`.
    pub of_a: &'static str,
    /// What writing one is called: `Report a measurement`.
    pub put: &'static str,
    /// What writing one does, in a sentence.
    pub about: &'static str,
    /// What else writing one is held to, in sentences.
    pub more: &'static str,
}

/// Which report: of what, and for which part of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportKey {
    /// The code or id of what it is about.
    pub of: String,
    /// The part of time, as paths have it.
    pub part: String,
}

impl ReportKey {
    /// Out of what the audit log calls it.
    pub fn read(key: &str) -> Option<Self> {
        key.split_once('/').map(|(of, part)| Self { of: of.to_owned(), part: part.to_owned() })
    }
}

/// What the audit log calls it.
impl Display for ReportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.of, self.part)
    }
}

/// A report that is about to be written over `before`.
pub struct Written<'a, R: Report> {
    /// The code or id of what it is about.
    pub of: &'a str,
    /// The part of time it is for.
    pub part: R::Part,
    /// What it says.
    pub input: R::Input,
    /// What it takes the place of.
    pub before: Option<&'a R>,
}

/// A kind of report: the row of one revision.
#[expect(async_fn_in_trait, reason = "handlers stay on their worker thread, so the futures need not be Send")]
pub trait Report:
    ModelTrait<Entity = Self::Table> + FromQueryResult + IntoActiveModel<<Self::Table as EntityTrait>::ActiveModel> + Sync + 'static
{
    /// Which kind.
    const KIND: ReportKind;
    /// What it is called.
    const WORDS: Words;
    /// The order of a list.
    const ORDER: Field;
    /// Its table.
    type Table: EntityTrait<
            Model = Self,
            ActiveModel: ActiveModelTrait<Entity = Self::Table> + ActiveModelBehavior + Send,
            Column: std::str::FromStr<Err: fmt::Debug>,
        >;
    /// The table of what it is about.
    type Subject: EntityTrait<PrimaryKey: PrimaryKeyTrait<ValueType = String>>;
    /// Whether what one says depends on what is said for other parts of time, see [`Report::field_errors_together`].
    const BESIDE_OTHERS: bool = false;
    /// The part of time it is for.
    type Part: Copy;
    /// What a client sends.
    type Input: DeserializeOwned + ToSchema + 'static;
    /// What it looks like on the wire.
    type Shown: Serialize + ToSchema + for<'a> From<&'a Self>;
    /// Who may report.
    type May: Permission;

    /// One from the real case, as it is shown.
    fn example() -> Value;

    /// What a client sends for it.
    fn input_example() -> Value;

    /// The part of time in a path: 404 where it can be none.
    fn part(text: &str) -> ApiResult<Self::Part>;

    /// The part of time as it stands in the table.
    fn stored(part: Self::Part) -> sea_orm::Value;

    /// The code or id of what it is about.
    fn key(subject: &Subject<Self>) -> &str;

    /// The OPD that reports.
    fn opd(subject: &Subject<Self>) -> &str;

    /// Every field error that what is sent has beside what it is about.
    fn field_errors(subject: &Subject<Self>, part: Self::Part, input: &Self::Input) -> Vec<FieldError>;

    /// The field error of a report for a part of time that has not begun on a day.
    fn early(subject: &Subject<Self>, part: Self::Part, today: NaiveDate) -> Option<FieldError>;

    /// The field errors of reports that are written together beside those for other parts of time, theirs and those that stand, by
    /// their place in the list. The rows of what they are about are locked.
    async fn field_errors_together(
        _change: &WriteTransaction,
        _written: &[Written<'_, Self>],
    ) -> ApiResult<BTreeMap<usize, FieldError>> {
        Ok(BTreeMap::new())
    }

    /// Why a verified one is corrected, as the client says.
    fn reason(input: &Self::Input) -> Option<&str>;

    /// The row that reporting `input` over `before` makes: not handed in yet.
    fn drafted(transaction: &WriteTransaction, of: &str, part: Self::Part, before: Option<&Self>, input: Self::Input) -> Self;

    /// Where it stands in the review.
    fn state(&self) -> ReportState;

    /// When the source system last changed it.
    fn changed_at(&self) -> Option<DateTime<Utc>>;

    /// Which it is.
    fn place(&self) -> ReportKey;

    /// Where it stands.
    fn review_state(&self) -> ReviewState;

    /// Moves it on.
    fn set_review_state(&mut self, review_state: ReviewState);

    /// Notes that it was handed in.
    fn handed_in(&mut self, _today: NaiveDate) {}

    /// Makes a row that is about to count do so, and says from which day on. Its own columns only.
    async fn count(&mut self, transaction: &WriteTransaction) -> ApiResult<NaiveDate>;
}
