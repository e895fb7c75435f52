//! Rules that a file keeps or breaks by itself: length, width, opening, wording.

use crate::{
    code::{blank, without_tests},
    source::Source,
};

/// A file that is longer holds two ideas. Lines of code, without tests, comments and blank lines.
pub const CODE_LINES_MAX: usize = 400;

/// The width that `rustfmt.toml` sets; rustfmt itself lets comments and literals pass.
pub const WIDTH_MAX: usize = 100;

/// What must not be left behind, and why. Each word is written in two parts, so that this file
/// does not complain of itself.
const BANNED: [(&str, &str); 13] = [
    (concat!("to", "do!"), "unfinished code"),
    (concat!("TO", "DO"), "unfinished: do it, or say in a sentence what is missing and why"),
    (concat!("FIX", "ME"), "unfinished: fix it, or say in a sentence what is wrong and why"),
    (concat!("X", "XX"), "unfinished: say in a sentence what is wrong and why"),
    (concat!("db", "g!"), "left over from debugging"),
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/tmp/", "bash"), "a path of one machine"),
    (concat!("issue", " #"), "a tracker will be gone: say what was wrong"),
    (concat!("Issue", " #"), "a tracker will be gone: say what was wrong"),
    (concat!("PR", " #"), "a tracker will be gone: say what was wrong"),
    (concat!("ticket", " #"), "a tracker will be gone: say what was wrong"),
];

/// Everything wrong with `file` by itself, one complaint each.
#[must_use]
pub fn complaints(file: &Source) -> Vec<String> {
    let mut found = banned_words(file);
    if file.is_rust() {
        found.extend(opening(file));
        found.extend(too_wide(file));
        if !file.is_test() {
            let code = without_tests(&blank(&file.text));
            found.extend(too_long(file, &code));
            found.extend(unwraps(file, &code));
        }
    }
    found
}

fn banned_words(file: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        for (word, why) in BANNED {
            if line.match_indices(word).any(|(at, _)| stands_alone(line, at, word)) {
                found.push(format!("{}:{number}: `{word}`: {why}", file.path));
            }
        }
    }
    found
}

/// A word stands alone between characters that cannot be part of it; a path is absolute where
/// nothing of a path stands before it.
fn stands_alone(line: &str, at: usize, word: &str) -> bool {
    let before = line[..at].chars().next_back();
    let after = line[at + word.len()..].chars().next();
    let of_word = |c: char| c.is_alphanumeric() || c == '_';
    let of_path = |c: char| of_word(c) || matches!(c, '.' | '-' | '/' | '~' | '*' | '}' | ']');
    if word.starts_with('/') {
        return !before.is_some_and(of_path);
    }
    let goes_on = word.ends_with(of_word) && after.is_some_and(of_word);
    !goes_on && !before.is_some_and(of_word)
}

fn opening(file: &Source) -> Option<String> {
    if file.text.starts_with("//!") {
        return None;
    }
    Some(format!("{}:1: begins without `//!`: say what it is and what it must never do", file.path))
}

fn too_wide(file: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let width = line.chars().count();
        let cannot_wrap = line.contains("://");
        if width > WIDTH_MAX && !cannot_wrap {
            found.push(format!("{}:{number}: {width} columns, not {WIDTH_MAX}", file.path));
        }
    }
    found
}

fn too_long(file: &Source, code: &str) -> Option<String> {
    let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
    if lines <= CODE_LINES_MAX {
        return None;
    }
    Some(format!("{}: {lines} lines of code, not {CODE_LINES_MAX}: split it", file.path))
}

fn unwraps(file: &Source, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        if line.contains(".unwrap()") {
            found.push(format!("{}:{number}: `unwrap()`: expect, and state why", file.path));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints_of(path: &str, text: &str) -> Vec<String> {
        complaints(&Source { path: path.into(), text: text.into() })
    }

    #[test]
    fn a_good_file_passes() {
        let text =
            "//! A file.\n\nfn f() {}\n\n#[cfg(test)]\nmod tests { fn g() { h.unwrap() } }\n";
        assert_eq!(complaints_of("a/src/b.rs", text), Vec::<String>::new());
    }

    #[test]
    fn finds_banned_words_with_their_line() {
        for (word, _) in BANNED {
            let found = complaints_of("README.md", &format!("fine\nsee \"{word} 1"));
            assert_eq!(found.len(), 1, "{word}: {found:?}");
            assert!(found[0].starts_with("README.md:2: "), "{found:?}");
        }
    }

    #[test]
    fn words_and_paths_inside_others_pass() {
        let words = [
            concat!("mktemp a.X", "XXXXX"),
            concat!("net", "/wo", "rk/"),
            concat!("$DIR}", "/wo", "rk/"),
        ];
        for word in words {
            assert_eq!(complaints_of("a.md", word), Vec::<String>::new(), "{word}");
        }
    }

    #[test]
    fn width_counts_characters_and_spares_links() {
        let wide = |text: &str| complaints_of("a/src/b.rs", &format!("//! A.\n{text}\n")).len();
        assert_eq!(wide(&format!("// {}", "é".repeat(97))), 0);
        assert_eq!(wide(&format!("// {}", "é".repeat(98))), 1);
        assert_eq!(wide(&format!("// https://{}", "e".repeat(98))), 0);
    }

    #[test]
    fn length_counts_code_only() {
        let long = |line: &str, path: &str| {
            complaints_of(path, &format!("//! A.\n{}", line.repeat(CODE_LINES_MAX + 1))).len()
        };
        assert_eq!(long("fn f() {}\n", "a/src/b.rs"), 1);
        assert_eq!(long("// f\n\n", "a/src/b.rs"), 0);
        assert_eq!(long("#[cfg(test)] fn f() {}\n", "a/src/b.rs"), 0);
        assert_eq!(long("fn f() {}\n", "a/tests/b.rs"), 0);
    }

    #[test]
    fn files_open_with_a_doc_and_do_not_unwrap() {
        assert_eq!(complaints_of("a/src/b.rs", "fn f() {}").len(), 1);
        assert_eq!(complaints_of("a/src/b.rs", "//! A.\nfn f() { g.unwrap() }").len(), 1);
        assert_eq!(complaints_of("a/src/b.rs", "//! A.\n/// g.unwrap()\nfn f() {}").len(), 0);
        assert_eq!(complaints_of("a/tests/b.rs", "//! A.\nfn f() { g.unwrap() }").len(), 0);
    }
}
