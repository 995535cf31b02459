//! What things were like on past days.
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

use super::transaction::WriteTransaction;
use super::visible::Thing;
use crate::http::problem::ApiResult;

/// What figures count, beside what has a day of its own.
const TRACKED: &[&str] =
    &["masterplan", "dimension", "opd", "programme", "kpi", "kpi_target", "action", "evaluation", "finding", "commitment"];

/// The day on which what is still so ends.
const NEVER: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("the day exists");

/// Things of one statement.
const AT_ONCE: usize = 500;

/// Whether `resource` is kept as it was on past days.
pub fn is_tracked(resource: &str) -> bool {
    TRACKED.contains(&resource)
}

/// What a change leaves behind of one kind of thing: by key, the thing as it is now, or `None` where it is deleted.
pub type Snapshots = BTreeMap<String, Option<Value>>;

/// Notes what things of a kind are like from the day of the change on.
pub async fn remember(transaction: &WriteTransaction, resource: &str, left: Snapshots) -> ApiResult<()> {
    use snapshot::Column;
    let mut left = left.into_iter().peekable();
    while left.peek().is_some() {
        let some = left.by_ref().take(AT_ONCE).collect::<Vec<_>>();
        let keys = some.iter().map(|(key, _)| key.clone());
        let known = snapshot::Entity::find().filter(Column::Resource.eq(resource)).filter(Column::Key.is_in(keys.clone()));
        let known = known.select_only().column(Column::Key).distinct().into_tuple::<String>().all(&transaction.db).await?;
        // What changed today already is written over below, unless it is gone: then it never was, at the end of a day.
        snapshot::Entity::update_many()
            .col_expr(Column::Until, Expr::value(transaction.today))
            .filter(Column::Resource.eq(resource))
            .filter(Column::Key.is_in(keys))
            .filter(Column::Until.eq(NEVER))
            .exec(&transaction.db)
            .await?;
        let rows = some.into_iter().filter_map(|(key, content)| {
            Some(snapshot::ActiveModel {
                resource: Set(resource.to_owned()),
                is_first: Set(!known.contains(&key)),
                key: Set(key),
                since: Set(transaction.today),
                until: Set(NEVER),
                content: Set(content?),
            })
        });
        let rows = rows.collect::<Vec<_>>();
        if !rows.is_empty() {
            let again = OnConflict::columns([Column::Resource, Column::Key, Column::Since])
                .update_columns([Column::Until, Column::Content])
                .to_owned();
            snapshot::Entity::insert_many(rows).on_conflict(again).exec_without_returning(&transaction.db).await?;
        }
    }
    Ok(())
}

/// What an import brings of one kind of thing: key, the first day of which it is known, the thing.
pub type FirstSnapshots = Vec<(String, NaiveDate, Value)>;

/// Notes that things were like this from a day on that may be past: those of which nothing else is known.
pub async fn begin(transaction: &WriteTransaction, resource: &str, begun: FirstSnapshots) -> ApiResult<()> {
    use snapshot::Column;
    for some in begun.chunks(AT_ONCE) {
        let keys = some.iter().map(|(key, ..)| key.clone());
        let known = snapshot::Entity::find().filter(Column::Resource.eq(resource)).filter(Column::Key.is_in(keys));
        let known = known.select_only().column(Column::Key).distinct().into_tuple::<String>().all(&transaction.db).await?;
        let is_known = |key: &String| known.contains(key);
        // One that was deleted and is imported again counts from today: it was not there between.
        let (again, new): (Vec<_>, Vec<_>) = some.iter().cloned().partition(|(key, ..)| is_known(key));
        remember(transaction, resource, again.into_iter().map(|(key, _, content)| (key, Some(content))).collect()).await?;
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
            snapshot::Entity::insert_many(rows).exec_without_returning(&transaction.db).await?;
        }
    }
    Ok(())
}

/// The first day of which things of a kind are known without a gap until now, by key.
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

/// Whether a thing was there at the end of a day before the change.
pub async fn was_there(transaction: &WriteTransaction, resource: &str, key: &str) -> ApiResult<bool> {
    use snapshot::Column;
    let of_thing = snapshot::Entity::find().filter(Column::Resource.eq(resource)).filter(Column::Key.eq(key));
    Ok(of_thing.filter(Column::Since.lt(transaction.today)).one(&transaction.db).await?.is_some())
}

/// The end of a day, as of which a figure is computed.
#[derive(Clone, Copy, Debug)]
pub struct AsOf {
    /// The day.
    pub day: NaiveDate,
    today: NaiveDate,
    backend: DbBackend,
}

