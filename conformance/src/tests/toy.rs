//! A machine that does what it is told and remembers what it heard.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use swim_driver::surface::{
    Bytes, Events, Input, Instant, Listing, Machine, Output, Remote, State, StreamEvent, StreamId,
};

use crate::{nodes::quick, platform::Platform, waiting::soon};

/// A machine without a will of its own.
#[derive(Default)]
pub(super) struct Toy {
    pub(super) outputs: VecDeque<Output<u64>>,
    pub(super) ticks: Vec<Instant>,
    pub(super) packets: Vec<(SocketAddr, Vec<u8>)>,
    pub(super) streams: BTreeMap<StreamId, Heard>,
    /// Pieces still to be written, one for each time the stream is drained.
    pub(super) pieces: BTreeMap<StreamId, u32>,
    pub(super) next_event: u64,
    pub(super) panics_on_packet: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heard {
    pub(super) from: Option<SocketAddr>,
    pub(super) is_connected: bool,
    pub(super) bytes: Vec<u8>,
    pub(super) chunk_len_max: usize,
    pub(super) drained: u32,
    pub(super) is_finished: bool,
    pub(super) is_failed: bool,
}

impl Machine for Toy {
    type Event = u64;
    type Member = ();
    type Ticket = u64;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Packet { from, data } => {
                assert!(!self.panics_on_packet, "as it was told");
                self.packets.push((from, data.to_vec()));
            }
            Input::Stream { id, event } => self.hear(id, event),
            Input::Tick => self.ticks.push(now),
        }
    }

    fn poll_output(&mut self) -> Option<Output<u64>> {
        self.outputs.pop_front()
    }

    fn set_unix_time(&mut self, _now: Instant, _unix_time: Duration) {}

    fn seq(event: &u64) -> u64 {
        *event
    }

    fn listing(_event: &u64) -> Option<Listing<()>> {
        None
    }

    fn payload_len(_event: &u64) -> usize {
        0
    }

    fn ticket(event: &u64) -> Option<u64> {
        Some(*event)
    }

    fn state(_member: &()) -> State {
        State::Alive
    }
}

impl Toy {
    fn hear(&mut self, id: StreamId, event: StreamEvent<'_>) {
        let heard = self.streams.entry(id).or_default();
        match event {
            StreamEvent::Accepted { from } => heard.from = Some(from),
            StreamEvent::Connected => heard.is_connected = true,
            StreamEvent::Chunk(bytes) => {
                heard.bytes.extend(bytes);
                heard.chunk_len_max = heard.chunk_len_max.max(bytes.len());
            }
            StreamEvent::Drained => heard.drained += 1,
            StreamEvent::Finished => heard.is_finished = true,
            StreamEvent::Failed => heard.is_failed = true,
        }
        if matches!(event, StreamEvent::Connected | StreamEvent::Drained) {
            self.write_piece(id);
        }
    }

    fn write_piece(&mut self, id: StreamId) {
        let Some(left) = self.pieces.get_mut(&id) else { return };
        if *left == 0 {
            self.outputs.push_back(Output::Close { id });
            return;
        }
        *left -= 1;
        self.outputs.push_back(Output::Write { id, data: piece(*left) });
    }

    pub(super) fn happen(&mut self) {
        self.outputs.push_back(Output::Event(self.next_event));
        self.next_event += 1;
    }
}

pub(super) fn piece(n: u32) -> Bytes {
    let byte = u8::try_from(n % 251).unwrap();
    vec![byte; 64 * 1024].into()
}

pub(super) type Running = (Remote<Toy>, Events<u64>);

pub(super) async fn toy<P: Platform>(name: &str) -> Running {
    quick::<P>(name).start_machine(|_, _, _| Toy::default()).await.unwrap()
}

pub(super) async fn output(toy: &Running, output: Output<u64>) {
    toy.0.call(|toy, _| toy.outputs.push_back(output)).await.unwrap();
}

/// An id for a dial. The machine chooses those, so any will do that was not accepted.
pub(super) fn dialed(nth: u64) -> StreamId {
    StreamId::accepted(1_000_000 + nth)
}

/// What the machine has heard, as soon as it is enough.
pub(super) async fn heard<P: Platform>(
    toy: &Running,
    id: StreamId,
    what: &str,
    is_enough: impl Fn(&Heard) -> bool,
) -> Heard {
    soon::<P, _>(what, async {
        loop {
            let heard = toy.0.call(move |toy, _| toy.streams.get(&id).cloned()).await.unwrap();
            match heard {
                Some(heard) if is_enough(&heard) => return heard,
                _ => P::sleep(Duration::from_millis(2)).await,
            }
        }
    })
    .await
}
