//! What those have who don't belong here: what passed them, and keys.

use std::{collections::VecDeque, net::SocketAddr};

use bytes::Bytes;
use swim_core::{Key, Life, Name};

use crate::network::HostId;

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
#[derive(Debug, Default)]
pub(super) struct Recording {
    /// Tells the streams and their sides apart.
    pub(super) of: (u32, usize),
    /// Piece by piece.
    pub(super) pieces: Vec<Bytes>,
    pub(super) len: usize,
    /// Whom it may be for, and in which life at most: those whom the dialer takes to be there.
    pub(super) whom: Vec<(Name, Life)>,
    /// To which run on which host it came, and how much of it.
    pub(super) came: Option<((HostId, u32), usize)>,
}

impl Recording {
    /// Whether it is late and not old: for a node of this name that is not past that life, and not
    /// come yet to this run of it. Then it comes for the first time, and may count. (X4)
    pub(super) fn may_be_new_to(&self, name: &str, life: Life, run: (HostId, u32)) -> bool {
        let opening = self.pieces.first().map_or(0, Bytes::len);
        let has_come = self.came.is_some_and(|(to, len)| to == run && len >= opening);
        let is_meant = |(whom, last): &(Name, Life)| &**whom == name && *last >= life;
        !has_come && self.whom.iter().any(is_meant)
    }
}

impl Replays {
    /// Keeps a piece of what one side of a stream says, and at first whom it is for.
    pub(super) fn keep_piece(
        &mut self,
        of: (u32, usize),
        piece: &Bytes,
        whom: impl FnOnce() -> Vec<(Name, Life)>,
    ) {
        if !self.is_wanted {
            return;
        }
        if self.recording(of).is_none() {
            if self.streams.len() >= STREAMS_MAX {
                self.streams.pop_front();
            }
            self.streams.push_back(Recording { of, whom: whom(), ..Recording::default() });
        }
        let recording = self.recording(of).expect("one was just added");
        if recording.len + piece.len() <= STREAM_LEN_MAX {
            recording.len += piece.len();
            recording.pieces.push(piece.clone());
        }
    }

    /// So many bytes of what one side of a stream says came to this run on this host.
    pub(super) fn note(&mut self, of: (u32, usize), run: (HostId, u32), len: usize) {
        if let Some(recording) = self.recording(of) {
            let before = recording.came.filter(|(to, _)| *to == run).map_or(0, |(_, len)| len);
            recording.came = Some((run, before + len));
        }
    }

    /// What is kept of one side of a stream.
    fn recording(&mut self, of: (u32, usize)) -> Option<&mut Recording> {
        self.streams.iter_mut().rfind(|recording| recording.of == of)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x4_what_has_not_come_to_whom_it_is_for_is_no_recording_yet() {
        let (of, run) = ((7, 0), (3, 1));
        let bob = Name::new("bob").expect("a name");
        let mut replays = Replays { is_wanted: true, ..Replays::default() };
        let whom = || vec![(bob.clone(), Life(5))];
        replays.keep_piece(of, &Bytes::from_static(b"opening"), whom);
        replays.keep_piece(of, &Bytes::from_static(b"more"), || unreachable!("it is known"));
        let is_new = |replays: &Replays, name, life, run| {
            replays.streams[0].may_be_new_to(name, Life(life), run)
        };
        assert!(is_new(&replays, "bob", 5, run) && is_new(&replays, "bob", 4, run));
        assert!(!is_new(&replays, "bob", 6, run), "it is for a former life");
        assert!(!is_new(&replays, "eve", 5, run), "it is for somebody else");
        replays.note(of, run, 6);
        assert!(is_new(&replays, "bob", 5, run), "its opening has not come as a whole");
        replays.note(of, run, 1);
        assert!(!is_new(&replays, "bob", 5, run));
        assert!(is_new(&replays, "bob", 5, (3, 2)), "he was given that life again");
    }
}
