//! Large clusters whose members know each other from the start, without the storm of a join.

use swim_core::{Input, Instant, Node, Options, Output, StreamEvent, StreamId};

use crate::{
    chance::{Chance, Purpose},
    host,
    machine::Machine,
    network::HostId,
    step::Moment,
    tally::Tally,
};

use super::{BEGINNING, World, commanding::JOIN_TIMEOUT};

impl<M: Machine> World<M> {
    /// A world of `size` nodes that know each other, with nothing left to tell. Their timers begin
    /// at random within their intervals. What they know at first they tell nobody: a machine that
    /// wants to know asks its node.
    ///
    /// Stand-ins of all nodes introduce themselves to a directory, from which each node adopts what
    /// it knows; thousands of nodes then share the memory of what their members said.
    ///
    /// # Panics
    ///
    /// If the options are not valid.
    #[must_use]
    pub fn acquainted(size: usize, seed: u64, options: impl Fn(HostId, &mut Options)) -> Self {
        let mut world = Self::new(seed);
        let mut luck = Chance::new(seed, Purpose::Phase);
        // All stand-ins and nodes say the same about themselves, or they would have to argue.
        let set = |id: HostId, set: &mut Options| {
            set.life = host::life(BEGINNING);
            options(id, set);
        };
        let mut stand_in = |id: HostId| {
            let mut own = Options::lan(host::name(id), host::addr(id));
            set(id, &mut own);
            Node::new(own.build().expect("valid options"), luck.seed(), world.now)
        };
        let mut directory = Directory::new(stand_in(0));
        for id in 1..size {
            directory.meet(&mut stand_in(id), world.now);
        }
        for id in 0..size {
            world.start(id, |own| set(id, own));
            world.acquaint(id, &directory.node);
        }
        world.recount();
        world.tally = Tally::default();
        world
    }

    fn acquaint(&mut self, id: HostId, directory: &Node) {
        let now = self.hosts[id].clock.local(self.now);
        let Some(process) = &mut self.hosts[id].process else { return };
        let is_done = process.machine.node_mut().adopt(now, directory);
        assert!(is_done, "the directory does not know host {id} as it is");
        self.drain(id, &Moment::Command);
    }
}

/// A node that answers.
struct Directory {
    node: Node,
    accepted: u64,
}

impl Directory {
    const fn new(node: Node) -> Self {
        Self { node, accepted: 0 }
    }

    /// Learns what `newcomer` says about itself, as from an exchange.
    fn meet(&mut self, newcomer: &mut Node, now: Instant) {
        let here = self.node.local().addr;
        newcomer.join(now, &[here], JOIN_TIMEOUT).expect("a join that may start");
        let mut theirs = StreamId::accepted(self.accepted);
        // Where there is a key, the first answer says who is here, and it asks again.
        let mut is_known = self.node.keyring().is_none();
        while let Some(output) = newcomer.poll_output() {
            match output {
                Output::Dial { id, .. } => {
                    theirs = StreamId::accepted(self.accepted);
                    self.accepted += 1;
                    let from = newcomer.local().addr;
                    self.node.handle(now, stream(theirs, StreamEvent::Accepted { from }));
                    newcomer.handle(now, stream(id, StreamEvent::Connected));
                }
                Output::Write { data, id } => {
                    self.node.handle(now, stream(theirs, StreamEvent::Chunk(&data)));
                    newcomer.handle(now, stream(id, StreamEvent::Drained));
                    while let Some(answer) = self.node.poll_output() {
                        if let (Output::Write { data, .. }, false) = (answer, is_known) {
                            newcomer.handle(now, stream(id, StreamEvent::Chunk(&data)));
                            is_known = true;
                        }
                    }
                }
                Output::Close { .. }
                | Output::Abort { .. }
                | Output::SendPacket { .. }
                | Output::ScheduleTimer { .. }
                | Output::Event(_) => {}
            }
        }
        // The newcomer is gone: its stream ends, and the answer with it.
        self.node.handle(now, stream(theirs, StreamEvent::Failed));
        while self.node.poll_output().is_some() {}
    }
}

fn stream(id: StreamId, event: StreamEvent<'_>) -> Input<'_> {
    Input::Stream { id, event }
}
