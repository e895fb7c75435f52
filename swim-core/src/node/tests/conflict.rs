//! Two nodes of one name: the holder keeps it until it is gone. (X9)

use std::{format, time::Duration, vec::Vec};

use super::{
    stage::Stage,
    words::{NODE, addr, alive, entry, has_left, is_alive},
};
use crate::{
    event::{EventKind, SeedOutcome},
    member::State,
    name::named,
    wire::{Alive, Claim, ExchangeHead, Message},
};

const SECOND: Duration = Duration::from_secs(1);

/// The nth's name claimed from elsewhere.
fn impostor(nth: usize, life: u64) -> Alive<'static> {
    Alive { addr: addr(66), meta: b"impostor", ..alive(nth, life, 1) }
}

fn says(alive: Alive<'static>) -> Message<'static> {
    Message::Claim(Claim::Alive(alive))
}

fn conflicts(stage: &Stage) -> usize {
    stage.events.iter().filter(|event| matches!(event, EventKind::Conflict { .. })).count()
}

#[test]
fn x9_the_holder_keeps_its_name_and_is_challenged() {
    let mut stage = Stage::lan(12, |_| {});
    stage.say(3, &[says(impostor(1, 2))]);
    let member = stage.node.member("p1").unwrap();
    assert_eq!((member.addr, member.meta.len(), member.stamp.life.0), (addr(1), 0, 1));
    let event = stage.events.iter().find_map(|event| match event {
        EventKind::Conflict { holder, other_addr, other_stamp, other_meta } => {
            Some((holder.addr, *other_addr, other_stamp.life.0, other_meta.as_bytes().to_vec()))
        }
        _ => None,
    });
    assert_eq!(event, Some((addr(1), addr(66), 2, b"impostor".to_vec())), "Q31: both sides");
    assert_eq!(stage.run_to_probe().0, 1, "does it live?");
}

#[test]
fn x9_a_holder_that_does_not_answer_dies_and_its_name_is_free() {
    let mut stage = Stage::lan(3, |options| options.stream_pings = false);
    stage.silent.insert(1);
    stage.say(3, &[says(impostor(1, 2))]);
    stage.run(40 * SECOND);
    assert_eq!(stage.state(1), Some(State::Dead));
    stage.say(3, &[says(impostor(1, 2))]);
    assert_eq!(stage.node.member("p1").unwrap().addr, addr(66));
    assert_eq!(stage.belief(1), "alive 2.1");
}

#[test]
fn x9_conflicts_are_reported_now_and_then_and_always_counted() {
    let mut stage = Stage::with(3, |_| {});
    for _ in 0..10 {
        stage.say(3, &[says(impostor(1, 2))]);
    }
    assert_eq!((conflicts(&stage), stage.node.stats().conflicts), (1, 10));
    stage.say(3, &[says(impostor(2, 2))]);
    assert_eq!(conflicts(&stage), 2, "another name is another matter");
    stage.run(5 * SECOND);
    stage.say(3, &[says(impostor(1, 2))]);
    assert_eq!(conflicts(&stage), 3);
}

#[test]
fn p2_x6_claims_to_ever_new_names_stop_no_probe_and_draw_no_packets() {
    let mut stage = Stage::lan(12, |_| {});
    stage.run(30 * SECOND);
    let probes = stage.node.stats().probes;
    stage.clear();
    let claims: Vec<_> = (1..=12).map(|nth| says(impostor(nth, 2))).collect();
    let mut probed = std::collections::BTreeSet::new();
    for _ in 0..120 {
        stage.clear();
        stage.say(3, &claims);
        let told = stage.sent.iter().filter(|sent| {
            sent.messages.iter().any(
                |it| matches!(it, Message::Claim(Claim::Alive(alive)) if alive.addr == addr(66)),
            )
        });
        assert!(told.count() <= 1, "one packet came in");
        stage.run(SECOND / 2);
        probed.extend((1..=12).filter(|&nth| stage.pinged(nth).is_some()));
    }
    assert_eq!(stage.node.stats().probes - probes, 60, "one a second, as ever");
    assert_eq!(probed.len(), 12, "and everybody has its turn");
}

#[test]
fn x9_a_challenge_does_not_disturb_a_probe() {
    let mut stage = Stage::lan(3, |_| {});
    stage.answering = false;
    let (target, nonce) = stage.run_to_probe();
    let other = if target == 1 { 2 } else { 1 };
    stage.say(3, &[says(impostor(other, 2))]);
    stage.ack(target, nonce);
    assert_eq!(stage.node.stats().probes_acked, 1);
}

#[test]
fn x9_p1_a_challenge_is_not_cut_short_by_the_next_probe() {
    let mut stage = Stage::lan(3, |options| options.stream_pings = false);
    stage.answering = false;
    let (target, nonce) = stage.run_to_probe();
    stage.ack(target, nonce);
    stage.run(Duration::from_millis(900));
    stage.say(3, &[says(impostor(1, 2))]);
    stage.run(3 * SECOND);
    let stats = stage.node.stats();
    let ended = stats.probes_acked + stats.probes_failed;
    let running = u64::from(stage.node.probe.is_some());
    assert_eq!(stats.probes, ended + running, "each probe ends, acked or failed");
}

#[test]
fn x9_l11_our_own_name_elsewhere_is_a_conflict_and_no_accusation() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(2, &[says(impostor(NODE, 9))]);
    assert_eq!(stage.belief(NODE), "alive 5.1");
    assert_eq!((conflicts(&stage), stage.node.stats().refutations), (1, 0));
    assert_eq!(stage.node.local().addr, addr(NODE));
    assert!(!stage.node.is_leaving());
}

