//! Who is on the path: records what crosses a bridge.

use std::{
    collections::BTreeSet,
    io::{self, Read},
    net::SocketAddrV4,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};

use crate::clock;

/// What is in the datagrams to `to` that the calling thread's network namespace carries within
/// `time`, each content once.
///
/// # Errors
///
/// When the system refuses to have its network listened to.
pub(crate) fn datagrams(to: SocketAddrV4, time: Duration) -> io::Result<Vec<Vec<u8>>> {
    // Those of every protocol: a bridge takes frames before sockets for IP alone would see them.
    let every = Protocol::from(i32::from(EVERY_PROTOCOL.to_be()));
    let socket = Socket::new(Domain::from(PACKET_SOCKET), Type::DGRAM, Some(every))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let (deadline, mut buffer) = (clock::now() + time, vec![0; 65_536]);
    let mut seen = BTreeSet::new();
    while clock::now() < deadline {
        match (&socket).read(&mut buffer) {
            Ok(len) => seen.extend(payload(&buffer[..len], to).map(<[u8]>::to_vec)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(seen.into_iter().collect())
}

/// What a packet of IPv4 has for `to`, if it is a whole datagram. RFC 791, RFC 768.
fn payload(packet: &[u8], to: SocketAddrV4) -> Option<&[u8]> {
    let header_len = usize::from(packet.first()? & 0x0F) * 4;
    let is_whole = u16::from_be_bytes([packet.get(6)? & 0x3F, *packet.get(7)?]) == 0;
    let is_udp = packet[0] >> 4 == 4 && *packet.get(9)? == 17;
    let is_to = packet.get(16..20)? == to.ip().octets();
    let datagram = packet.get(header_len..)?;
    let port = datagram.get(2..4)? == to.port().to_be_bytes();
    let len = u16::from_be_bytes([*datagram.get(4)?, *datagram.get(5)?]);
    (is_whole && is_udp && is_to && port).then(|| datagram.get(8..usize::from(len)))?
}

/// `AF_PACKET` and `ETH_P_ALL`. packet(7)
const PACKET_SOCKET: i32 = 17;
const EVERY_PROTOCOL: u16 = 3;

/// How long one waits for a packet before one looks at the clock.
const PATIENCE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_datagrams_to_the_address_are_taken() {
        let to = "10.77.0.1:7946".parse().unwrap();
        let packet: Vec<u8> = [
            &[0x45, 0, 0, 31, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 77, 0, 2, 10, 77, 0, 1][..],
            &[0x30, 0x39, 0x1F, 0x0A, 0, 11, 0, 0, b'a', b'b', b'c', 0, 0],
        ]
        .concat();
        assert_eq!(payload(&packet, to), Some(&b"abc"[..]), "what pads a frame is none of it");
        for (place, value) in [(0, 0x65), (6, 0x20), (7, 1), (9, 6), (19, 3), (22, 0), (25, 99)] {
            let mut other = packet.clone();
            other[place] = value;
            assert_eq!(payload(&other, to), None, "{place}");
        }
        for len in 0..31 {
            assert_eq!(payload(&packet[..len], to), None, "{len}");
        }
    }
}
