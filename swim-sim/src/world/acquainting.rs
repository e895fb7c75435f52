//! Large clusters whose members know each other from the start, without the storm of a join.

use swim_core::{Input, Instant, Life, Node, Options, Output, StreamEvent, StreamId};

use crate::{
    chance::{Chance, Purpose},
    host,
    machine::Machine,
    network::HostId,
    step::Moment,
    tally::Tally,
};

use super::{World, commanding::JOIN_TIMEOUT};

impl<M: Machine> World<M> {
    /// A world of `size` nodes that know each other, with nothing left to tell. Their timers begin
    /// at random within their intervals.
    ///
    /// Stand-ins of all nodes introduce themselves to a directory; then each node, new and alone,
    /// exchanges tables with the directory and nobody else. To a node that was alone a table is no
    /// news, so that nothing waits to be gossiped but each node's own claim.
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
            set.life = Life(1_000);
            options(id, set);
        };
        let mut stand_in = |id: HostId| {
            let mut own = Options::lan(host::name(id), host::addr(id));
            set(id, &mut own);
            Node::new(own.build().expect("valid options"), luck.seed(), world.now)
        };
        let mut directory = Directory::new(stand_in(0));
        // The directory bears the name of node 0, which can't ask itself.
        let mut second = (size > 1).then(|| Directory::new(stand_in(1)));
        for id in 1..size {
            directory.introduce(&mut stand_in(id), world.now, false);
        }
        if let Some(second) = &mut second {
            directory.introduce(&mut second.node, world.now, true);
        }
        for id in 0..size {
            world.start(id, |own| set(id, own));
            let from = if id == 0 { second.as_mut() } else { Some(&mut directory) };
            if let Some(from) = from {
                world.introduce(id, from);
            }
        }
        world.recount();
        world.tally = Tally::default();
        world
    }

    /// Lets a node learn all that a directory knows, in no time.
    fn introduce(&mut self, id: HostId, directory: &mut Directory) {
        let now = self.hosts[id].clock.local(self.now);
        let Some(process) = &mut self.hosts[id].process else { return };
        let outputs = directory.introduce(&mut process.machine, now, true);
        self.begin_moment();
        for output in outputs {
            self.carry_out(id, output);
        }
        self.end_moment(id, &Moment::Stream);
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

    /// Lets `asker` join in no time; returns what else it wants done. Without an answer, only this
    /// side learns something.
    fn introduce<M: Machine>(
        &mut self,
        asker: &mut M,
        now: Instant,
        answers: bool,
    ) -> Vec<Output<M::Event>> {
        let here = self.node.local().addr;
        asker.node_mut().join(now, &[here], JOIN_TIMEOUT).expect("a join that may start");
        let theirs = StreamId::accepted(self.accepted);
        self.accepted += 1;
        let mut others = Vec::new();
        let mut ours = None;
        loop {
            while let Some(output) = asker.poll_output() {
                match output {
                    Output::Dial { id, .. } => {
                        ours = Some(id);
                        let from = asker.node().local().addr;
                        self.node.handle(now, stream(theirs, StreamEvent::Accepted { from }));
                        asker.handle(now, stream(id, StreamEvent::Connected));
                    }
                    Output::Write { data, id } => {
                        self.node.handle(now, stream(theirs, StreamEvent::Chunk(&data)));
                        asker.handle(now, stream(id, StreamEvent::Drained));
                    }
                    Output::Close { .. } | Output::Abort { .. } => {}
                    other => others.push(other),
                }
            }
            let mut is_over = true;
            while let Some(output) = self.node.poll_output() {
                if let Output::Write { data, .. } = output {
                    if let Some(id) = ours.filter(|_| answers) {
                        is_over = false;
                        asker.handle(now, stream(id, StreamEvent::Chunk(&data)));
                    }
                    self.node.handle(now, stream(theirs, StreamEvent::Drained));
                }
            }
            if is_over {
                return others;
            }
        }
    }
}

fn stream(id: StreamId, event: StreamEvent<'_>) -> Input<'_> {
    Input::Stream { id, event }
}
