//! What the page shows, read from the public answers with figures and from what the public lists show.

use std::collections::{BTreeMap, HashMap};

use actix_web::ResponseError;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use chrono::NaiveDate;
use entity::kpi::UnitKind;
use entity::rules::programme_status::ProgrammeStatus;
use entity::rules::reason::ReasonCode;
use entity::value::period::Period;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::aggregates::reconciliation::Reconciliation as ReconciliationFigure;
use crate::aggregates::routes::{Figure, public_figure};
use crate::aggregates::scoreboard::Scoreboard as ScoreboardFigure;
use crate::aggregates::scorecard::Scorecard as ScorecardFigure;
use crate::aggregates::series::KpiSeries as SeriesFigure;
use crate::aggregates::standing::KpiStanding as StandingFigure;
use crate::aggregates::summary::Summary as SummaryFigure;
use crate::aggregates::timeline::Timeline as TimelineFigure;
use crate::charts::figures::{KpiSeries, KpiStanding, Point, Scoreboard, Summary, Timeline};
use crate::crud::public::shown;
use crate::crud::whole::shown_then;
use crate::http::language::Language;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::public::transitions::histories as histories_of;
use crate::resources::{awards, evaluations, kpis, masterplans, quick_wins};
use crate::store::figure_cache::FigureCache;
use crate::store::kind::Kind;
use crate::store::snapshots::AsOf;
use crate::store::transaction::Store;

/// The most OPDs, KPIs and evaluations that are looked at one by one.
const MOST: usize = 60;
/// The most programmes whose status history is read.
const MOST_HISTORIES: usize = 500;

/// All that the page shows.
pub(super) struct Seen {
    pub(super) masterplans: Vec<Masterplan>,
    pub(super) summary: Summary,
    pub(super) more: More,
    pub(super) timeline: Timeline,
    pub(super) scoreboard: Scoreboard,
    pub(super) opds: Vec<Opd>,
    pub(super) programmes: Vec<Programme>,
    pub(super) kpis: Vec<Kpi>,
    pub(super) quick_wins: Vec<QuickWin>,
    pub(super) evaluations: Vec<(Evaluation, Option<Reconciliation>)>,
    pub(super) awards: Vec<Award>,
}

/// A masterplan.
#[derive(Deserialize)]
pub(super) struct Masterplan {
    pub(super) title: String,
    pub(super) legal_basis: Option<String>,
    pub(super) description: Option<String>,
}

/// Of the summary, what its chart does not show.
#[derive(Deserialize)]
pub(super) struct More {
    pub(super) dimensions: Vec<DimensionCode>,
    pub(super) kpis: KpiCounts,
    pub(super) actions: ActionCounts,
    pub(super) findings: FindingCounts,
    pub(super) commitment: Signed,
}

