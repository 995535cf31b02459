//! `/v1/programmes`

pub mod coverage;
pub mod transitions;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use entity::programme;
use entity::rules::programme_status::ProgrammeStatus;
use entity::rules::renaksi::{self, ActionPlan};
use entity::value::code::Code;
use entity::value::decimal::{Decimal, Percent};
use entity::{programme_region, programme_supporting_opd};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::action_plans::planned;
use super::provenance::Provenance;
use super::references::Target;
use super::resource::{Names, NewRow, Reference, Resource, code};
use crate::auth::permissions::EditProgrammes;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, FieldError};
use crate::store::listing::{Field, Kind};
use crate::store::scope::Scope;
use crate::store::snapshots::AsOf;
use crate::store::transaction::WriteTransaction;
use crate::store::visible::Thing;

/// The quarter up to which all of a year counts.
const YEAR_END: u8 = 4;

/// The words for the status of a programme.
pub const STATUSES: &[&str] = &["planned", "running", "suspended", "completed", "cancelled"];

/// A programme of the masterplan. Its `status` changes only through its transitions.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// The masterplan it belongs to.
    pub masterplan: Code,
    /// The dimension it serves.
    pub dimension: Code,
    /// Its name.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub name: String,
    /// What it does.
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    /// The OPD that leads it.
    pub lead_opd: Code,
    /// The OPDs that support it: none in a new one where this is absent.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub supporting_opds: Vec<Code>,
    /// When it starts. A new programme counts as planned from this day, if it is not in the future, else from today.
    #[schema(max_length = 10)]
    pub start_date: Option<NaiveDate>,
    /// When it ends; not before it starts.
    #[schema(max_length = 10)]
    pub end_date: Option<NaiveDate>,
    /// Budget in rupiah; not negative.
    pub budget: Option<Decimal>,
    /// Who pays, such as `APBD 2022`.
    #[schema(max_length = 200)]
    pub funding_source: Option<String>,
    /// The regions it works in: none in a new one where this is absent.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub regions: Vec<Code>,
    /// When the source system last changed it: an older row that is pushed changes nothing.
    #[schema(max_length = 35)]
    pub source_updated_at: Option<DateTime<Utc>>,
    /// Whether the public sees it: a new one only where this is `true`.
    #[serde(default)]
    pub published: bool,
    /// Where the facts come from.
    pub provenance: Option<Provenance>,
}

