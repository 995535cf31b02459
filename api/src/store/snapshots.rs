//! Resources as they were on past days.
//!
//! Figures answer `as_of` any day. What has a day of its own (a status, a verified value) is asked by that day; all else that
//! a figure counts is kept here as it was at the end of each day on which it changed, in the transaction of the change. The
//! figures of today read the tables themselves, so that they cost nothing for what is past.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::snapshot;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;

use super::kind::{BeforeFirst, Kind, Member, PartColumn, ValueType};
use crate::http::problem::ApiResult;

/// The day on which what is still so ends.
const NEVER: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("the calendar has this day");

/// Things of one statement.
const AT_ONCE: usize = 500;

/// What a change leaves of one kind: by key, the resource as it is now, or `None` where it is deleted.
pub type Snapshots = BTreeMap<String, Option<Value>>;

/// Records what resources of a kind are like from the day of the change on.
pub async fn remember(db: &impl ConnectionTrait, today: NaiveDate, resource: &str, left: Snapshots) -> ApiResult<()> {
    use snapshot::Column;
    let mut left = left.into_iter().peekable();
    while left.peek().is_some() {
        let some = left.by_ref().take(AT_ONCE).collect::<Vec<_>>();
        let keys = some.iter().map(|(key, _)| key.clone());
        let known = snapshot::Entity::find().filter(Column::Resource.eq(resource)).filter(Column::Key.is_in(keys.clone()));
        let known = known.select_only().column(Column::Key).distinct().into_tuple::<String>().all(db).await?;
        // What changed today already is written over below, unless it is gone: then it never was, at the end of a day.
        snapshot::Entity::update_many()
            .col_expr(Column::Until, Expr::value(today))
            .filter(Column::Resource.eq(resource))
            .filter(Column::Key.is_in(keys))
            .filter(Column::Until.eq(NEVER))
            .exec(db)
            .await?;
        let rows = some.into_iter().filter_map(|(key, content)| {
            Some(snapshot::ActiveModel {
                resource: Set(resource.to_owned()),
                is_first: Set(!known.contains(&key)),
                key: Set(key),
                since: Set(today),
                until: Set(NEVER),
                content: Set(content?),
            })
        });
        let rows = rows.collect::<Vec<_>>();
        if !rows.is_empty() {
            let again = OnConflict::columns([Column::Resource, Column::Key, Column::Since])
                .update_columns([Column::Until, Column::Content])
                .to_owned();
            snapshot::Entity::insert_many(rows).on_conflict(again).exec_without_returning(db).await?;
        }
    }
    Ok(())
}

/// What an import brings of one kind: key, the first day of which it is known, the resource.
pub type FirstSnapshots = Vec<(String, NaiveDate, Value)>;

/// Records that resources were like this from a day on that may be past: those of which nothing else is known.
pub async fn begin(db: &impl ConnectionTrait, today: NaiveDate, resource: &str, begun: FirstSnapshots) -> ApiResult<()> {
    use snapshot::Column;
    for some in begun.chunks(AT_ONCE) {
        let keys = some.iter().map(|(key, ..)| key.clone());
        let known = snapshot::Entity::find().filter(Column::Resource.eq(resource)).filter(Column::Key.is_in(keys));
        let known = known.select_only().column(Column::Key).distinct().into_tuple::<String>().all(db).await?;
        let is_known = |key: &String| known.contains(key);
        // One that was deleted and is imported again counts from today: it was not there between.
        let (again, new): (Vec<_>, Vec<_>) = some.iter().cloned().partition(|(key, ..)| is_known(key));
        remember(db, today, resource, again.into_iter().map(|(key, _, content)| (key, Some(content))).collect()).await?;
        let rows = new.into_iter().map(|(key, since, content)| snapshot::ActiveModel {
            resource: Set(resource.to_owned()),
            key: Set(key),
            since: Set(since),
            until: Set(NEVER),
            is_first: Set(true),
            content: Set(content),
        });
        let rows = rows.collect::<Vec<_>>();
        if !rows.is_empty() {
            snapshot::Entity::insert_many(rows).exec_without_returning(db).await?;
        }
    }
    Ok(())
}

/// The first day of which resources of a kind are known without a gap until now, by key.
pub async fn known_since(db: &impl ConnectionTrait, resource: &str, keys: Vec<String>) -> ApiResult<HashMap<String, NaiveDate>> {
    use snapshot::Column;
    let rows = snapshot::Entity::find().filter(Column::Resource.eq(resource)).filter(Column::Key.is_in(keys));
    let rows = rows.select_only().columns([Column::Key, Column::Since, Column::Until]).order_by_desc(Column::Since);
    let mut first = HashMap::new();
    for (key, since, until) in rows.into_tuple::<(String, NaiveDate, NaiveDate)>().all(db).await? {
        let later = first.entry(key).or_insert(NEVER);
        if until == *later {
            *later = since;
        }
    }
    first.retain(|_, since| *since < NEVER);
    Ok(first)
}

