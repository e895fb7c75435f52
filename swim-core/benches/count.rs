//! What things cost, counted: allocations, bytes and, under callgrind, instructions.
//! `cargo bench --bench count`, with parts of names, or `name/members`, to count only some.
//! With `--memberlist` all nodes speak memberlist's dialect, with `--memberlist-plain` they do so
//! without compression.
//!
//! What is counted does not depend on the machine or on what else it does, so that two counts can
//! be compared to the last digit. Under callgrind `scripts/instructions` reads the counts.

use std::{env, hint::black_box};

use swim_core::{Dialect, MemberlistOptions, limits::PACKET_LEN_MAX};

mod bed;

use bed::{
    Work,
    heap::{Heap, Usage, usage_of},
    nodes::{DIALECT, SUBJECT, member_of, node, options},
    packets::Packets,
    refusals::Refused,
    seals::{Bare, Receives, Sends},
    tables::{Built, Merged, Told},
    ticks::{GossipTicks, IdleTicks, ProbeAcks, ProbeTicks},
    traffic::NEWS,
};

#[global_allocator]
static HEAP: Heap = Heap;

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
const WIDE: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

fn main() {
    let is_given = |flag: &str| env::args().any(|arg| arg == flag);
    let compression = is_given("--memberlist");
    if compression || is_given("--memberlist-plain") {
        let options = MemberlistOptions { compression, ..MemberlistOptions::default() };
        DIALECT.set(Dialect::Memberlist(options)).expect("nobody speaks yet");
    }
    let wanted: Vec<String> = env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let counts = Counts { wanted };
    println!("{:<24} {:>7} {:>9} {:>11}", "what", "members", "allocs", "bytes asked");
    packets(&counts);
    seals(&counts);
    refusals(&counts);
    ticks(&counts);
    tables(&counts);
    heap(&counts);
}

fn packets(counts: &Counts) {
    for n in SIZES {
        counts.work("ping", n, 1_000, || Packets::pings(n));
        counts.work("ping_8_stale", n, 1_000, || Packets::pings_stale(n));
        counts.work("sealed_ping_9_senders", n, 1_000, || Packets::pings_sealed(n, 9));
    }
    counts.work("sealed_ping_1000_senders", 10_000, 2_000, || Packets::pings_sealed(10_000, 1_000));
    for n in [100, 1_000, 10_000] {
        counts.work("stale_alive", n, 300, || Packets::gossip_stale(n, 1));
        counts.work("new_alive", n, 300, || Packets::gossip_updates(n, 1));
        counts.work("ping_30_updates", n, 300, || Packets::pings_news(n));
        counts.work("gossip_30_stale", n, 300, || Packets::gossip_stale(n, NEWS));
        counts.work("gossip_30_updates", n, 300, || Packets::gossip_updates(n, NEWS));
        counts.work("gossip_30_newcomers", n, 100, || Packets::gossip_newcomers(n));
    }
}

fn seals(counts: &Counts) {
    counts.work("send_1200_bytes", 10, 1_000, || Sends::new(false));
    counts.work("sealed_send_1200_bytes", 10, 1_000, || Sends::new(true));
    counts.work("bare_seal_1200_bytes", 0, 1_000, Bare::sealing);
    counts.work("receive_1200_bytes", 10, 1_000, || Receives::new(false));
    counts.work("sealed_receive_1200_bytes", 10, 1_000, || Receives::new(true));
    counts.work("bare_open_1200_bytes", 0, 1_000, Bare::opening);
}

fn refusals(counts: &Counts) {
    counts.work("refused_noise_1200_bytes", 10, 1_000, Refused::noise);
    counts.work("refused_other_key_1200_bytes", 10, 1_000, Refused::other_key);
    for len in [64, 1_200, PACKET_LEN_MAX] {
        let name = format!("refused_forged_{len}_bytes");
        counts.work(&name, 10, 1_000, || Refused::forged(len));
    }
    counts.work("refused_replayed_1200_bytes", 10, 1_000, Refused::replayed);
}

