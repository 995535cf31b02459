//! `/v1/surveys`

use entity::rules::ikm::{self, Grade, IkmResult};
use entity::survey;
use entity::value::code::Code;
use entity::value::decimal::{Decimal, Percent};
use entity::value::period::Period;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::Iterable;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::references::Target;
use super::resource::{Key, Names, Reference, Resource, code};
use crate::auth::permissions::EditSurveys;
use crate::http::language::Text;
use crate::http::problem::Fault;
use crate::store::listing::{Field, Kind};

/// A survey of how satisfied people are with a public service, by Permenpan-RB 14/2017. Its index (IKM) and grade are
/// computed.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// The OPD whose service it is.
    pub opd: Code,
    /// The service.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub service: String,
    /// When people were asked.
    pub period: Period,
    /// How many answered.
    #[schema(minimum = 1, maximum = 2147483647)]
    pub respondents: Option<i32>,
    /// The mean answer to each of the nine elements.
    pub scores: Scores,
    /// Whether the public sees it: a new one only where this is `true`.
    #[serde(default)]
    pub published: bool,
}

/// The mean answer to each of the nine elements of a survey, from 1.00 to 4.00.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SurveyScores)]
pub struct Scores {
    /// Requirements.
    #[schema(schema_with = score_schema)]
    pub u1: Decimal,
    /// System, mechanism and procedure.
    #[schema(schema_with = score_schema)]
    pub u2: Decimal,
    /// Time to completion.
    #[schema(schema_with = score_schema)]
    pub u3: Decimal,
    /// Fees.
    #[schema(schema_with = score_schema)]
    pub u4: Decimal,
    /// The product of the service.
    #[schema(schema_with = score_schema)]
    pub u5: Decimal,
    /// Competence of the staff.
    #[schema(schema_with = score_schema)]
    pub u6: Decimal,
    /// Behaviour of the staff.
    #[schema(schema_with = score_schema)]
    pub u7: Decimal,
    /// Handling of complaints, suggestions and comments.
    #[schema(schema_with = score_schema)]
    pub u8: Decimal,
    /// Facilities.
    #[schema(schema_with = score_schema)]
    pub u9: Decimal,
}

fn score_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom("decimal".to_owned())))
        .pattern(Some(r"^([1-3](\.[0-9]{1,2})?|4(\.0{1,2})?)$"))
        .minimum(Some(1))
        .maximum(Some(4))
        .max_length(Some(4))
        .examples(["3.2"])
        .build()
}

impl Scores {
    fn in_order(&self) -> [Decimal; 9] {
        [self.u1, self.u2, self.u3, self.u4, self.u5, self.u6, self.u7, self.u8, self.u9]
    }

    /// The scores in a row: they were checked when it was written.
    fn of(row: &survey::Model) -> Self {
        serde_json::from_value(row.scores.clone()).unwrap_or_else(|_| unreachable!("{} are no scores", row.scores))
    }
}

/// The index of a survey, by the bounds that held on the last day of its period.
fn result(row: &survey::Model) -> Option<IkmResult> {
    let scores = ikm::Scores::new(Scores::of(row).in_order().map(Decimal::inner)).ok()?;
    Some(ikm::explain(&scores, row.period_end))
}

impl Resource for Survey {
    const NAMES: Names = Names {
        one: "survey",
        many: "surveys",
        spoken: "survey",
        plural: "surveys",
        about: "Surveys of how satisfied people are with a public service, each with its index (IKM) and grade.",
    };
    const FIELDS: &'static [Field] = &[
        Field::sort("opd", Kind::Code),
        Field::sort("period", Kind::Text),
        Field::sort_nullable("respondents", Kind::Integer),
        Field::filter("published", Kind::Flag),
        Field::sort("service", Kind::Text),
    ];
    const DEFAULT_SORT: &'static str = "id";
    const KEY: Key = Key::Id;
    const REFERENCES: &'static [Reference] = &[Reference::one("opd", Target::Opd)];
    type Entity = survey::Entity;
    type Write = EditSurveys;

    fn example() -> Value {
        let period = Period::Year(2022);
        let scores = ikm::Scores::new([rust_decimal::Decimal::new(32, 1); 9]).ok();
        let result = scores.map(|scores| ikm::explain(&scores, period.end()));
        let mut example = json!({
            "id": "0183a0c4-6f00-7d2e-9d6b-5c1f6a3b7e30", "opd": "DINKES", "service": "Pelayanan rawat jalan Puskesmas Tanjung",
            "period": period, "respondents": 150, "published": true,
            "scores": { "u1": "3.2", "u2": "3.2", "u3": "3.2", "u4": "3.2", "u5": "3.2", "u6": "3.2", "u7": "3.2", "u8": "3.2", "u9": "3.2" },
        });
        if let Some(members) = example.as_object_mut() {
            members.extend(shown(result));
        }
        example
    }

    fn of(row: &survey::Model) -> Self {
        Self {
            opd: code(&row.opd),
            service: row.service.clone(),
            period: Period::parse(&row.period).unwrap_or_else(|_| unreachable!("`{}` is no period", row.period)),
            respondents: row.respondents,
            scores: Scores::of(row),
            published: row.published,
        }
    }

    fn into_row(self) -> survey::ActiveModel {
        survey::ActiveModel {
            opd: Set(self.opd.to_string()),
            service: Set(self.service),
            period: Set(self.period.to_string()),
            period_end: Set(self.period.end()),
            respondents: Set(self.respondents),
            scores: Set(json!(self.scores)),
            published: Set(self.published),
            id: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.service]
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.opd)
    }

    fn faults(&self) -> Vec<Fault> {
        // What came as a JSON number was not held to the pattern.
        let fits = |score: Decimal| ikm::Scores::new([score.inner(); 9]).is_ok();
        let text = || Text::new("From 1.00 to 4.00, at most 2 decimals.", "Dari 1,00 sampai 4,00, paling banyak 2 desimal.");
        let scores = (1..).zip(self.scores.in_order()).filter(|(_, score)| !fits(*score));
        scores.map(|(element, _)| Fault::at(format!("/scores/u{element}"), "outside_range", text())).collect()
    }

    fn read_only(row: Option<&survey::Model>) -> Map<String, Value> {
        shown(row.and_then(result))
    }

    fn read_only_schema() -> Map<String, Value> {
        let mut index = json!(Percent::schema());
        index["description"] = json!("The index (IKM), from 25.00 to 100.00: the mean of the nine scores x 25, rounded half up.");
        let grades = Grade::iter().map(Grade::as_str).collect::<Vec<_>>();
        let grade =
            json!({ "type": "string", "enum": grades, "description": "The grade of the index: A is very good, D is poor." });
        let explanation = json!({ "$ref": "#/components/schemas/Explanation" });
        let members = [("ikm", index), ("grade", grade), ("explanation", explanation)];
        Map::from_iter(members.map(|(name, mut schema)| {
            schema["readOnly"] = json!(true);
            (name.to_owned(), schema)
        }))
    }
}

/// What is computed of a survey; null of one that does not exist yet.
fn shown(result: Option<IkmResult>) -> Map<String, Value> {
    let (ikm, grade) = (result.as_ref().map(|result| result.ikm), result.as_ref().map(|result| result.grade));
    let explanation = result.map(|result| result.explanation);
    let members = [("ikm", json!(ikm)), ("grade", json!(grade)), ("explanation", json!(explanation))];
    Map::from_iter(members.map(|(name, value)| (name.to_owned(), value)))
}
