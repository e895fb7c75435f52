//! What can go wrong, by kind, so that kinds can be switched off.

use std::{fmt, str::FromStr};

macro_rules! classes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A kind of fault, or of work.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Class {
            $($(#[$doc])* $variant,)*
        }

        impl Class {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, as in a mask.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

classes! {
    /// Packets are lost, everywhere or in some directions.
    Loss = "loss",
    /// Packets come twice.
    Duplicates = "duplicates",
    /// Packets come late, overtaken by others.
    Reordering = "reordering",
    /// Packets are sent again by somebody on the way.
    Replay = "replay",
    /// Bits of packets are flipped.
    Flips = "flips",
    /// Packets lose their end.
    Truncation = "truncation",
    /// Packets take long, at some places longer.
    Latency = "latency",
    /// A direction stands still for some seconds.
    Clog = "clog",
    /// One way is cut, the way back is not.
    Asymmetry = "asymmetry",
    /// Packets are cut, streams are not.
    Firewall = "firewall",
    /// Groups don't reach each other.
    Partition = "partition",
    /// A partition comes and goes.
    Flapping = "flapping",
    /// Processes end, and mostly start again.
    Crash = "crash",
    /// Processes end, and start again without knowing their former lives.
    Amnesia = "amnesia",
    /// Hosts stand still.
    Pause = "pause",
    /// Hosts' packets are held, while they run.
    Hold = "hold",
    /// Hosts take long for every packet.
    Slow = "slow",
    /// Hosts run for moments only.
    Starvation = "starvation",
    /// Clocks run fast or slow.
    Drift = "drift",
    /// Clocks jump.
    Jump = "jump",
    /// There is no room for what hosts send.
    SendQueue = "send-queue",
    /// Long packets don't pass.
    Mtu = "mtu",
    /// Seeds that nobody has.
    Unreachable = "unreachable",
    /// Streams break.
    StreamReset = "stream-reset",
    /// Streams stand still.
    StreamStall = "stream-stall",
    /// Nodes have settings of their own.
    Skew = "skew",
    /// The cluster's keys are changed.
    Rotation = "rotation",
    /// Two nodes have one name.
    Conflict = "conflict",
    /// Processes that don't belong here.
    Intruders = "intruders",
    /// More nodes than there is room for.
    Visitors = "visitors",
    /// Bytes that no member sent.
    Garbage = "garbage",
    /// Applications that ask for what they can't have.
    Misuse = "misuse",
    /// Broadcasts.
    Broadcasts = "broadcasts",
    /// Changes of metadata.
    Updates = "updates",
    /// Messages, pings and application state.
    Messages = "messages",
    /// Leaves and returns.
    Leaves = "leaves",
    /// Operators who declare members gone.
    Removals = "removals",
    /// Nodes announce different versions, and others after they were started again.
    Versions = "versions",
    /// Clocks go back.
    JumpBack = "jump-back",
    /// Clocks on the wall are set.
    SetClock = "set-clock",
    /// Packets in the name of members, by somebody without a key. (A0)
    Outsiders = "outsiders",
    /// Packets in the name of members, by somebody with a key that was removed. (A2)
    FormerKeys = "former-keys",
    /// False accusations by somebody with the key. (A3)
    Insiders = "insiders",
    /// Lies of what members say of themselves, and of lives to come. (A3)
    Poison = "poison",
    /// Lies of members elsewhere. (A3)
    Hijacks = "hijacks",
    /// Lies of members that left. (A3)
    Farewells = "farewells",
    /// Lies of many members that there are not. (A3)
    Crowds = "crowds",
    /// Streams of those who don't belong here. (A0, A1)
    Assaults = "assaults",
    /// Packets in the name of somebody who is not here. (A0 to A3)
    Reflection = "reflection",
    /// Nodes speak memberlist's dialect.
    Memberlist = "memberlist",
    /// What is compressed and not what it says it is. (A0 to A3)
    Traps = "traps",
    /// Hundreds of packets at once. (A0, A2, A3)
    Flood = "flood",
    /// The numbers that members seal with are used up by others with the key. (A3)
    Thefts = "thefts",
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Which kinds are switched off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mask(u64);

impl Mask {
    /// This kind is switched off too.
    #[must_use]
    pub const fn with(self, class: Class) -> Self {
        Self(self.0 | 1 << class as u64)
    }

    /// Whether this kind is switched off.
    #[must_use]
    pub const fn hides(self, class: Class) -> bool {
        self.0 & 1 << class as u64 != 0
    }

    /// Whether nothing is switched off.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = Class::ALL.iter().filter(|class| self.hides(**class));
        f.write_str(&hidden.map(|class| class.name()).collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Mask {
    type Err = String;

    /// Reads names with commas between them.
    fn from_str(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.into_iter().try_fold(Self::default(), |mask, name| {
            let class = Class::ALL.iter().find(|class| class.name() == name);
            class.map(|class| mask.with(*class)).ok_or_else(|| {
                let all: Vec<_> = Class::ALL.iter().map(|class| class.name()).collect();
                format!("'{name}' is no kind of fault; there are {}", all.join(", "))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_read_as_they_are_written() {
        let mask = Mask::default().with(Class::Loss).with(Class::Removals);
        assert_eq!(mask.to_string(), "loss,removals");
        assert_eq!("loss, removals".parse(), Ok(mask));
        assert!(mask.hides(Class::Loss) && !mask.hides(Class::Crash));
        assert!("los".parse::<Mask>().unwrap_err().contains("'los'"));
        assert!(Class::ALL.len() <= 64);
    }
}
