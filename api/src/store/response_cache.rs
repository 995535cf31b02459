//! Answers kept in memory for as long as nothing was written that changes them: what is read often is computed once.

use moka::future::Cache;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::access::Public;
use super::figures::Figures;
use super::kind::Scope;
use super::transaction::Store;
use crate::http::answer::Answer;
use crate::http::body::hex;
use crate::http::media::MediaType;
use crate::http::precondition::Preconditions;
use crate::http::problem::ApiResult;

/// The most bytes that are kept.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// Answers by generation and by what was asked, and what computes figures that are not kept.
pub struct ResponseCache {
    answers: Cache<Key, Answer>,
    figures: Figures,
}

/// Under what an answer is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    generation: u64,
    question: Question,
}

/// What is asked, so that whoever asks the same gets the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// The question in full.
    pub text: String,
    /// The media type that the answer has.
    pub media: MediaType,
    /// Whether it is about a past day: then few changes touch the answer.
    pub of_the_past: bool,
}

impl ResponseCache {
    /// Nothing yet; figures are computed on the threads of a runtime of their own.
    pub fn new(threads: Handle) -> Self {
        let weight = |key: &Key, answer: &Answer| {
            u32::try_from(key.question.text.len() + answer.parts().2.len() + 256).unwrap_or(u32::MAX)
        };
        let answers = Cache::builder().max_capacity(MOST_BYTES).weigher(weight).build();
        Self { answers, figures: Figures::new(threads) }
    }

    /// The answer to `asked` about today: as kept, or computed and kept. Whoever asks the same meanwhile waits for it.
    pub async fn answer(
        &self,
        public: &Public,
        asked: String,
        preconditions: &Preconditions,
        compute: impl AsyncFnOnce() -> ApiResult<Answer>,
    ) -> ApiResult<Answer> {
        let key = Key::now(&public.store, Question { text: asked, media: public.media, of_the_past: false });
        let answer = self.answers.try_get_with(key, async { compute().await.map(tagged) }).await;
        Ok(answer.map_err(|error| error.as_ref().clone())?.unless_known(preconditions))
    }

    /// A figure: as kept, or computed with all who ask the same, and kept. 503 where too many others are computed.
    pub async fn figure<F>(
        &self,
        store: &Store,
        scope: Scope,
        question: Question,
        preconditions: &Preconditions,
        compute: impl FnOnce() -> F + Send + 'static,
    ) -> ApiResult<Answer>
    where
        F: Future<Output = ApiResult<Answer>> + Send + 'static,
    {
        let key = Key::now(store, question);
        let answer = match self.answers.get(&key).await {
            Some(answer) => answer,
            None => {
                let answer = tagged(self.figures.compute(scope, format!("{key:?}"), compute).await?);
                self.answers.insert(key, answer.clone()).await;
                answer
            }
        };
        Ok(answer.unless_known(preconditions))
    }
}

impl Key {
    /// To be made before the rows are read: what is computed from newer rows under an older generation is only dropped too early.
    fn now(store: &Store, question: Question) -> Self {
        Self { generation: store.generation().current(question.of_the_past), question }
    }
}

/// The answer with the hash of its body as its entity tag.
fn tagged(answer: Answer) -> Answer {
    let etag = format!("\"{}\"", &hex(&Sha256::digest(answer.parts().2))[..32]);
    answer.etag(&etag)
}
