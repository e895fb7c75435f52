//! Joining a cluster: an attempt of the node with the addresses given and one with those behind
//! names, at the same time; one report.

use core::{net::SocketAddr, time::Duration};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use swim_core::{EventKind, JoinError, JoinId, Node, SeedOutcome};

use crate::{
    concurrently::{both, unless},
    error::{JoinFailed, SeedReport, SeedResult},
    lookup::{Found, Terms, look_up, look_up_literal},
    machine::Ticket,
    remote::{Remote, Turn},
};

/// What came of a join that led into the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// How many seeds know us now and we know them. 0 when the seeds are only this node itself, as
    /// for the first node of a cluster.
    pub contacted: usize,
    /// What came of each seed, in the order given.
    pub seeds: Vec<SeedReport>,
}

/// Joins through `seeds`. Dropping the future cancels the join.
pub(crate) async fn join(
    remote: &Remote<Node>,
    seeds: Vec<String>,
    timeout: Duration,
) -> Result<Joined, JoinFailed> {
    if seeds.is_empty() {
        return Err(JoinFailed::Refused(JoinError::NoSeeds));
    }
    let (bound, clock) = (remote.bound_addr(), remote.clock());
    // Half of the time must be left for those that were found.
    let terms = Terms { port: bound.port(), is_ipv4: bound.is_ipv4(), limit: timeout / 2, clock };
    let literals: Vec<_> = seeds.iter().map(|seed| look_up_literal(seed, terms)).collect();
    let (known, names) =
        (addrs_of(&literals.iter().flatten().collect::<Vec<_>>(), &[]), unknown(seeds, &literals));
    // A name server that is slow must not keep those waiting whose address is known.
    let (by_addr, by_name) = both(
        attempt(remote, known.clone(), timeout),
        attempt_names(remote, names, &known, terms, timeout),
    )
    .await;
    let (mut outcomes, (named, others)) = (by_addr?, by_name?);
    outcomes.extend(others);
    let mut named = named.into_iter();
    let found = literals.into_iter().filter_map(|found| found.or_else(|| named.next())).collect();
    conclude(found, &outcomes)
}

/// The seeds that a name server must be asked for.
fn unknown(seeds: Vec<String>, literals: &[Option<Found>]) -> Vec<String> {
    let with_literal = seeds.into_iter().zip(literals);
    with_literal.filter(|(_, found)| found.is_none()).map(|(seed, _)| seed).collect()
}

/// All addresses that were found, each once, without those of `known`.
fn addrs_of(found: &[&Found], known: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut addrs: Vec<SocketAddr> = Vec::new();
    for addr in found.iter().filter_map(|found| found.result.as_ref().ok()).flatten() {
        if !known.contains(addr) && !addrs.contains(addr) {
            addrs.push(*addr);
        }
    }
    addrs
}

/// Looks up `names`, and makes one attempt with those of their addresses that are not `known`.
async fn attempt_names(
    remote: &Remote<Node>,
    names: Vec<String>,
    known: &[SocketAddr],
    terms: Terms,
    timeout: Duration,
) -> Result<(Vec<Found>, BTreeMap<SocketAddr, SeedOutcome>), JoinFailed> {
    if names.is_empty() {
        return Ok((Vec::new(), BTreeMap::new()));
    }
    let began_at = terms.clock.now();
    let found = unless(look_up(names, terms), remote.stopped()).await;
    let found = found.ok_or(JoinFailed::Stopped)?;
    let remaining = timeout.saturating_sub(terms.clock.now().saturating_since(began_at));
    let outcomes =
        attempt(remote, addrs_of(&found.iter().collect::<Vec<_>>(), known), remaining).await?;
    Ok((found, outcomes))
}

/// One attempt of the node; none without addresses.
async fn attempt(
    remote: &Remote<Node>,
    addrs: Vec<SocketAddr>,
    timeout: Duration,
) -> Result<BTreeMap<SocketAddr, SeedOutcome>, JoinFailed> {
    if addrs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut attempt = Attempt { remote, id: Arc::default(), is_over: false };
    let id = Arc::clone(&attempt.id);
    let end = remote.request(move |node, now| {
        let join = node.join(now, &addrs, timeout)?;
        id.get_or_init(|| join);
        Ok(Ticket::Join(join))
    });
    let end = end.await;
    attempt.is_over = true;
    let event = end?.map_err(JoinFailed::Refused)?;
    let EventKind::JoinFinished { seeds, .. } = event.kind else {
        unreachable!("only the end of a join has the ticket of a join");
    };
    Ok(seeds.into_iter().collect())
}

/// An attempt under way: cancelled when its caller is gone before it is over. The command may not
/// have run yet; commands keep their order, so by the time the cancellation runs, it has. One that
/// never came into line, because there was no room, needs no cancellation, which would take more.
struct Attempt<'a> {
    remote: &'a Remote<Node>,
    id: Arc<OnceLock<JoinId>>,
    is_over: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        // The command holds the same cell until it has run, and leaves the id in it.
        let is_begun = Arc::get_mut(&mut self.id).is_none_or(|only| only.get().is_some());
        if self.is_over || !is_begun {
            return;
        }
        let id = Arc::clone(&self.id);
        self.remote.post(Box::new(move |turn: &mut Turn<'_, Node>| {
            if let Some(join) = id.get() {
                turn.machine.cancel_join(turn.now, *join);
            }
        }));
    }
}

