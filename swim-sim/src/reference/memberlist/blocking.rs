//! Blocking members and letting them go, in each flavour.

use super::{
    cluster::{Cluster, Hanging},
    events::Event,
    rules::Flavour,
};

impl Cluster {
    /// Blocks a member, or lets it go on.
    pub(super) fn set_blocked(&mut self, node: usize, is_blocked: bool) {
        self.nodes[node].is_blocked = is_blocked;
        if is_blocked {
            return;
        }
        match self.rules.flavour {
            Flavour::Task => self.go_on_with_tasks(node),
            Flavour::Hold => self.let_out(node),
            Flavour::Stall => self.nodes[node].is_catching_up = true,
        }
        for slot in std::mem::take(&mut self.nodes[node].streams) {
            self.handle_stream(slot);
        }
        self.go_on_handling(node);
        self.catch_up(node);
    }

    /// Whether a task of this member hangs where it sends.
    pub(super) fn hangs(&self, node: usize) -> bool {
        self.nodes[node].is_blocked && self.rules.flavour == Flavour::Task
    }

    /// Whether what this member sends waits on its way out.
    pub(super) fn holds(&self, node: usize) -> bool {
        self.nodes[node].is_blocked && self.rules.flavour == Flavour::Hold
    }

    /// Whether it is too late for an answer. A frozen process handles what waits before its timers,
    /// so that an answer which came meanwhile is in time as long as the timer has not fired.
    pub(super) fn is_past(&self, deadline: u64) -> bool {
        self.now >= deadline && self.rules.flavour != Flavour::Stall
    }

    /// Each hanging send leaves in its turn.
    ///
    /// The tasks go on at the same time, send by send. A failing probe sends five times (a ping,
    /// three requests, a stream) before it suspects anybody; by then the gossip task has sent what
    /// hung and what the remembered tick adds. So gossip comes first here, and the suspicion goes
    /// out with the next tick. (The other way round, a fifth more false positives are counted.)
    fn go_on_with_tasks(&mut self, node: usize) {
        let mut hanging = std::mem::take(&mut self.nodes[node].hanging);
        hanging.sort_by_key(|task| !matches!(task, Hanging::Gossip { .. }));
        for task in hanging {
            self.resume(node, task);
        }
    }

    /// What was held on its way out leaves.
    fn let_out(&mut self, node: usize) {
        for packet in std::mem::take(&mut self.nodes[node].held) {
            self.leave(packet);
        }
        for slot in std::mem::take(&mut self.nodes[node].held_streams) {
            self.leave_by_stream(slot);
        }
    }

    /// Whether a timer has to wait, because its process is frozen or has not yet handled what came
    /// while it was. A ticker remembers one tick.
    pub(super) fn defers(&mut self, event: Event) -> bool {
        let Some(node) = event.timer_of() else { return false };
        let is_stall = self.rules.flavour == Flavour::Stall;
        let it = &mut self.nodes[node];
        if !is_stall || !(it.is_blocked || it.is_catching_up) {
            return false;
        }
        let is_tick = matches!(event, Event::Gossip { .. } | Event::Probe { .. });
        if !is_tick || !it.overdue.contains(&event) {
            it.overdue.push(event);
        }
        true
    }

    /// Once everything that waited is handled, the timers that are due fire.
    pub(super) fn catch_up(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        if !it.is_catching_up || it.is_blocked || !it.inbox.is_empty() {
            return;
        }
        it.is_catching_up = false;
        for event in std::mem::take(&mut it.overdue) {
            self.happen(event);
        }
    }
}
