//! `/v1/surveys`

use chrono::NaiveDate;
use entity::rules::ikm::{self, Grade, IkmResult};
use entity::survey;
use entity::value::code::Code;
use entity::value::decimal::{Decimal, Percent};
use entity::value::period::Period;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ColumnTrait, EntityTrait, Iterable, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::kpis::not_begun;
use super::references::Target;
use super::resource::{Key, Names, Reference, Resource, code};
use crate::auth::permissions::EditSurveys;
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::store::listing::{Field, Kind};
use crate::store::transaction::WriteTransaction;

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
    /// When people were asked: a period that has begun. Of a service, whatever the case of its name, there is one survey a period.
    pub period: Period,
    /// How many answered; required with `sums`.
    #[schema(minimum = 1, maximum = 2147483647)]
    pub respondents: Option<i32>,
    /// The mean answer to each of the nine elements; either these or `sums`.
    pub scores: Option<Scores>,
    /// The sum of the answers to each of the nine elements, from which nothing is lost by rounding; either these or `scores`.
    pub sums: Option<Sums>,
    /// Whether the public sees it: a new one only where this is `true`.
    #[serde(default)]
    pub published: bool,
}

/// The mean answer to each of the nine elements of a survey, from 1 to 4, with at most 6 decimals.
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
        .pattern(Some(r"^([1-3](\.[0-9]{1,6})?|4(\.0{1,6})?)$"))
        .minimum(Some(1))
        .maximum(Some(4))
        .max_length(Some(8))
        .examples(["3.2"])
        .build()
}

impl Scores {
    fn in_order(&self) -> [Decimal; 9] {
        [self.u1, self.u2, self.u3, self.u4, self.u5, self.u6, self.u7, self.u8, self.u9]
    }

    /// The scores in a row, which were checked when it was written; none where it has sums.
    fn of(row: &survey::Model) -> Option<Self> {
        serde_json::from_value(row.scores.clone()).ok()
    }
}

/// The sum of the answers, each from 1 to 4, to each of the nine elements of a survey: from `respondents` to 4 × `respondents`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SurveySums)]
pub struct Sums {
    /// Requirements.
    #[schema(minimum = 1, maximum = 8589934588_i64)]
    pub u1: i64,
    /// System, mechanism and procedure.
    #[schema(minimum = 1, maximum = 8589934588_i64)]
    pub u2: i64,
    /// Time to completion.
    #[schema(minimum = 1, maximum = 8589934588_i64)]
    pub u3: i64,
    /// Fees.
    #[schema(minimum = 1, maximum = 8589934588_i64)]
    pub u4: i64,
    /// The product of the service.
    #[schema(minimum = 1, maximum = 8589934588_i64)]
    pub u5: i64,
    /// Competence of the staff.
    #[schema(minimum = 1, maximum = 8589934588_i64)]
    pub u6: i64,
    /// Behaviour of the staff.
    #[schema(minimum = 1, maximum = 8589934588_i64)]
    pub u7: i64,
    /// Handling of complaints, suggestions and comments.
    #[schema(minimum = 1, maximum = 8589934588_i64)]
    pub u8: i64,
    /// Facilities.
    #[schema(minimum = 1, maximum = 8589934588_i64)]
    pub u9: i64,
}

impl Sums {
    fn in_order(&self) -> [i64; 9] {
        [self.u1, self.u2, self.u3, self.u4, self.u5, self.u6, self.u7, self.u8, self.u9]
    }

    /// The field errors of sums that so many cannot have answered.
    fn field_errors(&self, respondents: Option<i32>) -> Vec<FieldError> {
        let Some(respondents) = respondents.and_then(|number| u32::try_from(number).ok()) else {
            let text = Text::new("With `sums`: how many answered.", "Bersama `sums`: jumlah responden.");
            return vec![FieldError::at("/respondents", "required", text)];
        };
        let possible = ikm::Scores::possible_sums(respondents);
        let text = || {
            Text::new(
                format!("From {} to {}: {respondents} answers, each from 1 to 4.", possible.start(), possible.end()),
                format!("Dari {} sampai {}: {respondents} jawaban, masing-masing 1 sampai 4.", possible.start(), possible.end()),
            )
        };
        let wrong = (1..).zip(self.in_order()).filter(|(_, sum)| !possible.contains(sum));
        wrong.map(|(element, _)| FieldError::at(format!("/sums/u{element}"), "outside_range", text())).collect()
    }
}

