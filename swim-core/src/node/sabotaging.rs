//! Faults on purpose that take more than a line: never compiled for production.

use super::Node;
use crate::{member::State, precedence::Belief, sabotage::Sabotage, table::MemberIndex};

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
}
