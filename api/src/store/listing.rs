//! Lists: filters, search, sort and keyset pages over one table, from one declaration of its fields.
//!
//! A page costs the same wherever it stands, and one or two statements: the rows, and their number where it was asked for.

use std::cmp::Ordering;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use entity::value::decimal::Decimal;
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, NullOrdering, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    Condition, ConnectionTrait, EntityTrait, ModelTrait, Order, PaginatorTrait, QueryFilter, QuerySelect, Select, Value,
};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::kind::{Field, Kind, Link, Row, Scope, ValueType};
use super::rows::Executor;
use crate::http::identifiers::in_lower_case;
use crate::http::page::{Cursor, DEFAULT_LIMIT, LARGEST_LIMIT, Page, texts};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{Parameters, parse_date};

impl ValueType {
    /// Whether a filter takes a comma-separated list. Not of texts: a name may hold a comma.
    pub fn takes_several(self) -> bool {
        !matches!(self, Self::Text | Self::Flag)
    }

    /// Whether `[gte]` and `[lte]` make sense.
    pub fn has_range(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal | Self::Date | Self::Instant)
    }

    fn expected(self) -> (String, String) {
        let both = |en: &str, id: &str| (en.to_owned(), id.to_owned());
        match self {
            Self::Text => both("text of at most 1000 characters", "teks paling banyak 1000 karakter"),
            Self::Code | Self::Codes | Self::Json => both("a code", "kode"),
            Self::Id => both("an id", "id"),
            Self::Choice(words) => (format!("one of {}", words.join(", ")), format!("salah satu dari {}", words.join(", "))),
            Self::Flag => both("true or false", "true atau false"),
            Self::Integer => both("a whole number", "bilangan bulat"),
            Self::Decimal => both("a decimal number", "bilangan desimal"),
            Self::Date => both("a date such as 2022-10-04", "tanggal seperti 2022-10-04"),
            Self::Instant => both("an instant such as 2022-10-04T00:00:00Z", "waktu seperti 2022-10-04T00:00:00Z"),
        }
    }

    fn read(self, text: &str) -> Option<Value> {
        match self {
            Self::Text => (text.chars().count() <= 1000).then(|| text.into()),
            Self::Code | Self::Codes | Self::Json => entity::value::code::Code::parse(text).ok().map(|code| code.as_str().into()),
            Self::Id => entity::value::code::Code::parse(&in_lower_case(text)).ok().map(|id| id.as_str().into()),
            Self::Choice(words) => words.contains(&text).then(|| text.into()),
            Self::Flag => text.parse::<bool>().ok().map(Into::into),
            Self::Integer => text.parse::<i32>().ok().map(Into::into),
            Self::Decimal => Decimal::read(text).ok().map(Into::into),
            Self::Date => parse_date(text).map(Into::into),
            Self::Instant => DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.with_timezone(&Utc).into()),
        }
    }
}

/// What a client asked of a list.
#[derive(Clone)]
pub struct Listing {
    list: String,
    conditions: Condition,
    sort: Vec<(Field, Order)>,
    limit: u64,
    cursor: Option<String>,
    count: bool,
    /// The filters once more, for rows in memory.
    filters: Vec<(Field, Test)>,
    /// What `q=` asks for.
    text: Option<String>,
}

/// What a filter asks of a field.
#[derive(Clone)]
enum Test {
    /// That it is one of these.
    AnyOf(Vec<String>),
    /// That it is this or more.
    AtLeast(String),
    /// That it is this or less.
    AtMost(String),
}

/// Conditions, order and limit of a selection.
struct Selection {
    conditions: Condition,
    sort: Vec<(Field, Order)>,
    limit: u64,
}

impl Selection {
    fn narrow(self, select: &mut SelectStatement) {
        select.cond_where(self.conditions);
        for (field, order) in self.sort {
            let column = Expr::col(field.name);
            if field.nullable {
                select.order_by_expr_with_nulls(column, order, NullOrdering::Last);
            } else {
                select.order_by_expr(column, order);
            }
        }
        select.limit(self.limit);
    }
}

