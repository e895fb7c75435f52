//! Our nodes among agents of HashiCorp's Serf: everybody lists everybody, whatever becomes of them;
//! and what the agents tell each other passes through ours.

use std::{collections::BTreeMap, env, fs, net::SocketAddr, process};

use swim_interop::{
    agent::Agent,
    cluster::{Cluster, excuse_ends, free_addr},
    peer::{Kind, Peer},
    tape::until,
};

use crate::harness::{KEYS, lab, nobody_complained, programs_and_serf};

/// What ours are told so that they get on with Serf: its versions; to pass on what Serf's agents
/// tell all, who count on it even for their goodbyes; and that nobody is forgotten while a test
/// runs, for Serf forgets nobody within a day.
const OURS: [&str; 4] =
    ["--application=2,5,5", "--relay=true", "--set=gossip_to_dead=1h", "--set=reap_after=1h"];

/// Agents `serf-0` and so on and as many nodes of ours, `swim-0` and so on.
struct Mixed {
    cluster: Cluster,
    agents: Vec<Agent>,
    flags: Vec<String>,
    /// How often somebody was killed or has left.
    ends: usize,
}

/// Somebody who was killed or has left: the name, the last address, the state for ours and for
/// Serf's.
type Gone<'a> = (&'a str, SocketAddr, &'a str, &'a str);

impl Mixed {
    fn new(key: Option<&str>, flags: &[&str]) -> Self {
        let mut ours: Vec<String> = OURS.map(Into::into).to_vec();
        ours.extend(key.map(|key| format!("--key={key}")));
        let encrypt = key.map(|key| format!("-encrypt={key}"));
        let flags = flags.iter().map(|&flag| flag.into()).chain(encrypt).collect();
        let cluster = Cluster::new(programs_and_serf(), ours);
        Self { cluster, agents: Vec::new(), flags, ends: 0 }
    }

    /// Starts an agent or a node of ours, at an address that is given or at a new one; it joins
    /// through one of the other kind.
    fn start(&mut self, name: &str, addr: Option<SocketAddr>, flags: &[&str]) {
        if name.starts_with("serf") {
            let (command, fresh) = self.cluster.place("serf");
            let addrs = [addr.unwrap_or(fresh), free_addr().unwrap()];
            let seed = self.cluster.peers.first().map(|peer| peer.addr);
            let join = seed.map(|seed| format!("-join={seed}"));
            let own = flags.iter().map(|&flag| flag.into());
            let flags: Vec<_> = self.flags.iter().cloned().chain(join).chain(own).collect();
            self.agents.push(Agent::start(command, name, addrs, &flags));
        } else {
            let bind = addr.map(|addr| format!("--bind={addr}"));
            let join = self.agents.first().map(|agent| format!("--join={}", agent.addr));
            let own = bind.iter().chain(&join).map(String::as_str);
            let flags: Vec<_> = own.chain(flags.iter().copied()).collect();
            self.cluster.start(Kind::Swim, name, &flags);
        }
    }

    /// SIGKILL; returns where it was.
    fn kill(&mut self, name: &str) -> SocketAddr {
        self.ends += 1;
        match self.agents.iter().position(|agent| agent.name == name) {
            Some(place) => self.agents.remove(place).addr,
            None => self.cluster.take(name).addr,
        }
    }

    /// Lets somebody say goodbye, and end when all know; returns where it was.
    fn leave(&mut self, name: &str, state: &str) -> SocketAddr {
        self.ends += 1;
        if let Some(place) = self.agents.iter().position(|agent| agent.name == name) {
            let agent = self.agents.remove(place);
            let _ = agent.ask(&["leave"]);
            return agent.addr;
        }
        let mut peer = self.cluster.take(name);
        peer.ask("leave");
        self.cluster.wait_state(name, state);
        peer.addr
    }

