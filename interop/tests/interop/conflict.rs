//! Two of one name: all others hear of it and stay with the first.

use serde_json::Value;
use swim_interop::{peer::Kind, tape::until};

use crate::harness::{Variant, finish_but_for, in_each_variant, mixed};

fn second_of_a_name(variant: Variant, impostor: Kind, name: &str) {
    let mut cluster = mixed(3, variant, &[]);
    // Not through the one whose name it has, which would not have it.
    let seed = format!("--join={}", cluster.peer("go-1").addr);
    cluster.start(impostor, name, &["--meta=the other one", &seed]);
    let mut other = cluster.peers.pop().unwrap();
    let other_addr = other.addr.to_string();
    // It speaks of itself to some at random; said again and again, all hear it.
    let mut said = 0;
    until("all hear of the conflict", || {
        said += 1;
        other.ask(&format!("meta the-other-one-{said}"));
        let hears = |line: &Value| {
            line["event"] == "conflict" && line["name"] == name && line["other"] == other_addr
        };
        let others = cluster.peers.iter().filter(|peer| peer.name != name);
        let deaf: Vec<_> = others.filter(|peer| peer.find(0, hears).is_none()).collect();
        let deaf: Vec<_> = deaf.iter().map(|peer| &peer.name).collect();
        if deaf.is_empty() { Ok(()) } else { Err(format!("{deaf:?} did not")) }
    });
    drop(other);
    // Exchanges with it are refused as soon as it is gone.
    finish_but_for(cluster, &["Conflicting address", "connection refused"]);
}

in_each_variant! {
    fn go_takes_a_name_of_ours(variant) {
        second_of_a_name(variant, Kind::Go, "swim-0");
    }

    fn swim_takes_a_name_of_gos(variant) {
        second_of_a_name(variant, Kind::Swim, "go-0");
    }
}
