//! The conditional requests of RFC 9110 §13: `If-Match` against lost updates, `If-None-Match` against answers that the client has already.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, IF_MATCH, IF_NONE_MATCH};
use actix_web::{FromRequest, HttpRequest};
use chrono::{DateTime, Utc};

use super::problem::{ApiError, ApiResult, codes};

/// The entity tag of a row: its version and its time of creation, so that a row that is created anew under an old code has
/// another tag.
pub fn entity_tag(version: i32, created_at: DateTime<Utc>) -> String {
    format!("\"{version}-{:x}\"", created_at.timestamp_micros())
}

/// The entity tag of a representation that also holds what changes without a write; `rest` tells such representations apart.
pub fn entity_tag_with(version: i32, created_at: DateTime<Utc>, rest: &str) -> String {
    format!("\"{version}-{:x}.{rest}\"", created_at.timestamp_micros())
}

/// The part of an entity tag that names the version of what clients write.
pub fn version_of(tag: &str) -> &str {
    tag.trim_matches('"').split('.').next().unwrap_or_default()
}

/// What shows its entity tag to whoever wants to change it.
pub trait Tagged: Sized {
    /// The same with its entity tag.
    fn tagged(self, etag: String) -> Self;
}

/// The preconditions that a request carries.
#[derive(Clone, Debug, Default)]
pub struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    Any,
    Listed(Vec<String>),
}

impl FromRequest for Preconditions {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request.headers()))
    }
}

impl Preconditions {
    /// Those of a request with these headers. 400 where a list of entity tags is malformed.
    pub fn read(headers: &HeaderMap) -> ApiResult<Self> {
        Ok(Self {
            if_match: Tags::read(headers, IF_MATCH.as_str())?,
            if_none_match: Tags::read(headers, IF_NONE_MATCH.as_str())?,
        })
    }

    /// Those of a client that has the state with this entity tag.
    pub fn knowing(tag: &str) -> Self {
        Self { if_none_match: listed(tag).map(Tags::Listed), ..Self::default() }
    }

    /// Lets a write of an existing row pass only if the client has seen its present state; otherwise 428 or 412.
    pub fn must_match(&self, current: &str) -> ApiResult<()> {
        if self.creates_only() {
            return Err(stale(current).detail("The resource exists already.", "Data sudah ada."));
        }
        match &self.if_match {
            None => Err(ApiError::new(codes::PRECONDITION_REQUIRED)),
            Some(tags) if tags.cover_version(current) => Ok(()),
            Some(_) => Err(stale(current)),
        }
    }

    /// Lets a step that does not require `If-Match` pass, unless the client sent one that does not match: 412.
    pub fn must_match_if_given(&self, current: &str) -> ApiResult<()> {
        if self.if_match.is_none() { Ok(()) } else { self.must_match(current) }
    }

    /// Lets a `PUT` of a row that does not exist pass, unless the client expected the row to exist.
    pub fn must_allow_creation(&self) -> ApiResult<()> {
        match self.if_match {
            None => Ok(()),
            Some(_) => Err(ApiError::new(codes::STALE)
                .detail("The resource does not exist, or no longer does.", "Data tidak ada, atau sudah tidak ada lagi.")),
        }
    }

    /// Whether the client sent `If-None-Match: *`, which creates and never replaces.
    pub fn creates_only(&self) -> bool {
        self.if_none_match == Some(Tags::Any)
    }

    /// Whether the client has the present state already, so that the answer is 304.
    pub fn is_known(&self, current: &str) -> bool {
        self.if_none_match.as_ref().is_some_and(|tags| tags.cover(current))
    }
}

fn stale(current: &str) -> ApiError {
    ApiError::new(codes::STALE).header("ETag", current).member("current_etag", current)
}

impl Tags {
    fn read(headers: &HeaderMap, name: &'static str) -> ApiResult<Option<Self>> {
        let mut tags = Vec::new();
        for value in headers.get_all(name) {
            let malformed = || {
                ApiError::new(codes::MALFORMED)
                    .detail(format!("`{name}` is not a list of entity tags."), format!("`{name}` bukan daftar entity tag."))
            };
            let text = value.to_str().map_err(|_| malformed())?.trim();
            if text == "*" {
                return Ok(Some(Self::Any));
            }
            tags.extend(listed(text).ok_or_else(malformed)?);
        }
        Ok((!tags.is_empty()).then_some(Self::Listed(tags)))
    }

    fn cover(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(|tag| tag == current.strip_prefix("W/").unwrap_or(current)),
        }
    }

    /// Whether one of the tags names the version of `current`. What was only computed anew in the meantime is no lost update.
    fn cover_version(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(|tag| version_of(tag) == version_of(current)),
        }
    }
}

/// The suffixes that proxies and servers add to a tag when they compress: Apache (`-gzip`, and `;gzip` in old versions), Jetty
/// (`--gzip`), Traefik, Caddy and others.
const MARKS: [&str; 12] =
    ["--gzip", "-gzip", ";gzip", "--br", "-br", ";br", "--zstd", "-zstd", ";zstd", "--deflate", "-deflate", ";deflate"];

/// A tag without the suffixes of proxies. Tags of this service end in hexadecimal digits, so no part of one is taken for a
/// suffix.
fn unmarked(tag: &str) -> &str {
    MARKS.iter().find_map(|mark| tag.strip_suffix(mark)).unwrap_or(tag)
}

/// The entity tags in a list, as they left this service. A proxy that compresses marks a tag as weak or adds a suffix. Since the
/// tags name a version and not bytes, such tags are still valid.
fn listed(text: &str) -> Option<Vec<String>> {
    let (mut tags, mut rest) = (Vec::new(), text);
    loop {
        let (tag, after) = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        if !tag.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        tags.push(format!("\"{}\"", unmarked(tag)));
        match after.trim_start() {
            "" => return Some(tags),
            after => rest = after.strip_prefix(',')?.trim_start(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_entity_tags_is_read_whole_or_not_at_all() {
        assert_eq!(listed("\"1-a\""), Some(vec!["\"1-a\"".to_owned()]));
        assert_eq!(listed("W/\"1,a\" , \"\""), Some(vec!["\"1,a\"".to_owned(), "\"\"".to_owned()]));
        for wrong in ["", "1-a", "\"", "\"a", "\"a\",", "\"a\" \"b\"", "\"a b\"", "w/\"a\""] {
            assert_eq!(listed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_tag_that_a_proxy_marked_is_what_it_was() {
        for tag in ["3-5ea1b0c2d3e4f", "3-5ea1b0c2d3e4f.0a1b2c3d4e5f", "0123456789abcdef0123456789abcdef", "1-0b"] {
            for mark in MARKS.into_iter().chain([""]) {
                for weak in ["", "W/"] {
                    assert_eq!(listed(&format!("{weak}\"{tag}{mark}\"")), Some(vec![format!("\"{tag}\"")]), "{weak}{tag}{mark}");
                }
            }
        }
    }
}
