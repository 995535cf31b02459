//! Lists: filters, search, sort and keyset pages over one table, from one declaration of its fields.
//!
//! A page costs the same wherever it stands, and one or two statements: the rows, and their number where it was asked for.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use entity::value::decimal::Decimal;
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, NullOrdering, Query, SimpleExpr};
use sea_orm::{
    Condition, ConnectionTrait, EntityTrait, ModelTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    Value,
};
use serde_json::{Value as Json, json};

use crate::http::identifiers::in_lower_case;
use crate::http::page::{Cursor, DEFAULT_LIMIT, LARGEST_LIMIT, Page};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{Parameters, parse_date};

/// A field that a list can be filtered or sorted by.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, in the query and in the table.
    pub name: &'static str,
    /// What values it has.
    pub kind: Kind,
    /// Whether `sort=` may name it.
    pub sortable: bool,
    /// Whether it may be null: such rows come last, whatever the direction.
    pub nullable: bool,
    /// Where the values stand, if not in a column of the same name: (table, column of the row, column of the value).
    pub link: Option<(&'static str, &'static str, &'static str)>,
}

/// What values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// The code of a thing.
    Code,
    /// The id of a thing: a UUID, in either case.
    Id,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number; `[gte]` and `[lte]` too.
    Integer,
    /// An exact decimal; `[gte]` and `[lte]` too.
    Decimal,
    /// A date; `[gte]` and `[lte]` too.
    Date,
    /// An instant; `[gte]` and `[lte]` too.
    Instant,
}

impl Field {
    /// A field that filters.
    pub const fn filter(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, sortable: false, nullable: false, link: None }
    }

    /// A field that filters and sorts, and is never null.
    pub const fn sort(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, sortable: true, nullable: false, link: None }
    }

    /// A field that filters and sorts, and may be null.
    pub const fn sort_nullable(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, sortable: true, nullable: true, link: None }
    }

    /// A field whose values stand in a table of references.
    pub const fn linked(name: &'static str, link: (&'static str, &'static str, &'static str)) -> Self {
        Self { name, kind: Kind::Code, sortable: false, nullable: false, link: Some(link) }
    }
}

