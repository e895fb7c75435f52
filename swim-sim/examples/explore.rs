//! Explores a range of seeds: `explore 0..1000`; runs one again: `explore 17`; makes a failing one
//! smaller: `explore shrink 17`.

use swim_sim::explore::{self, Campaign, Limits, Mask, Plan};

fn main() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["shrink", seed] => shrink(number(seed)?),
        [seeds] => match seeds.split_once("..") {
            Some((from, to)) => explore(number(from)?..number(to)?),
            None => replay(number(seeds)?),
        },
        _ => return Err("say which seeds: 0..256, 17, or shrink 17".into()),
    }
    Ok(())
}

fn explore(seeds: std::ops::Range<u64>) {
    let campaign = Campaign::new(seeds);
    let outcome = campaign.run(&|progress| {
        if let Some(failure) = &progress.verdict.failure {
            eprintln!("seed {}: {failure}", progress.verdict.seed);
        }
        if progress.done.is_multiple_of(100) {
            eprintln!("{} of {}", progress.done, progress.all);
        }
    });
    for (name, count) in outcome.counters.iter() {
        println!("{count:>12} {name}");
    }
    let failures: Vec<u64> = outcome.failures().map(|verdict| verdict.seed).collect();
    println!("{} runs, {} failed: {failures:?}", outcome.verdicts.len(), failures.len());
    println!("never seen: {:?}", outcome.missing);
    let [half, most, all] = [500, 990, 1_000].map(|permille| outcome.convergence(permille));
    println!("all agree within {half:?} (p50), {most:?} (p99), {all:?} (all)");
    let time: std::time::Duration = outcome.verdicts.iter().map(|v| v.virtual_time).sum();
    println!("{} virtual hours", time.as_secs() / 3_600);
}

fn replay(seed: u64) {
    let limits = Limits::default();
    println!("{}", Plan::draw(seed, Mask::default(), &limits).to_json());
    let verdict = explore::replay(seed, Mask::default(), &limits);
    println!("digest {:016x}", verdict.digest.unwrap_or_default());
    println!("converged in {:?}", verdict.converged_in);
    match verdict.failure {
        Some(failure) => println!("{failure}"),
        None => println!("all held"),
    }
}

fn shrink(seed: u64) {
    let plan = Plan::draw(seed, Mask::default(), &Limits::default());
    match explore::shrink(&plan, 2_000, |plan| explore::run(plan, None).failure) {
        None => println!("seed {seed} does not fail"),
        Some(shrunk) => {
            println!("{}", shrunk.plan.to_json());
            println!("{} actions after {} runs", shrunk.plan.actions.len(), shrunk.runs);
            println!("{}", shrunk.failure);
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("'{text}' is no seed"))
}
