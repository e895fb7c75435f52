//! The bytes of a packet, into the explainer and into a node: nothing panics, what is said of them
//! stays in proportion, and what a node refuses changes nothing. (S9, W3)

use bytes::Bytes;
use swim_core::{
    Dialect, Glimpse, Input, Node,
    inspect::{Explanation, Fields, Value},
};
use swim_sim::addr;

use crate::{
    again,
    cluster_of::{BEGINNING, Cluster, PEERS, drain},
    hold::Watch,
    mend,
    script::Script,
};

/// A packet in the native dialect. The first byte says which cluster it reaches, from whom, and
/// whether its checksum is put right before.
///
/// # Panics
///
/// When something doesn't hold.
pub fn native_packet(data: &[u8]) {
    let (cluster, choice, packet) = read_native(data);
    throw(cluster, choice, &packet);
}

/// What an input is for: the cluster, the choice that it makes, and the packet.
pub(crate) fn read_native(data: &[u8]) -> (Cluster, u8, Vec<u8>) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let cluster = Cluster::native(choice & CLUSTER);
    let packet = if choice & MENDED != 0 && cluster.has_checksums() {
        mend::packet(script.rest(), cluster.label().as_str())
    } else {
        script.rest().to_vec()
    };
    (cluster, choice, packet)
}

/// A packet in memberlist's dialect. The first byte says which cluster it reaches, and from whom.
///
/// # Panics
///
/// When something doesn't hold.
pub fn memberlist_packet(data: &[u8]) {
    let (cluster, choice, packet) = read_memberlist(data);
    throw(cluster, choice, packet);
}

/// What an input is for: the cluster, the choice that it makes, and the packet.
pub(crate) fn read_memberlist(data: &[u8]) -> (Cluster, u8, &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    (Cluster::memberlist(choice & CLUSTER), choice, script.rest())
}

fn throw(cluster: Cluster, choice: u8, packet: &[u8]) {
    let said = cluster.inspector().packet(packet);
    let (weight, most) = (weight(&said), WEIGHT_SPARE + WEIGHT_PER_BYTE * packet.len());
    let inflated = if said.layers.iter().any(|layer| layer.name == COMPRESSED) {
        WEIGHT_PER_BYTE * INFLATED_MAX
    } else {
        0
    };
    assert!(weight <= most + inflated, "W3: {weight} bytes of words about {}", packet.len());

    let explain = |bytes: &[u8]| vec![cluster.inspector().packet(bytes)];
    again::hold(cluster, packet, explain, |bytes| cluster.inspector().rewrite_packet(bytes));

    let mut node = cluster.acquainted();
    let before = Glimpse::of(&node, &node.audit());
    let refused_before = node.stats().rejected_whole();
    let from = addr(usize::from(choice & SENDER) / SENDER_STEP % (PEERS + 2));
    node.handle(BEGINNING, Input::Packet { from, data: packet });
    // What is wrong with one message of a packet of memberlist's is no word about the others.
    let is_whole = cluster.dialect == Dialect::Native || said.messages.is_empty();
    if is_whole && node.stats().rejected_whole() > refused_before {
        let after = Glimpse::of(&node, &node.audit());
        assert_eq!(before, after, "S9: a refused packet changed something");
    }
    finish(&mut node);
}

/// Whatever came in, the node goes on as it should.
pub(crate) fn finish(node: &mut Node) {
    drain(node);
    let Some((due, _)) = node.audit().next_due else { return };
    node.handle(due, Input::Tick);
    Watch::see_tick(node, due);
    let again = Bytes::from_static(b"still there");
    if !node.has_left() && !node.is_leaving() {
        assert!(node.broadcast(due, again).is_ok(), "a node that runs takes a broadcast");
    }
    for output in drain(node) {
        if let swim_core::Output::SendPacket { data, .. } = output {
            assert!(data.len() <= node.audit_options().packet_len_max, "W1");
        }
    }
}

/// How many bytes of words there are.
pub(crate) fn weight(said: &Explanation) -> usize {
    let layers: usize = said.layers.iter().map(|it| ITEM + fields_weight(&it.fields)).sum();
    let messages: usize = said.messages.iter().map(|it| ITEM + fields_weight(&it.fields)).sum();
    layers + messages + ITEM * said.refused.len()
}

fn fields_weight(fields: &Fields) -> usize {
    let value = |value: &Value| match value {
        Value::Number(_) | Value::Flag(_) => 0,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Numbers(numbers) => 8 * numbers.len(),
    };
    fields.iter().map(|(name, it)| name.len() + 8 + value(it)).sum()
}

/// What a layer, a message or a refusal counts beside its fields.
const ITEM: usize = 32;

/// Words for one byte. The shortest message is one of three bytes with a dozen fields.
const WEIGHT_PER_BYTE: usize = 128;

/// Words about anything.
const WEIGHT_SPARE: usize = 4096;

/// The layer behind which there may be more bytes than came.
const COMPRESSED: &str = "compression";

/// To how many bytes a packet of memberlist's dialect is inflated at most.
const INFLATED_MAX: usize = 256 << 10;

/// The bits of the first byte that choose the cluster.
const CLUSTER: u8 = 0x03;

/// Those that choose whom a packet comes from.
const SENDER: u8 = 0x1c;

const SENDER_STEP: usize = 4;

/// The one by which checksums are put right.
const MENDED: u8 = 0x80;
