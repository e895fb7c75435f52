//! Real packets and streams of Go agents: each is read as what it says, and written again to the
//! byte, with every layer around it.

use super::{
    super::{leaf::Leaf, limits::NONCE_LEN},
    samples::{Place, Run, Sample, agrees, leaf_line, runs, stream_lines},
    *,
};

impl Run {
    /// The wire of the one who reads this sample, whose primary key is the one it is sealed with.
    pub(super) fn reader_of(&self, sample: &Sample) -> Memberlist {
        let (version, primary) = sample.envelope().unwrap_or((1, 0));
        let mut keys: Vec<&[u8]> = self.keys.iter().map(Vec::as_slice).collect();
        let len = keys.len().max(1);
        keys.rotate_left(primary % len);
        let mut options = PLAIN.options;
        options.protocol.current = if version == 0 { 1 } else { 2 };
        Setup { name: sample.reader(), label: self.label, keys: &keys, options }.wire()
    }
}

/// The messages of a packet without what is around them.
fn leaves(message: &[u8]) -> Vec<Leaf<'_>> {
    let parts: Vec<&[u8]> = if message[0] == Kind::Compound as u8 {
        Parts::read(&message[1..]).unwrap().map(Result::unwrap).collect()
    } else {
        [message].into()
    };
    let leaf = |part: &&'_ [u8]| Kind::of(part[0]).unwrap();
    parts.iter().map(|part| Leaf::read(leaf(part), &part[1..]).unwrap().unwrap()).collect()
}

