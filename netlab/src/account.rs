//! What the nodes of a cluster told, judged by the rules and with the code of the simulator.

use std::time::Duration;

use swim_core::EventKind;
use swim_sim::{
    check::Mirror,
    network::HostId,
    record::{Record, Told},
};

use crate::{
    cluster::{Cluster, name},
    lines,
    node::Node,
    truth::Truth,
};

/// What was told, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Who believed what of whom, and who was called failed, by time since the cluster began.
    pub record: Record,
    /// What breaks E1 to E4.
    pub faults: Vec<String>,
    /// How many events were looked at.
    pub events: usize,
    /// How many lists of members were compared with what the events say.
    pub lists: usize,
}

impl Account {
    /// Of all that was told until now.
    #[must_use]
    pub fn of(cluster: &Cluster) -> Self {
        let (runs, truth, began) = (cluster.runs(), cluster.truth(), cluster.began());
        Case { runs, truth, began }.account()
    }
}

/// What an account is made of.
struct Case<'a> {
    runs: &'a [Vec<Node>],
    truth: &'a Truth,
    began: Duration,
}

impl Case<'_> {
    fn account(&self) -> Account {
        let mut account = Account::default();
        account.record.hosts = self.runs.len();
        for (host, runs) in self.runs.iter().enumerate() {
            for node in runs {
                if let Err(fault) = self.follow(&mut account, host, node) {
                    account.faults.push(format!("{}: {fault}", node.name));
                }
            }
        }
        account.record.changes.sort_by_key(|change| change.at);
        account.record.failures.sort_by_key(|failure| failure.at);
        account
    }

    /// Follows one run event by event, and compares wherever the node listed its members.
    fn follow(&self, account: &mut Account, host: HostId, node: &Node) -> Result<(), String> {
        // Without it, whatever is said of this run would be excused.
        node.life().ok_or("it never told of its own joining")?;
        let mut mirror = Mirror::of_new_node();
        let mut lists = node.lists.iter().peekable();
        let printed = node.lines.look(<[_]>::to_vec);
        for line in &printed {
            let Some(told) = lines::event(line, &node.name)? else { continue };
            mirror.take(&told.event)?;
            account.events += 1;
            if let EventKind::Member { change, member } = &told.event.kind
                && let Some(subject) = self.host_of(&member.name)
            {
                let life_of = |run: usize| self.runs[subject].get(run)?.life();
                let (pair, life) = ((host, subject), member.stamp.life);
                let is_false = self.truth.was_well(pair, life, told.at, life_of);
                let at = told.at.saturating_sub(self.began);
                let (change, state) = (*change, member.state);
                account.record.take(Told { at, observer: host, subject, change, state }, is_false);
            }
            while let Some((_, members)) = lists.next_if(|(next, _)| Some(*next) == mirror.next()) {
                mirror.compare(members.iter().cloned())?;
                account.lists += 1;
            }
        }
        match lists.next() {
            None => Ok(()),
            Some((next, _)) => Err(format!("E3: a list follows event {next}, which never came")),
        }
    }

    fn host_of(&self, node: &str) -> Option<HostId> {
        (0..self.runs.len()).find(|host| name(*host) == node)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use serde_json::{Value, json};

    use super::*;
    use crate::clock;

    /// A node whose process is one that prints what another has printed.
    fn printed(host: HostId, lines: &[Value]) -> Node {
        let text = Vec::from_iter(lines.iter().map(ToString::to_string)).join("\n");
        let mut command = Command::new("printf");
        command.args(["%s\n", &text]);
        let node = Node::start(&name(host), command).unwrap();
        let all = |printed: &[Value]| (printed.len() == lines.len()).then_some(());
        node.lines.wait(Duration::from_secs(60), all).expect("it prints them all");
        node
    }

    fn line(seq: u64, secs: u64, event: &str, host: HostId) -> Value {
        let state = if event == "member-failed" { "dead" } else { "alive" };
        json!({
            "time": clock::write(BEGAN + Duration::from_secs(secs)), "event": event, "seq": seq,
            "node": name(host), "addr": format!("10.0.0.{host}:7946"), "meta": "", "state": state,
            "life": 7, "incarnation": 1,
        })
    }

    fn account_of(truth: &Truth, lines: &[Value]) -> Account {
        let subject = printed(1, &[line(0, 0, "member-join", 1)]);
        let runs = [vec![printed(0, lines)], vec![subject]];
        Case { runs: &runs, truth, began: BEGAN }.account()
    }

    #[test]
    fn who_was_well_and_called_failed_is_found() {
        let lines = [
            line(0, 0, "member-join", 0),
            line(1, 1, "member-join", 1),
            line(2, 10, "member-failed", 1),
        ];
        let mut truth = Truth::default();
        (0..2).for_each(|host| truth.start(host, BEGAN));
        let account = account_of(&truth, &lines);
        assert_eq!((account.faults, account.events), (vec![], 4), "and its own joining");
        let [failure] = &account.record.failures[..] else { panic!("one is told of") };
        assert!(failure.is_false && failure.subject == 1);

        truth.end(1, BEGAN + Duration::from_secs(5));
        let failures = account_of(&truth, &lines).record.failures;
        assert!(!failures[0].is_false, "it had ended");
    }

    #[test]
    fn what_was_told_out_of_order_or_by_nobody_is_a_fault() {
        let mut truth = Truth::default();
        (0..2).for_each(|host| truth.start(host, BEGAN));
        let (own, other) = (line(0, 0, "member-join", 0), line(1, 1, "member-join", 1));
        let repeated = account_of(&truth, &[own.clone(), other.clone(), other.clone()]);
        assert!(repeated.faults[0].contains(&name(0)), "{:?}", repeated.faults);
        let nobody = account_of(&truth, &[other]);
        assert!(nobody.faults[0].contains("its own joining"), "{:?}", nobody.faults);
    }

    const BEGAN: Duration = Duration::from_secs(1_800_000_000);
}
