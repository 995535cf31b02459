//! `/v1/summary`, `/v1/timeline`, `/v1/scoreboard`, `/v1/opds/{code}/scorecard`, `/v1/reconciliation`,
//! `/v1/kpis/{code}/standing`, `/v1/kpis/{code}/series`, and their public counterparts.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::NaiveDate;
use entity::rules::renaksi::last_ended_quarter;
use entity::value::period::{Frequency, Period};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::examples;
use super::reconciliation::{self, Reconciliation};
use super::scoreboard::{self, Scoreboard, ScoreboardRequest};
use super::scorecard::{self, Scorecard};
use super::series::{self, KpiSeries};
use super::standing::{self, KpiStanding};
use super::summary::{self, Summary};
use super::timeline::{self, Timeline};
use crate::auth::permissions::{Permission, ReadAll};
use crate::http::answer::Answer;
use crate::http::language::Language;
use crate::http::media::MediaType;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::ApiResult;
use crate::http::query::Parameters;
use crate::http::representation::Selection;
use crate::http::table::{CSV, Table};
use crate::resources::explanation::InLanguage;
use crate::store::access::{Access, Public};
use crate::store::days::read_as_of;
use crate::store::figure_cache::{FigureCache, Question};
use crate::store::kind::Scope;
use crate::store::snapshots::AsOf;
use crate::store::transaction::Store;
use crate::tabular::asked::AskedCsv;
use crate::tabular::columns::{Lines, Tabular, with_csv};
use crate::tabular::stream;

/// The request for a figure.
pub(crate) struct FigureRequest {
    store: Store,
    scope: Scope,
    kept: Data<FigureCache>,
    path: String,
    /// The code in the path, if the path has one.
    code: String,
    language: Language,
    preconditions: Preconditions,
}

impl FigureRequest {
    pub(super) fn new(
        store: Store,
        scope: Scope,
        kept: Data<FigureCache>,
        request: &HttpRequest,
        preconditions: Preconditions,
    ) -> Self {
        let code = request.match_info().get("code").unwrap_or_default().to_owned();
        // A table is made from the same answer as JSON.
        let path = request.path().strip_suffix(CSV).unwrap_or(request.path()).to_owned();
        Self { store, scope, kept, path, code, language: Language::preferred(request.headers()), preconditions }
    }

    /// The end of a day that was read with [`FigureRequest::read_as_of`], or of today if the request names none.
    pub(super) async fn as_of(&self, day: Option<NaiveDate>) -> ApiResult<AsOf> {
        let today = self.store.calendar().today();
        let day = match day {
            Some(day) if day < today => self.store.day_that_answers(day).await?,
            _ => today,
        };
        Ok(AsOf::new(day, today, self.store.db().get_database_backend()))
    }

    /// Reads the parameter `as_of`.
    pub(super) fn read_as_of(&self, parameters: &mut Parameters) -> Option<NaiveDate> {
        read_as_of(parameters, self.store.calendar().today())
    }

    /// Answers as of a day, from the response cache or by computing the figure.
    async fn answer_as_of<T, F>(
        self,
        as_of: AsOf,
        parameters: impl std::fmt::Debug,
        compute: impl FnOnce(Store, Scope) -> F + Send + 'static,
    ) -> ApiResult<Answer>
    where
        T: Serialize,
        F: Future<Output = ApiResult<T>> + Send + 'static,
    {
        self.answer(as_of.is_past(), (as_of.day, parameters), compute).await
    }

    /// The same for a figure that has texts, in the language of the request.
    async fn answer_in_language<T, F>(
        self,
        as_of: AsOf,
        parameters: impl std::fmt::Debug,
        compute: impl FnOnce(Store, Scope) -> F + Send + 'static,
    ) -> ApiResult<Answer>
    where
        T: Serialize + InLanguage,
        F: Future<Output = ApiResult<T>> + Send + 'static,
    {
        let language = self.language;
        let answer = self.answer_as_of(as_of, (language, parameters), move |store, scope| {
            let computed = compute(store, scope);
            async move { Ok(computed.await?.in_language(language)) }
        });
        Ok(answer.await?.in_language(language))
    }

