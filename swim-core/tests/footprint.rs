//! What a node may cost: no allocation in a steady cluster, so many bytes for each member it knows,
//! and no more work for a packet or a tick among many members than among few.
//!
//! Nothing here looks at a clock. Allocations and bytes are counted by an allocator of our own,
//! instructions by callgrind. The same works are timed in `benches/time.rs`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

#[path = "../benches/bed/mod.rs"]
mod bed;

use bed::{
    Work,
    heap::{self, Heap},
    nodes::{SUBJECT, member_of, node, options},
    packets::Packets,
    ticks::{GossipTicks, IdleTicks, ProbeAcks, ProbeTicks},
    traffic::NEWS,
};

#[global_allocator]
static HEAP: Heap = Heap;

/// SWIM promises a load that does not grow with the cluster; here that includes the allocator's.
#[test]
fn a_steady_cluster_costs_no_allocations() {
    for n in [10, 300] {
        assert_allocates_nothing("ping", n, Packets::pings(n));
        assert_allocates_nothing("ping with stale claims", n, Packets::pings_stale(n));
        assert_allocates_nothing("sealed ping", n, Packets::pings_sealed(n, 9));
        assert_allocates_nothing("idle tick", n, IdleTicks::new(n));
        assert_allocates_nothing("probe tick", n, ProbeTicks::new(n));
        assert_allocates_nothing("probe ack", n, ProbeAcks::new(n));
        assert_allocates_nothing("gossip of one claim", n, GossipTicks::new(n, 1));
    }
}

#[test]
fn a_known_member_costs_at_most_160_bytes() {
    const MEMBERS: usize = 100_000;
    const BYTES: i64 = 160;
    let (alone, _alone) = heap::usage_of(|| node(options(SUBJECT, false)));
    let (among, _among) = heap::usage_of(|| member_of(options(SUBJECT, false), MEMBERS, 1));
    let bytes = (among.live - alone.live) / i64::try_from(MEMBERS).expect("a small number");
    assert!(bytes <= BYTES, "{bytes} bytes for each of {MEMBERS} members");
}

/// Counted in instructions, an added walk over all members shows among a thousand of them. Of
/// packets the kind that does most; those that are made beforehand in thousands would take minutes.
#[test]
fn m4_a_packet_or_a_tick_costs_the_same_among_many_as_among_few() {
    let Some(few) = instructions(FEW) else {
        eprintln!("SKIPPED: valgrind is not installed");
        return;
    };
    let many = instructions(MANY).expect("it is installed");
    for ((name, few), (_, many)) in few.into_iter().zip(many) {
        eprintln!("{name}: {few} instructions among {FEW}, {many} among {MANY}");
        assert!(few > 100, "{name}: nothing was counted");
        assert!(many <= few + few / 10, "{name}: {few} among {FEW}, {many} among {MANY}");
    }
}

const FEW: usize = 200;
const MANY: usize = 1_000;
const TICKS: u64 = 10;

fn assert_allocates_nothing<W: Work>(name: &str, n: usize, mut work: W) {
    const TIMES: u64 = 300;
    let mut calls = 0;
    for time in 0..2 * TIMES {
        let input = work.prepare();
        let (usage, ()) = heap::usage_of(|| work.run(input));
        // At first everything grows to the size it needs.
        if time >= TIMES {
            calls += usage.calls;
        }
    }
    work.check(2 * TIMES);
    assert_eq!(calls, 0, "allocations in {TIMES} times {name} among {n}");
}

/// Runs `counted_by_callgrind` below among `n` members; the instructions of each of its works.
fn instructions(n: usize) -> Option<Vec<(&'static str, u64)>> {
    Command::new("valgrind").arg("--version").output().ok()?;
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("footprint-{n}"));
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--collect-atstart=no"])
        .args(["--toggle-collect=*footprint::measured*", "--dump-after=*footprint::over*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().expect("a test knows its own file"))
        .args(["--ignored", "--exact", "--test-threads=1", &format!("among_{n}")])
        .status();
    assert!(status.expect("valgrind starts").success(), "the counted run fails by itself");
    let dump = |part: usize| out.with_extension(part.to_string());
    Some(WORKS.iter().zip(1..).map(|(&name, part)| (name, total(&dump(part)) / TICKS)).collect())
}

/// The instructions in one of callgrind's files, which is deleted.
fn total(dump: &PathBuf) -> u64 {
    let text = fs::read_to_string(dump).expect("callgrind wrote what it counted");
    fs::remove_file(dump).expect("it is ours");
    let total = text.lines().find_map(|line| line.strip_prefix("summary: "));
    total.and_then(|total| total.trim().parse().ok()).expect("a number")
}

const WORKS: [&str; 4] = ["packet of 30 updates", "idle tick", "probe tick", "gossip of one claim"];

#[test]
#[ignore = "run by m4_a_packet_or_a_tick_costs_the_same_among_many_as_among_few, under callgrind"]
fn among_200() {
    works(FEW);
}

#[test]
#[ignore = "run by m4_a_packet_or_a_tick_costs_the_same_among_many_as_among_few, under callgrind"]
fn among_1000() {
    works(MANY);
}

/// Does the works one after the other, in the order of [`WORKS`].
fn works(n: usize) {
    count(Packets::gossip_updates(n, NEWS));
    count(IdleTicks::new(n));
    count(ProbeTicks::new(n));
    count(GossipTicks::new(n, 1));
}

fn count<W: Work>(mut work: W) {
    for _ in 0..TICKS {
        let input = work.prepare();
        measured(&mut work, input);
    }
    over();
}

/// All that is counted happens below this function.
#[inline(never)]
fn measured<W: Work>(work: &mut W, input: W::Input) {
    work.run(input);
    std::hint::black_box(());
}

/// Callgrind writes down what it has counted when this function is called.
#[inline(never)]
fn over() {
    std::hint::black_box(());
}
