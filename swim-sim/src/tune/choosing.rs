//! Which of the measured choices suits a goal.

use std::time::Duration;

use super::question::Row;

/// What matters most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// News and failures are known soon.
    Fast,
    /// Little is sent.
    Quiet,
    /// Something of both.
    Balanced,
}

impl Goal {
    /// The goals by name.
    pub const NAMES: [(&'static str, Self); 3] =
        [("fast", Self::Fast), ("quiet", Self::Quiet), ("balanced", Self::Balanced)];

    /// How it is decided.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Fast => "the lowest product of the times of join, broadcast and detection",
            Self::Quiet => {
                "the least traffic when busy, of those that find a failure at most half again as \
                 slowly as the fastest"
            }
            Self::Balanced => {
                "the lowest product of the traffic when busy and the times of join, broadcast and \
                 detection"
            }
        }
    }
}

/// The place of the best row for a goal, of those in which everything happened that should, with
/// the fewest false failures; `None` if there is no such row.
#[must_use]
pub fn recommend(rows: &[Row], goal: Goal) -> Option<usize> {
    let all_came = |row: &Row| row.delivered.is_none() || row.news.is_some();
    let usable = |row: &&Row| row.join.is_some() && all_came(row) && row.everywhere.is_some();
    let fewest = rows.iter().filter(usable).map(|row| row.false_failures).min()?;
    let is_good = |row: &Row| usable(&row) && row.false_failures == fewest;
    let good = || rows.iter().enumerate().filter(|(_, row)| is_good(row));
    let fastest = good().map(|(_, row)| seconds(row.everywhere)).fold(f64::INFINITY, f64::min);
    let cost = |row: &Row| match goal {
        Goal::Fast => times(row),
        Goal::Quiet if seconds(row.everywhere) > 1.5 * fastest => f64::INFINITY,
        Goal::Quiet => row.busy,
        Goal::Balanced => times(row) * row.busy,
    };
    let best = good().min_by(|(_, a), (_, b)| cost(a).total_cmp(&cost(b)));
    best.map(|(place, _)| place)
}

/// All times as one number. That of broadcasts is none of them where nothing was broadcast.
fn times(row: &Row) -> f64 {
    let news = if row.delivered.is_some() { seconds(row.news) } else { 1.0 };
    seconds(row.join) * news * seconds(row.everywhere)
}

/// Nothing takes less than a millisecond: a product must not be nothing.
fn seconds(span: Option<Duration>) -> f64 {
    span.map_or(f64::INFINITY, |span| span.as_secs_f64().max(1e-3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::question::Choice;

    fn row(ms: u64, busy: f64, false_failures: u64) -> Row {
        let span = Some(Duration::from_millis(ms));
        let choice = Choice {
            gossip_interval: Duration::ZERO,
            gossip_nodes: 0,
            probe_interval: Duration::ZERO,
        };
        Row {
            choice,
            join: span,
            news: span,
            delivered: Some(1.0),
            first: span,
            everywhere: span,
            false_failures,
            idle: 0.0,
            busy,
        }
    }

    #[test]
    fn goals_differ_and_false_failures_rule_out() {
        let rows = [row(100, 900.0, 0), row(140, 250.0, 0), row(9_000, 10.0, 0), row(1, 1.0, 1)];
        assert_eq!(recommend(&rows, Goal::Fast), Some(0));
        assert_eq!(recommend(&rows, Goal::Quiet), Some(1));
        assert_eq!(recommend(&rows, Goal::Balanced), Some(1));
        let none = Row { everywhere: None, ..row(1, 1.0, 0) };
        assert_eq!(recommend(&[none], Goal::Fast), None);
        let unheard = Row { news: None, ..row(1, 1.0, 0) };
        let unasked = Row { delivered: None, ..unheard.clone() };
        assert_eq!(recommend(&[unheard, unasked], Goal::Balanced), Some(1));
    }
}
