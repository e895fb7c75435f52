//! How long things take. `cargo bench --bench time`, with a part of a name to run only some.
//!
//! Packets and streams that a node gets are made by other nodes, outside of what is timed; what is
//! timed includes taking everything that the node wants to send or say.

use std::cell::RefCell;

use divan::Bencher;
use swim_core::limits::PACKET_LEN_MAX;

mod bed;

use bed::{
    Work,
    packets::Packets,
    refusals::Refused,
    seals::{Bare, Receives, Sends},
    tables::{Built, Merged, Told},
    ticks::{GossipTicks, IdleTicks, ProbeAcks, ProbeTicks},
    traffic::NEWS,
};

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
const WIDE: [usize; 3] = [10, 10_000, 100_000];

fn main() {
    divan::main();
}

/// Inputs are made ahead of what is timed, a sample's at once.
fn time<W: Work>(bencher: Bencher<'_, '_>, work: W) {
    let work = RefCell::new(work);
    let mut times = 0;
    bencher.with_inputs(|| work.borrow_mut().prepare()).bench_local_values(|input| {
        times += 1;
        work.borrow_mut().run(input);
    });
    work.borrow().check(times);
}

/// A packet comes in; what follows goes out.
#[divan::bench_group(sample_count = 200, sample_size = 256)]
mod packet {
    use super::{Bencher, NEWS, Packets, SIZES, time};

    #[divan::bench(args = SIZES)]
    fn ping(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Packets::pings(n));
    }

    #[divan::bench(args = SIZES)]
    fn ping_8_stale(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Packets::pings_stale(n));
    }

    #[divan::bench(args = [100, 1_000, 10_000])]
    fn gossip_30_stale(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Packets::gossip_stale(n, NEWS));
    }

    #[divan::bench(args = [10_000])]
    fn stale_alive(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Packets::gossip_stale(n, 1));
    }
}

/// Each packet brings something new, so each is another.
#[divan::bench_group(sample_count = 100, sample_size = 8)]
mod news {
    use super::{Bencher, NEWS, Packets, time};

    #[divan::bench(args = [100, 1_000, 10_000])]
    fn ping_30_updates(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Packets::pings_news(n));
    }

    #[divan::bench(args = [100, 1_000, 10_000])]
    fn gossip_30_updates(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Packets::gossip_updates(n, NEWS));
    }

    #[divan::bench(args = [10_000])]
    fn new_alive(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Packets::gossip_updates(n, 1));
    }

    #[divan::bench(args = [10_000])]
    fn gossip_30_newcomers(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Packets::gossip_newcomers(n));
    }
}

/// With a key. A few senders stay within the cache of ciphers, a thousand do not.
#[divan::bench_group(sample_count = 100, sample_size = 64)]
mod sealed {
    use super::{Bare, Bencher, Packets, Receives, SIZES, Sends, time};

    #[divan::bench(args = SIZES)]
    fn ping_of_9_senders(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Packets::pings_sealed(n, 9));
    }

    #[divan::bench(args = [10_000])]
    fn ping_of_1000_senders(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Packets::pings_sealed(n, 1_000));
    }

    #[divan::bench(args = [false, true])]
    fn send_1200_bytes(bencher: Bencher<'_, '_>, sealed: bool) {
        time(bencher, Sends::new(sealed));
    }

    #[divan::bench(args = [false, true])]
    fn receive_1200_bytes(bencher: Bencher<'_, '_>, sealed: bool) {
        time(bencher, Receives::new(sealed));
    }

    #[divan::bench]
    fn bare_seal_1200_bytes(bencher: Bencher<'_, '_>) {
        time(bencher, Bare::sealing());
    }

    #[divan::bench]
    fn bare_open_1200_bytes(bencher: Bencher<'_, '_>) {
        time(bencher, Bare::opening());
    }
}

/// With a key, from those who have none. No packet is looked at that is longer than the last.
#[divan::bench_group(sample_count = 100, sample_size = 64)]
mod refused {
    use super::{Bencher, PACKET_LEN_MAX, Refused, time};

    #[divan::bench]
    fn noise_1200_bytes(bencher: Bencher<'_, '_>) {
        time(bencher, Refused::noise());
    }

    #[divan::bench]
    fn other_key_1200_bytes(bencher: Bencher<'_, '_>) {
        time(bencher, Refused::other_key());
    }

    #[divan::bench(args = [64, 1_200, PACKET_LEN_MAX])]
    fn forged(bencher: Bencher<'_, '_>, len: usize) {
        time(bencher, Refused::forged(len));
    }

    #[divan::bench]
    fn replayed_1200_bytes(bencher: Bencher<'_, '_>) {
        time(bencher, Refused::replayed());
    }
}

/// Whole tables.
#[divan::bench_group(sample_count = 15, sample_size = 1)]
mod table {
    use super::{Bencher, Built, Merged, Told, time};

    #[divan::bench(args = [10_000, 100_000])]
    fn told_by_gossip(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Told::new(n));
    }

    #[divan::bench(args = [10_000])]
    fn build(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Built::new(n));
    }

    #[divan::bench(args = [10_000])]
    fn merge_known(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Merged::when_known(n));
    }

    #[divan::bench(args = [10_000, 100_000])]
    fn merge_into_empty(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, Merged::when_empty(n));
    }
}

/// A timer fires. (An ack ends the probe that a tick began.)
#[divan::bench_group(sample_count = 500, sample_size = 1)]
mod tick {
    use super::{Bencher, GossipTicks, IdleTicks, ProbeAcks, ProbeTicks, WIDE, time};

    #[divan::bench(args = WIDE, sample_size = 64)]
    fn idle(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, IdleTicks::new(n));
    }

    #[divan::bench(args = WIDE)]
    fn probe(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, ProbeTicks::new(n));
    }

    #[divan::bench(args = WIDE)]
    fn probe_ack(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, ProbeAcks::new(n));
    }

    #[divan::bench(args = WIDE)]
    fn gossip_1_claim(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, GossipTicks::new(n, 1));
    }

    #[divan::bench(args = WIDE)]
    fn gossip_30_claims(bencher: Bencher<'_, '_>, n: usize) {
        time(bencher, GossipTicks::new(n, 30));
    }
}
