//! The errors that a body has beside those of its shape: the rules of its kind are asked about the members that are sound, so that
//! a client learns of every error at once.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::writes::{StandIns, Writes};
use crate::http::problem::{ApiResult, FieldError};
use crate::store::kind::Row;

/// The most bodies that are tried.
const MOST: usize = 64;

/// The stand-ins by the schema of a body and by an example.
pub(super) fn stand_ins(schema: &Value, example: &Value) -> StandIns {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).filter(|name| *name != "code");
    let values = required.map(|name| {
        let words = schema["properties"][name]["enum"].as_array().cloned();
        (name.to_owned(), words.unwrap_or_else(|| vec![example[name].clone()]))
    });
    values.collect()
}

/// The errors by the rules of the kind of those members of a body that have no error of their own. Where a member that must be there
/// is missing or wrong, an error counts only if it is there whatever stands in for that member.
pub(super) fn errors_of_the_rest(
    writes: &'static dyn Writes,
    body: &Value,
    errors: &[FieldError],
    before: Option<&dyn Row>,
    today: NaiveDate,
) -> ApiResult<Vec<FieldError>> {
    let Some(members) = body.as_object() else { return Ok(Vec::new()) };
    let broken = errors.iter().filter_map(FieldError::member).collect::<BTreeSet<_>>();
    let sound = members.iter().filter(|(name, _)| !broken.contains(name.as_str()) && *name != "code");
    let sound = sound.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>();
    let mut bodies = vec![sound.clone()];
    for (name, values) in writes.stand_ins().iter().filter(|(name, _)| !sound.contains_key(name.as_str())) {
        let with = |body: &Map<String, Value>, value: &Value| {
            let mut body = body.clone();
            body.insert(name.clone(), value.clone());
            body
        };
        bodies = bodies.iter().flat_map(|body| values.iter().map(move |value| with(body, value))).take(MOST).collect();
    }
    let mut common: Option<Vec<FieldError>> = None;
    for body in bodies {
        let mut whole = Value::Object(body);
        writes.complete(&mut whole);
        let Ok(draft) = writes.parse(whole) else { return Ok(Vec::new()) };
        let mut found = draft.field_errors(before, today)?;
        found.retain(|error| error.member().is_none_or(|member| sound.contains_key(member)));
        common = Some(match common {
            Some(common) => common.into_iter().filter(|error| found.contains(error)).collect(),
            None => found,
        });
    }
    Ok(common.unwrap_or_default())
}
