//! All that a node counts and measures, read at one moment, and every number by its metric's name.
//!
//! The tables below are the only place where a number meets its name: each is both the list of what
//! there is and the code that reads it, and each takes its struct apart without a rest, so that a
//! new counter does not compile until it has a name. Labels have fixed values, written here or in
//! the core's enums: none comes from the network. (X16)

use swim_core::{Counts, Queues, Reject, Stats};

use crate::tally::IoStats;

/// What a node counted and measured, at one moment of its life. Everything is one consistent
/// reading but what lies outside of the node: `io`, `events_waiting` and `commands_waiting`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// What the node has done and seen.
    pub stats: Stats,
    /// What went wrong between the node and the operating system.
    pub io: IoStats,
    /// How many members are in which state.
    pub counts: Counts,
    /// How much is under way and in the node's queues.
    pub queues: Queues,
    /// The node's health score; 0 is best.
    pub health: u32,
    /// About how many messages all members sealed with the key that seals: see
    /// [`Node::sealed_with_key`](swim_core::Node::sealed_with_key).
    pub sealed_with_key: u64,
    /// Events that wait to be read by the application.
    pub events_waiting: usize,
    /// Commands that wait for the node.
    pub commands_waiting: usize,
}

/// One metric: a name under which there is one number, or one for each value of its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, as Prometheus wants names to be.
    pub name: &'static str,
    /// Whether it only grows.
    pub kind: MetricKind,
    /// What it is measured in.
    pub unit: MetricUnit,
    /// What it means, in a sentence.
    pub about: &'static str,
}

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows, from 0 at the node's start.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// What a metric is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricUnit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
}

/// One number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Which metric it is of.
    pub metric: &'static Metric,
    /// Its label, if the metric has one: the label's name and one of its fixed values.
    pub label: Option<(&'static str, &'static str)>,
    /// The number.
    pub value: MetricValue,
}

/// The value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricValue {
    /// Of a counter.
    Counter(u64),
    /// Of a gauge.
    Gauge(f64),
}

impl Sample {
    /// Hands every number to `each`, always the same ones in the same order.
    pub fn for_each(&self, mut each: impl FnMut(Reading)) {
        let Self { stats, io, counts, queues, health, sealed_with_key, .. } = self;
        let Self { events_waiting, commands_waiting, .. } = self;
        read_stats(stats, &mut each);
        read_io(io, &mut each);
        read_counts(*counts, &mut each);
        read_queues(*queues, &mut each);
        let mut queue = |queue, len: usize| each(gauge(&QUEUE, Some(("queue", queue)), len as f64));
        queue("events", *events_waiting);
        queue("commands", *commands_waiting);
        each(gauge(&HEALTH, None, f64::from(*health)));
        each(gauge(&SEALED, None, *sealed_with_key as f64));
    }
}

/// Every metric there is.
pub fn metrics() -> impl Iterator<Item = &'static Metric> {
    STATS.iter().chain(&IO).chain([&REJECTED, &PAUSE_MAX, &MEMBERS, &QUEUE, &HEALTH, &SEALED])
}

/// Writes a table of counters, and the function that reads all fields of their struct. What stands
/// in brackets is read by hand.
macro_rules! counters {
    (
        $table:ident $read:ident $struct:ident [$($other:ident)*] $rest:expr;
        $($field:ident $unit:ident $name:literal $about:literal;)*
    ) => {
        static $table: [Metric; [$($name),*].len()] = [$(Metric {
            name: $name,
            kind: MetricKind::Counter,
            unit: MetricUnit::$unit,
            about: $about,
        }),*];

        fn $read(counted: &$struct, each: &mut impl FnMut(Reading)) {
            let $struct { $($field,)* $($other,)* } = counted;
            let values = [$(*$field),*];
            for (metric, value) in $table.iter().zip(values) {
                each(Reading { metric, label: None, value: MetricValue::Counter(value) });
            }
            $rest($($other,)* each);
        }
    };
}

