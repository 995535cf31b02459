//! Which OPDs the actor of a transaction may write for.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, Statement};

use super::WriteTransaction;
use crate::http::problem::{ApiError, ApiResult, codes};

impl WriteTransaction {
    /// The OPDs that the actor may write for, where it is bound to some: its own and those below. One statement.
    pub async fn covered(&self) -> ApiResult<Option<HashSet<String>>> {
        let Some(own) = self.origin.actor.bound_to()? else { return Ok(None) };
        let backend = self.db.get_database_backend();
        // UNION, not UNION ALL: it ends even if the tree had a cycle.
        let sql = "WITH RECURSIVE branch(code) AS (SELECT code FROM opd WHERE code = $1 \
                   UNION SELECT opd.code FROM opd JOIN branch ON opd.parent = branch.code) SELECT code FROM branch";
        let rows = self.db.query_all_raw(Statement::from_sql_and_values(backend, sql, [own.into()])).await?;
        rows.iter().map(|row| row.try_get("", "code").map_err(ApiError::from)).collect::<ApiResult<_>>().map(Some)
    }

    /// 403 unless the actor may write for `opd`: an operator's own OPD or one below it.
    pub async fn must_cover(&self, opd: &str) -> ApiResult<()> {
        let Some(own) = self.origin.actor.bound_to()? else { return Ok(()) };
        if own == opd || self.is_below(opd, own).await? { Ok(()) } else { Err(self.outside(opd)) }
    }

    /// The refusal of a write for an OPD that the actor may not write for.
    pub fn outside(&self, opd: &str) -> ApiError {
        let own = self.origin.actor.opd.as_deref().unwrap_or_default();
        ApiError::new(codes::OUTSIDE_OWN_OPD)
            .detail(format!("`{opd}` is not `{own}` or below it."), format!("`{opd}` bukan `{own}` atau di bawahnya."))
    }

    /// Whether `opd` stands below `above` in the tree.
    pub async fn is_below(&self, opd: &str, above: &str) -> ApiResult<bool> {
        let backend = self.db.get_database_backend();
        // UNION, not UNION ALL: it ends even if the tree had a cycle.
        let sql = "WITH RECURSIVE line(code) AS (SELECT parent FROM opd WHERE code = $1 \
                   UNION SELECT opd.parent FROM opd JOIN line ON opd.code = line.code WHERE opd.parent IS NOT NULL) \
                   SELECT 1 AS found FROM line WHERE code = $2";
        let row = self.db.query_one_raw(Statement::from_sql_and_values(backend, sql, [opd.into(), above.into()])).await?;
        Ok(row.is_some())
    }
}
