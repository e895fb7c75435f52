//! What can't be exercised where kinds of faults are switched off: that, and nothing else, is
//! excused. (C1)

use super::class::{Class, Mask};

/// Whether what the mask hides makes it impossible that this counter moves.
pub(super) fn is_excused(name: &str, mask: Mask) -> bool {
    let hidden = |classes: &[Class]| classes.iter().all(|class| mask.hides(*class));
    let fault = name.strip_prefix("fault ");
    let is_own = |class: &&Class| fault == Some(class.name());
    // What is done to nodes of memberlist's dialect takes such nodes, and all that it takes else.
    if let Some(name) = name.strip_prefix("memberlist ") {
        return mask.hides(Class::Memberlist) || is_excused(name, mask);
    }
    Class::ALL.iter().find(is_own).is_some_and(|class| mask.hides(*class))
        || SOURCES.iter().any(|(names, sources)| names.contains(&name) && hidden(sources))
}

/// Counters, and the kinds of which one at least must take part that they move.
const SOURCES: &[(&[&str], &[Class])] = {
    use Class as C;
    &[
        (&["packet cut"], &[C::Asymmetry, C::Partition, C::Flapping]),
        (&["packet filtered"], &[C::Firewall]),
        (&["packet too long"], &[C::Mtu]),
        (&["packet doubled"], &[C::Duplicates]),
        (&["packet flipped"], &[C::Flips]),
        (&["packet truncated"], &[C::Truncation]),
        (&["packet late"], &[C::Reordering]),
        (&["packet clogged"], &[C::Clog]),
        (&["packet held"], &[C::Hold]),
        (&["packet replayed"], &[C::Replay]),
        (&["send queue full"], &[C::SendQueue]),
        (&["stream reset"], &[C::StreamReset]),
        (&["stream stalled"], &[C::StreamStall]),
        (&["lasting deaf", "lasting mute", "lasting lossy"], &[C::Loss]),
        (&["lasting starved"], &[C::Starvation]),
        (&["lasting slow"], &[C::Slow]),
        (&["lasting stopped"], &[C::Pause]),
        (&["member updated"], &[C::Updates, C::Versions]),
        (
            &["broadcast delivered", "broadcast repeated", "broadcast stale", "broadcast repair"],
            &[C::Broadcasts],
        ),
        (
            &[
                "state received",
                "ping answered",
                "delivery confirmed",
                "delivery unconfirmed",
                "delivery unreachable",
            ],
            &[C::Messages],
        ),
        (&["ping unanswered"], &[C::Messages]),
        (&["seed unreachable"], &[C::Unreachable, C::Misuse]),
        (&["seed myself"], &[C::Unreachable, C::Leaves]),
        (
            &[
                "refused join: NoSeeds",
                "refused join: TooManySeeds",
                "refused join: TooManyJoins",
                "refused remove: Alive",
                "refused leave: Leaving",
                "refused leave: Left",
                "refused join: Leaving",
                "refused keyring: Unknown",
                "refused keyring: Primary",
                "refused update: Meta",
            ],
            &[C::Misuse],
        ),
        (&["refused remove: UnknownMember"], &[C::Misuse]),
        (&["refused send: TooLarge"], &[C::Misuse, C::Messages, C::Broadcasts]),
        (&["refused send: UnknownMember"], &[C::Misuse, C::Messages]),
        (&["refused keyring: NoKeyring"], &[C::Misuse]),
        (&["refused keyring: Full"], &[C::Rotation]),
        (&["reject replayed"], &[C::Replay, C::Duplicates]),
        (&["reject table_full"], &[C::Visitors, C::Conflict, C::Intruders]),
        (&["reject label", "reject plaintext"], &[C::Intruders, C::Garbage]),
        (&["reject sealed", "reject source"], &[C::Intruders, C::Garbage]),
        (&["reject unknown_key"], &[C::Intruders, C::Garbage, C::Rotation, C::Flips]),
        (&["reject stale"], &[C::Jump, C::SetClock]),
        (&["clock went back"], &[C::JumpBack]),
        (&["clock on the wall set back"], &[C::SetClock]),
        (
            &["forged without key", "forged with former key"],
            &[
                C::Outsiders,
                C::FormerKeys,
                C::Poison,
                C::Hijacks,
                C::Farewells,
                C::Crowds,
                C::Reflection,
                C::Traps,
            ],
        ),
        // Where keys are never changed there is no former one.
        (&["forged with former key", "fault former-keys"], &[C::Rotation]),
        (
            &[
                "told poison by former",
                "told table by former",
                "told bloat by former",
                "told reflection by former",
                "flood by former",
            ],
            &[C::Rotation],
        ),
        (&["looks X2-X18"], &[C::Outsiders, C::FormerKeys]),
        (&["looks X2-X18"], &[C::Outsiders, C::Rotation]),
        (&["told accusation by insider", "believed accusation"], &[C::Insiders]),
        (&["told poison by insider", "believed poison"], &[C::Poison]),
        (&["told hijack by insider", "believed hijack"], &[C::Hijacks]),
        (&["told farewell by insider", "believed farewell"], &[C::Farewells]),
        (&["told crowd by insider", "believed crowd"], &[C::Crowds]),
        (&["told poison by former", "told poison by outsider"], &[C::Poison]),
        (&["told question by insider", "told recording", "looks X6-victims"], &[C::Reflection]),
        (&["looks X6-phantoms"], &[C::Crowds, C::Hijacks, C::Flood]),
        (
            &[
                "told reflection by insider",
                "told reflection by former",
                "told reflection by outsider",
            ],
            &[C::Reflection],
        ),
        (&["told theft by insider"], &[C::Thefts]),
        (&["told trap by insider", "told trap by outsider", "reject compression"], &[C::Traps]),
        (
            &[
                "flood with noise",
                "flood with another key",
                "flood by former",
                "flood by outsider",
                "flood by insider",
                "flood with question by insider",
                "flood with accusation by insider",
                "flood with poison by insider",
                "flood with crowd by insider",
                "believed flood",
            ],
            &[C::Flood],
        ),
        (
            &["told table by insider", "told table by former", "told table by outsider"],
            &[C::Poison, C::Hijacks, C::Farewells, C::Crowds],
        ),
        (
            &[
                "told bloat by insider",
                "told bloat by former",
                "told bloat by outsider",
                "told bomb by insider",
            ],
            &[C::Poison, C::Hijacks, C::Farewells],
        ),
        (
            &[
                "streams with silence",
                "streams with noise",
                "streams with length",
                "streams with recording",
                "streams that stall",
                "streams byte by byte",
            ],
            &[C::Assaults],
        ),
        (
            &["looks X2-streams"],
            &[C::Assaults, C::Poison, C::Hijacks, C::Farewells, C::Crowds, C::Traps],
        ),
        (
            &["forged with key"],
            &[
                C::Insiders,
                C::Poison,
                C::Hijacks,
                C::Farewells,
                C::Crowds,
                C::Reflection,
                C::Traps,
                C::Thefts,
            ],
        ),
        (&["reject implausible"], &[C::Insiders, C::Jump, C::SetClock]),
        (&["reject checksum", "reject decrypt"], &[C::Flips, C::Truncation, C::Garbage]),
        (&["reject version", "reject flags"], &[C::Flips, C::Garbage]),
        (&["reject truncated"], &[C::Truncation, C::Garbage]),
        // Natively nothing that is changed on its way is read, and packets name their senders.
        (&["reject malformed", "reject misplaced", "reject own_name"], &[C::Memberlist]),
        (&["reject malformed", "reject misplaced"], &[C::Truncation, C::Garbage]),
        (&["reject own_name"], &[C::Replay]),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::counters::expected;

    #[test]
    fn a_mask_excuses_what_it_makes_impossible_and_nothing_else() {
        let excused = |mask: Mask| {
            let names = expected().into_iter().filter(|name| is_excused(name, mask));
            names.collect::<Vec<_>>()
        };
        assert!(excused(Mask::default()).is_empty());
        let replay = excused(Mask::default().with(Class::Replay));
        assert_eq!(replay, ["fault replay", "reject own_name", "packet replayed"]);
        let cuts = [Class::Asymmetry, Class::Partition, Class::Flapping];
        let two = Mask::default().with(cuts[0]).with(cuts[1]);
        assert!(!is_excused("packet cut", two), "flapping partitions cut too");
        assert!(is_excused("packet cut", two.with(cuts[2])));
        let all = Class::ALL.iter().fold(Mask::default(), |mask, class| mask.with(*class));
        for name in ["looks S", "looks C3", "mode frozen", "trial crash", "exchange"] {
            assert!(expected().iter().any(|other| other == name), "nobody expects {name}");
            assert!(!is_excused(name, all), "{name} needs no fault");
        }
        let rotation = excused(Mask::default().with(Class::Rotation));
        let former = ["fault former-keys", "forged with former key"];
        assert!(former.iter().all(|name| rotation.iter().any(|other| other == name)));
        let dialect = excused(Mask::default().with(Class::Memberlist));
        assert!(dialect.iter().any(|name| name == "memberlist told poison by insider"));
        assert!(is_excused("memberlist flood by insider", Mask::default().with(Class::Flood)));
        assert!(!is_excused("flood by insider", Mask::default().with(Class::Memberlist)));
        let forgers = Mask::default().with(Class::Outsiders).with(Class::FormerKeys);
        assert!(is_excused("looks X2-X18", forgers));
    }

    #[test]
    fn all_that_is_excused_is_expected() {
        let expected = expected();
        for name in SOURCES.iter().flat_map(|(names, _)| *names) {
            assert!(expected.iter().any(|other| other == name), "nobody expects '{name}'");
        }
    }
}
