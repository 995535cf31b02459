//! WHAT EVERYBODY SEES: of each kind of thing what makes it public, and what it hangs on. Public lists, figures, filters, the
//! feed and its streams all ask here, so that what one of them hides no other shows.
//!
//! A thing is public if it is published *and* what it hangs on is public: nothing of a masterplan in `draft` is, neither its
//! programmes, their actions, its KPIs nor its evaluations with what they found. What merely *refers* to a hidden thing stays,
//! and shows null in its place. An answer about a past day names what was public at its end and is public now.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value as Parameter};
use serde_json::{Value, json};

use super::snapshots::AsOf;
use crate::http::problem::ApiResult;

/// A kind of thing that the public sees something of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A masterplan.
    Masterplan,
    /// A dimension.
    Dimension,
    /// An OPD.
    Opd,
    /// A region.
    Region,
    /// A programme.
    Programme,
    /// A Quick Win.
    QuickWin,
    /// A KPI, with its targets and what is measured of it.
    Kpi,
    /// An action.
    Action,
    /// An evaluation.
    Evaluation,
    /// A finding.
    Finding,
    /// An award.
    Award,
    /// A survey.
    Survey,
    /// A commitment, of which it sees who signed.
    Commitment,
}

/// What of a thing itself makes it public.
#[derive(Clone, Copy)]
enum Own {
    /// That it is there.
    Always,
    /// Its member `published`.
    Published,
    /// Its status: anything but a draft.
    NotDraft,
}

/// When things of a kind are public.
struct Rule {
    table: &'static str,
    key: &'static str,
    own: Own,
    /// The member that says what it hangs on, and the kind of that.
    hangs_on: Option<(&'static str, Thing)>,
}

impl Thing {
    /// Every kind.
    const ALL: [Self; 13] = [
        Self::Masterplan,
        Self::Dimension,
        Self::Opd,
        Self::Region,
        Self::Programme,
        Self::QuickWin,
        Self::Kpi,
        Self::Action,
        Self::Evaluation,
        Self::Finding,
        Self::Award,
        Self::Survey,
        Self::Commitment,
    ];

    const fn rule(self) -> Rule {
        use Own::{Always, NotDraft, Published};
        let (table, key, own, hangs_on) = match self {
            Self::Masterplan => ("masterplan", "code", NotDraft, None),
            Self::Dimension => ("dimension", "code", Always, None),
            Self::Opd => ("opd", "code", Always, None),
            Self::Region => ("region", "code", Always, None),
            Self::Programme => ("programme", "code", Published, Some(("masterplan", Self::Masterplan))),
            Self::QuickWin => ("quick_win", "code", Published, None),
            Self::Kpi => ("kpi", "code", Published, Some(("masterplan", Self::Masterplan))),
            Self::Action => ("action", "id", Published, Some(("programme", Self::Programme))),
            Self::Evaluation => ("evaluation", "code", Published, Some(("masterplan", Self::Masterplan))),
            Self::Finding => ("finding", "id", Always, Some(("evaluation", Self::Evaluation))),
            Self::Award => ("award", "code", Published, None),
            Self::Survey => ("survey", "id", Published, None),
            Self::Commitment => ("commitment", "id", Always, None),
        };
        Rule { table, key, own, hangs_on }
    }

    /// The kind that the audit log calls `resource`.
    pub fn of(resource: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|thing| thing.rule().table == resource)
    }

