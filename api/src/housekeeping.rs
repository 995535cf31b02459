//! Deletes what has expired: answers kept for retries, refresh tokens, invitations, failed logins, deliveries of webhooks.
//!
//! One replica does it at a time; a replica that finds another one at work leaves it the rest. The audit log is never deleted: see
//! `renaksi audit export` for keeping it elsewhere too.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{idempotency_record, invitation, known_address, login_failure, refresh_token, webhook_delivery};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, EntityTrait, Iterable, QueryFilter, QuerySelect};

use crate::auth::actor::Actor;
use crate::http::problem::ApiResult;
use crate::resources::auth::login_throttle;
use crate::store::clock::now;
use crate::store::retry::RETRIES_FOR;
use crate::store::transaction::{Origin, Store, WriteTransaction};
use crate::telemetry::trace;

/// How long deliveries can be looked up and sent again.
const DELIVERIES_FOR: TimeDelta = TimeDelta::days(30);
const EVERY: Duration = Duration::from_secs(10 * 60);
/// Rows of one transaction, so that writers of SQLite do not wait long.
const AT_ONCE: u64 = 1_000;

/// Tidies up for as long as the service runs.
pub async fn run(store: Store) {
    loop {
        // What failed is logged where it failed, and tried again next time.
        let _ = trace::job("housekeeping", sweep(&store)).await;
        tokio::time::sleep(EVERY).await;
    }
}

/// Tidies up once.
async fn sweep(store: &Store) -> ApiResult<()> {
    let (now, day_ago) = (now(), now() - RETRIES_FOR);
    forget::<idempotency_record::Entity>(store, idempotency_record::Column::CreatedAt, day_ago).await?;
    forget::<refresh_token::Entity>(store, refresh_token::Column::ExpiresAt, now).await?;
    forget::<invitation::Entity>(store, invitation::Column::ExpiresAt, now).await?;
    forget::<login_failure::Entity>(store, login_failure::Column::UpdatedAt, now - login_throttle::REMEMBERED).await?;
    forget::<known_address::Entity>(store, known_address::Column::SeenAt, now - login_throttle::KNOWN_FOR).await?;
    forget::<webhook_delivery::Entity>(store, webhook_delivery::Column::CreatedAt, now - DELIVERIES_FOR).await
}

/// Deletes what is older than `before`.
async fn forget<E: EntityTrait>(store: &Store, since: E::Column, before: DateTime<Utc>) -> ApiResult<()> {
    // Without a transaction that writes, where nothing is that old.
    while is_any_older::<E>(store, since, before).await? {
        let origin = Origin { actor: Actor::system("housekeeping"), request_id: None, address: None };
        let is_mine = store.transact(origin, async |transaction: &WriteTransaction| {
            let is_mine = transaction.try_lock("housekeeping").await?;
            if is_mine {
                delete_some::<E>(transaction, since, before).await?;
            }
            Ok(is_mine)
        });
        if !is_mine.await? {
            break;
        }
    }
    Ok(())
}

async fn is_any_older<E: EntityTrait>(store: &Store, since: E::Column, before: DateTime<Utc>) -> ApiResult<bool> {
    let old = E::find().select_only().column(since).filter(since.lt(before)).into_tuple::<DateTime<Utc>>();
    Ok(old.one(store.db()).await?.is_some())
}

async fn delete_some<E: EntityTrait>(transaction: &WriteTransaction, since: E::Column, before: DateTime<Utc>) -> ApiResult<()> {
    let keys = || E::PrimaryKey::iter();
    let old = Query::select().columns(keys()).from(E::default()).and_where(since.lt(before)).limit(AT_ONCE).take();
    let row = Expr::tuple(keys().map(Expr::col));
    E::delete_many().filter(row.in_subquery(old)).exec(&transaction.db).await?;
    Ok(())
}
