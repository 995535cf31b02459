//! Codes that refer to other things: are they there, what stands behind them, and what refers to a thing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use entity::value::code::Code;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use super::resource::{Reference, Resource, column, key_of, show_all};
use super::{actions, awards, dimensions, evaluations, kpis, masterplans, opds, programmes, quick_wins, regions};
use crate::http::language::{Text, nouns};
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::http::query::Parameters;
use crate::store::scope::Scope;

/// What a reference points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
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
    /// A KPI.
    Kpi,
    /// An evaluation.
    Evaluation,
    /// An action.
    Action,
}

impl Target {
    fn table(self) -> &'static str {
        match self {
            Self::Masterplan => "masterplan",
            Self::Dimension => "dimension",
            Self::Opd => "opd",
            Self::Region => "region",
            Self::Programme => "programme",
            Self::QuickWin => "quick_win",
            Self::Kpi => "kpi",
            Self::Evaluation => "evaluation",
            Self::Action => "action",
        }
    }

    /// The name of the schema of what stands behind it.
    pub fn schema(self) -> &'static str {
        match self {
            Self::Masterplan => "Masterplan",
            Self::Dimension => "Dimension",
            Self::Opd => "Opd",
            Self::Region => "Region",
            Self::Programme => "Programme",
            Self::QuickWin => "QuickWin",
            Self::Kpi => "Kpi",
            Self::Evaluation => "Evaluation",
            Self::Action => "Action",
        }
    }

    /// The column that identifies one.
    fn key(self) -> &'static str {
        if self == Self::Action { "id" } else { "code" }
    }

    async fn load(
        self,
        db: &impl ConnectionTrait,
        codes: BTreeSet<String>,
        today: NaiveDate,
    ) -> ApiResult<BTreeMap<String, Value>> {
        match self {
            Self::Masterplan => load::<masterplans::Masterplan>(db, codes, today).await,
            Self::Dimension => load::<dimensions::Dimension>(db, codes, today).await,
            Self::Opd => load::<opds::Opd>(db, codes, today).await,
            Self::Region => load::<regions::Region>(db, codes, today).await,
            Self::Programme => load::<programmes::Programme>(db, codes, today).await,
            Self::QuickWin => load::<quick_wins::QuickWin>(db, codes, today).await,
            Self::Kpi => load::<kpis::Kpi>(db, codes, today).await,
            Self::Action => load::<actions::Action>(db, codes, today).await,
            Self::Evaluation => load::<evaluations::Evaluation>(db, codes, today).await,
        }
    }

    /// Those of `codes` that exist: one statement.
    pub async fn existing(self, db: &impl ConnectionTrait, codes: &BTreeSet<String>) -> ApiResult<BTreeSet<String>> {
        let select = Query::select()
            .column(self.key())
            .from(self.table())
            .and_where(Expr::col(self.key()).is_in(codes.iter().cloned()))
            .take();
        let rows = db.query_all(&select).await?;
        rows.iter().map(|row| row.try_get("", self.key()).map_err(ApiError::from)).collect()
    }
}

async fn load<R: Resource>(
    db: &impl ConnectionTrait,
    keys: BTreeSet<String>,
    today: NaiveDate,
) -> ApiResult<BTreeMap<String, Value>> {
    let rows = R::Entity::find().filter(column::<R>(R::KEY.name())?.is_in(keys)).all(db).await?;
    let shown = show_all::<R>(db, &rows, Scope::All, today).await?;
    rows.iter().zip(shown).map(|(row, (thing, _))| Ok((key_of::<R>(row)?, thing))).collect()
}

/// The references to what does not exist, in a body that may have other field errors. One statement for each kind of thing.
pub async fn field_errors<R: Resource>(db: &impl ConnectionTrait, body: &Value) -> ApiResult<Vec<FieldError>> {
    let mut wanted: BTreeMap<Target, Vec<(String, String)>> = BTreeMap::new();
    for reference in R::REFERENCES {
        for (pointer, code) in codes_in(reference, body).into_iter().filter(|(_, code)| Code::parse(code).is_ok()) {
            wanted.entry(reference.to).or_default().push((pointer, code));
        }
    }
    let mut field_errors = Vec::new();
    for (target, places) in wanted {
        let existing = target.existing(db, &places.iter().map(|(_, code)| code.clone()).collect()).await?;
        let missing = places.into_iter().filter(|(_, code)| !existing.contains(code));
        field_errors.extend(missing.map(|(pointer, code)| unknown(pointer, target, &code)));
    }
    Ok(field_errors)
}

/// The field error of a reference to nothing.
pub fn unknown(pointer: String, target: Target, code: &str) -> FieldError {
    let (en, id) = nouns(target.table());
    FieldError::at(
        pointer,
        "unknown_reference",
        Text::new(format!("There is no {en} `{code}`."), format!("Tidak ada {id} `{code}`.")),
    )
}

/// 422 at `pointer` unless the thing is there.
pub async fn must_exist(db: &impl ConnectionTrait, pointer: &str, target: Target, code: &str) -> ApiResult<()> {
    if target.existing(db, &BTreeSet::from([code.to_owned()])).await?.is_empty() {
        return Err(ApiError::invalid(vec![unknown(pointer.to_owned(), target, code)]));
    }
    Ok(())
}

/// The codes that a member holds, each with its pointer.
pub fn codes_in(reference: &Reference, members: &Value) -> Vec<(String, String)> {
    let pointer = format!("/{}", reference.member);
    match members.get(reference.member) {
        Some(Value::String(code)) => vec![(pointer, code.clone())],
        Some(Value::Array(codes)) => {
            let codes = codes
                .iter()
                .enumerate()
                .filter_map(|(index, code)| Some((format!("{pointer}/{index}"), code.as_str()?.to_owned())));
            codes.collect()
        }
        _ => Vec::new(),
    }
}

