//! `/v1/actions`: renaksi.

pub mod reports;

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::rules::renaksi::{ActionPlan, begun, is_weight, progress, state};
use entity::value::code::Code;
use entity::value::decimal::{Decimal, PATTERN};
use entity::{action, action_report, measurement::ReportState};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::provenance::Provenance;
use super::references::Target;
use super::resource::{Names, Reference, Resource, code};
use crate::auth::permissions::EditActions;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, FieldError};
use crate::store::listing::{Field, Kind};
use crate::store::scope::Scope;

/// What is realised at the end of each quarter, as far as it is verified; by the quarter's number less one.
type Realisation = [Option<Decimal>; 4];

/// An action (renaksi): what an OPD does for a programme within a year.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The programme it serves.
    pub programme: Code,
    /// The OPD that carries it out, and reports on it.
    pub opd: Code,
    /// What is to be done.
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub title: String,
    /// What is counted, such as `desa`.
    #[schema(max_length = 100)]
    pub output_unit: Option<String>,
    /// The year.
    #[schema(minimum = 1900, maximum = 2199)]
    pub year: i32,
    /// How much it counts among the others: more than 0, at most 1000, and 1 in a new one where this is absent.
    #[serde(default = "one")]
    pub weight: Decimal,
    /// The day by which all of it is to be done.
    #[schema(max_length = 10)]
    pub due_on: Option<NaiveDate>,
    /// What is to be reached by the end of each quarter.
    pub targets: Targets,
    /// Whether the public sees it: a new one only where this is `true`.
    #[serde(default)]
    pub published: bool,
    /// Where the facts come from.
    pub provenance: Option<Provenance>,
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
    const NAMES: Names = Names {
        one: "action",
        many: "actions",
        spoken: "action",
        plural: "actions",
        about: "An action (renaksi) is what an OPD does for a programme within a year, with a cumulative target for each quarter. Its OPD reports on \
                it each quarter; verified reports make up `realisation`, from which `progress` and `state` are computed.",
    };
    const FIELDS: &'static [Field] = &[
        Field::sort("programme", Kind::Code),
        Field::sort("opd", Kind::Code),
        Field::sort("year", Kind::Integer),
        Field::sort("weight", Kind::Decimal),
        Field::sort_nullable("due_on", Kind::Date),
        Field::filter("published", Kind::Flag),
        Field::sort("title", Kind::Text),
    ];
    const DEFAULT_SORT: &'static str = "id";
    const KEY: super::resource::Key = super::resource::Key::Id;
    const REFERENCES: &'static [Reference] =
        &[Reference::one("programme", Target::Programme), Reference::one("opd", Target::Opd)];
    const COMPUTED: &'static [&'static str] = &["realisation", "progress", "state"];
    type Entity = action::Entity;
    type Write = EditActions;

    fn example() -> Value {
        json!({
            "id": "0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21", "programme": "SV-01", "opd": "DLH", "title": "Pembangunan TPS3R",
            "output_unit": "unit", "year": 2022, "weight": "1", "due_on": "2022-12-31",
            "targets": { "q1": "0", "q2": "2", "q3": "4", "q4": "6" }, "published": true,
            "provenance": { "publisher": "Katada.id", "date": "2022-10-04", "basis": "derived" },
            "realisation": { "q1": "0", "q2": "2", "q3": "4", "q4": null }, "progress": "66.67", "state": "on_track",
        })
    }

    fn of(row: &action::Model) -> Self {
        Self {
            programme: code(&row.programme),
            opd: code(&row.opd),
            title: row.title.clone(),
            output_unit: row.output_unit.clone(),
            year: row.year,
            weight: row.weight,
            due_on: row.due_on,
            targets: Targets { q1: row.target_q1, q2: row.target_q2, q3: row.target_q3, q4: row.target_q4 },
            published: row.published,
            provenance: Provenance::of(row.provenance.as_ref()),
        }
    }

    fn into_row(self) -> action::ActiveModel {
        action::ActiveModel {
            programme: Set(self.programme.to_string()),
            opd: Set(self.opd.to_string()),
            title: Set(self.title),
            output_unit: Set(self.output_unit),
            year: Set(self.year),
            weight: Set(self.weight),
            due_on: Set(self.due_on),
            target_q1: Set(self.targets.q1),
            target_q2: Set(self.targets.q2),
            target_q3: Set(self.targets.q3),
            target_q4: Set(self.targets.q4),
            published: Set(self.published),
            provenance: Set(Provenance::stored(self.provenance.as_ref())),
            id: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
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

    fn read_only_schema() -> Map<String, Value> {
        let decimal = json!({ "type": ["string", "null"], "format": "decimal", "maxLength": 29, "pattern": PATTERN });
        let quarters = ["q1", "q2", "q3", "q4"];
        let realisation = json!({
            "type": "object", "readOnly": true, "additionalProperties": false, "required": quarters,
            "properties": Map::from_iter(quarters.map(|quarter| (quarter.to_owned(), decimal.clone()))),
            "description": "What is realised at the end of each quarter, as far as it is verified; null where it is not, and while the quarter has \
                            not begun.",
        });
        let progress = json!({
            "type": "string", "format": "decimal", "maxLength": 29, "pattern": PATTERN, "readOnly": true,
            "description": "Percent: cumulative realisation ÷ cumulative target of the year × 100, as far as it is verified, at most 100; rounded \
                            half up, but 100.00 only where all is realised and 0.00 only where nothing is. A year's target of 0 counts \
                            as 100 once a report is verified, else as 0.",
        });
        let state = json!({
            "type": "string", "enum": ["not_started", "on_track", "late", "done"], "readOnly": true,
            "description": "`done`: what is verified reaches the year's target. `late`: `due_on` has passed, or what is verified up to the last \
                            quarter that ended is below the target of that quarter. `not_started`: nothing is realised and nothing is due. \
                            Else `on_track`.",
        });
        let members = [("realisation", realisation), ("progress", progress), ("state", state)];
        Map::from_iter(members.map(|(name, schema)| (name.to_owned(), schema)))
    }

    async fn computed(
        db: &impl ConnectionTrait,
        rows: &[action::Model],
        _: Scope,
        today: NaiveDate,
    ) -> ApiResult<Vec<Map<String, Value>>> {
        let realised = realised(db, rows.iter().map(|row| row.id.clone()).collect()).await?;
        let computed = rows.iter().map(|row| {
            let realisation = begun(row.year, realised.get(&row.id).copied().unwrap_or_default(), today);
            let plan = plan(row, realisation);
            let [q1, q2, q3, q4] = realisation;
            Map::from_iter([
                ("realisation".to_owned(), json!({ "q1": q1, "q2": q2, "q3": q3, "q4": q4 })),
                ("progress".to_owned(), json!(progress(&plan, 4))),
                ("state".to_owned(), json!(state(&plan, today))),
            ])
        });
        Ok(computed.collect())
    }
}

/// An action as the rules take it.
fn plan(row: &action::Model, realisation: Realisation) -> ActionPlan {
    ActionPlan {
        year: row.year,
        weight: row.weight.inner(),
        due_on: row.due_on,
        targets: Action::of(row).targets.all().map(Decimal::inner),
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
