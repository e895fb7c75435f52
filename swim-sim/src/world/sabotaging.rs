//! Faults on purpose, to prove that the checks find them.

use swim_core::Sabotage;

use crate::machine::Machine;

use super::World;

impl<M: Machine> World<M> {
    /// Gives every node that is started from now on this fault.
    pub fn sabotage(&mut self, fault: Sabotage) {
        self.sabotage = Some(fault);
    }
}
