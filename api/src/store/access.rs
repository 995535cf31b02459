//! The extractors that yield the database, each with a permission: no handler gets it in another way.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::dependencies::{self, Audience};
use super::retry::Retry;
use super::standing::Must;
use super::transaction::{Origin, Store, WriteTransaction};
use crate::auth::actor::Actor;
use crate::auth::identify::actor_of;
use crate::auth::permissions::Permission;
use crate::http::answer::Answer;
use crate::http::client_address;
use crate::http::idempotency::IdempotencyKey;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::request_id;

/// A request that may do `P`, with the database to do it on. Name it first in a handler's signature: it is decided at
/// once, so that 401 and 403 come before anything else is looked at.
pub struct Access<P> {
    /// Who asks, from where. Whoever looks at it makes the answer one for this person, see [`Access::actor`].
    origin: Origin,
    /// The database.
    pub store: Store,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for Access<P> {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(actor_of(request).and_then(|actor| {
            Must::have::<P>().check(&actor)?;
            dependencies::note_audience(if P::SAME_FOR_ALL { Audience::Readers } else { Audience::Person });
            Ok(Self { origin: origin(request, actor), store: store(request)?, permission: PhantomData })
        }))
    }
}

impl<P: Permission> Access<P> {
    /// Does `work` in one transaction, if the actor still may; a request with the same Idempotency-Key gets the first answer again.
    pub async fn write(&self, retry: Retry, work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<Answer>) -> ApiResult<Answer> {
        self.store.write(self.origin.clone(), Must::have::<P>(), retry, work).await
    }

    /// Does `work` in one transaction for several requests of the same actor, of which this is one, if the actor still may.
    pub async fn write_for_all<T>(&self, work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<T>) -> ApiResult<T> {
        self.store.write_for_all(self.origin.clone(), Must::have::<P>(), work).await
    }

    /// Does `work`, which only looks what a change would do, if the actor may make it. No writer waits for it.
    pub async fn preview<T>(&self, work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<T>) -> ApiResult<T> {
        self.store.preview(self.origin.clone(), Must::have::<P>(), work).await
    }

    /// Whether another request comes from the same actor, with the same rights.
    pub fn is_of_actor_of(&self, other: &Self) -> bool {
        self.origin.actor == other.origin.actor
    }

    /// Who asks, from where, for the audit log.
    pub fn origin(&self) -> &Origin {
        dependencies::note_audience(Audience::Person);
        &self.origin
    }

    /// Who asks, as the account stands now: for what is about accounts, where a token that is some minutes old will not do.
    pub async fn now(&self) -> ApiResult<Actor> {
        let actor = self.store.standing_of(self.actor(), self.origin.address.as_deref()).await?;
        Must::have::<P>().check(&actor)?;
        Ok(actor)
    }

    /// Who asks, as the token says. The answer is then for nobody else.
    pub fn actor(&self) -> &Actor {
        dependencies::note_audience(Audience::Person);
        &self.origin.actor
    }
}

/// A request that may do something, where it does not matter any more what: code that takes this exists once for all permissions.
pub struct Writer {
    origin: Origin,
    store: Store,
    must: Must,
}

impl<P: Permission> From<Access<P>> for Writer {
    fn from(access: Access<P>) -> Self {
        Self { origin: access.origin, store: access.store, must: Must::have::<P>() }
    }
}

impl Writer {
    /// Does `work` in one transaction, see [`Access::write`].
    pub async fn write(self, retry: Retry, work: impl AsyncFnOnce(&WriteTransaction) -> ApiResult<Answer>) -> ApiResult<Answer> {
        self.store.write(self.origin, self.must, retry, work).await
    }
}

/// A request of anybody, with the database to read what is public: on connections of its own, so that nothing anybody asks takes
/// those of people who log in and write.
pub struct Public {
    /// The database.
    pub store: Store,
}

impl FromRequest for Public {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        dependencies::note_audience(Audience::Public);
        ready(store(request).map(|store| Self { store: store.for_public() }))
    }
}

/// A request of anybody, with the database to log in or to ask how the service is.
pub struct Anyone {
    /// The database.
    pub store: Store,
    /// The network address of the client.
    pub address: Option<String>,
    /// The request.
    pub request_id: Option<String>,
}

impl FromRequest for Anyone {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        dependencies::note_audience(Audience::Person);
        ready(store(request).map(|store| Self {
            store,
            address: client_address::of(request),
            request_id: request_id::of(request),
        }))
    }
}

/// The request as its retry will look.
pub fn retry(request: &HttpRequest, key: IdempotencyKey, fingerprint: &str) -> Retry {
    Retry::of(key.0, &format!("{} {}", request.method(), request.path()), fingerprint)
}

fn origin(request: &HttpRequest, actor: Actor) -> Origin {
    Origin { actor, request_id: request_id::of(request), address: client_address::of(request) }
}

fn store(request: &HttpRequest) -> ApiResult<Store> {
    let store = request.app_data::<Data<Store>>().ok_or_else(|| ApiError::unexpected("no store"))?;
    Ok(store.get_ref().clone())
}
