//! One scenario in two worlds: in virtual time, by the simulator's library, and in real time, by
//! real nodes on a real network. What can be measured in both is measured alike.
//!
//! Bytes are those that nodes give to packets and streams: headers of UDP, TCP and IP are nobody's
//! choice, and the simulator has none.

use std::{io, thread, time::Duration};

use swim_sim::{
    Action,
    measure::percentile,
    network::HostId,
    record::Record,
    scenario::{Expectation, Scenario},
};

use crate::{
    clock,
    cluster::{Cluster, Setup, name},
    node::Node,
    program::Program,
};

/// What one run of a scenario showed.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// How long each crash took to be known, to each that lived on: crash by crash.
    pub detection: Vec<Vec<Duration>>,
    /// How long broadcasts took to each receiver.
    pub broadcasts: Vec<Duration>,
    /// How long changed metadata took to each receiver.
    pub updates: Vec<Duration>,
    /// Bytes a second that a node sent on average while nothing happened.
    pub traffic: f64,
}

/// Something that was said, when, and by whom.
#[derive(Debug)]
struct Said {
    at: Duration,
    host: HostId,
    text: String,
}

impl Measured {
    /// Runs a scenario in virtual time.
    ///
    /// # Errors
    ///
    /// When something in it did not become as it expects, or it measures nothing.
    pub fn simulated(scenario: &Scenario, seed: u64) -> Result<Self, String> {
        let outcome = scenario.run(seed, &mut |_| {}, &mut |_| {});
        if !outcome.is_passed() {
            return Err(format!("seed {seed}: {:?} {:?}", outcome.violation, outcome.verdicts));
        }
        let (from, until) = quiet(scenario)?;
        let crashes = scenario.actions.iter().filter_map(|timed| match timed.action {
            Action::Crash { host } => Some((timed.at, host)),
            _ => None,
        });
        let record = outcome.record;
        Ok(Self {
            detection: crashes.map(|crash| detected(&record, crash)).collect(),
            traffic: record.traffic(from, until).ok_or("no time to measure traffic in")?,
            broadcasts: record.arrivals,
            updates: record.updates,
        })
    }

    /// How long a crash took to be known, on the median: the median of all crashes.
    #[must_use]
    pub fn median_detection(&self) -> Duration {
        median(&Vec::from_iter(self.detection.iter().map(|times| median(times))))
    }
}

/// A run of a scenario by real nodes.
#[derive(Debug)]
pub struct Live {
    /// The nodes, as the scenario leaves them.
    pub cluster: Cluster,
    crashes: Vec<(Duration, HostId)>,
    broadcasts: Vec<Said>,
    updates: Vec<Said>,
    traffic: f64,
}

impl Live {
    /// Runs a scenario that begins cold, in real time.
    ///
    /// # Errors
    ///
    /// When the system refuses something, or the scenario does what is done in virtual time only.
    pub fn run(scenario: &Scenario) -> io::Result<Self> {
        let quiet = quiet(scenario).map_err(io::Error::other)?;
        let setup = Setup {
            hosts: scenario.nodes,
            profile: scenario.profile,
            settings: scenario.settings.clone(),
            key: None,
            programs: vec![Program::swim()?],
        };
        let mut cluster = Cluster::new(setup)?;
        let began = clock::now();
        cluster.start_all()?;
        let sleep_until = |at| thread::sleep((began + at).saturating_duration_since(clock::now()));
        sleep_until(quiet.0);
        let before = counts(&mut cluster)?;
        sleep_until(quiet.1);
        let after = counts(&mut cluster)?;
        let rates = before.iter().zip(&after).map(|(before, after)| {
            (after.1 - before.1) as f64 / after.0.saturating_sub(before.0).as_secs_f64()
        });
        let traffic = rates.sum::<f64>() / before.len() as f64;
        let (crashes, broadcasts, updates) = (Vec::new(), Vec::new(), Vec::new());
        let mut live = Self { cluster, crashes, broadcasts, updates, traffic };
        for (number, timed) in scenario.actions.iter().enumerate() {
            sleep_until(timed.at);
            live.act(&timed.action, number)?;
        }
        sleep_until(scenario.length);
        Ok(live)
    }

