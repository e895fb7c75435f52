//! W1: no packet is longer than the limit, whatever the limit and whatever there is to say; and
//! what can't fit is refused by the command, never cut or dropped.

use crate::support::{Id, MINUTE, SECOND, World, network::Chance};
use swim_core::{Bytes, Key, Keyring, MemberChange, Options, SendError, UpdateError};

const LIMITS: [usize; 9] = [576, 577, 700, 1_232, 1_400, 1_472, 4_096, 9_215, 9_216];

#[test]
fn w1_no_packet_is_longer_than_the_limit() {
    for limit in LIMITS {
        for sealed in [false, true] {
            storm(limit, sealed);
        }
    }
}

/// Long names and metadata, joins, updates, crashes and broadcasts of every size, all at once.
fn storm(limit: usize, sealed: bool) {
    const SIZE: usize = 24;
    let mut world = World::new(limit as u64);
    world.capture = Some(Vec::new());
    let options = |options: &mut Options| {
        options.packet_len_max = limit;
        options.name = format!("{}-{}", options.name, "x".repeat(100));
        options.label = "a-label-of-some-length".into();
        options.meta = vec![7; (limit - 400).min(512)].into();
        options.keyring = sealed.then(|| Keyring::new(Key::generate([3; 32])));
    };
    // Names and metadata as long as the limit lets them be.
    let fits = |set: &mut Options| {
        options(set);
        while set.clone().build().is_err() {
            set.meta = set.meta.slice(1..);
        }
    };
    world.start_all(SIZE, fits);
    let mut chance = Chance::new(limit as u64);
    for _ in 0..40 {
        let id = chance.below(SIZE as u64) as Id;
        if !world.is_running(id) {
            world.start(id, fits);
            world.join(id, &[(id + 1) % SIZE, (id + 2) % SIZE]);
            continue;
        }
        let len = chance.below(limit as u64) as usize;
        let payload = Bytes::from(vec![1; len]);
        match chance.below(5) {
            0 => world.crash(id),
            1 => check(world.call(id, |node, now| node.broadcast(now, payload)), len),
            2 => {
                let to = format!("n{}-{}", (id + 1) % SIZE, "x".repeat(100));
                let sent = world.call(id, |node, now| node.send_best_effort(now, &to, &payload));
                check(sent.map(|()| 0), len);
            }
            3 => {
                let meta =
                    Bytes::from(vec![
                        2;
                        if len.is_multiple_of(2) { len.min(512) } else { len % 32 }
                    ]);
                let updated = world.call(id, |node, now| node.update_meta(now, meta));
                let is_fine = matches!(updated, Ok(_) | Err(UpdateError::TooLargeForPacket { .. }));
                assert!(is_fine, "{updated:?}");
            }
            _ => {
                let payload = payload.slice(..len.min(256));
                world.call(id, |node, _| node.set_ack_payload(payload)).expect("it is short");
            }
        }
        world.run(chance.span(2 * SECOND));
    }
    world.run(MINUTE);
    let sent = world.capture.take().expect("switched on");
    let longest = sent.iter().map(|(.., data)| data.len()).max().expect("packets");
    assert!(longest <= limit, "a packet of {longest} bytes with a limit of {limit}");
    assert!(longest * 10 >= limit * 7 || limit > 4_000, "nothing came near: {longest} of {limit}");
    assert!(world.count(MemberChange::Updated) > 0);
}

/// What does not fit is an error that tells the limit, and the limit is exact.
fn check(sent: Result<u64, SendError>, len: usize) {
    match sent {
        Ok(_) | Err(SendError::UnknownMember) => {}
        Err(SendError::TooLarge { len: told, max }) => assert!(told == len && max < len),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn w1_the_longest_broadcast_arrives_and_one_byte_more_is_refused() {
    for limit in LIMITS {
        for sealed in [false, true] {
            let mut world = World::cluster(3, 1, |options| {
                options.packet_len_max = limit;
                options.keyring = sealed.then(|| Keyring::new(Key::generate([3; 32])));
            });
            let longest = longest_broadcast(&mut world, limit);
            assert!(longest + 120 >= limit, "{longest} of {limit} is too little");
            let delivered = |w: &World, id: Id| w.node(id).stats().broadcasts_delivered;
            world.run_until(5 * SECOND, "it to arrive", |w| {
                delivered(w, 1) == 1 && delivered(w, 2) == 1
            });
            let direct = vec![1; longest];
            world.call(0, |node, now| node.send_best_effort(now, "n1", &direct)).expect("fits");
        }
    }
}

/// Sends the longest broadcast that is taken; returns its length.
fn longest_broadcast(world: &mut World, limit: usize) -> usize {
    let payload = Bytes::from(vec![1; limit + 1]);
    let error = world.call(0, |node, now| node.broadcast(now, payload.clone()));
    let Err(SendError::TooLarge { len, max }) = error else { panic!("{error:?}") };
    assert_eq!(len, limit + 1);
    let more = payload.slice(..=max);
    let error = world.call(0, |node, now| node.broadcast(now, more));
    assert_eq!(error, Err(SendError::TooLarge { len: max + 1, max }));
    let payload = payload.slice(..max);
    world.call(0, |node, now| node.broadcast(now, payload)).expect("as long as it may be");
    max
}

/// Nodes with different limits understand each other.
#[test]
fn limits_may_differ_between_nodes() {
    let mut world = World::new(1);
    for (id, limit) in LIMITS.into_iter().enumerate() {
        world.start(id, |options| options.packet_len_max = limit);
    }
    (1..LIMITS.len()).for_each(|id| world.join(id, &[0]));
    world.run_until(5 * SECOND, "all to know all", World::agree);
    let payload = Bytes::from(vec![1; 9_000]);
    world.call(8, |node, now| node.broadcast(now, payload)).expect("fits there");
    world.run(MINUTE);
    assert!(world.agree());
    world.check_mirrors();
}
