//! Joining: seeds are tried until one of them answers.
//!
//! Names are looked up again for every try, because between two tries the machine behind a name may
//! have been replaced. "Joined" is said when tables were exchanged with another node, never before.

use std::{collections::BTreeSet, time::Duration};

use swim_tokio::{Handle, JoinFailed, SeedOutcome, SeedResult};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{debug, info, warn};

use crate::seed::Seed;

/// Looks the seeds up, all at the same time, and returns as soon as there is an address behind one
/// of them, or when name servers take too long. What can't be looked up is logged.
///
/// # Errors
///
/// When none can be: then it is more likely a mistake than a bad moment.
pub(crate) async fn check(seeds: &[Seed]) -> Result<(), String> {
    if seeds.is_empty() || seeds.iter().any(Seed::is_literal) {
        return Ok(()); // Joining says what is wrong with the others.
    }
    let mut questions = JoinSet::new();
    for seed in seeds.iter().take(LOOKUPS_MAX) {
        let seed = seed.clone();
        questions
            .spawn(async move { seed.check().await.map_err(|error| format!("{seed}: {error}")) });
    }
    any_found(questions, CHECK_LIMIT).await
}

async fn any_found(
    mut questions: JoinSet<Result<(), String>>,
    limit: Duration,
) -> Result<(), String> {
    let mut failures = Vec::new();
    let answered = timeout(limit, async {
        while let Some(answer) = questions.join_next().await {
            match answer {
                Ok(Err(failure)) => failures.push(failure),
                Ok(Ok(())) | Err(_) => return true,
            }
        }
        false
    });
    let answered = answered.await;
    let failures = failures.join("; ");
    match answered {
        Ok(true) if failures.is_empty() => {}
        Ok(true) => warn!("cannot resolve some seeds yet: {failures}"),
        Ok(false) => return Err(format!("no seed can be resolved: {failures}")),
        Err(_) => warn!("name servers take long to resolve the seeds: not waiting. {failures}"),
    }
    Ok(())
}

/// Tries `seeds` until one answers.
pub(crate) async fn until_joined(handle: &Handle, seeds: &[Seed]) {
    let mut said = BTreeSet::new();
    let mut was_alone = false;
    let mut pause = PAUSE_MIN;
    loop {
        match attempt(handle, seeds).await {
            Attempt::Joined { through } => {
                info!(through, members = handle.counts().live(), "joined the cluster");
                return;
            }
            Attempt::Alone => {
                if !was_alone {
                    info!("behind the seeds is only this node itself: waiting for others");
                }
                if seeds.iter().all(Seed::is_literal) {
                    return;
                }
                was_alone = true; // A name may come to stand for others too.
            }
            Attempt::Failed { reasons } => say_once(&mut said, reasons),
        }
        sleep(spread(pause)).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

enum Attempt {
    /// Tables were exchanged with at least one of the others.
    Joined {
        through: String,
    },
    /// Nobody was found but this node itself.
    Alone,
    Failed {
        reasons: String,
    },
}

async fn attempt(handle: &Handle, seeds: &[Seed]) -> Attempt {
    let given: Vec<String> = seeds.iter().map(Seed::to_string).collect();
    let reports = match handle.join(given).await {
        Ok(joined) => joined.seeds,
        Err(JoinFailed::NoSeed { seeds }) => seeds,
        Err(error) => return Attempt::Failed { reasons: error.to_string() },
    };
    let mut through = Vec::new();
    let mut reasons = Vec::new();
    for report in &reports {
        match &report.result {
            SeedResult::Tried { addr, outcome: SeedOutcome::Joined { name } } => {
                through.push(format!("{name} ({addr})"));
            }
            SeedResult::Tried { outcome: SeedOutcome::Myself, .. } => {}
            _ => reasons.push(report.to_string()),
        }
    }
    if !through.is_empty() {
        if !reasons.is_empty() {
            info!("not all seeds could be joined: {}", reasons.join("; "));
        }
        Attempt::Joined { through: through.join(", ") }
    } else if reasons.is_empty() {
        Attempt::Alone
    } else {
        Attempt::Failed { reasons: reasons.join("; ") }
    }
}

/// Each state of affairs is worth one line, however long it lasts.
fn say_once(said: &mut BTreeSet<String>, reasons: String) {
    if said.len() < REASONS_MAX && !said.contains(&reasons) {
        warn!("not joined yet, trying again until it works: {reasons}");
        said.insert(reasons);
    } else {
        debug!("not joined yet: {reasons}");
    }
}

/// Between half of `pause` and all of it, so that machines that lost power together do not come
/// back in step.
fn spread(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    pause / 2 + Duration::from_micros((pause.as_micros() as u64 * u64::from(random)) >> 33)
}

/// How long the start waits for name servers, of which a resolver asks the first for five seconds.
const CHECK_LIMIT: Duration = Duration::from_secs(5);
/// How many seeds are looked up at the start: each costs a thread for as long as it takes.
const LOOKUPS_MAX: usize = 16;
/// The pause after the first try. A cluster that starts all at once should not wait for its seed.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// How many different states of affairs are logged.
const REASONS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn one_name_that_is_found_is_enough_and_slow_ones_are_not_waited_for() {
        let mut questions = JoinSet::new();
        questions.spawn(pending());
        questions.spawn(async { Err("a: unknown".to_owned()) });
        questions.spawn(async { Ok(()) });
        let never = Duration::from_secs(3_600);
        let found = timeout(Duration::from_secs(30), any_found(questions, never));
        assert_eq!(found.await, Ok(Ok(())));

        let mut questions = JoinSet::new();
        questions.spawn(pending());
        questions.spawn(async { Err("a: unknown".to_owned()) });
        assert_eq!(any_found(questions, Duration::from_millis(10)).await, Ok(()));
    }

    #[tokio::test]
    async fn only_when_all_names_are_unknown_it_is_a_mistake() {
        let mut questions = JoinSet::new();
        questions.spawn(async { Err("a: unknown".to_owned()) });
        questions.spawn(async { Err("b: unknown".to_owned()) });
        let why = any_found(questions, Duration::from_secs(30)).await.unwrap_err();
        assert!(why.contains("a: unknown") && why.contains("b: unknown"), "{why}");
        assert_eq!(check(&[]).await, Ok(()));
        let seeds = ["no-such-host.invalid", "127.0.0.1"].map(|seed| seed.parse().unwrap());
        assert_eq!(check(&seeds).await, Ok(()));
    }

    #[test]
    fn pauses_are_spread_over_their_second_half() {
        for _ in 0..100 {
            let pause = spread(PAUSE_MAX);
            assert!(pause >= PAUSE_MAX / 2 && pause <= PAUSE_MAX, "{pause:?}");
        }
    }
}
