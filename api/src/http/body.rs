//! Request bodies: bounded, JSON, and checked against the very schema that the document shows.

use std::any::TypeId;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, RwLock};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, web::BytesMut};
use futures_util::StreamExt;
use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::json::{self, escaped};
use super::language::Text;
use super::problem::{ApiError, ApiResult, FieldError, codes};
use super::{schema, wording};

/// The largest JSON body that is read.
pub const LARGEST_BODY: usize = 1024 * 1024;
/// The longest a body may take to arrive.
const LONGEST_READ: Duration = Duration::from_secs(30);

/// A JSON body, not yet checked against a schema.
pub struct JsonBody {
    /// What was sent.
    pub value: Value,
    /// SHA-256 of the bytes, for retries.
    pub fingerprint: String,
}

impl FromRequest for JsonBody {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let readable =
            essence == "application/json" || (request.method() == "PATCH" && essence == "application/merge-patch+json");
        let payload = payload.take();
        let declared = request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        let refused = if readable { must_be_plain(request).err() } else { Some(other_media_type(request, &essence)) };
        Box::pin(async move {
            if let Some(refused) = refused {
                return Err(refused);
            }
            let bytes = read(payload, declared, LARGEST_BODY).await?;
            let value = json::read_body(&bytes)?;
            Ok(Self { value, fingerprint: hex::encode(Sha256::digest(&bytes)) })
        })
    }
}

/// 415 for another media type than JSON.
fn other_media_type(request: &HttpRequest, given: &str) -> ApiError {
    let accepted = if request.method() == "PATCH" {
        &["application/merge-patch+json", "application/json"][..]
    } else {
        &["application/json"][..]
    };
    unsupported(given, accepted)
        .header("Accept-Patch", "application/merge-patch+json, application/json")
        .header("Accept-Post", "application/json")
}

/// 415 that names what is accepted.
pub fn unsupported(given: &str, accepted: &[&str]) -> ApiError {
    let list = |or: &str| accepted.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(&format!(" {or} "));
    let (came, came_id) = if given.is_empty() {
        ("The request has no Content-Type.".to_owned(), "Permintaan tidak memiliki Content-Type.".to_owned())
    } else {
        (format!("`{given}` is not read here."), format!("`{given}` tidak dibaca di sini."))
    };
    ApiError::new(codes::UNSUPPORTED_MEDIA_TYPE).detail(
        format!("{came} Send `Content-Type` {}.", list("or")),
        format!("{came_id} Kirim `Content-Type` {}.", list("atau")),
    )
}

/// 415 where the body is compressed: outside of pushes it is read as it is.
pub fn must_be_plain(request: &HttpRequest) -> ApiResult<()> {
    let coding = request.headers().get(CONTENT_ENCODING).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
    match coding.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")) {
        None => Ok(()),
        Some(coding) => Err(ApiError::new(codes::UNSUPPORTED_MEDIA_TYPE)
            .detail(
                format!("The body is compressed (`Content-Encoding: {coding}`), which is not read here. Send it uncompressed."),
                format!("Isi permintaan dimampatkan (`Content-Encoding: {coding}`), yang tidak dibaca di sini. Kirim tanpa pemampatan."),
            )
            .header("Accept-Encoding", "identity")),
    }
}

/// The body of a step that needs none: nothing, or `{}`.
pub struct OptionalBody {
    /// SHA-256 of the bytes, for retries.
    pub fingerprint: String,
}

impl FromRequest for OptionalBody {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        // Many clients name a media type also where they send nothing.
        let has_length = request.headers().get("content-length").is_some_and(|length| length != "0");
        if !has_length && !request.headers().contains_key("transfer-encoding") {
            return Box::pin(async { Ok(Self { fingerprint: String::new() }) });
        }
        let body = JsonBody::from_request(request, payload);
        Box::pin(async move {
            let body = body.await?;
            match body.value {
                Value::Object(members) if members.is_empty() => Ok(Self { fingerprint: body.fingerprint }),
                Value::Object(members) => {
                    let text = || Text::new("No member of this name is known here.", "Anggota dengan nama ini tidak dikenal.");
                    let field_errors =
                        members.keys().map(|name| FieldError::at(format!("/{}", escaped(name)), "unknown_field", text()));
                    Err(ApiError::invalid(field_errors.collect()))
                }
                _ => Err(ApiError::field_error("", "wrong_type", "Expected an object.", "Seharusnya berupa objek.")),
            }
        })
    }
}

