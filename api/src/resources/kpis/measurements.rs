//! `/v1/kpis/{code}/measurements`
//!
//! A measurement is kept in revisions. A verified revision is never overwritten: writing the measurement again adds a revision,
//! so that figures of past days stay as they were.

pub mod wire_types;

use chrono::NaiveDate;
use entity::kpi::{self, Measured};
use entity::measurement::{self, Model};
use entity::value::period::Period;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use self::wire_types::{Measurement, MeasurementInput};
use super::{self as kpis, not_begun, period_of, value_field_errors};
use crate::auth::permissions;
use crate::http::language::Noun;
use crate::http::problem::{ApiResult, FieldError};
use crate::resources::provenance::Provenance;
use crate::resources::reporting::review_state::{ReviewState, along};
use crate::resources::reporting::{Report, ReportKey, ReportKind, Words};
use crate::store::kind::{Audited, Changes, Field, Kind, PublicPart, REPORTED, Recorded, Stored, ValueType};
use crate::store::transaction::WriteTransaction;

/// What the audit log tells of measurements.
pub static AUDITED: Audited = Audited::new("measurement", Noun::new("measurement", "hasil ukur"))
    .actions(REPORTED)
    .in_batches(["kpi", "period"])
    .recorded(|| Recorded::of::<Measurement>(Measurement::example()))
    .changes(Changes::WhenVerified)
    .public_part(PublicPart {
        of: &kpis::KIND,
        members: &["kpi", "period", "revision", "value", "known_on", "provenance"],
        only: Some(("state", "verified")),
    });

/// Where measurements refer to their KPI.
pub const STORED: Stored =
    Stored { to: &kpis::KIND, resource: "measurement", table: "measurement", column: "kpi", name: "period", only: None };

/// The word for a measurement in the audit log.
pub fn key_of(kpi: &str, period: &str) -> String {
    format!("{kpi}/{period}")
}

impl Report for Model {
    const KIND: ReportKind = ReportKind::Measurement;
    const AUDITED: &'static Audited = &AUDITED;
    const OF: &'static Kind = &kpis::KIND;
    const WORDS: Words = Words {
        path: "/v1/kpis/{code}/measurements",
        tag: "kpis",
        of: "kpi",
        of_key: "code",
        part: "period",
        part_parameter: kpis::period_parameter,
        title: "Measurement",
        a: "a measurement",
        of_a: "a KPI",
        put: "Report a measurement",
        about: "the measurement of one period",
        more: " The value must lie within the `minimum` and `maximum` of the KPI.",
    };
    const ORDER: Field = Field::sort("period_end", ValueType::Date);
    const PART_TYPE: &'static str = "text";
    type Table = measurement::Entity;
    type Of = kpi::Entity;
    type Subject = Measured;
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

    fn key(kpi: &Measured) -> &str {
        &kpi.code
    }

    fn opd(kpi: &Measured) -> &str {
        &kpi.opd
    }

    fn field_errors(kpi: &Measured, period: Period, input: &MeasurementInput) -> Vec<FieldError> {
        value_field_errors(kpi.scale(), period, "/period", input.value, "/value")
    }

    fn early(_: &Measured, period: Period, today: NaiveDate) -> Option<FieldError> {
        not_begun(period, today, "/period")
    }

    fn reason(input: &MeasurementInput) -> Option<&str> {
        input.reason.as_deref()
    }

    fn drafted(
        transaction: &WriteTransaction,
        kpi: &str,
        period: Period,
        before: Option<&Self>,
        input: MeasurementInput,
    ) -> Self {
        let review_state = ReviewState::drafted(transaction, before.map(Self::review_state).as_ref(), input.reason);
        Self {
            kpi: kpi.to_owned(),
            period: period.to_string(),
            revision: review_state.revision,
            period_end: period.end(),
            value: input.value,
            note: input.note,
            evidence: json!(input.evidence),
            source_updated_at: input.source_updated_at,
            provenance: Provenance::stored(input.provenance.as_ref()),
            state: review_state.state,
            known_on: review_state.known_on,
            counts_from: None,
            latest: review_state.latest,
            leads: false,
            reason: review_state.reason,
            reported_by: review_state.reported_by,
            authors: review_state.authors,
            submitted_by: review_state.submitted_by,
            submitter: review_state.submitter,
            submitted_at: review_state.submitted_at,
            return_reason: review_state.return_reason,
            returned_by: review_state.returned_by,
            verified_by: review_state.verified_by,
            verified_at: review_state.verified_at,
            version: review_state.version,
            created_at: review_state.created_at,
            updated_at: review_state.updated_at,
            first_event: review_state.first_event,
        }
    }

    fn place(&self) -> ReportKey {
        ReportKey { of: self.kpi.clone(), part: self.period.clone() }
    }

    along!();

    async fn count(&mut self, transaction: &WriteTransaction) -> ApiResult<NaiveDate> {
        let stated = Provenance::of(self.provenance.as_ref()).and_then(|provenance| provenance.date);
        let known_on = known_on(self.revision, stated, transaction.today);
        let counts_from = counts_from(period_of(&self.period)?, known_on);
        self.leads = takes_the_lead(transaction, &self.kpi, counts_from, self.period_end, self.revision).await?;
        self.counts_from = Some(counts_from);
        Ok(known_on)
    }
}

/// The day from which a value counts: the day that its source gives, or today. A correction counts from today, so that answers
/// for earlier days stay the same.
pub fn known_on(revision: i32, stated: Option<NaiveDate>, today: NaiveDate) -> NaiveDate {
    stated.filter(|date| revision == 1 && *date <= today).unwrap_or(today)
}

/// The day from which figures count a value. It is not before the beginning of the period, because nobody can know a value of a
/// period that has not begun, whatever a source says.
pub fn counts_from(period: Period, known_on: NaiveDate) -> NaiveDate {
    known_on.max(period.start())
}

/// Whether a value that is about to count from a day on is then the latest value of its KPI. Earlier values that it overtakes
/// lose that mark. Call it for every value that is verified, before its row is written.
async fn takes_the_lead(
    transaction: &WriteTransaction,
    kpi: &str,
    counts_from: NaiveDate,
    period_end: NaiveDate,
    revision: i32,
) -> ApiResult<bool> {
    use measurement::Column;
    // Written as the index spells it; a parameter would keep the index from being used.
    let leading = measurement::Entity::find().filter(Column::Kpi.eq(kpi)).filter(Expr::cust("leads"));
    let before = leading
        .clone()
        .filter(Column::CountsFrom.lte(counts_from))
        .order_by_desc(Column::CountsFrom)
        .one(&transaction.db)
        .await?;
    if before.is_some_and(|row| (row.period_end, row.revision) > (period_end, revision)) {
        return Ok(false);
    }
    let after = leading.filter(Column::CountsFrom.gte(counts_from)).order_by_asc(Column::CountsFrom);
    while let Some(row) = after.clone().one(&transaction.db).await? {
        if (row.period_end, row.revision) > (period_end, revision) {
            break;
        }
        let mut overtaken: measurement::ActiveModel = row.into();
        overtaken.leads = Set(false);
        overtaken.update(&transaction.db).await?;
    }
    Ok(true)
}
