//! Seeds: members to join through, as people write them.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use tokio::net::lookup_host;

/// A member to join through, as written on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    host: String,
    /// Without it, the own port is meant, as clusters mostly use one port everywhere.
    port: Option<u16>,
}

impl Seed {
    /// Looks up whether there is any address behind the name at this moment.
    ///
    /// # Errors
    ///
    /// When the name is unknown, has no address, or nobody who could know answers.
    pub(crate) async fn check(&self) -> io::Result<()> {
        match lookup_host((self.host.as_str(), self.port.unwrap_or(0))).await?.next() {
            Some(_) => Ok(()),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address")),
        }
    }

    /// Whether it is an address already, so that there is nothing to look up.
    pub(crate) fn is_literal(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok()
    }

    fn checked(self) -> Result<Self, String> {
        let is_host = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.port == Some(0) {
            return Err("port 0 is nobody's port".into());
        }
        if self.host.is_empty() || !(self.is_literal() || self.host.chars().all(is_host)) {
            return Err("expected HOST, HOST:PORT, IP or IP:PORT (IPv6 as [IP]:PORT)".into());
        }
        Ok(self)
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Ok(Self { host: ip.to_string(), port: None });
        }
        let (host, port) = match text.parse::<SocketAddr>() {
            Ok(addr) => {
                return Self { host: addr.ip().to_string(), port: Some(addr.port()) }.checked();
            }
            Err(_) => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map(|port| port.parse().map_err(|_| format!("{port:?} is no port number")));
        Self { host: host.into(), port: port.transpose()? }.checked()
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match port {
            Some(port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Some(port) => write!(f, "{host}:{port}"),
            None => f.write_str(host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_hosts_and_addresses_with_or_without_port() {
        let cases = [
            ("seed-1.example.org", "seed-1.example.org"),
            ("seed_1:8000", "seed_1:8000"),
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1:8000", "10.0.0.1:8000"),
            ("fd00::1", "fd00::1"),
            ("[fd00::1]", "fd00::1"),
            ("[fd00::1]:8000", "[fd00::1]:8000"),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Seed>().map(|seed| seed.to_string()), Ok(expected.into()));
        }
        let bad =
            ["", ":7946", "host:", "host:x", "host:70000", "host:0", "10.0.0.1:0", "a b", "a/b"];
        for text in bad {
            assert!(text.parse::<Seed>().is_err(), "{text}");
        }
    }
}
