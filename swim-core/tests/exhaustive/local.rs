//! One node by its history: a node is a function of what it was told and when, so that a history is
//! all there is to keep of it. What came of a history is found by telling it to a new node, once.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

use swim_core::{
    Bytes, Event, EventKind, Input, Instant, Life, Member, MemberChange, Node, Options, Output,
    Stamp, State, StreamEvent, StreamId, Transition,
};

/// When everything begins.
pub(crate) const START: Instant = Instant::from_millis(1_000_000);
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);

/// What a node is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Given {
    Packet {
        from: usize,
        data: Bytes,
    },
    Accepted {
        id: StreamId,
        from: usize,
    },
    Connected(StreamId),
    Chunk(StreamId, Bytes),
    Drained(StreamId),
    Finished(StreamId),
    Tick,
    /// By its application: to join through this one.
    Join(usize),
}

/// All that one node was told since it began, in one life.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) hash: u64,
    id: usize,
    life: u64,
    last: Option<(Rc<Self>, Instant, Given)>,
}

/// What came of the last thing that a node was told, and what it believes then.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) packets: Vec<(usize, Bytes)>,
    pub(crate) dials: Vec<(StreamId, usize)>,
    pub(crate) writes: Vec<(StreamId, Bytes)>,
    pub(crate) closed: Vec<StreamId>,
    pub(crate) wake_at: Option<Instant>,
    pub(crate) own: Stamp,
    pub(crate) view: Vec<(usize, Stamp, State)>,
}

impl History {
    pub(crate) fn new(id: usize, life: u64) -> Rc<Self> {
        Rc::new(Self { hash: hash_of(&(id, life)), id, life, last: None })
    }

    pub(crate) fn then(self: &Rc<Self>, now: Instant, given: Given) -> Rc<Self> {
        let hash = hash_of(&(self.hash, now, &given));
        Rc::new(Self { hash, id: self.id, life: self.life, last: Some((self.clone(), now, given)) })
    }

    pub(crate) fn life(&self) -> u64 {
        self.life
    }

    fn steps(&self) -> Vec<(Instant, &Given)> {
        let mut steps = Vec::new();
        let mut at = self;
        while let Some((before, now, given)) = &at.last {
            steps.push((*now, given));
            at = before;
        }
        steps.reverse();
        steps
    }
}

/// What all nodes are like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// How many helpers each asks.
    pub(crate) helpers: usize,
    /// A fault that all of them have on purpose.
    #[cfg(feature = "sabotage")]
    pub(crate) fault: Option<swim_core::Sabotage>,
}

impl Rules {
    /// Sound nodes, that ask so many helpers.
    pub(crate) fn with(helpers: usize) -> Self {
        Self {
            helpers,
            #[cfg(feature = "sabotage")]
            fault: None,
        }
    }
}

/// What came of every history that was asked for.
pub(crate) struct Nodes {
    rules: Rules,
    known: BTreeMap<u64, Rc<Outcome>>,
    /// The nodes that were told the last ones, which mostly are the first part of the next.
    told_last: BTreeMap<usize, Told>,
}

impl Nodes {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, known: BTreeMap::new(), told_last: BTreeMap::new() }
    }

    pub(crate) fn outcome(&mut self, history: &History) -> Rc<Outcome> {
        if let Some(outcome) = self.known.get(&history.hash) {
            return outcome.clone();
        }
        let last = self.told_last.remove(&history.id);
        let last =
            last.filter(|told| history.last.as_ref().is_some_and(|it| it.0.hash == told.hash));
        let (told, outcome) = match (last, &history.last) {
            (Some(mut told), Some((_, now, given))) => {
                let outcome = told.tell(*now, given, true);
                told.hash = history.hash;
                (told, outcome)
            }
            _ => Told::all_of(history, self.rules),
        };
        self.told_last.insert(history.id, told);
        let outcome = Rc::new(outcome);
        self.known.insert(history.hash, outcome.clone());
        outcome
    }

    /// How many different histories were told.
    pub(crate) fn told(&self) -> usize {
        self.known.len()
    }
}