    /// What it showed, with the record of its cluster.
    #[must_use]
    pub fn measured(&self, record: &Record) -> Measured {
        let nodes = |said: &Said| {
            let runs = self.cluster.runs().iter().enumerate();
            let others = runs.filter(|(host, _)| *host != said.host).flat_map(|(_, runs)| runs);
            Vec::from_iter(others)
        };
        let spread = |all: &[Said], event: &str, field: &str| {
            let heard = all.iter().flat_map(|said| {
                nodes(said).into_iter().filter_map(|node| heard(node, said, event, field))
            });
            heard.collect()
        };
        Measured {
            detection: self.crashes.iter().map(|crash| detected(record, *crash)).collect(),
            broadcasts: spread(&self.broadcasts, "user", "payload"),
            updates: spread(&self.updates, "member-update", "meta"),
            traffic: self.traffic,
        }
    }

    fn act(&mut self, action: &Action, number: usize) -> io::Result<()> {
        // As long as what the simulator says.
        let text = format!("{number:08}");
        let at = clock::time_of_day();
        match *action {
            Action::Crash { host } => {
                self.crashes.push((at.saturating_sub(self.cluster.began()), host));
                self.cluster.crash(host)
            }
            Action::Broadcast { host } => {
                self.cluster.node(host)?.order(&format!("broadcast {text}"))?;
                self.broadcasts.push(Said { at, host, text });
                Ok(())
            }
            Action::Update { host } => {
                self.cluster.node(host)?.order(&format!("meta {text}"))?;
                self.updates.push(Said { at, host, text });
                Ok(())
            }
            _ => Err(io::Error::other(format!("{action:?} is done in virtual time only"))),
        }
    }
}

/// The middle of some spans of time, or none of none.
#[must_use]
pub fn median(spans: &[Duration]) -> Duration {
    rank(spans, 0.5)
}

/// A percentile of some spans of time, `at` from 0 to 1; none of none.
#[must_use]
pub fn rank(spans: &[Duration], at: f64) -> Duration {
    let mut seconds = Vec::from_iter(spans.iter().map(Duration::as_secs_f64));
    seconds.sort_unstable_by(f64::total_cmp);
    Duration::try_from_secs_f64(percentile(&seconds, at)).unwrap_or_default()
}

/// When each that lived on said that a host's node failed, after its crash.
fn detected(record: &Record, (crashed, host): (Duration, HostId)) -> Vec<Duration> {
    let is_it = |at: Duration, subject| subject == host && at >= crashed;
    let failures = record.failures.iter().filter(|it| is_it(it.at, it.subject));
    failures.map(|failure| failure.at.saturating_sub(crashed)).collect()
}

/// How long it took until a node heard something.
fn heard(node: &Node, said: &Said, event: &str, field: &str) -> Option<Duration> {
    let (from, text) = (name(said.host), said.text.as_str());
    let at = node.lines.look(|lines| {
        let mut lines = lines.iter();
        let line = lines
            .find(|line| line["event"] == event && line["node"] == *from && line[field] == text)?;
        clock::parse(line["time"].as_str()?)
    })?;
    Some(at.saturating_sub(said.at))
}

/// What each node has sent so far, and when it was asked.
fn counts(cluster: &mut Cluster) -> io::Result<Vec<(Duration, u64)>> {
    let hosts = 0..cluster.setup().hosts;
    let count = |host| {
        let node = cluster.node(host)?;
        let sent = node.count("bytes_sent")? + node.count("stream_bytes_sent")?;
        Ok((clock::time_of_day(), sent))
    };
    hosts.map(count).collect()
}

/// From when until when nothing happens: where the scenario expects little traffic.
fn quiet(scenario: &Scenario) -> Result<(Duration, Duration), String> {
    let mut windows = scenario.expected.iter().filter_map(|expected| match expected.what {
        Expectation::Traffic { from, until, .. } => Some((from, until)),
        _ => None,
    });
    windows.next_back().ok_or_else(|| "nothing is expected of the traffic".into())
}
