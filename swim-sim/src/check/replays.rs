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

use super::{
    checker::{Checker, PerHost},
    refusals::refused_whole,
};

/// X4: what a process was told before, what was sent before it started, and what was meant for
/// somebody else, is refused as a whole whenever it comes. That it changes nothing then is what S9
/// is about. X6: nobody gets more for it than was sent. O5: in memberlist's dialect, what a process
/// took is refused when it comes again within a minute.
#[derive(Debug, Default)]
pub struct Replays {
    /// How each packet was first sent.
    sent: BTreeMap<u64, Sent>,
    processes: PerHost<Process>,
    envelopes: PerHost<Envelopes>,
    /// The latest life that was lived on each host.
    lived: BTreeMap<HostId, Life>,
    /// The latest life that somebody with the key told of, of each name. What others say to that
    /// one before it comes is recorded, and counts once when it has come. (SECURITY.md, "This rests
    /// on lives that only grow")
    foretold: BTreeMap<String, Life>,
    /// Where somebody with the key said that others are, and since when: what is sent there for
    /// them is theirs.
    misled: BTreeMap<(String, SocketAddr), Instant>,
    /// Where processes of each name ran. Packets say whom they are for, and not where: what went to
    /// a namesake is for both, unless it is for a life that one of them has passed.
    namesakes: BTreeSet<(String, SocketAddr)>,
    looks: u64,
}

/// How a packet was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Instant,
    by: SocketAddr,
    /// Where it is for.
    to: SocketAddr,
    /// Where else it may be for.
    or_to: Option<SocketAddr>,
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

/// What a process took that does not number what it sends.
#[derive(Debug, Default)]
struct Envelopes {
    /// When each came, in seconds by the process's clock on the wall, if it has one.
    taken: BTreeMap<Bytes, Option<u64>>,
    /// The latest time that this clock showed: what was old then is not remembered.
    latest: u64,
    /// How many packets were refused as a whole, and how much for any reason.
    refused: [u64; 2],
}

impl Checker for Replays {
    fn id(&self) -> &'static str {
        "X4-X6"
    }

    fn forged(&mut self, forged: &Forged) {
        if forged.flaw.is_some() {
            return;
        }
        let said = forged
            .tales
            .iter()
            .filter_map(|tale| tale.profile.as_ref().map(|(addr, _)| (tale.name.clone(), *addr)));
        for (name, addr) in forged.posing.clone().into_iter().chain(said) {
            self.misled.entry((name.to_string(), addr)).or_insert(forged.at);
        }
        for tale in &forged.tales {
            let life = self.foretold.entry(tale.name.to_string()).or_default();
            *life = tale.stamp.life.max(*life);
        }
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if step.node.keyring().is_none() {
            return Ok(());
        }
        if step.node.audit_options().dialect != Dialect::Native {
            return self.envelope(step);
        }
        let stats = step.node.stats();
        let woken = stats.pauses + stats.gossip_rounds;
        let process = self.processes.of(step);
        let is_woken = std::mem::replace(&mut process.woken, woken) < woken;
        self.note_sent(step, is_woken);
        let life = step.node.stamp().life;
        let lived = self.lived.entry(step.host).or_default();
        let process = self.processes.of(step);
        if matches!(step.moment, Moment::Started) {
            self.namesakes.insert((step.node.name().to_string(), step.addr));
            let foretold = self.foretold.get(&**step.node.name()).copied().unwrap_or_default();
            process.lives_anew = life > (*lived).max(foretold);
            process.started_at = Some(step.now);
        }
        *lived = life.max(*lived);
        let refused = stats.rejected_whole();
        let is_refused = std::mem::replace(&mut process.refused, refused) < refused;
        let Moment::Packet { from, data } = step.moment else { return Ok(()) };
        if step.node.has_left() {
            return Ok(()); // It looks at nothing, and takes note of nothing.
        }
        let packet = digest(data);
        let is_old = !process.told.insert(packet);
        let sent = self.sent.get(&packet);
        let is_older = sent.zip(process.started_at).is_some_and(|(sent, start)| sent.at < start);
        let own = step.node.name();
        let is_misled =
            |at, to| self.misled.get(&(own.to_string(), to)).is_some_and(|&told_at| told_at <= at);
        let is_astray = sent.is_some_and(|sent| {
            let is_here = sent.to == step.addr || sent.or_to == Some(step.addr);
            let is_namesakes = self.namesakes.contains(&(own.to_string(), sent.to));
            !is_here && !is_namesakes && !is_misled(sent.at, sent.to)
        });
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

impl Replays {
    /// A recording may come in another's name. Then the answer goes there, and is for who wrote
    /// what was recorded; but for who is there, if it goes there because this one was woken.
    fn note_sent(&mut self, step: &Step<'_>, is_woken: bool) {
        let answered = match step.moment {
            Moment::Packet { from, data } => {
                self.sent.get(&digest(data)).map(|recorded| (*from, recorded.by))
            }
            _ => None,
        };
        for (to, data) in step.sent {
            let author = answered.and_then(|(from, author)| (from == *to).then_some(author));
            let or_to = author.filter(|_| is_woken).map(|_| *to);
            let sent = Sent { at: step.now, by: step.addr, to: author.unwrap_or(*to), or_to };
            self.sent.entry(digest(data)).or_insert(sent);
        }
    }

    fn envelope(&mut self, step: &Step<'_>) -> Result<(), String> {
        let envelopes = self.envelopes.of(step);
        let wall = step.node.audit_unix_time().map(|time| time.as_secs());
        envelopes.latest = envelopes.latest.max(wall.unwrap_or_default());
        let now = [refused_whole(step.node), step.node.stats().rejected()];
        let before = std::mem::replace(&mut envelopes.refused, now);
        let Moment::Packet { data, .. } = step.moment else { return Ok(()) };
        if step.node.has_left() {
            return Ok(()); // It only answers.
        }
        let latest = envelopes.latest;
        let is_remembered = |came: &Option<u64>| match (came, wall) {
            (Some(came), Some(_)) => latest - came <= REMEMBERED_SECONDS,
            _ => true,
        };
        if !envelopes.taken.get(data).is_some_and(is_remembered) {
            if now[1] == before[1] {
                envelopes.taken.insert(data.clone(), wall);
            }
            return Ok(());
        }
        self.looks += 1;
        if now[0] > before[0] { Ok(()) } else { Err("O5: taken once more".into()) }
    }
}

/// For so long an envelope is remembered, if 65,536 others have not come since.
const REMEMBERED_SECONDS: u64 = 60;

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