pub(crate) fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn addr(id: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, id as u8 + 1], 7946))
}

pub(crate) fn name(id: usize) -> String {
    format!("n{id}")
}

fn id_at(addr: SocketAddr) -> usize {
    (0..3).find(|&id| self::addr(id) == addr).expect("there are no others")
}

pub(crate) fn options(id: usize, life: u64) -> Options {
    let mut options = Options::local(name(id), addr(id));
    options.life = Life(life);
    // What is left to chance in time is left out: the order of things is what is explored.
    options.push_pull_interval = Duration::ZERO;
    options.reconnect_interval = Duration::ZERO;
    options.stream_pings = false;
    options.repair = false;
    options
}

/// A node that was told a history.
struct Told {
    hash: u64,
    node: Node,
    watch: Watch,
}

impl Told {
    /// Tells a new node a history, and looks at it after the last of it.
    fn all_of(history: &History, rules: Rules) -> (Self, Outcome) {
        let mut options = options(history.id, history.life);
        options.indirect_probes = rules.helpers;
        let config = options.build().expect("good options");
        let mut seed = [history.id as u8 + 1; 32];
        seed[31] = history.life as u8;
        let mut node = Node::new(config, seed, START);
        #[cfg(feature = "sabotage")]
        node.sabotage(rules.fault);
        node.audit_transitions();
        let mut watch = Watch::default();
        let outputs = watch.drain(&mut node);
        let mut outcome = outcome(&node, outputs);
        let mut told = Self { hash: history.hash, node, watch };
        let steps = history.steps();
        for (nth, &(now, given)) in (1..).zip(&steps) {
            outcome = told.tell(now, given, nth == steps.len());
        }
        (told, outcome)
    }

    /// Tells it one thing more. What was looked at before need not be again.
    fn tell(&mut self, now: Instant, given: &Given, looks: bool) -> Outcome {
        self.watch.own = self.node.local().stamp;
        tell(&mut self.node, now, given);
        let outputs = self.watch.drain(&mut self.node);
        let transitions = self.node.audit_transitions();
        if looks {
            self.watch.check(&self.node, &transitions, *given == Given::Tick);
        }
        outcome(&self.node, outputs)
    }
}

fn outcome(node: &Node, outputs: Vec<Output<Event>>) -> Outcome {
    let mut outcome = Outcome {
        packets: Vec::new(),
        dials: Vec::new(),
        writes: Vec::new(),
        closed: Vec::new(),
        wake_at: node.audit().next_due.map(|(at, _)| at),
        own: node.local().stamp,
        view: node.members().map(|it| (id_at(it.addr), it.stamp, it.state)).collect(),
    };
    for output in outputs {
        match output {
            Output::SendPacket { to, data } => outcome.packets.push((id_at(to), data)),
            Output::Dial { id, to } => outcome.dials.push((id, id_at(to))),
            Output::Write { id, data } => outcome.writes.push((id, data)),
            Output::Close { id } | Output::Abort { id } => outcome.closed.push(id),
            Output::ScheduleTimer { .. } | Output::Event(_) => {}
        }
    }
    outcome
}

fn tell(node: &mut Node, now: Instant, given: &Given) {
    let stream = |id: &StreamId, event| Input::Stream { id: *id, event };
    let input = match given {
        Given::Packet { from, data } => Input::Packet { from: addr(*from), data },
        Given::Accepted { id, from } => stream(id, StreamEvent::Accepted { from: addr(*from) }),
        Given::Connected(id) => stream(id, StreamEvent::Connected),
        Given::Chunk(id, data) => stream(id, StreamEvent::Chunk(data)),
        Given::Drained(id) => stream(id, StreamEvent::Drained),
        Given::Finished(id) => stream(id, StreamEvent::Finished),
        Given::Tick => Input::Tick,
        Given::Join(seed) => {
            node.join(now, &[addr(*seed)], JOIN_TIMEOUT).expect("a new node may join");
            return;
        }
    };
    node.handle(now, input);
}

