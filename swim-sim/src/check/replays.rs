//! Who keeps packets and sends them again, says nothing to anybody: the threat model's A1.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::SocketAddr,
};

use swim_core::{Bytes, Dialect, Instant, Life};

use crate::{
    malice::Forged,
    network::HostId,
    step::{Moment, Step},
};

use super::checker::{Checker, PerHost};

/// X4: what a process was told before, what was sent before it started, and what was meant for
/// somebody else, is refused as a whole whenever it comes. That it changes nothing then is what S9
/// is about. X6: nobody gets more for it than was sent.
#[derive(Debug, Default)]
pub struct Replays {
    /// When each packet was first sent, and where to.
    sent: BTreeMap<u64, (Instant, SocketAddr)>,
    processes: PerHost<Process>,
    /// The latest life that was lived on each host.
    lived: BTreeMap<HostId, Life>,
    /// The latest life that somebody with the key told of, of each name. What others say to that
    /// one before it comes is recorded, and counts once when it has come. (SECURITY.md, "This rests
    /// on lives that only grow")
    foretold: BTreeMap<String, Life>,
    looks: u64,
}

/// What is known of a process.
#[derive(Debug, Default)]
struct Process {
    started_at: Option<Instant>,
    /// Whether it lives later than all before it on its host, and than any that was told of. Who
    /// forgets his lives can't tell what was said to him in an earlier one.
    lives_anew: bool,
    told: BTreeSet<u64>,
    refused: u64,
    /// What also makes it send: being woken, and rounds of gossip.
    woken: u64,
}

impl Checker for Replays {
    fn id(&self) -> &'static str {
        "X4-X6"
    }

    fn forged(&mut self, forged: &Forged) {
        for tale in forged.tales.iter().filter(|_| forged.flaw.is_none()) {
            let life = self.foretold.entry(tale.name.to_string()).or_default();
            *life = tale.stamp.life.max(*life);
        }
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let is_native = step.node.audit_options().dialect == Dialect::Native;
        if !is_native || step.node.keyring().is_none() {
            return Ok(());
        }
        for (to, data) in step.sent {
            self.sent.entry(digest(data)).or_insert((step.now, *to));
        }
        let life = step.node.stamp().life;
        let lived = self.lived.entry(step.host).or_default();
        let process = self.processes.of(step);
        if matches!(step.moment, Moment::Started) {
            let foretold = self.foretold.get(&**step.node.name()).copied().unwrap_or_default();
            process.lives_anew = life > (*lived).max(foretold);
            process.started_at = Some(step.now);
        }
        *lived = life.max(*lived);
        let stats = step.node.stats();
        let refused = stats.rejected_whole();
        let woken = stats.pauses + stats.gossip_rounds;
        let is_refused = std::mem::replace(&mut process.refused, refused) < refused;
        let is_woken = std::mem::replace(&mut process.woken, woken) < woken;
        let Moment::Packet { from, data } = step.moment else { return Ok(()) };
        if step.node.has_left() {
            return Ok(()); // It looks at nothing, and takes note of nothing.
        }
        let packet = digest(data);
        let is_old = !process.told.insert(packet);
        let sent = self.sent.get(&packet);
        let is_older = sent.zip(process.started_at).is_some_and(|(&(at, _), start)| at < start);
        let is_astray = sent.is_some_and(|&(_, to)| to != step.addr);
        if !(is_old || is_astray || (is_older && process.lives_anew)) {
            return Ok(());
        }
        self.looks += 1;
        if !is_refused {
            return Err(format!(
                "X4: accepted, old {is_old}, older {is_older}, astray {is_astray}"
            ));
        }
        if is_woken { Ok(()) } else { repaid(step, *from, data) }
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

/// Whether no more goes to where the packet came from than came from there.
fn repaid(step: &Step<'_>, from: SocketAddr, data: &Bytes) -> Result<(), String> {
    let answers = step.sent.iter().filter(|(to, _)| *to == from);
    let (count, len) = answers.fold((0, 0), |(n, len), (_, data)| (n + 1, len + data.len()));
    if count > 1 || len > data.len() {
        return Err(format!("X6: {count} packets of {len} bytes for one of {}", data.len()));
    }
    Ok(())
}

/// The same packet has the same, in every run.
fn digest(data: &Bytes) -> u64 {
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    hasher.finish()
}