/// Reads a body of at most `limit` bytes within [`LONGEST_READ`]; what is longer is refused before it is read.
pub async fn read(payload: Payload, declared: Option<usize>, limit: usize) -> ApiResult<BytesMut> {
    let too_slow =
        || ApiError::new(codes::MALFORMED).detail("The body took too long to arrive.", "Isi permintaan terlalu lama tiba.");
    timeout(LONGEST_READ, read_all(payload, declared, limit)).await.map_err(|_| too_slow())?
}

async fn read_all(mut payload: Payload, declared: Option<usize>, limit: usize) -> ApiResult<BytesMut> {
    let too_large = || {
        ApiError::new(codes::TOO_LARGE)
            .detail(format!("At most {limit} bytes are read here."), format!("Paling banyak {limit} bita dibaca di sini."))
    };
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|_| ApiError::new(codes::MALFORMED).detail("The body was cut short.", "Isi permintaan terputus."))?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

impl JsonBody {
    /// The body as a `T`, or every field error it has.
    pub fn read<T: DeserializeOwned + ToSchema + 'static>(self) -> ApiResult<T> {
        accept(self.value)
    }
}

/// `value` as a `T`, or every field error it has by the schema of `T`.
pub fn accept<T: DeserializeOwned + ToSchema + 'static>(value: Value) -> ApiResult<T> {
    accept_or_field_errors(value).map_err(ApiError::invalid)
}

/// The same, for one row among several.
pub fn accept_or_field_errors<T: DeserializeOwned + ToSchema + 'static>(value: Value) -> Result<T, Vec<FieldError>> {
    let field_errors = field_errors_of(&value, &validator::<T>());
    if !field_errors.is_empty() {
        return Err(field_errors);
    }
    // The place of a field error is looked for only where there is one.
    T::deserialize(&value).or_else(|_| deserialize_or_field_error(value)).map_err(|field_error| vec![field_error])
}

/// `value` as a `T`, where a schema was checked before: what is left are rules a schema cannot say.
pub fn deserialize<T: DeserializeOwned>(value: Value) -> ApiResult<T> {
    deserialize_or_field_error(value).map_err(|field_error| ApiError::invalid(vec![field_error]))
}

/// The same, for one row among several.
pub fn deserialize_or_field_error<T: DeserializeOwned>(value: Value) -> Result<T, FieldError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let pointer = error.path().iter().map(|segment| format!("/{segment}")).collect::<String>();
        FieldError::at(pointer, "invalid_value", wording::of_value(&error.inner().to_string()))
    })
}

/// The validator of the schema that requests of type `T` must have; made once for each type.
fn validator<T: ToSchema + 'static>() -> Arc<Validator> {
    cached(TypeId::of::<T>(), schema::input::<T>)
}

/// The validator kept under `key`, made from `schema` at first use.
pub fn cached(key: TypeId, schema: impl FnOnce() -> Value) -> Arc<Validator> {
    static VALIDATORS: LazyLock<RwLock<HashMap<TypeId, Arc<Validator>>>> = LazyLock::new(RwLock::default);
    let known = VALIDATORS.read().ok().and_then(|validators| validators.get(&key).cloned());
    known.unwrap_or_else(|| {
        let built =
            jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true).build(&schema());
        let validator = Arc::new(built.expect("a schema is part of the program, and the tests use each of them"));
        if let Ok(mut validators) = VALIDATORS.write() {
            validators.insert(key, Arc::clone(&validator));
        }
        validator
    })
}

/// Every field error of `value` by a schema, and every NUL character, which no database text can hold.
pub fn field_errors_of(value: &Value, validator: &Validator) -> Vec<FieldError> {
    let mut field_errors = Vec::new();
    if holds_nul(value) {
        find_nul(value, String::new(), &mut field_errors);
    }
    // Most bodies are sound, and that is known sooner than what is wrong with one.
    if field_errors.is_empty() && !validator.is_valid(value) {
        for error in validator.iter_errors(value).take(wording::MOST_FIELD_ERRORS) {
            wording::explain(&error, &mut field_errors);
        }
    }
    field_errors
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.values().any(holds_nul),
        _ => false,
    }
}

fn find_nul(value: &Value, pointer: String, field_errors: &mut Vec<FieldError>) {
    match value {
        Value::String(text) if text.contains('\0') => field_errors.push(FieldError::at(
            pointer,
            "nul_character",
            Text::new("A NUL character is not allowed.", "Karakter NUL tidak diperbolehkan."),
        )),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_nul(item, format!("{pointer}/{index}"), field_errors);
            }
        }
        Value::Object(members) => find_nul_in_object(members, &pointer, field_errors),
        _ => {}
    }
}

fn find_nul_in_object(members: &Map<String, Value>, pointer: &str, field_errors: &mut Vec<FieldError>) {
    for (name, member) in members {
        find_nul(member, format!("{pointer}/{}", escaped(name)), field_errors);
    }
}
