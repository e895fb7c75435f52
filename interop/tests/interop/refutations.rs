//! What is said of the node itself, to one of Go's and to one of ours: both answer, or do not, and
//! under the same incarnation.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, UdpSocket},
};

use swim_interop::{peer, tape::until};

use crate::{
    claims::{Courier, alive_saying, verdict},
    harness::{PLAIN_LOOSE, empty},
    rules::{Chance, Kind},
};

const NAME: &str = "judge";

/// So many things are said of it, from each seed.
const SAID: usize = 60;
const SEEDS: [u64; 3] = [7, 2, 1_000_003];

/// From this name on, names are those of markers.
const MARKERS: usize = 10;

/// Nothing happens by itself.
const STILL: [&str; 2] = ["--set=probe_interval=1h", "--set=push_pull_interval=1h"];

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn o9_the_same_accusations_are_refuted_alike() {
    for seed in SEEDS {
        let mut cluster = empty(PLAIN_LOOSE, &STILL);
        cluster.start(peer::Kind::Go, NAME, &[]);
        cluster.start(peer::Kind::Swim, NAME, &[]);
        let (mut courier, mut chance) = (Courier::new(MARKERS), Chance(seed));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut own = [1; 2];
        let mut met = BTreeSet::new();
        let mut refuted = 0;
        for number in 0..SAID {
            let said = Said::any(&mut chance, own, number + 1 == SAID);
            for (at, peer) in cluster.peers.iter_mut().enumerate() {
                let before = own[at];
                socket.send_to(&said.message(peer.addr), peer.addr).unwrap();
                courier.send(peer, &[]);
                own[at] = match peer.kind {
                    peer::Kind::Go => said.by_go(before),
                    peer::Kind::Swim => said.by_us(before),
                };
                refuted += usize::from(own[at] != before);
                until(&format!("{:?} answers {said:?} to {before}", peer.kind), || {
                    let row = peer.members().remove(NAME).unwrap();
                    let is_so = row.incarnation == u64::from(own[at]) && row.state == "alive";
                    if is_so { Ok(()) } else { Err(format!("{own:?}, {row:?}")) }
                });
            }
            if own[0] != own[1] {
                met.insert(said.departure());
            }
        }
        // The last of all is beyond what can be outbid.
        assert_eq!(met, BTreeSet::from([Some("G14")]), "seed {seed}");
        assert!(refuted > SAID / 2, "only {refuted} answers");
    }
}

/// Something about the node itself.
#[derive(Clone, Copy, Debug)]
struct Said {
    what: What,
    incarnation: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Verdict(Kind),
    /// What it says itself, word for word.
    Own,
    /// What it never said.
    OtherMeta,
    /// Somebody else of its name.
    Elsewhere,
}

impl Said {
    /// Around the node's incarnation; the last is where numbers end.
    fn any(chance: &mut Chance, own: [u32; 2], is_last: bool) -> Self {
        let what = match chance.below(8) {
            _ if is_last => What::Verdict(Kind::Suspect),
            0..=1 => What::Verdict(Kind::Suspect),
            2..=3 => What::Verdict(Kind::Dead),
            4 => What::Verdict(Kind::Left),
            5 => What::Own,
            6 => What::OtherMeta,
            _ => What::Elsewhere,
        };
        let incarnation = if is_last { BEYOND } else { (own[0] + chance.below(4)).max(2) - 1 };
        Self { what, incarnation }
    }

    fn message(self, addr: SocketAddr) -> Vec<u8> {
        let elsewhere = SocketAddr::from(([127, 9, 9, 9], addr.port()));
        match self.what {
            What::Verdict(kind) => verdict(kind, NAME, "accuser", self.incarnation),
            What::Own => alive_saying(NAME, addr, self.incarnation, b""),
            What::OtherMeta => alive_saying(NAME, addr, self.incarnation, b"other"),
            What::Elsewhere => alive_saying(NAME, elsewhere, self.incarnation, b""),
        }
    }

    /// The incarnation after it. memberlist state.go: `refute`.
    fn by_go(self, own: u32) -> u32 {
        let is_news = match self.what {
            What::Elsewhere => false,
            What::Own => self.incarnation > own,
            What::OtherMeta | What::Verdict(_) => self.incarnation >= own,
        };
        if is_news { self.incarnation + 1 } else { own }
    }

    fn by_us(self, own: u32) -> u32 {
        if self.incarnation >= BEYOND { own } else { self.by_go(own) }
    }

    /// In which chapter of the departures it says why both differ.
    fn departure(self) -> Option<&'static str> {
        (self.incarnation >= BEYOND).then_some("G14")
    }
}

/// No answer to it would be within 31 bits.
const BEYOND: u32 = (1 << 31) - 1;
