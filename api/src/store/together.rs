//! Requests that come while others are being worked on are worked on together: what each of them would need alone, such as a commit,
//! is then done once for all.
//!
//! Nobody waits for others to come: who finds nothing under way begins at once. Each worker thread has queues of its own, so that a
//! worker that stops leaves nobody of another one waiting.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use actix_web::HttpRequest;
use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::connection::LONGEST_WAIT;
use crate::http::problem::{ApiError, ApiResult};

/// The greatest number of requests that are worked on together.
const MOST: usize = 64;

/// Work that can be done together with other work of its type.
#[expect(async_fn_in_trait, reason = "a queue stays on its worker thread, so the futures need not be Send")]
pub trait Together: Sized + 'static {
    /// What comes of it.
    type Done: 'static;

    /// Whether it can be done together with all of these.
    fn goes_with(&self, works: &[Rc<Self>]) -> bool;

    /// Does the first of some works. When it comes to what many can share, it takes the others that have come by then and go with it.
    /// Returns what came of each, in their order.
    async fn do_all(first: Rc<Self>, others: impl FnOnce() -> Vec<Rc<Self>>) -> Vec<Self::Done>;
}

/// The queues of one worker thread, by the type of the work.
#[derive(Default)]
pub struct Queues(RefCell<HashMap<TypeId, Rc<dyn Any>>>);

impl Queues {
    /// Does some work of a request, together with what else waits.
    pub async fn done<W: Together>(request: &HttpRequest, work: Rc<W>) -> ApiResult<W::Done> {
        let queues = request.app_data::<Self>().ok_or_else(|| ApiError::unexpected("no queues"))?;
        queues.of::<W>()?.done(work).await
    }

    fn of<W: Together>(&self) -> ApiResult<Rc<Queue<W>>> {
        let mut queues = self.0.borrow_mut();
        let queue = queues.entry(TypeId::of::<W>()).or_insert_with(|| Rc::new(Queue::<W>::new(LONGEST_WAIT)));
        Rc::clone(queue).downcast().map_err(|_| ApiError::unexpected("a queue of another type"))
    }
}

/// Work of one type that waits.
struct Queue<W: Together> {
    waiting: RefCell<Waiting<W>>,
    /// How long work may wait before it is begun.
    patience: Duration,
}

struct Waiting<W: Together> {
    works: VecDeque<(Rc<W>, oneshot::Sender<W::Done>)>,
    /// Whether a task takes works out of the queue.
    is_served: bool,
}

impl<W: Together> Queue<W> {
    fn new(patience: Duration) -> Self {
        Self { waiting: RefCell::new(Waiting { works: VecDeque::new(), is_served: false }), patience }
    }

    /// Does some work. 503 if what was begun before is not done in time, as where there is no connection.
    async fn done(self: Rc<Self>, work: Rc<W>) -> ApiResult<W::Done> {
        let (sender, mut receiver) = oneshot::channel();
        let was_served = {
            let mut waiting = self.waiting.borrow_mut();
            waiting.works.push_back((Rc::clone(&work), sender));
            std::mem::replace(&mut waiting.is_served, true)
        };
        if !was_served {
            // A task of its own: it goes on for the others when a client goes away.
            actix_web::rt::spawn(Rc::clone(&self).serve());
        }
        if let Ok(done) = timeout(self.patience, &mut receiver).await {
            return done.map_err(ApiError::unexpected);
        }
        if self.waiting.borrow().works.iter().any(|(waiting, _)| Rc::ptr_eq(waiting, &work)) {
            return Err(ApiError::busy());
        }
        receiver.await.map_err(ApiError::unexpected)
    }

    async fn serve(self: Rc<Self>) {
        while let Some((first, sender)) = self.first() {
            let senders = RefCell::new(vec![sender]);
            let others = || self.others(&first, &mut senders.borrow_mut());
            // After a panic those who wait hear that there is no answer, and the next ones are served.
            let done = AssertUnwindSafe(W::do_all(Rc::clone(&first), others)).catch_unwind().await.unwrap_or_default();
            for (sender, done) in senders.into_inner().into_iter().zip(done) {
                // Who has gone does not hear it.
                let _ = sender.send(done);
            }
        }
    }

    /// Takes the first work that waits. Who has gone before it was begun wants nothing done.
    fn first(&self) -> Option<(Rc<W>, oneshot::Sender<W::Done>)> {
        let mut waiting = self.waiting.borrow_mut();
        let first = std::iter::from_fn(|| waiting.works.pop_front()).find(|(_, sender)| !sender.is_closed());
        waiting.is_served = first.is_some();
        first
    }

    /// Takes the others that go with the first.
    fn others(&self, first: &Rc<W>, senders: &mut Vec<oneshot::Sender<W::Done>>) -> Vec<Rc<W>> {
        let mut waiting = self.waiting.borrow_mut();
        let (mut works, mut left) = (vec![Rc::clone(first)], VecDeque::new());
        for (work, sender) in waiting.works.drain(..) {
            if sender.is_closed() {
                continue;
            }
            if works.len() < MOST && work.goes_with(&works) {
                works.push(work);
                senders.push(sender);
            } else {
                left.push_back((work, sender));
            }
        }
        waiting.works = left;
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
        let (queue, told) = (Rc::new(Queue::<Letter>::new(patience)), Rc::default());
        let one = |letter| {
            let work = Rc::new(Letter(letter, Rc::clone(&told)));
            let done = Rc::clone(&queue).done(work);
            async {
                let done = done.await.ok();
                told.notify_one();
                done
            }
        };
        LocalSet::new().run_until(join_all(letters.chars().map(one))).await
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
    async fn what_nobody_waits_for_any_more_is_not_begun() {
        let queue = Rc::new(Queue::<Letter>::new(Duration::from_secs(60)));
        let one = || Box::pin(Rc::clone(&queue).done(Rc::new(Letter('a', Rc::default()))));
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
