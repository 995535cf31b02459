//! What is wrong with a value by its schema, in words for people: what to write, with an example, and what was probably meant.

use std::sync::LazyLock;

use chrono::NaiveDate;
use entity::value::code::Code;
use entity::value::decimal::{self, Decimal, InvalidDecimal};
use entity::value::period::Period;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use regex::Regex;
use serde_json::Value;

use super::json::escaped;
use super::language::Text;
use super::problem::FieldError;
use super::schema::{ANY_TEXT, NOT_BLANK};

/// More field errors than this are not listed.
pub(super) const MOST_FIELD_ERRORS: usize = 100;

/// A text of more bytes is compared with no word.
const LONGEST_COMPARED: usize = 100;

/// The codes of field errors of form, and of length.
const FORMS: [&str; 2] = ["wrong_pattern", "wrong_format"];
const LENGTHS: [&str; 2] = ["too_long", "too_short"];

/// Adds the field errors that one error of a validator stands for.
pub fn explain(error: &ValidationError<'_>, field_errors: &mut Vec<FieldError>) {
    let pointer = error.instance_path().to_string();
    let member = |name: &str| format!("{pointer}/{}", escaped(name));
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let text = Text::new("This member is required.", "Anggota ini wajib ada.");
            field_errors.push(FieldError::at(member(property.as_str().unwrap_or_default()), "required", text));
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let text = || Text::new("No member of this name is known here.", "Anggota dengan nama ini tidak dikenal.");
            field_errors.extend(
                unexpected.iter().take(MOST_FIELD_ERRORS).map(|name| FieldError::at(member(name), "unknown_field", text())),
            );
        }
        kind => {
            let (code, text) = rule(kind, error.instance());
            // Where the form is wrong, its length says nothing more.
            if LENGTHS.contains(&code) && field_errors.iter().any(|field_error| field_error.is(&pointer, &FORMS)) {
                return;
            }
            if FORMS.contains(&code) {
                field_errors.retain(|field_error| !field_error.is(&pointer, &LENGTHS));
            }
            field_errors.push(FieldError::at(pointer, code, text));
        }
    }
}

fn rule(kind: &ValidationErrorKind, value: &Value) -> (&'static str, Text) {
    use ValidationErrorKind as Kind;
    let most = |limit: &dyn std::fmt::Display, en: &str, id: &str| {
        Text::new(format!("At most {limit}{en}."), format!("Paling banyak {limit}{id}."))
    };
    let least = |limit: &dyn std::fmt::Display, en: &str, id: &str| {
        Text::new(format!("At least {limit}{en}."), format!("Paling sedikit {limit}{id}."))
    };
    let given = value.as_str().unwrap_or_default();
    match kind {
        Kind::Type { kind } => ("wrong_type", of_type(kind, value)),
        Kind::Enum { options } => ("not_allowed", one_of(options, given)),
        Kind::MaxLength { limit } => ("too_long", most(limit, " characters", " karakter")),
        Kind::MinLength { limit } => ("too_short", least(limit, " characters", " karakter")),
        Kind::MaxItems { limit } => ("too_many", most(limit, " entries", " entri")),
        Kind::MinItems { limit } => ("too_few", least(limit, " entries", " entri")),
        Kind::Maximum { limit } | Kind::ExclusiveMaximum { limit } => ("too_large", most(limit, "", "")),
        Kind::Minimum { limit } | Kind::ExclusiveMinimum { limit } => ("too_small", least(limit, "", "")),
        Kind::Pattern { pattern } => ("wrong_pattern", of_pattern(pattern, given)),
        Kind::Format { format } => ("wrong_format", of_format(format, given)),
        Kind::UniqueItems => ("not_unique", Text::new("An entry stands here twice.", "Ada entri yang sama dua kali.")),
        _ => {
            let text = Text::new("This value is not allowed here.", "Nilai ini tidak diperbolehkan di sini.");
            ("invalid_value", text)
        }
    }
}

