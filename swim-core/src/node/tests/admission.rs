//! Whom the node lets in: the allow list, the policy, and how many. (X10, X19)

use std::{sync::Arc, time::Duration, vec::Vec};

use super::{
    stage::Stage,
    words::{NODE, addr, alive, entry, has_left, is_alive, is_dead, is_suspect},
};
use crate::{
    config::Options,
    event::SeedOutcome,
    member::State,
    policy::{AllowList, Candidate, ExchangePeer, Policy, Refused},
    reject::Reject,
    wire::{Alive, Claim, Digest, ExchangeHead, Message, Ping},
};

const SECOND: Duration = Duration::from_secs(1);

fn says(alive: Alive<'static>) -> Message<'static> {
    Message::Claim(Claim::Alive(alive))
}

fn allow(blocks: &'static [&'static str]) -> impl FnOnce(&mut Options) {
    move |options| {
        let blocks = blocks.iter().map(|block| block.parse().unwrap()).collect();
        options.allow = Some(AllowList::new(blocks));
    }
}

/// An address outside 10.0.0.0/24, where puppets 1 to 254 live.
const FAR: usize = 1000;

#[test]
fn x19_packets_from_elsewhere_are_refused_unread() {
    let mut stage = Stage::with(2, allow(&["10.0.0.0/24"]));
    let before = stage.essence();
    stage.say(FAR, &[is_alive(FAR, 1, 1), is_dead(1, (1, 1), 2)]);
    stage.raw(addr(FAR), b"noise");
    assert_eq!(stage.essence(), before);
    assert_eq!(stage.node.stats().rejected_for(Reject::Source), 2);
    assert_eq!(stage.node.stats().rejected(), 2);
}

#[test]
fn x19_streams_from_elsewhere_are_refused() {
    let mut stage = Stage::with(2, allow(&["10.0.0.0/24"]));
    let id = stage.accept(FAR);
    assert_eq!(stage.ended(id), Some(false));
    assert_eq!(stage.node.stats().streams_refused, 1);
    assert!(stage.node.streams.is_empty());
}

#[test]
fn x19_nobody_joins_with_an_address_elsewhere() {
    let mut stage = Stage::with(2, allow(&["10.0.0.0/24"]));
    stage.say(1, &[is_alive(FAR, 1, 1)]);
    assert_eq!(stage.state(FAR), None);
    let id = stage.accept(1);
    let head = Message::ExchangeHead(ExchangeHead { join: false, entries: 1, state_len: 0 });
    stage.reply(id, &[head, entry(alive(FAR, 1, 1), State::Alive)], true);
    assert_eq!(stage.state(FAR), None);
    assert_eq!(stage.node.stats().claims_refused, 2);
}

#[test]
fn x19_nobody_moves_to_an_address_elsewhere() {
    let mut stage = Stage::with(2, allow(&["10.0.0.0/24"]));
    stage.fail(1, (1, 1), 2);
    stage.say(2, &[says(Alive { addr: addr(FAR), ..alive(1, 2, 1) })]);
    assert_eq!(stage.belief(1), "dead 1.1");
    assert_eq!(stage.node.stats().claims_refused, 1);
}

#[test]
fn x19_a_list_of_ourselves_lets_nobody_in() {
    let mut stage = Stage::new(allow(&["10.0.0.1"]));
    stage.say(1, &[is_alive(1, 1, 1)]);
    assert_eq!(stage.state(1), None);
}

#[test]
fn x19_a_seed_outside_the_list_is_not_dialled() {
    let mut stage = Stage::new(allow(&["10.0.0.0/24"]));
    stage.call(|node, now| node.join(now, &[addr(FAR), addr(1)], SECOND)).unwrap();
    let dialed: Vec<_> = stage.dials().into_iter().map(|(_, to)| to).collect();
    assert_eq!(dialed, [addr(1)]);
}

#[test]
fn x19_a_seed_at_which_nobody_can_be_is_not_dialled() {
    let mut stage = Stage::new(|_| {});
    let nowhere = [
        "0.0.0.0:7946",
        "10.0.0.9:0",
        "224.0.0.1:7946",
        "255.255.255.255:7946",
        "127.0.0.1:7946",
        "[::1]:7946",
    ];
    for seed in nowhere {
        stage.clear();
        let seed = seed.parse().unwrap();
        let join = stage.node.join(stage.now, &[seed], SECOND);
        let dials = core::iter::from_fn(|| stage.node.poll_output())
            .filter(|output| matches!(output, crate::Output::Dial { .. }))
            .count();
        assert_eq!(dials, 0, "{seed}: {join:?}");
        stage = Stage::new(|_| {});
    }
}

