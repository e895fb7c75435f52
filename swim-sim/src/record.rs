//! What a run leaves behind for reports: who believed what about whom and when, samples of the
//! traffic and of how far the views agree, what was done to the world, and who was declared failed
//! without having failed.
//!
//! A [`Recorder`] runs the world in slices and looks at it in between. It changes nothing: a run
//! that is recorded has the same trace as one that is not.

use std::{collections::BTreeMap, time::Duration};

use swim_core::{EventKind, Instant, Life, MemberChange, Options, State};

use crate::{
    action::Action, belief::Belief, history::History, machine::Machine, network::HostId,
    scenario::hosts, world::World,
};

/// What a run left behind.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// What it is called.
    pub title: String,
    /// Where its luck came from.
    pub seed: u64,
    /// How many hosts there are, running or not.
    pub hosts: usize,
    /// How long it took, in virtual time.
    pub length: Duration,
    /// The state of things, in even steps of time.
    pub samples: Vec<Sample>,
    /// Changes of what nodes believe of each other, in order.
    pub changes: Vec<Change>,
    /// How many more changes there were than are kept.
    pub changes_dropped: u64,
    /// When processes came and went, in order.
    pub processes: Vec<Process>,
    /// What was done to the world.
    pub marks: Vec<Mark>,
    /// Failures that were declared.
    pub failures: Vec<Failure>,
    /// How long broadcasts took to each receiver.
    pub arrivals: Vec<Duration>,
    /// How long changed metadata took to each receiver.
    pub updates: Vec<Duration>,
}

/// The state of things at one time, and what was sent since the sample before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// When.
    pub at: Duration,
    /// How many nodes take part.
    pub members: usize,
    /// How many of those count all of them, and nobody else, as alive.
    pub settled: usize,
    /// The share of nodes that a node knows as alive, on average.
    pub known: f64,
    /// How many suspicions are open, over all nodes.
    pub suspicions: usize,
    /// Packets sent.
    pub packets: u64,
    /// Their bytes.
    pub packet_bytes: u64,
    /// Bytes sent on streams.
    pub stream_bytes: u64,
    /// Packets lost on the way.
    pub lost: u64,
}

/// Somebody changed his mind about somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Duration,
    /// Who.
    pub observer: HostId,
    /// About whom.
    pub subject: HostId,
    /// To what.
    pub to: Belief,
}

/// What a node told its application about another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Duration,
    /// Who.
    pub observer: HostId,
    /// About whom.
    pub subject: HostId,
    /// What happened to its entry.
    pub change: MemberChange,
    /// Its state after that.
    pub state: State,
}

/// A process came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// When.
    pub at: Duration,
    /// Where.
    pub host: HostId,
    /// Whether it runs now, and takes part.
    pub is_up: bool,
}

/// Something that was done to the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Duration,
    /// Until when, if it ends by itself.
    pub until: Option<Duration>,
    /// What, in a few words.
    pub what: String,
    /// To which hosts; none for the whole network.
    pub hosts: Vec<HostId>,
}

/// A member was declared failed, or another node heard so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: Duration,
    /// By whom.
    pub observer: HostId,
    /// Who.
    pub subject: HostId,
    /// Whether the process ran, was awake, and could reach the observer and be reached.
    pub is_false: bool,
}

/// Records a run.
#[derive(Debug)]
pub struct Recorder {
    record: Record,
    began: Instant,
    slice: Duration,
    sample_every: Duration,
    sampled_at: Instant,
    /// The sums of the last sample.
    sums: [u64; 4],
    /// How many entries of the history were looked at.
    seen: usize,
    /// Each host's process as it was seen last: which, and whether it took part.
    known: Vec<(u32, bool)>,
    hosts_by_name: BTreeMap<String, HostId>,
    held_until: BTreeMap<HostId, Instant>,
}

impl Recorder {
    /// Begins with the world as it is, to run for about `length`.
    pub fn new<M: Machine>(world: &mut World<M>, title: &str, length: Duration) -> Self {
        let seed = world.seed();
        world.history = Some(History::default());
        let mut recorder = Self {
            record: Record { title: title.into(), seed, ..Record::default() },
            began: world.now,
            slice: slice(world.hosts().len()),
            sample_every: (length / SAMPLES).max(slice(world.hosts().len())),
            sampled_at: world.now,
            sums: sums(world),
            seen: 0,
            known: Vec::new(),
            hosts_by_name: BTreeMap::new(),
            held_until: BTreeMap::new(),
        };
        recorder.look(world);
        recorder.first_views(world);
        recorder.sample(world);
        recorder
    }

