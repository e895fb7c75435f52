//! The samples of real traffic in swim-core's tests, and what stands in them.

use std::{fs, net::SocketAddr, path::Path};

use swim_core::{
    Dialect, Key, Keyring, Label, MemberlistOptions, VersionRange,
    inspect::{Explained, Inspector, Value},
};

/// A run of real agents.
pub(crate) struct Run {
    pub(crate) name: String,
    /// Empty for none.
    pub(crate) label: String,
    pub(crate) keys: Vec<Vec<u8>>,
    pub(crate) samples: Vec<Sample>,
}

/// A packet, or one direction of a stream.
pub(crate) struct Sample {
    pub(crate) place: Place,
    /// From outside to inside, with blanks between.
    layers: String,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Packet,
    Request,
    Response,
}

/// All runs there are, in the order of their names.
pub(crate) fn runs() -> Vec<Run> {
    let directory =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../swim-core/tests/golden/memberlist");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut runs: Vec<_> = files.map(|file| run(&file)).collect();
    runs.sort_by(|a, b| a.name.cmp(&b.name));
    runs
}

fn run(file: &Path) -> Run {
    let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut run = Run { name, label: String::new(), keys: Vec::new(), samples: Vec::new() };
    for line in fs::read_to_string(file).unwrap().lines() {
        let (word, rest) = line.split_once(' ').unwrap();
        let sample = |place| Sample { place, layers: rest.into(), bytes: Vec::new() };
        match word {
            "label" => run.label = rest.trim_matches('-').into(),
            "keys" => run.keys = rest.split(' ').filter(|key| *key != "-").map(bytes).collect(),
            "packet" => run.samples.push(sample(Place::Packet)),
            "request" => run.samples.push(sample(Place::Request)),
            "response" => run.samples.push(sample(Place::Response)),
            "hex" => run.samples.last_mut().unwrap().bytes = bytes(rest),
            // What it says is asked of the decoders, which know more than these lines.
            _ => assert!(["#", "="].contains(&word), "{}: {line}", run.name),
        }
    }
    run
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().as_chunks::<2>().0.iter();
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

impl Run {
    /// The version of memberlist's protocol that its agents speak.
    pub(crate) fn protocol(&self) -> u8 {
        if self.samples.iter().any(|sample| sample.layers.contains("encrypt:v0")) { 1 } else { 2 }
    }

    /// Reads and writes as its agents do; the key of this number is the one to seal with.
    pub(crate) fn inspector(&self, primary: usize) -> Inspector {
        let mut keys: Vec<_> = self.keys.iter().map(|key| Key::new(key).unwrap()).collect();
        let len = keys.len().max(1);
        keys.rotate_left(primary % len);
        let mut keys = keys.into_iter();
        let keyring = keys
            .next()
            .map(|first| keys.fold(Keyring::new(first), |ring, key| ring.with(key).unwrap()));
        let mut options = MemberlistOptions::default();
        options.protocol = VersionRange { current: self.protocol(), ..options.protocol };
        Inspector::new(Dialect::Memberlist(options), &Label::new(&self.label).unwrap(), keyring)
    }

    /// Where its agents are, by name, as they say themselves.
    pub(crate) fn addrs(&self) -> Vec<(String, SocketAddr)> {
        let all = self.samples.iter().flat_map(|sample| sample.said(self));
        let mut addrs: Vec<_> = all
            .filter(|it| it.kind == "alive" || it.kind == "node" && text(it, "state") == "alive")
            .map(|it| (text(&it, "node"), addr(&it, "addr", "port")))
            .collect();
        addrs.sort();
        addrs.dedup();
        addrs
    }
}

impl Sample {
    pub(crate) fn has(&self, layer: &str) -> bool {
        self.layers.split(' ').any(|it| it == layer)
    }

    /// Whether a change is always seen: by a seal or a checksum.
    pub(crate) fn is_guarded(&self) -> bool {
        self.has("crc:ok") || self.layers.contains("encrypt")
    }

    /// The number of the key that it is sealed with.
    fn key(&self) -> usize {
        self.layers.split_once(":key").map_or(0, |(_, rest)| {
            rest.chars().next().and_then(|digit| digit.to_digit(10)).unwrap() as usize
        })
    }

    /// Read and written again by us.
    pub(crate) fn again(&self, run: &Run) -> Vec<u8> {
        let mut inspector = run.inspector(self.key());
        let again = match self.place {
            Place::Packet => inspector.rewrite_packet(&self.bytes),
            Place::Request => inspector.rewrite_stream(&self.bytes, true),
            Place::Response => inspector.rewrite_stream(&self.bytes, false),
        };
        again.unwrap()
    }

    /// The messages in it.
    pub(crate) fn said(&self, run: &Run) -> Vec<Explained> {
        let mut inspector = run.inspector(self.key());
        let mut said = match self.place {
            Place::Packet => vec![inspector.packet(&self.bytes)],
            Place::Request => inspector.stream(&self.bytes, b"").request,
            Place::Response => inspector.stream(b"", &self.bytes).answer,
        };
        let said = said.remove(0);
        assert!(said.is_understood(), "{}: {said:?}", run.name);
        said.messages
    }
}

/// A field of a message that is there.
fn field<'a>(message: &'a Explained, name: &str) -> Option<&'a Value> {
    message.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
}

pub(crate) fn number(message: &Explained, name: &str) -> u64 {
    match field(message, name) {
        Some(Value::Number(number)) => *number,
        other => panic!("{name} of {message:?}: {other:?}"),
    }
}

/// A text, which is empty where there is none.
pub(crate) fn text(message: &Explained, name: &str) -> String {
    match field(message, name) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        None => String::new(),
        other => panic!("{name} of {message:?}: {other:?}"),
    }
}

pub(crate) fn addr(message: &Explained, ip: &str, port: &str) -> SocketAddr {
    let port = u16::try_from(number(message, port)).unwrap();
    SocketAddr::new(text(message, ip).parse().unwrap(), port)
}
