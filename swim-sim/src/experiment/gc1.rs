//! GC1: how fast gossip alone tells everybody, against the interval, the fan-out, the loss and N.

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
    spreading::{Spreading, spread},
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
         update. Only the published cells are judged. Seeds {}.{}",
        plan.said(40, 40),
        plan.choose(" Quick: intervals 0.2 s and 1 s, fan-out 3, up to 10,000 members.", "")
    ));
    outcome.notes.push(format!(
        "Shipped is our core with everything on, up to 10,000 members; besides the settings we \
         ship, only interval and fan-out are changed.{} Seeds {}, one from 5,000 members on. \
         `busy` is what a member sends in packets while an update is on its way, and its bar is \
         the most that Serf's page allows; `idle` is packets and streams, and its bar says what \
         we take for independent of N.",
        plan.choose(" Quick: with 0.2 s only, and with loss up to 1,000 members.", ""),
        plan.said(2, 10)
    ));
    let mut idle = Vec::new();
    for gossip in cells(plan) {
        measure(plan, &mut outcome, &seeds, gossip);
        let is_measured = !plan.is_quick()
            || (gossip.interval == 0.2 && (gossip.loss == 0.0 || gossip.n <= 1_000));
        if gossip.n <= 10_000 && is_measured {
            let rate = measure_ours(plan, &mut outcome, gossip);
            if gossip.loss == 0.0 && (gossip.interval, gossip.fanout) == (0.2, 3) {
                idle.push(rate);
            }
        }
    }
    let most = idle.iter().map(|rate| rate.value).fold(0.0, f64::max);
    let least = idle.iter().map(|rate| rate.value).fold(f64::INFINITY, f64::min);
    let ratio = Figure { value: most / least, margin: 0.0, samples: idle.len() };
    let row = Row::new("g=0.2 f=3, all N", "idle, most by least").shipped(ratio);
    outcome.rows.push(row.bar(Bar::AtMost(1.1)));
    outcome
}

/// Puts our core's figures beside the model's; returns its idle traffic.
fn measure_ours(plan: &Plan, outcome: &mut Outcome, gossip: Gossip) -> Figure {
    let Gossip { n, interval, fanout, .. } = gossip;
    let cell = name(gossip);
    let (one, few): (Vec<u64>, Vec<u64>) = (vec![1], plan.seeds(2, 10).collect());
    let seeds = if n >= 5_000 { one } else { few };
    let updates = (300 / n).clamp(1, 10);
    // The largest worlds take gigabytes: one at a time.
    let alone = Plan { threads: 1, ..plan.clone() };
    let plan = if n >= 5_000 { &alone } else { plan };
    let found = plan.spread(&seeds, |&seed| spread(gossip, updates, seed));
    let all: Vec<&Spread> = found.iter().flat_map(|found| &found.spreads).collect();
    for (metric, share) in SHARES {
        let times = all.iter().filter_map(|spread| match share {
            Some(share) => spread.when(share),
            None => Some(spread.last()),
        });
        let figure = Figure::mean(&times.collect::<Vec<_>>());
        let row = outcome.row_mut(&cell, metric).expect("the model was measured first");
        row.shipped = Some(figure);
    }
    let missed: Vec<f64> = all.iter().map(|spread| spread.missed() as f64).collect();
    let row = outcome.row_mut(&cell, "missed per update").expect("the model was measured first");
    row.shipped = Some(Figure::mean(&missed));
    let rate = |of: fn(&Spreading) -> f64| Figure::mean(&found.iter().map(of).collect::<Vec<_>>());
    let serf = 1_400.0 * fanout as f64 / interval * 2.0;
    let row = Row::new(&cell, "busy, B/s per member").shipped(rate(|found| found.busy_rate));
    outcome.rows.push(row.bar(Bar::AtMost(serf)));
    let idle = rate(|found| found.idle_rate);
    if gossip.loss == 0.0 {
        outcome.rows.push(Row::new(&cell, "idle, B/s per member").shipped(idle));
    }
    outcome.runs.extend(seeds.iter().zip(&found).map(|(&seed, found)| Run {
        cell: format!("shipped {cell}"),
        seed,
        metrics: vec![
            ("t999", found.spreads[0].when(0.999).unwrap_or(f64::NAN)),
            ("last", found.spreads[0].last()),
            ("missed", found.spreads[0].missed() as f64),
            ("busy_rate", found.busy_rate),
            ("idle_rate", found.idle_rate),
        ],
    }));
    idle
}

fn name(Gossip { n, interval, fanout, loss }: Gossip) -> String {
    format!("n={n} g={interval} f={fanout} loss={}%", loss * 100.0)
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
    let cell = name(gossip);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::plan::Scale;

    #[test]
    fn gc1_the_model_gives_what_was_simulated_directly() {
        let plan = Plan { threads: 2, ..Plan::new(Scale::Quick) };
        let mut outcome = Outcome::new(EXPERIMENT.id);
        let seeds: Vec<u64> = (1..=20).collect();
        for (n, loss) in [(128, 0.0), (1_000, 0.0), (1_000, 0.5)] {
            measure(&plan, &mut outcome, &seeds, Gossip { n, interval: 0.2, fanout: 3, loss });
        }
        let judged = outcome.rows.iter().filter(|row| row.fidelity().is_some()).count();
        assert_eq!((judged, outcome.is_faithful()), (12, true), "{:#?}", outcome.rows);
    }

    #[test]
    fn gc1_our_core_takes_half_of_serfs_time_at_most() {
        let plan = Plan { threads: 2, ..Plan::new(Scale::Quick) };
        let mut outcome = Outcome::new(EXPERIMENT.id);
        for loss in [0.0, 0.25] {
            let gossip = Gossip { n: 128, interval: 0.2, fanout: 3, loss };
            measure(&plan, &mut outcome, &[1], gossip);
            measure_ours(&plan, &mut outcome, gossip);
        }
        let judged = outcome.rows.iter().filter(|row| row.verdict().is_some()).count();
        assert_eq!((judged, outcome.meets_bars()), (4, true), "{:#?}", outcome.rows);
    }
}
