//! Counters of everything worth counting, and how full the queues are. Counters only grow; no
//! label takes its value from the network. (X16)

use core::time::Duration;

use crate::reject::Reject;

/// What a node has done and seen since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Datagrams handled, refused ones included.
    pub packets_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Datagrams that came after this node had left. Natively they are not looked at, and not among
    /// those handled; in memberlist's dialect they are, and pings are answered with the leave.
    pub packets_after_leave: u64,
    /// Datagrams sent.
    pub packets_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Answers that would have been longer than the question of somebody who has yet to show where
    /// it is: sent without news, or not sent.
    pub answers_withheld: u64,
    /// Bytes that came in on streams.
    pub stream_bytes_received: u64,
    /// Bytes written to streams.
    pub stream_bytes_sent: u64,
    /// Streams that peers opened with us.
    pub streams_accepted: u64,
    /// Streams refused because too many were open, or by the allow list.
    pub streams_refused: u64,
    /// Streams given up to make room for others: on which a peer had said nothing yet, or which
    /// held the most of what all may hold together.
    pub streams_given_up: u64,
    /// Streams we dialled.
    pub streams_dialed: u64,
    /// Streams that broke or timed out.
    pub streams_failed: u64,
    /// Input refused, by [`Reject::index`].
    pub rejects: [u64; Reject::COUNT],
    /// Messages of a kind that this version does not know, skipped.
    pub messages_unknown: u64,
    /// Probes begun.
    pub probes: u64,
    /// Probes answered by the target itself.
    pub probes_acked: u64,
    /// Probes saved by a helper.
    pub probes_saved_by_relay: u64,
    /// Probes saved by a stream ping.
    pub probes_saved_by_stream: u64,
    /// Probes that failed.
    pub probes_failed: u64,
    /// Probes begun while the health score was not 0.
    pub probes_degraded: u64,
    /// Acks that nobody waited for: late, repeated, or made up.
    pub acks_unexpected: u64,
    /// Nacks received.
    pub nacks: u64,
    /// Pings relayed for others.
    pub relayed: u64,
    /// Indirect pings not served because of a limit.
    pub relays_refused: u64,
    /// Suspicions begun here.
    pub suspicions: u64,
    /// Suspicions that ran out.
    pub suspicions_expired: u64,
    /// Suspicions that ran out with fewer confirmations than hoped for.
    pub suspicions_expired_unconfirmed: u64,
    /// Refutations sent by this node about itself.
    pub refutations: u64,
    /// Claims applied that changed the table.
    pub claims_applied: u64,
    /// Claims that said nothing new.
    pub claims_stale: u64,
    /// Claims about members that nobody has introduced.
    pub claims_unknown: u64,
    /// Claims refused by the policy, the allow list or a limit, and accusations that no live member
    /// tells.
    pub claims_refused: u64,
    /// Accusers whose word confirms nothing: unknown, gone, or the accused themselves.
    pub accusers_ignored: u64,
    /// Claims put aside because the queue was full.
    pub claims_dropped: u64,
    /// Name conflicts seen.
    pub conflicts: u64,
    /// Rounds of gossip sent.
    pub gossip_rounds: u64,
    /// Exchanges of tables completed, on either side.
    pub exchanges: u64,
    /// Exchanges that failed or were refused.
    pub exchanges_failed: u64,
    /// Periodic exchanges that were not made because pings showed that they would bring nothing.
    pub exchanges_spared: u64,
    /// Requests on streams that had to be asked again, of this node in the life that it is in: they
    /// were for a former one, or for whoever is there. (X4)
    pub streams_readdressed: u64,
    /// Entries of this node's table that did not fit into an exchange; the next begins with them.
    /// Only in memberlist's dialect.
    pub entries_left_out: u64,
    /// Times that others said of this node what it can't outbid. Only in memberlist's dialect.
    pub unbeatable: u64,
    /// Exchanges begun because a digest differed.
    pub repairs: u64,
    /// Broadcasts issued here.
    pub broadcasts_sent: u64,
    /// Broadcasts delivered here.
    pub broadcasts_delivered: u64,
    /// Broadcasts seen again.
    pub broadcasts_repeated: u64,
    /// Broadcasts refused for their age.
    pub broadcasts_stale: u64,
    /// Broadcasts dropped because too many were remembered.
    pub broadcasts_dropped: u64,
    /// Times that a digest made this node compare broadcasts with a peer.
    pub broadcast_repairs: u64,
    /// Members removed for having been dead long enough.
    pub reaped: u64,
    /// Times the node found that it had been stopped or suspended. (P7)
    pub pauses: u64,
    /// The longest such stop.
    pub pause_max: Duration,
}

impl Stats {
    /// How much input was refused in all.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejects.iter().sum()
    }

    /// How much input was refused as a whole: see [`Reject::is_of_one_message`].
    #[must_use]
    pub fn rejected_whole(&self) -> u64 {
        let whole = Reject::ALL.into_iter().filter(|reject| !reject.is_of_one_message());
        whole.map(|reject| self.rejected_for(reject)).sum()
    }

    /// How much input was refused for this reason.
    #[must_use]
    pub fn rejected_for(&self, reject: Reject) -> u64 {
        self.rejects[reject.index()]
    }
}

/// How many members are in which state, this node included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Alive.
    pub alive: usize,
    /// Suspected; they still count as members.
    pub suspect: usize,
    /// Failed, not yet reaped.
    pub dead: usize,
    /// Gone, not yet reaped.
    pub left: usize,
}

impl Counts {
    /// Alive and suspect members.
    #[must_use]
    pub const fn live(&self) -> usize {
        self.alive + self.suspect
    }

    /// Entries of every state.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.alive + self.suspect + self.dead + self.left
    }
}

/// How much a node has under way and in its queues at one moment. Each has a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queues {
    /// Claims about members that wait to be gossiped.
    pub claims: usize,
    /// Broadcasts that are carried or remembered.
    pub broadcasts: usize,
    /// Suspicions under way, whoever began them.
    pub suspicions: usize,
    /// Pings under way for others.
    pub relays: usize,
    /// Streams that peers opened.
    pub streams_accepted: usize,
    /// Streams that this node opened.
    pub streams_dialed: usize,
    /// Former members whose addresses are remembered.
    pub remembered: usize,
}
