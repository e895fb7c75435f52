//! How fast large clusters go by, in real time, and what they take:
//! `cargo run --release -p swim-sim --example scale -- 1000 600` lets 600 virtual seconds of 1,000
//! nodes go by, with a crash after a quarter of it and a newcomer after half. With a third word,
//! `idle`, nothing happens. It fails if in the end not all agree, which takes a thousand nodes some
//! 25 s after the crash.

use std::{env, error::Error, fs, time::Duration};

use swim_core::{MemberChange, Node};
use swim_sim::World;

#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let mut number = || words.next().ok_or("say how many nodes and how many seconds");
    let (nodes, seconds): (usize, u64) = (number()?.parse()?, number()?.parse()?);
    let is_idle = words.next().is_some_and(|word| word == "idle");

    let start = std::time::Instant::now();
    let mut world: World<Node> = World::acquainted(nodes, 1, |_, _| {});
    println!("{nodes} nodes, set up in {:.2?}", start.elapsed());

    // What is left to say of the start is said.
    world.run(Duration::from_secs(5));
    let before = world.tally.clone();
    let start = std::time::Instant::now();
    for quarter in 0..4 {
        match quarter {
            1 if !is_idle => world.crash(nodes / 2),
            2 if !is_idle => {
                world.start(nodes, |_| {});
                world.join(nodes, &[0]);
            }
            _ => {}
        }
        world.run(Duration::from_secs(seconds) / 4);
    }
    let real = start.elapsed().as_secs_f64();

    let steps = world.tally.steps - before.steps;
    let stream_bytes = world.tally.stream_bytes_sent - before.stream_bytes_sent;
    let pairs = (nodes * nodes) as f64;
    let peak = peak();
    let or_unknown = |value: Option<String>| value.unwrap_or_else(|| "not known here".into());
    for (what, value) in [
        ("virtual seconds", seconds.to_string()),
        ("real seconds", format!("{real:.2}")),
        ("virtual seconds per real second", format!("{:.1}", seconds as f64 / real)),
        ("events", steps.to_string()),
        ("events per real second", format!("{:.0}", steps as f64 / real)),
        ("packets", (world.tally.packets_sent - before.packets_sent).to_string()),
        ("bytes on streams", stream_bytes.to_string()),
        ("failures reported", world.tally.changes(MemberChange::Failed).to_string()),
        ("most memory, bytes", or_unknown(peak.map(|peak| peak.to_string()))),
        (
            "bytes per node and known member",
            or_unknown(peak.map(|peak| format!("{:.1}", peak as f64 / pairs))),
        ),
    ] {
        println!("{what:<32}{value:>16}");
    }
    if world.agree() { Ok(()) } else { Err("in the end the nodes do not agree".into()) }
}

/// The most memory that this process ever had, in bytes, where the system tells (Linux).
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}
