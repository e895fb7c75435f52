//! RA4: ten members lose most of what they send, or most of what is sent to them.

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
    trial::Trial,
};
use crate::measure::Figure;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "ra4",
    title: "Ten members with heavy loss",
    source: "Rapid (ATC 2018), figure 10",
    measures: "who removes whom, and when, while 10 of 1,000 members lose 80 % of their packets",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(
        "10 of 1,000 members lose 80 % of the packets that they send, or of those that they should \
         receive, from 90 s to 860 s of the run; times count from the fault. Streams go on, slowed \
         by retransmissions. Published: memberlist on real machines; Rapid went from 1,000 to 990 \
         once, 60 s after the fault; Akka removed healthy members."
            .into(),
    );
    let seeds: Vec<u64> = plan.seeds(1, 20).collect();
    let length = plan.choose(LENGTH_QUICK, LENGTH);
    outcome.notes.push(format!("Here {length} s of it; {LENGTH} s with --full."));
    let jobs: Vec<(bool, u64)> = [true, false]
        .into_iter()
        .flat_map(|it| seeds.iter().map(move |&seed| (it, seed)))
        .collect();
    let found = plan.spread(&jobs, |&(is_sent, seed)| suffer(MEMBERS, seed, is_sent, length));
    let halves = found.split_at(seeds.len());
    for (cell, found) in [("80 % of sent", halves.0), ("80 % of received", halves.1)] {
        let figure = |of: fn(&Loss) -> f64| Figure::mean(&found.iter().map(of).collect::<Vec<_>>());
        let most = |of: fn(&Loss) -> f64| {
            Figure::percentile(&found.iter().map(of).collect::<Vec<_>>(), 1.0)
        };
        outcome.rows.extend([
            Row::new(cell, "out everywhere within 60 s, of 10")
                .shipped(figure(|it| it.out_soon as f64))
                .bar(Bar::AtLeast(FAULTY as f64)),
            Row::new(cell, "out everywhere at some time, of 10")
                .shipped(figure(|it| it.out_ever as f64)),
            Row::new(cell, "first removal, s").published(39.0).shipped(figure(|it| it.first)),
            Row::new(cell, "lowest count of anybody")
                .published(992.0)
                .shipped(figure(|it| it.lowest as f64)),
            Row::new(cell, "count in the end, mean of members")
                .published(996.0)
                .shipped(figure(|it| it.final_count)),
            Row::new(cell, "returns of a faulty member, most")
                .shipped(most(|it| it.returns))
                .bar(Bar::AtMost(1.0)),
            Row::new(cell, "healthy removed at healthy, sum")
                .shipped(most(|it| it.false_removals.1 as f64))
                .bar(Bar::AtMost(0.0)),
            Row::new(cell, "healthy removed at faulty, sum")
                .shipped(most(|it| (it.false_removals.0 - it.false_removals.1) as f64)),
            Row::new(cell, "sent per member, KB/s").shipped(figure(|it| it.sent)),
        ]);
        outcome.runs.extend(seeds.iter().zip(found).map(|(&seed, it)| Run {
            cell: cell.to_owned(),
            seed,
            metrics: vec![
                ("out_soon", it.out_soon as f64),
                ("out_ever", it.out_ever as f64),
                ("first", it.first),
                ("lowest", it.lowest as f64),
                ("final", it.final_count),
                ("returns", it.returns),
                ("fp", it.false_removals.0 as f64),
                ("fp_healthy", it.false_removals.1 as f64),
                ("sent", it.sent),
            ],
        }));
    }
    outcome
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Loss {
    /// Faulty members that every healthy one had removed within a minute.
    out_soon: usize,
    /// The same at any time of the run.
    out_ever: usize,
    /// Seconds until somebody healthy removed a faulty member for the first time.
    first: f64,
    lowest: usize,
    final_count: f64,
    /// How often a faulty member was taken in again by a healthy one, on average over these; the
    /// worst of the faulty.
    returns: f64,
    false_removals: (u64, u64),
    /// KB that a member sent in a second, on average.
    sent: f64,
}

/// Some members lose most of their packets for so many seconds.
fn suffer(n: usize, seed: u64, is_sent: bool, seconds: u64) -> Loss {
    let mut trial = Trial::new(n, FAULTY, seed);
    let faulty = trial.faulty();
    for &host in &faulty {
        let ends = trial.world.network.ends_mut(host);
        if is_sent {
            ends.loss_sent = SHARE;
        } else {
            ends.loss_received = SHARE;
        }
    }
    trial.run(seconds);
    let out: Vec<f64> = faulty.iter().filter_map(|&host| trial.removed_by_all(host)).collect();
    let counts = trial.healthy().iter().map(|&host| trial.live_at(host) as f64).sum::<f64>();
    Loss {
        out_soon: out.iter().filter(|&&at| at <= 60.0).count(),
        out_ever: out.len(),
        first: trial.first_removal_of_faulty().unwrap_or(f64::NAN),
        lowest: trial.lowest_count(),
        final_count: counts / trial.healthy().len() as f64,
        returns: faulty.iter().map(|&host| trial.returns(host)).fold(0.0, f64::max),
        false_removals: trial.false_removals(),
        sent: trial.sent_mean() / 1_000.0,
    }
}

const MEMBERS: usize = 1_000;
const FAULTY: usize = 10;
const SHARE: f64 = 0.8;
/// Seconds from the fault to the end.
const LENGTH: u64 = 770;
/// The same for the short version: every second of it is a busy one.
const LENGTH_QUICK: u64 = 180;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavy_loss_at_some_harms_nobody_else() {
        for is_sent in [true, false] {
            let found = suffer(100, 1, is_sent, 60);
            assert_eq!(found.false_removals.1, 0, "{found:?}");
            assert!(found.lowest >= 90, "{found:?}");
        }
    }
}
