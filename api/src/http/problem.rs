//! Every error of the service, in one form: RFC 9457 `application/problem+json`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use sea_orm::{DbErr, SqlErr};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use super::codes::{self, Code};
use super::error_codes::{FaultCode, ProblemCode, is_of_a_field_error};
use super::language::{Language, Noun, Text};
use super::request_id;
use super::trouble::{Trouble, trouble};

/// One field error of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    place: Place,
    code: &'static str,
    text: Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Body(String),
    Parameter(String),
}

impl FieldError {
    /// A field error in the body; `pointer` is an RFC 6901 JSON pointer.
    pub fn at(pointer: impl Into<String>, code: &'static str, text: Text) -> Self {
        debug_assert!(is_of_a_field_error(code), "`{code}` is not in the table of faults");
        Self { place: Place::Body(pointer.into()), code, text }
    }

    /// Whether the error is at this place of the body and has one of these codes.
    pub fn is(&self, pointer: &str, codes: &[&str]) -> bool {
        matches!(&self.place, Place::Body(place) if place == pointer) && codes.contains(&self.code)
    }

    /// The member of the body in which the error is; nothing for the body itself.
    pub fn member(&self) -> Option<&str> {
        match &self.place {
            Place::Body(pointer) => pointer.strip_prefix('/')?.split('/').next(),
            Place::Parameter(_) => None,
        }
    }

    /// The field error in English, for a terminal.
    pub fn sentence(&self) -> String {
        let (Place::Body(place) | Place::Parameter(place)) = &self.place;
        format!("{place}: {}", self.text.to(Language::English))
    }

    /// A field error in a query parameter.
    pub fn in_parameter(name: impl Into<String>, code: &'static str, text: Text) -> Self {
        debug_assert!(is_of_a_field_error(code), "`{code}` is not in the table of faults");
        Self { place: Place::Parameter(name.into()), code, text }
    }
}

/// An error on its way to the client.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .0.code.name)]
pub struct ApiError(Box<Parts>);

/// Boxed, because errors are rare and every result would otherwise be as large as one.
#[derive(Clone, Debug)]
struct Parts {
    code: Code,
    detail: Option<Text>,
    field_errors: Vec<FieldError>,
    headers: Vec<(&'static str, String)>,
    members: Map<String, Value>,
}

/// The result of a handler.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error that its code alone explains.
    pub fn new(code: Code) -> Self {
        let (field_errors, headers, members) = (Vec::new(), Vec::new(), Map::new());
        Self(Box::new(Parts { code, detail: None, field_errors, headers, members }))
    }

    /// Adds a sentence about this occurrence of the error.
    pub fn detail(mut self, en: impl Into<String>, id: impl Into<String>) -> Self {
        self.0.detail = Some(Text::new(en, id));
        self
    }

    /// Adds a sentence about this occurrence of the error that exists in both languages already.
    pub fn says(mut self, text: Text) -> Self {
        self.0.detail = Some(text);
        self
    }

    /// Adds a header to the answer.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    /// Adds a member to the problem document.
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    fn with(mut self, mut field_errors: Vec<FieldError>) -> Self {
        field_errors.truncate(MOST_FIELD_ERRORS);
        self.0.field_errors = field_errors;
        self
    }

    /// 422 with every field error of the body.
    pub fn invalid(field_errors: Vec<FieldError>) -> Self {
        Self::new(codes::INVALID).with(field_errors)
    }

    /// 422 with one field error.
    pub fn field_error(pointer: impl Into<String>, code: &'static str, en: impl Into<String>, id: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::at(pointer, code, Text::new(en, id))])
    }

    /// 400 with every field error of the query.
    pub fn parameters(field_errors: Vec<FieldError>) -> Self {
        Self::new(codes::INVALID_PARAMETER).with(field_errors)
    }

    /// 400 for one query parameter.
    pub fn parameter(name: &str, en: impl Into<String>, id: impl Into<String>) -> Self {
        Self::parameters(vec![FieldError::in_parameter(name, "invalid_value", Text::new(en, id))])
    }

