//! Every change of the table, one by one, for checkers of simulations: two changes in one moment can
//! hide one that must not be. Only there with the feature `simulation`.

use alloc::vec::Vec;

use crate::{member::State, name::Name, precedence::Belief, stamp::Stamp};

/// One change of what is believed of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Of whom.
    pub name: Name,
    /// What was believed before; `None` if the member was not known.
    pub before: Option<(Stamp, State)>,
    /// What is believed now; `None` if the member was forgotten.
    pub after: Option<(Stamp, State)>,
}

/// The changes since somebody asked for them last. Nothing is kept before anybody does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transitions(Option<Vec<Transition>>);

impl Transitions {
    /// The changes since the last call; from the first call on they are kept.
    pub(crate) fn take(&mut self) -> Vec<Transition> {
        self.0.replace(Vec::new()).unwrap_or_default()
    }

    /// Keeps a change, if anybody wants to know.
    pub(crate) fn note(
        &mut self,
        name: impl FnOnce() -> Name,
        [before, after]: [Option<Belief>; 2],
    ) {
        let Some(kept) = &mut self.0 else { return };
        let [before, after] =
            [before, after].map(|belief| belief.map(|belief| (belief.stamp, belief.state)));
        kept.push(Transition { name: name(), before, after });
    }
}
