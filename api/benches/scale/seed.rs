//! OPDs, each with its programmes, KPIs, actions with reports, and findings, straight into the tables.

use std::ops::Range;

use chrono::Days;
use entity::kpi_target::TargetKind;
use entity::measurement::ReportState;
use entity::rules::finding::FindingState;
use entity::rules::programme_status::ProgrammeStatus;
use entity::value::decimal::Decimal;
use entity::value::period::{Frequency, Period};
use entity::{
    action, action_report, evaluation, event, finding, kpi, kpi_target, measurement, opd, programme, snapshot, status_change,
};
use sea_orm::ActiveValue::NotSet;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseConnection, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, Set,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::rows::{day, insert, instant, verified};
use super::run::Outcome;

/// OPDs of the small database.
pub(crate) const OPDS: u32 = 50;
/// What an OPD has.
const PROGRAMMES: u32 = 10;
const KPIS: u32 = 10;
const FINDINGS: u32 = 10;
/// Actions of a programme, each with a report a quarter.
const ACTIONS: u32 = 10;
/// Changes that each action has behind it.
const CHANGES: u32 = 20;

/// Adds OPDs with these numbers, and all that they have.
pub(crate) async fn grow(db: &DatabaseConnection, opds: Range<u32>) -> Outcome<()> {
    let like = opd::Entity::find_by_id("DLH").one(db).await?.ok_or("no DLH")?;
    insert(db, opds.clone().map(|number| like_opd(&like, number))).await?;
    let like = programme::Entity::find_by_id("SL-01").one(db).await?.ok_or("no SL-01")?;
    insert(db, programmes(&opds).map(|(opd, number)| like_programme(&like, opd, number))).await?;
    insert(db, programmes(&opds).flat_map(|(_, number)| history(number))).await?;
    let like = kpi::Entity::find_by_id("STUNTING").one(db).await?.ok_or("no STUNTING")?;
    let kpis = || opds.clone().flat_map(|opd| (0..KPIS).map(move |part| (opd, opd * KPIS + part)));
    insert(db, kpis().map(|(opd, number)| like_kpi(&like, opd, number))).await?;
    insert(db, kpis().map(|(_, number)| target(number))).await?;
    insert(db, kpis().flat_map(|(_, number)| (2018..=2022).map(move |year| measured(number, year)))).await?;
    insert(db, actions(&opds).map(|(opd, programme, number)| action(opd, programme, number))).await?;
    insert(db, actions(&opds).flat_map(|(_, _, number)| (1..=4).map(move |quarter| report(number, quarter)))).await?;
    if evaluation::Entity::find_by_id("X").one(db).await?.is_none() {
        insert(db, [evaluation()].into_iter()).await?;
    }
    let findings = opds.flat_map(|opd| (0..FINDINGS).map(move |part| (opd, opd * FINDINGS + part)));
    insert(db, findings.map(|(opd, number)| finding(opd, number))).await?;
    Ok(())
}

/// Gives each action of these OPDs a long history: what it was on past days, and the audit log.
pub(crate) async fn change(db: &DatabaseConnection, opds: Range<u32>) -> Outcome<()> {
    let changes =
        || actions(&opds).flat_map(|(opd, programme, number)| (0..CHANGES).map(move |turn| (opd, programme, number, turn)));
    insert(db, changes().map(|(opd, programme, number, turn)| was(opd, programme, number, turn))).await?;
    insert(db, changes().map(|(opd, programme, number, turn)| told(opd, programme, number, turn))).await?;
    Ok(())
}

/// How much there is.
pub(crate) async fn size(db: &DatabaseConnection) -> Outcome<String> {
    let opds = opd::Entity::find().count(db).await?;
    let (programmes, kpis) = (programme::Entity::find().count(db).await?, kpi::Entity::find().count(db).await?);
    let (actions, reports) = (action::Entity::find().count(db).await?, action_report::Entity::find().count(db).await?);
    let changes = snapshot::Entity::find().filter(snapshot::Column::Resource.eq("action")).count(db).await?;
    Ok(format!("{opds} OPDs, {programmes} programmes, {kpis} KPIs, {actions} actions, {reports} reports, {changes} past actions"))
}

/// OPDs with the numbers of their programmes.
fn programmes(opds: &Range<u32>) -> impl Iterator<Item = (u32, u32)> {
    opds.clone().flat_map(|opd| (0..PROGRAMMES).map(move |part| (opd, opd * PROGRAMMES + part)))
}

