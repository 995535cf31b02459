//! `PUT` of a report. Those that come from one account while others are being written are written together: the statements and the
//! commit of one transaction then serve all of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::web::Path;

use super::flow::{etag, place_in, reason_required, shown, written_action};
use super::many::{self, Locked};
use super::review_state::ReviewState;
use super::{Report, ReportKey, Written};
use crate::http::answer::Answer;
use crate::http::body::{self, JsonBody};
use crate::http::idempotency::IdempotencyKey;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::http::query::NoParameters;
use crate::store::access::{Access, retry};
use crate::store::together::{Queues, Together};
use crate::store::transaction::{AuditEvent, FirstEvent, WriteTransaction};
use crate::telemetry::metrics::WRITE_WAIT;

/// A request that writes a report.
struct Put<R: Report> {
    access: Access<R::May>,
    place: ReportKey,
    preconditions: Preconditions,
    body: JsonBody,
    /// The path of the request, where a new report is found.
    path: String,
    /// When it came.
    since: Instant,
}

/// What is stored that the requests need.
struct Known<R: Report> {
    /// The KPIs or actions, by key.
    subjects: HashMap<String, R::Subject>,
    /// The OPDs for which the actor may write; `None` for all.
    covered: Option<HashSet<String>>,
    /// The last revisions.
    latest: BTreeMap<ReportKey, R>,
}

/// Writes a report.
pub(super) async fn put<R: Report>(
    access: Access<R::May>,
    request: HttpRequest,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let put =
        Put::<R> { access, place: place_in(path), preconditions, body, path: request.path().to_owned(), since: Instant::now() };
    let put = Rc::new(put);
    // The answer to a request with a key is kept in a transaction of its own.
    if !retry.has_key()
        && let Some(answer) = Queues::done(&request, Rc::clone(&put)).await?
    {
        return answer;
    }
    put.access
        .write(retry, async |transaction: &WriteTransaction| {
            let mut answers = write_all(transaction, &[Rc::clone(&put)], Locked::Waits).await?;
            answers.pop().flatten().unwrap_or_else(|| Err(put.has_no_subject()))
        })
        .await
}

impl<R: Report> Together for Put<R> {
    /// `None` if it has to be done alone: because another transaction holds the KPI or action, or because they could not be written
    /// together.
    type Done = Option<ApiResult<Answer>>;

    fn account(&self) -> String {
        self.access.actor().subject()
    }

    fn goes_with(&self, puts: &[Rc<Self>]) -> bool {
        puts.iter().all(|put| put.place.of != self.place.of && put.access.is_of_actor_of(&self.access))
    }

    async fn do_all(first: Rc<Self>, others: impl FnOnce() -> Vec<Rc<Self>>) -> Vec<Self::Done> {
        let (access, mut count, mut are_written) = (Rc::clone(&first), 1, false);
        let written = access.access.write_for_all(async |transaction: &WriteTransaction| {
            let others = others();
            others.iter().for_each(|put| metrics::histogram!(WRITE_WAIT).record(put.since.elapsed()));
            let puts = [vec![first], others].concat();
            count = puts.len();
            let answers = write_all(transaction, &puts, Locked::IsLeftOut).await?;
            are_written = true;
            Ok(answers)
        });
        match written.await {
            Ok(answers) => answers,
            // The commit failed, and nobody knows whether it took place; or there is no database.
            Err(error) if are_written || error.code() == codes::UNAVAILABLE => vec![Some(Err(error)); count],
            Err(_) => vec![None; count],
        }
    }
}

