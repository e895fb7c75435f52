//! Bytes as a script of what is done to three nodes and to the network between them, under the
//! simulator's checks and its reference model, which keeps step with every node that speaks the
//! native dialect. Where they have a key, others keep what is said and say it again, write without
//! the key, or have it and lie. (X2, X4, X7, X9)

use std::time::Duration;

use swim_core::{INCARNATION_MAX, Node, Options, limits::LIFE_AHEAD_MILLIS};
use swim_sim::{
    Action, Assault, Forger, Lie, LinkChange, Payload, Says, World, check, check::Checker,
    unix_time,
};

use crate::{
    cluster_of::{Cluster, Guard},
    script::Script,
};

/// A script of actions for a world of three nodes. The first byte is its seed, and says whether
/// they have a key, and what they speak.
///
/// # Panics
///
/// When a check finds something.
pub fn cluster(data: &[u8]) {
    played(data, None);
}

fn played(data: &[u8], one_more: Option<Box<dyn Checker>>) -> World<Node> {
    let mut script = Script::new(data);
    let seed = script.byte();
    let cluster = chosen(seed);
    let mut world: World<Node> = World::new(u64::from(seed));
    for checker in check::for_world(SIZE, cluster.dialect).into_iter().chain(one_more) {
        world.watch(checker);
    }
    if is_sealed(cluster) {
        world.keep_packets();
    }
    for id in 0..SIZE {
        let now = unix_time(world.now);
        world.start(id, |options| set_up(cluster, now, options));
        if id > 0 {
            world.join(id, &[0]);
        }
    }
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        let (actions, after) = step(&mut script, cluster);
        for action in actions {
            let now = unix_time(world.now);
            world.act(&action, &|_, options| set_up(cluster, now, options));
        }
        world.run(after);
        assert!(world.violation().is_none(), "{}", violation(&world));
    }
    for action in [Action::Replays { share: 0.0 }, Action::Heal] {
        world.act(&action, &|_, _| {});
    }
    world.run(END);
    assert!(world.violation().is_none(), "{}", violation(&world));
    world
}

/// What the nodes of a script speak that begins with this byte, and whether they have a key.
fn chosen(first: u8) -> Cluster {
    let guard = first >> SEALED_SHIFT;
    match first >> DIALECT_SHIFT & 3 {
        1 => Cluster::memberlist(guard),
        _ => Cluster::native(guard),
    }
}

/// Who must tell what is new from what was recorded has a clock.
fn set_up(cluster: Cluster, now: Duration, options: &mut Options) {
    options.dialect = cluster.dialect;
    options.keyring = cluster.keyring();
    options.unix_time = is_sealed(cluster).then_some(now);
}

fn is_sealed(cluster: Cluster) -> bool {
    cluster.guard == Guard::Keyed
}

fn violation(world: &World<Node>) -> String {
    world.violation().map(ToString::to_string).unwrap_or_default()
}

/// What is done, and how long the world runs after it.
fn step(script: &mut Script<'_>, cluster: Cluster) -> (Vec<Action>, Duration) {
    let (what, after) = (script.byte(), script.byte());
    let (host, other) = (script.below(SIZE), script.below(SIZE));
    let (host, other) = (host, if other == host { (other + 1) % SIZE } else { other });
    let amount = script.byte();
    // Short steps mostly: most of what goes wrong needs things to happen at about the same time.
    let millis = u64::from(after) * u64::from(after) / 8;
    let actions = match what {
        LIES.. if is_sealed(cluster) => vec![lie(what, host, other, amount)],
        HARM.. if is_sealed(cluster) => harm(what, host, other, amount),
        _ => vec![fault(cluster, usize::from(what) % 16, host, other, amount)],
    };
    (actions, Duration::from_millis(millis))
}

