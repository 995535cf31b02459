//! The two languages of error texts: English, and Indonesian for those who ask with `Accept-Language`.

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use serde_json::Value;

/// A language that error texts are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The default.
    English,
    /// `Accept-Language: id`.
    Indonesian,
}

impl Language {
    /// The language a client prefers, by the weights of RFC 9110 §12.5.4.
    pub fn preferred(headers: &HeaderMap) -> Self {
        Self::asked_for(headers).unwrap_or(Self::English)
    }

    /// The one of the two languages that a client names and prefers; none if it names neither.
    pub fn asked_for(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
        let (mut english, mut indonesian, mut others) = (0.0_f32, 0.0_f32, 0.0_f32);
        for range in accepted.split(',').take(20) {
            let mut parts = range.trim().split(';');
            let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok())).unwrap_or(1.0);
            match tag.split('-').next() {
                Some("id" | "in") => indonesian = indonesian.max(weight),
                Some("en") => english = english.max(weight),
                Some("*") => others = others.max(weight),
                _ => {}
            }
        }
        if indonesian > english.max(others) { Some(Self::Indonesian) } else { (english > 0.0).then_some(Self::English) }
    }

    /// The tag for `Content-Language`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Indonesian => "id",
        }
    }
}

/// Leaves of every text in `value` that stands there in both languages, as `text` and `text_id`, the one in this language.
pub fn speak(value: &mut Value, language: Language) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| speak(item, language)),
        Value::Object(members) => {
            let indonesian = members.remove("text_id");
            if let (Language::Indonesian, Some(text)) = (language, indonesian) {
                members.insert("text".to_owned(), text);
            }
            members.values_mut().for_each(|member| speak(member, language));
        }
        _ => {}
    }
}

/// A sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    en: String,
    id: String,
}

impl Text {
    /// A sentence in English and in Indonesian.
    pub fn new(en: impl Into<String>, id: impl Into<String>) -> Self {
        Self { en: en.into(), id: id.into() }
    }

    /// The sentence in `language`.
    pub fn to(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Indonesian => &self.id,
        }
    }
}

/// What something is called, in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noun {
    /// In English.
    pub en: &'static str,
    /// In Indonesian.
    pub id: &'static str,
}

impl Noun {
    /// A word in English and in Indonesian.
    pub const fn new(en: &'static str, id: &'static str) -> Self {
        Self { en, id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn preferred(value: &'static str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(value));
        Language::preferred(&headers)
    }

    #[test]
    fn a_text_in_both_languages_becomes_one() {
        let both =
            serde_json::json!({ "reasons": [{ "code": "no_target", "text": "none", "text_id": "belum ada" }], "text": "kept" });
        let (mut english, mut indonesian) = (both.clone(), both);
        speak(&mut english, Language::English);
        speak(&mut indonesian, Language::Indonesian);
        assert_eq!(english, serde_json::json!({ "reasons": [{ "code": "no_target", "text": "none" }], "text": "kept" }));
        assert_eq!(indonesian, serde_json::json!({ "reasons": [{ "code": "no_target", "text": "belum ada" }], "text": "kept" }));
    }

    #[test]
    fn the_heavier_language_wins() {
        assert_eq!(preferred("id"), Language::Indonesian);
        assert_eq!(preferred("id-ID,id;q=0.9,en;q=0.8"), Language::Indonesian);
        assert_eq!(preferred("en,id;q=0.5"), Language::English);
        assert_eq!(preferred("fr"), Language::English);
        assert_eq!(preferred("*, id;q=0.5"), Language::English);
    }
}
