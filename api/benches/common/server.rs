//! The server that is measured: the service as it runs, and beside it handlers that return fixed bytes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, RwLock};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{App, HttpResponse, HttpServer};
use chrono::FixedOffset;
use entity::user::{self, Role};
use metrics_exporter_prometheus::PrometheusHandle;
use renaksi::app::{State, all_routes, app};
use renaksi::auth::actor::{Actor, ActorKind};
use renaksi::auth::keys::Keys;
use renaksi::cache::ResponseCache;
use renaksi::demo;
use renaksi::feed::limits::StreamLimits;
use renaksi::feed::tail::Tail;
use renaksi::http::problem::ApiError;
use renaksi::store::clock::Calendar;
use renaksi::store::connection;
use renaksi::store::figure_cache::FigureCache;
use renaksi::store::transaction::Store;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::load::{Ask, Connection, Reply};
use super::run::Outcome;

/// The headers of an answer that come from its handler, not from the middleware.
const OWN_HEADERS: &[&str] = &["content-type", "etag", "link", "cache-control"];

/// Answers as fixed bytes, by name.
type Fixed = Arc<RwLock<HashMap<String, (Vec<(&'static str, String)>, Bytes)>>>;

/// A server on a port of its own.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What it serves.
    pub(crate) store: Store,
    /// An access token of an admin.
    pub(crate) token: String,
    /// Where a server without any middleware gives fixed bytes.
    pub(crate) memory: SocketAddr,
    fixed: Fixed,
    handles: [ServerHandle; 2],
}

impl Server {
    /// Serves the demo data from an empty database.
    pub(crate) async fn start(url: &str, metrics: &PrometheusHandle) -> Outcome<Self> {
        let db = connection::open(url, 10).await?;
        connection::migrate(&db).await?;
        let calendar = Calendar::new(FixedOffset::east_opt(8 * 3600).ok_or("no such offset")?);
        let store = Store::new(db.clone(), calendar.clone());
        demo::load(&store, demo::Fixed::default()).await.map_err(said)?;
        let keys = Keys::load(db.clone(), "http://127.0.0.1".into()).await.map_err(said)?;
        let admin = user::Entity::find().filter(user::Column::Role.eq(Role::Admin)).one(&db).await?.ok_or("no admin")?;
        let admin = Actor { kind: ActorKind::User, id: admin.id.to_string(), ..Actor::system(&admin.email) };
        let token = keys.issue(&admin).map_err(said)?;
        let state = State {
            routes: all_routes(),
            store: Data::new(store.clone()),
            keys: Data::new(keys),
            outside: None,
            tail: Data::new(Tail::new(store.clone())),
            streams: Data::new(StreamLimits::new(4_096, 4_096)),
            addresses: Data::default(),
            answers: Data::new(ResponseCache::new(store.generation().clone(), calendar.clone())),
            repeats: Data::default(),
            figures: Data::new(FigureCache::new(Handle::current())),
            document: Data::default(),
            stopping: Data::default(),
            metrics: Data::new(metrics.clone()),
            limits: Data::default(),
            licence: Data::default(),
            exports: Data::default(),
            proxies: Data::default(),
            origins: Data::default(),
        };
        tokio::spawn(store.generation().clone().watch(db, calendar, &renaksi::kinds::AUDITED));
        let server = HttpServer::new(move || app(state.clone())).disable_signals().workers(2).bind("127.0.0.1:0")?;
        let address = *server.addrs().first().ok_or("no address")?;
        let fixed = Fixed::default();
        let answers = Data::new(fixed.clone());
        let bare = move || App::new().app_data(answers.clone()).route("/{name}", web::get().to(from_memory));
        let bare = HttpServer::new(bare).disable_signals().workers(2).bind("127.0.0.1:0")?;
        let memory = *bare.addrs().first().ok_or("no address")?;
        let (server, bare) = (server.run(), bare.run());
        let handles = [server.handle(), bare.handle()];
        tokio::spawn(server);
        tokio::spawn(bare);
        Ok(Self { address, memory, store, token, fixed, handles })
    }

    /// Mounts `reply` as fixed bytes and gives its path.
    pub(crate) fn fix(&self, name: &str, reply: &Reply) -> Outcome<String> {
        let name = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        let headers = OWN_HEADERS.iter().filter_map(|header| Some((*header, reply.header(header)?.to_owned())));
        let answer = (headers.collect(), Bytes::copy_from_slice(&reply.body));
        self.fixed.write().map_err(|error| error.to_string())?.insert(name.clone(), answer);
        Ok(format!("/{name}"))
    }

    /// Changes a row through the API; gives the connection, to read on.
    pub(crate) async fn write(&self, number: usize) -> Outcome<Connection> {
        let (path, token) = ("/v1/opds/DLH", Some(self.token.as_str()));
        let mut connection = Connection::open(self.address).await?;
        let row = connection.exchange(&Ask::get(path, token)).await?.must_be(200)?;
        let etag = row.header("etag").ok_or("no ETag")?;
        let headers = format!("Content-Type: application/merge-patch+json\r\nIf-Match: {etag}\r\n");
        let body = json!({ "short_name": format!("DLH {number} {}", &etag[etag.len() - 4..etag.len() - 1]) }).to_string();
        connection.exchange(&Ask::new("PATCH", path, token, &headers, &body)).await?.must_be(200)?;
        Ok(connection)
    }

    /// The path of the last page of a list.
    pub(crate) async fn last_page(&self, path: &str, token: Option<&str>) -> Outcome<String> {
        let mut connection = Connection::open(self.address).await?;
        let mut last = path.to_owned();
        loop {
            let page = connection.exchange(&Ask::get(&last, token)).await?.must_be(200)?;
            let page: Value = serde_json::from_slice(&page.body)?;
            match page["page"]["next_cursor"].as_str() {
                Some(cursor) => last = format!("{path}&cursor={cursor}"),
                None => return Ok(last),
            }
        }
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        for handle in &self.handles {
            handle.stop(false).await;
        }
    }
}

async fn from_memory(name: Path<String>, answers: Data<Fixed>) -> HttpResponse {
    let answer = answers.read().ok().and_then(|answers| answers.get(name.as_str()).cloned());
    let Some((headers, body)) = answer else { return HttpResponse::NotFound().finish() };
    let mut response = HttpResponse::Ok();
    for header in headers {
        response.insert_header(header);
    }
    response.body(body)
}

fn said(error: ApiError) -> String {
    error.sentence()
}
