//! How fast large idle clusters go by, in real time: `cargo run --release -p swim-sim --example
//! scale -- 1000 60` lets 60 virtual seconds of 1,000 nodes go by.

use std::{env, error::Error, time::Duration};

use swim_core::Node;
use swim_sim::World;

#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = env::args().skip(1);
    let mut number = || numbers.next().ok_or("say how many nodes and how many seconds");
    let (nodes, seconds): (usize, u64) = (number()?.parse()?, number()?.parse()?);

    let start = std::time::Instant::now();
    let mut world: World<Node> = World::acquainted(nodes, 1, |_, _| {});
    println!("{nodes} nodes, set up in {:.2?}", start.elapsed());

    // What is left to say of the start is said.
    world.run(Duration::from_secs(5));
    let before = world.tally.clone();
    let start = std::time::Instant::now();
    world.run(Duration::from_secs(seconds));
    let took = start.elapsed();

    let steps = world.tally.steps - before.steps;
    println!("{seconds} s in {took:.2?}: {steps} steps, {:?} each", took / steps.max(1) as u32);
    println!("{} packets", world.tally.packets_sent - before.packets_sent);
    println!("{} bytes on streams", world.tally.stream_bytes_sent - before.stream_bytes_sent);
    println!("all agree: {}", world.agree());
    Ok(())
}
