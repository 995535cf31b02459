//! The application on one screen: its state, its middleware in order, its routes.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::Data;
use actix_web::{App, Error, web};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::auth::identify::identify;
use crate::auth::keys::Keys;
use crate::auth::oidc::OidcProvider;
use crate::feed::limits::StreamLimits;
use crate::feed::tail::Tail;
use crate::http::client_address::TrustedProxies;
use crate::http::cors::{Origins, cors};
use crate::http::identifiers::lower;
use crate::http::middleware::{problems, request_context};
use crate::http::table::{Table, unknown_path};
use crate::pages::{self, Document};
use crate::routes;
use crate::store::response_cache::ResponseCache;
use crate::store::transaction::Store;
use crate::webhooks::addresses::Addresses;

/// What all requests share.
#[derive(Clone)]
pub struct State {
    /// The database.
    pub store: Data<Store>,
    /// The keys that sign and verify access tokens.
    pub keys: Data<Keys>,
    /// The outside provider whose tokens are accepted too.
    pub outside: Option<Data<OidcProvider>>,
    /// The end of the feed.
    pub tail: Data<Tail>,
    /// How many may follow it.
    pub streams: Data<StreamLimits>,
    /// Where messages of webhooks may go.
    pub addresses: Data<Addresses>,
    /// Answers kept in memory.
    pub kept: Data<ResponseCache>,
    /// The document.
    pub document: Data<Document>,
    /// Cancelled when the service is asked to stop.
    pub stopping: Data<CancellationToken>,
    /// The metrics.
    pub metrics: Data<PrometheusHandle>,
    /// Which proxies are believed.
    pub proxies: Data<TrustedProxies>,
    /// Which origins may use the API from a browser, beside the public part.
    pub origins: Data<Origins>,
}

/// The application of one worker.
pub fn app(
    state: State,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<impl MessageBody>, Error = Error, InitError = ()>,
> {
    App::new()
        .app_data(state.store)
        .app_data(state.keys)
        .configure(|service| {
            if let Some(outside) = state.outside {
                service.app_data(outside);
            }
        })
        .app_data(state.tail)
        .app_data(state.streams)
        .app_data(state.addresses)
        .app_data(state.kept)
        .app_data(state.document)
        .app_data(state.stopping)
        .app_data(state.metrics)
        .app_data(state.proxies)
        .app_data(state.origins)
        .configure(pages::mount)
        .configure(|service| routes::all(Table::default()).mount(service))
        .default_service(web::to(unknown_path))
        // The last one wrapped runs first.
        .wrap(from_fn(lower)) // UUIDs in paths, in either case.
        .wrap(from_fn(problems)) // Errors and panics become problems.
        .wrap(from_fn(identify)) // Who asks.
        .wrap(from_fn(cors)) // Which browsers may read the answer.
        .wrap(Compress::default())
        .wrap(from_fn(request_context)) // Request id, HEAD, log, metrics, headers of every answer.
}

#[cfg(test)]
mod tests;
