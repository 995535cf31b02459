//! Decimals in JSON: written as strings, read from strings or numbers.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema, SchemaFormat,
        schema::{SchemaType, Type},
    },
};

use super::{Decimal, Percent};

/// The plain notation of a decimal.
pub const PATTERN: &str = r"^-?[0-9]{1,15}(\.[0-9]{1,12})?$";
const MAX_LENGTH: usize = 29;

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Takes a string, or a number as its shortest decimal text.
///
/// A number has already passed through a binary double: digits beyond the 17th are lost, and what remains of them is refused as
/// too precise. A string is taken to the digit.
impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrNumber)
    }
}

struct TextOrNumber;

impl de::Visitor<'_> for TextOrNumber {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal, as a string such as \"28.3\" or as a number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
        Decimal::parse(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
        Decimal::new(number.into()).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
        Decimal::new(number.into()).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Decimal, E> {
        // The shortest text that reads back as the same double, never with an exponent.
        Decimal::parse(&number.to_string()).map_err(E::custom)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PartialSchema for Decimal {
    fn schema() -> RefOr<Schema> {
        decimal_schema(Type::String.into()).description(Some("An exact decimal, in its shortest form.")).examples(["28.3"]).into()
    }
}

impl ToSchema for Decimal {}

/// The schema of a decimal in a request: a string or a JSON number.
///
/// Use it as `#[schema(schema_with = decimal_input_schema)]`.
pub fn decimal_input_schema() -> RefOr<Schema> {
    let limit = 10_i64.pow(15);
    decimal_schema(SchemaType::from_iter([Type::String, Type::Number]))
        .description(Some(
            "An exact decimal of at most 15 significant digits. A string is taken to the digit; \
             a number passes through a binary double first.",
        ))
        .exclusive_minimum(Some(-limit))
        .exclusive_maximum(Some(limit))
        .examples(["28.3"])
        .into()
}

fn decimal_schema(schema_type: SchemaType) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(schema_type)
        .format(Some(SchemaFormat::Custom("decimal".to_owned())))
        .pattern(Some(PATTERN))
        .max_length(Some(MAX_LENGTH))
}

impl PartialSchema for Percent {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("decimal".to_owned())))
            .description(Some("A computed percentage, rounded half up to two decimals. It is 100.00 only where all of it is reached, and 0.00 only where \
                 nothing is: 29,999 of 30,000 are 99.99."))
            .pattern(Some(r"^-?[0-9]+\.[0-9]{2}$"))
            .examples(["87.50"])
            .into()
    }
}

impl ToSchema for Percent {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn read(json: &str) -> Result<Decimal, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn strings_and_numbers_are_read_alike() {
        for json in ["\"28.3\"", "28.3", "28.30", "\"28.300\"", "2.83e1"] {
            assert_eq!(read(json).unwrap().to_string(), "28.3", "{json}");
        }
        assert_eq!(read("14").unwrap().to_string(), "14");
        assert_eq!(read("-14").unwrap().to_string(), "-14");
        assert_eq!(read("-0.0").unwrap().to_string(), "0");
        assert_eq!(read("1e-7").unwrap().to_string(), "0.0000001");
        assert_eq!(read("1e14").unwrap().to_string(), "100000000000000");
        assert_eq!(serde_json::from_value::<Decimal>(json!(2.8)).unwrap().to_string(), "2.8");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for json in ["1e15", "1e300", "18446744073709551615", "-9223372036854775808", "\"1000000000000000\""] {
            assert!(read(json).unwrap_err().to_string().contains("15 digits before"), "{json}");
        }
        for json in ["1e-13", "0.1234567890123456789", "5e-324", "\"1234567890123.456\""] {
            assert!(read(json).unwrap_err().to_string().contains("significant"), "{json}");
        }
        for json in ["\"1e3\"", "\"\"", "\"+1\"", "null", "true", "[]", "{}"] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn answers_are_strings() {
        let value = read("\"-4.450\"").unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), "\"-4.45\"");
        assert_eq!(serde_json::to_string(&Percent::share(35, 40)).unwrap(), "\"87.50\"");
        assert_eq!(serde_json::to_string(&Percent::share(1, 1)).unwrap(), "\"100.00\"");
    }

    #[test]
    fn the_schemas_say_string_out_and_string_or_number_in() {
        let answer = serde_json::to_value(Decimal::schema()).unwrap();
        assert_eq!(answer["type"], json!("string"));
        assert_eq!(answer["format"], json!("decimal"));
        assert_eq!(answer["pattern"], json!(r"^-?[0-9]{1,15}(\.[0-9]{1,12})?$"));
        assert_eq!(answer["maxLength"], json!(29));
        let request = serde_json::to_value(decimal_input_schema()).unwrap();
        assert_eq!(request["type"], json!(["string", "number"]));
        assert_eq!(request["pattern"], answer["pattern"]);
        assert_eq!(serde_json::to_value(Percent::schema()).unwrap()["type"], json!("string"));
    }
}
