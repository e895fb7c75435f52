//! Scratch.
use swim_sim::reference::memberlist::{Anomaly, Configuration, MILLISECOND, Rules, interval};
fn main() {
    let seeds: u64 = std::env::args().nth(1).map_or(1, |w| w.parse().expect("n"));
    let which = std::env::args().nth(2).map_or(0, |w| w.parse().expect("n"));
    let rules = Rules::new(Configuration::ALL[which], 128);
    let (mut fp, mut fpm, mut msgs, mut bytes, mut stream) = (0, 0, 0, 0, 0);
    for c in [1, 4, 8, 12, 16, 20, 24, 28, 32] {
        let mut of_c = 0;
        for d in [128, 512, 2048, 8192, 16384, 32768] {
            for i in [1, 4, 16, 64, 256, 1024, 4096, 16384] {
                for seed in 1..=seeds {
                    let a =
                        Anomaly { subjects: c, blocked: d * MILLISECOND, free: i * MILLISECOND };
                    let r = interval(&rules, a, seed);
                    of_c += r.tally.false_positives;
                    fpm += r.tally.healthy_false_positives;
                    msgs += r.tally.datagrams;
                    bytes += r.tally.bytes;
                    stream += r.tally.stream_bytes;
                }
            }
        }
        println!("C={c}: {of_c}");
        fp += of_c;
    }
    let f = 10.0 / seeds as f64;
    println!(
        "{}: FP {} FP- {} msgs {:.2} M, GiB {:.2} + {:.2}",
        Configuration::ALL[which].name(),
        fp as f64 * f,
        fpm as f64 * f,
        msgs as f64 * f / 1e6,
        bytes as f64 * f / 2f64.powi(30),
        stream as f64 * f / 2f64.powi(30)
    );
}
