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
        "10 members lose 80 % of the packets that they send, or of those that they should receive, \
         from 90 s to 860 s of the run; times count from the fault. Streams go on, slowed by \
         retransmissions. Published, of 1,000 members: memberlist on real machines; Rapid went \
         from 1,000 to 990 once, 60 s after the fault; Akka removed healthy members."
            .into(),
    );
    let length = plan.choose(LENGTH_QUICK, LENGTH);
    outcome.notes.push(format!("Here {length} s of it; {LENGTH} s with --full."));
    for (n, quick, full) in SIZES {
        if quick == 0 && plan.is_quick() {
            outcome.notes.push(format!("N={n} is left to --full."));
            continue;
        }
        let seeds: Vec<u64> = plan.seeds(quick, full).collect();
        for is_sent in [true, false] {
            let cell = format!("N={n} 80 % of {}", if is_sent { "sent" } else { "received" });
            let found = plan.spread(&seeds, |&seed| suffer(n, seed, is_sent, length));
            outcome.rows.extend(rows(&cell, n, &found));
            outcome.runs.extend(seeds.iter().zip(&found).map(|(&seed, it)| it.run(&cell, seed)));
        }
    }
    outcome
}

fn rows(cell: &str, n: usize, found: &[Loss]) -> Vec<Row> {
    let figure = |of: fn(&Loss) -> f64| Figure::mean(&found.iter().map(of).collect::<Vec<_>>());
    let most =
        |of: fn(&Loss) -> f64| Figure::percentile(&found.iter().map(of).collect::<Vec<_>>(), 1.0);
    let published = |row: Row, value| if n == MEMBERS { row.published(value) } else { row };
    let row = |metric: &'static str| Row::new(cell, metric);
    vec![
        row("out everywhere within 60 s, of 10")
            .shipped(figure(|it| it.out_soon as f64))
            .bar(Bar::AtLeast(FAULTY as f64)),
        row("out everywhere at some time, of 10").shipped(figure(|it| it.out_ever as f64)),
        published(row("first removal, s"), 39.0).shipped(figure(|it| it.first)),
        published(row("lowest count of anybody"), 992.0).shipped(figure(|it| it.lowest as f64)),
        published(row("count in the end, mean of members"), 996.0)
            .shipped(figure(|it| it.final_count)),
        row("returns of a faulty member, most")
            .shipped(most(|it| it.returns))
            .bar(Bar::AtMost(1.0)),
        row("healthy removed at healthy, sum")
            .shipped(most(|it| it.false_removals.1 as f64))
            .bar(Bar::AtMost(0.0)),
        row("healthy removed at faulty, sum")
            .shipped(most(|it| (it.false_removals.0 - it.false_removals.1) as f64)),
        row("sent per member, KB/s").shipped(figure(|it| it.sent)),
        row("repairs of tables a second, all").shipped(figure(|it| it.repairs)),
        row("repairs of the worst 10 s, all").shipped(most(|it| it.repairs_most)),
    ]
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
    /// Exchanges in a second that a member began because its table differed from a peer's.
    repairs: f64,
    /// How many there were in the busiest ten seconds.
    repairs_most: f64,
}

impl Loss {
    fn run(&self, cell: &str, seed: u64) -> Run {
        let metrics = vec![
            ("out_soon", self.out_soon as f64),
            ("out_ever", self.out_ever as f64),
            ("first", self.first),
            ("lowest", self.lowest as f64),
            ("final", self.final_count),
            ("returns", self.returns),
            ("fp", self.false_removals.0 as f64),
            ("fp_healthy", self.false_removals.1 as f64),
            ("sent", self.sent),
            ("repairs", self.repairs),
            ("repairs_most", self.repairs_most),
        ];
        Run { cell: cell.to_owned(), seed, metrics }
    }
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
    let repairs = |trial: &Trial| {
        (0..n).map(|host| trial.world.node(host).stats().repairs).sum::<u64>() as f64
    };
    let before = repairs(&trial);
    let (mut repairs_most, mut so_far) = (0.0_f64, before);
    for _ in 0..seconds / SLICE {
        trial.run(SLICE);
        let now = repairs(&trial);
        repairs_most = repairs_most.max(now - so_far);
        so_far = now;
    }
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
        repairs: (so_far - before) / seconds as f64,
        repairs_most,
    }
}

/// The published size.
const MEMBERS: usize = 1_000;
/// Members, and seeds of the short and of the whole version.
const SIZES: [(usize, u64, u64); 2] = [(300, 2, 10), (MEMBERS, 0, 20)];
const FAULTY: usize = 10;
const SHARE: f64 = 0.8;
/// Seconds from the fault to the end.
const LENGTH: u64 = 770;
/// The same for the short version: every second of it is a busy one.
const LENGTH_QUICK: u64 = 120;
/// Seconds over which the busiest time is looked for.
const SLICE: u64 = 10;

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
