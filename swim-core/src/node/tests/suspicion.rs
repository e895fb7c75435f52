//! How long a suspicion runs, who shortens it, and that one that is over stays over. Lifeguard,
//! LHA-Suspicion; memberlist suspicion.go.

use std::{string::String, string::ToString, time::Duration};

use super::{
    script,
    stage::Stage,
    words::{NODE, addr, alive, entry, has_left, is_alive, is_dead, is_suspect, name},
};
use crate::{
    member::State,
    name::named,
    wire::{Alive, Claim, ExchangeHead, Message},
};

const LONG: Duration = Duration::from_secs(200);

/// How long the suspicion of p1 runs in all, or what became of it.
pub(super) fn timeout(stage: &Stage) -> String {
    let index = stage.node.table.find(named("p1")).unwrap();
    match stage.node.suspicions.get(&index) {
        Some(suspicion) => {
            let since = stage.node.table.get(index).since();
            suspicion.deadline().saturating_since(since).as_millis().to_string()
        }
        None => stage.state(1).unwrap().to_string(),
    }
}

/// A table of suspicions: `None` until its first command says how many members there are.
fn command(world: &mut Option<Stage>, line: &str) -> String {
    let nth = || match line.rsplit_once(' ').unwrap().1 {
        "n" => 0,
        other => other.trim_start_matches('p').parse().unwrap(),
    };
    if line.starts_with("members") {
        *world = Some(Stage::lan(nth() - 1, |_| {}));
        return String::new();
    }
    let stage = world.as_mut().unwrap();
    let words = line.split(' ').next().unwrap();
    match words {
        "suspect" => {
            let incarnation = if line.contains("again") { 2 } else { 1 };
            // Another than the accuser brings it, if there is a live one.
            let is_there = stage.state(3).is_some_and(State::is_live);
            let carrier = if nth() == 2 && is_there { 3 } else { 2 };
            stage.say(carrier, &[is_suspect(1, (1, incarnation), nth())]);
            // A second accuser does not begin the state anew, so `since` stays where it began.
            if incarnation == 2 {
                let index = stage.node.table.find(named("p1")).unwrap();
                let suspicion = &stage.node.suspicions[&index];
                return suspicion.deadline().saturating_since(stage.now).as_millis().to_string();
            }
        }
        "dead" => {
            stage.fail(nth(), (1, 1), 2);
            return String::new();
        }
        "wait" => stage.run(Duration::from_millis(nth() as u64)),
        _ => panic!("{line}"),
    }
    timeout(stage)
}

#[test]
fn memberlist_8_p3_x8_how_long_a_suspicion_runs() {
    script::run(include_str!("suspicion.txt"), || None, command);
}

