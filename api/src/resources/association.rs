//! What hangs on a programme: who may attach it there, and what the OPD that leads the programme may do with it. Else one OPD
//! could falsify the figures of another.

use entity::{programme, programme_supporting_opd};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;

use super::references::{Target, codes_in};
use super::resource::Resource;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::store::transaction::WriteTransaction;

/// The programme that something hangs on.
fn programme_of<R: Resource>(members: &R) -> Option<String> {
    let reference = R::REFERENCES.iter().find(|reference| reference.to == Target::Programme)?;
    codes_in(reference, &json!(members)).into_iter().map(|(_, code)| code).next()
}

/// 403 where the actor is bound to an OPD that neither owns this nor leads the programme that it hangs on.
pub async fn must_own<R: Resource>(transaction: &WriteTransaction, members: &R) -> ApiResult<()> {
    let Some(opd) = members.owner() else { return Ok(()) };
    let refused = match transaction.must_cover(opd).await {
        Err(refused) if refused.code().name == codes::OUTSIDE_OWN_OPD.name => refused,
        other => return other,
    };
    let Some(code) = programme_of(members) else { return Err(refused) };
    match programme::Entity::find_by_id(code).one(&transaction.db).await? {
        Some(programme) => transaction.must_cover(&programme.lead_opd).await.map_err(|_| refused),
        None => Err(refused),
    }
}

/// 403 where the actor is bound to an OPD that does not own what is to be made.
pub async fn must_own_new<R: Resource>(transaction: &WriteTransaction, members: &R) -> ApiResult<()> {
    match members.owner() {
        Some(opd) => transaction.must_cover(opd).await,
        None => Ok(()),
    }
}

/// 403 where the actor is bound to an OPD that neither leads nor supports the programme that this is attached to. What hung on
/// it before may stay. At most three statements.
pub async fn may_attach<R: Resource>(transaction: &WriteTransaction, members: &R, before: Option<&R>) -> ApiResult<()> {
    if transaction.origin.actor.bound_to()?.is_none() {
        return Ok(());
    }
    let Some(code) = programme_of(members).filter(|code| before.and_then(programme_of).as_ref() != Some(code)) else {
        return Ok(());
    };
    // Kept as it is until the commit: who leads and who supports it cannot change meanwhile.
    let programme = programme::Entity::find_by_id(&code).lock_shared().one(&transaction.db).await?;
    let programme = programme.ok_or_else(|| ApiError::not_found("programme", &code))?;
    let supporting = programme_supporting_opd::Entity::find().filter(programme_supporting_opd::Column::Programme.eq(&code));
    let supporting = supporting.all(&transaction.db).await?;
    let covered = transaction.covered().await?.unwrap_or_default();
    if covered.contains(&programme.lead_opd) || supporting.iter().any(|row| covered.contains(&row.opd)) {
        return Ok(());
    }
    let lead = &programme.lead_opd;
    Err(ApiError::new(codes::OUTSIDE_OWN_OPD).detail(
        format!("Your OPD neither leads nor supports the programme `{code}`: ask `{lead}`, which leads it, to name it among those that support it."),
        format!("OPD Anda tidak memimpin atau mendukung program `{code}`: minta `{lead}` sebagai pemimpinnya untuk mencantumkan OPD Anda sebagai pendukung."),
    ))
}
