//! Members that have yet to show that they are at their addresses: what they are told, what shows
//! it, and what becomes of those that never do. (X6, X10)

use std::{time::Duration, vec::Vec};

use bytes::Bytes;

use super::{
    stage::Stage,
    words::{addr, alive, entry, has_left, is_alive, is_dead, is_suspect, name},
};
use crate::{
    io::StreamEvent,
    keyring::{Key, Keyring},
    limits::{RELAYS_BURST, UNVALIDATED_REAP_AFTER},
    member::State,
    name::named,
    reject::Reject,
    stamp::Life,
    wire::{
        Ack, Alive, BroadcastSummary, Claim, Digest, ExchangeHead, IndirectPing, Message, Nack,
        Ping, RelayedAck,
    },
};

const SECOND: Duration = Duration::from_secs(1);

const PING: Message<'static> = Message::Ping(Ping {
    nonce: 0x1234,
    digest: Digest { members: 1, broadcasts: 2, settled: true },
});

const SUMMARY: Message<'static> =
    Message::BroadcastSummary(BroadcastSummary { reply: true, hashes: &[] });

fn ask(target: usize) -> Message<'static> {
    let (target, addr) = (Some(named(name(target))), addr(target));
    Message::IndirectPing(IndirectPing { nonce: 7, target, addr, nack: true })
}

/// A node that knows 1 well, and 2 by hearsay; nobody answers.
fn stage() -> Stage {
    let mut stage = Stage::new(|_| {});
    stage.introduce(1);
    stage.mention(2);
    stage.settle();
    stage
}

fn is_validated(stage: &Stage, nth: usize) -> bool {
    let index = stage.node.table.find(named(name(nth))).expect("it is in the table");
    stage.node.table.get(index).is_validated()
}

#[test]
fn x6_a_member_by_hearsay_gets_one_answer_no_longer_than_its_question() {
    for keyring in [None, Some(Keyring::new(Key::generate([3; 32])))] {
        for payload in [0, 200] {
            let mut stage = Stage::new(|options| {
                options.name = "longer".into();
                options.keyring = keyring.clone();
                options.gossip_interval = Duration::ZERO; // News rides on packets or not at all.
            });
            stage.mention(2);
            stage.node.set_ack_payload(Bytes::from(std::vec![1; payload])).unwrap();
            stage.call(|node, now| node.broadcast(now, "something to tell".into())).unwrap();
            for question in [PING, ask(1)] {
                stage.clear();
                let asked = stage.packet(2, &[question]);
                let withheld = stage.node.stats().answers_withheld;
                stage.raw(addr(2), &asked);
                let withheld = stage.node.stats().answers_withheld - withheld;
                assert!(withheld <= 1, "{question:?}: {withheld} for one answer");
                assert!(withheld == 1 || payload == 0 || question != PING, "news is withheld");
                let answered: Vec<_> =
                    stage.sent.iter().filter(|sent| sent.to == addr(2)).collect();
                let bytes: usize = answered.iter().map(|sent| sent.data.len()).sum();
                assert!(answered.len() <= 1 && bytes <= asked.len(), "{question:?}: {bytes}");
                assert_eq!(answered.len(), 1, "{question:?}");
                assert!(stage.dials().is_empty(), "{question:?}");
            }
        }
    }
}

/// Its view differs, and is settled as ours is. A list of broadcasts would be longer than its ping.
#[test]
fn x6_a_member_by_hearsay_gets_a_connection_and_no_list_of_broadcasts() {
    let mut stage = Stage::new(|options| options.repair = true);
    stage.introduce(1);
    stage.mention(2);
    for nth in 0..40_u8 {
        stage.call(|node, now| node.broadcast(now, Bytes::from(std::vec![nth]))).unwrap();
    }
    stage.run(SECOND * 5);
    stage.clear();
    let asked = stage.packet(2, &[PING]);
    stage.raw(addr(2), &asked);
    let answered: Vec<_> = stage.sent.iter().filter(|sent| sent.to == addr(2)).collect();
    assert!(matches!(answered[..], [answer] if answer.data.len() <= asked.len()));
    assert!(matches!(answered[0].messages[..], [Message::Ack(ack)] if !ack.is_bare()));
    assert_eq!(stage.dials().len(), 1);
    for _ in 0..20 {
        let asked = stage.packet(2, &[PING]);
        stage.raw(addr(2), &asked);
    }
    assert_eq!((stage.dials().len(), stage.sent.len()), (1, 21), "at the pace of all repairs");
    let is_list = |message: &Message<'_>| matches!(message, Message::BroadcastSummary(_));
    assert!(!stage.told(2).any(is_list));
    // Whoever is known to be there is told at once.
    stage.say(1, &[PING]);
    assert!(stage.told(1).any(is_list));
}

