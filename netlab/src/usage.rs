//! What a process has used, as the kernel counts it.

use std::{fs, io, time::Duration};

/// What a process has used of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Time on a processor for what the program does itself.
    pub user: Duration,
    /// Time on a processor for what the kernel does for it.
    pub system: Duration,
    /// Memory that it holds, in KiB.
    pub resident: u64,
    /// Descriptors that it has open.
    pub files: usize,
}

impl Usage {
    /// Of the process with this number, until now.
    ///
    /// # Errors
    ///
    /// When there is no such process.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let read = |file| fs::read_to_string(format!("/proc/{pid}/{file}"));
        let unclear = || io::Error::other(format!("/proc/{pid} can't be understood"));
        let (user, system) = times(&read("stat")?).ok_or_else(unclear)?;
        let resident = resident(&read("status")?).ok_or_else(unclear)?;
        let files = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
        Ok(Self { user, system, resident, files })
    }

    /// Time on a processor, of both kinds.
    #[must_use]
    pub fn processor(&self) -> Duration {
        self.user + self.system
    }
}

/// The times, which stand 14th and 15th. The second field may itself have blanks and parentheses.
fn times(stat: &str) -> Option<(Duration, Duration)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut time = || fields.next()?.parse().ok().map(|ticks: u64| TICK * ticks as u32);
    Some((time()?, time()?))
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim_end_matches("kB").trim().parse().ok()
}

/// The unit of times in `/proc`, on every Linux that there is (`getconf CLK_TCK`).
const TICK: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_the_program_is_called() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 100 0 0 0 123 45 0 0 20 0 4 0 99 1 2";
        let times = times(stat).unwrap();
        assert_eq!(times, (Duration::from_millis(1_230), Duration::from_millis(450)));
        assert_eq!(resident("Name:\tx\nVmRSS:\t    5120 kB\nThreads:\t1\n"), Some(5_120));
    }

    #[test]
    fn this_process_uses_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.resident > 100 && usage.files >= 3, "{usage:?}");
    }
}
