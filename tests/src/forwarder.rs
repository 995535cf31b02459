//! An address that leads to one server or another, as the address of a database does that moves to its standby.

use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Passes connections on; it ends when it is dropped.
pub struct Forwarder {
    port: u16,
    target: Arc<Mutex<u16>>,
    links: Arc<Mutex<Vec<JoinHandle<()>>>>,
    accepting: JoinHandle<()>,
}

impl Forwarder {
    /// One that leads to a port of this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (target, links) = (Arc::new(Mutex::new(port)), Arc::<Mutex<Vec<JoinHandle<()>>>>::default());
        let (to, open) = (Arc::clone(&target), Arc::clone(&links));
        let accepting = tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let port = *to.lock().unwrap();
                let link = tokio::spawn(async move {
                    if let Ok(mut there) = TcpStream::connect(("127.0.0.1", port)).await {
                        let _ = tokio::io::copy_bidirectional(&mut from, &mut there).await;
                    }
                });
                open.lock().unwrap().push(link);
            }
        });
        Self { port: own, target, links, accepting }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Leads to another port from now on, and cuts what leads to the old one.
    pub fn turn_to(&self, port: u16) {
        *self.target.lock().unwrap() = port;
        for link in self.links.lock().unwrap().drain(..) {
            link.abort();
        }
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.accepting.abort();
        for link in self.links.lock().unwrap().drain(..) {
            link.abort();
        }
    }
}
