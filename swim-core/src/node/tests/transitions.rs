//! The whole table of transitions: what each claim does to a member in each state.

use std::{format, string::String};

use super::{
    script,
    stage::Stage,
    words::{addr, alive, has_left, is_dead, is_suspect},
};
use crate::{
    event::EventKind,
    wire::{Alive, Claim, Message},
};

/// A claim about p1, carried by p2: `suspect 1.5`, `alive 2.1 elsewhere`.
fn claim(line: &str) -> Message<'static> {
    let mut words = line.split(' ');
    let (kind, stamp) = (words.next().unwrap(), words.next().unwrap());
    let (life, incarnation) = stamp.split_once('.').unwrap();
    let stamp = (life.parse().unwrap(), incarnation.parse().unwrap());
    match kind {
        "alive" => {
            let claim = alive(1, stamp.0, stamp.1);
            let addr = if words.next().is_some() { addr(8) } else { claim.addr };
            Message::Claim(Claim::Alive(Alive { addr, ..claim }))
        }
        "suspect" => is_suspect(1, stamp, 2),
        "dead" => is_dead(1, stamp, 2),
        "left" => has_left(1, stamp.0, stamp.1),
        _ => panic!("{line}"),
    }
}

/// Says it and describes what followed: the belief, the events, and what others are told.
fn hear(stage: &mut Stage, line: &str) -> String {
    stage.clear();
    stage.say(2, &[claim(line)]);
    let belief = stage.belief(1);
    stage.settle_and_keep();
    stage.let_answer();
    let mut given = belief;
    for change in stage.changes() {
        given += &format!(", {}", change.trim_start_matches("p1 "));
    }
    let is_conflict = |event: &EventKind| matches!(event, EventKind::Conflict { .. });
    if stage.events.iter().any(is_conflict) {
        given += ", conflict";
    }
    if let Some(told) = stage.claims_to(3).last() {
        given += &format!("; tells {}", told.replace(" p1", ""));
    }
    given
}

#[test]
fn memberlist_7_the_table_of_transitions() {
    script::run(include_str!("transitions.txt"), || Stage::with(4, |_| {}), hear);
}