/// What those do who have no key, and a host that starts anew at once: what it was told before is
/// all recorded.
fn harm(what: u8, host: usize, other: usize, amount: u8) -> Vec<Action> {
    let forge = |says, table| {
        let (about, ahead) = (usize::from(amount) % SIZE, u64::from(amount));
        let lie = Lie { about, more: 0, says, ahead, lives: 0, table, bloat: 0 };
        Action::Forge { host, from: other, lie, by: Forger::Outsider, victim: None }
    };
    let assault = |cut| Action::Assault {
        host,
        assault: Assault {
            with: Payload::Recording,
            cut,
            stalls: amount & 1 == 1,
            times: 1,
            word: amount.into(),
        },
    };
    match what % 8 {
        0 => vec![Action::Replays { share: f64::from(amount) / 64.0 }],
        1 => vec![forge(Says::Recorded, false)],
        2 => vec![assault(usize::from(amount) / 2)],
        3 => vec![
            Action::Crash { host },
            Action::Start { host, seeds: vec![other], forgetful: false },
        ],
        4 => vec![
            Action::Crash { host },
            Action::Start { host, seeds: Vec::new(), forgetful: false },
            forge(Says::Recorded, false),
            assault(0),
        ],
        5 => vec![forge(Says::Suspect, amount & 1 == 1)],
        6 => vec![forge(Says::At(other), amount & 1 == 1)],
        _ => vec![Action::Garbage { host, from: other, word: amount.into(), len: 200 }],
    }
}

/// What somebody says who has the key, of one of the three or, in a table, of it and of those after
/// it: any of what they might say some time, elsewhere, or of somebody who isn't there.
fn lie(what: u8, host: usize, other: usize, amount: u8) -> Action {
    let (about, how) = (usize::from(amount) % SIZE, usize::from(amount) / SIZE);
    let table = what & 8 != 0;
    let more = if table { SIZE - 1 - about } else { 0 };
    let (about, says) = match what % 8 {
        0 => (about, Says::Suspect),
        1 => (about, Says::Dead),
        2 => (about, Says::Left),
        3 => (about, Says::Alive),
        4 => (NOBODY + about, Says::At(how % SIZE)),
        5 => (about, Says::At(how % SIZE)),
        6 => (about, Says::At(NOBODY + about)),
        _ => (NOBODY + about, Says::Alive),
    };
    let lives = LIVES[how / AHEAD.len() % LIVES.len()];
    // The very last stamp that is believed can't be outbid: one of the two is near.
    let ahead = if lives == 0 { AHEAD[how % AHEAD.len()] } else { how as u64 % 3 };
    let lie = Lie { about, more, says, ahead, lives, table, bloat: 0 };
    Action::Forge { host, from: other, lie, by: Forger::Insider, victim: None }
}

/// What goes wrong by itself, and what applications do.
fn fault(cluster: Cluster, what: usize, host: usize, other: usize, amount: u8) -> Action {
    let share = f64::from(amount) / 512.0;
    let span = Duration::from_millis(50) * u32::from(amount);
    let links = |change| Action::Links { change };
    match what {
        0 => Action::Crash { host },
        1 => Action::Start { host, seeds: vec![other], forgetful: false },
        2 => Action::Leave { host },
        3 => Action::Join { host, seeds: vec![other] },
        4 => Action::Update { host },
        5 => Action::Broadcast { host },
        6 => Action::Freeze { host, span },
        7 => Action::Hold { host, span },
        8 => Action::Partition { groups: vec![vec![host]] },
        9 => Action::Mend,
        10 => links(LinkChange { loss: Some(share), ..LinkChange::default() }),
        11 => links(LinkChange {
            duplicates: Some(share),
            reordered: Some(share),
            ..LinkChange::default()
        }),
        12 => Action::Cut { from: vec![host], to: vec![other] },
        13 => Action::Remove { host, subject: other },
        14 => Action::Jump { host, span, back: amount & 1 == 1 },
        _ => links(LinkChange {
            // Where nothing shows that something was changed, it would be as if a member lied.
            flipped: cluster.shows_changes().then_some(share),
            stream_resets: Some(share),
            ..LinkChange::default()
        }),
    }
}

