//! Which messages an input of a decoder's target has, and what real peers answer: a corpus that
//! says nothing would try nothing.

use swim_core::Dialect;

use crate::{
    cluster_of::Cluster,
    errand::{self, Asked, Mood},
    kinds::{Kinds, said},
    node, packet,
    stream::Stream,
};

/// The kinds of the messages that are understood in an input of the target with this name, in
/// packets and on streams that a node accepted; none for targets that are no decoders.
#[must_use]
pub fn kinds(target: &str, data: &[u8]) -> Kinds {
    match target {
        "native_packet" => {
            let (cluster, _, packet) = packet::read_native(data);
            said(&[cluster.inspector().packet(&packet)])
        }
        "memberlist_packet" => {
            let (cluster, _, packet) = packet::read_memberlist(data);
            said(&[cluster.inspector().packet(packet)])
        }
        "node" => node::heard(data)[0].clone(),
        _ => match dialect(target).map(|dialect| Stream::read(dialect, data)) {
            Some(stream) if stream.errand.is_none() => {
                said(&stream.cluster.inspector().stream(&stream.bytes, &[]).request)
            }
            _ => Kinds::new(),
        },
    }
}

/// The same of answers, on streams that a node dialed.
#[must_use]
pub fn answers(target: &str, data: &[u8]) -> Kinds {
    if target == "node" {
        return node::heard(data)[1].clone();
    }
    let Some(stream) = dialect(target).map(|dialect| Stream::read(dialect, data)) else {
        return Kinds::new();
    };
    let errand = stream.errand;
    let asked = errand.and_then(|errand| Asked::new(stream.cluster, errand, stream.from));
    let Some(Asked { request, .. }) = asked else { return Kinds::new() };
    let halves = stream.halves().into_iter();
    halves
        .flat_map(|half| said(&stream.cluster.inspector().stream(&request, half).answer))
        .collect()
}

/// What a real peer answers on the stream that such an input of a target is an answer on.
#[must_use]
pub fn real_answer(target: &str, choice: u8, mood: Mood) -> Vec<u8> {
    let input = [choice];
    let stream = dialect(target).map(|dialect| Stream::read(dialect, &input));
    let asked = stream.and_then(|it| it.errand.map(|errand| (it.cluster, errand, it.from)));
    let Some((cluster, errand, from)) = asked else { return Vec::new() };
    errand::answered(cluster, errand, from, mood)
}

/// The dialect of a target of streams.
fn dialect(target: &str) -> Option<Dialect> {
    match target {
        "native_stream" => Some(Dialect::Native),
        "memberlist_stream" => Some(Cluster::memberlist(0).dialect),
        _ => None,
    }
}
