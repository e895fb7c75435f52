//! What documents quote of the code is there: tests that show something, limits, files. A test that
//! is renamed would otherwise be looked for in vain.
//!
//! Looked at are names that can hardly be anything else: of at least four words with `_` between
//! them, of capitals with `_`, and of files of Rust with their directory. `CHANGELOG.md` tells what
//! was once, and is left out.

use std::collections::BTreeSet;

use crate::{marks, source::Source};

/// Where the threats stand, one in a row.
pub const THREATS: &str = "docs/threats.md";

/// How many words a name in small letters has at least that is taken for one.
const WORDS_MIN: usize = 4;

/// What is quoted and is nowhere.
#[must_use]
pub fn complaints(files: &[Source]) -> Vec<String> {
    let rust: Vec<_> = files.iter().filter(|file| file.is_rust()).collect();
    let known: BTreeSet<&str> = rust.iter().flat_map(|file| words(&file.text)).collect();
    let functions: BTreeSet<&str> = rust.iter().flat_map(|file| functions(&file.text)).collect();
    let is_there = |quote: &str| {
        if quote.ends_with(".rs") {
            rust.iter().any(|file| file.path.ends_with(quote))
        } else if is_test(quote) {
            functions.contains(quote)
        } else {
            known.contains(quote)
        }
    };
    let documents = files.iter().filter(|file| file.path.ends_with(".md"));
    let mut found = Vec::new();
    for file in documents.filter(|file| file.path != "CHANGELOG.md") {
        for (line, text) in (1..).zip(file.text.lines()) {
            if text.trim_start().starts_with("```") {
                continue;
            }
            let missing = quotes(text).filter(|quote| is_name(quote) && !is_there(quote));
            found.extend(missing.map(|it| format!("{}:{line}: no code has `{it}`", file.path)));
        }
    }
    found
}

/// Threats that have no row of their own in which every cell says something.
#[must_use]
pub fn threat_complaints(document: &str, threats: u32) -> Vec<String> {
    let mut found = Vec::new();
    for number in 1..=threats {
        let begins = format!("| X{number} | ");
        let rows: Vec<_> = document.lines().filter(|line| line.starts_with(&begins)).collect();
        let [row] = rows[..] else {
            found.push(format!("{THREATS}: X{number} has {} rows", rows.len()));
            continue;
        };
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let is_whole = cells.len() == CELLS && cells.iter().all(|cell| !cell.is_empty());
        if !is_whole || !cells[CELLS - 1].contains(&format!("`x{number}_")) {
            found.push(format!("{THREATS}: the row of X{number} is not whole"));
        }
    }
    found
}

/// Its mark, what is done, where, the limit, what counts it, the tests.
const CELLS: usize = 6;

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.contains('_'))
}

/// Those of the text, and what a macro may make some of: `name: value` on a line of its own.
fn functions(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let named = text.split("fn ").skip(1).filter_map(move |rest| rest.split(ends).next());
    let made = text.lines().filter_map(|line| Some(line.trim_start().split_once(": ")?.0));
    named.chain(made)
}

/// Whether a name begins with the mark of a promise, as those of tests do. A comment that tells of
/// a test is none.
fn is_test(name: &str) -> bool {
    let mark = name.split('_').next();
    mark.is_some_and(|mark| marks::split(&mark.to_ascii_uppercase()).is_some())
}

/// What stands between backticks.
fn quotes(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn is_name(quote: &str) -> bool {
    let has_only = |is_it: fn(u8) -> bool| quote.bytes().all(|b| b == b'_' || is_it(b));
    let is_long = quote.split('_').filter(|word| !word.is_empty()).count() >= WORDS_MIN;
    let is_small = has_only(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let is_capital = has_only(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let is_file = quote.ends_with(".rs") && quote.contains('/') && !quote.contains(['*', ' ']);
    (is_small && is_long) || (is_capital && quote.contains('_')) || is_file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    #[test]
    fn what_is_quoted_must_be_there() {
        let code = "const A_LIMIT: u8 = 1;\n#[test]\nfn x1_this_is_shown() {}\n\
                    tests! {\n    x2_another_is_shown: 7,\n}\n\
                    // See x1_this_was_shown, and how_it_was_counted.\n";
        let good = "`x1_this_is_shown`, `x2_another_is_shown`\n\
                    `A_LIMIT`, `a/src/one.rs`, `two_words`, `a/*.rs`, `X1`\n\
                    `how_it_was_counted`\n";
        let bad = "`x1_this_was_shown` and `B_LIMIT`, `a/src/two.rs`\n";
        let files = [
            file("a/src/one.rs", code),
            file("docs/good.md", good),
            file("bad.md", bad),
            file("CHANGELOG.md", bad),
        ];
        assert_eq!(
            complaints(&files),
            [
                "bad.md:1: no code has `x1_this_was_shown`",
                "bad.md:1: no code has `B_LIMIT`",
                "bad.md:1: no code has `a/src/two.rs`",
            ]
        );
    }

    #[test]
    fn each_threat_has_a_row_that_is_whole() {
        let good = "| X1 | done | where | limit | counter | `x1_it_is` |\n";
        assert_eq!(threat_complaints(good, 1), Vec::<String>::new());
        for bad in [
            "| X1 | done | where |  | counter | `x1_it_is` |\n",
            "| X1 | done | where | limit | counter | `x2_it_is` |\n",
            "| X1 | done | where | limit | `x1_it_is` |\n",
        ] {
            assert_eq!(
                threat_complaints(bad, 1),
                ["docs/threats.md: the row of X1 is not whole"],
                "{bad}"
            );
        }
        assert_eq!(threat_complaints(&good.repeat(2), 1), ["docs/threats.md: X1 has 2 rows"]);
        assert_eq!(threat_complaints(good, 2), ["docs/threats.md: X2 has 0 rows"]);
    }
}