    async fn answer<T, F>(
        self,
        of_the_past: bool,
        parameters: impl std::fmt::Debug,
        compute: impl FnOnce(Store, Scope) -> F + Send + 'static,
    ) -> ApiResult<Answer>
    where
        T: Serialize,
        F: Future<Output = ApiResult<T>> + Send + 'static,
    {
        self.answer_with(of_the_past, parameters, |store, scope| {
            let computed = compute(store, scope);
            async move { Answer::ok(&computed.await?) }
        })
        .await
    }

    /// The same for what makes its answer itself.
    pub(super) async fn answer_with<F>(
        self,
        of_the_past: bool,
        parameters: impl std::fmt::Debug,
        compute: impl FnOnce(Store, Scope) -> F + Send + 'static,
    ) -> ApiResult<Answer>
    where
        F: Future<Output = ApiResult<Answer>> + Send + 'static,
    {
        let Self { store, scope, kept, path, preconditions, .. } = self;
        let media = MediaType::Json;
        let question = Question { text: format!("{} {path} {parameters:?}", scope.name()), media, of_the_past };
        let own = store.clone();
        let compute = move || compute(own, scope);
        kept.figure(&store, scope, question, &preconditions, compute).await
    }
}

/// The quarter of the request. Without a quarter it is the last quarter of the year that ended before the end of the day, and
/// without a year the last quarter of any year that did.
async fn scoreboard_asked(
    asked: &FigureRequest,
    mut parameters: Parameters,
    masterplan: Option<String>,
) -> ApiResult<ScoreboardRequest> {
    let years = ("a year from 1900 to 2199", "tahun dari 1900 sampai 2199");
    let year = parameters.read("year", years, |text| match Period::parse(text) {
        Ok(Period::Year(year)) => Some(year),
        _ => None,
    });
    let quarters = ("a quarter from 1 to 4", "triwulan dari 1 sampai 4");
    let quarter = parameters.read("quarter", quarters, |text| match text.as_bytes() {
        [digit @ b'1'..=b'4'] => Some(digit - b'0'),
        _ => None,
    });
    let day = asked.read_as_of(&mut parameters);
    parameters.finish()?;
    let as_of = asked.as_of(day).await?;
    let (last_year, last_quarter) = scoreboard::last_ended(as_of.day);
    let of_year = year.map(|year| last_ended_quarter(year, as_of.day).max(1));
    let (year, quarter) = (year.unwrap_or(last_year), quarter.or(of_year).unwrap_or(last_quarter));
    Ok(ScoreboardRequest { masterplan, year, quarter, as_of })
}

/// A figure: its description, and how a request for it is read and answered.
pub(crate) trait Figure: Serialize + ToSchema + 'static {
    const WORDS: Words;

    /// The members whose entries are the lines of its CSV; none where the figure is one line.
    const PARTS: &'static [&'static str];

    /// An example from the real case.
    fn example() -> Value;

    async fn answer(asked: FigureRequest, parameters: Parameters) -> ApiResult<Answer>;
}

/// The names and texts by which the document describes a figure.
pub(crate) struct Words {
    pub(crate) path: &'static str,
    id: &'static str,
    pub(crate) summary: &'static str,
    answer: &'static str,
    about: &'static str,
    parameters: &'static [&'static str],
}

impl Figure for Summary {
    const WORDS: Words = Words {
        path: "/summary",
        id: "summary",
        summary: "Summary of the masterplan",
        answer: "The summary of the masterplan.",
        about: "How many programmes the masterplan contains and how many of them run, overall and for each dimension, together \
            with counts of KPIs by standing, of actions and of findings by state, and the OPDs that signed the joint commitment. \
            `as_of` answers as of the end of that day from the recorded transitions: a past day is answered exactly as it was.",
        parameters: &["masterplan", "as_of"],
    };

    const PARTS: &'static [&'static str] = &["totals", "dimensions"];

    fn example() -> Value {
        examples::summary()
    }

    async fn answer(asked: FigureRequest, mut parameters: Parameters) -> ApiResult<Answer> {
        let (masterplan, day) = (parameters.text("masterplan"), asked.read_as_of(&mut parameters));
        parameters.finish()?;
        let as_of = asked.as_of(day).await?;
        let of = masterplan.clone();
        asked
            .answer_as_of(
                as_of,
                of,
                move |store, scope| async move { summary::compute(store.db(), scope, masterplan, as_of).await },
            )
            .await
    }
}

