//! Pages of rows in memory, by the same filters, search, order and cursor as pages that the database cuts.

use std::cmp::Ordering;

use chrono::DateTime;
use sea_orm::Order;
use serde_json::Value as Json;

use super::{Listing, Test};
use crate::http::identifiers::in_lower_case;
use crate::http::page::{Cursor, Page};
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::store::kind::{Field, ValueType};

impl Listing {
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
                return Err(ApiError::new(codes::INVALID_CURSOR));
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
