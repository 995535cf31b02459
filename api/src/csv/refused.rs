//! The limits of a CSV, and the reasons for which a whole CSV is refused.

use crate::http::language::Text;
use crate::http::problem::{ApiError, FieldError, codes};

/// What is read at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a row.
    pub row: usize,
    /// Columns of a row.
    pub columns: usize,
}

/// Why the whole is refused: where rows begin and end, or what their cells are, is not known.
#[derive(Debug)]
pub enum Refused {
    /// It cannot be read.
    Unreadable {
        /// Where, from 1: where a quotation mark opens that is not closed rightly.
        line: u64,
        /// Why.
        text: Text,
    },
    /// A limit was passed.
    TooLarge(Text),
    /// The header; pointers count its columns, from 0.
    Header(Vec<FieldError>),
}

impl Refused {
    pub(super) fn too_large(en: impl AsRef<str>, id: impl AsRef<str>) -> Self {
        Self::TooLarge(Text::new(format!("At most {}.", en.as_ref()), format!("Paling banyak {}.", id.as_ref())))
    }

    /// Why, in English sentences, for a terminal.
    pub fn sentences(&self) -> String {
        let english = crate::http::language::Language::English;
        match self {
            Self::Unreadable { text, .. } | Self::TooLarge(text) => text.to(english).to_owned(),
            Self::Header(field_errors) => {
                let sentence = |field_error: &FieldError| field_error.shown(english).detail;
                format!("the header: {}", field_errors.iter().map(sentence).collect::<Vec<_>>().join(" "))
            }
        }
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unreadable { line, text } => Self::new(codes::MALFORMED).says(text).member("line", line),
            Refused::TooLarge(text) => Self::new(codes::TOO_LARGE).says(text),
            Refused::Header(field_errors) => Self::invalid(field_errors),
        }
    }
}
