//! An application of one's own in a world: `cargo run -p swim-sim --example counter`.
//!
//! A counter that every node may raise, and that all of them agree on in the end, also when the
//! network was torn apart meanwhile. Each life of each node has a sum of its own, which only grows;
//! the counter is the sum of the sums. What is raised is broadcast, and whoever missed it learns of
//! it with the next exchange of tables, which carries all sums.
//!
//! The machine owns a [`Node`] and has its verbs. It drains the node inside `handle`, lets packets,
//! streams and timers pass, and turns what concerns the counter into events of its own.

use std::{
    collections::{BTreeMap, VecDeque},
    error::Error,
    time::Duration,
};

use bytes::Bytes;
use swim_core::{Config, Event, EventKind, Input, Instant, Node, Output};
use swim_sim::{Action, Machine, World};

/// A counter that is raised on many nodes.
#[derive(Debug)]
struct Counter {
    node: Node,
    /// By how much each life of each node raised it.
    sums: BTreeMap<(String, u64), u64>,
    outputs: VecDeque<Output<CounterEvent>>,
}

/// What the counter tells its surroundings.
#[derive(Clone, Debug)]
enum CounterEvent {
    /// It is so high now.
    Raised(u64),
    /// Something about members.
    Node(Event),
}

impl Counter {
    /// Raises the counter.
    fn raise(&mut self, now: Instant, by: u64) -> Result<(), Box<dyn Error>> {
        let key = (self.node.name().to_string(), self.node.stamp().life.0);
        let sum = self.sums.entry(key.clone()).or_default();
        *sum += by;
        let line = write(&key, *sum);
        self.node.set_local_state(self.state())?;
        self.node.broadcast(now, line.into())?;
        self.outputs.push_back(Output::Event(CounterEvent::Raised(self.value())));
        Ok(())
    }

    fn value(&self) -> u64 {
        self.sums.values().sum()
    }

    fn state(&self) -> Bytes {
        self.sums.iter().map(|(key, sum)| write(key, *sum)).collect::<String>().into()
    }

    /// Takes in what another one knows. The larger of two sums is the later one.
    fn merge(&mut self, lines: &[u8]) {
        let before = self.value();
        for (key, sum) in String::from_utf8_lossy(lines).lines().filter_map(read) {
            let known = self.sums.entry(key).or_default();
            *known = sum.max(*known);
        }
        if self.value() > before {
            // A state that is too long for an exchange stays as it was: broadcasts go on.
            let _ = self.node.set_local_state(self.state());
            self.outputs.push_back(Output::Event(CounterEvent::Raised(self.value())));
        }
    }

    /// Takes out all that the node wants done.
    fn drain(&mut self) {
        while let Some(output) = self.node.poll_output() {
            let output = match output {
                Output::Event(event) => {
                    self.on_event(event);
                    continue;
                }
                Output::SendPacket { to, data } => Output::SendPacket { to, data },
                Output::Dial { id, to } => Output::Dial { id, to },
                Output::Write { id, data } => Output::Write { id, data },
                Output::Close { id } => Output::Close { id },
                Output::Abort { id } => Output::Abort { id },
                Output::ScheduleTimer { at, why } => Output::ScheduleTimer { at, why },
            };
            self.outputs.push_back(output);
        }
    }

    fn on_event(&mut self, event: Event) {
        match &event.kind {
            EventKind::Broadcast { payload, .. } => self.merge(payload),
            EventKind::RemoteState { state, .. } => self.merge(state),
            _ => {}
        }
        // The checkers of a world want to see all events of the node.
        self.outputs.push_back(Output::Event(CounterEvent::Node(event)));
    }
}

impl Machine for Counter {
    type Event = CounterEvent;

    fn start(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let node = Node::new(config, seed, now);
        Self { node, sums: BTreeMap::new(), outputs: VecDeque::new() }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.node.handle(now, input);
        self.drain();
    }

    fn poll_output(&mut self) -> Option<Output<CounterEvent>> {
        // Commands go to the node without `handle`: what they lead to is taken out here.
        self.drain();
        self.outputs.pop_front()
    }

    fn node(&self) -> &Node {
        &self.node
    }

    fn node_mut(&mut self) -> &mut Node {
        &mut self.node
    }

    fn node_event(event: &CounterEvent) -> Option<&Event> {
        match event {
            CounterEvent::Node(event) => Some(event),
            CounterEvent::Raised(_) => None,
        }
    }
}

fn write((name, life): &(String, u64), sum: u64) -> String {
    format!("{name} {life} {sum}\n")
}

fn read(line: &str) -> Option<((String, u64), u64)> {
    let mut words = line.split(' ');
    let (name, life, sum) = (words.next()?, words.next()?, words.next()?);
    Some(((name.to_owned(), life.parse().ok()?), sum.parse().ok()?))
}

/// What somebody is shown: the counter on each host.
fn values(world: &World<Counter>) -> Vec<u64> {
    world.running().map(|host| world.machine(host).value()).collect()
}

/// Ten nodes, torn into two halves for a while, with a restart in between; all are counted on.
/// Returns the values in the partition, and at the end.
fn run(seed: u64) -> Result<(Vec<u64>, Vec<u64>), Box<dyn Error>> {
    let mut world: World<Counter> = World::acquainted(10, seed, |_, _| {});
    swim_sim::check::all(10).into_iter().for_each(|checker| world.watch(checker));
    world.network.link.loss = 0.05;
    let raise = |world: &mut World<Counter>, host| world.call(host, |it, now| it.raise(now, 1));
    raise(&mut world, 0)?;
    let told = |it: &CounterEvent| matches!(it, CounterEvent::Raised(1));
    assert!(world.last_events().iter().any(told), "the application hears of it");
    world.run(Duration::from_secs(5));

    let groups = vec![(0..5).collect(), (5..10).collect()];
    world.act(&Action::Partition { groups }, &|_, _| {});
    for host in 0..10 {
        raise(&mut world, host)?;
    }
    world.run(Duration::from_secs(60));
    let apart = values(&world);

    // Host 3 forgets all that it knew, and learns it again from the others.
    world.crash(3);
    world.start(3, |_| {});
    world.join(3, &[0]);
    world.act(&Action::Mend, &|_, _| {});
    let is_one = |world: &World<Counter>| values(world).iter().all(|&it| it == 11);
    if world.run_until(Duration::from_secs(300), is_one).is_none() {
        println!("not all came to know: {:?}", values(&world));
    }
    match world.violation() {
        Some(violation) => Err(violation.to_string().into()),
        None => Ok((apart, values(&world))),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (apart, after) = run(1)?;
    println!("torn apart: {apart:?}");
    println!("together:   {after:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_and_nothing_is_counted_twice() {
        for seed in 0..10 {
            let (apart, after) = run(seed).expect("no invariant is violated");
            // One from before, and the five of the own half.
            assert_eq!(apart, [6; 10], "seed {seed}");
            assert_eq!(after, [11; 10], "seed {seed}");
        }
    }
}
