//! The codes of problems and of field errors as enums of the document, from their two tables.

use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::codes;
use super::faults::{self, Fault};
use super::schema::one_of;

/// The codes of problems.
pub enum ProblemCode {}

/// The codes of field errors.
pub enum FaultCode {}

/// Every code that a field error can have, with what it means: those of the table, and those of the problems that one item among several
/// can have.
pub fn of_field_errors() -> impl Iterator<Item = Fault> {
    let of_items = codes::ALL.iter().filter(|code| code.status < 500);
    let of_items = of_items.map(|code| Fault { code: code.name, text: code.title, text_id: code.title_id });
    faults::ALL.iter().copied().chain(of_items.filter(|of_item| faults::ALL.iter().all(|fault| fault.code != of_item.code)))
}

/// Whether a field error can have this code.
pub fn is_of_a_field_error(code: &str) -> bool {
    faults::ALL.iter().any(|fault| fault.code == code) || codes::ALL.iter().any(|known| known.name == code && known.status < 500)
}

impl PartialSchema for ProblemCode {
    fn schema() -> RefOr<Schema> {
        let about = "The code of a problem, a stable word to branch on. A later version may add words: treat one that you do not know by \
                     its HTTP status.";
        one_of(about, codes::ALL.iter().map(|code| code.name))
    }
}

impl ToSchema for ProblemCode {}

impl PartialSchema for FaultCode {
    fn schema() -> RefOr<Schema> {
        let about = "The code of a field error, a stable word to branch on. A later version may add words: show `detail` for one that \
                     you do not know.";
        one_of(about, of_field_errors().map(|fault| fault.code))
    }
}

impl ToSchema for FaultCode {}
