//! A code: the short public identifier of a resource, the same in paths, references and exports.

use std::{borrow::Cow, error::Error, fmt, ops::Deref, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// A code such as `STUNTING` or `52.08.01.2001`; it matches [`Code::PATTERN`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(String);

impl Code {
    /// The form of a code, as a regular expression for the API document.
    pub const PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";

    /// The greatest number of characters of a code.
    pub const MAX_LENGTH: usize = 64;

    /// Takes a code exactly as written: nothing is trimmed, and no letter changes its case.
    pub fn parse(text: &str) -> Result<Self, InvalidCode> {
        let bytes = text.as_bytes();
        let first_is_alphanumeric = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
        let all_allowed = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if first_is_alphanumeric && all_allowed && bytes.len() <= Self::MAX_LENGTH {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCode)
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The error for a text that is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCode;

impl fmt::Display for InvalidCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a code has 1 to {} letters, digits, dots, underscores or hyphens, and starts with a letter or digit",
            Code::MAX_LENGTH
        )
    }
}

impl Error for InvalidCode {}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Code {
    type Err = InvalidCode;

    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        Self::parse(text)
    }
}

impl Deref for Code {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The code that identifies a resource in paths, references and exports. It never changes."))
            .pattern(Some(Self::PATTERN))
            .min_length(Some(1))
            .max_length(Some(Self::MAX_LENGTH))
            .into()
    }
}

impl ToSchema for Code {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_of_the_field_are_accepted() {
        for text in ["STUNTING", "PROGRAM-BERJALAN", "52.08.01.2001", "a", "7", "a_b-c.d"] {
            assert_eq!(Code::parse(text).unwrap().as_str(), text);
        }
        assert!(Code::parse(&"x".repeat(64)).is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "-a", ".a", "_a", " a", "a ", "a b", "a/b", "é", "a\n", "a\0"] {
            assert_eq!(Code::parse(text), Err(InvalidCode), "{text:?}");
        }
        assert_eq!(Code::parse(&"x".repeat(65)), Err(InvalidCode));
    }

    #[test]
    fn json_says_why_a_code_is_refused() {
        let code: Code = serde_json::from_str("\"\\u0053TUNTING\"").unwrap();
        assert_eq!(serde_json::to_string(&code).unwrap(), "\"STUNTING\"");
        let refused = serde_json::from_str::<Code>("\"a b\"").unwrap_err();
        assert!(refused.to_string().starts_with("a code has 1 to 64 letters"));
        assert!(serde_json::from_str::<Code>("7").is_err());
    }

    proptest! {
        #[test]
        fn what_matches_the_pattern_parses(text in "[A-Za-z0-9][A-Za-z0-9._-]{0,63}") {
            prop_assert_eq!(Code::parse(&text).unwrap().to_string(), text);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = Code::parse(&text);
        }
    }
}
