//! `/v1/push/programmes`

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use entity::rules::programme_status::ProgrammeStatus;
use entity::value::code::Code;
use entity::{programme, programme_region, programme_supporting_opd};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TryIntoModel};
use serde_json::{Value, json};

use super::reports::{duplicate, outside};
use super::rows::{Cells, Column, Row};
use super::{Outcome, Pushed};
use crate::auth::permissions::EditProgrammes;
use crate::http::body;
use crate::http::problem::{ApiError, ApiResult, Fault};
use crate::resources::crud::{search_text, stamp};
use crate::resources::programmes::{Programme, transitions};
use crate::resources::references::{Target, codes_in, unknown};
use crate::resources::resource::{NewRow, Resource, show};
use crate::resources::twins;
use crate::resources::wire;
use crate::store::bulk;
use crate::store::change::{Change, Happening};

/// Rows that are written at once: few enough that they take little memory.
const ROWS_AT_ONCE: usize = 500;

/// A programme, as other systems push it.
pub struct ProgrammeRow {
    code: String,
    /// The members, as JSON: what is compared with what is stored.
    members: Value,
    programme: Programme,
}

/// The schema of a row.
pub fn schema() -> Value {
    wire::new::<Programme>()
}

/// A row that is written, and what it takes the place of.
pub struct Write {
    before: Option<programme::Model>,
    after: programme::Model,
    members: Programme,
}

