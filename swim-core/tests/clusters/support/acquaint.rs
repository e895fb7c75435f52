//! Large clusters whose members know each other from the start, without the storm of a join.

use swim_core::{Event, Input, Instant, Node, Options, Output, StreamEvent, StreamId};

use super::{Id, SECOND, Watch, World, addr, name};

impl World {
    /// A world of `n` nodes that know each other, with events only counted.
    ///
    /// Stand-ins of all nodes introduce themselves to a directory; then each node, new and alone,
    /// exchanges tables with the directory and nobody else. To a node that was alone a table is no
    /// news, so that nothing waits to be gossiped but each node's own claim.
    pub(crate) fn acquainted(n: usize, seed: u64, options: impl Fn(&mut Options)) -> Self {
        let mut world = Self::new(seed);
        world.watch = Watch::Counts;
        let now = world.now;
        let mut stand_ins = 0_u64;
        let mut stand_in = |id: Id| {
            let mut set = Options::lan(name(id), addr(id));
            set.life = swim_core::Life(1_000);
            options(&mut set);
            // Two with one seed would use one nonce twice, which a receiver takes for a replay.
            let mut seed = [0xff; 32];
            seed[..8].copy_from_slice(&stand_ins.to_le_bytes());
            stand_ins += 1;
            Node::new(set.build().expect("valid options"), seed, now)
        };
        let mut directory = Directory::new(stand_in(0));
        for id in 1..n {
            directory.introduce(&mut stand_in(id), now, false);
        }
        let mut second = Directory::new(stand_in(1));
        directory.introduce(&mut second.node, now, true);
        for id in 0..n {
            world.start(id, |o| options(o));
            // The directory bears the name of node 0, which must not ask itself.
            let from = if id == 0 { &mut second } else { &mut directory };
            for output in from.introduce(&mut world.host_mut(id).node, now, true) {
                world.carry_out(id, output);
            }
            world.drain(id);
        }
        assert!(world.is_settled());
        world
    }
}

/// A node that answers.
pub(crate) struct Directory {
    pub(crate) node: Node,
    accepted: u64,
}

impl Directory {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, accepted: 0 }
    }

    /// Lets `asker` join in no time; returns what else it wants done. Without an answer, only this
    /// side learns something.
    pub(crate) fn introduce(
        &mut self,
        asker: &mut Node,
        now: Instant,
        answers: bool,
    ) -> Vec<Output<Event>> {
        asker.join(now, &[self.node.local().addr], 10 * SECOND).expect("a join that may start");
        let mut theirs = StreamId::accepted(self.accepted);
        // Where there is a key, the first answer is who answers, and the second is the table.
        let mut answers_first = u32::from(self.node.keyring().is_some());
        let mut others = Vec::new();
        let mut ours = None;
        loop {
            while let Some(output) = asker.poll_output() {
                match output {
                    Output::Dial { id, .. } => {
                        ours = Some(id);
                        theirs = StreamId::accepted(self.accepted);
                        self.accepted += 1;
                        let from = asker.local().addr;
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
                    if let Some(id) = ours.filter(|_| answers || answers_first > 0) {
                        answers_first = answers_first.saturating_sub(1);
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
