//! Pushes that changed nothing, and come again.
//!
//! Many systems send all that they have every few minutes, and most of the time nothing of it is new. What was decided of such a body
//! holds until one of the tables is written by which it was decided, or the day ends. That nothing was written is looked up in the
//! database, since another replica may have written it just now; and so is what the account may do.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use chrono::NaiveDate;
use foldhash::quality::RandomState;
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::Pushed;
use super::rows::Body;
use crate::auth::actor::Actor;
use crate::auth::permissions::Permission;
use crate::http::answer::Answer;
use crate::http::language::Language;
use crate::http::problem::ApiResult;
use crate::store::access::Access;
use crate::store::dependencies::Dependencies;
use crate::store::transaction::WriteTransaction;
use crate::telemetry::metrics::PUSH_REPEATS;

/// The most bytes that are kept.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// How long it may take to look whether an answer still holds.
const LONGEST_LOOK: Duration = Duration::from_secs(1);
/// About how many bytes an answer takes beside its body.
const BESIDE_BODY: usize = 512;

/// What was decided of pushes that changed nothing, by what was asked.
pub struct Repeats(Cache<Asked, Arc<Decided>, RandomState>);

/// Everything of a push that its answer depends on, hashed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Asked([u8; 32]);

struct Decided {
    answer: Answer,
    /// Who asked, as the account stood.
    actor: Actor,
    made_of: Dependencies,
    today: NaiveDate,
}

impl Asked {
    /// What a request asks by its body.
    pub(super) fn of<T: Pushed>(request: &HttpRequest, body: &Body<T>, actor: &Actor, language: Language) -> Self {
        let (path, query, media_type) = (request.path(), request.query_string(), body.media_type());
        let parts = [path, query, media_type, language.tag(), actor.kind.name(), &actor.id, &body.fingerprint];
        Self(Sha256::digest(parts.join("\n")).into())
    }
}

impl Default for Repeats {
    fn default() -> Self {
        let weight =
            |_: &Asked, decided: &Arc<Decided>| u32::try_from(decided.answer.parts().2.len() + BESIDE_BODY).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(MOST_BYTES).weigher(weight).build_with_hasher(RandomState::default()))
    }
}

impl Repeats {
    /// The answer, if the same was asked before and would be decided alike.
    pub(super) async fn answer<P: Permission>(&self, asked: Asked, access: &Access<P>) -> ApiResult<Option<Answer>> {
        let Some(decided) = self.0.get(&asked).filter(|decided| decided.today == access.store.calendar().today()) else {
            return Ok(None);
        };
        let stands = access.now().await? == decided.actor;
        // Whoever waits longer is as well served by a decision.
        let holds = timeout(LONGEST_LOOK, access.store.still_holds(&decided.made_of));
        if !(stands && holds.await.unwrap_or(Ok(false))?) {
            return Ok(None);
        }
        metrics::counter!(PUSH_REPEATS).increment(1);
        Ok(Some(decided.answer.clone()))
    }

    /// How many answers are kept, and how many bytes they take.
    pub fn size(&self) -> (u64, u64) {
        self.0.run_pending_tasks();
        (self.0.entry_count(), self.0.weighted_size())
    }

    /// Keeps what was decided in a transaction.
    pub(super) fn keep(&self, asked: Asked, answer: Answer, transaction: &WriteTransaction, made_of: Dependencies) {
        if made_of.tables.are_followed() {
            let (actor, today) = (transaction.origin.actor.clone(), transaction.today);
            self.0.insert(asked, Arc::new(Decided { answer, actor, made_of, today }));
        }
    }
}
