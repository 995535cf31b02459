//! `GET /v1/public/dataset.zip`: every data set as CSV in one file, with a description of all columns: a Data Package (version 2 of the
//! standard that Frictionless Data began).
//!
//! The file is sent while it is read from one snapshot of the database. The same state of the database gives the same bytes.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Responder};
use chrono::{DateTime, Datelike, Timelike, Utc};
use entity::{event, kpi};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use tokio::sync::mpsc::{self, Sender};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::list::ZIP_PATH;
use super::package::{self, State};
use super::sources::{Rows, SOURCES, Source};
use crate::auth::keys::Keys;
use crate::csv::writer::Dialect;
use crate::http::answer::{Answer, Unkept};
use crate::http::language::Language;
use crate::http::media::MediaType;
use crate::http::operation::Operation;
use crate::http::places::Place;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::NoParameters;
use crate::http::representation::Selection;
use crate::http::table::Table;
use crate::licence::Licence;
use crate::resources::kpis;
use crate::resources::kpis::statistical_metadata::IndicatorMetadata;
use crate::store::access::Public;
use crate::store::rows::Executor;
use crate::store::sealed;
use crate::store::snapshots::AsOf;
use crate::store::transaction::Store;
use crate::tabular::exports::Exports;
use crate::tabular::stream::{Ended, Outlet, Sent, streamed, tag_of_state};

/// The KPIs whose metadata are read at once.
const KPIS_AT_ONCE: u64 = 500;
/// The chunks that wait for a client.
const WAITING: usize = 4;

async fn get_dataset(
    public: Public,
    request: HttpRequest,
    preconditions: Preconditions,
    licence: Data<Licence>,
    keys: Data<Keys>,
    _: NoParameters,
) -> ApiResult<HttpResponse> {
    let db = public.store.snapshot().await?;
    let tag = tag_of_state(&request, &db, &public.store).await?;
    let language = Language::preferred(request.headers());
    let head = Answer::of(StatusCode::OK, MediaType::Zip, Bytes::new())
        .header("Content-Disposition", "attachment; filename=\"dataset.zip\"")
        // It is compressed already.
        .header("Content-Encoding", "identity")
        .in_language(language)
        .public();
    let head = match &tag {
        Some(tag) => head.etag(tag),
        None => head,
    };
    let conditions = request.extensions().get::<Preconditions>().cloned().unwrap_or(preconditions);
    if tag.is_some_and(|tag| conditions.is_known(&tag)) {
        return Ok(head.unless_known(&conditions).respond_to(&request));
    }
    let (last, today) = (last_change(&db).await?, public.store.calendar().today());
    let state = State {
        position: sealed::position_of_state(&db).await?,
        last,
        today,
        licence: *licence.get_ref(),
        address: keys.issuer().to_owned(),
    };
    let place = Exports::begin(&request)?;
    request.extensions_mut().insert(Unkept);
    let (sender, receiver) = mpsc::channel(WAITING);
    actix_web::rt::spawn(send(Archive { store: public.store, db, state, language }, sender, place));
    Ok(streamed(head.respond_to(&request), receiver))
}

/// The instant of the last change.
async fn last_change(db: &DatabaseTransaction) -> ApiResult<DateTime<Utc>> {
    let last = event::Entity::find().order_by_desc(event::Column::Seq).one(db).await?;
    Ok(last.map_or(DateTime::UNIX_EPOCH, |last| last.at))
}

/// What the file is made of.
struct Archive {
    store: Store,
    db: DatabaseTransaction,
    state: State,
    language: Language,
}

async fn send(archive: Archive, sender: Sender<Sent>, _place: Place) {
    let mut out = Outlet::new(sender);
    Ended::log(archive.write(&mut out).await);
    // What was only read has nothing to keep.
    let _ = archive.db.rollback().await;
}

impl Archive {
    async fn write(&self, out: &mut Outlet) -> Result<(), Ended> {
        let made = Made::default();
        let mut zip = ZipWriter::new_stream(made.clone());
        let options = self.options();
        let about = package::describe(&SOURCES, &self.state);
        zip.start_file("datapackage.json", options).map_err(failed)?;
        zip.write_all(&serde_json::to_vec_pretty(&about).map_err(ApiError::unexpected)?).map_err(failed)?;
        zip.start_file(package::INDICATORS, options).map_err(failed)?;
        self.write_indicators(&mut zip, &made, out).await?;
        for source in SOURCES.iter() {
            zip.start_file(format!("{}.csv", source.dataset.name), options).map_err(failed)?;
            self.write_table(source, &mut zip, &made, out).await?;
        }
        zip.finish().map_err(failed)?;
        out.end(made.take()).await
    }

