//! The network address of a client: who connects, or, behind a proxy that is trusted, whom the proxy names.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Once;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use actix_web::web::Data;
use ipnet::IpNet;

use super::security;

/// The header in which proxies name whom they speak for.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

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
    address_of(request).map(|address| address.to_string())
}

/// The same, as an address.
pub fn address_of(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    if !request.headers().contains_key(FORWARDED_FOR) {
        return Some(peer);
    }
    let trusted = request.app_data::<Data<TrustedProxies>>();
    let forwarded = request.headers().get_all(FORWARDED_FOR).filter_map(|value| value.to_str().ok()).collect::<Vec<_>>();
    if is_forwarded_unseen(request) {
        warn_once(peer);
    }
    Some(trusted.map_or(peer, |trusted| trusted.client(peer, &forwarded.join(","))))
}

/// Whether a proxy that is not trusted passed the request on: the address is then that of the proxy.
pub fn is_forwarded_unseen(request: &HttpRequest) -> bool {
    let trusted = request.app_data::<Data<TrustedProxies>>();
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    request.headers().contains_key(FORWARDED_FOR) && !peer.is_some_and(|peer| trusted.is_some_and(|all| all.trusts(peer)))
}

/// The network that counts as one client: an IPv4 address, or the /64 of an IPv6 address, which one subscriber has whole.
pub fn network_of(request: &HttpRequest) -> String {
    of(request).map(|address| prefix(&address)).unwrap_or_default()
}

/// A balancer that is not configured makes all clients one: they would share their limits. Or a client makes it up, so it is
/// said once only.
fn warn_once(peer: IpAddr) {
    static SAID: Once = Once::new();
    let reason = "X-Forwarded-For is ignored: the peer is not among --trusted-proxies (RENAKSI_TRUSTED_PROXIES)";
    SAID.call_once(|| security::log("untrusted_proxy", &peer.to_string(), Some(&peer.to_string()), reason));
}

/// What one client holds of the internet: an IPv4 address; of IPv6 the /64, within which it may have any address.
pub fn prefix(address: &str) -> String {
    match address.parse::<IpAddr>().map(network) {
        Ok(IpAddr::V6(network)) if !network.is_loopback() => format!("{network}/64"),
        Ok(address) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

/// The same: an IPv4 address, or the first address of the /64. The loopback address stays itself.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
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
    fn a_client_of_ipv6_holds_a_network() {
        assert_eq!(prefix("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(prefix("2001:db8:1:2::"), prefix("2001:db8:1:2:ffff::1"));
        assert_ne!(prefix("2001:db8:1:2::"), prefix("2001:db8:1:3::"));
        assert_eq!(prefix("203.0.113.9"), "203.0.113.9");
        assert_eq!(prefix("::ffff:203.0.113.9"), "203.0.113.9");
    }

    #[test]
    fn what_the_client_claims_itself_is_not() {
        assert_eq!(client("10.1.2.3", "1.1.1.1, 198.51.100.1, 192.0.2.1"), "198.51.100.1");
        assert_eq!(client("10.1.2.3", "1.1.1.1, nonsense, 192.0.2.1"), "192.0.2.1");
    }
}
