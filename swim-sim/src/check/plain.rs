//! The rules of membership once more, as plainly as they can be said: one map, no queues, no
//! indexes, no thought of cost. Apart from the core, whose rules it says once more. (C3)

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use swim_core::{
    Candidate, Heard, Hearsay, INCARNATION_MAX, Instant, LIFE_MAX, Life, Member, Options, Said,
    Stamp, State,
};

/// What a node must believe after all it heard.
#[derive(Debug)]
pub(super) struct Plain {
    own: String,
    is_running: bool,
    pub(super) members: BTreeMap<String, Belief>,
}

/// What is believed of one member.
#[derive(Clone, Debug)]
pub(super) struct Belief {
    pub(super) stamp: Stamp,
    pub(super) state: State,
    pub(super) since: Instant,
    /// What it last said of itself.
    pub(super) said: Said,
    /// Who accused it first, and who confirmed that.
    accusers: BTreeSet<String>,
    /// How many confirmations count.
    needed: usize,
    /// When the last suspicion began, if there ever was one.
    begun: Option<Instant>,
    /// Since when one in doubt, or said to have left, could have been heard answering.
    open: Instant,
}

/// One moment of hearing.
struct Now<'a> {
    at: Instant,
    unix_millis: Option<u64>,
    options: &'a Options,
}

impl Belief {
    fn new(said: Said, since: Instant) -> Self {
        let (accusers, needed, begun) = (BTreeSet::new(), 0, None);
        Self {
            stamp: said.stamp,
            state: State::Alive,
            since,
            said,
            accusers,
            needed,
            begun,
            open: since,
        }
    }

    pub(super) fn confirmations(&self) -> usize {
        self.accusers.len().saturating_sub(1)
    }

    /// What is believed once this was heard too: the larger claim wins, and whoever left in a life
    /// stays so in that life.
    fn with(&self, stamp: Stamp, state: State) -> (Stamp, State) {
        let is_final = self.state == State::Left || state == State::Left;
        if stamp.life == self.stamp.life && is_final {
            return (self.stamp.max(stamp), State::Left);
        }
        (self.stamp, self.state).max((stamp, state))
    }
}

impl Plain {
    /// What a node that is met believes already.
    pub(super) fn new(own: &str, is_running: bool, members: impl Iterator<Item = Member>) -> Self {
        let beliefs = members.map(|member| {
            let Member { name, addr, meta, state, stamp, versions, since, .. } = member;
            let said = Said { name: name.to_string(), stamp, addr, meta, versions };
            (name.to_string(), Belief { state, ..Belief::new(said, since) })
        });
        Self { own: own.to_owned(), is_running, members: beliefs.collect() }
    }

    /// Takes in what was heard.
    pub(super) fn hear(&mut self, heard: &Heard, options: &Options) -> Result<(), String> {
        let now = &Now { at: heard.at, unix_millis: heard.unix_millis, options };
        match &heard.what {
            Hearsay::Alive(said) => self.alive(now, said, [false, false]),
            // Nobody counts but live members. (X8)
            Hearsay::Accused { carrier, .. } if self.live(carrier.as_deref()).is_none() => {}
            Hearsay::Accused { name, stamp, from, dead, .. } => {
                self.accused(now, name, *stamp, from, *dead);
            }
            Hearsay::Left { name, stamp } => self.left(now, name, *stamp),
            Hearsay::Entry { outlived: true, said, state: State::Suspect, .. }
                if !self.members.contains_key(&said.name) => {}
            Hearsay::Entry { said, state, stamp, first_hand, in_person, carrier, .. } => {
                let itself = [*first_hand, *in_person];
                self.entry(now, said, (*stamp, *state), itself, carrier.as_deref());
            }
            Hearsay::Spoke { name, stamp, proven } => self.spoke(now, name, *stamp, *proven),
            Hearsay::Answered { .. } => {}
            Hearsay::Unanswered { name, stamp } => {
                let own = self.own.clone();
                self.suspect(now, name, *stamp, Some(own));
            }
            Hearsay::Expired { name } => return self.expired(now, name),
            Hearsay::Reaped { name } => {
                let gone = self.members.remove(name);
                for known in self.members.values_mut() {
                    // What it said stands; should it come back, it is another to us.
                    if known.accusers.remove(name) {
                        known.accusers.insert(format!("once {name} {}", known.accusers.len()));
                    }
                }
                if gone.is_none_or(|gone| gone.state.is_live()) {
                    return Err(format!("{name} is forgotten and was not gone"));
                }
            }
            Hearsay::Removed { name } => {
                let stamp = self.members[name].stamp;
                self.take(now, name, (stamp, State::Left), None);
            }
            Hearsay::Updated { meta } => {
                let own = self.own_mut();
                own.said.meta = meta.clone();
                let stamp = above(own.stamp);
                self.speak(now, stamp);
            }
            Hearsay::Departed => {
                self.is_running = false;
                let at = now.at;
                let own = self.own_mut();
                (own.state, own.since) = (State::Left, at);
            }
            Hearsay::Returned => self.returned(now),
            Hearsay::Slept => self.members.values_mut().for_each(|known| known.open = heard.at),
        }
        Ok(())
    }