counters! {
    STATS read_stats Stats [rejects pause_max] read_other_stats;
    packets_received Count "swim_packets_received_total" "Datagrams handled, refused ones included";
    bytes_received Bytes "swim_packet_received_bytes_total" "Their bytes";
    packets_after_leave Count "swim_packets_after_leave_total"
        "Datagrams that came after this node had left";
    packets_sent Count "swim_packets_sent_total" "Datagrams sent";
    bytes_sent Bytes "swim_packet_sent_bytes_total" "Their bytes";
    answers_withheld Count "swim_answers_withheld_total"
        "Answers longer than the question of who may be nobody, not sent or sent without news";
    stream_bytes_received Bytes "swim_stream_received_bytes_total" "Bytes that came in on streams";
    stream_bytes_sent Bytes "swim_stream_sent_bytes_total" "Bytes written to streams";
    streams_accepted Count "swim_streams_accepted_total" "Streams that peers opened";
    streams_refused Count "swim_streams_refused_total"
        "Streams refused because too many were open, or by the allow list";
    streams_given_up Count "swim_streams_given_up_total"
        "Streams given up for others: on which nothing was said, or which held the most";
    streams_dialed Count "swim_streams_dialed_total" "Streams opened by this node";
    streams_failed Count "swim_streams_failed_total" "Streams that broke or timed out";
    messages_unknown Count "swim_messages_unknown_total" "Messages of a newer version, skipped";
    probes Count "swim_probes_total" "Probes begun";
    probes_acked Count "swim_probes_acked_total" "Probes answered by the target itself";
    probes_saved_by_relay Count "swim_probes_saved_by_relay_total" "Probes saved by a helper";
    probes_saved_by_stream Count "swim_probes_saved_by_stream_total"
        "Probes saved by a stream ping";
    probes_failed Count "swim_probes_failed_total" "Probes that failed";
    probes_degraded Count "swim_probes_degraded_total" "Probes begun while health was not 0";
    acks_unexpected Count "swim_acks_unexpected_total" "Acks that nobody waited for";
    nacks Count "swim_nacks_total" "Nacks received";
    relayed Count "swim_relayed_total" "Pings relayed for others";
    relays_refused Count "swim_relays_refused_total" "Indirect pings not served because of a limit";
    suspicions Count "swim_suspicions_total" "Suspicions begun here";
    suspicions_expired Count "swim_suspicions_expired_total" "Suspicions that ran out";
    suspicions_expired_unconfirmed Count "swim_suspicions_expired_unconfirmed_total"
        "Suspicions that ran out with fewer confirmations than hoped for";
    refutations Count "swim_refutations_total" "Refutations by this node about itself";
    claims_applied Count "swim_claims_applied_total" "Claims that changed the table";
    claims_stale Count "swim_claims_stale_total" "Claims that said nothing new";
    claims_unknown Count "swim_claims_unknown_total" "Claims about members nobody has introduced";
    claims_refused Count "swim_claims_refused_total" "Claims refused by the policy or a limit";
    accusers_ignored Count "swim_accusers_ignored_total" "Accusers whose word confirms nothing";
    claims_dropped Count "swim_claims_dropped_total" "Claims put aside because the queue was full";
    conflicts Count "swim_conflicts_total" "Name conflicts seen";
    gossip_rounds Count "swim_gossip_rounds_total" "Rounds of gossip sent";
    exchanges Count "swim_exchanges_total" "Exchanges of tables completed, on either side";
    exchanges_failed Count "swim_exchanges_failed_total" "Exchanges that failed or were refused";
    exchanges_spared Count "swim_exchanges_spared_total" "Exchanges not made, being of no use";
    streams_readdressed Count "swim_streams_readdressed_total"
        "Requests that had to be asked again, of this node in its present life";
    entries_left_out Count "swim_entries_left_out_total"
        "Entries of the table for which an exchange had no room";
    unbeatable Count "swim_unbeatable_total" "Claims about this node that it can't outbid";
    repairs Count "swim_repairs_total" "Exchanges begun because a digest differed";
    broadcasts_sent Count "swim_broadcasts_sent_total" "Broadcasts issued here";
    broadcasts_delivered Count "swim_broadcasts_delivered_total" "Broadcasts delivered here";
    broadcasts_repeated Count "swim_broadcasts_repeated_total" "Broadcasts seen again";
    broadcasts_stale Count "swim_broadcasts_stale_total" "Broadcasts refused for their age";
    broadcasts_dropped Count "swim_broadcasts_dropped_total" "Broadcasts forgotten early, for room";
    broadcast_repairs Count "swim_broadcast_repairs_total"
        "Broadcasts compared after digests differed";
    reaped Count "swim_reaped_total" "Members forgotten after having been dead long enough";
    pauses Count "swim_pauses_total" "Times that the node found it had been stopped";
}

