//! The state of three nodes and of what is under way between them, and what may happen next.

use std::{rc::Rc, time::Duration};

use swim_core::{Bytes, Forger, Instant, Lie, Line, Name, Stamp, State, StreamId};

use crate::local::{self, Given, History, Nodes, START, hash_of};

pub(crate) const SIZE: usize = 3;

/// How much may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// Packets that are lost.
    pub(crate) losses: u8,
    /// Nodes that begin anew, knowing nobody.
    pub(crate) restarts: u8,
    /// Times that a timer comes before packets that are under way.
    pub(crate) delays: u8,
}

/// Three nodes, and the packets under way.
#[derive(Clone)]
pub(crate) struct World {
    now: Instant,
    nodes: [Rc<History>; SIZE],
    /// From whom, to whom.
    packets: Vec<(usize, usize, Bytes)>,
    pub(crate) budget: Budget,
    /// The highest stamps that each has issued in the lives that it had.
    issued: [Vec<Stamp>; SIZE],
    streams: u64,
}

/// One thing that may happen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    Deliver(usize),
    Lose(usize),
    Restart(usize),
    /// The next timer comes.
    Tick,
}

impl World {
    /// Three nodes that know each other, and have told each other all they had to say.
    pub(crate) fn new(nodes: &mut Nodes, budget: Budget) -> Self {
        let mut world = Self {
            now: START,
            nodes: std::array::from_fn(|id| History::new(id, 1)),
            packets: Vec::new(),
            budget,
            issued: std::array::from_fn(|_| vec![Stamp::new(1, 1)]),
            streams: 0,
        };
        for (id, other) in (0..SIZE).flat_map(|id| (0..SIZE).map(move |other| (id, other))) {
            if id != other {
                let data = introduction(other, id);
                world.tell(nodes, id, Given::Packet { from: other, data });
            }
        }
        world.pass(nodes, Duration::from_millis(1_500));
        world.packets.clear();
        world
    }

    /// Tells apart states that may go on differently: a node is what it was told.
    pub(crate) fn key(&self) -> u64 {
        let packets = self.packets.iter().map(hash_of).fold(0, u64::wrapping_add);
        hash_of(&(self.now, self.nodes.each_ref().map(|node| node.hash), packets, self.budget))
    }

    pub(crate) fn choices(&self) -> Vec<Choice> {
        let places = 0..self.packets.len();
        let mut choices: Vec<Choice> = places.clone().map(Choice::Deliver).collect();
        if self.budget.losses > 0 {
            choices.extend(places.map(Choice::Lose));
        }
        if self.budget.restarts > 0 {
            choices.extend((0..SIZE).map(Choice::Restart));
        }
        if self.packets.is_empty() || self.budget.delays > 0 {
            choices.push(Choice::Tick);
        }
        choices
    }

    pub(crate) fn after(&self, nodes: &mut Nodes, choice: Choice) -> Self {
        let mut world = self.clone();
        match choice {
            Choice::Deliver(place) => world.deliver(nodes, place),
            Choice::Lose(place) => {
                world.budget.losses -= 1;
                world.packets.remove(place);
            }
            Choice::Restart(id) => world.restart(nodes, id),
            Choice::Tick => {
                world.budget.delays -= u8::from(!world.packets.is_empty());
                world.tick(nodes);
            }
        }
        world
    }

    /// Whether nobody spoke more often than twice in one life.
    pub(crate) fn is_within_two_incarnations(&self) -> bool {
        self.issued.iter().flatten().all(|stamp| stamp.incarnation.0 <= 2)
    }

    /// Delivers everything, in order, for so long.
    pub(crate) fn pass(&mut self, nodes: &mut Nodes, span: Duration) {
        let end = self.now + span;
        loop {
            while !self.packets.is_empty() {
                self.deliver(nodes, 0);
            }
            if self.next_tick(nodes).is_none_or(|(at, _)| at > end) {
                self.now = end;
                return;
            }
            self.tick(nodes);
        }
    }

    /// L1: everybody holds everybody for alive, under the stamp it has.
    pub(crate) fn agrees(&self, nodes: &mut Nodes) -> bool {
        let mut own: Vec<_> =
            (0..SIZE).map(|id| (id, nodes.outcome(&self.nodes[id]).own, State::Alive)).collect();
        own.sort_unstable_by_key(|(id, ..)| *id);
        (0..SIZE).all(|id| {
            let mut view = nodes.outcome(&self.nodes[id]).view.clone();
            view.sort_unstable_by_key(|(id, ..)| *id);
            view == own
        })
    }

