//! The machine where it speaks memberlist's dialect, beyond what a Go node makes of it: that is in
//! `tests/go_peer`.

use std::{collections::BTreeSet, string::String, vec, vec::Vec};

use super::{
    super::Node,
    words::{NODE, addr, alive, is_alive, is_suspect, name},
};
use crate::{
    config::Options,
    dialect::{Dialect, MemberlistOptions},
    event::{Event, EventKind},
    io::{Input, Output, StreamEvent, StreamId},
    keyring::{Key, KeyId, Keyring},
    limits::{MEMBERLIST_INCARNATION_MAX, MEMBERLIST_PACKET_LEN_MIN, packet_len_needed},
    name::named,
    stamp::Stamp,
    table::MemberIndex,
    time::Instant,
    wire::{Channel, Claim, ExchangeHead, Message, Refusal, Sender},
};

/// However long its name, its metadata and its label: what the configuration asks for is enough.
#[test]
fn w1_what_a_packet_must_hold_fits_into_it() {
    for (name, meta, label) in [(128, 512, 255), (128, 512, 0), (1, 0, 255), (40, 300, 64)] {
        let old = Old::new(|options| {
            options.name = "x".repeat(name);
            options.addr = "[fd00::1]:65535".parse().unwrap();
            options.meta = vec![0; meta].into();
            options.label = "x".repeat(label);
            options.keyring = Some(Keyring::new(Key::new(&[7; 32]).unwrap()));
            let needed = packet_len_needed(name, meta) + label;
            options.packet_len_max = needed.max(MEMBERLIST_PACKET_LEN_MIN);
        });
        let alive = old.node.table.get(MemberIndex::SELF).profile().alive();
        let len = old.node.wire.encoded_len(&Message::Claim(Claim::Alive(alive)));
        assert!(len <= old.node.message_room(), "{len}, {name} {meta} {label}");
    }
}

/// The highest that others believe is the last: what changes after it, changes under it.
#[test]
fn o3_no_incarnation_is_higher_than_others_believe() {
    let mut old = Old::new(|_| {});
    let highest = Stamp::new(0, MEMBERLIST_INCARNATION_MAX);
    old.hear(&[is_alive(1, 0, 1), is_suspect(NODE, (0, MEMBERLIST_INCARNATION_MAX - 1), 1)]);
    assert_eq!(old.node.stamp(), highest);
    let update = old.call(|node, now| node.update_meta(now, "new".into()));
    assert_eq!((update, old.node.stamp()), (Ok(highest), highest));
}

/// A node of this dialect, and what it has put out.
pub(super) struct Old {
    pub(super) node: Node,
    /// Somebody with the same key, who writes what the node is told.
    peer: Node,
    now: Instant,
    pub(super) outputs: Vec<Output<Event>>,
}

impl Old {
    pub(super) fn new(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::lan(name(NODE), addr(NODE));
        options.dialect = Dialect::Memberlist(MemberlistOptions::default());
        change(&mut options);
        let now = Instant::from_millis(1_000);
        let node = Node::new(options.clone().build().unwrap(), [9; 32], now);
        let peer = Node::new(options.build().unwrap(), [8; 32], now);
        Self { node, peer, now, outputs: Vec::new() }
    }

    fn call<T>(&mut self, call: impl FnOnce(&mut Node, Instant) -> T) -> T {
        let result = call(&mut self.node, self.now);
        self.outputs.extend(core::iter::from_fn(|| self.node.poll_output()));
        result
    }

    pub(super) fn handle(&mut self, input: Input<'_>) {
        self.call(|node, now| node.handle(now, input));
    }

