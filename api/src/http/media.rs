//! Media types of answers: what an operation is described to answer with is what a request can ask it for with `Accept`.

use actix_web::http::header::{ACCEPT, HeaderMap};
use actix_web::{HttpMessage, HttpRequest};
use serde_json::Value;

use super::problem::{ApiError, ApiResult, codes};

/// A media type that operations answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// JSON (RFC 8259).
    Json,
    /// Server-Sent Events.
    EventStream,
    /// SVG pictures.
    Svg,
    /// HTML pages.
    Html,
    /// Tables as CSV (RFC 4180).
    Csv,
    /// Several files in one.
    Zip,
    /// Linked data as JSON (JSON-LD 1.1).
    JsonLd,
}

impl MediaType {
    const ALL: [Self; 7] = [Self::Json, Self::EventStream, Self::Svg, Self::Html, Self::Csv, Self::Zip, Self::JsonLd];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::EventStream => "text/event-stream",
            Self::Svg => "image/svg+xml",
            Self::Html => "text/html",
            Self::Csv => "text/csv",
            Self::Zip => "application/zip",
            Self::JsonLd => "application/ld+json",
        }
    }

    /// Its `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            // RFC 7111 asks for the parameter `header`.
            Self::Csv => "text/csv; charset=utf-8; header=present",
            other => other.name(),
        }
    }

    /// Whether an answer with this `Content-Type` has an end, so that it can be kept.
    pub fn ends(content_type: &str) -> bool {
        Self::ALL.into_iter().any(|media| media != Self::EventStream && media.content_type() == content_type)
    }

    /// Those that the description of an operation has for its successful answers, in their order; JSON where these have no body.
    pub fn described(operation: &Value) -> Vec<Self> {
        let responses = operation["responses"].as_object().into_iter().flatten();
        let successful = responses.filter(|(status, _)| status.starts_with('2')).map(|(_, response)| response);
        let contents = successful.filter_map(|response| response["content"].as_object()).collect::<Vec<_>>();
        let is_described = |media: &Self| contents.iter().any(|content| content.contains_key(media.name()));
        let described = Self::ALL.into_iter().filter(is_described).collect::<Vec<_>>();
        if described.is_empty() { vec![Self::Json] } else { described }
    }

    /// Notes with a request that it asks for this one, whatever it accepts: its path says so.
    pub fn choose(self, request: &HttpRequest) {
        request.extensions_mut().insert(self);
    }

    /// The one that a request was found to accept best.
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get().copied().unwrap_or(Self::Json)
    }
}

/// Chooses among the media types that an operation offers, the first being its own choice (RFC 9110 §12.5.1), and notes it with the
/// request. 406 if the client accepts none of them.
pub fn negotiate(request: &HttpRequest, offered: &[MediaType]) -> ApiResult<()> {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
    let chosen = if accepted.trim().is_empty() {
        offered.first().copied()
    } else {
        let mut best: Option<(f32, MediaType)> = None;
        for media in offered {
            let weight = weight(&accepted, media.name());
            if weight > 0.0 && best.is_none_or(|(known, _)| weight > known) {
                best = Some((weight, *media));
            }
        }
        best.map(|(_, media)| media)
    };
    let Some(chosen) = chosen else {
        let names = offered.iter().map(|media| format!("`{}`", media.name())).collect::<Vec<_>>().join(", ");
        return Err(ApiError::new(codes::NOT_ACCEPTABLE)
            .detail(format!("Available here: {names}."), format!("Yang tersedia di sini: {names}.")));
    };
    chosen.choose(request);
    Ok(())
}

/// Whether a client would rather have the one media type than the other.
pub fn prefers(headers: &HeaderMap, one: MediaType, other: MediaType) -> bool {
    let accepted = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
    weight(&accepted, one.name()) > weight(&accepted, other.name())
}

/// How much a client wants a media type: by the most specific range that covers it; 0 if none does.
fn weight(accepted: &str, name: &str) -> f32 {
    let kind = name.split('/').next().unwrap_or_default();
    let mut best = (0, 0.0);
    for range in accepted.split(',').take(50) {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        // Whoever asks for problems only takes what is none as JSON too: the answer is not known yet.
        let is_same = media == name || (name == "application/json" && media == "application/problem+json");
        let specific = match media.as_str() {
            _ if is_same => 3,
            "*/*" => 1,
            _ if media.strip_suffix("/*") == Some(kind) => 2,
            _ => continue,
        };
        if specific > best.0 {
            best = (specific, weight);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_most_specific_range_decides() {
        assert_eq!(weight("*/*;q=0.5, application/json;q=0", "application/json"), 0.0);
        assert_eq!(weight("text/*, application/*;q=0.3", "application/json"), 0.3);
        assert_eq!(weight("text/html", "application/json"), 0.0);
        assert_eq!(weight("application/problem+json", "application/json"), 1.0);
    }

    #[test]
    fn what_is_described_is_offered() {
        let stream = json!({ "responses": { "200": { "content": { "text/event-stream": {} } }, "404": { "content": { "application/json": {} } } } });
        assert_eq!(MediaType::described(&stream), [MediaType::EventStream]);
        assert_eq!(MediaType::described(&json!({ "responses": { "204": {} } })), [MediaType::Json]);
    }
}