/// Whom it asks has yet to see that it is here, and begins nothing: it begins itself.
#[test]
fn x6_whoever_asks_first_begins_to_repair_broadcasts() {
    for (was_asked, begins) in [(false, true), (true, false)] {
        let mut stage = Stage::new(|options| options.repair = true);
        stage.introduce(1);
        stage.call(|node, now| node.broadcast(now, "words".into())).unwrap();
        stage.run(SECOND * 5);
        if was_asked {
            let digest = stage.node.digest();
            stage.say(1, &[Message::Ping(Ping { nonce: 9, digest })]);
        }
        stage.clear();
        stage.call(|node, now| node.ping(now, "p1")).unwrap();
        let nonce = stage.pinged(1).unwrap();
        let digest = Digest { broadcasts: 77, ..stage.node.digest() };
        stage.say(1, &[Message::Ack(Ack { nonce, digest, payload: b"" })]);
        let is_list = |message: &Message<'_>| matches!(message, Message::BroadcastSummary(_));
        assert_eq!(stage.told(1).any(is_list), begins, "{was_asked}");
    }
}

#[test]
fn x6_for_a_member_by_hearsay_one_is_pinged_and_one_word_comes_back() {
    let mut stage = stage();
    stage.say(2, &[ask(1)]);
    let told = |stage: &Stage| stage.told(2).copied().collect::<Vec<_>>();
    let nonce = stage.pinged(1).unwrap();
    stage.ack(1, nonce);
    stage.run(SECOND);
    assert!(matches!(told(&stage)[..], [Message::RelayedAck(RelayedAck { nonce: 7, .. })]));
    stage.clear();
    stage.say(2, &[ask(1)]);
    let nonce = stage.pinged(1).unwrap();
    stage.run(SECOND);
    stage.ack(1, nonce);
    assert_eq!(told(&stage), [Message::Nack(Nack { nonce: 7 })], "and no late answer besides");
}

/// Who asks that a third one be pinged may have made it up.
#[test]
fn x6_a_member_by_hearsay_is_pinged_for_others_without_news() {
    let mut stage = stage();
    stage.call(|node, now| node.broadcast(now, Bytes::from(std::vec![1; 800]))).unwrap();
    stage.clear();
    stage.say(1, &[ask(2)]);
    let pings: Vec<_> = stage.sent.iter().filter(|sent| sent.to == addr(2)).collect();
    assert!(matches!(pings[..], [ping] if matches!(ping.messages[..], [Message::Ping(_)])));
}

#[test]
fn x6_a_member_that_answers_is_told_more() {
    let mut stage = stage();
    let nonce = stage.call(|node, now| node.ping(now, name(2))).map(|_| stage.pinged(2)).unwrap();
    stage.ack(1, nonce.unwrap());
    stage.ack(2, nonce.unwrap() + 1);
    assert!(!is_validated(&stage, 2), "only it knows the number, and it must say it");
    stage.ack(2, nonce.unwrap());
    assert!(is_validated(&stage, 2));
    stage.node.set_ack_payload("coordinates".into()).unwrap();
    stage.clear();
    stage.say(2, &[PING]);
    assert!(stage.told(2).any(|m| matches!(m, Message::Ack(Ack { payload: b"coordinates", .. }))));
}

#[test]
fn x6_the_number_of_a_probe_shows_nothing_once_helpers_know_it() {
    for is_late in [false, true] {
        let mut stage = Stage::new(|options| options.probe_interval = SECOND);
        stage.mention(1);
        stage.introduce(2);
        let (target, nonce) = loop {
            let (target, nonce) = stage.run_to_probe();
            if target == 1 {
                break (target, nonce);
            }
            stage.ack(target, nonce);
        };
        if is_late {
            stage.run(Duration::from_millis(600));
            assert!(stage.told(2).any(|m| matches!(m, Message::IndirectPing(_))));
        }
        stage.ack(target, nonce);
        assert_eq!(stage.node.stats().probes_failed, 0);
        assert_eq!(is_validated(&stage, 1), !is_late);
    }
}

