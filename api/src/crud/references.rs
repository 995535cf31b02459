//! References between resources: whether what a code names exists, `expand`, and what refers to a resource.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use entity::value::code::Code;
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use serde_json::{Value, json};

use super::hiding::{hidden, public_view};
use crate::http::language::{Noun, Text};
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::http::query::Parameters;
use crate::store::kind::{ETAG, Kind, Member, Row, Scope, Stored};
use crate::store::rows::Executor;

/// Those of `keys` that exist: one statement.
pub async fn existing(db: &impl ConnectionTrait, kind: &Kind, keys: &BTreeSet<String>) -> ApiResult<BTreeSet<String>> {
    let key = kind.key.name();
    let select = Query::select().column(key).from(kind.table()).and_where(Expr::col(key).is_in(keys.iter().cloned())).take();
    let rows = db.query_all(&select).await?;
    rows.iter().map(|row| row.try_get("", key).map_err(ApiError::from)).collect()
}

/// The references to what does not exist, in a body that may have other errors. One statement for each kind.
pub async fn field_errors(db: &impl ConnectionTrait, kind: &Kind, body: &Value) -> ApiResult<Vec<FieldError>> {
    let mut wanted: BTreeMap<&'static Kind, Vec<(String, String)>> = BTreeMap::new();
    for (pointer, to, code) in kind.named_by(body).into_iter().filter(|(.., code)| Code::parse(code).is_ok()) {
        wanted.entry(to).or_default().push((pointer, code));
    }
    let mut field_errors = Vec::new();
    for (to, places) in wanted {
        let existing = existing(db, to, &places.iter().map(|(_, code)| code.clone()).collect()).await?;
        let missing = places.into_iter().filter(|(_, code)| !existing.contains(code));
        field_errors.extend(missing.map(|(pointer, code)| unknown(pointer, to, &code)));
    }
    Ok(field_errors)
}

/// The error of a reference to nothing.
pub fn unknown(pointer: String, kind: &'static Kind, code: &str) -> FieldError {
    let Noun { en, id } = kind.names.noun();
    FieldError::at(
        pointer,
        "unknown_reference",
        Text::new(format!("There is no {en} `{code}`."), format!("Tidak ada {id} `{code}`.")),
    )
}

/// 422 at `pointer` unless the resource exists.
pub async fn must_exist(db: &impl ConnectionTrait, pointer: &str, kind: &'static Kind, code: &str) -> ApiResult<()> {
    if existing(db, kind, &BTreeSet::from([code.to_owned()])).await?.is_empty() {
        return Err(ApiError::invalid(vec![unknown(pointer.to_owned(), kind, code)]));
    }
    Ok(())
}

/// The references that a client wants to see as what they refer to.
#[derive(Clone, Default)]
pub struct Expansion(Vec<Member>);

/// What stands behind references, by kind and key, each as JSON in memory.
pub type Found = BTreeMap<&'static Kind, BTreeMap<String, Value>>;

impl Expansion {
    /// Reads `expand=`. The public expands what it sees.
    pub fn read(kind: &Kind, scope: Scope, parameters: &mut Parameters) -> Self {
        let names = expandable(kind, scope).map(|(member, _)| member.name).collect::<Vec<_>>();
        if names.is_empty() {
            return Self::default();
        }
        let Some(wanted) = parameters.list("expand") else { return Self::default() };
        let known = |name: &String| expandable(kind, scope).map(|(member, _)| *member).find(|member| member.name == name);
        let expansion = wanted.iter().map(known).collect::<Option<Vec<_>>>();
        if expansion.is_none() {
            let names = names.join(", ");
            parameters.refuse("expand", format!("Expected names out of {names}."), format!("Seharusnya nama dari {names}."));
        }
        Self(expansion.unwrap_or_default())
    }

    /// Whether nothing is to be expanded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What of rows it is found by: their members that clients write, where anything is to be expanded.
    pub fn members_of(&self, rows: &[Box<dyn Row>]) -> Vec<Value> {
        // Whether there are any rows counts, too.
        rows.iter().map(|row| if self.is_empty() { Value::Null } else { row.written_members() }).collect()
    }

