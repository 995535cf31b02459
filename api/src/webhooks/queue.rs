//! The deliveries that wait: hands them out, and notes what became of each.
//!
//! Who takes one has it for a while (a lease) and sends it outside of any transaction. If that process dies, the lease ends and
//! another sends the message again: it may arrive twice, with the same id, but it arrives.

use chrono::{DateTime, TimeDelta, Utc};
use entity::webhook::DisabledReason;
use entity::webhook_delivery::DeliveryStatus;
use entity::{webhook, webhook_delivery};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{LockBehavior, LockType, Query};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::dispatch::origin;
use super::retries::{Plan, Tries};
use super::subscriptions;
use crate::http::problem::ApiResult;
use crate::store::clock::now;
use crate::store::transaction::{Store, WriteTransaction};

/// What became of an attempt.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// How the body of the answer began.
    pub excerpt: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// For which pause the receiver asked before the next attempt.
    pub pause: Option<TimeDelta>,
}

impl Outcome {
    fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// The receiver says that it is gone for good.
    fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// An attempt that was made.
pub struct Attempt {
    /// The delivery as it was claimed.
    pub claimed: webhook_delivery::Model,
    /// What became of it.
    pub outcome: Outcome,
    /// When it is sent again, if it is.
    pub plan: Plan,
    /// By chance, in 0..1, later.
    pub chance: f64,
}

/// What is due, of webhooks that are active and not among `busy`.
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

/// Takes the delivery that is due longest for `lease`; none of webhooks that are `busy`.
pub async fn claim(store: &Store, busy: Vec<String>, lease: TimeDelta) -> ApiResult<Option<webhook_delivery::Model>> {
    // Without a transaction that writes, where nothing waits.
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

/// Notes what became of an attempt; whoever has it by a newer lease decides instead.
pub async fn settle(store: &Store, tried: Attempt) -> ApiResult<()> {
    store.transact(origin(), async move |transaction: &WriteTransaction| note(transaction, tried).await).await
}

async fn note(transaction: &WriteTransaction, Attempt { claimed, outcome, plan, chance }: Attempt) -> ApiResult<()> {
    // The webhook first, as who changes it does.
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
    let mut row = row.into_active_model();
    (row.status, row.next_attempt_at, row.leased_until) = (Set(status), Set(next), Set(None));
    row.response_status = Set(outcome.status.map(i32::from));
    (row.response_excerpt, row.error) = (Set(outcome.excerpt.clone()), Set(outcome.error.clone()));
    row.update(&transaction.db).await?;
    judge(transaction, webhook, &outcome, tried, plan).await
}

/// Notes since when all attempts for a webhook have failed, and disables it when that is too long or the receiver is gone.
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
        Some(since) if since + plan.patience() <= transaction.now => Some(DisabledReason::Failing),
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
