//! The marks that `ARCHITECTURE.md` explains: each promise is named by a test, or there is a reason
//! why none names it.
//!
//! How many promises there are is said here, so that one that is dropped from the page is missed. A
//! row of the page's table begins with its marks, as `| S1–S10 | ..` or `| C4, O7 | ..`, and
//! explains each of them with its mark in parentheses; a row whose explanation begins with
//! `no test:` is about those that no test can name. A test names a mark at the beginning of its
//! name, as `s7_nobody_speaks_after_leaving`, or in the comment that documents it: words elsewhere
//! in a file of tests show nothing. The tests of `tidy` itself name marks as examples.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Source;

/// Each family of promises by its letter, and how many it has.
const FAMILIES: [(char, u32); 10] = [
    ('S', 10),
    ('E', 4),
    ('P', 8),
    ('W', 5),
    ('M', 4),
    ('D', 5),
    ('L', 11),
    ('C', 4),
    ('X', 21),
    ('O', 9),
];

/// How the explanation of promises begins that no test names.
const UNTESTED: &str = "no test:";

/// What is wrong: promises that the page lacks, marks without a word of explanation, and promises
/// without a test.
#[must_use]
pub fn complaints(architecture: &str, files: &[Source]) -> Vec<String> {
    let tested: BTreeSet<String> = files.iter().flat_map(named_in).collect();
    let mut found = Vec::new();
    let mut listed = BTreeMap::new();
    for (line, written) in (1..).zip(architecture.lines()) {
        let (marks, words) = row(written);
        for mark in marks {
            if !words.contains(&format!("({mark})")) {
                found.push(format!("ARCHITECTURE.md:{line}: {mark} is not explained"));
            }
            if let Some(former) = listed.insert(mark.clone(), line) {
                found.push(format!("ARCHITECTURE.md:{line}: {mark} stands in line {former} too"));
            }
            match (words.starts_with(UNTESTED), tested.contains(&mark)) {
                (false, false) => {
                    found.push(format!("ARCHITECTURE.md:{line}: no test names {mark}"));
                }
                (true, true) => {
                    found.push(format!("ARCHITECTURE.md:{line}: a test does name {mark}"));
                }
                _ => {}
            }
        }
    }
    let missing = promises().filter(|mark| !listed.contains_key(mark));
    found.extend(missing.map(|mark| format!("ARCHITECTURE.md: {mark} stands in no row")));
    found
}

/// How many threats there are.
#[must_use]
pub fn threats() -> u32 {
    FAMILIES.iter().find(|(letter, _)| *letter == 'X').map_or(0, |(_, last)| *last)
}

/// All promises, whatever the page says.
fn promises() -> impl Iterator<Item = String> {
    let all = |(letter, last)| Iterator::map(1..=last, move |number| format!("{letter}{number}"));
    FAMILIES.into_iter().flat_map(all)
}

/// The marks that a row of the table is about, and what it says of them; none if it is no such row.
fn row(line: &str) -> (Vec<String>, &str) {
    let Some((cell, words)) = line.strip_prefix("| ").and_then(|line| line.split_once(" | "))
    else {
        return (Vec::new(), "");
    };
    let ranges = cell.split(", ").map(|part| {
        let (first, last) = part.split_once('–').unwrap_or((part, part));
        let ((letter, first), (other, last)) = (split(first)?, split(last)?);
        (letter == other && first <= last).then_some((letter, first..=last))
    });
    let ranges: Option<Vec<_>> = ranges.collect();
    let marks =
        |(letter, range)| Iterator::map(range, move |number: u32| format!("{letter}{number}"));
    (ranges.into_iter().flatten().flat_map(marks).collect(), words)
}

/// `S7` as a letter and a number.
pub(crate) fn split(mark: &str) -> Option<(char, u32)> {
    let letter = mark.chars().next().filter(char::is_ascii_uppercase)?;
    let digits = &mark[1..];
    let is_number = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    Some((letter, digits.parse().ok().filter(|_| is_number)?))
}

