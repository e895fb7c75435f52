//! A node's memory has a bound, which its configuration tells beforehand, and nothing that others
//! do gets it beyond: `Config::memory_max`. (M1, M2)
//!
//! The bytes are counted by an allocator of our own, those of the node alone: whoever attacks it
//! takes its memory outside of what is counted. Nothing looks at a clock.

use std::{net::SocketAddr, time::Duration};

use swim_core::{Bytes, Config, Instant, Lie, Line, Options, Reject, State, StreamEvent, StreamId};

#[path = "../../benches/bed/mod.rs"]
mod bed;

mod attacker;
mod subject;

use attacker::{Attacker, Wire, foreign};
use bed::{Dice, heap::Heap};
use subject::Subject;

#[global_allocator]
static HEAP: Heap = Heap;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn m2_a_million_hostile_packets_leave_a_native_node_as_large_as_the_first_did() {
    hostile_packets(Wire::Native);
}

#[test]
fn m2_a_million_hostile_packets_leave_a_node_among_memberlists_as_large_as_the_first_did() {
    hostile_packets(Wire::Memberlist);
}

#[test]
fn m2_a_native_node_gives_back_what_a_hundred_thousand_newcomers_took() {
    newcomers(Wire::Native);
}

#[test]
fn m2_a_node_among_memberlists_gives_back_what_a_hundred_thousand_newcomers_took() {
    newcomers(Wire::Memberlist);
}

#[test]
fn m2_a_native_node_gives_back_what_a_thousand_stalled_streams_took() {
    stalled_streams(Wire::Native);
}

#[test]
fn m2_a_node_among_memberlists_gives_back_what_a_thousand_stalled_streams_took() {
    stalled_streams(Wire::Memberlist);
}

#[test]
fn m1_a_native_nodes_bound_is_at_most_three_times_what_a_full_one_takes() {
    full(Wire::Native, 3);
}

#[test]
fn m1_a_bound_among_memberlists_is_at_most_five_times_what_a_full_node_takes() {
    full(Wire::Memberlist, 5);
}

/// Each of many streams may bring the longest state; together they bring two, one from one address.
/// Who begins is let in, for one of those that hold the most.
#[test]
fn m1_streams_keep_so_much_together_and_no_more() {
    const LONGEST: usize = 256 << 10;
    let mut subject = subject(Wire::Native, |options| {
        options.state_len_max = LONGEST;
        options.message_len_max = LONGEST;
    });
    let mut attacker = Attacker::new(Wire::Native);
    let noise = noise(LONGEST);
    let mut kept = Vec::new();
    for (nth, host) in [1, 1, 2, 3, 4, 5].into_iter().enumerate() {
        let id = StreamId::accepted(nth as u64);
        let from = SocketAddr::from(([13, 0, 0, host], 7946));
        subject.stream(id, StreamEvent::Accepted { from });
        let sent = attacker.stalled_state(LONGEST, &noise[1..]);
        sent.chunks(16 << 10).for_each(|chunk| subject.stream(id, StreamEvent::Chunk(chunk)));
        kept.push(subject.node.queues().streams_accepted);
    }
    assert_eq!(kept, [1, 1, 2, 2, 2, 2]);
    let stats = subject.stats();
    assert_eq!((stats.rejected_for(Reject::NoRoom), stats.streams_given_up), (1, 3));
}

/// A member that is another one in each line of one table makes an event of each line.
#[test]
fn m1_one_table_makes_no_more_events_than_members_can_need() {
    const MEMBERS: usize = 64;
    for wire in [Wire::Native, Wire::Memberlist] {
        let mut subject = subject(wire, |options| options.members_max = MEMBERS);
        let mut attacker = Attacker::new(wire);
        let mut told = 0;
        for (nth, lines) in [(0, 1_000), (1, 100_000)] {
            let id = StreamId::accepted(nth);
            let from = SocketAddr::from(([13, 0, 0, 1], 7946));
            subject.stream(id, StreamEvent::Accepted { from });
            let before = subject.events;
            subject.stream(id, StreamEvent::Chunk(&attacker.changes(lines)));
            subject.stream(id, StreamEvent::Finished);
            told = subject.events - before;
            let is_too_much = lines > 2 * MEMBERS as u64 + 8 * 1_024;
            let refused = subject.stats().rejected_for(Reject::Excess);
            assert_eq!(refused, u64::from(is_too_much), "{wire:?}: {told} events");
            assert!(is_too_much || told >= lines, "{wire:?}: {told} events");
        }
        assert!(told <= 9_000, "{wire:?}: {told} events");
    }
}

