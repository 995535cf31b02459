//! The network address of a client: who connects, or, behind a proxy that is trusted, whom the proxy names.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::web::Data;
use ipnet::IpNet;

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client of a connection from `peer` that claims to speak for `forwarded`, the nearest last. What stands left of
    /// the first address that is no proxy of ours is that client's own claim.
    fn client(&self, peer: IpAddr, forwarded: &str) -> IpAddr {
        let mut client = peer;
        for named in forwarded.rsplit(',').map(|address| address.trim().parse::<IpAddr>()) {
            match named {
                Ok(named) if self.trusts(client) => client = named.to_canonical(),
                _ => break,
            }
        }
        client
    }
}

/// The client of `request`.
pub fn of(request: &HttpRequest) -> Option<String> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let trusted = request.app_data::<Data<TrustedProxies>>();
    let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect::<Vec<_>>();
    Some(trusted.map_or(peer, |trusted| trusted.client(peer, &forwarded.join(","))).to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn client(peer: &str, forwarded: &str) -> String {
        let trusted = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap(), "192.0.2.1/32".parse().unwrap()]);
        trusted.client(peer.parse().unwrap(), forwarded).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(client("203.0.113.9", "198.51.100.1"), "203.0.113.9");
        assert_eq!(client("10.1.2.3", "198.51.100.1"), "198.51.100.1");
        assert_eq!(client("10.1.2.3", ""), "10.1.2.3");
    }

    #[test]
    fn what_the_client_claims_itself_is_not() {
        assert_eq!(client("10.1.2.3", "1.1.1.1, 198.51.100.1, 192.0.2.1"), "198.51.100.1");
        assert_eq!(client("10.1.2.3", "1.1.1.1, nonsense, 192.0.2.1"), "192.0.2.1");
    }
}