impl Listing {
    /// Reads filters, `q`, `sort`, `limit`, `cursor` and `count`; `name` tells the lists apart, `key` breaks ties.
    pub fn read(
        parameters: &mut Parameters,
        name: &str,
        fields: &[Field],
        default_sort: &str,
        key: Field,
        searchable: bool,
    ) -> Self {
        let mut listing = Self {
            list: name.to_owned(),
            conditions: Condition::all(),
            sort: Vec::new(),
            limit: DEFAULT_LIMIT,
            cursor: None,
            count: false,
            filters: Vec::new(),
            text: None,
        };
        for field in fields.iter().filter(|field| !field.is_computed) {
            listing.filter(parameters, *field);
        }
        if searchable
            && let Some(text) = parameters.read("q", ("1 to 200 characters", "1 sampai 200 karakter"), |text| {
                (1..=200).contains(&text.trim().chars().count()).then(|| text.trim().to_lowercase())
            })
        {
            listing.conditions = listing.conditions.clone().add(Expr::col("search").like(contains(&text)));
            listing.list += &format!("\nq={text}");
            listing.text = Some(text);
        }
        let sort = parameters.list("sort").unwrap_or_else(|| default_sort.split(',').map(str::to_owned).collect());
        listing.list += &format!("\nsort={}", sort.join(","));
        listing.sort_by(parameters, &sort, fields, key);
        let limits = ("a number from 1 to 200", "angka dari 1 sampai 200");
        let limit =
            parameters.read("limit", limits, |text| text.parse().ok().filter(|limit| (1..=LARGEST_LIMIT).contains(limit)));
        listing.limit = limit.unwrap_or(DEFAULT_LIMIT);
        listing.cursor = parameters.text("cursor");
        listing.count = parameters.flag("count").unwrap_or_default();
        listing
    }

    /// Adds a condition the client did not ask for, such as "only what is published".
    pub fn only(mut self, condition: impl Into<SimpleExpr>) -> Self {
        self.conditions = self.conditions.add(condition.into());
        self
    }

    /// Breaks ties by another field, where rows are identified by several.
    pub fn then_by(mut self, field: Field) -> Self {
        if self.sort.iter().all(|(known, _)| known.name != field.name) {
            let order = self.sort.last().map_or(Order::Asc, |(_, order)| order.clone());
            self.sort.push((field, order));
        }
        self
    }

    /// The same list in pages of another size, from where the last one ended.
    pub fn pages_of(self, limit: u64, cursor: Option<String>) -> Self {
        Self { limit, cursor, count: false, ..self }
    }

    fn filter(&mut self, parameters: &mut Parameters, field: Field) {
        let several = field.value.takes_several();
        let given = if several { parameters.list(field.name) } else { parameters.text(field.name).map(|text| vec![text]) };
        if let Some(given) = given {
            let values = given.iter().map(|one| field.value.read(one)).collect::<Option<Vec<_>>>();
            match values {
                Some(values) => {
                    self.list += &format!("\n{}={}", field.name, given.join(","));
                    if field.derived.is_none() {
                        self.conditions = self.conditions.clone().add(is_in(field, values));
                    }
                    self.filters.push((field, Test::AnyOf(given)));
                }
                None => refuse(parameters, field.name, field.value),
            }
        }
        if !field.value.has_range() {
            return;
        }
        for bound in ["gte", "lte"] {
            let name = format!("{}[{bound}]", field.name);
            let Some(text) = parameters.text(&name) else { continue };
            match field.value.read(&text) {
                Some(value) => {
                    let column = Expr::col(field.name);
                    self.list += &format!("\n{name}={text}");
                    self.conditions =
                        self.conditions.clone().add(if bound == "gte" { column.gte(value) } else { column.lte(value) });
                    self.filters.push((field, if bound == "gte" { Test::AtLeast(text) } else { Test::AtMost(text) }));
                }
                None => refuse(parameters, &name, field.value),
            }
        }
    }

    fn sort_by(&mut self, parameters: &mut Parameters, sort: &[String], fields: &[Field], key: Field) {
        let sortable = fields.iter().chain([&key]).filter(|field| field.sortable).collect::<Vec<_>>();
        for part in sort {
            let (name, order) = part.strip_prefix('-').map_or((part.as_str(), Order::Asc), |name| (name, Order::Desc));
            match sortable.iter().find(|field| field.name == name) {
                // A name given again sorts nothing that it did not sort the first time.
                Some(field) if self.sort.iter().any(|(known, _)| known.name == field.name) => {}
                Some(field) => self.sort.push((**field, order)),
                None => {
                    let names = sortable.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
                    parameters.refuse(
                        "sort",
                        format!("Expected names out of {names}, `-` for descending."),
                        format!("Seharusnya nama dari {names}, `-` untuk urutan menurun."),
                    );
                }
            }
        }
        if self.sort.iter().all(|(field, _)| field.name != key.name) {
            // In the direction of the last: an index over both then is in the order of the list, however many rows tie.
            let order = self.sort.last().map_or(Order::Asc, |(_, order)| order.clone());
            self.sort.push((key, order));
        }
    }

