//! Where figures are computed: on threads and, for the public, on connections of their own, few at a time, and never twice at once.
//!
//! A figure may read every action and report there is. So that nobody can stop the service by asking for many, equal questions
//! share one computation, only a few run at a time, and whoever would wait longer than a moment is told to come again. A
//! computation ends when nobody waits for it any more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::kind::Scope;
use crate::http::answer::Answer;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::statements;

/// Figures for the public that are computed at a time.
const PUBLIC_AT_ONCE: usize = 2;
/// Figures for those who log in that are computed at a time.
const PRIVATE_AT_ONCE: usize = 4;
/// Names of figures that are remembered before those that nobody waits for are forgotten.
const MOST_NAMES: usize = 1_000;
/// How long a figure may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// A figure that is being computed, for all who wait for it.
type Running = Shared<BoxFuture<'static, ApiResult<Answer>>>;

/// What computes figures.
pub struct Figures {
    threads: Handle,
    public: Arc<Semaphore>,
    private: Arc<Semaphore>,
    running: Mutex<HashMap<String, WeakShared<BoxFuture<'static, ApiResult<Answer>>>>>,
}

impl Figures {
    /// Computes on the threads of a runtime that does nothing else.
    pub fn new(threads: Handle) -> Self {
        let permits = |number| Arc::new(Semaphore::new(number));
        Self { threads, public: permits(PUBLIC_AT_ONCE), private: permits(PRIVATE_AT_ONCE), running: Mutex::default() }
    }

    /// The answer to `question`, together with all who ask the same now. 503 where no turn comes in time.
    pub async fn compute<F>(&self, scope: Scope, question: String, work: impl FnOnce() -> F + Send + 'static) -> ApiResult<Answer>
    where
        F: Future<Output = ApiResult<Answer>> + Send + 'static,
    {
        let running = self.join_or_begin(scope, &question, work);
        let answer = running.clone().await;
        let mut all = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // Others may have begun anew under the same name meanwhile.
        if all.get(&question).and_then(WeakShared::upgrade).is_some_and(|known| known.ptr_eq(&running)) {
            all.remove(&question);
        }
        answer
    }

    fn join_or_begin<F>(&self, scope: Scope, question: &str, work: impl FnOnce() -> F + Send + 'static) -> Running
    where
        F: Future<Output = ApiResult<Answer>> + Send + 'static,
    {
        let mut all = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = all.get(question).and_then(WeakShared::upgrade) {
            return running;
        }
        let permits = Arc::clone(if scope == Scope::Published { &self.public } else { &self.private });
        let threads = self.threads.clone();
        let running = async move {
            let turn = timeout(PATIENCE, permits.acquire_owned()).await.map_err(|_| ApiError::busy())?;
            let turn = turn.map_err(ApiError::unexpected)?;
            let task = threads.spawn(async move {
                // Given back when the work has ended, not when somebody stopped waiting for it.
                let _turn = turn;
                statements::counted(work()).await
            });
            let (answer, taken) = Abandoned(task).join().await?;
            statements::count_more(taken);
            answer
        };
        let running = running.boxed().shared();
        // What nobody waited for to its end left its name behind.
        if all.len() >= MOST_NAMES {
            all.retain(|_, known| known.upgrade().is_some());
        }
        if let Some(weak) = running.downgrade() {
            all.insert(question.to_owned(), weak);
        }
        running
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

    #[tokio::test]
    async fn equal_questions_share_one_computation() {
        let figures = Figures::new(Handle::current());
        let (begun, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let ask = || {
            let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
            figures.compute(Scope::Published, "summary".into(), move || async move {
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
        assert_eq!(first.unwrap().parts().2, second.unwrap().parts().2);
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        assert!(figures.running.lock().unwrap().is_empty());
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
        let ended = Arc::new(AtomicUsize::new(0));
        for number in 0..PUBLIC_AT_ONCE {
            let mark = Ended(Arc::clone(&ended));
            let asked = figures.compute(Scope::Published, format!("{number}"), move || async move {
                let _mark = mark;
                std::future::pending::<ApiResult<Answer>>().await
            });
            assert!(timeout(Duration::from_millis(20), asked).await.is_err());
        }
        while ended.load(Ordering::SeqCst) < PUBLIC_AT_ONCE {
            tokio::task::yield_now().await;
        }
        let asked = figures.compute(Scope::Published, "another".into(), || async { Answer::ok(&1) });
        assert!(asked.await.is_ok());
    }
}
