//! A receiver of webhooks on this machine, which behaves as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use standardwebhooks::{Webhook as Verifier, WebhookError};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::document::Document;

/// How long a test waits for messages.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How a receiver behaves.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// 200, with thanks.
    Accepts,
    /// The same after a second.
    Thinks,
    /// 503.
    Fails,
    /// 503, and asks for a pause of three seconds.
    AsksForAPause,
    /// 307, to itself.
    Redirects,
    /// No answer.
    Hangs,
    /// Hangs up.
    Cuts,
    /// 410.
    IsGone,
    /// 200 with 5 MB.
    Talks,
}

/// A message as it arrived.
#[derive(Clone)]
pub struct Message {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body to the byte.
    pub raw: Vec<u8>,
    /// Its body.
    pub body: Value,
}

impl Message {
    /// A header that it must have.
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Whether its signature fits, by the reference library.
    pub fn verified_by(&self, secret: &str) -> Result<(), WebhookError> {
        Verifier::new(secret).unwrap().verify(&self.raw, &self.headers)
    }

    /// Expects that, and that the message is as the document says.
    #[track_caller]
    pub fn must_fit(&self, secret: &str) {
        self.verified_by(secret).unwrap();
        Document::get().validate("/components/schemas/WebhookMessage", &self.body).unwrap();
    }
}

/// A real receiver on this machine.
pub struct Receiver {
    /// Its address.
    pub url: String,
    manner: Arc<Mutex<Manner>>,
    heard: Arc<Mutex<Vec<Message>>>,
}

impl Receiver {
    /// Starts one.
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (manner, heard) = (Arc::new(Mutex::new(manner)), Arc::<Mutex<Vec<Message>>>::default());
        let (behaves, hears) = (Arc::clone(&manner), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&behaves), Arc::clone(&hears)));
            }
        });
        Self { url, manner, heard }
    }

    /// Makes it behave otherwise from now on.
    pub fn change(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// What arrived so far.
    pub fn messages(&self) -> Vec<Message> {
        self.heard.lock().unwrap().clone()
    }

    /// What arrived, once it is so much.
    pub async fn until(&self, count: usize) -> Vec<Message> {
        for _ in 0..PATIENCE.as_millis() / 50 {
            if self.messages().len() >= count {
                return self.messages();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("only {} of {count} messages arrived within {PATIENCE:?}", self.messages().len());
    }
}

async fn serve(connection: TcpStream, manner: Arc<Mutex<Manner>>, heard: Arc<Mutex<Vec<Message>>>) {
    let mut connection = BufReader::new(connection);
    let Some(message) = read(&mut connection).await else { return };
    let manner = *manner.lock().unwrap();
    heard.lock().unwrap().push(message);
    let (status, more, body) = match manner {
        Manner::Accepts => accepted(),
        Manner::Thinks => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            accepted()
        }
        Manner::Fails => ("503 Service Unavailable", "", "nanti".to_owned()),
        Manner::AsksForAPause => ("503 Service Unavailable", "Retry-After: 3\r\n", "nanti".to_owned()),
        Manner::Redirects => ("307 Temporary Redirect", "Location: /hook\r\n", String::new()),
        Manner::IsGone => ("410 Gone", "", String::new()),
        Manner::Talks => ("200 OK", "", "x".repeat(5_000_000)),
        Manner::Hangs => return tokio::time::sleep(Duration::from_secs(60)).await,
        Manner::Cuts => return,
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{more}Connection: close\r\n\r\n", body.len());
    // Whoever has heard enough hangs up.
    let _ = connection.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await;
}

fn accepted() -> (&'static str, &'static str, String) {
    ("200 OK", "", "terima kasih".to_owned())
}

async fn read(connection: &mut BufReader<TcpStream>) -> Option<Message> {
    let (_, headers, raw) = read_request(connection).await?;
    let body = serde_json::from_slice(&raw).ok()?;
    Some(Message { headers, raw, body })
}

/// The path, the headers and the body of a POST.
pub(crate) async fn read_request(connection: &mut BufReader<TcpStream>) -> Option<(String, HeaderMap, Vec<u8>)> {
    let (mut headers, mut line) = (HeaderMap::new(), String::new());
    connection.read_line(&mut line).await.ok()?;
    let path = line.strip_prefix("POST ")?.split(' ').next()?.to_owned();
    loop {
        line.clear();
        connection.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?);
    }
    let length = headers.get("content-length")?.to_str().ok()?.parse().ok()?;
    let mut raw = vec![0; length];
    connection.read_exact(&mut raw).await.ok()?;
    Some((path, headers, raw))
}
