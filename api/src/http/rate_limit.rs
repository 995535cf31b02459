//! The number of requests that one client may make within a minute, and the headers that report it (draft-ietf-httpapi-ratelimit-headers).
//!
//! What counts are requests without a valid login, by address; figures that must be computed for them count a second time, since
//! they cost most. Counts are kept in the memory of a replica: behind a balancer a client may ask each replica as much.

use std::cell::Cell;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::client_address::network;
use super::problem::{ApiError, ApiResult, codes};
use crate::telemetry::metrics::RATE_LIMITED;

/// Requests a minute and address, where no setting says otherwise.
pub const REQUESTS: u32 = 600;
/// Figures a minute and address that must be computed, where no setting says otherwise.
pub const FIGURES: u32 = 60;

/// The window of every quota.
const WINDOW: Duration = Duration::from_secs(60);
/// Counted addresses that are kept for a whole window; if there are more, those that may ask everything again are forgotten at once.
const MOST_ADDRESSES: usize = 10_000;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

tokio::task_local! {
    /// Who asks, as long as the request is answered.
    static ASKING: Asking;
}

/// The limits of one process.
#[derive(Debug, Default)]
pub struct RateLimits {
    requests: Option<Limit>,
    figures: Option<Limit>,
}

/// A quota for each address.
#[derive(Debug)]
struct Limit {
    name: &'static str,
    quota: NonZeroU32,
    counts_this_machine: bool,
    spent: RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock, StateInformationMiddleware>,
}

/// What is left of a quota after a request.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    name: &'static str,
    quota: u32,
    remaining: u32,
    /// Seconds until the whole quota is there again.
    whole_in: u64,
}

/// Marks a request that goes beyond its quota: it is refused before anything is done for it.
#[derive(Clone, Debug)]
pub struct Refused(pub ApiError);

/// A client whose requests count.
struct Asking {
    limits: Arc<RateLimits>,
    network: IpAddr,
    figures: Cell<Option<Left>>,
}

impl RateLimits {
    /// Limits for each minute: `None` for the usual ones, which do not count what comes from this machine itself; 0 for none.
    pub fn new(requests: Option<u32>, figures: Option<u32>) -> Self {
        Self { requests: Limit::new("requests", requests, REQUESTS), figures: Limit::new("figures", figures, FIGURES) }
    }

    /// Counts a request from this address, and says what is left of its quota; nothing where the address is not limited. An error
    /// where the quota is spent.
    pub fn count_request(&self, address: IpAddr) -> Result<Option<Left>, (ApiError, Left)> {
        self.requests.as_ref().map_or(Ok(None), |limit| limit.count(network(address)))
    }

    /// Answers a request of this address. Returns the answer, and what is left of the quota of figures if one was counted.
    pub async fn asking<T>(self: Arc<Self>, address: IpAddr, work: impl Future<Output = T>) -> (T, Option<Left>) {
        let asking = Asking { limits: self, network: network(address), figures: Cell::new(None) };
        ASKING.scope(asking, async { (work.await, ASKING.with(|asking| asking.figures.get())) }).await
    }

    /// Forgets addresses that may ask everything again.
    pub fn forget(&self, at_once: bool) {
        for limit in [&self.requests, &self.figures].into_iter().flatten() {
            if at_once || limit.spent.len() > MOST_ADDRESSES {
                limit.spent.retain_recent();
                limit.spent.shrink_to_fit();
            }
        }
    }
}

impl Limit {
    fn new(name: &'static str, set: Option<u32>, usual: u32) -> Option<Self> {
        let quota = NonZeroU32::new(set.unwrap_or(usual))?;
        let spent = RateLimiter::dashmap(Quota::per_minute(quota)).with_middleware();
        Some(Self { name, quota, counts_this_machine: set.is_some(), spent })
    }

    fn count(&self, network: IpAddr) -> Result<Option<Left>, (ApiError, Left)> {
        if network.is_loopback() && !self.counts_this_machine {
            return Ok(None);
        }
        let quota = self.quota.get();
        let left = |remaining: u32| {
            let spent = u64::from(quota.saturating_sub(remaining));
            let whole_in = (spent * WINDOW.as_secs()).div_ceil(u64::from(quota));
            Left { name: self.name, quota, remaining, whole_in }
        };
        match self.spent.check_key(&network) {
            Ok(state) => Ok(Some(left(state.remaining_burst_capacity()))),
            Err(early) => {
                metrics::counter!(RATE_LIMITED, "limit" => self.name).increment(1);
                let wait = early.wait_time_from(self.spent.clock().now()).as_secs() + 1;
                Err((self.refusal(wait), left(0)))
            }
        }
    }

