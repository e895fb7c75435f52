//! S8: what a node believes depends on what it was told, not on the order, the number of times or
//! the portions it was told in.
//!
//! The packets are real ones: everything that was sent in a cluster in which members joined,
//! updated, were suspected, crashed, came back and left; but for what those said who were gone
//! before the end, whose word counts until it is known that they are. (X8)

use std::{collections::BTreeMap, net::SocketAddr, sync::OnceLock};

use crate::support::{MINUTE, SECOND, World, acquaint::Directory, addr, name, network::Chance};
use proptest::{
    prelude::{any, proptest},
    prop_assert_eq,
    test_runner::{Config, RngSeed},
};
use swim_core::{Bytes, Input, Instant, Life, Meta, Node, Options, Stamp, State};

type Packet = (SocketAddr, Bytes);
type Picture = BTreeMap<String, (Stamp, State, Meta, SocketAddr)>;

proptest! {
    #![proptest_config(Config {
        cases: 48,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn s8_any_order_gives_one_table(
        seed in any::<u64>(),
        some in proptest::collection::vec(any::<bool>(), 400),
    ) {
        let packets = recorded(ONE).iter().cycle().zip(&some);
        let packets = packets.filter(|(_, take)| **take);
        let mut packets: Vec<&Packet> = packets.map(|(packet, _)| packet).collect();
        let mut observer = Observer::new(ONE);
        packets.iter().for_each(|packet| observer.hear(packet));
        let first = observer.picture();
        let mut chance = Chance::new(seed);
        for _ in 0..3 {
            chance.shuffle(&mut packets);
            let mut observer = Observer::new(ONE);
            packets.iter().for_each(|packet| observer.hear(packet));
            prop_assert_eq!(&observer.picture(), &first);
        }
    }

    #[test]
    fn s8_hearing_twice_is_hearing_once(seed in any::<u64>(), count in 1..200_usize) {
        let mut chance = Chance::new(seed);
        let mut packets: Vec<&Packet> = recorded(ONE).iter().collect();
        chance.shuffle(&mut packets);
        packets.truncate(count);
        let mut once = Observer::new(ONE);
        packets.iter().for_each(|packet| once.hear(packet));
        let mut twice = Observer::new(ONE);
        for packet in &packets {
            twice.hear(packet);
            twice.hear(chance.pick(&packets));
            twice.hear(packet);
        }
        prop_assert_eq!(once.picture(), twice.picture());
    }

    /// Two nodes that heard different things and then exchange tables believe the same, whoever
    /// asked, and exchanging again changes nothing.
    #[test]
    fn s8_exchanging_tables_commutes(seed in any::<u64>(), counts in (0..300_usize, 0..300_usize)) {
        let heard = |id: usize, count: usize| {
            let mut packets: Vec<&Packet> = recorded(id).iter().collect();
            Chance::new(seed + id as u64).shuffle(&mut packets);
            let mut observer = Observer::new(id);
            packets.iter().take(count).for_each(|packet| observer.hear(packet));
            observer
        };
        let believed = |one_asks: bool| {
            let (mut one, mut two) = (heard(ONE, counts.0), heard(TWO, counts.1));
            if one_asks { one.exchange(&mut two) } else { two.exchange(&mut one) }
            let after = (one.beliefs(), two.beliefs());
            if one_asks { two.exchange(&mut one) } else { one.exchange(&mut two) }
            assert_eq!((one.beliefs(), two.beliefs()), after, "exchanging again changes nothing");
            after
        };
        let (one, two) = believed(true);
        prop_assert_eq!(&one, &two);
        prop_assert_eq!((one, two), believed(false));
    }
}

/// The laws would hold for packets that say nothing.
#[test]
fn the_packets_say_something() {
    let mut observer = Observer::new(ONE);
    recorded(ONE).iter().for_each(|packet| observer.hear(packet));
    let picture = observer.picture();
    let states: Vec<State> = picture.values().map(|(_, state, ..)| *state).collect();
    for state in [State::Alive, State::Dead, State::Left] {
        assert!(states.contains(&state), "nobody is {state}");
    }
    assert!(picture.values().any(|(stamp, ..)| stamp.life > Life(1_000)), "nobody came back");
    assert!(picture.values().any(|(stamp, ..)| stamp.incarnation.0 > 1), "nobody refuted");
    assert!(picture.values().any(|(_, _, meta, _)| !meta.as_bytes().is_empty()));
}

