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

    /// Whether a node on one host can find out that one on the other lives, losses aside: they
    /// reach each other in both directions, or one of these `hosts` reaches both so and can help. A
    /// cut in one direction therefore excuses nobody who fails the other. SWIM 3.1: ping-req.
    #[must_use]
    pub fn is_within_reach(&self, one: HostId, other: HostId, hosts: &[HostId]) -> bool {
        let mut helpers = hosts.iter().filter(|helper| ![one, other].contains(helper));
        self.is_connected(one, other)
            || helpers.any(|&it| self.is_connected(one, it) && self.is_connected(it, other))
    }

    fn is_connected(&self, one: HostId, other: HostId) -> bool {
        !self.cuts.contains(&(one, other)) && !self.cuts.contains(&(other, one))
    }

    /// The rules, for `nft`. What they drop they count.
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
            let _ =
                writeln!(script, "meta protocol ip iifname . oifname {{ {pairs} }} counter drop");
        }
        for (end, permille) in &self.loss {
            let (key, host) = match end {
                End::Sent(host) => ("iifname", host),
                End::Received(host) => ("oifname", host),
            };
            let _ = writeln!(
                script,
                "meta protocol ip {key} \"{}\" numgen random mod 1000 < {permille} counter drop",
                port(*host)
            );
        }
        script + "}\n}\n"
    }
}

/// How many packets the rules have dropped, from `nft`'s list of them.
pub(crate) fn dropped(listed: &str) -> u64 {
    let counts = listed.split("counter packets ").skip(1);
    counts.filter_map(|rest| rest.split(' ').next()?.parse::<u64>().ok()).sum()
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
        assert!(
            faults.script().contains("{ \"port0\" . \"port1\" } counter drop"),
            "{}",
            faults.script()
        );
        assert!(!faults.is_within_reach(1, 0, &[0, 1]) && faults.is_within_reach(0, 2, &[]));
        assert!(faults.is_within_reach(1, 0, &[0, 1, 2]), "the third helps");
        faults.mend();
        assert!(!faults.script().contains("drop"));
        faults.partition(&[vec![0], vec![1, 2], vec![3]]);
        assert_eq!(faults.cuts.len(), 10);
        let all = [0, 1, 2, 3];
        assert!(faults.is_within_reach(1, 2, &all) && !faults.is_within_reach(3, 0, &all));
    }

    #[test]
    fn losses_stand_once_for_each_end() {
        let mut faults = Faults::default();
        faults.lose(End::Sent(1), 100);
        faults.lose(End::Sent(1), 200);
        faults.lose(End::Received(1), 5_000);
        let script = faults.script();
        assert!(
            script.contains("iifname \"port1\" numgen random mod 1000 < 200 counter drop"),
            "{script}"
        );
        assert!(script.contains("oifname \"port1\" numgen random mod 1000 < 1000 counter drop"));
        assert!(!script.contains("< 100 "));
        faults.lose(End::Sent(1), 0);
        assert!(!faults.script().contains("iifname"));
    }

    #[test]
    fn what_the_rules_dropped_is_summed() {
        let listed = "oifname { \"a\" . \"b\" } counter packets 3 bytes 90 drop\n\
                      numgen random mod 1000 < 5 counter packets 40 bytes 1 drop\n";
        assert_eq!((dropped(listed), dropped("table bridge lab {}")), (43, 0));
    }
}