    /// The first puppet says this in a packet.
    fn hear(&mut self, messages: &[Message<'_>]) {
        let sender = Sender { name: named(name(1)), stamp: Stamp::new(0, 1) };
        let mut writer = self.peer.wire.begin_packet(None, sender, None);
        assert!(messages.iter().all(|message| writer.push(message)), "it fits");
        let data = self.peer.wire.finish_packet(writer);
        self.handle(Input::Packet { from: addr(1), data: &data });
    }
}

impl Old {
    /// The first puppet asks for the table: the names in it, in their order.
    pub(super) fn table(&mut self, nth_stream: u64) -> Vec<String> {
        let mut channel = self.peer.wire.dialer();
        let sender = Sender { name: named(name(1)), stamp: Stamp::new(0, 1) };
        let mut writer = self.peer.wire.begin_frame(None, sender, None);
        let head = ExchangeHead { join: false, entries: 0, state_len: 0 };
        assert!(writer.push(&Message::ExchangeHead(head)));
        let question = self.peer.wire.finish_frame(writer, &mut channel, true);
        let id = StreamId::accepted(nth_stream);
        self.handle(Input::Stream { id, event: StreamEvent::Accepted { from: addr(1) } });
        for part in question.chunks(question.len().div_ceil(2)) {
            self.handle(Input::Stream { id, event: StreamEvent::Chunk(part) });
        }
        let mut names = Vec::new();
        let mut scratch = Vec::new();
        for output in core::mem::take(&mut self.outputs) {
            let Output::Write { data, .. } = output else { continue };
            let mut rest = &data[..];
            while let Some(opened) =
                self.peer.wire.open_frame(None, &mut channel, &mut rest, &mut scratch).unwrap()
            {
                names.extend(opened.messages.iter().filter_map(|message| match message {
                    Message::Entry(entry) => Some(String::from(entry.alive.name.as_str())),
                    _ => None,
                }));
            }
        }
        assert!(channel.has_received_all());
        names
    }
}

#[test]
fn what_a_table_has_no_room_for_comes_first_in_the_next() {
    const MEMBERS: usize = 10_000;
    let meta = vec![7; 512];
    let mut old = Old::new(|options| {
        let plain = MemberlistOptions { compression: false, ..MemberlistOptions::default() };
        options.dialect = Dialect::Memberlist(plain);
    });
    for nth in 1..=MEMBERS {
        let alive = crate::wire::Alive { meta: &meta, ..alive(nth, 0, 1) };
        old.hear(&[Message::Claim(Claim::Alive(alive))]);
        old.outputs.clear();
    }
    assert_eq!(old.table(0).len(), MEMBERS + 1);
    assert_eq!(old.node.stats().entries_left_out, 0, "6 MiB have room");
    old.node.set_local_state(vec![7; 16 << 20].into()).unwrap();
    let [first, second] = [1, 2].map(|nth| old.table(nth));
    for part in [&first, &second] {
        assert!((6_000..MEMBERS).contains(&part.len()), "{}", part.len());
        assert_eq!(part[0], name(NODE), "itself in each");
        assert_eq!(part.iter().collect::<BTreeSet<_>>().len(), part.len(), "nobody twice");
    }
    let left_out = [&first, &second].map(|part| (MEMBERS + 1 - part.len()) as u64);
    assert_eq!(old.node.stats().entries_left_out, left_out.iter().sum::<u64>());
    assert!(!first.contains(&second[1]), "it goes on where it ended");
    let all: BTreeSet<_> = first.into_iter().chain(second).collect();
    assert_eq!(all.len(), MEMBERS + 1, "two exchanges bring all");
}

fn worn(old: &mut Old) -> Vec<(KeyId, u64)> {
    let worn = old.outputs.iter().filter_map(|output| match output {
        Output::Event(Event { kind: EventKind::KeyWorn { key, sealed }, .. }) => {
            Some((*key, *sealed))
        }
        _ => None,
    });
    let worn = worn.collect();
    old.outputs.clear();
    worn
}

#[test]
fn o5_a_worn_key_is_told_and_counted_anew_after_a_rotation() {
    let (first, second) = (Key::generate([1; 32]), Key::generate([2; 32]));
    let ring = Keyring::new(first.clone());
    let mut old = Old::new(|options| options.keyring = Some(ring));
    assert_eq!(old.node.sealed_with_key(), 0);
    old.hear(&[is_alive(1, 0, 1)]);
    let send = |old: &mut Old| {
        old.call(|node, now| node.send_best_effort(now, name(1), b"hello")).unwrap();
        worn(old)
    };
    assert_eq!(send(&mut old), []);
    let before = old.node.sealed_with_key();
    assert_eq!(send(&mut old), []);
    assert_eq!(old.node.sealed_with_key(), before + 2, "the other member seals as much");
    old.node.wire.set_sealed((1 << 30) - 1);
    assert_eq!(send(&mut old), [(first.id(), 1 << 31)]);
    assert_eq!(send(&mut old), [], "once");
    old.node.wire.set_sealed((1 << 31) - 1);
    assert_eq!(send(&mut old), [(first.id(), 1 << 32)]);
    old.call(|node, now| node.add_key(now, second.clone())).unwrap();
    old.call(|node, now| node.use_key(now, second.id())).unwrap();
    let primary = old.node.keyring().map(|ring| ring.primary().id());
    assert_eq!((primary, old.node.sealed_with_key()), (Some(second.id()), 0), "another key");
    send(&mut old);
    assert_eq!(old.node.sealed_with_key(), 2);
    old.call(|node, now| node.use_key(now, first.id())).unwrap();
    assert_eq!(old.node.sealed_with_key(), 1 << 32, "it is still in the ring");
    old.call(|node, now| node.use_key(now, second.id())).unwrap();
    old.call(|node, now| node.remove_key(now, first.id())).unwrap();
    old.call(|node, now| node.add_key(now, first.clone())).unwrap();
    old.call(|node, now| node.use_key(now, first.id())).unwrap();
    assert_eq!(old.node.sealed_with_key(), 0, "it was forgotten");
}

impl Old {
    /// The first puppet opens a stream and says this; what the node refuses it with, and whether it
    /// closes the stream, which it aborts otherwise.
    fn refusal(&mut self, question: &[u8], channel: &mut Channel) -> (Option<String>, bool) {
        let id = StreamId::accepted(self.now.as_nanos());
        self.outputs.clear();
        self.handle(Input::Stream { id, event: StreamEvent::Accepted { from: addr(1) } });
        self.handle(Input::Stream { id, event: StreamEvent::Chunk(question) });
        let (mut text, mut is_closed, mut scratch) = (None, false, Vec::new());
        for output in core::mem::take(&mut self.outputs) {
            match output {
                Output::Write { data, .. } => {
                    let wire = &mut self.peer.wire;
                    let answer = wire.open_frame(None, channel, &mut &data[..], &mut scratch);
                    let answer = answer.unwrap().unwrap();
                    let [Message::Refused(refusal)] = answer.messages[..] else {
                        panic!("{:?}", answer.messages)
                    };
                    text = Some(refusal.text.into());
                }
                Output::Close { .. } => is_closed = true,
                _ => {}
            }
        }
        (text, is_closed)
    }

