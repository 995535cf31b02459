//! Sends a list as CSV: page by page, from one snapshot of the database, so that no row is missing or comes twice however long it takes.
//!
//! A short answer is like one in JSON: it has the hash of its body as entity tag, and is kept in memory. A long one is sent while it is
//! made, in memory that does not grow with it. It holds a connection to the database, so few are under way at a time, and a client that
//! reads too slowly is disconnected.

use actix_web::body::BodyStream;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Responder};
use futures_util::future::{LocalBoxFuture, join};
use futures_util::stream::{self, Stream};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::timeout_at;

use super::asked::AskedCsv;
use super::columns::Tabular;
use super::exports::{Exports, Pace};
use crate::csv::writer::Writer;
use crate::http::answer::{Answer, Unkept};
use crate::http::language::Language;
use crate::http::media::MediaType;
use crate::http::places::Place;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::representation::Selection;
use crate::http::table::CSV;
use crate::store::rows::Executor;
use crate::store::sealed;
use crate::store::transaction::Store;

/// The rows of one statement.
pub const ROWS_AT_ONCE: u64 = 500;
/// The rows of a list that is in memory anyway.
pub const ALL_ROWS: u64 = u32::MAX as u64;
/// An answer of more bytes is sent while it is made.
const LONGEST_WHOLE: usize = 128 * 1024;
/// The bytes that are sent at once.
const CHUNK: usize = 32 * 1024;
/// The chunks that wait for a client.
const WAITING: usize = 4;

/// The rows of a list, page by page.
pub trait Pages {
    /// The next rows, each as JSON text; none after the last.
    fn next<'a>(&'a mut self, db: &'a Executor<'a>) -> LocalBoxFuture<'a, ApiResult<Vec<Vec<u8>>>>;
}

/// Rows that are in memory.
pub struct InMemory(pub Vec<Vec<u8>>);

impl Pages for InMemory {
    fn next<'a>(&'a mut self, _: &'a Executor<'a>) -> LocalBoxFuture<'a, ApiResult<Vec<Vec<u8>>>> {
        let some = self.0.len().min(usize::try_from(ROWS_AT_ONCE).unwrap_or(usize::MAX));
        let rest = self.0.split_off(some);
        let rows = std::mem::replace(&mut self.0, rest);
        Box::pin(async { Ok(rows) })
    }
}

/// A CSV of the rows of a list.
pub struct Csv<'a> {
    /// What it looks like.
    pub table: &'a Tabular,
    /// In which form it is asked for.
    pub asked: AskedCsv,
    /// The members that the client picked.
    pub selection: &'a Selection,
    /// Where the rows come from.
    pub pages: Box<dyn Pages>,
    /// The language of the texts, if it has any.
    pub language: Option<Language>,
}

impl Csv<'_> {
    /// Answers a request of the public.
    pub async fn answer(self, request: &HttpRequest, store: &Store, preconditions: &Preconditions) -> ApiResult<HttpResponse> {
        let (writer, language) = (self.table.writer(self.asked.0, self.selection), self.language);
        let mut lines = Lines { writer, pages: self.pages, db: store.snapshot().await?, read: None };
        let mut text = lines.writer.header().into_bytes();
        loop {
            let more = lines.add_to(&mut text).await?;
            if !more {
                lines.db.rollback().await?;
                return Ok(whole(request, language, text).unless_known(preconditions).respond_to(request));
            }
            if text.len() > LONGEST_WHOLE {
                break;
            }
        }
        let tag = tag_of_state(request, &lines.db, store).await?;
        let head = head(request, language, Bytes::new());
        let head = match &tag {
            Some(tag) => head.etag(tag),
            None => head,
        };
        // The cache looks at the conditions itself, and leaves them here for whom it would cost much to find out too late.
        let conditions = request.extensions().get::<Preconditions>().cloned();
        let conditions = conditions.as_ref().unwrap_or(preconditions);
        if tag.is_some_and(|tag| conditions.is_known(&tag)) {
            return Ok(head.unless_known(conditions).respond_to(request));
        }
        let place = Exports::begin(request)?;
        request.extensions_mut().insert(Unkept);
        let (sender, receiver) = mpsc::channel(WAITING);
        actix_web::rt::spawn(send(lines, text, sender, place));
        Ok(streamed(head.respond_to(request), receiver))
    }
}