/// The words for what a value itself refuses, which no schema can say.
pub fn of_value(message: &str) -> Text {
    let decimal = |refused: InvalidDecimal| message == refused.to_string();
    if decimal(InvalidDecimal::TooPrecise) {
        return Text::new(
            "A decimal number has at most 15 significant digits, and at most 12 after the point.",
            "Bilangan desimal memuat paling banyak 15 angka penting, dan paling banyak 12 di belakang titik.",
        );
    }
    if decimal(InvalidDecimal::TooLarge) {
        return Text::new(
            "A decimal number has at most 15 digits before the point.",
            "Bilangan desimal memuat paling banyak 15 angka di depan titik.",
        );
    }
    Text::new(format!("{message}."), format!("Nilai tidak sah: {message}."))
}

/// A sentence that says what is expected, and what was probably meant.
fn expected(en: &str, id: &str, meant: Option<String>) -> Text {
    let (did, apakah) = meant
        .map_or_else(Default::default, |meant| (format!(" (did you mean {meant}?)"), format!(" (apakah maksudnya {meant}?)")));
    Text::new(format!("Expected {en}{did}."), format!("Seharusnya {id}{apakah}."))
}

fn type_name(json_type: JsonType) -> (&'static str, &'static str) {
    match json_type {
        JsonType::Array => ("a list", "larik"),
        JsonType::Boolean => ("true or false", "true atau false"),
        JsonType::Integer => ("a whole number such as 3", "bilangan bulat seperti 3"),
        JsonType::Null => ("null", "null"),
        JsonType::Number => ("a number", "angka"),
        JsonType::Object => ("an object", "objek"),
        JsonType::String => ("a text", "teks"),
    }
}

fn of_type(kind: &TypeKind, value: &Value) -> Text {
    let types: Vec<JsonType> = match kind {
        TypeKind::Single(one) => vec![*one],
        TypeKind::Multiple(several) => several.iter().collect(),
    };
    // Only decimals come as texts and as numbers.
    let is_decimal = types.contains(&JsonType::String) && types.contains(&JsonType::Number);
    let others = types.into_iter().filter(|one| !(is_decimal && matches!(one, JsonType::String | JsonType::Number)));
    let names = is_decimal.then_some(("a decimal number such as \"18.4\"", "bilangan desimal seperti \"18.4\""));
    let (en, id): (Vec<_>, Vec<_>) = names.into_iter().chain(others.map(type_name)).unzip();
    let (is, bukan) = match value {
        Value::Null => ("null", "null"),
        Value::Bool(_) => ("true or false", "true atau false"),
        Value::Number(_) => ("a number", "angka"),
        Value::String(_) => ("a text", "teks"),
        Value::Array(_) => ("a list", "larik"),
        Value::Object(_) => ("an object", "objek"),
    };
    Text::new(format!("Expected {}, not {is}.", en.join(" or ")), format!("Seharusnya {}, bukan {bukan}.", id.join(" atau ")))
}

fn one_of(options: &Value, given: &str) -> Text {
    let words = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    let near = nearest(words.iter().copied(), given, 0);
    let list = |or: &str| match words.split_last() {
        Some((last, [])) => format!("`{last}`"),
        Some((last, others)) => {
            format!("{} {or} `{last}`", others.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
        }
        None => options.to_string(),
    };
    expected(&list("or"), &list("atau"), near.map(|word| format!("`{word}`")))
}

/// The one of some words that was probably meant: at most a third of the characters differ, or so many. The cost grows with the length,
/// and no word is as long as what is not compared.
pub fn nearest<'a>(words: impl Iterator<Item = &'a str>, given: &str, tolerated: usize) -> Option<&'a str> {
    let given = given.trim();
    if given.is_empty() || given.len() > LONGEST_COMPARED {
        return None;
    }
    let wanted = given.to_lowercase().replace([' ', '-'], "_");
    let distances = words.map(|word| (strsim::osa_distance(&wanted, word), word));
    let (distance, near) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= (wanted.chars().count() / 3).max(tolerated)).then_some(near)
}

