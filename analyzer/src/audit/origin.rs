//! Where a request came from: the address that connected, apart from the addresses it claimed.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::few::Few;

/// Addresses as they were written.
pub type Addresses<'a> = Few<Cow<'a, str>, 2>;

/// `sourceIPs`, split by what may be believed.
///
/// The API server records `X-Forwarded-For`, then `X-Real-Ip`, then the connection's own address. "All but the last IP
/// can be arbitrarily set by the client" (audit.k8s.io/v1 reference).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The address that connected; `None` when there was none or it is not an address.
    pub peer: Option<IpAddr>,
    /// The addresses the client named, as it wrote them.
    pub claimed: Addresses<'a>,
}

impl<'a> Origin<'a> {
    pub(super) fn new(mut addresses: Addresses<'a>) -> Self {
        let last = addresses.pop();
        let peer = last.as_deref().and_then(|text| text.parse::<IpAddr>().ok()).map(|address| address.to_canonical());
        if let (None, Some(last)) = (peer, last) {
            addresses.push(last);
        }
        Self { peer, claimed: addresses }
    }

    /// The connection came from the API server's own host.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.peer.is_some_and(|peer| peer.is_loopback())
    }
}

/// Whether an address can only be reached from outside private networks.
///
/// Private are RFC 1918, RFC 6598 (100.64.0.0/10, which EKS uses for pods in custom networking), loopback, link-local
/// and IPv6 unique local (RFC 4193). Everything else counts as public, documentation ranges included.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && (64..128).contains(&second);
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address == Ipv4Addr::UNSPECIFIED
                || shared)
        }
        IpAddr::V6(address) => {
            !(address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address == Ipv6Addr::UNSPECIFIED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, is_public};
    use crate::few::Few;

    #[test]
    fn the_last_address_is_the_peer_and_the_others_are_claims() {
        let origin = Origin::new(["10.0.0.1", "nonsense", "203.0.113.9"].map(Into::into).into_iter().collect());
        assert_eq!(origin.peer, Some("203.0.113.9".parse().unwrap()));
        assert_eq!(*origin.claimed, ["10.0.0.1", "nonsense"]);
        assert_eq!(Origin::new(["odd".into()].into_iter().collect()).peer, None);
        assert_eq!(Origin::new(Few::default()), Origin::default());
    }

    #[test]
    fn addresses_are_public_or_not() {
        for (address, public) in [
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.32.0.1", true),
            ("192.168.0.1", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("100.128.0.1", true),
            ("169.254.1.1", false),
            ("127.0.0.1", false),
            ("0.0.0.0", false),
            ("192.0.2.1", true),
            ("198.51.100.1", true),
            ("203.0.113.1", true),
            ("52.1.2.3", true),
            ("::1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("2001:db8::1", true),
            ("2600:1f14::1", true),
            ("::ffff:10.0.0.1", false),
            ("::ffff:52.1.2.3", true),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }
}
