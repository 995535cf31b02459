//! Every error of the service, in one form: RFC 9457 `application/problem+json`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::error_codes::{FaultCode, ProblemCode, is_of_a_field_error};
use super::language::{Language, Noun, Text};
use super::request_id;

/// The kind of an error, as a stable word on which clients branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The HTTP status of the answer.
    pub status: u16,
    /// The stable word, which is also the last part of the problem's `type`.
    pub name: &'static str,
    /// The title in English.
    pub title: &'static str,
    /// The title in Indonesian.
    pub title_id: &'static str,
    /// What a client can do about the error: the text of the page under `/problems/`.
    pub advice: &'static str,
    /// The same in Indonesian.
    pub advice_id: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $status:literal $name:literal, $title:literal, $title_id:literal, $advice:literal, $advice_id:literal;)*) => {
        $(
            #[doc = $title]
            pub const $constant: Code = Code {
                status: $status, name: $name, title: $title, title_id: $title_id, advice: $advice, advice_id: $advice_id,
            };
        )*
        /// Every code.
        pub const ALL: &[Code] = &[$($constant),*];
    };
}

/// The codes, one per line: status, word, title in both languages, advice in both.
pub mod codes {
    use super::Code;

    codes! {
        MALFORMED = 400 "malformed_request", "The request cannot be read", "Permintaan tidak dapat dibaca", "Look at `detail`: for JSON it names the line and the column.", "Lihat `detail`: untuk JSON, baris dan kolomnya disebutkan di sana.";
        INVALID_PARAMETER = 400 "invalid_parameter", "A query parameter is unknown or has an impossible value", "Parameter kueri tidak dikenal atau nilainya tidak mungkin", "Each entry of `errors` names the parameter and what is allowed.", "Setiap entri `errors` menyebutkan parameternya dan apa yang diperbolehkan.";
        INVALID_CURSOR = 400 "invalid_cursor", "The cursor does not belong to this list", "Kursor bukan milik daftar ini", "Use `page.next_cursor` as it was given, with the same filters and sort, or start again without a cursor.", "Gunakan `page.next_cursor` seperti yang diberikan, dengan filter dan urutan yang sama, atau mulai lagi tanpa kursor.";
        UNAUTHENTICATED = 401 "unauthenticated", "A valid access token is needed", "Diperlukan token akses yang berlaku", "Get a token from `POST /v1/auth/token` and send it as `Authorization: Bearer …`. Access tokens last 15 minutes.", "Minta token dari `POST /v1/auth/token` dan kirim sebagai `Authorization: Bearer …`. Token akses berlaku 15 menit.";
        FORBIDDEN = 403 "forbidden", "Not allowed", "Tidak diizinkan", "The token is valid, but its role or its scopes do not permit this operation.", "Tokennya sah, tetapi peran atau cakupannya tidak mengizinkan operasi ini.";
        OUTSIDE_OWN_OPD = 403 "outside_own_opd", "This belongs to another OPD", "Ini milik OPD lain", "An operator or a client writes only for its own OPD and the OPDs below it.", "Operator atau klien hanya menulis untuk OPD-nya sendiri dan OPD di bawahnya.";
        OWN_REPORT = 403 "own_report", "Nobody verifies what they submitted", "Tidak ada yang memverifikasi laporannya sendiri", "Another reviewer has to verify the report.", "Laporan harus diverifikasi oleh peninjau lain.";
        TOTP_REQUIRED = 403 "totp_required", "One-time codes must be set up first", "Kode sekali pakai harus disiapkan terlebih dahulu", "The role of this account needs one-time codes. Set them up with `POST /v1/me/totp` and `PUT /v1/me/totp`, then get a new access token with the refresh token. Until then only `/v1/me` and what is below it can be reached.", "Peran akun ini memerlukan kode sekali pakai. Siapkan dengan `POST /v1/me/totp` dan `PUT /v1/me/totp`, lalu minta token akses baru dengan token penyegar. Sampai saat itu hanya `/v1/me` dan apa yang ada di bawahnya yang terbuka.";
        PASSWORD_LOGIN_OFF = 403 "password_login_off", "Nobody logs in with a password here", "Di sini tidak ada yang masuk dengan kata sandi", "People log in at the identity provider of this service, and use its access tokens. There are no passwords and no invitations.", "Masuklah melalui penyedia identitas layanan ini dan gunakan token aksesnya. Di sini tidak ada kata sandi dan tidak ada undangan.";
        NOT_FOUND = 404 "not_found", "Not found", "Tidak ditemukan", "Check the path and the code or id in it. Codes are case-sensitive.", "Periksa alamatnya serta kode atau id di dalamnya. Huruf besar dan kecil pada kode dibedakan.";
        METHOD_NOT_ALLOWED = 405 "method_not_allowed", "This path does not support the method", "Alamat ini tidak mendukung metode tersebut", "The `Allow` header lists the methods that the path supports.", "Header `Allow` memuat metode yang didukung alamat ini.";
        NOT_ACCEPTABLE = 406 "not_acceptable", "None of the accepted media types is available", "Jenis media yang diminta tidak tersedia", "Accept `application/json`.", "Kirim `Accept: application/json`.";
        ALREADY_EXISTS = 409 "already_exists", "The identifier is taken", "Pengenal sudah dipakai", "Choose another code, or change the existing one with `PUT` or `PATCH`.", "Pilih kode lain, atau ubah data yang sudah ada dengan `PUT` atau `PATCH`.";
        STILL_REFERENCED = 409 "still_referenced", "Other resources refer to this one", "Masih dirujuk oleh data lain", "Each entry of `referenced_by` names a resource that refers to this one. Change or delete those first.", "Setiap entri `referenced_by` menyebutkan data yang merujuk ke data ini. Ubah atau hapus data itu lebih dahulu.";
        ILLEGAL_TRANSITION = 409 "illegal_transition", "The status cannot change that way", "Status tidak dapat berubah seperti itu", "`allowed` lists the statuses that can follow.", "`allowed` memuat status yang dapat mengikuti.";
        CLOSED = 409 "closed", "It is closed and cannot be changed any more", "Sudah ditutup dan tidak dapat diubah lagi", "A closed evaluation stays as it is. What was found later belongs to another evaluation.", "Evaluasi yang sudah ditutup tidak berubah lagi. Apa yang ditemukan kemudian dicatat pada evaluasi lain.";
        CONFLICT = 409 "conflict", "The request conflicts with what is stored", "Permintaan bertentangan dengan data tersimpan", "Read the current state and decide again.", "Baca keadaan terkini, lalu putuskan kembali.";
        KEY_IN_USE = 409 "idempotency_key_in_use", "The first request with this Idempotency-Key is still running", "Permintaan pertama dengan Idempotency-Key ini masih berjalan", "Wait a second and send the same request again.", "Tunggu satu detik, lalu kirim permintaan yang sama lagi.";
        WITHHELD = 410 "withheld", "It is withheld from the public for now", "Untuk sementara tidak dibuka untuk publik", "The record names something that was withdrawn from the public since, and cannot be shown without it. Once that is public again, the record is available again, unchanged.", "Rekaman ini menyebut sesuatu yang sejak itu ditarik dari publik, dan tidak dapat ditampilkan tanpanya. Setelah hal itu terbuka lagi untuk publik, rekaman tersedia kembali tanpa perubahan.";
        FEED_RESTARTED = 410 "feed_restarted", "The feed does not reach as far as that position", "Umpan belum sampai ke posisi itu", "The positions began anew, as they do after an import into another database. `head` is the position of the last event. Read the complete state again, then follow the feed from `head`.", "Nomor posisi mulai dari awal lagi, misalnya setelah impor ke basis data lain. `head` adalah posisi kejadian terakhir. Baca kembali seluruh keadaan, lalu ikuti umpan dari `head`.";
        STALE = 412 "precondition_failed", "It was changed meanwhile", "Data telah berubah sementara itu", "Read it again, apply your change to the new state, and send the new ETag in `If-Match`.", "Baca kembali datanya, terapkan perubahan Anda pada keadaan yang baru, dan kirim ETag yang baru dalam `If-Match`.";
        TOO_LARGE = 413 "content_too_large", "The body is too large", "Isi permintaan terlalu besar", "`detail` names the limit that the body exceeds.", "`detail` menyebutkan batas yang dilampaui isi permintaan.";
        UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type", "The media type of the body is not supported", "Jenis media isi permintaan tidak didukung", "`detail` names the media types that are supported. Send the body as one of them, and uncompressed if it says so.", "`detail` menyebutkan jenis media yang didukung. Kirim isi permintaan sebagai salah satunya, dan tanpa kompresi jika diminta demikian.";
        INVALID = 422 "invalid", "The body can be read but breaks a rule", "Isi permintaan terbaca tetapi melanggar aturan", "`errors` lists every field error, each with a pointer into the body.", "`errors` memuat setiap kesalahan isian, masing-masing dengan penunjuk ke tempatnya dalam isi permintaan.";
        KEY_REUSED = 422 "idempotency_key_reused", "This Idempotency-Key came with another body before", "Idempotency-Key ini sudah dipakai dengan isi lain", "Make a new key for every new request.", "Buat kunci baru untuk setiap permintaan baru.";
        ROWS_REJECTED = 422 "rows_rejected", "Some rows were rejected, so none was written", "Sebagian baris ditolak, sehingga tidak ada yang ditulis", "`rows` lists each rejected row with its errors. Correct these rows, or send the push with `mode=partial` to write the other rows.", "`rows` memuat setiap baris yang ditolak beserta kesalahannya. Perbaiki baris itu, atau kirim dengan `mode=partial` agar baris lainnya ditulis.";
        PRECONDITION_REQUIRED = 428 "precondition_required", "If-Match is required", "Diperlukan If-Match", "Read the resource first and send its `ETag` in `If-Match`, so that nobody's change is overwritten unseen.", "Baca datanya lebih dahulu dan kirim `ETag`-nya dalam `If-Match`, agar perubahan orang lain tidak tertimpa tanpa terlihat.";
        TOO_MANY_REQUESTS = 429 "too_many_requests", "Too many requests or attempts", "Terlalu banyak permintaan atau percobaan", "Wait as many seconds as `Retry-After` says. `RateLimit-Policy` and `RateLimit` tell how much one address may ask, and what is left of it.", "Tunggu sebanyak detik yang disebutkan `Retry-After`. `RateLimit-Policy` dan `RateLimit` menyebutkan berapa banyak yang boleh diminta satu alamat, dan berapa yang tersisa.";
        INTERNAL = 500 "internal_error", "The service failed", "Layanan mengalami kegagalan", "The error was logged under `request_id`. A retry with the same Idempotency-Key is safe.", "Kesalahan ini dicatat dengan `request_id`. Mengulang dengan Idempotency-Key yang sama aman.";
        BUSY = 503 "busy", "The service is too busy at the moment", "Layanan sedang terlalu sibuk", "Try again after as many seconds as `Retry-After` says.", "Coba lagi setelah jumlah detik dalam `Retry-After`.";
        UNAVAILABLE = 503 "unavailable", "The service cannot answer now", "Layanan tidak dapat menjawab saat ini", "Try again after as many seconds as `Retry-After` says.", "Coba lagi setelah jumlah detik dalam `Retry-After`.";
    }
}

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
        response.content_type(MEDIA_TYPE).body(serde_json::to_vec(&problem).unwrap_or_default())
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
            detail: self.0.detail.as_ref().map(|text| text.to(language).to_owned()),
            instance: instance.map(str::to_owned),
            code: self.0.code.name.to_owned(),
            request_id: request_id.map(str::to_owned),
            errors: (!errors.is_empty()).then_some(errors),
            more: self.0.members.clone(),
        }
    }
}

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
        match (&error, error.sql_err()) {
            (_, Some(SqlErr::UniqueConstraintViolation(_))) => Self::new(codes::ALREADY_EXISTS),
            (_, Some(SqlErr::ForeignKeyConstraintViolation(_))) => Self::new(codes::CONFLICT).detail(
                "A resource to which this one refers was removed, or another resource still refers to this one.",
                "Data yang dirujuk telah dihapus atau masih dirujuk.",
            ),
            (DbErr::ConnectionAcquire(_) | DbErr::Conn(_), _) => Self::unavailable(error),
            _ if is_connection_loss(&error) => Self::unavailable(error),
            _ => Self::unexpected(error),
        }
    }
}

fn is_connection_loss(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else {
        return false;
    };
    match &**cause {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        // 57P0x: the server is shutting down or starting up.
        sqlx::Error::Database(cause) => cause.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
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
