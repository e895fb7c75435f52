//! Packets and streams in words: what a node reads of them, whoever they are for and however often
//! they came. Nothing here knows a format: each layer is read by the file that reads it for a node.

use alloc::{string::ToString, vec, vec::Vec};

use super::{
    Memberlist, checksum,
    compound::Parts,
    extent::{Extent, Inbound},
    leaf::{Alive, Kind, Leaf, Origin, Verdict},
    limits::{
        CHECKSUM_LEN, PACKET_INFLATED_MAX, PACKET_LEN_MAX, SEALED_HEAD_LEN, SEALED_LEN_MAX,
        STREAM_LEN_MAX,
    },
    lists, lzw, meaning,
    push_pull::{Head, Node, read_delivery},
    unpack::Reader,
};
use crate::{
    explanation::{Explanation, Fields, Refusal, Value, hex},
    reject::Reject,
};

/// Bytes of which some layers were taken off, and where they begin in what was captured; unknown
/// once they came out of something that was compressed.
struct Inner {
    bytes: Vec<u8>,
    at: Option<usize>,
}

impl Memberlist {
    /// Says what is in a packet.
    pub(crate) fn explain_packet(&self, data: &[u8]) -> Explanation {
        let said = self.explain_packet_as(data, self.sealing.is_some());
        let is_sealed = said.refused.iter().all(|refusal| refusal.layer != "envelope");
        if is_sealed || self.options.verify_incoming {
            return said;
        }
        // Some of a cluster may not seal yet. What begins like an envelope is plain only if all of
        // it has a meaning then.
        let plain = self.explain_packet_as(data, false);
        let is_no_envelope = said.refused.iter().any(|refusal| refusal.reject == Reject::Version);
        let is_told = is_no_envelope && !plain.messages.is_empty();
        if is_told || plain.is_understood() { plain } else { said }
    }

    fn explain_packet_as(&self, data: &[u8], is_sealed: bool) -> Explanation {
        let mut said = Explanation::default();
        let refused = self.explain_whole_packet(data, is_sealed, &mut said).err();
        said.refused.extend(refused);
        said
    }

    /// Says what is in one direction of a stream: one message, or nothing.
    pub(crate) fn explain_stream(&self, bytes: &[u8], is_request: bool) -> Vec<Explanation> {
        if bytes.is_empty() {
            return Vec::new();
        }
        let mut said = Explanation::default();
        let refused = self.explain_whole_stream(bytes, is_request, &mut said).err();
        said.refused.extend(refused);
        vec![said]
    }

    fn explain_whole_packet(
        &self,
        data: &[u8],
        is_sealed: bool,
        said: &mut Explanation,
    ) -> Result<(), Refusal> {
        if data.len() > PACKET_LEN_MAX {
            return Err(Refusal::new("packet", 0, Reject::Oversize));
        }
        let at = self.explain_label(data, said)?;
        let mut inner = if is_sealed {
            self.explain_sealed(&data[at..], &self.labelling.label, at, said)
                .map_err(|reject| Refusal::new("envelope", at, reject))?
        } else {
            Inner { bytes: data[at..].into(), at: Some(at) }
        };
        let skipped = checksum::open(&inner.bytes)
            .map_err(|reject| Refusal::new("checksum", inner.at, reject))?;
        if skipped == CHECKSUM_LEN {
            let fields = vec![("crc32", hex(&inner.bytes[1..CHECKSUM_LEN]))];
            said.layer("checksum", inner.at, fields);
            inner = Inner {
                bytes: inner.bytes.split_off(skipped),
                at: inner.at.map(|at| at + skipped),
            };
        }
        inner = inflated(inner, PACKET_INFLATED_MAX, said)?;
        if let Some(bytes) = lists::packet(&inner.bytes) {
            inner = Inner { bytes, at: None };
        }
        if inner.bytes.first() == Some(&(Kind::Compound as u8)) {
            return self.explain_parts(&inner, said);
        }
        self.explain_leaf(&inner.bytes, inner.at, said)
            .map_err(|reject| Refusal::new("message", inner.at, reject))
    }

