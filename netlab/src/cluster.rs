//! A cluster of real nodes in a lab: starting, breaking and asking them.
//!
//! Whatever is done is noted down with its time, so that what the nodes say can be judged.

use std::{io, time::Duration};

use rustix::process::Signal;
use serde_json::Value;
use swim_core::{Member, Options, Profile, State};
use swim_sim::{
    Truth as Claims,
    network::HostId,
    scenario::{Assignment, Wire, configure},
};

use crate::{
    clock,
    faults::{End, Faults},
    lab::Lab,
    node::Node,
    program::Program,
    truth::Truth,
};

/// What the nodes of a cluster have in common.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How many hosts there are.
    pub hosts: usize,
    /// The preset.
    pub profile: Profile,
    /// What is different from it.
    pub settings: Vec<Assignment>,
    /// The key that seals, in base64; none for a cluster that is open.
    pub key: Option<String>,
    /// What runs; host by host, and again from the front when there are more hosts.
    pub programs: Vec<Program>,
}

/// Nodes on hosts.
#[derive(Debug)]
pub struct Cluster {
    setup: Setup,
    /// The time of day at which it began.
    began: Duration,
    /// The runs of every host, the last one the present one.
    runs: Vec<Vec<Node>>,
    truth: Truth,
    /// Last: nodes end before their hosts.
    lab: Lab,
}

impl Setup {
    /// So many agents with the preset for data centres.
    ///
    /// # Errors
    ///
    /// When the agent can't be built.
    pub fn lan(hosts: usize) -> io::Result<Self> {
        let programs = vec![Program::swim()?];
        let (profile, settings) = (Profile::Lan, Vec::new());
        Ok(Self { hosts, profile, settings, key: None, programs })
    }

    /// The options that the nodes have, who they are aside.
    #[must_use]
    pub fn options(&self) -> Options {
        let mut options = Options::lan("any", ([127, 0, 0, 1], PORT).into());
        configure(&mut options, self.profile, &self.settings, &Wire::default());
        options
    }
}

impl Cluster {
    /// Makes the hosts; nothing runs on them yet.
    ///
    /// # Errors
    ///
    /// When the system refuses something.
    pub fn new(setup: Setup) -> io::Result<Self> {
        let lab = Lab::new(setup.hosts)?;
        let runs = (0..setup.hosts).map(|_| Vec::new()).collect();
        Ok(Self { setup, began: clock::time_of_day(), runs, truth: Truth::default(), lab })
    }

    /// Starts a node on every host at once; all join through the first three.
    ///
    /// # Errors
    ///
    /// When the system refuses something.
    pub fn start_all(&mut self) -> io::Result<()> {
        (0..self.setup.hosts).try_for_each(|host| self.start(host))
    }

    /// Starts a node, which joins through the first three hosts.
    ///
    /// # Errors
    ///
    /// When the system refuses something.
    pub fn start(&mut self, host: HostId) -> io::Result<()> {
        let programs = &self.setup.programs;
        let program = &programs[host % programs.len()];
        let mut command = self.lab.command(host, &program.path.to_string_lossy());
        let name = name(host);
        command.args(&program.words).args(["--node", &name, "--bind"]);
        command.arg(format!("{}:{PORT}", self.lab.addr(host)));
        command.args(["--profile", &self.setup.profile.to_string()]);
        for change in &self.setup.settings {
            command.args(["--set", &change.to_string().replace(" = ", "=")]);
        }
        for seed in (0..SEEDS.min(self.setup.hosts)).filter(|seed| *seed != host) {
            command.args(["--join", &format!("{}:{PORT}", self.lab.addr(seed))]);
        }
        command.args(["--output", "json", "--events", "all", "--control", "stdin"]);
        match &self.setup.key {
            Some(key) => command.env("SWIM_ENCRYPT", key),
            None => command.env_remove("SWIM_ENCRYPT").arg("--insecure-plaintext"),
        };
        self.truth.start(host, clock::time_of_day());
        self.runs[host].push(Node::start(&name, command)?);
        Ok(())
    }