#[test]
fn x6_a_stranger_who_says_where_it_is_from_shows_it_too() {
    let mut stage = stage();
    let nonce = stage.call(|node, now| node.ping(now, name(2))).map(|_| stage.pinged(2)).unwrap();
    stage.say(2, &[Message::Nack(Nack { nonce: nonce.unwrap() })]);
    assert!(is_validated(&stage, 2));
}

#[test]
fn x6_a_stream_shows_where_a_member_is() {
    let head = Message::ExchangeHead(ExchangeHead { join: true, entries: 1, state_len: 0 });
    for (from, shows) in [(addr(2), true), (addr(77), false)] {
        let mut stage = stage();
        let id = stage.accept_from((from.ip(), 50_000).into(), 2);
        assert!(!is_validated(&stage, 2), "it has said nothing");
        stage.reply(id, &[head, entry(alive(2, 1, 1), State::Alive)], true);
        assert_eq!(is_validated(&stage, 2), shows, "{from}");
    }
    let mut stage = stage();
    stage.call(|node, now| node.join(now, &[addr(2)], SECOND)).unwrap();
    let (id, _) = stage.dials()[0];
    stage.stream(id, StreamEvent::Connected);
    stage.reply(id, &[head, entry(alive(2, 1, 1), State::Alive)], true);
    assert!(is_validated(&stage, 2), "it is where it was dialed");
}

/// The number of a comparison is known to whoever was there when it went out.
#[test]
fn x6_an_answer_to_a_comparison_shows_where_a_member_is_as_long_as_it_is_one() {
    // It probes once an hour: the first to ping anybody is a comparison.
    for (late, shows) in [(Duration::ZERO, true), (SECOND * 3_700, false)] {
        let mut stage = Stage::new(|options| options.repair = true);
        stage.mention(2);
        stage.run(SECOND * 5);
        let nonce = stage.pinged(2).expect("views are compared after a change");
        assert_eq!(stage.node.stats().probes, 0);
        stage.run(late);
        stage.ack(2, nonce);
        assert_eq!(is_validated(&stage, 2), shows, "{late:?}");
    }
}

#[test]
fn x6_what_may_be_a_recording_shows_nobody_to_be_there() {
    let mut stage = stage();
    let head = ExchangeHead { join: false, entries: 0, state_len: 0 };
    for (former, shows) in [(1, false), (0, true)] {
        let life = Life(stage.node.config.life.0 - former);
        let id = stage.accept(2);
        let data = stage.frame_to(Some(life), id, &[Message::ExchangeHead(head)], true);
        stage.stream(id, StreamEvent::Chunk(&data));
        assert_eq!(is_validated(&stage, 2), shows);
    }
}

#[test]
fn x6_who_moves_has_to_show_it_anew() {
    let mut stage = stage();
    stage.fail(1, (1, 1), 2);
    let moved = Alive { addr: addr(44), ..alive(1, 2, 1) };
    stage.say(2, &[Message::Claim(Claim::Alive(moved))]);
    assert_eq!(stage.belief(1), "alive 2.1");
    assert!(!is_validated(&stage, 1));
}

#[test]
fn x6_summaries_of_a_member_are_answered_at_the_pace_of_its_other_requests() {
    let mut stage = stage();
    for nth in 0..200_u16 {
        let payload = Bytes::from(std::vec![nth as u8; 400]);
        stage.call(|node, now| node.broadcast(now, payload)).unwrap();
    }
    stage.clear();
    // It has one that the node lacks, and lacks all of the node's.
    stage.say(2, &[Message::BroadcastSummary(BroadcastSummary { reply: true, hashes: &[9; 8] })]);
    let answered = stage.sent.iter().filter(|sent| sent.to == addr(2)).count();
    assert_eq!(answered, 1, "a packet for a packet, as long as nothing has confirmed its address");
    stage.clear();
    (0..100).for_each(|_| stage.say(1, &[SUMMARY]));
    let sent = stage.sent.iter().filter(|sent| sent.to == addr(1)).count() as u64;
    assert_eq!(sent, RELAYS_BURST);
}

