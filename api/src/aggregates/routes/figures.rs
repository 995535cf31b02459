//! The figures: how the document describes each of them, and how its parameters are read.

use entity::rules::renaksi::last_ended_quarter;
use entity::value::period::{Frequency, Period};
use serde_json::Value;

use super::request::FigureRequest;
use super::{Figure, Words};
use crate::aggregates::examples;
use crate::aggregates::reconciliation::{self, Reconciliation};
use crate::aggregates::scoreboard::{self, Scoreboard, ScoreboardRequest};
use crate::aggregates::scorecard::{self, Scorecard};
use crate::aggregates::series::{self, KpiSeries};
use crate::aggregates::standing::{self, KpiStanding};
use crate::aggregates::summary::{self, Summary};
use crate::aggregates::timeline::{self, Timeline};
use crate::http::answer::Answer;
use crate::http::problem::ApiResult;
use crate::http::query::Parameters;
use crate::store::snapshots::AsOf;

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
