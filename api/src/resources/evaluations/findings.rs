//! `/v1/evaluations/{code}/findings`

use chrono::{DateTime, NaiveDate, Utc};
use entity::finding;
use entity::rules::finding::{FindingState, is_overdue};
use entity::value::code::Code;
use sea_orm::ActiveEnum;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::auth::permissions::HoldEvaluations;
use crate::crud::members::{FromRow, members, read_members};
use crate::crud::resource::{BeforeInsert, Compute, Hooks, NewRow, Resource};
use crate::crud::typed::kind_of;
use crate::http::problem::ApiResult;
use crate::resources::association::PROGRAMME;
use crate::resources::{evaluations, opds, programmes};
use crate::store::kind::{BeforeFirst, Field, Kind, Names, Own, Scope};
use crate::store::rows::Executor;

/// The most follow-ups of one finding: they are read with it.
pub const MOST_FOLLOW_UPS: usize = 1000;

/// The kind.
pub static KIND: Kind = kind_of::<Finding>(Names {
    one: "finding",
    many: "findings",
    spoken: "finding",
    plural: "findings",
    indonesian: "temuan",
    schema: "Finding",
    about: "The findings of an evaluation: what was found, which OPD has to resolve it by when, and what was done since.",
})
.with_ids()
.part_of("evaluation", &evaluations::KIND)
.listed_across()
.filters(&[Field::derived("overdue", overdue)])
.public_with(Own::Always, "evaluation")
.without_feed()
.with_snapshots(BeforeFirst::Absent)
.actions(&["created", "updated", "followed_up", "deleted", "imported"]);

members! {
    /// A finding of an evaluation. Its `state` changes only through follow-ups, also after the evaluation was closed.
    pub struct Finding of finding by id {
        /// The code of the programme that the finding is about.
        pub programme: Option<Code> = column.refers(&programmes::KIND).filter().public().label("Programme", "Program", "Program yang dimaksud."),
        /// The code of the OPD that is responsible for resolving the finding.
        pub opd: Option<Code> = column.refers(&opds::KIND).filter().public().label("OPD", "OPD", "OPD yang harus menindaklanjuti."),
        /// The text of the finding.
        #[schema(min_length = 1, max_length = 10000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub text: String = column.public().label("Text", "Uraian", "Apa yang ditemukan."),
        /// The recommendation of the evaluation.
        #[schema(max_length = 10000)]
        pub recommendation: Option<String> = column.public().label("Recommendation", "Rekomendasi", "Apa yang sebaiknya dilakukan."),
        /// The day by which the finding is to be resolved.
        #[schema(max_length = 10)]
        pub due_on: Option<NaiveDate> = column.sort().public().label("Due on", "Tenggat", "Batas waktunya."),
    }
}

read_members! {
    /// What follow-ups write of a finding.
    pub struct FindingProgress {
        /// The state of the finding. Only a follow-up changes it.
        pub state: FindingState = value.sort().public().label("State", "Keadaan", "Keadaan temuan; hanya berubah melalui tindak lanjut."),
        /// What was done about the finding, the oldest follow-up first.
        #[schema(max_items = 1000)]
        pub follow_ups: Vec<FollowUp> = json.public_entries(&["at", "text", "state"]).label("Follow-ups", "Tindak lanjut", "Apa yang dilakukan sejak itu, yang terlama lebih dahulu."),
    }
}

/// A follow-up, as it is stored with its finding.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// Who reported the follow-up.
    #[schema(max_length = 254)]
    pub by: String,
    /// When the follow-up was reported.
    #[schema(max_length = 35)]
    pub at: DateTime<Utc>,
    /// What was done about the finding.
    #[schema(max_length = 10000)]
    pub text: String,
    /// The state to which the finding moved; null if it stayed in the same state.
    #[schema(required = true)]
    pub state: Option<FindingState>,
}

impl FollowUp {
    /// Those of a finding, the oldest first. What stands in a row was checked when it was written.
    pub fn all_of(row: &finding::Model) -> Vec<Self> {
        Vec::deserialize(&row.follow_ups).unwrap_or_default()
    }
}

impl Default for FindingProgress {
    fn default() -> Self {
        Self { state: FindingState::Open, follow_ups: Vec::new() }
    }
}

impl FromRow<finding::Model> for FindingProgress {
    fn from_row(row: &finding::Model) -> Self {
        Self { state: row.state, follow_ups: FollowUp::all_of(row) }
    }
}

read_members! {
    /// What is computed of a finding.
    pub struct FindingDueness {
        /// Whether the finding is not done although its due day has passed.
        pub overdue: bool = value.public().label("Overdue", "Lewat tenggat", "Belum selesai padahal tenggatnya telah lewat."),
    }
}

impl Compute for Finding {
    async fn compute(_: &Executor<'_>, rows: &[finding::Model], _: Scope, today: NaiveDate) -> ApiResult<Vec<FindingDueness>> {
        Ok(rows.iter().map(|row| FindingDueness { overdue: is_overdue(row.due_on, row.state, today) }).collect())
    }
}

/// The condition under which a finding is overdue on a day, or is not; as [`is_overdue`] decides it.
fn overdue(is: bool, today: NaiveDate) -> SimpleExpr {
    let (due_on, state) = (Expr::col(finding::Column::DueOn), Expr::col(finding::Column::State));
    let done = FindingState::Done.to_value();
    if is { due_on.lt(today).and(state.ne(done)) } else { due_on.clone().is_null().or(due_on.gte(today)).or(state.eq(done)) }
}

impl Resource for Finding {
    const KIND: &'static Kind = &KIND;
    type Write = HoldEvaluations;
    type ReadOnly = FindingProgress;
    type Computed = FindingDueness;
    const HOOKS: Hooks<Self> = Hooks::NONE.before_insert().compute().attached_to(&programmes::KIND, &PROGRAMME);

    fn example() -> Value {
        json!({
            "id": "0183a0c6-5c00-7a00-8000-000000000001", "evaluation": "EVAL-2022-10-04",
            "text": "Seluruh OPD terus berbenah menjalankan rencana aksi dan masterplan", "overdue": false,
        })
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.text, self.recommendation.as_deref().unwrap_or_default()]
    }
}

impl BeforeInsert for Finding {
    fn before_insert(row: &mut NewRow<Self>) {
        row.state = Set(FindingState::Open);
        row.follow_ups = Set(json!([]));
    }
}
