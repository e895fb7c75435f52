//! Every check bites: nodes are given one fault on purpose, and exploration must find it soon, by
//! the check that stands for the invariant which the fault breaks. (C2)

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use swim_core::{Dialect, Sabotage};
use swim_sim::{
    check::{self, Checker, Twin},
    explore::{self, Class, Failure, Limits, Mask, Mode, Plan},
};

/// Every fault is found, and every checker finds one.
#[test]
fn c2_every_fault_is_found_by_its_check() {
    let faults = Sabotage::ALL;
    let (next, escaped) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let finders = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(&fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match hunt(fault) {
                        Ok((line, finder)) => {
                            println!("{line}");
                            finders.lock().expect("nobody panics with it").extend(finder);
                        }
                        Err(line) => escaped.lock().expect("nobody panics with it").push(line),
                    }
                }
            });
        }
    });
    let escaped = escaped.into_inner().expect("nobody panicked with it");
    assert!(escaped.is_empty(), "these got away:\n{}", escaped.join("\n"));
    let finders = finders.into_inner().expect("nobody panicked with it");
    let checkers = check::for_world(2, Dialect::Native);
    let idle: Vec<_> =
        checkers.iter().map(|it| it.id()).filter(|it| !finders.contains(it)).collect();
    assert!(idle.is_empty(), "these find nothing: {idle:?}");
}

