//! Guessing passwords slows down: for each account and each address, alike for accounts that do not exist, on every replica.

use chrono::{DateTime, Duration, Utc};
use entity::login_failure;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, MutexGuard};

use crate::auth::actor::Actor;
use crate::http::body::hex;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::store::access::Public;
use crate::store::change::{Change, Origin};
use crate::store::clock::now;

/// Failures of an account that cost nothing.
const FREE_FOR_ACCOUNT: i32 = 5;
/// Failures from an address that cost nothing: a whole office may share one.
const FREE_FOR_ADDRESS: i32 = 50;
/// The longest wait, and how long a failure is remembered.
const LONGEST: Duration = Duration::minutes(15);

/// How long to wait after so many failures in a row: 1, 2, 4, … seconds once the free ones are used up.
fn wait_after(failures: i32, free: i32) -> Duration {
    match failures - free {
        over if over < 0 => Duration::zero(),
        over => Duration::seconds(1 << over.min(10)).min(LONGEST),
    }
}

fn account(email: &str) -> String {
    hex(&Sha256::digest(format!("account:{email}")))
}

/// Attempts on one account take turns, so that guesses sent all at once count one after the other. Accounts share a few
/// queues; who waits for a stranger waits for one hash.
pub async fn turn(email: &str) -> MutexGuard<'static, ()> {
    static QUEUES: [Mutex<()>; 64] = [const { Mutex::const_new(()) }; 64];
    let digest = Sha256::digest(email);
    QUEUES[usize::from(digest[0]) % QUEUES.len()].lock().await
}

/// The subjects whose failures count, each with its free ones.
fn subjects(public: &Public, email: &str) -> Vec<(String, i32)> {
    let address = public.address.as_deref().map(|address| hex(&Sha256::digest(format!("address:{address}"))));
    [(account(email), FREE_FOR_ACCOUNT)].into_iter().chain(address.map(|subject| (subject, FREE_FOR_ADDRESS))).collect()
}

/// 429 while the account or the address has to wait.
pub async fn must_not_be_blocked(public: &Public, email: &str) -> ApiResult<()> {
    let subjects = subjects(public, email).into_iter().map(|(subject, _)| subject);
    let rows =
        login_failure::Entity::find().filter(login_failure::Column::Subject.is_in(subjects)).all(public.store.db()).await?;
    let until = rows.iter().map(|row| row.blocked_until).max();
    match until.map(|until| until - now()).filter(|left| *left > Duration::zero()) {
        None => Ok(()),
        Some(left) => Err(ApiError::new(codes::TOO_MANY_REQUESTS).header("Retry-After", (left.num_seconds() + 1).to_string())),
    }
}

/// Counts a failed login.
pub async fn count_failure(public: &Public, email: &str) -> ApiResult<()> {
    let origin = Origin { actor: Actor::system("auth"), request_id: None, address: None };
    public
        .store
        .transact(origin, async |change: &Change| {
            for (subject, free) in subjects(public, email) {
                let before = change.locked::<login_failure::Entity>(subject.clone()).await?;
                let failures = 1 + before.filter(|row| row.updated_at + LONGEST > change.now).map_or(0, |row| row.failures);
                write(change, subject, failures, change.now + wait_after(failures, free)).await?;
            }
            Ok(())
        })
        .await
}

async fn write(change: &Change, subject: String, failures: i32, blocked_until: DateTime<Utc>) -> ApiResult<()> {
    use login_failure::Column;
    let row = login_failure::ActiveModel {
        subject: Set(subject),
        failures: Set(failures),
        blocked_until: Set(blocked_until),
        updated_at: Set(change.now),
    };
    let again = OnConflict::column(Column::Subject)
        .update_columns([Column::Failures, Column::BlockedUntil, Column::UpdatedAt])
        .to_owned();
    login_failure::Entity::insert(row).on_conflict(again).exec_without_returning(&change.db).await?;
    Ok(())
}

/// A successful login clears the account; the address keeps its failures.
pub async fn forget(change: &Change, email: &str) -> ApiResult<()> {
    login_failure::Entity::delete_many().filter(login_failure::Column::Subject.eq(account(email))).exec(&change.db).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        assert_eq!(wait_after(4, 5), Duration::zero());
        assert_eq!(wait_after(5, 5), Duration::seconds(1));
        assert_eq!(wait_after(8, 5), Duration::seconds(8));
        assert_eq!(wait_after(1000, 5), LONGEST);
    }
}