/// The words for each pattern of the document; `None` for one that has none.
pub(crate) fn pattern_name(pattern: &str) -> Option<(&'static str, &'static str)> {
    Some(match pattern {
        Code::PATTERN => (
            "a code: 1 to 64 letters, digits, dots, underscores or hyphens, with a letter or digit first",
            "kode: 1 sampai 64 huruf, angka, titik, garis bawah atau tanda hubung, diawali huruf atau angka",
        ),
        ANY_TEXT => ("a text without NUL characters", "teks tanpa karakter NUL"),
        NOT_BLANK | r"^[^\u0000]*[^\u0000\s][^\u0000]*$" => ("a text that is not blank", "teks yang tidak kosong"),
        r"^[^\u0000]+$" => ("a text that is not empty", "teks yang tidak kosong"),
        r"^https?://[^\s\u0000]+$" => (
            "an address such as https://contoh.go.id/laporan, without blanks",
            "alamat seperti https://contoh.go.id/laporan, tanpa spasi",
        ),
        "^[0-9a-f]{64}$" => ("a SHA-256: 64 digits and letters from a to f", "SHA-256: 64 angka dan huruf dari a sampai f"),
        r"^[^@\s\u0000]+@[^@\s\u0000]+$" => {
            ("an e-mail address such as nama@contoh.go.id", "alamat surel seperti nama@contoh.go.id")
        }
        "^[0-9+() .-]+$" => ("a telephone number such as +62 370 123456", "nomor telepon seperti +62 370 123456"),
        r"^([1-3](\.[0-9]{1,6})?|4(\.0{1,6})?)$" => (
            "a score from 1 to 4 such as 3.25, with at most six decimals",
            "nilai dari 1 sampai 4 seperti 3.25, paling banyak enam desimal",
        ),
        r"^(\*|[a-z_]+\.(\*|[a-z_]+))$" => (
            "a type of event such as `measurement.verified`, `measurement.*` or `*`",
            "jenis peristiwa seperti `measurement.verified`, `measurement.*` atau `*`",
        ),
        "^(all|published)$" => ("`all` or `published`", "`all` atau `published`"),
        "^[0-9]+$" => ("digits", "angka"),
        "^[0-9]{6}$" => ("the six digits that the authenticator app shows", "enam angka yang ditampilkan aplikasi autentikator"),
        _ => return None,
    })
}

fn of_pattern(pattern: &str, given: &str) -> Text {
    match pattern {
        decimal::PATTERN => of_decimal(given),
        Period::PATTERN => {
            let half = if Period::parse("2010-S1").is_ok() { ", 2010-S1" } else { "" };
            let forms = |or: &str| format!("2010{half}, 2010-Q1 {or} 2010-01");
            expected(&format!("a period: {}", forms("or")), &format!("periode: {}", forms("atau")), period_meant(given))
        }
        other => {
            let (en, id) = pattern_name(other).unwrap_or(("another form of text", "bentuk teks yang lain"));
            expected(en, id, None)
        }
    }
}

fn of_decimal(given: &str) -> Text {
    let has_comma = given.contains(',') && !given.contains('.');
    match decimal_meant(given) {
        Some(meant) if has_comma => Text::new(
            format!("Expected a decimal number; write {meant}: a point, no comma."),
            format!("Seharusnya bilangan desimal; tulis {meant}: titik, bukan koma."),
        ),
        Some(meant) => Text::new(
            format!("Expected a decimal number; write {meant}: digits and a point, no thousands separator, blank or unit."),
            format!("Seharusnya bilangan desimal; tulis {meant}: angka dan titik, tanpa pemisah ribuan, spasi atau satuan."),
        ),
        None => Text::new(
            "Expected a decimal number such as 18.4: a point, no comma, no thousands separator.",
            "Seharusnya bilangan desimal seperti 18.4: titik, bukan koma, tanpa pemisah ribuan.",
        ),
    }
}

