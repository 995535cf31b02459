//! Every enum of the document, named once: its words, and what each is called in both languages.

use entity::labels::Labelled;
use entity::rules::reason::ReasonCode;
use sea_orm::Iterable;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use crate::auth::actor::ActorKind;
use crate::http::error_codes::{self, FaultCode, ProblemCode};
use crate::http::problem::codes;
use crate::kinds;
use crate::push::report::PushResult;
use crate::resources::auth::GRANT_TYPES;
use crate::resources::evaluations::EvaluationState;
use crate::resources::kpis::statistical_metadata::ComponentKind;
use crate::resources::provenance::Basis;
use crate::resources::reporting::ReportKind;
use crate::resources::reviews::{ReviewOutcome, Verdict};
use crate::tabular::asked::SEPARATORS;

/// An enum of the document.
pub(super) struct Enum {
    /// The name of its component.
    pub(super) name: String,
    /// Its schema, with `x-labels`.
    pub(super) schema: Value,
}

impl Enum {
    /// Its words, in their order.
    pub(super) fn words(&self) -> Vec<&str> {
        self.schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// Every enum of the document but those of the parameters `sort`, `fields` and `expand`, whose words are members.
pub(super) fn all() -> Vec<Enum> {
    vec![
        of::<entity::rules::renaksi::ActionState>(),
        of::<ActorKind>(),
        of::<entity::rules::bands::Band>(),
        of::<Basis>(),
        of::<ComponentKind>(),
        of::<entity::rules::projection::Confidence>(),
        of::<entity::council_member::CouncilRole>(),
        of::<entity::coverage::CoverageStatus>(),
        of::<entity::webhook_delivery::DeliveryStatus>(),
        of::<entity::rules::kpi::Direction>(),
        of::<entity::webhook::DisabledReason>(),
        of::<EvaluationState>(),
        of::<entity::rules::finding::FindingState>(),
        of::<entity::value::period::Frequency>(),
        of::<entity::rules::ikm::Grade>(),
        of::<entity::masterplan::MasterplanStatus>(),
        of::<entity::rules::programme_status::ProgrammeStatus>(),
        of::<PushResult>(),
        of::<entity::award::RecipientKind>(),
        of::<entity::region::RegionLevel>(),
        of::<ReportKind>(),
        of::<entity::measurement::ReportState>(),
        of::<Verdict>(),
        of::<ReviewOutcome>(),
        of::<entity::user::Role>(),
        of::<entity::client::Scope>(),
        of::<entity::rules::spbe::SpbePredicate>(),
        of::<entity::rules::kpi::Standing>(),
        of::<entity::kpi_target::TargetKind>(),
        of::<entity::rules::timeliness::Timeliness>(),
        of::<entity::kpi::UnitKind>(),
        reasons(),
        table::<ProblemCode>(codes::ALL.iter().map(|code| (code.name, code.title, code.title_id))),
        table::<FaultCode>(error_codes::of_field_errors().map(|fault| (fault.code, fault.text, fault.text_id))),
        written(
            "EventResource",
            "A kind of resource that the feed tells of.",
            kinds::AUDITED.iter().map(|audited| (audited.name, audited.noun.en, audited.noun.id)),
        ),
        written(
            "GrantType",
            "How a client of the token endpoint authenticates.",
            GRANT_TYPES.iter().map(|word| grant_type(word)),
        ),
        written(
            "TimelineInterval",
            "The length of a step of a timeline.",
            [("month", "Month", "Bulan"), ("quarter", "Quarter", "Triwulan"), ("year", "Year", "Tahun")].into_iter(),
        ),
        written(
            "PushMode",
            "Whether a push writes all rows or none, or the rows that can be written.",
            [
                ("atomic", "All rows or none", "Semua baris atau tidak sama sekali"),
                ("partial", "The rows that can be written", "Baris yang dapat ditulis"),
            ]
            .into_iter(),
        ),
        written(
            "ChartLanguage",
            "The language of a picture.",
            [("id", "Indonesian", "Bahasa Indonesia"), ("en", "English", "Bahasa Inggris")].into_iter(),
        ),
        written(
            "ChartTheme",
            "The colours of a picture.",
            [("light", "Light", "Terang"), ("dark", "Dark", "Gelap"), ("auto", "As the system is", "Mengikuti sistem")]
                .into_iter(),
        ),
        written(
            "CsvSeparator",
            "What separates the cells of a CSV.",
            SEPARATORS
                .into_iter()
                .zip([("Comma", "Koma"), ("Semicolon", "Titik koma"), ("Tab", "Tab")])
                .map(|(word, (en, id))| (word, en, id)),
        ),
        written("PushRows", "Which rows the answer to a push lists.", [("all", "All rows", "Semua baris")].into_iter()),
    ]
}

/// A Rust enum with labels.
fn of<T: Labelled + Serialize + ToSchema>() -> Enum {
    let labels = T::ALL.iter().map(|value| {
        let (word, label) = (json!(value), value.label());
        (word.as_str().unwrap_or_default().to_owned(), label.en, label.id)
    });
    Enum { name: T::name().into_owned(), schema: labelled(json!(T::schema()), labels) }
}

/// The codes of reasons, with the sentences in which names in braces stand for parameters.
fn reasons() -> Enum {
    let words = ReasonCode::iter().map(|code| {
        let ((en, id), word) = (code.texts(), json!(code));
        (word.as_str().unwrap_or_default().to_owned(), en, id)
    });
    Enum { name: ReasonCode::name().into_owned(), schema: labelled(json!(ReasonCode::schema()), words) }
}

/// An enum whose words stand in a table.
fn table<T: ToSchema>(words: impl Iterator<Item = (&'static str, &'static str, &'static str)>) -> Enum {
    Enum {
        name: T::name().into_owned(),
        schema: labelled(json!(T::schema()), words.map(|(word, en, id)| (word.to_owned(), en, id))),
    }
}

/// An enum that only parameters and forms have.
fn written(name: &str, about: &str, words: impl Iterator<Item = (&'static str, &'static str, &'static str)>) -> Enum {
    let words = words.collect::<Vec<_>>();
    let schema =
        json!({ "type": "string", "enum": words.iter().map(|(word, ..)| word).collect::<Vec<_>>(), "description": about });
    Enum { name: name.to_owned(), schema: labelled(schema, words.into_iter().map(|(word, en, id)| (word.to_owned(), en, id))) }
}

fn grant_type(word: &'static str) -> (&'static str, &'static str, &'static str) {
    match word {
        "client_credentials" => (word, "Id and secret of a client", "ID dan rahasia klien"),
        "password" => (word, "E-mail address and password of a person", "Alamat surel dan kata sandi orang"),
        "refresh_token" => (word, "Refresh token", "Token penyegaran"),
        _ => (word, "", ""),
    }
}

/// Adds the labels to the schema of an enum.
pub(super) fn labelled(mut schema: Value, labels: impl Iterator<Item = (String, impl Into<String>, impl Into<String>)>) -> Value {
    let labels = labels.map(|(word, en, id)| (word, json!({ "en": en.into(), "id": id.into() })));
    schema["x-labels"] = Value::Object(Map::from_iter(labels));
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_has_a_label_in_both_languages() {
        let mut names = BTreeSet::new();
        for known in all() {
            assert!(names.insert(known.name.clone()), "{} stands twice", known.name);
            let labels = known.schema["x-labels"].as_object().cloned().unwrap_or_default();
            assert_eq!(
                labels.keys().map(String::as_str).collect::<BTreeSet<_>>(),
                known.words().into_iter().collect(),
                "{}",
                known.name
            );
            for (word, label) in labels {
                for language in ["en", "id"] {
                    assert!(label[language].as_str().is_some_and(|text| !text.is_empty()), "{} {word} {language}", known.name);
                }
            }
        }
    }

    #[test]
    fn no_two_enums_have_the_same_words() {
        // The words of a filter show which enum they belong to.
        let mut seen = BTreeSet::new();
        for known in all() {
            assert!(seen.insert(known.words().into_iter().map(str::to_owned).collect::<Vec<_>>()), "{}", known.name);
        }
    }
}