counters! {
    IO read_io IoStats [] no_other;
    sends_blocked Count "swim_sends_blocked_total" "Datagrams lost because a buffer was full";
    sends_failed Count "swim_sends_failed_total" "Datagrams that the system refused to send";
    receives_failed Count "swim_receives_failed_total" "Errors when receiving datagrams";
    accepts_failed Count "swim_accepts_failed_total" "Errors when accepting streams";
    dials_failed Count "swim_dials_failed_total" "Streams that could not be opened";
    streams_broken Count "swim_streams_broken_total" "Streams in use that broke";
    events_missed Count "swim_events_missed_total"
        "Events dropped because nobody read them in time";
    clock_steps Count "swim_clock_steps_total" "Times that the wall clock was set";
}

static REJECTED: Metric = Metric {
    name: "swim_rejected_total",
    kind: MetricKind::Counter,
    unit: MetricUnit::Count,
    about: "Packets and stream frames refused, by reason",
};

static PAUSE_MAX: Metric = Metric {
    name: "swim_pause_max_seconds",
    kind: MetricKind::Gauge,
    unit: MetricUnit::Seconds,
    about: "The longest time that the node was stopped",
};

static MEMBERS: Metric = Metric {
    name: "swim_members",
    kind: MetricKind::Gauge,
    unit: MetricUnit::Count,
    about: "Members by state, this node included",
};

static QUEUE: Metric = Metric {
    name: "swim_queue_length",
    kind: MetricKind::Gauge,
    unit: MetricUnit::Count,
    about: "What is under way or waits, by queue",
};

static HEALTH: Metric = Metric {
    name: "swim_health_score",
    kind: MetricKind::Gauge,
    unit: MetricUnit::Count,
    about: "The node's opinion of its own health; 0 is best",
};

static SEALED: Metric = Metric {
    name: "swim_sealed_with_key",
    kind: MetricKind::Gauge,
    unit: MetricUnit::Count,
    about: "Messages that all members sealed with the present key, estimated",
};

fn read_other_stats(
    rejects: &[u64; Reject::COUNT],
    pause_max: &core::time::Duration,
    each: &mut impl FnMut(Reading),
) {
    for (reject, count) in Reject::ALL.into_iter().zip(rejects) {
        let label = Some(("reason", reject.name()));
        each(Reading { metric: &REJECTED, label, value: MetricValue::Counter(*count) });
    }
    each(gauge(&PAUSE_MAX, None, pause_max.as_secs_f64()));
}

fn no_other(_: &mut impl FnMut(Reading)) {}

fn read_counts(counts: Counts, each: &mut impl FnMut(Reading)) {
    let Counts { alive, suspect, dead, left } = counts;
    for (state, len) in [("alive", alive), ("suspect", suspect), ("dead", dead), ("left", left)] {
        each(gauge(&MEMBERS, Some(("state", state)), len as f64));
    }
}

fn read_queues(queues: Queues, each: &mut impl FnMut(Reading)) {
    macro_rules! read {
        ($($field:ident)*) => {
            let Queues { $($field),* } = queues;
            $(each(gauge(&QUEUE, Some(("queue", stringify!($field))), $field as f64));)*
        };
    }
    read! { claims broadcasts suspicions relays streams_accepted streams_dialed remembered }
}

fn gauge(
    metric: &'static Metric,
    label: Option<(&'static str, &'static str)>,
    value: f64,
) -> Reading {
    Reading { metric, label, value: MetricValue::Gauge(value) }
}