impl Figure for Timeline {
    const WORDS: Words = Words {
        path: "/timeline",
        id: "timeline",
        summary: "Programmes over time",
        answer: "The programmes by status, step by step.",
        about: "How many programmes were planned, running, suspended, completed and cancelled at the end of each month, quarter \
            or year. Counted are the programmes that the masterplan contains on the last day of the timeline.",
        parameters: &["masterplan", "interval", "as_of"],
    };

    const PARTS: &'static [&'static str] = &["steps"];

    fn example() -> Value {
        examples::timeline()
    }

    async fn answer(asked: FigureRequest, mut parameters: Parameters) -> ApiResult<Answer> {
        let (masterplan, day) = (parameters.text("masterplan"), asked.read_as_of(&mut parameters));
        let expected = ("month, quarter or year", "month, quarter, atau year");
        let interval = parameters.read("interval", expected, |text| match text {
            "month" => Some(Frequency::Monthly),
            "quarter" => Some(Frequency::Quarterly),
            "year" => Some(Frequency::Yearly),
            _ => None,
        });
        parameters.finish()?;
        let (interval, as_of) = (interval.unwrap_or(Frequency::Monthly), asked.as_of(day).await?);
        let of = (masterplan.clone(), interval);
        asked
            .answer_as_of(as_of, of, move |store, scope| async move {
                timeline::compute(store.db(), scope, masterplan, interval, as_of).await
            })
            .await
    }
}

impl Figure for Scoreboard {
    const WORDS: Words = Words {
        path: "/scoreboard",
        id: "scoreboard",
        summary: "Scoreboard of the OPDs",
        answer: "The scoreboard of the OPDs.",
        about: "One row for each OPD: the programmes that it leads; the weighted progress of its actions against their targets \
            up to the end of a quarter, with the performance band; the reports for the quarter that came on time, late or not at \
            all; its KPIs by standing; and its findings that are not done. The rows are ranked by achievement. Programmes, KPIs \
            and findings are those of the day. The figures of an OPD are its own, without those of the OPDs below it.",
        parameters: &["year", "quarter", "as_of", "masterplan"],
    };

    const PARTS: &'static [&'static str] = &["rows"];

    fn example() -> Value {
        examples::scoreboard()
    }

    async fn answer(asked: FigureRequest, mut parameters: Parameters) -> ApiResult<Answer> {
        let masterplan = parameters.text("masterplan");
        let of = scoreboard_asked(&asked, parameters, masterplan).await?;
        asked
            .answer_in_language(of.as_of, of.clone(), move |store, scope| async move {
                scoreboard::compute(store.db(), scope, of).await
            })
            .await
    }
}

impl Figure for Scorecard {
    const WORDS: Words = Words {
        path: "/opds/{code}/scorecard",
        id: "scorecard",
        summary: "Scorecard of an OPD",
        answer: "The scorecard of the OPD.",
        about: "The row of the OPD on the scoreboard, its rank among all OPDs that have one, and the data from which the row was \
            computed: the programmes that the OPD leads, its actions with their reports, its KPIs with their standing, and the \
            findings that it has to resolve. Each of these lists has at most 1,000 entries.",
        parameters: &["year", "quarter", "as_of"],
    };

    const PARTS: &'static [&'static str] = &[];

    fn example() -> Value {
        examples::scorecard()
    }

    async fn answer(asked: FigureRequest, parameters: Parameters) -> ApiResult<Answer> {
        let of = scoreboard_asked(&asked, parameters, None).await?;
        let code = asked.code.clone();
        asked
            .answer_in_language(of.as_of, of.clone(), move |store, scope| async move {
                scorecard::compute(store.db(), scope, &code, of).await
            })
            .await
    }
}

impl Figure for KpiStanding {
    const WORDS: Words = Words {
        path: "/kpis/{code}/standing",
        id: "kpi_standing",
        summary: "Standing of a KPI",
        answer: "The standing of the KPI.",
        about: "The baseline, the latest verified value, the target that applies, achievement, progress, standing, projection \
            and required pace of a KPI, with enough detail to compute each of them by hand.",
        parameters: &["as_of"],
    };

    const PARTS: &'static [&'static str] = &[];

    fn example() -> Value {
        examples::standing()
    }

    async fn answer(asked: FigureRequest, mut parameters: Parameters) -> ApiResult<Answer> {
        let day = asked.read_as_of(&mut parameters);
        parameters.finish()?;
        let as_of = asked.as_of(day).await?;
        let code = asked.code.clone();
        asked
            .answer_in_language(
                as_of,
                (),
                move |store, scope| async move { standing::compute(store.db(), scope, &code, as_of).await },
            )
            .await
    }
}

