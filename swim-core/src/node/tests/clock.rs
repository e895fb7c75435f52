//! Time: ticks that come early, late, twice or after a long stop. (P5, P7)

use std::{time::Duration, vec::Vec};

use super::{
    stage::Stage,
    words::{is_alive, is_suspect},
};
use crate::{
    event::EventKind,
    io::{Input, Timer},
    member::State,
    suspicion::Suspicion,
    time::Instant,
};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// A busy node: probing, gossiping, suspecting, exchanging.
fn busy() -> Stage {
    let mut stage = Stage::lan(9, |options| {
        options.push_pull_interval = 10 * SECOND;
        options.reconnect_interval = 7 * SECOND;
        options.repair = true;
    });
    stage.silent.extend([3, 4]);
    stage.fail(5, (1, 1), 1);
    stage.say(1, &[is_suspect(2, (1, 1), 1), is_alive(6, 1, 2)]);
    stage
}

#[test]
fn p5_a_tick_before_its_time_does_nothing() {
    let mut stage = busy();
    stage.clear();
    for _ in 0..100 {
        let (at, _) = stage.timer.unwrap();
        let left = at.saturating_since(stage.now);
        for part in [0, 1, 2, 3] {
            let early = stage.now + left / 4 * part;
            if early < at {
                stage.now = early;
                let before = stage.essence();
                stage.clear();
                (0..3).for_each(|_| stage.handle(Input::Tick));
                assert_eq!(stage.essence(), before);
                assert!(stage.sent.is_empty() && stage.events.is_empty());
                assert_eq!(stage.timer.map(|(at, _)| at), Some(at), "and it is still to come");
            }
        }
        stage.run_to_tick();
    }
}

#[test]
fn p5_after_a_tick_the_next_deadline_lies_ahead() {
    let mut stage = busy();
    for _ in 0..2_000 {
        stage.run_to_tick();
        let next = stage.node.timers.next().map(|(at, _)| at);
        assert!(next.is_none_or(|next| next > stage.now), "{next:?} at {}", stage.now);
    }
    assert!(stage.now > Instant::from_millis(1_060_000), "time goes on");
}

#[test]
fn p5_a_late_tick_serves_everything_that_came_due_once() {
    let mut stage = busy();
    stage.run(SECOND);
    let probes = stage.node.stats().probes;
    stage.sleep(2 * SECOND + 500 * MILLI);
    stage.handle(Input::Tick);
    assert!(stage.node.stats().probes <= probes + 1, "no catching up on what was missed");
    assert!(stage.node.timers.next().is_some_and(|(at, _)| at > stage.now));
}

#[test]
fn p5_the_work_of_one_input_is_bounded() {
    let mut stage = busy();
    for _ in 0..2_000 {
        stage.clear();
        stage.run_to_tick();
        let done = stage.sent.len() + stage.events.len() + stage.steps.len();
        assert!(done <= 64 + 4 * stage.node.counts().total(), "{done}");
    }
}

#[test]
fn p7_a_smaller_now_is_taken_for_the_last_one() {
    let mut stage = busy();
    stage.run(5 * SECOND);
    stage.handle(Input::Tick);
    stage.clear();
    let (last, timer) = (stage.now, stage.timer);
    stage.node.handle(Instant::ORIGIN, Input::Tick);
    for output in core::iter::from_fn(|| stage.node.poll_output()) {
        if let crate::Output::ScheduleTimer { at, .. } = output {
            assert_eq!(Some(at), timer.map(|(at, _)| at), "as if it were still the last one");
        }
    }
    let nonce = stage.call(|node, _| node.ping(last - 5 * SECOND, "p1")).map(|_| stage.pinged(1));
    stage.sleep(30 * MILLI);
    stage.ack(1, nonce.unwrap().unwrap());
    let rtt = stage.events.iter().find_map(|event| match event {
        EventKind::PingFinished { pong: Some(pong), .. } => Some(pong.rtt),
        _ => None,
    });
    assert!(rtt.is_some_and(|rtt| rtt <= 30 * MILLI), "{rtt:?}");
}

/// A node with five suspicions that are about to run out, one after the other.
fn doubtful() -> Stage {
    let mut stage = Stage::lan(12, |_| {});
    for nth in 1..=5 {
        stage.silent.insert(nth);
        stage.say(12, &[is_suspect(nth, (1, 1), 12)]);
        stage.run(50 * MILLI);
    }
    let runs_out =
        |stage: &Stage| stage.node.suspicions.values().map(Suspicion::deadline).min().unwrap();
    while runs_out(&stage) > stage.now + 100 * MILLI {
        stage.run(50 * MILLI);
    }
    assert_eq!(stage.node.counts().suspect, 5);
    stage.clear();
    stage
}

fn failures(stage: &Stage) -> Vec<std::string::String> {
    let mut changes = stage.changes();
    changes.retain(|change| change.ends_with("failed"));
    changes
}

