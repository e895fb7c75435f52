//! The published experiments in a few seconds: some repetitions of each, held to its bands.

use swim_sim::experiment::{
    find,
    outcome::{Outcome, Row},
    plan::{Plan, Scale},
};

fn run(id: &str, seeds: u64) -> Outcome {
    let experiment = find(id).expect("it is on the list");
    (experiment.run)(&Plan { seeds: Some(1..=seeds), threads: 2, ..Plan::new(Scale::Quick) })
}

/// The rows outside their bands, but for those that are known to be.
fn outside(outcome: &Outcome, known: impl Fn(&Row) -> bool) -> Vec<&Row> {
    let rows = outcome.rows.iter();
    rows.filter(|row| row.fidelity() == Some(false) && !known(row)).collect()
}

#[test]
fn sw2_an_update_spreads_as_in_the_papers_model() {
    // Its six members know sooner than the published figure allows; so does the paper's model.
    let outcome = run("sw2", 200);
    let known = |row: &Row| row.cell == "n=6";
    assert!(outside(&outcome, known).is_empty(), "{:#?}", outside(&outcome, known));
}

#[test]
fn sw3_two_messages_per_member_and_period() {
    let outcome = run("sw3", 2);
    assert!(outcome.is_faithful() && outcome.meets_bars(), "{:#?}", outcome.rows);
}

#[test]
fn sw4_each_version_loses_fewer_than_the_one_before_and_ours_nobody() {
    let outcome = run("sw4", 20);
    assert!(outcome.is_faithful() && outcome.meets_bars(), "{:#?}", outcome.rows);
}

#[test]
fn sw5_false_failures_are_as_frequent_as_the_formula_says() {
    // 300 rare events scatter by more than the band is wide.
    let outcome = run("sw5", 10);
    let known = |row: &Row| row.cell == "loss=1% k=2";
    assert!(outside(&outcome, known).is_empty(), "{:#?}", outside(&outcome, known));
}