    /// Ends a process without a word.
    ///
    /// # Errors
    ///
    /// When nothing runs there.
    pub fn crash(&mut self, host: HostId) -> io::Result<()> {
        self.truth.end(host, clock::time_of_day());
        self.node(host)?.kill()
    }

    /// Lets a node leave, and its process end.
    ///
    /// # Errors
    ///
    /// When nothing runs there, or it does not end well.
    pub fn leave(&mut self, host: HostId) -> io::Result<()> {
        self.truth.end(host, clock::time_of_day());
        self.node(host)?.leave()
    }

    /// Stops a process.
    ///
    /// # Errors
    ///
    /// When nothing runs there.
    pub fn freeze(&mut self, host: HostId) -> io::Result<()> {
        self.truth.freeze(host, true, clock::time_of_day());
        self.node(host)?.signal(Signal::STOP)
    }

    /// Lets a stopped process go on.
    ///
    /// # Errors
    ///
    /// When nothing runs there.
    pub fn thaw(&mut self, host: HostId) -> io::Result<()> {
        self.node(host)?.signal(Signal::CONT)?;
        self.truth.freeze(host, false, clock::time_of_day());
        Ok(())
    }

    /// Changes what the network does to packets.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn change_network(&mut self, change: impl FnOnce(&mut Faults)) -> io::Result<()> {
        let before = self.lab.faults().clone();
        let began = clock::time_of_day();
        self.lab.change(change)?;
        let (after, ended) = (self.lab.faults(), clock::time_of_day());
        let hosts = Vec::from_iter(0..self.setup.hosts);
        for &one in &hosts {
            for &other in &hosts[..one] {
                let reach = |faults: &Faults| faults.is_within_reach(one, other, &hosts);
                match (reach(&before), reach(after)) {
                    (true, false) => self.truth.part(one, other, true, began),
                    (false, true) => self.truth.part(one, other, false, ended),
                    (true, true) | (false, false) => {}
                }
            }
        }
        Ok(())
    }

    /// So many of a thousand packets that a host sends, and that are sent to it, are lost from now
    /// on. It excuses nobody: to call somebody failed for it is false.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn lose(&mut self, host: HostId, sent: u32, received: u32) -> io::Result<()> {
        self.change_network(|faults| {
            faults.lose(End::Sent(host), sent);
            faults.lose(End::Received(host), received);
        })
    }

    /// Takes a host's interface down, or up again.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn set_up(&mut self, host: HostId, is_up: bool) -> io::Result<()> {
        if !is_up {
            self.truth.take_offline(host, true, clock::time_of_day());
        }
        self.lab.set_up(host, is_up)?;
        if is_up {
            self.truth.take_offline(host, false, clock::time_of_day());
        }
        Ok(())
    }

    /// Gives a host another address. A node that runs there listens where nobody reaches it any
    /// more, until it is started anew.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn move_host(&mut self, host: HostId) -> io::Result<()> {
        self.truth.strand(host, clock::time_of_day());
        self.lab.move_host(host)
    }

    /// Gives those that are started from now on another key.
    pub fn set_key(&mut self, key: &str) {
        self.setup.key = Some(key.into());
    }

    /// The hosts: their addresses and interfaces.
    #[must_use]
    pub const fn lab(&self) -> &Lab {
        &self.lab
    }

    /// What the nodes have in common.
    #[must_use]
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The node that runs on a host, or ran there last.
    ///
    /// # Errors
    ///
    /// When nothing ran there.
    pub fn node(&mut self, host: HostId) -> io::Result<&mut Node> {
        let last = self.runs.get_mut(host).and_then(|runs| runs.last_mut());
        last.ok_or_else(|| io::Error::other(format!("nothing ran on host {host}")))
    }

    /// Every run of every host.
    #[must_use]
    pub fn runs(&self) -> &[Vec<Node>] {
        &self.runs
    }

    /// What was really so.
    #[must_use]
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The time of day at which it began.
    #[must_use]
    pub const fn began(&self) -> Duration {
        self.began
    }

    /// The hosts on which a node runs.
    #[must_use]
    pub fn running(&self) -> Vec<HostId> {
        (0..self.setup.hosts).filter(|host| self.truth.is_running(*host)).collect()
    }

    /// Waits until all that run agree (L1), and count nobody else as a member.
    ///
    /// # Errors
    ///
    /// What they believe instead when the time is over.
    pub fn wait_agreement(&mut self, limit: Duration) -> io::Result<()> {
        let deadline = clock::now() + limit;
        loop {
            let lists = self.lists()?;
            let Some(found) = disagreement(&lists) else { return Ok(()) };
            if clock::now() > deadline {
                let found = format!("no agreement within {limit:?}: {found}\n{}", self.stories());
                return Err(io::Error::other(found));
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Waits until each of `observers` has said `event` about the node on `subject`, looking only
    /// at lines since the time of day `since`. Returns when the first and the last one did.
    ///
    /// # Errors
    ///
    /// Who did not when the time is over.
    pub fn wait_told(
        &mut self,
        observers: &[HostId],
        event: &str,
        (subject, since): (HostId, Duration),
        limit: Duration,
    ) -> io::Result<(Duration, Duration)> {
        let deadline = clock::now() + limit;
        let is_it = |line: &Value| line["event"] == event && line["node"] == *name(subject);
        let mut times = Vec::new();
        for &observer in observers {
            let left = deadline.saturating_duration_since(clock::now());
            let node = self.node(observer)?;
            let at = node.lines.wait(left, |lines| {
                let mut lines = lines.iter().filter(|line| is_it(line));
                lines.find_map(|line| time_of(line).filter(|at| *at >= since))
            });
            let Some(at) = at else {
                let what = format!("{event} of {} within {limit:?}", name(subject));
                return Err(io::Error::other(format!("did not see {what}: {}", node.story())));
            };
            times.push(at);
        }
        let first = times.iter().min().copied().unwrap_or_default();
        Ok((first, times.iter().max().copied().unwrap_or_default()))
    }

    /// How many times the nodes have said `event` since a time of day, in all.
    #[must_use]
    pub fn count_told(&self, event: &str, since: Duration) -> usize {
        let is_it =
            |line: &&Value| line["event"] == event && time_of(line).is_some_and(|at| at >= since);
        let count = |node: &Node| node.lines.look(|lines| lines.iter().filter(is_it).count());
        self.runs.iter().flatten().map(count).sum()
    }

    /// What all nodes that run say that they know, with their own names.
    fn lists(&mut self) -> io::Result<Vec<(String, Vec<Member>)>> {
        let running = self.running();
        running.into_iter().map(|host| Ok((name(host), self.node(host)?.members()?))).collect()
    }

    fn stories(&self) -> String {
        self.runs.iter().filter_map(|runs| runs.last()).map(Node::story).collect()
    }
}

/// The name of a host's nodes.
#[must_use]
pub fn name(host: HostId) -> String {
    format!("n{host}")
}

/// Who of these does not know what the others say of themselves, or counts others as members.
fn disagreement(lists: &[(String, Vec<Member>)]) -> Option<String> {
    let own = |(name, members): &(String, Vec<Member>)| {
        members.iter().find(|member| *member.name == **name).cloned()
    };
    let claims = Claims::of(lists.iter().filter_map(own));
    lists.iter().find_map(|(name, members)| {
        let live = members.iter().filter(|member| member.state == State::Alive).count();
        let suspects = members.iter().filter(|member| member.state == State::Suspect).count();
        let is_settled = (live, suspects) == (lists.len(), 0);
        let is_true = is_settled && claims.is_known_from(members.iter().cloned());
        let know = || members.iter().map(|it| format!("{} {} {}", it.name, it.state, it.stamp));
        (!is_true).then(|| format!("{name} of {} knows {:?}", lists.len(), Vec::from_iter(know())))
    })
}

/// When a line says that it was written, as time of day.
fn time_of(line: &Value) -> Option<Duration> {
    line["time"].as_str().and_then(clock::parse)
}

/// Where nodes listen: hosts have addresses of their own.
pub const PORT: u16 = 7946;

/// Through how many nodes the others join, as in a scenario.
const SEEDS: usize = 3;

/// How often nodes are asked whether they agree.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