#[test]
fn x9_a_dead_members_name_waits_for_the_reclaim_time() {
    let reclaim_after = Some(10 * SECOND);
    let mut stage = Stage::with(3, |options| {
        options.reclaim_after = reclaim_after;
        options.reap_after = 1000 * SECOND;
    });
    stage.fail(1, (1, 1), 3);
    stage.run(10 * SECOND - Duration::from_nanos(1));
    stage.say(3, &[says(impostor(1, 2))]);
    assert_eq!((stage.belief(1), conflicts(&stage)), ("dead 1.1".into(), 1));
    stage.run(Duration::from_nanos(1));
    stage.say(3, &[says(impostor(1, 2))]);
    assert_eq!(stage.belief(1), "alive 2.1");
}

#[test]
fn x9_without_reclaim_a_dead_members_name_waits_for_the_reaper() {
    let mut stage = Stage::with(3, |options| options.reclaim_after = None);
    stage.fail(1, (1, 1), 3);
    stage.run(29 * SECOND);
    stage.say(3, &[says(impostor(1, 2))]);
    assert_eq!(stage.belief(1), "dead 1.1");
    stage.run(SECOND);
    stage.say(3, &[says(impostor(1, 1))]);
    assert_eq!(stage.node.member("p1").unwrap().addr, addr(66));
}

/// Three probe intervals, and the time that gossip takes. Whoever says goodbye, be it at first
/// hand: who holds the key can do that in the name of any other.
#[test]
fn x9_the_gone_free_their_name_for_a_newer_life_once_they_could_have_objected() {
    for teller in [1, 2] {
        let mut stage = Stage::lan(3, |options| options.reclaim_after = None);
        stage.say(teller, &[has_left(1, 1, 1)]);
        let grace = 3 * SECOND + stage.node.dissemination_window();
        stage.run(grace - Duration::from_nanos(1));
        stage.say(3, &[says(impostor(1, 2))]);
        assert_eq!((stage.belief(1), conflicts(&stage)), ("left 1.1".into(), 0));
        stage.run(Duration::from_nanos(1));
        stage.say(3, &[says(impostor(1, 1))]);
        assert_eq!(stage.node.member("p1").unwrap().addr, addr(1), "not for the same life");
        stage.say(3, &[says(impostor(1, 2))]);
        assert_eq!((stage.belief(1), at(&stage, 1)), ("alive 2.1".into(), addr(66)));
    }
}

