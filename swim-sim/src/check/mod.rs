//! What must always hold, checked after every step of every host.

pub use checker::{Checker, Violation};
pub use deadlines::Deadlines;
pub use events::Events;
pub use health::Health;
pub use packets::Packets;
pub use probes::Probes;
pub use queues::Queues;
pub use refusals::Refusals;
pub use sizes::Sizes;
pub use suspicions::Suspicions;
pub use tables::Tables;

mod checker;
mod deadlines;
mod events;
mod health;
mod packets;
mod probes;
mod queues;
mod refusals;
mod sizes;
mod suspicions;
mod tables;

/// All checkers of safety.
#[must_use]
pub fn all() -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(Tables::default()),
        Box::new(Events::default()),
        Box::new(Refusals::default()),
        Box::new(Probes::default()),
        Box::new(Suspicions::default()),
        Box::new(Health::default()),
        Box::new(Deadlines::default()),
        Box::new(Queues::default()),
        Box::new(Packets::default()),
        Box::new(Sizes::default()),
    ]
}
