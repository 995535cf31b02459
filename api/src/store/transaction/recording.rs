//! What a transaction appends to the audit log.

use std::collections::BTreeMap;
use std::future::ready;

use chrono::NaiveDate;
use entity::event;
use entity::rules::batch;
use entity::rules::chain::Content;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::to_raw_value;
use uuid::Uuid;

use super::{Origin, WriteTransaction};
use crate::http::problem::{ApiError, ApiResult};
use crate::store::effect::{Effect, Seen, Touched};
use crate::store::generation::Appended;
use crate::store::kind::Audited;
use crate::store::{bulk, events, snapshots};

/// One thing that happened, for the audit log: to a `T`, as the API shows it.
pub struct AuditEvent<'a, T = Value> {
    /// What it is about.
    pub of: &'static Audited,
    /// Which one.
    pub key: &'a str,
    /// What happened to it.
    pub action: &'a str,
    /// Its version afterwards.
    pub version: i32,
    /// The thing before.
    pub before: Option<T>,
    /// The thing afterwards.
    pub after: Option<T>,
    /// Its first event, where that lies in a batch.
    pub first_event: Option<FirstEvent>,
}

/// The first event about something, which lies in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstEvent {
    /// It is this one.
    This(Uuid),
    /// It came earlier.
    Earlier(Uuid),
}

impl FirstEvent {
    /// The first event with this identifier, if there is one.
    pub fn of(id: Option<Uuid>, is_this: bool) -> Option<Self> {
        id.map(if is_this { Self::This } else { Self::Earlier })
    }
}

impl<T> AuditEvent<'_, T> {
    /// The batch in which the event is to lie.
    fn batch(&self) -> Option<Uuid> {
        match self.first_event? {
            FirstEvent::This(id) => Some(batch::batch_of(id)),
            FirstEvent::Earlier(_) => None,
        }
    }
}

/// The columns of an event that are written; the database numbers it. The last are those of a batch.
const EVENT: [event::Column; 16] = {
    use event::Column::*;
    [
        Id,
        At,
        Resource,
        Key,
        Action,
        Version,
        ActorKind,
        ActorId,
        RequestId,
        Address,
        Before,
        After,
        ContentHash,
        FirstEvent,
        Events,
        Batch,
    ]
};
/// How many columns an event has that lies in no batch.
const ALONE: usize = EVENT.len() - 2;

/// An event that is about to be written, and what it may change.
type Made<'a, T> = ApiResult<(&'a Origin, AuditEvent<'a, T>, Effect)>;

impl WriteTransaction {
    /// Appends to the audit log.
    pub async fn record(&self, audit_event: AuditEvent<'_>) -> ApiResult<()> {
        self.record_all([audit_event]).await
    }

    /// Appends several to the audit log, in their order.
    pub async fn record_all<T: Serialize>(&self, audit_events: impl IntoIterator<Item = AuditEvent<'_, T>>) -> ApiResult<()> {
        self.record_after(ready(Ok(())), audit_events.into_iter().map(|audit_event| (&self.origin, audit_event))).await
    }

