//! Where figures are computed: on threads and, for the public, on connections of their own, few at a time, and never twice at once.
//!
//! A figure may read every action and report there is. So that nobody can stop the service by asking for many, equal questions
//! share one computation, only a few run at a time, and whoever would wait longer than a moment is asked to retry. A
//! computation ends when nobody waits for it any more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::dependencies::{self, Counted, Dependencies};
use super::generation::Generation;
use super::kind::Scope;
use crate::http::answer::Answer;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::rate_limit::count_figure;
use crate::http::statements;
use crate::telemetry::trace;

/// Figures for the public that are computed at a time.
const PUBLIC_AT_ONCE: usize = 2;
/// Figures for those who log in that are computed at a time.
const PRIVATE_AT_ONCE: usize = 4;
/// Names of figures that are remembered before those that nobody waits for are forgotten.
const MOST_NAMES: usize = 1_000;
/// How long a figure may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// An answer with what it depends on.
#[derive(Clone, Debug)]
pub struct Computed {
    /// The answer.
    pub answer: Answer,
    /// What it depends on.
    pub made_of: Dependencies,
}

/// A figure that is being computed, for all who wait for it.
type Running = Shared<BoxFuture<'static, ApiResult<Computed>>>;

/// What computes figures.
pub struct Figures {
    threads: Handle,
    public: Arc<Semaphore>,
    private: Arc<Semaphore>,
    running: Mutex<HashMap<String, WeakShared<BoxFuture<'static, ApiResult<Computed>>>>>,
}

impl Figures {
    /// Computes on the threads of a runtime that does nothing else.
    pub fn new(threads: Handle) -> Self {
        let permits = |number| Arc::new(Semaphore::new(number));
        Self { threads, public: permits(PUBLIC_AT_ONCE), private: permits(PRIVATE_AT_ONCE), running: Mutex::default() }
    }

    /// The answer to `question`, together with all who ask the same now. 503 where no turn comes in time.
    pub async fn compute<F>(
        &self,
        scope: Scope,
        question: String,
        generation: &Generation,
        counted: Counted,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> ApiResult<Computed>
    where
        F: Future<Output = ApiResult<Answer>> + Send + 'static,
    {
        let asked = generation.now();
        let mut work = Some(work);
        loop {
            let running = self.join_or_begin(scope, &question, generation, counted, &mut work)?;
            let computed = running.clone().await;
            self.forget(&question, &running);
            // What others began before this was asked may lack what was written in between.
            let is_too_old = |computed: &Computed| computed.made_of.since < asked && !generation.holds(&computed.made_of);
            if work.is_none() || !computed.as_ref().is_ok_and(is_too_old) {
                return computed;
            }
        }
    }

    /// How many are being computed for a scope.
    pub fn running(&self, scope: Scope) -> usize {
        if scope == Scope::Published {
            PUBLIC_AT_ONCE - self.public.available_permits()
        } else {
            PRIVATE_AT_ONCE - self.private.available_permits()
        }
    }

    fn forget(&self, question: &str, running: &Running) {
        let mut all = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // Others may have begun anew under the same name meanwhile.
        if all.get(question).and_then(WeakShared::upgrade).is_some_and(|known| known.ptr_eq(running)) {
            all.remove(question);
        }
    }

    fn join_or_begin<F, W>(
        &self,
        scope: Scope,
        question: &str,
        generation: &Generation,
        counted: Counted,
        work: &mut Option<W>,
    ) -> ApiResult<Running>
    where
        F: Future<Output = ApiResult<Answer>> + Send + 'static,
        W: FnOnce() -> F + Send + 'static,
    {
        let mut all = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = all.get(question).and_then(WeakShared::upgrade) {
            return Ok(running);
        }
        count_figure()?;
        let work = work.take().ok_or_else(|| ApiError::unexpected("a figure was begun twice"))?;
        let generation = generation.clone();
        let permits = Arc::clone(if scope == Scope::Published { &self.public } else { &self.private });
        let threads = self.threads.clone();
        let running = async move {
            let turn = timeout(PATIENCE, permits.acquire_owned()).await.map_err(|_| ApiError::busy())?;
            let turn = turn.map_err(ApiError::unexpected)?;
            let span = trace::current();
            let task = threads.spawn(async move {
                // Given back when the work has ended, not when somebody stopped waiting for it.
                let _turn = turn;
                let work = dependencies::recorded(generation.now(), counted, statements::counted(work()));
                trace::within(span, work).await
            });
            let ((answer, taken), made_of) = Abandoned(task).join().await?;
            statements::count_more(taken);
            Ok(Computed { answer: answer?, made_of })
        };
        let running = running.boxed().shared();
        // What nobody waited for to its end left its name behind.
        if all.len() >= MOST_NAMES {
            all.retain(|_, known| known.upgrade().is_some());
        }
        if let Some(weak) = running.downgrade() {
            all.insert(question.to_owned(), weak);
        }
        Ok(running)
    }
}

/// A task that ends when nobody waits for it.
struct Abandoned<T>(JoinHandle<T>);

impl<T> Abandoned<T> {
    async fn join(mut self) -> ApiResult<T> {
        (&mut self.0).await.map_err(ApiError::unexpected)
    }
}

impl<T> Drop for Abandoned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;
    use crate::store::effect::Touched;