    fn explain_whole_stream(
        &self,
        bytes: &[u8],
        is_request: bool,
        said: &mut Explanation,
    ) -> Result<(), Refusal> {
        // Answers have no label of their own.
        let at = if is_request { self.explain_label(bytes, said)? } else { 0 };
        let inner = self.explain_frame(&bytes[at..], at, said)?;
        let inner = inflated(whole(inner)?, STREAM_LEN_MAX, said)?;
        if inner.bytes.first() == Some(&(Kind::Compress as u8)) {
            return Err(Refusal::new("compression", inner.at, Reject::Misplaced));
        }
        let mut inner = whole(inner)?;
        if let Some(bytes) = lists::streamed(&inner.bytes).filter(|plain| *plain != inner.bytes) {
            inner = Inner { bytes, at: None };
        }
        self.explain_streamed(&inner, said)
    }

    fn explain_label(&self, bytes: &[u8], said: &mut Explanation) -> Result<usize, Refusal> {
        if let [first, len, rest @ ..] = bytes
            && *first == Kind::Label as u8
            && let Some(label) = rest.get(..usize::from(*len))
        {
            said.layer("label", Some(0), vec![("label", label.into())]);
        }
        match self.labelling.measure(bytes) {
            Ok(Some(len)) => Ok(len),
            Ok(None) => Err(Refusal::new("label", bytes.len(), Reject::Truncated)),
            Err(reject) => Err(Refusal::new("label", 0, reject)),
        }
    }

    /// Takes the frame and the envelope off a stream, if it has any.
    fn explain_frame(
        &self,
        bytes: &[u8],
        at: usize,
        said: &mut Explanation,
    ) -> Result<Inner, Refusal> {
        let refused = |at: usize, reject| Refusal::new("frame", at, reject);
        if bytes.first() != Some(&(Kind::Encrypt as u8)) {
            if self.sealing.is_some() && self.options.verify_incoming {
                return Err(refused(at, Reject::Plaintext));
            }
            return Ok(Inner { bytes: bytes.into(), at: Some(at) });
        }
        if self.sealing.is_none() {
            return Err(refused(at, Reject::Sealed));
        }
        let Some((head, rest)) = bytes.split_first_chunk::<SEALED_HEAD_LEN>() else {
            return Err(refused(at + bytes.len(), Reject::Truncated));
        };
        let [_, len @ ..] = *head;
        let len = u32::from_be_bytes(len);
        said.layer("frame", Some(at), vec![("len", len.into())]);
        let len = usize::try_from(len).ok().filter(|&len| len <= SEALED_LEN_MAX);
        let len = len.ok_or_else(|| refused(at, Reject::Oversize))?;
        let end = at + bytes.len();
        let sealed = rest.get(..len).ok_or_else(|| refused(end, Reject::Truncated))?;
        let around = [head, &self.labelling.label[..]].concat();
        let at = at + SEALED_HEAD_LEN;
        self.explain_sealed(sealed, &around, at, said)
            .map_err(|reject| Refusal::new("envelope", at, reject))
    }

    fn explain_sealed(
        &self,
        sealed: &[u8],
        around: &[u8],
        at: usize,
        said: &mut Explanation,
    ) -> Result<Inner, Reject> {
        let sealing = self.sealing.as_ref().ok_or(Reject::Sealed)?;
        let mut bytes = Vec::new();
        let (nonce, key_id) = sealing.open_again(sealed, around, &mut bytes)?;
        let fields = vec![
            ("version", sealed[0].into()),
            ("nonce", hex(&nonce)),
            ("key_id", key_id.to_string().into()),
        ];
        said.layer("envelope", Some(at), fields);
        Ok(Inner { bytes, at: Some(at + 1 + nonce.len()) })
    }