/// Random bytes, another key's packets, changed packets, what was sent before, and an insider's.
fn hostile_packets(wire: Wire) {
    const PACKETS: usize = 1_000_000;
    /// Packets for each session of the insider.
    const RENEWAL: usize = 128;
    /// By then all that fills up is full: members, sessions, broadcasts, nonces.
    const WARM_UP: usize = PACKETS * 6 / 10;
    let mut subject = subject(wire, |options| options.members_max = 512);
    let mut attacker = Attacker::new(wire);
    let mut dice = Dice::new(1);
    let foreign = foreign(wire, 64);
    let mut heard: Vec<Bytes> = vec![attacker.introduction()];
    let mut buffer = vec![0; 1_500];
    let (mut warm, mut insiders) = (0, 0_u64);
    for nth in 0..PACKETS {
        if nth == WARM_UP {
            warm = subject.take_peak();
        }
        if nth % RENEWAL == 0 {
            attacker.renew(subject.now);
            let data = attacker.introduction();
            subject.packet(attacker.addr, &data);
            subject.pass(Duration::from_millis(20));
            attacker.learn(subject.node.members());
        }
        let from = if dice.below(4) == 0 { stranger(&mut dice) } else { attacker.addr };
        match dice.below(5) {
            0 => {
                let len = dice.below(buffer.len());
                buffer[..len].fill_with(|| dice.number() as u8);
                subject.packet(from, &buffer[..len]);
            }
            1 => subject.packet(from, &foreign[dice.below(foreign.len())]),
            2 => {
                let mut changed = heard[dice.below(heard.len())].to_vec();
                let at = dice.below(changed.len());
                changed[at] ^= 1 << dice.below(8);
                subject.packet(from, &changed);
            }
            3 => subject.packet(from, &heard[dice.below(heard.len())].clone()),
            _ => {
                let data = attacker.hostile(&mut dice);
                subject.packet(from, &data);
                let place = dice.below(64);
                if place < heard.len() {
                    heard[place] = data;
                } else {
                    heard.push(data);
                }
                insiders += 1;
            }
        }
    }
    let stats = subject.stats();
    assert!(stats.claims_applied > 10_000 && stats.conflicts > 1_000, "{stats:?}");
    assert!(stats.claims_unknown > 100 && stats.rejected() > 500_000, "{stats:?}");
    assert!(subject.node.counts().total() == 512 && insiders > 190_000);
    let after = subject.take_peak();
    eprintln!("{wire:?}: {warm} bytes at most until all was full, {after} afterwards");
    assert!(after <= warm + warm / 100, "M2: {after} bytes after {warm}");
}

/// Members that come, and leave or are said to be dead, each under a new name.
fn newcomers(wire: Wire) {
    const MEMBERS: u64 = 100_000;
    const MEMBERS_MAX: usize = 512;
    /// A long name takes as much for itself, and no member less.
    const MEMBER: i64 = 128;
    const RENEWAL: u64 = 64;
    let mut subject = subject(wire, |options| {
        options.members_max = MEMBERS_MAX;
        options.reap_after = Duration::from_secs(1);
        options.gossip_to_dead = Duration::from_secs(1);
        options.suspicion_mult = 1;
        options.suspicion_max_mult = 1;
        options.probe_interval = Duration::from_millis(100);
        options.probe_timeout = Duration::from_millis(50);
    });
    let mut attacker = Attacker::new(wire);
    fill_sessions(&mut subject, &mut attacker, 2 * MEMBERS_MAX + 256);
    let mut warm = 0;
    for nth in 0..MEMBERS {
        if nth == MEMBERS / 2 {
            settle(&mut subject);
            warm = subject.live;
        }
        if nth % RENEWAL == 0 {
            attacker.renew(subject.now);
            let data = attacker.introduction();
            subject.packet(attacker.addr, &data);
        }
        let (name, stamp) = (attacker.fresh_name(), wire.stamp(1));
        let addr = SocketAddr::from(([12, 0, (nth >> 8) as u8, nth as u8], 7946));
        let alive = Line { name: &name, stamp, addr, meta: b"new", state: State::Alive };
        let end = match nth % 2 {
            0 => Lie::Left { about: &name, stamp },
            _ => Lie::Suspect { about: &name, stamp, from: &name },
        };
        let data = attacker.say(&[Lie::Alive(alive), end]);
        subject.packet(attacker.addr, &data);
        subject.pass(Duration::from_millis(2));
    }
    let peak = subject.take_peak();
    settle(&mut subject);
    let stats = subject.stats();
    assert!(stats.reaped > MEMBERS * 8 / 10, "{} were reaped", stats.reaped);
    eprintln!("{wire:?}: {peak} bytes at most, {} when all are gone, {warm} before", subject.live);
    assert!(subject.live <= warm + warm / 100, "M2: {} bytes after {warm}", subject.live);
    let back = peak - subject.live;
    assert!(back > MEMBERS_MAX as i64 * MEMBER, "M2: {back} bytes came back of {peak}");
}

