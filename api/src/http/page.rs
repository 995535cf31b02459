//! Pages of a list: the opaque cursor and the envelope.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::problem::{ApiError, ApiResult, codes};

/// Rows on a page where the client does not say.
pub const DEFAULT_LIMIT: u64 = 50;
/// The most rows on a page.
pub const LARGEST_LIMIT: u64 = 200;

/// Where a page ended: the sort values of its last row. Bound to the list it came from by a checksum.
pub struct Cursor;

impl Cursor {
    /// The opaque text for the row with these sort values; `list` names path, filters and sort.
    pub fn write(list: &str, values: &[Value]) -> String {
        let body = Value::from(values.to_vec()).to_string();
        URL_SAFE_NO_PAD.encode(format!("{}{body}", checksum(list, &body)))
    }

    /// The sort values in `text`, if it came from the same list.
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
    super::body::hex(&digest[..8])
}

/// One page of a list.
pub struct Page {
    /// The rows.
    pub data: Vec<Value>,
    /// The cursor of the next page, if there is one.
    pub next_cursor: Option<String>,
    /// The page size asked for.
    pub limit: u64,
    /// How many rows the whole list has, where the client asked.
    pub total: Option<u64>,
}

impl Page {
    /// The answer, with the `Link` to the next page of `path?query`.
    pub fn answer(self, path: &str, query: &str) -> ApiResult<Answer> {
        let mut page = json!({ "next_cursor": self.next_cursor, "limit": self.limit });
        if let Some(total) = self.total {
            page["total"] = total.into();
        }
        let answer = Answer::ok(&json!({ "data": self.data, "page": page }))?;
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
    use super::*;

    #[test]
    fn a_cursor_holds_only_for_its_own_list() {
        let cursor = Cursor::write("programmes", &[json!("SG-01"), json!(3)]);
        assert_eq!(Cursor::read("programmes", &cursor).ok(), Some(vec![json!("SG-01"), json!(3)]));
        assert!(Cursor::read("kpis", &cursor).is_err());
        assert!(Cursor::read("programmes", "bm9uc2Vuc2U").is_err());
    }
}
