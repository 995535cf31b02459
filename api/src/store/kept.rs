//! Answers kept in memory for as long as nothing was written: what is read often is computed once.

use moka::future::Cache;
use sha2::{Digest, Sha256};

use super::change::Store;
use crate::http::answer::Answer;
use crate::http::body::hex;
use crate::http::precondition::Preconditions;
use crate::http::problem::ApiResult;

/// The most bytes that are kept.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Answers by generation and by what was asked.
#[derive(Clone)]
pub struct Kept(Cache<(u64, String), Entry>);

#[derive(Clone)]
struct Entry {
    answer: Answer,
}

impl Default for Kept {
    fn default() -> Self {
        let weight = |key: &(u64, String), entry: &Entry| {
            u32::try_from(key.1.len() + entry.answer.parts().2.len() + 128).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(MOST_BYTES).weigher(weight).build())
    }
}

impl Kept {
    /// The answer to `asked`: as kept, or computed and kept.
    pub async fn answer(
        &self,
        store: &Store,
        asked: String,
        preconditions: &Preconditions,
        compute: impl AsyncFnOnce() -> ApiResult<Answer>,
    ) -> ApiResult<Answer> {
        // Read before the rows: what is computed from newer rows under an older generation is only dropped too early.
        let key = (store.generation().current(), asked);
        let entry = match self.0.get(&key).await {
            Some(entry) => entry,
            None => {
                let answer = compute().await?;
                let etag = format!("\"{}\"", &hex(&Sha256::digest(answer.parts().2))[..32]);
                let entry = Entry { answer: answer.etag(&etag) };
                self.0.insert(key, entry.clone()).await;
                entry
            }
        };
        Ok(entry.answer.unless_known(preconditions))
    }
}