/// Streams that begin and never end, from peers and to seeds.
fn stalled_streams(wire: Wire) {
    const STREAMS: u64 = 1_000;
    const LONGEST: usize = 256 << 10;
    let mut subject = subject(wire, |options| {
        options.members_max = 64;
        options.state_len_max = LONGEST;
        options.message_len_max = LONGEST;
    });
    let mut attacker = Attacker::new(wire);
    // Enough to fill all places where ciphers are kept, too, which their numbers decide.
    fill_sessions(&mut subject, &mut attacker, 4 * (2 * 64 + 256));
    let (mut warm, noise) = (None, noise(LONGEST));
    for round in 0..3 {
        let first = round * STREAMS;
        for nth in first..first + STREAMS {
            let from = SocketAddr::from(([13, 0, (nth >> 8) as u8, nth as u8], 7946));
            let id = StreamId::accepted(nth);
            subject.stream(id, StreamEvent::Accepted { from });
            attacker.renew(subject.now);
            let sent = match nth % 3 {
                0 => Vec::new(),
                1 => attacker.stalled_state(LONGEST, &noise[1..]),
                _ => attacker.unfinished(),
            };
            for chunk in sent.chunks(16 * 1024) {
                subject.stream(id, StreamEvent::Chunk(chunk));
            }
        }
        dial_and_stall(&mut subject, &mut attacker);
        let queues = subject.node.queues();
        assert!(queues.streams_accepted >= 64 && queues.streams_dialed >= 200, "{queues:?}");
        let peak = subject.take_peak();
        settle(&mut subject);
        let queues = subject.node.queues();
        // It tries now and then to reach those that it lost.
        assert!(queues.streams_accepted == 0 && queues.streams_dialed <= 1, "{queues:?}");
        eprintln!("{wire:?}: {peak} bytes at most, {} when all are over", subject.live);
        let warm = *warm.get_or_insert(subject.live);
        assert!(subject.live <= warm + warm / 100, "M2: {} bytes after {warm}", subject.live);
        assert!(subject.live < peak / 4, "M2: what streams took comes back");
    }
    let stats = subject.stats();
    assert!(stats.streams_refused + stats.streams_given_up > STREAMS, "most were too many");
}