fn of_format(format: &str, given: &str) -> Text {
    match format {
        "date" => expected(
            "a day of the calendar such as 2022-10-04: year, month, day",
            "tanggal kalender seperti 2022-10-04: tahun, bulan, tanggal",
            day_meant(given),
        ),
        "date-time" => expected(
            "a time with its zone such as 2022-10-04T01:00:00Z or 2022-10-04T09:00:00+08:00",
            "waktu dengan zonanya seperti 2022-10-04T01:00:00Z atau 2022-10-04T09:00:00+08:00",
            None,
        ),
        "email" => expected("an e-mail address such as nama@contoh.go.id", "alamat surel seperti nama@contoh.go.id", None),
        "uri" => expected("an address such as https://contoh.go.id", "alamat seperti https://contoh.go.id", None),
        "uuid" => expected(
            "an id such as 0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21",
            "pengenal seperti 0192f0c1-2f4e-7c3a-9d7e-5b1f0a6c8e21",
            None,
        ),
        other => expected(other, other, None),
    }
}

/// The decimal that a text was meant as: with a comma, with separators of thousands, with blanks or a unit.
fn decimal_meant(given: &str) -> Option<String> {
    let bare = given.trim().trim_start_matches("Rp").trim_start_matches('.').trim_end_matches('%');
    let bare = bare.chars().filter(|character| !character.is_whitespace()).collect::<String>();
    let (commas, points) = (bare.matches(',').count(), bare.matches('.').count());
    let plain = match (commas, points) {
        (1, 0) => bare.replace(',', "."),
        (0, 2..) => bare.replace('.', ""),
        (2.., 0) => bare.replace(',', ""),
        (1, 1..) if bare.rfind(',') > bare.rfind('.') => bare.replace('.', "").replace(',', "."),
        (1.., 1) => bare.replace(',', ""),
        _ => bare,
    };
    (plain != given).then(|| Decimal::parse(&plain).ok()).flatten().map(|decimal| decimal.to_string())
}

static YEAR: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(19|20|21)\d\d").ok());
static QUARTER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:q|tw|triwulan|kuartal|quarter)?[\s./_-]*(?:ke[\s-]*)?(iv|iii|ii|i|[1-4])$").ok());
static HALF: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(?:s|sem|smt|semester)[\s./_-]*(ii|i|[12])$").ok());
/// The beginnings of the months, in Indonesian and English.
const MONTHS: [&[&str]; 12] = [
    &["jan"],
    &["feb", "peb"],
    &["mar"],
    &["apr"],
    &["mei", "may"],
    &["jun"],
    &["jul"],
    &["agu", "agt", "aug"],
    &["sep"],
    &["okt", "oct"],
    &["nov", "nop"],
    &["des", "dec"],
];

/// The period that a text was meant as, such as `Triwulan I 2010`, `Januari 2010` or `01/2010`.
fn period_meant(given: &str) -> Option<String> {
    if given.len() > 40 {
        return None;
    }
    let text = given.to_lowercase();
    let year = YEAR.as_ref()?.find(&text)?;
    let rest = format!("{} {}", &text[..year.start()], &text[year.end()..]);
    let rest = rest.trim_matches(|character: char| character.is_whitespace() || "-/._,()".contains(character));
    let part = |regex: &LazyLock<Option<Regex>>| {
        let found = regex.as_ref()?.captures(rest)?.get(1)?.as_str().to_owned();
        Some(["i", "ii", "iii", "iv"].iter().position(|numeral| *numeral == found).map_or(found, |place| (place + 1).to_string()))
    };
    let month = MONTHS.iter().position(|names| names.iter().any(|name| rest.starts_with(name)));
    let number = rest.parse::<usize>().ok().filter(|month| (1..=12).contains(month));
    let year = year.as_str();
    let meant = if rest.is_empty() {
        year.to_owned()
    } else if let Some(month) = month.map(|place| place + 1).or(number) {
        format!("{year}-{month:02}")
    } else if let Some(half) = part(&HALF) {
        format!("{year}-S{half}")
    } else {
        format!("{year}-Q{}", part(&QUARTER)?)
    };
    Period::parse(&meant).ok().map(|_| meant)
}