#[test]
fn p7_after_a_stop_at_most_one_failure_is_declared_within_an_interval() {
    for stop in [4, 10, 60, 3_600] {
        for packet_first in [false, true] {
            let mut stage = doubtful();
            stage.sleep(stop * SECOND);
            if packet_first {
                stage.say(12, &[is_alive(12, 1, 2)]);
            } else {
                stage.handle(Input::Tick);
            }
            stage.run(SECOND);
            let failed = failures(&stage);
            assert!(failed.len() <= 1, "{failed:?} after {stop} s");
            assert_eq!((stage.node.stats().pauses, stage.node.health() > 0), (1, true));
        }
    }
}

#[test]
fn p7_suspects_can_still_refute_after_a_stop() {
    let mut stage = doubtful();
    stage.sleep(60 * SECOND);
    stage.handle(Input::Tick);
    for nth in 1..=5 {
        stage.say(nth, &[is_alive(nth, 1, 2)]);
    }
    stage.silent.clear();
    stage.run(100 * SECOND);
    assert!(failures(&stage).len() <= 1);
    for nth in 1..=5 {
        assert_eq!(stage.state(nth), Some(State::Alive));
    }
}

#[test]
fn p7_those_that_are_dead_indeed_are_found_dead_after_all() {
    let mut stage = doubtful();
    stage.sleep(60 * SECOND);
    stage.run(60 * SECOND);
    assert_eq!(failures(&stage).len(), 5);
}

#[test]
fn p7_a_probe_that_could_not_be_answered_blames_nobody() {
    let mut stage = Stage::lan(5, |options| options.stream_pings = false);
    stage.answering = false;
    let (target, _) = stage.run_to_probe();
    stage.sleep(10 * SECOND);
    stage.handle(Input::Tick);
    assert_eq!(stage.state(target), Some(State::Alive));
    assert_eq!((stage.node.stats().probes_failed, stage.node.health()), (0, 1));
    assert!(stage.node.probe.is_none());
    let longest = stage.node.stats().pause_max;
    assert!(longest > 8 * SECOND && longest <= 10 * SECOND, "{longest:?}");
}

#[test]
fn p7_a_long_quiet_is_no_stop() {
    let mut stage = Stage::new(|options| options.gossip_nodes = 0);
    stage.introduce(1);
    stage.answering = true;
    stage.run(Duration::from_secs(10 * 3600));
    assert_eq!((stage.node.stats().pauses, stage.node.health()), (0, 0));
}

#[test]
fn p7_each_stop_is_counted_once_however_many_packets_wait() {
    let mut stage = Stage::lan(5, |_| {});
    for stops in 1..=3 {
        stage.sleep(20 * SECOND);
        for nth in 1..=5 {
            stage.say(nth, &[crate::wire::Message::Direct(b"queued meanwhile")]);
        }
        stage.handle(Input::Tick);
        assert_eq!(stage.node.stats().pauses, stops);
        stage.run(10 * SECOND);
    }
}

#[test]
fn e3_events_are_numbered_from_zero_and_tell_when() {
    let mut node = crate::Node::new(
        crate::Options::lan("n", "10.0.0.1:7946".parse().unwrap()).build().unwrap(),
        [1; 32],
        Instant::from_millis(77),
    );
    node.update_meta(Instant::from_millis(99), "x".into()).unwrap();
    node.leave(Instant::from_millis(120), SECOND).unwrap();
    let mut seen = Vec::new();
    while let Some(output) = node.poll_output() {
        if let crate::Output::Event(event) = output {
            seen.push((event.seq, event.at.as_nanos() / 1_000_000));
        }
    }
    let (numbers, times): (Vec<u64>, Vec<u64>) = seen.into_iter().unzip();
    assert!(numbers.iter().copied().eq(0..numbers.len() as u64) && numbers.len() >= 4);
    assert!(times.is_sorted() && times[0] == 77 && times.last() == Some(&120));
}

#[test]
fn timers_are_asked_for_once_and_say_why() {
    let mut stage = Stage::lan(3, |_| {});
    let mut seen = Vec::new();
    for _ in 0..50 {
        seen.push(stage.run_to_tick());
    }
    assert!(seen.contains(&Timer::ProbeInterval));
    stage.silent.extend([1, 2, 3]);
    let whys: Vec<Timer> = (0..30).map(|_| stage.run_to_tick()).collect();
    assert!(whys.contains(&Timer::ProbeTimeout));
    let (at, _) = stage.timer.unwrap();
    stage.node.handle(stage.now, Input::Tick);
    let again: Vec<_> = core::iter::from_fn(|| stage.node.poll_output()).collect();
    assert_eq!(again.len(), 1, "a tick used up what was asked for, so it is asked again");
    assert!(matches!(again[0], crate::Output::ScheduleTimer { at: asked, .. } if asked == at));
    stage.node.handle(stage.now, Input::Packet { from: super::words::addr(1), data: b"" });
    let more = core::iter::from_fn(|| stage.node.poll_output());
    let timers = more.filter(|output| matches!(output, crate::Output::ScheduleTimer { .. }));
    assert_eq!(timers.count(), 0, "and otherwise only once");
}
