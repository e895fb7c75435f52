//! Who asks with what the other can't read is told so, by either kind.

use swim_interop::peer::Kind;

use crate::harness::{KEYS, PLAIN, empty};

/// Somebody with a key asks somebody without one, and would take a plain answer.
fn refused(by: Kind, asks: Kind, why: &str) {
    let mut cluster = empty(PLAIN, &[]);
    cluster.start(by, "plain", &[]);
    let key = format!("--key={}", KEYS[0]);
    let joining = cluster.add(asks, "sealed", &[&key, "--verify-incoming=false"]);
    joining.wait(why, |line| {
        let text = line["text"].as_str().unwrap_or_default();
        line["event"] == "refused" && text.contains(why)
    });
    assert_eq!(joining.find(0, |line| line["event"] == "joined"), None);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn swim_tells_go_why() {
    refused(Kind::Swim, Kind::Go, "what was sent is encrypted, and this node has no key");
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn go_tells_swim_why() {
    refused(Kind::Go, Kind::Swim, "encryption is not configured");
}