/// Confirmations may leave a suspicion less time than it has taken already: then it is over. It is
/// no pause of this node, which would give the suspect that time once more.
#[test]
fn p7_a_suspicion_that_is_over_once_it_is_confirmed_is_no_pause() {
    let mut stage = Stage::lan(8, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    stage.let_answer();
    stage.run(Duration::from_secs(20));
    assert_eq!(stage.belief(1), "suspect 1.1");
    stage.say(3, &[is_suspect(1, (1, 1), 3)]);
    stage.say(4, &[is_suspect(1, (1, 1), 4)]);
    stage.run(Duration::ZERO);
    assert_eq!(stage.belief(1), "dead 1.1");
    assert_eq!(stage.node.stats().pauses, 0);
}

#[test]
fn memberlist_8_on_fire_the_member_is_dead_by_our_word() {
    let mut stage = Stage::lan(8, |_| {});
    stage.say(2, &[is_suspect(1, (1, 3), 2)]);
    stage.settle();
    stage.run(24_u32 * Duration::from_secs(1));
    assert_eq!(stage.belief(1), "dead 1.3");
    assert_eq!(stage.changes(), ["p1 failed"]);
    stage.settle_and_keep();
    assert!(stage.claims_to_any().contains(&"dead p1 1.3 by n".into()));
    let stats = stage.node.stats();
    assert_eq!((stats.suspicions_expired, stats.suspicions_expired_unconfirmed), (1, 1));
}

#[test]
fn memberlist_8_a_confirmed_one_does_not_count_as_degraded() {
    let mut stage = Stage::lan(8, |_| {});
    for from in [2, 3, 4] {
        stage.say(from, &[is_suspect(1, (1, 1), from)]);
    }
    stage.run(LONG);
    let stats = stage.node.stats();
    assert_eq!((stats.suspicions_expired, stats.suspicions_expired_unconfirmed), (1, 0));
}

#[test]
fn memberlist_8_only_as_many_accusers_are_passed_on_as_count() {
    let mut stage = Stage::lan(8, |_| {});
    for from in 2..=6 {
        stage.say(7, &[is_suspect(1, (1, 1), from)]);
        stage.settle_and_keep();
    }
    let told = stage.claims_to_any();
    let by = |nth: usize| std::format!("suspect p1 1.1 by {}", name(nth));
    for from in 2..=4 {
        assert!(told.contains(&by(from)), "{from}");
    }
    assert!(!told.contains(&by(5)) && !told.contains(&by(6)));
}

#[test]
fn p3_a_suspicion_that_is_over_never_fires() {
    let moved = Message::Claim(Claim::Alive(Alive { addr: addr(30), ..alive(1, 2, 1) }));
    let endings: [(&str, &[Message<'_>], State); 5] = [
        ("refuted", &[is_alive(1, 1, 2)], State::Alive),
        ("a new life", &[is_alive(1, 2, 1)], State::Alive),
        ("left", &[has_left(1, 1, 1)], State::Left),
        ("dead and reclaimed", &[is_dead(1, (1, 1), 2), moved], State::Alive),
        ("dead and back", &[is_dead(1, (1, 1), 2), is_alive(1, 1, 2)], State::Alive),
    ];
    for (ending, claims, state) in endings {
        let mut stage = Stage::lan(8, |options| options.reap_after = Duration::from_secs(3600));
        stage.say(2, &[is_suspect(1, (1, 1), 2)]);
        stage.run(Duration::from_secs(3));
        stage.say(2, claims);
        stage.run(Duration::from_secs(22));
        assert_eq!(stage.state(1).unwrap().is_live(), state.is_live(), "{ending}");
        assert_eq!(stage.node.stats().suspicions_expired, 0, "{ending}");
    }
}

#[test]
fn p3_a_second_suspicion_runs_its_own_time() {
    let mut stage = Stage::lan(8, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    stage.run(Duration::from_secs(23));
    stage.say(1, &[is_alive(1, 1, 2)]);
    stage.say(2, &[is_suspect(1, (1, 2), 2)]);
    stage.run(Duration::from_secs(23));
    assert_eq!(stage.belief(1), "suspect 1.2");
    stage.run(Duration::from_secs(1));
    assert_eq!(stage.belief(1), "dead 1.2");
}

/// A table from `from` that has nobody but p1, believed dead.
fn table_says_dead(stage: &mut Stage, from: usize) {
    let id = stage.accept(from);
    let head = ExchangeHead { join: false, entries: 1, state_len: 0 };
    stage.reply(id, &[Message::ExchangeHead(head), entry(alive(1, 1, 1), State::Dead)], true);
}

#[test]
fn memberlist_12_3_a_members_table_confirms_once() {
    let mut stage = Stage::lan(8, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    table_says_dead(&mut stage, 3);
    assert_eq!(timeout(&stage), "11381");
    table_says_dead(&mut stage, 3);
    assert_eq!(timeout(&stage), "11381");
}

/// A place in the table is taken again, and nobody looks through all suspicions for those who said
/// something from there. (M4)
#[test]
fn p3_who_comes_to_stand_where_an_accuser_stood_counts() {
    let mut stage = Stage::with(6, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    let first = stage.node.table.find(named(name(2)));
    let alone = timeout(&stage);
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    assert_eq!(timeout(&stage), alone, "the first accuser never counts");
    stage.say(2, &[has_left(2, 1, 1)]);
    stage.run(Duration::from_secs(31));
    assert_eq!((stage.belief(2), timeout(&stage)), ("unknown".into(), alone.clone()));
    stage.introduce(9);
    assert_eq!(stage.node.table.find(named(name(9))), first, "at the same place");
    stage.say(9, &[is_suspect(1, (1, 1), 9)]);
    let confirmed = timeout(&stage);
    assert_ne!(confirmed, alone);
    stage.say(9, &[is_suspect(1, (1, 1), 9)]);
    assert_eq!(timeout(&stage), confirmed, "nobody counts twice");
}

#[test]
fn x8_a_strangers_table_does_not_confirm() {
    let mut stage = Stage::lan(8, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    table_says_dead(&mut stage, 20);
    assert_eq!(timeout(&stage), "24000");
}

#[test]
fn x8_the_table_of_somebody_dead_does_not_confirm() {
    let mut stage = Stage::lan(8, |_| {});
    stage.fail(8, (1, 1), 2);
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    table_says_dead(&mut stage, 8);
    assert_eq!(timeout(&stage), "24000");
}

#[test]
fn x8_l6_who_is_gone_or_unknown_accuses_nobody() {
    // p8 is dead, p20 was never introduced.
    for teller in [8, 20] {
        let mut stage = Stage::lan(8, |_| {});
        stage.fail(8, (1, 1), 2);
        stage.settle();
        stage.say(teller, &[is_suspect(1, (1, 1), teller), is_dead(2, (1, 1), teller)]);
        stage.say(teller, &[is_suspect(1, (1, 1), 3), is_suspect(NODE, (5, 1), teller)]);
        table_says_dead(&mut stage, teller);
        assert_eq!((stage.belief(1), stage.belief(2)), ("alive 1.1".into(), "alive 1.1".into()));
        assert_eq!(stage.belief(NODE), "alive 5.1", "and no answer is due");
        assert!(stage.node.claims.is_empty(), "nobody is told");
        assert_eq!(stage.node.stats().claims_refused, 5);
        // What it says does not taint what others say.
        stage.say(3, &[is_suspect(1, (1, 1), 3)]);
        assert_eq!(stage.belief(1), "suspect 1.1");
    }
    // One that is held for dead and hears of it speaks under a new stamp, and counts at once.
    let mut stage = Stage::lan(8, |_| {});
    stage.fail(8, (1, 1), 2);
    stage.speaks_under(8, 1, 2);
    stage.say(8, &[is_suspect(1, (1, 1), 8)]);
    assert_eq!((stage.belief(8), stage.belief(1)), ("alive 1.2".into(), "suspect 1.1".into()));
}

#[test]
fn x8_nobodys_word_stays_nobodys() {
    let mut stage = Stage::lan(8, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 50)]);
    assert_eq!(timeout(&stage), "24000");
    assert_eq!(stage.node.stats().accusers_ignored, 1);
    stage.settle_and_keep();
    assert!(stage.claims_to(3).contains(&"suspect p1 1.1 by p1".into()), "not by us");
    // Others pass it on like that too, and it does not confirm what somebody says.
    let mut stage = Stage::lan(8, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    assert_eq!(stage.node.stats().accusers_ignored, 0);
    stage.say(3, &[is_suspect(1, (1, 1), 1)]);
    assert_eq!(timeout(&stage), "24000");
    assert_eq!(stage.node.stats().accusers_ignored, 1);
}