/// Puts the outcomes beside what was given, and decides whether it was a success.
fn conclude(
    found: Vec<Found>,
    outcomes: &BTreeMap<SocketAddr, SeedOutcome>,
) -> Result<Joined, JoinFailed> {
    let mut seeds = Vec::new();
    for Found { given, result } in found {
        match result {
            Err(problem) => {
                seeds.push(SeedReport { given, result: SeedResult::Unresolved { problem } });
            }
            Ok(addrs) => seeds.extend(addrs.into_iter().map(|addr| {
                let outcome = outcomes.get(&addr).cloned().unwrap_or(SeedOutcome::TimedOut);
                SeedReport { given: given.clone(), result: SeedResult::Tried { addr, outcome } }
            })),
        }
    }
    let contacted = outcomes.values().filter(|outcome| outcome.is_joined()).count();
    let is_alone =
        !outcomes.is_empty() && outcomes.values().all(|outcome| *outcome == SeedOutcome::Myself);
    if contacted > 0 || is_alone {
        Ok(Joined { contacted, seeds })
    } else {
        Err(JoinFailed::NoSeed { seeds })
    }
}

#[cfg(test)]
mod tests {
    use core::pin::pin;

    use swim_core::Name;

    use super::*;
    use crate::{
        clock::Clock,
        events::{Capacity, Events},
        remote::{Identity, LoopEnd, Shared},
        testing::{block_on, context, poll_once},
    };

    fn addr(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn conclude_for(outcomes: &[SeedOutcome], unresolved: bool) -> Result<Joined, JoinFailed> {
        let outcomes: BTreeMap<_, _> = (1..).map(addr).zip(outcomes.iter().cloned()).collect();
        let found =
            outcomes.keys().map(|addr| Found { given: addr.to_string(), result: Ok(vec![*addr]) });
        let lost = unresolved.then(|| Found { given: "x".into(), result: Err("no".into()) });
        conclude(found.chain(lost).collect(), &outcomes)
    }

    #[test]
    fn one_seed_is_enough_and_so_is_being_alone() {
        let joined = || SeedOutcome::Joined { name: Name::new("a").unwrap() };
        let cases = [
            (vec![joined(), SeedOutcome::Unreachable], true, Some(1)),
            (vec![joined(), joined()], false, Some(2)),
            (vec![SeedOutcome::Myself], false, Some(0)),
            (vec![SeedOutcome::Myself], true, Some(0)),
            (vec![SeedOutcome::Myself, SeedOutcome::Unreachable], false, None),
            (vec![SeedOutcome::Closed], false, None),
            (vec![], true, None),
        ];
        for (outcomes, unresolved, contacted) in cases {
            let result = conclude_for(&outcomes, unresolved);
            assert_eq!(
                result.as_ref().ok().map(|joined| joined.contacted),
                contacted,
                "{result:?}"
            );
        }
    }

    #[test]
    fn a_join_that_is_dropped_takes_one_more_place_at_most_and_none_without_room() {
        let identity =
            Identity { name: Name::new("a").unwrap(), addr: addr(1), bound_addr: addr(1) };
        let (queue, _events) = Events::channel(Capacity { events: 1, bytes: 0 });
        let shared = Arc::new(Shared::<Node>::new(identity, Clock::start(), queue));
        let remote = Remote::new(Arc::clone(&shared));
        for _ in 0..10_000 {
            let attempt = pin!(join(&remote, vec!["10.0.0.1".into()], Duration::from_secs(9)));
            assert!(poll_once(attempt).is_none(), "nobody carries it out");
        }
        let mut waiting = 0;
        while shared.commands.poll_take(&context()).is_ready() {
            waiting += 1;
        }
        assert!(waiting > 1_000 && waiting <= 1_025, "{waiting} commands wait");
    }

    #[test]
    fn addresses_do_not_wait_for_names_and_a_stop_ends_all() {
        let identity =
            Identity { name: Name::new("a").unwrap(), addr: addr(1), bound_addr: addr(1) };
        let (queue, _events) = Events::channel(Capacity { events: 1, bytes: 0 });
        let shared = Arc::new(Shared::<Node>::new(identity, Clock::start(), queue));
        let remote = Remote::new(Arc::clone(&shared));
        let seeds = vec!["10.0.0.1".into(), "name.invalid".into()];
        let mut joining = pin!(join(&remote, seeds, Duration::from_secs(600)));
        assert!(poll_once(joining.as_mut()).is_none());
        assert!(shared.commands.poll_take(&context()).is_ready(), "it tries the address at once");

        drop(LoopEnd { shared });
        let only_names = join(&remote, vec!["name.invalid".into()], Duration::from_secs(600));
        assert_eq!(block_on(only_names), Err(JoinFailed::Stopped));
        assert_eq!(block_on(joining), Err(JoinFailed::Stopped));
    }

    #[test]
    fn a_failure_names_every_seed_and_its_reason() {
        let message = conclude_for(&[SeedOutcome::Unreachable], true).unwrap_err().to_string();
        let expected = "none of the seeds could be joined: 127.0.0.1:1 could not be reached; x: no";
        assert_eq!(message, expected);
    }
}