    /// 404 for what is called so.
    pub fn not_found(noun: impl Into<Noun>, key: &str) -> Self {
        let Noun { en, id } = noun.into();
        Self::new(codes::NOT_FOUND).detail(format!("There is no {en} `{key}`."), format!("Tidak ada {id} `{key}`."))
    }

    /// 401 for a request without a token: the challenge of RFC 6750 says nothing more.
    pub fn no_token() -> Self {
        Self::new(codes::UNAUTHENTICATED)
            .detail("There is no access token.", "Tidak ada token akses.")
            .header("WWW-Authenticate", "Bearer realm=\"renaksi\"")
    }

    /// 401 for a token that is not valid.
    pub fn invalid_token(en: &str, id: &str) -> Self {
        Self::new(codes::UNAUTHENTICATED)
            .detail(en, id)
            .header("WWW-Authenticate", "Bearer realm=\"renaksi\", error=\"invalid_token\"")
    }

    /// 500; the cause is logged and never shown.
    pub fn unexpected(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "unexpected error");
        Self::new(codes::INTERNAL)
    }

    /// 503 for a database that does not answer.
    pub fn unavailable(cause: impl std::fmt::Display) -> Self {
        tracing::warn!(%cause, "database unavailable");
        Self::new(codes::UNAVAILABLE).header("Retry-After", "2")
    }

    /// 503 while other requests are served.
    pub fn busy() -> Self {
        Self::new(codes::BUSY).header("Retry-After", "2")
    }

    /// The error in one English sentence, for a terminal.
    pub fn sentence(&self) -> String {
        let detail = self.0.detail.as_ref().map(|text| text.to(Language::English).to_owned());
        let field_errors = self.0.field_errors.iter().map(FieldError::sentence);
        [self.0.code.title.to_owned()].into_iter().chain(detail).chain(field_errors).collect::<Vec<_>>().join(": ")
    }

    /// What is wrong, in sentences for people: of each field error, or of the whole.
    pub fn sentences(&self, language: Language) -> Vec<String> {
        let Parts { code, detail, field_errors, .. } = &*self.0;
        let named = |error: &FieldError| match error.shown(language) {
            ProblemFault { parameter: Some(parameter), detail, .. } => format!("{parameter}: {detail}"),
            ProblemFault { detail, .. } => detail,
        };
        let whole = || match detail {
            Some(detail) => detail.to(language).to_owned(),
            None => Text::new(code.title, code.title_id).to(language).to_owned(),
        };
        if field_errors.is_empty() { vec![whole()] } else { field_errors.iter().map(named).collect() }
    }

    /// The code of the error.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The error as the field error of one item among several. It is `None` for a failure of the service, which concerns all
    /// items.
    pub fn as_field_error(&self) -> Option<FieldError> {
        if let Some(field_error) = self.0.field_errors.first() {
            return Some(field_error.clone());
        }
        let code = self.0.code;
        let text = self.0.detail.clone().unwrap_or_else(|| Text::new(code.title, code.title_id));
        (code.status < 500).then(|| FieldError::at("", code.name, text))
    }

    /// The answer in the language of the request.
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let language = Language::preferred(request.headers());
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &self.0.headers {
            response.insert_header((*name, value.as_str()));
        }
        response.insert_header(("Content-Language", language.tag()));
        let problem = self.problem(language, Some(request.path()), request_id::of(request).as_deref());
        let mut response = response.content_type(MEDIA_TYPE).body(serde_json::to_vec(&problem).unwrap_or_default());
        if self.0.code.name == codes::UNAVAILABLE.name {
            response.extensions_mut().insert(DatabaseAway);
        }
        response
    }

    fn problem(&self, language: Language, instance: Option<&str>, request_id: Option<&str>) -> Problem {
        let title = match language {
            Language::English => self.0.code.title,
            Language::Indonesian => self.0.code.title_id,
        };
        let errors = self.0.field_errors.iter().map(|field_error| FieldError::shown(field_error, language)).collect::<Vec<_>>();
        Problem {
            r#type: format!("/problems/{}", self.0.code.name),
            title: title.to_owned(),
            status: self.0.code.status,
            detail: self.0.detail.as_ref().map(|text| presentable(text.to(language), LONGEST_DETAIL)),
            instance: instance.map(str::to_owned),
            code: self.0.code.name.to_owned(),
            request_id: request_id.map(str::to_owned),
            errors: (!errors.is_empty()).then_some(errors),
            more: self.0.members.clone(),
        }
    }
}

