//! Tokens that were verified: verifying a signature costs more than most answers, and a token stays valid until it expires or the keys
//! change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Utc;
use foldhash::quality::RandomState;
use moka::sync::Cache;

use super::actor::Actor;

/// The most bytes of tokens that are kept.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The tokens that were verified with the keys of one issuer.
pub struct VerifiedTokens {
    /// Counts the changes of the keys.
    keys: AtomicU64,
    tokens: Cache<String, Verified, RandomState>,
}

#[derive(Clone)]
struct Verified {
    actor: Arc<Actor>,
    /// The last second, since 1970, at which the token is valid.
    until: i64,
    keys: u64,
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        let weight = |token: &String, _: &Verified| u32::try_from(token.len() + 512).unwrap_or(u32::MAX);
        let tokens = Cache::builder().max_capacity(MOST_BYTES).weigher(weight);
        Self { keys: AtomicU64::default(), tokens: tokens.build_with_hasher(RandomState::default()) }
    }
}

impl VerifiedTokens {
    /// For whom a token was issued, if it was verified and is still valid.
    pub fn actor(&self, token: &str) -> Option<Arc<Actor>> {
        let verified = self.tokens.get(token)?;
        (verified.keys == self.keys() && Utc::now().timestamp() <= verified.until).then_some(verified.actor)
    }

    /// The state of the keys. Read it before a token is verified with them.
    pub fn keys(&self) -> u64 {
        self.keys.load(Ordering::SeqCst)
    }

    /// Remembers a token that was verified with the keys of a state, and until when it is valid, in seconds since 1970.
    pub fn remember(&self, token: &str, actor: &Arc<Actor>, until: i64, keys: u64) {
        self.tokens.insert(token.to_owned(), Verified { actor: Arc::clone(actor), until, keys });
    }

    /// Forgets all: the keys changed.
    pub fn forget(&self) {
        self.keys.fetch_add(1, Ordering::SeqCst);
        self.tokens.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_until_it_expires_or_the_keys_change() {
        let (tokens, actor) = (VerifiedTokens::default(), Arc::new(Actor::system("test")));
        let (now, keys) = (Utc::now().timestamp(), tokens.keys());
        tokens.remember("fresh", &actor, now + 60, keys);
        tokens.remember("expired", &actor, now - 1, keys);
        assert!(tokens.actor("fresh").is_some());
        assert!(tokens.actor("expired").is_none());
        assert!(tokens.actor("another").is_none());
        tokens.forget();
        assert!(tokens.actor("fresh").is_none());
        // It was verified with a key that went meanwhile.
        tokens.remember("late", &actor, now + 60, keys);
        assert!(tokens.actor("late").is_none());
    }
}
