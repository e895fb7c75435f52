//! Files of tcpdump and Wireshark in the classic form: a header, and one record for each frame.
//! (draft-ietf-opsawg-pcap)

use std::time::Duration;

use etherparse::{EtherType, NetSlice, SlicedPacket, err::packet::SliceError};

use crate::clock::Timestamp;

/// The frames of a capture, in their order.
pub(super) struct Capture<'a> {
    rest: &'a [u8],
    is_big_endian: bool,
    /// How many fractions of a second there are in one.
    fractions: u32,
    link: u16,
}

/// One frame.
pub(super) struct Frame<'a> {
    pub(super) time: Timestamp,
    /// It is longer than what was kept of it.
    pub(super) is_cut: bool,
    link: u16,
    data: &'a [u8],
}

impl<'a> Capture<'a> {
    /// A capture, if `file` is one.
    ///
    /// # Errors
    ///
    /// What to do with a capture that can't be read here.
    pub(super) fn open(file: &'a [u8]) -> Result<Option<Self>, String> {
        let Some((magic, _)) = file.split_first_chunk::<4>() else { return Ok(None) };
        let (is_big_endian, fractions) = match u32::from_le_bytes(*magic) {
            0xA1B2_C3D4 => (false, 1_000_000),
            0xA1B2_3C4D => (false, 1_000_000_000),
            0xD4C3_B2A1 => (true, 1_000_000),
            0x4D3C_B2A1 => (true, 1_000_000_000),
            0x0A0D_0D0A => {
                return Err("it is a pcapng file: `editcap -F pcap` makes a pcap file of it".into());
            }
            _ => return Ok(None),
        };
        let (head, rest) =
            file.split_first_chunk::<HEAD_LEN>().ok_or("it ends within its header")?;
        let mut capture = Self { rest, is_big_endian, fractions, link: 0 };
        // Its upper half is about check sequences.
        capture.link = (capture.number(head, 20) & 0xFFFF) as u16;
        if !LINKS.contains(&capture.link) {
            let link = capture.link;
            return Err(format!(
                "its frames are of link type {link}; known are Ethernet, Linux cooked, raw IP and \
                 BSD loopback"
            ));
        }
        Ok(Some(capture))
    }

    fn number(&self, bytes: &[u8], at: usize) -> u32 {
        let bytes = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

impl<'a> Iterator for Capture<'a> {
    type Item = Frame<'a>;

    /// The next frame. One that the end of the file cuts off is the last.
    fn next(&mut self) -> Option<Frame<'a>> {
        let (head, rest) = self.rest.split_first_chunk::<RECORD_HEAD_LEN>()?;
        let [seconds, fraction, kept, len] = [0, 4, 8, 12].map(|at| self.number(head, at));
        let nanos = u64::from(fraction) * (1_000_000_000 / u64::from(self.fractions));
        let time = Duration::from_secs(seconds.into()) + Duration::from_nanos(nanos);
        let (data, rest) = rest.split_at(rest.len().min(kept as usize));
        self.rest = rest;
        let is_cut = data.len() < len as usize;
        Some(Frame { time: Timestamp::of(time), is_cut, link: self.link, data })
    }
}

impl<'a> Frame<'a> {
    /// What is in the frame, down to UDP or TCP; `None` if it is no IP.
    pub(super) fn slice(&self) -> Result<Option<SlicedPacket<'a>>, SliceError> {
        let ip = |skipped: usize| self.data.get(skipped..).map(SlicedPacket::from_ip);
        let of_type = |at: usize, skipped: usize| {
            let kind = self.data.get(at..)?.first_chunk::<2>()?;
            let kind = EtherType(u16::from_be_bytes(*kind));
            Some(SlicedPacket::from_ether_type(kind, self.data.get(skipped..)?))
        };
        let sliced = match self.link {
            ETHERNET => Some(SlicedPacket::from_ethernet(self.data)),
            LINUX_COOKED => of_type(14, 16),
            LINUX_COOKED_2 => of_type(0, 20),
            BSD_LOOPBACK => ip(4),
            _ => ip(0),
        };
        let sliced = sliced.transpose()?;
        Ok(sliced
            .filter(|packet| matches!(packet.net, Some(NetSlice::Ipv4(_) | NetSlice::Ipv6(_)))))
    }
}

const HEAD_LEN: usize = 24;
const RECORD_HEAD_LEN: usize = 16;
const BSD_LOOPBACK: u16 = 0;
const ETHERNET: u16 = 1;
const LINUX_COOKED: u16 = 113;
const LINUX_COOKED_2: u16 = 276;
/// The last five are raw IP, of either version or of one.
const LINKS: [u16; 9] =
    [BSD_LOOPBACK, ETHERNET, LINUX_COOKED, LINUX_COOKED_2, 12, 14, 101, 228, 229];
