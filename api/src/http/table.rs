//! The URL table: each route named once, together with its description, so that neither exists without the other.
//!
//! Paths are looked up in a tree, by a router of our own choice: actix-web's own router tries one regular expression after the other,
//! and each worker compiles all of them.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{Error, FromRequest, Handler, HttpMessage, HttpRequest, HttpResponse, Responder};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use matchit::Router;
use serde_json::{Map, Value, json};

use super::identifiers::Collections;
use super::media::{self, MediaType};
use super::operation::{self, Operation};
use super::problem::{ApiError, codes};

/// What stands behind the path of a table to ask for it as CSV, for those who cannot send `Accept`.
pub const CSV: &str = ".csv";

/// All routes of the service.
#[derive(Default)]
pub struct Table {
    routes: BTreeMap<String, Vec<Route>>,
    /// Where paths have a UUID.
    collections: Collections,
    /// Kept only for the document.
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
        F: Handler<Args, Output: Responder<Body: MessageBody + 'static>> + Send + Sync,
        Args: FromRequest + 'static,
    {
        self.mount_erased(operation, erased(handler));
        self
    }

    /// The same for an operation whose description takes long to make: it is made when the document is, or when somebody asks for the
    /// operation first. A service that starts makes none.
    pub fn lazily<F, Args>(
        &mut self,
        method: Method,
        path: &str,
        describe: impl FnOnce() -> Operation + Send + 'static,
        handler: F,
    ) -> &mut Self
    where
        F: Handler<Args, Output: Responder<Body: MessageBody + 'static>> + Send + Sync,
        Args: FromRequest + 'static,
    {
        self.mount_lazily(method, path, Box::new(describe), erased(handler));
        self
    }

    /// Mounts a page that is no part of the API: the document does not describe it.
    pub fn page<F, Args>(&mut self, path: &str, handler: F) -> &mut Self
    where
        F: Handler<Args, Output: Responder<Body: MessageBody + 'static>> + Send + Sync,
        Args: FromRequest + 'static,
    {
        self.add(path, Method::GET, erased(handler), Box::new(Offer::default));
        self
    }

    fn mount_erased(&mut self, operation: Operation, handler: Erased) {
        let (method, path) = (operation.method.clone(), operation.path.clone());
        for parameter in operation.object["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "path" && parameter["schema"]["format"] == json!("uuid") {
                self.collections.note(&path, parameter["name"].as_str().unwrap_or_default());
            }
        }
        let offer = Offer::of(&operation);
        if let Some(description) = &mut self.description {
            description.add(operation);
        }
        self.add(&path, method, handler, Box::new(|| offer));
    }

    fn mount_lazily(&mut self, method: Method, path: &str, describe: Box<dyn FnOnce() -> Operation + Send>, handler: Erased) {
        if self.description.is_some() {
            let operation = describe();
            assert_eq!((&operation.method, operation.path.as_str()), (&method, path), "what is described is what is mounted");
            return self.mount_erased(operation, handler);
        }
        for name in operation::parameters_of(path).filter(|name| operation::is_uuid(name)) {
            self.collections.note(path, name);
        }
        self.add(path, method, handler, Box::new(move || Offer::of(&describe())));
    }

    fn add(&mut self, path: &str, method: Method, handler: Erased, offer: Box<dyn FnOnce() -> Offer + Send>) {
        self.routes.entry(path.to_owned()).or_default().push(Route { method, handler, offer: LazyLock::new(offer) });
    }

    /// The paths and schemas of the document; none unless it is [`Table::described`].
    pub fn describe(self) -> Description {
        self.description.unwrap_or_default()
    }

    /// Everything, ready to answer requests. Panics if two paths cannot be distinguished.
    pub fn routes(self) -> Routes {
        let mut paths = Router::new();
        for (path, routes) in self.routes {
            let resource = Resource { pattern: path.as_str().into(), allow: allowed(&routes), routes };
            assert_eq!(paths.insert(path.clone(), resource), Ok(()), "{path}");
        }
        Routes { paths, collections: self.collections }
    }
}

/// All paths, each with what answers its methods.
pub struct Routes {
    paths: Router<Resource>,
    collections: Collections,
}

/// What answers at a path.
struct Resource {
    pattern: Arc<str>,
    /// The methods, for `Allow`.
    allow: String,
    routes: Vec<Route>,
}

/// What answers a method of a path.
struct Route {
    method: Method,
    handler: Erased,
    offer: LazyLock<Offer, Box<dyn FnOnce() -> Offer + Send>>,
}

/// What the description of an operation says that requests need.
#[derive(Default)]
struct Offer {
    /// The media types of its answers; none for a page, which negotiates by itself.
    media: Vec<MediaType>,
    /// The headers of each answer that say that it is withdrawn, if it is.
    notices: Vec<(HeaderName, HeaderValue)>,
}

impl Offer {
    fn of(operation: &Operation) -> Self {
        let notices = operation.deprecated.iter().flat_map(|deprecated| deprecated.headers());
        let notices = notices.filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect();
        Self { media: MediaType::described(&operation.object), notices }
    }
}

