//! `/v1/actions`: renaksi.

mod lists;
pub mod reports;

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::rules::renaksi::{ActionPlan, ActionState, begun, is_weight, progress, state};
use entity::value::code::Code;
use entity::value::decimal::{Decimal, Percent};
use entity::{action, action_report, measurement::ReportState};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::association::PROGRAMME;
use super::provenance::Provenance;
use super::{opds, programmes};
use crate::auth::permissions::EditActions;
use crate::crud::members::{Parts, members, read_members};
use crate::crud::resource::{Compute, Hooks, Resource};
use crate::crud::typed::kind_of;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, FieldError};
use crate::store::kind::{BeforeFirst, Kind, Names, Own, PartColumn, Scope, ValueType};
use crate::store::rows::Executor;

/// What is realised at the end of each quarter, as far as it is verified; by the quarter's number less one.
type Realisation = [Option<Decimal>; 4];

/// The kind.
pub static KIND: Kind = kind_of::<Action>(Names {
    one: "action",
    many: "actions",
    spoken: "action",
    plural: "actions",
    indonesian: "renaksi",
    schema: "Action",
    about: "An action (renaksi) is what an OPD does for a programme within a year, with a cumulative target for each quarter. Its OPD reports on \
            it each quarter; verified reports make up `realisation`, from which `progress` and `state` are computed.",
})
.with_ids()
.public_with(Own::Published, "programme")
.without_feed()
.with_snapshots(BeforeFirst::Absent);

members! {
    /// An action (renaksi): what an OPD does for a programme within a year.
    pub struct Action of action by id {
        /// The programme it serves.
        pub programme: Code = column.refers(&programmes::KIND).sort().public().label("Programme", "Program", "Program yang dilayaninya."),
        /// The OPD that carries it out, and reports on it.
        pub opd: Code = column.refers(&opds::KIND).sort().public().label("OPD", "OPD", "OPD pelaksana dan pelapor."),
        /// What is to be done.
        #[schema(min_length = 1, max_length = 500, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub title: String = column.sort().public().label("Title", "Judul", "Apa yang akan dilakukan."),
        /// What is counted, such as `desa`.
        #[schema(max_length = 100)]
        pub output_unit: Option<String> = column.public().label("Output unit", "Satuan keluaran", "Apa yang dihitung, misalnya `desa`."),
        /// The year of the action.
        #[schema(minimum = 1900, maximum = 2199)]
        pub year: i32 = column.sort().public().label("Year", "Tahun", "Tahun pelaksanaan."),
        /// How much it counts among the other actions: more than 0, at most 1000, and 1 in a new one where this is absent.
        #[serde(default = "one")]
        pub weight: Decimal = column.sort().public().label("Weight", "Bobot", "Bobot di antara renaksi lain: lebih dari 0, paling banyak 1000; yang baru 1 bila tidak disebut."),
        /// The day by which all of it is to be done.
        #[schema(max_length = 10)]
        pub due_on: Option<NaiveDate> = column.sort().public().label("Due on", "Tenggat", "Tanggal seluruhnya harus selesai."),
        /// What is to be reached by the end of each quarter.
        pub targets: Targets = parts.public().label("Targets", "Target", "Target kumulatif pada akhir setiap triwulan."),
        /// Whether the public sees it: a new one only where this is `true`.
        #[serde(default)]
        pub published: bool = column.filter().label("Published", "Diterbitkan", "Apakah publik dapat melihatnya; yang baru hanya bila `true`."),
        /// Where the facts come from.
        pub provenance: Option<Provenance> = column.public().label("Provenance", "Sumber", "Asal keterangan ini."),
    }
}

read_members! {
    /// What is computed of an action from its verified reports.
    pub struct ActionProgress {
        /// What is realised at the end of each quarter, as far as it is verified; null where it is not, and while the quarter has not begun.
        pub realisation: Quarters = json.public().label("Realisation", "Realisasi", "Realisasi terverifikasi pada akhir setiap triwulan; null bila belum ada."),
        /// Percent: cumulative realisation ÷ cumulative target of the year × 100, as far as it is verified, at most 100; rounded half up,
        /// but 100.00 only where all is realised and 0.00 only where nothing is. A year's target of 0 counts as 100 once a report is
        /// verified, else as 0.
        pub progress: Percent = value.public().label("Progress", "Kemajuan", "Persentase realisasi terverifikasi terhadap target tahunan, paling banyak 100."),
        /// `done`: what is verified reaches the year's target. `late`: `due_on` has passed, or what is verified up to the last quarter that
        /// ended is below the target of that quarter. `not_started`: nothing is realised and nothing is due. Else `on_track`.
        pub state: ActionState = value.public().label("State", "Keadaan", "Keadaan renaksi menurut realisasi dan tenggatnya."),
    }
}

/// A value for each quarter, null where there is none.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = ActionRealisation)]
pub struct Quarters {
    /// At the end of March.
    #[schema(required = true)]
    pub q1: Option<Decimal>,
    /// At the end of June.
    #[schema(required = true)]
    pub q2: Option<Decimal>,
    /// At the end of September.
    #[schema(required = true)]
    pub q3: Option<Decimal>,
    /// At the end of the year.
    #[schema(required = true)]
    pub q4: Option<Decimal>,
}

/// What is to be reached by the end of each quarter, counted from the beginning of the year: not negative, and never less
/// than the quarter before.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActionTargets)]
pub struct Targets {
    /// By the end of March.
    pub q1: Decimal,
    /// By the end of June.
    pub q2: Decimal,
    /// By the end of September.
    pub q3: Decimal,
    /// By the end of the year.
    pub q4: Decimal,
}

