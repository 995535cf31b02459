//! UUIDs are taken in either case (RFC 9562 §4), and stand in the database in lower case.
//!
//! In paths they are put into lower case before anything looks at them, so that no handler, old or new, can forget it. The URL
//! table says which segments are UUIDs: a code may look like one, and codes differ by their case.

use std::borrow::Cow;
use std::collections::BTreeSet;

use actix_web::dev::ServiceRequest;
use actix_web::http::uri::PathAndQuery;

/// The segments of paths behind which a UUID stands, such as `actions`.
#[derive(Clone, Debug, Default)]
pub struct Collections(pub BTreeSet<String>);

impl Collections {
    /// Notes where a path of the URL table has `parameter`.
    pub fn note(&mut self, path: &str, parameter: &str) {
        let segments = path.split('/').collect::<Vec<_>>();
        let named = segments.windows(2).filter(|pair| pair[1].trim_matches(['{', '}']) == parameter);
        self.0.extend(named.map(|pair| pair[0].to_owned()));
    }

    /// The path with its UUIDs in lower case, if that is another one.
    fn lowered(&self, path: &str) -> Option<String> {
        // Few paths have such letters at all.
        if !path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let mut before = "";
        let segments = path.split('/').map(|segment| {
            let is_id = self.0.contains(std::mem::replace(&mut before, segment));
            if is_id { in_lower_case(segment) } else { Cow::Borrowed(segment) }
        });
        let lowered = segments.collect::<Vec<_>>().join("/");
        (lowered != path).then_some(lowered)
    }
}

/// A UUID in lower case; any other text as it is.
pub fn in_lower_case(text: &str) -> Cow<'_, str> {
    let is_uuid = text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if is_uuid && text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

impl Collections {
    /// Puts the UUIDs in the path of a request into lower case.
    pub fn lower(&self, request: &mut ServiceRequest) {
        let Some(path) = self.lowered(request.path()) else { return };
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut parts = request.uri().clone().into_parts();
        // What was a path with other letters still is one.
        if let Ok(changed) = PathAndQuery::try_from(format!("{path}{query}")) {
            parts.path_and_query = Some(changed);
            if let Ok(uri) = actix_web::http::Uri::from_parts(parts) {
                request.match_info_mut().get_mut().update(&uri);
                request.head_mut().uri = uri;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_a_uuid_by_the_table_is_put_into_lower_case() {
        let mut collections = Collections::default();
        collections.note("/v1/actions/{id}/reports/{quarter}", "id");
        let upper = "0192F0C1-2F4E-7C3A-9D7E-5B1F0A6C8E21";
        let lower = upper.to_ascii_lowercase();
        let lowered = |path: String| collections.lowered(&path);
        assert_eq!(lowered(format!("/v1/actions/{upper}/reports/3")), Some(format!("/v1/actions/{lower}/reports/3")));
        assert_eq!(lowered(format!("/v1/public/actions/{upper}")), Some(format!("/v1/public/actions/{lower}")));
        assert_eq!(lowered(format!("/v1/actions/{lower}")), None);
        assert_eq!(lowered(format!("/v1/programmes/{upper}")), None);
        assert_eq!(lowered("/v1/actions/ABC".to_owned()), None);
    }
}
