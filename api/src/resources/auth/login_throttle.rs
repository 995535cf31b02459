//! Slows down the guessing of passwords, on every replica and alike for accounts that do not exist, while innocent users are not
//! held up.
//!
//! Failures are counted for an account *from an address* (an IPv6 address counts as its /64), so no stranger elsewhere locks
//! anybody out. Two more counts slow down those who try many accounts from one address, or one account from many addresses.
//! Neither of them holds up an account that logged in from that address lately. People and clients are counted apart.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex as Lock};

use chrono::{DateTime, Duration, Utc};
use entity::{known_address, login_failure};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, MutexGuard};

use crate::auth::actor::Actor;
use crate::http::client_address;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::security;
use crate::store::access::Anyone;
use crate::store::clock::now;
use crate::store::transaction::{Origin, WriteTransaction};

/// How long a failure is remembered, which is also the longest wait.
pub const REMEMBERED: Duration = Duration::minutes(15);
/// How long an address is known after a login.
pub const KNOWN_FOR: Duration = Duration::days(30);
/// The number of unknown callers from one address whose attempts are checked at the same time; others are asked to come again.
const AT_ONCE: usize = 4;

/// What failures cost: the first ones are free, then each doubles the wait, starting with one second.
#[derive(Clone, Copy, Debug)]
struct Rule {
    free: i32,
    longest: Duration,
}

/// An account from an address where it is not known.
const STRANGER: Rule = Rule { free: 5, longest: REMEMBERED };
/// An account from an address where it logged in lately: a colleague behind the same address must not keep its owner out.
const KNOWN: Rule = Rule { free: 100, longest: Duration::seconds(8) };
/// All unknown callers from an address. Whole offices and mobile networks share one address, so this slows them down but locks
/// nobody out.
const ADDRESS: Rule = Rule { free: 50, longest: Duration::seconds(4) };
/// An account from all addresses where it is not known.
const ACCOUNT: Rule = Rule { free: 100, longest: Duration::seconds(30) };

impl Rule {
    /// How long to wait after so many failures in a row.
    fn wait(self, failures: i32) -> Duration {
        match failures - self.free {
            over if over < 0 => Duration::zero(),
            over => Duration::seconds(1 << over.min(10)).min(self.longest),
        }
    }
}

/// Who logs in. People and clients are counted apart.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    /// A person, by e-mail address.
    Person,
    /// A system, by its client id.
    Client,
}

impl Who {
    fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Client => "client",
        }
    }
}

/// An attempt to log in that may be made now. While it lives, other attempts on the same account from the same address wait.
pub struct Attempt {
    name: String,
    address: Option<String>,
    counts: Vec<(String, Rule)>,
    pair: String,
    /// Whether the account logged in from this address lately.
    pub is_known: bool,
    _turn: MutexGuard<'static, ()>,
    _lane: Option<Lane>,
}

impl Attempt {
    /// Begins an attempt, or answers 429 if it has to wait.
    pub async fn begin(anyone: &Anyone, who: Who, name: &str) -> ApiResult<Self> {
        let prefix = anyone.address.as_deref().map(client_address::prefix).unwrap_or_default();
        let (word, address) = (who.word(), anyone.address.clone());
        let pair = subject(&format!("{word} {name} from {prefix}"));
        let is_known = is_known(anyone, &pair).await?;
        let lane = if is_known { None } else { Some(Lane::take(&format!("{word} {prefix}"), name, address.as_deref())?) };
        let mut counts = vec![(pair.clone(), if is_known { KNOWN } else { STRANGER })];
        if !is_known {
            counts.push((subject(&format!("{word} from {prefix}")), ADDRESS));
            // A client's secret has 256 bits, so guessing it from many addresses is hopeless and need not be counted.
            counts.extend(matches!(who, Who::Person).then(|| (subject(&format!("{word} {name}")), ACCOUNT)));
        }
        // The counters are locked in one order, so that replicas wait for each other instead of deadlocking.
        counts.sort_by(|one, other| one.0.cmp(&other.0));
        let turn = turn(&pair).await;
        let attempt = Self { name: name.to_owned(), address, counts, pair, is_known, _turn: turn, _lane: lane };
        attempt.must_not_wait(anyone).await?;
        Ok(attempt)
    }

    async fn must_not_wait(&self, anyone: &Anyone) -> ApiResult<()> {
        let subjects = self.counts.iter().map(|(subject, _)| subject.as_str());
        let rows = login_failure::Entity::find().filter(login_failure::Column::Subject.is_in(subjects));
        let now = now();
        let waits = rows.all(anyone.store.db()).await?.into_iter().filter_map(|row| {
            let rule = self.counts.iter().find(|(subject, _)| *subject == row.subject)?.1;
            Some(row.updated_at + rule.wait(failures_at(&row, now)) - now)
        });
        match waits.max().filter(|left| *left > Duration::zero()) {
            None => Ok(()),
            Some(left) => Err(held_up(&self.name, self.address.as_deref(), left)),
        }
    }