/// What is sent of a long answer.
pub enum Sent {
    /// Some more bytes.
    Bytes(Bytes),
    /// That these were all.
    End,
}

/// An answer that is sent while it is made. If what makes it goes before the end, the connection is cut, so that no client takes a part
/// for the whole.
pub fn streamed(head: HttpResponse, receiver: Receiver<Sent>) -> HttpResponse {
    head.set_body(BodyStream::new(body(receiver))).map_into_boxed_body()
}

fn body(receiver: Receiver<Sent>) -> impl Stream<Item = ApiResult<Bytes>> {
    stream::unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Sent::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
            Some(Sent::End) => None,
            None => Some((Err(ApiError::unexpected("a long answer was cut off")), None)),
        }
    })
}

/// The lines of a list, read on one snapshot.
struct Lines {
    writer: Writer,
    pages: Box<dyn Pages>,
    db: DatabaseTransaction,
    /// The rows that were read while those before were written.
    read: Option<Vec<Vec<u8>>>,
}

impl Lines {
    /// Adds the next lines; `false` after the last. While they are written, the database reads on.
    async fn add_to(&mut self, text: &mut Vec<u8>) -> ApiResult<bool> {
        let Self { writer, pages, db, read } = self;
        let db = Executor::from(&*db);
        let rows = match read.take() {
            Some(rows) => rows,
            None => pages.next(&db).await?,
        };
        if rows.is_empty() {
            return Ok(false);
        }
        let write = async { rows.iter().try_for_each(|row| add_line(writer, row, text)) };
        let (next, written) = join(pages.next(&db), write).await;
        written?;
        *read = Some(next?);
        Ok(true)
    }
}

fn add_line(writer: &Writer, row: &[u8], text: &mut Vec<u8>) -> ApiResult<()> {
    let row = serde_json::from_slice(row).map_err(ApiError::unexpected)?;
    text.extend_from_slice(writer.row(&row).as_bytes());
    Ok(())
}

async fn send(mut lines: Lines, mut text: Vec<u8>, sender: Sender<Sent>, _place: Place) {
    let mut out = Outlet::new(sender);
    let done = async {
        loop {
            out.pass(&mut text, false).await?;
            if !lines.add_to(&mut text).await? {
                return out.end(text).await;
            }
        }
    };
    Ended::log(done.await);
    // What was only read has nothing to keep; a connection that is gone needs no end.
    let _ = lines.db.rollback().await;
}

/// Why an answer ended early.
pub enum Ended {
    /// The client has gone.
    Left,
    /// The client takes too little.
    Slow,
    /// It cannot be made.
    Failed(ApiError),
}

impl Ended {
    /// Tells the log why an answer was cut off.
    pub fn log(done: Result<(), Self>) {
        match done {
            Ok(()) | Err(Self::Left) => {}
            Err(Self::Slow) => tracing::info!("a client took too little of a long answer"),
            Err(Self::Failed(error)) => tracing::error!(error = error.sentence(), "a long answer was cut off"),
        }
    }
}

impl From<ApiError> for Ended {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

/// Where the bytes of a long answer go.
pub struct Outlet {
    sender: Sender<Sent>,
    pace: Pace,
}

impl Outlet {
    /// To the client at the other end.
    pub fn new(sender: Sender<Sent>) -> Self {
        Self { sender, pace: Pace::begin() }
    }

    /// Passes on what is worth a chunk, or all.
    pub async fn pass(&mut self, text: &mut Vec<u8>, all: bool) -> Result<(), Ended> {
        while text.len() >= CHUNK || (all && !text.is_empty()) {
            let rest = text.split_off(text.len().min(CHUNK));
            let chunk = Bytes::from(std::mem::replace(text, rest));
            let length = chunk.len();
            self.send(Sent::Bytes(chunk)).await?;
            self.pace.sent(length);
        }
        Ok(())
    }

