//! `swim-sim explore` and `swim-sim replay`: what chance finds.

use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
    thread,
};

use serde_json::{Value, json};
use swim_sim::{
    Trace,
    explore::{self, Campaign, Limits, Outcome, Plan, Verdict},
    report::{self, RunPage},
    span,
};

use super::{
    exploring::{Drawn, ExploreArgs, ReplayArgs},
    failure::Failure,
    files::{self, Part},
    output::{self, print},
    progress::Progress,
    run::no_columns,
};

/// Runs a campaign and says what it found.
pub(crate) fn explore(args: &ExploreArgs) -> Result<ExitCode, Failure> {
    args.output.check(None, &[])?;
    let campaign = Campaign {
        seeds: args.seeds.clone(),
        mask: args.mask,
        limits: args.limits,
        threads: thread::available_parallelism().map_or(1, usize::from),
    };
    let progress = Progress::of_runs((args.seeds.end - args.seeds.start) as usize);
    let outcome = campaign.run(&|_| progress.add(1));
    progress.finish();
    let again = |verdict: &Verdict| explore::command(verdict.seed, args.mask, &args.limits);
    args.output.write(
        || {
            let Limits { nodes_min, nodes_max, chaos_max } = args.limits;
            let about = format!(
                "seeds {} to {}, {nodes_min} to {nodes_max} nodes, up to {} of faults",
                args.seeds.start,
                args.seeds.end - 1,
                span::short(chaos_max)
            );
            explore::sheet(&outcome, &about, &output::again(), &again).html()
        },
        || campaign_runs(&outcome),
    )?;
    if args.output.json {
        print(&format!("{:#}\n", campaign_json(&outcome, &again)))?;
    } else {
        print(&campaign_text(&outcome, &again))?;
    }
    Ok(status(outcome.is_ok()))
}

/// Repeats a run, or makes it smaller.
pub(crate) fn replay(args: &ReplayArgs) -> Result<ExitCode, Failure> {
    let plan = match &args.run {
        Drawn::Seed(seed, mask, limits) => Plan::draw(*seed, *mask, limits),
        Drawn::File(path) => read_plan(path)?,
    };
    let read = match &args.run {
        Drawn::Seed(..) => None,
        Drawn::File(path) => Some(path.as_path()),
    };
    let save = args.save.as_deref().map(|path| ("save", path));
    args.output.check(read, save.as_slice())?;
    if args.output.columns && plan.settings.size > report::COLUMNS_MAX {
        return Err(no_columns(plan.settings.size));
    }
    if let Some(path) = &args.save {
        files::write(path, &(plan.to_json() + "\n"))?;
    }
    if args.shrink {
        return shrink(&plan);
    }
    let (part, trace) = match &args.output.trace {
        Some(path) => {
            let (part, writer) = Part::create(path)?;
            (Some(part), Trace::to(Box::new(writer)))
        }
        None => (None, Trace::new()),
    };
    if args.output.report.is_none() && !args.output.columns {
        let verdict = explore::run(&plan, Some(trace));
        part.map_or(Ok(()), Part::finish)?;
        return told(args, &plan, &verdict);
    }
    let (verdict, record) = explore::run_recorded(&plan, Some(trace));
    part.map_or(Ok(()), Part::finish)?;
    if let Some(path) = &args.output.report {
        let failure = verdict.failure.as_ref();
        let found = failure.map_or("all held".into(), ToString::to_string);
        let verdicts = [(report::EVERY_INVARIANT.into(), failure.is_none(), found)];
        let (about, again) = (plan_text(&plan), output::again());
        let page = RunPage { record: &record, about: &about, again: &again, verdicts: &verdicts };
        files::write(path, &page.html())?;
    }
    if args.output.columns {
        print(&report::columns(&record).ok_or_else(|| no_columns(record.hosts))?)?;
    }
    told(args, &plan, &verdict)
}

fn told(args: &ReplayArgs, plan: &Plan, verdict: &Verdict) -> Result<ExitCode, Failure> {
    if args.output.json {
        print(&format!("{:#}\n", verdict_json(verdict)))?;
    } else {
        print(&verdict_text(plan, verdict))?;
    }
    Ok(status(verdict.failure.is_none()))
}

