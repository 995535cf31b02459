//! Sends the messages that are due, for as long as the service runs.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use entity::{webhook, webhook_delivery};
use reqwest::{Client, Response, Url};
use sea_orm::EntityTrait;
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

use super::addresses::{Addresses, Resolver};
use super::queue::{self, Attempt, Outcome};
use super::retries::{Plan, asked_pause};
use super::{dispatch, message};
use crate::http::problem::{ApiError, ApiResult};
use crate::store::transaction::Store;
use crate::telemetry::trace;

/// The number of messages that this process sends at the same time.
const AT_ONCE: usize = 8;
/// The number of these that go to one webhook.
const AT_ONCE_EACH: usize = 2;
/// How long a message may wait that no signal announced.
const AT_LATEST: Duration = Duration::from_secs(1);
/// How much longer than an attempt a lease lasts, to leave time for what comes before and after the attempt.
const LEASE_MARGIN: TimeDelta = TimeDelta::seconds(5);
/// The greatest number of bytes of an answer that are read.
const LARGEST_ANSWER: usize = 64 * 1024;
/// The greatest number of characters of an answer that are kept.
const LONGEST_EXCERPT: usize = 1_000;

/// The settings by which messages are sent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The addresses to which they may be sent.
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
    /// Prepares the client.
    pub fn new(store: Store, settings: Settings) -> Result<Self, reqwest::Error> {
        // An error means that the process has a default provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // A proxy would connect to an address that was not judged here.
            .no_proxy()
            .dns_resolver(Arc::new(Resolver(Arc::clone(&settings.addresses))))
            .timeout(settings.timeout)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("renaksi/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { store, settings, client })
    }

    /// Creates and sends deliveries until the service stops, and then finishes what it is sending. After a failure of the
    /// database it tries again.
    pub async fn run(self, mut feed: watch::Receiver<i64>, stopping: CancellationToken) {
        let mut sending = Sending::default();
        while !stopping.is_cancelled() {
            // The failure was logged where it happened.
            let _ = dispatch::dispatch_all(&self.store).await;
            let _ = self.send_due(&mut sending).await;
            tokio::select! {
                Some(()) = sending.ended() => {}
                Ok(()) = feed.changed() => {}
                () = tokio::time::sleep(AT_LATEST) => {}
                () = stopping.cancelled() => {}
            }
        }
        while sending.ended().await.is_some() {}
    }

    /// Starts to send as many of the messages that are due as may be sent at the same time.
    async fn send_due(&self, sending: &mut Sending) -> ApiResult<()> {
        let lease = TimeDelta::from_std(self.settings.timeout).map_err(ApiError::unexpected)? + LEASE_MARGIN;
        while sending.tasks.len() < AT_ONCE {
            let Some(delivery) = queue::claim(&self.store, sending.busy(), lease).await? else { break };
            let courier = self.clone();
            sending.begin(delivery.webhook.clone(), async move {
                // A message without a recorded result is sent again when its lease ends.
                let _ = trace::job("webhook.deliver", courier.deliver(delivery)).await;
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
        // The settings may have changed since the webhook was written, and a literal address does not pass through the resolver.
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

/// The messages that are being sent, each with its webhook.
#[derive(Default)]
struct Sending {
    tasks: JoinSet<()>,
    webhooks: HashMap<task::Id, String>,
}

impl Sending {
    /// Begins to send a message. The tasks stay on this thread, because what appends to the audit log is not `Send`.
    fn begin(&mut self, webhook: String, work: impl Future<Output = ()> + 'static) {
        let id = self.tasks.spawn_local(work).id();
        self.webhooks.insert(id, webhook);
    }

    /// Waits until one of the tasks has ended, also if it panicked; `None` if there is none.
    async fn ended(&mut self) -> Option<()> {
        let ended = self.tasks.join_next_with_id().await?;
        self.webhooks.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
        Some(())
    }

    /// The webhooks to which as many messages are being sent as may be.
    fn busy(&self) -> Vec<String> {
        let mut counts = HashMap::<&str, usize>::new();
        for webhook in self.webhooks.values() {
            *counts.entry(webhook).or_default() += 1;
        }
        counts.into_iter().filter(|(_, count)| *count >= AT_ONCE_EACH).map(|(webhook, _)| webhook.to_owned()).collect()
    }
}

/// How the body of an answer begins. It decides nothing, so a body that is cut off or takes too long is kept as far as it came.
async fn excerpt(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk[..chunk.len().min(LARGEST_ANSWER - bytes.len())]);
        if bytes.len() == LARGEST_ANSWER {
            break;
        }
    }
    // PostgreSQL does not store NUL.
    String::from_utf8_lossy(&bytes).chars().filter(|character| *character != '\0').take(LONGEST_EXCERPT).collect()
}

/// The error for a connection that failed, whatever the reason: whoever creates webhooks must not learn from it which names and
/// ports exist inside this network.
const NO_CONNECTION: &str = "no connection: the name must resolve to an address on the public internet, a server must listen there, and with \
                             https its certificate must be valid for the name";

/// The last cause of an error, without the URL, which may hold something that only its receiver should know. The log says more.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    if error.is_connect() {
        tracing::info!(?error, "the receiver of a webhook could not be reached");
        return NO_CONNECTION.to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string().chars().take(LONGEST_EXCERPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_webhook_is_busy_until_its_messages_are_sent_however_that_ends() {
        let local = task::LocalSet::new();
        let sending = async {
            let mut sending = Sending::default();
            sending.begin("a".to_owned(), async { panic!("this message cannot be sent") });
            sending.begin("a".to_owned(), async {});
            sending.begin("b".to_owned(), async {});
            assert_eq!(sending.busy(), ["a"]);
            for _ in 0..3 {
                assert_eq!(sending.ended().await, Some(()));
            }
            assert_eq!((sending.busy(), sending.webhooks.len()), (Vec::new(), 0));
            assert_eq!(sending.ended().await, None);
        };
        local.run_until(sending).await;
    }
}