#[derive(Deserialize)]
pub(super) struct DimensionCode {
    pub(super) dimension: String,
    pub(super) name: String,
    pub(super) name_en: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct KpiCounts {
    pub(super) total: u32,
    pub(super) by_standing: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
pub(super) struct ActionCounts {
    pub(super) total: u32,
    pub(super) late: u32,
    pub(super) done: u32,
}

#[derive(Deserialize)]
pub(super) struct FindingCounts {
    pub(super) open: u32,
    pub(super) in_progress: u32,
}

#[derive(Deserialize)]
pub(super) struct Signed {
    pub(super) opds: u32,
    pub(super) signed: u32,
}

/// The scorecard of an OPD.
#[derive(Deserialize)]
pub(super) struct Opd {
    pub(super) row: OpdRow,
    pub(super) programmes: Vec<OwnProgramme>,
}

#[derive(Deserialize)]
pub(super) struct OpdRow {
    pub(super) name: String,
    pub(super) programmes_led: crate::charts::figures::Led,
    pub(super) renaksi: crate::charts::figures::Renaksi,
    pub(super) reports: Reports,
    pub(super) findings_open: u32,
}

#[derive(Deserialize)]
pub(super) struct Reports {
    pub(super) due: u32,
    pub(super) on_time: u32,
    pub(super) late: u32,
    pub(super) missing: u32,
}

/// A programme, as the scorecard of the OPD that leads it has it.
#[derive(Deserialize)]
pub(super) struct OwnProgramme {
    pub(super) code: String,
    pub(super) name: String,
    /// None where it is hidden.
    pub(super) dimension: Option<String>,
    pub(super) status: ProgrammeStatus,
}

/// A programme with the OPD that leads it.
pub(super) struct Programme {
    pub(super) code: String,
    pub(super) name: String,
    /// None where it is hidden.
    pub(super) dimension: Option<String>,
    pub(super) status: ProgrammeStatus,
    pub(super) opd: String,
    /// Its statuses and the days from which they held, the first one first.
    pub(super) history: Vec<(ProgrammeStatus, NaiveDate)>,
}

/// A KPI with its standing and its series.
pub(super) struct Kpi {
    pub(super) code: String,
    pub(super) about: Option<String>,
    pub(super) source: Option<String>,
    pub(super) standing: KpiStanding,
    pub(super) more: StandingMore,
    pub(super) series: KpiSeries,
}

/// Of a standing, what the chart does not show.
#[derive(Deserialize)]
pub(super) struct StandingMore {
    pub(super) unit: UnitOf,
    pub(super) target: Option<Applicable>,
    pub(super) achievement: Option<Decimal>,
    pub(super) progress: Option<Decimal>,
    pub(super) projected: Option<Projected>,
    pub(super) required_pace: Option<Decimal>,
    pub(super) explanation: Explanation,
}

/// Why a standing is what it is.
#[derive(Deserialize)]
pub(super) struct Explanation {
    pub(super) reasons: Vec<Reason>,
}

/// A step of it.
#[derive(Deserialize)]
pub(super) struct Reason {
    pub(super) code: ReasonCode,
    pub(super) parameters: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(super) struct UnitOf {
    pub(super) kind: UnitKind,
}

#[derive(Deserialize)]
pub(super) struct Applicable {
    pub(super) period: Period,
    pub(super) value: Decimal,
}

#[derive(Deserialize)]
pub(super) struct Projected {
    pub(super) period: Period,
    pub(super) value: Decimal,
    pub(super) confidence: String,
}

#[derive(Deserialize)]
struct KpiRow {
    code: String,
    description: Option<String>,
    source: Option<String>,
}

/// A Quick Win.
#[derive(Deserialize)]
pub(super) struct QuickWin {
    pub(super) name: String,
    /// None where it is hidden.
    pub(super) dimension: Option<String>,
    pub(super) status: ProgrammeStatus,
    pub(super) outcome: Option<String>,
}

/// An evaluation.
#[derive(Deserialize)]
pub(super) struct Evaluation {
    pub(super) code: String,
    pub(super) held_on: NaiveDate,
    pub(super) venue: Option<String>,
    pub(super) chair: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) provenance: Option<Provenance>,
}

#[derive(Deserialize)]
pub(super) struct Provenance {
    pub(super) publisher: Option<String>,
    pub(super) date: Option<NaiveDate>,
}

/// What the meeting was told, beside what is recorded.
#[derive(Deserialize)]
pub(super) struct Reconciliation {
    pub(super) totals: Compared,
    pub(super) dimensions: Vec<ComparedDimension>,
}

#[derive(Deserialize)]
pub(super) struct ComparedDimension {
    pub(super) name: String,
    pub(super) name_en: Option<String>,
    #[serde(flatten)]
    pub(super) counts: Compared,
}

#[derive(Deserialize)]
pub(super) struct Compared {
    pub(super) reported: Option<Pair>,
    pub(super) recorded: Pair,
}

#[derive(Deserialize, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) planned: i64,
    pub(super) running: i64,
}

/// An award.
#[derive(Deserialize)]
pub(super) struct Award {
    pub(super) name: String,
    pub(super) issuer: Option<String>,
    pub(super) category: Option<String>,
    pub(super) year: Option<i32>,
    pub(super) recipient: Option<Recipient>,
}

#[derive(Deserialize)]
pub(super) struct Recipient {
    pub(super) name: Option<String>,
}

/// Reads everything, as of the end of a past day or of today. Of a past day there is what figures and snapshots tell of it: of what else
/// lists show today nobody knows whether it was hidden then.
pub(super) async fn everything(store: &Store, kept: &Data<FigureCache>, day: Option<NaiveDate>) -> ApiResult<Seen> {
    let ask = Ask { store, kept, day };
    let scoreboard = ask.figure::<ScoreboardFigure>("", "as_of").await?;
    let rows = read::<OpdCodes>(&scoreboard)?.rows;
    let summary = ask.figure::<SummaryFigure>("", "as_of").await?;
    let mut opds = Vec::new();
    for row in rows.iter().filter(|row| row.counts()).take(MOST) {
        opds.push(read::<Opd>(&ask.figure::<ScorecardFigure>(&row.opd, "as_of").await?)?);
    }
    let programmes = opds.iter_mut().flat_map(|opd| {
        let name = opd.row.name.clone();
        let own = std::mem::take(&mut opd.programmes).into_iter();
        own.map(move |OwnProgramme { code, name: title, dimension, status }| Programme {
            code,
            name: title,
            dimension,
            status,
            opd: name.clone(),
            history: Vec::new(),
        })
    });
    let mut programmes = programmes.collect::<Vec<_>>();
    programmes.sort_by(|one, other| one.code.cmp(&other.code));
    ask.add_histories(&mut programmes).await?;
    let mut seen_kpis = Vec::new();
    for row in ask.list::<KpiRow>(&kpis::KIND).await?.into_iter().take(MOST) {
        seen_kpis.extend(ask.kpi(row).await?);
    }
    Ok(Seen {
        masterplans: ask.list_of_day(&masterplans::KIND).await?,
        summary: read(&summary)?,
        more: read(&summary)?,
        timeline: read(&ask.figure::<TimelineFigure>("", "as_of").await?)?,
        scoreboard: read(&scoreboard)?,
        opds,
        programmes,
        kpis: seen_kpis,
        quick_wins: ask.list_of_today(&quick_wins::KIND).await?,
        evaluations: ask.evaluations().await?,
        awards: ask.list_of_today(&awards::KIND).await?,
    })
}

#[derive(Deserialize)]
struct OpdCodes {
    rows: Vec<OpdCode>,
}

#[derive(Deserialize)]
struct OpdCode {
    opd: String,
    programmes_led: crate::charts::figures::Led,
    renaksi: crate::charts::figures::Renaksi,
    findings_open: u32,
}

impl OpdCode {
    /// Whether there is anything to tell of it.
    fn counts(&self) -> bool {
        self.programmes_led.total > 0 || self.renaksi.actions.total > 0 || self.findings_open > 0
    }
}

/// What is asked of.
struct Ask<'a> {
    store: &'a Store,
    kept: &'a Data<FigureCache>,
    day: Option<NaiveDate>,
}

