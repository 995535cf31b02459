//! WHAT EVERYBODY SEES, from what each kind says of its publication. Public lists, figures, filters, the feed and its streams
//! all ask here, so that what one of them hides no other shows.
//!
//! A resource is public if it is published *and* what it hangs on is public: nothing of a masterplan in `draft` is, neither its
//! programmes, their actions, its KPIs nor its evaluations with what they found. What merely *refers* to a hidden resource stays,
//! and shows null in its place. An answer about a past day names what was public at its end and is public now.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value as Parameter};
use serde_json::{Value, json};

use super::kind::{Kind, Own};
use super::snapshots::AsOf;
use crate::http::problem::ApiResult;

impl Kind {
    /// The member that says what one hangs on, and the kind of that.
    pub fn hangs_on(&self) -> Option<(&'static str, &'static Kind)> {
        let member = self.publication?.hangs_on?;
        match self.parent {
            Some(parent) if parent.member == member => Some((member, parent.kind)),
            _ => Some((member, self.written().iter().find(|known| known.name == member)?.target()?)),
        }
    }

    /// Whether one that exists may be hidden.
    pub fn can_be_hidden(&self) -> bool {
        self.publication.is_none_or(|publication| publication.own != Own::Always || publication.hangs_on.is_some())
    }

    /// Whether one that looked like this was public, as far as that is up to itself.
    pub fn looks_public(&self, shown: &Value) -> bool {
        match self.publication.map(|publication| publication.own) {
            None => false,
            Some(Own::Always) => true,
            Some(Own::Published) => shown["published"] == true,
            Some(Own::NotDraft) => shown["status"] != "draft",
        }
    }

    fn own_condition(&self, row: &str) -> String {
        self.publication.map_or_else(|| "FALSE".to_owned(), |publication| publication.own.condition(row))
    }

    /// The SQL condition under which `row` of its table is public now, for lists: what it hangs on is looked up row by row, so
    /// that the order of the list is still that of an index.
    pub fn is_public(&self, row: &str) -> String {
        let own = self.own_condition(row);
        let Some((column, above)) = self.hangs_on() else { return own };
        let (table, key) = (above.table(), above.key.name());
        let upper = format!("{row}_{table}");
        let is_public = above.is_public(&upper);
        format!("{own} AND EXISTS (SELECT 1 FROM {table} {upper} WHERE {upper}.{key} = {row}.{column} AND {is_public})")
    }

    /// The same for the rows of its table.
    pub fn visible(&self) -> SimpleExpr {
        Expr::cust(self.is_public(self.table()))
    }

    /// The SQL condition under which `row`, as they were at the end of a day, was public then and is public now, for figures:
    /// what it hangs on is gathered once, since many rows hang on the same.
    pub fn was_public(&self, row: &str, as_of: AsOf) -> String {
        let (table, key) = (self.table(), self.key.name());
        let mut conditions = vec![self.own_condition(row)];
        if as_of.is_past() {
            let now = format!("{row}_now");
            let is_public = self.is_public(&now);
            conditions.push(format!("EXISTS (SELECT 1 FROM {table} {now} WHERE {now}.{key} = {row}.{key} AND {is_public})"));
        }
        if let Some((column, above)) = self.hangs_on() {
            let (table, key) = (above.table(), above.key.name());
            let (upper, then) = (format!("{row}_{table}"), as_of.of(above));
            let was_public = above.was_public(&upper, as_of);
            conditions.push(format!("{row}.{column} IN (SELECT {upper}.{key} FROM {then} {upper} WHERE {was_public})"));
        }
        conditions.join(" AND ")
    }
}

impl Own {
    /// As the indexes over what is published spell it: a parameter would keep them from being used.
    fn condition(self, row: &str) -> String {
        match self {
            Self::Always => "TRUE".to_owned(),
            Self::Published => format!("{row}.published"),
            Self::NotDraft => format!("{row}.status <> 'draft'"),
        }
    }
}

/// Resources by kind and key.
pub type Named = BTreeSet<(&'static Kind, String)>;

/// Those of `named` that are public now. One statement, and none for no resources.
pub async fn public_among(db: &impl ConnectionTrait, named: Named) -> ApiResult<Named> {
    let mut keys: BTreeMap<&'static Kind, Vec<String>> = BTreeMap::new();
    for (kind, key) in named {
        keys.entry(kind).or_default().push(key);
    }
    if keys.is_empty() {
        return Ok(Named::new());
    }
    let backend = db.get_database_backend();
    let mut values: Vec<Parameter> = Vec::new();
    let parts = keys.iter().map(|(kind, keys)| {
        values.push(json!(keys).to_string().into());
        let (table, key) = (kind.table(), kind.key.name());
        let (number, is_public) = (values.len(), kind.is_public(table));
        let asked = match backend {
            DbBackend::Postgres => format!("SELECT json_array_elements_text(${number}::json)"),
            _ => format!("SELECT value FROM json_each(${number})"),
        };
        format!("SELECT '{table}' AS kind, {key} AS known FROM {table} WHERE {key} IN ({asked}) AND {is_public}")
    });
    let sql = parts.collect::<Vec<_>>().join(" UNION ALL ");
    let rows = db.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    let known = rows.iter().map(|row| Ok((row.try_get::<String>("", "kind")?, row.try_get("", "known")?)));
    let known = known.collect::<Result<Vec<(String, String)>, sea_orm::DbErr>>()?;
    let kind = |name: &str| keys.keys().find(|kind| kind.table() == name).copied();
    Ok(known.into_iter().filter_map(|(name, key)| Some((kind(&name)?, key))).collect())
}