    /// Reads one page; `show` turns a row of the page into what the answer holds.
    pub async fn page<E, T>(
        self,
        db: &impl ConnectionTrait,
        base: Select<E>,
        show: impl Fn(&E::Model) -> ApiResult<T>,
    ) -> ApiResult<Page>
    where
        E: EntityTrait<Model: Send + Sync, Column: FromStr>,
        T: Serialize,
    {
        let (rows, page) = self.rows(db, base).await?;
        Ok(Page { data: texts(rows.iter().map(show).collect::<ApiResult<Vec<_>>>()?)?, ..page })
    }

    /// Reads the rows of one page, and the page that they are to be put in.
    pub async fn rows<E>(self, db: &impl ConnectionTrait, base: Select<E>) -> ApiResult<(Vec<E::Model>, Page)>
    where
        E: EntityTrait<Model: Send + Sync, Column: FromStr>,
    {
        let total = if self.count { Some(base.clone().filter(self.conditions.clone()).count(db).await?) } else { None };
        let mut select = base;
        self.selection()?.narrow(QuerySelect::query(&mut select));
        let mut rows = select.all(db).await?;
        let column = |row: &E::Model, name: &str| Some(row.get(E::Column::from_str(name).ok()?));
        let page = self.cut(&mut rows, total, column)?;
        Ok((rows, page))
    }

    /// The same of a kind: those of its rows that meet `within` as well.
    pub async fn rows_of(
        self,
        kind: &Kind,
        db: &Executor<'_>,
        within: Condition,
        scope: Scope,
        today: NaiveDate,
    ) -> ApiResult<(Vec<Box<dyn Row>>, Page)> {
        let within = within.add(self.derived(today));
        let total = if self.count {
            let mut count = Query::select();
            count.expr_as(Expr::cust("COUNT(*)"), "number").from(kind.table());
            let row = db.query_one(count.cond_where(self.conditions.clone()).cond_where(within.clone())).await?;
            let number: Option<i64> = row.map(|row| row.try_get("", "number")).transpose()?;
            number.and_then(|number| number.try_into().ok())
        } else {
            None
        };
        let Selection { conditions, sort, limit } = self.selection()?;
        let selection = Selection { conditions: conditions.add(within), sort, limit };
        let mut rows = kind.rows.all(db, Box::new(|select| selection.narrow(select)), scope, today).await?;
        let page = self.cut(&mut rows, total, |row, name| row.column(name))?;
        Ok((rows, page))
    }

    /// The conditions of filters that no column stands for, on a day.
    fn derived(&self, today: NaiveDate) -> Condition {
        let derived = self.filters.iter().filter_map(|(field, test)| match (field.derived, test) {
            (Some(condition), Test::AnyOf(given)) => Some(condition(given.iter().any(|flag| flag == "true"), today)),
            _ => None,
        });
        derived.fold(Condition::all(), Condition::add)
    }

    /// What the database can narrow rows by before they are paged in memory.
    pub fn narrowing(&self, today: NaiveDate) -> Condition {
        self.conditions.clone().add(self.derived(today))
    }

    /// Whether rows have to be sorted in memory.
    pub fn sorts_by_computed(&self) -> bool {
        self.sort.iter().any(|(field, _)| field.is_computed)
    }

    /// One page of rows in memory, by the same filters, search, order and cursor. `member` gives the value of a field, and `text`
    /// what `q=` looks through. What is not shown is neither found nor an order.
    pub fn page_of<'a>(
        &self,
        rows: &'a [Json],
        member: impl Fn(&'a Json, &Field) -> &'a Json,
        text: impl Fn(&'a Json) -> String,
    ) -> ApiResult<(Vec<&'a Json>, Page)> {
        let fits = |row: &&'a Json| {
            self.filters.iter().all(|(field, test)| test.holds(field, member(row, field)))
                && self.text.as_ref().is_none_or(|wanted| text(row).to_lowercase().contains(wanted))
        };
        let places = |row: &'a Json| self.sort.iter().map(|(field, _)| Place::of(field, member(row, field))).collect::<Vec<_>>();
        let mut found = rows.iter().filter(fits).map(|row| (places(row), row)).collect::<Vec<_>>();
        let total = self.count.then_some(found.len() as u64);
        found.sort_by(|(one, _), (other, _)| self.order_of(one, other));
        if let Some(cursor) = &self.cursor {
            let values = Cursor::read(&self.list, cursor)?;
            let last = self.sort.iter().zip(&values).map(|((field, _), value)| Place::of(field, value)).collect::<Vec<_>>();
            if values.len() != self.sort.len() {
                return Err(ApiError::new(crate::http::problem::codes::INVALID_CURSOR));
            }
            found.retain(|(places, _)| self.order_of(places, &last) == Ordering::Greater);
        }
        let has_more = found.len() as u64 > self.limit;
        found.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let last = found.last().filter(|_| has_more);
        let next_cursor = last.map(|(_, row)| {
            let values = self.sort.iter().map(|(field, _)| member(row, field).clone()).collect::<Vec<_>>();
            Cursor::write(&self.list, &values)
        });
        let page = Page { data: Vec::new(), next_cursor, limit: self.limit, total };
        Ok((found.into_iter().map(|(_, row)| row).collect(), page))
    }

