//! `renaksi healthcheck`

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::CommandResult;
use crate::config::Healthcheck;

/// Asks `/health/ready` of the service on this machine.
pub async fn run(check: Healthcheck) -> CommandResult {
    let mut address = check.listen;
    if address.ip().is_unspecified() {
        let here = if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
        address.set_ip(here);
    }
    let answer = timeout(Duration::from_secs(5), ask(address)).await??;
    let status = answer.lines().next().unwrap_or_default().to_owned();
    if status.contains(" 200 ") { Ok(()) } else { Err(format!("not ready: {status}").into()) }
}

async fn ask(address: std::net::SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer).await?;
    Ok(answer)
}
