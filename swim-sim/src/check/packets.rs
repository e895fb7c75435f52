//! Packets: never longer than allowed, and none from those that have left.

use std::net::SocketAddr;

use swim_core::Dialect;

use crate::step::{Moment, Step};

use super::checker::{Checker, PerHost};

/// W1, and the silence of S7.
#[derive(Debug, Default)]
pub struct Packets {
    /// Whether each had left before this step.
    left: PerHost<bool>,
    looks: u64,
}

impl Checker for Packets {
    fn id(&self) -> &'static str {
        "W1-S7"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let left = self.left.of(step);
        let had_left = std::mem::replace(left, step.node.has_left());
        self.looks += step.sent.len() as u64;
        let max = step.node.audit_options().packet_len_max;
        let mut answered = may_answer(step);
        for (to, data) in step.sent {
            if data.is_empty() || data.len() > max {
                return Err(format!("W1: {} bytes to {to}, {max} may be", data.len()));
            }
            if *to == step.addr {
                return Err("W1: a packet to itself".into());
            }
            let is_answer = answered.take_if(|from| from == to).is_some();
            if had_left && step.node.has_left() && !is_answer {
                return Err(format!("S7: who has left sends to {to}"));
            }
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

/// Whom a node may answer that has left: in memberlist's dialect, where whoever does not hear of
/// the leave must not come to suspect it, the one whose packet this is about, once.
fn may_answer(step: &Step<'_>) -> Option<SocketAddr> {
    match (step.node.audit_options().dialect, step.moment) {
        (Dialect::Memberlist(_), Moment::Packet { from, .. }) => Some(*from),
        _ => None,
    }
}
