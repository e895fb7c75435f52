//! One run: settings and faults carried out, while all that is safe stays so; then calm.

use std::{
    any::Any,
    cell::RefCell,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    time::Duration,
};

use swim_core::{Instant, Node, Options};

use crate::{
    action::{Action, Rotation},
    check::{self, Checker},
    network::HostId,
    record::{Record, Recorder},
    trace::Trace,
    world::World,
};

use super::{
    counters::{self, Counters},
    effects::Effects,
    malice,
    plan::Plan,
    settings::{FIRST_KEY, Settings},
    verdict::{Failure, Verdict},
    watch::{Notes, Watch},
};

/// Runs a plan with all checkers. Never panics: a panic is a verdict.
#[must_use]
pub fn run(plan: &Plan, trace: Option<Trace>) -> Verdict {
    run_with(plan, trace, &|| checkers(plan))
}

/// Runs a plan with all checkers, and keeps what a report needs. Nothing of it if it panicked.
#[must_use]
pub fn run_recorded(plan: &Plan, trace: Option<Trace>) -> (Verdict, Record) {
    let attempt = || {
        let mut run = Run::new(plan, trace, checkers(plan));
        let title = format!("seed {}", plan.seed);
        let length = plan.chaos + Duration::from_secs(20);
        run.recorder = Some(Recorder::new(&mut run.world, &title, length));
        run.finish()
    };
    let attempt = catch_unwind(AssertUnwindSafe(attempt));
    attempt.unwrap_or_else(|panic| (panicked(plan, &*panic), Record::default()))
}

fn checkers(plan: &Plan) -> Vec<Box<dyn Checker>> {
    check::for_world(plan.settings.size, plan.settings.dialect())
}

/// Runs a plan with these checkers.
#[must_use]
pub fn run_with(
    plan: &Plan,
    trace: Option<Trace>,
    checkers: &dyn Fn() -> Vec<Box<dyn Checker>>,
) -> Verdict {
    let attempt = || Run::new(plan, trace, checkers()).finish().0;
    let attempt = catch_unwind(AssertUnwindSafe(attempt));
    attempt.unwrap_or_else(|panic| panicked(plan, &*panic))
}

/// Runs a plan with these checkers and nodes that have this fault on purpose.
#[cfg(feature = "sabotage")]
#[must_use]
pub fn run_sabotaged(
    plan: &Plan,
    fault: swim_core::Sabotage,
    checkers: Vec<Box<dyn Checker>>,
) -> Verdict {
    let attempt = || {
        let mut run = Run::new(plan, None, checkers);
        run.world.sabotage(fault);
        run.finish().0
    };
    let attempt = catch_unwind(AssertUnwindSafe(attempt));
    attempt.unwrap_or_else(|panic| panicked(plan, &*panic))
}

fn panicked(plan: &Plan, panic: &(dyn Any + Send)) -> Verdict {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    Verdict::panicked(plan, text.unwrap_or("no message").to_owned())
}

