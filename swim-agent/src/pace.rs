//! How often the log says what others can cause as often as they like.
//!
//! A neighbour with the wrong key may knock all day long, and who holds the key can have members
//! suspected and refuted without end. The first lines of each topic are said, as many as an honest
//! bad day brings, and then one now and then, which tells how many were left out before it. So a
//! log grows by so much a day and no more, whatever others do. What is left out is counted, and
//! still stands among the events on stdout. (X16)

use std::{collections::BTreeMap, time::Duration};

use swim_tokio::{Instant, Reject};

/// What a line of the log is about. Each has an allowance of its own, so that none hides another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// Input was refused for this reason, by its index.
    Refused(usize),
    /// A member is suspected.
    Suspected,
    /// A suspicion was refuted.
    Recovered,
    /// A member's packets get lost.
    PacketsLost,
    /// How well this node keeps up.
    Health,
    /// Somebody else has or claims this node's name.
    Conflict,
    /// This node took a new life.
    LifeRaised,
    /// Somebody says what this node can't outbid.
    Unbeatable,
}

impl Topic {
    /// Refusals for this reason.
    pub(crate) fn refused(reject: Reject) -> Self {
        Self::Refused(reject.index())
    }

    fn allowance(self) -> Allowance {
        match self {
            Self::Refused(_) => REFUSAL_LINES,
            Self::Suspected | Self::Recovered | Self::PacketsLost | Self::Health => MEMBER_LINES,
            Self::Conflict | Self::LifeRaised | Self::Unbeatable => ALARM_LINES,
        }
    }
}

/// Decides which lines are said.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    topics: BTreeMap<Topic, Said>,
}

/// What was said of a topic.
#[derive(Debug, Default)]
struct Said {
    /// When the whole allowance is there again: each line puts that off by an interval.
    rested_at: Instant,
    left_out: u64,
}

impl Pace {
    /// Whether to say something about `topic` that happened at `at`, `times` times: how many were
    /// left out since the last line, or nothing if this is to be left out too.
    pub(crate) fn admit(&mut self, topic: Topic, at: Instant, times: u64) -> Option<u64> {
        let Allowance { burst, interval } = topic.allowance();
        let said = self.topics.entry(topic).or_default();
        if said.rested_at.saturating_since(at) > interval * (burst - 1) {
            said.left_out = said.left_out.saturating_add(times);
            return None;
        }
        said.rested_at = said.rested_at.max(at) + interval;
        Some(std::mem::take(&mut said.left_out))
    }
}

/// So many lines at once, and then one in each interval.
struct Allowance {
    burst: u32,
    interval: Duration,
}

/// Of refusals, one line says what to look at; after some time somebody new may be looking.
const REFUSAL_LINES: Allowance = Allowance { burst: 1, interval: Duration::from_secs(10 * 60) };
/// Of members, whoever reads the log wants to see which. When a network of a hundred comes apart,
/// all of them are named; what a liar makes up takes a few megabytes a day.
const MEMBER_LINES: Allowance = Allowance { burst: 128, interval: Duration::from_secs(10) };
/// Of attacks on this node itself, some lines show whether they go on.
const ALARM_LINES: Allowance = Allowance { burst: 8, interval: Duration::from_secs(10 * 60) };

#[cfg(test)]
mod tests {
    use super::*;

    /// At which seconds something was said of `topic`, and how many were left out before.
    fn said(topic: Topic, seconds: impl IntoIterator<Item = u64>) -> Vec<(u64, u64)> {
        let mut pace = Pace::default();
        let told = seconds.into_iter().filter_map(|second| {
            let at = Instant::from_millis(1_000 * second);
            Some((second, pace.admit(topic, at, 1)?))
        });
        told.collect()
    }

    #[test]
    fn x16_a_network_that_comes_apart_is_told_member_by_member() {
        for topic in [Topic::Suspected, Topic::Recovered] {
            assert_eq!(said(topic, [7; 100]), [(7, 0); 100]);
        }
    }

    #[test]
    fn x16_whatever_others_do_a_log_grows_by_so_much_a_day() {
        let day = 24 * 60 * 60;
        let reject = Topic::refused(Reject::Decrypt);
        for (topic, lines) in [
            (reject, day / 600),
            (Topic::Suspected, 127 + day / 10),
            (Topic::PacketsLost, 127 + day / 10),
            (Topic::LifeRaised, 7 + day / 600),
            (Topic::Unbeatable, 7 + day / 600),
        ] {
            let told = said(topic, (0..day).flat_map(|second| [second; 3]));
            assert_eq!(told.len() as u64, lines, "{topic:?}");
            let (last, _) = told[told.len() - 1];
            let left_out: u64 = told.iter().map(|(_, left_out)| left_out).sum();
            assert_eq!(
                lines + left_out,
                3 * last + 1,
                "{topic:?}: all before the last are counted"
            );
        }
    }

    #[test]
    fn the_first_is_said_and_then_one_now_and_then_with_what_was_left_out() {
        let reject = Topic::refused(Reject::Plaintext);
        assert_eq!(said(reject, [0, 1, 599, 600, 601, 1_300]), [(0, 0), (600, 2), (1_300, 1)]);
        let alarms = [5; 20].into_iter().chain([604, 605, 606, 1_205]);
        let expected = [[(5, 0); 8].as_slice(), &[(605, 13), (1_205, 1)]].concat();
        assert_eq!(said(Topic::Unbeatable, alarms), expected);
    }

    #[test]
    fn after_a_rest_the_whole_allowance_is_there_again_and_no_more() {
        let times = [0; 200].into_iter().chain([128 * 10; 200]);
        let told = said(Topic::Suspected, times);
        assert_eq!(told.iter().filter(|(second, _)| *second > 0).count(), 128);
    }

    #[test]
    fn no_topic_uses_up_the_allowance_of_another() {
        let mut pace = Pace::default();
        let at = Instant::from_millis(1);
        assert_eq!(pace.admit(Topic::refused(Reject::Decrypt), at, 5), Some(0));
        assert_eq!(pace.admit(Topic::refused(Reject::Decrypt), at, 5), None);
        assert_eq!(pace.admit(Topic::refused(Reject::Replayed), at, 5), Some(0));
        let later = at + REFUSAL_LINES.interval;
        assert_eq!(pace.admit(Topic::refused(Reject::Decrypt), later, 1), Some(5));
    }
}
