//! Pages beside the API: the document, and the metrics.

use std::io::Write;
use std::sync::OnceLock;

use actix_web::http::header::{AcceptEncoding, CONTENT_ENCODING, CONTENT_TYPE, ContentEncoding, ETAG, Encoding, Header};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use flate2::Compression;
use flate2::write::GzEncoder;
use metrics_exporter_prometheus::PrometheusHandle;
use sha2::{Digest, Sha256};

use crate::auth::keys::Keys;
use crate::http::client_address;
use crate::http::media::{MediaType, prefers};
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::http::table::{Table, nothing_here};
use crate::store::access::Public;
use crate::store::figure_cache::FigureCache;
use crate::{openapi, portal, problems, reference};

/// The document as it is served. It is built when it is first requested, and compressed once.
#[derive(Default)]
pub struct Document {
    json: OnceLock<Text>,
    yaml: OnceLock<Text>,
}

/// A text, with its compressed forms as far as they were requested.
struct Text {
    media_type: &'static str,
    etag: String,
    plain: Bytes,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

impl Document {
    fn json(&self) -> &Text {
        self.json.get_or_init(|| Text::new("application/json", openapi::text(&openapi::document())))
    }

    fn yaml(&self) -> &Text {
        let yaml = || yaml_serde::to_string(&openapi::document()).unwrap_or_default();
        self.yaml.get_or_init(|| Text::new("application/yaml", yaml()))
    }
}

impl Text {
    fn new(media_type: &'static str, text: String) -> Self {
        let etag = format!("\"{}\"", &hex::encode(Sha256::digest(&text))[..32]);
        Self { media_type, etag, plain: text.into(), gzip: OnceLock::new(), brotli: OnceLock::new() }
    }

    /// The bytes in an encoding. In memory nothing fails; a text that could not be compressed is served as it is.
    fn encoded(&self, encoding: Option<ContentEncoding>) -> (&'static str, &Bytes) {
        match encoding {
            Some(ContentEncoding::Brotli) => ("br", self.brotli.get_or_init(|| brotli(&self.plain))),
            Some(ContentEncoding::Gzip) => ("gzip", self.gzip.get_or_init(|| gzip(&self.plain))),
            _ => ("identity", &self.plain),
        }
    }

    fn answer(&self, preconditions: &Preconditions, encoding: Option<ContentEncoding>) -> HttpResponse {
        let is_known = preconditions.is_known(&self.etag);
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response
            .insert_header((ETAG, self.etag.as_str()))
            .insert_header(("Cache-Control", "public, max-age=0, must-revalidate"))
            .insert_header(("Vary", "Accept-Encoding"));
        if is_known {
            return response.finish();
        }
        let (encoding, bytes) = self.encoded(encoding);
        // The header is set even without an encoding; otherwise the middleware would compress the body again for each answer.
        response.insert_header((CONTENT_TYPE, self.media_type)).insert_header((CONTENT_ENCODING, encoding)).body(bytes.clone())
    }
}

fn brotli(bytes: &[u8]) -> Bytes {
    // Quality 9 takes a second, once; 11 would take ten seconds for a few percent.
    let mut packed = Vec::new();
    let written = brotli::CompressorWriter::new(&mut packed, 4096, 9, 22).write_all(bytes);
    written.map_or_else(|_| Bytes::copy_from_slice(bytes), |()| packed.into())
}

fn gzip(bytes: &[u8]) -> Bytes {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let written = packed.write_all(bytes).and_then(|()| packed.finish());
    written.map_or_else(|_| Bytes::copy_from_slice(bytes), Bytes::from)
}

fn wanted_encoding(request: &HttpRequest) -> Option<ContentEncoding> {
    let known = [ContentEncoding::Brotli, ContentEncoding::Gzip, ContentEncoding::Identity].map(Encoding::Known);
    match AcceptEncoding::parse(request).ok()?.negotiate(known.iter())? {
        Encoding::Known(encoding) => Some(encoding),
        Encoding::Unknown(_) => None,
    }
}

async fn json(request: HttpRequest, tags: Preconditions, document: Data<Document>) -> ApiResult<HttpResponse> {
    serve(request, tags, document, Document::json).await
}

async fn yaml(request: HttpRequest, tags: Preconditions, document: Data<Document>) -> ApiResult<HttpResponse> {
    serve(request, tags, document, Document::yaml).await
}

async fn serve(
    request: HttpRequest,
    tags: Preconditions,
    document: Data<Document>,
    text: fn(&Document) -> &Text,
) -> ApiResult<HttpResponse> {
    let encoding = wanted_encoding(&request);
    let made = document.clone();
    // Building and compressing the document for the first time would keep other requests of this worker waiting.
    web::block(move || drop(text(&made).encoded(encoding).1.clone())).await.map_err(ApiError::unexpected)?;
    Ok(text(&document).answer(&tags, encoding))
}

/// The page for people where HTML is preferred, otherwise where everything is, as JSON.
async fn home(
    public: Public,
    request: HttpRequest,
    kept: Data<FigureCache>,
    keys: Data<Keys>,
    tags: Preconditions,
    parameters: Parameters,
) -> ApiResult<HttpResponse> {
    if prefers(request.headers(), MediaType::Html, MediaType::Json) {
        let page = portal::page(public, request.clone(), kept, keys, tags, parameters).await?;
        return Ok(page.respond_to(&request));
    }
    Ok(HttpResponse::Ok().insert_header(("Vary", "Accept")).json(serde_json::json!({
        "service": "renaksi", "version": env!("CARGO_PKG_VERSION"), "documentation": "/docs/", "openapi": "/openapi.json",
        "public_data": "/v1/public/summary", "health": "/health/ready",
    })))
}

/// The metrics. Since they reveal what the service does, they answer only this machine; `--metrics-listen` gives them a separate
/// address.
async fn metrics(request: HttpRequest, handle: Data<PrometheusHandle>) -> ApiResult<HttpResponse> {
    // A client address named by an untrusted proxy may be anywhere, so it does not count as this machine.
    let is_local = client_address::address_of(&request).is_some_and(|address| address.is_loopback());
    if is_local && !client_address::is_forwarded_unseen(&request) { Ok(all_metrics(handle).await) } else { Err(nothing_here()) }
}

async fn all_metrics(handle: Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")).body(handle.render())
}

/// Adds only the route of the metrics, for an address of their own.
pub fn mount_metrics(service: &mut ServiceConfig) {
    let nothing = || async { Err::<HttpResponse, _>(nothing_here()) };
    service.service(web::resource("/metrics").route(web::get().to(all_metrics))).default_service(web::to(nothing));
}

/// Adds the pages.
pub fn mount(table: &mut Table) {
    reference::mount(table);
    problems::mount_pages(table);
    table.page("/", home).page("/openapi.json", json).page("/openapi.yaml", yaml).page("/metrics", metrics);
}
