//! How long things may take at most, computed from the configuration.

use std::time::Duration;

use swim_tokio::{Options, Profile};

/// How long until everybody has noticed a crash: the last of a whole round of probes hits the dead
/// member, nobody else confirms the suspicion, and the news reaches somebody by the periodic
/// exchange only.
pub(crate) fn detection(profile: Profile, nodes: u32) -> Duration {
    let options = options(profile);
    let rounds = 2 * (nodes - 1) - 1;
    let gossip = options.gossip_interval * 4 * nodes.next_power_of_two().ilog2();
    options.probe_interval * rounds
        + suspicion_min(profile, nodes) * options.suspicion_max_mult
        + gossip
        + options.push_pull_interval
}

/// How long a suspect has at least to show that it lives.
pub(crate) fn suspicion_min(profile: Profile, nodes: u32) -> Duration {
    assert!(nodes <= 10, "the logarithm of larger clusters counts");
    let options = options(profile);
    options.probe_interval * options.suspicion_mult
}

fn options(profile: Profile) -> Options {
    Options::preset(profile, "any", "127.0.0.1:1".parse().unwrap())
}