/// Writes reports on different KPIs or actions, each of which succeeds or fails on its own. `None` for those whose KPI or action is
/// not found, or left out because it is locked.
async fn write_all<R: Report>(
    transaction: &WriteTransaction,
    puts: &[Rc<Put<R>>],
    locked: Locked,
) -> ApiResult<Vec<Option<ApiResult<Answer>>>> {
    let known = Known::read(transaction, puts, locked).await?;
    let mut answers = BTreeMap::new();
    let (mut checked, mut written) = (Vec::new(), Vec::new());
    for (place, put) in puts.iter().enumerate() {
        let Some(subject) = known.subjects.get(&put.place.of) else { continue };
        match put.checked(transaction, subject, &known) {
            Err(error) => drop(answers.insert(place, Err(error))),
            Ok((field_errors, one)) => {
                checked.push((place, put, field_errors));
                written.push(one);
            }
        }
    }
    let beside_others = R::field_errors_together(transaction, &written).await?;
    let mut made = Vec::new();
    for (index, ((place, put, mut field_errors), one)) in checked.into_iter().zip(written).enumerate() {
        let of_it = beside_others.get(&index).filter(|error| field_errors.iter().all(|own| own.member() != error.member()));
        field_errors.extend(of_it.cloned());
        if field_errors.is_empty() {
            made.push((place, put, one.before, R::drafted(transaction, one.of, one.part, one.before, one.input)));
        } else {
            answers.insert(place, Err(ApiError::invalid(field_errors)));
        }
    }
    let writing = many::store(transaction, made.iter().map(|(_, _, before, after)| (*before, after)));
    let keys = made.iter().map(|(_, _, _, after)| after.place().to_string()).collect::<Vec<_>>();
    let audit_events = made.iter().zip(&keys).map(|((_, put, before, after), key)| {
        let (before_shown, after_shown) = (before.map(R::Shown::from), Some(R::Shown::from(after)));
        let (action, ReviewState { version, first_event, .. }) = (written_action(*before), after.review_state());
        let (before, after, first_event) = (before_shown, after_shown, FirstEvent::of(first_event, before.is_none()));
        (put.access.origin(), AuditEvent { of: R::AUDITED, key, action, version, before, after, first_event })
    });
    transaction.record_after(writing, audit_events).await?;
    for (place, put, before, after) in made {
        answers.insert(place, put.answer(before.is_some(), &after));
    }
    Ok((0..puts.len()).map(|place| answers.remove(&place)).collect())
}

impl<R: Report> Known<R> {
    async fn read(transaction: &WriteTransaction, puts: &[Rc<Put<R>>], locked: Locked) -> ApiResult<Self> {
        let subjects = many::subjects::<R>(transaction, puts.iter().map(|put| put.place.of.as_str()), locked).await?;
        if subjects.is_empty() {
            return Ok(Self { subjects, covered: None, latest: BTreeMap::new() });
        }
        let keys = puts.iter().filter_map(|put| Some(many::key::<R>(&put.place.of, R::part(&put.place.part).ok()?)));
        let latest = many::revisions::<R, R>(transaction, &keys.collect::<Vec<_>>(), &["*"], "m.latest").await?;
        let latest = latest.into_iter().map(|row| (row.place(), row)).collect();
        Ok(Self { subjects, covered: transaction.covered().await?, latest })
    }
}

impl<R: Report> Put<R> {
    fn has_no_subject(&self) -> ApiError {
        ApiError::not_found(R::OF, &self.place.of)
    }

    /// What is to be written, with the field errors of its content.
    fn checked<'a>(
        &'a self,
        transaction: &WriteTransaction,
        subject: &R::Subject,
        known: &'a Known<R>,
    ) -> ApiResult<(Vec<FieldError>, Written<'a, R>)> {
        if known.covered.as_ref().is_some_and(|covered| !covered.contains(R::opd(subject))) {
            return Err(transaction.outside(R::opd(subject)));
        }
        let part = R::part(&self.place.part)?;
        let before = known.latest.get(&ReportKey { of: self.place.of.clone(), part: part.to_string() });
        match before {
            Some(row) => self.preconditions.must_match(&etag(row))?,
            None => self.preconditions.must_allow_creation()?,
        }
        let input = body::accept::<R::Input>(self.body.value.clone())?;
        let mut field_errors = R::field_errors(subject, part, &input);
        field_errors.extend(R::early(subject, part, transaction.today));
        if before.is_some_and(|row| row.review_state().counts()) && R::reason(&input).is_none() {
            field_errors.push(reason_required());
        }
        Ok((field_errors, Written { of: &self.place.of, part, input, before }))
    }

    fn answer(&self, existed: bool, row: &R) -> ApiResult<Answer> {
        let shown = shown(row);
        let answer = if existed { Answer::ok(&shown)? } else { Answer::created(&self.path, &shown)? };
        Ok(answer.etag(&etag(row)))
    }
}