/// The promises that no fault breaks alone: faults that others find first break them too, where
/// nobody else looks on and the run is of the right kind.
#[test]
fn c2_peace_and_the_sick_are_looked_after() {
    let is_frozen = |mode: Mode| matches!(mode, Mode::Frozen { .. });
    let is_mild = |mode: Mode| mode == Mode::Mild;
    type Case = (Sabotage, fn(Mode) -> bool, &'static str);
    let cases: [Case; 4] = [
        (Sabotage::NeverRefutes, is_mild, "L3"),
        (Sabotage::NeverRefutes, |mode| mode == Mode::Calm, "L4"),
        (Sabotage::NeverRefutes, is_frozen, "L6"),
        (Sabotage::LeavesWithoutAWord, |mode| mode == Mode::Calm, "L8"),
    ];
    for (fault, is_it, id) in cases {
        let limits = Limits { nodes_max: 12, ..Limits::default() };
        let plans = (0..SEEDS_MAX).map(|seed| Plan::draw(seed, native(), &limits));
        let found = plans.filter(|plan| is_it(plan.mode)).find_map(|plan| {
            let failure = explore::run_sabotaged(&plan, fault, Vec::new()).failure?;
            (invariant(&failure) == id).then_some((plan.seed, failure))
        });
        let (seed, failure) = found.unwrap_or_else(|| panic!("{fault:?} is never found as {id}"));
        println!("{fault:?} | {id} | seed {seed} | {failure}");
    }
}

/// D5: what fails is repeated by its line, whatever it was explored with, and gets smaller in
/// nodes, in faults and in time.
#[test]
fn d5_a_failure_is_repeated_by_its_line_and_gets_smaller() {
    let fault = Sabotage::NeverSuspects;
    let attempt =
        |plan: &Plan| explore::run_sabotaged(plan, fault, check::all(plan.settings.size)).failure;
    let mask = native().with(Class::Loss).with(Class::Skew);
    let limits =
        Limits { nodes_min: 5, nodes_max: 8, chaos_max: std::time::Duration::from_millis(40_500) };
    let (plan, failure) = (0..SEEDS_MAX)
        .map(|seed| Plan::draw(seed, mask, &limits))
        .find_map(|plan| attempt(&plan).map(|failure| (plan, failure)))
        .expect("who suspects nobody is found");
    let line = explore::command(plan.seed, mask, &limits);
    assert!(line.contains(
        "--mask loss,skew,memberlist --nodes-min 5 --nodes-max 8 --chaos-max '40s 500ms'"
    ));
    let small = explore::shrink(&plan, 300, attempt).expect("it fails");
    println!("{line}\n{}: {}", small.summary(), small.failure);
    assert_eq!(small.failure.finder(), failure.finder());
    let size = |plan: &Plan| (plan.hosts().len(), plan.actions.len(), plan.chaos);
    let (before, after) = (size(&plan), size(&small.plan));
    assert!(after.0 < before.0 && after.1 < before.1 && after.2 < before.2, "{before:?} {after:?}");
    assert_eq!(attempt(&small.plan), Some(small.failure), "the plan that is left fails alike");
}

/// Runs seed after seed until a check finds something. Returns what, and which checker found it,
/// if it was one.
fn hunt(fault: Sabotage) -> Result<(String, Option<&'static str>), String> {
    // Small clusters: those that never come to agree are waited for long.
    let limits = Limits { nodes_max: 12, ..Limits::default() };
    let is_memberlist = fault == Sabotage::TakesEnvelopesAgain;
    let mask = if is_memberlist { Mask::default() } else { native() };
    let plans = (0..SEEDS_MAX).map(|seed| Plan::draw(seed, mask, &limits));
    for plan in plans.filter(|plan| plan.settings.memberlist.is_some() == is_memberlist) {
        let checkers = checkers(fault, plan.settings.size);
        let Some(failure) = explore::run_sabotaged(&plan, fault, checkers).failure else {
            continue;
        };
        let id = invariant(&failure);
        if is_looked_at_alone(fault) && matches!(failure, Failure::Liveness { .. }) {
            continue; // It ended badly, too, which is not what is asked.
        }
        let text = failure.to_string();
        let line = text.lines().next().unwrap_or_default();
        let line = format!("{fault:?} | {id} | seed {} | {line}", plan.seed);
        let finder = match &failure {
            Failure::Violation(violation) => Some(violation.checker),
            Failure::Liveness { .. } | Failure::Panic { .. } => None,
        };
        return if expected(fault).contains(&id.as_str()) { Ok((line, finder)) } else { Err(line) };
    }
    Err(format!("{fault:?}: nothing found"))
}

/// The faults are those of a native node, but for one: by another dialect's rules, some would be
/// none.
fn native() -> Mask {
    Mask::default().with(Class::Memberlist)
}

/// What looks on: for what only a twin can see, a twin and nothing else; no twin for the others, so
/// that they are found by their own check. What others see as soon is looked at by that one alone.
fn checkers(fault: Sabotage, size: usize) -> Vec<Box<dyn Checker>> {
    match fault {
        Sabotage::CountsLateAcks => vec![Box::new(Twin::default())],
        _ if expected(fault) == ["C3"] => vec![Box::new(Twin::default())],
        _ if is_looked_at_alone(fault) => {
            check::all(size).into_iter().filter(|it| expected(fault) == [it.id()]).collect()
        }
        _ => check::all(size),
    }
}

const fn is_looked_at_alone(fault: Sabotage) -> bool {
    use Sabotage as S;
    matches!(fault, S::SendsUnderOneNonceTwice | S::GivesNamesAway | S::BelievesFarewells)
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
        // Those accused have no answer that counts, and go on giving it, or are failed for that.
        // Or a liar's words stand.
        S::RefutesTooLow | S::GoesBackToItsFirstStamp => &["P5", "S3", "L1", "L3", "L6"],
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
        // A probe may be the first that fails too early, or a leave whose end is taken for past.
        S::ActsEarly => &["P5", "P1", "L7", "L8"],
        S::LeavesDeadlinesBehind | S::AnswersEveryAck => &["P5"],
        S::RepeatsClaimsForEver => &["P6"],
        S::BlamesOthersForItsSleep => &["P7"],
        S::SendsLongPackets => &["W1"],
        S::IgnoresItsLimit => &["M1"],
        S::GossipsForNothing => &["M3"],
        S::TakesEnvelopesAgain => &["O5"],
        S::SendsUnderOneNonceTwice => &["X3"],
        S::ForgetsNewMetadata => &["L1"],
        // What gossip missed may be a whole member.
        S::NeverRepairs => &["L1", "L5"],
        S::NeverSuspects => &["L2"],
        // Who forgot that it lived in a later life does not say that it lives in this one.
        S::NeverRefutes => &["L4", "L1", "L3", "L6"],
        S::NeverReconnects => &["L5"],
        S::RefusesNewLives => &["L9"],
        S::CountsLateAcks | S::CountsForeignAcks => &["P1"],
        S::RefutesTooHigh | S::KillsByHearsay | S::CountsAnAccuserTwice => &["C3"],
        S::ReadsPlaintext | S::ActsOnRefusedStreams => &["X2"],
        S::AnswersStrangersTwice | S::PestersTheSilent => &["X6"],
        S::ReadsFormerLives => &["X4"],
        // Nobody hears such a one any more, by and by not even that it is there.
        S::KeepsUsedUpNumbers => &["L1", "L5"],
        S::ReadsFormerKeys => &["X18"],
        S::BelievesTheDead | S::JudgesWhatNobodyHeard | S::ExecutesAtOnce => &["C3"],
        S::GivesNamesAway | S::BelievesFarewells => &["X9"],
        S::JoinsForEver | S::ForgetsItsJoins => &["L7"],
        S::LeavesWithoutAWord => &["L8", "L6"],
        S::LeavesForEver => &["L8"],
        S::DropsTheFormerKey => &["L10"],
        S::YieldsItsName => &["L11"],
    }
}

/// By then each must be found.
const SEEDS_MAX: u64 = 1_000;
