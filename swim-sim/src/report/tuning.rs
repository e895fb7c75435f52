//! What tuning found, for people and programs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    span,
    tune::{Choice, Goal, Row},
};

use super::table::table;

/// A table of all choices; the recommended one bears a mark.
#[must_use]
pub fn tuning_text(nodes: usize, rows: &[Row], goal: (&str, Goal), best: Option<usize>) -> String {
    let mut lines = vec![HEAD_ABOVE.map(String::from).to_vec(), HEAD.map(String::from).to_vec()];
    for (place, row) in rows.iter().enumerate() {
        let Choice { gossip_interval, gossip_nodes, probe_interval } = row.choice;
        let mark = if best == Some(place) { "> " } else { "  " };
        let lost = 100.0 * (1.0 - row.delivered);
        lines.push(vec![
            format!("{mark}{}", span::short(gossip_interval)),
            gossip_nodes.to_string(),
            span::short(probe_interval),
            time(row.join),
            time(row.news),
            if lost > 0.0 { format!("{lost:.2} %") } else { "none".into() },
            time(row.first),
            time(row.everywhere),
            row.false_failures.to_string(),
            rate(row.idle),
            rate(row.busy),
            rate(row.busy * nodes as f64),
        ]);
    }
    let mut text = table(&lines);
    text.push('\n');
    let (name, goal) = goal;
    match best.map(|place| rows[place].choice) {
        Some(Choice { gossip_interval, gossip_nodes, probe_interval }) => {
            let (gossip, probe) = (span::short(gossip_interval), span::short(probe_interval));
            text += &format!(
                "recommended, {name}: gossip_interval = \"{gossip}\", gossip_nodes = \
                 {gossip_nodes}, probe_interval = \"{probe}\"\n"
            );
            text += &format!("  of those with the fewest false failures, {}\n", goal.rule());
        }
        None => text += "nothing to recommend: with each of these, something did not happen\n",
    }
    text
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
