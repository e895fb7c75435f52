//! Packets that are not what they say they are, for simulations. A node never calls this.

use alloc::{vec, vec::Vec};

use bytes::Bytes;

use super::{Memberlist, leaf::Kind, limits::PACKET_INFLATED_MAX, lzw};
use crate::trap::Trap;

impl Memberlist {
    /// A packet of the application's that is compressed and can't be inflated, or only to more than
    /// a packet may hold.
    pub(crate) fn trap(&mut self, trap: Trap) -> Bytes {
        self.close_packet(trapped(trap), false)
    }
}

fn trapped(trap: Trap) -> Vec<u8> {
    let len = match trap {
        Trap::Less | Trap::More => 1_000,
        Trap::Dense => PACKET_INFLATED_MAX + 1,
    };
    let mut message = vec![0; len];
    message[0] = Kind::User as u8;
    let mut compressed = lzw::deflate(&message);
    match trap {
        Trap::Less => compressed.truncate(compressed.len() / 2),
        Trap::More => compressed.truncate(compressed.len() - 2),
        Trap::Dense => {}
    }
    let mut out = Vec::new();
    lzw::put_deflated(&compressed, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reject::Reject, trap::bomb};

    #[test]
    fn o6_x12_each_trap_is_refused() {
        for trap in [Trap::Less, Trap::More, Trap::Dense] {
            let trapped = trapped(trap);
            assert!(trapped.len() < 1_200, "{trap:?} has {}", trapped.len());
            let opened = lzw::open(&trapped[1..], PACKET_INFLATED_MAX, &mut Vec::new());
            assert_eq!(opened, Err(Reject::Compression), "{trap:?}");
        }
        let dense = trapped(Trap::Dense);
        let opened = lzw::open(&dense[1..], PACKET_INFLATED_MAX + 1, &mut Vec::new());
        assert_eq!(opened, Ok(()), "it is refused for its length alone");
    }

    /// What is a bomb natively is one here.
    #[test]
    fn o6_a_bomb_takes_less_than_a_tenth() {
        for len in [5_000, 4 << 20] {
            let deflated = lzw::deflate(&bomb(len)).len();
            assert!(deflated * 10 < len, "{len}: {deflated}");
        }
    }
}
