//! Creates deliveries from the feed: one for each event and each webhook that subscribed to it.
//!
//! The cursor says up to which position that is done. It is locked while it moves, and commits together with the deliveries. So
//! only one process at a time creates them, a crash leaves no gap, and nothing is created twice.

use chrono::{DateTime, Utc};
use entity::rules::batch::{MOST, identifier};
use entity::webhook_delivery::DeliveryStatus;
use entity::{webhook, webhook_cursor, webhook_delivery};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QuerySelect,
    Statement,
};
use uuid::Uuid;

use crate::auth::actor::Actor;
use crate::feed::reading::accounts;
use crate::feed::seal;
use crate::http::problem::{ApiError, ApiResult};
use crate::store::transaction::{Origin, Store, WriteTransaction};

/// The number of events of one transaction, small so that writers on SQLite do not wait long.
const AT_ONCE: i64 = 1_000;
/// The number of deliveries of one statement.
const ROWS: usize = 500;

/// The name of this part of the service in the audit log.
pub fn origin() -> Origin {
    Origin { actor: Actor::system("webhooks"), request_id: None, address: None }
}

/// Creates all deliveries that are to be created. If another process is doing so, that process creates them all.
pub async fn dispatch_all(store: &Store) -> ApiResult<()> {
    while is_behind(store).await? {
        if store.transact(origin(), async |transaction: &WriteTransaction| dispatch(transaction).await).await?.is_none() {
            break;
        }
    }
    Ok(())
}

/// Whether there is anything to do, found out without a transaction that writes. If no webhook is active, the cursor stays
/// behind.
async fn is_behind(store: &Store) -> ApiResult<bool> {
    if webhook::Entity::find().filter(webhook::Column::Active.eq(true)).one(store.db()).await?.is_none() {
        return Ok(false);
    }
    let cursor = webhook_cursor::Entity::find_by_id(1).one(store.db()).await?.ok_or_else(no_cursor)?;
    Ok(cursor.position < seal::head(store.db()).await?.position)
}

fn no_cursor() -> ApiError {
    ApiError::unexpected("the webhooks have no cursor")
}

/// What is read of an event to find out which webhooks receive it.
#[derive(Clone, FromQueryResult)]
struct Happened {
    position: i64,
    id: Uuid,
    resource: String,
    action: String,
}

/// Goes one step on; `None` if another process is doing so, or if no webhook is active.
async fn dispatch(transaction: &WriteTransaction) -> ApiResult<Option<()>> {
    let cursor = webhook_cursor::Entity::find_by_id(1).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let Some(cursor) = cursor.one(&transaction.db).await? else { return Ok(None) };
    // The order matters: a webhook that existed before one of these events is among those that are read now.
    let head = seal::head(&transaction.db).await?.position;
    let webhooks = webhook::Entity::find().filter(webhook::Column::Active.eq(true)).all(&transaction.db).await?;
    let Some(first) = webhooks.iter().map(|webhook| webhook.after_position).min() else { return Ok(None) };
    // Events before the first subscription concern no webhook.
    let start = cursor.position.max(first);
    let end = head.min(start + AT_ONCE);
    let rows = deliveries(&webhooks, &happened(transaction, start, end).await?, transaction.now);
    for some in rows.chunks(ROWS) {
        webhook_delivery::Entity::insert_many(some.iter().cloned()).exec_without_returning(&transaction.db).await?;
    }
    let mut cursor = cursor.into_active_model();
    cursor.position = Set(end.max(start));
    cursor.update(&transaction.db).await?;
    Ok(Some(()))
}

async fn happened(transaction: &WriteTransaction, after: i64, end: i64) -> ApiResult<Vec<Happened>> {
    let accounts = accounts().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT s.position, e.id, e.resource, e.action, s.events FROM event_seal s JOIN event e ON e.seq = s.seq \
         WHERE s.position > $1 AND s.position - s.events < $2 AND s.position < $2 + {MOST} AND s.resource NOT IN ({accounts}) \
         ORDER BY s.position"
    );
    let statement = Statement::from_sql_and_values(transaction.db.get_database_backend(), sql, [after.into(), end.into()]);
    let rows = transaction.db.query_all_raw(statement).await?;
    let mut happened = Vec::new();
    for row in &rows {
        let (last, number) = (Happened::from_query_result(row, "")?, row.try_get::<i32>("", "events")?);
        let events = (last.position - i64::from(number) + 1..).zip(0..usize::try_from(number).unwrap_or_default());
        // Of a batch, an earlier step may have taken the first events, and a later one takes the last.
        let events = events.filter(|(position, _)| (after + 1..=end).contains(position));
        happened.extend(events.map(|(position, place)| Happened { position, id: identifier(last.id, place), ..last.clone() }));
    }
    Ok(happened)
}

fn deliveries(webhooks: &[webhook::Model], happened: &[Happened], now: DateTime<Utc>) -> Vec<webhook_delivery::ActiveModel> {
    let wanted = webhooks.iter().map(|webhook| (webhook, webhook.patterns())).collect::<Vec<_>>();
    let mut rows = Vec::new();
    for event in happened {
        for (webhook, patterns) in &wanted {
            if webhook.after_position < event.position
                && patterns.iter().any(|pattern| covers(pattern, &event.resource, &event.action))
            {
                let event_type = format!("{}.{}", event.resource, event.action);
                rows.push(delivery(&webhook.id, Some(event.position), event.id, event_type, now).into_active_model());
            }
        }
    }
    rows
}

/// A message that is due.
pub fn delivery(
    webhook: &str,
    position: Option<i64>,
    message: Uuid,
    event_type: String,
    now: DateTime<Utc>,
) -> webhook_delivery::Model {
    webhook_delivery::Model {
        id: Uuid::now_v7().to_string(),
        webhook: webhook.to_owned(),
        position,
        message_id: message.to_string(),
        event_type,
        status: DeliveryStatus::Pending,
        attempts: 0,
        first_attempt_at: None,
        last_attempt_at: None,
        next_attempt_at: Some(now),
        leased_until: None,
        response_status: None,
        response_excerpt: None,
        error: None,
        created_at: now,
    }
}

/// Whether a pattern such as `*`, `programme.*` or `measurement.verified` matches an event.
fn covers(pattern: &str, resource: &str, action: &str) -> bool {
    match pattern.split_once('.') {
        None => pattern == "*",
        Some((kind, verb)) => kind == resource && (verb == "*" || verb == action),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_all_a_kind_or_one_action() {
        for (pattern, yes) in [
            ("*", true),
            ("programme.*", true),
            ("programme.updated", true),
            ("programme.deleted", false),
            ("opd.*", false),
            ("programme", false),
        ] {
            assert_eq!(covers(pattern, "programme", "updated"), yes, "{pattern}");
        }
    }
}
