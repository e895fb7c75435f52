//! What must hold whatever bytes come in. Each target takes the bytes that a fuzzer made and panics
//! when something doesn't hold; `fuzz` gives them to libFuzzer, and the tests of this crate replay
//! the corpora that it left, on any toolchain.

mod again;
mod capture;
mod cluster;
mod cluster_of;
mod corpus;
mod errand;
mod hold;
mod kinds;
mod line;
mod mend;
mod node;
mod one_encoding;
mod packet;
mod play;
mod script;
mod stream;
mod text;

pub use capture::capture;
pub use cluster::cluster;
pub use corpus::{answers, kinds, real_answer};
pub use errand::{Errand, Mood};
pub use kinds::Kinds;
pub use node::node;
pub use one_encoding::one_encoding;
pub use packet::{memberlist_packet, native_packet};
pub use stream::{CUTS, memberlist_stream, native_stream};
pub use text::{readers, text};

/// A target: it takes any bytes and panics when something doesn't hold.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its corpus and of its program.
pub const TARGETS: [(&str, Target); 9] = [
    ("native_packet", native_packet),
    ("memberlist_packet", memberlist_packet),
    ("native_stream", native_stream),
    ("memberlist_stream", memberlist_stream),
    ("node", node),
    ("cluster", cluster),
    ("text", text),
    ("one_encoding", one_encoding),
    ("capture", capture),
];