    /// Somebody says that it lives, or is said to: by itself, and from the address that it claims?
    fn alive(&mut self, now: &Now<'_>, said: &Said, [first_hand, in_person]: [bool; 2]) {
        let known = self.members.get(&said.name);
        if !now.is_plausible(known.map(|known| known.stamp), said.stamp, 1) {
            return;
        }
        let Some(known) = known else {
            // The dead make room for whoever comes in person; who that is, is told next. (X10)
            let mut dead = self.members.values().filter(|it| !it.state.is_live());
            let may_go = |it: &Belief| it.said.name != self.own && self.could_object(now, it);
            let has_room =
                self.members.len() < now.options.members_max || in_person && dead.any(may_go);
            if now.admits(said) && has_room {
                self.members.insert(said.name.clone(), Belief::new(said.clone(), now.at));
            }
            return;
        };
        let is_elsewhere = known.said.addr != said.addr;
        if said.name == self.own {
            let is_other = !same(&known.said, said);
            let is_beyond = said.stamp > known.stamp || said.stamp == known.stamp && is_other;
            if !is_elsewhere && is_beyond {
                self.refute(now, said.stamp, State::Alive);
            }
            return;
        }
        let claim = (said.stamp, State::Alive);
        if said.stamp <= known.said.stamp {
            // Two of one name: the one that is there stays.
            if !(first_hand && is_elsewhere && known.state.is_live()) {
                self.take(now, &said.name, claim, None);
            }
            return;
        }
        if is_elsewhere && !self.may_move(now, known, said) {
            return;
        }
        let then = known.with(said.stamp, State::Alive);
        if then.1.is_live() {
            if !now.admits(said) {
                return;
            }
            self.of(&said.name).said = said.clone();
        }
        self.take(now, &said.name, claim, None);
    }

    /// Somebody says that another is in doubt or dead.
    fn accused(&mut self, now: &Now<'_>, name: &str, stamp: Stamp, from: &str, dead: bool) {
        let Some(known) = self.members.get(name) else { return };
        if !now.is_plausible(Some(known.stamp), stamp, 2) {
            return;
        }
        let is_suspect = (known.stamp, known.state) == (stamp, State::Suspect);
        let is_ripe = is_suspect && known.open + self.grace(now) <= now.at;
        let is_over = !known.state.is_live() && stamp <= known.stamp;
        // Nobody dies by another's word who had no time to answer here. (L6)
        let is_early = !is_over && !is_ripe;
        if dead && name == self.own {
            self.refute(now, stamp, State::Dead);
        } else if !dead || is_early {
            let witness = self.live(Some(from)).filter(|from| from != name);
            self.suspect(now, name, stamp, witness);
        } else {
            self.take(now, name, (stamp, State::Dead), None);
        }
    }

    /// So long a refutation takes to be heard by all.
    fn grace(&self, now: &Now<'_>) -> Duration {
        let options = now.options;
        let gossips = options.gossip_nodes > 0 && !options.gossip_interval.is_zero();
        let pace = if gossips { options.gossip_interval } else { options.probe_interval };
        let digits = self.living().to_string().len() as u32;
        pace * (digits - 1).max(2)
    }

    /// X9: the name of a live member is never given to another, that of a dead one after a while,
    /// and that of one that is said to have left once it could have been heard objecting.
    fn may_move(&self, now: &Now<'_>, known: &Belief, said: &Said) -> bool {
        let reclaims = now.options.reclaim_after;
        said.stamp.life > known.stamp.life
            && match known.state {
                State::Alive | State::Suspect => false,
                State::Left => self.could_object(now, known),
                State::Dead => reclaims.is_some_and(|after| known.since + after <= now.at),
            }
    }

    /// Whether one that is gone could have been heard saying that it is not.
    fn could_object(&self, now: &Now<'_>, known: &Belief) -> bool {
        known.open + now.options.probe_interval * FAREWELL_PROBES + self.grace(now) <= now.at
    }

