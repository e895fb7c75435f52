//! How fast an idle cluster goes by: `cargo run --release --example idle -- 1000 60`.

use std::time::Duration;
use swim_core::Node;
use swim_sim::World;

#[expect(clippy::disallowed_methods, reason = "this measures real time")]
fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|arg| arg.parse().expect("number")).collect();
    let start = std::time::Instant::now();
    let mut world: World<Node> = World::acquainted(args[0] as usize, 1, |_, _| {});
    let set_up = start.elapsed();
    world.run(Duration::from_secs(5));
    let before = world.tally.clone();
    let start = std::time::Instant::now();
    world.run(Duration::from_secs(args[1]));
    let took = start.elapsed();
    let steps = world.tally.steps - before.steps;
    println!(
        "{} nodes: set up {set_up:?}, {} s in {took:?}; {steps} steps, {:?} each; {} packets, {} stream bytes, agree {}",
        args[0],
        args[1],
        took / steps as u32,
        world.tally.packets_sent - before.packets_sent,
        world.tally.stream_bytes_sent - before.stream_bytes_sent,
        world.agree()
    );
}
