//! What a transaction appends to the audit log.

use std::collections::BTreeMap;
use std::future::ready;

use chrono::NaiveDate;
use entity::event;
use entity::rules::chain::Content;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Origin, WriteTransaction};
use crate::http::problem::{ApiError, ApiResult};
use crate::store::effect::{Effect, Seen, Touched};
use crate::store::generation::Appended;
use crate::store::kind::Audited;
use crate::store::{bulk, snapshots};

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
}

/// The columns of an event that are written; the database numbers it.
const EVENT: [event::Column; 13] = {
    use event::Column::*;
    [Id, At, Resource, Key, Action, Version, ActorKind, ActorId, RequestId, Address, Before, After, ContentHash]
};

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
            self.event(origin, audit_event, effect)
        });
        self.append_after(writing, events).await?;
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
        let events = audit_events.into_iter().map(|(_, audit_event)| self.event(&self.origin, audit_event, Effect::Past));
        self.append_after(ready(Ok(())), events).await?;
        for (resource, begun) in begun {
            snapshots::begin(&self.db, self.today, resource, begun).await?;
        }
        Ok(())
    }

    async fn append_after(
        &self,
        writing: impl Future<Output = ApiResult<()>>,
        events: impl Iterator<Item = ApiResult<Vec<sea_orm::Value>>>,
    ) -> ApiResult<()> {
        let last = bulk::append_after::<event::Entity>(&self.db, writing, &EVENT, events).await?;
        if let Some(appended) = self.appended.lock().map_err(ApiError::unexpected)?.as_mut() {
            appended.last = last.or(appended.last);
        }
        Ok(())
    }

    fn seen(&self, of: &'static Audited, action: &str) -> Seen {
        Seen { actor: self.origin.actor.kind, of, is_verified: action == "verified" }
    }

    /// The values of [`EVENT`]. What was before and after becomes text at once: that is how it is stored and sent.
    fn event<T: Serialize>(
        &self,
        origin: &Origin,
        audit_event: AuditEvent<'_, T>,
        effect: Effect,
    ) -> ApiResult<Vec<sea_orm::Value>> {
        debug_assert!(
            audit_event.of.can(audit_event.action),
            "`{}.{}` is not among the actions of its `Audited`",
            audit_event.of.name,
            audit_event.action
        );
        let id = Uuid::now_v7();
        let mut appended = self.appended.lock().map_err(ApiError::unexpected)?;
        let appended = appended.get_or_insert(Appended { first: id, touched: Touched::default(), count: 0, last: None });
        appended.count += 1;
        appended.touched.add(audit_event.of, effect);
        let text = |thing: Option<T>| thing.map(|thing| serde_json::to_string(&thing)).transpose().map_err(ApiError::unexpected);
        let (before, after) = (text(audit_event.before)?, text(audit_event.after)?);
        let content = Content {
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
            before: before.as_deref(),
            after: after.as_deref(),
        };
        let hash = content.hash().map_err(ApiError::unexpected)?;
        Ok(vec![
            content.id.into(),
            content.at.into(),
            content.resource.into(),
            content.key.into(),
            content.action.into(),
            content.version.into(),
            content.actor_kind.into(),
            content.actor_id.into(),
            content.request_id.into(),
            content.address.into(),
            before.into(),
            after.into(),
            hash.to_vec().into(),
        ])
    }
}