impl Ask<'_> {
    /// The public answer with a figure, as JSON text; `parameter` takes the day, if it is named.
    async fn figure<F: Figure>(&self, code: &str, parameter: &str) -> ApiResult<Vec<u8>> {
        let query = self.day.filter(|_| !parameter.is_empty()).map(|day| format!("{parameter}={day}")).unwrap_or_default();
        let answer = public_figure::<F>(self.store, self.kept, code, Parameters::parse(&query)?).await?;
        Ok(answer.parts().2.to_vec())
    }

    /// Adds the status histories up to the day; those of the first programmes, if there are very many.
    async fn add_histories(&self, programmes: &mut [Programme]) -> ApiResult<()> {
        let codes = programmes.iter().take(MOST_HISTORIES).map(|one| one.code.clone()).collect();
        let until = self.day.unwrap_or_else(|| self.store.calendar().today());
        let mut histories = HashMap::<String, Vec<(ProgrammeStatus, NaiveDate)>>::new();
        for step in histories_of(self.store, codes, until).await? {
            let history = histories.entry(step.programme).or_default();
            // Of the statuses of one day the last one holds.
            history.pop_if(|(_, day)| *day == step.effective_on);
            history.push((step.to, step.effective_on));
        }
        for one in programmes {
            one.history = histories.remove(&one.code).unwrap_or_default();
        }
        Ok(())
    }

    /// A KPI; none where it was hidden on the day.
    async fn kpi(&self, row: KpiRow) -> ApiResult<Option<Kpi>> {
        let KpiRow { code, description, source } = row;
        let standing = found(self.figure::<StandingFigure>(&code, "as_of").await)?;
        let series = found(self.figure::<SeriesFigure>(&code, "").await)?;
        let Some((standing, series)) = standing.zip(series) else { return Ok(None) };
        let mut series = read::<KpiSeries>(&series)?;
        if let Some(day) = self.day {
            // Baseline and targets are those of the day; the values are those that counted on it.
            let then = read::<Then>(&standing)?;
            let counted = |point: &Point| point.period.start() <= day && point.known_on.is_none_or(|known| known <= day);
            series.actuals.retain(counted);
            series = KpiSeries { baseline: then.baseline, targets: then.targets, ..series };
        }
        let of_today = |text: Option<String>| text.filter(|_| self.day.is_none());
        let (about, source) = (of_today(description), of_today(source));
        Ok(Some(Kpi { code, about, source, standing: read(&standing)?, more: read(&standing)?, series }))
    }

    /// The evaluations, the last one first, each with what the meeting was told beside what is recorded.
    async fn evaluations(&self) -> ApiResult<Vec<(Evaluation, Option<Reconciliation>)>> {
        let mut evaluations = Vec::new();
        let known = self.list_of_day::<Evaluation>(&evaluations::KIND).await?;
        let held = known.into_iter().filter(|evaluation| self.day.is_none_or(|day| evaluation.held_on <= day));
        for evaluation in held.take(MOST) {
            let parameters = Parameters::parse(&format!("evaluation={}", evaluation.code))?;
            let compared = public_figure::<ReconciliationFigure>(self.store, self.kept, "", parameters).await;
            let compared = found(compared)?.map(|answer| read::<Reconciliation>(answer.parts().2)).transpose()?;
            evaluations.push((evaluation, compared.filter(|compared| compared.totals.reported.is_some())));
        }
        evaluations.sort_by_key(|(evaluation, _)| std::cmp::Reverse(evaluation.held_on));
        Ok(evaluations)
    }

    async fn list<T: DeserializeOwned>(&self, kind: &'static Kind) -> ApiResult<Vec<T>> {
        shown(kind, self.store, Language::English).await?.iter().map(|row| read(row)).collect()
    }

    /// A list of what was recorded of each day. What was recorded later counts as it was then, as for figures: it has a day of its own.
    async fn list_of_day<T: DeserializeOwned>(&self, kind: &'static Kind) -> ApiResult<Vec<T>> {
        let Some(day) = self.day else { return self.list(kind).await };
        let day = self.store.day_that_answers(day).await?;
        let as_of = AsOf::new(day, self.store.calendar().today(), self.store.db().get_database_backend());
        let rows = shown_then(kind, self.store, as_of).await?;
        rows.into_iter().map(|row| serde_json::from_value(row).map_err(ApiError::unexpected)).collect()
    }

    /// A list that is shown of today alone.
    async fn list_of_today<T: DeserializeOwned>(&self, kind: &'static Kind) -> ApiResult<Vec<T>> {
        if self.day.is_some() { Ok(Vec::new()) } else { self.list(kind).await }
    }
}

/// The baseline and the targets of a KPI on a day.
#[derive(Deserialize)]
struct Then {
    baseline: Option<Point>,
    targets: Vec<Point>,
}

/// What was answered, unless there is nothing.
fn found<T>(answered: ApiResult<T>) -> ApiResult<Option<T>> {
    match answered {
        Err(error) if error.status_code() == StatusCode::NOT_FOUND => Ok(None),
        answered => answered.map(Some),
    }
}

fn read<T: DeserializeOwned>(text: &[u8]) -> ApiResult<T> {
    serde_json::from_slice(text).map_err(ApiError::unexpected)
}
