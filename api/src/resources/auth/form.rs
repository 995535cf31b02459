//! The forms that the endpoints of OAuth2 take.

use std::collections::BTreeMap;

use actix_web::web::Payload;
use actix_web::{HttpRequest, web};
use serde_json::{Value, json};

use crate::http::body;
use crate::http::problem::ApiResult;

/// The media type of a form.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
const LARGEST_FORM: usize = 16 * 1024;
/// The greatest number of characters of a form field.
pub(super) const LONGEST_FIELD: usize = 4096;

/// The fields of a form.
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a form; `None` if it cannot be read, or if a field occurs twice or is too long.
    pub(super) async fn read(request: &HttpRequest, payload: Payload) -> ApiResult<Option<Self>> {
        let media_type = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !media_type.to_ascii_lowercase().starts_with(FORM) {
            return Err(body::unsupported(media_type, &[FORM]));
        }
        body::must_be_plain(request)?;
        let bytes = body::read(payload.into_inner(), None, LARGEST_FORM).await?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let Ok(pairs) = web::Query::<Vec<(String, String)>>::from_query(text) else { return Ok(None) };
        let count = pairs.len();
        let fields = pairs.into_inner().into_iter().collect::<BTreeMap<_, _>>();
        // No value that the service knows can contain a NUL.
        let is_sound = |value: &String| !value.contains('\0') && value.chars().count() <= LONGEST_FIELD;
        // RFC 6749 §3.2: no parameter may occur twice, and unknown ones are ignored.
        let are_sound = fields.len() == count && fields.values().all(is_sound);
        Ok(are_sound.then_some(Self(fields)))
    }

    /// The value of a field that is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// The schema of a form. Unknown fields are ignored (RFC 6749 §3.2), so nothing is said of them.
pub(super) fn schema(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

/// The schema of a field.
pub(super) fn field(about: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_FIELD, "pattern": "^[^\\u0000]+$", "description": about })
}