/// OPDs with the numbers of their programmes and of the actions of these.
fn actions(opds: &Range<u32>) -> impl Iterator<Item = (u32, u32, u32)> {
    programmes(opds).flat_map(|(opd, programme)| (0..ACTIONS).map(move |part| (opd, programme, programme * ACTIONS + part)))
}

fn opd_code(number: u32) -> String {
    format!("X-{number:04}")
}

fn programme_code(number: u32) -> String {
    format!("XP-{number:05}")
}

fn kpi_code(number: u32) -> String {
    format!("XK-{number:05}")
}

/// A UUIDv7 of a kind of thing: the same for a number each time.
fn id(kind: u64, number: u32) -> String {
    let millisecond = 1_664_841_600_000 + u64::from(number);
    let random = u128::from(kind) << 32 | u128::from(number);
    uuid::Builder::from_unix_timestamp_millis(millisecond, &random.to_be_bytes()[6..].try_into().unwrap_or_default())
        .into_uuid()
        .to_string()
}

fn decimal(value: u32) -> Decimal {
    Decimal::computed(value.into(), 0)
}

fn like_opd(like: &opd::Model, number: u32) -> opd::ActiveModel {
    let code = opd_code(number);
    opd::Model { name: format!("Dinas {number}"), parent: None, search: code.to_lowercase(), code, ..like.clone() }
        .into_active_model()
        .reset_all()
}

fn like_programme(like: &programme::Model, opd: u32, number: u32) -> programme::ActiveModel {
    let code = programme_code(number);
    programme::Model {
        name: format!("Program {number}"),
        lead_opd: opd_code(opd),
        supporting_opds: json!([]),
        regions: json!([]),
        status: ProgrammeStatus::Running,
        search: code.to_lowercase(),
        code,
        ..like.clone()
    }
    .into_active_model()
    .reset_all()
}

fn history(number: u32) -> impl Iterator<Item = status_change::ActiveModel> {
    let moves = [(None, ProgrammeStatus::Planned), (Some(ProgrammeStatus::Planned), ProgrammeStatus::Running)];
    (1..).zip(moves).map(move |(seq, (from, to))| status_change::ActiveModel {
        id: Set(Uuid::now_v7()),
        programme: Set(programme_code(number)),
        seq: Set(seq),
        from_status: Set(from),
        to_status: Set(to),
        effective_on: Set(day(2022, 1, 1) + Days::new(u64::from(number % 200) * seq as u64)),
        reason: Set(None),
        recorded_by: Set("bench".into()),
        recorded_at: Set(instant(day(2023, 1, 1))),
    })
}

fn like_kpi(like: &kpi::Model, opd: u32, number: u32) -> kpi::ActiveModel {
    let code = kpi_code(number);
    kpi::Model {
        name: format!("Indikator {number}"),
        opd: opd_code(opd),
        programme: None,
        search: code.to_lowercase(),
        code,
        ..like.clone()
    }
    .into_active_model()
    .reset_all()
}

fn target(number: u32) -> kpi_target::ActiveModel {
    kpi_target::ActiveModel {
        kpi: Set(kpi_code(number)),
        period: Set("2024".into()),
        period_end: Set(day(2024, 12, 31)),
        value: Set(decimal(14)),
        kind: Set(TargetKind::Commitment),
        provenance: Set(None),
        version: Set(1),
        created_at: Set(instant(day(2022, 1, 1))),
        updated_at: Set(instant(day(2022, 1, 1))),
    }
}

fn measured(number: u32, year: i32) -> measurement::ActiveModel {
    let period = Period::containing(Frequency::Yearly, day(year, 12, 31));
    verified(kpi_code(number), period, decimal(28 - number % 9)).into_active_model().reset_all()
}

fn action(opd: u32, programme: u32, number: u32) -> action::ActiveModel {
    action::ActiveModel {
        id: Set(id(1, number)),
        programme: Set(programme_code(programme)),
        opd: Set(opd_code(opd)),
        title: Set(format!("Kegiatan {number}")),
        output_unit: Set(Some("desa".into())),
        year: Set(2022),
        weight: Set(decimal(1 + number % 3)),
        due_on: Set(Some(day(2022, 12, 20))),
        target_q1: Set(decimal(2)),
        target_q2: Set(decimal(4)),
        target_q3: Set(decimal(6)),
        target_q4: Set(decimal(8)),
        published: Set(!number.is_multiple_of(5)),
        provenance: Set(None),
        search: Set(format!("kegiatan {number}")),
        version: Set(1),
        created_at: Set(instant(day(2022, 1, 1))),
        updated_at: Set(instant(day(2022, 1, 1))),
    }
}

