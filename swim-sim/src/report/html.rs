//! A page about one run: who believed what about whom, how the views converged, what was sent.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    belief::Belief,
    record::{Change, Record},
    scenario::Outcome,
};

use super::{
    json::{samples, seconds},
    page::page,
};

/// What a page about one run shows.
#[derive(Clone, Copy, Debug)]
pub struct RunPage<'a> {
    /// What happened.
    pub record: &'a Record,
    /// What it is about, in the words of who wrote it.
    pub about: &'a str,
    /// The command that does the same again.
    pub again: &'a str,
    /// What was expected, whether it became so, and what was found.
    pub verdicts: &'a [(String, bool, String)],
}

impl RunPage<'_> {
    /// The page.
    #[must_use]
    pub fn html(&self) -> String {
        let Self { record, about, again, verdicts } = self;
        let is_passed = verdicts.iter().all(|(_, is_met, _)| *is_met);
        let verdict = |it: &(String, bool, String)| {
            let (what, is_met, found) = it;
            json!({ "what": what, "met": is_met, "found": found })
        };
        let data = json!({
            "title": record.title,
            "about": about,
            "seed": record.seed,
            "again": again,
            "hosts": record.hosts,
            "length": record.length.as_secs_f64(),
            "passed": is_passed,
            "verdicts": verdicts.iter().map(verdict).collect::<Vec<_>>(),
            "marks": marks(record),
            "processes": processes(record),
            "failures": failures(record),
            "samples": samples(record),
            "arrivals": seconds(&record.arrivals),
            "updates": seconds(&record.updates),
            "beliefs": Belief::NAMES,
            "acquainted": is_acquainted(record),
            "changes": base64(&changes(record)),
            "dropped": record.changes_dropped,
        });
        page(&record.title, BODY, &[SCRIPT_VIEWS, SCRIPT_PLOTS, SCRIPT], &data)
    }
}

/// A page about a run of a scenario. `again` is the command that repeats it, without the seed.
#[must_use]
pub fn html(outcome: &Outcome, about: &str, again: &str) -> String {
    let again = format!("{again} --seed {}", outcome.seed);
    let violation = outcome.violation.iter();
    let violations = violation.map(|it| (EVERY_INVARIANT.into(), false, it.to_string()));
    let expected = outcome.verdicts.iter();
    let expected = expected.map(|it| (it.expected.clone(), it.is_met, it.found.clone()));
    let verdicts: Vec<_> = violations.chain(expected).collect();
    RunPage { record: &outcome.record, about, again: &again, verdicts: &verdicts }.html()
}

fn marks(record: &Record) -> Vec<Value> {
    let mark = |it: &crate::record::Mark| {
        json!({
            "at": it.at.as_secs_f64(),
            "until": it.until.map(|until| until.as_secs_f64()),
            "what": it.what,
            "hosts": it.hosts,
        })
    };
    record.marks.iter().map(mark).collect()
}

fn processes(record: &Record) -> Vec<Value> {
    let rows = record.processes.iter();
    rows.map(|it| json!([tick(record, it.at), it.host, u8::from(it.is_up)])).collect()
}

fn failures(record: &Record) -> Vec<Value> {
    let rows = record.failures.iter();
    let row = |it: &crate::record::Failure| {
        json!([it.at.as_secs_f64(), it.observer, it.subject, u8::from(it.is_false)])
    };
    rows.map(row).collect()
}

/// Eight bytes for a change, lowest first: its time as a part of the whole length in 2^32, and in
/// 32 bits the observer (14), the subject (14) and the belief (4).
fn changes(record: &Record) -> Vec<u8> {
    // A large cluster in which all know all would begin with the square of its size.
    let is_acquainted = is_acquainted(record);
    let is_told = |change: &&Change| !(is_acquainted && change.at.is_zero());
    let mut bytes = Vec::new();
    for change in record.changes.iter().filter(is_told) {
        let time = tick(record, change.at);
        let what = (change.observer as u32) << 18 | (change.subject as u32) << 4 | change.to as u32;
        bytes.extend(time.to_le_bytes());
        bytes.extend(what.to_le_bytes());
    }
    bytes
}

/// Whether in the beginning all that run know each other as alive, and nobody else.
fn is_acquainted(record: &Record) -> bool {
    let first = record.processes.iter().take_while(|it| it.at.is_zero());
    let up: Vec<bool> = first.fold(vec![false; record.hosts], |mut up, it| {
        up[it.host] = it.is_up;
        up
    });
    let size = up.iter().filter(|is_up| **is_up).count();
    let views = record.changes.iter().take_while(|it| it.at.is_zero());
    let of_others = views.filter(|it| it.observer != it.subject);
    let mut count = 0;
    for view in of_others {
        count += 1;
        if view.to != Belief::Alive || !up[view.observer] || !up[view.subject] {
            return false;
        }
    }
    count == size * size.saturating_sub(1)
}

/// A time as a part of the whole length.
fn tick(record: &Record, at: Duration) -> u32 {
    (at.as_nanos() * u128::from(u32::MAX) / record.length.as_nanos().max(1)) as u32
}

fn base64(bytes: &[u8]) -> String {
    let digit =
        |word: u32, place: u32| char::from(DIGITS[(word >> (18 - 6 * place) & 63) as usize]);
    let mut text = String::with_capacity(bytes.len() / 3 * 4 + 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            text.push(if place <= chunk.len() as u32 { digit(word, place) } else { '=' });
        }
    }
    text
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What is expected of every run.
pub const EVERY_INVARIANT: &str = "every invariant holds";

const BODY: &str = include_str!("page/run.html");
const SCRIPT_VIEWS: &str = include_str!("page/views.js");
const SCRIPT_PLOTS: &str = include_str!("page/plots.js");
const SCRIPT: &str = include_str!("page/run.js");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn a_large_cluster_makes_no_large_page() {
        // What all know in the beginning is said once: it would be most of the page, and once took
        // minutes to leave out.
        let scenario = Scenario::parse("nodes = 400\nlength = \"1s\"\n").unwrap();
        let outcome = scenario.run(1, &mut |_| {}, &mut |_| {});
        assert_eq!(outcome.record.changes.len(), 400 * 400);
        let page = html(&outcome, "", "");
        assert!(page.len() < 100_000, "{} bytes", page.len());
    }

    #[test]
    fn base64_is_as_published() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (bytes, expected) in cases {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
    }
}
