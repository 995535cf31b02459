//! How somebody wants a chart: its language, its colours and its width.

use actix_web::http::header::HeaderMap;
use serde_json::{Value, json};

use crate::http::language::Language;
use crate::http::operation::Operation;
use crate::http::query::Parameters;

/// The widths that charts can have, in pixels.
const WIDTHS: std::ops::RangeInclusive<u16> = 320..=1600;
/// The width of a chart unless another is asked for.
const WIDTH: u16 = 720;

/// How a chart is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The language of its texts.
    pub language: Language,
    /// Its colours.
    pub theme: Theme,
    /// Its width in pixels.
    pub width: u16,
}

/// The colours of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark on white.
    Light,
    /// Light on black.
    Dark,
    /// What the reader's system prefers.
    Auto,
}

/// Takes the language out of the parameters.
pub fn read_language(parameters: &mut Parameters) -> Option<Language> {
    parameters.read("lang", ("id or en", "id atau en"), |text| match text {
        "id" => Some(Language::Indonesian),
        "en" => Some(Language::English),
        _ => None,
    })
}

impl Options {
    /// Takes the options out of the parameters. Without `lang`, `Accept-Language` decides, and then Indonesian is spoken.
    pub fn read(parameters: &mut Parameters, headers: &HeaderMap) -> Self {
        let language = read_language(parameters);
        let theme = parameters.read("theme", ("light, dark or auto", "light, dark, atau auto"), |text| match text {
            "light" => Some(Theme::Light),
            "dark" => Some(Theme::Dark),
            "auto" => Some(Theme::Auto),
            _ => None,
        });
        let widths = ("a whole number from 320 to 1600", "bilangan bulat dari 320 sampai 1600");
        let width = parameters.read("width", widths, |text| {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|width| is_plain && WIDTHS.contains(width))
        });
        let language = language.or_else(|| Language::asked_for(headers)).unwrap_or(Language::Indonesian);
        Self { language, theme: theme.unwrap_or(Theme::Auto), width: width.unwrap_or(WIDTH) }
    }

    /// Adds the parameters to a description.
    pub fn describe(operation: Operation) -> Operation {
        let text = |words: Value| json!({ "type": "string", "enum": words });
        let mut theme = text(json!(["light", "dark", "auto"]));
        theme["default"] = json!("auto");
        let width = json!({
            "type": "integer", "format": "int32", "minimum": WIDTHS.start(), "maximum": WIDTHS.end(), "default": WIDTH, "example": 320,
        });
        operation
            .query(
                "lang",
                text(json!(["id", "en"])),
                "The language of the texts: Indonesian or English. Without it, `Accept-Language` decides, and Indonesian is taken \
                 where that names neither.",
            )
            .query("theme", theme, "The colours. `auto` follows `prefers-color-scheme` of whoever looks at the picture.")
            .query(
                "width",
                width,
                "The width of the picture in pixels, for which it is laid out: text is never smaller on a narrow one. The height \
                 follows from what is shown.",
            )
    }
}