impl Parts<action::Entity> for Targets {
    const COLUMNS: &'static [PartColumn] = &[
        PartColumn { name: "target_q1", part: "q1", value: ValueType::Decimal },
        PartColumn { name: "target_q2", part: "q2", value: ValueType::Decimal },
        PartColumn { name: "target_q3", part: "q3", value: ValueType::Decimal },
        PartColumn { name: "target_q4", part: "q4", value: ValueType::Decimal },
    ];

    fn load(row: &action::Model) -> Self {
        Self { q1: row.target_q1, q2: row.target_q2, q3: row.target_q3, q4: row.target_q4 }
    }

    fn store(self, row: &mut action::ActiveModel) {
        row.target_q1 = Set(self.q1);
        row.target_q2 = Set(self.q2);
        row.target_q3 = Set(self.q3);
        row.target_q4 = Set(self.q4);
    }
}

fn one() -> Decimal {
    Decimal::computed(1.into(), 0)
}

impl Targets {
    fn all(&self) -> [Decimal; 4] {
        [self.q1, self.q2, self.q3, self.q4]
    }

    /// The field errors of a target that is negative or less than the one before.
    fn field_errors(&self) -> Vec<FieldError> {
        let not_less = || {
            Text::new(
                "From 0, and not less than the quarter before: targets count from the beginning of the year.",
                "Mulai 0 dan tidak kurang dari triwulan sebelumnya: target dihitung kumulatif dari awal tahun.",
            )
        };
        let mut least = Decimal::default();
        let mut field_errors = Vec::new();
        for (name, target) in ["q1", "q2", "q3", "q4"].into_iter().zip(self.all()) {
            if target < least {
                field_errors.push(FieldError::at(format!("/targets/{name}"), "outside_range", not_less()));
            }
            least = least.max(target);
        }
        field_errors
    }
}

/// The field error of a weight that an action cannot have.
pub fn weight_field_error(weight: Decimal) -> Option<FieldError> {
    let text = || Text::new("A weight is more than 0, and at most 1000.", "Bobot lebih dari 0 dan paling banyak 1000.");
    (!is_weight(weight.inner())).then(|| FieldError::at("/weight", "outside_range", text()))
}

impl Resource for Action {
    const KIND: &'static Kind = &KIND;
    type Write = EditActions;
    type ReadOnly = ();
    type Computed = ActionProgress;
    const HOOKS: Hooks<Self> = Hooks::NONE.compute().read_whole().attached_to(&programmes::KIND, &PROGRAMME);

    fn example() -> Value {
        json!({
            "id": "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21", "programme": "SV-01", "opd": "DLH", "title": "Pembangunan TPS3R",
            "output_unit": "unit", "year": 2022, "weight": "1", "due_on": "2022-12-31",
            "targets": { "q1": "0", "q2": "2", "q3": "4", "q4": "6" }, "published": true,
            "provenance": { "publisher": "Katada.id", "date": "2022-10-04", "basis": "derived" },
            "realisation": { "q1": "0", "q2": "2", "q3": "4", "q4": null }, "progress": "66.67", "state": "on_track",
        })
    }

    fn computed_of_new() -> Value {
        json!({
            "realisation": { "q1": null, "q2": null, "q3": null, "q4": null }, "progress": "0.00", "state": "not_started",
        })
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.title]
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.opd)
    }

    fn field_errors(&self) -> Vec<FieldError> {
        self.targets.field_errors()
    }

    fn field_errors_beside(&self, before: Option<&action::Model>, _: NaiveDate) -> Vec<FieldError> {
        let stays = before.is_some_and(|before| before.weight == self.weight);
        weight_field_error(self.weight).filter(|_| !stays).into_iter().collect()
    }
}

impl Compute for Action {
    async fn compute(db: &Executor<'_>, rows: &[action::Model], _: Scope, today: NaiveDate) -> ApiResult<Vec<ActionProgress>> {
        let realised = realised(db, rows.iter().map(|row| row.id.clone()).collect()).await?;
        Ok(rows.iter().map(|row| progress_of(row, realised.get(&row.id), today)).collect())
    }
}

/// What is computed of an action on a day.
fn progress_of(row: &action::Model, realised: Option<&Realisation>, today: NaiveDate) -> ActionProgress {
    let realisation = begun(row.year, realised.copied().unwrap_or_default(), today);
    let plan = plan(row, realisation);
    let [q1, q2, q3, q4] = realisation;
    ActionProgress { realisation: Quarters { q1, q2, q3, q4 }, progress: progress(&plan, 4), state: state(&plan, today) }
}

/// An action as the rules take it.
fn plan(row: &action::Model, realisation: Realisation) -> ActionPlan {
    ActionPlan {
        year: row.year,
        weight: row.weight.inner(),
        due_on: row.due_on,
        targets: Targets::load(row).all().map(Decimal::inner),
        realisation: realisation.map(|value| value.map(Decimal::inner)),
    }
}

/// What is verified of these actions, in force now. One statement.
async fn realised(db: &impl ConnectionTrait, actions: Vec<String>) -> ApiResult<HashMap<String, Realisation>> {
    use action_report::Column;
    let verified = action_report::Entity::find()
        .filter(Column::Action.is_in(actions))
        .filter(Column::State.eq(ReportState::Verified))
        .order_by_asc(Column::Revision);
    let mut realised: HashMap<String, Realisation> = HashMap::new();
    for report in verified.all(db).await? {
        let quarters = realised.entry(report.action).or_default();
        let quarter = usize::try_from(report.quarter).ok().and_then(|quarter| quarters.get_mut(quarter.checked_sub(1)?));
        if let Some(value) = quarter {
            *value = Some(report.realisation);
        }
    }
    Ok(realised)
}
