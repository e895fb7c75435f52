//! The simulator against reality: one scenario in both, side by side.
//!
//! What a real run shows is one draw; many seeds show what the simulator holds possible. A real
//! figure must lie among those, give or take what the machine may add that the simulator does not
//! know: processes that wait for a processor.

use std::{fs, path::Path, time::Duration};

use swim_netlab::reality::{Live, Measured, median, rank};
use swim_sim::{scenario::Scenario, span::short};

use crate::harness::{judge, needs_lab};

#[test]
#[ignore = "needs root, ip and nft"]
fn the_simulator_and_real_agents_show_the_same() {
    needs_lab();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/reality.toml");
    let scenario = Scenario::parse(&fs::read_to_string(path).unwrap()).unwrap();
    let simulated: Vec<_> =
        (0..SEEDS).map(|seed| Measured::simulated(&scenario, seed).unwrap()).collect();
    let mut live = Live::run(&scenario).unwrap();
    let account = judge(&mut live.cluster, &[]);
    let real = live.measured(&account.record);
    assert_whole(&real, &simulated);

    let spans = |what: &str, figure: fn(&Measured) -> Duration| {
        let all = Vec::from_iter(simulated.iter().map(figure));
        Row { what: what.into(), all, real: figure(&real) }
    };
    let rows = [
        spans("detection, median", Measured::median_detection),
        spans("detection, last", |it| rank(&it.detection.concat(), 1.0)),
        spans("broadcasts, median", |it| median(&it.broadcasts)),
        spans("broadcasts, 95 %", |it| rank(&it.broadcasts, 0.95)),
        spans("metadata, median", |it| median(&it.updates)),
        spans("metadata, 95 %", |it| rank(&it.updates, 0.95)),
    ];
    println!("| | simulated: least | median | most | real |\n|---|---|---|---|---|");
    rows.iter().for_each(Row::print);
    let rates = Vec::from_iter(simulated.iter().map(|it| it.traffic));
    let (low, high) =
        rates.iter().fold((f64::MAX, 0.0_f64), |it, rate| (it.0.min(*rate), it.1.max(*rate)));
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    println!(
        "| traffic, B/s per node | {low:.0} | {mean:.0} (mean) | {high:.0} | {:.0} |",
        real.traffic
    );

    for row in &rows {
        row.check(if row.what.starts_with("detection") { PROBE_INTERVAL } else { GOSSIP_INTERVAL });
    }
    let off = (real.traffic / mean - 1.0).abs();
    assert!(off <= TRAFFIC_TOLERANCE, "traffic is {:.0} % off", off * 100.0);
}

/// Nobody is missing anywhere: what was never heard must not make figures better.
fn assert_whole(real: &Measured, simulated: &[Measured]) {
    for one in simulated.iter().chain([real]) {
        let heard = [9, 8, 7];
        assert_eq!(Vec::from_iter(one.detection.iter().map(Vec::len)), heard);
        assert_eq!((one.broadcasts.len(), one.updates.len()), (90, 90));
    }
}

/// One figure in both worlds.
struct Row {
    what: String,
    /// Seed by seed.
    all: Vec<Duration>,
    real: Duration,
}

impl Row {
    fn print(&self) {
        let [least, middle, most] = [0.0, 0.5, 1.0].map(|at| short(rank(&self.all, at)));
        println!("| {} | {least} | {middle} | {most} | {} |", self.what, short(self.real));
    }

    fn check(&self, slack: Duration) {
        let (least, most) = (rank(&self.all, 0.0), rank(&self.all, 1.0));
        let is_met = self.real + slack >= least && self.real <= most + slack;
        assert!(is_met, "{}: {:?} is not near {least:?} to {most:?}", self.what, self.real);
    }
}

/// So many runs in virtual time: enough for their extremes to hold all that is usual.
const SEEDS: u64 = 40;

/// What a real run may differ on top: one tick of that which drives it. A process that is not on
/// the processor when its timer fires acts one later.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);
const GOSSIP_INTERVAL: Duration = Duration::from_millis(200);

/// How far real traffic may be off: probes that take a helper on a machine that is busy, and the
/// exchange that a window of time holds at its edge, or does not.
const TRAFFIC_TOLERANCE: f64 = 0.15;
