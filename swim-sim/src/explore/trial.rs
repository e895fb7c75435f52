//! What is tried once all agree and nothing goes wrong any more: one thing for each seed, which
//! must end within the time that the settings allow.

use std::{collections::BTreeMap, time::Duration};

use swim_core::{Event, EventKind, MemberChange, Node, Options, SeedOutcome, State};

use crate::{
    action::{Action, Intruder},
    chance::{Chance, Purpose},
    network::HostId,
    record::Recorder,
    world::World,
};

use super::{
    settings::{FIRST_KEY, Settings},
    verdict::Failure,
};

/// Where something is tried.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// The world.
    pub(super) world: &'a mut World<Node>,
    /// Who records the run, if anybody does.
    pub(super) recorder: &'a mut Option<Recorder>,
    /// The settings of the run.
    pub(super) settings: &'a Settings,
    /// The keys that hosts have on disk, the primary first.
    pub(super) rings: &'a BTreeMap<HostId, Vec<u8>>,
}

/// Who takes part in a trial.
#[derive(Clone, Copy, Debug)]
struct Cast {
    /// To whom it happens.
    subject: HostId,
    /// Whom the subject asks to join.
    seed: HostId,
    /// Whether the subject forgets the lives it had.
    forgets: bool,
}

impl Scene<'_> {
    /// Tries what the seed wants tried; returns what that was. Afterwards all must come to agree
    /// again. Nothing happens where nobody is left to look on.
    pub(super) fn play(&mut self, seed: u64) -> Result<&'static str, Failure> {
        let part: Vec<HostId> = self.world.taking_part().collect();
        if part.len() < 2 {
            return Ok("nothing");
        }
        let chance = &mut Chance::new(seed, Purpose::Trial);
        let place = chance.below(part.len() as u64) as usize;
        let step = 1 + chance.below(part.len() as u64 - 1) as usize;
        let (subject, seed) = (part[place], part[(place + step) % part.len()]);
        let cast = Cast { subject, seed, forgets: chance.hits(0.3) };
        match chance.below(3) {
            0 => self.crash(cast).map(|()| "crash"),
            1 => self.leave(cast).map(|()| "leave"),
            _ => self.twin(cast).map(|()| "twin"),
        }
    }

    /// L2, and the start of L9: somebody dies, all others find out, and it starts again.
    fn crash(&mut self, cast: Cast) -> Result<(), Failure> {
        let Cast { subject, seed, forgets } = cast;
        let name = self.world.name_of(subject);
        self.act(&Action::Crash { host: subject });
        self.expect("L2", self.settings.detects_within(), |world| {
            let lives = |id: HostId| member_state(world, id, &name).is_some_and(State::is_live);
            let who: Vec<HostId> = world.taking_part().filter(|&id| lives(id)).collect();
            who.is_empty()
                .then_some(())
                .ok_or_else(|| format!("{name} died, and lives for {who:?}"))
        })?;
        self.act(&Action::Start { host: subject, seeds: vec![seed], forgetful: forgets });
        Ok(())
    }

    /// L8 and L7: somebody leaves, all others learn that it left, and it joins again.
    fn leave(&mut self, cast: Cast) -> Result<(), Failure> {
        let Cast { subject, seed, .. } = cast;
        let name = self.world.name_of(subject);
        let failed = self.world.tally.changes(MemberChange::Failed);
        self.act(&Action::Leave { host: subject });
        self.expect("L8", LEAVE_ENDS, |world| {
            world.node(subject).has_left().then_some(()).ok_or_else(|| format!("{name} stays"))
        })?;
        self.expect("L8", self.settings.converges_within(), |world| {
            let knows = |id: HostId| {
                member_state(world, id, &name).is_none_or(|state| state == State::Left)
            };
            let who: Vec<HostId> = world.taking_part().filter(|&id| !knows(id)).collect();
            who.is_empty().then_some(()).ok_or_else(|| format!("{who:?} did not hear {name} leave"))
        })?;
        let failed = self.world.tally.changes(MemberChange::Failed) - failed;
        if failed > 0 && self.settings.gossips_well() {
            let pending = format!("{name} left, and {failed} were failed");
            return Err(Failure::Liveness { id: "L8", pending });
        }
        self.act(&Action::Join { host: subject, seeds: vec![seed] });
        self.joined(subject, seed)
    }

    /// L7: a join ends, and if it succeeded both know each other.
    fn joined(&mut self, subject: HostId, seed: HostId) -> Result<(), Failure> {
        let names = [subject, seed].map(|id| self.world.name_of(id));
        let end = self.world.now + JOIN_ENDS;
        while self.world.next_at().is_some_and(|at| at <= end) && self.world.violation().is_none() {
            self.world.step();
            let mut finished = self.world.last_events().iter().filter_map(outcome);
            let Some(has_joined) = finished.next() else { continue };
            let knows =
                |one, other: &str| member_state(self.world, one, other).is_some_and(State::is_live);
            if !has_joined || knows(subject, &names[1]) && knows(seed, &names[0]) {
                return Ok(());
            }
            let pending =
                format!("{} joined {}, and one does not know the other", names[0], names[1]);
            return Err(Failure::Liveness { id: "L7", pending });
        }
        match self.world.violation() {
            Some(violation) => Err(Failure::Violation(violation.clone())),
            None => {
                let pending = format!("{} still joins after {JOIN_ENDS:?}", names[0]);
                Err(Failure::Liveness { id: "L7", pending })
            }
        }
    }

    /// L11: somebody comes with a name that is taken. Its holder keeps it, and both keep running.
    fn twin(&mut self, cast: Cast) -> Result<(), Failure> {
        let Cast { subject, seed, .. } = cast;
        let (twin, name) = (self.world.hosts().len(), self.world.name_of(subject));
        let addr = self.world.addr_of(subject);
        let fault = Intruder::Name { of: subject };
        self.act(&Action::Intrude { host: twin, fault, seeds: vec![seed] });
        self.wait(TWIN_STAYS, |_| false);
        let world = &*self.world;
        let is_holder = |id: &HostId| {
            let member = world.node(*id).member(&name);
            member.is_some_and(|member| member.addr == addr && member.state.is_live())
        };
        let lost = world.taking_part().find(|id| *id != twin && !is_holder(id));
        let is_out = [subject, twin].into_iter().find(|&id| world.node(id).has_left());
        self.act(&Action::Crash { host: twin });
        if lost.is_none() && is_out.is_none() {
            return Ok(());
        }
        let pending = format!("{name} is no longer at {addr} for {lost:?}, and {is_out:?} left");
        Err(Failure::Liveness { id: "L11", pending })
    }

    /// Lets time go by until it is so.
    fn expect(
        &mut self,
        id: &'static str,
        within: Duration,
        is_so: impl Fn(&World<Node>) -> Result<(), String>,
    ) -> Result<(), Failure> {
        if self.wait(within, |world| is_so(world).is_ok()) {
            return Ok(());
        }
        if let Some(violation) = self.world.violation() {
            return Err(Failure::Violation(violation.clone()));
        }
        let pending = is_so(self.world).err().unwrap_or_default();
        Err(Failure::Liveness { id, pending: format!("{pending} after {within:?}") })
    }

    /// Lets so much time go by, or until it is so; returns whether it is.
    fn wait(&mut self, within: Duration, is_so: impl Fn(&World<Node>) -> bool) -> bool {
        let Self { world, recorder, .. } = self;
        let done = |world: &World<Node>| {
            if let Some(recorder) = recorder {
                recorder.glance(world);
            }
            is_so(world)
        };
        world.run_until(within, done).is_some()
    }

    fn act(&mut self, action: &Action) {
        let (settings, now, rings) = (self.settings, self.world.now, self.rings);
        let options = |host: HostId, options: &mut Options| {
            let keys = rings.get(&host).map_or(&[FIRST_KEY][..], Vec::as_slice);
            settings.apply(host, now, keys, options);
        };
        match self.recorder {
            Some(recorder) => recorder.act(self.world, action, &options),
            None => self.world.act(action, &options),
        };
    }
}

/// Whether a join that ended reached anybody.
fn outcome(event: &Event) -> Option<bool> {
    let EventKind::JoinFinished { seeds, .. } = &event.kind else { return None };
    Some(seeds.iter().any(|(_, outcome)| matches!(outcome, SeedOutcome::Joined { .. })))
}

fn member_state(world: &World<Node>, id: HostId, name: &str) -> Option<State> {
    world.node(id).member(name).map(|member| member.state)
}

/// By then a leave is over, by whatever clock.
const LEAVE_ENDS: Duration = Duration::from_millis(5_100);

/// By then a join is over, by whatever clock.
const JOIN_ENDS: Duration = Duration::from_millis(10_100);

/// For so long a second node of one name stays: long enough for its join to end.
const TWIN_STAYS: Duration = Duration::from_secs(11);