    /// A member is in doubt by the word of a witness, or of a stranger.
    fn suspect(&mut self, now: &Now<'_>, name: &str, stamp: Stamp, witness: Option<String>) {
        if name == self.own {
            return self.refute(now, stamp, State::Suspect);
        }
        let known = self.of(name);
        if (known.stamp, known.state) != (stamp, State::Suspect) {
            return self.take(now, name, (stamp, State::Suspect), witness);
        }
        if let Some(witness) = witness
            && known.confirmations() < known.needed
        {
            known.accusers.insert(witness);
        }
    }

    fn left(&mut self, now: &Now<'_>, name: &str, stamp: Stamp) {
        let Some(known) = self.members.get(name) else { return };
        if !now.is_plausible(Some(known.stamp), stamp, 2) {
            return;
        }
        if name == self.own {
            self.refute(now, stamp, State::Left);
        } else {
            self.take(now, name, (stamp, State::Left), None);
        }
    }

    /// A line of a table. Nobody dies of one: the dead are put in doubt. (S8)
    fn entry(
        &mut self,
        now: &Now<'_>,
        said: &Said,
        (stamp, state): (Stamp, State),
        itself: [bool; 2],
        carrier: Option<&str>,
    ) {
        let name = said.name.as_str();
        if state.is_live() || self.members.contains_key(name) {
            self.alive(now, said, itself);
        }
        let Some(known) = self.members.get(name) else { return };
        match state {
            State::Alive if name == self.own => {
                if said.addr == known.said.addr && stamp > known.stamp {
                    self.refute(now, stamp, State::Alive);
                }
            }
            State::Alive => {
                // Of another node of that name it proves nothing. (X9)
                let is_it = said.addr == known.said.addr && stamp > said.stamp;
                if is_it && now.is_plausible(Some(known.stamp), stamp, 1) {
                    self.take(now, name, (stamp, State::Alive), None);
                }
            }
            State::Suspect | State::Dead => {
                if now.is_plausible(Some(known.stamp), stamp, 2) {
                    let witness = self.live(carrier);
                    if name == self.own {
                        self.refute(now, stamp, state);
                    } else if witness.is_some() {
                        self.suspect(now, name, stamp, witness);
                    }
                }
            }
            State::Left => self.left(now, name, stamp),
        }
    }

    /// A member was heard itself. Who was gone must say more than that to be let in again.
    fn spoke(&mut self, now: &Now<'_>, name: &str, stamp: Stamp, proven: bool) {
        let known = self.of(name);
        let is_in = known.state.is_live() || known.stamp.life == stamp.life;
        if is_in && (proven || now.is_plausible(Some(known.stamp), stamp, 1)) {
            self.take(now, name, (stamp, State::Alive), None);
        }
    }

    fn expired(&mut self, now: &Now<'_>, name: &str) -> Result<(), String> {
        let known = self.of(name);
        let (options, lasted) = (now.options, now.at.saturating_since(known.since));
        if known.state != State::Suspect {
            return Err(format!("{name} is {} when its suspicion runs out", known.state));
        }
        if lasted < options.probe_interval * options.suspicion_mult {
            return Err(format!("{name} was suspect for {lasted:?} only"));
        }
        let stamp = known.stamp;
        self.take(now, name, (stamp, State::Dead), None);
        Ok(())
    }

    /// Believes the larger claim. A suspicion ends with what it is about.
    fn take(&mut self, now: &Now<'_>, name: &str, claim: (Stamp, State), by: Option<String>) {
        let known = self.of(name);
        let (stamp, state) = known.with(claim.0, claim.1);
        if (stamp, state) == (known.stamp, known.state) {
            return;
        }
        if state != known.state {
            (known.since, known.open) = (now.at, now.at);
        }
        (known.stamp, known.state) = (stamp, state);
        known.accusers.clear();
        if state == State::Suspect {
            self.begin(now, name, by);
        }
    }

    /// A suspicion begins. A stranger's word counts as that of the suspect: everybody's adds to it.
    fn begin(&mut self, now: &Now<'_>, name: &str, by: Option<String>) {
        let live = self.living();
        let wanted = now.options.suspicion_mult.saturating_sub(2) as usize;
        let known = self.of(name);
        (known.begun, known.open) = (Some(now.at), now.at);
        known.needed = if live < wanted + 2 { 0 } else { wanted };
        known.accusers = BTreeSet::from([by.unwrap_or_else(|| name.to_owned())]);
    }

