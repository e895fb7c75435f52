//! The network interfaces of this machine: finding one by name, and finding the address that the
//! others should be told when the node listens on all of them.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// One address of one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) ip: IpAddr,
    pub(crate) is_up: bool,
}

/// All there are, in the operating system's order.
pub(crate) fn interfaces() -> io::Result<Vec<Interface>> {
    let found = if_addrs::get_if_addrs()?.into_iter().map(|found| Interface {
        ip: found.ip(),
        is_up: found.is_oper_up(),
        name: found.name,
    });
    Ok(found.collect())
}

/// The address to bind for the interface `name`, IPv4 before IPv6.
pub(crate) fn ip_of(interfaces: &[Interface], name: &str) -> Option<IpAddr> {
    let named = interfaces.iter().filter(|interface| interface.name == name);
    named.map(|interface| interface.ip).filter(|ip| !is_link_local(*ip)).min_by_key(IpAddr::is_ipv6)
}

/// The first private address of an interface that is up and no loopback, of the family that the
/// node is bound to: the others could not answer to another one. (memberlist: `GetPrivateIP`)
pub(crate) fn private_ip(interfaces: &[Interface], is_ipv4: bool) -> Option<IpAddr> {
    let up = interfaces.iter().filter(|interface| interface.is_up);
    up.map(|interface| interface.ip).find(|ip| ip.is_ipv4() == is_ipv4 && is_private(*ip))
}

/// The names, each once.
pub(crate) fn names(interfaces: &[Interface]) -> Vec<String> {
    let mut names: Vec<_> = interfaces.iter().map(|interface| interface.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Whether an address is meant for one network and may be forwarded within it. RFC 6890.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || is_shared(ip),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

/// 100.64.0.0/10, RFC 6598.
fn is_shared(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    first == 100 && second & 0b1100_0000 == 64
}

/// Addresses that mean nothing without naming an interface with them.
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => Ipv6Addr::is_unicast_link_local(&ip),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Vec<Interface> {
        let cases = [
            ("lo", "127.0.0.1", true),
            ("lo", "::1", true),
            ("eth1", "10.9.9.9", false),
            ("eth0", "fe80::1", true),
            ("eth0", "fd00::7", true),
            ("eth0", "203.0.113.7", true),
            ("eth0", "192.168.1.7", true),
            ("tun0", "fe80::2", true),
        ];
        cases
            .map(|(name, ip, is_up)| Interface {
                name: name.into(),
                ip: ip.parse().unwrap(),
                is_up,
            })
            .into()
    }

    #[test]
    fn an_interface_is_found_by_name() {
        assert_eq!(ip_of(&list(), "lo"), Some("127.0.0.1".parse().unwrap()));
        assert_eq!(ip_of(&list(), "eth0"), Some("203.0.113.7".parse().unwrap()));
        assert_eq!(ip_of(&list(), "tun0"), None, "link-local only");
        assert_eq!(ip_of(&list(), "wlan0"), None);
        assert_eq!(names(&list()), ["eth0", "eth1", "lo", "tun0"]);
    }

    #[test]
    fn the_advertised_address_is_private_and_up() {
        assert_eq!(private_ip(&list(), true), Some("192.168.1.7".parse().unwrap()));
        assert_eq!(private_ip(&list(), false), Some("fd00::7".parse().unwrap()));
        assert_eq!(private_ip(&list()[..4], true), None);
    }

    #[test]
    fn private_blocks() {
        for (ip, expected) in [
            ("10.0.0.1", true),
            ("172.31.255.1", true),
            ("172.32.0.1", false),
            ("100.64.0.1", true),
            ("100.127.255.255", true),
            ("100.128.0.1", false),
            ("169.254.1.1", false),
            ("127.0.0.1", false),
            ("8.8.8.8", false),
            ("fd12::1", true),
            ("fe80::1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(ip.parse().unwrap()), expected, "{ip}");
        }
    }

    #[test]
    fn this_machine_has_some() {
        assert!(!interfaces().unwrap().is_empty());
    }
}