fn shrink(plan: &Plan) -> Result<ExitCode, Failure> {
    match explore::shrink(plan, SHRINKING_RUNS_MAX, |plan| explore::run(plan, None).failure) {
        None => {
            eprintln!("this run does not fail: there is nothing to shrink");
            Ok(status(true))
        }
        Some(shrunk) => {
            // Not `eprintln`, which panics when nobody reads.
            let _ = writeln!(io::stderr(), "{}: {}", shrunk.summary(), shrunk.failure);
            print(
                &(shrunk.plan.to_json()
                    + "
"),
            )
            .map(|()| status(false))
        }
    }
}

fn read_plan(path: &Path) -> Result<Plan, Failure> {
    let shown = path.display();
    let text = files::read(path)?;
    let is_json = text.trim_start().starts_with('{');
    let plan = if is_json { Plan::from_json(&text) } else { Plan::from_toml(&text) };
    plan.map_err(|what| Failure::Usage(format!("{shown} is no plan: {}", what.trim_end())))
}

fn campaign_text(outcome: &Outcome, again: &dyn Fn(&Verdict) -> String) -> String {
    let mut lines = Vec::new();
    for (name, count) in outcome.counters.iter() {
        lines.push(format!("{count:>14}  {name}"));
    }
    lines.push(String::new());
    for verdict in outcome.failures() {
        if let Some(failure) = &verdict.failure {
            lines.push(format!("seed {}: {failure}", verdict.seed));
            lines.push(format!("  repeat: {}", again(verdict)));
            lines.push(format!("  make smaller: {} --shrink", again(verdict)));
        }
    }
    for name in &outcome.missing {
        lines.push(format!("never exercised: {name}"));
    }
    if !outcome.excused.is_empty() {
        let excused = outcome.excused.join(", ");
        lines.push(format!("not exercised, as the mask makes it impossible: {excused}"));
    }
    let [half, most, all] = [500, 990, 1_000].map(|permille| outcome.convergence(permille));
    lines.push(format!("agreement after calm: {half:?} (p50), {most:?} (p99), {all:?} (latest)"));
    let failed = outcome.failures().count();
    let hours = virtual_seconds(outcome) / 3_600.0;
    let runs = outcome.verdicts.len();
    lines.push(format!("{runs} runs, {hours:.1} virtual hours, {failed} failed"));
    lines.push(String::new());
    lines.join("\n")
}

/// One line per run, tab separated: the seed, how it ended, then name and value of its times.
fn campaign_runs(outcome: &Outcome) -> String {
    let line = |verdict: &Verdict| {
        let ended = verdict.failure.as_ref().map_or("ok", |failure| failure.finder());
        let agreed = verdict.converged_in.map_or("never".into(), |it| it.as_secs_f64().to_string());
        let length = verdict.virtual_time.as_secs_f64();
        let Verdict { seed, steps, .. } = verdict;
        format!("{seed}\t{ended}\tagreement={agreed}\tlength={length}\tsteps={steps}\n")
    };
    outcome.verdicts.iter().map(line).collect()
}

fn campaign_json(outcome: &Outcome, again: &dyn Fn(&Verdict) -> String) -> Value {
    let failures: Vec<Value> = outcome
        .failures()
        .map(|verdict| {
            let what = verdict.failure.as_ref().map(ToString::to_string);
            json!({ "seed": verdict.seed, "what": what, "repeat": again(verdict) })
        })
        .collect();
    let counters: serde_json::Map<String, Value> =
        outcome.counters.iter().map(|(name, count)| (name.to_string(), json!(count))).collect();
    let [half, most, all] =
        [500, 990, 1_000].map(|permille| outcome.convergence(permille).as_secs_f64());
    json!({
        "runs": outcome.verdicts.len(),
        "virtual_seconds": virtual_seconds(outcome),
        "failures": failures,
        "never_exercised": outcome.missing,
        "excused_by_mask": outcome.excused,
        "agreement_seconds": { "p50": half, "p99": most, "latest": all },
        "counters": counters,
    })
}

fn verdict_text(plan: &Plan, verdict: &Verdict) -> String {
    let what = verdict.failure.as_ref().map_or("all held".into(), ToString::to_string);
    let agreed = match verdict.converged_in {
        Some(span) => format!("agreed {span:?} after calm"),
        None => "did not come to agree".into(),
    };
    format!(
        "seed {}: {}, {:?} of virtual time, {} steps; {agreed}\n\
         digest {:016x}\n{what}\n",
        verdict.seed,
        plan_text(plan),
        verdict.virtual_time,
        verdict.steps,
        verdict.digest.unwrap_or_default(),
    )
}

fn plan_text(plan: &Plan) -> String {
    format!("{} nodes, {} actions", plan.settings.size, plan.actions.len())
}

fn verdict_json(verdict: &Verdict) -> Value {
    json!({
        "seed": verdict.seed,
        "failure": verdict.failure.as_ref().map(ToString::to_string),
        "agreement_seconds": verdict.converged_in.map(|span| span.as_secs_f64()),
        "virtual_seconds": verdict.virtual_time.as_secs_f64(),
        "steps": verdict.steps,
        "digest": verdict.digest.map(|digest| format!("{digest:016x}")),
    })
}

fn virtual_seconds(outcome: &Outcome) -> f64 {
    outcome.verdicts.iter().map(|verdict| verdict.virtual_time.as_secs_f64()).sum()
}

fn status(is_ok: bool) -> ExitCode {
    if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// After so many runs a plan is small enough, or will not get smaller.
const SHRINKING_RUNS_MAX: usize = 2_000;
