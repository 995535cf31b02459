//! Keyset pages: the condition that continues a list after the last row of a page, and the sort values in the cursor.

use chrono::{DateTime, NaiveDate};
use entity::value::decimal::Decimal;
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{Condition, Order, Value};
use serde_json::{Value as Json, json};

use super::Listing;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::store::kind::{Field, ValueType};

impl Listing {
    /// The rows after those sort values. In one direction it is a comparison of rows, with which an index goes straight to
    /// the first of them; where directions differ it is spelled out column by column, and the first column also bounds
    /// the range on its own.
    pub(super) fn after(&self, values: &[Json]) -> ApiResult<Condition> {
        if values.len() != self.sort.len() {
            return Err(ApiError::new(codes::INVALID_CURSOR));
        }
        let values = self
            .sort
            .iter()
            .zip(values)
            .map(|((field, order), value)| Ok((field, order, sort_value(field, value)?)))
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

/// A sort value, as the cursor holds it.
pub(super) fn cursor_value(value: Value) -> Option<Json> {
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
fn sort_value(field: &Field, value: &Json) -> ApiResult<Option<Value>> {
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
    value.map(Some).ok_or_else(|| ApiError::new(codes::INVALID_CURSOR))
}
