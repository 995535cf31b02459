//! Sends what is due, for as long as the service runs.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use entity::{webhook, webhook_delivery};
use reqwest::{Client, Response, Url};
use sea_orm::EntityTrait;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::addresses::{Addresses, Resolver};
use super::queue::{self, Attempt, Outcome};
use super::retries::{Plan, asked_pause};
use super::{dispatch, message};
use crate::http::problem::{ApiError, ApiResult};
use crate::store::transaction::Store;

/// Messages that this process sends at the same time.
const AT_ONCE: usize = 8;
/// Those of them that go to one webhook.
const AT_ONCE_EACH: usize = 2;
/// How long something may wait that nobody woke us for.
const AT_LATEST: Duration = Duration::from_secs(1);
/// How much longer than an attempt a lease lasts, for what comes before and after it.
const LEASE_MARGIN: TimeDelta = TimeDelta::seconds(5);
/// The most bytes that are read of an answer.
const LARGEST_ANSWER: usize = 64 * 1024;
/// The most characters that are kept of one.
const LONGEST_EXCERPT: usize = 1_000;

/// How messages are sent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where they may go.
    pub addresses: Arc<Addresses>,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// When they are sent again.
    pub plan: Plan,
}

/// Sends messages.
#[derive(Clone)]
pub struct Courier {
    store: Store,
    settings: Settings,
    client: Client,
}

impl Courier {
    /// Gets ready.
    pub fn new(store: Store, settings: Settings) -> Result<Self, reqwest::Error> {
        // An error means that the process has one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // A proxy would connect to what was not judged here.
            .no_proxy()
            .dns_resolver(Arc::new(Resolver(Arc::clone(&settings.addresses))))
            .timeout(settings.timeout)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("renaksi/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { store, settings, client })
    }

    /// Makes and sends deliveries until the service stops; what it is sending then it finishes. A failure of the database is
    /// tried again.
    pub async fn run(self, mut feed: watch::Receiver<i64>, stopping: CancellationToken) {
        let mut sending = JoinSet::new();
        let mut busy = HashMap::<String, usize>::new();
        while !stopping.is_cancelled() {
            // What failed is logged where it failed.
            let _ = dispatch::dispatch_all(&self.store).await;
            let _ = self.send_due(&mut sending, &mut busy).await;
            tokio::select! {
                Some(done) = sending.join_next() => done.into_iter().for_each(|webhook: String| release(&mut busy, &webhook)),
                Ok(()) = feed.changed() => {}
                () = tokio::time::sleep(AT_LATEST) => {}
                () = stopping.cancelled() => {}
            }
        }
        while sending.join_next().await.is_some() {}
    }

    /// Begins to send as much of what is due as may be sent at the same time.
    async fn send_due(&self, sending: &mut JoinSet<String>, busy: &mut HashMap<String, usize>) -> ApiResult<()> {
        let lease = TimeDelta::from_std(self.settings.timeout).map_err(ApiError::unexpected)? + LEASE_MARGIN;
        while sending.len() < AT_ONCE {
            let full = busy.iter().filter(|(_, count)| **count >= AT_ONCE_EACH).map(|(id, _)| id.clone()).collect::<Vec<_>>();
            let Some(delivery) = queue::claim(&self.store, full, lease).await? else { break };
            *busy.entry(delivery.webhook.clone()).or_default() += 1;
            let courier = self.clone();
            // On this thread: what appends to the audit log stays on one.
            sending.spawn_local(async move {
                let webhook = delivery.webhook.clone();
                // What is not settled is sent again when its lease ends.
                let _ = courier.deliver(delivery).await;
                webhook
            });
        }
        Ok(())
    }

    async fn deliver(&self, claimed: webhook_delivery::Model) -> ApiResult<()> {
        let webhook = webhook::Entity::find_by_id(claimed.webhook.clone()).one(self.store.db()).await?;
        let Some(webhook) = webhook else { return Ok(()) };
        let body = message::body(self.store.db(), &claimed).await?;
        let outcome = match body {
            Some(body) => self.send(&webhook, &claimed.message_id, body).await?,
            None => Outcome { error: Some("the event is gone".to_owned()), ..Outcome::default() },
        };
        queue::settle(&self.store, Attempt { claimed, outcome, plan: self.settings.plan, chance: rand::random() }).await
    }

    async fn send(&self, webhook: &webhook::Model, id: &str, body: String) -> ApiResult<Outcome> {
        // The settings may have changed since it was written; and no resolver is asked for an address.
        let url = Url::parse(&webhook.url).ok().filter(|url| self.settings.addresses.field_error(url.as_str()).is_none());
        let Some(url) = url else {
            return Ok(Outcome { error: Some("the address is not allowed".to_owned()), ..Outcome::default() });
        };
        let now = Utc::now();
        let request = self
            .client
            .post(url)
            .header("Content-Type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now.timestamp().to_string())
            .header("webhook-signature", message::signatures(webhook, id, now, &body)?)
            .body(body);
        Ok(match request.send().await {
            Ok(response) => {
                let status = Some(response.status().as_u16());
                let pause = response.headers().get("retry-after").and_then(|value| asked_pause(value.to_str().ok()?, now));
                Outcome { status, excerpt: Some(excerpt(response).await), error: None, pause }
            }
            Err(error) => Outcome { error: Some(cause(&error)), ..Outcome::default() },
        })
    }
}

fn release(busy: &mut HashMap<String, usize>, webhook: &str) {
    if let Some(count) = busy.get_mut(webhook) {
        *count -= 1;
    }
    busy.retain(|_, count| *count > 0);
}

/// How the body begins. It decides nothing, so one that breaks off or takes too long is taken as far as it came.
async fn excerpt(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk[..chunk.len().min(LARGEST_ANSWER - bytes.len())]);
        if bytes.len() == LARGEST_ANSWER {
            break;
        }
    }
    // PostgreSQL keeps no NUL.
    String::from_utf8_lossy(&bytes).chars().filter(|character| *character != '\0').take(LONGEST_EXCERPT).collect()
}

/// Why no connection came about, whatever the reason: who sets up webhooks must not learn from it which names and ports there
/// are inside this network.
const NO_CONNECTION: &str = "no connection: the name must resolve to an address on the public internet, a server must listen there, and with \
                             https its certificate must be valid for the name";

/// The last cause of an error, without the URL: that may hold what only its receiver should know. The log says more.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    if error.is_connect() {
        tracing::info!(?error, "no connection to the receiver of a webhook");
        return NO_CONNECTION.to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string().chars().take(LONGEST_EXCERPT).collect()
}
