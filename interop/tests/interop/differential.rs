//! The same claims to a node of ours and to one of Go's, one after the other: both believe the same
//! after each.
//!
//! Four kinds of claims are left out, in which we differ on purpose:
//!
//! - A goodbye of one that is dead makes it `left` here, and nothing there.
//! - A suspicion of a suspect, or anything bad of one that is gone, under a higher incarnation, is
//!   news of that incarnation here, and no news there.
//! - A verdict about one that was not in doubt under that incarnation is a suspicion here, and
//!   final there.
//! - What a member says of itself is heard here even if a later incarnation is known already, from
//!   an accusation alone, and is too late there.

use std::{collections::BTreeMap, net::UdpSocket, thread, time::Duration};

use swim_interop::{
    peer::{Kind, Row},
    tape::until,
};

use crate::harness::{MAIN, Variant, empty};

/// Members that there are claims about. The first one makes them and stays alive.
const SUBJECTS: u64 = 5;

/// How many claims are made.
const CLAIMS: usize = 400;

/// Within this time a packet is received and handled; if not, both are looked at again.
const HEARD: Duration = Duration::from_millis(10);

/// Nothing happens by itself.
const STILL: [&str; 5] = [
    "--set=probe_interval=1h",
    "--set=push_pull_interval=1h",
    "--set=gossip_to_dead=1h",
    "--set=reap_after=1h",
    "--set=suspicion_mult=32",
];

#[derive(Clone, Copy, Debug)]
enum Claim {
    Alive,
    Suspect,
    Dead,
    Left,
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn the_same_claims_make_the_same_table() {
    let plain = Variant { is_sealed: false, is_compressed: false, ..MAIN };
    let mut cluster = empty(plain, &STILL);
    cluster.start(Kind::Go, "judge", &[]);
    cluster.start(Kind::Swim, "judge", &[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut chance = Chance(7);
    let mut said = Vec::new();
    let mut applied = 0;
    for subject in 0..SUBJECTS {
        said.push((subject, Claim::Alive, 1));
    }
    let mut table = BTreeMap::new();
    for step in 0..CLAIMS {
        let claim = said.get(step).copied().unwrap_or_else(|| chance.claim(&table));
        let packet = packet(claim);
        let now = until(&format!("both agree after {claim:?}, number {step}"), || {
            // Again with each look: a verdict counts here once its subject could have answered, and
            // nothing changes where it counted already.
            for peer in &cluster.peers {
                socket.send_to(&packet, peer.addr).unwrap();
            }
            thread::sleep(HEARD);
            let mut views = cluster.peers.iter_mut().map(|peer| {
                let mut view = peer.members();
                view.remove("judge");
                view
            });
            let (go, ours) = (views.next().unwrap(), views.next().unwrap());
            if go == ours { Ok(go) } else { Err(format!("Go: {go:#?}, ours: {ours:#?}")) }
        });
        applied += usize::from(now != table);
        table = now;
    }
    assert!(applied > CLAIMS / 8, "only {applied} claims changed anything");
    assert_eq!(table.len() as u64, SUBJECTS);
}

/// Which claims are made: a congruential generator, for the tests repeat.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % end
    }

    /// About anybody but the first, around the incarnation it has.
    fn claim(&mut self, table: &BTreeMap<String, Row>) -> (u64, Claim, u64) {
        loop {
            let subject = 1 + self.below(SUBJECTS - 1);
            let row = &table[&name(subject)];
            let incarnation = (row.incarnation + self.below(4)).saturating_sub(1).min(127);
            let claim = match self.below(6) {
                0..=2 => Claim::Alive,
                3 => Claim::Suspect,
                4 => Claim::Dead,
                _ => Claim::Left,
            };
            let is_in_doubt = row.state == "suspect" && incarnation == row.incarnation;
            let is_over = matches!(row.state.as_str(), "dead" | "left");
            let differs = match claim {
                Claim::Alive => {
                    incarnation <= row.incarnation && row.meta.as_bytes() != [meta(row.incarnation)]
                }
                Claim::Dead => !(is_in_doubt || is_over && incarnation <= row.incarnation),
                Claim::Suspect => row.state != "alive" && incarnation > row.incarnation,
                Claim::Left => row.state == "dead" || is_over && incarnation > row.incarnation,
            };
            if !differs {
                return (subject, claim, incarnation);
            }
        }
    }
}

/// What a member says of itself under this incarnation.
fn meta(incarnation: u64) -> u8 {
    b"abcdefghijklmnopqrstuvwxyz"[usize::try_from(incarnation % 26).unwrap()]
}

fn name(subject: u64) -> String {
    format!("m{subject}")
}

/// A claim as memberlist writes it: its kind, and a map in msgpack.
fn packet((subject, claim, incarnation): (u64, Claim, u64)) -> Vec<u8> {
    let name = name(subject);
    let incarnation = u8::try_from(incarnation).unwrap();
    let port = 20_000 + u16::try_from(subject).unwrap();
    let from = match claim {
        Claim::Left => name.clone(),
        _ => self::name(0),
    };
    let mut packet = match claim {
        Claim::Alive => vec![4, 0x86],
        Claim::Suspect => vec![3, 0x83],
        Claim::Dead | Claim::Left => vec![5, 0x83],
    };
    text(&mut packet, b"Incarnation");
    packet.push(incarnation);
    text(&mut packet, b"Node");
    text(&mut packet, name.as_bytes());
    if let Claim::Alive = claim {
        text(&mut packet, b"Addr");
        text(&mut packet, &[127, 0, 0, 1]);
        text(&mut packet, b"Port");
        packet.push(0xcd);
        packet.extend(port.to_be_bytes());
        text(&mut packet, b"Meta");
        text(&mut packet, &[meta(incarnation.into())]);
        text(&mut packet, b"Vsn");
        text(&mut packet, &[1, 5, 2, 0, 0, 0]);
    } else {
        text(&mut packet, b"From");
        text(&mut packet, from.as_bytes());
    }
    packet
}

/// At most 31 bytes.
fn text(packet: &mut Vec<u8>, text: &[u8]) {
    packet.push(0xa0 | u8::try_from(text.len()).unwrap());
    packet.extend(text);
}
