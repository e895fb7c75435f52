//! Nobody has nodes send to somebody who asked for nothing.

use std::{collections::BTreeMap, net::SocketAddr};

use crate::{malice::Forged, step::Step};

use super::checker::Checker;

/// X6: whoever is not in the cluster, and in whose name others send packets, gets no more packets
/// and no more bytes than those had, over the whole run, and no stream.
#[derive(Debug, Default)]
pub struct Reflections {
    victims: BTreeMap<SocketAddr, Account>,
    looks: u64,
}

/// What was sent in the name of a victim, and what it got for that.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    packets_spent: usize,
    bytes_spent: usize,
    packets_got: usize,
    bytes_got: usize,
}

impl Checker for Reflections {
    fn id(&self) -> &'static str {
        "X6-victims"
    }

    fn forged(&mut self, forged: &Forged) {
        if let Some((victim, packet)) = forged.victim.zip(forged.packet.as_ref()) {
            let account = self.victims.entry(victim).or_default();
            account.packets_spent += 1;
            account.bytes_spent += packet.len();
        }
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if self.victims.is_empty() {
            return Ok(());
        }
        if let Some(victim) = step.dialed.iter().find(|to| self.victims.contains_key(to)) {
            return Err(format!("X6: a stream is opened to {victim}, who asked for nothing"));
        }
        for (to, data) in step.sent {
            let Some(account) = self.victims.get_mut(to) else { continue };
            self.looks += 1;
            account.packets_got += 1;
            account.bytes_got += data.len();
            let Account { packets_spent, bytes_spent, packets_got, bytes_got } = *account;
            if packets_got > packets_spent || bytes_got > bytes_spent {
                return Err(format!(
                    "X6: {to} gets {packets_got} packets of {bytes_got} bytes in all for \
                     {packets_spent} of {bytes_spent} in its name"
                ));
            }
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}
