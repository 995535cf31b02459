//! A client that costs little: requests made once, connections that stay open.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request, ready to be sent any number of times.
#[derive(Clone)]
pub(crate) struct Ask(Vec<u8>);

impl Ask {
    /// A GET, with an access token or without.
    pub(crate) fn get(path: &str, token: Option<&str>) -> Self {
        Self::new("GET", path, token, "", "")
    }

    /// Any request; `headers` are lines that end in CRLF.
    pub(crate) fn new(method: &str, path: &str, token: Option<&str>, headers: &str, body: &str) -> Self {
        let login = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        Self(format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{login}{headers}{length}\r\n{body}").into_bytes())
    }
}

/// An answer.
pub(crate) struct Reply {
    head: String,
    /// Its bytes.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// Fails unless it has this status.
    pub(crate) fn must_be(self, status: u16) -> io::Result<Self> {
        if self.head.split(' ').nth(1) == Some(status.to_string().as_str()) {
            Ok(self)
        } else {
            Err(io::Error::other(format!("expected {status}: {}\n{}", self.head, String::from_utf8_lossy(&self.body))))
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().filter_map(|line| line.split_once(": ")).find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|found| found.1)
}

/// A connection that stays open.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens one.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn exchange(&mut self, ask: &Ask) -> io::Result<Reply> {
        self.stream.write_all(&ask.0).await?;
        self.buffer.clear();
        let end = loop {
            self.more().await?;
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let length = header(&head, "content-length").and_then(|length| length.parse::<usize>().ok());
        let body = end + 4;
        let total = body + length.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, format!("no length: {head}")))?;
        while self.buffer.len() < total {
            self.more().await?;
        }
        Ok(Reply { head, body: self.buffer[body..total].to_vec() })
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Requests a second that `connections` get answered, each sending the next when it has the answer.
pub(crate) async fn rate(address: SocketAddr, ask: &Ask, connections: usize, period: Duration) -> io::Result<f64> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        let mut connection = Connection::open(address).await?;
        // Before the clock starts: the answer is computed, the connection has its worker.
        connection.exchange(ask).await?.must_be(200)?;
        clients.push(connection);
    }
    let started = Instant::now();
    let tasks = clients.into_iter().map(|connection| tokio::spawn(repeat(connection, ask.clone(), started + period)));
    let mut answers = 0;
    for task in tasks.collect::<Vec<_>>() {
        answers += task.await.map_err(io::Error::other)??;
    }
    Ok(f64::from(answers) / started.elapsed().as_secs_f64())
}

async fn repeat(mut connection: Connection, ask: Ask, until: Instant) -> io::Result<u32> {
    let mut answers = 0;
    while Instant::now() < until {
        connection.exchange(&ask).await?.must_be(200)?;
        answers += 1;
    }
    Ok(answers)
}
