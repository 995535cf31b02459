//! `/v1/public/charts/…`: figures as pictures.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, web};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::drawing::Drawing;
use super::figures;
use super::options::{Options, Theme};
use super::words::Words;
use super::{kpi, scoreboard, summary, svg, timeline};
use crate::aggregates::examples;
use crate::aggregates::routes::{self as aggregates, Figure};
use crate::aggregates::scoreboard::Scoreboard;
use crate::aggregates::series::KpiSeries;
use crate::aggregates::standing::KpiStanding;
use crate::aggregates::summary::Summary;
use crate::aggregates::timeline::Timeline;
use crate::http::answer::Answer;
use crate::http::language::Language;
use crate::http::media::MediaType;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::http::table::Table;
use crate::store::access::Public;
use crate::store::figure_cache::FigureCache;

/// A figure of the whole masterplan that has a chart.
trait Charted: Figure {
    /// What the chart reads of it.
    type Read: DeserializeOwned;

    /// The name in the path.
    const NAME: &'static str;
    /// What the picture shows.
    const SHOWS: &'static str;

    fn draw(read: &Self::Read, width: u16, words: Words) -> Drawing;
}

impl Charted for Summary {
    type Read = figures::Summary;

    const NAME: &'static str = "summary";
    const SHOWS: &'static str = "A row for each dimension with a cell for each of its programmes, those that run before those that have \
                                 not started.";

    fn draw(read: &Self::Read, width: u16, words: Words) -> Drawing {
        summary::draw(read, width, words)
    }
}

impl Charted for Timeline {
    type Read = figures::Timeline;

    const NAME: &'static str = "timeline";
    const SHOWS: &'static str = "A column for each month, quarter or year with the programmes in each status at its end.";

    fn draw(read: &Self::Read, width: u16, words: Words) -> Drawing {
        timeline::draw(read, width, words)
    }
}

impl Charted for Scoreboard {
    type Read = figures::Scoreboard;

    const NAME: &'static str = "scoreboard";
    const SHOWS: &'static str = "A bar for each OPD with the achievement of its actions, ranked, with the performance band.";

    fn draw(read: &Self::Read, width: u16, words: Words) -> Drawing {
        scoreboard::draw(read, width, words)
    }
}

/// The chart of a figure.
async fn chart<C: Charted>(
    public: Public,
    request: HttpRequest,
    kept: Data<FigureCache>,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let options = Options::read(&mut parameters, request.headers());
    let figure = aggregates::public_figure::<C>(&public.store, &kept, "", parameters).await?;
    let drawing = C::draw(&read(&figure)?, options.width, Words(options.language));
    Ok(picture(&drawing, options, &preconditions))
}

/// The chart of a KPI: its series, under its name and standing of today.
async fn kpi_chart(
    public: Public,
    code: web::Path<String>,
    request: HttpRequest,
    kept: Data<FigureCache>,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let options = Options::read(&mut parameters, request.headers());
    let series = aggregates::public_figure::<KpiSeries>(&public.store, &kept, &code, parameters).await?;
    let standing = aggregates::public_figure::<KpiStanding>(&public.store, &kept, &code, Parameters::parse("")?).await?;
    let drawing = kpi::draw(&code, &read(&standing)?, &read(&series)?, options.width, Words(options.language));
    Ok(picture(&drawing, options, &preconditions))
}

fn read<T: DeserializeOwned>(figure: &Answer) -> ApiResult<T> {
    serde_json::from_slice(figure.parts().2).map_err(ApiError::unexpected)
}

fn picture(drawing: &Drawing, options: Options, preconditions: &Preconditions) -> Answer {
    Answer::of(StatusCode::OK, MediaType::Svg, svg::write(drawing, options.theme, options.language))
        .header("Content-Language", options.language.tag())
        .header("Vary", "Accept-Language")
        // Its own style is all that it may use, and any page may show it.
        .header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
        .header("Cross-Origin-Resource-Policy", "cross-origin")
        .public()
        .tagged()
        .unless_known(preconditions)
}

/// The description of the chart of a figure.
fn described<C: Charted>() -> Operation {
    let words = C::WORDS;
    let path = format!("/v1/public/charts/{}.svg", C::NAME);
    let title = format!("Chart: {}", words.summary.to_ascii_lowercase().replace("opd", "OPD"));
    let operation = Operation::get(
        &path,
        &format!("get_{}_chart", C::NAME),
        "public",
        &title,
        &about(C::SHOWS, &format!("/v1/public{}", words.path)),
    );
    let example = serde_json::from_value(C::example()).map(|read| C::draw(&read, 320, Words(Language::English)));
    pictured(aggregates::with_parameters::<C>(operation), example.ok())
}

fn described_kpi() -> Operation {
    let shows = "The verified values of a KPI as a line, its baseline, and its targets as a dashed line, under its name and the standing \
                 of today.";
    let about = about(shows, "/v1/public/kpis/{code}/series");
    let operation =
        Operation::get("/v1/public/charts/kpis/{code}.svg", "get_kpi_chart", "public", "Chart: series of a KPI", &about);
    let standing = json!({
        "name": "Desa yang memiliki TPS3R", "direction": "increase", "frequency": "yearly", "as_of": "2022-10-04", "standing": "no_data",
    });
    let read = serde_json::from_value(standing).ok().zip(serde_json::from_value(examples::series()).ok());
    let example = read.map(|(standing, series)| kpi::draw("TPS3R-DESA", &standing, &series, 320, Words(Language::English)));
    pictured(aggregates::with_parameters::<KpiSeries>(operation), example)
}

fn about(shows: &str, figure: &str) -> String {
    format!(
        "{shows} The picture shows what `{figure}` answers to the same parameters, and nothing else. It is laid out for its width, has \
         a title and a description that gives all its values in words, is readable without colours, and refers to nothing outside of \
         itself: embed it as `<img>`, or as the element that it is. No login is needed."
    )
}

/// The answers of a chart. The example lacks what is drawn.
fn pictured(operation: Operation, example: Option<Drawing>) -> Operation {
    let example = example.map(|drawing| {
        let frame = Drawing { marks: Vec::new(), ..drawing };
        Value::String(svg::write(&frame, Theme::Light, Language::English))
    });
    let schema = json!({ "type": "string", "maxLength": 1_000_000, "description": "An SVG document (W3C SVG 2), UTF-8." });
    Options::describe(operation)
        .conditional()
        .problems(&[404])
        .answers_in(MediaType::Svg, 200, "The picture, as SVG.", schema, example, &["ETag"])
        .public()
}

/// Adds the routes.
pub fn mount_public(table: &mut Table) {
    table
        .on(described::<Summary>(), chart::<Summary>)
        .on(described::<Timeline>(), chart::<Timeline>)
        .on(described::<Scoreboard>(), chart::<Scoreboard>)
        .on(described_kpi(), kpi_chart);
}