impl Figure for KpiSeries {
    const WORDS: Words = Words {
        path: "/kpis/{code}/series",
        id: "kpi_series",
        summary: "Series of a KPI",
        answer: "The series of the KPI.",
        about: "The baseline, the targets and the verified values of a KPI by period, in the order of the periods.",
        parameters: &["from", "to"],
    };

    const PARTS: &'static [&'static str] = &["baseline", "targets", "actuals"];

    fn example() -> Value {
        examples::series()
    }

    async fn answer(asked: FigureRequest, mut parameters: Parameters) -> ApiResult<Answer> {
        let expected = ("a period: 2022, 2022-S1, 2022-Q3 or 2022-09", "periode: 2022, 2022-S1, 2022-Q3, atau 2022-09");
        let from = parameters.read("from", expected, |text| Period::parse(text).ok());
        let to = parameters.read("to", expected, |text| Period::parse(text).ok());
        parameters.finish()?;
        let code = asked.code.clone();
        asked
            .answer(
                false,
                (from, to),
                move |store, scope| async move { series::compute(store.db(), scope, &code, from, to).await },
            )
            .await
    }
}

impl Figure for Reconciliation {
    const WORDS: Words = Words {
        path: "/reconciliation",
        id: "reconciliation",
        summary: "Reconciliation of reported and recorded counts",
        answer: "The reconciliation of the evaluation.",
        about: "For each dimension: how many programmes were planned and running according to what the meeting was told, how \
            many according to the records as of the end of that day, and the difference. Later entries change this answer only \
            if they are transitions with an earlier date; the record of a closed evaluation keeps the figures as they were.",
        parameters: &["evaluation"],
    };

    const PARTS: &'static [&'static str] = &["totals", "dimensions"];

    fn example() -> Value {
        examples::reconciliation()
    }

    async fn answer(asked: FigureRequest, mut parameters: Parameters) -> ApiResult<Answer> {
        let evaluation = parameters.text("evaluation");
        parameters.finish()?;
        let today = asked.store.calendar().today();
        let of = (evaluation.clone(), today);
        asked
            .answer(false, of, move |store, scope| async move {
                let db = store.db();
                let evaluation = reconciliation::asked_for(db, scope, evaluation.as_deref(), today).await?;
                let as_of = AsOf::new(evaluation.held_on, today, db.get_database_backend());
                reconciliation::compute(db, scope, &evaluation, as_of).await
            })
            .await
    }
}

async fn private<F: Figure>(
    access: Access<ReadAll>,
    request: HttpRequest,
    kept: Data<FigureCache>,
    preconditions: Preconditions,
    parameters: Parameters,
) -> ApiResult<Answer> {
    F::answer(FigureRequest::new(access.store, Scope::All, kept, &request, preconditions), parameters).await
}

async fn public<F: Figure>(
    table: &Tabular,
    public: Public,
    request: HttpRequest,
    kept: Data<FigureCache>,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let asked_csv = AskedCsv::read(&mut parameters, &request);
    let asked = FigureRequest::new(public.store, Scope::Published, kept, &request, Preconditions::default());
    let answer = F::answer(asked, parameters).await?;
    let answer = match asked_csv {
        None => answer.public().header("Vary", "Accept"),
        Some(csv) => stream::figure(&request, table, csv, &Selection::default(), &answer)?,
    };
    Ok(answer.unless_known(&preconditions))
}

/// The public route of a figure, with its table.
pub(crate) fn public_table<F: Figure>() -> (Operation, Tabular) {
    with_csv(described_public::<F>(), Lines::Entries(F::PARTS))
}

/// Mounts the public route of a figure.
fn mount_figure<F: Figure>(table: &mut Table) {
    let (described, tabular) = public_table::<F>();
    let tabular = Arc::new(tabular);
    table.on(described, move |seen: Public, request, kept, preconditions, parameters| {
        let tabular = Arc::clone(&tabular);
        async move { public::<F>(&tabular, seen, request, kept, preconditions, parameters).await }
    });
}

