//! Writing a report: the first of its part of time, over one that does not count yet, or as a revision of one that does.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, QueryFilter, Select};
use serde_json::json;

use super::course::Course;
use super::{Place, Report, Subject};
use crate::http::language::Text;
use crate::http::precondition::entity_tag;
use crate::http::problem::{ApiError, ApiResult, Fault, codes};
use crate::store::change::{Change, Happening};

/// The entity tag, over all revisions.
pub fn etag<R: Report>(row: &R) -> String {
    let course = row.course();
    entity_tag(course.version, course.created_at)
}

/// 404 for a report that is not there.
pub fn missing<R: Report>(place: &Place) -> ApiError {
    ApiError::not_found(R::KIND.name(), &place.to_string())
}

fn revisions<R: Report>(place: &Place) -> ApiResult<Select<R::Table>> {
    let of = Expr::col(R::WORDS.of).eq(place.of.as_str());
    Ok(R::Table::find().filter(of).filter(Expr::col(R::WORDS.part).eq(R::stored(R::part(&place.part)?))))
}

/// The last revision.
pub async fn latest<R: Report>(db: &impl ConnectionTrait, place: &Place) -> ApiResult<Option<R>> {
    Ok(revisions::<R>(place)?.filter(Expr::col("latest").eq(true)).one(db).await?)
}

/// What is reported on, kept from others until the commit: writes of one KPI or action take turns.
pub async fn owned<R: Report>(change: &Change, of: &str) -> ApiResult<Subject<R>> {
    let subject = change.locked::<R::Subject>(of.to_owned()).await?;
    let subject = subject.ok_or_else(|| ApiError::not_found(R::WORDS.of, of))?;
    change.must_cover(R::opd(&subject)).await?;
    Ok(subject)
}

/// The last revision, kept from others until the commit.
pub async fn waiting<R: Report>(change: &Change, place: &Place) -> ApiResult<R> {
    owned::<R>(change, &place.of).await?;
    latest(&change.db, place).await?.ok_or_else(|| missing::<R>(place))
}

/// The fault of a correction without a reason.
pub fn reason_required() -> Fault {
    let text = Text::new("A verified value is corrected for a reason.", "Nilai terverifikasi dikoreksi dengan alasan.");
    Fault::at("/reason", "required", text)
}

/// What writing over `before` is called in the trail.
pub fn written_action<R: Report>(before: Option<&R>) -> &'static str {
    match before {
        None => "created",
        Some(row) if row.course().counts() => "revised",
        Some(_) => "updated",
    }
}

/// Writes what was checked. The row of what it is about is locked.
pub async fn write<R: Report>(change: &Change, place: &Place, before: Option<&R>, input: R::Input) -> ApiResult<R> {
    let frozen = before.filter(|row| row.course().counts());
    let mut row = R::drafted(change, &place.of, R::part(&place.part)?, before, input);
    if change.origin.actor.reports_are_verified() {
        row.handed_in(change.today);
        verify(change, &mut row).await?;
    }
    if let Some(old) = frozen {
        let mut old = old.clone();
        old.follow(Course { latest: false, ..old.course() });
        old.into_active_model().reset_all().update(&change.db).await?;
    }
    let is_update = before.is_some() && frozen.is_none();
    let new = row.into_active_model().reset_all();
    let row = if is_update { new.update(&change.db).await? } else { new.insert(&change.db).await? };
    record(change, written_action(before), before, Some(&row)).await?;
    Ok(row)
}

/// Makes a row count.
pub async fn verify<R: Report>(change: &Change, row: &mut R) -> ApiResult<()> {
    use entity::measurement::ReportState::Verified;
    let (known_on, actor) = (Some(row.count(change).await?), Some(change.origin.actor.name.clone()));
    row.follow(Course { state: Verified, known_on, verified_by: actor, verified_at: Some(change.now), ..row.course() });
    Ok(())
}

/// Notes who hands a row in.
pub fn hand_in<R: Report>(change: &Change, row: &mut R) {
    use entity::measurement::ReportState::Submitted;
    let actor = &change.origin.actor;
    row.follow(Course {
        state: Submitted,
        submitted_by: Some(actor.name.clone()),
        submitter: Some(actor.subject()),
        submitted_at: Some(change.now),
        return_reason: None,
        returned_by: None,
        ..row.course()
    });
    row.handed_in(change.today);
}

/// Deletes a draft. The revision below that of a correction is the latest again.
pub async fn delete<R: Report>(change: &Change, row: R) -> ApiResult<()> {
    let course = row.course();
    if course.state != entity::measurement::ReportState::Draft {
        return Err(ApiError::new(codes::CONFLICT).detail("Only a draft can be deleted.", "Hanya draf yang dapat dihapus."));
    }
    let below = revisions::<R>(&row.place())?.filter(Expr::col("revision").eq(course.revision - 1));
    if let Some(mut previous) = below.one(&change.db).await? {
        // The entity tag moves on, so that who saw the draft does not take this for it.
        previous.follow(Course { latest: true, version: course.version + 1, ..previous.course() });
        previous.into_active_model().reset_all().update(&change.db).await?;
    }
    record(change, "deleted", Some(&row), None).await?;
    row.delete(&change.db).await?;
    Ok(())
}

/// Appends to the trail.
pub async fn record<R: Report>(change: &Change, action: &str, before: Option<&R>, after: Option<&R>) -> ApiResult<()> {
    let Some(row) = after.or(before) else { return Ok(()) };
    let version = after.map_or(row.course().version + 1, |row| row.course().version);
    let show = |row: &R| json!(R::Shown::from(row));
    let key = row.place().to_string();
    let (before, after) = (before.map(show), after.map(show));
    change.record(Happening { resource: R::KIND.name(), key: &key, action, version, before, after }).await
}
