//! The explanation of a computed figure, as answers show it: enough to compute the figure again by hand.

use std::collections::BTreeMap;

use entity::rules::explanation as rules;
use entity::rules::reason::{self, ReasonCode};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::language::Language;

/// How a figure was computed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// The name of the rule, such as `kpi_standing`.
    #[schema(max_length = 64)]
    pub rule: String,
    /// The version of the rule, with its bounds.
    #[schema(max_length = 64)]
    pub rule_version: String,
    /// The inputs by name; `null` stands for an input that was not known.
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    pub inputs: Map<String, Value>,
    /// The steps of the computation, in their order.
    #[schema(max_items = 100)]
    pub reasons: Vec<Reason>,
}

/// One step of the computation of a figure, or why there is none.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reason {
    /// What the reason says. Programs branch on it; more codes may be added.
    pub code: ReasonCode,
    /// The values that the text names, by name: decimals with a point, periods, days, words.
    #[schema(value_type = BTreeMap<String, String>)]
    pub parameters: BTreeMap<&'static str, String>,
    /// The sentence for people, in the language that `Accept-Language` asks for (`en` or `id`).
    #[schema(max_length = 1000)]
    pub text: String,
    /// The sentence in Indonesian, until the language of the answer is known, and in what is kept for all languages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    text_id: Option<String>,
}

impl From<rules::Explanation> for Explanation {
    /// In both languages.
    fn from(of: rules::Explanation) -> Self {
        let rules::Explanation { rule, rule_version, inputs, reasons } = of;
        Self { rule, rule_version, inputs, reasons: reasons.into_iter().map(Reason::from).collect() }
    }
}

impl From<reason::Reason> for Reason {
    fn from(of: reason::Reason) -> Self {
        let (text, text_id) = (of.in_english(), Some(of.in_indonesian()));
        Self { code: of.code, parameters: of.parameters, text, text_id }
    }
}

/// A figure with texts for people.
pub trait InLanguage: Sized {
    /// Leaves of each text the one in this language.
    fn speak(&mut self, language: Language);

    /// The figure in a language.
    fn in_language(mut self, language: Language) -> Self {
        self.speak(language);
        self
    }
}

impl InLanguage for Explanation {
    fn speak(&mut self, language: Language) {
        self.reasons.iter_mut().for_each(|reason| reason.speak(language));
    }
}

impl InLanguage for Reason {
    fn speak(&mut self, language: Language) {
        let indonesian = self.text_id.take();
        if let (Language::Indonesian, Some(text)) = (language, indonesian) {
            self.text = text;
        }
    }
}
