//! What tuning found, for people and programs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    span,
    tune::{Choice, Goal, Measurement, Row},
};

use super::{
    sheet::{Part, Point, Sheet, Shown},
    table::table,
};

/// A table of all choices; the recommended one bears a mark.
#[must_use]
pub fn tuning_text(nodes: usize, rows: &[Row], goal: (&str, Goal), best: Option<usize>) -> String {
    let mut lines = vec![HEAD_ABOVE.map(String::from).to_vec(), HEAD.map(String::from).to_vec()];
    for (place, row) in rows.iter().enumerate() {
        let mark = if best == Some(place) { "> " } else { "  " };
        let mut cells = cells(nodes, row);
        cells[0].insert_str(0, mark);
        lines.push(cells);
    }
    let mut text = table(&lines);
    text.push('\n');
    text + &recommendation(rows, goal, best)
}

fn cells(nodes: usize, row: &Row) -> Vec<String> {
    let Choice { gossip_interval, gossip_nodes, probe_interval } = row.choice;
    let (news, lost) = match row.delivered {
        None => ("-".into(), "-".into()),
        Some(1.0..) => (time(row.news), "none".into()),
        Some(share) => (time(row.news), format!("{:.2} %", 100.0 * (1.0 - share))),
    };
    vec![
        span::short(gossip_interval),
        gossip_nodes.to_string(),
        span::short(probe_interval),
        time(row.join),
        news,
        lost,
        time(row.first),
        time(row.everywhere),
        row.false_failures.to_string(),
        rate(row.idle),
        rate(row.busy),
        rate(row.busy * nodes as f64),
    ]
}

fn recommendation(rows: &[Row], goal: (&str, Goal), best: Option<usize>) -> String {
    let (name, goal) = goal;
    match best.map(|place| rows[place].choice) {
        Some(Choice { gossip_interval, gossip_nodes, probe_interval }) => {
            let (gossip, probe) = (span::short(gossip_interval), span::short(probe_interval));
            format!(
                "recommended, {name}: gossip_interval = \"{gossip}\", gossip_nodes = \
                 {gossip_nodes}, probe_interval = \"{probe}\"\n  \
                 of those with the fewest false failures, {}\n",
                goal.rule()
            )
        }
        None => "nothing to recommend: with each of these, something did not happen\n".into(),
    }
}

/// The same for browsers. `about` says what was measured, `again` is the command that does it
/// again.
#[must_use]
pub fn tuning_sheet(
    nodes: usize,
    rows: &[Row],
    goal: (&str, Goal),
    best: Option<usize>,
    (about, again): (&str, &str),
) -> Sheet {
    let heads = HEAD_ABOVE.iter().zip(HEAD);
    let head: Vec<String> = heads
        .map(|(above, below)| format!("{above} {below}").replace("- ", "").trim().to_owned())
        .collect();
    let point = |upwards: fn(&Row) -> Option<Duration>| {
        let points = rows.iter().enumerate().filter_map(|(place, row)| {
            let cells = cells(nodes, row);
            let named = head.iter().zip(&cells).skip(3);
            Some(Point {
                name: format!("{} to {}", cells[0], cells[1]),
                x: row.busy,
                y: upwards(row)?.as_secs_f64(),
                best: best == Some(place),
                more: named.map(|(name, cell)| format!("{name}: {cell}")).collect(),
            })
        });
        points.collect::<Vec<_>>()
    };
    let plane = |title: &str, y: &str, upwards: fn(&Row) -> Option<Duration>| {
        let x = "bytes a second that a busy node sends".to_owned();
        Part::new(title, Shown::Points { x, y: y.into(), points: point(upwards) })
    };
    let measured = Shown::Table {
        head: head.clone(),
        rows: rows.iter().map(|row| cells(nodes, row)).collect(),
        good: (0..rows.len()).map(|place| (best == Some(place)).then_some(true)).collect(),
    };
    let parts = [
        plane("News against traffic", "seconds until 99 % have a broadcast", |row| row.news),
        plane("Joining against traffic", "seconds until all know a newcomer", |row| row.join),
        plane("Failures against traffic", "seconds until all know of a crash", |row| {
            row.everywhere
        }),
        Part::new("All that was measured", measured),
    ];
    Sheet {
        title: format!("Settings for {nodes} nodes"),
        about: format!("{about}\n\n{}", recommendation(rows, goal, best)),
        again: again.into(),
        passed: best.is_some(),
        tiles: Vec::new(),
        parts: parts.into_iter().flatten().collect(),
    }
}

