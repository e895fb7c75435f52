//! One probe round: a ping, then helpers and a stream, then a verdict. In the TASK flavour the
//! round hangs where it sends, while its deadline runs.

use super::{
    cluster::{Cluster, Hanging, Phase, Probe, State, StreamKind},
    events::Event,
    rules::{HELPERS, PROBE_INTERVAL, PROBE_TIMEOUT},
    updates::{Claim, Head, Update},
};

impl Cluster {
    /// A probe tick; one is remembered while a round runs.
    pub(super) fn probe_tick(&mut self, node: usize) {
        let probe = &mut self.nodes[node].probe;
        if probe.phase == Phase::Idle {
            self.start_round(node);
        } else {
            probe.is_tick_waiting = true;
        }
    }

    fn start_round(&mut self, node: usize) {
        let Some(target) = self.next_target(node) else { return };
        let target_incarnation = self.belief(node, target).incarnation;
        let it = &mut self.nodes[node];
        let scale = it.health + 1;
        let round = it.probe.round.wrapping_add(1);
        let deadline = self.now + PROBE_INTERVAL * scale;
        it.probe = Probe {
            phase: Phase::Direct,
            round,
            target,
            target_incarnation,
            deadline,
            scale,
            ..Probe::default()
        };
        let packet = self.make_ping(node, target, round);
        if self.hangs(node) {
            self.hang(node, Hanging::Ping { packet });
        } else {
            self.ping(node, packet);
        }
    }

    fn hang(&mut self, node: usize, hanging: Hanging) {
        let it = &mut self.nodes[node];
        it.probe.phase = Phase::Hanging;
        it.hanging.push(hanging);
    }

    /// The next in the ring who is believed to live, suspected or not.
    fn next_target(&mut self, node: usize) -> Option<u16> {
        let mut passed = 0;
        while passed < self.nodes[node].ring.len() {
            let it = &mut self.nodes[node];
            let Some(&member) = it.ring.get(it.cursor) else {
                self.start_ring_anew(node);
                passed += 1;
                continue;
            };
            it.cursor += 1;
            let state = self.belief(node, member).state;
            if usize::from(member) != node && matches!(state, State::Alive | State::Suspect) {
                return Some(member);
            }
            passed += 1;
        }
        None
    }

    /// The ping leaves. If it has waited past the deadline, the round goes straight on.
    fn ping(&mut self, node: usize, packet: u32) {
        self.send(packet);
        let probe = &mut self.nodes[node].probe;
        probe.phase = Phase::Direct;
        let (round, scale) = (probe.round, probe.scale);
        if self.now >= probe.deadline {
            self.ask_helpers(node);
        } else {
            let at = (self.now + PROBE_TIMEOUT * scale).min(probe.deadline);
            self.events.push(at, Event::ProbeTimeout { node, round });
        }
    }

    /// The ping has had its time, or the deadline has come first.
    pub(super) fn probe_timeout(&mut self, node: usize, round: u16) {
        let Probe { phase, round: current, .. } = self.nodes[node].probe;
        if phase == Phase::Direct && round == current {
            self.ask_helpers(node);
        }
    }

    fn ask_helpers(&mut self, node: usize) {
        if self.hangs(node) {
            self.hang(node, Hanging::Requests);
            return;
        }
        let Probe { target, round, deadline, .. } = self.nodes[node].probe;
        let helpers = self.choose(node, HELPERS, |member, belief| {
            member != target && belief.state == State::Alive
        });
        for &helper in helpers.iter() {
            let request = self.make(node, helper, Head::PingRequest(target), round);
            self.send(request);
        }
        self.send_stream(StreamKind::Ping, node, target, round);
        let probe = &mut self.nodes[node].probe;
        probe.helpers = helpers.len() as u8;
        probe.phase = Phase::Indirect;
        if self.now >= deadline {
            self.fail(node);
        } else {
            self.events.push(deadline, Event::ProbeDeadline { node, round });
        }
    }

    /// The round's time is over. (What hangs notices when it goes on.)
    pub(super) fn probe_deadline(&mut self, node: usize, round: u16) {
        let probe = self.nodes[node].probe;
        if probe.round != round {
            return;
        }
        match probe.phase {
            Phase::Idle | Phase::Hanging | Phase::Direct => {}
            Phase::Indirect if probe.is_stream_acked => self.succeed(node),
            Phase::Indirect if probe.is_stream_ack_waiting => self.hang(node, Hanging::StreamAck),
            Phase::Indirect => self.fail(node),
        }
    }

    /// An ack has come, from the target or through a helper.
    pub(super) fn probe_ack(&mut self, node: usize, round: u16) {
        let probe = self.nodes[node].probe;
        let is_waiting = matches!(probe.phase, Phase::Direct | Phase::Indirect);
        if probe.round == round && is_waiting && !self.is_past(probe.deadline) {
            self.succeed(node);
        }
    }

    /// A helper lives, but has heard nothing.
    pub(super) fn probe_nack(&mut self, node: usize, round: u16) {
        let probe = &mut self.nodes[node].probe;
        probe.nacks += u8::from(probe.round == round);
    }

    /// The target has answered by stream. That counts at the deadline.
    pub(super) fn stream_ack(&mut self, node: usize, round: u16) {
        let is_in_time = !self.is_past(self.nodes[node].probe.deadline);
        let probe = &mut self.nodes[node].probe;
        probe.is_stream_acked |= probe.round == round && is_in_time;
    }

    /// The target has answered by stream, but the block keeps it from being read.
    pub(super) fn stream_ack_waits(&mut self, node: usize, round: u16) {
        let probe = &mut self.nodes[node].probe;
        probe.is_stream_ack_waiting |= probe.round == round && self.now <= probe.deadline;
    }

    fn succeed(&mut self, node: usize) {
        let health = &mut self.nodes[node].health;
        *health = health.saturating_sub(1);
        self.end_round(node);
    }

    fn fail(&mut self, node: usize) {
        let Probe { target, target_incarnation, helpers, nacks, .. } = self.nodes[node].probe;
        self.worsen(node, 1 + u64::from(nacks < helpers));
        self.suspect(
            node,
            Update {
                claim: Claim::Suspect,
                incarnation: target_incarnation,
                subject: target,
                from: node as u16,
            },
        );
        self.end_round(node);
    }

    fn end_round(&mut self, node: usize) {
        let probe = &mut self.nodes[node].probe;
        probe.phase = Phase::Idle;
        if std::mem::take(&mut probe.is_tick_waiting) {
            self.start_round(node);
        }
    }

    /// Goes on with what hung, at the end of a block.
    pub(super) fn resume(&mut self, node: usize, hanging: Hanging) {
        match hanging {
            Hanging::Ping { packet } => self.ping(node, packet),
            Hanging::Requests => self.ask_helpers(node),
            Hanging::StreamAck => self.succeed(node),
            Hanging::Gossip { packet } => {
                self.send(packet);
                self.go_on_gossiping(node);
            }
            Hanging::PushPull { to } => self.push(node, to),
            Hanging::Nack { to, sequence } => {
                let nack = self.make(node, to, Head::Nack, sequence);
                self.send(nack);
            }
        }
    }
}
