//! Requests that are sent again: a request with an Idempotency-Key is carried out once, and its retries get the first answer.

use std::collections::HashSet;
use std::sync::{Arc, Mutex as Lock, MutexGuard, PoisonError};

use chrono::{DateTime, Duration, Utc};
use entity::{idempotency_record, server_secret};
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::http::answer::Answer;
use crate::http::problem::{ApiError, ApiResult, codes};

/// How long the answer to a request with an Idempotency-Key is kept.
pub const RETRIES_FOR: Duration = Duration::hours(24);

/// What makes a request recognizable when it is sent again.
#[derive(Clone, Debug, Default)]
pub struct Retry {
    /// The key with the method and the path, and the fingerprint of the request.
    key: Option<(String, String)>,
}

impl Retry {
    /// A request that carries a key; without one it cannot be recognized.
    pub fn of(key: Option<String>, method_and_path: &str, fingerprint: &str) -> Self {
        Self { key: key.map(|key| (format!("{method_and_path}\n{key}"), fingerprint.to_owned())) }
    }

    /// Whether the request can be recognized.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }
}

/// What a process knows of the requests with a key.
#[derive(Clone, Default)]
pub(super) struct Retries {
    /// Those that it is working on.
    running: Arc<Lock<HashSet<String>>>,
    /// What the fingerprints of requests are made with; all replicas have the same.
    secret: Arc<OnceCell<Vec<u8>>>,
}

impl Retries {
    /// The request as an attempt, if it has a key: 409 while another attempt is under way in this process. The key counts together with
    /// `principal`.
    pub(super) async fn attempt(&self, db: &DatabaseConnection, principal: &str, retry: Retry) -> ApiResult<Option<Attempt>> {
        let Some((name, fingerprint)) = retry.key else { return Ok(None) };
        let id = hex::encode(Sha256::digest(format!("{principal}\n{name}")));
        let sealed = self.sealed(db, &fingerprint).await?;
        let key = InFlightKey::take(self.running.clone(), id)?;
        Ok(Some(Attempt { key, sealed, fingerprint }))
    }

    /// The fingerprint of a body as it is kept: it may hold a password, which a plain hash would let be guessed.
    async fn sealed(&self, db: &DatabaseConnection, fingerprint: &str) -> ApiResult<String> {
        let load = async || {
            let row = server_secret::Entity::find_by_id("idempotency").one(db).await?;
            row.map(|row| row.value).ok_or_else(|| ApiError::unexpected("no secret for fingerprints"))
        };
        let secret = self.secret.get_or_try_init(load).await?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(ApiError::unexpected)?;
        mac.update(fingerprint.as_bytes());
        Ok(hex::encode(mac.finalize().into_bytes()))
    }
}

/// One attempt of a request with a key.
pub(super) struct Attempt {
    key: InFlightKey,
    /// The fingerprint of the request, as it is kept.
    sealed: String,
    /// The same as records from before fingerprints were sealed have it, until their day is over.
    fingerprint: String,
}

impl Attempt {
    /// What every attempt of the request is known by.
    pub(super) fn id(&self) -> &str {
        &self.key.id
    }

    /// The answer to an earlier attempt: 422 if it was another request.
    pub(super) async fn earlier_answer(&self, db: &DatabaseTransaction, now: DateTime<Utc>) -> ApiResult<Option<Answer>> {
        let Some(record) = idempotency_record::Entity::find_by_id(self.id()).one(db).await? else {
            return Ok(None);
        };
        if record.created_at + RETRIES_FOR <= now {
            let old = idempotency_record::Entity::delete_many().filter(idempotency_record::Column::Id.eq(self.id()));
            old.exec(db).await?;
            return Ok(None);
        }
        if record.fingerprint != self.sealed && record.fingerprint != self.fingerprint {
            return Err(ApiError::new(codes::KEY_REUSED));
        }
        Answer::replayed(record.status, record.headers, record.body).map(Some)
    }

    /// Keeps the answer for later attempts.
    pub(super) async fn keep(&self, db: &DatabaseTransaction, now: DateTime<Utc>, answer: &Answer) -> ApiResult<()> {
        let (status, headers, body) = answer.parts();
        let record = idempotency_record::ActiveModel {
            id: Set(self.key.id.clone()),
            fingerprint: Set(self.sealed.clone()),
            status: Set(i32::from(status)),
            headers: Set(headers),
            body: Set(body.to_vec()),
            created_at: Set(now),
        };
        record.insert(db).await?;
        Ok(())
    }
}

/// The right to work on a key in this process; given back when dropped.
struct InFlightKey {
    running: Arc<Lock<HashSet<String>>>,
    id: String,
}

impl InFlightKey {
    fn take(running: Arc<Lock<HashSet<String>>>, id: String) -> ApiResult<Self> {
        if ids(&running).insert(id.clone()) { Ok(Self { running, id }) } else { Err(in_use()) }
    }
}

impl Drop for InFlightKey {
    fn drop(&mut self) {
        ids(&self.running).remove(&self.id);
    }
}

fn ids(running: &Lock<HashSet<String>>) -> MutexGuard<'_, HashSet<String>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// 409 while another attempt is under way.
pub(super) fn in_use() -> ApiError {
    ApiError::new(codes::KEY_IN_USE).header("Retry-After", "1")
}
