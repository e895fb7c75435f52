//! The same claims to a node of ours and to one of Go's: thousands of sequences, each about another
//! name, of which each goes on where the ones before it stand.
//!
//! What each node makes of a claim is written down in `rules`, for both: Go's node is held against
//! Go's rules, ours against ours, and where those differ there is a chapter of the departures.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{IpAddr, SocketAddr, UdpSocket},
    path::Path,
    thread,
    time::Duration,
};

use swim_interop::{peer, peer::Row, tape::until};

use crate::{
    harness::{MAIN, Variant, empty},
    rules::{Claim, DEPARTURES, Held, Kind, State, addr, by_go, by_us, meta, name},
};

/// So many sequences: one for each name. The first is of who accuses the others, and stays alive.
const SUBJECTS: usize = 4_000;

/// One in so many sequences has any claims; the others have only those that both take alike.
const WILD: usize = 4;

/// So many claims has each.
const ROUNDS: usize = 12;

/// After this time there is another look. A verdict counts here only once its subject could have
/// answered, which is a few rounds of gossip.
const PAUSE: Duration = Duration::from_millis(50);

/// So many claims make a packet, and so many packets a burst that no buffer is too small for.
const PACKET: usize = 10;
const BURST: usize = 10;

/// Nothing happens by itself, and nobody gets the name of one that is dead.
const STILL: [&str; 6] = [
    "--set=probe_interval=1h",
    "--set=push_pull_interval=1h",
    "--set=gossip_to_dead=1h",
    "--set=reap_after=1h",
    "--set=suspicion_mult=32",
    "--set=reclaim_after=0s",
];

/// What is held of a subject by Go's node and by ours.
type Pair = [Option<Held>; 2];

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn o9_the_same_claims_make_the_same_table() {
    let plain = Variant { is_sealed: false, is_compressed: false, ..MAIN };
    let mut cluster = empty(plain, &STILL);
    cluster.start(peer::Kind::Go, "judge", &[]);
    cluster.start(peer::Kind::Swim, "judge", &[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut chance = Chance(7);
    let mut held: Vec<Pair> = vec![[None; 2]; SUBJECTS];
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    let mut changes = 0;
    for round in 0..ROUNDS {
        let claims: Vec<_> =
            (0..SUBJECTS).map(|subject| chance.claim(subject, &held[subject])).collect();
        for &claim in &claims {
            let [go, us] = held[claim.subject];
            let (ours, departure) = by_us(us, claim);
            let now = [by_go(go, claim), ours];
            if let Some(departure) = departure {
                *met.entry(departure).or_default() += 1;
            }
            changes += usize::from(now != held[claim.subject]);
            held[claim.subject] = now;
        }
        for (at, peer) in cluster.peers.iter_mut().enumerate() {
            let mut rest: Vec<Claim> = claims.clone();
            until(&format!("{:?} holds what it should after round {round}", peer.kind), || {
                send(&socket, peer.addr, &rest);
                thread::sleep(PAUSE);
                let rows = peer.members();
                rest.retain(|claim| {
                    let should = held[claim.subject][at].map(|held| held.row(claim.subject));
                    rows.get(&name(claim.subject)) != should.as_ref()
                });
                rest.first().map_or(Ok(()), |claim| Err(said(claim, &held, &rows)))
            });
        }
    }
    let expected: BTreeSet<_> = DEPARTURES.into();
    assert_eq!(met.keys().copied().collect::<BTreeSet<_>>(), expected, "{met:?}");
    for departure in DEPARTURES {
        assert!(chapters().contains(&format!("\n**{departure}. ")), "{departure} is not explained");
    }
    let alike = held.iter().enumerate().filter(|(subject, _)| !is_wild(*subject));
    assert!(alike.clone().all(|(_, [go, us])| go == us));
    assert_eq!(alike.count(), 3_000);
    assert!(changes > SUBJECTS * ROUNDS / 3, "only {changes} claims changed anything");
}

fn is_wild(subject: usize) -> bool {
    subject.is_multiple_of(WILD)
}

fn said(claim: &Claim, held: &[Pair], rows: &BTreeMap<String, Row>) -> String {
    let should = held[claim.subject];
    format!("{claim:?}: should be [Go's, ours] {should:?}, is {:?}", rows.get(&name(claim.subject)))
}

fn chapters() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/departures.md");
    fs::read_to_string(file).unwrap()
}

/// Which claims are made: a congruential generator, for the tests repeat.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from((self.0 >> 33) % u64::from(end)).unwrap()
    }

    fn claim(&mut self, subject: usize, held: &Pair) -> Claim {
        loop {
            let claim = self.any_claim(subject, held);
            if is_wild(subject) || by_us(held[1], claim).1.is_none() {
                return claim;
            }
        }
    }

    /// Around the incarnation that the subject has with one of both.
    fn any_claim(&mut self, subject: usize, held: &Pair) -> Claim {
        let nobody = Held::ALIVE;
        let held = held[self.below(2) as usize].unwrap_or(nobody);
        let incarnation = match self.below(60) {
            0 => (1 << 31) - 3 + self.below(4),
            1 => u32::MAX - self.below(2),
            2 => 0,
            _ => (held.incarnation.saturating_add(self.below(4))).saturating_sub(1),
        };
        let kind = match self.below(10) {
            _ if subject == 0 => Kind::Alive { is_elsewhere: false },
            0 => Kind::Alive { is_elsewhere: true },
            1..=3 => Kind::Alive { is_elsewhere: false },
            // What is said of a suspect shows most.
            4 if held.state == State::Suspect => Kind::Dead,
            4..=5 => Kind::Suspect,
            6..=7 => Kind::Dead,
            _ => Kind::Left,
        };
        Claim { subject, kind, incarnation: if subject == 0 { 1 } else { incarnation } }
    }
}

