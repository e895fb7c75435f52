//! What checkers of simulations see of a node.

use std::{string::String, time::Duration, vec::Vec};

use super::{
    stage::Stage,
    words::{addr, is_alive, is_suspect, name},
};
use crate::{
    Glimpse,
    member::State,
    name::named,
    table::MemberIndex,
    wire::{IndirectPing, Message},
};

type Turn = (String, Option<State>, Option<State>);

fn turns(stage: &mut Stage) -> Vec<Turn> {
    let state = |belief: Option<(crate::Stamp, State)>| belief.map(|(_, state)| state);
    let turns = stage.node.audit_transitions().into_iter();
    turns.map(|turn| (turn.name.as_str().into(), state(turn.before), state(turn.after))).collect()
}

#[test]
fn every_change_of_the_table_is_seen_in_its_order() {
    let mut stage = Stage::with(2, |_| {});
    assert_eq!(turns(&mut stage), [], "nobody wanted to know");
    stage.fail(1, (1, 1), 2);
    let [alive, suspect, dead] = [State::Alive, State::Suspect, State::Dead].map(Some);
    let p1 = || String::from("p1");
    assert_eq!(turns(&mut stage), [(p1(), alive, suspect), (p1(), suspect, dead)]);
    stage.run(Duration::from_secs(31));
    assert_eq!(turns(&mut stage), [(p1(), dead, None)]);
    stage.introduce(1);
    assert_eq!(turns(&mut stage), [(p1(), None, alive)]);
}

fn glimpse(stage: &Stage) -> Glimpse {
    Glimpse::of(&stage.node, &stage.node.audit())
}

/// S9: what a refused packet or stream would change is not overlooked.
#[test]
fn s9_whatever_changes_of_a_node_shows_in_a_glimpse() {
    type Act = (&'static str, fn(&mut Stage));
    let acts: [Act; 11] = [
        ("a suspicion", |stage| stage.say(1, &[is_suspect(2, (1, 1), 1)])),
        ("a new member", |stage| stage.say(1, &[is_alive(4, 1, 1)])),
        ("who answered", |stage| {
            let index = stage.node.table.find(named(name(3))).expect("it was mentioned");
            stage.node.table.validate(index);
        }),
        ("a claim that waits", |stage| {
            let (index, source) = (MemberIndex::SELF, stage.node.own_word());
            stage.node.queue_claim(index, index, source);
        }),
        ("a ping of the application", |stage| {
            stage.call(|node, now| node.ping(now, name(1))).expect("it is a member");
        }),
        ("a ping for another", |stage| {
            let (target, addr) = (Some(named(name(2))), addr(2));
            let ask = IndirectPing { nonce: 7, target, addr, nack: true };
            stage.say(1, &[Message::IndirectPing(ask)]);
        }),
        ("a broadcast", |stage| {
            stage.call(|node, now| node.broadcast(now, "words".into())).expect("there is room");
        }),
        ("a stream that it opens", |stage| {
            let message = "words".into();
            stage.call(|node, now| node.send_reliable(now, name(1), message)).expect("a member");
        }),
        ("a join", |stage| {
            let timeout = Duration::from_secs(9);
            stage.call(|node, now| node.join(now, &[addr(5)], timeout)).expect("a seed");
        }),
        ("a leave", |stage| {
            stage.call(|node, now| node.leave(now, Duration::from_secs(9))).expect("it runs");
        }),
        ("its health", |stage| stage.node.change_health(1)),
    ];
    for (what, act) in acts {
        let mut stage = Stage::with(2, |_| {});
        stage.mention(3);
        stage.settle();
        let before = glimpse(&stage);
        assert_eq!(glimpse(&stage), before);
        act(&mut stage);
        assert!(!glimpse(&stage).is_like_but_for_streams(&before), "{what}");
    }
}

/// S9: what comes with time, whatever comes in, is not taken for what a packet changed.
#[test]
fn s9_a_glimpse_tells_gossip_and_streams_of_peers_apart() {
    let mut stage = Stage::with(3, |options| options.gossip_nodes = 1);
    let before = glimpse(&stage);
    stage.raw(addr(1), b"noise");
    assert_eq!(glimpse(&stage), before);
    stage.accept(1);
    let accepted = glimpse(&stage);
    assert!(!accepted.is_like(&before) && accepted.is_like_but_for_streams(&before));

    stage.say(1, &[is_alive(4, 1, 1)]);
    let before = glimpse(&stage);
    stage.sleep(Duration::from_millis(200));
    stage.clear();
    stage.raw(addr(1), b"noise");
    let after = glimpse(&stage);
    assert_eq!(stage.sent.len(), 1, "a round was due");
    assert!(after != before && after.has_gossiped_since(&before) && after.is_like(&before));

    stage.sleep(Duration::from_secs(20_000));
    stage.raw(addr(1), b"noise");
    assert!(glimpse(&stage).is_woken_since(&before));
}
