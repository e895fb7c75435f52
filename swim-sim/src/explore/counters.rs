//! What a run really exercised. A campaign that did not see all of it proves nothing. (C1)

use std::collections::BTreeMap;

use swim_core::{Dialect, MemberChange, MemberlistOptions, Reject, Stats};

use crate::{
    check::{self, Checker},
    malice,
    tally::Tally,
};

use super::class::Class;

/// How often what happened, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<String, u64>);

impl Counters {
    /// Adds to a counter, which comes into being with this.
    pub fn add(&mut self, name: impl Into<String>, count: u64) {
        *self.0.entry(name.into()).or_default() += count;
    }

    /// Adds all of another's.
    pub fn merge(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            self.add(name.as_str(), *count);
        }
    }

    /// One counter; 0 if there is none of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }

    /// The expected ones that are 0.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        expected().into_iter().filter(|name| self.get(name) == 0).collect()
    }

    /// What a node counted in its life.
    pub(super) fn add_stats(&mut self, stats: &Stats) {
        let confirmed = stats.suspicions_expired - stats.suspicions_expired_unconfirmed;
        for (name, count) in [
            ("probes", stats.probes),
            ("probe saved by helper", stats.probes_saved_by_relay),
            ("probe saved by stream", stats.probes_saved_by_stream),
            ("probe failed", stats.probes_failed),
            ("probe while degraded", stats.probes_degraded),
            ("nack", stats.nacks),
            ("relay refused", stats.relays_refused),
            ("refutation", stats.refutations),
            ("suspicion expired confirmed", confirmed),
            ("suspicion expired unconfirmed", stats.suspicions_expired_unconfirmed),
            ("claim refused", stats.claims_refused),
            ("claim of a stranger", stats.claims_unknown),
            ("claim dropped", stats.claims_dropped),
            ("broadcast dropped", stats.broadcasts_dropped),
            ("conflict", stats.conflicts),
            ("exchange", stats.exchanges),
            ("exchange failed", stats.exchanges_failed),
            ("stream readdressed", stats.streams_readdressed),
            ("repair", stats.repairs),
            ("broadcast delivered", stats.broadcasts_delivered),
            ("broadcast repeated", stats.broadcasts_repeated),
            ("broadcast stale", stats.broadcasts_stale),
            ("broadcast repair", stats.broadcast_repairs),
            ("stream failed", stats.streams_failed),
            ("stream refused", stats.streams_refused),
            ("stream given up", stats.streams_given_up),
            ("answer withheld", stats.answers_withheld),
            ("accuser ignored", stats.accusers_ignored),
            ("packet after leave", stats.packets_after_leave),
            ("pause", stats.pauses),
        ] {
            self.add(name, count);
        }
        for reject in Reject::ALL {
            self.add(format!("reject {reject}"), stats.rejected_for(reject));
        }
    }

    /// What a world counted.
    pub(super) fn add_tally(&mut self, tally: &Tally) {
        for (name, count) in [
            ("packet lost", tally.fates.felt.lost),
            ("packet cut", tally.fates.felt.cut),
            ("packet filtered", tally.fates.felt.filtered),
            ("packet too long", tally.fates.felt.too_long),
            ("packet doubled", tally.fates.felt.doubled),
            ("packet flipped", tally.fates.felt.flipped),
            ("packet truncated", tally.fates.felt.truncated),
            ("packet late", tally.fates.felt.late),
            ("packet clogged", tally.fates.felt.clogged),
            ("packet held", tally.waits.held),
            ("packet replayed", tally.replays),
            ("send queue full", tally.packets_overflown),
            ("packet unheard", tally.packets_unheard),
            ("stream reset", tally.streams_reset),
            ("stream stalled", tally.streams_stalled),
            ("forged without key", tally.forged[0]),
            ("forged with former key", tally.forged[1]),
            ("forged with key", tally.forged[2]),
            ("clock went back", tally.clocks_back),
            ("clock on the wall set back", tally.walls_back),
        ] {
            self.add(name, count);
        }
        for (what, count) in &tally.malice {
            self.add(what.as_str(), *count);
        }
        for (error, count) in &tally.refused {
            self.add(format!("refused {error}"), *count);
        }
        for change in [
            MemberChange::Joined,
            MemberChange::Updated,
            MemberChange::Suspected,
            MemberChange::Recovered,
            MemberChange::Failed,
            MemberChange::Left,
            MemberChange::Reaped,
        ] {
            self.add(format!("member {change}"), tally.changes(change));
        }
    }
}

