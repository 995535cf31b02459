//! The URL table: each route named once, together with its description, so that neither exists without the other.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use actix_web::body::MessageBody;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, ready};
use serde_json::{Map, Value, json};

use super::identifiers::Collections;
use super::media::{self, MediaType};
use super::operation::Operation;
use super::problem::{ApiError, codes};

/// All routes of the service.
#[derive(Default)]
pub struct Table {
    routes: BTreeMap<String, Vec<(Method, Route)>>,
    /// Where paths have a UUID.
    collections: Collections,
    /// Each worker has its routes; the document is needed once.
    description: Option<Description>,
}

/// The paths and schemas of the document.
#[derive(Default)]
pub struct Description {
    /// The operations of each path.
    pub paths: BTreeMap<String, Map<String, Value>>,
    /// The schemas by name.
    pub schemas: BTreeMap<String, Value>,
}

impl Table {
    /// A table that keeps what describes its routes.
    pub fn described() -> Self {
        Self { description: Some(Description::default()), ..Self::default() }
    }

    /// Mounts `handler` for one operation. What is particular to it ends here: to the router all handlers are of one type, so that what is
    /// alike for all exists once in the binary.
    pub fn on<F, Args>(&mut self, operation: Operation, handler: F) -> &mut Self
    where
        F: Handler<Args, Output: Responder<Body: MessageBody + 'static>>,
        Args: FromRequest + 'static,
    {
        let erased = move |request: HttpRequest, mut payload: Payload| {
            let (arguments, handler) = (Args::from_request(&request, &mut payload), handler.clone());
            async move {
                match arguments.await {
                    Ok(arguments) => handler.call(arguments).await.respond_to(&request).map_into_boxed_body(),
                    Err(error) => HttpResponse::from_error(error),
                }
            }
            .boxed_local()
        };
        self.mount_erased(operation, Erased(Rc::new(erased)));
        self
    }

    fn mount_erased(&mut self, operation: Operation, handler: Erased) {
        let (method, path) = (operation.method.clone(), operation.path.clone());
        for parameter in operation.object["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "path" && parameter["schema"]["format"] == json!("uuid") {
                self.collections.note(&path, parameter["name"].as_str().unwrap_or_default());
            }
        }
        let offered = MediaType::described(&operation.object);
        if let Some(description) = &mut self.description {
            description.add(operation);
        }
        let handler = Negotiated { handler, offered: offered.into() };
        let route = web::method(method.clone()).to(handler);
        self.routes.entry(path).or_default().push((method, route));
    }

    /// The paths and schemas of the document; none unless it is [`Table::described`].
    pub fn describe(self) -> Description {
        self.description.unwrap_or_default()
    }

    /// Mounts everything. A method that a path does not know is answered 405 with those that it does.
    pub fn mount(self, service: &mut ServiceConfig) {
        service.app_data(Data::new(self.collections));
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

impl Description {
    fn add(&mut self, operation: Operation) {
        let Operation { method, path, object, schemas } = operation;
        let taken = self.paths.entry(path.clone()).or_default().insert(method.as_str().to_ascii_lowercase(), object);
        assert!(taken.is_none(), "{method} {path} is mounted twice");
        for (name, schema) in schemas {
            let known = self.schemas.insert(name.clone(), schema.clone());
            assert!(known.is_none_or(|known| known == schema), "two schemas are called {name}");
        }
    }
}

/// A handler of which only this is known: it answers a request.
#[derive(Clone)]
struct Erased(Rc<dyn Fn(HttpRequest, Payload) -> LocalBoxFuture<'static, HttpResponse>>);

/// A handler with the media types that it answers with. Its panic is answered as a problem, and ends nothing else.
#[derive(Clone)]
struct Negotiated {
    handler: Erased,
    offered: Rc<[MediaType]>,
}

impl Handler<(HttpRequest, web::Payload)> for Negotiated {
    type Output = Result<HttpResponse, ApiError>;
    type Future = LocalBoxFuture<'static, Self::Output>;

    fn call(&self, (request, payload): (HttpRequest, web::Payload)) -> Self::Future {
        if let Err(error) = media::negotiate(&request, &self.offered) {
            return ready(Err(error)).boxed_local();
        }
        let running = AssertUnwindSafe((self.handler.0)(request, payload.into_inner())).catch_unwind();
        running.map(|result| result.map_err(|_| ApiError::unexpected("a handler panicked"))).boxed_local()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use actix_web::middleware::from_fn;
    use actix_web::{App, test};

    use super::*;
    use crate::http::middleware::{problems, request_context};

    async fn breaks() -> HttpResponse {
        panic!("a secret of the inside");
    }

    #[actix_web::test]
    async fn a_panic_is_a_problem_without_internals() {
        let mut table = Table::default();
        table.on(Operation::get("/breaks", "get_breaks", "test", "Breaks", "Breaks."), breaks);
        let app = App::new().configure(|service| table.mount(service)).wrap(from_fn(problems)).wrap(from_fn(request_context));
        let app = test::init_service(app).await;
        let answer = test::call_service(&app, test::TestRequest::get().uri("/breaks").to_request()).await;
        assert_eq!(answer.status(), 500);
        assert!(answer.headers().contains_key("x-request-id"));
        let body: Value = test::read_body_json(answer).await;
        assert_eq!(body["code"], "internal_error");
        assert!(!body.to_string().contains("secret"));
    }

    #[actix_web::test]
    async fn another_method_is_told_those_that_there_are() {
        let mut table = Table::default();
        table.on(Operation::get("/breaks", "get_breaks", "test", "Breaks", "Breaks."), breaks);
        let app = App::new().configure(|service| table.mount(service)).wrap(from_fn(problems)).wrap(from_fn(request_context));
        let app = test::init_service(app).await;
        let answer = test::call_service(&app, test::TestRequest::delete().uri("/breaks").to_request()).await;
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers().get("allow").unwrap(), "GET, HEAD, OPTIONS");
    }
}
