//! JSON that says what it means: UTF-8, with or without a byte order mark, and each member of an object once.
//!
//! `serde_json` takes the last of two members with the same name, so that a system which writes one twice loses the first
//! without a word. Here a second one is a field error with its place. One pass over the text, and no more memory than the value.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::language::Text;
use super::problem::{ApiError, FieldError, codes};

/// More members that stand twice than these are not listed.
const MOST_FIELD_ERRORS: usize = 100;
/// What an editor on Windows writes before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a text is no value.
pub enum Unread {
    /// It is not JSON.
    Malformed(serde_json::Error),
    /// It is JSON, but members stand in it twice.
    Repeated(Vec<FieldError>),
}

/// The value of a text.
pub fn parse(text: &[u8]) -> Result<Value, Unread> {
    let mut field_errors = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value =
        Part { place: Place::Root, field_errors: &mut field_errors }.deserialize(&mut reader).map_err(Unread::Malformed)?;
    reader.end().map_err(Unread::Malformed)?;
    if field_errors.is_empty() { Ok(value) } else { Err(Unread::Repeated(field_errors)) }
}

/// The value of a body, or the answer that says why it has none.
pub fn read_body(bytes: &[u8]) -> Result<Value, ApiError> {
    parse(text_of(bytes)?.as_bytes()).map_err(|unread| match unread {
        Unread::Malformed(error) => malformed(&error),
        Unread::Repeated(field_errors) => ApiError::invalid(field_errors),
    })
}

/// 400 with the place where JSON ends to be JSON.
pub fn malformed(error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line(), error.column());
    ApiError::new(codes::MALFORMED)
        .detail(format!("Not JSON: {error}."), format!("Bukan JSON yang benar, baris {line} kolom {column}: {error}."))
        .member("line", line)
        .member("column", column)
}

/// The text of a body, without a byte order mark; 400 where it is not UTF-8.
pub fn text_of(bytes: &[u8]) -> Result<&str, ApiError> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    // Every character of JSON in UTF-16 that is not in a string has a NUL in it, which is no field error of UTF-8.
    if bytes.iter().take(2).any(|byte| *byte == 0) {
        return Err(not_utf8(0));
    }
    std::str::from_utf8(bytes).map_err(|error| not_utf8(error.valid_up_to()))
}

fn not_utf8(place: usize) -> ApiError {
    ApiError::new(codes::MALFORMED).detail(
        format!("The body is not UTF-8: byte {} begins no character. Save or send it as UTF-8.", place + 1),
        format!("Isi permintaan bukan UTF-8: bita ke-{} bukan awal suatu karakter. Simpan atau kirim sebagai UTF-8.", place + 1),
    )
}

/// Where a value stands, from the inside out: written as a pointer only where something is wrong.
enum Place<'a> {
    Root,
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Member(parent, name) => format!("{}/{}", parent.pointer(), escaped(name)),
            Self::Item(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

/// A member name as a segment of an RFC 6901 pointer.
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A part of the text at its place.
struct Part<'a> {
    place: Place<'a>,
    field_errors: &'a mut Vec<FieldError>,
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let Self { place, field_errors } = self;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Part { place: Place::Item(&place, items.len()), field_errors })? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let Self { place, field_errors } = self;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(Part { place: Place::Member(&place, &name), field_errors })?;
            if members.contains_key(&name) && field_errors.len() < MOST_FIELD_ERRORS {
                field_errors.push(repeated(Place::Member(&place, &name).pointer(), &name));
            }
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

fn repeated(pointer: String, name: &str) -> FieldError {
    let text = Text::new(
        format!("`{name}` stands in this object twice. Send each member once."),
        format!("`{name}` ada dua kali dalam objek ini. Kirim setiap anggota satu kali."),
    );
    FieldError::at(pointer, "repeated_member", text)
}

/// Applies a merge patch (RFC 7396).
pub fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(&name);
            } else {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e300..1e300).prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..6).prop_map(|members| members.into_iter().collect::<Value>()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_holds_each_member_once_is_read_as_ever(value in any_value()) {
            let text = value.to_string();
            let read = parse(text.as_bytes()).map_err(|_| "not read");
            prop_assert_eq!(read, Ok(serde_json::from_str::<Value>(&text).unwrap()));
        }

        #[test]
        fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let ours = parse(&bytes);
            if matches!(ours, Ok(_) | Err(Unread::Repeated(_))) {
                prop_assert!(serde_json::from_slice::<Value>(&bytes).is_ok());
            } else {
                prop_assert!(serde_json::from_slice::<Value>(&bytes).is_err());
            }
        }
    }

    fn places(text: &str) -> Vec<String> {
        let Err(Unread::Repeated(field_errors)) = parse(text.as_bytes()) else { panic!("{text} is read") };
        let sentence = |field_error: &FieldError| field_error.sentence().split(':').next().unwrap_or_default().to_owned();
        field_errors.iter().map(sentence).collect()
    }

    #[test]
    fn a_member_that_stands_twice_is_named_wherever_it_is() {
        assert_eq!(places(r#"{"a":1,"a":1}"#), ["/a"]);
        assert_eq!(places(r#"{"a":1,"\u0061":2}"#), ["/a"]);
        assert_eq!(places(r#"[{"a":{"b/c":1,"d":[],"b/c":2}},{"e":1,"e":2,"e":3}]"#), ["/0/a/b~1c", "/1/e", "/1/e"]);
        assert_eq!(places(&format!("[{}]", vec![r#"{"a":1,"a":2}"#; 5_000].join(","))).len(), MOST_FIELD_ERRORS);
        assert!(parse(br#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#).is_ok());
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text_and_utf_16_is_told() {
        assert_eq!(read_body(b"\xef\xbb\xbf{\"a\":1}").ok(), Some(json!({ "a": 1 })));
        let wide = |bytes: &dyn Fn(u16) -> [u8; 2]| r#"{"a":1}"#.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
        let (little, big) = (wide(&u16::to_le_bytes), wide(&u16::to_be_bytes));
        for bytes in [&little, &big, &[b"\xff\xfe".as_slice(), &little].concat(), &b"{\"a\":\"\xe9\"}".to_vec()] {
            let refused = read_body(bytes).unwrap_err();
            assert!(refused.sentence().contains("not UTF-8"), "{}", refused.sentence());
        }
    }
}
