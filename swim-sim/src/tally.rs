//! What is counted in a world.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use bytes::Bytes;
use swim_core::{Dialect, Event, EventKind, Instant, MemberChange};

use crate::{
    malice,
    network::{Fate, Obstacle},
};

/// Counters of a world. They only grow.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Things that happened.
    pub steps: u64,
    /// Packets sent. A packet with several messages is one.
    pub packets_sent: u64,
    /// Their bytes, without the headers of the network.
    pub packet_bytes_sent: u64,
    /// Packets handled by machines.
    pub packets_handled: u64,
    /// Packets for hosts on which nothing ran, or that don't exist.
    pub packets_unheard: u64,
    /// Packets lost because a queue was full, before sending or after receiving.
    pub packets_overflown: u64,
    /// What happened to packets on their way.
    pub fates: Fates,
    /// Streams dialed.
    pub streams_dialed: u64,
    /// Bytes written to streams.
    pub stream_bytes_sent: u64,
    /// Streams that the network broke.
    pub streams_reset: u64,
    /// Streams on which the network let nothing through any more.
    pub streams_stalled: u64,
    /// How long broadcasts took that [`World::shout`](crate::World::shout) sent.
    pub arrivals: Vec<Duration>,
    /// How long changes took that [`World::update`](crate::World::update) made.
    pub updates: Vec<Duration>,
    /// What waited at hosts.
    pub waits: Waits,
    /// Packets that were sent again by somebody on the way, to hosts on which something runs.
    pub replays: u64,
    /// Packets and tables that somebody wrote without a key, with a former one, and with the one in
    /// use; but for floods.
    pub forged: [u64; 3],
    /// How often somebody sent many packets at once.
    pub floods: u64,
    /// What those did who mean harm, by what it was.
    pub malice: BTreeMap<String, u64>,
    /// How often a host's clock jumped back.
    pub clocks_back: u64,
    /// How often a host's clock on the wall was set back.
    pub walls_back: u64,
    /// What applications were refused, by the error.
    pub refused: BTreeMap<String, u64>,
    changes: [u64; CHANGES],
    /// Who heard which words of whom, of broadcasts that have no number: such come more than once.
    heard: BTreeSet<(SocketAddr, SocketAddr, Bytes)>,
}

/// What happened to packets on their way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Lost.
    pub lost: u64,
    /// Came twice.
    pub doubled: u64,
    /// Had a bit flipped.
    pub flipped: u64,
    /// Lost their end.
    pub truncated: u64,
    /// What became of those only that something runs to receive.
    pub felt: Felt,
}

/// What happened to packets on their way to hosts on which something runs: what goes wrong on the
/// way to others changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Felt {
    /// Lost to a cut or a partition.
    pub cut: u64,
    /// Lost to a cut that streams pass.
    pub filtered: u64,
    /// Longer than what passes.
    pub too_long: u64,
    /// Lost to luck.
    pub lost: u64,
    /// Came twice.
    pub doubled: u64,
    /// Came with a bit flipped.
    pub flipped: u64,
    /// Came without their end.
    pub truncated: u64,
    /// Came late, perhaps overtaken by others.
    pub late: u64,
    /// Came when their direction no longer stood still.
    pub clogged: u64,
    /// Came over a link that is not as quick as a network nearby.
    pub slow: u64,
}

/// What waited at hosts on which something runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// Packets that were held.
    pub held: u64,
    /// What came, or came due, while nothing ran on a host.
    pub frozen: u64,
    /// What came, or came due, while a host did not get the processor.
    pub starved: u64,
    /// What came while a host was busy.
    pub busy: u64,
}

impl Tally {
    /// How often any node reported this change of a member.
    #[must_use]
    pub const fn changes(&self, change: MemberChange) -> u64 {
        self.changes[change as usize]
    }

    /// Counts something that somebody did who means harm.
    pub(crate) fn did(&mut self, dialect: Dialect, what: &str, times: u64) {
        *self.malice.entry(malice::counter(dialect, what)).or_default() += times;
    }

    /// Takes in an event of a node.
    pub(crate) fn record(&mut self, now: Instant, event: &Event, own: SocketAddr) {
        match &event.kind {
            EventKind::Member { change, member } => {
                self.changes[*change as usize] += 1;
                if *change == MemberChange::Updated
                    && let Some(span) = since(now, member.meta.as_bytes())
                    && member.addr != own
                {
                    self.updates.push(span);
                }
            }
            EventKind::Broadcast { payload, .. } => self.arrivals.extend(since(now, payload)),
            // In memberlist's dialect, which knows no broadcasts but these.
            EventKind::Message { addr, payload, reliable: false, .. } => {
                if let Some(span) = since(now, payload)
                    && self.heard.insert((own, *addr, payload.clone()))
                {
                    self.arrivals.push(span);
                }
            }
            _ => {}
        }
    }
}

impl Fates {
    pub(crate) fn count(&mut self, fate: &Fate) {
        self.lost += u64::from(fate.first.is_none());
        self.doubled += u64::from(fate.second.is_some());
        self.flipped += u64::from(fate.flipped.is_some());
        self.truncated += u64::from(fate.truncated.is_some());
    }

    /// Takes in what became of a packet for a host on which something runs.
    pub(crate) fn feel(&mut self, fate: &Fate, is_slow: bool) {
        let felt = &mut self.felt;
        let comes = fate.first.is_some();
        match fate.obstacle {
            Some(Obstacle::Cut) => felt.cut += 1,
            Some(Obstacle::Filter) => felt.filtered += 1,
            Some(Obstacle::Length) => felt.too_long += 1,
            Some(Obstacle::Luck) => felt.lost += 1,
            None => {}
        }
        felt.doubled += u64::from(comes && fate.second.is_some());
        felt.flipped += u64::from(comes && fate.flipped.is_some());
        felt.truncated += u64::from(comes && fate.truncated.is_some());
        felt.late += u64::from(comes && fate.is_late);
        felt.clogged += u64::from(comes && fate.is_clogged);
        felt.slow += u64::from(comes && is_slow);
    }
}

/// How long ago something was sent that begins with its time.
fn since(now: Instant, bytes: &[u8]) -> Option<Duration> {
    let nanos = u64::from_le_bytes(*bytes.first_chunk()?);
    let sent = Instant::from_nanos(nanos);
    (bytes.len() == 8 && sent <= now).then(|| now.saturating_since(sent))
}
const CHANGES: usize = MemberChange::Reaped as usize + 1;
