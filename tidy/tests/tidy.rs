//! The checks of `tidy`, applied to this repository.

use std::{path::Path, process::Command};

use serde_json::Value;
use tidy::{
    licences, marks, quotes, rooms,
    source::{self, Source},
    text,
};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn files_keep_the_rules() {
    let files = repository();
    assert_tidy(&files.iter().flat_map(text::complaints).collect::<Vec<_>>());
}

#[test]
fn architecture_lists_every_source_file_once() {
    let files = repository();
    assert_tidy(&rooms::listing_complaints(&architecture(&files), &files));
}

#[test]
fn every_promise_is_named_by_a_test() {
    let files = repository();
    let architecture = &file(&files, "ARCHITECTURE.md").text;
    assert!(
        architecture.contains("### Marks in the comments\n"),
        "the table of marks can no longer be read"
    );
    assert_tidy(&marks::complaints(architecture, &files));
}

#[test]
fn what_documents_quote_is_there() {
    assert_tidy(&quotes::complaints(&repository()));
}

#[test]
fn every_threat_has_its_defence_limit_counter_and_test() {
    let files = repository();
    let threats = &file(&files, quotes::THREATS).text;
    assert_tidy(&quotes::threat_complaints(threats, marks::threats()));
}

#[test]
fn files_use_only_what_stands_above_them() {
    let files = repository();
    assert_tidy(&rooms::order_complaints(&architecture(&files), &files));
}

#[test]
fn every_member_holds_to_the_workspace_lints() {
    let mut found = Vec::new();
    for file in repository().iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let is_member = !file.text.contains("[workspace]");
        if is_member && !file.text.contains("[lints]\nworkspace = true") {
            found.push(format!("{}: lacks `[lints]` with `workspace = true`", file.path));
        }
    }
    assert_tidy(&found);
}

#[test]
fn d3_the_core_has_no_outside_world() {
    let files = repository();
    let core = &file(&files, "swim-core/src/lib.rs").text;
    for line in ["#![no_std]", "#![forbid(unsafe_code)]"] {
        assert!(core.lines().any(|it| it == line), "swim-core lacks {line}");
    }
    // What has no `std` could still be handed a clock by a dependency of its own.
    let clippy = &file(&files, "clippy.toml").text;
    for ban in ["std::time::Instant::now", "std::time::SystemTime::now", "std::env::var"] {
        assert!(clippy.contains(&format!("{{ path = \"{ban}\"")), "clippy.toml lets {ban} pass");
    }
}

/// C2: whoever reads what the checks find, reads of each fault that they are tried with.
#[test]
fn every_fault_on_purpose_stands_in_the_table_of_them() {
    let files = repository();
    let code = &file(&files, "swim-core/src/sabotage.rs").text;
    let (_, list) = code.split_once("\nfaults! {\n").expect("the faults are listed");
    // Each is `/// S1: what it does.`, perhaps in several lines, and then its name.
    let (mut faults, mut about) = (Vec::new(), String::new());
    for line in list.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("/// ") {
            about = if about.is_empty() { words.into() } else { format!("{about} {words}") };
        } else if let Some(name) = line.strip_suffix(',') {
            let (mark, words) = about.split_once(": ").expect("a mark and what it does");
            faults.push(format!("| {mark} | `{name}`: {} |", words.trim_end_matches('.')));
            about.clear();
        }
    }
    assert!(faults.len() > 50, "the faults can no longer be read");
    let page = &file(&files, "swim-sim/README.md").text;
    let (_, table) = page.split_once("| Breaks | Fault |").expect("they have a table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let rows: Vec<String> =
        rows.map(|row| row.splitn(4, '|').take(3).collect::<Vec<_>>().join("|") + "|").collect();
    assert_eq!(rows, faults, "swim-sim/README.md lists other faults than the core has");
}

#[test]
fn x21_third_party_packages_are_what_we_take() {
    let files = repository();
    let deny = &file(&files, "deny.toml").text;
    let allowed = licences::list(deny, "licenses", "allow");
    let banned = licences::list(deny, "bans", "deny");
    assert!(!allowed.is_empty() && !banned.is_empty(), "deny.toml can no longer be read");

    let mut found = Vec::new();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    for package in packages.iter().filter(|package| !package["source"].is_null()) {
        let name = package["name"].as_str().expect("a package has a name");
        let licence = package["license"].as_str().unwrap_or("none");
        if licences::is_satisfied(licence, &allowed) != Some(true) {
            found.push(format!("{name}: licence {licence} is not among those taken"));
        }
        if package["source"] != CRATES_IO {
            found.push(format!("{name}: comes from {}, not from crates.io", package["source"]));
        }
        if banned.contains(&name) {
            found.push(format!("{name}: banned, deny.toml says why"));
        }
    }
    assert_tidy(&found);
}

fn repository() -> Vec<Source> {
    let files = source::walk(root()).expect("the repository can be read");
    file(&files, "tidy/tests/tidy.rs");
    files
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tidy is a member of the workspace")
}

fn file<'a>(files: &'a [Source], path: &str) -> &'a Source {
    let found = files.iter().find(|file| file.path == path);
    found.unwrap_or_else(|| panic!("there is no {path}"))
}

fn architecture(files: &[Source]) -> Vec<rooms::Entry> {
    rooms::entries(&file(files, "ARCHITECTURE.md").text, &source::crates(files))
}

/// What cargo knows of all packages: for every platform if they were fetched, else for this one.
fn metadata() -> Value {
    let everywhere = run_metadata(&[]);
    let output = everywhere.or_else(|_| run_metadata(&["--filter-platform", &host()]));
    serde_json::from_slice(&output.expect("cargo metadata runs")).expect("cargo metadata is JSON")
}

fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8(output.stdout).expect("rustc speaks UTF-8");
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

fn run_metadata(more: &[&str]) -> Result<Vec<u8>, String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--offline"]).args(more).current_dir(root());
    let output = cargo.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[track_caller]
fn assert_tidy(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}
