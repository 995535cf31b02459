//! What is forgotten after its time: kept answers for retries, refresh tokens, failed logins,
//! deliveries of webhooks. Every replica may do it: deleting what is old twice is the same as once.

use std::time::Duration;

use chrono::TimeDelta;
use entity::{idempotency_record, login_failure, refresh_token, webhook_delivery};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::http::problem::ApiResult;
use crate::store::change::{RETRIES_FOR, Store};
use crate::store::clock::now;

/// How long deliveries can be looked up and sent again.
const DELIVERIES_FOR: TimeDelta = TimeDelta::days(30);
const EVERY: Duration = Duration::from_secs(10 * 60);

/// Tidies up for as long as the service runs.
pub async fn run(store: Store) {
    loop {
        tokio::time::sleep(EVERY).await;
        // What failed is logged where it failed, and tried again next time.
        let _ = sweep(&store).await;
    }
}

/// Tidies up once.
pub async fn sweep(store: &Store) -> ApiResult<()> {
    let (db, now) = (store.db(), now());
    let day_ago = now - RETRIES_FOR;
    idempotency_record::Entity::delete_many().filter(idempotency_record::Column::CreatedAt.lt(day_ago)).exec(db).await?;
    refresh_token::Entity::delete_many().filter(refresh_token::Column::ExpiresAt.lt(now)).exec(db).await?;
    login_failure::Entity::delete_many().filter(login_failure::Column::UpdatedAt.lt(day_ago)).exec(db).await?;
    let month_ago = now - DELIVERIES_FOR;
    webhook_delivery::Entity::delete_many().filter(webhook_delivery::Column::CreatedAt.lt(month_ago)).exec(db).await?;
    Ok(())
}
