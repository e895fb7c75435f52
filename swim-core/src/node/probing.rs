//! Probing: who, how, and what the outcome means. SWIM 3.1 and 4.3; Lifeguard, LHA-Probe;
//! memberlist state.go: `probe`, `probeNode`.

use bytes::Bytes;

use super::{Node, gossip};
use crate::{
    event::{EventKind, Pong},
    io::Timer,
    leave::Leave,
    limits::INDIRECT_PROBES_MAX,
    member::State,
    name::Name,
    precedence::Belief,
    probe::Probe,
    relay::Relay,
    sabotage::sabotaged,
    stamp::Stamp,
    stream::Purpose,
    table::{MemberIndex, Table},
    wire::{Accusation, Ack, Claim, IndirectPing, Lane, Message, Nack, Ping, RelayedAck, Sender},
};

impl Node {
    /// The next member is due.
    pub(super) fn on_probe_due(&mut self) {
        let interval = self.health.stretch(self.config.probe_interval);
        let is_tired = sabotaged!(self, StopsProbing) && self.stats.probes >= 8;
        self.set_timer(Timer::ProbeInterval, (!is_tired).then_some(self.now + interval));
        let challenged = self.challenge.take_turn();
        let (skips, digs) = (sabotaged!(self, SkipsAMember), sabotaged!(self, ProbesTheGone));
        let Self { probe_ring, rng, table, .. } = self;
        let belongs = |index: MemberIndex| {
            let is_gone = digs && table.try_get(index).is_some();
            (gossip::belongs(table, index) || is_gone) && !(skips && index.as_u32() == 1)
        };
        let challenged = challenged.filter(|&index| belongs(index));
        let next = || probe_ring.next(rng, belongs);
        if let Some(target) = challenged.or_else(next) {
            self.begin_probe(target);
        }
    }

    fn begin_probe(&mut self, target: MemberIndex) {
        self.cancel_probe();
        let spans = [self.config.probe_timeout, self.config.probe_interval];
        let spans = spans.map(|span| self.health.stretch(span));
        let nonce = self.fresh_nonce();
        let stamp = self.table.get(target).stamp();
        let probe = Probe::new(target, stamp, nonce, self.now, spans);
        self.timers.reset(Timer::ProbeTimeout, 0, None, probe.timeout_at);
        self.timers.reset(Timer::ProbeDeadline, 0, None, Some(probe.deadline));
        self.probe = Some(probe);
        self.stats.probes += 1;
        self.stats.probes_degraded += u64::from(self.health.score() > 0);
        let ping = Message::Ping(Ping { nonce, digest: self.digest() });
        if sabotaged!(self, PestersTheSilent) && !self.table.get(target).is_validated() {
            for _ in 0..7 {
                self.send_to_member(target, &[ping]);
            }
        }
        let (carried, introduced) = self.send_with_unheard(target, ping);
        if let Some(probe) = &mut self.probe {
            (probe.carried, probe.introduced) = (carried, introduced);
        }
    }

    /// Sends a ping or an ack together with an accusation of ours that nobody is known to have
    /// heard. Returns that, and our stamp if the packet introduces us under it. Acks too, because
    /// whoever loses most of what it sends probes seldom, and is asked as often as others.
    pub(super) fn send_with_unheard(
        &mut self,
        to: MemberIndex,
        message: Message<'_>,
    ) -> (Option<(MemberIndex, Stamp)>, Option<Stamp>) {
        let Self { unheard, table, .. } = self;
        let Some(unheard) = unheard.first(to, |index, stamp| is_suspect(table, index, stamp))
        else {
            return (None, self.send_to_member(to, &[message]));
        };
        let (index, stamp) = unheard;
        let (name, from) = (Name::from_checked(self.table.get(index).name()), self.name.clone());
        let accusation = Accusation { name: name.by_ref(), stamp, from: from.by_ref() };
        let rider = Some(Claim::Suspect(accusation));
        let (rides, introduced) = self.send_with_rider(to, &[message], rider);
        (rides.then_some(unheard), introduced)
    }

