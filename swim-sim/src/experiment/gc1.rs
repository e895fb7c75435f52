//! GC1: how fast gossip alone tells everybody, against the interval, the fan-out, the loss and N.

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    chance::{Chance, Purpose, mix},
    measure::Figure,
    reference::gossip::{Gossip, Spread},
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "gc1",
    title: "Convergence against gossip interval and N",
    source: "Serf's convergence page; memberlist's rules simulated directly",
    measures: "seconds until 50, 99, 99.9 % and all know one update; members never reached",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    let seeds: Vec<u64> = plan.seeds(40, 40).collect();
    outcome.notes.push(format!(
        "Published: memberlist's rules simulated directly; the bar is half of Serf's formula. \
         Each seed spreads several updates, {UPDATES_OF_ALL} members told in all, at least one \
         update. Only the published cells are judged.{}",
        plan.choose(" Quick: intervals 0.2 s and 1 s, fan-out 3, up to 10,000 members.", "")
    ));
    for gossip in cells(plan) {
        measure(plan, &mut outcome, &seeds, gossip);
    }
    outcome
}

fn cells(plan: &Plan) -> Vec<Gossip> {
    let sizes: &[usize] = &[30, 128, 1_000, 2_000, 5_000, 10_000, 100_000];
    let sizes = plan.choose(&sizes[..6], sizes);
    let intervals: &[f64] = plan.choose(&[0.2, 1.0], &[0.2, 0.1, 0.5, 1.0]);
    let fanouts: &[usize] = plan.choose(&[3], &[3, 4]);
    let mut cells = Vec::new();
    for &n in sizes {
        for &interval in intervals {
            for &fanout in fanouts {
                for loss in [0.0, 0.1, 0.25, 0.5] {
                    cells.push(Gossip { n, interval, fanout, loss });
                }
            }
        }
    }
    cells
}

fn measure(plan: &Plan, outcome: &mut Outcome, seeds: &[u64], gossip: Gossip) {
    let Gossip { n, interval, fanout, loss } = gossip;
    let cell = format!("n={n} g={interval} f={fanout} loss={}%", loss * 100.0);
    let updates = (UPDATES_OF_ALL / n).max(1) as u64;
    let spreads: Vec<Vec<Spread>> = plan.spread(seeds, |&seed| {
        let update = |number| {
            let salt = mix(mix(n as u64, fanout as u64), mix(interval.to_bits(), loss.to_bits()));
            gossip.spread(&mut Chance::of(mix(seed, number), Purpose::Model, salt))
        };
        (0..updates).map(update).collect()
    });
    let all: Vec<&Spread> = spreads.iter().flatten().collect();
    let of = |of: &dyn Fn(&Spread) -> Option<f64>| {
        Figure::mean(&all.iter().filter_map(|spread| of(spread)).collect::<Vec<_>>())
    };
    let known =
        DIRECT.iter().find(|row| (row.n, row.loss) == (n, loss) && (interval, fanout) == (0.2, 3));
    for (place, (metric, share)) in SHARES.into_iter().enumerate() {
        let figure = match share {
            Some(share) => of(&|spread| spread.when(share)),
            None => of(&|spread| Some(spread.last())),
        };
        let mut row = Row::new(&cell, metric).plain(figure);
        if let Some(known) = known {
            row = row.published_within(known.seconds[place], 10.0);
        }
        if share == Some(0.999) {
            row = row.bar(Bar::AtMost(gossip.serf_time(0.999) / 2.0));
        }
        outcome.rows.push(row);
    }
    let row =
        Row::new(&cell, "missed per update").plain(of(&|spread| Some(spread.missed() as f64)));
    outcome.rows.push(match known {
        Some(Direct { missed: Some(missed), .. }) => row.published(*missed),
        _ => row,
    });
    let share = of(&|spread| Some(spread.sent as f64 / n as f64));
    outcome.rows.push(Row::new(&cell, "datagrams per member").plain(share));
    outcome.runs.extend(seeds.iter().zip(&spreads).map(|(&seed, spreads)| {
        let first = &spreads[0];
        let when = |share| first.when(share).unwrap_or(f64::NAN);
        Run {
            cell: cell.clone(),
            seed,
            metrics: vec![
                ("t50", when(0.5)),
                ("t99", when(0.99)),
                ("t999", when(0.999)),
                ("last", first.last()),
                ("missed", first.missed() as f64),
            ],
        }
    }));
}

/// What a direct simulation of memberlist's rules gave at 0.2 s and fan-out 3.
struct Direct {
    n: usize,
    loss: f64,
    /// 50 %, 99 %, 99.9 %, last.
    seconds: [f64; 4],
    missed: Option<f64>,
}

const SHARES: [(&str, Option<f64>); 4] = [
    ("50 %, s", Some(0.5)),
    ("99 %, s", Some(0.99)),
    ("99.9 %, s", Some(0.999)),
    ("last, s", None),
];

const DIRECT: [Direct; 5] = [
    Direct { n: 128, loss: 0.0, seconds: [0.38, 0.68, 0.76, 0.76], missed: None },
    Direct { n: 1_000, loss: 0.0, seconds: [0.50, 0.81, 0.93, 1.01], missed: None },
    Direct { n: 2_000, loss: 0.0, seconds: [0.55, 0.85, 0.99, 1.10], missed: None },
    Direct { n: 10_000, loss: 0.0, seconds: [0.65, 0.96, 1.11, 1.31], missed: None },
    Direct { n: 1_000, loss: 0.5, seconds: [0.97, 1.58, 1.88, 2.00], missed: Some(0.3) },
];

/// Small groups scatter more, so each seed spreads more updates there.
const UPDATES_OF_ALL: usize = 2_000;