    /// Something is said of this node that is not so: it speaks up, with the smallest stamp above
    /// what is said and what it said itself. (S3)
    fn refute(&mut self, now: &Now<'_>, stamp: Stamp, state: State) {
        let own = self.own_mut().stamp;
        let is_old = if state == State::Left { stamp.life < own.life } else { stamp < own };
        let share = if state == State::Alive { 1 } else { 2 };
        if !self.is_running || is_old || !now.is_plausible(Some(own), stamp, share) {
            return;
        }
        let doubted = stamp == own && matches!(state, State::Suspect | State::Dead);
        let is_ours = stamp.life == own.life && (now.unix_millis.is_some() || doubted);
        let highest = own.max(stamp);
        // What was not said in a life of ours was said in another's, and is left to him. (S5)
        let is_last = state == State::Alive && !now.is_plausible(Some(own), next_life(highest), 1);
        let stays = is_ours && state != State::Left || is_last;
        self.speak(now, if stays { above(highest) } else { next_life(highest) });
        if state == State::Dead {
            self.reconsider(now);
        }
    }

    fn returned(&mut self, now: &Now<'_>) {
        self.is_running = true;
        let life = next_life(self.own_mut().stamp).life.0.max(now.unix_millis.unwrap_or(0));
        self.speak(now, Stamp::first(Life(life)));
        self.reconsider(now);
    }

    /// While its word counted nowhere, nobody could answer its suspicions: they begin anew, but for
    /// those that have just begun.
    fn reconsider(&mut self, now: &Now<'_>) {
        let is_old = |known: &Belief| known.begun != Some(now.at);
        let suspects = self.members.iter().filter(|(_, known)| known.state == State::Suspect);
        let suspects = suspects.filter(|(_, known)| is_old(known));
        let suspects: Vec<String> = suspects.map(|(name, _)| name.clone()).collect();
        for name in suspects {
            self.begin(now, &name, None);
        }
    }

    /// This node speaks of itself under this stamp.
    fn speak(&mut self, now: &Now<'_>, stamp: Stamp) {
        let own = self.own_mut();
        if own.state != State::Alive {
            (own.state, own.since) = (State::Alive, now.at);
        }
        (own.stamp, own.said.stamp) = (stamp, stamp);
    }

    /// The witness, if it is a live member. (X8)
    fn live(&self, name: Option<&str>) -> Option<String> {
        let name = name?;
        let known = self.members.get(name)?;
        known.state.is_live().then(|| name.to_owned())
    }

    fn living(&self) -> usize {
        self.members.values().filter(|member| member.state.is_live()).count()
    }

    fn of(&mut self, name: &str) -> &mut Belief {
        self.members.get_mut(name).unwrap_or_else(|| panic!("{name} is not known"))
    }

    fn own_mut(&mut self) -> &mut Belief {
        self.members.get_mut(&self.own).expect("a node knows itself")
    }
}

impl Now<'_> {
    /// X7: whether a correct node can have issued this by now. A `share` of 2 is for what others
    /// say of it, so that its answer still is plausible.
    fn is_plausible(&self, known: Option<Stamp>, stamp: Stamp, share: u64) -> bool {
        if stamp.incarnation.0 > INCARNATION_MAX || stamp.life.0 > LIFE_MAX {
            return false;
        }
        let known = known.map(|known| known.life.0);
        match (self.unix_millis, known) {
            (Some(unix), _) => {
                stamp.life.0 <= (unix + AHEAD_MILLIS / share).max(known.unwrap_or(0))
            }
            (None, Some(known)) => stamp.life.0 <= known + JUMP / share,
            (None, None) => true,
        }
    }

    /// Whether the configuration lets it in.
    fn admits(&self, said: &Said) -> bool {
        let Said { name, stamp, addr, meta, versions } = said;
        let (addr, versions, stamp) = (*addr, *versions, *stamp);
        let candidate = Candidate { name, addr, meta, versions, stamp };
        let is_allowed = |addr: SocketAddr| {
            self.options.allow.as_ref().is_none_or(|list| list.allows(addr.ip()))
        };
        addr != self.options.addr
            && is_allowed(addr)
            && self.options.policy.admit_member(&candidate).is_ok()
    }
}

fn same(one: &Said, other: &Said) -> bool {
    one.addr == other.addr && one.meta == other.meta && one.versions == other.versions
}

/// The smallest stamp above this one.
fn above(stamp: Stamp) -> Stamp {
    if stamp.incarnation.0 == INCARNATION_MAX {
        return next_life(stamp);
    }
    Stamp::new(stamp.life.0, stamp.incarnation.0 + 1)
}

fn next_life(stamp: Stamp) -> Stamp {
    if stamp.life.0 == LIFE_MAX { stamp } else { Stamp::first(Life(stamp.life.0 + 1)) }
}

/// How far lives may be ahead of the clock on the wall.
const AHEAD_MILLIS: u64 = 300_000;

/// So often one that is said to have left asks somebody else before its name is free.
const FAREWELL_PROBES: u32 = 3;

/// How far lives may be ahead of what is known where there is no such clock.
const JUMP: u64 = 1 << 20;
