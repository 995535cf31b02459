//! Refresh tokens: `grant_type=refresh_token` (RFC 6749 §6), and revocation (RFC 7009).

use actix_web::HttpRequest;
use actix_web::web::Payload;
use entity::rules::refresh_token::{Worth, worth};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::json;

use super::form::Form;
use super::refusal::{Issued, Refusal};
use super::{answer, origin};
use crate::auth::actor::Actor;
use crate::auth::keys::Keys;
use crate::auth::secret;
use crate::http::answer::Answer;
use crate::http::problem::ApiResult;
use crate::http::query::NoParameters;
use crate::http::security;
use crate::resources::sessions::{self, actor_of, held};
use crate::store::access::Anyone;
use crate::store::transaction::WriteTransaction;

/// Exchanges a refresh token for the next pair of tokens.
pub(super) async fn exchange(anyone: Anyone, keys: &Keys, form: &Form) -> Issued {
    let Some(token) = form.get("refresh_token") else {
        return Ok(Err(Refusal::request("`refresh_token` is required.", "`refresh_token` wajib ada.")));
    };
    let (next, hash) = (secret::fresh(), secret::hash_of(token));
    let exchanged = anyone
        .store
        .transact(origin(&anyone, Actor::system("auth")), async |transaction: &WriteTransaction| {
            let Some(row) = sessions::locked(transaction, &hash).await? else { return Ok(None) };
            let (family, user_id) = (row.family, row.user_id);
            let worth = worth(row.used_at, row.revoked_at, row.expires_at, transaction.now);
            match worth {
                Worth::Nothing => return Ok(None),
                Worth::Copied => {
                    let reason = "somebody else may have a copy: all tokens of that login are revoked";
                    security::log("refresh_token_reused", &user_id.to_string(), anyone.address.as_deref(), reason);
                    sessions::revoke_family(transaction, family).await?;
                    return Ok(None);
                }
                Worth::First | Worth::Again => {}
            }
            let Some(user) = held(transaction, user_id).await? else { return Ok(None) };
            if worth == Worth::First {
                let mut row = row.into_active_model();
                row.used_at = Set(Some(transaction.now));
                row.update(&transaction.db).await?;
            }
            sessions::issue(transaction, user_id, family, &next).await?;
            answer(keys, &actor_of(&user, Some(family), anyone.store.logins()), Some(next.clone())).map(Some)
        })
        .await?;
    Ok(exchanged.ok_or_else(|| {
        Refusal::grant(
            "The refresh token is unknown, used, revoked or expired.",
            "Token penyegar tidak dikenal, sudah dipakai, dicabut, atau kedaluwarsa.",
        )
    }))
}

/// Revokes a refresh token together with all of its family.
pub(super) async fn revoke_token(anyone: Anyone, request: HttpRequest, _: NoParameters, payload: Payload) -> ApiResult<Answer> {
    let form = Form::read(&request, payload).await?;
    let Some(token) = form.as_ref().and_then(|form| form.get("token")) else {
        return Refusal::request("`token` is required.", "`token` wajib ada.").answer(&request);
    };
    let hash = secret::hash_of(token);
    let origin = origin(&anyone, Actor::system("auth"));
    anyone
        .store
        .transact(origin, async |transaction: &WriteTransaction| match sessions::locked(transaction, &hash).await? {
            Some(row) => sessions::revoke_family(transaction, row.family).await,
            // RFC 7009 §2.2: an unknown token counts as revoked. Access tokens expire by themselves.
            None => Ok(()),
        })
        .await?;
    Ok(Answer::ok(&json!({}))?.header("Cache-Control", "no-store"))
}