/// The same for programs.
#[must_use]
pub fn tuning_json(nodes: usize, rows: &[Row], goal: (&str, Goal), best: Option<usize>) -> Value {
    let seconds = |span: Option<Duration>| span.map(|span| span.as_secs_f64());
    let rows = rows.iter().map(|row| {
        json!({
            "gossip_interval_s": row.choice.gossip_interval.as_secs_f64(),
            "gossip_nodes": row.choice.gossip_nodes,
            "probe_interval_s": row.choice.probe_interval.as_secs_f64(),
            "join_s": seconds(row.join),
            "broadcast_99_s": seconds(row.news),
            "delivered": row.delivered,
            "failure_first_s": seconds(row.first),
            "failure_everywhere_s": seconds(row.everywhere),
            "false_failures": row.false_failures,
            "idle_bytes_per_second_per_node": row.idle,
            "busy_bytes_per_second_per_node": row.busy,
        })
    });
    json!({
        "nodes": nodes,
        "goal": goal.0,
        "rule": goal.1.rule(),
        "recommended": best,
        "rows": rows.collect::<Vec<_>>(),
    })
}

/// One line per run, tab separated: its settings, its seed, then name and value of each time, in
/// seconds, and of the traffic, in bytes a second and node.
#[must_use]
pub fn tuning_runs(runs: &[(Choice, u64)], results: &[Measurement]) -> String {
    let mut text = String::new();
    for ((choice, seed), it) in runs.iter().zip(results) {
        let Choice { gossip_interval, gossip_nodes, probe_interval } = choice;
        let [gossip, probe] = [*gossip_interval, *probe_interval].map(|it| it.as_secs_f64());
        text += &format!("gossip={gossip} nodes={gossip_nodes} probe={probe}\t{seed}");
        let times = [("join", it.join), ("first", it.first), ("everywhere", it.everywhere)];
        for (name, span) in times {
            let span = span.map_or("never".into(), |span| span.as_secs_f64().to_string());
            text += &format!("\t{name}={span}");
        }
        let (arrived, due) = (it.arrivals.len(), it.due);
        text += &format!("\tarrived={arrived}\tdue={due}\tfalse_failures={}", it.false_failures);
        text += &format!("\tidle={}\tbusy={}\n", it.idle, it.busy);
    }
    text
}

fn time(span: Option<Duration>) -> String {
    let Some(span) = span else { return "never".into() };
    if span < Duration::from_secs(1) {
        format!("{} ms", span.as_millis())
    } else {
        format!("{:.2} s", span.as_secs_f64())
    }
}

fn rate(bytes: f64) -> String {
    if bytes < 10_000.0 { format!("{bytes:.0} B/s") } else { format!("{:.1} KB/s", bytes / 1e3) }
}

const HEAD_ABOVE: [&str; 12] = [
    "  gossip",
    "fan-",
    "probe",
    "join",
    "broadcast",
    "broadcast",
    "failure",
    "failure",
    "false",
    "a node",
    "a node",
    "cluster",
];
const HEAD: [&str; 12] = [
    "  interval",
    "out",
    "interval",
    "agreed",
    "at 99 %",
    "lost",
    "first",
    "everywhere",
    "failures",
    "idle",
    "busy",
    "busy",
];