impl Pushed for ProgrammeRow {
    type May = EditProgrammes;
    type Plan = Vec<Write>;
    const COLUMNS: &'static [Column] = &[
        Column::text("code", "/code", true),
        Column::text("masterplan", "/masterplan", true),
        Column::text("dimension", "/dimension", true),
        Column::text("name", "/name", true),
        Column::text("description", "/description", false),
        Column::text("lead_opd", "/lead_opd", true),
        Column { name: "supporting_opds", pointer: "/supporting_opds", cells: Cells::List, required: false },
        Column::text("start_date", "/start_date", false),
        Column::text("end_date", "/end_date", false),
        Column::text("budget", "/budget", false),
        Column::text("funding_source", "/funding_source", false),
        Column { name: "regions", pointer: "/regions", cells: Cells::List, required: false },
        Column::text("source_updated_at", "/source_updated_at", false),
        Column { name: "published", pointer: "/published", cells: Cells::Flag, required: false },
    ];

    fn read(mut value: Value) -> Result<Self, Vec<Fault>> {
        let faults = wire::faults_of_new::<Programme>(&value);
        if !faults.is_empty() {
            return Err(faults);
        }
        let code = value.as_object_mut().and_then(|object| object.remove("code"));
        let code = code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default();
        let programme: Programme = body::deserialize_or_fault(value).map_err(|fault| vec![fault])?;
        let faults = programme.faults();
        if faults.is_empty() { Ok(Self { code, members: json!(programme), programme }) } else { Err(faults) }
    }

    fn key(&self) -> String {
        self.code.clone()
    }

    async fn decide(change: &Change, rows: &[Row<Self>], _: bool) -> ApiResult<(Vec<Outcome>, Vec<Write>)> {
        let good = rows.iter().filter_map(|row| row.read.as_ref().ok()).collect::<Vec<_>>();
        let codes = good.iter().map(|row| row.code.clone()).collect::<BTreeSet<_>>();
        // In one order, so that pushes that overlap wait for each other instead of for ever.
        let stored = programme::Entity::find().filter(programme::Column::Code.is_in(codes));
        let stored = stored.order_by_asc(programme::Column::Code).lock_exclusive().all(&change.db).await?;
        let mut known = Known {
            stored: stored.into_iter().map(|row| (row.code.clone(), row)).collect(),
            covered: change.covered().await?,
            missing: missing(change, &good).await?,
            twins: BTreeMap::new(),
        };
        let new = good.iter().filter(|row| !known.stored.contains_key(&row.code)).map(|row| row.code.as_str());
        known.twins = twins(change, &new.collect::<Vec<_>>()).await?;
        let (mut plan, mut seen, mut outcomes) = (Vec::new(), HashMap::new(), Vec::new());
        for row in rows {
            outcomes.push(match &row.read {
                Err(faults) => Outcome::Rejected(faults.clone()),
                Ok(row) => known.judge(change, row, &mut seen, &mut plan)?,
            });
        }
        Ok((outcomes, plan))
    }

    async fn write(change: &Change, _: &[Row<Self>], plan: Vec<Write>) -> ApiResult<()> {
        for some in plan.chunks(ROWS_AT_ONCE) {
            bulk::upsert::<programme::Model>(&change.db, some.iter().map(|write| &write.after)).await?;
            write_links(change, some).await?;
            begin_all(change, some).await?;
            let mut happenings = Vec::new();
            for Write { before, after, .. } in some {
                let action = if before.is_some() { "updated" } else { "created" };
                let before = before.as_ref().map(show::<Programme>).transpose()?;
                let (resource, key, version) = (Programme::NAMES.one, after.code.as_str(), after.version);
                let after = Some(show::<Programme>(after)?);
                happenings.push(Happening { resource, key, action, version, before, after });
            }
            change.record_all(happenings).await?;
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
    missing: BTreeSet<(Target, String)>,
    /// The codes that differ only in case from one that is there, or from that of an earlier row, with that.
    twins: BTreeMap<String, String>,
}

/// Those of the new codes that have a twin, there or in an earlier row. Two statements.
async fn twins(change: &Change, new: &[&str]) -> ApiResult<BTreeMap<String, String>> {
    if new.is_empty() {
        return Ok(BTreeMap::new());
    }
    twins::lock(change, Programme::NAMES.one).await?;
    let mut twins = twins::of(&change.db, Programme::NAMES.one, &new.iter().copied().collect()).await?;
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
    fn judge<'a>(
        &self,
        change: &Change,
        row: &'a ProgrammeRow,
        seen: &mut HashMap<&'a str, &'a ProgrammeRow>,
        plan: &mut Vec<Write>,
    ) -> ApiResult<Outcome> {
        let before = self.stored.get(&row.code);
        let faults = self.faults(row, before);
        if !faults.is_empty() {
            return Ok(Outcome::Rejected(faults));
        }
        if let Some(earlier) = seen.insert(&row.code, row) {
            let is_same = same(&earlier.members, &row.members);
            return Ok(if is_same { Outcome::Unchanged } else { Outcome::Rejected(vec![duplicate()]) });
        }
        if let Some(before) = before {
            let times = row.programme.source_updated_at.zip(before.source_updated_at);
            if times.is_some_and(|(own, stored)| own < stored) {
                return Ok(Outcome::Stale);
            }
            if same(&json!(Programme::of(before)), &row.members) {
                return Ok(Outcome::Unchanged);
            }
        }
        let members: Programme = body::deserialize(row.members.clone())?;
        let after = row_of(change, &row.code, body::deserialize(row.members.clone())?, before)?;
        plan.push(Write { before: before.cloned(), after, members });
        Ok(if before.is_some() { Outcome::Updated } else { Outcome::Created })
    }

    fn faults(&self, row: &ProgrammeRow, before: Option<&programme::Model>) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(twin) = self.twins.get(&row.code) {
            faults.push(twins::fault(Programme::NAMES.one, &row.code, twin));
        }
        for reference in Programme::REFERENCES {
            let codes = codes_in(reference, &row.members).into_iter();
            let missing = codes.filter(|(_, code)| self.missing.contains(&(reference.to, code.clone())));
            faults.extend(missing.map(|(pointer, code)| unknown(pointer, reference.to, &code)));
        }
        let owners = [Some(row.programme.lead_opd.as_str()), before.map(|before| before.lead_opd.as_str())];
        let covered = |opd: &str| self.covered.as_ref().is_none_or(|covered| covered.contains(opd));
        let foreign = owners.into_iter().flatten().find(|opd| !covered(opd));
        faults.extend(foreign.map(|opd| outside("/lead_opd", opd)));
        faults
    }
}