    /// Passes on the last bytes, and that these were all.
    pub async fn end(&mut self, mut text: Vec<u8>) -> Result<(), Ended> {
        self.pass(&mut text, true).await?;
        self.send(Sent::End).await
    }

    async fn send(&self, sent: Sent) -> Result<(), Ended> {
        let taken = timeout_at(self.pace.ends(), self.sender.send(sent)).await.map_err(|_| Ended::Slow)?;
        taken.map_err(|_| Ended::Left)
    }
}

/// The answer with a whole CSV.
pub fn whole(request: &HttpRequest, language: Option<Language>, text: impl Into<Bytes>) -> Answer {
    head(request, language, text.into()).tagged()
}

fn head(request: &HttpRequest, language: Option<Language>, text: Bytes) -> Answer {
    let answer = Answer::of(StatusCode::OK, MediaType::Csv, text)
        .header("Content-Disposition", &format!("attachment; filename=\"{}\"", file_name(request.path())))
        .header("Vary", "Accept")
        .public();
    match language {
        Some(language) => answer.in_language(language),
        None => answer,
    }
}

/// The name under which a browser keeps a file: the path with `-` between its parts.
fn file_name(path: &str) -> String {
    let path = path.strip_prefix("/v1/public/").unwrap_or(path);
    let path = path.strip_suffix(CSV).unwrap_or(path).replace('/', "-");
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || ['-', '_', '.'].contains(letter);
    format!("{}{CSV}", path.chars().filter(is_plain).collect::<String>())
}

/// The entity tag of a long answer, which cannot be hashed before it is sent: the same question to the same state of the database has
/// the same answer. Every change has an event, so the place of the last one names the state, as long as none waits for its place.
pub async fn tag_of_state(request: &HttpRequest, db: &DatabaseTransaction, store: &Store) -> ApiResult<Option<String>> {
    let Some(position) = sealed::position_of_state(db).await? else { return Ok(None) };
    let language = Language::preferred(request.headers()).tag();
    let (path, query) = (request.path(), request.query_string());
    let question = format!("{position} {} {language} {path}?{query} {}", store.calendar().today(), env!("CARGO_PKG_VERSION"));
    Ok(Some(format!("\"s{}\"", &hex::encode(Sha256::digest(question))[..32])))
}

/// A figure as CSV, out of its answer in JSON.
pub fn figure(
    request: &HttpRequest,
    table: &Tabular,
    asked: AskedCsv,
    selection: &Selection,
    answer: &Answer,
) -> ApiResult<Answer> {
    let json: Value = serde_json::from_slice(answer.parts().2).map_err(ApiError::unexpected)?;
    let language = answer.header_value("Content-Language").map(|_| Language::preferred(request.headers()));
    Ok(whole(request, language, table.text(json, asked, selection)))
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn what_is_not_ended_is_cut_off() {
        for is_ended in [true, false] {
            let (sender, receiver) = mpsc::channel(WAITING);
            let mut out = Outlet::new(sender);
            assert!(out.pass(&mut b"a,b\r\n".to_vec(), true).await.is_ok());
            if is_ended {
                assert!(out.end(b"1,2\r\n".to_vec()).await.is_ok());
            }
            drop(out);
            let sent = body(receiver).collect::<Vec<_>>().await;
            assert_eq!((sent.len(), sent.last().is_some_and(Result::is_ok)), (2, is_ended));
        }
    }

    #[test]
    fn a_file_is_called_after_its_path() {
        assert_eq!(file_name("/v1/public/quick-wins"), "quick-wins.csv");
        assert_eq!(file_name("/v1/public/programmes/SG-01/transitions.csv"), "programmes-SG-01-transitions.csv");
        assert_eq!(file_name("/v1/public/a\"b\r\n"), "ab.csv");
    }
}
