//! Refuses codes that differ from an existing one only in case: `dlh` beside `DLH` would be two agencies to the service and one
//! to everybody else. Codes that differed like that before this rule stay as they are and can be written.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query};

use crate::http::language::{Noun, Text};
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::store::kind::Kind;
use crate::store::transaction::WriteTransaction;

/// Those of `codes` that differ only in case from one of this kind that exists, each with that one. One statement.
pub async fn of(db: &impl ConnectionTrait, kind: &Kind, codes: &BTreeSet<&str>) -> ApiResult<BTreeMap<String, String>> {
    let lower = |column: &str| Func::lower(Expr::col(Alias::new(column)));
    let mut standing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let wanted = codes.iter().map(|code| code.to_ascii_lowercase());
    let select =
        Query::select().column("code").from(Alias::new(kind.table())).and_where(Expr::expr(lower("code")).is_in(wanted)).take();
    for row in db.query_all(&select).await? {
        let code: String = row.try_get("", "code")?;
        standing.entry(code.to_ascii_lowercase()).or_default().insert(code);
    }
    // A code that exists itself either has no such counterpart or existed together with it.
    let twin = |code: &&str| {
        let alike = standing.get(&code.to_ascii_lowercase()).filter(|alike| !alike.contains::<str>(code))?;
        Some(((*code).to_owned(), alike.first()?.clone()))
    };
    Ok(codes.iter().filter_map(twin).collect())
}

/// What is wrong with a code that has a twin.
pub fn text(kind: &Kind, code: &str, twin: &str) -> Text {
    let Noun { en, id } = kind.names.noun();
    Text::new(
        format!("`{code}` differs only in case from the {en} `{twin}`. Write `{twin}`, or choose another code."),
        format!("`{code}` hanya berbeda huruf besar-kecil dengan {id} `{twin}`. Tulis `{twin}`, atau pilih kode lain."),
    )
}

/// The field error of a row among several whose code has a twin.
pub fn field_error(kind: &Kind, code: &str, twin: &str) -> FieldError {
    FieldError::at("/code", "differs_in_case", text(kind, code, twin))
}

/// 409 where a new code differs only in case from one that is there. Of two that are made at the same time the later one waits
/// for the first, and is refused.
pub async fn must_have_none(transaction: &WriteTransaction, kind: &Kind, code: &str) -> ApiResult<()> {
    lock(transaction, kind).await?;
    match of(&transaction.db, kind, &BTreeSet::from([code])).await?.remove(code) {
        None => Ok(()),
        Some(twin) => {
            let text = text(kind, code, &twin);
            Err(ApiError::new(codes::ALREADY_EXISTS).says(text).member("existing", twin))
        }
    }
}

/// Lets only one change at a time make codes of a kind. One lock for all of them, as a push may make ten thousand.
pub async fn lock(transaction: &WriteTransaction, kind: &Kind) -> ApiResult<()> {
    transaction.lock(&format!("new codes of {}", kind.table())).await
}
