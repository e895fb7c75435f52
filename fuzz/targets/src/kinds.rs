//! The kinds of messages.

use std::collections::BTreeSet;

use swim_core::inspect::Explanation;

/// The kinds of messages, by their names.
pub type Kinds = BTreeSet<&'static str>;

/// The kinds of what was understood.
pub(crate) fn said(explanations: &[Explanation]) -> Kinds {
    let messages = explanations.iter().flat_map(|said| &said.messages);
    messages.map(|message| message.kind).collect()
}
