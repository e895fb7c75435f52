//! What must always hold, checked after every step of every host.

use swim_core::Dialect;

pub use checker::{Checker, Violation};
pub use deadlines::Deadlines;
pub use events::Events;
pub use forgeries::Forgeries;
pub use health::Health;
pub use keys::Keys;
pub use mirror::Mirror;
pub use names::Names;
pub use nonces::Nonces;
pub use packets::Packets;
pub use phantoms::Phantoms;
pub use probes::Probes;
pub use promises::Promises;
pub use queues::Queues;
pub use reflections::Reflections;
pub use refusals::Refusals;
pub use replays::Replays;
pub use sizes::Sizes;
pub use storms::Storms;
pub use strangers::Strangers;
pub use suspicions::Suspicions;
pub use tables::{Tables, is_legal_change};
pub use twin::Twin;

mod checker;
mod deadlines;
mod events;
mod forgeries;
mod health;
mod keys;
mod mirror;
mod names;
mod nonces;
mod packets;
mod phantoms;
mod plain;
mod probes;
mod promises;
mod queues;
mod reflections;
mod refusals;
mod replays;
mod sizes;
mod storms;
mod strangers;
mod suspicions;
mod tables;
mod twin;

/// All checkers of safety, for a cluster on the hosts below `size`. Others may come and go.
#[must_use]
pub fn all(size: usize) -> Vec<Box<dyn Checker>> {
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
        Box::new(Nonces::default()),
        Box::new(Promises::default()),
        Box::new(Forgeries::default()),
        Box::new(Replays::default()),
        Box::new(Reflections::default()),
        Box::new(Phantoms::default()),
        Box::new(Strangers::default()),
        Box::new(Names::default()),
        Box::new(Storms::default()),
        Box::new(Keys::among(size)),
    ]
}

/// The same, and where there are not too many of them each node has a twin. Twins understand the
/// native dialect only.
#[must_use]
pub fn for_world(size: usize, dialect: Dialect) -> Vec<Box<dyn Checker>> {
    let mut checkers = all(size);
    if size <= TWINS_MAX && dialect == Dialect::Native {
        checkers.push(Box::new(Twin::default()));
    }
    checkers
}

/// So many nodes at most have twins: a twin looks through all it knows, again and again.
const TWINS_MAX: usize = 64;
