//! Puppets: whatever a peer could say, a puppet says, in real packets and frames; and what the node
//! sends is opened by the puppet it is meant for.

use core::net::SocketAddr;
use std::{boxed::Box, vec::Vec};

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

use super::{
    stage::{Sent, Stage, Step},
    words::{addr, name},
};
use crate::{
    io::{Input, StreamEvent, StreamId},
    limits::PACKET_LEN_MAX,
    name::named,
    reject::Reject,
    stamp::{Life, Stamp},
    table::MemberIndex,
    wire::{
        Ack, Alive, Channel, Claim, Digest, Lane, Message, Opened, Receiver, Sender, Wire,
        WireSettings,
    },
};

/// A peer's wire and the stamp it speaks under.
pub(super) struct Puppet {
    name: &'static str,
    pub(super) wire: Wire,
    stamp: Stamp,
}

/// A puppet's end of a stream.
pub(super) struct Link {
    pub(super) puppet: usize,
    pub(super) channel: Channel,
}

impl Stage {
    /// The nth sends a packet from its own address.
    pub(super) fn say(&mut self, nth: usize, messages: &[Message<'_>]) {
        self.say_from(addr(nth), nth, messages);
    }

    /// The nth sends a packet from some address.
    pub(super) fn say_from(&mut self, from: SocketAddr, nth: usize, messages: &[Message<'_>]) {
        let data = self.packet(nth, messages);
        self.handle(Input::Packet { from, data: &data });
    }

    /// A packet from the nth to the node.
    pub(super) fn packet(&mut self, nth: usize, messages: &[Message<'_>]) -> Bytes {
        self.packet_to(self.node.config.life, nth, messages)
    }

    /// A packet from the nth to the node in this life.
    pub(super) fn packet_to(&mut self, life: Life, nth: usize, messages: &[Message<'_>]) -> Bytes {
        let (wall, to) = (self.wall, self.node.name().clone());
        let puppet = self.puppet(nth);
        let sender = Sender { name: named(puppet.name), stamp: puppet.stamp };
        let to = Receiver { name: named(&to), life, protocol_max: 0 };
        let mut writer = puppet.wire.begin_packet(wall, sender, Some(to));
        for message in messages {
            assert!(writer.push(message), "{message:?} fits");
        }
        puppet.wire.finish_packet(writer)
    }

    /// Some bytes come from some address.
    pub(super) fn raw(&mut self, from: SocketAddr, data: &[u8]) {
        self.handle(Input::Packet { from, data });
    }

    /// From now on the nth speaks under this stamp.
    pub(super) fn speaks_under(&mut self, nth: usize, life: u64, incarnation: u64) {
        self.puppet(nth).stamp = Stamp::new(life, incarnation);
    }

    /// From now on the nth goes by this name.
    pub(super) fn named(&mut self, nth: usize, name: &'static str) {
        self.puppet(nth).name = name;
    }

    /// The nth answers a ping.
    pub(super) fn ack(&mut self, nth: usize, nonce: u64) {
        self.say(nth, &[Message::Ack(Ack { nonce, digest: Digest::default(), payload: b"" })]);
    }

    /// The nth opens a stream.
    pub(super) fn accept(&mut self, nth: usize) -> StreamId {
        self.accept_from(addr(nth), nth)
    }

    /// The nth opens a stream from some address.
    pub(super) fn accept_from(&mut self, from: SocketAddr, nth: usize) -> StreamId {
        let id = StreamId::accepted(self.next_accepted);
        self.next_accepted += 1;
        let channel = self.puppet(nth).wire.dialer();
        self.links.insert(id, Link { puppet: nth, channel });
        self.stream(id, StreamEvent::Accepted { from });
        id
    }

    /// Something happens on a stream.
    pub(super) fn stream(&mut self, id: StreamId, event: StreamEvent<'_>) {
        self.handle(Input::Stream { id, event });
    }

    /// The puppet at the other end of a stream sends a frame.
    pub(super) fn reply(&mut self, id: StreamId, messages: &[Message<'_>], last: bool) {
        let data = self.frame(id, messages, last);
        self.stream(id, StreamEvent::Chunk(&data));
    }

    /// A frame from the puppet at the other end of a stream.
    pub(super) fn frame(&mut self, id: StreamId, messages: &[Message<'_>], last: bool) -> Bytes {
        self.frame_to(None, id, messages, last)
    }

    /// The same to the node in this life, or to whoever reads it.
    pub(super) fn frame_to(
        &mut self,
        life: Option<Life>,
        id: StreamId,
        messages: &[Message<'_>],
        last: bool,
    ) -> Bytes {
        let name = self.node.name().clone();
        let to = life.map(|life| Receiver { name: named(&name), life, protocol_max: 0 });
        let link = self.links.get_mut(&id).expect("a stream that was opened");
        let puppet = self.puppets.get_mut(&link.puppet).expect("a puppet that opened it");
        let sender = Sender { name: named(puppet.name), stamp: puppet.stamp };
        let mut writer = puppet.wire.begin_frame(self.wall, sender, to);
        for message in messages {
            assert!(writer.push(message), "{message:?} fits");
        }
        puppet.wire.finish_frame(writer, &mut link.channel, last)
    }

    /// From now on the nth, whose own wire knows nothing of it yet, is at the other end.
    pub(super) fn handled_by(&mut self, id: StreamId, nth: usize) {
        self.puppet(nth);
        self.links.get_mut(&id).expect("a stream that was opened").puppet = nth;
    }

    /// What the node says of itself is what a peer that shares its clock would accept.
    pub(super) fn check_accepted_by_a_peer(&mut self) {
        let wall = self.node.config.unix_time;
        let mut peer = Self::new(|options| {
            options.unix_time = wall;
            options.name = "peer".into();
            options.addr = addr(8);
        });
        let first = Stamp::first(self.node.config.life);
        for stamp in [first, self.node.stamp()] {
            let own = self.node.table.get(MemberIndex::SELF).profile().clone();
            let own = Alive { stamp, ..own.alive() };
            peer.say(9, &[Message::Claim(Claim::Alive(own))]);
            assert_eq!(peer.node.member(own.name.as_str()).map(|member| member.stamp), Some(stamp));
        }
    }

    /// A packet of the node, opened by whom it is meant for.
    pub(super) fn open(&mut self, to: SocketAddr, data: Bytes) -> Sent {
        assert!(data.len() <= self.node.config.packet_len_max, "W1: {} bytes", data.len());
        let (wall, now) = (self.wall, self.now);
        let opened = self.puppet(nth_at(to)).wire.open_packet(wall, keep(&data), scratch());
        let (sender, messages) = match opened {
            Ok(opened) => {
                (opened.sender.map(|by| by.stamp).unwrap_or_default(), opened.messages.to_vec())
            }
            // Somebody else is thought to be there.
            Err(Reject::NotForUs) => (Stamp::default(), Vec::new()),
            Err(reject) => panic!("the node sent what its receivers refuse: {reject}"),
        };
        Sent { to, data, at: now, sender, messages }
    }

    /// What the node writes on a stream, read at its other end.
    pub(super) fn read(&mut self, id: StreamId, mut data: &[u8]) {
        let link = self.links.get_mut(&id).expect("a stream that was opened");
        let puppet = self.puppets.get_mut(&link.puppet).expect("a puppet that opened it");
        let opened = puppet.wire.open_frame(self.wall, &mut link.channel, &mut data, scratch());
        let Opened { messages, last, .. } =
            opened.expect("the node writes what its peers accept").expect("whole frames");
        assert!(data.is_empty(), "one frame at a time");
        self.steps.push(Step::Frame { id, messages: messages.to_vec(), last });
    }

    /// What a member seals is counted from here on.
    pub(super) fn counts_from(&mut self, nth: usize, lane: Lane, counter: u32) {
        match &mut self.puppet(nth).wire {
            Wire::Native(native) => native.skip_to(lane, counter),
            Wire::Memberlist(_) => unreachable!("puppets speak the native dialect"),
        }
    }

    /// The session in which the node seals.
    pub(super) fn session(&self, lane: Lane) -> [u8; 8] {
        match &self.node.wire {
            Wire::Native(native) => native.session(lane),
            Wire::Memberlist(_) => unreachable!("it numbers nothing"),
        }
    }

    pub(super) fn puppet(&mut self, nth: usize) -> &mut Puppet {
        let Self { puppets, label, keyring, .. } = self;
        puppets.entry(nth).or_insert_with(|| {
            let mut seed = [1; 32];
            seed[..8].copy_from_slice(&(nth as u64).to_le_bytes());
            let settings = WireSettings {
                label,
                keyring: keyring.clone(),
                own_name: name(nth),
                own_life: Life(1),
                packet_len_max: PACKET_LEN_MAX,
                sessions_max: 16,
                state_len_max: 0,
                message_len_max: 0,
            };
            let wire = Wire::native(settings, ChaCha8Rng::from_seed(seed));
            Puppet { name: name(nth), wire, stamp: Stamp::new(1, 1) }
        })
    }
}

/// Whoever is at an address.
pub(super) fn nth_at(addr: SocketAddr) -> usize {
    let SocketAddr::V4(addr) = addr else { panic!("puppets live at IPv4 addresses") };
    usize::try_from(addr.ip().to_bits() - 0x0A00_0001).unwrap()
}

/// Messages borrow from what they came in. A test keeps them to its end, so the bytes stay.
fn keep(data: &[u8]) -> &'static [u8] {
    Box::leak(data.into())
}

fn scratch() -> &'static mut Vec<u8> {
    Box::leak(Box::default())
}
