//! Hundreds of small clusters with random settings in which everything goes wrong at random, while
//! the tables, the events and the broadcasts are checked after every step (S1-S7, S10, E1-E4, P5).
//! Then every fault is off, and all must agree within the bound computed from the settings (L1).
//!
//! A failure prints its seed. `SWIM_SWARM_SEEDS=7` runs that one, `=1000..2000` runs those.

use std::{ops::Range, panic, thread, time::Duration};

use crate::support::{
    Id, SECOND, Watch, World,
    chaos::{self, Settings, Tried},
    name,
    network::Chance,
    tally::Tally,
};
use swim_core::{MemberChange, Stats};

const SEEDS: Range<u64> = 1..201;
/// Seeds that once found something.
const FOUND: [u64; 6] = [1_205, 2_086, 2_149, 3_109, 3_593, 4_052];
const THREADS: usize = 2;

#[test]
fn safety_holds_in_chaos_and_calm_brings_agreement() {
    let chosen = chosen_seeds();
    let is_whole = chosen.is_none();
    let seeds: Vec<u64> = chosen.map_or_else(|| SEEDS.chain(FOUND).collect(), Iterator::collect);
    let mut report = Report::default();
    thread::scope(|scope| {
        let part = |offset: usize| {
            let seeds = seeds.iter().copied().skip(offset).step_by(THREADS);
            scope.spawn(move || seeds.map(attempt).fold(Report::default(), Report::with))
        };
        let parts: Vec<_> = (0..THREADS).map(part).collect();
        for part in parts {
            report = std::mem::take(&mut report).with(part.join().expect("panics were caught"));
        }
    });
    report.print();
    let failed = &report.failed;
    assert!(
        failed.is_empty(),
        "run one alone with SWIM_SWARM_SEEDS=seed; these failed: {failed:?}"
    );
    if is_whole {
        report.fail_if_vacuous();
    }
}

/// One cluster, whose failure does not keep the others from being tried.
fn attempt(seed: u64) -> Report {
    panic::catch_unwind(|| run(seed)).unwrap_or_else(|_| {
        eprintln!("seed {seed} failed");
        Report { failed: vec![seed], ..Report::default() }
    })
}

/// One cluster: chaos, then calm.
fn run(seed: u64) -> Report {
    let mut chance = Chance::new(seed);
    let settings = Settings::draw(&mut chance);
    let mut world = World::new(seed);
    world.watch = Watch::Safety;
    world.capture = settings.base.keyring.is_some().then(Vec::new);
    let mut tried = Tried::default();
    for id in 0..settings.size {
        chaos::start(&mut world, &settings, &mut chance, &mut tried, id);
    }
    let steps = 20 + chance.below(60);
    for _ in 0..steps {
        chaos::act(&mut world, &settings, &mut chance, &mut tried);
        world.run(chance.span(3 * SECOND));
    }
    let took = calm(&mut world, &settings);
    tried.stats.extend(world.running().into_iter().map(|id| world.node(id).stats().clone()));
    let changes = [
        MemberChange::Failed,
        MemberChange::Left,
        MemberChange::Reaped,
        MemberChange::Recovered,
        MemberChange::Updated,
    ];
    let changes = changes.map(|change| world.count(change));
    let mut spans = Tally::default();
    spans.push(took);
    let (checks, transitions) = (world.safety.checks, world.safety.transitions);
    let failed = Vec::new();
    Report { runs: 1, failed, tried: vec![tried], spans, checks, transitions, changes }
}

/// Every fault off, and those that know nothing of each other introduced.
fn calm(world: &mut World, settings: &Settings) -> Duration {
    world.network.heal();
    world.network.latency.1 = world.network.latency.0 * 3;
    let pauses = world.running().into_iter().map(|id| world.host(id).paused_for(world.now));
    world.run(pauses.max().unwrap_or_default());
    let start = world.now;
    let joins_end = start + 11 * SECOND;
    while world.now < joins_end && !world.agree() {
        world.run(SECOND / 10);
    }
    introduce(world);
    world.run_until(settings.converges_within(), "all to agree", World::agree);
    let took = world.now.saturating_since(start);
    world.run(30 * SECOND);
    assert!(world.agree(), "agreement was lost: {}", world.disagreements());
    world.check_mirrors();
    took
}

/// L5: "beyond it heals if a seed is configured". Joins the islands: nodes that neither know each
/// other nor know anybody who does.
fn introduce(world: &mut World) {
    let nodes = world.taking_part();
    let mut islands: Vec<Vec<Id>> = Vec::new();
    for &id in &nodes {
        let knows = |a: Id, b: Id| world.host(a).mirror.knows(&name(b));
        let is_linked = |island: &Vec<Id>| island.iter().any(|&o| knows(id, o) || knows(o, id));
        let (linked, mut rest): (Vec<_>, Vec<_>) = islands.into_iter().partition(is_linked);
        let mut island: Vec<Id> = linked.into_iter().flatten().collect();
        island.push(id);
        rest.push(island);
        islands = rest;
    }
    for pair in islands.windows(2) {
        world.join(pair[0][0], &[pair[1][0]]);
    }
}

