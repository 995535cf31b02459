//! Pages of a list: the opaque cursor and the members around the rows.

use actix_web::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::problem::{ApiError, ApiResult, codes};

/// The number of rows on a page if the client does not ask for another.
pub const DEFAULT_LIMIT: u64 = 50;
/// The greatest number of rows on a page.
pub const LARGEST_LIMIT: u64 = 200;

/// Where a page ended: the sort values of its last row, bound by a checksum to the list that they come from.
pub struct Cursor;

impl Cursor {
    /// The opaque text for the row with these sort values; `list` names path, filters and sort.
    pub fn write(list: &str, values: &[Value]) -> String {
        let body = Value::from(values.to_vec()).to_string();
        URL_SAFE_NO_PAD.encode(format!("{}{body}", checksum(list, &body)))
    }

    /// The sort values in `text`, if they come from the same list.
    pub fn read(list: &str, text: &str) -> ApiResult<Vec<Value>> {
        Self::values(list, text).ok_or_else(|| ApiError::new(codes::INVALID_CURSOR))
    }

    fn values(list: &str, text: &str) -> Option<Vec<Value>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = String::from_utf8(bytes).ok()?;
        let (sum, body) = plain.split_at_checked(16)?;
        (sum == checksum(list, body)).then(|| serde_json::from_str(body).ok())?
    }
}

fn checksum(list: &str, body: &str) -> String {
    let digest = Sha256::digest(format!("renaksi cursor 1\n{list}\n{body}"));
    hex::encode(&digest[..8])
}

/// One page of a list.
pub struct Page {
    /// The rows, each as JSON text.
    pub data: Vec<Vec<u8>>,
    /// The cursor of the next page, if there is one.
    pub next_cursor: Option<String>,
    /// The page size that the client asked for.
    pub limit: u64,
    /// The number of rows of the whole list, if the client asked for it.
    pub total: Option<u64>,
}

/// What stands beside the rows of a page.
#[derive(Serialize)]
struct Beside<'a> {
    next_cursor: Option<&'a str>,
    limit: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

/// Rows as JSON texts, as a page holds them.
pub fn texts<T: Serialize>(rows: impl IntoIterator<Item = T>) -> ApiResult<Vec<Vec<u8>>> {
    rows.into_iter().map(|row| serde_json::to_vec(&row).map_err(ApiError::unexpected)).collect()
}

impl Page {
    /// The answer, with a `Link` to the next page of `path?query`.
    pub fn answer(self, path: &str, query: &str) -> ApiResult<Answer> {
        let beside = Beside { next_cursor: self.next_cursor.as_deref(), limit: self.limit, total: self.total };
        let mut body = Vec::with_capacity(self.data.iter().map(|row| row.len() + 1).sum::<usize>() + 128);
        body.extend_from_slice(b"{\"data\":[");
        for (index, row) in self.data.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(row);
        }
        body.extend_from_slice(b"],\"page\":");
        serde_json::to_writer(&mut body, &beside).map_err(ApiError::unexpected)?;
        body.push(b'}');
        let answer = Answer::text(StatusCode::OK, body);
        Ok(match self.next_cursor {
            Some(cursor) => {
                let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
                let query = kept.chain([format!("cursor={cursor}").as_str()]).collect::<Vec<_>>().join("&");
                answer.header("Link", &format!("<{path}?{query}>; rel=\"next\""))
            }
            None => answer,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cursor_holds_only_for_its_own_list() {
        let cursor = Cursor::write("programmes", &[json!("SG-01"), json!(3)]);
        assert_eq!(Cursor::read("programmes", &cursor).ok(), Some(vec![json!("SG-01"), json!(3)]));
        assert!(Cursor::read("kpis", &cursor).is_err());
        assert!(Cursor::read("programmes", "bm9uc2Vuc2U").is_err());
    }
}
