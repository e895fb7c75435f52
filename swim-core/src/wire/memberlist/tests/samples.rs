//! The samples of real traffic: how they are written, and what they say.

use alloc::{format, string::String, vec::Vec};

use super::{bytes, hex};
use crate::wire::{
    memberlist::leaf::{Alive, Leaf, Origin},
    message::Message,
};

/// A run of real agents.
pub(super) struct Run {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) keys: Vec<Vec<u8>>,
    pub(super) samples: Vec<Sample>,
}

/// A packet, or one direction of a stream.
pub(super) struct Sample {
    pub(super) place: Place,
    /// From outside to inside.
    pub(super) layers: Vec<&'static str>,
    pub(super) bytes: Vec<u8>,
    /// What it says, one message a line.
    pub(super) says: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Packet,
    Request,
    Response,
}

impl Sample {
    /// The version of the envelope and the number of its key.
    pub(super) fn envelope(&self) -> Option<(u8, usize)> {
        let layer = self.layers.iter().find_map(|layer| layer.strip_prefix("encrypt:v"))?;
        let (version, key) = layer.split_once(":key").unwrap();
        Some((version.parse().unwrap(), key.parse().unwrap()))
    }

    /// Who must read it, for it to be for the reader.
    pub(super) fn reader(&self) -> &'static str {
        let ping = self.says.iter().find_map(|line| line.strip_prefix("ping "));
        ping.map_or("nobody", |ping| ping.split(' ').nth(1).unwrap())
    }
}

macro_rules! runs {
    ($($name:literal,)*) => {
        [$(read(
            $name,
            include_str!(concat!("../../../../tests/golden/memberlist/", $name, ".txt")),
        )),*]
    };
}

pub(super) fn runs() -> [Run; 10] {
    runs![
        "ml060-label",
        "ml060-label-aes256",
        "ml060-plain",
        "ml060-proto1-aes128-pkcs7",
        "serf010-aes256-rekey",
        "serf010-plain",
        "serf094-aes128-nocompress",
        "serf094-aes256-rekey",
        "serf094-plain",
        "serf094-plain-nocompress",
    ]
}

fn read(name: &'static str, text: &'static str) -> Run {
    let mut run = Run { name, label: "", keys: Vec::new(), samples: Vec::new() };
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "#" => {}
            "label" => run.label = rest.trim_matches('-'),
            "keys" => run.keys = rest.split(' ').filter(|key| *key != "-").map(bytes).collect(),
            "packet" => run.samples.push(sample(Place::Packet, rest)),
            "request" => run.samples.push(sample(Place::Request, rest)),
            "response" => run.samples.push(sample(Place::Response, rest)),
            "hex" => run.samples.last_mut().unwrap().bytes = bytes(rest),
            "=" => run.samples.last_mut().unwrap().says.push(rest),
            _ => panic!("{name}: {line}"),
        }
    }
    run
}

fn sample(place: Place, layers: &'static str) -> Sample {
    let layers = layers.split(' ').filter(|layer| *layer != "plain").collect();
    Sample { place, layers, bytes: Vec::new(), says: Vec::new() }
}

/// Whether a line says this. What it leaves open with an asterisk may be anything.
pub(super) fn agrees(line: &str, said: &str) -> bool {
    let (mut line, mut said) = (line.split(' '), said.split(' '));
    loop {
        match (line.next(), said.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || a == "*" => {}
            _ => return false,
        }
    }
}

/// What a message of a packet says, field by field.
pub(super) fn leaf_line(leaf: &Leaf<'_>) -> String {
    match leaf {
        Leaf::Ping(ping) => {
            format!("ping {} {} {}", ping.seq, text(ping.node), origin(&ping.source))
        }
        Leaf::IndirectPing(ping) => format!(
            "indirect-ping {} {}:{} {} {} {}",
            ping.seq,
            ip(ping.target),
            ping.port,
            text(ping.node),
            ping.nack,
            origin(&ping.source)
        ),
        Leaf::Ack { seq, payload } => format!("ack {seq} {}", opaque(payload.unwrap_or_default())),
        Leaf::Nack { seq } => format!("nack {seq}"),
        Leaf::Suspect(v) => format!("suspect {} {} {}", v.incarnation, text(v.node), text(v.from)),
        Leaf::Dead(v) => format!("dead {} {} {}", v.incarnation, text(v.node), text(v.from)),
        Leaf::Alive(alive) => format!("alive {}", alive_line(alive)),
        Leaf::User(payload) => format!("user {}", opaque(payload)),
        Leaf::Error(text) => format!("error {}", opaque(text)),
    }
}

fn alive_line(alive: &Alive<'_>) -> String {
    let vsn: Vec<String> = alive.vsn.iter().map(|byte| format!("{byte}")).collect();
    let (node, addr) = (text(alive.node), ip(alive.addr));
    let meta = opaque(alive.meta.unwrap_or_default());
    format!("{} {node} {addr}:{} {meta} {}", alive.incarnation, alive.port, vsn.join(","))
}

/// Adds what the next messages of a stream say.
pub(super) fn stream_lines(messages: &[Message<'_>], lines: &mut Vec<String>) {
    for message in messages {
        lines.push(match message {
            Message::ExchangeHead(head) => {
                format!("push-pull {} {} {}", head.entries, head.state_len, head.join)
            }
            Message::Entry(entry) => {
                let alive = &entry.alive;
                let (p, a) = (alive.versions.protocol, alive.versions.application);
                let vsn = [p.min, p.max, p.current, a.min, a.max, a.current];
                format!(
                    "node {} {} {} {} {} {}",
                    entry.stamp.incarnation,
                    alive.name,
                    alive.addr,
                    opaque(alive.meta),
                    vsn.map(|v| format!("{v}")).join(","),
                    entry.state as u8
                )
            }
            Message::DeliveryHead(_) => continue,
            Message::StatePiece(piece) => format!("state {}", hex(piece)),
            Message::DeliveryPiece(piece) => format!("user {}", hex(piece)),
            Message::Refused(refusal) => format!("error {}", hex(refusal.text.as_bytes())),
            Message::Ack(ack) => format!("ack {} {}", ack.nonce, opaque(ack.payload)),
            Message::Ping(ping) => format!("ping {}", ping.nonce),
            other => panic!("{other:?} in a stream"),
        });
    }
}

fn origin(origin: &Origin<'_>) -> String {
    let addr = if origin.addr.is_empty() { "-".into() } else { ip(origin.addr) };
    format!("{addr}:{} {}", origin.port, text(origin.node))
}

fn text(bytes: &[u8]) -> &str {
    if bytes.is_empty() { "-" } else { core::str::from_utf8(bytes).unwrap() }
}

fn opaque(bytes: &[u8]) -> String {
    if bytes.is_empty() { "-".into() } else { hex(bytes) }
}

fn ip(bytes: &[u8]) -> String {
    let octets: Vec<String> = bytes.iter().map(|byte| format!("{byte}")).collect();
    octets.join(".")
}
