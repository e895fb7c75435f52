//! Streams of those who don't belong here: that say nothing, or noise, or what was said on others,
//! in the smallest pieces, and stand still in the middle. (A0, A1)

use bytes::Bytes;
use swim_core::{Dialect, Options, StreamId};

use crate::{
    chance::{Chance, Purpose, place},
    host::Piece,
    machine::Machine,
    malice::{Assault, Flaw, Payload},
    network::{HostId, StreamLuck},
};

use super::{
    World,
    connection::{Connection, Parcel, Side},
};

impl<M: Machine> World<M> {
    /// Opens streams to a host. Returns whether there was anything to say, and anybody to hear it.
    pub(super) fn assault(&mut self, id: HostId, assault: &Assault) -> bool {
        if !self.is_running(id) {
            return false;
        }
        let Some((pieces, flaw)) = self.pieces(id, assault) else { return false };
        let times = assault.times.min(STREAMS_MAX);
        for nth in 0..times {
            let from = LAIR + nth;
            self.make_host(from);
            self.intrude_stream(from, id, pieces.clone(), !assault.stalls, flaw);
        }
        let dialect = self.node(id).audit_options().dialect;
        let kind = assault.with.kind();
        self.tally.did(dialect, &format!("streams with {kind}"), times as u64);
        if assault.stalls {
            self.tally.did(dialect, "streams that stall", 1);
        }
        if assault.cut == 1 {
            self.tally.did(dialect, "streams byte by byte", 1);
        }
        true
    }

    /// Somebody on `from` who is no process there opens a stream and says this. If it does not end
    /// it stays open for ever.
    pub(super) fn intrude_stream(
        &mut self,
        from: HostId,
        to: HostId,
        pieces: Vec<Bytes>,
        ends: bool,
        flaw: Option<Flaw>,
    ) {
        self.tally.streams_dialed += 1;
        let nth = self.tally.streams_dialed;
        let (run, stream) = (NOBODYS, StreamId::accepted(nth));
        let ends_of = [Side::new(from, run, stream), Side::new(to, 0, StreamId::accepted(0))];
        let luck = StreamLuck::new(self.seed, from, run, stream);
        let serial = nth as u32;
        let connection = Connection { ends: ends_of, serial, luck, flaw, is_strange: true };
        let end = self.connect(connection);
        self.put(end, Parcel::Dial);
        for piece in pieces {
            self.put(end, Parcel::Piece(Piece::Chunk(piece)));
        }
        if ends {
            self.put(end, Parcel::Piece(Piece::Finished));
        }
    }

    /// Streams of those who don't belong here that a node did not give up.
    pub fn strange_streams(&self) -> usize {
        let is_open = |connection: &&Connection| {
            let side = &connection.ends[1];
            let host = &self.hosts[side.host];
            connection.is_strange
                && host.process.as_ref().is_some_and(|process| {
                    host.starts == side.run && process.streams.contains_key(&side.stream)
                })
        };
        self.connections.iter().flatten().filter(is_open).count()
    }

    /// What is said to a node, piece by piece, and why it may not count, if that is so; `None` if
    /// there is nothing to say that was recorded.
    fn pieces(&self, id: HostId, assault: &Assault) -> Option<(Vec<Bytes>, Option<Flaw>)> {
        let mut luck = Chance::of(self.seed, Purpose::Replay, assault.word);
        let mut noise = |len: usize| (0..len).map(|_| luck.word() as u8).collect::<Vec<u8>>();
        let mut flaw = Some(Flaw::Noise);
        let mut said = match assault.with {
            Payload::Silence => return Some((Vec::new(), flaw)),
            Payload::Noise(len) => vec![Bytes::from(noise(len))],
            Payload::Length(len) => {
                // What announces so much, and not what was announced.
                let head = announcement(self.node(id).audit_options(), len);
                vec![[head, noise(64)].concat().into()]
            }
            Payload::Recording => {
                let kept = &self.replays.streams;
                let recordings = kept.iter().filter(|it| it.len > 0).count();
                if recordings == 0 {
                    return None;
                }
                let nth = place(assault.word, recordings);
                let recording = kept.iter().filter(|it| it.len > 0).nth(nth)?;
                // The life that it began with: where it raised that to refute a lie, what is for
                // the lower one is for it still.
                let (node, host) = (self.node(id), &self.hosts[id]);
                let run = (id, host.starts);
                let is_late = recording.may_be_new_to(node.name(), host.life, run);
                flaw = (!is_late).then_some(Flaw::Recorded);
                recording.pieces.clone()
            }
        };
        if assault.stalls
            && let Some(last) = said.last_mut()
        {
            last.truncate(last.len().saturating_sub(1));
        }
        if assault.cut > 0 {
            said = cut(&said.concat(), assault.cut);
        }
        Some((said, flaw))
    }
}

/// The pieces of this length of some bytes, and what is left in one.
fn cut(bytes: &[u8], len: usize) -> Vec<Bytes> {
    let (small, rest) = bytes.split_at(bytes.len().min(len * PIECES_MAX));
    let pieces = small.chunks(len).chain(std::iter::once(rest));
    pieces.filter(|piece| !piece.is_empty()).map(Bytes::copy_from_slice).collect()
}

/// What stands before a frame of this length, or an envelope in memberlist's dialect.
fn announcement(options: &Options, len: u32) -> Vec<u8> {
    let label = options.label.as_bytes();
    match options.dialect {
        Dialect::Native => [&len.to_le_bytes()[..], &[VERSION]].concat(),
        Dialect::Memberlist(_) if label.is_empty() => {
            [&[ENVELOPE], &len.to_be_bytes()[..]].concat()
        }
        Dialect::Memberlist(_) => {
            let head = [LABELLED, label.len() as u8];
            [&head, label, &[ENVELOPE], &len.to_be_bytes()].concat()
        }
    }
}

/// Whoever opens streams and is no part of the cluster is on hosts from here on.
const LAIR: HostId = 160;

/// So many streams at most at once: more than a node takes.
const STREAMS_MAX: usize = 200;

/// So many small pieces at most: each is a moment that all checks look at.
const PIECES_MAX: usize = 100;

/// The number of a run that no process has.
const NOBODYS: u32 = 0;

/// The first byte of the native dialect.
const VERSION: u8 = 0x81;

/// memberlist's message type for a label in front.
const LABELLED: u8 = 244;

/// memberlist's message type for an envelope on a stream.
const ENVELOPE: u8 = 10;
