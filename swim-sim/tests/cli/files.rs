//! Files that can't be written are found before anything runs, and no half file is left.

use std::{fs, path::Path};

use crate::{exits_with, file, stderr, stdout, swim_sim, written};

const CRASH: &str = "swim-sim/scenarios/crash.toml";

/// Every command that writes files. Each would run for hours, if it ran.
const LONG: [&[&str]; 4] = [
    &["run", "swim-sim/scenarios/lossy.toml", "--seeds", "0..1000000"],
    &["explore", "--seeds", "0..1000000"],
    &["experiment", "l3", "--full"],
    &["tune", "--nodes", "5000", "--seeds", "0..100000"],
];

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// What is left over in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is there");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("a file").file_name();
    entries.map(|entry| name(entry).into_string().expect("UTF-8")).collect()
}

#[test]
fn what_has_no_place_is_refused_before_anything_runs() {
    let plain = written("plain.txt", "not a folder");
    let folder = file("folder");
    fs::create_dir_all(&folder).expect("the target folder can be written to");
    let below = format!("{plain}/page.html");
    let missing = text(&file("no-such-folder/page.html")).to_owned();
    let cases = [
        (missing.as_str(), "there is no folder"),
        (below.as_str(), "there is no folder"),
        (text(&folder), "it is a folder: name a file in it"),
        ("/proc/page.html", "choose another place"),
    ];
    for command in LONG.into_iter().chain([&["replay", "--seed", "1"][..]]) {
        for flag in ["--report", "--trace"] {
            if command[0] == "run" && flag == "--trace" {
                continue; // It is of one run.
            }
            for (path, expected) in &cases {
                let output = swim_sim(&[command, &[flag, path]].concat());
                exits_with(&output, 2);
                let message = stderr(&output);
                assert!(message.contains(expected), "{command:?} {flag} {path}: {message}");
                assert!(message.contains(path) && message.contains(flag), "{message}");
                assert!(stdout(&output).is_empty());
            }
        }
    }
    for (args, flag) in
        [(&["run", CRASH][..], "--trace"), (&["replay", "--seed", "1", "--shrink"], "--save")]
    {
        let output = swim_sim(&[args, &[flag, &missing]].concat());
        exits_with(&output, 2);
        assert!(stderr(&output).contains("there is no folder"), "{}", stderr(&output));
    }
    assert!(names(&folder).is_empty(), "{:?}", names(&folder));
}

#[test]
fn nothing_is_written_over_what_is_read_or_over_each_other() {
    let scenario = written("kept.toml", "nodes = 2\nlength = \"1s\"\n");
    let page = file("both.html");
    let page = text(&page);
    for (args, expected) in [
        (&["run", &scenario, "--report", &scenario][..], "which is read"),
        (&["run", &scenario, "--trace", &scenario], "which is read"),
        (&["run", &scenario, "--report", page, "--trace", page], "can't both write"),
    ] {
        let output = swim_sim(args);
        exits_with(&output, 2);
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    assert!(fs::read_to_string(&scenario).expect("it is still there").starts_with("nodes"));
}

#[test]
fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
    let folder = file("whole");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target folder can be written to");
    let [page, trace] = ["page.html", "run.trace"].map(|name| folder.join(name));
    fs::write(&page, "an older one").expect("the target folder can be written to");
    let arguments = ["run", CRASH, "--report", text(&page), "--trace", text(&trace)];
    exits_with(&swim_sim(&arguments), 0);
    let mut left = names(&folder);
    left.sort();
    assert_eq!(left, ["page.html", "run.trace"]);
    let page = fs::read_to_string(page).expect("it was written");
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"), "{page}");
    assert!(page.trim_end().ends_with("</html>"));
    let trace = fs::read_to_string(trace).expect("it was written");
    assert!(trace.ends_with('\n') && trace.lines().count() > 1_000);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_and_devices_are_written_to() {
    for args in [&["run", CRASH][..], &["replay", "--seed", "17"]] {
        let output = swim_sim(&[args, &["--trace", "/dev/full"]].concat());
        exits_with(&output, 1);
        assert!(stderr(&output).contains("cannot write /dev/full"), "{}", stderr(&output));
        exits_with(&swim_sim(&[args, &["--trace", "/dev/null"]].concat()), 0);
    }
    assert!(Path::new("/dev/null").metadata().is_ok_and(|it| !it.is_file()));
}
