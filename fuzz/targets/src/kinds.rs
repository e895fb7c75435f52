//! Which messages an input of a decoder's target has: a corpus that says nothing would try nothing.

use std::collections::BTreeSet;

use crate::{packet, stream};

/// The kinds of the messages that are understood in an input of the target with this name; none for
/// targets that are no decoders.
#[must_use]
pub fn kinds(target: &str, data: &[u8]) -> BTreeSet<&'static str> {
    let said = match target {
        "native_packet" => {
            let (cluster, _, packet) = packet::read_native(data);
            vec![cluster.inspector().packet(&packet)]
        }
        "memberlist_packet" => {
            let (cluster, _, packet) = packet::read_memberlist(data);
            vec![cluster.inspector().packet(packet)]
        }
        "native_stream" => {
            let (cluster, _, _, bytes) = stream::read_native(data);
            cluster.inspector().stream(&bytes, &[]).request
        }
        "memberlist_stream" => {
            let (cluster, _, _, bytes) = stream::read_memberlist(data);
            cluster.inspector().stream(bytes, &[]).request
        }
        _ => Vec::new(),
    };
    said.iter().flat_map(|said| &said.messages).map(|message| message.kind).collect()
}