    #[tokio::test]
    async fn equal_questions_share_one_computation() {
        let figures = Figures::new(Handle::current());
        let (begun, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let generation = Generation::default();
        let ask = || {
            let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
            figures.compute(Scope::Published, "summary".into(), &generation, Counted::InForce, move || async move {
                begun.fetch_add(1, Ordering::SeqCst);
                go.notified().await;
                Answer::ok(&"35 of 40")
            })
        };
        let let_go = async {
            while begun.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            go.notify_waiters();
        };
        let (first, second, ()) = tokio::join!(ask(), ask(), let_go);
        assert_eq!(first.unwrap().answer.parts().2, second.unwrap().answer.parts().2);
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        assert!(figures.running.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn who_asks_after_a_write_gets_no_figure_that_was_begun_before_it() {
        let (figures, generation, go) = (Figures::new(Handle::current()), Generation::default(), Arc::new(Notify::new()));
        let wait = Arc::clone(&go);
        let before = figures.compute(Scope::Published, "summary".into(), &generation, Counted::InForce, move || async move {
            dependencies::note_statement("SELECT 1 FROM programme");
            wait.notified().await;
            Answer::ok(&"before")
        });
        let write = async {
            tokio::task::yield_now().await;
            generation.raise(Touched::EVERYTHING);
            let after = figures
                .compute(Scope::Published, "summary".into(), &generation, Counted::InForce, || async { Answer::ok(&"after") });
            let (after, ()) = tokio::join!(after, async { go.notify_one() });
            after
        };
        let (before, after) = tokio::join!(before, write);
        assert_eq!(before.unwrap().answer.parts().2, b"\"before\"");
        assert_eq!(after.unwrap().answer.parts().2, b"\"after\"");
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_ends_and_gives_its_turn_back() {
        struct Ended(Arc<AtomicUsize>);
        impl Drop for Ended {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let figures = Figures::new(Handle::current());
        let (ended, generation) = (Arc::new(AtomicUsize::new(0)), Generation::default());
        for number in 0..PUBLIC_AT_ONCE {
            let mark = Ended(Arc::clone(&ended));
            let asked =
                figures.compute(Scope::Published, format!("{number}"), &generation, Counted::InForce, move || async move {
                    let _mark = mark;
                    std::future::pending::<ApiResult<Answer>>().await
                });
            assert!(timeout(Duration::from_millis(20), asked).await.is_err());
        }
        while ended.load(Ordering::SeqCst) < PUBLIC_AT_ONCE {
            tokio::task::yield_now().await;
        }
        let asked =
            figures.compute(Scope::Published, "another".into(), &generation, Counted::InForce, || async { Answer::ok(&1) });
        assert!(asked.await.is_ok());
    }
}