impl Resource for Programme {
    const NAMES: Names = Names {
        one: "programme",
        many: "programmes",
        spoken: "programme",
        plural: "programmes",
        about: "The programmes of the masterplan, each led by one OPD and serving one dimension.",
    };
    const FIELDS: &'static [Field] = &[
        Field::sort("masterplan", Kind::Code),
        Field::sort("dimension", Kind::Code),
        Field::sort("lead_opd", Kind::Code),
        Field::sort("status", Kind::Choice(STATUSES)),
        Field::sort_nullable("start_date", Kind::Date),
        Field::sort_nullable("end_date", Kind::Date),
        Field::sort_nullable("budget", Kind::Decimal),
        Field::linked("supporting_opds", ("programme_supporting_opd", "programme", "opd")),
        Field::linked("regions", ("programme_region", "programme", "region")),
        Field::filter("published", Kind::Flag),
        Field::sort("name", Kind::Text),
    ];
    const COMPUTED: &'static [&'static str] = &["progress"];
    const REFERENCES: &'static [Reference] = &[
        Reference::one("masterplan", Target::Masterplan),
        Reference::one("dimension", Target::Dimension),
        Reference::one("lead_opd", Target::Opd),
        Reference::many("supporting_opds", Target::Opd),
        Reference::many("regions", Target::Region),
    ];
    type Entity = programme::Entity;
    type Write = EditProgrammes;

    fn example() -> Value {
        json!({
            "code": "SV-01", "masterplan": "KLU-SC", "dimension": "environment",
            "name": "TPS3R: Tempat Pengolahan Sampah Reduce, Reuse, Recycle", "lead_opd": "DLH", "published": true, "progress": "57.14",
            "provenance": { "publisher": "Katada.id", "date": "2022-10-04", "basis": "inferred" },
        })
    }

    fn of(row: &programme::Model) -> Self {
        Self {
            masterplan: code(&row.masterplan),
            dimension: code(&row.dimension),
            name: row.name.clone(),
            description: row.description.clone(),
            lead_opd: code(&row.lead_opd),
            supporting_opds: codes(&row.supporting_opds),
            start_date: row.start_date,
            end_date: row.end_date,
            budget: row.budget,
            funding_source: row.funding_source.clone(),
            regions: codes(&row.regions),
            source_updated_at: row.source_updated_at,
            published: row.published,
            provenance: Provenance::of(row.provenance.as_ref()),
        }
    }

    fn into_row(self) -> programme::ActiveModel {
        programme::ActiveModel {
            masterplan: Set(self.masterplan.to_string()),
            dimension: Set(self.dimension.to_string()),
            name: Set(self.name),
            description: Set(self.description),
            lead_opd: Set(self.lead_opd.to_string()),
            supporting_opds: Set(json!(self.supporting_opds)),
            start_date: Set(self.start_date),
            end_date: Set(self.end_date),
            budget: Set(self.budget),
            funding_source: Set(self.funding_source),
            regions: Set(json!(self.regions)),
            source_updated_at: Set(self.source_updated_at),
            published: Set(self.published),
            provenance: Set(Provenance::stored(self.provenance.as_ref())),
            status: NotSet,
            code: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.description.as_deref().unwrap_or_default()]
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.lead_opd)
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let mut field_errors = Vec::new();
        if matches!((self.start_date, self.end_date), (Some(start), Some(end)) if end < start) {
            field_errors.push(FieldError::at(
                "/end_date",
                "before_start",
                Text::new("It ends before it starts.", "Berakhir sebelum dimulai."),
            ));
        }
        if self.budget.is_some_and(|budget| budget.inner().is_sign_negative()) {
            field_errors.push(FieldError::at("/budget", "too_small", Text::new("Not below 0.", "Tidak boleh di bawah 0.")));
        }
        field_errors.extend(repeated("/supporting_opds", &self.supporting_opds));
        field_errors.extend(repeated("/regions", &self.regions));
        field_errors
    }

    fn read_only(row: Option<&programme::Model>) -> Map<String, Value> {
        let status = row.map_or(ProgrammeStatus::Planned, |row| row.status);
        Map::from_iter([("status".to_owned(), json!(status))])
    }

    fn read_only_schema() -> Map<String, Value> {
        let status = json!({ "type": "string", "enum": STATUSES, "readOnly": true, "description": "Status now. Only a transition changes it." });
        let progress = json!({
            "type": ["string", "null"], "format": "decimal", "maxLength": 29, "pattern": entity::value::decimal::PATTERN, "readOnly": true,
            "description": "Percent of its action plan that is done: the weighted mean of cumulative verified realisation ÷ target of the year × 100, \
                            each at most 100, over all its actions. Null without actions.",
        });
        Map::from_iter([("status".to_owned(), status), ("progress".to_owned(), progress)])
    }

    async fn computed(
        db: &impl ConnectionTrait,
        rows: &[programme::Model],
        scope: Scope,
        today: NaiveDate,
    ) -> ApiResult<Vec<Map<String, Value>>> {
        let codes = rows.iter().map(|row| row.code.as_str()).collect::<Vec<_>>();
        let progress = progress(db, &codes, scope, today).await?;
        let of = |row: &programme::Model| Map::from_iter([("progress".to_owned(), json!(progress.get(&row.code)))]);
        Ok(rows.iter().map(of).collect())
    }

    fn before_insert(row: &mut NewRow<Self>) {
        row.status = Set(ProgrammeStatus::Planned);
    }

    async fn before_delete(transaction: &WriteTransaction, code: &str) -> ApiResult<()> {
        transitions::must_not_be_counted(transaction, code).await?;
        transitions::remove(transaction, code).await
    }

    async fn after_write(&self, transaction: &WriteTransaction, code: &str, created: bool) -> ApiResult<()> {
        if created {
            transitions::begin(transaction, code, self.start_date).await?;
        } else {
            let supporting = programme_supporting_opd::Entity::delete_many();
            supporting.filter(programme_supporting_opd::Column::Programme.eq(code)).exec(&transaction.db).await?;
            programme_region::Entity::delete_many()
                .filter(programme_region::Column::Programme.eq(code))
                .exec(&transaction.db)
                .await?;
        }
        let opds = self
            .supporting_opds
            .iter()
            .map(|opd| programme_supporting_opd::ActiveModel { programme: Set(code.into()), opd: Set(opd.to_string()) });
        if !self.supporting_opds.is_empty() {
            programme_supporting_opd::Entity::insert_many(opds).exec_without_returning(&transaction.db).await?;
        }
        let regions = self
            .regions
            .iter()
            .map(|region| programme_region::ActiveModel { programme: Set(code.into()), region: Set(region.to_string()) });
        if !self.regions.is_empty() {
            programme_region::Entity::insert_many(regions).exec_without_returning(&transaction.db).await?;
        }
        Ok(())
    }
}

/// The progress of those programmes that have actions: two statements, and none for no programmes.
async fn progress(
    db: &impl ConnectionTrait,
    codes: &[&str],
    scope: Scope,
    today: NaiveDate,
) -> ApiResult<HashMap<String, Percent>> {
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let places = (1..=codes.len()).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
    let as_of = AsOf::new(today, today, db.get_database_backend());
    let condition = format!("a.programme IN ({places}) AND {}", scope.shows(Thing::Action, "a", as_of));
    let actions = planned(db, as_of, &condition, codes.iter().map(|code| (*code).into()).collect()).await?;
    let mut plans: HashMap<String, Vec<ActionPlan>> = HashMap::new();
    for action in actions {
        plans.entry(action.programme).or_default().push(action.plan);
    }
    let mean = |(code, plans): (String, Vec<ActionPlan>)| Some((code, renaksi::mean_progress(&plans, YEAR_END)?));
    Ok(plans.into_iter().filter_map(mean).collect())
}

/// The codes in a list that is stored as it is shown.
pub fn codes(stored: &Value) -> Vec<Code> {
    stored.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(code)).collect()
}

/// The field errors of codes that stand in a list twice.
pub fn repeated(pointer: &str, codes: &[Code]) -> Vec<FieldError> {
    let mut seen = BTreeSet::new();
    let again = codes.iter().enumerate().filter(|(_, code)| !seen.insert(code.as_str()));
    let text = || Text::new("It stands here twice.", "Tercantum dua kali.");
    again.map(|(index, _)| FieldError::at(format!("{pointer}/{index}"), "not_unique", text())).collect()
}