/// The goodbye and the claim come in one packet, from anybody or in the name of the holder, or as
/// lines of one table.
#[test]
fn x9_a_forged_goodbye_and_a_claim_at_once_take_no_name_from_a_live_member() {
    for teller in [1, 3] {
        let mut stage = Stage::lan(3, |_| {});
        stage.say(teller, &[has_left(1, 1, 1), says(impostor(1, 2)), says(impostor(1, 9))]);
        assert_eq!((stage.belief(1), at(&stage, 1)), ("left 1.1".into(), addr(1)));
        holder_is_back(&mut stage);
    }
    let mut stage = Stage::lan(3, |_| {});
    let id = stage.accept(3);
    let head = ExchangeHead { join: false, entries: 2, state_len: 0 };
    let lines = [entry(alive(1, 1, 1), State::Left), entry(impostor(1, 2), State::Alive)];
    stage.reply(id, &[Message::ExchangeHead(head), lines[0], lines[1]], true);
    assert_eq!((stage.belief(1), at(&stage, 1)), ("left 1.1".into(), addr(1)));
    holder_is_back(&mut stage);
}

/// The first asks somebody and is told, and answers; then the other is a second claimant.
fn holder_is_back(stage: &mut Stage) {
    stage.run(2 * SECOND);
    stage.say(1, &[is_alive(1, 2, 1)]);
    stage.run(10 * SECOND);
    stage.say(3, &[says(impostor(1, 9))]);
    assert_eq!((stage.belief(1), at(stage, 1)), ("alive 2.1".into(), addr(1)));
    assert_eq!(conflicts(stage), 1);
}

/// What a node slept through is no time in which it could have heard anybody.
#[test]
fn x9_p7_a_node_that_slept_gives_the_gone_their_time_anew() {
    let mut stage = Stage::lan(3, |_| {});
    stage.say(3, &[has_left(1, 1, 1)]);
    stage.sleep(20 * SECOND);
    stage.say(3, &[says(impostor(1, 2))]);
    assert_eq!((stage.belief(1), at(&stage, 1)), ("left 1.1".into(), addr(1)));
}

fn at(stage: &Stage, nth: usize) -> core::net::SocketAddr {
    stage.node.member(&format!("p{nth}")).unwrap().addr
}

#[test]
fn p3_a_renamed_member_does_not_inherit_the_suspicion() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(1, (1, 1), 3);
    stage.say(3, &[says(impostor(1, 2))]);
    assert!(stage.node.suspicions.is_empty());
}

