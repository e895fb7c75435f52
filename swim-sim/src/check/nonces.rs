//! Nonces: no two packets of anybody are ever sealed with the same one under the same key.

use std::collections::{BTreeMap, BTreeSet};

use swim_core::Dialect;

use crate::{network::HostId, step::Step};

use super::checker::Checker;

/// X3: under each key a session belongs to one run of one process, and its counter only grows. In
/// memberlist's dialect nonces are random, and each is new.
#[derive(Debug, Default)]
pub struct Nonces {
    sessions: BTreeMap<Session, Seen>,
    random: BTreeSet<[u8; 12]>,
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
        let (options, owner) = (step.node.audit_options(), (step.host, step.run));
        for (to, packet) in step.sent {
            self.looks += 1;
            let is_read = match options.dialect {
                Dialect::Native => {
                    let nonce = nonce(packet);
                    nonce
                        .map(|(session, counter)| self.draw(owner, session, counter))
                        .transpose()?
                }
                Dialect::Memberlist(_) => {
                    let nonce = random_nonce(packet, options.label.len());
                    nonce.map(|nonce| self.draw_random(owner, nonce)).transpose()?
                }
            };
            if is_read.is_none() {
                return Err(format!("X3: a packet to {to} is too short to be sealed"));
            }
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

    fn draw_random(&mut self, owner: (HostId, u32), nonce: [u8; 12]) -> Result<(), String> {
        if self.random.insert(nonce) {
            Ok(())
        } else {
            Err(format!("X3: {owner:?} draws {nonce:?}, which was drawn before"))
        }
    }
}

/// What a sealed packet's header says: version, flags and label come first.
fn nonce(packet: &[u8]) -> Option<(Session, u32)> {
    const SESSION_AT: usize = 6;
    let (session, rest) = packet.get(SESSION_AT..)?.split_first_chunk()?;
    Some((*session, u32::from_le_bytes(*rest.first_chunk()?)))
}

/// What stands behind the label and the version of an envelope of memberlist's.
fn random_nonce(packet: &[u8], label_len: usize) -> Option<[u8; 12]> {
    /// The byte that says that there is a label, and its length.
    const LABEL_HEAD_LEN: usize = 2;
    let label_len = if label_len > 0 { LABEL_HEAD_LEN + label_len } else { 0 };
    packet.get(label_len + 1..)?.first_chunk().copied()
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

    #[test]
    fn in_memberlists_dialect_the_nonce_stands_behind_label_and_version() {
        let packet: Vec<u8> = (0..40).collect();
        assert_eq!(random_nonce(&packet, 0), Some([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
        let labelled = [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
        assert_eq!(random_nonce(&packet, 5), Some(labelled));
        assert_eq!(random_nonce(&packet[..19], 5), None);
        let mut nonces = Nonces::default();
        assert!(nonces.draw_random((0, 1), labelled).is_ok());
        assert!(nonces.draw_random((1, 1), labelled).is_err(), "the same twice");
    }
}
