//! Text from others, made safe for lines and terminals.
//!
//! Names, metadata and payloads come from the network. Whatever they hold, a line stays one line, a
//! value ends where it seems to end, and a terminal does nothing but show it. (X15)

use std::fmt::{self, Write};

/// A text without its control characters.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { f.write_char(c)? }
        }
        Ok(())
    }
}

/// A text as the value of `key=value`: bare if it is one plain word, else quoted and escaped.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain =
            |c: char| c.is_alphanumeric() || (c.is_ascii_graphic() && !"\"=\\".contains(c));
        if !self.0.is_empty() && self.0.chars().all(is_plain) {
            f.write_str(self.0)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x15_values_are_bare_only_if_they_are_one_plain_word() {
        let cases = [
            ("web-1.example.org:7946", "web-1.example.org:7946"),
            ("käse", "käse"),
            ("", r#""""#),
            ("two words", r#""two words""#),
            ("a=b", r#""a=b""#),
            ("say \"hi\"", r#""say \"hi\"""#),
            ("a\nb\u{1b}[2J\u{202e}", r#""a\nb\u{1b}[2J\u{202e}""#),
        ];
        for (text, expected) in cases {
            assert_eq!(Quoted(text).to_string(), expected);
        }
    }

    #[test]
    fn x15_sentences_keep_their_spaces_and_lose_their_control_characters() {
        assert_eq!(Escaped("two\twords \u{1b}[1m").to_string(), "two\\twords \\u{1b}[1m");
    }
}
