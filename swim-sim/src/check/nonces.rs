//! Nonces: no two packets or frames of anybody are ever sealed with the same one under the same
//! key.

use std::collections::{BTreeMap, BTreeSet};

use swim_core::Dialect;

use crate::{network::HostId, step::Step};

use super::checker::Checker;

/// X3: under each key a session belongs to one run of one process, and its counter only grows, in
/// packets and in frames of streams. In memberlist's dialect nonces are random, and each is new.
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
        if step.sent.is_empty() && step.written.is_empty() || step.node.keyring().is_none() {
            return Ok(());
        }
        let (options, owner) = (step.node.audit_options(), (step.host, step.run));
        for (to, packet) in step.sent {
            self.looks += 1;
            let is_read = match options.dialect {
                Dialect::Native => self.draw_from(owner, packet)?,
                Dialect::Memberlist(_) => {
                    let nonce = random_nonce(packet, options.label.len());
                    nonce.map(|nonce| self.draw_random(owner, nonce)).transpose()?
                }
            };
            if is_read.is_none() {
                return Err(format!("X3: a packet to {to} is too short to be sealed"));
            }
        }
        for (id, piece) in step.written {
            self.looks += 1;
            let is_read = match options.dialect {
                Dialect::Native => match frame(piece) {
                    Some(frame) => self.draw_from(owner, frame)?,
                    None => None,
                },
                Dialect::Memberlist(_) => {
                    let nonce = random_nonce_of_frame(piece, options.label.len());
                    nonce.map(|nonce| self.draw_random(owner, nonce)).transpose()?
                }
            };
            if is_read.is_none() {
                return Err(format!("X3: what is written to {id} is no sealed frame"));
            }
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

impl Nonces {
    /// Draws what the header of a packet or frame says; `None` if there is none.
    fn draw_from(&mut self, owner: (HostId, u32), sealed: &[u8]) -> Result<Option<()>, String> {
        nonce(sealed).map(|(session, counter)| self.draw(owner, session, counter)).transpose()
    }

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

/// The frame that a node writes at once: its length, and no more and no less than that.
fn frame(piece: &[u8]) -> Option<&[u8]> {
    let (len, frame) = piece.split_first_chunk()?;
    (u32::from_le_bytes(*len) as usize == frame.len()).then_some(frame)
}

/// What stands behind the kind and the length of a sealed message on a stream of memberlist's, and
/// the version of its envelope. Only who dialed writes the label.
fn random_nonce_of_frame(piece: &[u8], label_len: usize) -> Option<[u8; 12]> {
    /// The byte that says that what follows is sealed, and how much of it there is.
    const HEAD_LEN: usize = 5;
    const LABELLED: u8 = 244;
    const SEALED: u8 = 10;
    let is_labelled = label_len > 0 && piece.first() == Some(&LABELLED);
    let message = piece.get(if is_labelled { 2 + label_len } else { 0 }..)?;
    let (head, envelope) = message.split_first_chunk::<HEAD_LEN>()?;
    let [kind, len @ ..] = *head;
    let is_whole = kind == SEALED && u32::from_be_bytes(len) as usize == envelope.len();
    random_nonce(envelope, 0).filter(|_| is_whole)
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
    fn x3_packets_and_frames_are_held_against_each_other() {
        let sealed: Vec<u8> = (0..40).collect();
        let written = [&40_u32.to_le_bytes()[..], &sealed].concat();
        assert_eq!(frame(&written), Some(&sealed[..]));
        assert_eq!(frame(&written[..43]), None, "a part of a frame");
        assert_eq!(frame(&[&written[..], &[0]].concat()), None, "more than a frame");
        let mut nonces = Nonces::default();
        assert_eq!(nonces.draw_from((0, 1), &sealed), Ok(Some(())));
        assert!(nonces.draw_from((0, 1), frame(&written).expect("it is whole")).is_err());
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
        let on_a_stream = [&[10, 0, 0, 0, 40][..], &packet].concat();
        let nonce = random_nonce(&packet, 0);
        assert_eq!(random_nonce_of_frame(&on_a_stream, 0), nonce);
        assert_eq!(random_nonce_of_frame(&on_a_stream, 5), nonce, "who answers has said it");
        let dialed = [&[244, 5][..], b"label", &on_a_stream].concat();
        assert_eq!(random_nonce_of_frame(&dialed, 5), nonce);
        assert_eq!(random_nonce_of_frame(&dialed[..dialed.len() - 1], 5), None);
        assert_eq!(random_nonce_of_frame(&packet, 0), None, "it is not sealed");
        let mut nonces = Nonces::default();
        assert!(nonces.draw_random((0, 1), labelled).is_ok());
        assert!(nonces.draw_random((1, 1), labelled).is_err(), "the same twice");
    }
}
