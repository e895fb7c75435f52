//! The two sockets of a node: UDP and TCP, on one address and one port.

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
};

use socket2::{Domain, Protocol, Socket, Type};

use crate::{error::StartError, host::HostPort, interface};

/// Bound sockets, not blocking.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) udp: UdpSocket,
    pub(crate) tcp: TcpListener,
    /// What they are bound to, with the port that was chosen.
    pub(crate) addr: SocketAddr,
}

/// The address that `text` means: an IP address or an interface, with or without port.
pub(crate) fn address(text: &str) -> Result<SocketAddr, StartError> {
    let HostPort { host, port } = HostPort::parse(text).map_err(|problem| StartError::Address {
        setting: "bind",
        given: text.into(),
        problem,
    })?;
    let port = port.unwrap_or(PORT_DEFAULT);
    if let Ok(ip) = host.parse() {
        return Ok(SocketAddr::new(ip, port));
    }
    let known = interface::interfaces().map_err(|source| StartError::Interfaces { source })?;
    match interface::ip_of(&known, host) {
        Some(ip) => Ok(SocketAddr::new(ip, port)),
        None => Err(StartError::Interface { name: host.into(), known: interface::names(&known) }),
    }
}

/// Binds both sockets to `addr`. With port 0 the system chooses a port, and may choose one for TCP
/// that UDP does not have: then another is tried.
pub(crate) fn bind(addr: SocketAddr) -> Result<Sockets, StartError> {
    let mut tries_left = if addr.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries_left -= 1;
        match bind_once(addr) {
            Ok(sockets) => return Ok(sockets),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries_left > 0 => {}
            Err(source) => return Err(StartError::Bind { addr, source }),
        }
    }
}

fn bind_once(addr: SocketAddr) -> io::Result<Sockets> {
    let tcp = tcp(addr)?;
    let addr = tcp.local_addr()?;
    let udp = udp(addr)?;
    Ok(Sockets { udp, tcp, addr })
}

fn tcp(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(addr, Type::STREAM, Protocol::TCP)?;
    // So that a node can start again while connections of its last run are winding down. On
    // Windows the same option would let two nodes share the port.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn udp(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket(addr, Type::DGRAM, Protocol::UDP)?;
    // The more fits, the longer the process may be kept from running without losing packets. What
    // the system allows is enough.
    let _smaller = socket.set_recv_buffer_size(UDP_BUFFER_LEN);
    let _smaller = socket.set_send_buffer_size(UDP_BUFFER_LEN);
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

fn socket(addr: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), kind, Some(protocol))?;
    if addr.is_ipv6() {
        // Or the system's settings would decide whether `[::]` takes IPv4 away from others.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// memberlist's and Serf's port.
pub(crate) const PORT_DEFAULT: u16 = 7946;

/// How many ports chosen by the system are tried until one is free for UDP too.
const PORT_TRIES: usize = 10;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;

/// Room for a burst of 1,400 full packets.
const UDP_BUFFER_LEN: usize = 2 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_port_is_the_same_for_both() {
        for addr in ["127.0.0.1:0", "[::1]:0"] {
            let sockets = bind(addr.parse().unwrap()).unwrap();
            assert_ne!(sockets.addr.port(), 0);
            assert_eq!(sockets.udp.local_addr().unwrap(), sockets.addr);
            assert_eq!(sockets.tcp.local_addr().unwrap(), sockets.addr);
        }
    }

    #[test]
    fn a_taken_port_is_named_with_advice() {
        for keep_udp in [true, false] {
            let Sockets { udp, tcp, addr } = bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let (_udp, _tcp) = if keep_udp { (Some(udp), None) } else { (None, Some(tcp)) };
            let message = bind(addr).unwrap_err().to_string();
            assert!(message.contains(&addr.to_string()), "{message}");
            assert!(message.contains("choose another port"), "{message}");
        }
    }

    #[test]
    fn texts_become_addresses() {
        for (text, addr) in [
            ("0.0.0.0", "0.0.0.0:7946"),
            ("::", "[::]:7946"),
            ("[::1]:0", "[::1]:0"),
            ("lo:80", "127.0.0.1:80"),
        ] {
            assert_eq!(address(text).unwrap(), addr.parse().unwrap());
        }
        let message = address("no-such-interface").unwrap_err().to_string();
        assert!(message.contains("no-such-interface") && message.contains("lo"), "{message}");
        let message = address("127.0.0.1:x").unwrap_err().to_string();
        assert!(message.contains("bind \"127.0.0.1:x\"") && message.contains("port"), "{message}");
    }
}
