//! What is understood is written again by the writers of a node: in the native dialect to the same
//! bytes, in memberlist's to some that say the same and are written the same once more. (W2)

use swim_core::{
    Dialect, Reject,
    inspect::{Explanation, Fields},
};

use crate::cluster_of::Cluster;

/// Holds bytes, of which this is said, against what is written in their place.
pub(crate) fn hold(
    cluster: Cluster,
    bytes: &[u8],
    explain: impl Fn(&[u8]) -> Vec<Explanation>,
    rewrite: impl Fn(&[u8]) -> Result<Vec<u8>, Reject>,
) {
    let said = explain(bytes);
    let is_understood = said.iter().all(Explanation::is_understood);
    let again = match rewrite(bytes) {
        Ok(again) => again,
        // What is sealed needs its nonce, and what a later version says has no writer here.
        Err(Reject::Sealed | Reject::Plaintext | Reject::Version) => return,
        Err(reject) => {
            let is_native = cluster.dialect == Dialect::Native;
            assert!(!is_understood || !is_native, "W2: understood, and not written: {reject}");
            return;
        }
    };
    let mut layers = said.iter().flat_map(|said| &said.layers);
    let is_compressed = layers.any(|layer| layer.name == "compression");
    if cluster.dialect == Dialect::Native && !is_compressed {
        assert_eq!(again, bytes, "W2: what is accepted is written the same");
        return;
    }
    assert_eq!(rewrite(&again).as_ref(), Ok(&again), "W2: what is written is written the same");
    if is_understood {
        assert_eq!(messages(&explain(&again)), messages(&said), "W2: it says the same");
    }
}

/// The messages, wherever they stand.
fn messages(said: &[Explanation]) -> Vec<(&'static str, &Fields)> {
    let messages = said.iter().flat_map(|said| &said.messages);
    messages.map(|message| (message.kind, &message.fields)).collect()
}
