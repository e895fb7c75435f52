//! What those have who don't belong here: what passed them, and keys.

use std::{collections::VecDeque, net::SocketAddr};

use bytes::Bytes;
use swim_core::Key;

/// What somebody on the way keeps, and how often something of it is sent again.
#[derive(Debug, Default)]
pub(super) struct Replays {
    /// How many are sent again for each that is sent.
    pub(super) share: f64,
    pub(super) is_wanted: bool,
    pub(super) kept: Vec<(SocketAddr, Bytes)>,
    /// What was said on streams, each side of each: the latest.
    pub(super) streams: VecDeque<Recording>,
}

/// What one side said on a stream.
#[derive(Debug)]
pub(super) struct Recording {
    /// Tells the streams and their sides apart.
    pub(super) of: (u32, usize),
    /// Piece by piece.
    pub(super) pieces: Vec<Bytes>,
    pub(super) len: usize,
}

impl Replays {
    /// Keeps a piece of what one side of a stream says.
    pub(super) fn keep_piece(&mut self, of: (u32, usize), piece: &Bytes) {
        if !self.is_wanted {
            return;
        }
        let place = self.streams.iter().rposition(|recording| recording.of == of);
        let recording = match place {
            Some(place) => &mut self.streams[place],
            None => {
                if self.streams.len() >= STREAMS_MAX {
                    self.streams.pop_front();
                }
                self.streams.push_back(Recording { of, pieces: Vec::new(), len: 0 });
                self.streams.back_mut().expect("one was just added")
            }
        };
        if recording.len + piece.len() <= STREAM_LEN_MAX {
            recording.len += piece.len();
            recording.pieces.push(piece.clone());
        }
    }
}

/// How many sides of streams are kept: those of a minute or two of a small cluster.
const STREAMS_MAX: usize = 64;

/// How much is kept of each: a table of a small cluster is shorter.
const STREAM_LEN_MAX: usize = 64 * 1024;

/// The key of this number, the same in every world.
#[must_use]
pub(crate) fn key(number: u8) -> Key {
    Key::generate([number; 32])
}
