//! One stream between the node of a script and a peer: who is at its other end, and what was said
//! on it each way.

use std::net::SocketAddr;

use bytes::Bytes;
use swim_core::{Dialect, StreamId, inspect::Explanation};

use crate::{
    cluster_of::Cluster,
    kinds::{self, Kinds},
    mend::{self, Way},
};

/// A stream, as the node sees it.
#[derive(Debug)]
pub(crate) struct Line {
    cluster: Cluster,
    way: Way,
    /// Where it leads.
    pub(crate) to: SocketAddr,
    /// The peer that is there, by its place, and what it calls the stream.
    pub(crate) far: Option<(usize, StreamId)>,
    /// What the node wrote and the peer has not got yet.
    pub(crate) waiting: Vec<Bytes>,
    said: Vec<u8>,
    heard: Vec<u8>,
}

impl Line {
    pub(crate) fn new(cluster: Cluster, id: StreamId, to: SocketAddr) -> Self {
        let way = if id.is_accepted() { Way::Asked } else { Way::Answered };
        let (said, heard) = (Vec::new(), Vec::new());
        Self { cluster, way, to, far: None, waiting: Vec::new(), said, heard }
    }

    /// The node wrote this.
    pub(crate) fn say(&mut self, data: Bytes) {
        self.said.extend(&data);
        self.waiting.push(data);
    }

    /// The node was given this.
    pub(crate) fn hear(&mut self, piece: &[u8]) {
        self.heard.extend(piece);
    }

    /// The bytes as what comes next, with the checksums that they need there.
    pub(crate) fn mended(&self, bytes: &[u8]) -> Bytes {
        if !self.cluster.has_checksums() || !mend::is_whole(&self.heard) {
            return Bytes::copy_from_slice(bytes);
        }
        let before = mend::frames(&self.heard).count();
        mend::stream(bytes, self.cluster.label().as_str(), self.way, before).into()
    }

    /// How much of a chunk is needed for the frame that comes next, or all of it.
    pub(crate) fn next_len(&self, chunk: &[u8]) -> usize {
        if !self.is_native() {
            return chunk.len();
        }
        let begun = mend::frames(&self.heard).last().filter(|frame| !mend::is_whole(frame));
        let begun = begun.unwrap_or_default();
        let both = [begun, chunk].concat();
        mend::frames(&both).next().map_or(0, |frame| frame.len() - begun.len())
    }

    /// How many frames were taken of all that was heard, at most: those with something in them that
    /// a node with the right keys understands.
    pub(crate) fn taken(&self) -> usize {
        let explained = self.explained();
        let is_taken = |said: &&Explanation| {
            if self.is_native() { said.is_understood() } else { !said.messages.is_empty() }
        };
        explained.iter().filter(is_taken).count()
    }

    /// The kinds of what was heard.
    pub(crate) fn kinds(&self) -> Kinds {
        kinds::said(&self.explained())
    }

    fn explained(&self) -> Vec<Explanation> {
        let mut inspector = self.cluster.inspector();
        match self.way {
            Way::Asked => inspector.stream(&self.heard, &[]).request,
            Way::Answered => inspector.stream(&self.said, &self.heard).answer,
        }
    }

    fn is_native(&self) -> bool {
        self.cluster.dialect == Dialect::Native
    }
}