    /// How long the run has gone on.
    pub fn time<M: Machine>(&self, world: &World<M>) -> Duration {
        world.now.saturating_since(self.began)
    }

    /// How often the world is looked at: times in reports are no more exact than this.
    #[must_use]
    pub const fn slice(&self) -> Duration {
        self.slice
    }

    /// Lets time go by until so long after the beginning.
    pub fn run_to<M: Machine>(&mut self, world: &mut World<M>, time: Duration) {
        let end = self.began + time;
        while world.now < end && world.violation().is_none() {
            let sample_at = self.sampled_at + self.sample_every;
            world.run_to(end.min(world.now + self.slice).min(sample_at.max(world.now)));
            self.look(world);
            if world.now >= sample_at {
                self.sample(world);
            }
        }
    }

    /// Takes in what happened since it looked last, for those who let time go by themselves.
    pub fn glance<M: Machine>(&mut self, world: &World<M>) {
        self.look(world);
        if world.now >= self.sampled_at + self.sample_every {
            self.sample(world);
        }
    }

    /// Remembers that something was done to the world as a whole.
    pub fn note<M: Machine>(&mut self, world: &World<M>, what: &str) {
        let at = self.time(world);
        self.record.marks.push(Mark { at, until: None, what: what.into(), hosts: Vec::new() });
    }

    /// Does something to the world and remembers it; returns whether it made sense.
    pub fn act<M: Machine>(
        &mut self,
        world: &mut World<M>,
        action: &Action,
        options: &dyn Fn(HostId, &mut Options),
    ) -> bool {
        self.look(world);
        let is_done = world.act(action, options);
        if is_done {
            self.mark(world, action);
        }
        self.look(world);
        is_done
    }

    /// What was recorded until now.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Ends here.
    pub fn finish<M: Machine>(mut self, world: &mut World<M>) -> Record {
        self.look(world);
        if world.now > self.sampled_at {
            self.sample(world);
        }
        self.record.length = self.time(world);
        self.record.hosts = world.hosts().len();
        self.record.changes_dropped += world.history.as_ref().map_or(0, |it| it.dropped);
        self.record.arrivals = world.tally.arrivals.clone();
        self.record.updates = world.tally.updates.clone();
        world.history = None;
        self.record
    }

    /// What the nodes believe in the beginning.
    fn first_views<M: Machine>(&mut self, world: &World<M>) {
        for observer in world.running() {
            for member in world.node(observer).members() {
                let Some(&subject) = self.hosts_by_name.get(&*member.name) else { continue };
                let to = Belief::from(Some(member.state));
                self.record.changed(Change { at: Duration::ZERO, observer, subject, to });
            }
        }
    }

    /// Takes in what happened since it looked last.
    fn look<M: Machine>(&mut self, world: &World<M>) {
        self.look_at_processes(world);
        let Some(history) = &world.history else { return };
        let entries = history.entries();
        for entry in &entries[self.seen.min(entries.len())..] {
            let EventKind::Member { change, member } = &entry.event.kind else { continue };
            let Some(&subject) = self.hosts_by_name.get(&*member.name) else { continue };
            let told = Told {
                at: entry.at.saturating_since(self.began),
                observer: entry.host,
                subject,
                change: *change,
                state: member.state,
            };
            let life = member.stamp.life;
            let is_false = told.is_failure() && self.is_well(world, told.observer, subject, life);
            self.record.take(told, is_false);
        }
        self.seen = entries.len();
    }

    fn look_at_processes<M: Machine>(&mut self, world: &World<M>) {
        let at = self.time(world);
        for (host, it) in world.hosts().iter().enumerate() {
            let is_up = it.machine().is_some_and(|machine| !machine.node().has_left());
            if host == self.known.len() {
                self.known.push((0, false));
            }
            if self.known[host] == (it.starts, is_up) {
                continue;
            }
            let was_up = self.known[host].1;
            if was_up && is_up {
                self.record.processes.push(Process { at, host, is_up: false });
            }
            if was_up || is_up {
                self.record.processes.push(Process { at, host, is_up });
            }
            self.known[host] = (it.starts, is_up);
            if let Some(machine) = it.machine() {
                self.hosts_by_name.insert(machine.node().name().to_string(), host);
            }
        }
    }

