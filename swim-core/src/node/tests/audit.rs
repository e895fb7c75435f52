//! What checkers of simulations see of a node.

use std::{string::String, time::Duration, vec::Vec};

use super::stage::Stage;
use crate::member::State;

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