fn ticks(counts: &Counts) {
    for n in WIDE {
        counts.work("idle_tick", n, 1_000, || IdleTicks::new(n));
        counts.work("probe_tick", n, 1_000, || ProbeTicks::new(n));
        counts.work("probe_ack", n, 1_000, || ProbeAcks::new(n));
        counts.work("gossip_tick_1_claim", n, 200, || GossipTicks::new(n, 1));
        counts.work("gossip_tick_30_claims", n, 200, || GossipTicks::new(n, 30));
    }
}

fn tables(counts: &Counts) {
    for n in [10_000, 100_000] {
        counts.work("told_by_gossip", n, 1, || Told::new(n));
        counts.work("build", n, 3, || Built::new(n));
        counts.work("merge_known", n, 3, || Merged::when_known(n));
        counts.work("merge_into_empty", n, 3, || Merged::when_empty(n));
    }
}

/// Bytes that a node keeps for each member it knows, and bytes that its table has on the wire.
fn heap(counts: &Counts) {
    for n in [10_000, 100_000] {
        if counts.wants("heap", n) {
            let (alone, _kept) = usage_of(|| node(options(SUBJECT, false)));
            let (exchanged, _kept) = usage_of(|| member_of(options(SUBJECT, false), n, 1));
            print_heap("heap", n, exchanged, alone);
            let mut told = Told::new(n);
            let subject = told.prepare();
            let (more, ()) = usage_of(|| told.run(subject));
            print_heap("heap_with_backlog", n, more, Usage::default());
        }
        if counts.wants("wire", n) {
            let mut built = Built::new(n);
            let id = built.prepare();
            built.run(id);
            let Built { answer_len, plain_len, .. } = built;
            let uncompressed = match DIALECT.get() {
                None => format!(", {plain_len} uncompressed"),
                Some(_) => String::new(),
            };
            println!("{:<24} {n:>7} {answer_len:>9} bytes{uncompressed}", "wire");
        }
    }
}

fn print_heap(what: &str, n: usize, with: Usage, without: Usage) {
    let live = with.live - without.live;
    let members = i64::try_from(n - 1).expect("a small number");
    let (whole, tenths) = (live / members, live * 10 / members % 10);
    println!("{what:<24} {n:>7} {whole:>7}.{tenths} bytes a member, {live} in all");
}

struct Counts {
    wanted: Vec<String>,
}

impl Counts {
    fn wants(&self, name: &str, n: usize) -> bool {
        let label = format!("{name}/{n}");
        let is_wanted = |wanted: &String| label == *wanted || name.contains(wanted.as_str());
        self.wanted.is_empty() || self.wanted.iter().any(is_wanted)
    }

    /// Does the work so many times, after as many times to warm up.
    fn work<W: Work>(&self, name: &str, n: usize, times: u64, make: impl FnOnce() -> W) {
        if !self.wants(name, n) {
            return;
        }
        let mut work = make();
        let mut sum = Usage::default();
        for warm in [false, true] {
            for _ in 0..times {
                let input = work.prepare();
                if warm {
                    let (usage, ()) = usage_of(|| measured(&mut work, input));
                    sum.calls += usage.calls;
                    sum.asked += usage.asked;
                } else {
                    work.run(input);
                }
            }
        }
        work.check(2 * times);
        let per = |sum: u64| format!("{}.{:02}", sum / times, sum * 100 / times % 100);
        println!("{name:<24} {n:>7} {:>9} {:>11} times {times}", per(sum.calls), per(sum.asked));
        over();
    }
}

/// All that is counted happens below this function: callgrind is told its name.
#[inline(never)]
fn measured<W: Work>(work: &mut W, input: W::Input) {
    work.run(input);
    black_box(());
}

/// Callgrind writes down what it has counted, and begins anew, when this function is called.
#[inline(never)]
fn over() {
    black_box(());
}
