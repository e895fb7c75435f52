//! What of a Rust file is code: comments and literals blanked, tests cut out.
//!
//! This is a reader of shapes, not a parser: it knows comments, literals and brackets, and that is
//! enough to count lines and to find paths. Lengths and line numbers stay what they were.

/// Attributes that take the item after them out of what is shipped.
const TEST_ONLY: [&str; 2] = ["#[cfg(test)]", "#[cfg(all(test,"];

/// Words an item may begin with, as opposed to a field, a variant or an arm.
const ITEM_WORDS: [&str; 14] = [
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "macro_rules",
    "mod",
    "pub",
    "static",
    "struct",
    "trait",
    "type",
    "use",
];

/// `text` with comments turned into spaces and literals into underscores.
#[must_use]
pub fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (end, fill) = token(bytes, at);
        if let Some(fill) = fill {
            paint(&mut out[at..end], fill);
        }
        at = end;
    }
    into_text(out)
}

/// Blanked `code` with everything under `#[cfg(test)]` turned into spaces.
#[must_use]
pub fn without_tests(code: &str) -> String {
    let mut out = code.as_bytes().to_vec();
    for attribute in TEST_ONLY {
        for (at, _) in code.match_indices(attribute) {
            let end = item_end(code.as_bytes(), at);
            paint(&mut out[at..end], b' ');
        }
    }
    into_text(out)
}

/// Whether `byte` can be part of a name.
#[must_use]
pub const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The end of the token that starts at `at`, and what to paint it with.
fn token(bytes: &[u8], at: usize) -> (usize, Option<u8>) {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => (at + line_len(rest), Some(b' ')),
        [b'/', b'*', ..] => (at + block_comment_len(rest), Some(b' ')),
        [b'"', ..] => (at + quoted_len(rest, b'"'), Some(b'_')),
        [b'\'', ..] if is_char_literal(rest) => (at + quoted_len(rest, b'\''), Some(b'_')),
        [first, ..] if is_name_byte(*first) => {
            if let Some(len) = raw_string_len(rest) {
                return (at + len, Some(b'_'));
            }
            (at + rest.iter().take_while(|byte| is_name_byte(**byte)).count(), None)
        }
        _ => (at + 1, None),
    }
}

fn line_len(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

fn block_comment_len(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted_len(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `'a'` and `'\n'` are literals, `'a` is a lifetime.
fn is_char_literal(rest: &[u8]) -> bool {
    let Some(first) = rest.get(1) else { return false };
    let len = match first {
        b'\\' => return true,
        0x00..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    };
    rest.get(1 + len) == Some(&b'\'')
}

fn raw_string_len(rest: &[u8]) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        rest.starts_with(prefix.as_bytes()) && matches!(rest.get(prefix.len()), Some(b'#' | b'"'))
    })?;
    let hashes = rest[prefix.len()..].iter().take_while(|byte| **byte == b'#').count();
    let open = prefix.len() + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let body = &rest[open + 1..];
    let len = body.windows(close.len()).position(|window| window == close.as_bytes());
    Some(len.map_or(rest.len(), |len| open + 1 + len + close.len()))
}

/// Where the item ends whose first attribute stands at `at`: after its block or semicolon, or, for
/// fields and the like, after its comma or before the bracket that closes what it stands in.
fn item_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at) == Some(&b'#') {
        at = group_end(bytes, at + 1);
        at += bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }
    let word_len = bytes[at..].iter().take_while(|byte| is_name_byte(**byte)).count();
    let is_item = ITEM_WORDS.iter().any(|word| word.as_bytes() == &bytes[at..at + word_len]);
    while at < bytes.len() {
        match bytes[at] {
            b'{' => return group_end(bytes, at),
            b'(' | b'[' => at = group_end(bytes, at),
            b';' => return at + 1,
            b',' if !is_item => return at + 1,
            b'}' | b')' | b']' => return at,
            _ => at += 1,
        }
    }
    at
}

/// The place after the bracket that closes the one at `at`.
fn group_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in bytes[at..].iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + offset + 1;
        }
    }
    bytes.len()
}

fn paint(bytes: &mut [u8], fill: u8) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = fill;
    }
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("tokens are painted whole, so no character is cut")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_comments_and_literals_and_nothing_else() {
        let cases = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("a\"b", 'c', '\'', '"')"#, "f(______, ___, ____, ___)"),
            ("r#\"a\"b\"# + br\"\\\" + r#fn", "________ + _____ + r#fn"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("\"a\nb\" 'é'", "__\n__ ____"),
            ("\"// no\" // yes", "_______       "),
        ];
        for (text, expected) in cases {
            assert_eq!(blank(text), expected, "{text}");
        }
    }

    #[test]
    fn cuts_test_items_and_keeps_what_follows() {
        let cases = [
            ("#[cfg(test)]\nmod tests { fn a() { b } } c", "c"),
            ("#[cfg(test)] mod tests; c", "c"),
            ("#[cfg(test)] #[path = _] mod tests; c", "c"),
            ("#[cfg(test)] fn f<A, B>(x: [u8; 2]) -> A { b } c", "c"),
            ("#[cfg(all(test, unix))] use a::{b, c}; c", "; c"),
            ("S { #[cfg(test)] a: u8, c }", "S {  c }"),
            ("S { #[cfg(test)] a: u8 } c", "S { } c"),
        ];
        for (code, expected) in cases {
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words(&without_tests(code)), words(expected), "{code}");
        }
    }
}
