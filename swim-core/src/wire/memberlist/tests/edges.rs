//! The edges of what streams may bring: exactly so much, and one more.

use super::{
    limits::{PIECE_LEN, SEALED_HEAD_LEN, STREAM_LEN_MAX},
    *,
};
use crate::{label::LABEL_LEN_MAX, wire::message::ExchangeHead};

/// What becomes of the first that comes of a stream, when all of it comes at once.
fn opened(wire: &mut Memberlist, stream: &[u8]) -> Result<Option<usize>, Reject> {
    let (mut channel, mut scratch) = (Channel::listener(), Vec::new());
    let opened = wire.open_frame(None, &mut channel, &mut &stream[..], &mut scratch)?;
    Ok(opened.map(|opened| opened.messages.len()))
}

#[test]
fn x11_no_more_is_looked_at_than_the_longest_label_and_message_have() {
    let label = alloc::string::String::from_iter(['x'; LABEL_LEN_MAX]);
    let mut wire = Setup { label: &label, ..PLAIN }.wire();
    let mut stream = Vec::new();
    wire.labelling.put(&mut stream);
    let longest = stream.len() + SEALED_HEAD_LEN + STREAM_LEN_MAX;
    // A message of a few bytes, and what stands behind it.
    stream.extend(bytes("0881aa557365724d73674c656e026869"));
    stream.resize(longest, 0);
    assert_eq!(opened(&mut wire, &stream), Ok(Some(1)));
    stream.push(0);
    assert_eq!(opened(&mut wire, &stream), Err(Reject::Oversize));
}

#[test]
fn bytes_as_a_list_of_numbers_are_bytes_in_streams_too() {
    let ping = bytes("0082a44e6f6465966e6f64652d62a55365714e6f07");
    assert_eq!(opened(&mut PLAIN.wire(), &ping), Ok(Some(1)));
}

/// A batch ends with the line that fills it, and is no longer than one line more than it may be.
#[test]
fn m1_a_batch_of_lines_has_so_many_bytes() {
    const LINE: usize = 512;
    let versions = VersionRange { min: 1, max: 5, current: 2 };
    let entry = |meta| {
        let alive = Alive {
            name: named("a"),
            stamp: Stamp::new(0, 1),
            addr: "10.0.0.1:7946".parse().unwrap(),
            mapped: false,
            versions: Versions { protocol: versions, application: versions },
            meta,
        };
        Entry { alive, state: State::Alive, stamp: alive.stamp, reason: LeaveReason::Graceful }
    };
    let meta = [0; LINE];
    let mut line = Vec::new();
    meaning::put_entry(&entry(&meta[..300]), &mut line);
    let meta = &meta[..300 + LINE - line.len()];
    let mut wire = PLAIN.wire();
    let mut writer = wire.begin_frame(&[]);
    let (join, entries, state_len) = (false, 300, 0);
    writer.push(&Message::ExchangeHead(ExchangeHead { join, entries, state_len }));
    (0..entries).for_each(|_| assert!(writer.push(&Message::Entry(entry(meta)))));
    let stream = wire.finish_frame(writer, &mut Channel::dialer());
    // Beside the head.
    assert_eq!(opened(&mut wire, &stream), Ok(Some(1 + PIECE_LEN / LINE)));
}