/// The marks that the tests of a file name: in their names, and in the lines that document them.
fn named_in(file: &Source) -> Vec<String> {
    if !file.is_rust() || file.path.starts_with("tidy/src/") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let (mut is_test, mut doc) = (false, String::new());
    for line in file.text.lines().map(str::trim_start) {
        if let Some(words) = line.strip_prefix("///") {
            doc.push_str(words);
        } else if line.starts_with('#') {
            is_test |= line.starts_with("#[test]");
        } else {
            if let Some((_, name)) = line.split_once("fn ").filter(|_| is_test) {
                let words = name.split('_').map(str::to_ascii_uppercase);
                found.extend(words.take_while(|word| split(word).is_some()));
                let words = doc.split(|c: char| !c.is_ascii_alphanumeric());
                found.extend(words.filter(|word| split(word).is_some()).map(str::to_owned));
            }
            (is_test, doc) = (false, String::new());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    /// What is found, but for the promises that so short a page lacks.
    fn of_rows(table: &str, files: &[Source]) -> Vec<String> {
        let found = complaints(table, files).into_iter();
        found.filter(|found| !found.contains("in no row")).collect()
    }

    #[test]
    fn a_promise_needs_a_word_and_a_test() {
        let table = "| | |\n|---|---|\n| S1–S3 | (S1), (S2), (S3) |\n| O1–O2, O4 | (O1), (O4) |\n";
        let files = [
            file("a/src/one.rs", "  #[test]\n  fn s1_o4_it_holds() {}\n  fn s2_helps() {}\n"),
            file("a/tests/two.rs", "/// The second\n/// half of S2.\n#[test]\nfn it_holds() {}\n"),
            file(
                "a/tests/three.rs",
                "/// (S3, O1)\n#[test]\n#[ignore = \"slow\"]\nfn o2_it() {}\n",
            ),
        ];
        assert_eq!(of_rows(table, &files), ["ARCHITECTURE.md:4: O2 is not explained"]);
        let found = of_rows(table, &files[..1]);
        assert_eq!(found.iter().filter(|found| found.contains("no test names")).count(), 4);
        assert!(found.contains(&"ARCHITECTURE.md:3: no test names S2".into()), "{found:?}");
    }

    #[test]
    fn words_elsewhere_show_nothing() {
        let texts = [
            "// S1\n#[test]\nfn it_holds() {}\n",
            "//! S1\n\n#[test]\nfn it_holds() {}\n",
            "#[test]\nfn it_holds() { assert!(false, \"S1\") }\n",
            "/// S1\nconst IT: u8 = 0;\n#[test]\nfn it_holds() {}\n",
            "/// S1\nfn s1_helps() {}\n",
        ];
        for text in texts {
            assert_eq!(named_in(&file("a/tests/one.rs", text)), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn what_no_test_names_has_a_row_that_says_so() {
        let table = "| C4, O7 | no test: (C4), (O7) |\n";
        assert_eq!(of_rows(table, &[]), Vec::<String>::new());
        let test = file("a/src/one.rs", "#[test]\nfn o7_it_holds() {}\n");
        assert_eq!(of_rows(table, &[test]), ["ARCHITECTURE.md:1: a test does name O7"]);
    }

    #[test]
    fn a_promise_that_is_dropped_from_the_page_is_missed() {
        let all: Vec<_> = promises().collect();
        let words: Vec<_> = all.iter().map(|mark| format!("({mark})")).collect();
        let page =
            |all: &[String]| format!("| {} | no test: {} |\n", all.join(", "), words.concat());
        assert_eq!(complaints(&page(&all), &[]), Vec::<String>::new());
        let found = complaints(&page(&all[..all.len() - 1]), &[]);
        assert_eq!(found, ["ARCHITECTURE.md: O9 stands in no row"]);
        let twice: Vec<_> = all.iter().chain(&all[..1]).cloned().collect();
        assert_eq!(complaints(&page(&twice), &[]), ["ARCHITECTURE.md:1: S1 stands in line 1 too"]);
    }

    #[test]
    fn other_tables_have_no_marks() {
        for line in
            ["| a | b |", "| `S1` | b |", "| S1–T2 | b |", "| S | b |", "S1–S3", "| S123 | b |"]
        {
            assert_eq!(row(line).0, Vec::<String>::new(), "{line}");
        }
    }
}
