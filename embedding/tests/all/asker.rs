//! A node whose one stream is carried by hand: what a newcomer asks on it, and what it hears.

use std::{net::SocketAddr, time::Duration};

use swim_core::{EventKind, Input, Instant, Node, Output, StreamEvent, StreamId};

use super::host::quick;

/// It, after its question. Time stands still for it.
pub(crate) struct Asker {
    node: Node,
    stream: StreamId,
    /// All that it has to say, after which it hears an answer.
    pub(crate) question: Vec<u8>,
}

impl Asker {
    /// One that wants to join through `to`, from an address where nobody is.
    pub(crate) fn new(to: SocketAddr) -> Self {
        let options = quick("asker", SocketAddr::new(to.ip(), 9));
        let mut node = Node::new(options.build().unwrap(), [9; 32], Instant::ORIGIN);
        node.join(Instant::ORIGIN, &[to], Duration::from_secs(10)).unwrap();
        let dialed = |output| match output {
            Output::Dial { id, .. } => Some(id),
            _ => None,
        };
        let stream = std::iter::from_fn(|| node.poll_output()).find_map(dialed).unwrap();
        let mut asker = Self { node, stream, question: Vec::new() };
        asker.tell(StreamEvent::Connected);
        while let Some(output) = asker.node.poll_output() {
            if let Output::Write { data, .. } = output {
                asker.question.extend(data);
            }
        }
        asker
    }

    /// Hears all of an answer; the application's state in it.
    pub(crate) fn hear(&mut self, answer: &[u8]) -> Option<Vec<u8>> {
        self.tell(StreamEvent::Chunk(answer));
        std::iter::from_fn(|| self.node.poll_output()).find_map(|output| match output {
            Output::Event(event) => match event.kind {
                EventKind::RemoteState { state, .. } => Some(state.to_vec()),
                _ => None,
            },
            _ => None,
        })
    }

    fn tell(&mut self, event: StreamEvent<'_>) {
        self.node.handle(Instant::ORIGIN, Input::Stream { id: self.stream, event });
    }
}
