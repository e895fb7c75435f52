//! MR1: everything restarts within seconds, while old news still goes about.

use std::time::Duration;

use swim_core::{Instant, State};

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
    trial::Trial,
};
use crate::{
    action::Action,
    chance::{Chance, Purpose},
    measure::Figure,
    network::HostId,
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "mr1",
    title: "Mass restart without memory",
    source: "field reports of restarts that left live nodes dead for hours",
    measures: "seconds from the last start until all believe all to be alive as they are",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(
        "500 members; 50 of them have said 20 times something new, so that their incarnations are \
         high, have crashed, and are held for dead by all others. Then all start anew within 5 s, \
         in random order (the 450 are away for a second), and join through five of them. With a \
         clock their lives are later than all before; without one they begin again with small ones."
            .into(),
    );
    let seeds: Vec<u64> = plan.seeds(5, 20).collect();
    for (is_forgetful, cell) in [(false, "with a clock"), (true, "without a clock")] {
        let found = plan.spread(&seeds, |&seed| restart(MEMBERS, DEAD, is_forgetful, seed));
        let took: Vec<f64> = found.iter().map(|it| it.took.unwrap_or(f64::NAN)).collect();
        let held: Vec<f64> = found.iter().map(|it| it.held_dead * 100.0).collect();
        outcome.rows.extend([
            Row::new(cell, "held for dead before, %").shipped(Figure::mean(&held)),
            Row::new(cell, "all alive everywhere, mean, s").shipped(Figure::mean(&took)),
            Row::new(cell, "all alive everywhere, worst, s")
                .shipped(Figure::percentile(&took, 1.0))
                .bar(Bar::AtMost(10.0)),
        ]);
        outcome.runs.extend(seeds.iter().zip(&took).map(|(&seed, &took)| Run {
            cell: cell.to_owned(),
            seed,
            metrics: vec![("took", took)],
        }));
    }
    outcome
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Restart {
    /// Seconds from the last start until all agree, if they do.
    took: Option<f64>,
    /// The share of the crashed that the others held for dead when the restarts began.
    held_dead: f64,
}

/// All restart.
fn restart(n: usize, dead: usize, is_forgetful: bool, seed: u64) -> Restart {
    let mut trial = Trial::new(n, dead, seed);
    let faulty = trial.faulty();
    for _ in 0..UPDATES {
        for &host in &faulty {
            trial.world.update(host);
        }
        trial.run(1);
    }
    for &host in &faulty {
        trial.world.crash(host);
    }
    let healthy = trial.healthy();
    let held = |trial: &Trial| {
        let holds = |&(host, subject): &(HostId, HostId)| {
            trial.world.view(host, subject) == Some(State::Dead)
        };
        let pairs = healthy.iter().flat_map(|&host| faulty.iter().map(move |&dead| (host, dead)));
        pairs.filter(holds).count() as f64 / (healthy.len() * faulty.len()) as f64
    };
    for _ in 0..WAIT {
        trial.run(1);
        if held(&trial) >= 1.0 {
            break;
        }
    }
    let held_dead = held(&trial);
    let mut luck = Chance::of(seed, Purpose::Faults, n as u64);
    let begun_at = trial.world.now;
    let mut plan: Vec<(Instant, Action)> = Vec::new();
    for host in 0..n {
        let start = Action::Start { host, seeds: SEEDS.to_vec(), forgetful: is_forgetful };
        if faulty.contains(&host) {
            plan.push((begun_at + luck.span(WITHIN), start));
        } else {
            let down_at = begun_at + luck.span(WITHIN - AWAY);
            plan.push((down_at, Action::Crash { host }));
            plan.push((down_at + AWAY, start));
        }
    }
    plan.sort_by_key(|&(at, _)| at);
    let world = &mut trial.world;
    for (at, action) in &plan {
        world.run_to(*at);
        let is_done = world.act(action, &|_, _| {});
        assert!(is_done, "{action:?} makes sense");
    }
    let started_at = world.now;
    // Whether all agree is much to look at; a hundredth of a second is close enough.
    for _ in 0..LOOKS {
        if world.agree() {
            let took = Some(world.now.saturating_since(started_at).as_secs_f64());
            return Restart { took, held_dead };
        }
        world.run(LOOK);
    }
    Restart { took: None, held_dead }
}

const MEMBERS: usize = 500;
const DEAD: usize = 50;
const SEEDS: [HostId; 5] = [0, 1, 2, 3, 4];
/// How often the later dead say something new, once a second.
const UPDATES: usize = 20;
/// Within so many seconds their failure must be known to all.
const WAIT: u64 = 25;
/// Within this time all start anew.
const WITHIN: Duration = Duration::from_secs(5);
/// For how long a process is away.
const AWAY: Duration = Duration::from_secs(1);
/// How often one looks whether all agree before the cluster is given up, and how far apart.
const LOOKS: u32 = 12_000;
const LOOK: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l9_all_restart_and_nobody_stays_dead() {
        for is_forgetful in [false, true] {
            let found = restart(60, 6, is_forgetful, 1);
            assert!(found.took.is_some_and(|took| took <= 10.0), "{is_forgetful}: {found:?}");
            assert!(found.held_dead > 0.9, "{found:?}");
        }
    }
}
