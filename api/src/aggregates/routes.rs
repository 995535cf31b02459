//! `/v1/summary`, `/v1/timeline`, `/v1/scoreboard`, `/v1/opds/{code}/scorecard`, `/v1/reconciliation`,
//! `/v1/kpis/{code}/standing`, `/v1/kpis/{code}/series`, and their public counterparts.

mod figures;
pub(super) mod request;

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Data;
use entity::value::code::Code;
use entity::value::period::Period;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use self::request::FigureRequest;
use super::reconciliation::Reconciliation;
use super::scoreboard::Scoreboard;
use super::scorecard::Scorecard;
use super::series::KpiSeries;
use super::standing::KpiStanding;
use super::summary::Summary;
use super::timeline::Timeline;
use crate::auth::permissions::{Permission, ReadAll};
use crate::crud::schemas::code_schema;
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::ApiResult;
use crate::http::query::Parameters;
use crate::http::representation::Selection;
use crate::http::table::Table;
use crate::store::access::{Access, Public};
use crate::store::figure_cache::FigureCache;
use crate::store::kind::Scope;
use crate::store::transaction::Store;
use crate::tabular::asked::AskedCsv;
use crate::tabular::columns::{LazyTabular, Lines, Tabular, lazily_with_csv, with_csv};
use crate::tabular::stream;

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

async fn private<F: Figure>(
    access: Access<ReadAll>,
    request: HttpRequest,
    cache: Data<FigureCache>,
    preconditions: Preconditions,
    parameters: Parameters,
) -> ApiResult<Answer> {
    F::answer(FigureRequest::new(access.store, Scope::All, cache, &request, preconditions), parameters).await
}

async fn public<F: Figure>(
    table: &LazyTabular,
    public: Public,
    request: HttpRequest,
    cache: Data<FigureCache>,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let asked_csv = AskedCsv::read(&mut parameters, &request);
    let asked = FigureRequest::new(public.store, Scope::Published, cache, &request, Preconditions::default());
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

/// Mounts the route of a figure for those who log in.
fn mount_private<F: Figure>(table: &mut Table) {
    table.lazily(Method::GET, &format!("/v1{}", F::WORDS.path), described_private::<F>, private::<F>);
}

/// Mounts the public route of a figure.
fn mount_figure<F: Figure>(table: &mut Table) {
    let (describe, tabular) = lazily_with_csv(described_public::<F>, Lines::Entries(F::PARTS));
    let path = format!("/v1/public{}", F::WORDS.path);
    table.lazily(Method::GET, &path, describe, move |seen: Public, request, cache, preconditions, parameters| {
        let tabular = Arc::clone(&tabular);
        async move { public::<F>(&tabular, seen, request, cache, preconditions, parameters).await }
    });
}

/// The public answer with a figure, as its own route gives it: from the cache, or computed now. `code` is the one in its path, if it has one.
pub(crate) async fn public_figure<F: Figure>(
    store: &Store,
    cache: &Data<FigureCache>,
    code: &str,
    parameters: Parameters,
) -> ApiResult<Answer> {
    let path = format!("/v1/public{}", F::WORDS.path.replace("{code}", code));
    F::answer(FigureRequest::of_the_service(store, cache, path, code), parameters).await
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
            let code = json!({ "type": "string", "minLength": 1, "maxLength": 64, "pattern": Code::PATTERN });
            (code, "Counts only this masterplan; without it, all masterplans are counted.")
        }
        "evaluation" => (code_schema(), "The code of the evaluation; without it, the latest evaluation that was held."),
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
    mount_private::<Summary>(table);
    mount_private::<Timeline>(table);
    mount_private::<Scoreboard>(table);
    mount_private::<Scorecard>(table);
    mount_private::<KpiStanding>(table);
    mount_private::<KpiSeries>(table);
    mount_private::<Reconciliation>(table);
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