    /// Whether what was said of `subject` is false: it runs in that life, is awake, and the network
    /// lets it reach `observer` and be reached.
    fn is_well<M: Machine>(
        &self,
        world: &World<M>,
        observer: HostId,
        subject: HostId,
        life: Life,
    ) -> bool {
        let Some(machine) = world.host(subject).machine() else { return false };
        let is_held = self.held_until.get(&subject).is_some_and(|until| *until > world.now);
        machine.node().stamp().life == life
            && !machine.node().has_left()
            && !world.host(subject).is_frozen(world.now)
            && !is_held
            && world.network.is_connected(observer, subject)
    }

    fn mark<M: Machine>(&mut self, world: &World<M>, action: &Action) {
        let at = self.time(world);
        let (what, hosts, span) = describe(action);
        if let Action::Hold { host, span } = action {
            self.held_until.insert(*host, world.now + *span);
        }
        let until = span.map(|span| at + span);
        // One thing done to many hosts at once is one mark.
        if let Some(last) = self.record.marks.last_mut()
            && (last.at, last.until, last.what.as_str()) == (at, until, what.as_str())
            && !hosts.is_empty()
        {
            last.hosts.extend(hosts);
            return;
        }
        self.record.marks.push(Mark { at, until, what, hosts });
    }

    fn sample<M: Machine>(&mut self, world: &World<M>) {
        let members = world.members();
        let mut sample = Sample { at: self.time(world), members, ..Sample::default() };
        let mut known = 0;
        for host in world.taking_part() {
            let counts = world.node(host).counts();
            sample.settled += usize::from((counts.alive, counts.suspect) == (members, 0));
            sample.suspicions += counts.suspect;
            known += counts.alive.min(members);
        }
        sample.known = if members == 0 { 1.0 } else { known as f64 / (members * members) as f64 };
        let now = sums(world);
        let [packets, packet_bytes, stream_bytes, lost] = now;
        sample.packets = packets - self.sums[0];
        sample.packet_bytes = packet_bytes - self.sums[1];
        sample.stream_bytes = stream_bytes - self.sums[2];
        sample.lost = lost - self.sums[3];
        self.sums = now;
        self.sampled_at = world.now;
        self.record.samples.push(sample);
    }
}

impl Record {
    /// Takes in what a node told its application about another. `is_false` says that it calls
    /// somebody failed who runs, is awake and can be reached.
    pub fn take(&mut self, told: Told, is_false: bool) {
        let Told { at, observer, subject, change, state } = told;
        let to = match change {
            MemberChange::Reaped => Belief::Unknown,
            _ => Belief::from(Some(state)),
        };
        if change != MemberChange::Updated {
            self.changed(Change { at, observer, subject, to });
        }
        if told.is_failure() {
            self.failures.push(Failure { at, observer, subject, is_false });
        }
    }

    /// Bytes a second that a node sent on average in this part of the run; nothing if no node took
    /// part from one sample to the next in it.
    #[must_use]
    pub fn traffic(&self, from: Duration, until: Duration) -> Option<f64> {
        let (mut bytes, mut node_seconds) = (0, 0.0);
        for pair in self.samples.windows(2) {
            let [before, sample] = pair else { continue };
            if before.at >= from && sample.at <= until {
                bytes += sample.packet_bytes + sample.stream_bytes;
                let span = (sample.at - before.at).as_secs_f64();
                node_seconds += span * sample.members as f64;
            }
        }
        (node_seconds > 0.0).then(|| bytes as f64 / node_seconds)
    }

    fn changed(&mut self, change: Change) {
        if self.changes.len() < CHANGES_MAX {
            self.changes.push(change);
        } else {
            self.changes_dropped += 1;
        }
    }
}

impl Told {
    /// Whether it says that somebody failed.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.change == MemberChange::Failed
    }
}

