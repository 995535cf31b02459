//! The cache in front of the routes: an answer that was given before, and that nothing changed since, is given again without routing,
//! rendering or compressing.
//!
//! What is kept is the whole response with its headers, under everything of a request that answers depend on. It is kept only if
//! it depends on nothing but tables whose changes are followed and if all who may read it are given the same
//! ([`crate::store::dependencies`] records both), and until one of those tables is written or the day ends.
//!
//! While the database is away, public answers that were kept are given on, with their age, rather than none.

mod modified;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

use actix_web::body::{BoxBody, EitherBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCEPT, ACCEPT_ENCODING, AGE, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MATCH, IF_NONE_MATCH, ORIGIN,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage, HttpResponse};
use chrono::NaiveDate;
use foldhash::quality::RandomState;
use metrics::{Counter, Histogram};
use modified::{Dates, Modified};
use moka::sync::Cache;
use tokio::sync::watch;

use crate::auth::identify::known_actor;
use crate::auth::permissions::{Permission, ReadAll};
use crate::http::answer::Unkept;
use crate::http::language::Language;
use crate::http::media::{MediaType, prefers};
use crate::http::middleware::{self, NotedInside, NotedOutside, Served, name_of};
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, DatabaseAway};
use crate::http::rate_limit::Refused;
use crate::http::request_id::{self, RequestId};
use crate::http::table::pattern_of;
use crate::store::clock::Calendar;
use crate::store::dependencies::{self, Audience, Counted, Dependencies};
use crate::store::generation::Generation;
use crate::telemetry::metrics::CACHE_LOOKUPS;
use crate::telemetry::trace::RequestSpan;

/// The most bytes that are kept.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// The longest question, in bytes: whoever asks with longer headers or addresses is answered without the cache.
const LONGEST_QUESTION: usize = 2_048;
/// How old an answer may be, in seconds, that is given while the database is away.
const OLDEST: u64 = 24 * 60 * 60;
/// What is open to everybody.
const PUBLIC: &str = "/v1/public/";

/// Answers by what was asked.
pub struct ResponseCache {
    answers: Cache<String, Arc<Kept>, RandomState>,
    /// The public questions that are being answered for the first time: whoever asks the same meanwhile waits for that answer.
    running: Mutex<HashMap<String, watch::Receiver<Progress>>>,
    dates: Dates,
    lookups: Lookups,
    generation: Generation,
    calendar: Calendar,
    /// The instant that ages are counted from.
    started: Instant,
}

/// How far the first answer to a question is.
#[derive(Clone)]
enum Progress {
    /// It is being made. If it stays so, whoever asked for it has gone.
    Running,
    /// It was made, and is kept or cannot be.
    Done(Option<Arc<Kept>>),
}

/// A response that is kept.
struct Kept {
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    etag: Option<String>,
    /// Since when this is the answer, if it is a public one.
    modified: Option<Modified>,
    made_of: Dependencies,
    today: NaiveDate,
    /// The pattern of its route.
    route: Arc<str>,
    /// When it was last known to be what would be answered anew, in seconds since the cache began.
    held: AtomicU64,
    meters: Meters,
}

/// The metrics of a route, looked up once.
#[derive(Default)]
struct Meters {
    requests: [OnceLock<Counter>; 4],
    duration: OnceLock<Histogram>,
}

/// The metric of lookups, by their result, looked up once.
#[derive(Default)]
struct Lookups {
    hits: OnceLock<Counter>,
    misses: OnceLock<Counter>,
}

impl Lookups {
    fn count(&self, is_hit: bool) {
        let (counter, result) = if is_hit { (&self.hits, "hit") } else { (&self.misses, "miss") };
        counter.get_or_init(|| metrics::counter!(CACHE_LOOKUPS, "result" => result)).increment(1);
    }
}

/// What is asked.
struct Question {
    /// Everything of the request that the answer depends on, but for conditions.
    text: String,
    audience: Audience,
    conditions: Preconditions,
    /// The date of the answer that the client has, if it names no tag.
    dated: Option<SystemTime>,
}

