//! Which versions nodes announce: a cluster is upgraded node by node, whenever one of them is
//! started again, so that for a while, or for good, not all say the same.
//!
//! The membership protocol has one version only. The versions that differ are the application's,
//! which travel in the same claims.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use swim_core::VersionRange;

use crate::{
    chance::{Chance, Purpose},
    network::HostId,
    span,
};

/// What a node announces that is started at some time or later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Release {
    /// Where.
    pub host: HostId,
    /// From when on, after the start of the run.
    #[serde(with = "span")]
    pub from: Duration,
    /// The lowest version it understands.
    pub min: u8,
    /// The highest version it understands.
    pub max: u8,
    /// The version it speaks.
    pub current: u8,
}

/// The releases of a seed; none in most. Each node draws its own. (D4)
pub(super) fn draw(seed: u64, size: usize) -> Vec<Release> {
    let is_on = Chance::of(seed, Purpose::Options, STREAMS).hits(0.25);
    let of = |host: HostId| {
        let chance = &mut Chance::of(seed, Purpose::Options, STREAMS + 1 + host as u64);
        let release =
            |from, [min, max, current]: [u8; 3]| Release { host, from, min, max, current };
        let first = chance.pick(&[[1, 1, 1], [1, 2, 1], [2, 2, 2]]);
        let upgraded_at = chance.span(UPGRADED_BY);
        [release(Duration::ZERO, first), release(upgraded_at, [2, 3, 3])]
    };
    if is_on { (0..size).flat_map(of).collect() } else { Vec::new() }
}

/// What a host's node announces if it is started at this time, if that was drawn.
pub(super) fn at(releases: &[Release], host: HostId, time: Duration) -> Option<VersionRange> {
    let mut out = releases.iter().filter(|it| it.host == host && it.from <= time);
    out.next_back().map(|&Release { min, max, current, .. }| VersionRange { min, max, current })
}

/// Streams of luck below this one belong to the settings themselves.
const STREAMS: u64 = 1 << 32;

/// By then all nodes that are started are upgraded.
const UPGRADED_BY: Duration = Duration::from_secs(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_upgraded_when_it_is_started_again() {
        let seed = (0..).find(|&seed| !draw(seed, 2).is_empty()).expect("a quarter of them");
        let releases = draw(seed, 2);
        assert_eq!(draw(seed, 3)[..4], releases, "another node changes nothing");
        let [before, after] = [Duration::ZERO, UPGRADED_BY].map(|time| at(&releases, 1, time));
        assert_ne!(before, after);
        assert!(before.is_some_and(VersionRange::is_valid));
        assert_eq!(after, Some(VersionRange { min: 2, max: 3, current: 3 }));
        assert_eq!(at(&releases, 2, UPGRADED_BY), None);
    }
}