    /// The same once `writing` is done, for several requests of the actor, each with its origin: the first events are made while
    /// the database works on that.
    pub async fn record_after<'a, T: Serialize>(
        &self,
        writing: impl Future<Output = ApiResult<()>>,
        audit_events: impl IntoIterator<Item = (&'a Origin, AuditEvent<'a, T>)>,
    ) -> ApiResult<()> {
        let mut left: BTreeMap<&'static str, snapshots::Snapshots> = BTreeMap::new();
        let events = audit_events.into_iter().map(|(origin, audit_event)| {
            let json = |thing: Option<&T>| thing.map(serde_json::to_value).transpose().map_err(ApiError::unexpected);
            let seen = self.seen(audit_event.of, audit_event.action);
            let is_tracked = audit_event.of.snapshots.is_some();
            let effect = match seen.effect() {
                // Many rows are reports: what they hold need not be looked at.
                Some(effect) if !is_tracked => effect,
                _ => {
                    let (before, after) = (json(audit_event.before.as_ref())?, json(audit_event.after.as_ref())?);
                    let effect = seen.effect_of(before.as_ref(), after.as_ref(), self.today);
                    if is_tracked {
                        left.entry(audit_event.of.name).or_default().insert(audit_event.key.to_owned(), after);
                    }
                    effect
                }
            };
            Ok((origin, audit_event, effect))
        });
        // In a place of its own: what it holds would lie in the frame of every caller.
        Box::pin(self.append_after(writing, events)).await?;
        for (resource, left) in left {
            snapshots::remember(&self.db, self.today, resource, left).await?;
        }
        Ok(())
    }

    /// Appends things that were imported, each with the first day of which figures count it.
    pub async fn record_imported(&self, audit_events: Vec<(NaiveDate, AuditEvent<'_>)>) -> ApiResult<()> {
        let mut begun: BTreeMap<&'static str, snapshots::FirstSnapshots> = BTreeMap::new();
        for (since, AuditEvent { of, key, after, .. }) in &audit_events {
            if let Some(content) = after.clone().filter(|_| of.snapshots.is_some()) {
                begun.entry(of.name).or_default().push(((*key).to_owned(), *since, content));
            }
        }
        let events = audit_events.into_iter().map(|(_, audit_event)| Ok((&self.origin, audit_event, Effect::Past)));
        self.append_after(ready(Ok(())), events).await?;
        for (resource, begun) in begun {
            snapshots::begin(&self.db, self.today, resource, begun).await?;
        }
        Ok(())
    }

    async fn append_after<'a, T: Serialize>(
        &self,
        writing: impl Future<Output = ApiResult<()>>,
        events: impl Iterator<Item = Made<'a, T>>,
    ) -> ApiResult<()> {
        let mut events = events.peekable();
        // What lies in batches comes first, so that only then two more columns are written.
        let has_batches = events.peek().is_some_and(|made| batch_of(made).is_some());
        let width = if has_batches { EVENT.len() } else { ALONE };
        let rows = std::iter::from_fn(move || {
            let made = events.next()?;
            let Some(batch) = batch_of(&made) else { return Some(made.and_then(|made| self.event(made))) };
            if !has_batches {
                return Some(Err(ApiError::unexpected("events of batches come before others")));
            }
            let mut of_batch = vec![made];
            while let Some(next) = events.next_if(|next| batch_of(next) == Some(batch)) {
                of_batch.push(next);
            }
            Some(of_batch.into_iter().collect::<ApiResult<Vec<_>>>().and_then(|of_batch| self.batch(batch, of_batch)))
        });
        let rows = rows.map(|row| {
            row.map(|mut row| {
                row.truncate(width);
                row
            })
        });
        let last = bulk::append_after::<event::Entity>(&self.db, writing, &EVENT[..width], rows).await?;
        if let Some(appended) = self.appended.lock().map_err(ApiError::unexpected)?.as_mut() {
            appended.last = last.or(appended.last);
        }
        Ok(())
    }

    /// Identifiers for the first events of this many things that are about to be created, if their events can lie in batches.
    pub async fn identifiers(&self, created: usize) -> ApiResult<Option<batch::Identifiers>> {
        let is_worth_it = created >= batch::LEAST && !self.is_preview;
        Ok(if is_worth_it && events::allows_batches(&self.db).await? { Some(batch::Identifiers::default()) } else { None })
    }

    fn seen(&self, of: &'static Audited, action: &str) -> Seen {
        Seen { actor: self.origin.actor.kind, of, is_verified: action == "verified" }
    }

    /// Notes a row of the audit log that is about to be written.
    fn note(&self, id: Uuid, of: &'static Audited, effects: impl IntoIterator<Item = Effect>) -> ApiResult<()> {
        let mut appended = self.appended.lock().map_err(ApiError::unexpected)?;
        let appended = appended.get_or_insert(Appended { first: id, touched: Touched::default(), count: 0, last: None });
        appended.count += 1;
        effects.into_iter().for_each(|effect| appended.touched.add(of, effect));
        Ok(())
    }

    /// The values of [`EVENT`]. What was before and after becomes text at once: that is how it is stored and sent.
    fn event<T: Serialize>(
        &self,
        (origin, audit_event, effect): (&Origin, AuditEvent<'_, T>, Effect),
    ) -> ApiResult<Vec<sea_orm::Value>> {
        let id = Uuid::now_v7();
        self.note(id, audit_event.of, [effect])?;
        let text = |thing: Option<&T>| thing.map(serde_json::to_string).transpose().map_err(ApiError::unexpected);
        let (before, after) = (text(audit_event.before.as_ref())?, text(audit_event.after.as_ref())?);
        let content = self.content(id, origin, &audit_event, before.as_deref(), after.as_deref());
        let hash = content.hash().map_err(ApiError::unexpected)?;
        let mut values = row(&content, content.key, content.version);
        let first_event = match audit_event.first_event {
            Some(FirstEvent::Earlier(id)) => Some(id),
            _ => None,
        };
        values.extend([before.into(), after.into(), hash.to_vec().into(), first_event.into(), 1.into(), NO_BATCH]);
        Ok(values)
    }

    /// The same of events that one request of one actor makes alike.
    fn batch<T: Serialize>(
        &self,
        batch: Uuid,
        of_batch: Vec<(&Origin, AuditEvent<'_, T>, Effect)>,
    ) -> ApiResult<Vec<sea_orm::Value>> {
        let (mut entries, mut hashes, mut common) = (Vec::with_capacity(of_batch.len()), Vec::new(), Vec::new());
        let effects = of_batch.iter().map(|(_, _, effect)| *effect).collect::<Vec<_>>();
        for (place, (origin, audit_event, _)) in of_batch.iter().enumerate() {
            let id = batch::identifier(batch, place);
            debug_assert_eq!(audit_event.first_event, Some(FirstEvent::This(id)), "the identifiers of a batch have no gaps");
            let after = to_raw_value(&audit_event.after).map_err(ApiError::unexpected)?;
            let content = self.content(id, origin, audit_event, None, Some(after.get()));
            hashes.extend(content.hash().map_err(ApiError::unexpected)?);
            if place == 0 {
                self.note(batch, audit_event.of, effects.iter().copied())?;
                common = row(&content, "", content.version);
            }
            entries.push(batch::Entry(audit_event.key.to_owned(), audit_event.version, after));
        }
        let number = i32::try_from(entries.len()).map_err(ApiError::unexpected)?;
        let packed = batch::pack(&entries).map_err(ApiError::unexpected)?;
        let nothing = sea_orm::Value::String(None);
        common.extend([nothing.clone(), nothing, hashes.into(), sea_orm::Value::Uuid(None), number.into(), packed.into()]);
        Ok(common)
    }

    fn content<'a, T>(
        &'a self,
        id: Uuid,
        origin: &'a Origin,
        audit_event: &AuditEvent<'a, T>,
        before: Option<&'a str>,
        after: Option<&'a str>,
    ) -> Content<'a> {
        debug_assert!(
            audit_event.of.can(audit_event.action),
            "`{}.{}` is not among the actions of its `Audited`",
            audit_event.of.name,
            audit_event.action
        );
        Content {
            id,
            at: self.now,
            resource: audit_event.of.name,
            key: audit_event.key,
            action: audit_event.action,
            version: audit_event.version,
            actor_kind: origin.actor.kind.name(),
            actor_id: &origin.actor.name,
            request_id: origin.request_id.as_deref(),
            address: origin.address.as_deref(),
            before,
            after,
        }
    }
}

/// The value of [`event::Column::Batch`] of an event that lies in none.
const NO_BATCH: sea_orm::Value = sea_orm::Value::Bytes(None);

fn batch_of<T>(made: &Made<'_, T>) -> Option<Uuid> {
    made.as_ref().ok().and_then(|(_, audit_event, _)| audit_event.batch())
}

/// The values of the first columns of [`EVENT`]: all but what happened to the thing.
fn row(content: &Content<'_>, key: &str, version: i32) -> Vec<sea_orm::Value> {
    vec![
        content.id.into(),
        content.at.into(),
        content.resource.into(),
        key.into(),
        content.action.into(),
        version.into(),
        content.actor_kind.into(),
        content.actor_id.into(),
        content.request_id.into(),
        content.address.into(),
    ]
}
