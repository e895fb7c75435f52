//! What is tried once all agree and nothing goes wrong any more: one thing for each seed, which
//! must end within the time that the settings allow.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use swim_core::{MemberChange, Node, Options, State};

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
    watch::Notes,
};

/// Where something is tried.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// The world.
    pub(super) world: &'a mut World<Node>,
    /// Who records the run, if anybody does.
    pub(super) recorder: &'a mut Option<Recorder>,
    /// What the run takes note of.
    pub(super) notes: &'a Rc<RefCell<Notes>>,
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
        match chance.below(6) {
            0 => self.crash(cast).map(|()| "crash"),
            1 => self.leave(cast).map(|()| "leave"),
            2 => self.twin(cast).map(|()| "twin"),
            3 => self.restart(&part, cast).map(|()| "restart"),
            4 => {
                let (one, other): (Vec<HostId>, Vec<HostId>) =
                    part.iter().partition(|_| chance.hits(0.5));
                self.partition(&one, &other).map(|()| "partition")
            }
            _ => self.suspicion(cast).map(|()| "suspicion"),
        }
    }

    /// L2, L7 and L9: somebody dies, all others find out, and it starts again and is welcome.
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
        let before = self.notes.borrow().joins.len();
        self.act(&Action::Start { host: subject, seeds: vec![seed], forgetful: forgets });
        self.joined(cast, before)?;
        self.agreed("L9")
    }

    /// L9: everything is started again at once, with the lives on disk or without, although claims
    /// about former lives still go round.
    fn restart(&mut self, part: &[HostId], cast: Cast) -> Result<(), Failure> {
        for &host in part {
            self.act(&Action::Crash { host });
        }
        for &host in part {
            let seeds = if host == cast.seed { vec![cast.subject] } else { vec![cast.seed] };
            self.act(&Action::Start { host, seeds, forgetful: cast.forgets });
        }
        self.agreed("L9")
    }

    /// L5: a partition heals by itself, after both sides gave each other up or did not get to it.
    fn partition(&mut self, one: &[HostId], other: &[HostId]) -> Result<(), Failure> {
        self.act(&Action::Partition { groups: vec![one.to_vec(), other.to_vec()] });
        self.wait(PARTED, |world| {
            let sees = |a: HostId, b: HostId| world.view(a, b).is_some_and(State::is_live);
            !one.iter().any(|&a| other.iter().any(|&b| sees(a, b) || sees(b, a)))
        });
        self.act(&Action::Mend);
        self.agreed("L5")
    }

    /// L4: somebody is out of reach until it is suspected, and is alive for all again in time.
    fn suspicion(&mut self, cast: Cast) -> Result<(), Failure> {
        let subject = cast.subject;
        self.act(&Action::Partition { groups: vec![vec![subject]] });
        self.wait(PARTED, |world| {
            let suspects = |id: HostId| world.view(id, subject) == Some(State::Suspect);
            world.taking_part().any(|id| id != subject && suspects(id))
        });
        self.act(&Action::Mend);
        self.expect("L4", self.settings.refutes_within(), |world| {
            let sees = |id: HostId| world.view(id, subject) == Some(State::Alive);
            let who: Vec<HostId> = world.taking_part().filter(|&id| !sees(id)).collect();
            who.is_empty()
                .then_some(())
                .ok_or_else(|| format!("host {subject} is not alive for {who:?}"))
        })
    }

    /// All agree again in time, or else this promise is broken.
    fn agreed(&mut self, id: &'static str) -> Result<(), Failure> {
        let within = self.settings.converges_within();
        self.expect(
            id,
            within,
            |world| {
                if world.agree() { Ok(()) } else { Err(world.disagreements()) }
            },
        )
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
        let before = self.notes.borrow().joins.len();
        self.act(&Action::Join { host: subject, seeds: vec![seed] });
        self.joined(cast, before)
    }

    /// L7: a join ends in time. Nothing is wrong, so that it succeeds, and both know each other. It
    /// is one of the joins that were not over when there were `before` that were.
    fn joined(&mut self, cast: Cast, before: usize) -> Result<(), Failure> {
        let Cast { subject, seed, .. } = cast;
        let names = [subject, seed].map(|id| self.world.name_of(id));
        let notes = Rc::clone(self.notes);
        let ended = || {
            let notes = notes.borrow();
            notes.joins[before..].iter().find(|(host, _)| *host == subject).copied()
        };
        self.expect("L7", JOIN_ENDS, |_| {
            ended().map(drop).ok_or_else(|| format!("{} still joins", names[0]))
        })?;
        if let Some((_, false)) = ended() {
            let pending = format!("{} could not join {}", names[0], names[1]);
            return Err(Failure::Liveness { id: "L7", pending });
        }
        self.expect("L7", Duration::ZERO, |world| {
            let knows =
                |one, other: &str| member_state(world, one, other).is_some_and(State::is_live);
            let is_mutual = knows(subject, &names[1]) && knows(seed, &names[0]);
            is_mutual.then_some(()).ok_or_else(|| {
                format!("{} joined {}, and one does not know the other", names[0], names[1])
            })
        })
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

fn member_state(world: &World<Node>, id: HostId, name: &str) -> Option<State> {
    world.node(id).member(name).map(|member| member.state)
}

/// By then a leave is over, by whatever clock.
const LEAVE_ENDS: Duration = Duration::from_millis(5_100);

/// By then a join is over, by whatever clock.
const JOIN_ENDS: Duration = Duration::from_millis(10_100);

/// So long a partition lasts at most.
const PARTED: Duration = Duration::from_secs(60);

/// For so long a second node of one name stays: long enough for its join to end.
const TWIN_STAYS: Duration = Duration::from_secs(11);