/// Behind a loopback address there is something else on each machine.
#[test]
fn x19_loopback_is_for_those_who_are_there_themselves() {
    let here = "127.0.0.9:7946".parse().unwrap();
    for (own, expected) in [("10.0.0.1:7946", None), ("127.0.0.1:7946", Some(State::Alive))] {
        let mut stage = Stage::new(|options| options.addr = own.parse().unwrap());
        stage.say(1, &[says(Alive { addr: here, ..alive(9, 1, 1) })]);
        assert_eq!(stage.state(9), expected, "{own}");
        assert_eq!(stage.node.stats().claims_refused, u64::from(expected.is_none()));
    }
}

/// Lets in only who says "good", and exchanges only with those who don't say much.
struct Strict;

impl Policy for Strict {
    fn admit_member(&self, candidate: &Candidate<'_>) -> Result<(), Refused> {
        assert_ne!(candidate.name, "n", "never asked about the node itself");
        if candidate.meta == b"good" { Ok(()) } else { Err(Refused::new("not good")) }
    }

    fn admit_exchange(&self, peer: &ExchangePeer<'_>) -> Result<(), Refused> {
        if peer.entries > 100 {
            return Err(Refused::new("too many for us"));
        }
        if peer.join && peer.name == "p3" {
            return Err(Refused::new("p3 must not join"));
        }
        Ok(())
    }
}

fn strict() -> Stage {
    Stage::new(|options| options.policy = Arc::new(Strict))
}

fn good(nth: usize, life: u64, incarnation: u64) -> Alive<'static> {
    Alive { meta: b"good", ..alive(nth, life, incarnation) }
}

#[test]
fn memberlist_7_1_step_3_the_policy_decides_who_enters() {
    let mut stage = strict();
    stage.say(1, &[is_alive(1, 1, 1), says(good(2, 1, 1)), is_alive(NODE, 5, 1)]);
    assert_eq!((stage.state(1), stage.state(2)), (None, Some(State::Alive)));
    assert_eq!(stage.node.stats().claims_refused, 1);
    assert_eq!(stage.changes(), ["p2 joined"]);
}

#[test]
fn memberlist_7_1_step_3_the_policy_decides_what_members_may_become() {
    let mut stage = strict();
    stage.say(1, &[says(good(1, 1, 1))]);
    stage.say(1, &[is_alive(1, 1, 2)]);
    assert_eq!(stage.belief(1), "alive 1.1");
    stage.say(2, &[says(good(2, 1, 1))]);
    stage.fail(1, (1, 1), 2);
    stage.say(2, &[is_alive(1, 2, 1)]);
    assert_eq!(stage.belief(1), "dead 1.1");
    stage.say(2, &[says(good(1, 2, 1))]);
    assert_eq!(stage.belief(1), "alive 2.1");
}

#[test]
fn memberlist_7_1_step_3_who_is_refused_does_not_enter_by_another_door() {
    for door in ["packet", "ping", "table"] {
        let mut stage = strict();
        stage.say(1, &[says(good(1, 1, 1))]);
        stage.say(1, &[has_left(1, 1, 1)]);
        stage.speaks_under(1, 2, 1);
        stage.say(1, &[is_alive(1, 2, 1)]);
        match door {
            "packet" => stage.say(1, &[Message::Direct(b"let me in")]),
            "ping" => {
                let digest = Digest::default();
                stage.say(1, &[Message::Ping(Ping { nonce: 1, digest })]);
            }
            _ => {
                let id = stage.accept(1);
                let head = ExchangeHead { join: true, entries: 1, state_len: 0 };
                let head = Message::ExchangeHead(head);
                stage.reply(id, &[head, entry(alive(1, 2, 1), State::Alive)], true);
            }
        }
        assert_eq!(stage.belief(1), "left 1.1", "by {door}");
    }
}

#[test]
fn the_policy_is_not_asked_about_accusations_and_goodbyes() {
    let mut stage = strict();
    stage.say(1, &[says(good(1, 1, 1)), says(good(2, 1, 1))]);
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    assert_eq!(stage.belief(1), "suspect 1.1");
    stage.say(2, &[has_left(1, 1, 1)]);
    assert_eq!(stage.belief(1), "left 1.1");
}

#[test]
fn memberlist_12_3_step_2_an_exchange_that_is_refused_applies_nothing_and_says_why() {
    for (nth, join, entries, reason) in [
        (3, true, 1, Some("p3 must not join")),
        (3, false, 1, None),
        (1, true, 101, Some("too many for us")),
    ] {
        let mut stage = strict();
        let id = stage.accept(nth);
        let head = Message::ExchangeHead(ExchangeHead { join, entries, state_len: 2 });
        let entries = [head, entry(good(7, 1, 1), State::Alive), Message::StatePiece(b"us")];
        stage.reply(id, &entries, true);
        let (messages, last) = stage.written(id);
        assert!(last);
        match reason {
            Some(reason) => {
                assert!(matches!(messages[..], [Message::Refused(no)] if no.text == reason));
                assert_eq!(stage.state(7), None);
                assert!(
                    !stage.events.iter().any(|e| matches!(e, crate::EventKind::RemoteState { .. }))
                );
                assert_eq!(stage.node.stats().exchanges_failed, 1);
            }
            None => assert_eq!(stage.state(7), Some(State::Alive)),
        }
        assert!(stage.node.streams.is_empty());
    }
}

