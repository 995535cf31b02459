//! `/v1/kpis/{code}/measurements`
//!
//! A measurement is kept in revisions. A verified one is never overwritten: writing it again adds a revision, so that
//! figures of past days stay as they were.

pub mod wire_types;

use chrono::NaiveDate;
use entity::kpi;
use entity::measurement::{self, Model};
use entity::value::period::Period;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use self::wire_types::{Measurement, MeasurementInput};
use super::{not_begun, period_of, value_faults};
use crate::auth::permissions;
use crate::http::problem::{ApiResult, Fault};
use crate::resources::provenance::Provenance;
use crate::resources::reporting::course::{Course, along};
use crate::resources::reporting::{Place, Report, ReportKind, Words};
use crate::store::change::Change;
use crate::store::listing::{Field, Kind};

/// What the trail calls a measurement.
pub fn key_of(kpi: &str, period: &str) -> String {
    format!("{kpi}/{period}")
}

impl Report for Model {
    const KIND: ReportKind = ReportKind::Measurement;
    const WORDS: Words = Words {
        path: "/v1/kpis/{code}/measurements",
        tag: "kpis",
        of: "kpi",
        of_key: "code",
        part: "period",
        title: "Measurement",
        a: "a measurement",
        of_a: "a KPI",
        put: "Report a measurement",
        about: "the value of one period",
        more: " The value lies within the KPI's `minimum` and `maximum`.",
    };
    const ORDER: Field = Field::sort("period_end", Kind::Date);
    type Table = measurement::Entity;
    type Subject = kpi::Entity;
    type Part = Period;
    type Input = MeasurementInput;
    type Shown = Measurement;
    type May = permissions::Report;

    fn example() -> Value {
        Measurement::example()
    }

    fn input_example() -> Value {
        json!({ "value": "22.9", "note": "Disampaikan pada evaluasi 4 Oktober 2022" })
    }

    fn part(text: &str) -> ApiResult<Period> {
        period_of(text)
    }

    fn stored(period: Period) -> sea_orm::Value {
        period.to_string().into()
    }

    fn key(kpi: &kpi::Model) -> &str {
        &kpi.code
    }

    fn opd(kpi: &kpi::Model) -> &str {
        &kpi.opd
    }

    fn faults(kpi: &kpi::Model, period: Period, input: &MeasurementInput) -> Vec<Fault> {
        value_faults(kpi, period, "/period", input.value, "/value")
    }

    fn early(_: &kpi::Model, period: Period, today: NaiveDate) -> Option<Fault> {
        not_begun(period, today, "/period")
    }

    fn reason(input: &MeasurementInput) -> Option<&str> {
        input.reason.as_deref()
    }

    fn drafted(change: &Change, kpi: &str, period: Period, before: Option<&Self>, input: MeasurementInput) -> Self {
        let course = Course::drafted(change, before.map(Self::course).as_ref(), input.reason);
        Self {
            kpi: kpi.to_owned(),
            period: period.to_string(),
            revision: course.revision,
            period_end: period.end(),
            value: input.value,
            note: input.note,
            evidence: json!(input.evidence),
            source_updated_at: input.source_updated_at,
            provenance: Provenance::stored(input.provenance.as_ref()),
            state: course.state,
            known_on: course.known_on,
            counts_from: None,
            latest: course.latest,
            leads: false,
            reason: course.reason,
            reported_by: course.reported_by,
            authors: course.authors,
            submitted_by: course.submitted_by,
            submitter: course.submitter,
            submitted_at: course.submitted_at,
            return_reason: course.return_reason,
            returned_by: course.returned_by,
            verified_by: course.verified_by,
            verified_at: course.verified_at,
            version: course.version,
            created_at: course.created_at,
            updated_at: course.updated_at,
        }
    }

    fn place(&self) -> Place {
        Place { of: self.kpi.clone(), part: self.period.clone() }
    }

    along!();

    async fn count(&mut self, change: &Change) -> ApiResult<NaiveDate> {
        let stated = Provenance::of(self.provenance.as_ref()).and_then(|provenance| provenance.date);
        let known_on = known_on(self.revision, stated, change.today);
        let counts_from = counts_from(period_of(&self.period)?, known_on);
        self.leads = takes_the_lead(change, &self.kpi, counts_from, self.period_end, self.revision).await?;
        self.counts_from = Some(counts_from);
        Ok(known_on)
    }
}

/// From which day a value counts: the day its source gives, else today. A correction counts from today, so that what
/// was answered for earlier days stays.
pub fn known_on(revision: i32, stated: Option<NaiveDate>, today: NaiveDate) -> NaiveDate {
    stated.filter(|date| revision == 1 && *date <= today).unwrap_or(today)
}

/// From which day figures count a value: of a period that has not begun by then nobody can know one, whatever a source says.
pub fn counts_from(period: Period, known_on: NaiveDate) -> NaiveDate {
    known_on.max(period.start())
}

/// Whether a value that is about to count from a day on leads its KPI then. Those of that day and after it that it
/// comes after no longer do. To be called for every value that is verified, before its row is written.
async fn takes_the_lead(
    change: &Change,
    kpi: &str,
    counts_from: NaiveDate,
    period_end: NaiveDate,
    revision: i32,
) -> ApiResult<bool> {
    use measurement::Column;
    // As the index spells it, which a parameter would keep from being used.
    let leading = measurement::Entity::find().filter(Column::Kpi.eq(kpi)).filter(Expr::cust("leads"));
    let before =
        leading.clone().filter(Column::CountsFrom.lte(counts_from)).order_by_desc(Column::CountsFrom).one(&change.db).await?;
    if before.is_some_and(|row| (row.period_end, row.revision) > (period_end, revision)) {
        return Ok(false);
    }
    let after = leading.filter(Column::CountsFrom.gte(counts_from)).order_by_asc(Column::CountsFrom);
    while let Some(row) = after.clone().one(&change.db).await? {
        if (row.period_end, row.revision) > (period_end, revision) {
            break;
        }
        let mut overtaken: measurement::ActiveModel = row.into();
        overtaken.leads = Set(false);
        overtaken.update(&change.db).await?;
    }
    Ok(true)
}