impl Question {
    /// What a request asks, if the answer may be kept.
    fn of(request: &ServiceRequest) -> Option<Self> {
        let headers = request.headers();
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let is_page = request.path() == "/" && prefers(headers, MediaType::Html, MediaType::Json);
        if !is_read || !(is_page || request.path().starts_with("/v1/")) || headers.contains_key(IF_MATCH) {
            return None;
        }
        let is_open = request.path().starts_with(PUBLIC);
        let is_public = is_page || is_open;
        if !is_public && !headers.contains_key(AUTHORIZATION) {
            return None;
        }
        let mut text = String::with_capacity(256);
        text.push(if is_public { 'p' } else { 'r' });
        text.push_str(Language::asked_for(headers).map_or("-", Language::tag));
        for name in [ACCEPT, ACCEPT_ENCODING] {
            push_values(&mut text, headers, name)?;
        }
        if is_open {
            // Every origin may read it, and is told so.
            text.push_str(if headers.contains_key(ORIGIN) { "\n*" } else { "\n" });
        } else {
            push_values(&mut text, headers, ORIGIN)?;
        }
        text.push('\n');
        text.push_str(request.uri().path_and_query()?.as_str());
        // A tag says more than a date, which is not looked at beside it.
        let (conditions, dated) = match headers.contains_key(IF_NONE_MATCH) {
            true => (Preconditions::read(headers).ok()?, None),
            false => (Preconditions::default(), modified::asked(headers).filter(|_| is_public)),
        };
        let audience = if is_public { Audience::Public } else { Audience::Readers };
        (text.len() <= LONGEST_QUESTION).then_some(Self { text, audience, conditions, dated })
    }

    /// Takes a date for the tag of the answer that was given at that time, if it is known.
    fn with_tag_of_date(mut self, dates: &Dates) -> Self {
        if let Some(tag) = self.dated.and_then(|date| dates.tag_since(&self.text, date)) {
            self.conditions = Preconditions::knowing(&tag);
        }
        self
    }

    /// Whether the client may be given what is kept, as far as is known without waiting.
    fn may_be_answered(&self, request: &ServiceRequest) -> bool {
        self.audience == Audience::Public || known_actor(request).is_some_and(|actor| ReadAll::allows(&actor))
    }
}

/// The values of a header; nothing where one is no text.
fn push_values(text: &mut String, headers: &HeaderMap, name: HeaderName) -> Option<()> {
    for value in headers.get_all(name) {
        text.push('\n');
        text.push_str(value.to_str().ok()?);
    }
    text.push('\n');
    Some(())
}

impl ResponseCache {
    /// Nothing yet.
    pub fn new(generation: Generation, calendar: Calendar) -> Self {
        let weight = |question: &String, kept: &Arc<Kept>| {
            u32::try_from(question.len() + kept.body.len() + kept.headers.len() * 64 + 512).unwrap_or(u32::MAX)
        };
        let answers = Cache::builder().max_capacity(MOST_BYTES).weigher(weight).build_with_hasher(RandomState::default());
        let (running, dates, lookups) = (Mutex::default(), Dates::new(), Lookups::default());
        Self { answers, running, dates, lookups, generation, calendar, started: Instant::now() }
    }

    /// How many answers are kept, and how many bytes they take.
    pub fn size(&self) -> (u64, u64) {
        // What was kept or dropped just now is counted once the cache has tidied up.
        self.answers.run_pending_tasks();
        (self.answers.entry_count(), self.answers.weighted_size())
    }

    fn find(&self, question: &Question, now: Instant) -> Option<Arc<Kept>> {
        self.answers.get(question.text.as_str()).filter(|kept| self.holds(kept, now))
    }

    fn holds(&self, kept: &Kept, now: Instant) -> bool {
        let holds = kept.today == self.calendar.today() && self.generation.holds(&kept.made_of);
        if holds {
            kept.held.store(self.seconds(now), Ordering::Relaxed);
        }
        holds
    }

    /// The seconds since the cache began.
    fn seconds(&self, now: Instant) -> u64 {
        now.duration_since(self.started).as_secs()
    }

    /// The last answer to a public question, with its age, if the database is known to be away.
    fn find_while_away(&self, question: &Question) -> Option<(Arc<Kept>, u64)> {
        if self.generation.is_away() { self.find_old(question) } else { None }
    }

    /// The last answer to a public question, with its age in seconds.
    fn find_old(&self, question: &Question) -> Option<(Arc<Kept>, u64)> {
        if question.audience != Audience::Public {
            return None;
        }
        let kept = self.answers.get(question.text.as_str())?;
        let age = self.seconds(Instant::now()).saturating_sub(kept.held.load(Ordering::Relaxed));
        (age <= OLDEST).then_some((kept, age))
    }

    /// Since when a public answer is as it is.
    fn date(&self, response: &HttpResponse<impl MessageBody>, question: &Question, now: SystemTime) -> Option<Modified> {
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
        let tag = tag.filter(|_| question.audience == Audience::Public && response.status() == StatusCode::OK)?;
        self.dates.note(&question.text, tag, now)
    }