/// What was sent to one of the nodes.
fn recorded(to: usize) -> &'static [Packet] {
    static PACKETS: OnceLock<[Vec<Packet>; SIZE]> = OnceLock::new();
    let packets = PACKETS.get_or_init(|| {
        let mut world = World::new(1);
        // Sealed for nobody and small in number, so that each says a lot.
        world.start_all(SIZE, |options| options.stream_pings = false);
        world.run(SECOND);
        world.capture = Some(Vec::new());
        world.update(2);
        world.run(SECOND);
        world.crash(CRASHES);
        world.pause(4, 5 * SECOND);
        world.run(MINUTE / 2);
        world.leave(LEAVES);
        world.crash(1);
        world.run(3 * SECOND);
        world.start(1, |_| {});
        world.join(1, &[0]);
        world.update(6);
        world.run(20 * SECOND);
        let sent = world.capture.take().expect("switched on");
        let mut packets = [const { Vec::new() }; SIZE];
        // The dead accuse nobody (X8): whether their word counts depends on whether they are known
        // to be dead by then, and so on the order.
        let is_gone = |from: usize| [1, CRASHES, LEAVES].contains(&from);
        for (from, to, data) in sent.into_iter().filter(|(from, ..)| !is_gone(*from)) {
            let to = (0..SIZE).find(|&id| addr(id) == to).expect("one of ours");
            packets[to].push((addr(from), data));
        }
        packets
    });
    &packets[to]
}

const SIZE: usize = 8;
/// Who crashes and stays away.
const CRASHES: usize = 3;
/// Who leaves.
const LEAVES: usize = 5;
/// Who hears the packets: stand-ins for two that were there, since each packet names its receiver.
const ONE: usize = 0;
const TWO: usize = 7;

struct Observer(Directory);

const START: Instant = Instant::from_millis(1_000);
/// From here on time stands still, so that nothing but the packets decides. Whoever was in doubt at
/// the start had time to answer: two intervals of gossip. (L6)
const NOW: Instant = Instant::from_millis(1_400);

impl Observer {
    /// A node that knows all members as they were at the start, but that the one which crashes is
    /// in doubt: so that a verdict about it counts, and one about any other is an accusation.
    fn new(id: usize) -> Self {
        let start = |id: usize| {
            let mut options = Options::lan(name(id), addr(id));
            options.life = Life(1_000);
            let config = options.build().expect("valid options");
            Self(Directory::new(Node::new(config, [id as u8 + 1; 32], START)))
        };
        let mut observer = start(id);
        for other in (0..SIZE).filter(|&other| other != id) {
            start(other).0.introduce(&mut observer.0.node, START, true);
        }
        let mut packets = recorded(id).iter();
        while observer.picture()[&name(CRASHES)].1 != State::Suspect {
            observer.hear_at(START, packets.next().expect("somebody misses it"));
        }
        observer
    }

    fn hear(&mut self, packet: &Packet) {
        self.hear_at(NOW, packet);
    }

    fn hear_at(&mut self, now: Instant, (from, data): &Packet) {
        let node = &mut self.0.node;
        node.handle(now, Input::Packet { from: *from, data });
        while node.poll_output().is_some() {}
    }

    fn picture(&self) -> Picture {
        let observers = [name(ONE), name(TWO)];
        let others = self.0.node.members().filter(|m| !observers.contains(&m.name.to_string()));
        let entry = |m: swim_core::Member| (m.name.to_string(), (m.stamp, m.state, m.meta, m.addr));
        others.map(entry).collect()
    }

    /// With the dead as suspects: what a table says of the dead is only suspected by others.
    fn beliefs(&self) -> Picture {
        let mut picture = self.picture();
        for (_, state, ..) in picture.values_mut() {
            if *state == State::Dead {
                *state = State::Suspect;
            }
        }
        picture
    }

    /// Joins `other`, in no time.
    fn exchange(&mut self, other: &mut Self) {
        other.0.introduce(&mut self.0.node, NOW, true);
    }
}
