//! The deliveries that wait to be sent: hands them out, and records the result of each.
//!
//! Whoever takes a delivery has it for a limited time (a lease) and sends it outside of any transaction. If that process dies,
//! the lease ends and another process sends the message again. The message may then arrive twice, with the same id, but it does
//! arrive.

use chrono::{DateTime, TimeDelta, Utc};
use entity::webhook::DisabledReason;
use entity::webhook_delivery::DeliveryStatus;
use entity::{webhook, webhook_delivery};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{LockBehavior, LockType, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseConnection, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::dispatch::origin;
use super::retries::{Plan, Tries};
use super::subscriptions;
use crate::http::problem::ApiResult;
use crate::store::clock::now;
use crate::store::transaction::{Store, WriteTransaction};
use crate::telemetry::metrics::WEBHOOK_ATTEMPTS;

/// The result of an attempt.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// How the body of the answer began.
    pub excerpt: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// The pause that the receiver asked for before the next attempt.
    pub pause: Option<TimeDelta>,
}

impl Outcome {
    fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the receiver says that it is gone for good.
    fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// An attempt that was made.
pub struct Attempt {
    /// The delivery as it was claimed.
    pub claimed: webhook_delivery::Model,
    /// The result of the attempt.
    pub outcome: Outcome,
    /// When the message is sent again, if it is.
    pub plan: Plan,
    /// A random number in 0..1, by which the next attempt is delayed.
    pub chance: f64,
}

/// The deliveries that are due, of active webhooks that are not among `busy`.
fn due(busy: &[String], at: DateTime<Utc>) -> Condition {
    use webhook_delivery::Column;
    let active =
        Query::select().column(webhook::Column::Id).from(webhook::Entity).and_where(webhook::Column::Active.eq(true)).take();
    Condition::all()
        .add(Column::Status.eq(DeliveryStatus::Pending))
        .add(Column::NextAttemptAt.lte(at))
        .add(Condition::any().add(Column::LeasedUntil.is_null()).add(Column::LeasedUntil.lte(at)))
        .add(Column::Webhook.in_subquery(active))
        .add(Column::Webhook.is_not_in(busy.iter().map(String::as_str)))
}

/// How many messages are to be sent now, and how many wait to be sent again, of active webhooks.
pub async fn backlog(db: &DatabaseConnection, at: DateTime<Utc>) -> ApiResult<(u64, u64)> {
    use webhook_delivery::Column;
    let due_now = webhook_delivery::Entity::find().filter(due(&[], at)).count(db).await?;
    let active =
        Query::select().column(webhook::Column::Id).from(webhook::Entity).and_where(webhook::Column::Active.eq(true)).take();
    let waiting = webhook_delivery::Entity::find()
        .filter(Column::Status.eq(DeliveryStatus::Pending))
        .filter(Column::Webhook.in_subquery(active))
        .count(db)
        .await?;
    Ok((due_now, waiting.saturating_sub(due_now)))
}

/// Claims for `lease` the delivery that has been due for the longest time; none of a webhook that is `busy`.
pub async fn claim(store: &Store, busy: Vec<String>, lease: TimeDelta) -> ApiResult<Option<webhook_delivery::Model>> {
    // This is found out without a transaction that writes, in case nothing waits.
    if webhook_delivery::Entity::find().filter(due(&busy, now())).one(store.db()).await?.is_none() {
        return Ok(None);
    }
    store.transact(origin(), async move |transaction: &WriteTransaction| take(transaction, busy, lease).await).await
}

async fn take(transaction: &WriteTransaction, busy: Vec<String>, lease: TimeDelta) -> ApiResult<Option<webhook_delivery::Model>> {
    let waiting = webhook_delivery::Entity::find()
        .filter(due(&busy, transaction.now))
        .order_by_asc(webhook_delivery::Column::NextAttemptAt)
        .order_by_asc(webhook_delivery::Column::Id)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let Some(row) = waiting.one(&transaction.db).await? else { return Ok(None) };
    let (attempts, first) = (row.attempts + 1, row.first_attempt_at.unwrap_or(transaction.now));
    let mut row = row.into_active_model();
    (row.attempts, row.first_attempt_at, row.last_attempt_at) = (Set(attempts), Set(Some(first)), Set(Some(transaction.now)));
    row.leased_until = Set(Some(transaction.now + lease));
    Ok(Some(row.update(&transaction.db).await?))
}

/// Records the result of an attempt. If another process has a newer lease, that process decides instead.
pub async fn settle(store: &Store, tried: Attempt) -> ApiResult<()> {
    store.transact(origin(), async move |transaction: &WriteTransaction| note(transaction, tried).await).await
}

async fn note(transaction: &WriteTransaction, Attempt { claimed, outcome, plan, chance }: Attempt) -> ApiResult<()> {
    // The webhook is locked first, as by everybody who changes it.
    let webhook = transaction.locked::<webhook::Entity>(claimed.webhook.clone()).await?;
    let row = transaction.locked::<webhook_delivery::Entity>(claimed.id).await?;
    let (Some(webhook), Some(row)) = (webhook, row.filter(|row| row.leased_until == claimed.leased_until)) else {
        return Ok(());
    };
    let tried = claimed.last_attempt_at.unwrap_or(transaction.now);
    let first = row.first_attempt_at.unwrap_or(tried);
    let tries = Tries { count: row.attempts, first, tried, asked: outcome.pause };
    let again = || plan.next(tries, transaction.now, chance);
    let (status, next) = match &outcome {
        outcome if outcome.is_success() => (DeliveryStatus::Delivered, None),
        outcome if outcome.is_gone() => (DeliveryStatus::Failed, None),
        _ => again().map_or((DeliveryStatus::Failed, None), |next| (DeliveryStatus::Pending, Some(next))),
    };
    let result = match status {
        DeliveryStatus::Delivered => "delivered",
        DeliveryStatus::Pending => "retried",
        DeliveryStatus::Failed => "failed",
    };
    metrics::counter!(WEBHOOK_ATTEMPTS, "result" => result).increment(1);
    let mut row = row.into_active_model();
    (row.status, row.next_attempt_at, row.leased_until) = (Set(status), Set(next), Set(None));
    row.response_status = Set(outcome.status.map(i32::from));
    (row.response_excerpt, row.error) = (Set(outcome.excerpt.clone()), Set(outcome.error.clone()));
    row.update(&transaction.db).await?;
    judge(transaction, webhook, &outcome, tried, plan).await
}

/// Notes since when all attempts for a webhook have failed, and disables it if that is too long or if the receiver is gone.
async fn judge(
    transaction: &WriteTransaction,
    webhook: webhook::Model,
    outcome: &Outcome,
    tried: DateTime<Utc>,
    plan: Plan,
) -> ApiResult<()> {
    let since = if outcome.is_success() { None } else { Some(webhook.failing_since.unwrap_or(tried)) };
    let reason = match since {
        Some(_) if outcome.is_gone() => Some(DisabledReason::Gone),
        Some(since) if plan.is_over(since, tried) => Some(DisabledReason::Failing),
        _ => None,
    };
    if let Some(reason) = reason.filter(|_| webhook.active) {
        return subscriptions::disable(transaction, webhook, reason).await;
    }
    if since != webhook.failing_since {
        let mut row = webhook.into_active_model();
        row.failing_since = Set(since);
        row.update(&transaction.db).await?;
    }
    Ok(())
}