/// Whether a resource existed at the end of a day before the change.
pub async fn was_there(db: &impl ConnectionTrait, today: NaiveDate, resource: &str, key: &str) -> ApiResult<bool> {
    use snapshot::Column;
    let of_resource = snapshot::Entity::find().filter(Column::Resource.eq(resource)).filter(Column::Key.eq(key));
    Ok(of_resource.filter(Column::Since.lt(today)).one(db).await?.is_some())
}

/// The end of a day, as of which a figure is computed.
#[derive(Clone, Copy, Debug)]
pub struct AsOf {
    /// The day.
    pub day: NaiveDate,
    today: NaiveDate,
    backend: DbBackend,
}

impl AsOf {
    /// The end of `day`, asked on `today`.
    pub fn new(day: NaiveDate, today: NaiveDate, backend: DbBackend) -> Self {
        Self { day, today, backend }
    }

    /// The same, or the end of the day on which a resource was made where that is later: who asks for one by its key gets
    /// it also for days before it was entered. One statement, and none where the day is not past.
    pub async fn or_made(self, db: &impl ConnectionTrait, resource: &str, key: &str) -> ApiResult<Self> {
        use snapshot::Column;
        if !self.is_past() {
            return Ok(self);
        }
        let first = snapshot::Entity::find().filter(Column::Resource.eq(resource)).filter(Column::Key.eq(key));
        let first = first.filter(Column::IsFirst.eq(true)).select_only().column(Column::Since);
        let made = first.into_tuple::<NaiveDate>().one(db).await?;
        Ok(Self { day: made.map_or(self.day, |made| made.max(self.day)), ..self })
    }

    /// Whether the day has ended: then few changes touch what is answered of it.
    pub fn is_past(&self) -> bool {
        self.day < self.today
    }

    /// The SQL of the table of a kind as it was, to stand behind `FROM` or `JOIN`: the table itself where the day is not past.
    pub fn of(&self, kind: &Kind) -> String {
        self.counting(kind, kind.audited.snapshots.unwrap_or(BeforeFirst::Absent))
    }

    /// The same with another count of what was made after the day.
    pub fn counting(&self, kind: &Kind, before_first: BeforeFirst) -> String {
        if !self.is_past() {
            return kind.table().to_owned();
        }
        self.table(
            kind.table(),
            kind.key.name(),
            kind.parent.map(|parent| parent.as_member()).iter().chain((kind.groups)().into_iter().flatten()),
            before_first,
        )
    }

    /// The same of what is no kind of its own, such as a part: the audit log calls it `resource`, and its key is called `key`.
    pub fn table<'a>(
        &self,
        resource: &str,
        key: &str,
        members: impl Iterator<Item = &'a Member>,
        before_first: BeforeFirst,
    ) -> String {
        if !self.is_past() {
            return resource.to_owned();
        }
        let columns = members.flat_map(|member| self.columns(member)).collect::<Vec<_>>().join(", ");
        let day = self.day;
        let made = match before_first {
            BeforeFirst::Absent => format!("since <= '{day}'"),
            BeforeFirst::AsMade => format!("(since <= '{day}' OR is_first)"),
        };
        format!("(SELECT \"key\" AS {key}, {columns} FROM past WHERE resource = '{resource}' AND {made} AND until > '{day}')")
    }

    /// The columns of a member, out of what was kept.
    fn columns(&self, member: &Member) -> Vec<String> {
        if member.columns.is_empty() {
            return vec![self.column(member.name, &[member.name], member.value)];
        }
        let part = |column: &PartColumn| self.column(column.name, &[member.name, column.part], column.value);
        member.columns.iter().map(part).collect()
    }

    fn column(&self, name: &str, path: &[&str], value: ValueType) -> String {
        let is_postgres = self.backend == DbBackend::Postgres;
        let is_json = matches!(value, ValueType::Codes | ValueType::Json);
        let kept = match (is_postgres, path) {
            (true, [outer @ .., last]) => {
                let outer = outer.iter().map(|name| format!("->'{name}'")).collect::<String>();
                format!("content{outer}{}'{last}'", if is_json { "->" } else { "->>" })
            }
            _ => format!("json_extract(content, '$.{}')", path.join(".")),
        };
        let kind = match (value, is_postgres) {
            (ValueType::Integer, _) => "integer",
            (ValueType::Decimal, true) => "numeric",
            (ValueType::Decimal, false) => "real",
            (ValueType::Flag, true) => "boolean",
            (ValueType::Flag, false) => "integer",
            (ValueType::Date, true) => "date",
            (ValueType::Instant, true) => "timestamptz",
            _ => return format!("{kept} AS {name}"),
        };
        format!("CAST({kept} AS {kind}) AS {name}")
    }
}
