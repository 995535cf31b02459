//! Decides to which addresses messages may be sent: not to those that only this network reaches, such as its databases and
//! routers.
//!
//! Whoever creates a webhook chooses what the service connects to. A name may resolve to any address, and to another one the next
//! time, so the addresses behind it are checked when the connection is made: the resolver returns only those that are allowed.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};

use ipnet::IpNet;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::http::language::Text;

/// The networks that are not on the public internet, after IANA's registries of special-purpose addresses.
const SPECIAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    // Of IPv6 only 2000::/3 is public, and the following networks lie within it. They wrap IPv4 addresses, or are reserved for
    // documentation and tests.
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
];
/// The network that holds the public addresses of IPv6.
const PUBLIC_V6: &str = "2000::/3";

/// The addresses that webhooks may have.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// Whether `http:` is allowed.
    pub allow_http: bool,
    /// Networks that are allowed although they are not public.
    pub allowed: Vec<IpNet>,
}

impl Addresses {
    /// What is wrong with the URL of a webhook, as far as that can be found out without a connection.
    pub fn field_error(&self, url: &str) -> Option<Text> {
        let known = |url: &Url| url.scheme() == "https" || (self.allow_http && url.scheme() == "http");
        let Some(url) = Url::parse(url).ok().filter(|url| known(url) && url.host().is_some()) else {
            let (en, id) = ("The URL must begin with https://.", "URL harus diawali https://.");
            return Some(Text::new(en, id));
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Some(Text::new(
                "The URL must not contain a user, a password or a fragment.",
                "URL tidak boleh memuat pengguna, kata sandi, atau fragmen.",
            ));
        }
        if url.port_or_known_default().is_none_or(|port| !is_usual(port)) {
            return Some(Text::new("The port must be 443, 80, or 1024 or higher.", "Port harus 443, 80, atau mulai dari 1024."));
        }
        let private = || Text::new("This address is not on the public internet.", "Alamat ini tidak berada di internet publik.");
        literal(&url).is_some_and(|address| !self.allow(address)).then(private)
    }

    /// Whether messages may be sent to this address.
    pub fn allow(&self, address: IpAddr) -> bool {
        // An address in the form of IPv6 may be an IPv4 address: `::ffff:127.0.0.1`.
        let meant = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address) || network.contains(&meant)) || is_public(address)
    }
}

/// Whether a web server may listen on a port. Below 1024 other services listen, which might take a message for a command of their
/// own protocol.
fn is_usual(port: u16) -> bool {
    matches!(port, 80 | 443) || port >= 1024
}

/// The address that a URL has in the place of a name. Of all the ways to write an address, the parser of URLs has made one.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn is_public(address: IpAddr) -> bool {
    static NETWORKS: LazyLock<(Vec<IpNet>, Option<IpNet>)> =
        LazyLock::new(|| (SPECIAL.iter().filter_map(|network| network.parse().ok()).collect(), PUBLIC_V6.parse().ok()));
    let (special, public_v6) = &*NETWORKS;
    let in_public_range = address.is_ipv4() || public_v6.is_some_and(|network| network.contains(&address));
    in_public_range && !special.iter().any(|network| network.contains(&address))
}

/// Resolves names to those of their addresses that are allowed.
#[derive(Clone, Debug)]
pub struct Resolver(pub Arc<Addresses>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = found.filter(|socket| addresses.allow(socket.ip())).collect::<Vec<SocketAddr>>();
            if allowed.is_empty() {
                return Err("no address on the public internet".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn public(address: &str) -> bool {
        Addresses::default().allow(address.parse().unwrap_or_else(|_| panic!("{address}")))
    }

    #[test]
    fn every_network_is_one() {
        assert!(SPECIAL.iter().chain([&PUBLIC_V6]).all(|network| network.parse::<IpNet>().is_ok()));
    }

    #[test]
    fn only_public_addresses_are_allowed() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "223.255.255.1",
            "2606:4700::1111",
            "2a00:1450::8",
        ] {
            assert!(public(address), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }

    #[test]
    fn an_address_is_known_however_it_is_written() {
        let rule = Addresses { allow_http: true, allowed: Vec::new() };
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://017700000001/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]:8080/",
            "https://169.254.169.254/latest",
            "http://127.0.0.1./",
        ] {
            assert!(rule.field_error(url).is_some(), "{url}");
        }
        for url in [
            "ftp://example.com/",
            "https://",
            "example.com",
            "https://a:b@example.com/",
            "https://a@example.com/",
            "https://example.com/#x",
            "https://example.com:22/",
            "https://example.com:0/",
            "http://example.com:25/",
        ] {
            assert!(rule.field_error(url).is_some(), "{url}");
        }
        assert!(rule.field_error("http://example.com/hook?x=1").is_none());
        assert!(rule.field_error("https://example.com:8443/hook").is_none());
        assert!(Addresses::default().field_error("http://example.com/hook").is_some(), "https only");
    }

    proptest! {
        #[test]
        fn wrapping_an_ipv4_address_opens_nothing(bits: u32) {
            let address = std::net::Ipv4Addr::from(bits);
            let [a, b, c, d] = address.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            for wrapped in [address.to_ipv6_mapped(), address.to_ipv6_compatible(), std::net::Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                            std::net::Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1)] {
                prop_assert!(!Addresses::default().allow(wrapped.into()));
            }
        }

        #[test]
        fn what_std_knows_as_private_is_refused(bits: u32, bits_v6: u128) {
            let v4 = std::net::Ipv4Addr::from(bits);
            if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified() || v4.is_documentation() {
                prop_assert!(!Addresses::default().allow(v4.into()));
            }
            let v6 = std::net::Ipv6Addr::from(bits_v6);
            if v6.is_loopback() || v6.is_multicast() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local() {
                prop_assert!(!Addresses::default().allow(v6.into()));
            }
        }

        #[test]
        fn an_allowed_network_is_all_that_opens(bits: u32) {
            let rule = Addresses { allow_http: true, allowed: vec!["127.0.0.0/8".parse().expect("a network")] };
            let v4 = std::net::Ipv4Addr::from(bits);
            prop_assert_eq!(rule.allow(v4.into()), v4.is_loopback() || Addresses::default().allow(v4.into()));
        }
    }
}