    /// Whether a member is.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|member| member.name == name)
    }

    /// Reads what rows refer to, as far as `scope` shows it. One statement for each kind, and for the public another.
    pub async fn find(&self, db: &Executor<'_>, rows: &[Value], scope: Scope, today: NaiveDate) -> ApiResult<Found> {
        // Each kind is read, also for no codes: the number of statements does not tell what rows hold.
        let targets = self.0.iter().filter_map(Member::target).filter(|_| !rows.is_empty());
        let mut wanted = targets.map(|kind| (kind, BTreeSet::new())).collect::<BTreeMap<&'static Kind, BTreeSet<String>>>();
        for row in rows {
            let named = self.0.iter().filter_map(|member| Some(member.named(row.get(member.name)?)));
            for (_, kind, key) in named.flatten() {
                wanted.entry(kind).or_default().insert(key);
            }
        }
        let mut found = Found::new();
        for (kind, keys) in wanted {
            let key = Expr::col(kind.key.name());
            let narrow = move |select: &mut sea_orm::sea_query::SelectStatement| {
                select.and_where(key.is_in(keys)).and_where(scope.shows_now(kind));
            };
            let rows = kind.rows.all(db, Box::new(narrow), scope, today).await?;
            let hidden = if scope == Scope::Published { Some(hidden(db, kind, &rows).await?) } else { None };
            let shown = |row: &dyn Row| match &hidden {
                Some(hidden) => public_view(kind, row.shown(), hidden),
                None => with_tag(row),
            };
            found.insert(kind, rows.iter().map(|row| (row.key().to_owned(), shown(&**row))).collect());
        }
        Ok(found)
    }
}

/// The members that can be expanded, with the kind of what they refer to.
pub fn expandable(kind: &Kind, scope: Scope) -> impl Iterator<Item = (&'static Member, &'static Kind)> {
    let is_shown = move |member: &Member, to: &Kind| scope == Scope::All || (member.is_public && to.publication.is_some());
    kind.references().filter(move |(member, to)| is_shown(member, to))
}

/// A resource as JSON, with its entity tag.
fn with_tag(row: &dyn Row) -> Value {
    let mut shown = row.shown();
    shown[ETAG.name] = json!(row.etag());
    shown
}

/// Puts what is referred to in the place of its code, or of each code of a list.
pub fn put(member: &mut Value, found: &BTreeMap<String, Value>) {
    match member {
        Value::String(code) => {
            if let Some(resource) = found.get(code) {
                *member = resource.clone();
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|member| put(member, found)),
        _ => {}
    }
}

/// The most referrers that are listed.
const MOST_REFERRERS: u64 = 50;

/// 409 with what refers to a resource, if anything does. `stored` are all places where references stand; one statement for each that
/// can refer to this kind.
pub async fn must_be_free(db: &impl ConnectionTrait, kind: &Kind, key: &str, stored: &[Stored]) -> ApiResult<()> {
    let mut found = Vec::new();
    for Stored { resource, table, column, name, only, .. } in stored.iter().filter(|stored| stored.to == kind) {
        let mut select = Query::select()
            .distinct()
            .column(*name)
            .from(Alias::new(*table))
            .and_where(Expr::col(*column).eq(key))
            .limit(MOST_REFERRERS)
            .take();
        if let Some((column, words)) = only {
            select.and_where(Expr::col(*column).is_in(words.iter().copied()));
        }
        for row in db.query_all(&select).await? {
            let key: String = row.try_get("", name)?;
            found.push(json!({ "resource": resource, "key": key }));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    found.truncate(MOST_REFERRERS as usize);
    Err(ApiError::new(codes::STILL_REFERENCED)
        .detail(format!("`{key}` is still referred to."), format!("`{key}` masih dirujuk."))
        .member("referenced_by", Value::Array(found)))
}
