//! `/v1/push/programmes`

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::programme;
use entity::rules::programme_status::ProgrammeStatus;
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, TryIntoModel};
use serde_json::{Map, Value, json};

use super::reports::{duplicate, needed, outside};
use super::rows::Row;
use super::{Outcome, Pushed, clock, schema};
use crate::auth::permissions::EditProgrammes;
use crate::crud::links;
use crate::crud::members::Written;
use crate::crud::references::{existing, unknown};
use crate::crud::resource::Resource;
use crate::crud::schemas;
use crate::crud::twins;
use crate::crud::typed::writes_of;
use crate::crud::typed::{search_text, show};
use crate::csv::column::Column;
use crate::http::body;
use crate::http::json::merge;
use crate::http::problem::{ApiError, ApiResult, FieldError};
use crate::resources::programmes::{self, Programme, transitions};
use crate::store::bulk;
use crate::store::kind::Kind;
use crate::store::transaction::{AuditEvent, WriteTransaction};

/// Rows that are written at once: few enough that they take little memory.
const ROWS_AT_ONCE: usize = 500;

/// A row: which programme, and what it says of it.
pub struct ProgrammeRow {
    code: String,
    /// When the source system last changed it.
    changed_at: Option<DateTime<Utc>>,
    /// The members that it names, but for the code.
    named: Value,
}

/// A row that is written, and what it takes the place of.
pub struct Write {
    before: Option<programme::Model>,
    after: programme::Model,
}

impl Pushed for ProgrammeRow {
    type May = EditProgrammes;
    type Plan = Vec<Write>;

    fn schema() -> Value {
        let key = Map::from_iter([("code".to_owned(), schemas::code_schema())]);
        schema::of_row(
            writes_of::<Programme>().described().replacement(),
            key,
            "What is pushed of a programme: its code, and what changes.",
        )
    }

    fn columns() -> Vec<Column> {
        schema::columns(&Self::schema(), programmes::KIND.members().into_iter().map(|member| member.name.to_owned()))
    }

    fn read(mut value: Value) -> Result<Self, Vec<FieldError>> {
        let field_errors = body::field_errors_of(&value, &body::cached(TypeId::of::<Self>(), Self::schema));
        if !field_errors.is_empty() {
            return Err(field_errors);
        }
        let code = value.as_object_mut().and_then(|object| object.remove("code"));
        let code = code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default();
        let time = json!({ "source_updated_at": value["source_updated_at"] });
        let time: HashMap<String, Option<DateTime<Utc>>> =
            body::deserialize_or_field_error(time).map_err(|field_error| vec![field_error])?;
        Ok(Self { code, changed_at: time.into_values().next().flatten(), named: value })
    }

    fn key(&self) -> String {
        self.code.clone()
    }

    fn writes(plan: &Vec<Write>) -> bool {
        !plan.is_empty()
    }

    async fn decide(transaction: &WriteTransaction, rows: &[Row<Self>], _: bool) -> ApiResult<(Vec<Outcome>, Vec<Write>)> {
        let good = rows.iter().filter_map(|row| row.read.as_ref().ok()).collect::<Vec<_>>();
        let codes = good.iter().map(|row| row.code.clone()).collect::<BTreeSet<_>>();
        // In one order, so that pushes that overlap wait for each other instead of for ever.
        let are_named = bulk::is_among(transaction.db.get_database_backend(), "code", codes.iter().map(String::as_str))?;
        let stored = programme::Entity::find().filter(are_named).order_by_asc(programme::Column::Code);
        let stored = transaction.locking(stored).all(&transaction.db).await?;
        let mut known = Known {
            stored: stored.into_iter().map(|row| (row.code.clone(), row)).collect(),
            covered: transaction.covered().await?,
            missing: missing(transaction, &good).await?,
            needed: schema::needed(&writes_of::<Programme>().described().replacement()),
            twins: BTreeMap::new(),
        };
        let new = good.iter().filter(|row| !known.stored.contains_key(&row.code)).map(|row| row.code.as_str());
        known.twins = twins(transaction, &new.collect::<Vec<_>>()).await?;
        let (mut plan, mut seen, mut outcomes) = (Vec::new(), HashMap::new(), Vec::new());
        for row in rows {
            outcomes.push(match &row.read {
                Err(field_errors) => Outcome::Rejected(field_errors.clone()),
                Ok(row) => known.judge(transaction, row, &mut seen, &mut plan)?,
            });
        }
        Ok((outcomes, plan))
    }

