//! Deliberate faults, each of which some check of the simulator must find: a check that was never
//! seen to fail proves nothing. Never for production: without the feature `sabotage`
//! `sabotaged!` is `false`, and what hangs on it is not compiled into anything.

/// Whether a node was told to have this fault.
#[cfg(feature = "sabotage")]
macro_rules! sabotaged {
    ($node:expr, $fault:ident) => {
        $node.sabotage == Some($crate::sabotage::Sabotage::$fault)
    };
}

/// No node has any of these faults.
#[cfg(not(feature = "sabotage"))]
macro_rules! sabotaged {
    ($node:expr, $fault:ident) => {
        false
    };
}

pub(crate) use sabotaged;

#[cfg(feature = "sabotage")]
macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident,)*) => {
        /// A fault that a node has on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Sabotage {
            $($(#[$doc])* $fault,)*
        }

        impl Sabotage {
            /// All of them, in the order of the invariants that they break.
            pub const ALL: &[Self] = &[$(Self::$fault,)*];
        }
    };
}

#[cfg(feature = "sabotage")]
faults! {
    /// S1: it believes the last it heard of a member, however old.
    BelievesWhatIsOutdated,
    /// S2: it accuses whom it can't reach of an incarnation that nobody issued.
    InventsIncarnations,
    /// S3: it refutes with a stamp higher than needed.
    RefutesTooHigh,
    /// S3: it refutes with the very stamp that it is accused under.
    RefutesTooLow,
    /// S3: it refutes with the first stamp of its life.
    GoesBackToItsFirstStamp,
    /// S4: it believes what others say of it.
    BelievesItsOwnDeath,
    /// S5: it takes others to have said what they did not.
    AltersMetadata,
    /// S5: it takes the stamp of a change of metadata and not the change.
    ForgetsNewMetadata,
    /// S6: it revives the dead by a claim that is no larger than that of their death.
    RevivesByEqualClaims,
    /// S7: it goes on answering when it has left.
    SpeaksAfterLeaving,
    /// S7: it takes those that left to be back when it hears from a later incarnation.
    CallsBackWhoLeft,
    /// S7: it takes those whose suspicion ran out to have left.
    TakesTheDeadForLeavers,
    /// S8: it kills on the word of a single table.
    KillsByHearsay,
    /// S9: it changes because of packets that it refuses.
    ActsOnRefusedPackets,
    /// S10: it counts the dead among the living.
    CountsTheDead,
    /// E1: it tells of changed metadata as if somebody joined.
    TellsOfJoinsTwice,
    /// E2: it does not tell of changed metadata.
    SwallowsUpdates,
    /// E3: now and then it loses an event.
    LosesEvents,
    /// E4: it delivers each broadcast as often as it comes.
    DeliversTwice,
    /// P1: an old answer counts for the probe under way.
    CountsLateAcks,
    /// P1: whoever answers, the probe under way counts as answered.
    CountsForeignAcks,
    /// P2: it never probes one of the members.
    SkipsAMember,
    /// P2: it goes on probing those that are gone.
    ProbesTheGone,
    /// P2: one day it probes nobody any more.
    StopsProbing,
    /// P3: who confirms a suspicion twice counts twice.
    CountsAnAccuserTwice,
    /// P3: its suspicions last longer than the longest.
    SuspectsTooLong,
    /// P3: its suspicions go on when what they were about is over.
    KeepsOldSuspicions,
    /// P4: its health moves twice as far as it should.
    OverdoesItsHealth,
    /// P4: its health gets worse than the worst.
    PassesTheWorstHealth,
    /// P5: it does what is due soon as if it were due now.
    ActsEarly,
    /// P5: it serves one deadline for each tick, and leaves the others in the past.
    LeavesDeadlinesBehind,
    /// P5: it answers answers.
    AnswersEveryAck,
    /// P6: it repeats a claim for ever.
    RepeatsClaimsForEver,
    /// P7: it blames others for what it slept through.
    BlamesOthersForItsSleep,
    /// W1: its packets are longer than they may be.
    SendsLongPackets,
    /// M1: its table has no limit.
    IgnoresItsLimit,
    /// M3: it gossips when it has nothing to say.
    GossipsForNothing,
    /// O5: in memberlist's dialect, it takes what it has taken before.
    TakesEnvelopesAgain,
    /// X2: it takes in what is not sealed, though it has a key.
    ReadsPlaintext,
    /// X2: streams that it refuses make it tell of itself again.
    ActsOnRefusedStreams,
    /// X3: it sends twice what it sealed once.
    SendsUnderOneNonceTwice,
    /// X4: it takes in what was said to it before it started anew.
    ReadsFormerLives,
    /// X4: it goes on under numbers that somebody else has used up.
    KeepsUsedUpNumbers,
    /// X6: it answers strangers twice.
    AnswersStrangersTwice,
    /// X6: it asks eight times in a row whoever has never answered.
    PestersTheSilent,
    /// X8: what the dead say of others counts.
    BelievesTheDead,
    /// X9: it gives the names of the living to others.
    GivesNamesAway,
    /// X9: it gives the name of one that is said to have left to the next one at once.
    BelievesFarewells,
    /// X18: it takes in what is sealed with a key that was removed.
    ReadsFormerKeys,
    /// L1: it repairs nothing that gossip missed.
    NeverRepairs,
    /// L2: it suspects nobody.
    NeverSuspects,
    /// L4: it does not refute.
    NeverRefutes,
    /// L5: it does not try those again that it lost.
    NeverReconnects,
    /// L6: it believes a verdict before its subject could answer.
    ExecutesAtOnce,
    /// L6: what nobody heard it accuse others of counts when it is let in again.
    JudgesWhatNobodyHeard,
    /// L7: when the time of a join is up, it goes on joining.
    JoinsForEver,
    /// L7: it does not tell how a join ended whose time is up.
    ForgetsItsJoins,
    /// L8: it leaves without a word.
    LeavesWithoutAWord,
    /// L8: when the time of a leave is up, it goes on leaving.
    LeavesForEver,
    /// L9: it does not let the dead begin a new life.
    RefusesNewLives,
    /// L10: it removes the key that it used as soon as it uses another.
    DropsTheFormerKey,
    /// L11: it leaves when it hears of another node of its name.
    YieldsItsName,
}