    fn explain_parts(&self, inner: &Inner, said: &mut Explanation) -> Result<(), Refusal> {
        let parts = Parts::read(&inner.bytes[1..])
            .map_err(|reject| Refusal::new("compound", inner.at, reject))?;
        said.layer("compound", inner.at, vec![("parts", inner.bytes[1].into())]);
        // The parts follow each other behind the lengths of all of them.
        let mut begin = 2 + 2 * usize::from(inner.bytes[1]);
        let mut has_probe = false;
        for part in parts {
            let at = inner.at.map(|at| at + begin);
            begin += part.map_or(0, <[u8]>::len);
            let explained = part.and_then(|part| {
                let is_probe = matches!(Kind::of(part[0]), Some(Kind::Ping | Kind::IndirectPing));
                let messages = said.messages.len();
                self.explain_leaf(part, at, said)?;
                if is_probe && has_probe {
                    said.messages.truncate(messages);
                    return Err(Reject::Excess); // One packet, one answer. (X6)
                }
                has_probe |= is_probe;
                Ok(())
            });
            said.refused.extend(explained.err().map(|reject| Refusal::new("message", at, reject)));
        }
        Ok(())
    }

    fn explain_leaf(
        &self,
        message: &[u8],
        at: Option<usize>,
        said: &mut Explanation,
    ) -> Result<(), Reject> {
        let (&kind, body) = message.split_first().ok_or(Reject::Truncated)?;
        let kind = Kind::of(kind).ok_or(Reject::Malformed)?;
        let leaf = Leaf::read(kind, body)?.ok_or(Reject::Misplaced)?;
        let (name, fields) = leaf_fields(&leaf);
        said.message(name, at, fields);
        match leaf {
            // Whoever it is for.
            Leaf::Ping(_) => Ok(()),
            // What a node refuses is told all the same: it is what somebody said.
            _ => meaning::message(leaf, &self.own).map(drop),
        }
    }

    fn explain_streamed(&self, inner: &Inner, said: &mut Explanation) -> Result<(), Refusal> {
        let refused = |reject| Refusal::new("message", inner.at, reject);
        let (&first, body) = inner.bytes.split_first().ok_or_else(|| refused(Reject::Truncated))?;
        let mut from = Reader::new(body);
        let place =
            |from: &Reader<'_>| inner.at.map(|at| at + inner.bytes.len() - from.rest().len());
        match Kind::of(first) {
            Some(Kind::PushPull) => {
                let head = Head::read(&mut from).map_err(refused)?;
                said.message(
                    "push_pull",
                    inner.at,
                    vec![
                        ("join", head.join.into()),
                        ("nodes", head.nodes.into()),
                        ("user_state_len", head.state_len.into()),
                    ],
                );
                for _ in 0..head.nodes {
                    let at = place(&from);
                    let node = Node::read(&mut from).map_err(refused)?;
                    said.message("node", at, node_fields(&node));
                    let refused = meaning::entry(&node, &self.own).err();
                    let refused = refused.map(|reject| Refusal::new("message", at, reject));
                    said.refused.extend(refused);
                }
                if head.state_len > 0 {
                    said.message("user_state", place(&from), vec![("payload", from.rest().into())]);
                }
                Ok(())
            }
            Some(Kind::User) => {
                let len = read_delivery(&mut from).map_err(refused)?;
                let fields = vec![("user_msg_len", len.into()), ("payload", from.rest().into())];
                said.message("user", inner.at, fields);
                Ok(())
            }
            // A text for people, of whatever bytes.
            Some(kind @ Kind::Error) => {
                let leaf = Leaf::read(kind, body).map_err(refused)?;
                let (name, fields) = leaf_fields(&leaf.ok_or_else(|| refused(Reject::Misplaced))?);
                said.message(name, inner.at, fields);
                Ok(())
            }
            _ => self.explain_leaf(&inner.bytes, inner.at, said).map_err(refused),
        }
    }
}

/// What was compressed, inflated.
fn inflated(inner: Inner, max: usize, said: &mut Explanation) -> Result<Inner, Refusal> {
    if inner.bytes.first() != Some(&(Kind::Compress as u8)) {
        return Ok(inner);
    }
    let mut bytes = Vec::new();
    lzw::open(&inner.bytes[1..], max, &mut bytes)
        .map_err(|reject| Refusal::new("compression", inner.at, reject))?;
    let fields = vec![("algorithm", "lzw".into()), ("inflated_len", bytes.len().into())];
    said.layer("compression", inner.at, fields);
    Ok(Inner { bytes, at: None })
}