#[test]
fn x6_who_is_asked_by_a_much_shorter_name_gets_room_for_its_answer() {
    let mut stage = Stage::new(|_| {});
    stage.named(1, "a-name-longer-than-others-are");
    stage.say(
        1,
        &[Message::Claim(Claim::Alive(Alive {
            name: named("a-name-longer-than-others-are"),
            ..alive(1, 1, 1)
        }))],
    );
    stage.settle();
    let long = "a-name-longer-than-others-are";
    stage.call(|node, now| node.ping(now, long)).unwrap();
    let asked = stage.sent.iter().find(|sent| sent.to == addr(1)).unwrap().data.len();
    let bare = stage.packet(1, &[Message::Ack(Ack::bare(1))]).len();
    assert!(asked >= bare, "{asked} bytes for an answer of {bare}");
}

#[test]
fn x6_x10_the_dead_who_never_answered_are_left_alone_and_soon_forgotten() {
    let mut stage = Stage::new(|options| options.reap_after = 6 * UNVALIDATED_REAP_AFTER);
    for nth in 1..=3 {
        stage.introduce(nth);
    }
    stage.mention(4);
    stage.settle();
    for nth in [3, 4] {
        stage.fail(nth, (1, 1), 1);
    }
    stage.clear();
    for _ in 0..10 {
        stage.call(|node, now| node.broadcast(now, "news".into())).unwrap();
        stage.run(Duration::from_secs(2));
    }
    let told = |stage: &Stage, nth| stage.sent.iter().filter(|sent| sent.to == addr(nth)).count();
    assert!(told(&stage, 3) > 0, "it may be back, and hear it");
    assert_eq!(told(&stage, 4), 0, "whoever is there never asked for it");
    stage.run(UNVALIDATED_REAP_AFTER);
    assert_eq!((stage.state(3), stage.state(4)), (Some(State::Dead), None));
}

/// Where the table is full, a goodbye and a newcomer don't free a name for the next claim to it.
#[test]
fn x9_x10_who_has_just_left_makes_no_room() {
    let mut stage = Stage::lan(3, |options| options.members_max = 4);
    stage.say(3, &[has_left(1, 1, 1)]);
    let head = Message::ExchangeHead(ExchangeHead { join: true, entries: 1, state_len: 0 });
    let come = |stage: &mut Stage| {
        let id = stage.accept(9);
        stage.reply(id, &[head, entry(alive(9, 1, 1), State::Alive)], true);
        (stage.state(9), stage.state(1))
    };
    assert_eq!(come(&mut stage), (None, Some(State::Left)));
    stage.run(4 * SECOND);
    assert_eq!(come(&mut stage), (Some(State::Alive), None));
}

/// Names that somebody makes up fill the table up, fail one after the other, and stand in the way
/// of nobody who is there.
#[test]
fn x10_names_that_nobody_has_keep_nobody_out() {
    let mut stage = Stage::lan(1, |options| options.members_max = 8);
    stage.silent.extend(10..30);
    (10..30).for_each(|nth| stage.say(1, &[is_alive(nth, 1, 1)]));
    assert_eq!(stage.node.stats().rejected_for(Reject::TableFull), 14);
    let head = Message::ExchangeHead(ExchangeHead { join: true, entries: 1, state_len: 0 });
    let come = |stage: &mut Stage, nth: usize| {
        let id = stage.accept(nth);
        stage.reply(id, &[head, entry(alive(nth, 1, 1), State::Alive)], true);
        stage.state(nth)
    };
    assert_eq!(come(&mut stage, 40), None, "the living make room for nobody");
    for nth in 10..16 {
        stage.say(1, &[is_suspect(nth, (1, 1), 1)]);
    }
    stage.let_answer();
    for nth in 10..16 {
        stage.say(1, &[is_dead(nth, (1, 1), 1)]);
    }
    stage.say(1, &[is_alive(41, 1, 1)]);
    assert_eq!(stage.state(41), None, "nor the dead for who is only spoken of");
    assert_eq!(come(&mut stage, 40), None, "nor do those who have just died");
    stage.run(4 * SECOND);
    for nth in 40..46 {
        assert_eq!(come(&mut stage, nth), Some(State::Alive), "{nth}");
    }
    assert_eq!(come(&mut stage, 46), None);
    assert_eq!(stage.state(1), Some(State::Alive));
}