/// One run in the making.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: World<Node>,
    /// Who records it, if anybody does.
    pub(super) recorder: Option<Recorder>,
    pub(super) notes: Rc<RefCell<Notes>>,
    /// The keys each host has on disk, the primary first.
    pub(super) rings: BTreeMap<HostId, Vec<u8>>,
    pub(super) newest_key: u8,
    pub(super) counters: Counters,
    /// What the faults did, as long as there are any.
    effects: Option<Effects>,
    /// The settings by which bounds are reckoned: of a cluster that is larger by those that were
    /// invented, who have to be found dead.
    pub(super) bounds: Settings,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, trace: Option<Trace>, checkers: Vec<Box<dyn Checker>>) -> Self {
        let mut world = World::new(plan.seed);
        world.trace = trace;
        let notes = Notes::new(plan.settings.health_max);
        world.watch(Box::new(Watch(Rc::clone(&notes))));
        for checker in checkers {
            world.watch(checker);
        }
        if plan.settings.is_guarded() {
            world.keep_packets();
        }
        let (rings, mut counters) = (BTreeMap::new(), Counters::default());
        for class in &plan.classes {
            counters.add(format!("planned {class}"), 1);
        }
        counters.add(format!("mode {}", plan.mode.name()), 1);
        let effects = Some(Effects::default());
        let invented = malice::invented(plan.actions.iter().map(|timed| timed.action.clone()));
        let bounds = Settings { size: plan.settings.size + invented, ..plan.settings.clone() };
        let newest_key = FIRST_KEY;
        Self { plan, world, recorder: None, notes, rings, newest_key, counters, effects, bounds }
    }

    fn finish(mut self) -> (Verdict, Record) {
        let start = self.world.now;
        let mut converged_in = None;
        let mut failure = self.chaos();
        if failure.is_none() {
            failure = match self.calm() {
                Ok(span) => {
                    converged_in = Some(span);
                    None
                }
                Err(failure) => Some(failure),
            };
        }
        let mut counters = self.counters;
        for id in self.world.running() {
            counters.add_stats(self.world.node(id).stats());
        }
        for checker in self.world.checkers() {
            counters.add(counters::looks(&**checker), checker.looks());
        }
        counters.add_tally(&self.world.tally);
        counters.merge(&self.notes.borrow().counters);
        let recorder = self.recorder;
        let record = recorder.map(|it| it.finish(&mut self.world)).unwrap_or_default();
        let verdict = Verdict {
            seed: self.plan.seed,
            failure,
            converged_in,
            counters,
            digest: self.world.trace.as_ref().map(Trace::digest),
            virtual_time: self.world.now.saturating_since(start),
            steps: self.world.tally.steps,
        };
        (verdict, record)
    }

    /// Does what is planned. Safety is all that is asked for.
    fn chaos(&mut self) -> Option<Failure> {
        let start = self.world.now;
        let plan = self.plan;
        for timed in &plan.actions {
            self.run_to(start + timed.at);
            if self.world.violation().is_some() {
                break;
            }
            self.act(&timed.action);
        }
        self.run_to(start + plan.chaos);
        let effects = self.effects.take().map(|it| it.finish(plan, &self.world.tally));
        for class in effects.into_iter().flatten() {
            self.counters.add(format!("fault {class}"), 1);
        }
        self.violation()
    }

    /// Lets time go by until then.
    fn run_to(&mut self, time: Instant) {
        let time = time.max(self.world.now);
        match &mut self.recorder {
            Some(recorder) => {
                let span = time.saturating_since(self.world.now);
                let length = recorder.time(&self.world) + span;
                recorder.run_to(&mut self.world, length);
            }
            None => self.world.run_to(time),
        }
    }

    pub(super) fn run_for(&mut self, span: Duration) {
        self.run_to(self.world.now + span);
    }

    pub(super) fn act(&mut self, action: &Action) {
        if let Some(effects) = &mut self.effects {
            effects.before(action, &self.world.tally);
        }
        if let Action::Rotate { host, key, step } = action {
            if !self.is_in_order(*key, *step) {
                return;
            }
            self.keep_key(*host, *key, *step);
        }
        let (settings, now, rings) = (&self.plan.settings, self.world.now, &self.rings);
        let options = |host: HostId, options: &mut Options| {
            let keys = rings.get(&host).map_or(&[FIRST_KEY][..], Vec::as_slice);
            settings.apply(host, now, keys, options);
        };
        let is_done = match &mut self.recorder {
            Some(recorder) => recorder.act(&mut self.world, action, &options),
            None => self.world.act(action, &options),
        };
        if is_done {
            self.counters.add(format!("action {}", name(action)), 1);
        }
        if let Some(effects) = &mut self.effects {
            effects.after(self.plan, action, is_done, &self.world);
        }
    }

    /// X18: operators use a key when all have it, and remove one when nobody uses it any more. A
    /// rotation that a full ring stopped goes no further.
    fn is_in_order(&self, key: u8, step: Rotation) -> bool {
        let mut rings = (0..self.plan.settings.size)
            .map(|host| self.rings.get(&host).map_or(&[FIRST_KEY][..], Vec::as_slice));
        match step {
            Rotation::Add => true,
            Rotation::Use => rings.all(|ring| ring.contains(&key)),
            Rotation::Remove => rings.all(|ring| ring.first() != Some(&key)),
        }
    }

    /// Keeps a host's keys on its disk.
    fn keep_key(&mut self, host: HostId, key: u8, step: Rotation) {
        let ring = self.rings.entry(host).or_insert_with(|| vec![FIRST_KEY]);
        let place = ring.iter().position(|&other| other == key);
        match (step, place) {
            (Rotation::Add, None) if ring.len() < swim_core::KEYS_MAX => ring.push(key),
            (Rotation::Use, Some(place)) => {
                let key = ring.remove(place);
                ring.insert(0, key);
                self.newest_key = self.newest_key.max(key);
            }
            (Rotation::Remove, Some(place)) if place > 0 => {
                ring.remove(place);
            }
            _ => {}
        }
    }

    pub(super) fn violation(&self) -> Option<Failure> {
        self.world.violation().cloned().map(Failure::Violation)
    }
}

/// The word for an action, as in a plan.
fn name(action: &Action) -> String {
    let value = serde_json::to_value(action).unwrap_or_default();
    value["do"].as_str().unwrap_or("unknown").to_owned()
}
