//! Nonces: no two packets of anybody are ever sealed with the same one under the same key.

use std::collections::BTreeMap;

use crate::{network::HostId, step::Step};

use super::checker::Checker;

/// X3: under each key a session belongs to one run of one process, and its counter only grows.
#[derive(Debug, Default)]
pub struct Nonces {
    sessions: BTreeMap<Session, Seen>,
    looks: u64,
}

/// The id of the key and the random bytes of the session, as they stand in the header.
type Session = [u8; 12];

#[derive(Debug)]
struct Seen {
    owner: (HostId, u32),
    counter: u32,
}

impl Checker for Nonces {
    fn id(&self) -> &'static str {
        "X3"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if step.sent.is_empty() || step.node.keyring().is_none() {
            return Ok(());
        }
        for (to, packet) in step.sent {
            self.looks += 1;
            let Some((session, counter)) = nonce(packet) else {
                return Err(format!("X3: a packet to {to} is too short to be sealed"));
            };
            self.draw((step.host, step.run), session, counter)?;
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

impl Nonces {
    fn draw(&mut self, owner: (HostId, u32), session: Session, counter: u32) -> Result<(), String> {
        let seen = self.sessions.insert(session, Seen { owner, counter });
        match seen {
            Some(seen) if seen.owner != owner || seen.counter >= counter => {
                Err(format!("X3: {counter} of {session:?} by {owner:?} follows {seen:?}"))
            }
            _ => Ok(()),
        }
    }
}

/// What a sealed packet's header says: version, flags and label come first.
fn nonce(packet: &[u8]) -> Option<(Session, u32)> {
    const SESSION_AT: usize = 6;
    let (session, rest) = packet.get(SESSION_AT..)?.split_first_chunk()?;
    Some((*session, u32::from_le_bytes(*rest.first_chunk()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_that_comes_again_is_found() {
        let mut nonces = Nonces::default();
        let mut is_new =
            |owner, session: u8, counter| nonces.draw(owner, [session; 12], counter).is_ok();
        assert!(is_new((0, 1), 7, 0) && is_new((0, 1), 7, 1) && is_new((0, 2), 8, 0));
        assert!(!is_new((0, 1), 7, 1), "the same twice");
        assert!(!is_new((1, 1), 8, 5), "the session of somebody else");
        assert!(!is_new((1, 2), 8, 6), "the session of a former run");
    }

    #[test]
    fn the_nonce_stands_behind_version_flags_label_and_key() {
        let packet: Vec<u8> = (0..40).collect();
        let session = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];
        assert_eq!(nonce(&packet), Some((session, u32::from_le_bytes([18, 19, 20, 21]))));
        assert_eq!(nonce(&packet[..21]), None);
    }
}