/// The index of a survey, by the bounds that held on the last day of its period.
fn result(row: &survey::Model) -> Option<IkmResult> {
    let Survey { respondents, scores, sums, .. } = Survey::of(row);
    let answers = match (scores, sums) {
        (Some(scores), _) => ikm::Scores::new(scores.in_order().map(Decimal::inner)),
        (None, Some(sums)) => ikm::Scores::of_sums(sums.in_order(), u32::try_from(respondents?).ok()?),
        (None, None) => return None,
    };
    Some(ikm::explain(&answers.ok()?, row.period_end))
}

/// What there is one survey of: two names of a service that differ in case or blanks around them are one.
pub fn identity(row: &survey::Model) -> (String, String, String) {
    (row.opd.clone(), same_service(&row.service), row.period.clone())
}

fn same_service(name: &str) -> String {
    name.trim().to_lowercase()
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
            "sums": null,
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
            sums: row.sums.clone().and_then(|sums| serde_json::from_value(sums).ok()),
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
            scores: Set(self.scores.map_or_else(|| json!({}), |scores| json!(scores))),
            sums: Set(self.sums.map(|sums| json!(sums))),
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

    fn field_errors(&self) -> Vec<FieldError> {
        // What came as a JSON number was not held to the pattern.
        let fits = |score: Decimal| ikm::Scores::new([score.inner(); 9]).is_ok();
        let text = || Text::new("From 1 to 4, at most 6 decimals.", "Dari 1 sampai 4, paling banyak 6 desimal.");
        let scores = self.scores.iter().flat_map(|scores| (1..).zip(scores.in_order()));
        let scores = scores.filter(|(_, score)| !fits(*score));
        let mut field_errors: Vec<FieldError> =
            scores.map(|(element, _)| FieldError::at(format!("/scores/u{element}"), "outside_range", text())).collect();
        field_errors.extend(self.sums.iter().flat_map(|sums| sums.field_errors(self.respondents)));
        let one_of = Text::new(
            "Either `scores`, the mean answers, or `sums` of the answers with `respondents`: exactly one of the two.",
            "`scores` (nilai rata-rata) atau `sums` (jumlah jawaban) dengan `respondents`: tepat satu dari keduanya.",
        );
        match (&self.scores, &self.sums) {
            (None, None) => field_errors.push(FieldError::at("/scores", "required", one_of)),
            (Some(_), Some(_)) => field_errors.push(FieldError::at("/sums", "exactly_one", one_of)),
            _ => {}
        }
        field_errors
    }

    fn field_errors_beside(&self, before: Option<&survey::Model>, today: NaiveDate) -> Vec<FieldError> {
        let stays = before.is_some_and(|before| before.period == self.period.to_string());
        not_begun(self.period, today, "/period").filter(|_| !stays).into_iter().collect()
    }

    /// Of a service there is one survey a period. Those that were entered twice before may change what else they say.
    async fn check(&self, transaction: &WriteTransaction, id: &str, before: Option<&survey::Model>) -> ApiResult<()> {
        use survey::Column;
        let (opd, service, period) = (self.opd.to_string(), same_service(&self.service), self.period.to_string());
        if before.is_some_and(|before| identity(before) == (opd.clone(), service.clone(), period.clone())) {
            return Ok(());
        }
        // Nobody else adds one of this OPD and period until the commit, so what is not there now does not come meanwhile.
        transaction.lock(&format!("surveys of {opd} for {period}")).await?;
        let others = survey::Entity::find().filter(Column::Opd.eq(&opd)).filter(Column::Period.eq(&period));
        let others = others.filter(Column::Id.ne(id)).order_by_asc(Column::Id).all(&transaction.db).await?;
        let Some(twin) = others.into_iter().find(|other| same_service(&other.service) == service) else { return Ok(()) };
        let (id, name) = (twin.id, twin.service);
        Err(ApiError::new(codes::ALREADY_EXISTS).detail(
            format!("The survey `{id}` is already of `{name}` of `{opd}` for {period}: change that one."),
            format!("Survei `{id}` sudah untuk `{name}` dari `{opd}` periode {period}: ubah yang itu."),
        ))
    }

    fn read_only(row: Option<&survey::Model>) -> Map<String, Value> {
        shown(row.and_then(result))
    }

    fn read_only_schema() -> Map<String, Value> {
        let mut index = json!(Percent::schema());
        index["description"] = json!(
            "The index (IKM), from 25.00 to 100.00: Σ scores ÷ 9 × 25, or Σ sums ÷ (9 × respondents) × 25, rounded half up once, to 2 places; \
             graded after that."
        );
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
