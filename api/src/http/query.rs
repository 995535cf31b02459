//! Query parameters: each is read once, and every unknown or impossible one is named.

use std::collections::BTreeMap;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use chrono::NaiveDate;

use super::language::Text;
use super::problem::{ApiError, ApiResult, FieldError};

const LONGEST_QUERY: usize = 8 * 1024;
/// The greatest number of entries of a comma-separated list.
pub const LONGEST_LIST: usize = 200;

/// The parameters of a request. They are taken out one by one, and [`Parameters::finish`] refuses those that are left.
pub struct Parameters {
    /// The values of each parameter, in their order.
    given: BTreeMap<String, Vec<String>>,
    known: Vec<String>,
    field_errors: Vec<FieldError>,
}

impl FromRequest for Parameters {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::parse(request.query_string()))
    }
}

impl Parameters {
    /// Reads a query string.
    pub fn parse(query: &str) -> ApiResult<Self> {
        if query.len() > LONGEST_QUERY {
            return Err(ApiError::parameter("?", "The query is longer than 8 KiB.", "Kueri lebih panjang dari 8 KiB."));
        }
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|_| ApiError::parameter("?", "The query cannot be decoded.", "Kueri tidak dapat dibaca."))?
            .into_inner();
        let mut parameters = Self { given: BTreeMap::new(), known: Vec::new(), field_errors: Vec::new() };
        for (name, value) in pairs {
            if value.contains('\0') || name.contains('\0') {
                parameters.refuse(
                    &name.replace('\0', ""),
                    "A NUL character is not allowed.",
                    "Karakter NUL tidak diperbolehkan.",
                );
            } else {
                parameters.given.entry(name).or_default().push(value);
            }
        }
        Ok(parameters)
    }

    fn take(&mut self, name: &str) -> Option<Vec<String>> {
        self.known.push(name.to_owned());
        self.given.remove(name)
    }

    /// Takes one parameter as text. A second value is refused, because nobody can tell which of the two is meant.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let values = self.take(name)?;
        if values.len() > 1 {
            self.refuse(name, "The parameter may be given only once.", "Parameter ini hanya boleh diberikan satu kali.");
        }
        values.into_iter().next()
    }

    /// Takes one parameter as a list: separated by commas (`name=a,b`), repeated (`name=a&name=b`), or both.
    pub fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let values = self.take(name)?;
        let entries = values.iter().flat_map(|value| value.split(',')).map(str::to_owned).collect::<Vec<_>>();
        if entries.len() > LONGEST_LIST {
            self.refuse(
                name,
                format!("At most {LONGEST_LIST} entries are allowed."),
                format!("Paling banyak {LONGEST_LIST} entri diperbolehkan."),
            );
            return None;
        }
        Some(entries)
    }

    /// Takes one parameter and reads it. A value that cannot be read becomes a field error that says what is `expected`.
    pub fn read<T>(&mut self, name: &str, expected: (&str, &str), read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = self.text(name)?;
        let result = read(&value);
        if result.is_none() {
            self.refuse(name, format!("Expected {}.", expected.0), format!("Seharusnya {}.", expected.1));
        }
        result
    }

    /// Takes a calendar date.
    pub fn date(&mut self, name: &str) -> Option<NaiveDate> {
        self.read(name, ("a date such as 2022-10-04", "tanggal seperti 2022-10-04"), parse_date)
    }

    /// Takes `true` or `false`.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.read(name, ("true or false", "true atau false"), |text| text.parse().ok())
    }

    /// Takes one parameter that means nothing here, if it was given.
    pub fn refuse_given(&mut self, name: &str, en: impl Into<String>, id: impl Into<String>) {
        if self.given.remove(name).is_some() {
            self.refuse(name, en, id);
        }
    }

    /// Notes a field error of a parameter.
    pub fn refuse(&mut self, name: &str, en: impl Into<String>, id: impl Into<String>) {
        self.field_errors.push(FieldError::in_parameter(name, "invalid_value", Text::new(en, id)));
    }

    /// Ends the reading: 400 if anything was wrong or if parameters are left.
    pub fn finish(mut self) -> ApiResult<()> {
        for name in self.given.keys() {
            let known = self.known.join(", ");
            self.field_errors.push(FieldError::in_parameter(
                name,
                "unknown_parameter",
                Text::new(
                    format!("Unknown parameter. The known parameters are: {known}."),
                    format!("Parameter tidak dikenal. Parameter yang dikenal: {known}."),
                ),
            ));
        }
        if self.field_errors.is_empty() { Ok(()) } else { Err(ApiError::parameters(self.field_errors)) }
    }
}

/// A date in the only accepted form, `YYYY-MM-DD`. The parser of dates also takes signs, blanks and longer years.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let is_plain = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_plain.then(|| text.parse().ok()).flatten()
}

/// For routes that take no parameters: any parameter is refused.
pub struct NoParameters;

impl FromRequest for NoParameters {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Parameters::parse(request.query_string()).and_then(Parameters::finish).map(|()| Self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_one_form() {
        assert_eq!(parse_date("2022-10-04"), NaiveDate::from_ymd_opt(2022, 10, 4));
        for wrong in ["2022-02-30", "2022-1-04", "2022- 1- 4", "+12345-1-1", "-999-01-01", " 2022-10-4", "2022/10/04", "２０２２"]
        {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }
}
