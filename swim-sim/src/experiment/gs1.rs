//! GS1: one member that hears nothing, or that nobody hears. In production such a member has set
//! off storms of gossip.

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
    ra2::LARGE,
    trial::Trial,
};
use crate::measure::Figure;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "gs1",
    title: "One member that only sends, or only receives",
    source: "field reports of gossip storms around memberlist",
    measures: "healthy members removed, and messages against those of an idle cluster, 600 s",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(
        "One member receives nothing (deaf) or nothing that it sends arrives (mute), streams \
         included, for 600 s. Messages are packets sent by all, against those of the calm before."
            .into(),
    );
    for (n, quick, full) in SIZES {
        if quick == 0 && plan.is_quick() {
            outcome.notes.push(format!("N={n} is left to --full."));
            continue;
        }
        let threads = if n >= LARGE { 1 } else { plan.threads };
        let plan = Plan { threads, ..plan.clone() };
        let seeds: Vec<u64> = plan.seeds(quick, full).collect();
        for (is_deaf, name) in [(true, "deaf"), (false, "mute")] {
            let cell = format!("N={n} {name}");
            let found = plan.spread(&seeds, |&seed| detach(n, seed, is_deaf, LENGTH));
            let of = |of: fn(&Storm) -> f64| found.iter().map(of).collect::<Vec<_>>();
            outcome.rows.extend([
                Row::new(&cell, "healthy removed at healthy, sum")
                    .shipped(Figure::sum(&of(|it| it.false_removals.1 as f64)))
                    .bar(Bar::AtMost(0.0)),
                Row::new(&cell, "healthy removed by the faulty, mean").shipped(Figure::mean(&of(
                    |it| (it.false_removals.0 - it.false_removals.1) as f64,
                ))),
                Row::new(&cell, "messages, of idle")
                    .shipped(Figure::mean(&of(|it| it.packets)))
                    .bar(Bar::AtMost(1.1)),
                Row::new(&cell, "messages of the worst 10 s, of idle")
                    .shipped(Figure::mean(&of(|it| it.packets_most))),
                Row::new(&cell, "bytes, of idle").shipped(Figure::mean(&of(|it| it.bytes))),
                Row::new(&cell, "suspicions raised at a member")
                    .shipped(Figure::mean(&of(|it| it.suspicions))),
                Row::new(&cell, "returns of the faulty")
                    .shipped(Figure::mean(&of(|it| it.returns))),
            ]);
            outcome.runs.extend(seeds.iter().zip(&found).map(|(&seed, it)| Run {
                cell: cell.clone(),
                seed,
                metrics: vec![
                    ("fp", it.false_removals.0 as f64),
                    ("fp_healthy", it.false_removals.1 as f64),
                    ("packets", it.packets),
                    ("bytes", it.bytes),
                ],
            }));
        }
    }
    outcome
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Storm {
    false_removals: (u64, u64),
    /// Packets sent, against an idle cluster.
    packets: f64,
    /// The same in the busiest ten seconds.
    packets_most: f64,
    /// Bytes of packets and streams, against an idle cluster.
    bytes: f64,
    /// Times that a member began to suspect another, over all members, by member.
    suspicions: f64,
    returns: f64,
}

/// A member is cut off in one direction for so many seconds.
fn detach(n: usize, seed: u64, is_deaf: bool, seconds: u64) -> Storm {
    let mut trial = Trial::new(n, 1, seed);
    let sent = |trial: &Trial| {
        let tally = &trial.world.tally;
        (tally.packets_sent as f64, (tally.packet_bytes_sent + tally.stream_bytes_sent) as f64)
    };
    let start = sent(&trial);
    trial.run(IDLE);
    let idle = sent(&trial);
    let [idle_packets, idle_bytes] =
        [idle.0 - start.0, idle.1 - start.1].map(|sum| sum / IDLE as f64);
    trial.begin();
    let faulty = trial.faulty()[0];
    if is_deaf {
        trial.deafen(faulty);
    } else {
        trial.mute(faulty);
    }
    let (mut packets_most, mut before) = (0.0_f64, idle.0);
    for _ in 0..seconds / SLICE {
        trial.run(SLICE);
        let now = sent(&trial).0;
        packets_most = packets_most.max((now - before) / SLICE as f64 / idle_packets);
        before = now;
    }
    let end = sent(&trial);
    let suspicions = trial.log().suspicions;
    Storm {
        false_removals: trial.false_removals(),
        packets: (end.0 - idle.0) / seconds as f64 / idle_packets,
        packets_most,
        bytes: (end.1 - idle.1) / seconds as f64 / idle_bytes,
        suspicions: suspicions as f64 / n as f64,
        returns: trial.returns(faulty),
    }
}

/// Members, and seeds of the short and of the whole version.
const SIZES: [(usize, u64, u64); 2] = [(1_000, 2, 10), (5_000, 0, 2)];

/// Seconds of the fault.
const LENGTH: u64 = 600;
/// Seconds before it that count as idle.
const IDLE: u64 = 20;
/// Seconds over which the busiest time is looked for.
const SLICE: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l6_one_that_only_sends_or_only_receives_harms_nobody() {
        for is_deaf in [true, false] {
            let found = detach(100, 1, is_deaf, 120);
            assert_eq!(found.false_removals.1, 0, "{found:?}");
        }
    }
}