    /// The turn to make an answer, or the one that somebody else made meanwhile.
    async fn turn<'a>(&'a self, question: &'a Question) -> Turn<'a> {
        let asked = self.generation.now();
        loop {
            let mut progress = {
                let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                match running.get(&question.text) {
                    Some(progress) => progress.clone(),
                    None => {
                        let (sender, receiver) = watch::channel(Progress::Running);
                        running.insert(question.text.clone(), receiver);
                        return Turn::First(First { cache: self, question: &question.text, sender });
                    }
                }
            };
            let done = progress.wait_for(|progress| matches!(progress, Progress::Done(_))).await;
            match done.as_deref() {
                // What was begun before this was asked may lack what was written in between.
                Ok(Progress::Done(Some(kept))) if kept.made_of.since >= asked || self.holds(kept, Instant::now()) => {
                    return Turn::Made(Arc::clone(kept));
                }
                // It cannot be kept, so that each makes its own.
                Ok(Progress::Done(None)) => return Turn::Alone,
                _ => {}
            }
        }
    }
}

enum Turn<'a> {
    First(First<'a>),
    Made(Arc<Kept>),
    Alone,
}

/// The first who asks something. When dropped, the next one has its turn.
struct First<'a> {
    cache: &'a ResponseCache,
    question: &'a str,
    sender: watch::Sender<Progress>,
}

impl First<'_> {
    /// Gives the answer to all who wait for it.
    fn done(self, kept: Option<Arc<Kept>>) {
        self.sender.send_replace(Progress::Done(kept));
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        self.cache.running.lock().unwrap_or_else(PoisonError::into_inner).remove(self.question);
    }
}

impl Kept {
    /// Takes a response apart, if it may be kept.
    fn may_be(response: &HttpResponse<impl MessageBody>, question: &Question, made_of: &Dependencies) -> bool {
        let media = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        response.status() == StatusCode::OK
            && media.is_some_and(MediaType::ends)
            && made_of.audience == question.audience
            && made_of.tables.are_followed()
            && !made_of.tables.is_empty()
    }

    fn new(
        headers: &HeaderMap,
        body: Bytes,
        modified: Option<Modified>,
        made_of: Dependencies,
        today: NaiveDate,
        route: Arc<str>,
        held: u64,
    ) -> Self {
        let own = headers.iter().filter(|(name, _)| **name != request_id::HEADER);
        let headers = own.map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>();
        let tag = headers.iter().find(|(name, _)| *name == ETAG);
        let etag = tag.and_then(|(_, tag)| tag.to_str().ok()).map(str::to_owned);
        Self { headers, body, etag, modified, made_of, today, route, held: AtomicU64::new(held), meters: Meters::default() }
    }

    /// The response to somebody who asks this; `age` in seconds where it may be old.
    fn respond(&self, id: &RequestId, conditions: &Preconditions, age: Option<u64>) -> HttpResponse {
        let is_known = self.etag.as_deref().is_some_and(|tag| conditions.is_known(tag));
        let mut response = match is_known {
            true => HttpResponse::with_body(StatusCode::NOT_MODIFIED, BoxBody::new(())),
            false => HttpResponse::with_body(StatusCode::OK, BoxBody::new(self.body.clone())),
        };
        let headers = response.headers_mut();
        for (name, value) in &self.headers {
            if !(is_known && is_of_body(name)) {
                headers.append(name.clone(), value.clone());
            }
        }
        let id = id.header_value().map(|id| (request_id::HEADER, id));
        let dates = self.modified.iter().flat_map(|modified| modified.told(SystemTime::now()));
        let age = age.map(|age| (AGE, HeaderValue::from(age)));
        for (name, value) in id.into_iter().chain(dates).chain(age) {
            headers.insert(name, value);
        }
        response
    }
}

/// Whether a header is about a body, which an answer 304 does not have.
fn is_of_body(name: &HeaderName) -> bool {
    *name == CONTENT_TYPE || *name == CONTENT_ENCODING
}

impl Meters {
    fn count(&self, route: &str, method: &'static str, status: StatusCode, seconds: f64) {
        let place = usize::from(method == "HEAD") * 2 + usize::from(status == StatusCode::NOT_MODIFIED);
        self.requests[place].get_or_init(|| middleware::requests(method, route, status)).increment(1);
        self.duration.get_or_init(|| middleware::duration(route)).record(seconds);
    }
}