/// How many nodes there are.
const SIZE: usize = 3;

/// The highest bit of the first byte says whether they have a key, ...
const SEALED_SHIFT: u32 = 7;

/// ... and the next two, what they speak.
const DIALECT_SHIFT: u32 = 5;

/// From this number on, an action is one of [`harm`], where that can be told, ...
const HARM: u8 = 0xe0;

/// ... and from this one on, a [`lie`].
const LIES: u8 = 0xf0;

/// So many incarnations ahead of what a member spoke under.
const AHEAD: [u64; 4] = [0, 1, 1_000, INCARNATION_MAX - 2];

/// So many lives ahead: as many as one that starts anew now, and near to where it gets implausible
/// for members themselves, and for others.
const LIVES: [u64; 6] = [0, 0, 1, 1_000, LIFE_AHEAD_MILLIS / 2 + 1_000, LIFE_AHEAD_MILLIS - 10_000];

/// On hosts from this one on there is nobody.
const NOBODY: usize = 1_000;

/// Actions of one script at most.
const STEPS_MAX: usize = 48;

/// For how long the world goes on once all is mended.
const END: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

    use swim_core::{Reject, Stamp, State};
    use swim_sim::{Forged, Step};

    use super::*;

    /// X2, X4: with the scripts that the fuzzer begins with, what is recorded and what is forged
    /// comes, and is refused.
    #[test]
    fn x4_what_is_recorded_and_forged_arrives() {
        let world = played(include_bytes!("../../corpus/cluster/recorded"), None);
        assert!(world.tally.replays > 0, "nothing was sent again");
        assert!(world.sum(|stats| stats.rejected_for(Reject::Replayed)) > 0);
        assert!(world.sum(|stats| stats.rejected_for(Reject::FormerLife)) > 0);
        let world = played(include_bytes!("../../corpus/cluster/forged"), None);
        assert!(world.sum(|stats| stats.rejected_for(Reject::Plaintext)) > 0);
    }

    /// Notes which lies of those who have the key were believed, by their kind.
    #[derive(Default)]
    struct Credulity {
        lies: BTreeMap<(String, Stamp, State), &'static str>,
        believed: Rc<RefCell<BTreeMap<&'static str, u64>>>,
    }

    impl Checker for Credulity {
        fn id(&self) -> &'static str {
            "credulity"
        }

        fn forged(&mut self, forged: &Forged) {
            for tale in forged.tales.iter().filter(|_| forged.flaw.is_none()) {
                self.lies.insert((tale.name.to_string(), tale.stamp, tale.state), tale.kind);
            }
        }

        fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
            for turn in step.transitions {
                let Some((stamp, state)) = turn.after else { continue };
                if let Some(kind) = self.lies.get(&(turn.name.to_string(), stamp, state)) {
                    *self.believed.borrow_mut().entry(kind).or_default() += 1;
                }
            }
            Ok(())
        }

        fn looks(&self) -> u64 {
            self.lies.len() as u64
        }
    }

    /// Which kinds of lies are believed in a script.
    fn believed(data: &[u8]) -> Vec<&'static str> {
        let credulity = Credulity::default();
        let believed = Rc::clone(&credulity.believed);
        played(data, Some(Box::new(credulity)));
        believed.take().into_keys().collect()
    }

    /// X7, X9: with the scripts that the fuzzer begins with, those are believed who have the key,
    /// under the checks and beside the model.
    #[test]
    fn x7_those_who_have_the_key_are_believed() {
        let all = ["accusation", "crowd", "farewell", "hijack", "poison"];
        let native = include_bytes!("../../corpus/cluster/insider");
        assert_eq!(believed(native), all);
        let memberlist = include_bytes!("../../corpus/cluster/insider-memberlist");
        assert_eq!(believed(memberlist), all);
    }
}
