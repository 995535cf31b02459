//! `/v1/me/totp`: a person sets up one-time codes (RFC 6238), or removes them.

use actix_web::http::Method;
use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::own_account;
use super::password::wrong_password;
use crate::auth::permissions::{ManageOwnAccount, Permission};
use crate::auth::{password, totp};
use crate::http::answer::Answer;
use crate::http::body::{JsonBody, OptionalBody};
use crate::http::language::Text;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::http::query::NoParameters;
use crate::http::security;
use crate::http::table::Table;
use crate::resources::accounts::{apply, locked};
use crate::resources::auth::login_throttle::{Attempt, Who};
use crate::resources::second_factor;
use crate::resources::users::{User, reset};
use crate::store::access::{Access, Anyone};
use crate::store::retry::Retry;
use crate::store::transaction::WriteTransaction;

const PATH: &str = "/v1/me/totp";

/// A new secret for one-time codes, which is not in force yet.
#[derive(Serialize, ToSchema)]
pub(super) struct TotpSecret {
    /// The secret in base32, for typing it into an authenticator app.
    #[schema(max_length = 64, pattern = "^[A-Z2-7]+$")]
    secret: String,
    /// The same as a URI, to show as a QR code.
    #[schema(max_length = 2000, pattern = "^otpauth://totp/")]
    otpauth_uri: String,
}

/// The body of a request that puts one-time codes in force.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TotpCode {
    /// The six digits that the authenticator app shows.
    #[schema(min_length = 6, max_length = 6, pattern = "^[0-9]{6}$")]
    code: String,
}

/// The codes that take the place of one-time codes.
#[derive(Serialize, ToSchema)]
pub(super) struct NewRecoveryCodes {
    /// Recovery codes: each is good once in the place of `totp`, when the authenticator app is lost. Only this answer shows them.
    #[schema(min_items = 10, max_items = 10)]
    recovery_codes: Vec<String>,
}

/// The body of a request that removes one-time codes: exactly one of the two members.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TotpRemoval {
    /// The password.
    #[schema(min_length = 1, max_length = 4096, format = Password)]
    password: Option<String>,
    /// A one-time code or a recovery code.
    #[schema(min_length = 6, max_length = 64)]
    code: Option<String>,
}

/// What proves that the person is there, and not only a token of the person.
enum Proof {
    Password(bool),
    Code(String),
}

fn wrong_code() -> ApiError {
    ApiError::field_error(
        "/code",
        "wrong_code",
        "The code is wrong or was used before. Wait for the next code that the authenticator app shows.",
        "Kode salah atau sudah pernah dipakai. Tunggu kode berikutnya di aplikasi autentikator.",
    )
}

fn not_prepared() -> ApiError {
    ApiError::new(codes::CONFLICT).detail(
        "There is no secret yet: begin with `POST /v1/me/totp`.",
        "Belum ada rahasia: mulailah dengan `POST /v1/me/totp`.",
    )
}

async fn begin_totp(access: Access<ManageOwnAccount>, _: NoParameters, _: OptionalBody) -> ApiResult<Answer> {
    let (actor, account) = own_account(&access).await?;
    let fresh = totp::fresh();
    let (secret, otpauth_uri) = totp::shown(&fresh, &account.email)?;
    access
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = locked::<User>(transaction, &actor.id).await?;
            if row.totp_since.is_some() {
                return Err(ApiError::new(codes::CONFLICT).detail(
                    "One-time codes are in force already. Remove them first.",
                    "Kode sekali pakai sudah berlaku. Hapus terlebih dahulu.",
                ));
            }
            second_factor::prepare(transaction, row.id, &fresh).await?;
            Answer::ok(&TotpSecret { secret, otpauth_uri })
        })
        .await
}

async fn confirm_totp(access: Access<ManageOwnAccount>, anyone: Anyone, _: NoParameters, body: JsonBody) -> ApiResult<Answer> {
    let (actor, account) = own_account(&access).await?;
    let TotpCode { code } = body.read()?;
    let attempt = Attempt::begin(&anyone, Who::Person, &account.email).await?;
    let recovery_codes = totp::fresh_recovery_codes();
    let confirmation = access.write(Retry::default(), async |transaction: &WriteTransaction| {
        let row = locked::<User>(transaction, &actor.id).await?;
        if !second_factor::is_prepared(transaction, row.id).await? {
            return Err(not_prepared());
        }
        if !second_factor::spend_code(transaction, row.id, &code).await? {
            return Err(wrong_code());
        }
        let action = if row.totp_since.is_some() { "recovery_codes_replaced" } else { "totp_enabled" };
        second_factor::replace_recovery_codes(transaction, row.id, &recovery_codes).await?;
        security::note(action, &row.email, transaction.origin.address.as_deref());
        let since = row.totp_since.unwrap_or(transaction.now);
        apply::<User>(transaction, row, action, |row, _| row.totp_since = Set(Some(since))).await?;
        Answer::ok(&NewRecoveryCodes { recovery_codes })
    });
    let answer = confirmation.await;
    counted(attempt, &anyone, answer, "wrong one-time code").await
}

