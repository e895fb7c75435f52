//! Every check bites: nodes are given one fault on purpose, and exploration must find it soon, by
//! the check that stands for the invariant which the fault breaks. (C2)

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use swim_core::Sabotage;
use swim_sim::{
    check::{self, Checker, Twin},
    explore::{self, Failure, Limits, Mask, Plan},
};

#[test]
fn c2_every_fault_is_found_by_its_check() {
    let faults: Vec<_> = Sabotage::ALL.iter().filter(|f| !expected(**f).is_empty()).collect();
    let (next, escaped) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(&&fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match hunt(fault) {
                        Ok(line) => println!("{line}"),
                        Err(line) => escaped.lock().expect("nobody panics with it").push(line),
                    }
                }
            });
        }
    });
    let escaped = escaped.into_inner().expect("nobody panicked with it");
    assert!(escaped.is_empty(), "these got away:\n{}", escaped.join("\n"));
}

/// Runs seed after seed until a check finds something.
fn hunt(fault: Sabotage) -> Result<String, String> {
    // Small clusters: those that never come to agree are waited for long.
    let limits = Limits { nodes_max: 12, ..Limits::default() };
    for seed in 0..SEEDS_MAX {
        let plan = Plan::draw(seed, Mask::default(), &limits);
        let Some(failure) = explore::run_sabotaged(&plan, fault, checkers(fault)).failure else {
            continue;
        };
        let id = invariant(&failure);
        let text = failure.to_string();
        let line = text.lines().next().unwrap_or_default();
        let line = format!("{fault:?} | {id} | seed {seed} | {line}");
        return if expected(fault).contains(&id.as_str()) { Ok(line) } else { Err(line) };
    }
    Err(format!("{fault:?}: nothing found"))
}

/// What looks on: for what only a twin can see, a twin and nothing else; no twin for the others, so
/// that they are found by their own check.
fn checkers(fault: Sabotage) -> Vec<Box<dyn Checker>> {
    match fault {
        Sabotage::CountsLateAcks => vec![Box::new(Twin::default())],
        _ if expected(fault) == ["C3"] => vec![Box::new(Twin::default())],
        _ => check::all(),
    }
}

/// The invariant that was found broken.
fn invariant(failure: &Failure) -> String {
    let text = match failure {
        Failure::Violation(violation) => violation.what.split(':').next(),
        Failure::Liveness { id, .. } => Some(*id),
        Failure::Panic { .. } => Some("panic"),
    };
    text.unwrap_or_default().to_owned()
}

/// What each fault breaks. More than one where it is a matter of luck which shows first.
const fn expected(fault: Sabotage) -> &'static [&'static str] {
    use Sabotage as S;
    match fault {
        S::BelievesWhatIsOutdated | S::RevivesByEqualClaims => &["S1"],
        S::InventsIncarnations => &["S2"],
        // Those accused have no answer that counts, and go on giving it.
        S::RefutesTooLow | S::GoesBackToItsFirstStamp => &["P5", "S3"],
        S::BelievesItsOwnDeath => &["S4"],
        S::AltersMetadata => &["S5"],
        S::SpeaksAfterLeaving | S::CallsBackWhoLeft | S::TakesTheDeadForLeavers => &["S7"],
        S::ActsOnRefusedPackets => &["S9"],
        S::CountsTheDead => &["S10"],
        S::TellsOfJoinsTwice => &["E1"],
        S::SwallowsUpdates => &["E2"],
        S::LosesEvents => &["E3"],
        S::DeliversTwice => &["E4"],
        S::SkipsAMember | S::ProbesTheGone | S::StopsProbing => &["P2"],
        S::SuspectsTooLong | S::KeepsOldSuspicions => &["P3"],
        S::OverdoesItsHealth | S::PassesTheWorstHealth => &["P4"],
        // A probe may be the first that fails too early.
        S::ActsEarly => &["P5", "P1"],
        S::LeavesDeadlinesBehind => &["P5"],
        S::RepeatsClaimsForEver => &["P6"],
        S::BlamesOthersForItsSleep => &["P7"],
        S::SendsLongPackets => &["W1"],
        S::IgnoresItsLimit => &["M1"],
        S::GossipsForNothing => &["M3"],
        S::SendsUnderOneNonceTwice => &["X3"],
        S::ForgetsNewMetadata | S::NeverRepairs => &["L1"],
        S::NeverSuspects => &["L1", "L2"],
        S::NeverRefutes => &["L1", "L4"],
        S::NeverReconnects => &["L1", "L5"],
        S::RefusesNewLives => &["L1", "L9"],
        S::CountsLateAcks => &["P1"],
        S::RefutesTooHigh | S::KillsByHearsay | S::CountsAnAccuserTwice => &["C3"],
        S::GivesNamesAway => &["L11", "C3"],
        S::LeavesWithoutAWord => &["L8", "L1"],
    }
}

/// By then each must be found.
const SEEDS_MAX: u64 = 1_000;
