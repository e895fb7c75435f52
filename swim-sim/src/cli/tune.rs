//! `swim-sim tune`: settings of gossip, measured.

use std::process::ExitCode;

use swim_core::Options;
use swim_sim::{
    addr, name, report,
    scenario::configure,
    tune::{Choice, Measurement, Question, Row, measure, recommend},
};

use super::{
    args::TuneArgs,
    failure::Failure,
    output::{again, print},
    parallel,
    progress::Progress,
};

/// Measures every choice and says which one to take.
pub(crate) fn tune(args: &TuneArgs) -> Result<ExitCode, Failure> {
    args.output.check(None, &[])?;
    let choices = choices(args);
    let seeds = || args.seeds.clone();
    let runs: Vec<(Choice, u64)> =
        choices.iter().flat_map(|choice| seeds().map(|seed| (*choice, seed))).collect();
    let progress = Progress::of_runs(runs.len());
    let results = parallel::map(&runs, |(choice, seed)| {
        let result = measure(&args.question, choice, *seed);
        progress.add(1);
        result
    });
    progress.finish();
    let results: Result<Vec<Measurement>, String> = results.into_iter().collect();
    let results =
        results.map_err(|what| Failure::Usage(format!("these settings can't be used: {what}")))?;
    let each = results.chunks(results.len() / choices.len().max(1));
    let rows: Vec<Row> =
        choices.iter().zip(each).map(|(choice, runs)| Row::new(*choice, runs)).collect();
    let best = recommend(&rows, args.goal.1);
    let nodes = args.question.nodes;
    let (loss, each) = (100.0 * args.question.link.loss, args.seeds.end - args.seeds.start);
    let head = format!(
        "{nodes} nodes, profile {}, {}, {loss} % loss, {} broadcasts/s; {each} run{} each",
        args.question.profile,
        args.question.wire,
        args.question.broadcasts,
        if each == 1 { "" } else { "s" }
    );
    args.output.write(
        || report::tuning_sheet(nodes, &rows, args.goal, best, (&head, &again())).html(),
        || report::tuning_runs(&runs, &results),
    )?;
    if args.output.json {
        print(&format!("{:#}\n", report::tuning_json(nodes, &rows, args.goal, best)))?;
    } else {
        let text = report::tuning_text(nodes, &rows, args.goal, best);
        print(&format!("{head}\n\n{text}"))?;
    }
    Ok(if best.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn choices(args: &TuneArgs) -> Vec<Choice> {
    let mut preset = Options::lan(name(0), addr(0));
    let Question { profile, settings, wire, .. } = &args.question;
    configure(&mut preset, *profile, settings, wire);
    let mut probe_intervals = args.probe_intervals.clone();
    if probe_intervals.is_empty() {
        probe_intervals.push(preset.probe_interval);
    }
    let mut choices = Vec::new();
    for &probe_interval in &probe_intervals {
        for &gossip_interval in &args.gossip_intervals {
            for &gossip_nodes in &args.gossip_nodes {
                choices.push(Choice { gossip_interval, gossip_nodes, probe_interval });
            }
        }
    }
    choices
}
