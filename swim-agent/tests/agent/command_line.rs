//! Whatever is wrong at the start is said in one message on stderr, with the right exit status.

use std::{
    net::TcpListener,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use crate::{
    harness::{KEY, LONG, file, machine, swim},
    tape::now,
};

#[test]
fn wrong_command_lines_exit_with_2_and_a_hint() {
    let _machine = machine();
    let long = "x".repeat(513);
    let cases: [(&[&str], &str); 25] = [
        (&[], "say what to do: agent, decode, keygen or help"),
        (&["agnt"], "did you mean agent?"),
        (&["agent", "--bnd", "127.0.0.1"], "did you mean --bind?"),
        (&["agent", "stray"], "a word too many"),
        (&["agent", "--bind"], "--bind needs a value"),
        (&["agent", "--profile", "fast"], "expected one of lan, wan, local"),
        (&["agent", "--output", "xml"], "expected one of text, json"),
        (&["agent", "--log-level", "loud"], "expected one of off, error, warn, info"),
        (&["agent", "--control", "socket"], "expected one of stdin"),
        (&["agent", "--node", ""], "must not be empty"),
        (&["agent", "--node", "a\nb"], "control or text-direction characters"),
        (&["agent", "--join", "host:port"], "is no port number"),
        (&["agent", "--join", ""], "expected HOST"),
        (&["agent", "--encrypt", KEY, "--keyring", "f"], "can't be given both"),
        (&["agent", "--encrypt", "c2hvcnQ="], "--encrypt: "),
        (&["agent", "--encrypt", "zzz"], "`swim keygen` makes a key"),
        (&["agent", "--bind", ""], "--bind needs an address"),
        (&["agent", "--bind", "127.0.0.1:99999"], "--bind \"127.0.0.1:99999\": the port is"),
        (&["agent", "--bind", "::1:x", "--label", &long], "--bind \"::1:x\": "),
        (
            &["agent", "--bind", "127.0.0.1:0", "--advertise", "a:x"],
            "--advertise \"a:x\": the port",
        ),
        (
            &["agent", "--bind", "127.0.0.1:0", "--advertise", "0.0.0.0"],
            "--advertise \"0.0.0.0\": 0.0.0.0:",
        ),
        (&["agent", "--bind", "127.0.0.1:0", "--meta", &long], "--meta: "),
        (&["agent", "--bind", "127.0.0.1:0", "--label", &long], "--label: "),
        (&["agent", "--bind", "127.0.0.1:0", "--label", &long, "--meta", &long], "512; --label: "),
        (&["keygen", "--bits", "100"], "expected one of 128, 192, 256"),
    ];
    for (args, expected) in cases {
        let output = ends(swim(args));
        fails(&output, 2, expected);
    }
}

#[test]
fn without_a_key_only_loopback_is_listened_on() {
    let _machine = machine();
    for bind in ["0.0.0.0:0", "[::]:0", "192.0.2.1"] {
        let output = ends(swim(&["agent", "--bind", bind]));
        fails(&output, 2, "--insecure-plaintext");
    }
}

#[test]
fn what_the_world_refuses_exits_with_1() {
    let _machine = machine();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases: [(&[&str], &str); 6] = [
        (&["--bind", &taken], &taken),
        (&["--bind", "192.0.2.1:0", "--insecure-plaintext"], "192.0.2.1"),
        (&["--join", "no-such-host.invalid"], "no-such-host.invalid"),
        (&["--join", "a.invalid", "--join", "b.invalid:1"], "no seed can be resolved"),
        (&["--bind", "no-such0"], "--bind \"no-such0\": it is no IP address, and no interface"),
        (
            &["--advertise", "no-such-host.invalid"],
            "--advertise \"no-such-host.invalid\": the name could not be resolved: ",
        ),
    ];
    for (args, expected) in cases {
        let mut command = swim(&["agent", "--node", "a"]);
        if !args.contains(&"--bind") {
            command.args(["--bind", "127.0.0.1:0"]);
        }
        command.args(args);
        fails(&ends(command), 1, expected);
    }
}

#[test]
fn bad_keys_are_refused_and_not_quoted() {
    let _machine = machine();
    let missing = env!("CARGO_TARGET_TMPDIR").to_owned() + "/no-such-file";
    let open = file("open.json", &format!("[\"{KEY}\"]"), 0o644);
    let empty = file("empty.json", "[]", 0o600);
    let broken = file("broken.json", "[\"c2VjcmV0\"]", 0o600);
    let object = file("object.json", "{\"keys\": [\"c2VjcmV0\"]}", 0o600);
    let cases = [
        (missing.as_str(), "No such file or directory"),
        (missing.as_str(), "`swim help keygen` shows how to make one"),
        (env!("CARGO_TARGET_TMPDIR"), "is a directory; name the file"),
        (open.to_str().unwrap(), "open to every user (mode 644): run `chmod 600`"),
        (empty.to_str().unwrap(), "has no keys"),
        (broken.to_str().unwrap(), "key 1: "),
        (object.to_str().unwrap(), "is no JSON array of strings"),
    ];
    for (path, expected) in cases {
        let output = ends(swim(&["agent", "--bind", "127.0.0.1:0", "--keyring", path]));
        fails(&output, 1, expected);
        fails(&output, 1, &format!("--keyring {path}: "));
        assert!(!stderr(&output).contains("c2VjcmV0"), "{}", stderr(&output));
    }
    for (key, expected) in [("c2VjcmV0", "SWIM_ENCRYPT: "), ("", "SWIM_ENCRYPT: is empty")] {
        let mut command = swim(&["agent", "--bind", "127.0.0.1:0"]);
        command.env("SWIM_ENCRYPT", key);
        let output = ends(command);
        fails(&output, 1, expected);
        assert!(!stderr(&output).contains("c2VjcmV0"), "{}", stderr(&output));
    }
}

/// X17: a keyring file is for its owner. What others may do with it, even if it is not to read it,
/// is refused; that its group may read it is told.
#[test]
fn x17_a_keyring_file_that_is_open_to_all_is_refused() {
    let _machine = machine();
    let keys = format!("[\"{KEY}\"]");
    for mode in [0o601, 0o602, 0o604, 0o644, 0o666, 0o777] {
        let path = file("open_to_all.json", &keys, mode);
        let path = path.to_str().unwrap();
        let output = ends(swim(&["agent", "--bind", "127.0.0.1:0", "--keyring", path]));
        fails(&output, 1, &format!("is open to every user (mode {mode:03o})"));
    }
    for (mode, warnings) in [(0o400, 0), (0o600, 0), (0o640, 1), (0o660, 1)] {
        let path = file("closed_to_others.json", &keys, mode);
        let args = ["--keyring", path.to_str().unwrap()];
        let agent = crate::harness::Agent::start("a", &args);
        agent.wait_log("encrypted=true", LONG);
        let told = agent.logged("the keyring file is open to its group");
        assert_eq!(told, warnings, "mode {mode:03o}");
    }
}

#[test]
fn keygen_prints_keys_that_agents_take() {
    let _machine = machine();
    for (bits, len) in [("128", 24), ("192", 32), ("256", 44)] {
        let output = ends(swim(&["keygen", "--bits", bits]));
        let key = stdout(&output);
        assert!(output.status.success() && key.ends_with('\n'), "{output:?}");
        assert_eq!(key.trim_end().len(), len);
        assert_ne!(key, stdout(&ends(swim(&["keygen", "--bits", bits]))));
        let agent = crate::harness::Agent::start("a", &["--encrypt", key.trim_end()]);
        agent.wait_log("encrypted=true", LONG);
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let _machine = machine();
    let version = ends(swim(&["--version"]));
    assert_eq!(stdout(&version), concat!("swim ", env!("CARGO_PKG_VERSION"), "\n"));
    for args in [&["--help"][..], &["help", "agent"], &["agent", "--help"], &["agent", "-h"]] {
        let output = ends(swim(args));
        assert!(output.status.success() && stderr(&output).is_empty(), "{output:?}");
        assert!(stdout(&output).contains("Examples:"), "{args:?}");
    }
}

fn fails(output: &Output, status: i32, expected: &str) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(status), "{message}");
    assert_eq!(message.matches("swim: ").count(), 1, "one message: {message}");
    assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    assert!(!message.contains("panicked"), "{message}");
    assert!(output.stdout.is_empty(), "{}", stdout(output));
}

/// Runs a command that should end by itself.
fn ends(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = now() + LONG;
    while child.try_wait().unwrap().is_none() {
        if now() > deadline {
            let _ = child.kill();
            panic!("{command:?} runs on: {:?}", child.wait_with_output());
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
