//! Lists: filters, search, sort and keyset pages over one table, from one declaration of its fields.
//!
//! A page costs the same wherever it stands, and one or two statements: the rows, and their number where it was asked for.

mod keyset;
mod memory;

use std::str::FromStr;

use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, NullOrdering, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    Condition, ConnectionTrait, EntityTrait, ModelTrait, Order, PaginatorTrait, QueryFilter, QuerySelect, Select, Value,
};
use serde::Serialize;

use super::kind::{Field, Kind, Link, Row, Scope, ValueType};
use super::rows::Executor;
use crate::http::page::{Cursor, DEFAULT_LIMIT, LARGEST_LIMIT, Page, texts};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;

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
                let value = |(field, _): &(Field, Order)| column(last, field.name).and_then(keyset::cursor_value);
                let values = self.sort.iter().map(value).collect::<Option<Vec<_>>>();
                let values = values.ok_or_else(|| ApiError::unexpected("a column that cannot be sorted by"))?;
                Some(Cursor::write(&self.list, &values))
            }
        };
        Ok(Page { data: Vec::new(), next_cursor, limit: self.limit, total })
    }
}

/// The pattern of what holds `text` somewhere.
pub fn contains(text: &str) -> LikeExpr {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    LikeExpr::new(format!("%{escaped}%")).escape('\\')
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