/// The same message once more.
fn written(leaves: &[Leaf<'_>], is_compound: bool) -> Vec<u8> {
    let (mut lengths, mut parts) = (Vec::new(), Vec::new());
    for leaf in leaves {
        let at = parts.len();
        leaf.put(&mut parts);
        lengths.push(u16::try_from(parts.len() - at).unwrap());
    }
    if !is_compound {
        return parts;
    }
    let mut out = Vec::new();
    compound::put(&lengths, &parts, &mut out);
    out
}

/// The layers of a sample around a message, with the nonce that the sample has.
fn wrapped(wire: &Memberlist, sample: &Sample, message: &[u8]) -> Vec<u8> {
    let mut inner = message.to_vec();
    if sample.has("compress") {
        inner.clear();
        lzw::put(message, &mut inner);
    }
    if sample.has("crc:ok") {
        let head = checksum::head(&inner);
        inner.splice(..0, head);
    }
    let mut out = Vec::new();
    if sample.place != Place::Response {
        wire.labelling.put(&mut out);
    }
    let Some(sealing) = &wire.sealing else {
        out.extend_from_slice(&inner);
        return out;
    };
    let mut around = wire.labelling.label.clone();
    if sample.place != Place::Packet {
        let len = u32::try_from(sealing.sealed_len(inner.len())).unwrap();
        around = [&[Kind::Encrypt as u8][..], &len.to_be_bytes(), &around].concat();
        out.extend_from_slice(&around[..SEALED_HEAD_LEN]);
    }
    let nonce: [u8; NONCE_LEN] = *sample.bytes[out.len() + 1..].first_chunk().unwrap();
    sealing.seal_with(nonce, &inner, &around, &mut out);
    out
}

#[test]
fn every_packet_is_read_as_what_it_says_and_written_again_to_the_byte() {
    let mut count = 0;
    for run in runs() {
        for (at, sample) in run.samples.iter().enumerate() {
            if sample.place != Place::Packet {
                continue;
            }
            count += 1;
            let about = alloc::format!("{} {at} {:?}", run.name, sample.layers);
            let (mut wire, mut scratch) = (run.reader_of(sample), Vec::new());
            let message = wire.unwrap(None, &sample.bytes, &mut scratch).unwrap().to_vec();
            let leaves = leaves(&message);
            assert_eq!(leaves.len(), sample.says.len(), "{about}");
            for (leaf, line) in leaves.iter().zip(&sample.says) {
                assert!(agrees(line, &leaf_line(leaf)), "{about}: {line} {leaf:?}");
            }
            let again = written(&leaves, message[0] == Kind::Compound as u8);
            assert_eq!(again, message, "{about}");
            assert_eq!(wrapped(&wire, sample, &again), sample.bytes, "{about}");
            // And as a node reads it: the same number of messages, none of them refused.
            let opened = run.reader_of(sample).open_packet(None, &sample.bytes, &mut scratch);
            let opened = opened.map(|opened| (opened.messages.len(), opened.refused.len()));
            assert_eq!(opened, Ok((sample.says.len(), 0)), "{about}");
        }
    }
    assert_eq!(count, 574);
}

/// Hands a stream over in pieces of this length; what it says, and whether that is all.
fn streamed(
    wire: &mut Memberlist,
    sample: &Sample,
    len: usize,
) -> (Vec<alloc::string::String>, bool) {
    let mut channel = match sample.place {
        Place::Response => Channel::dialer(),
        Place::Packet | Place::Request => Channel::listener(),
    };
    let (mut lines, mut is_over) = (Vec::new(), false);
    for mut chunk in sample.bytes.chunks(len) {
        let mut scratch = Vec::new();
        while let Some(opened) =
            wire.open_frame(None, &mut channel, &mut chunk, &mut scratch).unwrap()
        {
            assert!(opened.refused.is_empty() && !is_over);
            is_over = opened.last;
            stream_lines(&opened.messages, &mut lines);
        }
    }
    assert_eq!(channel.has_received_all(), is_over);
    (lines, is_over)
}

#[test]
fn every_stream_is_read_as_what_it_says_however_it_is_cut() {
    let mut count = 0;
    for run in runs() {
        for (at, sample) in run.samples.iter().enumerate() {
            if sample.place == Place::Packet {
                continue;
            }
            count += 1;
            let about = alloc::format!("{} {at} {:?}", run.name, sample.layers);
            for len in [1, 7, sample.bytes.len()] {
                let (lines, is_over) = streamed(&mut run.reader_of(sample), sample, len);
                assert!(is_over, "{about}");
                let lines = joined(&lines);
                let says = joined(&sample.says);
                assert_eq!(lines.len(), says.len(), "{about}: {lines:?} {says:?}");
                for (line, said) in says.iter().zip(&lines) {
                    // Who pings, our messages don't say.
                    let is_said = line.starts_with(&alloc::format!("{said} "));
                    let is_ping = line.starts_with("ping ");
                    assert!(if is_ping { is_said } else { agrees(line, said) }, "{about}: {said}");
                }
            }
        }
    }
    assert_eq!(count, 176);
}

/// Lines that say nothing left out: state and deliveries that are empty.
fn joined<S: AsRef<str>>(lines: &[S]) -> Vec<alloc::string::String> {
    let mut joined: Vec<alloc::string::String> = Vec::new();
    for line in lines.iter().map(AsRef::as_ref) {
        if !matches!(line, "state -" | "user -") {
            joined.push(line.into());
        }
    }
    joined
}

#[test]
fn every_stream_is_written_again_to_the_byte() {
    for run in runs() {
        for (at, sample) in run.samples.iter().enumerate() {
            if sample.place == Place::Packet {
                continue;
            }
            let about = alloc::format!("{} {at} {:?} {:?}", run.name, sample.layers, sample.says);
            let mut wire = run.reader_of(sample);
            let mut channel = match sample.place {
                Place::Response => Channel::dialer(),
                Place::Packet | Place::Request => Channel::listener(),
            };
            let own = wire.own.clone();
            let mut rules = Rules {
                labelling: &wire.labelling,
                sealing: wire.sealing.as_mut(),
                must_be_sealed: false,
                own: &own,
                inbound: &wire.inbound,
            };
            assert_eq!(channel.take(&mut rules, None, &sample.bytes), Ok(true), "{about}");
            let message = channel.message().unwrap().to_vec();
            let again = rewritten(&message, at, run.name);
            if run.name.starts_with("serf094") && again != message {
                // Its codec wrote the two lengths of a table as if they had no sign.
                assert_eq!(message[0], Kind::PushPull as u8, "{about}");
                assert_eq!(rewritten(&again, at, run.name), again, "{about}");
                let shorter = message.len().min(again.len()) - 60;
                assert!(again.ends_with(&message[message.len() - shorter..]), "{about}");
                continue;
            }
            assert_eq!(hex(&again), hex(&message), "{about}");
            assert_eq!(wrapped(&wire, sample, &again), sample.bytes, "{about}");
        }
    }
}

/// A stream's message read field by field, and put together again.
fn rewritten(message: &[u8], at: usize, run: &str) -> Vec<u8> {
    let kind = Kind::of(message[0]).unwrap();
    let mut from = unpack::Reader::new(&message[1..]);
    let mut out = alloc::vec![message[0]];
    match kind {
        Kind::PushPull => {
            let head = push_pull::Head::read(&mut from).unwrap();
            head.put(&mut out);
            for _ in 0..head.nodes {
                push_pull::Node::read(&mut from).unwrap().put(&mut out);
            }
            assert_eq!(from.rest().len(), head.state_len as usize, "{run} {at}");
            out.extend_from_slice(from.rest());
        }
        Kind::User => {
            push_pull::put_delivery(push_pull::read_delivery(&mut from).unwrap(), &mut out);
            out.extend_from_slice(from.rest());
        }
        _ => {
            out.clear();
            Leaf::read(kind, &message[1..]).unwrap().unwrap().put(&mut out);
        }
    }
    out
}