/// What was seen of a node, and what must hold of it whatever happens.
#[derive(Default)]
struct Watch {
    events: u64,
    folded: BTreeMap<String, Member>,
    own: Stamp,
}

impl Watch {
    fn drain(&mut self, node: &mut Node) -> Vec<Output<Event>> {
        let outputs: Vec<_> = std::iter::from_fn(|| node.poll_output()).collect();
        for output in &outputs {
            if let Output::Event(event) = output {
                self.fold(event);
            }
        }
        outputs
    }

    /// E1, E3.
    fn fold(&mut self, event: &Event) {
        assert_eq!(event.seq, self.events, "E3: events are numbered without gaps");
        self.events += 1;
        let EventKind::Member { change, member } = &event.kind else { return };
        let name = member.name.to_string();
        let before = self.folded.get(&name).map(|member| member.state);
        let is_legal = match change {
            MemberChange::Joined => !before.is_some_and(State::is_live),
            MemberChange::Updated => before.is_some_and(State::is_live),
            MemberChange::Suspected => before == Some(State::Alive),
            MemberChange::Recovered => before == Some(State::Suspect),
            MemberChange::Failed => before.is_some_and(State::is_live),
            MemberChange::Left => false, // Nobody leaves here. (S7)
            MemberChange::Reaped => before.is_some_and(|state| !state.is_live()),
        };
        // Who is in doubt is told of as coming first.
        let is_legal = is_legal || (*change == MemberChange::Suspected && before.is_some());
        assert!(is_legal, "E1: {name} {change} after {before:?}");
        match change {
            MemberChange::Reaped => drop(self.folded.remove(&name)),
            _ => drop(self.folded.insert(name, Member::clone(member))),
        }
    }

    fn check(&self, node: &Node, transitions: &[Transition], after_tick: bool) {
        for Transition { name, before, after } in transitions {
            let (Some(before), Some(after)) = (before, after) else { continue };
            // Nobody leaves here: what is believed is the larger claim.
            assert!(after >= before, "S1, S6: {name} went from {before:?} to {after:?}");
            assert_ne!(after.1, State::Left, "S7: nobody leaves");
        }
        let own = node.local();
        assert!(own.stamp >= self.own, "S3: {} after {}", own.stamp, self.own);
        assert_eq!((own.state, own.addr), (State::Alive, node.audit_options().addr), "S4");
        let told: Vec<_> = self.folded.values().map(|it| (&it.name, it.state, it.addr)).collect();
        let mut members: Vec<Member> = node.members().collect();
        members.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
        let known: Vec<_> = members.iter().map(|it| (&it.name, it.state, it.addr)).collect();
        assert_eq!(told, known, "E2: events tell what members are");
        let count = |state| members.iter().filter(|member| member.state == state).count();
        let counts = node.counts();
        let recount = [State::Alive, State::Suspect, State::Dead, State::Left].map(count);
        assert_eq!([counts.alive, counts.suspect, counts.dead, counts.left], recount, "S10");
        assert_eq!(node.audit().suspicions, counts.suspect, "P3: one suspicion for each suspect");
        for suspicion in node.audit_suspicions() {
            let lasts = suspicion.deadline.saturating_since(suspicion.started_at);
            assert!(suspicion.stamp == suspicion.known, "P3: a suspicion ends with its stamp");
            assert!(suspicion.min <= lasts && lasts <= suspicion.max, "P3: {suspicion:?}");
        }
        let audit = node.audit();
        let is_later = audit.next_due.is_none_or(|(at, _)| at > audit.now);
        assert!(!after_tick || is_later, "P5: {:?} at {}", audit.next_due, audit.now);
    }
}
