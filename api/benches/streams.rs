//! What 1,000 open streams cost: memory of the service, and how long after a commit the last reader hears of it.
//!
//! ```text
//! cargo bench -p renaksi --bench streams
//! BENCH_DATABASE_URL=postgres://postgres@127.0.0.1/postgres cargo bench -p renaksi --bench streams   # PostgreSQL too
//! ```
//!
//! The service is the real binary in a process of its own. Half of the streams are public. The delay counts from the answer to
//! whoever made the change.

#![allow(dead_code, reason = "the client is common to the benchmarks, and others use more of it")]

#[path = "common/load.rs"]
mod load;
#[path = "common/place.rs"]
mod place;
#[path = "common/run.rs"]
mod run;

use std::io::{self, BufRead};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use load::{Ask, Connection};
use run::{Outcome, median, on_each};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const STREAMS: usize = 1_000;
const CHANGES: usize = 50;
const PASSWORD: &str = "perahu-hijau-di-gili-meno-3";
/// For memory to come to rest.
const PAUSE: Duration = Duration::from_secs(2);
/// No reader hears later.
const PATIENCE: Duration = Duration::from_secs(30);

#[actix_web::main]
async fn main() -> Outcome<()> {
    on_each("streams", measure).await
}

async fn measure(database: &str, url: &str) -> Outcome<()> {
    let service = Service::start(url)?;
    // A system's: checking a password takes 19 MB for a moment.
    let token = service.token(&format!("grant_type=client_credentials&client_id=demo-dinkes&client_secret={PASSWORD}")).await?;
    tokio::time::sleep(PAUSE).await;
    let before = service.memory()?;
    let (heard, mut hears) = unbounded_channel();
    for number in 0..STREAMS {
        let token = (number % 2 == 0).then_some(token.as_str());
        open(service.address, token, heard.clone()).await?;
    }
    tokio::time::sleep(PAUSE).await;
    let after = service.memory()?;
    let admin = service.token(&format!("grant_type=password&username=admin%40demo.invalid&password={PASSWORD}")).await?;
    let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
    for number in 0..CHANGES {
        let changed = change(&service, &admin, number).await?;
        let (first, last) = everybody(&mut hears, changed).await?;
        firsts.push(first);
        lasts.push(last);
    }
    println!("\n{database}: {STREAMS} open streams, {CHANGES} changes");
    println!("  memory at rest          {before:>8.1} MB, {after:.1} MB with them");
    println!("  a stream                {:>8.1} kB", (after - before) * 1000.0 / STREAMS as f64);
    println!("  first reader, median    {:>8.1} ms", median(firsts));
    println!(
        "  last reader, median     {:>8.1} ms, at most {:.1} ms",
        median(lasts.clone()),
        lasts.iter().copied().fold(0.0, f64::max)
    );
    Ok(())
}

/// The binary, serving the demo data.
struct Service {
    process: Child,
    address: SocketAddr,
}

impl Service {
    fn start(url: &str) -> Outcome<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_renaksi"));
        command.args(["serve", "--demo", "--listen", "127.0.0.1:0", "--log", "off", "--database-url", url]);
        command.env("RENAKSI_DEMO_PASSWORD", PASSWORD).env("RENAKSI_DEMO_CLIENT_SECRET", PASSWORD);
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let lines = io::BufReader::new(process.stdout.take().ok_or("no output")?).lines();
        let said = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned));
        let mut service = Self { process, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        service.address = said.ok_or("it does not listen")?.parse()?;
        Ok(service)
    }

    async fn token(&self, form: &str) -> Outcome<String> {
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        let ask = Ask::new("POST", "/v1/auth/token", None, headers, form);
        let reply = Connection::open(self.address).await?.exchange(&ask).await?.must_be(200)?;
        let answer: Value = serde_json::from_slice(&reply.body)?;
        Ok(answer["access_token"].as_str().ok_or("no token")?.to_owned())
    }

    /// What it holds now, in MB.
    fn memory(&self) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse::<f64>()? / 1000.0)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Opens a stream that tells when it hears something; it is open when its first line has come.
async fn open(address: SocketAddr, token: Option<&str>, heard: UnboundedSender<Instant>) -> Outcome<()> {
    let path = if token.is_some() { "/v1/events/stream" } else { "/v1/public/events/stream" };
    // As one who has all there is.
    let head = Connection::open(address).await?.exchange(&Ask::get("/v1/public/events/head", None)).await?.must_be(200)?;
    let head: Value = serde_json::from_slice(&head.body)?;
    let login = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let mut stream = TcpStream::connect(address).await?;
    let ask = format!("GET {path}?after={} HTTP/1.1\r\nHost: 127.0.0.1\r\n{login}\r\n", head["position"]);
    stream.write_all(ask.as_bytes()).await?;
    let mut lines = BufReader::with_capacity(4096, stream).lines();
    while !lines.next_line().await?.ok_or("the stream ended")?.starts_with("retry: ") {}
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            if line.starts_with("data: ") && heard.send(Instant::now()).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Makes a change; gives when it was answered.
async fn change(service: &Service, token: &str, number: usize) -> Outcome<Instant> {
    let body = json!({ "code": format!("BENCH-{number}"), "name": "Dinas Uji", "short_name": "DU" }).to_string();
    let ask = Ask::new("POST", "/v1/opds", Some(token), "Content-Type: application/json\r\n", &body);
    Connection::open(service.address).await?.exchange(&ask).await?.must_be(201)?;
    Ok(Instant::now())
}

/// How long after it the first and the last reader heard of it, in milliseconds.
async fn everybody(hears: &mut UnboundedReceiver<Instant>, changed: Instant) -> Outcome<(f64, f64)> {
    let (mut first, mut last) = (f64::MAX, 0.0_f64);
    for _ in 0..STREAMS {
        let heard = tokio::time::timeout(PATIENCE, hears.recv()).await?.ok_or("nobody listens")?;
        let delay = heard.saturating_duration_since(changed).as_secs_f64() * 1000.0;
        (first, last) = (first.min(delay), last.max(delay));
    }
    Ok((first, last))
}