/// All at once, and as large as can be: the table, what is said of it, sessions, broadcasts,
/// streams.
fn full(wire: Wire, times: u64) {
    const MEMBERS: usize = 16_384;
    const REAP_AFTER: Duration = Duration::from_secs(30);
    let settings = |options: &mut Options| {
        options.members_max = MEMBERS;
        (options.reap_after, options.gossip_to_dead) = (REAP_AFTER, REAP_AFTER);
    };
    let (mut subject, config) = (subject(wire, settings), subject_options(wire, settings));
    let (longest, state) = (config.state_len_max, noise(config.state_len_max));
    let mut attacker = Attacker::new(wire);
    fill_sessions(&mut subject, &mut attacker, 2 * MEMBERS + 256);
    let payload = vec![1; 8_900];
    for id in 0..4_096 {
        let lie = Lie::Broadcast { id, payload: &payload };
        if wire == Wire::Native {
            subject.packet(attacker.addr, &attacker.say(&[lie]));
        }
    }
    let mut nth = 0;
    let mut open = |subject: &mut Subject| {
        nth += 1;
        let (id, host) = (StreamId::accepted(nth), nth as u8);
        let from = SocketAddr::from(([13, 0, 0, host], 7946));
        subject.stream(id, StreamEvent::Accepted { from });
        id
    };
    // In memberlist's dialect tables come as a whole, and need that room.
    for _ in 0..if wire == Wire::Native { 2 } else { 0 } {
        let id = open(&mut subject);
        for chunk in attacker.stalled_state(longest, &state[1..]).chunks(16 * 1024) {
            subject.stream(id, StreamEvent::Chunk(chunk));
        }
    }
    for _ in 0..config.streams_max - 4 {
        let id = open(&mut subject);
        subject.stream(id, StreamEvent::Chunk(&attacker.unfinished()));
    }
    dial_and_stall(&mut subject, &mut attacker);
    if wire == Wire::Memberlist {
        // What it asked for itself may come beside all that.
        let id = subject.dialled[0];
        subject.stream(id, StreamEvent::Chunk(&attacker.stalled_state(longest, &state[1..])));
    }
    let own = Bytes::from(state.clone());
    subject.node.set_local_state(own).expect("as long as may be");
    let id = open(&mut subject);
    // In memberlist's dialect nobody is known by an accusation.
    for believed in [State::Alive, State::Suspect] {
        let id = if believed == State::Alive { id } else { open(&mut subject) };
        if wire == Wire::Memberlist || believed == State::Suspect {
            let table = attacker.table(1..MEMBERS as u64, believed, &state[..longest / 8]);
            subject.stream(id, StreamEvent::Chunk(&table));
            subject.stream(id, StreamEvent::Finished);
        }
    }
    let counts = subject.node.counts();
    assert!(counts.suspect > MEMBERS * 9 / 10, "{counts:?}, and {:?}", subject.stats());
    assert_eq!(subject.node.queues().suspicions, counts.suspect);
    subject.assert_bound_is_useful(&format!("{wire:?}, {MEMBERS} members"), times);
    // Half of them are gone at once, and forgotten at once, while the others are in doubt.
    let id = open(&mut subject);
    let gone = attacker.table(1..MEMBERS as u64 / 2, State::Left, &[]);
    subject.stream(id, StreamEvent::Chunk(&gone));
    subject.stream(id, StreamEvent::Finished);
    subject.pass(REAP_AFTER + Duration::from_secs(1));
    let (reaped, open) = (subject.stats().reaped, subject.node.queues().suspicions);
    assert!(reaped > MEMBERS as u64 * 4 / 10, "{reaped} forgotten: {:?}", subject.stats());
    assert!(open > MEMBERS * 4 / 10, "{open} in doubt");
    // The others die at once.
    for _ in 0..20 {
        subject.pass(MINUTE);
    }
    assert!(subject.stats().reaped > MEMBERS as u64 * 9 / 10, "{:?}", subject.stats());
}

/// A packet each from as many sessions as may be remembered, and some more.
fn fill_sessions(subject: &mut Subject, attacker: &mut Attacker, sessions: usize) {
    for _ in 0..sessions + sessions / 8 {
        attacker.renew(subject.now);
        let data = attacker.introduction();
        subject.packet(attacker.addr, &data);
    }
}

/// Has the node join through as many seeds as it can, who take its calls and say but the half of
/// an answer.
fn dial_and_stall(subject: &mut Subject, attacker: &mut Attacker) {
    subject.dialled.clear();
    for join in 0..40_u8 {
        let seed = |nth| SocketAddr::from(([14, 0, join, nth], 7946));
        let seeds: Vec<SocketAddr> = (1..=8).map(seed).collect();
        subject.run(|node, now| {
            // Those that are too many may be refused.
            let _ = node.join(now, &seeds, MINUTE);
        });
    }
    for id in subject.dialled.clone() {
        subject.stream(id, StreamEvent::Connected);
        subject.stream(id, StreamEvent::Chunk(&attacker.unfinished()));
    }
}

/// Bytes that compress, but not to nothing.
fn noise(len: usize) -> Vec<u8> {
    let mut dice = Dice::new(9);
    (0..len).map(|_| (dice.number() % 64) as u8).collect()
}

/// Waits until all that ends by itself has ended.
fn settle(subject: &mut Subject) {
    for _ in 0..10 {
        subject.pass(MINUTE);
    }
}

fn stranger(dice: &mut Dice) -> SocketAddr {
    SocketAddr::from(([15, dice.below(256) as u8, dice.below(256) as u8, 1], 7946))
}

fn subject_options(wire: Wire, change: impl FnOnce(&mut Options)) -> Config {
    let mut options = wire.options("subject", "10.0.0.1:7946", 7);
    change(&mut options);
    options.build().expect("good options")
}

fn subject(wire: Wire, change: impl FnOnce(&mut Options)) -> Subject {
    Subject::new(subject_options(wire, change), Instant::ORIGIN)
}
