//! Whether the licences we take meet a package's licence expression, and what `deny.toml` says.
//!
//! Expressions are SPDX: names joined by `OR` and `AND` with parentheses, `AND` binding closer. The
//! old `/` of early packages means `OR`. An exception (`WITH`) is part of the name before it.

/// Whether taking only `allowed` licences satisfies `expression`; none when it cannot be read.
#[must_use]
pub fn is_satisfied(expression: &str, allowed: &[&str]) -> Option<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = Words { words: &spaced.split_whitespace().collect::<Vec<_>>(), allowed };
    let satisfied = words.either()?;
    words.words.is_empty().then_some(satisfied)
}

/// The strings of the list `key` in the section `[section]` of a TOML file as plain as `deny.toml`.
/// Of an inline table, the value of `crate` is taken.
#[must_use]
pub fn list<'a>(toml: &'a str, section: &str, key: &str) -> Vec<&'a str> {
    let opening = format!("{key} = [");
    let mut lines = toml.lines().skip_while(|line| *line != format!("[{section}]")).skip(1);
    let mut of_section = lines.by_ref().take_while(|line| !line.starts_with('['));
    let Some(rest) = of_section.find_map(|line| line.strip_prefix(&opening)) else {
        return Vec::new();
    };
    if let Some((inner, _)) = rest.split_once(']') {
        return inner.split(',').filter_map(first_string).collect();
    }
    lines.take_while(|line| !line.starts_with(']')).filter_map(first_string).collect()
}

fn first_string(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

struct Words<'a> {
    words: &'a [&'a str],
    allowed: &'a [&'a str],
}

impl<'a> Words<'a> {
    fn either(&mut self) -> Option<bool> {
        let mut satisfied = self.both()?;
        while self.take("OR") {
            satisfied |= self.both()?;
        }
        Some(satisfied)
    }

    fn both(&mut self) -> Option<bool> {
        let mut satisfied = self.one()?;
        while self.take("AND") {
            satisfied &= self.one()?;
        }
        Some(satisfied)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let satisfied = self.either()?;
            return self.take(")").then_some(satisfied);
        }
        let name = self.next().filter(|name| !matches!(*name, ")" | "OR" | "AND" | "WITH"))?;
        if self.take("WITH") {
            let full = format!("{name} WITH {}", self.next()?);
            return Some(self.allowed.contains(&full.as_str()));
        }
        Some(self.allowed.contains(&name))
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.words.first() == Some(&word);
        if is_next {
            self.words = &self.words[1..];
        }
        is_next
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let cases = [
            ("MIT", Some(true)),
            ("GPL-3.0", Some(false)),
            ("MIT OR GPL-3.0", Some(true)),
            ("GPL-3.0/MIT", Some(true)),
            ("MIT AND GPL-3.0", Some(false)),
            ("GPL-3.0 AND ISC OR MIT", Some(true)),
            ("GPL-3.0 AND (ISC OR MIT)", Some(false)),
            ("(MIT OR Apache-2.0) AND ISC", Some(true)),
            ("Apache-2.0 WITH LLVM-exception", Some(false)),
            ("Apache-2.0 WITH LLVM-exception OR MIT", Some(true)),
            ("", None),
            ("MIT OR", None),
            ("(MIT", None),
            ("MIT)", None),
            ("MIT ISC", None),
        ];
        for (expression, expected) in cases {
            let found = is_satisfied(expression, &["MIT", "Apache-2.0", "ISC"]);
            assert_eq!(found, expected, "{expression}");
        }
    }

    #[test]
    fn lists() {
        let toml = "[a]\nallow = [\"x\"]\n[b]\nallow = [\n    \"y\", # z\n\
            \x20   { crate = \"w\", reason = \"v\" },\n]\ndeny = []\n\
            [c]\nother = [\"u\", \"t\"]\n";
        assert_eq!(list(toml, "a", "allow"), ["x"]);
        assert_eq!(list(toml, "b", "allow"), ["y", "w"]);
        assert_eq!(list(toml, "b", "deny"), [""; 0]);
        assert_eq!(list(toml, "b", "other"), [""; 0]);
        assert_eq!(list(toml, "c", "other"), ["u", "t"]);
    }
}
