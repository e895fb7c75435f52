//! What the network does to packets: losses and cuts, as rules of the bridge.
//!
//! The rules are written anew, all of them in one transaction, whenever something changes: what is
//! wrong with the network is then never more than what stands here. They are about IP alone; what
//! finds a neighbour's hardware address (ARP) is left in peace, or a cut in one direction would
//! soon be one in both.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use swim_sim::network::HostId;

/// What is wrong with a network.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    cuts: BTreeSet<(HostId, HostId)>,
    loss: BTreeMap<End, u32>,
}

/// One direction of a host's wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// What it sends.
    Sent(HostId),
    /// What is sent to it.
    Received(HostId),
}

impl Faults {
    /// Nothing passes from any of the first to any of the others. The way back stays open.
    pub fn cut(&mut self, from: &[HostId], to: &[HostId]) {
        let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to)));
        self.cuts.extend(pairs.filter(|(from, to)| from != to));
    }

    /// Nothing passes from one of these groups to another.
    pub fn partition(&mut self, groups: &[Vec<HostId>]) {
        for (index, one) in groups.iter().enumerate() {
            for other in &groups[index + 1..] {
                self.cut(one, other);
                self.cut(other, one);
            }
        }
    }

    /// All cuts end.
    pub fn mend(&mut self) {
        self.cuts.clear();
    }

    /// So many of a thousand packets are lost there.
    pub fn lose(&mut self, end: End, permille: u32) {
        match permille {
            0 => self.loss.remove(&end),
            _ => self.loss.insert(end, permille.min(1_000)),
        };
    }

    /// Whether two hosts reach each other in both directions, losses aside.
    #[must_use]
    pub fn is_connected(&self, one: HostId, other: HostId) -> bool {
        !self.cuts.contains(&(one, other)) && !self.cuts.contains(&(other, one))
    }

    /// The rules, for `nft`.
    pub(crate) fn script(&self) -> String {
        let mut script = String::from(
            "table bridge lab {}\nflush table bridge lab\ntable bridge lab { chain forward {\n\
             type filter hook forward priority 0; policy accept;\n",
        );
        if !self.cuts.is_empty() {
            let pair =
                |(from, to): &(HostId, HostId)| format!("\"{}\" . \"{}\"", port(*from), port(*to));
            let pairs: Vec<_> = self.cuts.iter().map(pair).collect();
            let pairs = pairs.join(", ");
            let _ = writeln!(script, "meta protocol ip iifname . oifname {{ {pairs} }} drop");
        }
        for (end, permille) in &self.loss {
            let (key, host) = match end {
                End::Sent(host) => ("iifname", host),
                End::Received(host) => ("oifname", host),
            };
            let _ = writeln!(
                script,
                "meta protocol ip {key} \"{}\" numgen random mod 1000 < {permille} drop",
                port(*host)
            );
        }
        script + "}}\n"
    }
}

/// The bridge's end of the wire to a host.
pub(crate) fn port(host: HostId) -> String {
    format!("port{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_have_a_direction_and_partitions_have_both() {
        let mut faults = Faults::default();
        faults.cut(&[0], &[0, 1]);
        assert!(faults.script().contains("{ \"port0\" . \"port1\" } drop"), "{}", faults.script());
        assert!(!faults.is_connected(1, 0) && faults.is_connected(0, 2));
        faults.mend();
        assert!(!faults.script().contains("drop"));
        faults.partition(&[vec![0], vec![1, 2], vec![3]]);
        assert_eq!(faults.cuts.len(), 10);
        assert!(faults.is_connected(1, 2) && !faults.is_connected(3, 0));
    }

    #[test]
    fn losses_stand_once_for_each_end() {
        let mut faults = Faults::default();
        faults.lose(End::Sent(1), 100);
        faults.lose(End::Sent(1), 200);
        faults.lose(End::Received(1), 5_000);
        let script = faults.script();
        assert!(script.contains("iifname \"port1\" numgen random mod 1000 < 200 drop"), "{script}");
        assert!(script.contains("oifname \"port1\" numgen random mod 1000 < 1000 drop"));
        assert!(!script.contains("< 100 "));
        faults.lose(End::Sent(1), 0);
        assert!(!faults.script().contains("iifname"));
    }
}
