//! The types of the values that members and columns hold, and how a filter reads them.

use chrono::{DateTime, Utc};
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use sea_orm::Value;

use crate::http::identifiers::in_lower_case;
use crate::http::query::parse_date;

/// What a member or a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Any text.
    Text,
    /// The code of a resource.
    Code,
    /// The id of a resource: a UUID, in either case.
    Id,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer,
    /// An exact decimal.
    Decimal,
    /// A date.
    Date,
    /// An instant.
    Instant,
    /// A list of codes.
    Codes,
    /// An object or a list of objects.
    Json,
}

impl ValueType {
    /// Whether a filter takes a comma-separated list. Not of texts: a name may hold a comma.
    pub fn takes_several(self) -> bool {
        !matches!(self, Self::Text | Self::Flag)
    }

    /// Whether `[gte]` and `[lte]` make sense.
    pub fn has_range(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal | Self::Date | Self::Instant)
    }

    /// What a filter expects, in English and in Indonesian.
    pub fn expected(self) -> (String, String) {
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

    /// The value that a filter names; `None` where the text is none of this type.
    pub fn read(self, text: &str) -> Option<Value> {
        match self {
            Self::Text => (text.chars().count() <= 1000).then(|| text.into()),
            Self::Code | Self::Codes | Self::Json => Code::parse(text).ok().map(|code| code.as_str().into()),
            Self::Id => Code::parse(&in_lower_case(text)).ok().map(|id| id.as_str().into()),
            Self::Choice(words) => words.contains(&text).then(|| text.into()),
            Self::Flag => text.parse::<bool>().ok().map(Into::into),
            Self::Integer => text.parse::<i32>().ok().map(Into::into),
            Self::Decimal => Decimal::read(text).ok().map(Into::into),
            Self::Date => parse_date(text).map(Into::into),
            Self::Instant => DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.with_timezone(&Utc).into()),
        }
    }
}