/// The public answer with a figure, as its own route gives it: kept, or computed now. `code` is the one in its path, if it has one.
pub(crate) async fn public_figure<F: Figure>(
    store: &Store,
    kept: &Data<FigureCache>,
    code: &str,
    parameters: Parameters,
) -> ApiResult<Answer> {
    let asked = FigureRequest {
        store: store.clone(),
        scope: Scope::Published,
        kept: kept.clone(),
        path: format!("/v1/public{}", F::WORDS.path.replace("{code}", code)),
        code: code.to_owned(),
        // Whoever asks shows figures, and no texts.
        language: Language::English,
        preconditions: Preconditions::default(),
    };
    F::answer(asked, parameters).await
}

/// The description of the route for those who log in.
fn described_private<F: Figure>() -> Operation {
    let Words { path, id, summary, about, .. } = F::WORDS;
    let operation = Operation::get(&format!("/v1{path}"), &format!("get_{id}"), "figures", summary, about);
    described::<F>(operation).roles(&ReadAll::role_names())
}

/// The description of the public route.
fn described_public<F: Figure>() -> Operation {
    let Words { path, id, summary, about, .. } = F::WORDS;
    let (path, summary) = (format!("/v1/public{path}"), format!("{summary} (public)"));
    let about = format!(
        "{about} It is computed from public and verified data only; for a past day from what was public then and is public now. No login is needed."
    );
    described::<F>(Operation::get(&path, &format!("get_public_{id}"), "public", &summary, &about)).public()
}

/// Adds the parameters of a figure to a description.
pub(crate) fn with_parameters<F: Figure>(operation: Operation) -> Operation {
    F::WORDS.parameters.iter().fold(operation, |operation, name| {
        let (schema, about) = parameter(name);
        operation.query(name, schema, about)
    })
}

fn described<F: Figure>(operation: Operation) -> Operation {
    with_parameters::<F>(operation).conditional().problems(&[404]).answers::<F>(
        200,
        F::WORDS.answer,
        Some(F::example()),
        &["ETag"],
    )
}

fn parameter(name: &str) -> (Value, &'static str) {
    match name {
        "masterplan" => {
            let code =
                json!({ "type": "string", "minLength": 1, "maxLength": 64, "pattern": entity::value::code::Code::PATTERN });
            (code, "Counts only this masterplan; without it, all masterplans are counted.")
        }
        "evaluation" => {
            (crate::crud::schemas::code_schema(), "The code of the evaluation; without it, the latest evaluation that was held.")
        }
        "as_of" => (
            json!({ "type": "string", "format": "date", "maxLength": 10, "example": "2022-10-04" }),
            "The day as of whose end the figure is computed, not after today; without it, today. Every day before the first of \
             which anything is recorded is answered like the day before that one.",
        ),
        "year" => {
            let year = json!({ "type": "integer", "format": "int32", "minimum": 1900, "maximum": 2199, "example": 2022 });
            (year, "The year of the actions; without it, the year of the last quarter that ended before the end of the day.")
        }
        "quarter" => {
            let quarter = json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": 4, "example": 3 });
            (quarter, "The quarter of the year, 1 to 4; without it, the last quarter that ended before the end of the day.")
        }
        "interval" => (
            json!({ "type": "string", "enum": ["month", "quarter", "year"], "default": "month" }),
            "The length of a step of the timeline.",
        ),
        _ => (
            json!({ "type": "string", "maxLength": 7, "pattern": Period::PATTERN }),
            "The first or last period of the series; it is included.",
        ),
    }
}

/// Adds the routes of the figures.
pub fn mount(table: &mut Table) {
    table
        .on(described_private::<Summary>(), private::<Summary>)
        .on(described_private::<Timeline>(), private::<Timeline>)
        .on(described_private::<Scoreboard>(), private::<Scoreboard>)
        .on(described_private::<Scorecard>(), private::<Scorecard>)
        .on(described_private::<KpiStanding>(), private::<KpiStanding>)
        .on(described_private::<KpiSeries>(), private::<KpiSeries>)
        .on(described_private::<Reconciliation>(), private::<Reconciliation>);
}

/// Adds the public routes of the figures.
pub fn mount_public(table: &mut Table) {
    mount_figure::<Summary>(table);
    mount_figure::<Timeline>(table);
    mount_figure::<Scoreboard>(table);
    mount_figure::<Scorecard>(table);
    mount_figure::<KpiStanding>(table);
    mount_figure::<KpiSeries>(table);
    mount_figure::<Reconciliation>(table);
}
