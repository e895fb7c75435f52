//! The marks that `ARCHITECTURE.md` explains: each promise is named by a test, or by what a test
//! proves to find its breach.
//!
//! A row of the table begins with its marks, as `| S1–S10 | ..` or `| O1–O6, O8 | ..`, and explains
//! each of them with its mark in parentheses. A test names a mark at the beginning of its name, as
//! `s7_nobody_speaks_after_leaving`, or anywhere in a file of tests: some say in a comment, or in a
//! table of faults made on purpose, what they are about. The tests of `tidy` itself name marks as
//! examples.

use std::collections::BTreeSet;

use crate::source::Source;

/// What is wrong: marks without a word of explanation, and promises without a test.
#[must_use]
pub fn complaints(architecture: &str, files: &[Source]) -> Vec<String> {
    let tested: BTreeSet<String> = files.iter().flat_map(named_in).collect();
    let mut found = Vec::new();
    for (line, written) in (1..).zip(architecture.lines()) {
        for mark in row(written) {
            if !written.contains(&format!("({mark})")) {
                found.push(format!("ARCHITECTURE.md:{line}: {mark} is not explained"));
            }
            if !tested.contains(&mark) {
                found.push(format!("ARCHITECTURE.md:{line}: no test names {mark}"));
            }
        }
    }
    found
}

/// The marks that a row of the table is about; none if it is no such row.
fn row(line: &str) -> Vec<String> {
    let Some((cell, _)) = line.strip_prefix("| ").and_then(|line| line.split_once(" |")) else {
        return Vec::new();
    };
    let ranges = cell.split(", ").map(|part| {
        let (first, last) = part.split_once('–').unwrap_or((part, part));
        let ((letter, first), (other, last)) = (split(first)?, split(last)?);
        (letter == other && first <= last).then_some((letter, first..=last))
    });
    let ranges: Option<Vec<_>> = ranges.collect();
    let marks =
        |(letter, range)| Iterator::map(range, move |number: u32| format!("{letter}{number}"));
    ranges.into_iter().flatten().flat_map(marks).collect()
}

/// `S7` as a letter and a number.
fn split(mark: &str) -> Option<(char, u32)> {
    let letter = mark.chars().next().filter(char::is_ascii_uppercase)?;
    let digits = &mark[1..];
    let is_number = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    Some((letter, digits.parse().ok().filter(|_| is_number)?))
}

/// The marks that the tests of a file name.
fn named_in(file: &Source) -> Vec<String> {
    if !file.is_rust() || file.path.starts_with("tidy/src/") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut is_test = false;
    for line in file.text.lines() {
        is_test |= line.trim_start().starts_with("#[test]");
        let Some((_, name)) = line.split_once("fn ") else { continue };
        if !std::mem::take(&mut is_test) {
            continue;
        }
        let words = name.split('_').map(str::to_ascii_uppercase);
        found.extend(words.take_while(|word| split(word).is_some()));
    }
    if file.is_test() {
        let words = file.text.split(|c: char| !c.is_ascii_alphanumeric());
        found.extend(words.filter(|word| split(word).is_some()).map(str::to_owned));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    #[test]
    fn a_promise_needs_a_word_and_a_test() {
        let table =
            "| | |\n|---|---|\n| S1–S3 | (S1), (S2), (S3) |\n| O1–O2, O4 | (O1) and (O4) |\n";
        let files = [
            file(
                "a/src/one.rs",
                "  #[test]\n  fn s1_o4_something_holds() {}\n  fn s2_helps() {}\n// S2 is meant\n",
            ),
            file("a/src/node/tests/two.rs", "// The second half of S2.\n"),
            file("a/tests/three.rs", "assert(\"S3\", \"O1\", \"O2\")"),
        ];
        assert_eq!(complaints(table, &files), ["ARCHITECTURE.md:4: O2 is not explained"]);
        let found = complaints(table, &files[..1]);
        assert_eq!(found.iter().filter(|found| found.contains("no test names")).count(), 4);
        assert!(found.contains(&"ARCHITECTURE.md:3: no test names S2".into()), "{found:?}");
    }

    #[test]
    fn other_tables_have_no_marks() {
        for line in
            ["| a | b |", "| `S1` | b |", "| S1–T2 | b |", "| S | b |", "S1–S3", "| S123 | b |"]
        {
            assert_eq!(row(line), Vec::<String>::new(), "{line}");
        }
    }
}
