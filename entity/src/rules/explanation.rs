//! The explanation of a computed figure, with which it can be computed again by hand.

use std::fmt::Display;

use serde_json::{Map, Value};

use super::reason::Reason;

/// How a figure was computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The name of the rule, such as `kpi_standing`.
    pub rule: String,
    /// The version of the rule, with its bounds.
    pub rule_version: String,
    /// The inputs by name; `null` stands for an input that was not known.
    pub inputs: Map<String, Value>,
    /// The steps of the computation.
    pub reasons: Vec<Reason>,
}

impl Explanation {
    /// An explanation whose inputs are still to be added.
    pub fn new(rule: impl Into<String>, rule_version: impl Into<String>, reasons: Vec<Reason>) -> Self {
        Self { rule: rule.into(), rule_version: rule_version.into(), inputs: Map::new(), reasons }
    }

    /// Adds an input, in the order of the calls.
    #[must_use]
    pub fn input(self, name: &str, value: impl Display) -> Self {
        self.optional_input(name, Some(value))
    }

    /// Adds an input that may not be known.
    #[must_use]
    pub fn optional_input(mut self, name: &str, value: Option<impl Display>) -> Self {
        let value = value.map_or(Value::Null, |value| Value::String(value.to_string()));
        self.inputs.insert(name.to_owned(), value);
        self
    }
}

#[cfg(test)]
impl Explanation {
    /// As JSON, with the reasons as English sentences.
    pub fn as_json(&self) -> Value {
        let Self { rule, rule_version, inputs, reasons } = self;
        let reasons = super::reason::sentences(reasons);
        serde_json::json!({ "rule": rule, "rule_version": rule_version, "inputs": inputs, "reasons": reasons })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::value::{decimal::Decimal, period::Period};

    #[test]
    fn inputs_are_strings_or_null() {
        let explanation = Explanation::new("kpi_standing", "2022.1", Vec::new())
            .input("period", Period::Year(2022))
            .input("actual", Decimal::parse("22.90").unwrap())
            .optional_input("baseline", None::<Decimal>);
        assert_eq!(json!(explanation.inputs), json!({ "period": "2022", "actual": "22.9", "baseline": null }));
    }
}
