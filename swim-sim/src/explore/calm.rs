//! After the chaos: all is mended, all must agree in time, and one thing more is tried.

use std::time::Duration;

use swim_core::{Node, Options, State};

use crate::{
    action::{Action, Rotation, Timed},
    network::{HostId, Link},
    world::World,
};

use super::{
    blame::{accusations, blame, undead},
    plan::Mode,
    run::Run,
    settings::FIRST_KEY,
    trial::Scene,
    verdict::Failure,
};

impl Run<'_> {
    /// Mends everything; returns how long they took to agree.
    pub(super) fn calm(&mut self) -> Result<Duration, Failure> {
        self.mend();
        if let Some(recorder) = &mut self.recorder {
            recorder.note(&self.world, "all is mended");
        }
        self.check_peace()?;
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
        self.notes.borrow_mut().look_at_core(core);
        let was_split = self.is_split();
        self.agree(core)?;
        let took = self.world.now.saturating_since(start);
        self.counters.add("agreement", 1);
        self.counters.add("partition merged", u64::from(was_split));
        if matches!(self.plan.mode, Mode::Frozen { .. }) {
            self.bear_the_sick(core, start)?;
            return self.violation().map_or(Ok(took), Err);
        }
        self.run_for(AFTERWARDS);
        if let Some(failure) = self.violation() {
            return Err(failure);
        }
        self.check_outcome(core)?;
        self.rest()?;
        self.give_up_strangers()?;
        self.attempt()?;
        self.agree(core)?;
        self.violation().map_or(Ok(took), Err)
    }

    /// Tries one thing more, different from seed to seed.
    fn attempt(&mut self) -> Result<(), Failure> {
        let Self { world, recorder, notes, rings, plan, .. } = self;
        let mut scene = Scene { world, recorder, notes, settings: &plan.settings, rings };
        let before = scene.notes.borrow().joins.len();
        let tried = scene.play(plan.seed)?;
        let joins =
            self.notes.borrow().joins[before..].iter().filter(|(_, joined)| *joined).count();
        self.counters.add(format!("trial {tried}"), 1);
        if matches!(tried, "crash" | "leave") {
            self.counters.add("rejoined", joins as u64);
        }
        Ok(())
    }

    /// Waits until all agree. Those that know nothing of each other are introduced now and then.
    /// Each promise has a time of its own in which it must be kept.
    fn agree(&mut self, core: usize) -> Result<(), Failure> {
        let settings = &self.bounds;
        // Whoever rejoined while its clock was ahead has a life from the future, which the others
        // don't believe before they get there. (X7)
        let within = settings.converges_within() + self.ahead();
        let within = self.plan.agree_within.map_or(within, |span| span.0);
        let mut looks = vec![
            (settings.detects_within(), Look::Undead),
            (settings.refutes_within(), Look::Accused),
            (within, Look::End),
        ];
        let introductions = (0..INTRODUCTIONS).map(|nth| JOINS_END + within / INTRODUCTIONS * nth);
        looks.extend(introductions.map(|at| (at, Look::Strangers)));
        looks.sort_by_key(|(at, look)| (*at, *look == Look::End));
        let start = self.world.now;
        let accused = accusations(&self.world, core);
        for (at, look) in looks {
            let span = (start + at).saturating_since(self.world.now);
            if self.run_until_agreement(span, core) {
                return Ok(());
            }
            if let Some(failure) = self.violation() {
                return Err(failure);
            }
            match look {
                Look::Strangers => self.introduce(),
                Look::Undead => self.broken("L2", &undead(&self.world, core))?,
                Look::Accused => {
                    let still = accusations(&self.world, core);
                    let still = still.iter().filter(|it| accused.contains(it)).take(LINES_MAX);
                    let lines: Vec<String> = still
                        .map(|(one, other, stamp)| {
                            format!("host {one} accuses host {other} under {stamp} all the time")
                        })
                        .collect();
                    self.broken("L4", &lines)?;
                }
                Look::End => {
                    let (id, pending) = blame(&self.world, core);
                    return Err(Failure::Liveness { id, pending });
                }
            }
        }
        Ok(())
    }

    /// Fails if there is anything to tell.
    fn broken(&self, id: &'static str, lines: &[String]) -> Result<(), Failure> {
        if lines.is_empty() {
            return Ok(());
        }
        Err(Failure::Liveness { id, pending: lines.join("\n") })
    }

    /// Agreement stays, and so does peace.
    fn check_outcome(&self, core: usize) -> Result<(), Failure> {
        if !agrees(&self.world, core) {
            let (id, pending) = blame(&self.world, core);
            return Err(Failure::Liveness {
                id,
                pending: format!("agreement was lost: {pending}"),
            });
        }
        self.check_peace()
    }

    /// L3: where next to nothing went wrong nobody was failed.
    fn check_peace(&self) -> Result<(), Failure> {
        let failed = self.notes.borrow().counters.get("member failed falsely");
        if self.plan.mode.is_peaceful() && failed > 0 {
            let pending = format!("{failed} members failed, and nothing was wrong with any");
            return Err(Failure::Liveness { id: "L3", pending });
        }
        Ok(())
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
        let within = self.bounds.converges_within();
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

    /// X11: whoever opens a stream and does not go on is given up.
    fn give_up_strangers(&mut self) -> Result<(), Failure> {
        let within = self.plan.settings.stream_timeout * 4;
        self.world.run_until(within, |world| world.strange_streams() == 0);
        let open = self.world.strange_streams();
        if open == 0 || self.violation().is_some() {
            return self.violation().map_or(Ok(()), Err);
        }
        let pending = format!("{open} streams of strangers are still open");
        Err(Failure::Liveness { id: "X11", pending })
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
}

/// What is looked at while agreement is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// L2: whether somebody who died is still taken for live.
    Undead,
    /// L4: whether somebody is still accused who was in the beginning.
    Accused,
    /// L5: whether there are some that can't meet by themselves.
    Strangers,
    /// By now all must agree.
    End,
}

/// Whether all agree, or those of the core where others are sick for ever.
pub(super) fn agrees(world: &World<Node>, core: usize) -> bool {
    let part: Vec<HostId> = world.taking_part().filter(|&id| id < core).collect();
    let is_all = world.taking_part().count() == part.len();
    if is_all { world.agree() } else { world.agree_among(&part) }
}

/// By then every join that the plan began is over.
const JOINS_END: Duration = Duration::from_secs(11);

/// How often those that know nothing of each other are introduced: a name that was held by another
/// is free only after a while.
const INTRODUCTIONS: u32 = 4;

/// For so long agreement must stay.
const AFTERWARDS: Duration = Duration::from_secs(20);

/// Nobody reads more lines than this of what is wrong.
const LINES_MAX: usize = 12;
