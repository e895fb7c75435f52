//! What must always hold, checked after every step of every host.

pub use checker::{Checker, Violation};
pub use events::Events;
pub use tables::Tables;

mod checker;
mod events;
mod tables;

/// All checkers of safety.
#[must_use]
pub fn all() -> Vec<Box<dyn Checker>> {
    vec![Box::new(Tables::default()), Box::new(Events::default())]
}
