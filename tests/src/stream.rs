//! Somebody who listens to Server-Sent Events.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::service::Service;

/// An event that was heard.
#[derive(Debug)]
pub struct Heard {
    /// Its place.
    pub id: i64,
    /// Its name: `message` unless names were asked for.
    pub event: String,
    /// All of it.
    pub data: Value,
}

/// An open stream; a thread reads it until the connection ends.
pub struct Stream {
    connection: TcpStream,
    begins: Receiver<i64>,
    heard: Receiver<Heard>,
}

impl Stream {
    /// Opens one, perhaps to resume after an event.
    pub fn open(service: &Service, path: &str, token: Option<&str>, last: Option<i64>) -> Self {
        Self::at(&service.address(), path, token, last).unwrap()
    }

    /// The same at an address, where the service may be gone.
    pub fn at(address: &str, path: &str, token: Option<&str>, last: Option<i64>) -> std::io::Result<Self> {
        let mut connection = TcpStream::connect(address)?;
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let last = last.map(|last| format!("Last-Event-ID: {last}\r\n")).unwrap_or_default();
        write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n{token}{last}\r\n")?;
        let (sender, heard) = channel();
        let (begin, begins) = channel();
        let reader = BufReader::new(connection.try_clone()?);
        thread::spawn(move || {
            let (mut id, mut event) = (0, "message".to_owned());
            // The last chunk is empty; the connection itself stays open for the next request.
            for line in reader.lines().map_while(Result::ok).take_while(|line| line != "0") {
                if let Some(text) = line.strip_prefix("id: ") {
                    id = text.parse().unwrap();
                    let _ = begin.send(id);
                } else if line.is_empty() {
                    event = "message".to_owned();
                } else if let Some(text) = line.strip_prefix("event: ") {
                    event = text.to_owned();
                } else if let Some(text) = line.strip_prefix("data: ") {
                    let heard = Heard { id, event: event.clone(), data: serde_json::from_str(text).unwrap() };
                    if sender.send(heard).is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Self { connection, begins, heard })
    }

    /// The place after which it begins, which the service tells before any event.
    pub fn begins(&mut self) -> i64 {
        self.begins.recv_timeout(Duration::from_secs(30)).expect("a stream tells where it begins")
    }

    /// The next event, if it comes within `patience`; also `None` when the stream has ended.
    pub fn next(&mut self, patience: Duration) -> Option<Heard> {
        self.heard.recv_timeout(patience).ok()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.connection.shutdown(std::net::Shutdown::Both);
    }
}
