//! What a scenario consists of.

use std::time::Duration;

use swim_core::{Options, Profile, settings::Assignment};

use crate::{
    action::{LinkChange, Timed},
    host,
};

use super::{expect::Expectation, wire::Wire};

/// A cluster, what happens to it, and what must be so.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub about: String,
    /// How many nodes there are from the beginning.
    pub nodes: usize,
    /// How it begins.
    pub begin: Beginning,
    /// Which preset the nodes have.
    pub profile: Profile,
    /// What is different from the preset.
    pub settings: Vec<Assignment>,
    /// What stands on the wire.
    pub wire: Wire,
    /// What is different from a link in a data centre.
    pub network: LinkChange,
    /// What happens, in order.
    pub actions: Vec<Timed>,
    /// What must be so.
    pub expected: Vec<Expected>,
    /// How long it goes on.
    pub length: Duration,
}

/// How a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// All nodes know each other.
    Acquainted,
    /// All nodes start at once and join through the first three.
    Cold,
    /// Nothing runs.
    Empty,
}

/// An expectation and where it stands in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// The line.
    pub line: usize,
    /// What must be so.
    pub what: Expectation,
}

impl Scenario {
    /// Gives a node the settings of this scenario. Who the node is stays as it is.
    pub fn set(&self, options: &mut Options) {
        configure(options, self.profile, &self.settings, &self.wire);
    }

    /// Whether the settings make a node.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them.
    pub fn check_settings(&self) -> Result<(), String> {
        let mut options = Options::lan(host::name(0), host::addr(0));
        self.set(&mut options);
        options.build().map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Gives a node a preset, further settings and what it speaks. Who the node is stays as it is.
pub fn configure(options: &mut Options, profile: Profile, settings: &[Assignment], wire: &Wire) {
    let preset = Options::preset(profile, options.name.clone(), options.addr);
    *options = Options { life: options.life, ..preset };
    for assignment in settings {
        assignment.apply(options);
    }
    wire.set(options);
}