/// Sends claims, as many as there are in a packet together.
fn send(socket: &UdpSocket, to: SocketAddr, claims: &[Claim]) {
    for burst in claims.chunks(PACKET * BURST) {
        for packet in burst.chunks(PACKET) {
            let parts: Vec<_> = packet.iter().map(|&claim| part(claim)).collect();
            let mut packet = vec![7, u8::try_from(parts.len()).unwrap()];
            for part in &parts {
                packet.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
            }
            packet.extend(parts.concat());
            socket.send_to(&packet, to).unwrap();
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// A claim as memberlist writes it: its kind, and a map in msgpack.
fn part(Claim { subject, kind, incarnation }: Claim) -> Vec<u8> {
    let from = if kind == Kind::Left { name(subject) } else { name(0) };
    let mut part = match kind {
        Kind::Alive { .. } => vec![4, 0x86],
        Kind::Suspect => vec![3, 0x83],
        Kind::Dead | Kind::Left => vec![5, 0x83],
    };
    text(&mut part, b"Incarnation");
    part.push(0xce);
    part.extend(incarnation.to_be_bytes());
    text(&mut part, b"Node");
    text(&mut part, name(subject).as_bytes());
    if let Kind::Alive { is_elsewhere } = kind {
        let addr = addr(subject, is_elsewhere);
        let IpAddr::V4(ip) = addr.ip() else { unreachable!("subjects have addresses of IPv4") };
        text(&mut part, b"Addr");
        text(&mut part, &ip.octets());
        text(&mut part, b"Port");
        part.push(0xcd);
        part.extend(addr.port().to_be_bytes());
        text(&mut part, b"Meta");
        text(&mut part, meta(incarnation).as_bytes());
        text(&mut part, b"Vsn");
        text(&mut part, &[1, 5, 2, 0, 0, 0]);
    } else {
        text(&mut part, b"From");
        text(&mut part, from.as_bytes());
    }
    part
}

/// At most 31 bytes.
fn text(part: &mut Vec<u8>, text: &[u8]) {
    part.push(0xa0 | u8::try_from(text.len()).unwrap());
    part.extend(text);
}