    /// What Peraturan BPS 5/2020 wants to be known of each indicator, as an array.
    async fn write_indicators(
        &self,
        zip: &mut ZipWriter<StreamWriter<Made>>,
        made: &Made,
        out: &mut Outlet,
    ) -> Result<(), Ended> {
        let mut after = String::new();
        loop {
            let kpis = kpi::Entity::find().filter(kpis::KIND.visible()).filter(kpi::Column::Code.gt(after.as_str()));
            let rows = kpis.order_by_asc(kpi::Column::Code).limit(KPIS_AT_ONCE).all(&self.db).await.map_err(ApiError::from)?;
            let mut text = Vec::new();
            for row in &rows {
                text.extend_from_slice(if after.is_empty() { b"[\n" } else { b",\n" });
                after.clone_from(&row.code);
                serde_json::to_writer(&mut text, &IndicatorMetadata::of(row)).map_err(ApiError::unexpected)?;
            }
            if rows.is_empty() {
                text.extend_from_slice(if after.is_empty() { b"[]\n" } else { b"\n]\n" });
            }
            zip.write_all(&text).map_err(failed)?;
            if rows.is_empty() {
                return Ok(());
            }
            out.pass(&mut made.take(), true).await?;
        }
    }

    async fn write_table(
        &self,
        source: &Source,
        zip: &mut ZipWriter<StreamWriter<Made>>,
        made: &Made,
        out: &mut Outlet,
    ) -> Result<(), Ended> {
        let writer = source.table.writer(Dialect::PLAIN, &Selection::default());
        zip.write_all(writer.header().as_bytes()).map_err(failed)?;
        let as_of = AsOf::new(self.state.today, self.state.today, self.store.db().get_database_backend());
        let mut pages = match source.rows(&self.store, &self.db, as_of, self.language).await? {
            Rows::Figure(answer) => {
                for line in source.table.lines(answer) {
                    zip.write_all(writer.row(&line).as_bytes()).map_err(failed)?;
                }
                return out.pass(&mut made.take(), true).await;
            }
            Rows::Pages(pages) => pages,
        };
        loop {
            let rows = pages.next(&Executor::from(&self.db)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut text = String::new();
            for row in rows {
                text += &writer.row(&serde_json::from_slice(&row).map_err(ApiError::unexpected)?);
            }
            zip.write_all(text.as_bytes()).map_err(failed)?;
            out.pass(&mut made.take(), true).await?;
        }
    }

    /// Every file is as old as the last change.
    fn options(&self) -> SimpleFileOptions {
        let last = self.state.last;
        let part = |number: u32| u8::try_from(number).unwrap_or_default();
        let (year, month, day) = (u16::try_from(last.year()).unwrap_or_default(), part(last.month()), part(last.day()));
        let (hour, minute, second) = (part(last.hour()), part(last.minute()), part(last.second()));
        let time = zip::DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default();
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).last_modified_time(time)
    }
}

fn failed(error: impl Into<io::Error>) -> ApiError {
    ApiError::unexpected(error.into())
}

/// The bytes that were made and not sent yet.
#[derive(Clone, Default)]
struct Made(Rc<RefCell<Vec<u8>>>);

impl Made {
    fn take(&self) -> Vec<u8> {
        self.0.take()
    }
}

impl Write for Made {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Mounts the route.
pub fn mount(table: &mut Table) {
    let names = SOURCES.iter().map(|source| format!("`{}.csv`", source.dataset.name)).collect::<Vec<_>>().join(", ");
    let about = format!(
        "Every list and every figure that is open to everybody in one ZIP, read from one snapshot of the database: {names}. \
         `indicators.json` has the metadata of each KPI (Peraturan BPS 5/2020). `datapackage.json` describes them as a Data Package (version 2): titles and descriptions in both languages, types, units, keys, \
         licence and sources. The same state of the data gives the same bytes. No login is needed."
    );
    let operation = Operation::get(ZIP_PATH, "get_public_dataset", "public", "All open data in one file", &about);
    let schema = json!({ "type": "string", "format": "binary", "maxLength": 2_000_000_000, "description": "A ZIP file." });
    let names = &["Content-Disposition", "ETag"];
    let operation = operation.public().conditional().answers_in(
        MediaType::Zip,
        200,
        "All data sets with their description.",
        schema,
        None,
        names,
    );
    table.on(operation, get_dataset);
}