    async fn write(transaction: &WriteTransaction, _: &[Row<Self>], plan: Vec<Write>) -> ApiResult<()> {
        for some in plan.chunks(ROWS_AT_ONCE) {
            bulk::upsert::<programme::Model>(&transaction.db, some.iter().map(|write| &write.after)).await?;
            let members = some.iter().map(|write| (write.after.code.as_str(), json!(Programme::load(&write.after))));
            let existed = some.iter().filter(|write| write.before.is_some()).map(|write| write.after.code.as_str());
            links::write(transaction, &programmes::KIND, &members.collect::<Vec<_>>(), &existed.collect::<Vec<_>>()).await?;
            begin_all(transaction, some).await?;
            let mut audit_events = Vec::new();
            for Write { before, after } in some {
                let action = if before.is_some() { "updated" } else { "created" };
                let before = before.as_ref().map(show::<Programme>);
                let (of, key, version) = (&programmes::KIND.audited, after.code.as_str(), after.version);
                let after = Some(show::<Programme>(after));
                audit_events.push(AuditEvent { of, key, action, version, before, after, first_event: None });
            }
            transaction.record_all(audit_events).await?;
        }
        Ok(())
    }
}

/// What is known of the things that the rows are about.
struct Known {
    stored: HashMap<String, programme::Model>,
    /// The OPDs that the actor may write for; `None` for all.
    covered: Option<HashSet<String>>,
    /// What is referred to and does not exist.
    missing: BTreeSet<(&'static Kind, String)>,
    /// The members that a programme must have.
    needed: Vec<String>,
    /// The codes that differ only in case from one that is there, or from that of an earlier row, with that.
    twins: BTreeMap<String, String>,
}

/// Those of the new codes that have a twin, there or in an earlier row. Two statements.
async fn twins(transaction: &WriteTransaction, new: &[&str]) -> ApiResult<BTreeMap<String, String>> {
    if new.is_empty() {
        return Ok(BTreeMap::new());
    }
    twins::lock(transaction, &programmes::KIND).await?;
    let mut twins = twins::of(&transaction.db, &programmes::KIND, &new.iter().copied().collect()).await?;
    let mut first: HashMap<String, &str> = HashMap::new();
    for code in new.iter().copied() {
        let earlier = *first.entry(code.to_ascii_lowercase()).or_insert(code);
        if earlier != code {
            twins.entry(code.to_owned()).or_insert_with(|| earlier.to_owned());
        }
    }
    Ok(twins)
}

impl Known {
    /// What becomes of a row. `seen` holds what each code has after the rows before it.
    fn judge<'a>(
        &self,
        transaction: &WriteTransaction,
        row: &'a ProgrammeRow,
        seen: &mut HashMap<&'a str, Value>,
        plan: &mut Vec<Write>,
    ) -> ApiResult<Outcome> {
        let before = self.stored.get(&row.code);
        let stored = before.map(|before| json!(Programme::load(before)));
        let mut field_errors = self.field_errors(row, before);
        field_errors.extend(clock::field_error(row.changed_at, transaction.now));
        if !field_errors.is_empty() {
            return Ok(Outcome::Rejected(field_errors));
        }
        if let Some(earlier) = seen.get(row.code.as_str()) {
            let is_same = row.over(earlier).is_ok_and(|members| same(&json!(members), earlier));
            return Ok(if is_same { Outcome::Unchanged } else { Outcome::Rejected(vec![duplicate()]) });
        }
        if let (Some(before), Some(stored)) = (before, &stored) {
            let is_stale = clock::is_newer(before.source_updated_at, row.changed_at, transaction.now);
            if is_stale || row.over(stored).is_ok_and(|members| same(&json!(members), stored)) {
                seen.insert(&row.code, stored.clone());
                return Ok(if is_stale { Outcome::Stale } else { Outcome::Unchanged });
            }
        }
        let members = match self.whole(row, stored.as_ref()) {
            Ok(members) => members,
            Err(field_errors) => return Ok(Outcome::Rejected(field_errors)),
        };
        seen.insert(&row.code, json!(members));
        let after = row_of(transaction, &row.code, members, before)?;
        plan.push(Write { before: before.cloned(), after });
        Ok(if before.is_some() { Outcome::Updated } else { Outcome::Created })
    }