/// The pattern of the path of a request, such as `/v1/programmes/{code}`.
#[derive(Clone)]
struct Pattern(Arc<str>);

/// The pattern that the path of a request was found under.
pub fn pattern_of(request: &HttpRequest) -> Arc<str> {
    request.extensions().get::<Pattern>().map_or_else(|| "unmatched".into(), |Pattern(pattern)| Arc::clone(pattern))
}

impl Routes {
    /// Answers a request. A method that its path does not know is answered 405 with those that it does.
    pub async fn answer(&self, mut request: ServiceRequest) -> Result<ServiceResponse, Error> {
        self.collections.lower(&mut request);
        let path = request.match_info().as_str();
        let table = path.strip_suffix(CSV).filter(|table| self.has_csv(table)).map(str::to_owned);
        let is_csv = table.is_some();
        let path = table.unwrap_or_else(|| path.to_owned());
        let Ok(found) = self.paths.at(&path) else { return refused(request, nothing_here()) };
        for (name, value) in found.params.iter() {
            request.match_info_mut().add_static(name.to_owned(), value.to_owned());
        }
        let Resource { pattern, allow, routes } = found.value;
        request.extensions_mut().insert(Pattern(Arc::clone(pattern)));
        let Some(route) = routes.iter().find(|route| route.method == *request.method()) else {
            if request.method() == Method::OPTIONS {
                let answer = HttpResponse::NoContent().insert_header(("Allow", allow.as_str())).finish();
                return Ok(request.into_response(answer));
            }
            return refused(request, other_method(allow));
        };
        if is_csv {
            MediaType::Csv.choose(request.request());
        } else if !route.offer.media.is_empty()
            && let Err(error) = media::negotiate(request.request(), &route.offer.media)
        {
            return refused(request, error);
        }
        let (request, payload) = request.into_parts();
        // A panic is answered as a problem, and ends nothing else.
        let answer = AssertUnwindSafe((route.handler)(request.clone(), payload)).catch_unwind().await;
        let mut answer = answer.unwrap_or_else(|_| HttpResponse::from_error(ApiError::unexpected("a handler panicked")));
        for (name, value) in &route.offer.notices {
            answer.headers_mut().append(name.clone(), value.clone());
        }
        Ok(ServiceResponse::new(request, answer))
    }
}

impl Routes {
    /// Whether what is at a path can be had as CSV.
    fn has_csv(&self, path: &str) -> bool {
        self.paths.at(path).is_ok_and(|found| found.value.routes.iter().any(|route| route.offer.media.contains(&MediaType::Csv)))
    }
}

fn refused(request: ServiceRequest, error: ApiError) -> Result<ServiceResponse, Error> {
    Ok(request.error_response(error))
}

impl Description {
    fn add(&mut self, operation: Operation) {
        let Operation { method, path, object, schemas, .. } = operation;
        let taken = self.paths.entry(path.clone()).or_default().insert(method.as_str().to_ascii_lowercase(), object);
        assert!(taken.is_none(), "{method} {path} is mounted twice");
        for (name, schema) in schemas {
            let known = self.schemas.insert(name.clone(), schema.clone());
            assert!(known.is_none_or(|known| known == schema), "two schemas are called {name}");
        }
    }
}

/// A handler of which only this is known: it answers a request.
type Erased = Arc<dyn Fn(HttpRequest, Payload) -> LocalBoxFuture<'static, HttpResponse> + Send + Sync>;

fn erased<F, Args>(handler: F) -> Erased
where
    F: Handler<Args, Output: Responder<Body: MessageBody + 'static>> + Send + Sync,
    Args: FromRequest + 'static,
{
    Arc::new(move |request: HttpRequest, mut payload: Payload| {
        let (arguments, handler) = (Args::from_request(&request, &mut payload), handler.clone());
        async move {
            match arguments.await {
                Ok(arguments) => handler.call(arguments).await.respond_to(&request).map_into_boxed_body(),
                Err(error) => HttpResponse::from_error(error),
            }
        }
        .boxed_local()
    })
}

fn allowed(routes: &[Route]) -> String {
    let mut names = routes.iter().map(|route| route.method.as_str()).collect::<Vec<_>>();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.join(", ")
}

fn other_method(allow: &str) -> ApiError {
    ApiError::new(codes::METHOD_NOT_ALLOWED)
        .detail(format!("Known here: {allow}."), format!("Yang dikenal di sini: {allow}."))
        .header("Allow", allow)
}