/// The day that a text was meant as: as Indonesian spreadsheets write it, or with a time.
fn day_meant(given: &str) -> Option<String> {
    let text = given.trim().get(..10).unwrap_or(given.trim());
    let forms = ["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y-%m-%d"];
    let day = forms.iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok())?;
    (1900..2200).contains(&chrono::Datelike::year(&day)).then(|| day.to_string()).filter(|day| day != given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::language::Language;

    fn said(text: &Text) -> (&str, &str) {
        (text.to(Language::English), text.to(Language::Indonesian))
    }

    #[test]
    fn a_decimal_is_told_as_it_should_be_written() {
        for (given, expected) in [
            ("1,5", "write 1.5: a point, no comma."),
            (" 1.5", "write 1.5: digits"),
            ("1.234,5", "write 1234.5: digits"),
            ("1,234.5", "write 1234.5: digits"),
            ("1.234.567", "write 1234567: digits"),
            ("Rp 1.500.000", "write 1500000: digits"),
            ("22,9%", "write 22.9: a point, no comma."),
            ("banyak", "such as 18.4: a point, no comma"),
        ] {
            assert!(said(&of_decimal(given)).0.contains(expected), "{given}: {:?}", of_decimal(given));
        }
        assert!(said(&of_decimal("1,5")).1.contains("tulis 1.5: titik, bukan koma"));
    }

    #[test]
    fn a_period_is_told_with_what_was_meant() {
        for (given, meant) in [
            ("Triwulan I 2010", Some("2010-Q1")),
            ("TW2 2010", Some("2010-Q2")),
            ("2010Q3", Some("2010-Q3")),
            ("2010-q4", Some("2010-Q4")),
            ("2010 triwulan ke-4", Some("2010-Q4")),
            ("Januari 2010", Some("2010-01")),
            ("12/2010", Some("2010-12")),
            ("2010-1", Some("2010-01")),
            ("Tahun", None),
            ("kapan 2010", None),
        ] {
            assert_eq!(period_meant(given).as_deref(), meant, "{given}");
        }
        let text = of_pattern(Period::PATTERN, "Triwulan I 2010");
        assert!(said(&text).0.contains("2010-Q1 or 2010-01 (did you mean 2010-Q1?)"), "{text:?}");
    }

    #[test]
    fn a_day_and_a_word_are_told_with_what_was_meant() {
        assert_eq!(day_meant("04/10/2022").as_deref(), Some("2022-10-04"));
        assert_eq!(day_meant("2022-10-04T00:00:00Z").as_deref(), Some("2022-10-04"));
        assert_eq!(day_meant("2022-02-30"), None);
        let text = one_of(&serde_json::json!(["planned", "running", null]), "Runing");
        assert_eq!(said(&text).0, "Expected `planned` or `running` (did you mean `running`?).");
    }

    #[test]
    fn a_long_text_is_not_compared_with_words() {
        let meant = |given: &str| nearest(["planned", "running", "suspended", "completed", "cancelled"].into_iter(), given, 0);
        assert_eq!((meant("Complete"), meant("finished"), meant(" ")), (Some("completed"), None, None));
        let begun = std::time::Instant::now();
        assert_eq!(meant(&"running".repeat(1_000_000)), None);
        assert!(begun.elapsed() < std::time::Duration::from_secs(1));
    }
}