    /// The direct ping went unanswered: asks helpers, and tries a stream.
    pub(super) fn on_probe_timeout(&mut self) {
        let Some(probe) = &mut self.probe else { return };
        probe.timeout_at = None;
        let (target, nonce) = (probe.target, probe.nonce);
        let record = self.table.get(target);
        let (name, addr) = (Name::from_checked(record.name()), record.addr());
        let (dialect, protocol) = (self.config.dialect, record.profile().versions().protocol);
        // Most often nothing but a packet was lost.
        let digest = self.digest();
        self.send_to_member(target, &[Message::Ping(Ping { nonce, digest })]);
        for helper in self.pick_helpers(target) {
            let versions = self.table.get(helper).profile().versions();
            let nack = dialect.has_nacks(versions.protocol);
            if let Some(probe) = &mut self.probe {
                probe.ask(helper, nack);
            }
            let request = IndirectPing { nonce, target: Some(name.by_ref()), addr, nack };
            self.send_to_member(helper, &[Message::IndirectPing(request)]);
        }
        let is_understood = dialect.has_stream_pings(protocol);
        if is_understood && self.config.stream_pings && self.config.policy.stream_ping(&name) {
            self.probe_stream = self.dial_member(target, Purpose::Ping { nonce, target: name });
        }
    }

    /// Members other than the target that are surely alive, drawn at random.
    fn pick_helpers(&mut self, target: MemberIndex) -> alloc::vec::Vec<MemberIndex> {
        const DRAWS_PER_HELPER: usize = 8;
        debug_assert!(self.config.indirect_probes <= INDIRECT_PROBES_MAX);
        let wanted = self.config.indirect_probes;
        let mut helpers = alloc::vec::Vec::with_capacity(wanted);
        for _ in 0..wanted * DRAWS_PER_HELPER {
            if helpers.len() == wanted {
                break;
            }
            let Some(index) = self.probe_ring.sample(&mut self.rng) else { break };
            let is_alive =
                self.table.try_get(index).is_some_and(|record| record.state() == State::Alive);
            if is_alive && index != target && !helpers.contains(&index) {
                helpers.push(index);
            }
        }
        helpers
    }

    /// Nobody could reach the target.
    pub(super) fn on_probe_deadline(&mut self) {
        let Some(probe) = self.end_probe() else { return };
        self.stats.probes_failed += 1;
        self.change_health(probe.failure_delta());
        if let Some(stamp) = probe.introduced {
            self.unheard.missed(stamp);
        }
        #[cfg(feature = "simulation")]
        self.note_of(probe.target, |name| crate::hearsay::Hearsay::Unanswered {
            name,
            stamp: probe.stamp,
        });
        if sabotaged!(self, NeverSuspects) {
            return;
        }
        let stamp = probe.stamp;
        let invented = sabotaged!(self, InventsIncarnations);
        let stamp = if invented { stamp.refuting(stamp) } else { stamp };
        let source = self.own_word();
        self.accuse(probe.target, stamp, Some(MemberIndex::SELF), source);
        if is_suspect(&self.table, probe.target, probe.stamp) {
            self.unheard.add(probe.target, probe.stamp);
        }
    }

    /// Ends the probe without a verdict.
    pub(super) fn cancel_probe(&mut self) {
        self.end_probe();
    }

    fn end_probe(&mut self) -> Option<Probe> {
        let probe = self.probe.take()?;
        self.timers.reset(Timer::ProbeTimeout, 0, probe.timeout_at, None);
        self.timers.reset(Timer::ProbeDeadline, 0, Some(probe.deadline), None);
        if let Some(stream) = self.probe_stream.take() {
            self.abort_stream(stream);
        }
        Some(probe)
    }

    /// An ack came in. It counts only with a nonce that is waited for, from the member that was
    /// asked. (P1)
    pub(super) fn on_ack(
        &mut self,
        from: Option<MemberIndex>,
        by: Option<Sender<'_>>,
        ack: &Ack<'_>,
    ) {
        if let Some(from) = from {
            self.validate_by_answer(from, ack.nonce);
            #[cfg(feature = "simulation")]
            self.note(|_| crate::hearsay::Hearsay::Answered { nonce: ack.nonce });
            let late = sabotaged!(self, CountsLateAcks);
            let foreign = sabotaged!(self, CountsForeignAcks);
            let is_ours = |p: &Probe| (p.nonce == ack.nonce || late) && p.target == from || foreign;
            if sabotaged!(self, AnswersEveryAck) {
                self.send_to_member(from, &[Message::Ack(*ack)]);
            }
            if self.probe.as_ref().is_some_and(is_ours) {
                // It answers to a nonce of ours, from its address: it proves any stamp. (X7)
                if let Some(by) = by {
                    #[cfg(feature = "simulation")]
                    self.note_of(from, |name| crate::hearsay::Hearsay::Spoke {
                        name,
                        stamp: by.stamp,
                        proven: true,
                    });
                    self.hear_from(from, by.stamp);
                }
                return self.on_probe_acked(from, ack);
            }
            if by.is_none() && self.passes_ack_on(from, ack.nonce) {
                return;
            }
            if let Some(relay) = self.relays.answered(ack.nonce, from) {
                return self.pass_ack_on(ack.nonce, &relay);
            }
            if self.on_leave_acked(ack.nonce, from) {
                return;
            }
        }
        let name = by.map(|by| by.name).or_else(|| Some(self.table.get(from?).name()));
        let is_asked = self.pings.get(&ack.nonce).zip(name);
        if is_asked.is_some_and(|(ping, name)| name == ping.target) {
            self.finish_ping(ack.nonce, Some(ack.payload));
        } else {
            // Too late, twice, or never asked for: of these there should be few.
            self.stats.acks_unexpected += 1;
        }
    }

