//! Nobody has nodes send to somebody who asked for nothing.

use std::{collections::BTreeSet, net::SocketAddr};

use crate::{
    malice::Forged,
    step::{Moment, Step},
};

use super::checker::Checker;

/// X6: whoever is not in the cluster, and in whose name others send packets, gets one packet at
/// most for each of them, at once, that is no longer; nothing at any other time, and no stream.
#[derive(Debug, Default)]
pub struct Reflections {
    victims: BTreeSet<SocketAddr>,
    looks: u64,
}

impl Checker for Reflections {
    fn id(&self) -> &'static str {
        "X6-victims"
    }

    fn forged(&mut self, forged: &Forged) {
        if let Some(victim) = forged.victim.filter(|_| forged.packet.is_some()) {
            self.victims.insert(victim);
        }
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if self.victims.is_empty() {
            return Ok(());
        }
        if let Some(victim) = step.dialed.iter().find(|to| self.victims.contains(to)) {
            return Err(format!("X6: a stream is opened to {victim}, who asked for nothing"));
        }
        let asked = match step.moment {
            Moment::Packet { from, data } => Some((*from, data.len())),
            _ => None,
        };
        self.looks += u64::from(asked.is_some_and(|(from, _)| self.victims.contains(&from)));
        let mut owed = asked;
        for (to, data) in step.sent.iter().filter(|(to, _)| self.victims.contains(to)) {
            let is_owed = owed.take_if(|(from, len)| from == to && data.len() <= *len).is_some();
            if !is_owed {
                let len = data.len();
                return Err(format!("X6: {to} gets {len} bytes, and was asked for by {asked:?}"));
            }
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}