/// Middleware, outside of all others: answers what is kept, and keeps what may be.
pub async fn cached<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let started = Instant::now();
    let asked = (!request.extensions().contains::<Refused>()).then(|| Question::of(&request)).flatten();
    let asked = asked.zip(request.app_data::<Data<ResponseCache>>().cloned());
    let Some((question, cache)) = asked else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let question = question.with_tag_of_date(&cache.dates);
    if question.may_be_answered(&request) {
        let kept = cache.find(&question, started);
        cache.lookups.count(kept.is_some());
        if let Some(kept) = kept {
            return Ok(answer(request, &kept, &question.conditions, None, started));
        }
    }
    // Nobody waits again for a database that somebody waited for in vain.
    if let Some((old, age)) = cache.find_while_away(&question) {
        return Ok(answer(request, &old, &question.conditions, Some(age), started));
    }
    let first = match question.audience {
        Audience::Public => match cache.turn(&question).await {
            Turn::First(first) => Some(first),
            Turn::Made(kept) => return Ok(answer(request, &kept, &question.conditions, None, started)),
            Turn::Alone => None,
        },
        // Who may read it is not known yet.
        _ => None,
    };
    // Somebody else may have found it away meanwhile.
    if let Some((old, age)) = cache.find_while_away(&question) {
        return Ok(answer(request, &old, &question.conditions, Some(age), started));
    }
    // The conditions are looked at here, so that the whole answer can be kept.
    request.headers_mut().remove(IF_NONE_MATCH);
    request.extensions_mut().insert(NotedOutside);
    request.extensions_mut().insert(question.conditions.clone());
    let (method, today) = (name_of(request.method()), cache.calendar.today());
    let (response, made_of) = dependencies::recorded(cache.generation.now(), Counted::Everything, next.call(request)).await;
    let (request, response) = response?.into_parts();
    if response.extensions().contains::<DatabaseAway>() {
        cache.generation.note_away();
        if let Some((old, age)) = cache.find_old(&question) {
            let request = ServiceRequest::from_request(request);
            return Ok(answer(request, &old, &question.conditions, Some(age), started));
        }
    }
    let route = pattern_of(&request);
    let now = SystemTime::now();
    let modified = cache.date(&response, &question, now);
    let is_whole = !request.extensions().contains::<Unkept>();
    let mut response = if is_whole && Kept::may_be(&response, &question, &made_of) {
        let (response, body) = response.into_parts();
        let body = to_bytes(body).await.map_err(|_| ApiError::unexpected("a body could not be read"))?;
        let kept = Arc::new(Kept::new(
            response.headers(),
            body.clone(),
            modified.clone(),
            made_of,
            today,
            route.clone(),
            cache.seconds(Instant::now()),
        ));
        cache.answers.insert(question.text.clone(), Arc::clone(&kept));
        if let Some(first) = first {
            first.done(Some(kept));
        }
        response.set_body(BoxBody::new(body)).map_into_right_body()
    } else {
        if let Some(first) = first {
            first.done(None);
        }
        response.map_into_left_body()
    };
    for (name, value) in modified.iter().flat_map(|modified| modified.told(now)) {
        response.headers_mut().insert(name, value);
    }
    let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    if response.status() == StatusCode::OK && tag.is_some_and(|tag| question.conditions.is_known(tag)) {
        response = not_modified(response);
    }
    let noted = request.extensions_mut().remove::<NotedInside>();
    let NotedInside { statements, span } = noted.unwrap_or(NotedInside { statements: 0, span: None });
    if let Some(id) = request.extensions().get::<RequestId>() {
        let (path, status, elapsed) = (request.path(), response.status(), started.elapsed());
        let served = Served { id, method, path, route: &route, status, statements, elapsed };
        served.count();
        served.log();
        served.trace(span);
    }
    Ok(ServiceResponse::new(request, response))
}

fn not_modified<B>(mut response: HttpResponse<EitherBody<B>>) -> HttpResponse<EitherBody<B>> {
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    for name in [CONTENT_TYPE, CONTENT_ENCODING] {
        response.headers_mut().remove(name);
    }
    response.map_body(|_, _| EitherBody::right(BoxBody::new(())))
}

/// Answers with what is kept.
fn answer<B>(
    request: ServiceRequest,
    kept: &Kept,
    conditions: &Preconditions,
    age: Option<u64>,
    started: Instant,
) -> ServiceResponse<EitherBody<B>> {
    let id = RequestId::choose(request.headers());
    let response = kept.respond(&id, conditions, age);
    let (method, path, status, elapsed) = (name_of(request.method()), request.path(), response.status(), started.elapsed());
    kept.meters.count(&kept.route, method, status, elapsed.as_secs_f64());
    let served = Served { id: &id, method, path, route: &kept.route, status, statements: 0, elapsed };
    served.log();
    served.trace(RequestSpan::begin(request.headers(), elapsed));
    request.into_response(response).map_into_right_body()
}
