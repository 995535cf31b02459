//! Why no token is issued, in the form of RFC 6749 §5.2.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::http::answer::Answer;
use crate::http::language::{Language, Text};
use crate::http::problem::ApiResult;
use crate::http::schema::{Word, words};

/// The error codes of RFC 6749, and those that one-time codes need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OauthErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    UnsupportedGrantType,
    MfaRequired,
}

impl OauthErrorCode {
    const ALL: [Self; 6] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::InvalidScope,
        Self::UnsupportedGrantType,
        Self::MfaRequired,
    ];

    fn described(self) -> Word {
        let (en, id, about) = match self {
            Self::InvalidRequest => (
                "The request cannot be read",
                "Permintaan tidak dapat dibaca",
                "a parameter is missing, occurs twice or is too long.",
            ),
            Self::InvalidClient => {
                ("The client is wrong", "Klien salah", "the client is unknown or disabled, or its secret is wrong.")
            }
            Self::InvalidGrant => (
                "The login is wrong",
                "Data masuk salah",
                "the user name, the password, the one-time code or the refresh token is wrong or has ended.",
            ),
            Self::InvalidScope => ("The scope is wrong", "Cakupan salah", "the client does not have that scope."),
            Self::UnsupportedGrantType => {
                ("The grant type is not supported", "Jenis izin tidak didukung", "the grant type is not supported here.")
            }
            Self::MfaRequired => (
                "A one-time code is needed",
                "Diperlukan kode sekali pakai",
                "the password is right; send the same request again with `totp`.",
            ),
        };
        Word { word: json!(self).as_str().unwrap_or_default().to_owned(), en, id, about }
    }
}

impl PartialSchema for OauthErrorCode {
    fn schema() -> RefOr<Schema> {
        words("The error code of RFC 6749, a stable word to branch on.", &Self::ALL.map(Self::described))
    }
}

impl ToSchema for OauthErrorCode {
    fn name() -> Cow<'static, str> {
        "OauthErrorCode".into()
    }
}

/// Why no token was issued (RFC 6749 §5.2).
#[derive(Serialize, ToSchema)]
pub(super) struct OauthError {
    /// The error code.
    #[schema(example = "invalid_grant")]
    error: OauthErrorCode,
    /// What is wrong, in a sentence, in the language of `Accept-Language` (`en` or `id`).
    #[schema(max_length = 500)]
    error_description: String,
}

/// Why no token is issued.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    error: OauthErrorCode,
    text: Text,
}

/// An answer, or why there is none.
pub(super) type Issued = ApiResult<Result<Answer, Refusal>>;

impl Refusal {
    fn new(error: OauthErrorCode, en: &str, id: &str) -> Self {
        Self { error, text: Text::new(en, id) }
    }

    /// The request cannot be understood.
    pub(super) fn request(en: &str, id: &str) -> Self {
        Self::new(OauthErrorCode::InvalidRequest, en, id)
    }

    /// What was sent lets nobody in.
    pub(super) fn grant(en: &str, id: &str) -> Self {
        Self::new(OauthErrorCode::InvalidGrant, en, id)
    }

    /// A client that is unknown or disabled, or whose secret is wrong; the answer is the same for each (RFC 6749 §5.2).
    pub(super) fn client() -> Self {
        Self::new(OauthErrorCode::InvalidClient, "The client or its secret is wrong.", "Klien atau rahasianya salah.")
    }

    /// The client lacks the scope.
    pub(super) fn scope() -> Self {
        Self::new(OauthErrorCode::InvalidScope, "The client does not have that scope.", "Klien tidak memiliki cakupan itu.")
    }

    /// The grant type is not supported.
    pub(super) fn grant_type(en: &str, id: &str) -> Self {
        Self::new(OauthErrorCode::UnsupportedGrantType, en, id)
    }

    /// The password is right, and a one-time code is needed as well.
    pub(super) fn mfa() -> Self {
        let en = "A one-time code is needed. Send the same request again with the code, or with a recovery code, as `totp`.";
        let id = "Diperlukan kode sekali pakai. Kirim permintaan yang sama sekali lagi dengan kode itu, atau dengan kode pemulihan, sebagai `totp`.";
        Self::new(OauthErrorCode::MfaRequired, en, id)
    }

    /// The answer, in the language of the request.
    pub(super) fn answer(self, request: &HttpRequest) -> ApiResult<Answer> {
        let language = Language::preferred(request.headers());
        let is_client = self.error == OauthErrorCode::InvalidClient;
        let status = if is_client { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let body = OauthError { error: self.error, error_description: self.text.to(language).to_owned() };
        let answer = Answer::json(status, &body)?.header("Cache-Control", "no-store").header("Content-Language", language.tag());
        Ok(if is_client { answer.header("WWW-Authenticate", "Basic realm=\"renaksi\"") } else { answer })
    }
}
