//! Decimals in the database: `numeric` on PostgreSQL, `REAL` on SQLite.

use sea_orm::{
    ColIdx, ColumnType, DbErr, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, Nullable, ValueType, ValueTypeErr, value::NumericValue},
};

use super::{Decimal, InvalidDecimal};

impl From<Decimal> for Value {
    fn from(decimal: Decimal) -> Self {
        Self::Decimal(Some(decimal.0))
    }
}

impl Nullable for Decimal {
    fn null() -> Value {
        Value::Decimal(None)
    }
}

impl ValueType for Decimal {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        match value {
            Value::Decimal(Some(value)) => Self::new(value).map_err(|_| ValueTypeErr),
            _ => Err(ValueTypeErr),
        }
    }

    fn type_name() -> String {
        "Decimal".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::Decimal
    }

    fn column_type() -> ColumnType {
        ColumnType::Decimal(None)
    }
}

// `kpi_target::COLUMN.value.gt(decimal)` and its like.
impl NumericValue for Decimal {}

/// Reads a stored value. It is not for sums or means made in SQL, which may have more digits than fit.
impl TryGetable for Decimal {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let read = if row.try_as_sqlite_row().is_some() {
            // The conversion of sea-orm from a double is not the shortest one and changes some values.
            from_double(<f64 as TryGetable>::try_get_by(row, index)?)
        } else {
            Self::new(<rust_decimal::Decimal as TryGetable>::try_get_by(row, index)?)
        };
        read.map_err(|invalid| DbErr::Type(format!("column {index:?}: {invalid}")).into())
    }
}

/// The decimal that was stored as this double: its shortest text.
fn from_double(stored: f64) -> Result<Decimal, InvalidDecimal> {
    Decimal::parse(&stored.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_value_that_sea_orm_changes_survives() {
        let stored: f64 = "4441839.23471".parse().unwrap();
        assert_eq!(from_double(stored).unwrap().to_string(), "4441839.23471");
    }

    #[test]
    fn whole_and_extreme_doubles_are_read() {
        for text in ["14", "0", "-0.45", "999999999999999", "-999999999999999", "0.000000000001"] {
            assert_eq!(from_double(text.parse().unwrap()).unwrap().to_string(), text);
        }
        assert_eq!(from_double(f64::NAN), Err(InvalidDecimal::NotADecimal));
        assert_eq!(from_double(f64::INFINITY), Err(InvalidDecimal::NotADecimal));
        assert_eq!(from_double(f64::MAX), Err(InvalidDecimal::TooLarge));
    }

    #[test]
    fn a_value_goes_into_a_query_and_back() {
        let value = Decimal::parse("28.3").unwrap();
        assert_eq!(<Decimal as ValueType>::try_from(value.into()).unwrap(), value);
        assert_eq!(<Option<Decimal> as ValueType>::try_from(None::<Decimal>.into()).unwrap(), None);
        assert!(<Decimal as ValueType>::try_from(Value::Double(Some(1.0))).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn up_to_15_digits_survive_a_double(
            digits in 1_u32..=15,
            random in any::<u64>(),
            negative in any::<bool>(),
            scale in 0_u32..=12,
        ) {
            let magnitude = (random % 10_u64.pow(digits)) as i64;
            let mantissa = if negative { -magnitude } else { magnitude };
            let value = Decimal::new(rust_decimal::Decimal::new(mantissa, scale)).unwrap();
            let stored: f64 = value.to_string().parse().unwrap();
            prop_assert_eq!(from_double(stored).unwrap(), value);
        }
    }
}
