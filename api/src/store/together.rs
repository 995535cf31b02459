//! Requests that come while others are being worked on are worked on together: what each of them would need alone, such as a commit,
//! is then done once for all.
//!
//! Nobody waits for others to come: who finds nothing under way begins at once. Each worker thread has queues of its own, so that a
//! worker that stops leaves nobody of another one waiting; and so has each account, so that none holds another up.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::connection::LONGEST_WAIT;
use super::turns;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::statements;
use crate::telemetry::trace::{self, Context};

/// The greatest number of requests that are worked on together.
const MOST: usize = 64;

/// Work that can be done together with other work of its type.
#[expect(async_fn_in_trait, reason = "a queue stays on its worker thread, so the futures need not be Send")]
pub trait Together: Sized + 'static {
    /// What comes of it.
    type Done: 'static;

    /// The account in whose queue it waits.
    fn account(&self) -> String;

    /// Whether it can be done together with all of these.
    fn goes_with(&self, works: &[Rc<Self>]) -> bool;

    /// Does the first of some works. When it comes to what many can share, it takes the others that have come by then and go with it.
    /// Returns what came of each, in their order.
    async fn do_all(first: Rc<Self>, others: impl FnOnce() -> Vec<Rc<Self>>) -> Vec<Self::Done>;
}

/// The queues of one worker thread that are served, by the type of the work and the account.
#[derive(Clone, Default)]
pub struct Queues(Rc<RefCell<HashMap<Key, Rc<dyn Any>>>>);

/// See [`waiting`]: the queues of all worker threads count here.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// How many works wait in the queues of this process.
pub(super) fn waiting() -> usize {
    WAITING.load(Ordering::Relaxed)
}

/// The type of the work, and the account.
type Key = (TypeId, String);

/// Some work, and who waits for it.
struct Waiting<W: Together> {
    work: Rc<W>,
    /// The span of its request.
    span: Option<Context>,
    sender: Sender<W>,
    /// Counts it while it waits.
    _counted: turns::Waiting<'static>,
}

/// Tells what came of some work, and how many statements its request is said to have taken for it: those that many share are those of the
/// first.
type Sender<W> = oneshot::Sender<(<W as Together>::Done, u64)>;

impl Queues {
    /// Does some work of a request, together with what else waits.
    pub async fn done<W: Together>(request: &HttpRequest, work: Rc<W>) -> ApiResult<W::Done> {
        let queues = request.app_data::<Self>().ok_or_else(|| ApiError::unexpected("no queues"))?;
        queues.done_within(LONGEST_WAIT, work).await
    }

    /// Does some work. 503 if what was begun before is not done in time, as where there is no connection.
    async fn done_within<W: Together>(&self, patience: Duration, work: Rc<W>) -> ApiResult<W::Done> {
        let (sender, mut receiver) = oneshot::channel();
        let queue = self.joined(&work, sender)?;
        let told = match timeout(patience, &mut receiver).await {
            Ok(told) => told,
            Err(_) if queue.has(&work) => return Err(ApiError::busy()),
            Err(_) => receiver.await,
        };
        let (done, taken) = told.map_err(ApiError::unexpected)?;
        statements::count_more(taken);
        Ok(done)
    }

    /// Puts some work into its queue, which is served from now on.
    fn joined<W: Together>(&self, work: &Rc<W>, sender: Sender<W>) -> ApiResult<Rc<Queue<W>>> {
        let key = (TypeId::of::<W>(), work.account());
        let known = self.0.borrow().get(&key).cloned();
        let queue = match known {
            Some(queue) => queue.downcast::<Queue<W>>().map_err(|_| ApiError::unexpected("a queue of another type"))?,
            None => {
                let queue = Rc::new(Queue::default());
                self.0.borrow_mut().insert(key.clone(), Rc::<Queue<W>>::clone(&queue));
                // A task of its own: it goes on for the others when a client goes away.
                actix_web::rt::spawn(self.clone().serve(key, Rc::clone(&queue)));
                queue
            }
        };
        let (work, span, counted) = (Rc::clone(work), trace::current(), turns::Waiting::new(&WAITING));
        queue.works.borrow_mut().push_back(Waiting { work, span, sender, _counted: counted });
        Ok(queue)
    }

    /// Does what is in a queue until it is empty.
    async fn serve<W: Together>(self, key: Key, queue: Rc<Queue<W>>) {
        while let Some((first, span, sender)) = queue.first() {
            let senders = RefCell::new(vec![sender]);
            let others = || queue.others(&first, &mut senders.borrow_mut());
            // After a panic those who wait hear that there is no answer, and the next ones are served.
            let done = AssertUnwindSafe(W::do_all(Rc::clone(&first), others)).catch_unwind();
            let (done, mut taken) = trace::within(span, statements::counted(done)).await;
            for (sender, done) in senders.into_inner().into_iter().zip(done.unwrap_or_default()) {
                // Who has gone does not hear it.
                let _ = sender.send((done, std::mem::take(&mut taken)));
            }
        }
        self.0.borrow_mut().remove(&key);
    }
}

