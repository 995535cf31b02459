//! Tables with a row for each code of a list: filters and references read them, and answers the list itself.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use serde_json::Value;

use crate::http::problem::ApiResult;
use crate::store::kind::Kind;
use crate::store::transaction::WriteTransaction;

/// Rows of one statement.
const ROWS_AT_ONCE: usize = 500;

/// Writes the links of resources of a kind, each with its key and its members; those that `existed` have links already. At most two
/// statements for each list and some hundred resources.
pub async fn write(transaction: &WriteTransaction, kind: &Kind, resources: &[(&str, Value)], existed: &[&str]) -> ApiResult<()> {
    for (member, link) in kind.links() {
        for some in existed.chunks(ROWS_AT_ONCE) {
            let old = Query::delete().from_table(link.table).and_where(Expr::col(link.row).is_in(some.iter().copied())).take();
            transaction.db.execute(&old).await?;
        }
        let named = resources.iter().flat_map(|(key, members)| {
            let named = members.get(member.name).map(|value| member.named(value)).unwrap_or_default();
            named.into_iter().map(|(_, _, code)| ((*key).to_owned(), code))
        });
        for some in named.collect::<Vec<_>>().chunks(ROWS_AT_ONCE) {
            let mut new = Query::insert().into_table(link.table).columns([link.row, link.code]).take();
            for (key, code) in some {
                new.values_panic([key.as_str().into(), code.as_str().into()]);
            }
            transaction.db.execute(&new).await?;
        }
    }
    Ok(())
}