/// What an action is in a few words, to whom it is done, and for how long.
fn describe(action: &Action) -> (String, Vec<HostId>, Option<Duration>) {
    let text = |what: &str| what.to_owned();
    match action {
        Action::Start { host, .. } => (text("start"), vec![*host], None),
        Action::Crash { host } => (text("crash"), vec![*host], None),
        Action::Leave { host } => (text("leave"), vec![*host], None),
        Action::Join { host, .. } => (text("join"), vec![*host], None),
        Action::Remove { subject, .. } => (text("remove"), vec![*subject], None),
        Action::Update { host } => (text("update"), vec![*host], None),
        Action::Broadcast { host } => (text("broadcast"), vec![*host], None),
        Action::Freeze { host, span } => (text("freeze"), vec![*host], Some(*span)),
        Action::Hold { host, span } => (text("hold"), vec![*host], Some(*span)),
        Action::Starve { host, span, .. } => (text("starve"), vec![*host], Some(*span)),
        Action::Slow { host, .. } => (text("slow"), vec![*host], None),
        Action::Drift { host, ppm } => (format!("drift {ppm} ppm"), vec![*host], None),
        Action::Jump { host, back, .. } => {
            (text(if *back { "jump back" } else { "jump" }), vec![*host], None)
        }
        Action::SetClock { host, .. } => (text("set clock"), vec![*host], None),
        Action::Forge { host, by, .. } => (format!("forge {by:?}"), vec![*host], None),
        Action::Assault { host, .. } => (text("assault"), vec![*host], None),
        Action::Flood { host, .. } => (text("flood"), vec![*host], None),
        Action::Partition { groups } => {
            let groups: Vec<_> = groups.iter().map(|group| hosts::write(group)).collect();
            (format!("partition {}", groups.join(" | ")), Vec::new(), None)
        }
        Action::Cut { from, to } => {
            (format!("cut {} → {}", hosts::write(from), hosts::write(to)), Vec::new(), None)
        }
        Action::CutPackets { from, to } => {
            let (from, to) = (hosts::write(from), hosts::write(to));
            (format!("cut packets {from} → {to}"), Vec::new(), None)
        }
        Action::Clog { from, to, span } => (format!("clog {from} → {to}"), vec![], Some(*span)),
        Action::Mend => (text("mend"), Vec::new(), None),
        Action::Heal => (text("heal"), Vec::new(), None),
        Action::Links { .. } => (text("links change"), Vec::new(), None),
        Action::Link { from, to, .. } => (format!("link {from} → {to}"), Vec::new(), None),
        Action::Ends { host, .. } => (text("ends change"), vec![*host], None),
        Action::Replays { share } => (format!("replays {share}"), Vec::new(), None),
        Action::Garbage { host, .. } => (text("garbage"), vec![*host], None),
        Action::Send { host, way, .. } => (format!("send {way:?}"), vec![*host], None),
        Action::Misuse { host } => (text("misuse"), vec![*host], None),
        Action::Rotate { host, step, .. } => (format!("rotate {step:?}"), vec![*host], None),
        Action::Intrude { host, fault, .. } => (format!("intrude {fault:?}"), vec![*host], None),
    }
}

fn sums<M: Machine>(world: &World<M>) -> [u64; 4] {
    let tally = &world.tally;
    [tally.packets_sent, tally.packet_bytes_sent, tally.stream_bytes_sent, tally.fates.lost]
}

/// Large worlds are looked at less often, so that looking costs little.
const fn slice(hosts: usize) -> Duration {
    match hosts {
        0..=64 => Duration::from_millis(10),
        65..=512 => Duration::from_millis(50),
        _ => Duration::from_millis(200),
    }
}

/// As many samples as a screen has columns.
const SAMPLES: u32 = 400;

/// Some tens of megabytes in a report: as much as a browser likes to open.
const CHANGES_MAX: usize = 2_500_000;

#[cfg(test)]
mod tests {
    use swim_core::Node;

    use super::*;
    use crate::trace::Trace;

    #[test]
    fn recording_changes_nothing() {
        let run = |is_recorded: bool| {
            let mut world: World<Node> = World::acquainted(12, 5, |_, _| {});
            world.trace = Some(Trace::new());
            let crash = Action::Crash { host: 3 };
            let length = Duration::from_secs(30);
            if is_recorded {
                let mut recorder = Recorder::new(&mut world, "x", length);
                recorder.act(&mut world, &crash, &|_, _| {});
                recorder.run_to(&mut world, length);
                let record = recorder.finish(&mut world);
                assert_eq!(record.failures.len(), 11);
                assert!(record.samples.len() > 300, "{}", record.samples.len());
            } else {
                world.act(&crash, &|_, _| {});
                world.run(length);
            }
            world.trace.map(|trace| trace.digest())
        };
        assert_eq!(run(true), run(false));
    }
}
