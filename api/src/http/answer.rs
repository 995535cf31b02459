//! A successful answer as plain data, so that it can be sent, cached, and stored for a retry of the same request.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::language::Language;
use super::media::MediaType;
use super::precondition::Preconditions;
use super::problem::{ApiError, ApiResult};

/// Marks a request whose answer is sent while it is made, and therefore never held in memory as a whole.
pub struct Unkept;

/// The status, the headers that belong to the body, and the body.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Answer {
    /// An answer with a JSON body.
    pub fn json(status: StatusCode, body: &impl Serialize) -> ApiResult<Self> {
        Ok(Self::text(status, serde_json::to_vec(body).map_err(ApiError::unexpected)?))
    }

    /// An answer with a body that is JSON text already.
    pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::of(status, MediaType::Json, body)
    }

    /// An answer with a body of a media type.
    pub fn of(status: StatusCode, media: MediaType, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("Content-Type".into(), media.content_type().into())], body: body.into() }
    }

    /// 200 with a JSON body.
    pub fn ok(body: &impl Serialize) -> ApiResult<Self> {
        Self::json(StatusCode::OK, body)
    }

    /// 201 for the new resource at `location`.
    pub fn created(location: &str, body: &impl Serialize) -> ApiResult<Self> {
        Ok(Self::json(StatusCode::CREATED, body)?.header("Location", location))
    }

    /// 204 without a body.
    pub fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Bytes::new() }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds the entity tag.
    pub fn etag(self, tag: &str) -> Self {
        self.header("ETag", tag)
    }

    /// Adds the hash of the body as the entity tag.
    pub fn tagged(self) -> Self {
        let tag = format!("\"{}\"", &hex::encode(Sha256::digest(&self.body))[..32]);
        self.etag(&tag)
    }

    /// The value of a header.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Says in which language the texts are, and that another language may be asked for.
    pub fn in_language(self, language: Language) -> Self {
        self.header("Content-Language", language.tag()).header("Vary", "Accept-Language")
    }

    /// Lets any cache keep the answer, on condition that it asks each time whether it is still valid: a change is seen at once.
    pub fn public(self) -> Self {
        self.header("Cache-Control", "public, max-age=0, must-revalidate")
    }

    /// Turns into 304 if the client has this state already. Call it after [`Answer::etag`].
    pub fn unless_known(mut self, preconditions: &Preconditions) -> Self {
        let tag = self.headers.iter().find(|(name, _)| name == "ETag").map(|(_, tag)| tag.as_str());
        if tag.is_some_and(|tag| preconditions.is_known(tag)) {
            self.status = StatusCode::NOT_MODIFIED;
            self.headers.retain(|(name, _)| name != "Content-Type");
            self.body = Bytes::new();
        }
        self
    }

    /// Adds a member to a JSON body that must not be kept for a retry.
    pub fn member(mut self, name: &str, value: Value) -> ApiResult<Self> {
        let mut body: Value = serde_json::from_slice(&self.body).map_err(ApiError::unexpected)?;
        body[name] = value;
        self.body = serde_json::to_vec(&body).map_err(ApiError::unexpected)?.into();
        Ok(self)
    }

    /// Whether the answer is a replay of an earlier one.
    pub fn is_replayed(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "Idempotent-Replayed")
    }

    /// The parts that are kept for a retry.
    pub fn parts(&self) -> (u16, Value, &[u8]) {
        (self.status.as_u16(), json!(self.headers), &self.body)
    }

    /// An answer that was kept earlier.
    pub fn replayed(status: i32, headers: Value, body: Vec<u8>) -> ApiResult<Self> {
        let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
        let headers = serde_json::from_value(headers).map_err(ApiError::unexpected)?;
        Ok(Self { status, headers, body: body.into() }.header("Idempotent-Replayed", "true"))
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.append_header((name.as_str(), value.as_str()));
        }
        response.body(self.body)
    }
}
