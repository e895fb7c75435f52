//! The published experiments, by id: what was measured then, and what we measure now.

pub mod gc1;
pub mod gc2;
mod grid;
mod group;
pub mod gs1;
pub mod l3;
pub mod lg1;
pub mod lg2;
pub mod lg3;
pub mod lg4;
pub mod mf1;
pub mod mr1;
mod ours;
pub mod outcome;
pub mod plan;
pub mod ra1;
pub mod ra2;
pub mod ra3;
pub mod ra4;
pub mod ra5;
pub mod sheet;
mod spreading;
pub mod sw1;
pub mod sw2;
pub mod sw3;
pub mod sw4;
pub mod sw5;
pub mod table;
pub mod trial;
mod witness;

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
    ra1::EXPERIMENT,
    ra2::EXPERIMENT,
    ra3::EXPERIMENT,
    ra4::EXPERIMENT,
    ra5::EXPERIMENT,
    mf1::EXPERIMENT,
    gs1::EXPERIMENT,
    mr1::EXPERIMENT,
    l3::EXPERIMENT,
];

/// The experiment of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Experiment> {
    EXPERIMENTS.iter().find(|experiment| experiment.id.eq_ignore_ascii_case(id))
}