/// The nth joins through the node, from another address than the name's holder.
fn join_as(stage: &mut Stage, claim: Alive<'static>) -> Vec<Message<'static>> {
    let id = stage.accept_from(addr(66), 66);
    stage.named(66, claim.name.as_str());
    let head = ExchangeHead { join: true, entries: 1, state_len: 0 };
    stage.reply(id, &[Message::ExchangeHead(head), entry(claim, State::Alive)], true);
    let (messages, last) = stage.written(id);
    assert!(last && stage.ended(id) == Some(true));
    messages
}

fn refusal(messages: &[Message<'static>]) -> &'static str {
    match messages {
        [Message::Entry(_), Message::Refused(refusal)] => refusal.text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn x9_a_taken_name_is_refused_at_the_join_with_the_reason() {
    for (nth, life) in [(1, 1), (1, 2), (NODE, 9)] {
        let mut stage = Stage::with(3, |_| {});
        let before = stage.belief(nth);
        let messages = join_as(&mut stage, impostor(nth, life));
        let text = refusal(&messages);
        assert!(text.contains(&format!("{}", addr(nth))), "{text}");
        assert_eq!((stage.belief(nth), conflicts(&stage)), (before, 1));
        assert_eq!(stage.node.stats().exchanges, 0);
    }
}

/// One that left comes back elsewhere before its name is free: that is no conflict, and it is told
/// who has the name, and that he has left.
#[test]
fn x9_a_name_that_is_kept_for_one_that_left_is_refused_at_the_join_with_the_reason() {
    let mut stage = Stage::lan(3, |_| {});
    stage.say(1, &[has_left(1, 1, 1)]);
    let messages = join_as(&mut stage, impostor(1, 2));
    assert!(refusal(&messages).contains("has just left"), "{messages:?}");
    assert!(matches!(&messages[0], Message::Entry(entry) if entry.state == State::Left));
    assert_eq!((stage.belief(1), conflicts(&stage)), ("left 1.1".into(), 0));
}

/// The other side of it: whoever is told so asks again, as long as its join may take.
#[test]
fn x9_l7_our_own_join_under_a_name_that_is_kept_for_one_that_left_goes_on() {
    let mut stage = Stage::new(|options| options.probe_interval = SECOND);
    stage.call(|node, now| node.join(now, &[addr(1)], 10 * SECOND)).unwrap();
    let text = "the name n is kept for a member that has just left";
    for tries in 1..=10 {
        let (id, _) = *stage.dials().last().unwrap();
        assert_eq!(stage.dials().len(), tries);
        stage.stream(id, crate::StreamEvent::Connected);
        let refused = Message::Refused(crate::wire::Refusal { text });
        stage.reply(id, &[entry(impostor(NODE, 3), State::Left), refused], true);
        assert_eq!((conflicts(&stage), stage.seed_outcomes().is_empty()), (0, tries < 10));
        stage.run(SECOND);
    }
    let outcome = stage.seed_outcomes().pop().unwrap();
    assert_eq!(outcome, SeedOutcome::Refused { reason: text.into() });
}

#[test]
fn x9_the_reason_is_readable_however_long_the_name() {
    let long: &'static str = std::boxed::Box::leak("x".repeat(128).into_boxed_str());
    let mut stage = Stage::with(1, |_| {});
    let holder = Alive { name: named(long), addr: addr(70), ..alive(7, 1, 1) };
    stage.say(1, &[says(holder)]);
    let messages = join_as(&mut stage, Alive { addr: addr(66), ..holder });
    assert!(refusal(&messages).starts_with("the name x"));
}

#[test]
fn x9_our_own_join_under_a_taken_name_ends_with_the_reason() {
    let mut stage = Stage::new(|_| {});
    stage.call(|node, now| node.join(now, &[addr(1)], 10 * SECOND)).unwrap();
    let (id, _) = stage.dials()[0];
    stage.stream(id, crate::StreamEvent::Connected);
    let text = "the name n belongs to a live member";
    stage.reply(id, &[Message::Refused(crate::wire::Refusal { text })], true);
    let outcome = stage.seed_outcomes().pop().unwrap();
    assert_eq!(outcome, SeedOutcome::Refused { reason: text.into() });
    assert_eq!(stage.node.counts().total(), 1);
}

#[test]
fn l11_both_sides_hear_of_a_taken_name() {
    let mut stage = Stage::with(3, |_| {});
    let messages = join_as(&mut stage, impostor(1, 2));
    assert!(matches!(&messages[0], Message::Entry(entry) if entry.alive == alive(1, 1, 1)));

    let mut stage = Stage::new(|_| {});
    stage.call(|node, now| node.join(now, &[addr(1)], 10 * SECOND)).unwrap();
    let (id, _) = stage.dials()[0];
    stage.stream(id, crate::StreamEvent::Connected);
    let text = "the name n belongs to a live member";
    let refused = Message::Refused(crate::wire::Refusal { text });
    stage.reply(id, &[entry(impostor(NODE, 3), State::Alive), refused], true);
    let outcome = stage.seed_outcomes().pop().unwrap();
    assert_eq!(outcome, SeedOutcome::Refused { reason: text.into() });
    let event = stage.events.iter().find_map(|event| match event {
        EventKind::Conflict { holder, other_addr, .. } => Some((holder.addr, *other_addr)),
        _ => None,
    });
    assert_eq!(event, Some((addr(NODE), addr(66))));
    assert_eq!((stage.belief(NODE), stage.node.counts().total()), ("alive 5.1".into(), 1));
}

#[test]
fn l11_nothing_but_the_holder_of_our_name_comes_before_a_refusal() {
    for said in [alive(2, 1, 1), alive(NODE, 9, 9)] {
        let mut stage = Stage::new(|_| {});
        stage.call(|node, now| node.join(now, &[addr(1)], 10 * SECOND)).unwrap();
        let (id, _) = stage.dials()[0];
        stage.stream(id, crate::StreamEvent::Connected);
        stage.reply(id, &[entry(said, State::Alive)], true);
        let outcome = stage.seed_outcomes().pop().unwrap();
        assert_eq!(outcome, SeedOutcome::Rejected(crate::Reject::Misplaced));
        assert_eq!((conflicts(&stage), stage.node.counts().total()), (0, 1));
    }
}