    /// Where a passed on ack looks like any other, it is told by the helper who sent it.
    fn passes_ack_on(&mut self, from: MemberIndex, nonce: u64) -> bool {
        let Some(probe) = self.probe.as_ref().filter(|probe| probe.nonce == nonce) else {
            return false;
        };
        let is_helper = probe.is_helper(from);
        let record = self.table.get(probe.target);
        let (target, stamp) = (Name::from_checked(record.name()), record.stamp());
        self.on_relayed_ack(from, &RelayedAck { nonce, target: target.by_ref(), stamp });
        is_helper
    }

    fn on_probe_acked(&mut self, target: MemberIndex, ack: &Ack<'_>) {
        let Some(probe) = self.end_probe() else { return };
        if let Some(carried) = probe.carried {
            self.unheard.heard(carried);
        }
        if let Some(stamp) = probe.introduced {
            self.unheard.understood(stamp);
        }
        self.stats.probes_acked += 1;
        self.change_health(-1);
        if self.config.report_probes {
            let member = Name::from_checked(self.table.get(target).name());
            let rtt = self.now.saturating_since(probe.sent_at);
            let pong = Pong { rtt, payload: Bytes::copy_from_slice(ack.payload) };
            self.emit(EventKind::Probed { member, pong });
        }
    }

    fn pass_ack_on(&mut self, nonce: u64, relay: &Relay) {
        self.timers.reset(Timer::Relay, nonce, Some(relay.deadline), None);
        self.stats.relayed += 1;
        let record = self.table.get(relay.target);
        let (target, stamp) = (Name::from_checked(record.name()), record.stamp());
        let nonce = relay.requester_nonce;
        let message = Message::RelayedAck(RelayedAck { nonce, target: target.by_ref(), stamp });
        self.answer(relay.requester, &message, relay.asked_len);
    }

    /// A helper reached the target.
    pub(super) fn on_relayed_ack(&mut self, helper: MemberIndex, ack: &RelayedAck<'_>) {
        let Some(probe) = &self.probe else { return };
        let target = probe.target;
        if probe.nonce != ack.nonce
            || !probe.is_helper(helper)
            || self.table.get(target).name() != ack.target
        {
            return;
        }
        self.end_probe();
        self.stats.probes_saved_by_relay += 1;
        self.change_health(-1);
        self.on_sender_stamp(target, ack.stamp);
    }

    /// The target answered over the stream, but not to packets.
    pub(super) fn on_probe_saved_by_stream(&mut self, nonce: u64) {
        let Some(probe) = self.probe.as_ref().filter(|probe| probe.nonce == nonce) else { return };
        let target = probe.target;
        self.probe_stream = None;
        self.end_probe();
        self.stats.probes_saved_by_stream += 1;
        self.change_health(-1);
        let member = Name::from_checked(self.table.get(target).name());
        self.emit(EventKind::PacketsLost { member });
    }

    /// A helper says that it waits too; or the one that was pinged says that it lives but does not
    /// know us, and is made to know us by an exchange.
    pub(super) fn on_nack(&mut self, from: MemberIndex, by: Option<Sender<'_>>, nack: Nack) {
        if by.is_some_and(|by| self.answers_as_stranger(from, by, nack)) {
            return;
        }
        if let Some(probe) = self.probe.as_mut().filter(|probe| probe.nonce == nack.nonce)
            && probe.nack(from)
        {
            self.stats.nacks += 1;
        } else if by.is_some()
            && let Some(relay) = self.relays.answered(nack.nonce, from)
        {
            self.pass_ack_on(nack.nonce, &relay);
        }
    }

