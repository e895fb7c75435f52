//! RA1: a large cluster starts: one seed, and then all others at once.

use std::{collections::BTreeSet, time::Duration};

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
    trial::RECEIVE_COST,
};
use crate::{measure::Figure, world::World};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "ra1",
    title: "Bootstrap through one seed",
    source: "Rapid (ATC 2018), figure 5 and table 1",
    measures: "seconds from the joins until all count all, and bytes that each member sent by then",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(
        "One seed at 0 s; all others start at 10 s, in one moment, and join it. Published: \
         memberlist on real machines, from their start, the start of processes and the lack of \
         processors included, so that only the shape compares (Rapid: 29.6, 40.0 and 53.5 s; \
         ZooKeeper 33.3, 80.9 and 165.3 s; Akka, 1,000 nodes: 255 s).\n\
         A table is what one more joiner is sent in the end, compressed as on the wire. N=10000 \
         would take 20 GB here: nodes that learn of each other by themselves share no memory."
            .into(),
    );
    for (n, quick, full, published, bar) in SIZES {
        if quick == 0 && plan.is_quick() {
            outcome.notes.push(format!("N={n} is left to --full."));
            continue;
        }
        let threads = if n > 2_000 { 1 } else { plan.threads };
        let plan = Plan { threads, ..plan.clone() };
        let cell = format!("N={n}");
        let seeds: Vec<u64> = plan.seeds(quick, full).collect();
        let found = plan.spread(&seeds, |&seed| start(n, seed));
        let of = |of: fn(&Start) -> f64| found.iter().map(of).collect::<Vec<_>>();
        let took = Row::new(&cell, "all count all, mean, s")
            .shipped(Figure::mean(&of(|it| it.took)))
            .bar(Bar::AtMost(bar));
        let counts =
            Row::new(&cell, "different counts").shipped(Figure::mean(&of(|it| it.counts as f64)));
        outcome.rows.extend([
            published.map_or(took.clone(), |(seconds, _)| took.published(seconds)),
            published.map_or(counts.clone(), |(_, counted)| counts.published(counted)),
            Row::new(&cell, "sent per member, KB")
                .shipped(Figure::mean(&of(|it| it.sent)).scaled(1e-3)),
            Row::new(&cell, "sent per member, tables")
                .shipped(Figure::mean(&of(|it| it.sent / it.table)))
                .bar(Bar::AtMost(3.0)),
        ]);
        outcome.runs.extend(seeds.iter().zip(&found).map(|(&seed, it)| Run {
            cell: cell.clone(),
            seed,
            metrics: vec![
                ("took", it.took),
                ("counts", it.counts as f64),
                ("sent", it.sent),
                ("table", it.table),
            ],
        }));
    }
    outcome
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Start {
    /// Seconds from the joins until all count all.
    took: f64,
    /// Different counts of live members, looked at once a second.
    counts: usize,
    /// Bytes that a member sent by then, on average: packets and streams.
    sent: f64,
    /// Bytes of the table that a joiner is sent.
    table: f64,
}

/// A cluster starts.
fn start(n: usize, seed: u64) -> Start {
    let mut world: World = World::new(seed);
    let start = |world: &mut World, host| {
        world.start(host, |_| {});
        world.host_mut(host).cpu.receive_cost = RECEIVE_COST;
    };
    start(&mut world, 0);
    world.run(ALONE);
    for host in 1..n {
        start(&mut world, host);
        world.join(host, &[0]);
    }
    let joined_at = world.now;
    let mut counts = BTreeSet::new();
    let mut took = f64::NAN;
    for second in 0..LIMIT {
        counts.extend(world.running().map(|host| world.node(host).counts().live()));
        if let Some(span) = world.run_until(Duration::from_secs(1), World::is_settled) {
            took = second as f64 + span.as_secs_f64();
            break;
        }
    }
    counts.extend(world.running().map(|host| world.node(host).counts().live()));
    debug_assert!(world.now >= joined_at, "time goes on");
    let sent = (world.tally.packet_bytes_sent + world.tally.stream_bytes_sent) as f64 / n as f64;
    world.run(QUIET);
    start(&mut world, n);
    world.join(n, &[0]);
    world.run(QUIET);
    let table = world.node(n).stats().stream_bytes_received as f64;
    Start { took, counts: counts.len(), sent, table }
}

/// Members, seeds of the short and of the whole version, what was published of memberlist (seconds
/// and different counts), and the bar.
type Size = (usize, u64, u64, Option<(f64, f64)>, f64);

const SIZES: [Size; 4] = [
    (1_000, 3, 5, Some((45.7, 901.0)), 10.0),
    (1_500, 2, 5, Some((68.6, 1_383.0)), 10.0),
    (2_000, 2, 5, Some((97.6, 1_858.0)), 10.0),
    (5_000, 0, 1, None, 15.0),
];

/// For how long the seed is alone.
const ALONE: Duration = Duration::from_secs(10);
/// Seconds after which a cluster is given up.
const LIMIT: u64 = 120;
/// Time for what is left to be said.
const QUIET: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_start_within_seconds() {
        let found = start(200, 1);
        assert!(found.took < 5.0, "{found:?}");
        assert!(found.sent > found.table && found.table > 1_000.0, "{found:?}");
    }
}
