//! Somebody who speaks HTTP to the service, and what is being said.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;

use crate::answer::Answer;

/// Somebody, with a token or without.
#[derive(Clone)]
pub struct Actor {
    client: Client,
    base: String,
    token: Option<String>,
}

/// Something about to be said; `.await` says it.
#[must_use = "a request is sent by `.await`"]
pub struct Request {
    client: Client,
    method: Method,
    base: String,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Actor {
    /// Somebody with connections of their own.
    pub fn new(base: String, token: Option<String>) -> Self {
        // Built together with the service, the client brings no cryptography of its own. An error means it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // No transparent decompression: an answer is what was on the wire.
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(120))
            .no_brotli()
            .no_gzip()
            .no_zstd()
            .build()
            .unwrap();
        Self { client, base, token }
    }

    /// The same person with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same person with a client that unpacks compressed answers.
    pub fn unpacking(&self) -> Self {
        Self { client: Client::builder().build().unwrap(), ..self.clone() }
    }

    /// The token.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("this actor has a token")
    }

    /// `GET`.
    pub fn get(&self, path: impl Into<String>) -> Request {
        self.request(Method::GET, path)
    }

    /// `HEAD`.
    pub fn head(&self, path: impl Into<String>) -> Request {
        self.request(Method::HEAD, path)
    }

    /// `POST` of JSON.
    pub fn post(&self, path: impl Into<String>, body: Value) -> Request {
        self.request(Method::POST, path).json(&body)
    }

    /// `PUT` of JSON.
    pub fn put(&self, path: impl Into<String>, body: Value) -> Request {
        self.request(Method::PUT, path).json(&body)
    }

    /// `PATCH` with a merge patch.
    pub fn patch(&self, path: impl Into<String>, body: Value) -> Request {
        self.request(Method::PATCH, path).json(&body).header("Content-Type", "application/merge-patch+json")
    }

    /// `DELETE`.
    pub fn delete(&self, path: impl Into<String>) -> Request {
        self.request(Method::DELETE, path)
    }

    /// `POST` of a form, as OAuth2 wants it.
    pub fn post_form(&self, path: impl Into<String>, fields: &[(&str, &str)]) -> Request {
        let encoded = fields.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect::<Vec<_>>();
        self.request(Method::POST, path).body(encoded.join("&"), "application/x-www-form-urlencoded")
    }

    /// Asks for a token with a password.
    pub fn log_in(&self, email: &str, password: &str) -> Request {
        self.post_form("/v1/auth/token", &[("grant_type", "password"), ("username", email), ("password", password)])
    }

    /// Asks for a token as a client, id and secret in the form.
    pub fn client_token(&self, id: &str, secret: &str) -> Request {
        let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        self.post_form("/v1/auth/token", &fields)
    }

    /// `POST` of a body as it stands, such as a bulk push.
    pub fn push(&self, path: impl Into<String>, content_type: &str, body: impl Into<Vec<u8>>) -> Request {
        self.request(Method::POST, path).body(body, content_type)
    }

    /// Any method.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Request {
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        Request { client: self.client.clone(), method, base: self.base.clone(), path: path.into(), headers, body: None }
    }

    /// Creates something and answers it, with its ETag.
    pub async fn create(&self, collection: &str, body: Value) -> Answer {
        self.post(collection, body).await.is(201)
    }

    /// The ETag of something.
    pub async fn etag_of(&self, path: &str) -> String {
        self.get(path).await.is(200).etag()
    }

    /// Follows a list to its end and answers every row.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut page = self.get(path).await.is(200);
        loop {
            rows.extend(page.json()["data"].as_array().expect("a list has `data`").iter().cloned());
            let Some(next) = page.next_page() else { return rows };
            page = self.get(next).await.is(200);
        }
    }
}

impl Request {
    /// Sets a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = name.parse::<HeaderName>().unwrap();
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// Takes a header out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// `If-Match`.
    pub fn if_match(self, etag: &str) -> Self {
        self.header("If-Match", etag)
    }

    /// `If-None-Match`.
    pub fn if_none_match(self, etag: &str) -> Self {
        self.header("If-None-Match", etag)
    }

    /// `Idempotency-Key`.
    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    /// A body of JSON.
    pub fn json(self, body: &Value) -> Self {
        self.body(body.to_string(), "application/json")
    }

    /// Any body.
    pub fn body(mut self, body: impl Into<Vec<u8>>, content_type: &str) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", content_type)
    }

    /// Sends it; an error is a connection that broke.
    pub async fn attempt(self) -> Result<Answer, reqwest::Error> {
        let url = format!("{}{}", self.base, self.path);
        let mut request = self.client.request(self.method.clone(), &url).headers(self.headers);
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?.to_vec();
        Ok(Answer::new(self.method, self.path, status, headers, body))
    }
}

impl IntoFuture for Request {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let what = format!("{} {}", self.method, self.path);
            self.attempt().await.unwrap_or_else(|error| panic!("{what} got no answer: {error:?}"))
        })
    }
}

/// A text as it stands in a query or a form.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