    /// What no question is, as the puppet writes it.
    fn nonsense(&mut self, channel: &mut Channel) -> Vec<u8> {
        let sender = Sender { name: named(name(1)), stamp: Stamp::new(0, 1) };
        let mut writer = self.peer.wire.begin_frame(None, sender, None);
        assert!(writer.push(&Message::Refused(Refusal { text: "no question" })));
        self.peer.wire.finish_frame(writer, channel, true).to_vec()
    }
}

const ENVELOPE: &[u8] = b"\x0a\0\0\0\x2f\x01 and forty-six bytes of what nobody has the key for";

#[test]
fn who_can_t_be_read_is_told_why() {
    let mut plain = Old::new(|_| {});
    let mut sealed =
        Old::new(|options| options.keyring = Some(Keyring::new(Key::generate([1; 32]))));
    let unread = |why: &str| Some(std::format!("what was sent can't be read: {why}"));
    let cases: [(&[u8], _); 5] = [
        (b"\xff", unread("malformed")),
        (b"\x01\x80", unread("misplaced")),
        (b"\x06\xc1", unread("malformed")),
        (b"\x09\x82\xa4Algo\x07\xa3Buf\xa0", unread("compression")),
        (ENVELOPE, Some("what was sent is encrypted, and this node has no key".into())),
    ];
    for (question, why) in cases {
        let mut channel = plain.peer.wire.dialer();
        assert_eq!(plain.refusal(question, &mut channel), (why, true), "{question:?}");
    }
    for old in [&mut plain, &mut sealed] {
        let mut channel = old.peer.wire.dialer();
        let question = old.nonsense(&mut channel);
        assert_eq!(old.refusal(&question, &mut channel), (unread("misplaced"), true));
    }
    assert_eq!(plain.node.stats().rejected(), 6, "all are counted");
}

#[test]
fn a_stranger_to_the_key_is_told_nothing() {
    let mut old = Old::new(|options| {
        options.keyring = Some(Keyring::new(Key::generate([1; 32])));
        options.label = "blue".into();
    });
    let mut open = Old::new(|options| options.label = "blue".into());
    for question in [b"\x06\xc1".as_slice(), b"\xf4\x04blue\x06\xc1", b"\xf4\x04blue"] {
        let mut channel = old.peer.wire.dialer();
        let question = [question, ENVELOPE].concat();
        assert_eq!(old.refusal(&question, &mut channel), (None, false), "{question:?}");
    }
    // Nor is a stranger to the label, where there is no key.
    for question in [b"\x06\xc1".as_slice(), b"\xf4\x03red\x06\xc1"] {
        let mut channel = open.peer.wire.dialer();
        assert_eq!(open.refusal(question, &mut channel), (None, false), "{question:?}");
    }
    assert_eq!((old.node.stats().rejected(), open.node.stats().rejected()), (3, 2));
    assert_eq!(old.node.sealed_with_key(), 0);
}