/// What the runs exercised.
#[derive(Default)]
struct Report {
    runs: usize,
    failed: Vec<u64>,
    tried: Vec<Tried>,
    spans: Tally,
    checks: u64,
    transitions: u64,
    changes: [u64; 5],
}

impl Report {
    fn with(mut self, other: Self) -> Self {
        self.runs += other.runs;
        self.failed.extend(other.failed);
        self.tried.extend(other.tried);
        self.spans.extend(&other.spans);
        self.checks += other.checks;
        self.transitions += other.transitions;
        for (sum, more) in self.changes.iter_mut().zip(other.changes) {
            *sum += more;
        }
        self
    }

    fn sum(&self, of: impl Fn(&Tried) -> u64) -> u64 {
        self.tried.iter().map(of).sum()
    }

    fn stat(&self, of: impl Fn(&Stats) -> u64) -> u64 {
        self.tried.iter().flat_map(|tried| &tried.stats).map(of).sum()
    }

    /// What was done to the nodes, and what they did.
    fn counts(&self) -> Vec<(&'static str, u64)> {
        let [failed, left, reaped, recovered, updated] = self.changes;
        vec![
            ("crashes", self.sum(|t| t.crashes)),
            ("starts", self.sum(|t| t.restarts)),
            ("older lives", self.sum(|t| t.older_lives)),
            ("pauses", self.sum(|t| t.pauses)),
            ("leaves", self.sum(|t| t.leaves)),
            ("returns", self.sum(|t| t.returns)),
            ("removals", self.sum(|t| t.removals)),
            ("updates", self.sum(|t| t.updates)),
            ("broadcasts", self.sum(|t| t.broadcasts)),
            ("messages", self.sum(|t| t.messages)),
            ("cuts", self.sum(|t| t.cuts)),
            ("replays", self.sum(|t| t.replays)),
            ("failed seen", failed),
            ("left seen", left),
            ("reaped seen", reaped),
            ("recovered seen", recovered),
            ("updated seen", updated),
            ("refutations", self.stat(|s| s.refutations)),
            ("saved by relay", self.stat(|s| s.probes_saved_by_relay)),
            ("saved by stream", self.stat(|s| s.probes_saved_by_stream)),
            ("nacks", self.stat(|s| s.nacks)),
            ("suspicions expired", self.stat(|s| s.suspicions_expired)),
            (
                "expired confirmed",
                self.stat(|s| s.suspicions_expired)
                    - self.stat(|s| s.suspicions_expired_unconfirmed),
            ),
            ("expired unconfirmed", self.stat(|s| s.suspicions_expired_unconfirmed)),
            ("repairs", self.stat(|s| s.repairs)),
            ("broadcast repairs", self.stat(|s| s.broadcast_repairs)),
            ("broadcasts delivered", self.stat(|s| s.broadcasts_delivered)),
            ("broadcasts repeated", self.stat(|s| s.broadcasts_repeated)),
            ("exchanges", self.stat(|s| s.exchanges)),
            ("exchanges failed", self.stat(|s| s.exchanges_failed)),
            ("degraded probes", self.stat(|s| s.probes_degraded)),
            ("pauses noticed", self.stat(|s| s.pauses)),
            ("rejected", self.stat(Stats::rejected)),
            ("unknown claims", self.stat(|s| s.claims_unknown)),
            ("table checks", self.checks),
            ("transitions", self.transitions),
        ]
    }

    fn print(&self) {
        println!("{} runs agreed: {}", self.runs, self.spans);
        for (what, count) in self.counts() {
            println!("{count:>10} {what}");
        }
    }

    fn fail_if_vacuous(&self) {
        let missing = self.counts().into_iter().filter(|(_, count)| *count == 0);
        let missing: Vec<&str> = missing.map(|(what, _)| what).collect();
        assert!(missing.is_empty(), "nothing was tested of: {}", missing.join(", "));
    }
}

/// Seeds asked for from outside.
#[expect(clippy::disallowed_methods, reason = "the one who runs the test says so")]
fn chosen_seeds() -> Option<Range<u64>> {
    let text = std::env::var("SWIM_SWARM_SEEDS").ok()?;
    let number = |text: &str| text.parse().expect("SWIM_SWARM_SEEDS is a seed or a range of them");
    Some(match text.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(&text)..number(&text) + 1,
    })
}