async fn remove_totp(access: Access<ManageOwnAccount>, anyone: Anyone, _: NoParameters, body: JsonBody) -> ApiResult<Answer> {
    let (actor, account) = own_account(&access).await?;
    let removal: TotpRemoval = body.read()?;
    let (given, code) = one_of(removal)?;
    let attempt = Attempt::begin(&anyone, Who::Person, &account.email).await?;
    let proof = match given {
        Some(given) => {
            Proof::Password(password::verify(password::cut(&given), account.password_hash.clone(), attempt.is_known).await?)
        }
        None => Proof::Code(code.unwrap_or_default()),
    };
    let removed = access.write(Retry::default(), async |transaction: &WriteTransaction| {
        let row = locked::<User>(transaction, &actor.id).await?;
        match &proof {
            Proof::Password(is_right) if *is_right && row.password_hash == account.password_hash => {}
            Proof::Password(_) => return Err(wrong_password("/password")),
            Proof::Code(code) if second_factor::spend(transaction, &row, code).await? => {}
            Proof::Code(_) => return Err(wrong_code()),
        }
        reset::remove_totp(transaction, row, "totp_removed").await?;
        Ok(Answer::nothing())
    });
    let answer = removed.await;
    counted(attempt, &anyone, answer, "wrong password or one-time code").await
}

/// The one member of two that is sent.
fn one_of(removal: TotpRemoval) -> ApiResult<(Option<String>, Option<String>)> {
    match (removal.password, removal.code) {
        (Some(_), Some(_)) => Err(ApiError::field_error(
            "/code",
            "not_allowed",
            "Send either `password` or `code`.",
            "Kirim `password` atau `code`, tidak keduanya.",
        )),
        (None, None) => {
            let text = Text::new("The password or a one-time code is required.", "Kata sandi atau kode sekali pakai wajib ada.");
            Err(ApiError::invalid(vec![FieldError::at("/password", "required", text)]))
        }
        one => Ok(one),
    }
}

/// Counts a wrong password or code as a failed login.
async fn counted(attempt: Attempt, anyone: &Anyone, answer: ApiResult<Answer>, reason: &'static str) -> ApiResult<Answer> {
    if answer.as_ref().is_err_and(|error| error.code() == codes::INVALID) {
        attempt.failed(anyone, reason).await?;
    }
    answer
}

/// Adds the routes.
pub(super) fn mount(table: &mut Table) {
    let allowed = ManageOwnAccount::role_names();
    let begin = Operation::new(
        Method::POST,
        PATH,
        "begin_totp",
        "identity",
        "Begin to set up one-time codes",
        "Creates a secret for an authenticator app (TOTP, RFC 6238: six digits, 30 seconds, SHA-1). It is in force only once \
         `PUT /v1/me/totp` confirms it. Another request replaces a secret that is not in force, so the request can be repeated if its \
         answer was lost. 409 if one-time codes are in force already.",
    );
    let confirm = Operation::new(
        Method::PUT,
        PATH,
        "confirm_totp",
        "identity",
        "Put one-time codes in force, or get new recovery codes",
        "Confirms with a code that the authenticator app has the secret. From then on a login needs `totp` beside the password. The \
         answer shows the recovery codes, this once. If one-time codes are in force already, the answer shows new recovery codes and \
         the earlier ones end. Each code is good once. A wrong code is refused with 422 `wrong_code` and counts as a failed login.\n\n\
         Somebody whose role needs one-time codes gets a new access token with the refresh token afterwards, which reaches everything \
         that the role permits.",
    );
    let remove = Operation::new(
        Method::DELETE,
        PATH,
        "remove_totp",
        "identity",
        "Remove your one-time codes",
        "Removes the one-time codes and the recovery codes, so that the password alone lets the person in. The body holds either the \
         password or a code, since a token may be in other hands. A wrong one is refused with 422 and counts as a failed login. 404 if \
         there are no one-time codes. Whoever lost both asks an administrator.",
    );
    let uri = "otpauth://totp/Renaksi:ani%40example.go.id?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Renaksi";
    let secret = json!({ "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "otpauth_uri": uri });
    let codes = (0..totp::RECOVERY_CODES).map(|number| format!("k7mq-x2pd-9ahc-{}fzt", char::from(b'a' + number as u8)));
    let codes = json!({ "recovery_codes": codes.collect::<Vec<_>>() });
    table
        .on(
            begin.roles(&allowed).may_take_nothing().problems(&[409]).answers::<TotpSecret>(
                200,
                "The secret, which is not in force yet.",
                Some(secret),
                &[],
            ),
            begin_totp,
        )
        .on(
            confirm
                .roles(&allowed)
                .takes::<TotpCode>(json!({ "code": "287082" }))
                .problems(&[409, 429])
                .answers::<NewRecoveryCodes>(200, "One-time codes are in force; these are the recovery codes.", Some(codes), &[]),
            confirm_totp,
        )
        .on(
            remove
                .roles(&allowed)
                .takes::<TotpRemoval>(json!({ "password": "kopi tubruk tanpa gula" }))
                .problems(&[404, 429])
                .answers_nothing(204, "The one-time codes were removed."),
            remove_totp,
        );
}
