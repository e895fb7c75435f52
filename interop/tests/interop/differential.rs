//! The same claims to a node of ours and to one of Go's: thousands of sequences, each about another
//! name, of which each claim goes on where the ones before it stand. They come in packets, and in
//! every third round in a table.
//!
//! What each node makes of a claim is written down in `rules`, for both: Go's node is held against
//! Go's rules, ours against ours, and where those differ there is a chapter of the departures.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    thread,
    time::Duration,
};

use swim_interop::{
    peer::{self, Peer, Row},
    tape::until,
};

use crate::{
    claims::Courier,
    harness::{PLAIN_LOOSE, empty},
    rules::{Chance, Claim, DEPARTURES, Held, Kind, State, by_go, by_us, name},
};

/// So many sequences: one for each name.
const SUBJECTS: usize = 4_000;

/// The first names are of those who accuse the others, and stay alive: a suspect has several
/// accusers.
const ACCUSERS: u32 = 4;

/// One in so many sequences has any claims; the others have only those that both take alike.
const WILD: usize = 4;

/// So many claims has each.
const ROUNDS: usize = 12;

/// One round in so many comes as a table.
const TABLE: usize = 3;

/// A verdict counts here only once its subject could have answered, which is three rounds of gossip
/// among thousands. (65)
const PAUSE: Duration = Duration::from_millis(300);

/// Nothing happens by itself, and nobody gets the name of one that is dead.
const STILL: [&str; 7] = [
    "--set=probe_interval=1h",
    "--set=push_pull_interval=1h",
    "--set=gossip_to_dead=1h",
    "--set=reap_after=1h",
    "--set=suspicion_mult=32",
    "--set=stream_timeout=30s",
    "--set=reclaim_after=0s",
];

/// What is held of a subject by Go's node and by ours.
type Pair = [Option<Held>; 2];

/// Makes a test of each seed.
macro_rules! with_seeds {
    ($($name:ident: $seed:literal,)+) => { $(
        #[test]
        #[ignore = "needs Go and HashiCorp's memberlist"]
        fn $name() {
            the_same_claims_make_the_same_table($seed);
        }
    )+ };
}

with_seeds! {
    o9_the_same_claims_make_the_same_table: 7,
    o9_the_same_claims_make_the_same_table_again: 2,
    o9_the_same_claims_make_the_same_table_once_more: 1_000_003,
}

fn the_same_claims_make_the_same_table(seed: u64) {
    let mut cluster = empty(PLAIN_LOOSE, &STILL);
    cluster.start(peer::Kind::Go, "judge", &[]);
    cluster.start(peer::Kind::Swim, "judge", &[]);
    let mut courier = Courier::new(SUBJECTS);
    let mut chance = Claims(Chance(seed));
    let mut held: Vec<Pair> = vec![[None; 2]; SUBJECTS];
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    let mut changes = 0;
    for round in 0..ROUNDS {
        let is_table = round % TABLE == TABLE - 1;
        let claims: Vec<_> =
            (0..SUBJECTS).map(|subject| chance.claim(subject, &held[subject], is_table)).collect();
        for &claim in &claims {
            let [go, us] = held[claim.subject];
            let claim = if is_table { claim.in_a_table() } else { claim };
            let (ours, departure) = by_us(us, claim);
            let now = [by_go(go, claim), ours];
            if let Some(departure) = departure {
                *met.entry(departure).or_default() += 1;
            }
            changes += usize::from(now != held[claim.subject]);
            held[claim.subject] = now;
        }
        thread::sleep(PAUSE);
        for (at, peer) in cluster.peers.iter_mut().enumerate() {
            if is_table {
                let answer = courier.exchange(peer, &claims);
                assert_eq!(answer.first(), Some(&6), "{:?} answers with a table", peer.kind);
            } else {
                courier.send(peer, &claims);
            }
            let mut rest = differing(peer, &claims, |claim| held[claim.subject][at]);
            // Where this machine stopped a node, the accused have their time anew (65).
            until(&format!("{:?} believes the verdicts of round {round}", peer.kind), || {
                let told = rest.iter().find(|(claim, ..)| is_table || claim.kind != Kind::Dead);
                assert!(told.is_none(), "{:?} in round {round}: {told:?}", peer.kind);
                let verdicts: Vec<_> = rest.iter().map(|(claim, ..)| *claim).collect();
                if let [verdict, ..] = verdicts[..] {
                    thread::sleep(PAUSE);
                    courier.send(peer, &verdicts);
                    rest = differing(peer, &verdicts, |claim| held[claim.subject][at]);
                    return Err(format!("{verdict:?}"));
                }
                Ok(())
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

/// The claims whose subjects a peer does not hold as it should, with what it holds and should.
fn differing(
    peer: &mut Peer,
    claims: &[Claim],
    should: impl Fn(&Claim) -> Option<Held>,
) -> Vec<(Claim, Option<Row>, Option<Row>)> {
    let mut rows = peer.members();
    let held = claims.iter().map(|claim| {
        let should = should(claim).map(|held| held.row(claim.subject));
        (*claim, rows.remove(&name(claim.subject)), should)
    });
    held.filter(|(_, is, should)| is != should).collect()
}

fn chapters() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/departures.md");
    fs::read_to_string(file).unwrap()
}

/// Which claims are made.
struct Claims(Chance);

impl Claims {
    fn claim(&mut self, subject: usize, held: &Pair, is_table: bool) -> Claim {
        loop {
            let claim = self.any_claim(subject, held);
            let said = if is_table { claim.in_a_table() } else { claim };
            if is_wild(subject) || by_us(held[1], said).1.is_none() {
                return claim;
            }
        }
    }

    /// Around the incarnation that the subject has with one of both.
    fn any_claim(&mut self, subject: usize, held: &Pair) -> Claim {
        let is_accuser = subject < ACCUSERS as usize;
        let nobody = Held::ALIVE;
        let held = held[self.0.below(2) as usize].unwrap_or(nobody);
        let incarnation = match self.0.below(60) {
            0 => (1 << 31) - 3 + self.0.below(4),
            1 => u32::MAX - self.0.below(2),
            2 => 0,
            _ => (held.incarnation.saturating_add(self.0.below(4))).saturating_sub(1),
        };
        let kind = match self.0.below(10) {
            _ if is_accuser => Kind::Alive { is_elsewhere: false },
            0 => Kind::Alive { is_elsewhere: true },
            1..=3 => Kind::Alive { is_elsewhere: false },
            // What is said of a suspect shows most.
            4 if held.state == State::Suspect => Kind::Dead,
            4..=5 => Kind::Suspect,
            6..=7 => Kind::Dead,
            _ => Kind::Left,
        };
        let incarnation = if is_accuser { 1 } else { incarnation };
        Claim { subject, kind, incarnation, accuser: self.0.below(ACCUSERS) as usize }
    }
}
