//! Runs a published experiment on its reference model: `reference ID [quick|full] [THREADS]`.

use swim_sim::experiment::{
    find,
    plan::{Plan, Scale},
    table::{runs, table},
};

fn main() {
    let mut words = std::env::args().skip(1);
    let id = words.next().expect("the id of an experiment");
    let scale = if words.next().as_deref() == Some("full") { Scale::Full } else { Scale::Quick };
    let threads = words.next().map_or(2, |word| word.parse().expect("a number of threads"));
    let experiment = find(&id).expect("an experiment of this id");
    let outcome = (experiment.run)(&Plan { threads, ..Plan::new(scale) });
    if words.next().is_some() {
        print!("{}", runs(&outcome));
    }
    print!("{}\n{}\n{}", experiment.title, experiment.measures, table(&outcome));
}
