//! What the application decides: whom to let in, and which peers to treat specially.
//!
//! memberlist asks through blocking callbacks (`NotifyAlive`, `NotifyMerge`,
//! `DisableTcpPingsForNode`). Here a policy is a value given with the configuration. It is asked
//! synchronously and must be pure: the same question gets the same answer, without I/O, or runs
//! can't be repeated.

use alloc::{string::String, vec::Vec};
use core::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use crate::{member::Versions, stamp::Stamp};

/// A claim to be alive, as the policy sees it before it is applied.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The name it claims.
    pub name: &'a str,
    /// Where it says it is reached.
    pub addr: SocketAddr,
    /// What it says about itself.
    pub meta: &'a [u8],
    /// The versions it announces.
    pub versions: Versions,
    /// The life and incarnation it speaks under.
    pub stamp: Stamp,
}

/// The peer of an exchange, before any of its table is applied.
#[derive(Clone, Copy, Debug)]
pub struct ExchangePeer<'a> {
    /// Its name.
    pub name: &'a str,
    /// The socket address the exchange comes from or goes to.
    pub addr: SocketAddr,
    /// Whether the exchange is part of a join.
    pub join: bool,
    /// How many members its table has, of every state.
    pub entries: u32,
}

/// Decisions that belong to the application. Every method has a default that allows everything.
pub trait Policy: Send + Sync {
    /// Whether this member may enter or stay in the table (memberlist: `NotifyAlive`, and
    /// `NotifyMerge` member by member). Asked for every claim that would change something, never
    /// for the node itself.
    ///
    /// # Errors
    ///
    /// The claim is ignored; the text is for the log.
    fn admit_member(&self, candidate: &Candidate<'_>) -> Result<(), Refused> {
        let _ = candidate;
        Ok(())
    }

    /// Whether to exchange tables with this peer (memberlist: `NotifyMerge`).
    ///
    /// # Errors
    ///
    /// The peer is told the text, and nothing of its table is applied.
    fn admit_exchange(&self, peer: &ExchangePeer<'_>) -> Result<(), Refused> {
        let _ = peer;
        Ok(())
    }

    /// Whether a failing probe of `name` is also tried over a stream (memberlist:
    /// `DisableTcpPingsForNode`, the other way round).
    fn stream_ping(&self, name: &str) -> bool {
        let _ = name;
        true
    }
}

/// The policy that allows everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowAll;

impl Policy for AllowAll {}

/// A policy's no, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The reason, in words for people.
    pub reason: String,
}

impl Refused {
    /// A refusal with this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// A block of IP addresses: an address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    base: IpAddr,
    prefix_len: u8,
}

impl Cidr {
    /// Whether `ip` lies in the block. IPv4 blocks match IPv4-mapped addresses too; IPv6 blocks
    /// never match IPv4.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let (base, ip, width) = match (self.base, ip.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => {
                (u128::from(base.to_bits()), u128::from(ip.to_bits()), 32)
            }
            (IpAddr::V6(base), IpAddr::V6(ip)) => (base.to_bits(), ip.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        let ignored = u32::from(width - self.prefix_len);
        base.checked_shr(ignored).unwrap_or(0) == ip.checked_shr(ignored).unwrap_or(0)
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let error = || CidrError { text: text.into() };
        let (base, prefix_len) = match text.trim().split_once('/') {
            Some((base, len)) => (base, Some(len.parse().map_err(|_| error())?)),
            None => (text.trim(), None),
        };
        let base: IpAddr = base.parse().map_err(|_| error())?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let prefix_len = prefix_len.unwrap_or(width);
        if prefix_len > width { Err(error()) } else { Ok(Self { base, prefix_len }) }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix_len)
    }
}

/// A text that is no address block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CidrError {
    text: String,
}

impl core::error::Error for CidrError {}

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not an address block; write it like 10.0.0.0/8 or fd00::/8", self.text)
    }
}

/// Which addresses members may have (memberlist: `CIDRsAllowed`). An empty list allows nobody: a
/// list that came out empty by mistake must not open the door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Cidr>);

impl AllowList {
    /// A list of these blocks.
    #[must_use]
    pub fn new(blocks: Vec<Cidr>) -> Self {
        Self(blocks)
    }

    /// Whether one of the blocks contains `ip`.
    #[must_use]
    pub fn allows(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|block| block.contains(ip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x19_blocks_match_by_prefix() {
        let cases = [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7/32", "192.0.2.8", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
            ("::/0", "10.0.0.1", false),
        ];
        for (block, ip, expected) in cases {
            let block: Cidr = block.parse().unwrap();
            assert_eq!(block.contains(ip.parse().unwrap()), expected, "{block} and {ip}");
        }
        for bad in ["", "10.0.0.0/33", "fd00::/129", "ten/8", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_list_allows_nobody() {
        assert!(!AllowList::default().allows("127.0.0.1".parse().unwrap()));
    }
}
