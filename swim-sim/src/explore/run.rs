//! One run: chaos, then calm, then agreement.

use std::{
    any::Any,
    cell::RefCell,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    time::Duration,
};

use swim_core::{Instant, Node, Options, State};

use crate::{
    action::{Action, Rotation, Timed},
    check::{self, Checker},
    network::{HostId, Link},
    record::{Record, Recorder},
    trace::Trace,
    world::World,
};

use super::{
    counters::{self, Counters},
    plan::{Mode, Plan},
    settings::FIRST_KEY,
    trial::Scene,
    verdict::{Failure, Verdict},
    watch::{Notes, Watch},
};

/// Runs a plan with all checkers. Never panics: a panic is a verdict.
#[must_use]
pub fn run(plan: &Plan, trace: Option<Trace>) -> Verdict {
    run_with(plan, trace, &|| check::for_world(plan.settings.size))
}

/// Runs a plan with all checkers, and keeps what a report needs. Nothing of it if it panicked.
#[must_use]
pub fn run_recorded(plan: &Plan, trace: Option<Trace>) -> (Verdict, Record) {
    let attempt = || {
        let mut run = Run::new(plan, trace, check::for_world(plan.settings.size));
        let title = format!("seed {}", plan.seed);
        let length = plan.chaos + AFTERWARDS;
        run.recorder = Some(Recorder::new(&mut run.world, &title, length));
        run.finish()
    };
    let attempt = catch_unwind(AssertUnwindSafe(attempt));
    attempt.unwrap_or_else(|panic| (panicked(plan, &*panic), Record::default()))
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

struct Run<'a> {
    plan: &'a Plan,
    world: World<Node>,
    /// Who records it, if anybody does.
    recorder: Option<Recorder>,
    notes: Rc<RefCell<Notes>>,
    /// The keys each host has on disk, the primary first.
    rings: BTreeMap<HostId, Vec<u8>>,
    newest_key: u8,
    counters: Counters,
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
            counters.add(format!("fault {class}"), 1);
        }
        Self { plan, world, recorder: None, notes, rings, newest_key: FIRST_KEY, counters }
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

    fn run_for(&mut self, span: Duration) {
        self.run_to(self.world.now + span);
    }

    fn act(&mut self, action: &Action) {
        if let Action::Rotate { host, key, step } = action {
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

    /// Mends everything; returns how long they took to agree.
    fn calm(&mut self) -> Result<Duration, Failure> {
        self.mend();
        if let Some(recorder) = &mut self.recorder {
            recorder.note(&self.world, "all is mended");
        }
        let core = self.plan.core();
        for timed in &self.plan.lasting {
            self.act(&timed.action);
        }
        // Those that stand still or leave come to an end of it.
        let stands = self.world.hosts()[..core.min(self.world.hosts().len())]
            .iter()
            .map(|host| host.stands_until().saturating_since(self.world.now));
        let rest = stands.max().unwrap_or_default();
        self.run_for(rest);
        let start = self.world.now;
        let was_split = self.is_split();
        self.agree(core)?;
        let took = self.world.now.saturating_since(start);
        self.counters.add("agreement", 1);
        self.counters.add("partition merged", u64::from(was_split));
        self.run_for(AFTERWARDS);
        if let Some(failure) = self.violation() {
            return Err(failure);
        }
        self.check_outcome(core)?;
        if !matches!(self.plan.mode, Mode::Frozen { .. }) {
            self.rest()?;
            self.attempt()?;
            self.agree(core)?;
        }
        self.violation().map_or(Ok(took), Err)
    }

    /// M3: where nothing happens, there comes a time when nobody has anything to tell. Whoever is
    /// alone keeps it for those who come.
    fn rest(&mut self) -> Result<(), Failure> {
        if self.world.members() < 2 {
            return Ok(());
        }
        let busy = |world: &World<Node>| {
            let waits = |id: &HostId| {
                let audit = world.node(*id).audit();
                audit.claims > 0 || audit.broadcast_waits
            };
            world.taking_part().filter(waits).collect::<Vec<_>>()
        };
        let within = self.plan.settings.converges_within();
        let rests = self.world.run_until(within, |world| busy(world).is_empty());
        match (rests, self.violation()) {
            (Some(_), _) => Ok(()),
            (None, Some(violation)) => Err(violation),
            (None, None) => {
                let pending = format!("{:?} still have something to tell", busy(&self.world));
                Err(Failure::Liveness { id: "M3", pending })
            }
        }
    }

    /// Tries one thing more, different from seed to seed.
    fn attempt(&mut self) -> Result<(), Failure> {
        let Self { world, recorder, rings, plan, .. } = self;
        let mut scene = Scene { world, recorder, settings: &plan.settings, rings };
        let tried = scene.play(plan.seed)?;
        self.counters.add(format!("trial {tried}"), 1);
        Ok(())
    }

    /// Waits until all agree. Those that know nothing of each other are introduced now and then.
    fn agree(&mut self, core: usize) -> Result<(), Failure> {
        // Whoever rejoined while its clock was ahead has a life from the future, which the others
        // don't believe before they get there. (X7)
        let within = self.plan.settings.converges_within() + self.ahead();
        let mut span = JOINS_END;
        let mut waited = Duration::ZERO;
        while !self.run_until_agreement(span, core) {
            waited += span;
            if let Some(failure) = self.violation() {
                return Err(failure);
            }
            if waited >= within {
                let pending = self.world.disagreements();
                return Err(Failure::Liveness { id: "L1", pending });
            }
            self.introduce();
            span = within / INTRODUCTIONS;
        }
        Ok(())
    }

    /// Lets time go by until they agree, or so long; returns whether they do.
    fn run_until_agreement(&mut self, span: Duration, core: usize) -> bool {
        let recorder = &mut self.recorder;
        let agrees = |world: &World<Node>| {
            if let Some(recorder) = recorder {
                recorder.glance(world);
            }
            agrees(world, core)
        };
        self.world.run_until(span, agrees).is_some()
    }

    /// By how much all clocks together jumped, where nodes tell the time on the wall from them.
    fn ahead(&self) -> Duration {
        let jump = |timed: &Timed| match timed.action {
            Action::Jump { span, back: false, .. } | Action::SetClock { span, back: false, .. }
                if self.plan.settings.has_wall_clock =>
            {
                span
            }
            _ => Duration::ZERO,
        };
        self.plan.actions.iter().map(jump).sum()
    }

    /// Agreement stays, and where nothing went wrong nobody was failed.
    fn check_outcome(&self, core: usize) -> Result<(), Failure> {
        let mode = self.plan.mode;
        if !matches!(mode, Mode::Frozen { .. }) && !agrees(&self.world, core) {
            let pending = format!("agreement was lost: {}", self.world.disagreements());
            return Err(Failure::Liveness { id: "L1", pending });
        }
        let failed = self.notes.borrow().counters.get("member failed falsely");
        if mode == Mode::Pure && failed > 0 {
            let pending = format!("{failed} members failed, and nothing was wrong with any");
            return Err(Failure::Liveness { id: "L3", pending });
        }
        Ok(())
    }

    /// Every fault ends. Those that don't belong here go, and a rotation is completed.
    fn mend(&mut self) {
        let world = &mut self.world;
        world.network.calm(Link::LAN);
        world.act(&Action::Replays { share: 0.0 }, &|_, _| {});
        for id in 0..world.hosts().len() {
            world.relieve(id);
            world.host_mut(id).card.send_queue_max = 0;
            if id >= self.plan.settings.size && world.is_running(id) {
                world.crash(id);
            }
        }
        self.set_clocks();
        if !self.plan.settings.is_sealed || self.newest_key == FIRST_KEY {
            return;
        }
        for host in self.world.running().collect::<Vec<_>>() {
            let key = self.newest_key;
            let ring = self.world.node(host).keyring();
            if ring.is_some_and(|ring| ring.primary().id() == crate::world::key(key).id()) {
                continue;
            }
            for old in FIRST_KEY..key {
                self.act(&Action::Rotate { host, key: old, step: Rotation::Remove });
            }
            self.act(&Action::Rotate { host, key, step: Rotation::Add });
            self.act(&Action::Rotate { host, key, step: Rotation::Use });
        }
    }

    /// Operators set the clocks on the wall that jumped.
    fn set_clocks(&mut self) {
        let mut right = Options::lan("any", crate::host::addr(0));
        self.plan.settings.apply(0, self.world.now, &[], &mut right);
        let Some(unix_time) = right.unix_time else { return };
        for id in self.world.running().collect::<Vec<_>>() {
            self.world.call(id, |node, now| node.set_unix_time(now, unix_time));
        }
    }

    /// Whether two nodes have given each other up.
    fn is_split(&self) -> bool {
        let world = &self.world;
        let part: Vec<HostId> = world.taking_part().filter(|&id| id < self.plan.core()).collect();
        let sees = |one: HostId, other: HostId| world.view(one, other).is_some_and(State::is_live);
        part.iter().any(|&one| part.iter().any(|&other| !sees(one, other) && !sees(other, one)))
    }

    /// L5: "beyond it heals if a seed is configured". Joins the islands: nodes that neither know
    /// each other nor know anybody who does.
    fn introduce(&mut self) {
        let world = &mut self.world;
        let notes = self.notes.borrow();
        let mut islands: Vec<Vec<HostId>> = Vec::new();
        for id in world.taking_part().filter(|&id| id < self.plan.core()) {
            let knows = |one: HostId, other: HostId| {
                notes.knows(one, &world.name_of(other), world.addr_of(other))
            };
            let is_linked = |island: &Vec<HostId>| {
                island.iter().any(|&other| knows(id, other) || knows(other, id))
            };
            let (linked, mut rest): (Vec<_>, Vec<_>) = islands.into_iter().partition(is_linked);
            let mut island: Vec<HostId> = linked.into_iter().flatten().collect();
            island.push(id);
            rest.push(island);
            islands = rest;
        }
        drop(notes);
        self.counters.add("islands joined", islands.len().saturating_sub(1) as u64);
        for pair in islands.windows(2) {
            if !world.node(pair[0][0]).is_leaving() {
                world.join(pair[0][0], &[pair[1][0]]);
            }
        }
    }

    fn violation(&self) -> Option<Failure> {
        self.world.violation().cloned().map(Failure::Violation)
    }
}

/// Whether all agree, or those of the core where others are sick for ever.
fn agrees(world: &World<Node>, core: usize) -> bool {
    let part: Vec<HostId> = world.taking_part().filter(|&id| id < core).collect();
    let is_all = world.taking_part().count() == part.len();
    if is_all { world.agree() } else { world.agree_among(&part) }
}

/// The word for an action, as in a plan.
fn name(action: &Action) -> String {
    let value = serde_json::to_value(action).unwrap_or_default();
    value["do"].as_str().unwrap_or("unknown").to_owned()
}

/// By then every join that the plan began is over.
const JOINS_END: Duration = Duration::from_secs(11);

/// How often those that know nothing of each other are introduced: a name that was held by another
/// is free only after a while.
const INTRODUCTIONS: u32 = 4;

/// For so long agreement must stay.
const AFTERWARDS: Duration = Duration::from_secs(20);
