//! `/v1/surveys`

mod lists;

use chrono::NaiveDate;
use entity::rules::ikm::{self, Grade, IkmResult};
use entity::survey;
use entity::value::code::Code;
use entity::value::decimal::{Decimal, Percent};
use entity::value::period::Period;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaFormat, Type};

use super::explanation::{Explanation, InLanguage};
use super::kpis::not_begun;
use super::opds;
use crate::auth::permissions::EditSurveys;
use crate::crud::members::{FromRow, Parts, Written, members, read_members, stored_as_json};
use crate::crud::resource::{Check, Compute, Hooks, Resource};
use crate::crud::typed::kind_of;
use crate::http::language::{Language, Text};
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::store::kind::{Kind, Names, Own, PartColumn, Scope, ValueType};
use crate::store::rows::Executor;
use crate::store::transaction::WriteTransaction;

/// The kind.
pub static KIND: Kind = kind_of::<Survey>(Names {
    one: "survey",
    many: "surveys",
    spoken: "survey",
    plural: "surveys",
    indonesian: "survei",
    schema: "Survey",
    about: "Surveys of how satisfied people are with a public service, each with its index (IKM) and grade.",
})
.with_ids()
.public(Own::Published);

members! {
    /// A survey of how satisfied people are with a public service, by Permenpan-RB 14/2017. Its index (IKM) and grade are
    /// computed.
    pub struct Survey of survey by id {
        /// The OPD whose service it is.
        pub opd: Code = column.refers(&opds::KIND).sort().public().label("OPD", "OPD", "OPD pemilik layanan."),
        /// The service.
        #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub service: String = column.sort().public().label("Service", "Layanan", "Layanan yang disurvei."),
        /// The period in which people were asked; it has begun. Of a service, whatever the case of its name, there is one survey a period.
        pub period: Period = parts.sort().public().label("Period", "Periode", "Periode survei; satu survei per layanan dan periode."),
        /// How many people answered; required with `sums`.
        #[schema(minimum = 1, maximum = 2147483647)]
        pub respondents: Option<i32> = column.sort().public().label("Respondents", "Responden", "Jumlah responden; wajib bersama `sums`."),
        /// The mean answer to each of the nine elements; either these or `sums`.
        pub scores: Option<Scores> = parts.public().label("Scores", "Nilai", "Nilai rata-rata tiap unsur; ini atau `sums`."),
        /// The sum of the answers to each of the nine elements, from which nothing is lost by rounding; either these or `scores`.
        pub sums: Option<Sums> = column.public().label("Sums", "Jumlah", "Jumlah jawaban tiap unsur; ini atau `scores`."),
        /// Whether the public sees it: a new one only where this is `true`.
        #[serde(default)]
        pub published: bool = column.filter().label("Published", "Diterbitkan", "Apakah publik dapat melihatnya; yang baru hanya bila `true`."),
    }
}

read_members! {
    /// What follows from the answers of a survey.
    #[derive(Default)]
    pub struct SurveyResult {
        /// The index (IKM), from 25.00 to 100.00: Σ scores ÷ 9 × 25, or Σ sums ÷ (9 × respondents) × 25, rounded half up once, to 2 places;
        /// graded after that.
        #[schema(value_type = Percent)]
        pub ikm: Option<Percent> = value.public().label("Index (IKM)", "IKM", "Indeks kepuasan masyarakat, 25,00 sampai 100,00."),
        /// The grade of the index: A is very good, D is poor.
        #[schema(value_type = Grade)]
        pub grade: Option<Grade> = json.public().label("Grade", "Mutu", "Mutu pelayanan: A sangat baik, D tidak baik."),
    }
}

read_members! {
    /// What is told of the index of a survey.
    pub struct SurveyExplanation {
        /// How the index was computed.
        #[schema(value_type = Explanation)]
        pub explanation: Option<Explanation> = json.public().in_language().label("Explanation", "Penjelasan", "Cara indeks dihitung."),
    }
}

impl FromRow<survey::Model> for SurveyResult {
    fn from_row(row: &survey::Model) -> Self {
        let Some(IkmResult { ikm, grade, .. }) = result(row) else { return Self::default() };
        Self { ikm: Some(ikm), grade: Some(grade) }
    }
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
}

/// A row with sums has an empty object in the place of scores.
impl Parts<survey::Entity> for Option<Scores> {
    const IS_NULLABLE: bool = true;
    const COLUMNS: &'static [PartColumn] = &[PartColumn { name: "scores", part: "", value: ValueType::Json }];

    fn load(row: &survey::Model) -> Self {
        Scores::deserialize(&row.scores).ok()
    }

    fn store(self, row: &mut survey::ActiveModel) {
        row.scores = Set(self.map_or_else(|| json!({}), |scores| json!(scores)));
    }
}

stored_as_json!(Sums);

/// The end of the period stands beside it, for the bounds that held on that day.
impl Parts<survey::Entity> for Period {
    const TYPE: ValueType = ValueType::Text;
    const COLUMNS: &'static [PartColumn] = &[
        PartColumn { name: "period", part: "", value: ValueType::Text },
        PartColumn { name: "period_end", part: "", value: ValueType::Date },
    ];

    fn load(row: &survey::Model) -> Self {
        Self::parse(&row.period)
            .unwrap_or_else(|_| unreachable!("periods are checked before they are written, and `{}` is none", row.period))
    }

    fn store(self, row: &mut survey::ActiveModel) {
        row.period = Set(self.to_string());
        row.period_end = Set(self.end());
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
    let Survey { respondents, scores, sums, .. } = Survey::load(row);
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
    const KIND: &'static Kind = &KIND;
    type Write = EditSurveys;
    type ReadOnly = SurveyResult;
    type Computed = SurveyExplanation;
    const HOOKS: Hooks<Self> = Hooks::NONE.check().compute().read_whole();

    fn example() -> Value {
        let period = Period::Year(2022);
        let scores = ikm::Scores::new([rust_decimal::Decimal::new(32, 1); 9]).ok();
        let result = scores.map(|scores| ikm::explain(&scores, period.end()));
        json!({
            "id": "0183a0c4-6f00-7d2e-9d6b-5c1f6a3b7e30", "opd": "DINKES", "service": "Pelayanan rawat jalan Puskesmas Tanjung",
            "period": period, "respondents": 150, "published": true,
            "scores": { "u1": "3.2", "u2": "3.2", "u3": "3.2", "u4": "3.2", "u5": "3.2", "u6": "3.2", "u7": "3.2", "u8": "3.2", "u9": "3.2" },
            "sums": null, "ikm": result.as_ref().map(|result| result.ikm), "grade": result.as_ref().map(|result| result.grade),
            "explanation": result.map(|result| Explanation::from(result.explanation).in_language(Language::English)),
        })
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
}

impl Compute for Survey {
    async fn compute(_: &Executor<'_>, rows: &[survey::Model], _: Scope, _: NaiveDate) -> ApiResult<Vec<SurveyExplanation>> {
        Ok(rows.iter().map(explained).collect())
    }
}

fn explained(row: &survey::Model) -> SurveyExplanation {
    SurveyExplanation { explanation: result(row).map(|result| result.explanation.into()) }
}

impl Check for Survey {
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
}
