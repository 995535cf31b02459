//! The application on one screen: its state, its middleware in order, its routes.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse, fn_service};
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::Data;
use actix_web::{App, Error};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::auth::identify::identify;
use crate::auth::keys::Keys;
use crate::auth::oidc::OidcProvider;
use crate::cache::{ResponseCache, cached};
use crate::feed::limits::StreamLimits;
use crate::feed::tail::Tail;
use crate::http::client_address::TrustedProxies;
use crate::http::cors::{Origins, cors};
use crate::http::middleware::{problems, request_context};
use crate::http::rate_limit::RateLimits;
use crate::http::table::{Routes, Table};
use crate::licence::Licence;
use crate::limited::limited;
use crate::pages::{self, Document};
use crate::push::repeats::Repeats;
use crate::routes;
use crate::store::figure_cache::FigureCache;
use crate::store::together::Queues;
use crate::store::transaction::Store;
use crate::tabular::exports::Exports;
use crate::webhooks::addresses::Addresses;

/// What all requests share.
#[derive(Clone)]
pub struct State {
    /// The URL table.
    pub routes: Arc<Routes>,
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
    pub answers: Data<ResponseCache>,
    /// What was decided of pushes that changed nothing.
    pub repeats: Data<Repeats>,
    /// Figures kept in memory.
    pub figures: Data<FigureCache>,
    /// The document.
    pub document: Data<Document>,
    /// Cancelled when the service is asked to stop.
    pub stopping: Data<CancellationToken>,
    /// The metrics.
    pub metrics: Data<PrometheusHandle>,
    /// Which proxies are believed.
    pub proxies: Data<TrustedProxies>,
    /// The licence of the open data.
    pub licence: Data<Licence>,
    /// How many long answers may be under way.
    pub exports: Data<Exports>,
    /// How much one address may ask.
    pub limits: Data<RateLimits>,
    /// Which origins may use the API from a browser, beside the public part.
    pub origins: Data<Origins>,
}

/// All routes: those of the API and the pages beside it.
pub fn all_routes() -> Arc<Routes> {
    let mut table = routes::all(Table::default());
    pages::mount(&mut table);
    Arc::new(table.routes())
}

/// The application of one worker.
pub fn app(
    state: State,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<impl MessageBody>, Error = Error, InitError = ()>,
> {
    let routes = state.routes;
    let answer = move |request| {
        let routes = Arc::clone(&routes);
        async move { routes.answer(request).await }
    };
    App::new()
        .app_data(Queues::default())
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
        .app_data(state.answers)
        .app_data(state.repeats)
        .app_data(state.figures)
        .app_data(state.document)
        .app_data(state.stopping)
        .app_data(state.metrics)
        .app_data(state.proxies)
        .app_data(state.licence)
        .app_data(state.exports)
        .app_data(state.limits)
        .app_data(state.origins)
        .default_service(fn_service(answer))
        // The last one wrapped runs first.
        .wrap(from_fn(problems)) // Errors and panics become problems.
        .wrap(from_fn(identify)) // Who asks.
        .wrap(from_fn(cors)) // Which browsers may read the answer.
        .wrap(Compress::default())
        .wrap(from_fn(request_context)) // Request id, HEAD, log, metrics, headers of every answer.
        .wrap(from_fn(cached)) // What was answered before is answered again.
        .wrap(from_fn(limited)) // How much one address may ask.
}

#[cfg(test)]
mod tests;
