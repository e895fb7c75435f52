//! Splits what people write for an address into host and port, without asking anybody.
//!
//! Accepted are `host`, `host:port`, `1.2.3.4`, `1.2.3.4:port`, `::1`, `[::1]` and `[::1]:port`,
//! where a host may also be the name of an interface.

use core::{fmt, net::IpAddr};

/// A host and perhaps a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostPort<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

impl<'a> HostPort<'a> {
    /// Splits `text`.
    pub(crate) fn parse(text: &'a str) -> Result<Self, AddrProblem> {
        let text = text.trim();
        if text.parse::<IpAddr>().is_ok() {
            return Ok(Self { host: text, port: None });
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or(AddrProblem::Brackets)?;
                match rest.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None if rest.is_empty() => (host, None),
                    None => return Err(AddrProblem::Brackets),
                }
            }
            None => match text.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let is_bracketed = text.starts_with('[');
        if host.is_empty() {
            return Err(AddrProblem::NoHost);
        }
        if is_bracketed != host.contains(':') {
            return Err(AddrProblem::Brackets);
        }
        if is_bracketed && host.parse::<IpAddr>().is_err() {
            return Err(AddrProblem::Ipv6);
        }
        let port = port.map(|port| port.parse().map_err(|_| AddrProblem::Port)).transpose()?;
        Ok(Self { host, port })
    }

    /// The host as an IP address, unless it is a name.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// What is wrong with a text that should be an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddrProblem {
    /// There is nothing before the port.
    NoHost,
    /// The port is not a number within 0 and 65535.
    Port,
    /// Brackets are missing, unpaired or around something else than an IPv6 address.
    Brackets,
    /// What stands in brackets is no IPv6 address.
    Ipv6,
}

impl core::error::Error for AddrProblem {}

impl fmt::Display for AddrProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHost => "there is no host; write it like 10.0.0.1:7946 or node.example:7946",
            Self::Port => "the port is not a number within 0 and 65535",
            Self::Brackets => "write an IPv6 address with a port like [::1]:7946",
            Self::Ipv6 => "there is no IPv6 address in the brackets; zones like %eth0 are not used",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_every_usual_form() {
        let cases = [
            ("node.example", "node.example", None),
            ("node.example:80", "node.example", Some(80)),
            (" eth0:0 ", "eth0", Some(0)),
            ("10.0.0.1", "10.0.0.1", None),
            ("10.0.0.1:7946", "10.0.0.1", Some(7946)),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
            ("[fd00::7]:65535", "fd00::7", Some(65535)),
        ];
        for (text, host, port) in cases {
            assert_eq!(HostPort::parse(text), Ok(HostPort { host, port }), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let cases = [
            ("", AddrProblem::NoHost),
            (":7946", AddrProblem::NoHost),
            ("a:port", AddrProblem::Port),
            ("a:65536", AddrProblem::Port),
            ("a:", AddrProblem::Port),
            ("[::1", AddrProblem::Brackets),
            ("[::1]7946", AddrProblem::Brackets),
            ("[10.0.0.1]:1", AddrProblem::Brackets),
            ("fe80::1%eth0", AddrProblem::Brackets),
            ("[fe80::1%eth0]:1", AddrProblem::Ipv6),
        ];
        for (text, problem) in cases {
            assert_eq!(HostPort::parse(text), Err(problem), "{text}");
        }
    }
}