/// A member of a thing, as SQL reads it out of what was kept.
#[derive(Clone, Copy, Debug)]
pub enum Member {
    /// Text, a date or an enum.
    Text(&'static str),
    /// A whole number.
    Integer(&'static str),
    /// An exact decimal.
    Decimal(&'static str),
    /// `true` or `false`.
    Flag(&'static str),
    /// A date.
    Date(&'static str),
    /// A text inside of another member: (column, path of two names).
    Inner(&'static str, [&'static str; 2]),
    /// A decimal inside of another member.
    InnerDecimal(&'static str, [&'static str; 2]),
    /// JSON.
    Json(&'static str),
}

/// How much is counted of what was made after the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Nothing: it was not there.
    Made,
    /// As it was made: whether it was there is told by something else, such as its status history.
    Ever,
}

impl AsOf {
    /// The end of `day`, asked on `today`.
    pub fn new(day: NaiveDate, today: NaiveDate, backend: DbBackend) -> Self {
        Self { day, today, backend }
    }

    /// The same, or the end of the day on which a thing was made where that is later: who asks for one thing by its key gets
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

    /// The SQL of a table of things of a kind as they were, to stand behind `FROM` or `JOIN`: the table itself where the day
    /// is not past. `key` is the name of its key column.
    pub fn table(&self, resource: &str, key: &str, members: &[Member], since: Since) -> String {
        if !self.is_past() {
            return resource.to_owned();
        }
        let members = members.iter().map(|member| self.column(*member)).collect::<Vec<_>>().join(", ");
        let day = self.day;
        let made = match since {
            Since::Made => format!("since <= '{day}'"),
            Since::Ever => format!("(since <= '{day}' OR is_first)"),
        };
        format!("(SELECT \"key\" AS {key}, {members} FROM past WHERE resource = '{resource}' AND {made} AND until > '{day}')")
    }

    fn column(&self, member: Member) -> String {
        let is_postgres = self.backend == DbBackend::Postgres;
        let text = |name: &str| {
            if is_postgres { format!("content->>'{name}'") } else { format!("json_extract(content, '$.{name}')") }
        };
        let inner = |[outer, name]: [&str; 2]| {
            if is_postgres {
                format!("content->'{outer}'->>'{name}'")
            } else {
                format!("json_extract(content, '$.{outer}.{name}')")
            }
        };
        let cast = |text: String, postgres: &str, sqlite: &str| {
            let kind = if is_postgres { postgres } else { sqlite };
            format!("CAST({text} AS {kind})")
        };
        match member {
            Member::Text(name) => format!("{} AS {name}", text(name)),
            Member::Integer(name) => format!("{} AS {name}", cast(text(name), "integer", "integer")),
            Member::Decimal(name) => format!("{} AS {name}", cast(text(name), "numeric", "real")),
            Member::Flag(name) => format!("{} AS {name}", cast(text(name), "boolean", "integer")),
            Member::Date(name) if is_postgres => format!("{} AS {name}", cast(text(name), "date", "text")),
            Member::Date(name) => format!("{} AS {name}", text(name)),
            Member::Inner(name, path) => format!("{} AS {name}", inner(path)),
            Member::InnerDecimal(name, path) => format!("{} AS {name}", cast(inner(path), "numeric", "real")),
            Member::Json(name) if is_postgres => format!("content->'{name}' AS {name}"),
            Member::Json(name) => format!("json_extract(content, '$.{name}') AS {name}"),
        }
    }
}

/// The tables that figures count, with the members they need.
impl AsOf {
    /// Things of a kind that others hang on.
    pub fn things(&self, thing: Thing) -> String {
        match thing {
            Thing::Programme => self.programmes(),
            Thing::Evaluation => self.evaluations(),
            // What is dated back belongs to a masterplan that was entered later.
            _ => self.table("masterplan", "code", &[Member::Text("status")], Since::Ever),
        }
    }

    /// Programmes, as they were made where they were made later: whether one was there its status history tells.
    pub fn programmes(&self) -> String {
        use Member::{Flag, Text};
        let members = [Text("masterplan"), Text("dimension"), Text("name"), Text("lead_opd"), Flag("published")];
        self.table("programme", "code", &members, Since::Ever)
    }

    /// KPIs.
    pub fn kpis(&self) -> String {
        use Member::{Decimal, Flag, Inner, InnerDecimal, Text};
        let members = [
            Text("masterplan"),
            Text("opd"),
            Text("name"),
            Text("direction"),
            Text("frequency"),
            Text("method"),
            Decimal("minimum"),
            Decimal("maximum"),
            Flag("published"),
            Inner("unit_kind", ["unit", "kind"]),
            Inner("unit_label", ["unit", "label"]),
            Inner("baseline_period", ["baseline", "period"]),
            InnerDecimal("baseline_value", ["baseline", "value"]),
        ];
        self.table("kpi", "code", &members, Since::Made)
    }

    /// Targets of KPIs.
    pub fn kpi_targets(&self) -> String {
        use Member::{Decimal, Text};
        self.table("kpi_target", "target", &[Text("kpi"), Text("period"), Decimal("value"), Text("kind")], Since::Made)
    }

    /// Actions.
    pub fn actions(&self) -> String {
        use Member::{Date, Decimal, Flag, InnerDecimal, Integer, Text};
        let members = [
            Text("programme"),
            Text("opd"),
            Text("title"),
            Text("output_unit"),
            Integer("year"),
            Decimal("weight"),
            Date("due_on"),
            InnerDecimal("target_q1", ["targets", "q1"]),
            InnerDecimal("target_q2", ["targets", "q2"]),
            InnerDecimal("target_q3", ["targets", "q3"]),
            InnerDecimal("target_q4", ["targets", "q4"]),
            Flag("published"),
        ];
        self.table("action", "id", &members, Since::Made)
    }

    /// Evaluations.
    pub fn evaluations(&self) -> String {
        self.table("evaluation", "code", &[Member::Text("masterplan"), Member::Flag("published")], Since::Made)
    }

    /// Findings.
    pub fn findings(&self) -> String {
        use Member::{Date, Text};
        let members = [
            Text("evaluation"),
            Text("programme"),
            Text("opd"),
            Text("text"),
            Text("recommendation"),
            Date("due_on"),
            Text("state"),
        ];
        self.table("finding", "id", &members, Since::Made)
    }

    /// Commitments.
    pub fn commitments(&self, since: Since) -> String {
        self.table("commitment", "id", &[Member::Date("signed_on"), Member::Json("signatories")], since)
    }

    /// Dimensions.
    pub fn dimensions(&self, since: Since) -> String {
        let members = [Member::Text("name"), Member::Text("name_en"), Member::Integer("position")];
        self.table("dimension", "code", &members, since)
    }

    /// OPDs.
    pub fn opds(&self, since: Since) -> String {
        self.table("opd", "code", &[Member::Text("name"), Member::Flag("active")], since)
    }
}