/// Marks an answer 503 that was given because the database did not answer.
pub struct DatabaseAway;

/// The greatest number of field errors that one answer lists.
const MOST_FIELD_ERRORS: usize = 1000;

/// The media type of RFC 9457.
pub const MEDIA_TYPE: &str = "application/problem+json";

impl FieldError {
    /// The field error in the form in which an answer shows it.
    pub fn shown(&self, language: Language) -> ProblemFault {
        let (pointer, parameter) = match &self.place {
            Place::Body(pointer) => (Some(presentable(pointer, LONGEST_PLACE)), None),
            Place::Parameter(name) => (None, Some(presentable(name, LONGEST_PLACE))),
        };
        let detail = presentable(self.text.to(language), LONGEST_DETAIL);
        ProblemFault { pointer, parameter, code: self.code.to_owned(), detail }
    }
}

/// The greatest number of characters of a pointer or a parameter name, and of a detail. Both may quote what a client sent.
const LONGEST_PLACE: usize = 1000;
const LONGEST_DETAIL: usize = 2000;

/// Text that a client sent, as far as an answer repeats it: shortened, and without NUL.
fn presentable(text: &str, most: usize) -> String {
    text.chars().take(most).map(|character| if character == '\0' { '\u{fffd}' } else { character }).collect()
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The middleware replaces this answer with [`ApiError::respond`], which knows the request.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl From<DbErr> for ApiError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::new(codes::ALREADY_EXISTS),
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::new(codes::CONFLICT).detail(
                "A resource to which this one refers was removed, or another resource still refers to this one.",
                "Data yang dirujuk telah dihapus atau masih dirujuk.",
            ),
            _ => match trouble(&error) {
                Some(Trouble::Away) => Self::unavailable(error),
                Some(Trouble::Busy) => {
                    tracing::warn!(%error, "the database gave up waiting");
                    Self::busy()
                }
                Some(Trouble::Full) => {
                    tracing::error!(%error, "the database has no room");
                    Self::new(codes::STORAGE_FULL).header("Retry-After", "30")
                }
                None => Self::unexpected(error),
            },
        }
    }
}

/// An error, in the form of RFC 9457 "Problem Details for HTTP APIs".
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// The path of the page that explains this kind of problem: `/problems/` and the code.
    #[schema(example = "/problems/invalid", max_length = 200, pattern = r"^/problems/[a-z_]+$")]
    pub r#type: String,
    /// A short title, in the language of `Accept-Language` (`en` or `id`).
    #[schema(example = "The body can be read but breaks a rule", max_length = 200)]
    pub title: String,
    /// The HTTP status code.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong in this occurrence of the problem.
    #[schema(max_length = 2000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// The path that was requested.
    #[schema(example = "/v1/kpis", max_length = 8192)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub instance: Option<String>,
    /// The code of the problem, a stable word to branch on.
    #[schema(value_type = ProblemCode, example = "invalid")]
    pub code: String,
    /// The `X-Request-Id` of this answer. Name it when you ask for help.
    #[schema(max_length = 128)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request_id: Option<String>,
    /// Every field error of the request; at most the first thousand.
    #[schema(max_items = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub errors: Option<Vec<ProblemFault>>,
    #[serde(flatten)]
    #[schema(ignore)]
    more: Map<String, Value>,
}

/// One field error of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemFault {
    /// The place in the body that is wrong: an RFC 6901 JSON pointer.
    #[schema(example = "/targets/0/value", max_length = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pointer: Option<String>,
    /// The name of the query parameter that is wrong.
    #[schema(example = "sort", max_length = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parameter: Option<String>,
    /// The code of the field error, a stable word to branch on.
    #[schema(value_type = FaultCode, example = "required")]
    pub code: String,
    /// What is wrong, and what is allowed instead.
    #[schema(example = "This member is required.", max_length = 2000)]
    pub detail: String,
}