    /// Whether this answers a question of ours as somebody who does not know us. Or takes what we
    /// say for old, because somebody else uses up our numbers: we go on under others.
    pub(super) fn answers_as_stranger(
        &mut self,
        from: MemberIndex,
        by: Sender<'_>,
        nack: Nack,
    ) -> bool {
        let is_probed = |probe: &Probe| probe.nonce == nack.nonce && probe.target == from;
        let is_told = |leave: &Leave| leave.asked(nack.nonce) == Some(from);
        let is_answer = self.probe.as_ref().is_some_and(is_probed)
            || self.leave.as_ref().is_some_and(is_told)
            || self.pings.get(&nack.nonce).is_some_and(|ping| by.name == ping.target);
        if !is_answer {
            return false;
        }
        // Who has started anew since it was asked took in nothing that came with the question. (X4)
        let started = by.stamp.life;
        let is_anew = |probe: &&mut Probe| is_probed(probe) && probe.stamp.life < started;
        if let Some(probe) = self.probe.as_mut().filter(is_anew) {
            (probe.carried, probe.introduced) = (None, None);
        } else if !sabotaged!(self, KeepsUsedUpNumbers) {
            self.wire.begin_session(Lane::Packets);
        }
        if !self.leave.as_mut().is_some_and(|leave| leave.is_unheard(nack.nonce, started)) {
            self.on_ack(Some(from), Some(by), &Ack::bare(nack.nonce));
        }
        self.exchange_with(from);
        true
    }

    /// Pings `target` for `requester`, if both know it at the same address. The address that is
    /// pinged comes from our own table. (X6)
    pub(super) fn on_indirect_ping(
        &mut self,
        requester: MemberIndex,
        request: &IndirectPing<'_>,
        asked_len: usize,
    ) {
        let IndirectPing { nonce: requester_nonce, target, addr, nack: wants_nack } = *request;
        let target = target
            .and_then(|target| self.table.find(target))
            .filter(|&index| index != MemberIndex::SELF);
        // One of that name elsewhere could not vouch for the one that is meant. (X9)
        let target = target.filter(|&index| self.table.get(index).addr() == addr);
        let Some(target) = target else {
            return self.refuse_relay(requester, request, asked_len);
        };
        let nonce = self.fresh_nonce();
        // Half of the time the requester waits in all, so that the nack arrives well before its
        // deadline. Lifeguard sends it at 80 % of the timeout, which is late with WAN settings.
        let deadline = self.now + self.config.probe_timeout / 2;
        let nacked = false;
        let relay =
            Relay { requester, requester_nonce, asked_len, target, deadline, nacked, wants_nack };
        if !self.relays.accept(nonce, relay, self.now) {
            return self.refuse_relay(requester, request, asked_len);
        }
        self.timers.reset(Timer::Relay, nonce, None, Some(deadline));
        let ping = Message::Ping(Ping { nonce, digest: self.digest() });
        self.answer(target, &ping, self.config.packet_len_max);
    }

    /// Says at once that there will be no answer: the requester's own health is not to blame.
    fn refuse_relay(&mut self, to: MemberIndex, request: &IndirectPing<'_>, asked_len: usize) {
        self.stats.relays_refused += 1;
        if request.nack {
            self.answer(to, &Message::Nack(Nack { nonce: request.nonce }), asked_len);
        }
    }

    /// No answer for somebody else yet: says so once, and goes on waiting for a late one.
    pub(super) fn on_relay_due(&mut self, nonce: u64) {
        let Some(relay) = self.relays.get_mut(nonce) else { return };
        if relay.nacked {
            self.relays.remove(nonce);
            return;
        }
        relay.nacked = true;
        relay.deadline = self.now + self.config.probe_interval * (self.config.health_max + 1);
        let Relay { requester, requester_nonce, asked_len, deadline, wants_nack, .. } = *relay;
        if wants_nack {
            self.answer(requester, &Message::Nack(Nack { nonce: requester_nonce }), asked_len);
        }
        if wants_nack && !self.table.get(requester).is_validated() {
            self.relays.remove(nonce); // Two answers are more than one question.
        } else {
            self.timers.reset(Timer::Relay, nonce, None, Some(deadline));
        }
    }

    /// A ping that the application asked for is over.
    pub(super) fn finish_ping(&mut self, nonce: u64, payload: Option<&[u8]>) {
        let Some(ping) = self.pings.remove(&nonce) else { return };
        self.timers.reset(Timer::Ping, nonce, Some(ping.deadline), None);
        let rtt = self.now.saturating_since(ping.sent_at);
        let pong = payload.map(|payload| Pong { rtt, payload: Bytes::copy_from_slice(payload) });
        self.emit(EventKind::PingFinished { ping: ping.id, pong });
    }
}

/// Whether a member is believed to be suspect under this stamp.
fn is_suspect(table: &Table, index: MemberIndex, stamp: Stamp) -> bool {
    let belief = Belief::new(stamp, State::Suspect);
    table.try_get(index).is_some_and(|record| record.belief() == belief)
}