    /// Waits until the lists of all are just what they must be.
    fn agree(&mut self, gone: &[Gone<'_>]) {
        let agents = self.agents.iter().map(|agent| (agent.name.clone(), agent.addr));
        let peers = self.cluster.peers.iter().map(|peer: &Peer| (peer.name.clone(), peer.addr));
        let running: Vec<_> = agents.chain(peers).collect();
        let list = |state: fn(&Gone<'_>) -> String| -> BTreeMap<_, _> {
            let running =
                running.iter().cloned().map(|(name, addr)| (name, (addr, "alive".into())));
            let gone = gone.iter().map(|it| (it.0.to_owned(), (it.1, state(it))));
            running.chain(gone).collect()
        };
        let (ours, serfs) = (list(|it| it.2.into()), list(|it| it.3.into()));
        for agent in &self.agents {
            until(&format!("{} lists {serfs:?}", agent.name), || {
                let members = agent.members();
                if members == serfs { Ok(()) } else { Err(format!("{members:?}")) }
            });
        }
        for peer in &mut self.cluster.peers {
            until(&format!("{} lists {ours:?}", peer.name), || {
                let rows = peer.members().into_iter();
                let members: BTreeMap<_, _> =
                    rows.map(|(name, row)| (name, (row.addr, row.state))).collect();
                if members == ours { Ok(()) } else { Err(format!("{members:?}")) }
            });
        }
    }

    /// Nobody complained, but for what has one of these words, and for what comes of another's end,
    /// or of its own before it was started again.
    fn finish(self, words: &[&str]) {
        nobody_complained(&self.cluster, words);
        for agent in &self.agents {
            let own_leave = format!("Refuting a dead message (from: {})", agent.name);
            let excused = [words, &[&own_leave]].concat();
            let mut complaints = agent.complaints();
            excuse_ends(&mut complaints, self.ends);
            complaints.retain(|complaint| !excused.iter().any(|word| complaint.contains(word)));
            assert_eq!(complaints, [""; 0], "{} complained", agent.name);
        }
    }
}

fn story(key: Option<&str>, flags: &[&str]) {
    let mut mixed = Mixed::new(key, flags);
    for name in ["serf-0", "swim-0", "serf-1", "swim-1"] {
        mixed.start(name, None, &[]);
    }
    mixed.agree(&[]);
    let _ = mixed.agents[1].ask(&["event", "deploy", "now"]);
    for peer in &mixed.cluster.peers {
        peer.wait("an event", |line| {
            line["event"] == "message" && line["text"].as_str().unwrap().contains("deploy")
        });
    }
    for name in ["serf-1", "swim-1"] {
        let addr = mixed.kill(name);
        mixed.agree(&[(name, addr, "dead", "failed")]);
        // Serf never gives the name of a dead one to somebody elsewhere.
        mixed.start(name, Some(addr), &[]);
        mixed.agree(&[]);
    }
    // For Serf only those have left who said so in its own words, too; an application of ours that
    // does not speak them has failed.
    for (name, status) in [("serf-1", "left"), ("swim-1", "failed")] {
        let addr = mixed.leave(name, "left");
        mixed.agree(&[(name, addr, "left", status)]);
        mixed.start(name, None, &[]);
        mixed.agree(&[]);
    }
    mixed.finish(&[]);
}

#[test]
#[ignore = "needs HashiCorp's program `serf`, and Go with its memberlist"]
fn members_come_and_go_plain() {
    story(None, &[]);
}

#[test]
#[ignore = "needs HashiCorp's program `serf`, and Go with its memberlist"]
fn members_come_and_go_sealed() {
    story(Some(KEYS[0]), &[]);
}

#[test]
#[ignore = "needs HashiCorp's program `serf`, and Go with its memberlist"]
fn members_come_and_go_sealed_and_not_compressed() {
    story(Some(KEYS[1]), &["-disable-compression"]);
}

/// Two agents that can't reach each other, and one of ours that reaches both: it helps them to
/// probe each other, and its application passes on what they tell all, as Serf's own does.
#[test]
#[ignore = "needs HashiCorp's program `serf`, Go with its memberlist, root, ip and nft"]
fn events_and_probes_pass_through_ours() {
    let heard = env::temp_dir().join(format!("swim-interop-{}", process::id()));
    let mut mixed = Mixed::new(Some(KEYS[0]), &[]);
    mixed.cluster = mixed.cluster.on(lab(3));
    mixed.start("serf-0", None, &[]);
    mixed.start("swim-0", None, &[]);
    let handler = format!("-event-handler=user:deploy=cat >> {}", heard.display());
    mixed.start("serf-1", None, &[&handler]);
    mixed.agree(&[]);
    mixed.cluster.change_network(|faults| faults.partition(&[vec![0], vec![2]]));
    until("ours helps", || {
        let relayed = mixed.cluster.peer("swim-0").ask("stats")["relayed"].as_u64();
        if relayed >= Some(HELPED) { Ok(()) } else { Err(format!("{relayed:?}")) }
    });
    let _ = mixed.agents[0].ask(&["event", "deploy", WORDS]);
    // What Serf hands to programs it ends with a line's end.
    until("the event is heard once", || {
        let text = fs::read_to_string(&heard).unwrap_or_default();
        if text == format!("{WORDS}\n") { Ok(()) } else { Err(text) }
    });
    fs::remove_file(heard).unwrap();
    mixed.agree(&[]);
    for agent in &mixed.agents {
        let failed = agent.log().into_iter().find(|line| line.contains("member-failed"));
        assert_eq!(failed, None, "{}", agent.name);
    }
    mixed.finish(&["i/o timeout"]);
}

/// The payload of an event.
const WORDS: &str = "now, and \u{2014} soon";

/// So many probes are helped: as many as make a suspicion that would run out meanwhile.
const HELPED: u64 = 12;
