//! Hosts as people write them: `3`, `"0-9"`, `"0-3, 7"`, `[1, 2]`, `"all"`.

use crate::network::HostId;

use super::fields::{Fault, Value};

/// The most hosts a scenario may have: what fits into a report.
pub(crate) const HOSTS_MAX: usize = 16_384;

/// Reads one or more hosts. `nodes` is how many `all` are.
pub(crate) fn read(value: Value<'_>, nodes: usize) -> Result<Vec<HostId>, Fault> {
    let mut hosts = Vec::new();
    for value in value.each() {
        match value.as_text() {
            Some(text) => parse(text, nodes, &mut hosts).map_err(|what| value.fault(what))?,
            None => hosts.push(number(value)?),
        }
    }
    if hosts.is_empty() {
        return Err(value.fault("names no host"));
    }
    Ok(hosts)
}

/// Reads exactly one host.
pub(crate) fn read_one(value: Value<'_>) -> Result<HostId, Fault> {
    number(value)
}

fn number(value: Value<'_>) -> Result<HostId, Fault> {
    let number = value.count()? as usize;
    if number >= HOSTS_MAX {
        return Err(value.fault(format!("{number} is too large: hosts count from 0")));
    }
    Ok(number)
}

fn parse(text: &str, nodes: usize, hosts: &mut Vec<HostId>) -> Result<(), String> {
    for part in text.split(',').map(str::trim) {
        if part == "all" {
            hosts.extend(0..nodes);
            continue;
        }
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|it| *it < HOSTS_MAX);
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => hosts.extend(first..=last),
            _ => {
                return Err(format!(
                    "\"{part}\" names no hosts: write 3, \"0-9\", \"0-3, 7\" or \"all\""
                ));
            }
        }
    }
    Ok(())
}

/// Hosts as people write them, shortest first: `0-3, 7`.
#[must_use]
pub fn write(hosts: &[HostId]) -> String {
    let mut parts: Vec<(HostId, HostId)> = Vec::new();
    for &host in hosts {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == host => *last = host,
            _ => parts.push((host, host)),
        }
    }
    let part = |&(first, last): &(HostId, HostId)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<HostId>, String> {
        let mut hosts = Vec::new();
        parse(text, 4, &mut hosts).map(|()| hosts)
    }

    #[test]
    fn hosts_are_read_and_written() {
        assert_eq!(of("all"), Ok(vec![0, 1, 2, 3]));
        assert_eq!(of("0-1, 7"), Ok(vec![0, 1, 7]));
        assert_eq!(write(&[0, 1, 7]), "0-1, 7");
        for wrong in ["", "a", "3-1", "-2", "99999"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
