//! Whether a request asks for CSV, and in which form.

use actix_web::HttpRequest;
use serde_json::json;

use crate::csv::Separator;
use crate::csv::writer::Dialect;
use crate::http::media::MediaType;
use crate::http::operation::Operation;
use crate::http::query::Parameters;

/// The words for what separates the cells.
pub const SEPARATORS: [&str; 3] = ["comma", "semicolon", "tab"];

/// The parameters that mean something for a page of JSON only.
const OF_PAGES: [&str; 4] = ["limit", "cursor", "count", "expand"];

/// The form of a CSV.
#[derive(Clone, Copy, Debug)]
pub struct AskedCsv(pub Dialect);

impl AskedCsv {
    /// Reads the parameters of the form, if the request asks for CSV. Those of pages are then refused, since a CSV has all rows.
    pub fn read(parameters: &mut Parameters, request: &HttpRequest) -> Option<Self> {
        let has_mark = parameters.flag("bom").unwrap_or_default();
        let expected = ("comma, semicolon or tab", "comma, semicolon, atau tab");
        let separator = parameters.read("separator", expected, |text| match text {
            "comma" | "," => Some(Separator::Comma),
            "semicolon" | ";" => Some(Separator::Semicolon),
            "tab" | "\t" => Some(Separator::Tab),
            _ => None,
        });
        if MediaType::of(request) != MediaType::Csv {
            return None;
        }
        for name in OF_PAGES {
            let (en, id) = if name == "expand" {
                ("A CSV has the codes of what it refers to.", "CSV memuat kode yang dirujuk.")
            } else {
                ("A CSV has all rows; this is for pages of JSON.", "CSV memuat semua baris; parameter ini untuk halaman JSON.")
            };
            parameters.refuse_given(name, en, id);
        }
        let separator = separator.unwrap_or(Separator::Comma);
        // Where `;` separates, the comma is the decimal point: for spreadsheets both come together.
        let has_decimal_comma = separator == Separator::Semicolon;
        Some(Self(Dialect { separator, has_mark, has_decimal_comma, ..Dialect::PLAIN }))
    }
}

/// Adds the parameters of the form to an operation.
pub fn describe(operation: Operation) -> Operation {
    operation
        .query(
            "bom",
            json!({ "type": "boolean", "default": false }),
            "Only for CSV: whether a byte order mark stands first, by which Excel knows that the text is UTF-8.",
        )
        .query(
            "separator",
            json!({ "type": "string", "enum": SEPARATORS, "default": SEPARATORS[0] }),
            "Only for CSV: what separates the cells. With `semicolon`, decimals have a comma (`22,9`), as spreadsheets in Indonesia \
             expect; otherwise they have a point.",
        )
}
