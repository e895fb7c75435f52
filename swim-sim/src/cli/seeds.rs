//! Which seeds are run: `--seed N` or `--seeds A..B`.

use std::ops::Range;

use super::{
    failure::Failure,
    reader::{Grammar, Reader, wrong},
};

/// `--seed N` or `--seeds A..B`; never both.
#[derive(Debug, Default)]
pub(crate) struct Seeds {
    one: Option<u64>,
    many: Option<Range<u64>>,
}

impl Seeds {
    pub(crate) fn read(&mut self, reader: &mut Reader, flag: &str) -> Result<(), Failure> {
        if flag == "seed" {
            self.one = Some(reader.read(flag, seed)?);
        } else {
            self.many = Some(reader.read(flag, range)?);
        }
        Ok(())
    }

    /// The seeds to run; seed 0 if nothing was said.
    pub(crate) fn checked(self, command: &Grammar) -> Result<Range<u64>, Failure> {
        self.checked_or(command, 0..1)
    }

    /// The seeds to run, or those if nothing was said.
    pub(crate) fn checked_or(
        self,
        command: &Grammar,
        or: Range<u64>,
    ) -> Result<Range<u64>, Failure> {
        match (self.one, self.many) {
            (Some(_), Some(_)) => Err(wrong(command, "--seed and --seeds can't be given both")),
            (Some(seed), None) => Ok(seed..seed + 1),
            (None, Some(seeds)) => Ok(seeds),
            (None, None) => Ok(or),
        }
    }
}

/// The largest one has no successor, with which a range could end.
fn seed(text: &str) -> Result<u64, String> {
    let seed = text.trim().parse().ok().filter(|seed| *seed < u64::MAX);
    seed.ok_or_else(|| format!("expected a whole number, 0 to {}", u64::MAX - 1))
}

/// `0..100`: from the first until before the last.
fn range(text: &str) -> Result<Range<u64>, String> {
    let wrong = || "expected a range such as 0..100, the last one left out".to_owned();
    let (first, end) = text.split_once("..").ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
    let range = number(first)?..number(end)?;
    if range.start > range.end {
        return Err(format!("the range runs backwards: write {}..{}", range.end, range.start));
    }
    if range.is_empty() {
        return Err("the range is empty: the last one is left out".into());
    }
    if range.end - range.start > SEEDS_MAX {
        return Err(format!("these are more than {SEEDS_MAX} seeds"));
    }
    Ok(range)
}

/// What came of each is kept until the end.
const SEEDS_MAX: u64 = 10_000_000;
