//! What the service said.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::document::Document;

/// An answer, read whole.
pub struct Answer {
    method: Method,
    path: String,
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(method: Method, path: String, status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { method, path, status, headers, body }
    }

    /// Expects a status, a request id, and a body as the document promises it.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()), "no X-Request-Id: {self:?}");
        if let Err(fault) = Document::get().check(&self) {
            panic!("{fault}\n{self:?}");
        }
        self
    }

    /// Expects a status of what is no part of the document.
    #[track_caller]
    pub fn is_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Expects a value at a place such as `data/0/name`.
    #[track_caller]
    pub fn has(self, place: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        assert_eq!(self.at(place), value, "`{place}` in {self:?}");
        self
    }

    /// Expects that there is nothing at a place.
    #[track_caller]
    pub fn lacks(self, place: &str) -> Self {
        assert!(self.json().pointer(&pointer(place)).is_none(), "`{place}` in {self:?}");
        self
    }

    /// Expects that there is no such header.
    #[track_caller]
    pub fn lacks_header(self, name: &str) -> Self {
        assert!(self.header(name).is_none(), "`{name}` in {self:?}");
        self
    }

    /// Expects the stable word of a problem.
    #[track_caller]
    pub fn has_problem(self, code: &str) -> Self {
        self.has("code", code)
    }

    /// Expects a fault at a JSON pointer of the request's body.
    #[track_caller]
    pub fn has_fault_at(self, expected: &str) -> Self {
        let faults = self.faults("pointer");
        assert!(faults.iter().any(|found| found == expected), "no fault at `{expected}` but at {faults:?} in {self:?}");
        self
    }

    /// Expects a fault of a query parameter.
    #[track_caller]
    pub fn has_fault_in_parameter(self, name: &str) -> Self {
        let faults = self.faults("parameter");
        assert!(faults.iter().any(|found| found == name), "no fault in `{name}` but in {faults:?} in {self:?}");
        self
    }

    /// Expects a header with a value.
    #[track_caller]
    pub fn has_header(self, name: &str, value: &str) -> Self {
        assert_eq!(self.header(name), Some(value), "`{name}` in {self:?}");
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The method that was asked with.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path and query that were asked for.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header that may come several times, as one list.
    pub fn headers(&self, name: &str) -> String {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(", ")
    }

    /// All headers.
    pub fn head(&self) -> Vec<(String, String)> {
        let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        self.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
    }

    /// The media type without its parameters.
    pub fn media_type(&self) -> &str {
        self.header("content-type").and_then(|value| value.split(';').next()).unwrap_or("").trim()
    }

    /// The ETag.
    #[track_caller]
    pub fn etag(&self) -> String {
        self.header("etag").unwrap_or_else(|| panic!("no ETag: {self:?}")).to_owned()
    }

    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    /// The value at a place.
    #[track_caller]
    pub fn at(&self, place: &str) -> Value {
        self.json().pointer(&pointer(place)).cloned().unwrap_or_else(|| panic!("nothing at `{place}`: {self:?}"))
    }

    /// The text at a place.
    #[track_caller]
    pub fn text_at(&self, place: &str) -> String {
        self.at(place).as_str().unwrap_or_else(|| panic!("no text at `{place}`: {self:?}")).to_owned()
    }

    /// The rows of a list.
    #[track_caller]
    pub fn rows(&self) -> Vec<Value> {
        self.at("data").as_array().unwrap_or_else(|| panic!("`data` is no array: {self:?}")).clone()
    }

    /// One member of every row of a list.
    #[track_caller]
    pub fn column(&self, member: &str) -> Vec<Value> {
        self.rows().iter().map(|row| row[member].clone()).collect()
    }

    /// The path of the next page, as the `Link` header gives it.
    pub fn next_page(&self) -> Option<String> {
        let link = self.header("link").filter(|link| link.ends_with("; rel=\"next\""))?;
        let target = link.split_once('<')?.1.rsplit_once('>')?.0;
        // With or without scheme and host.
        let path = target.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or(target);
        Some(path.to_owned())
    }

    fn faults(&self, member: &str) -> Vec<String> {
        let problem = self.json();
        let faults = problem["errors"].as_array().cloned().unwrap_or_default();
        faults.iter().filter_map(|fault| fault[member].as_str().map(str::to_owned)).collect()
    }
}

/// The whole answer, for the message of a failure.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} {}\n{}", self.method, self.path, self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", value.to_str().unwrap_or("?"))?;
        }
        let text = self.text();
        write!(f, "\n{}", text.chars().take(4000).collect::<String>())
    }
}

fn pointer(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!("/{place}") }
}