    /// Nulls come last in either direction.
    fn order_of(&self, one: &[Option<Place>], other: &[Option<Place>]) -> Ordering {
        let orders = self.sort.iter().zip(one.iter().zip(other)).map(|((_, order), places)| match places {
            (Some(one), Some(other)) if *order == Order::Desc => other.cmp(one),
            (Some(one), Some(other)) => one.cmp(other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        });
        orders.fold(Ordering::Equal, Ordering::then)
    }

    /// Which rows make the page, and one more, which tells whether there is a next one.
    fn selection(&self) -> ApiResult<Selection> {
        let mut conditions = self.conditions.clone();
        if let Some(cursor) = &self.cursor {
            conditions = conditions.add(self.after(&Cursor::read(&self.list, cursor)?)?);
        }
        Ok(Selection { conditions, sort: self.sort.clone(), limit: self.limit + 1 })
    }

    /// Cuts rows to a page, and gives that page.
    fn cut<R>(&self, rows: &mut Vec<R>, total: Option<u64>, column: impl Fn(&R, &str) -> Option<Value>) -> ApiResult<Page> {
        let has_more = rows.len() as u64 > self.limit;
        rows.truncate(self.limit as usize);
        let next_cursor = match rows.last().filter(|_| has_more) {
            None => None,
            Some(last) => {
                let value = |(field, _): &(Field, Order)| column(last, field.name).and_then(shown);
                let values = self.sort.iter().map(value).collect::<Option<Vec<_>>>();
                let values = values.ok_or_else(|| ApiError::unexpected("a column that cannot be sorted by"))?;
                Some(Cursor::write(&self.list, &values))
            }
        };
        Ok(Page { data: Vec::new(), next_cursor, limit: self.limit, total })
    }

    /// The rows after those sort values. In one direction it is a comparison of rows, with which an index goes straight to
    /// the first of them; where directions differ it is spelled out column by column, and the first column also bounds
    /// the range on its own.
    fn after(&self, values: &[Json]) -> ApiResult<Condition> {
        if values.len() != self.sort.len() {
            return Err(ApiError::new(crate::http::problem::codes::INVALID_CURSOR));
        }
        let values = self
            .sort
            .iter()
            .zip(values)
            .map(|((field, order), value)| Ok((field, order, restored(field, value)?)))
            .collect::<ApiResult<Vec<_>>>()?;
        let never_null = values.iter().all(|(field, ..)| !field.nullable);
        if never_null && values.iter().all(|(_, order, _)| *order == values[0].1) {
            let columns = Expr::tuple(values.iter().map(|(field, ..)| Expr::col(field.name)));
            let last = Expr::tuple(values.iter().filter_map(|(.., value)| value.clone().map(Expr::value)));
            let is_descending = *values[0].1 == Order::Desc;
            return Ok(Condition::all().add(if is_descending { columns.lt(last) } else { columns.gt(last) }));
        }
        let mut any = Condition::any();
        for (index, (field, order, value)) in values.iter().enumerate() {
            let Some(beyond) = beyond(field, order, value) else { continue };
            let mut all = Condition::all();
            for (earlier, _, value) in &values[..index] {
                let column = Expr::col(earlier.name);
                all = all.add(match value {
                    None => column.is_null(),
                    Some(value) => column.eq(value.clone()),
                });
            }
            any = any.add(all.add(beyond));
        }
        let (field, order, Some(value)) = &values[0] else { return Ok(Condition::all().add(any)) };
        if field.nullable {
            return Ok(Condition::all().add(any));
        }
        let bound = match order {
            Order::Desc => Expr::col(field.name).lte(value.clone()),
            _ => Expr::col(field.name).gte(value.clone()),
        };
        Ok(Condition::all().add(bound).add(any))
    }
}

/// The place of a value among those of its field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Flag(bool),
    Number(rust_decimal::Decimal),
    Text(String),
}

impl Place {
    /// That of a value as JSON; nothing for null.
    fn of(field: &Field, value: &Json) -> Option<Self> {
        match (field.value, value) {
            (_, Json::Bool(flag)) => Some(Self::Flag(*flag)),
            (_, Json::Number(number)) => number.to_string().parse().ok().map(Self::Number),
            (_, Json::String(text)) => Self::read(field, text),
            _ => None,
        }
    }