    /// What the audit log calls the kind, and its table.
    pub const fn name(self) -> &'static str {
        self.rule().table
    }

    /// The member that says what it hangs on, and the kind of that.
    pub const fn hangs_on(self) -> Option<(&'static str, Self)> {
        self.rule().hangs_on
    }

    /// Whether one that is there may be hidden.
    pub const fn can_be_hidden(self) -> bool {
        !matches!(self.rule().own, Own::Always) || self.rule().hangs_on.is_some()
    }

    /// Whether one that looked like this was public, as far as that is up to itself.
    pub fn looks_public(self, shown: &Value) -> bool {
        match self.rule().own {
            Own::Always => true,
            Own::Published => shown["published"] == true,
            Own::NotDraft => shown["status"] != "draft",
        }
    }

    /// The SQL condition under which `row` of its table is public now, for lists: what it hangs on is looked up row by row, so
    /// that the order of the list is still that of an index.
    pub fn is_public(self, row: &str) -> String {
        let Rule { own, hangs_on, .. } = self.rule();
        let Some((column, above)) = hangs_on else { return own.condition(row) };
        let Rule { table, key, .. } = above.rule();
        let upper = format!("{row}_{table}");
        let (own, is_public) = (own.condition(row), above.is_public(&upper));
        format!("{own} AND EXISTS (SELECT 1 FROM {table} {upper} WHERE {upper}.{key} = {row}.{column} AND {is_public})")
    }

    /// The same for the rows of its table.
    pub fn visible(self) -> SimpleExpr {
        Expr::cust(self.is_public(self.rule().table))
    }

    /// The SQL condition under which `row`, as things were at the end of a day, was public then and is public now, for figures:
    /// what it hangs on is gathered once, since many rows hang on the same.
    pub fn was_public(self, row: &str, as_of: AsOf) -> String {
        let Rule { table, key, own, hangs_on } = self.rule();
        let mut conditions = vec![own.condition(row)];
        if as_of.is_past() {
            let now = format!("{row}_now");
            let is_public = self.is_public(&now);
            conditions.push(format!("EXISTS (SELECT 1 FROM {table} {now} WHERE {now}.{key} = {row}.{key} AND {is_public})"));
        }
        if let Some((column, above)) = hangs_on {
            let Rule { table, key, .. } = above.rule();
            let (upper, then) = (format!("{row}_{table}"), as_of.things(above));
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

/// Things by kind and key.
pub type Things = BTreeSet<(Thing, String)>;

/// Those of `things` that are public now. One statement, and none for no things.
pub async fn public_among(db: &impl ConnectionTrait, things: Things) -> ApiResult<Things> {
    let mut keys: BTreeMap<Thing, Vec<String>> = BTreeMap::new();
    for (thing, key) in things {
        keys.entry(thing).or_default().push(key);
    }
    if keys.is_empty() {
        return Ok(Things::new());
    }
    let backend = db.get_database_backend();
    let mut values: Vec<Parameter> = Vec::new();
    let parts = keys.iter().map(|(thing, keys)| {
        values.push(json!(keys).to_string().into());
        let Rule { table, key, .. } = thing.rule();
        let (number, is_public) = (values.len(), thing.is_public(table));
        let asked = match backend {
            DbBackend::Postgres => format!("SELECT json_array_elements_text(${number}::json)"),
            _ => format!("SELECT value FROM json_each(${number})"),
        };
        format!("SELECT '{table}' AS thing, {key} AS known FROM {table} WHERE {key} IN ({asked}) AND {is_public}")
    });
    let sql = parts.collect::<Vec<_>>().join(" UNION ALL ");
    let rows = db.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    let known = rows.iter().map(|row| Ok((Thing::of(&row.try_get::<String>("", "thing")?), row.try_get("", "known")?)));
    let known = known.collect::<Result<Vec<_>, sea_orm::DbErr>>()?;
    Ok(known.into_iter().filter_map(|(thing, key)| Some((thing?, key))).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_hangs_on_something_is_public_with_it_only() {
        assert_eq!(
            Thing::Finding.is_public("finding"),
            "TRUE AND EXISTS (SELECT 1 FROM evaluation finding_evaluation WHERE finding_evaluation.code = finding.evaluation AND \
             finding_evaluation.published AND EXISTS (SELECT 1 FROM masterplan finding_evaluation_masterplan \
             WHERE finding_evaluation_masterplan.code = finding_evaluation.masterplan AND finding_evaluation_masterplan.status <> 'draft'))"
        );
    }

    #[test]
    fn a_past_day_asks_of_then_and_of_now_at_every_step() {
        let (day, today) = ("2022-10-04".parse().unwrap(), "2022-10-05".parse().unwrap());
        for thing in Thing::ALL.into_iter().filter(|thing| thing.hangs_on().is_some()) {
            let depth = std::iter::successors(thing.hangs_on(), |(_, above)| above.hangs_on()).count() + 1;
            let past = thing.was_public("x", AsOf::new(day, today, DbBackend::Sqlite));
            assert_eq!(past.matches("_now WHERE ").count(), depth, "{past}");
            let now = thing.was_public("x", AsOf::new(today, today, DbBackend::Sqlite));
            assert_eq!((now.matches("_now").count(), now.matches("FROM past").count()), (0, 0), "{now}");
        }
    }

    #[test]
    fn what_has_no_publication_of_its_own_is_never_hidden() {
        let never = Thing::ALL.into_iter().filter(|thing| !thing.can_be_hidden()).collect::<Vec<_>>();
        assert_eq!(never, [Thing::Dimension, Thing::Opd, Thing::Region, Thing::Commitment]);
    }
}
