//! Writes reports: the first one for a period, over one that does not count yet, or as a revision of one that does.

use std::iter;

use actix_web::web::Path;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, QueryFilter, Select};
use serde_json::json;

use super::review_state::ReviewState;
use super::{Report, ReportKey, many};
use crate::http::language::Text;
use crate::http::precondition::{Tagged, entity_tag};
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::store::transaction::{AuditEvent, FirstEvent, WriteTransaction};

/// The key of the report that a path names.
pub fn place_in(path: Path<(String, String)>) -> ReportKey {
    let (of, part) = path.into_inner();
    ReportKey { of, part }
}

/// The entity tag of a report, which covers all its revisions.
pub fn etag<R: Report>(row: &R) -> String {
    let review_state = row.review_state();
    entity_tag(review_state.version, review_state.created_at)
}

/// A report as answers show it.
pub fn shown<R: Report>(row: &R) -> R::Shown {
    R::Shown::from(row).tagged(etag(row))
}

/// 404 for a report that does not exist.
pub fn missing<R: Report>(place: &ReportKey) -> ApiError {
    ApiError::not_found(R::AUDITED.noun, &place.to_string())
}

fn revisions<R: Report>(place: &ReportKey) -> ApiResult<Select<R::Table>> {
    let of = Expr::col(R::WORDS.of).eq(place.of.as_str());
    Ok(R::Table::find().filter(of).filter(Expr::col(R::WORDS.part).eq(R::stored(R::part(&place.part)?))))
}

/// The last revision of a report.
pub async fn latest<R: Report>(db: &impl ConnectionTrait, place: &ReportKey) -> ApiResult<Option<R>> {
    Ok(revisions::<R>(place)?.filter(Expr::col("latest").eq(true)).one(db).await?)
}

/// Reads the KPI or action of a report and locks it until the commit, so that reports on it are written one after the other.
pub async fn owned<R: Report>(transaction: &WriteTransaction, of: &str) -> ApiResult<R::Subject> {
    let subject = transaction.locking(R::Of::find_by_id(of.to_owned())).into_partial_model::<R::Subject>();
    let subject = subject.one(&transaction.db).await?.ok_or_else(|| ApiError::not_found(R::OF, of))?;
    transaction.must_cover(R::opd(&subject)).await?;
    Ok(subject)
}

/// Reads the last revision of a report and locks it until the commit.
pub async fn waiting<R: Report>(transaction: &WriteTransaction, place: &ReportKey) -> ApiResult<R> {
    owned::<R>(transaction, &place.of).await?;
    latest(&transaction.db, place).await?.ok_or_else(|| missing::<R>(place))
}

/// The field error of a correction without a reason.
pub fn reason_required() -> FieldError {
    let text =
        Text::new("A correction of a verified report needs a reason.", "Koreksi atas laporan terverifikasi memerlukan alasan.");
    FieldError::at("/reason", "required", text)
}

/// The word in the audit log for writing over `before`.
pub fn written_action<R: Report>(before: Option<&R>) -> &'static str {
    match before {
        None => "created",
        Some(row) if row.review_state().counts() => "revised",
        Some(_) => "updated",
    }
}

/// Writes what was checked. The row of the KPI or action is locked.
pub async fn write<R: Report>(
    transaction: &WriteTransaction,
    place: &ReportKey,
    before: Option<&R>,
    input: R::Input,
) -> ApiResult<R> {
    let mut row = R::drafted(transaction, &place.of, R::part(&place.part)?, before, input);
    if transaction.origin.actor.reports_are_verified() {
        row.handed_in(transaction.today);
        verify(transaction, &mut row).await?;
    }
    many::store(transaction, iter::once((before, &row))).await?;
    record(transaction, written_action(before), before, Some(&row)).await?;
    Ok(row)
}

/// Lets a row count.
pub async fn verify<R: Report>(transaction: &WriteTransaction, row: &mut R) -> ApiResult<()> {
    use entity::measurement::ReportState::Verified;
    let (known_on, actor) = (Some(row.count(transaction).await?), Some(transaction.origin.actor.name.clone()));
    row.set_review_state(ReviewState {
        state: Verified,
        known_on,
        verified_by: actor,
        verified_at: Some(transaction.now),
        ..row.review_state()
    });
    Ok(())
}

/// Notes who submits a row.
pub fn hand_in<R: Report>(transaction: &WriteTransaction, row: &mut R) {
    use entity::measurement::ReportState::Submitted;
    let actor = &transaction.origin.actor;
    row.set_review_state(ReviewState {
        state: Submitted,
        submitted_by: Some(actor.name.clone()),
        submitter: Some(actor.subject()),
        submitted_at: Some(transaction.now),
        return_reason: None,
        returned_by: None,
        ..row.review_state()
    });
    row.handed_in(transaction.today);
}

/// Deletes a draft. If it is a correction, the revision before it becomes the latest again.
pub async fn delete<R: Report>(transaction: &WriteTransaction, row: R) -> ApiResult<()> {
    let review_state = row.review_state();
    if review_state.state != entity::measurement::ReportState::Draft {
        return Err(ApiError::new(codes::CONFLICT).detail("Only a draft can be deleted.", "Hanya draf yang dapat dihapus."));
    }
    let below = revisions::<R>(&row.place())?.filter(Expr::col("revision").eq(review_state.revision - 1));
    if let Some(mut previous) = below.one(&transaction.db).await? {
        // The entity tag changes, so that nobody who has seen the draft takes this revision for it.
        previous.set_review_state(ReviewState { latest: true, version: review_state.version + 1, ..previous.review_state() });
        previous.into_active_model().reset_all().update(&transaction.db).await?;
    }
    record(transaction, "deleted", Some(&row), None).await?;
    row.delete(&transaction.db).await?;
    Ok(())
}

/// Appends to the audit log.
pub async fn record<R: Report>(
    transaction: &WriteTransaction,
    action: &str,
    before: Option<&R>,
    after: Option<&R>,
) -> ApiResult<()> {
    let Some(row) = after.or(before) else { return Ok(()) };
    let version = after.map_or(row.review_state().version + 1, |row| row.review_state().version);
    let show = |row: &R| json!(R::Shown::from(row));
    let (key, first_event) = (row.place().to_string(), FirstEvent::of(row.review_state().first_event, false));
    let (before, after) = (before.map(show), after.map(show));
    transaction.record(AuditEvent { of: R::AUDITED, key: &key, action, version, before, after, first_event }).await
}
