//! Every target on every input of its corpus: what a fuzzer once found stays found.

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use swim_fuzz_targets::{Kinds, TARGETS, Target, answers, kinds, readers};

/// The longest input that a corpus may hold, in bytes, and the most inputs of all together.
const INPUT_LEN_MAX: usize = 4096;
const INPUTS_MAX: usize = 320;

/// Runs a target on its corpus, and says which inputs it fails.
#[track_caller]
fn replay(name: &str) {
    let target = TARGETS.iter().find(|(it, _)| *it == name).map(|(_, target)| *target);
    let target = target.unwrap_or_else(|| panic!("there is no target {name}"));
    let inputs = files(&corpus().join(name));
    assert!(!inputs.is_empty(), "the corpus of {name} is empty");
    let failed: Vec<_> = inputs.iter().filter(|input| !passes(target, input)).collect();
    assert!(failed.is_empty(), "{name} fails {failed:?}");
}

fn passes(target: Target, input: &Path) -> bool {
    let bytes = fs::read(input).expect("an input can be read");
    assert!(bytes.len() <= INPUT_LEN_MAX, "{} is too long", input.display());
    catch_unwind(AssertUnwindSafe(|| target(&bytes))).is_ok()
}

/// The files or directories in a directory, by name.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut paths: Vec<_> =
        entries.map(|entry| entry.expect("a directory can be read").path()).collect();
    paths.sort();
    paths
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

fn names(paths: &[PathBuf]) -> BTreeSet<String> {
    let name = |path: &PathBuf| path.file_stem().map(|name| name.to_string_lossy().into_owned());
    paths.iter().filter_map(name).collect()
}

#[test]
fn every_target_has_a_corpus_and_a_program_and_a_test() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let dirs = files(&corpus());
    assert_eq!(names(&dirs), targets, "the corpora are those of the targets");
    let programs = files(&corpus().join("../fuzz_targets"));
    assert_eq!(names(&programs), targets, "the programs are those of the targets");
    for name in &targets {
        let tested = format!("replay(\"{name}\")");
        assert!(include_str!("replay.rs").contains(&tested), "no test replays {name}");
    }
    let inputs: usize = dirs.iter().map(|dir| files(dir).len()).sum();
    assert!(inputs <= INPUTS_MAX, "{inputs} inputs are more than a test should take");
}

/// Most inputs are refused early, and a new format would have all of them refused.
#[test]
fn the_corpora_of_the_decoders_have_every_kind_of_message() {
    for (said_by, kinds_of, rows) in
        [("asked", kinds as KindsOf, KINDS), ("answered", answers, ANSWERS)]
    {
        for (name, expected) in rows {
            let inputs = files(&corpus().join(name));
            let said: BTreeSet<_> = inputs
                .iter()
                .flat_map(|input| kinds_of(name, &fs::read(input).expect("it can be read")))
                .collect();
            let missing: Vec<_> = expected.iter().filter(|kind| !said.contains(*kind)).collect();
            assert!(missing.is_empty(), "{name}, {said_by}: no {missing:?}, only {said:?}");
        }
    }
}

/// What every reader refuses is no text to begin with.
#[test]
fn the_corpus_of_texts_has_some_that_each_reader_takes() {
    let inputs = files(&corpus().join("text"));
    let taken: BTreeSet<_> = inputs
        .iter()
        .flat_map(|input| readers(&fs::read(input).expect("it can be read")))
        .collect();
    assert_eq!(taken.len(), READERS, "only {taken:?}");
}

/// Of keys, names, labels, networks, profiles, spans, settings, scenarios, plans in two forms,
/// keyring files, command lines and commands.
const READERS: usize = 13;

type KindsOf = fn(&str, &[u8]) -> Kinds;

type Rows = &'static [(&'static str, &'static [&'static str])];

/// The messages of packets, and those with which one asks on a stream.
const KINDS: Rows = &[
    (
        "native_packet",
        &[
            "ping",
            "ack",
            "indirect_ping",
            "relayed_ack",
            "nack",
            "alive",
            "suspect",
            "dead",
            "left",
            "broadcast",
            "broadcast_summary",
            "direct",
        ],
    ),
    (
        "native_stream",
        &["ping", "exchange_head", "entry", "state_piece", "delivery_head", "delivery_piece"],
    ),
    (
        "memberlist_packet",
        &["ping", "ack", "indirect_ping", "nack", "alive", "suspect", "dead", "user"],
    ),
    ("memberlist_stream", &["ping", "push_pull", "node", "user"]),
    (
        "node",
        &["exchange_head", "entry", "delivery_head", "delivery_piece", "push_pull", "node", "user"],
    ),
];

/// Those with which one answers.
const ANSWERS: Rows = &[
    (
        "native_stream",
        &["ack", "exchange_head", "entry", "state_piece", "delivered", "refused", "readdress"],
    ),
    ("memberlist_stream", &["ack", "push_pull", "node", "error"]),
    (
        "node",
        &[
            "ack",
            "exchange_head",
            "entry",
            "state_piece",
            "delivered",
            "refused",
            "readdress",
            "push_pull",
            "node",
        ],
    ),
];

#[test]
fn x13_native_packets() {
    replay("native_packet");
}

#[test]
fn x13_memberlist_packets() {
    replay("memberlist_packet");
}

#[test]
fn x13_native_streams() {
    replay("native_stream");
}

#[test]
fn x13_memberlist_streams() {
    replay("memberlist_stream");
}

#[test]
fn x13_scripts_of_one_node() {
    replay("node");
}

#[test]
fn x13_scripts_of_a_cluster() {
    replay("cluster");
}

#[test]
fn x20_texts() {
    replay("text");
}

#[test]
fn w2_one_encoding_per_value() {
    replay("one_encoding");
}

#[test]
fn x20_captures() {
    replay("capture");
}
