//! Permits for large pushes. Each push may hold its 10,000 rows in memory while a slow line brings them, so only some are read at
//! a time, and only a few of one account, so that slow pushes of one system do not hold up those of others.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::actor::Actor;
use crate::http::problem::{ApiError, ApiResult};

/// The number of large pushes that this process reads at once.
const TURNS: usize = 16;
/// The number of these that may belong to one account.
const TURNS_OF_ONE: usize = 3;

/// The permits of this process.
pub(super) static ALL: LazyLock<Turns> = LazyLock::new(|| Turns::new(TURNS, TURNS_OF_ONE));

/// A number of permits, a few of them for each account.
pub(super) struct Turns {
    all: Arc<Semaphore>,
    of_one: usize,
    /// The permits of those who have or wait for one.
    own: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// A permit; it is given back when it is dropped.
pub struct PushPermit {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Turns {
    fn new(all: usize, of_one: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), of_one, own: Mutex::default() }
    }

    /// Waits for a permit for an account: first among the account's own pushes, so that pushes waiting there do not hold up those
    /// of others.
    pub(super) async fn take(&self, actor: &Actor) -> ApiResult<PushPermit> {
        let own = self.own(&format!("{} {}", actor.kind.name(), actor.id)).acquire_owned().await;
        let own = own.map_err(ApiError::unexpected)?;
        let all = Arc::clone(&self.all).acquire_owned().await.map_err(ApiError::unexpected)?;
        Ok(PushPermit { _own: own, _all: all })
    }

    fn own(&self, account: &str) -> Arc<Semaphore> {
        let mut known = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = known.get(account).and_then(Weak::upgrade) {
            return own;
        }
        known.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(self.of_one));
        known.insert(account.to_owned(), Arc::downgrade(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn one_account_holds_no_other_up() {
        let permits = Turns::new(4, 2);
        let (one, other) = (Actor::system("one"), Actor::system("other"));
        let now = |actor: &Actor| permits.take(actor).now_or_never().map(Result::unwrap);
        let held = (now(&one), now(&one));
        assert!(held.0.is_some() && held.1.is_some());
        assert!(now(&one).is_none(), "its own turns are taken");
        let others = (now(&other), now(&other));
        assert!(others.0.is_some() && others.1.is_some(), "the other has turns of its own");
        drop(held);
        assert!(now(&one).is_some(), "a turn is given back");
        assert!(permits.own.lock().unwrap().len() <= 2);
    }
}