/// The error of a path at which nothing is.
pub fn nothing_here() -> ApiError {
    ApiError::new(codes::NOT_FOUND).detail("Nothing is at this path.", "Tidak ada apa-apa di alamat ini.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use actix_web::dev::fn_service;
    use actix_web::middleware::from_fn;
    use actix_web::{App, test};

    use super::*;
    use crate::http::middleware::{problems, request_context};
    use crate::http::operation::Deprecated;

    macro_rules! app {
        ($table:expr) => {{
            let routes = Arc::new($table.routes());
            let answer = move |request| {
                let routes = Arc::clone(&routes);
                async move { routes.answer(request).await }
            };
            App::new().default_service(fn_service(answer)).wrap(from_fn(problems)).wrap(from_fn(request_context))
        }};
    }

    async fn breaks() -> HttpResponse {
        panic!("a secret of the inside");
    }

    #[actix_web::test]
    async fn a_panic_is_a_problem_without_internals() {
        let mut table = Table::default();
        table.on(Operation::get("/breaks", "get_breaks", "test", "Breaks", "Breaks."), breaks);
        let app = test::init_service(app!(table)).await;
        let answer = test::call_service(&app, test::TestRequest::get().uri("/breaks").to_request()).await;
        assert_eq!(answer.status(), 500);
        assert!(answer.headers().contains_key("x-request-id"));
        let body: Value = test::read_body_json(answer).await;
        assert_eq!(body["code"], "internal_error");
        assert!(!body.to_string().contains("secret"));
    }

    #[actix_web::test]
    async fn what_is_mounted_lazily_is_described_when_somebody_asks_for_it() {
        static DESCRIBED: AtomicUsize = AtomicUsize::new(0);
        let describe = || {
            DESCRIBED.fetch_add(1, Ordering::SeqCst);
            Operation::get("/things/{id}", "get_thing", "test", "A thing", "A thing.").answers_schema(
                200,
                "",
                json!({}),
                None,
                &[],
            )
        };
        let mut table = Table::default();
        table.lazily(Method::GET, "/things/{id}", describe, |id: actix_web::web::Path<String>| async move { id.into_inner() });
        let app = test::init_service(app!(table)).await;
        assert_eq!(DESCRIBED.load(Ordering::SeqCst), 0);
        let id = "0192F0C1-2F4E-7C3A-9D7E-5B1F0A6C8E21";
        for (accepted, status) in [("application/json", 200), ("text/csv", 406)] {
            let request = test::TestRequest::get().uri(&format!("/things/{id}")).insert_header(("Accept", accepted));
            let answer = test::call_service(&app, request.to_request()).await;
            assert_eq!(answer.status(), status, "{accepted}");
            if status == 200 {
                assert_eq!(test::read_body(answer).await, id.to_lowercase(), "it is known to be a UUID before");
            }
        }
        assert_eq!(DESCRIBED.load(Ordering::SeqCst), 1);
        let mut table = Table::described();
        table.lazily(Method::GET, "/things/{id}", describe, breaks);
        assert!(table.describe().paths.contains_key("/things/{id}"));
    }

    #[actix_web::test]
    async fn a_path_gives_its_parameters_and_its_pattern() {
        let mut table = Table::default();
        let shown = |request: HttpRequest, parts: actix_web::web::Path<(String, String)>| async move {
            format!("{} {} {}", pattern_of(&request), parts.0, parts.1)
        };
        table.page("/a/{one}/b/{two}", shown).page("/a/{other}/c", breaks);
        let app = test::init_service(app!(table)).await;
        let ask = |path: &str| test::TestRequest::get().uri(path).to_request();
        let answer = test::call_and_read_body(&app, ask("/a/x%20y%2Fz/b/1?q=2")).await;
        assert_eq!(answer, "/a/{one}/b/{two} x y/z 1");
        for nowhere in ["/a/x/b", "/a/x/b/", "/a/x/b/1/2", "/a//b/1", "/b"] {
            assert_eq!(test::call_service(&app, ask(nowhere)).await.status(), 404, "{nowhere}");
        }
    }

    #[actix_web::test]
    async fn what_is_withdrawn_says_so_with_every_answer() {
        let day = |text: &str| text.parse().unwrap();
        let deprecated =
            Deprecated { since: day("2027-01-01T00:00:00Z"), until: day("2028-01-01T00:00:00Z"), instead: "get_other" };
        let operation =
            Operation::get("/old", "get_old", "test", "Old", "Old.").answers_nothing(204, "Nothing.").deprecated(deprecated);
        assert_eq!(operation.object["deprecated"], true);
        assert!(operation.object["responses"]["204"]["headers"]["Sunset"].is_object());
        let mut table = Table::default();
        table.on(operation, || async { HttpResponse::NoContent().insert_header(("Link", "</next>; rel=\"next\"")).finish() });
        let app = test::init_service(app!(table)).await;
        let answer = test::call_service(&app, test::TestRequest::get().uri("/old").to_request()).await;
        let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header("deprecation"), "@1798761600");
        assert_eq!(header("sunset"), "Sat, 01 Jan 2028 00:00:00 GMT");
        let links = answer.headers().get_all("link").map(|link| link.to_str().unwrap()).collect::<Vec<_>>();
        assert!(links.len() == 2 && links.iter().any(|link| link.contains("rel=\"deprecation\"")), "{links:?}");
    }

    #[actix_web::test]
    async fn another_method_is_told_those_that_there_are() {
        let mut table = Table::default();
        table.on(Operation::get("/breaks", "get_breaks", "test", "Breaks", "Breaks."), breaks);
        let app = test::init_service(app!(table)).await;
        let answer = test::call_service(&app, test::TestRequest::delete().uri("/breaks").to_request()).await;
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers().get("allow").unwrap(), "GET, HEAD, OPTIONS");
    }
}
