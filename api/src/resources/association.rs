//! Who may attach a resource to a programme, and what the OPD that leads the programme may do with it. Without these rules, one
//! OPD could falsify the figures of another.

use entity::{programme, programme_supporting_opd};
use futures_util::future::LocalBoxFuture;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::programmes;
use crate::crud::writes::Attachment;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::store::transaction::WriteTransaction;

/// That something hangs on a programme.
pub struct ToProgramme;

/// For the hooks of a kind.
pub static PROGRAMME: ToProgramme = ToProgramme;

impl Attachment for ToProgramme {
    /// Whoever leads the programme may write what hangs on it as well.
    fn may_write<'a>(
        &'a self,
        transaction: &'a WriteTransaction,
        owner: &'a str,
        whole: Option<&'a str>,
    ) -> LocalBoxFuture<'a, ApiResult<()>> {
        Box::pin(async move {
            let refused = match transaction.must_cover(owner).await {
                Err(refused) if refused.code().name == codes::OUTSIDE_OWN_OPD.name => refused,
                other => return other,
            };
            let Some(code) = whole else { return Err(refused) };
            match programme::Entity::find_by_id(code).one(&transaction.db).await? {
                Some(programme) => transaction.must_cover(&programme.lead_opd).await.map_err(|_| refused),
                None => Err(refused),
            }
        })
    }

    /// The actor's OPD must lead or support the programme. At most three statements.
    fn may_attach<'a>(&'a self, transaction: &'a WriteTransaction, code: &'a str) -> LocalBoxFuture<'a, ApiResult<()>> {
        Box::pin(async move {
            if transaction.origin.actor.bound_to()?.is_none() {
                return Ok(());
            }
            // Kept as it is until the commit: who leads and who supports it cannot change meanwhile.
            let programme = programme::Entity::find_by_id(code).lock_shared().one(&transaction.db).await?;
            let programme = programme.ok_or_else(|| ApiError::not_found(&programmes::KIND, code))?;
            let supporting =
                programme_supporting_opd::Entity::find().filter(programme_supporting_opd::Column::Programme.eq(code));
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
        })
    }
}