/// The references that a client wants to see as what they refer to.
#[derive(Clone, Default)]
pub struct Expansion(Vec<Reference>);

impl Expansion {
    /// Reads `expand=`.
    pub fn read<R: Resource>(parameters: &mut Parameters) -> Self {
        if R::REFERENCES.is_empty() {
            return Self::default();
        }
        let Some(wanted) = parameters.list("expand") else { return Self::default() };
        let known = |name: &String| R::REFERENCES.iter().find(|reference| reference.member == name).copied();
        let expansion = wanted.iter().map(known).collect::<Option<Vec<_>>>();
        if expansion.is_none() {
            let names = R::REFERENCES.iter().map(|reference| reference.member).collect::<Vec<_>>().join(", ");
            parameters.refuse("expand", format!("Expected names out of {names}."), format!("Seharusnya nama dari {names}."));
        }
        Self(expansion.unwrap_or_default())
    }

    /// Whether nothing is to be expanded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts what is referred to in the place of its code. One statement for each kind of thing.
    pub async fn apply(&self, db: &impl ConnectionTrait, things: &mut [Value], today: NaiveDate) -> ApiResult<()> {
        let mut wanted: BTreeMap<Target, BTreeSet<String>> = BTreeMap::new();
        for reference in &self.0 {
            let codes = things.iter().flat_map(|thing| codes_in(reference, thing)).map(|(_, code)| code);
            wanted.entry(reference.to).or_default().extend(codes);
        }
        let mut found = BTreeMap::new();
        for (target, codes) in wanted {
            found.insert(target, target.load(db, codes, today).await?);
        }
        for thing in things {
            for reference in &self.0 {
                if let Some(member) = thing.get_mut(reference.member) {
                    put(member, &found[&reference.to]);
                }
            }
        }
        Ok(())
    }
}

fn put(member: &mut Value, found: &BTreeMap<String, Value>) {
    match member {
        Value::String(code) => {
            if let Some(thing) = found.get(code) {
                *member = thing.clone();
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|member| put(member, found)),
        _ => {}
    }
}

/// What may refer to a thing: (kind of thing referred to, kind that refers, its table, the column, the column that names it).
const REFERRERS: &[(&str, &str, &str, &str, &str)] = &[
    ("region", "region", "region", "parent", "code"),
    ("region", "masterplan", "masterplan", "region", "code"),
    ("region", "programme", "programme_region", "region", "programme"),
    ("region", "award", "award", "recipient_ref", "code"),
    ("region", "coverage", "coverage", "region", "programme"),
    ("masterplan", "programme", "programme", "masterplan", "code"),
    ("masterplan", "kpi", "kpi", "masterplan", "code"),
    ("masterplan", "evaluation", "evaluation", "masterplan", "code"),
    ("dimension", "programme", "programme", "dimension", "code"),
    ("dimension", "quick_win", "quick_win", "dimension", "code"),
    ("dimension", "kpi", "kpi", "dimension", "code"),
    ("dimension", "evaluation", "evaluation_dimension", "dimension", "evaluation"),
    ("opd", "opd", "opd", "parent", "code"),
    ("opd", "programme", "programme", "lead_opd", "code"),
    ("opd", "programme", "programme_supporting_opd", "opd", "programme"),
    ("opd", "quick_win", "quick_win", "opd", "code"),
    ("opd", "kpi", "kpi", "opd", "code"),
    ("opd", "user", "user_account", "opd", "email"),
    ("opd", "client", "client", "opd", "id"),
    ("opd", "award", "award", "recipient_ref", "code"),
    ("opd", "action", "action", "opd", "id"),
    ("opd", "finding", "finding", "opd", "id"),
    ("opd", "commitment", "commitment_signatory", "opd", "commitment"),
    ("opd", "survey", "survey", "opd", "id"),
    ("programme", "quick_win", "quick_win", "programme", "code"),
    ("programme", "kpi", "kpi", "programme", "code"),
    ("programme", "award", "award", "recipient_ref", "code"),
    ("programme", "action", "action", "programme", "id"),
    ("programme", "finding", "finding", "programme", "id"),
    ("quick_win", "award", "award", "recipient_ref", "code"),
    ("kpi", "kpi_target", "kpi_target", "kpi", "period"),
    ("kpi", "measurement", "measurement", "kpi", "period"),
    ("action", "action_report", "action_report", "action", "action"),
    ("evaluation", "finding", "finding", "evaluation", "id"),
];

/// The most referrers that are listed.
const MOST_REFERRERS: u64 = 50;

/// 409 with what refers to `code`, if anything does. One statement for each place that can.
pub async fn must_be_free<R: Resource>(db: &impl ConnectionTrait, code: &str) -> ApiResult<()> {
    let mut found = Vec::new();
    for (_, kind, table, reference, name) in REFERRERS.iter().filter(|(to, ..)| *to == R::NAMES.one) {
        let mut select = Query::select()
            .distinct()
            .column(*name)
            .from(Alias::new(*table))
            .and_where(Expr::col(*reference).eq(code))
            .limit(MOST_REFERRERS)
            .take();
        if *table == "award" {
            select.and_where(Expr::col("recipient_kind").is_in(awards::kinds_of(R::NAMES.one).iter().copied()));
        }
        for row in db.query_all(&select).await? {
            let key: String = row.try_get("", name)?;
            found.push(json!({ "resource": kind, "key": key }));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    found.truncate(MOST_REFERRERS as usize);
    Err(ApiError::new(codes::STILL_REFERENCED)
        .detail(format!("`{code}` is still referred to."), format!("`{code}` masih dirujuk."))
        .member("referenced_by", Value::Array(found)))
}