    fn refusal(&self, wait: u64) -> ApiError {
        let quota = self.quota;
        let (en, id) = if self.name == "figures" {
            (
                format!("More than {quota} figures a minute had to be computed for this address. Figures that are kept go on."),
                format!(
                    "Lebih dari {quota} angka per menit harus dihitung untuk alamat ini. Angka yang tersimpan tetap tersedia."
                ),
            )
        } else {
            (
                format!("More than {quota} requests a minute came from this address. With a login there is no such limit."),
                format!("Lebih dari {quota} permintaan per menit datang dari alamat ini. Dengan login tidak ada batas ini."),
            )
        };
        ApiError::new(codes::TOO_MANY_REQUESTS).header("Retry-After", wait.to_string()).detail(en, id)
    }
}

/// Counts a figure that must be computed; 429 if whoever asks has had too many of them.
pub fn count_figure() -> ApiResult<()> {
    let counted = ASKING.try_with(|asking| {
        // A page with many figures counts once, as the request that it is.
        let Some(limit) = asking.limits.figures.as_ref().filter(|_| asking.figures.get().is_none()) else { return Ok(()) };
        let (left, refused) = match limit.count(asking.network) {
            Ok(left) => (left, None),
            Err((error, left)) => (Some(left), Some(error)),
        };
        asking.figures.set(left);
        refused.map_or(Ok(()), Err)
    });
    // Nobody whose requests count asks for it.
    counted.unwrap_or(Ok(()))
}

/// Tells a client its quotas and what is left of them.
pub fn tell(headers: &mut HeaderMap, left: impl IntoIterator<Item = Left>) {
    let (mut policies, mut limits) = (Vec::new(), Vec::new());
    for Left { name, quota, remaining, whole_in } in left {
        policies.push(format!("\"{name}\";q={quota};w={}", WINDOW.as_secs()));
        limits.push(format!("\"{name}\";r={remaining};t={whole_in}"));
    }
    if policies.is_empty() {
        return;
    }
    for (name, values) in [(POLICY, policies), (LIMIT, limits)] {
        if let Ok(value) = HeaderValue::try_from(values.join(", ")) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_a_quota_of_its_own() {
        let limits = RateLimits::new(Some(3), Some(0));
        for remaining in [2, 1, 0] {
            assert_eq!(limits.count_request(address("203.0.113.1")).unwrap().unwrap().remaining, remaining);
        }
        let (_, left) = limits.count_request(address("203.0.113.1")).unwrap_err();
        assert_eq!((left.remaining, left.whole_in), (0, 60));
        assert!(limits.count_request(address("203.0.113.2")).is_ok());
    }

    #[test]
    fn a_subscriber_of_ipv6_has_one_quota() {
        let limits = RateLimits::new(Some(1), None);
        assert!(limits.count_request(address("2001:db8:1:2::1")).is_ok());
        assert!(limits.count_request(address("2001:db8:1:2:ffff::9")).is_err());
        assert!(limits.count_request(address("2001:db8:1:3::1")).is_ok());
    }

    #[test]
    fn this_machine_counts_only_where_a_limit_is_set() {
        let usual = RateLimits::new(None, None);
        assert!((0..2 * REQUESTS).all(|_| usual.count_request(address("127.0.0.1")).is_ok_and(|left| left.is_none())));
        assert!((0..2 * REQUESTS).any(|_| usual.count_request(address("203.0.113.1")).is_err()));
        assert!(RateLimits::new(Some(5), None).count_request(address("127.0.0.1")).unwrap().is_some());
        assert!(RateLimits::new(Some(0), None).count_request(address("203.0.113.1")).unwrap().is_none());
    }

    #[test]
    fn the_headers_are_those_of_the_draft() {
        let limits = RateLimits::new(Some(10), None);
        let mut headers = HeaderMap::new();
        tell(&mut headers, limits.count_request(address("203.0.113.1")).unwrap());
        assert_eq!(headers.get(POLICY).unwrap(), "\"requests\";q=10;w=60");
        assert_eq!(headers.get(LIMIT).unwrap(), "\"requests\";r=9;t=6");
        let mut none = HeaderMap::new();
        tell(&mut none, None);
        assert!(none.is_empty());
    }

    #[tokio::test]
    async fn figures_count_once_for_each_request_that_computes_some() {
        let limits = Arc::new(RateLimits::new(None, Some(1)));
        let ask = || {
            let twice = async { (count_figure().is_ok(), count_figure().is_ok()) };
            Arc::clone(&limits).asking(address("203.0.113.1"), twice)
        };
        let (answer, left) = ask().await;
        assert_eq!((answer, left.map(|left| left.remaining)), ((true, true), Some(0)));
        assert!(!ask().await.0.0);
        assert!(count_figure().is_ok());
    }
}