/// Whether two bodies say the same, whenever the source system wrote them.
fn same(one: &Value, other: &Value) -> bool {
    let without = |value: &Value| {
        let mut value = value.clone();
        value.as_object_mut().map(|object| object.remove("source_updated_at"));
        value
    };
    without(one) == without(other)
}

fn row_of(change: &Change, code: &str, members: Programme, before: Option<&programme::Model>) -> ApiResult<programme::Model> {
    let search = search_text(code, &members);
    let mut row: NewRow<Programme> = members.into_row();
    row.code = Set(code.to_owned());
    row.status = Set(before.map_or(ProgrammeStatus::Planned, |before| before.status));
    row.created_at = Set(before.map_or(change.now, |before| before.created_at));
    stamp::<Programme>(&mut row, change, search, before.map_or(1, |before| before.version + 1))?;
    row.try_into_model().map_err(ApiError::unexpected)
}

/// What the rows refer to and does not exist: one statement for each kind of thing.
async fn missing(change: &Change, rows: &[&ProgrammeRow]) -> ApiResult<BTreeSet<(Target, String)>> {
    let mut wanted: BTreeMap<Target, BTreeSet<String>> = BTreeMap::new();
    for reference in Programme::REFERENCES {
        let codes = rows.iter().flat_map(|row| codes_in(reference, &row.members)).map(|(_, code)| code);
        wanted.entry(reference.to).or_default().extend(codes);
    }
    let mut missing = BTreeSet::new();
    for (target, codes) in wanted.into_iter().filter(|(_, codes)| !codes.is_empty()) {
        let existing = target.existing(&change.db, &codes).await?;
        missing.extend(codes.into_iter().filter(|code| !existing.contains(code)).map(|code| (target, code)));
    }
    Ok(missing)
}

async fn write_links(change: &Change, some: &[Write]) -> ApiResult<()> {
    let changed = some.iter().filter(|write| write.before.is_some()).map(|write| write.after.code.clone()).collect::<Vec<_>>();
    if !changed.is_empty() {
        use programme_region::Column as Region;
        use programme_supporting_opd::Column as Supporting;
        let old = programme_supporting_opd::Entity::delete_many().filter(Supporting::Programme.is_in(changed.clone()));
        old.exec(&change.db).await?;
        programme_region::Entity::delete_many().filter(Region::Programme.is_in(changed)).exec(&change.db).await?;
    }
    let each = |codes: fn(&Programme) -> &[Code]| {
        some.iter().flat_map(move |write| codes(&write.members).iter().map(|code| (write.after.code.clone(), code.to_string())))
    };
    let supporting = each(|members| &members.supporting_opds)
        .map(|(programme, opd)| programme_supporting_opd::ActiveModel { programme: Set(programme), opd: Set(opd) });
    for links in supporting.collect::<Vec<_>>().chunks(ROWS_AT_ONCE) {
        programme_supporting_opd::Entity::insert_many(links.iter().cloned()).exec_without_returning(&change.db).await?;
    }
    let regions = each(|members| &members.regions)
        .map(|(programme, region)| programme_region::ActiveModel { programme: Set(programme), region: Set(region) });
    for links in regions.collect::<Vec<_>>().chunks(ROWS_AT_ONCE) {
        programme_region::Entity::insert_many(links.iter().cloned()).exec_without_returning(&change.db).await?;
    }
    Ok(())
}

/// New programmes are planned, each from its own day on.
async fn begin_all(change: &Change, some: &[Write]) -> ApiResult<()> {
    let new = some.iter().filter(|write| write.before.is_none());
    let entries =
        new.map(|write| transitions::beginning(change, &write.after.code, write.members.start_date)).collect::<Vec<_>>();
    transitions::append(change, &entries).await
}
