//! What somebody may have meant who wrote something unknown.

use std::mem;

/// `; did you mean ..?` if one of the known words is close to the one written, else nothing.
#[must_use]
pub fn hint(written: &str, known: impl Iterator<Item = &'static str>) -> String {
    closest(written, known).map_or(String::new(), |word| format!("; did you mean `{word}`?"))
}

/// The known word that is closest to the one written. Of three letters one may be wrong, and two
/// at most: any word is two letters away from any other of two.
#[must_use]
pub fn closest(written: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let (distance, closest) = known.map(|known| (distance(written, known), known)).min()?;
    let letters = written.chars().count().max(closest.chars().count());
    (distance <= (letters / 3).min(2)).then_some(closest)
}

/// Words in a row, with commas.
#[must_use]
pub fn list(words: impl Iterator<Item = &'static str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// How many letters must be added, taken away or changed to turn `a` into `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in (1..).zip(a.chars()) {
        let mut diagonal = mem::replace(&mut row[0], i);
        for (j, to) in (1..).zip(b.chars()) {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j];
            row[j] = changed.min(diagonal + 1).min(row[j - 1] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_words_are_offered() {
        let known = ["crash", "leave"];
        assert_eq!(hint("crush", known.into_iter()), "; did you mean `crash`?");
        assert_eq!(hint("explode", known.into_iter()), "");
        assert_eq!(
            closest("xy", ["at", "by"].into_iter()),
            None,
            "one of two letters is half of it"
        );
        assert_eq!(
            closest("probe_intervl", ["probe_interval"].into_iter()),
            Some("probe_interval")
        );
    }
}
