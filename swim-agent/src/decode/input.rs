//! What is to be explained: hexadecimal digits on the command line or in a file, or the bytes of a
//! file themselves.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::failure::Failure;

/// The bytes that `word` stands for: digits, the name of a file, or `-` for standard input.
///
/// # Errors
///
/// When it is none of these, or can't be read.
pub(super) fn read(word: &str) -> Result<Vec<u8>, Failure> {
    if word == "-" {
        let content = limited(io::stdin(), "standard input")?;
        return of_content(content, "standard input");
    }
    // Digits first: a file with such a name can be called ./cafe.
    match of_hex(word) {
        Some(Ok(bytes)) => Ok(bytes),
        Some(Err(problem)) if !Path::new(word).exists() => Err(usage(word, problem)),
        None if !Path::new(word).exists() => {
            Err(usage(word, "it is neither hexadecimal digits nor the name of a file"))
        }
        Some(Err(_)) | None => {
            let file = File::open(word)
                .map_err(|error| Failure::Runtime(format!("cannot open {word}: {error}")))?;
            of_content(limited(file, word)?, word)
        }
    }
}

/// Digits if there are only such, and otherwise the bytes as they are.
fn of_content(content: Vec<u8>, name: &str) -> Result<Vec<u8>, Failure> {
    match str::from_utf8(&content).ok().and_then(of_hex) {
        Some(Ok(bytes)) => Ok(bytes),
        Some(Err(problem)) => Err(usage(name, problem)),
        None => Ok(content),
    }
}

/// The bytes of digits in pairs, with white space and colons wherever; `None` if there is anything
/// else.
fn of_hex(text: &str) -> Option<Result<Vec<u8>, &'static str>> {
    let digits = text.chars().filter(|c| !c.is_whitespace() && *c != ':');
    let digits: Vec<u8> = digits.map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Some(Err("the number of hexadecimal digits is odd: one is missing or too many"));
    }
    Some(Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect()))
}

fn limited(from: impl Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    from.take(INPUT_LEN_MAX + 1)
        .read_to_end(&mut content)
        .map_err(|error| Failure::Runtime(format!("cannot read {name}: {error}")))?;
    if content.len() as u64 > INPUT_LEN_MAX {
        let limit = INPUT_LEN_MAX >> 20;
        return Err(Failure::Runtime(format!("{name} has more than {limit} MiB: cut it first")));
    }
    Ok(content)
}

fn usage(word: &str, problem: &str) -> Failure {
    let start: String = word.chars().take(SHOWN_MAX).collect();
    let dots = if start.len() < word.len() { ".." } else { "" };
    Failure::Usage(format!("{start:?}{dots}: {problem}; see `swim help decode`"))
}

/// All of it is held in memory.
const INPUT_LEN_MAX: u64 = 1 << 30;
/// How many characters of a word are quoted.
const SHOWN_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_pairs_however_they_are_set() {
        assert_eq!(of_hex("00 fF\n:10"), Some(Ok(vec![0, 0xFF, 0x10])));
        assert_eq!(of_hex(""), Some(Ok(vec![])));
        assert!(of_hex("abc").is_some_and(|read| read.is_err()));
        assert_eq!(of_hex("0x00"), None);
        assert_eq!(of_hex("capture.bin"), None);
    }
}