#[test]
fn memberlist_12_3_step_2_an_answer_that_is_refused_ends_the_join() {
    let mut stage = strict();
    stage.call(|node, now| node.join(now, &[addr(1)], SECOND)).unwrap();
    let (id, _) = stage.dials()[0];
    stage.stream(id, crate::StreamEvent::Connected);
    let head = Message::ExchangeHead(ExchangeHead { join: true, entries: 200, state_len: 0 });
    stage.reply(id, &[head, entry(good(7, 1, 1), State::Alive)], true);
    let reason = "too many for us".into();
    assert_eq!(stage.seed_outcomes(), [SeedOutcome::Refused { reason }]);
    assert_eq!(stage.state(7), None);
}

/// Gives reasons no wire carries as they are.
struct Wordy(&'static str);

impl Policy for Wordy {
    fn admit_exchange(&self, _: &ExchangePeer<'_>) -> Result<(), Refused> {
        Err(Refused::new(self.0))
    }
}

#[test]
fn x15_any_reason_of_a_policy_reaches_the_peer_as_a_refusal() {
    let long: &'static str = std::boxed::Box::leak("ä".repeat(500).into_boxed_str());
    for reason in ["", "two\nlines", "\u{202E}turned", long] {
        let mut stage = Stage::new(|options| options.policy = Arc::new(Wordy(reason)));
        let id = stage.accept(1);
        let head = Message::ExchangeHead(ExchangeHead { join: true, entries: 0, state_len: 0 });
        stage.reply(id, &[head], true);
        let (messages, _) = stage.written(id);
        assert!(
            matches!(messages[..], [Message::Refused(no)] if !no.text.is_empty()),
            "{reason:?}"
        );
    }
}

#[test]
fn x10_a_full_table_takes_nobody_in_and_counts_it() {
    let mut stage = Stage::new(|options| options.members_max = 4);
    for nth in 1..=3 {
        stage.introduce(nth);
    }
    stage.say(1, &[is_alive(9, 1, 1)]);
    assert_eq!((stage.state(9), stage.node.counts().total()), (None, 4));
    assert_eq!(stage.node.stats().rejected_for(Reject::TableFull), 1);
    stage.say(1, &[is_alive(1, 1, 2)]);
    assert_eq!(stage.belief(1), "alive 1.2", "members go on");
    stage.fail(2, (1, 1), 1);
    stage.say(1, &[is_alive(2, 1, 2)]);
    assert_eq!(stage.belief(2), "alive 1.2");
}

#[test]
fn x10_who_is_forgotten_makes_room() {
    let mut stage = Stage::new(|options| options.members_max = 2);
    stage.introduce(1);
    stage.say(1, &[has_left(1, 1, 1)]);
    stage.run(30 * SECOND);
    stage.introduce(2);
    assert_eq!(stage.node.counts().total(), 2);
}

#[test]
fn x10_a_flood_of_names_ends_at_the_limit() {
    let mut stage = Stage::new(|options| options.members_max = 500);
    stage.audited = false;
    for chunk in (1..5_000).collect::<Vec<_>>().chunks(100) {
        let claims: Vec<_> = chunk.iter().map(|&nth| is_alive(nth, 1, 1)).collect();
        stage.say(1, &claims);
    }
    assert_eq!(stage.node.counts().total(), 500);
    assert_eq!(stage.node.stats().rejected_for(Reject::TableFull), 4_999 - 499);
    let reports = stage.events.iter().filter(|event| {
        matches!(event, crate::EventKind::Rejected { reject: Reject::TableFull, .. })
    });
    assert_eq!(reports.count(), 1, "X16: reported at the first, not for each");
}

/// X6, X19: nobody else is at our own address. Whoever believed that would send to itself.
#[test]
fn x6_nobody_is_taken_in_at_our_own_address() {
    let mut stage = Stage::new(|_| {});
    stage.introduce(1);
    let addr = stage.node.local().addr;
    let before = stage.node.stats().claims_refused;
    stage.say(1, &[Message::Claim(Claim::Alive(Alive { addr, ..alive(9, 1, 1) }))]);
    assert_eq!(stage.state(9), None);
    assert_eq!(stage.node.stats().claims_refused, before + 1);
}