    /// Counts a failure of the attempt.
    pub async fn failed(self, anyone: &Anyone, reason: &'static str) -> ApiResult<()> {
        security::log("login_failed", &self.name, self.address.as_deref(), reason);
        let origin = Origin { actor: Actor::system("auth"), request_id: None, address: None };
        let count = async |transaction: &WriteTransaction| {
            for (subject, rule) in &self.counts {
                let before = transaction.locked::<login_failure::Entity>(subject.clone()).await?;
                let failures = 1 + before.map_or(0, |row| failures_at(&row, transaction.now));
                write(transaction, subject.clone(), failures, transaction.now + rule.wait(failures)).await?;
            }
            Ok(())
        };
        anyone.store.transact(origin, count).await
    }

    /// Notes the success of the attempt as a security event: from now on the account is known at this address.
    pub async fn succeeded(&self, transaction: &WriteTransaction, event: &'static str) -> ApiResult<()> {
        security::note(event, &self.name, self.address.as_deref());
        login_failure::Entity::delete_many().filter(login_failure::Column::Subject.eq(&self.pair)).exec(&transaction.db).await?;
        let row = known_address::ActiveModel { subject: Set(self.pair.clone()), seen_at: Set(transaction.now) };
        let again = OnConflict::column(known_address::Column::Subject).update_column(known_address::Column::SeenAt).to_owned();
        known_address::Entity::insert(row).on_conflict(again).exec_without_returning(&transaction.db).await?;
        Ok(())
    }
}

/// 429. The answer does not reveal whether the account, the address or both are held up, nor whether the account exists.
fn held_up(name: &str, address: Option<&str>, left: Duration) -> ApiError {
    security::log("login_held_up", name, address, "too many failures");
    ApiError::new(codes::TOO_MANY_REQUESTS).header("Retry-After", (left.num_seconds() + 1).to_string())
}

/// The failures in a row, as far as they are remembered.
fn failures_at(row: &login_failure::Model, now: DateTime<Utc>) -> i32 {
    if row.updated_at + REMEMBERED > now { row.failures } else { 0 }
}

/// What is stored for an account and an address. Neither can be read from it without trying all possible values.
fn subject(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

async fn is_known(anyone: &Anyone, pair: &str) -> ApiResult<bool> {
    let known = known_address::Entity::find_by_id(pair).filter(known_address::Column::SeenAt.gt(now() - KNOWN_FOR));
    Ok(known.one(anyone.store.db()).await?.is_some())
}

/// Attempts on one account from one address take turns, so that guesses that are sent at the same time count one after the other.
/// They share a few queues; whoever waits for a stranger waits for the time of one hash.
async fn turn(pair: &str) -> MutexGuard<'static, ()> {
    static QUEUES: [Mutex<()>; 256] = [const { Mutex::const_new(()) }; 256];
    let place = u8::from_str_radix(pair.get(..2).unwrap_or_default(), 16).unwrap_or_default();
    QUEUES[usize::from(place)].lock().await
}

async fn write(transaction: &WriteTransaction, subject: String, failures: i32, blocked_until: DateTime<Utc>) -> ApiResult<()> {
    use login_failure::Column;
    let row = login_failure::ActiveModel {
        subject: Set(subject),
        failures: Set(failures),
        blocked_until: Set(blocked_until),
        updated_at: Set(transaction.now),
    };
    let again = OnConflict::column(Column::Subject)
        .update_columns([Column::Failures, Column::BlockedUntil, Column::UpdatedAt])
        .to_owned();
    login_failure::Entity::insert(row).on_conflict(again).exec_without_returning(&transaction.db).await?;
    Ok(())
}

/// The attempts of unknown callers that are being checked, by their addresses.
static LANES: LazyLock<Lock<HashMap<String, usize>>> = LazyLock::new(Lock::default);

/// A place among the attempts of unknown callers from one address; it is given back when it is dropped.
struct Lane(String);

impl Lane {
    fn take(address: &str, name: &str, shown: Option<&str>) -> ApiResult<Self> {
        let mut lanes = LANES.lock().map_err(ApiError::unexpected)?;
        let taken = lanes.entry(address.to_owned()).or_default();
        if *taken >= AT_ONCE {
            drop(lanes);
            return Err(held_up(name, shown, Duration::zero()));
        }
        *taken += 1;
        Ok(Self(address.to_owned()))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let Ok(mut lanes) = LANES.lock() else { return };
        if let Some(taken) = lanes.get_mut(&self.0) {
            *taken -= 1;
            if *taken == 0 {
                lanes.remove(&self.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        assert_eq!(STRANGER.wait(4), Duration::zero());
        assert_eq!(STRANGER.wait(5), Duration::seconds(1));
        assert_eq!(STRANGER.wait(8), Duration::seconds(8));
        assert_eq!(STRANGER.wait(i32::MAX), REMEMBERED);
    }

    #[test]
    fn who_is_known_waits_seconds_at_most() {
        assert_eq!(KNOWN.wait(99), Duration::zero());
        assert_eq!(KNOWN.wait(1_000_000), Duration::seconds(8));
        assert_eq!(ADDRESS.wait(1_000_000), Duration::seconds(4));
    }
}
