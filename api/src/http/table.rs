//! The URL table: each route named once, together with its description, so that neither exists without the other.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route};
use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::problem::{ApiError, codes};

/// All routes of the service.
#[derive(Default)]
pub struct Table {
    routes: BTreeMap<String, Vec<(Method, Route)>>,
    paths: BTreeMap<String, Map<String, Value>>,
    schemas: BTreeMap<String, Value>,
}

impl Table {
    /// Mounts `handler` for one operation.
    pub fn on<F, Args>(&mut self, operation: Operation, handler: F) -> &mut Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let Operation { method, path, object, schemas } = operation;
        let route = web::method(method.clone()).to(handler);
        let verb = method.as_str().to_ascii_lowercase();
        let taken = self.paths.entry(path.clone()).or_default().insert(verb, object);
        assert!(taken.is_none(), "{method} {path} is mounted twice");
        self.routes.entry(path).or_default().push((method, route));
        for (name, schema) in schemas {
            let known = self.schemas.insert(name.clone(), schema.clone());
            assert!(known.is_none_or(|known| known == schema), "two schemas are called {name}");
        }
        self
    }

    /// The paths and schemas of the document.
    pub fn describe(&self) -> (Value, Value) {
        (json!(self.paths), json!(self.schemas))
    }

    /// Mounts everything. A method that a path does not know is answered 405 with those that it does.
    pub fn mount(self, service: &mut ServiceConfig) {
        for (path, routes) in self.routes {
            let allow = allowed(routes.iter().map(|(method, _)| method));
            let resource = routes.into_iter().fold(Resource::new(path), |resource, (_, route)| resource.route(route));
            service.service(resource.default_service(web::to(move |request: HttpRequest| {
                let allow = allow.clone();
                async move { other_method(&request, &allow) }
            })));
        }
    }
}

fn allowed<'a>(methods: impl Iterator<Item = &'a Method>) -> String {
    let mut names = methods.map(|method| method.as_str()).collect::<Vec<_>>();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.join(", ")
}

fn other_method(request: &HttpRequest, allow: &str) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header(("Allow", allow)).finish());
    }
    Err(ApiError::new(codes::METHOD_NOT_ALLOWED)
        .detail(format!("Known here: {allow}."), format!("Yang dikenal di sini: {allow}."))
        .header("Allow", allow))
}

/// The answer to a path that nobody knows.
pub async fn unknown_path() -> Result<HttpResponse, ApiError> {
    Err(ApiError::new(codes::NOT_FOUND).detail("Nothing is at this path.", "Tidak ada apa-apa di alamat ini."))
}