/// What a campaign must have seen.
#[must_use]
pub fn expected() -> Vec<String> {
    let mut names: Vec<String> = Class::ALL.iter().map(|class| format!("fault {class}")).collect();
    let rejects = Reject::ALL.iter().filter(|reject| why_not_reject(**reject).is_none());
    names.extend(rejects.map(|reject| format!("reject {reject}")));
    names.extend(check::for_world(0, Dialect::Native).iter().map(|checker| looks(&**checker)));
    names.extend(EXPECTED.iter().map(|name| (*name).to_owned()));
    let spoken = Dialect::Memberlist(MemberlistOptions::default());
    names.extend(SPOKEN.iter().map(|name| malice::counter(spoken, name)));
    names
}

/// The counter of how often a checker had something to look at.
pub(super) fn looks(checker: &dyn Checker) -> String {
    format!("looks {}", checker.id())
}

/// What can't be seen here, and why.
#[must_use]
pub fn unreachable() -> Vec<(String, &'static str)> {
    let rejects = Reject::ALL
        .iter()
        .filter_map(|reject| why_not_reject(*reject).map(|why| (format!("reject {reject}"), why)));
    rejects.chain(ELSEWHERE.iter().map(|(name, why)| ((*name).to_owned(), *why))).collect()
}

/// Why no simulation sees an input refused for this.
const fn why_not_reject(reject: Reject) -> Option<&'static str> {
    const FORGED: &str = "takes a peer that breaks the rules: fuzz targets and the core's tests";
    match reject {
        Reject::Text | Reject::Address | Reject::Excess => Some(FORGED),
        Reject::NoRoom => Some("takes several of the largest states at once: the memory tests"),
        Reject::Unaddressed => Some("takes a peer that sends to nobody in particular"),
        _ => None,
    }
}

