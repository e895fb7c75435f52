//! Real packets and streams of Go agents: each is read as what it says, and written again to the
//! byte, with every layer around it.

use super::{
    super::{leaf::Leaf, rewriting},
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
    parts.into_iter().map(|part| rewriting::leaf(part).unwrap()).collect()
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
            assert_eq!(wire.rewrite_packet(&sample.bytes).as_ref(), Ok(&sample.bytes), "{about}");
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
    let mut count = 0;
    for run in runs() {
        for (at, sample) in run.samples.iter().enumerate() {
            if sample.place == Place::Packet {
                continue;
            }
            let about = alloc::format!("{} {at} {:?} {:?}", run.name, sample.layers, sample.says);
            let (wire, is_request) = (run.reader_of(sample), sample.place == Place::Request);
            let again = wire.rewrite_stream(&sample.bytes, is_request).unwrap();
            if again != sample.bytes {
                // Its codec wrote the two lengths of a table as if they had no sign.
                assert!(run.name.starts_with("serf094"), "{about}");
                assert!(sample.says[0].starts_with("push-pull"), "{about}");
                count += 1;
                let said = |bytes: &[u8]| {
                    let said = wire.explain_stream(bytes, is_request).remove(0);
                    let said = said.messages.into_iter();
                    said.map(|message| (message.kind, message.fields)).collect::<Vec<_>>()
                };
                assert_eq!(said(&again), said(&sample.bytes), "{about}");
            }
        }
    }
    assert_eq!(count, OTHERWISE);
}

/// How many tables of an older codec are written otherwise, and say the same.
const OTHERWISE: usize = 50;
