//! A line of `swim decode`: one message or one refusal, as a JSON object.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use swim_tokio::{
    Reject,
    inspect::{Explained, Explanation, Fields, Layer, Refusal, Value},
};

use super::origin::Origin;

/// One line, and where it was captured.
struct Record<'a> {
    origin: Option<&'a Origin>,
    layers: &'a [Layer],
    what: What<'a>,
}

enum What<'a> {
    Message(&'a Explained),
    Refusal(&'a Refusal),
    /// Layers, and nothing in them.
    Nothing,
}

/// The lines of an explanation: its messages, and then what is refused.
pub(super) fn lines(said: &Explanation, origin: Option<&Origin>) -> Vec<String> {
    let Explanation { layers, messages, refused } = said;
    let messages = messages.iter().map(What::Message);
    let mut all: Vec<What<'_>> = messages.chain(refused.iter().map(What::Refusal)).collect();
    if all.is_empty() {
        all.push(What::Nothing);
    }
    let line = |what| {
        serde_json::to_string(&Record { origin, layers, what })
            .expect("a map with text keys and plain values is always JSON")
    };
    all.into_iter().map(line).collect()
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(Origin { time, transport, source, destination }) = self.origin {
            map.serialize_entry("time", &time.to_string())?;
            map.serialize_entry("transport", transport)?;
            map.serialize_entry("source", &source.to_string())?;
            map.serialize_entry("destination", &destination.to_string())?;
        }
        match self.what {
            What::Message(message) => {
                map.serialize_entry("kind", message.kind)?;
                if let Some(at) = message.at {
                    map.serialize_entry("at", &at)?;
                }
                map.serialize_entry("layers", &Layers(self.layers))?;
                map.serialize_entry("fields", &Named(&[], &message.fields))?;
            }
            What::Refusal(Refusal { layer, at, reject }) => {
                map.serialize_entry("kind", "refused")?;
                map.serialize_entry("refused", reject.name())?;
                map.serialize_entry("layer", layer)?;
                if let Some(at) = at {
                    map.serialize_entry("at", at)?;
                }
                map.serialize_entry("reason", reason(*reject))?;
                map.serialize_entry("layers", &Layers(self.layers))?;
            }
            What::Nothing => {
                map.serialize_entry("kind", "nothing")?;
                map.serialize_entry("layers", &Layers(self.layers))?;
            }
        }
        map.end()
    }
}

struct Layers<'a>(&'a [Layer]);

impl Serialize for Layers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for Layer { name, at, fields } in self.0 {
            let mut head = vec![("layer", Value::Text((*name).into()))];
            head.extend(at.map(|at| ("at", Value::Number(at as u64))));
            list.serialize_element(&Named(&head, fields))?;
        }
        list.end()
    }
}

/// Fields, those of the first list before the others.
struct Named<'a>(&'a [(&'static str, Value)], &'a Fields);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter().chain(self.1) {
            match value {
                Value::Number(number) => map.serialize_entry(name, number)?,
                Value::Flag(flag) => map.serialize_entry(name, flag)?,
                Value::Text(text) => map.serialize_entry(name, text)?,
                Value::Numbers(numbers) => map.serialize_entry(name, numbers)?,
                // As in the events of an agent.
                Value::Bytes(bytes) => match str::from_utf8(bytes) {
                    Ok(text) => map.serialize_entry(name, text)?,
                    Err(_) => {
                        let text = STANDARD.encode(bytes);
                        map.serialize_entry(&format!("{name}_base64"), &text)?;
                    }
                },
            }
        }
        map.end()
    }
}

/// Why, in words. Those of a node's own doings never come from a decoder.
fn reason(reject: Reject) -> &'static str {
    match reject {
        Reject::Truncated => "it ends before it is complete",
        Reject::Oversize => "it is longer than it may be",
        Reject::Version => "another version of the format, or another dialect (--dialect)",
        Reject::Flags => "a flag that does not exist, or not here: a stream perhaps (--stream)",
        Reject::Label => "of a cluster with another label (--label)",
        Reject::Plaintext => "not sealed, although a key was given",
        Reject::Sealed => "sealed, and no key was given (--key)",
        Reject::UnknownKey => "sealed with a key that was not given (--key)",
        Reject::Decrypt => "sealed with another key (--key), or changed on its way",
        Reject::Checksum => "changed on its way, or of a cluster with another label (--label)",
        Reject::Compression => "compressed wrongly, or to more than is allowed",
        Reject::Malformed => "no message that a node would take",
        Reject::Text => "a name or a text with a forbidden character or length",
        Reject::Address => "an address at which nobody can be reached",
        Reject::Implausible => "a life or an incarnation that no correct node has",
        Reject::Unaddressed => "a packet that is for nobody",
        Reject::Misplaced => "something that does not belong at this place",
        Reject::Excess => "more messages, or more probes, than one packet may have",
        Reject::Stale
        | Reject::NotForUs
        | Reject::FormerLife
        | Reject::Replayed
        | Reject::Source
        | Reject::OwnName
        | Reject::Stranger
        | Reject::TableFull
        | Reject::NoRoom => "nothing that a node takes",
    }
}
