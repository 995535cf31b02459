//! Pages beside the API: the document, its interactive reference, the explanations of problems, and the metrics.

use actix_web::http::header::{ACCEPT, CONTENT_TYPE, ETAG};
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use metrics_exporter_prometheus::PrometheusHandle;
use sha2::{Digest, Sha256};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::body::hex;
use crate::http::language::Language;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, Code, codes};
use crate::openapi;

/// Swagger UI needs its own scripts and styles, and nothing from elsewhere.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
                           frame-ancestors 'none'; form-action 'self'; base-uri 'none'";

/// The document, made once for the process.
#[derive(Clone)]
pub struct Document {
    json: Bytes,
    yaml: Bytes,
    etag: String,
}

impl Document {
    /// Makes it.
    pub fn new() -> Self {
        let document = openapi::document();
        let json = openapi::text(&document);
        let yaml = yaml_serde::to_string(&document).unwrap_or_default();
        let etag = format!("\"{}\"", &hex(&Sha256::digest(&json))[..32]);
        Self { json: json.into(), yaml: yaml.into(), etag }
    }

    fn answer(&self, preconditions: &Preconditions, media_type: &str, body: &Bytes) -> HttpResponse {
        let is_known = preconditions.is_known(&self.etag);
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header((ETAG, self.etag.as_str())).insert_header(("Cache-Control", "public, max-age=0, must-revalidate"));
        if is_known {
            return response.finish();
        }
        response.insert_header((CONTENT_TYPE, media_type)).body(body.clone())
    }
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

async fn json(preconditions: Preconditions, document: Data<Document>) -> HttpResponse {
    document.answer(&preconditions, "application/json", &document.json)
}

async fn yaml(preconditions: Preconditions, document: Data<Document>) -> HttpResponse {
    document.answer(&preconditions, "application/yaml", &document.yaml)
}

async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("Location", "/docs/")).finish()
}

async fn home() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({
        "service": "renaksi", "version": env!("CARGO_PKG_VERSION"), "documentation": "/docs/", "openapi": "/openapi.json",
        "public_data": "/v1/public/summary", "health": "/health/ready",
    }))
}

async fn metrics(handle: Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")).body(handle.render())
}

/// The page behind a problem's `type`: HTML for a browser, else JSON.
async fn problem(request: HttpRequest, name: Path<String>) -> ApiResult<HttpResponse> {
    let code = codes::ALL.iter().find(|code| code.name == *name).ok_or_else(|| ApiError::not_found("problem", &name))?;
    let accepted = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepted.contains("text/html") {
        return Ok(HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .body(page(code, Language::preferred(request.headers()))));
    }
    Ok(HttpResponse::Ok().json(serde_json::json!({
        "code": code.name, "status": code.status, "title": code.title, "title_id": code.title_id, "advice": code.advice,
    })))
}

fn page(code: &Code, language: Language) -> String {
    let Code { status, name, title, title_id, advice } = code;
    let (first, second) = if language == Language::Indonesian { (title_id, title) } else { (title, title_id) };
    // What stands between backticks is code; the texts are ours and hold no markup.
    let advice = advice
        .split('`')
        .enumerate()
        .map(|(index, part)| if index % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() });
    let advice = advice.collect::<String>();
    format!(
        "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{name}</title>\
         <style>body{{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}}code{{font-size:1em}}</style>\
         <p>HTTP {status} · <code>{name}</code></p><h1>{first}</h1><p>{second}</p><p>{advice}</p><p><a href=\"/docs/\">Reference</a></p></html>",
        language.tag()
    )
}

/// Mounts the pages.
pub fn mount(service: &mut ServiceConfig) {
    let reference = SwaggerUi::new("/docs/{_:.*}")
        .config(Config::new(["/openapi.json"]).deep_linking(true).validator_url("none").persist_authorization(false));
    service
        .service(web::resource("/").route(web::get().to(home)))
        .service(web::resource("/openapi.json").route(web::get().to(json)))
        .service(web::resource("/openapi.yaml").route(web::get().to(yaml)))
        .service(web::resource("/docs").route(web::get().to(to_docs)))
        .service(
            web::scope("")
                .guard(actix_web::guard::fn_guard(|context| context.head().uri.path().starts_with("/docs/")))
                .wrap(actix_web::middleware::DefaultHeaders::new().add(("Content-Security-Policy", DOCS_POLICY)))
                .service(reference),
        )
        .service(web::resource("/metrics").route(web::get().to(metrics)))
        .service(web::resource("/problems/{problem}").route(web::get().to(problem)));
}
