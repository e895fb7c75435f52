//! Addresses on the wire: a form of ours, and only those at which somebody can be reached.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::codec::{Reader, Writer};
use crate::reject::Reject;

/// The tag before an IPv4 address.
const TAG_V4: u8 = 4;

/// The tag before an IPv6 address.
const TAG_V6: u8 = 6;

/// Writes an address: a tag, the IP address as everybody writes it, the port with its little end
/// first. Flow label and scope mean something to one machine only and do not travel.
///
/// An IPv4 address in IPv6 clothes is undressed, so that one address has one form: the other one
/// would walk past any list of allowed networks. (S5, X19)
pub(crate) fn put(addr: SocketAddr, to: &mut Writer<'_>) {
    match addr.ip().to_canonical() {
        IpAddr::V4(ip) => {
            to.byte(TAG_V4);
            to.array(ip.octets());
        }
        IpAddr::V6(ip) => {
            to.byte(TAG_V6);
            to.array(ip.octets());
        }
    }
    to.fixed_u16(addr.port());
}

/// Reads an address, unless nobody can be reached there. (X19)
pub(crate) fn read(from: &mut Reader<'_>) -> Result<SocketAddr, Reject> {
    let ip = match from.byte()? {
        TAG_V4 => IpAddr::from(Ipv4Addr::from(from.array()?)),
        TAG_V6 => IpAddr::from(Ipv6Addr::from(from.array::<16>()?)),
        _ => return Err(Reject::Malformed),
    };
    let port = from.fixed_u16()?;
    let is_nobody = match ip {
        IpAddr::V4(ip) => ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => {
            let is_disguised = ip.to_ipv4_mapped().is_some();
            ip.is_unspecified() || ip.is_multicast() || is_disguised
        }
    };
    if port == 0 || is_nobody { Err(Reject::Address) } else { Ok(SocketAddr::new(ip, port)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn there_and_back(addr: SocketAddr) -> Result<SocketAddr, Reject> {
        let mut bytes = [0; 19];
        let mut to = Writer::new(&mut bytes);
        put(addr, &mut to);
        let len = to.finish().unwrap();
        assert_eq!(len, if addr.ip().to_canonical().is_ipv4() { 7 } else { 19 });
        read(&mut Reader::new(&bytes[..len]))
    }

    #[test]
    fn x19_addresses_at_which_nobody_can_be_reached_are_refused() {
        for good in ["10.0.0.1:1", "127.0.0.1:7946", "[::1]:65535", "[2001:db8::1]:7946"] {
            assert_eq!(there_and_back(addr(good)), Ok(addr(good)), "{good}");
        }
        for bad in [
            "10.0.0.1:0",
            "0.0.0.0:7946",
            "224.0.0.1:7946",
            "255.255.255.255:7946",
            "[::]:7946",
            "[ff02::1]:7946",
        ] {
            assert_eq!(there_and_back(addr(bad)), Err(Reject::Address), "{bad}");
        }
    }

    #[test]
    fn s5_an_address_has_one_form() {
        let mapped = addr("[::ffff:10.0.0.1]:7946");
        assert_eq!(there_and_back(mapped), Ok(addr("10.0.0.1:7946")));
        let SocketAddr::V6(v6) = mapped else { unreachable!() };
        let mut disguised = [0; 19];
        let mut to = Writer::new(&mut disguised);
        to.byte(TAG_V6);
        to.array(v6.ip().octets());
        to.fixed_u16(7946);
        assert_eq!(read(&mut Reader::new(&disguised)), Err(Reject::Address));
        assert_eq!(read(&mut Reader::new(&[5; 19])), Err(Reject::Malformed));
    }
}