/// Work of one type and account that waits.
struct Queue<W: Together> {
    works: RefCell<VecDeque<Waiting<W>>>,
}

impl<W: Together> Default for Queue<W> {
    fn default() -> Self {
        Self { works: RefCell::default() }
    }
}

impl<W: Together> Queue<W> {
    /// Whether some work is not begun yet.
    fn has(&self, work: &Rc<W>) -> bool {
        self.works.borrow().iter().any(|waiting| Rc::ptr_eq(&waiting.work, work))
    }

    /// Takes the first work that waits, with its span. Who has gone before it was begun wants nothing done.
    fn first(&self) -> Option<(Rc<W>, Option<Context>, Sender<W>)> {
        let mut works = self.works.borrow_mut();
        let first = std::iter::from_fn(|| works.pop_front()).find(|waiting| !waiting.sender.is_closed())?;
        Some((first.work, first.span, first.sender))
    }

    /// Takes the others that go with the first.
    fn others(&self, first: &Rc<W>, senders: &mut Vec<Sender<W>>) -> Vec<Rc<W>> {
        let mut all = self.works.borrow_mut();
        let (mut works, mut left) = (vec![Rc::clone(first)], VecDeque::new());
        for waiting in all.drain(..).filter(|waiting| !waiting.sender.is_closed()) {
            if works.len() < MOST && waiting.work.goes_with(&works) {
                works.push(waiting.work);
                senders.push(waiting.sender);
            } else {
                left.push_back(waiting);
            }
        }
        *all = left;
        works.split_off(1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use futures_util::future::join_all;
    use tokio::task::{LocalSet, yield_now};

    /// Work that goes with work of the same letter, and tells how many were done together. `!` panics, and `.` waits for its client
    /// to be told that the others were not begun.
    struct Letter(char, Rc<tokio::sync::Notify>);

    impl Together for Letter {
        type Done = usize;

        fn account(&self) -> String {
            if self.0.is_uppercase() { "another".to_owned() } else { "one".to_owned() }
        }

        fn goes_with(&self, works: &[Rc<Self>]) -> bool {
            works.iter().all(|work| work.0 == self.0)
        }

        async fn do_all(first: Rc<Self>, others: impl FnOnce() -> Vec<Rc<Self>>) -> Vec<usize> {
            yield_now().await;
            let works = [vec![first], others()].concat();
            assert!(works.iter().all(|work| work.0 != '!'), "as asked");
            for work in works.iter().filter(|work| work.0 == '.') {
                work.1.notified().await;
            }
            vec![works.len(); works.len()]
        }
    }

    async fn done_within(patience: Duration, letters: &str) -> Vec<Option<usize>> {
        let (queues, told) = (Queues::default(), Rc::default());
        let one = |letter| {
            let work = Rc::new(Letter(letter, Rc::clone(&told)));
            let (queues, told) = (&queues, &told);
            async move {
                let done = queues.done_within(patience, work).await.ok();
                told.notify_one();
                done
            }
        };
        let worker = LocalSet::new();
        let done = worker.run_until(join_all(letters.chars().map(one))).await;
        worker.await;
        assert!(queues.0.borrow().is_empty(), "no queue is left that nobody serves");
        done
    }

    async fn done(letters: &str) -> Vec<Option<usize>> {
        done_within(Duration::from_secs(60), letters).await
    }

    #[tokio::test]
    async fn what_waits_is_done_together_if_it_goes_together() {
        assert_eq!(done("a").await, [Some(1)]);
        assert_eq!(done("abab").await, [Some(2); 4]);
        let all = done(&"a".repeat(MOST + 1)).await;
        assert_eq!((all[0], all[MOST]), (Some(MOST), Some(1)));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_its_own_requests() {
        assert_eq!(done("a!a").await, [Some(2), None, Some(2)]);
    }

    #[tokio::test]
    async fn who_waits_for_too_long_is_told_and_what_has_begun_is_waited_for() {
        assert_eq!(done_within(Duration::from_millis(10), ".a").await, [Some(1), None]);
    }

    #[tokio::test]
    async fn no_account_holds_another_up() {
        assert_eq!(done_within(Duration::from_secs(60), ".A").await, [Some(1), Some(1)]);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_not_begun() {
        let queues = Queues::default();
        let one = || Box::pin(queues.done_within(Duration::from_secs(60), Rc::new(Letter('a', Rc::default()))));
        let worker = LocalSet::new();
        let done = worker.run_until(async {
            let (mut gone, mut stays) = (one(), one());
            assert!((&mut gone).now_or_never().is_none() && (&mut stays).now_or_never().is_none());
            drop(gone);
            stays.await
        });
        assert_eq!(done.await.unwrap(), 1);
    }
}