/// A stream's message without what follows it, if all of it is there.
fn whole(mut inner: Inner) -> Result<Inner, Refusal> {
    let mut extent = Extent::default();
    // How long a state or a message may be, its receiver decides.
    let any = Inbound { state_len_max: usize::MAX, message_len_max: usize::MAX };
    match extent.advance(&inner.bytes, &any) {
        Ok(true) => {
            inner.bytes.truncate(extent.len());
            Ok(inner)
        }
        Ok(false) => {
            let end = inner.at.map(|at| at + inner.bytes.len());
            Err(Refusal::new("message", end, Reject::Truncated))
        }
        Err(reject) => Err(Refusal::new("message", inner.at, reject)),
    }
}

fn leaf_fields(leaf: &Leaf<'_>) -> (&'static str, Fields) {
    match leaf {
        Leaf::Ping(ping) => {
            let mut fields = vec![("seq_no", ping.seq.into()), ("node", text(ping.node))];
            fields.extend(origin_fields(&ping.source));
            ("ping", fields)
        }
        Leaf::IndirectPing(ping) => {
            let mut fields = vec![
                ("seq_no", ping.seq.into()),
                ("target", ip(ping.target)),
                ("port", ping.port.into()),
                ("node", text(ping.node)),
                ("nack", ping.nack.into()),
            ];
            fields.extend(origin_fields(&ping.source));
            ("indirect_ping", fields)
        }
        Leaf::Ack { seq, payload } => {
            let payload = payload.unwrap_or_default();
            ("ack", vec![("seq_no", (*seq).into()), ("payload", payload.into())])
        }
        Leaf::Nack { seq } => ("nack", vec![("seq_no", (*seq).into())]),
        Leaf::Suspect(verdict) => ("suspect", verdict_fields(verdict)),
        Leaf::Dead(verdict) => ("dead", verdict_fields(verdict)),
        Leaf::Alive(alive) => ("alive", alive_fields(alive)),
        Leaf::User(payload) => ("user", vec![("payload", (*payload).into())]),
        Leaf::Error(error) => ("error", vec![("error", text(error))]),
    }
}

/// Who speaks, as far as it says so.
fn origin_fields(origin: &Origin<'_>) -> Fields {
    let mut fields = Fields::new();
    if !origin.addr.is_empty() {
        fields.push(("source_addr", ip(origin.addr)));
    }
    if origin.port != 0 {
        fields.push(("source_port", origin.port.into()));
    }
    if !origin.node.is_empty() {
        fields.push(("source_node", text(origin.node)));
    }
    fields
}

fn verdict_fields(verdict: &Verdict<'_>) -> Fields {
    vec![
        ("incarnation", verdict.incarnation.into()),
        ("node", text(verdict.node)),
        ("from", text(verdict.from)),
    ]
}

fn alive_fields(alive: &Alive<'_>) -> Fields {
    let versions = alive.vsn.iter().map(|&version| version.into()).collect();
    vec![
        ("incarnation", alive.incarnation.into()),
        ("node", text(alive.node)),
        ("addr", ip(alive.addr)),
        ("port", alive.port.into()),
        ("meta", alive.meta.unwrap_or_default().into()),
        ("vsn", Value::Numbers(versions)),
    ]
}

fn node_fields(node: &Node<'_>) -> Fields {
    let state = match node.state {
        0 => "alive",
        1 => "suspect",
        2 => "dead",
        3 => "left",
        _ => "unknown",
    };
    let mut fields = alive_fields(&node.alive);
    fields.push(("state", state.into()));
    fields
}

/// What should be a text: bytes where it is none.
fn text(bytes: &[u8]) -> Value {
    match core::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes.into(),
    }
}

/// An address in the form it has: bytes where it is none.
fn ip(bytes: &[u8]) -> Value {
    meaning::ip(bytes).map_or_else(|| bytes.into(), |ip| ip.to_string().into())
}
