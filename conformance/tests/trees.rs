//! A runtime's crate brings its own runtime and no other.

use std::{env, process::Command};

#[test]
fn no_runtime_comes_with_another() {
    for (package, own, others) in [
        ("swim-smol", "async-io", &["tokio", "mio"][..]),
        ("swim-tokio", "tokio", &["smol", "async-io", "async-executor", "polling"]),
        ("swim-driver", "socket2", &["tokio", "mio", "smol", "async-io", "async-executor"]),
    ] {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "--package", package, "--edges", "normal,build", "--all-features"])
            .args(["--prefix", "none", "--format", "{p}", "--locked"])
            .output()
            .expect("cargo can be run");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let tree = String::from_utf8(output.stdout).expect("names are text");
        let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(names.contains(&own), "{package} has no {own}: {names:?}");
        for other in others {
            assert!(!names.contains(other), "{package} brings {other}");
        }
    }
}