    /// What everybody believes of everybody, for failures to show.
    pub(crate) fn beliefs(&self, nodes: &mut Nodes) -> String {
        let views = (0..SIZE).map(|id| format!("{:?}", nodes.outcome(&self.nodes[id]).view));
        views.collect::<Vec<_>>().join("\n")
    }

    /// Whether anybody holds anybody for such.
    pub(crate) fn holds(&self, nodes: &mut Nodes, wanted: State) -> bool {
        let has = |id: usize, nodes: &mut Nodes| {
            nodes.outcome(&self.nodes[id]).view.iter().any(|(_, _, state)| *state == wanted)
        };
        (0..SIZE).any(|id| has(id, nodes))
    }

    fn deliver(&mut self, nodes: &mut Nodes, place: usize) {
        let (from, to, data) = self.packets.remove(place);
        self.tell(nodes, to, Given::Packet { from, data });
    }

    fn restart(&mut self, nodes: &mut Nodes, id: usize) {
        self.budget.restarts -= 1;
        let life = self.nodes[id].life() + 1;
        self.nodes[id] = History::new(id, life);
        self.issued[id].push(Stamp::new(life, 1));
        // Its clock was never told the time: it is, now.
        self.tell(nodes, id, Given::Tick);
        self.tell(nodes, id, Given::Join((id + 1) % SIZE));
    }

    fn next_tick(&self, nodes: &mut Nodes) -> Option<(Instant, usize)> {
        let due = |id: usize| Some((nodes.outcome(&self.nodes[id]).wake_at?, id));
        (0..SIZE).filter_map(due).min()
    }

    fn tick(&mut self, nodes: &mut Nodes) {
        let Some((at, id)) = self.next_tick(nodes) else { return };
        self.now = self.now.max(at);
        self.tell(nodes, id, Given::Tick);
    }

    /// Tells a node something, and carries out what it wants: packets are under way from then on,
    /// streams are over at once.
    fn tell(&mut self, nodes: &mut Nodes, id: usize, given: Given) {
        self.nodes[id] = self.nodes[id].then(self.now, given);
        let outcome = nodes.outcome(&self.nodes[id]);
        let issued = self.issued[id].last_mut().expect("of its first life at least");
        *issued = outcome.own.max(*issued);
        for &(about, stamp, _) in &outcome.view {
            // S2: nobody knows more of it than it said.
            let is_issued = self.issued[about]
                .iter()
                .any(|it| it.life == stamp.life && it.incarnation >= stamp.incarnation);
            assert!(is_issued, "S2: {id} holds {stamp} of {about}, {:?}", self.issued[about]);
        }
        self.packets.extend(outcome.packets.iter().map(|(to, data)| (id, *to, data.clone())));
        for &(stream, to) in &outcome.dials {
            self.talk(nodes, [(id, stream), (to, StreamId::accepted(self.streams))]);
        }
    }

    /// A stream from its beginning to its end.
    fn talk(&mut self, nodes: &mut Nodes, [dialer, listener]: [(usize, StreamId); 2]) {
        self.streams += 1;
        self.tell(nodes, listener.0, Given::Accepted { id: listener.1, from: dialer.0 });
        self.tell(nodes, dialer.0, Given::Connected(dialer.1));
        let mut speaker = (dialer, listener);
        // A question in one frame, an answer in one frame: so small are tables here.
        for _ in 0..2 {
            let ((from, out), (to, inward)) = speaker;
            let outcome = nodes.outcome(&self.nodes[from]);
            let said = outcome.writes.iter().filter(|(id, _)| *id == out);
            let frames: Vec<Bytes> = said.map(|(_, data)| data.clone()).collect();
            assert!(!frames.is_empty(), "who has the word says something");
            self.tell(nodes, from, Given::Drained(out));
            for data in frames {
                self.tell(nodes, to, Given::Chunk(inward, data));
            }
            speaker = (speaker.1, speaker.0);
        }
        let is_over = nodes.outcome(&self.nodes[dialer.0]).closed.contains(&dialer.1);
        assert!(is_over, "who has its answer closes");
        self.tell(nodes, listener.0, Given::Finished(listener.1));
    }
}

/// What a node says of itself, in a packet to another one.
fn introduction(from: usize, to: usize) -> Bytes {
    let name = |id| Name::new(&local::name(id)).expect("a name");
    let config = local::options(from, 1).build().expect("good options");
    let (own, stamp, addr) = (name(from), Stamp::new(1, 1), local::addr(from));
    let line = Line { name: &own, stamp, addr, meta: &[], state: State::Alive };
    Forger::new(&config, stamp, [from as u8; 32]).packet(&name(to), &[Lie::Alive(line)])
}