fn report(number: u32, quarter: i32) -> action_report::ActiveModel {
    let handed_in = day(2022, 1, 5) + Days::new(quarter as u64 * 91 + u64::from(number % 12));
    action_report::ActiveModel {
        action: Set(id(1, number)),
        quarter: Set(quarter),
        revision: Set(1),
        realisation: Set(decimal((number % 3) * quarter as u32)),
        narrative: Set(None),
        obstacles: Set(None),
        evidence: Set(json!([])),
        source_updated_at: Set(None),
        state: Set(ReportState::Verified),
        handed_in_on: Set(Some(handed_in)),
        known_on: Set(Some(handed_in + Days::new(3))),
        latest: Set(true),
        reason: Set(None),
        reported_by: Set("bench".into()),
        authors: Set(None),
        submitter: Set(None),
        submitted_by: Set(Some("bench".into())),
        submitted_at: Set(Some(instant(handed_in))),
        return_reason: Set(None),
        returned_by: Set(None),
        verified_by: Set(Some("bench".into())),
        verified_at: Set(Some(instant(handed_in + Days::new(3)))),
        version: Set(3),
        created_at: Set(instant(handed_in)),
        updated_at: Set(instant(handed_in)),
        first_event: Set(None),
    }
}

/// With nothing in what may be empty.
fn evaluation() -> evaluation::ActiveModel {
    evaluation::ActiveModel {
        code: Set("X".into()),
        masterplan: Set("KLU-SC".into()),
        held_on: Set(day(2022, 10, 4)),
        reported_counts: Set(json!([])),
        published: Set(true),
        search: Set("x".into()),
        version: Set(1),
        created_at: Set(instant(day(2022, 10, 4))),
        updated_at: Set(instant(day(2022, 10, 4))),
        ..Default::default()
    }
}

fn finding(opd: u32, number: u32) -> finding::ActiveModel {
    let states = [FindingState::Open, FindingState::InProgress, FindingState::Done];
    finding::ActiveModel {
        id: Set(id(2, number)),
        evaluation: Set("X".into()),
        programme: Set(None),
        opd: Set(Some(opd_code(opd))),
        text: Set(format!("Temuan {number}")),
        recommendation: Set(None),
        due_on: Set(Some(day(2022, 12, 31))),
        state: Set(states[number as usize % states.len()]),
        follow_ups: Set(json!([])),
        search: Set(format!("temuan {number}")),
        version: Set(1),
        created_at: Set(instant(day(2022, 10, 4))),
        updated_at: Set(instant(day(2022, 10, 4))),
    }
}

/// An action as the API showed it after one of its changes.
fn shown(opd: u32, programme: u32, number: u32, turn: u32) -> Value {
    json!({
        "id": id(1, number), "programme": programme_code(programme), "opd": opd_code(opd), "title": format!("Kegiatan {number}"),
        "output_unit": "desa", "year": 2022, "weight": turn.to_string(), "due_on": "2022-12-20",
        "targets": { "q1": "2", "q2": "4", "q3": "6", "q4": "8" }, "published": !number.is_multiple_of(5)
    })
}

/// What an action was like for a fortnight.
fn was(opd: u32, programme: u32, number: u32, turn: u32) -> snapshot::ActiveModel {
    let since = day(2022, 1, 1) + Days::new(14 * u64::from(turn));
    let last = turn + 1 == CHANGES;
    snapshot::ActiveModel {
        resource: Set("action".into()),
        key: Set(id(1, number)),
        since: Set(since),
        until: Set(if last { day(9999, 12, 31) } else { since + Days::new(14) }),
        is_first: Set(turn == 0),
        content: Set(shown(opd, programme, number, turn)),
    }
}

/// The event of a change.
fn told(opd: u32, programme: u32, number: u32, turn: u32) -> event::ActiveModel {
    event::ActiveModel {
        seq: NotSet,
        id: Set(Uuid::now_v7()),
        at: Set(instant(day(2022, 1, 1) + Days::new(14 * u64::from(turn)))),
        resource: Set("action".into()),
        key: Set(id(1, number)),
        action: Set("updated".into()),
        version: Set(turn as i32 + 1),
        actor_kind: Set("user".into()),
        actor_id: Set("bench".into()),
        request_id: Set(None),
        address: Set(None),
        before: Set(Some(shown(opd, programme, number, turn))),
        after: Set(Some(shown(opd, programme, number, turn + 1))),
        content_hash: Set(None),
        first_event: Set(None),
        events: Set(1),
        batch: Set(None),
    }
}
