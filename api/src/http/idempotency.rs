//! The `Idempotency-Key` of a request (draft-ietf-httpapi-idempotency-key-header-07), quoted or bare.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::problem::{ApiError, ApiResult, codes};

/// The key that a client gave to this request, if any.
#[derive(Clone, Debug, Default)]
pub struct IdempotencyKey(pub Option<String>);

impl FromRequest for IdempotencyKey {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get("idempotency-key") else {
            return ready(Ok(Self(None)));
        };
        let key = value.to_str().ok().map(|text| text.trim().trim_matches('"'));
        let key = key.filter(|key| (1..=255).contains(&key.len()) && key.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        ready(match key {
            Some(key) => Ok(Self(Some(key.to_owned()))),
            None => Err(ApiError::new(codes::MALFORMED).detail(
                "`Idempotency-Key` must have 1 to 255 printable ASCII characters.",
                "`Idempotency-Key` harus terdiri dari 1 sampai 255 karakter ASCII yang dapat dicetak.",
            )),
        })
    }
}