    /// The field errors of a row beside what is stored: what it names is not there, or it belongs to another OPD.
    fn field_errors(&self, row: &ProgrammeRow, before: Option<&programme::Model>) -> Vec<FieldError> {
        let mut field_errors = Vec::new();
        if let Some(twin) = self.twins.get(&row.code) {
            field_errors.push(twins::field_error(&programmes::KIND, &row.code, twin));
        }
        let missing = programmes::KIND.named_by(&row.named).into_iter();
        let missing = missing.filter(|(_, kind, code)| self.missing.contains(&(*kind, code.clone())));
        field_errors.extend(missing.map(|(pointer, kind, code)| unknown(pointer, kind, &code)));
        let owners = [row.named["lead_opd"].as_str(), before.map(|before| before.lead_opd.as_str())];
        let covered = |opd: &str| self.covered.as_ref().is_none_or(|covered| covered.contains(opd));
        let foreign = owners.into_iter().flatten().find(|opd| !covered(opd));
        field_errors.extend(foreign.map(|opd| outside("/lead_opd", opd)));
        field_errors
    }

    /// The whole programme that a row makes, or every field error of it.
    fn whole(&self, row: &ProgrammeRow, stored: Option<&Value>) -> Result<Programme, Vec<FieldError>> {
        let is_absent = |name: &&String| stored.is_none() && row.named.get(name.as_str()).is_none();
        let field_errors = self.needed.iter().filter(is_absent).map(|name| needed(name)).collect::<Vec<_>>();
        if !field_errors.is_empty() {
            return Err(field_errors);
        }
        let members = row.over(stored.unwrap_or(&json!({}))).map_err(|field_error| vec![field_error])?;
        let field_errors = members.field_errors();
        if field_errors.is_empty() { Ok(members) } else { Err(field_errors) }
    }
}

impl ProgrammeRow {
    /// The members of a programme with what the row names.
    fn over(&self, stored: &Value) -> Result<Programme, FieldError> {
        let mut whole = stored.clone();
        merge(&mut whole, self.named.clone());
        body::deserialize_or_field_error(whole)
    }
}

/// Whether two programmes say the same, whenever the source system wrote them.
fn same(one: &Value, other: &Value) -> bool {
    let without = |value: &Value| {
        let mut value = value.clone();
        value.as_object_mut().map(|object| object.remove("source_updated_at"));
        value
    };
    without(one) == without(other)
}

fn row_of(
    transaction: &WriteTransaction,
    code: &str,
    members: Programme,
    before: Option<&programme::Model>,
) -> ApiResult<programme::Model> {
    let search = search_text(code, &members);
    let mut row = members.store();
    Programme::set_key(&mut row, code);
    row.status = Set(before.map_or(ProgrammeStatus::Planned, |before| before.status));
    Programme::set_created(&mut row, before.map_or(transaction.now, |before| before.created_at));
    Programme::set_search(&mut row, search);
    Programme::set_stamp(&mut row, before.map_or(1, |before| before.version + 1), transaction.now);
    row.try_into_model().map_err(ApiError::unexpected)
}

/// What the rows refer to and does not exist: one statement for each kind of thing.
async fn missing(transaction: &WriteTransaction, rows: &[&ProgrammeRow]) -> ApiResult<BTreeSet<(&'static Kind, String)>> {
    let mut wanted: BTreeMap<&'static Kind, BTreeSet<String>> = BTreeMap::new();
    for (_, kind, code) in rows.iter().flat_map(|row| programmes::KIND.named_by(&row.named)) {
        wanted.entry(kind).or_default().insert(code);
    }
    let mut missing = BTreeSet::new();
    for (kind, codes) in wanted {
        let existing = existing(&transaction.db, kind, &codes).await?;
        missing.extend(codes.into_iter().filter(|code| !existing.contains(code)).map(|code| (kind, code)));
    }
    Ok(missing)
}

/// New programmes are planned, each from its own day on.
async fn begin_all(transaction: &WriteTransaction, some: &[Write]) -> ApiResult<()> {
    let new = some.iter().filter(|write| write.before.is_none());
    let entries =
        new.map(|write| transitions::beginning(transaction, &write.after.code, write.after.start_date)).collect::<Vec<_>>();
    transitions::append(transaction, &entries).await
}