/// The counters that every campaign must have moved, beside the kinds of faults and of refusals.
const EXPECTED: &[&str] = &[
    "probes",
    "probe failed",
    "refutation",
    "probe saved by helper",
    "probe saved by stream",
    "stream readdressed",
    "nack",
    "suspicion expired confirmed",
    "suspicion expired unconfirmed",
    "suspicion confirmed by all",
    "send queue full",
    "packet split",
    "packet lost",
    "packet cut",
    "packet filtered",
    "packet too long",
    "packet late",
    "packet clogged",
    "packet held",
    "packet doubled",
    "packet flipped",
    "packet truncated",
    "packet replayed",
    "packet unheard",
    "stream reset",
    "stream stalled",
    "stream failed",
    "forged without key",
    "forged with former key",
    "forged with key",
    "told accusation by insider",
    "told poison by insider",
    "told hijack by insider",
    "told farewell by insider",
    "told crowd by insider",
    "told question by insider",
    "told recording",
    "told table by insider",
    "told bloat by insider",
    "told bomb by insider",
    "told trap by insider",
    "told theft by insider",
    "told reflection by insider",
    "told poison by former",
    "told table by former",
    "told bloat by former",
    "told reflection by former",
    "told poison by outsider",
    "told table by outsider",
    "told bloat by outsider",
    "told trap by outsider",
    "told reflection by outsider",
    "believed accusation",
    "believed poison",
    "believed hijack",
    "believed farewell",
    "believed crowd",
    "believed flood",
    "flood with noise",
    "flood with another key",
    "flood by insider",
    "flood by former",
    "flood by outsider",
    "flood with question by insider",
    "flood with accusation by insider",
    "flood with poison by insider",
    "flood with crowd by insider",
    "streams with silence",
    "streams with noise",
    "streams with length",
    "streams with recording",
    "streams that stall",
    "streams byte by byte",
    "clock went back",
    "clock on the wall set back",
    "partition merged",
    "trial crash",
    "trial leave",
    "trial twin",
    "trial restart",
    "trial partition",
    "trial suspicion",
    "lasting deaf",
    "lasting mute",
    "lasting lossy",
    "lasting starved",
    "lasting slow",
    "lasting stopped",
    "mode calm",
    "mode pure",
    "mode mild",
    "mode frozen",
    "rejoined",
    "sick borne",
    "conflict",
    "conflict reported",
    "exchange oversize",
    "health at its worst",
    "probe while degraded",
    "pause",
    "life change",
    "life raised",
    "relay refused",
    "stream refused",
    "stream given up",
    "answer withheld",
    "accuser ignored",
    "packet after leave",
    "claim refused",
    "claim of a stranger",
    "member joined",
    "member updated",
    "member suspected",
    "member recovered",
    "member failed",
    "member left",
    "member reaped",
    "broadcast delivered",
    "broadcast repeated",
    "broadcast stale",
    "broadcast repair",
    "state received",
    "ping answered",
    "ping unanswered",
    "exchange",
    "exchange failed",
    "repair",
    "seed joined",
    "seed unreachable",
    "seed closed",
    "seed timed-out",
    "seed myself",
    "seed refused",
    "delivery confirmed",
    "delivery unconfirmed",
    "delivery unreachable",
    "refused join: NoSeeds",
    "refused join: TooManySeeds",
    "refused join: TooManyJoins",
    "refused join: Leaving",
    "refused leave: Leaving",
    "refused leave: Left",
    "refused send: TooLarge",
    "refused send: UnknownMember",
    "refused send: Left",
    "refused update: Meta",
    "refused update: Left",
    "refused remove: UnknownMember",
    "refused remove: Alive",
    "refused keyring: NoKeyring",
    "refused keyring: Unknown",
    "refused keyring: Primary",
    "refused keyring: Full",
];

/// What must have been done to nodes of memberlist's dialect too.
const SPOKEN: &[&str] = &[
    "told accusation by insider",
    "told poison by insider",
    "told hijack by insider",
    "told farewell by insider",
    "told crowd by insider",
    "told question by insider",
    "told table by insider",
    "told bloat by insider",
    "told bomb by insider",
    "told trap by insider",
    "told trap by outsider",
    "told reflection by insider",
    "told reflection by outsider",
    "believed accusation",
    "believed poison",
    "believed hijack",
    "believed farewell",
    "believed crowd",
    "believed flood",
    "flood by insider",
    "streams with silence",
    "streams with noise",
    "streams with length",
];

/// What is seen elsewhere only.
const ELSEWHERE: &[(&str, &str)] = &[
    ("claim dropped", "takes a thousand claims more than members: M1 tests of the core's queue"),
    ("broadcast dropped", "takes a thousand broadcasts at once: M1 tests of the core's log"),
    ("delivery refused", "takes a receiver that left meanwhile: a test of the core's streams"),
    ("lagged", "the driver's: the core has no slow consumer"),
    ("nonce exhaustion", "takes 2^32 packets of one session: a test of the core's session"),
    (
        "messages of a newer version",
        "takes a version that does not exist yet: W5 tests of the core",
    ),
    ("refused keyring: IdTaken", "takes two keys with the same 32 bits of digest"),
    ("refused send: Busy", "takes a thousand pings at once: a test of the core"),
    ("refused update: TooLargeForPacket", "takes a longer name than hosts have here"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c1_all_that_is_counted_is_expected_or_seen_elsewhere() {
        let mut counters = Counters::default();
        counters.add_stats(&Stats::default());
        counters.add_tally(&Tally::default());
        let (expected, unreachable) = (expected(), unreachable());
        for (name, _) in counters.iter() {
            let is_expected = expected.iter().any(|other| other == name);
            let is_elsewhere = unreachable.iter().any(|(other, _)| other == name);
            assert!(is_expected != is_elsewhere, "{name} is in no list, or in both");
        }
    }
}