impl Kind {
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
            Self::Code => both("a code", "kode"),
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
            Self::Code => entity::value::code::Code::parse(text).ok().map(|code| code.as_str().into()),
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
pub struct Listing {
    list: String,
    conditions: Condition,
    sort: Vec<(Field, Order)>,
    limit: u64,
    cursor: Option<String>,
    count: bool,
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
        };
        for field in fields {
            listing.filter(parameters, *field);
        }
        if searchable
            && let Some(text) = parameters.read("q", ("1 to 200 characters", "1 sampai 200 karakter"), |text| {
                (1..=200).contains(&text.trim().chars().count()).then(|| text.trim().to_lowercase())
            })
        {
            listing.conditions = listing.conditions.clone().add(Expr::col("search").like(contains(&text)));
            listing.list += &format!("\nq={text}");
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

    fn filter(&mut self, parameters: &mut Parameters, field: Field) {
        let several = field.kind.takes_several();
        let given = if several { parameters.list(field.name) } else { parameters.text(field.name).map(|text| vec![text]) };
        if let Some(given) = given {
            let values = given.iter().map(|one| field.kind.read(one)).collect::<Option<Vec<_>>>();
            match values {
                Some(values) => {
                    self.list += &format!("\n{}={}", field.name, given.join(","));
                    self.conditions = self.conditions.clone().add(is_in(field, values));
                }
                None => refuse(parameters, field.name, field.kind),
            }
        }
        if !field.kind.has_range() {
            return;
        }
        for bound in ["gte", "lte"] {
            let name = format!("{}[{bound}]", field.name);
            let Some(text) = parameters.text(&name) else { continue };
            match field.kind.read(&text) {
                Some(value) => {
                    let column = Expr::col(field.name);
                    self.list += &format!("\n{name}={text}");
                    self.conditions =
                        self.conditions.clone().add(if bound == "gte" { column.gte(value) } else { column.lte(value) });
                }
                None => refuse(parameters, &name, field.kind),
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

    /// Reads one page; `show` turns the rows of the page into what the answer holds.
    pub async fn page<E, C>(self, db: &C, base: Select<E>, show: impl Fn(&E::Model) -> ApiResult<Json>) -> ApiResult<Page>
    where
        E: EntityTrait,
        E::Model: Send + Sync,
        C: ConnectionTrait,
        <E::Column as FromStr>::Err: std::fmt::Debug,
        E::Column: FromStr,
    {
        let (rows, page) = self.rows(db, base).await?;
        Ok(Page { data: rows.iter().map(show).collect::<ApiResult<_>>()?, ..page })
    }

    /// Reads the rows of one page, and the page that they are to be put in.
    pub async fn rows<E, C>(self, db: &C, base: Select<E>) -> ApiResult<(Vec<E::Model>, Page)>
    where
        E: EntityTrait,
        E::Model: Send + Sync,
        C: ConnectionTrait,
        <E::Column as FromStr>::Err: std::fmt::Debug,
        E::Column: FromStr,
    {
        let filtered = base.filter(self.conditions.clone());
        let total = if self.count { Some(filtered.clone().count(db).await?) } else { None };
        let mut select = filtered;
        if let Some(cursor) = &self.cursor {
            let values = Cursor::read(&self.list, cursor)?;
            select = select.filter(self.after(&values)?);
        }
        for (field, order) in &self.sort {
            let column = Expr::col(field.name);
            select = if field.nullable {
                select.order_by_with_nulls(column, order.clone(), NullOrdering::Last)
            } else {
                select.order_by(column, order.clone())
            };
        }
        let mut rows = select.limit(self.limit + 1).all(db).await?;
        let has_more = rows.len() as u64 > self.limit;
        rows.truncate(self.limit as usize);
        let next_cursor = match rows.last().filter(|_| has_more) {
            Some(last) => Some(Cursor::write(&self.list, &self.values_of::<E>(last)?)),
            None => None,
        };
        Ok((rows, Page { data: Vec::new(), next_cursor, limit: self.limit, total }))
    }

    fn values_of<E: EntityTrait>(&self, row: &E::Model) -> ApiResult<Vec<Json>>
    where
        E::Column: FromStr,
        <E::Column as FromStr>::Err: std::fmt::Debug,
    {
        self.sort
            .iter()
            .map(|(field, _)| {
                let column =
                    E::Column::from_str(field.name).map_err(|_| ApiError::unexpected(format!("no column {}", field.name)))?;
                shown(row.get(column)).ok_or_else(|| ApiError::unexpected(format!("column {} cannot be sorted by", field.name)))
            })
            .collect()
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
        Some((table, row, value)) => Expr::col("code")
            .in_subquery(Query::select().column(row).from(table).and_where(Expr::col(value).is_in(values)).take()),
    }
}

fn refuse(parameters: &mut Parameters, name: &str, kind: Kind) {
    let (en, id) = kind.expected();
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
    let value = match field.kind {
        Kind::Text | Kind::Code | Kind::Id | Kind::Choice(_) => value.as_str().map(Into::into),
        Kind::Integer => value.as_i64().map(Into::into),
        Kind::Flag => value.as_bool().map(Into::into),
        Kind::Date => value.as_str().and_then(|text| text.parse::<NaiveDate>().ok()).map(Into::into),
        Kind::Instant => value.as_i64().and_then(DateTime::from_timestamp_micros).map(Into::into),
        Kind::Decimal => value.as_str().and_then(|text| Decimal::parse(text).ok()).map(Into::into),
    };
    value.map(Some).ok_or_else(|| ApiError::new(crate::http::problem::codes::INVALID_CURSOR))
}
