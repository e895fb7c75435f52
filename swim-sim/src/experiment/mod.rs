//! The published experiments, by id: what was measured then, and what we measure now.

pub mod gc1;
pub mod gc2;
mod grid;
pub mod lg1;
pub mod lg2;
pub mod lg3;
pub mod lg4;
mod ours;
pub mod outcome;
pub mod plan;
pub mod sheet;
mod spreading;
pub mod sw1;
pub mod sw2;
pub mod sw3;
pub mod sw4;
pub mod sw5;
pub mod table;

use self::plan::Experiment;

/// Every experiment.
pub const EXPERIMENTS: &[Experiment] = &[
    sw1::EXPERIMENT,
    sw2::EXPERIMENT,
    sw3::EXPERIMENT,
    sw4::EXPERIMENT,
    sw5::EXPERIMENT,
    gc1::EXPERIMENT,
    gc2::EXPERIMENT,
    lg1::EXPERIMENT,
    lg2::EXPERIMENT,
    lg3::EXPERIMENT,
    lg4::EXPERIMENT,
];

/// The experiment of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Experiment> {
    EXPERIMENTS.iter().find(|experiment| experiment.id.eq_ignore_ascii_case(id))
}
