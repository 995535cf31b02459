//! A cache of figures in memory; an entry is valid until something is written that it depends on.

use moka::sync::Cache;
use tokio::runtime::Handle;

use super::dependencies::{self, Counted};
use super::figures::{Computed, Figures};
use super::kind::Scope;
use super::transaction::Store;
use crate::http::answer::Answer;
use crate::http::media::MediaType;
use crate::http::precondition::Preconditions;
use crate::http::problem::ApiResult;

/// The capacity, in bytes.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Figures by what was asked, and what computes those that are not cached.
pub struct FigureCache {
    cached: Cache<Question, Computed>,
    figures: Figures,
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

impl FigureCache {
    /// Nothing yet; figures are computed on the threads of a runtime of their own.
    pub fn new(threads: Handle) -> Self {
        let weight = |question: &Question, computed: &Computed| {
            u32::try_from(question.text.len() + computed.answer.parts().2.len() + 256).unwrap_or(u32::MAX)
        };
        Self { cached: Cache::builder().max_capacity(MOST_BYTES).weigher(weight).build(), figures: Figures::new(threads) }
    }

    /// How many are being computed for a scope.
    pub fn running(&self, scope: Scope) -> usize {
        self.figures.running(scope)
    }

    /// A figure: from the cache, or computed once for all who ask the same, and cached. 503 where too many others are computed.
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
        let generation = store.generation();
        let cached = self.cached.get(&question).filter(|computed| generation.holds(&computed.made_of));
        let Computed { answer, made_of } = match cached {
            Some(computed) => computed,
            None => {
                let counted = if question.of_the_past { Counted::InForceThen } else { Counted::InForce };
                let Computed { answer, made_of } =
                    self.figures.compute(scope, format!("{question:?}"), generation, counted, compute).await?;
                let computed = Computed { answer: answer.tagged(), made_of };
                self.cached.insert(question, computed.clone());
                computed
            }
        };
        dependencies::add(&made_of);
        Ok(answer.unless_known(preconditions))
    }
}
