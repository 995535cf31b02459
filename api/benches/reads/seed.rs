//! Rows by the million, beside the demo data, straight into the tables.

use chrono::{Datelike, Days, NaiveDate};
use entity::kpi_target::TargetKind;
use entity::rules::programme_status::ProgrammeStatus;
use entity::value::decimal::Decimal;
use entity::value::period::{Frequency, Period};
use entity::{dimension, kpi, kpi_target, measurement, opd, programme, status_change};
use sea_orm::{ActiveModelTrait, DatabaseConnection, EntityTrait, IntoActiveModel, PaginatorTrait, Set};
use uuid::Uuid;

use super::rows::{day, insert, instant, settle, verified};
use super::run::Outcome;

const PROGRAMMES: u64 = 2_000;
const KPIS: u64 = 500;
/// Months that a KPI has values for, each in two revisions.
const MONTHS: i64 = 1_007;

/// Adds rows until there are 2,000 programmes and 500 KPIs with 1,000,000 measurements; says how many there are.
pub(crate) async fn grow(db: &DatabaseConnection) -> Outcome<String> {
    let opds = opd::Entity::find().all(db).await?.into_iter().map(|row| row.code).collect::<Vec<_>>();
    let dimensions = dimension::Entity::find().all(db).await?.into_iter().map(|row| row.code).collect::<Vec<_>>();
    let programmes = (programme::Entity::find().count(db).await?..PROGRAMMES).collect::<Vec<_>>();
    let like = programme::Entity::find().one(db).await?.ok_or("no programme")?;
    insert(db, programmes.iter().map(|number| programme_like(&like, *number, pick(&opds, *number), pick(&dimensions, *number))))
        .await?;
    insert(db, programmes.iter().flat_map(|number| history(*number))).await?;
    let kpis = (kpi::Entity::find().count(db).await?..KPIS).collect::<Vec<_>>();
    let like = kpi::Entity::find_by_id("STUNTING").one(db).await?.ok_or("no STUNTING")?;
    insert(db, kpis.iter().map(|number| kpi_like(&like, *number, pick(&opds, *number), pick(&dimensions, *number)))).await?;
    insert(db, kpis.iter().map(|number| target(*number))).await?;
    for number in &kpis {
        insert(db, monthly(*number)).await?;
    }
    insert(db, yearly("STUNTING")).await?;
    settle(db).await?;
    let count = (programme::Entity::find().count(db).await?, kpi::Entity::find().count(db).await?);
    let measurements = measurement::Entity::find().count(db).await?;
    Ok(format!("{} programmes, {} KPIs, {measurements} measurements", count.0, count.1))
}

fn pick(codes: &[String], number: u64) -> &str {
    codes.get(number as usize % codes.len().max(1)).map_or("", String::as_str)
}

fn programme_like(like: &programme::Model, number: u64, opd: &str, dimension: &str) -> programme::ActiveModel {
    programme::Model {
        code: format!("X-{number:04}"),
        name: format!("Program percontohan {number}"),
        lead_opd: opd.to_owned(),
        dimension: dimension.to_owned(),
        status: if number.is_multiple_of(8) { ProgrammeStatus::Planned } else { ProgrammeStatus::Running },
        search: format!("x-{number:04}\nprogram percontohan {number}"),
        created_at: instant(day(2022, 1, 1) + Days::new(number)),
        updated_at: instant(day(2022, 1, 1) + Days::new(number)),
        ..like.clone()
    }
    .into_active_model()
    .reset_all()
}

/// What happened to a programme: planned, and for most of them running, suspended and running again.
fn history(number: u64) -> Vec<status_change::ActiveModel> {
    use ProgrammeStatus::{Planned, Running, Suspended};
    let moves = [(None, Planned), (Some(Planned), Running), (Some(Running), Suspended), (Some(Suspended), Running)];
    let kept = if number.is_multiple_of(8) { 1 } else { moves.len() };
    let entry = |(index, (from, to))| status_change::ActiveModel {
        id: Set(Uuid::now_v7()),
        programme: Set(format!("X-{number:04}")),
        seq: Set(index as i32 + 1),
        from_status: Set(from),
        to_status: Set(to),
        effective_on: Set(day(2022, 1, 1) + Days::new(number % 200 + 100 * index as u64)),
        reason: Set(None),
        recorded_by: Set("bench".into()),
        recorded_at: Set(instant(day(2023, 1, 1))),
    };
    moves.into_iter().take(kept).enumerate().map(entry).collect()
}

fn kpi_like(like: &kpi::Model, number: u64, opd: &str, dimension: &str) -> kpi::ActiveModel {
    kpi::Model {
        code: kpi_code(number),
        name: format!("Indikator percontohan {number}"),
        opd: opd.to_owned(),
        dimension: dimension.to_owned(),
        programme: None,
        frequency: Frequency::Monthly,
        baseline_period: Some("1938-12".into()),
        search: format!("y-{number:03}\nindikator percontohan {number}"),
        ..like.clone()
    }
    .into_active_model()
    .reset_all()
}

fn kpi_code(number: u64) -> String {
    format!("Y-{number:03}")
}

fn target(number: u64) -> kpi_target::ActiveModel {
    kpi_target::ActiveModel {
        kpi: Set(kpi_code(number)),
        period: Set("2024-12".into()),
        period_end: Set(day(2024, 12, 31)),
        value: Set(Decimal::computed(14.into(), 0)),
        kind: Set(TargetKind::Commitment),
        provenance: Set(None),
        version: Set(1),
        created_at: Set(instant(day(2022, 1, 1))),
        updated_at: Set(instant(day(2022, 1, 1))),
    }
}

/// The months up to 2022-12. Of every other KPI all values were handed in at once, long after.
fn monthly(number: u64) -> impl Iterator<Item = measurement::ActiveModel> {
    let last = Period::containing(Frequency::Monthly, day(2022, 12, 1)).index();
    let periods = (last - MONTHS + 1..=last).filter_map(|index| Period::from_index(Frequency::Monthly, index));
    let imported = number.is_multiple_of(2).then(|| day(2024, 6, 1));
    periods.flat_map(move |period| {
        (1..=2).map(move |revision| {
            let known_on = imported.unwrap_or_else(|| period.end() + Days::new(20 * revision as u64));
            let leads = imported.is_none() || (period.index(), revision) == (last, 2);
            measured(kpi_code(number), period, revision, revision == 2, known_on, leads)
        })
    })
}

/// The years before 2021, each corrected many times.
fn yearly(code: &str) -> impl Iterator<Item = measurement::ActiveModel> {
    (1900..=2020).filter_map(|year| Period::from_index(Frequency::Yearly, year)).flat_map(move |period| {
        (1..=16).map(move |revision| {
            measured(code.to_owned(), period, revision, revision == 16, period.end() + Days::new(20 * revision as u64), true)
        })
    })
}

fn measured(
    code: String,
    period: Period,
    revision: i32,
    latest: bool,
    known_on: NaiveDate,
    leads: bool,
) -> measurement::ActiveModel {
    let end = period.end();
    let value = Decimal::computed((28 - i64::from(end.month() + end.year_ce().1) % 9).into(), 0);
    let row = measurement::Model {
        revision,
        known_on: Some(known_on),
        counts_from: Some(known_on),
        latest,
        leads,
        verified_at: Some(instant(known_on)),
        version: revision,
        created_at: instant(known_on),
        updated_at: instant(known_on),
        ..verified(code, period, value)
    };
    row.into_active_model().reset_all()
}