    /// That of a value as text.
    fn read(field: &Field, text: &str) -> Option<Self> {
        match field.value {
            ValueType::Flag => text.parse().ok().map(Self::Flag),
            ValueType::Integer | ValueType::Decimal => text.parse().ok().map(Self::Number),
            ValueType::Instant => {
                let instant = DateTime::parse_from_rfc3339(text).ok()?;
                Some(Self::Number(instant.timestamp_micros().into()))
            }
            ValueType::Id => Some(Self::Text(in_lower_case(text).into_owned())),
            _ => Some(Self::Text(text.to_owned())),
        }
    }
}

impl Test {
    /// Whether it holds for a value; for a list whether it does for an entry.
    fn holds(&self, field: &Field, value: &Json) -> bool {
        if let Json::Array(entries) = value {
            return entries.iter().any(|entry| self.holds(field, entry));
        }
        let Some(place) = Place::of(field, value) else { return false };
        let read = |text: &String| Place::read(field, text);
        match self {
            Self::AnyOf(given) => given.iter().any(|given| read(given).as_ref() == Some(&place)),
            Self::AtLeast(bound) => read(bound).is_some_and(|bound| place >= bound),
            Self::AtMost(bound) => read(bound).is_some_and(|bound| place <= bound),
        }
    }
}

/// The pattern of what holds `text` somewhere.
pub fn contains(text: &str) -> LikeExpr {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    LikeExpr::new(format!("%{escaped}%")).escape('\\')
}

/// What comes after a value of a field; `None` where nothing does.
fn beyond(field: &Field, order: &Order, value: &Option<Value>) -> Option<SimpleExpr> {
    let column = Expr::col(field.name);
    // Nulls are the last.
    let value = value.clone()?;
    let further = match order {
        Order::Desc => column.clone().lt(value),
        _ => column.clone().gt(value),
    };
    Some(if field.nullable { further.or(column.is_null()) } else { further })
}

fn is_in(field: Field, values: Vec<Value>) -> SimpleExpr {
    match field.link {
        None => Expr::col(field.name).is_in(values),
        Some(Link { table, row, code, key }) => {
            Expr::col(key).in_subquery(Query::select().column(row).from(table).and_where(Expr::col(code).is_in(values)).take())
        }
    }
}

fn refuse(parameters: &mut Parameters, name: &str, value: ValueType) {
    let (en, id) = value.expected();
    parameters.refuse(name, format!("Expected {en}."), format!("Seharusnya {id}."));
}

/// A sort value as the cursor holds it.
fn shown(value: Value) -> Option<Json> {
    match value {
        Value::String(Some(text)) => Some(json!(text)),
        Value::Int(Some(number)) => Some(json!(number)),
        Value::BigInt(Some(number)) => Some(json!(number)),
        Value::Bool(Some(flag)) => Some(json!(flag)),
        Value::ChronoDate(Some(date)) => Some(json!(date.to_string())),
        Value::ChronoDateTimeUtc(Some(instant)) => Some(json!(instant.timestamp_micros())),
        Value::Uuid(Some(id)) => Some(json!(id.to_string())),
        Value::Decimal(Some(number)) => Some(json!(number.normalize().to_string())),
        Value::String(None)
        | Value::Int(None)
        | Value::ChronoDate(None)
        | Value::ChronoDateTimeUtc(None)
        | Value::Decimal(None) => Some(Json::Null),
        _ => None,
    }
}

/// A sort value out of a cursor; `None` for null.
fn restored(field: &Field, value: &Json) -> ApiResult<Option<Value>> {
    if field.nullable && value.is_null() {
        return Ok(None);
    }
    let value = match field.value {
        ValueType::Text | ValueType::Code | ValueType::Codes | ValueType::Json | ValueType::Id | ValueType::Choice(_) => {
            value.as_str().map(Into::into)
        }
        ValueType::Integer => value.as_i64().map(Into::into),
        ValueType::Flag => value.as_bool().map(Into::into),
        ValueType::Date => value.as_str().and_then(|text| text.parse::<NaiveDate>().ok()).map(Into::into),
        ValueType::Instant => value.as_i64().and_then(DateTime::from_timestamp_micros).map(Into::into),
        ValueType::Decimal => value.as_str().and_then(|text| Decimal::parse(text).ok()).map(Into::into),
    };
    value.map(Some).ok_or_else(|| ApiError::new(crate::http::problem::codes::INVALID_CURSOR))
}
