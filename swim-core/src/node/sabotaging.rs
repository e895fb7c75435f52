//! Faults on purpose that take more than a line: never compiled for production.

use alloc::vec::Vec;
use core::net::SocketAddr;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

use super::{Node, Phase};
use crate::{
    keyring::Keyring,
    member::State,
    precedence::Belief,
    reject::Reject,
    sabotage::Sabotage,
    table::MemberIndex,
    wire::{Wire, WireSettings},
};

impl Node {
    /// Gives the node a fault, or takes it away.
    pub fn sabotage(&mut self, fault: Option<Sabotage>) {
        self.sabotage = fault;
    }

    /// What a node with a fault believes after hearing `news`, where a sound one believes `then`.
    pub(super) fn misheard(
        &self,
        before: Belief,
        news: Belief,
        then: Option<Belief>,
    ) -> Option<Belief> {
        let is_equal = news.stamp == before.stamp;
        match self.sabotage {
            Some(Sabotage::BelievesWhatIsOutdated) => Some(news).filter(|news| *news != before),
            Some(Sabotage::RevivesByEqualClaims)
                if is_equal && before.state == State::Dead && news.state == State::Alive =>
            {
                Some(news)
            }
            Some(Sabotage::CallsBackWhoLeft) if news.stamp > before.stamp => Some(news),
            Some(Sabotage::RefusesNewLives) if news.stamp.life > before.stamp.life => None,
            _ => then,
        }
    }

    /// A node with a fault writes down something else than a newcomer said.
    pub(super) fn misquote(&mut self, index: MemberIndex) {
        if self.sabotage == Some(Sabotage::AltersMetadata) {
            let profile = self.table.get(index).profile().clone();
            let altered = crate::wire::Alive { meta: b"nobody said this", ..profile.alive() };
            let belief = self.table.get(index).belief();
            self.table.revise(index, Some(&altered), belief, self.now);
        }
    }

    /// Health worse than the worst.
    pub(super) fn pass_the_worst_health(&mut self) {
        let max = self.config.health_max;
        if self.sabotage == Some(Sabotage::PassesTheWorstHealth) && self.health.score() == max {
            self.health = crate::health::Health::new(max + 1);
            self.health.apply(i32::MAX);
        }
    }

    /// A node with a fault leaves when somebody else has its name.
    pub(super) fn yield_name(&mut self) {
        if self.sabotage == Some(Sabotage::YieldsItsName) && self.phase == Phase::Running {
            self.leave(self.now, self.config.probe_interval).expect("it runs");
        }
    }

    /// Before the keys change: what they were when there were most of them is kept.
    pub(super) fn keep_keys(&mut self) {
        let count = |ring: Option<&Keyring>| ring.map_or(0, |ring| ring.keys().len());
        let now = self.wire.keyring();
        if count(now) >= count(self.former_keys.as_ref()) {
            self.former_keys = now.cloned();
        }
    }

    /// A node with a fault takes in what is not sealed, or with a key that was removed, or what it
    /// took before.
    pub(super) fn swallows(&mut self, reject: Reject, from: SocketAddr, data: &[u8]) -> bool {
        let keyring = match (self.sabotage, reject) {
            (Some(Sabotage::ReadsPlaintext), Reject::Plaintext) => None,
            (Some(Sabotage::ReadsFormerKeys), Reject::UnknownKey) => self.former_keys.clone(),
            (Some(Sabotage::TakesEnvelopesAgain), Reject::Replayed) => self.wire.keyring().cloned(),
            _ => return false,
        };
        let settings = WireSettings {
            label: self.config.label(),
            keyring,
            own_name: &self.name,
            own_life: self.config.life,
            packet_len_max: self.config.packet_len_max,
            sessions_max: 1,
            state_len_max: 0,
            message_len_max: 0,
        };
        let nonces = ChaCha8Rng::from_seed([0; 32]); // It only reads.
        let mut wire = Wire::new(self.config.dialect, settings, self.config.addr, nonces);
        let mut scratch = Vec::new();
        let Ok(opened) = wire.open_packet(self.wall, data, &mut scratch) else { return false };
        self.on_opened(from, data.len(), &opened);
        true
    }
}
