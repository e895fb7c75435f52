//! Every future of the public surface, dropped at every point where it waits: nothing that was
//! begun is lost or done twice, nothing gets stuck, and no task stays.

use std::{collections::BTreeMap, time::Duration};

use swim_driver::{
    Builder, Runtime,
    surface::{EventKind, Events, Handle, Instant, Key, Notice, StopReason},
};

use super::toy::Toy;
use crate::{
    counted::Counted,
    nodes::{is_free, join, quick},
    platform::Platform,
    waiting::{GENEROUS, both, polled, soon, until, within},
};

type Runtimes<P> = Counted<<P as Platform>::Runtime>;

fn counted<P: Platform>() -> Runtimes<P> {
    Counted::new(P::Runtime::current().unwrap())
}

fn node<P: Platform>(name: &str, runtime: &Runtimes<P>) -> Builder<Runtimes<P>> {
    Builder::local(name)
        .bind("127.0.0.1:0")
        .key(key(1))
        .runtime(runtime.clone())
        .options(|options| options.gossip_interval = Duration::from_millis(20))
}

async fn start<P: Platform>(name: &str, runtime: &Runtimes<P>) -> (Handle, Events) {
    node::<P>(name, runtime).start().await.unwrap()
}

fn key(byte: u8) -> Key {
    Key::new(&[byte; 32]).unwrap()
}

struct Pair<P: Platform> {
    runtime: Runtimes<P>,
    a: (Handle, Events),
    b: (Handle, Events),
}

impl<P: Platform> Pair<P> {
    async fn new() -> Self {
        let runtime = counted::<P>();
        let (a, b) = (start::<P>("a", &runtime).await, start::<P>("b", &runtime).await);
        join(&a.0, &b.0).await;
        until::<P>("both know each other", || b.0.members().len() == 2).await;
        Self { runtime, a, b }
    }

    /// Both answer each other, and what was begun and left has ended.
    async fn check(&self) {
        soon::<P, _>("it answers", self.a.0.ping("b")).await.unwrap();
        soon::<P, _>("it answers", self.b.0.ping("a")).await.unwrap();
        until::<P>("no task is left over", || self.runtime.alive() == 2).await;
        assert_eq!((self.a.0.members().len(), self.b.0.members().len()), (2, 2));
    }
}

/// Drops what `begin` makes after 0, 1, 2 .. polls, until it ends by itself.
async fn drop_at_every_await<P: Platform, T>(
    what: &str,
    mut begin: impl AsyncFnMut() -> T,
) -> usize {
    for polls in 0..100 {
        if soon::<P, _>(what, polled(polls, begin())).await.is_some() {
            assert!(polls > 0, "{what}: nothing was polled");
            return polls;
        }
    }
    panic!("{what} never ends");
}

macro_rules! commands {
    ($($method:ident($($arg:expr),*);)*) => {
        #[cfg(test)]
        /// The methods of a handle that are dropped everywhere by the first case.
        const COMMANDS: &[&str] = &[$(stringify!($method)),*];

        pub async fn every_command_at_every_await<P: Platform>() {
            let pair = Pair::<P>::new().await;
            let node = &pair.a.0;
            $(
                drop_at_every_await::<P, _>(stringify!($method), async || {
                    let _any = node.$method($($arg),*).await;
                })
                .await;
                pair.check().await;
            )*
            let known = node.key_ids().await.unwrap();
            assert_eq!(known, [key(1).id()], "the second key was added and removed");
        }
    };
}

commands! {
    update_meta("x");
    broadcast("x");
    send_best_effort("b", "x");
    send_reliable("b", vec![1; 100_000]);
    ping("b");
    remove("nobody");
    set_local_state("x");
    set_ack_payload("x");
    add_key(key(2));
    use_key(key(1).id());
    remove_key(key(2).id());
    key_ids();
    stats();
    health();
    sample();
    call(|_, _| ());
    join_within([LOCALHOST], Duration::from_secs(5));
}

/// Nobody listens there: the join looks the name up, tries, and fails.
const LOCALHOST: &str = "localhost:1";

/// What the other cases drop.
#[cfg(test)]
const ELSEWHERE: &[&str] = &[
    "join",
    "leave",
    "shutdown",
    "stopped",
    "next",
    "start",
    "start_machine",
    "call",
    "request",
    // A sample, and nothing else to wait for.
    "record_metrics",
];

/// Messages of each kind, sent by futures that were dropped: each that was begun arrives once.
pub async fn what_was_begun_happens_once<P: Platform>() {
    let mut pair = Pair::<P>::new().await;
    let a = pair.a.0.clone();
    let mut polls = 0_usize;
    let mut is_over = [false; 2];
    while is_over != [true; 2] {
        let name = polls.to_string();
        is_over[0] |= polled(polls, a.send_reliable("b", name.clone())).await.is_some();
        is_over[1] |= polled(polls, a.broadcast(name)).await.is_some();
        polls += 1;
    }
    a.send_reliable("b", "end").await.unwrap();
    let mut heard: BTreeMap<(bool, Vec<u8>), usize> = BTreeMap::new();
    let wanted = 2 * (polls - 1) + 1;
    soon::<P, _>("all that was begun has arrived", async {
        while heard.len() < wanted {
            let Some(Notice::Event(event)) = pair.b.1.next().await else { panic!("it runs") };
            match event.kind {
                EventKind::Message { payload, .. } => {
                    *heard.entry((true, payload.to_vec())).or_default() += 1;
                }
                EventKind::Broadcast { payload, .. } => {
                    *heard.entry((false, payload.to_vec())).or_default() += 1;
                }
                _ => {}
            }
        }
    })
    .await;
    assert!(heard.values().all(|times| *times == 1), "{heard:?}");
    let unpolled = b"0".to_vec();
    assert!(!heard.contains_key(&(true, unpolled.clone())));
    assert!(!heard.contains_key(&(false, unpolled)));
    pair.check().await;
}

pub async fn joins_at_every_await<P: Platform>() {
    let runtime = counted::<P>();
    let (a, _events) = start::<P>("a", &runtime).await;
    let (b, _events) = start::<P>("b", &runtime).await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unending = [silent.local_addr().unwrap().to_string(), "localhost:1".into()];
    for polls in 0..4 {
        // It may need fewer polls than that before it waits for good.
        let join = polled(polls, a.join(unending.clone()));
        let _left = within::<P, _>(Duration::from_millis(50), join).await;
        until::<P>("the attempt has ended", || runtime.alive() == 2).await;
    }
    let seed = format!("localhost:{}", b.addr().port());
    drop_at_every_await::<P, _>("join", async || a.join([seed.clone()]).await.unwrap()).await;
    until::<P>("both know each other", || a.members().len() == 2 && b.members().len() == 2).await;
    until::<P>("no task is left over", || runtime.alive() == 2).await;
}

pub async fn leaves_at_every_await<P: Platform>() {
    for polls in 0.. {
        let pair = Pair::<P>::new().await;
        let left = soon::<P, _>("it leaves", polled(polls, pair.a.0.leave(GENEROUS))).await;
        if polls == 0 {
            pair.check().await;
            continue;
        }
        until::<P>("the other knows", || pair.b.0.members().len() == 1).await;
        assert_eq!(pair.b.0.counts().left, 1);
        if left.is_some() {
            break;
        }
    }
}

pub async fn stops_at_every_await<P: Platform>() {
    let pair = Pair::<P>::new().await;
    for polls in 0..4 {
        let stopped = polled(polls, pair.a.0.stopped());
        let _waits = within::<P, _>(Duration::from_millis(20), stopped).await;
    }
    pair.check().await;
    for polls in 0.. {
        let runtime = counted::<P>();
        let (a, mut events) = start::<P>("a", &runtime).await;
        let stopped = soon::<P, _>("it stops", polled(polls, a.shutdown())).await;
        assert_eq!(a.is_running(), polls == 0);
        if polls == 0 {
            continue;
        }
        soon::<P, _>("the events end", async { while events.next().await.is_some() {} }).await;
        assert_eq!(soon::<P, _>("it has stopped", a.stopped()).await, StopReason::Shutdown);
        until::<P>("no task is left over", || runtime.alive() == 0).await;
        assert!(is_free(a.addr()));
        if stopped.is_some() {
            break;
        }
    }
}

pub async fn reads_of_events_at_every_await<P: Platform>() {
    let runtime = counted::<P>();
    let (a, mut events) = start::<P>("a", &runtime).await;
    let mut next_seq = 0;
    for round in 0..100_usize {
        // Outside of the reader: what it has read stays read when it is dropped.
        let mut seen = Vec::new();
        let reader = async {
            for polls in [0, 1, round % 3] {
                match polled(polls, events.next()).await {
                    Some(Some(Notice::Event(event))) => seen.push(event.seq),
                    Some(other) => panic!("{other:?}"),
                    None => {}
                }
            }
        };
        let reader = within::<P, _>(Duration::from_millis(50), reader);
        let (sent, _left) = both(a.broadcast("x"), reader).await;
        sent.unwrap();
        for seq in seen {
            assert_eq!(seq, next_seq, "no hole, and nothing twice");
            next_seq += 1;
        }
    }
    let rest = core::iter::from_fn(|| events.try_next()).count();
    let all = next_seq + u64::try_from(rest).unwrap();
    assert_eq!(all, a.snapshot().next_seq, "what was not read is still there");
    assert!(next_seq > 0, "some were read");
}

pub async fn starts_at_every_await<P: Platform>() {
    let runtime = counted::<P>();
    let free = {
        let (a, _events) = start::<P>("a", &runtime).await;
        a.shutdown().await;
        a.addr()
    };
    until::<P>("no task is left over", || runtime.alive() == 0).await;
    let builder = node::<P>("a", &runtime).bind(free.to_string()).advertise("localhost");
    for polls in 0.. {
        let started = soon::<P, _>("it starts", polled(polls, builder.clone().start())).await;
        let Some(started) = started else {
            assert_eq!(runtime.alive(), 0, "nothing was started");
            assert!(is_free(free));
            continue;
        };
        started.unwrap().0.shutdown().await;
        break;
    }
    until::<P>("no task is left over", || runtime.alive() == 0).await;
    let make = |_, _: [u8; 32], _: Instant| Toy::default();
    for polls in 0.. {
        let start = builder.clone().start_machine(make);
        if let Some(started) = soon::<P, _>("it starts", polled(polls, start)).await {
            started.unwrap().0.shutdown().await;
            break;
        }
        assert!(runtime.alive() == 0 && is_free(free));
    }
}

pub async fn calls_of_another_machine_at_every_await<P: Platform>() {
    let (toy, mut events) = quick::<P>("a").start_machine(|_, _, _| Toy::default()).await.unwrap();
    drop_at_every_await::<P, _>("call", async || toy.call(|_, _| ()).await.unwrap()).await;
    let mut begun = 0;
    for polls in 0.. {
        let request = toy.request(|toy, _| {
            let ticket = toy.next_event;
            toy.happen();
            Ok::<_, ()>(ticket)
        });
        begun += u64::from(polls > 0);
        if soon::<P, _>("request", polled(polls, request)).await.is_some() {
            break;
        }
    }
    for seq in 0..begun {
        let notice = soon::<P, _>("all that was begun happens", events.next()).await;
        assert_eq!(notice, Some(Notice::Event(seq)));
    }
    assert_eq!(events.try_next(), None);
    for polls in 0.. {
        if soon::<P, _>("shutdown", polled(polls, toy.shutdown())).await.is_some() {
            break;
        }
    }
    assert_eq!(soon::<P, _>("it has stopped", toy.stopped()).await, StopReason::Shutdown);
}

/// A new method must be dropped somewhere too.
#[test]
fn every_future_of_the_surface_is_dropped() {
    let sources = [
        include_str!("../../../swim-driver/src/handle.rs"),
        include_str!("../../../swim-driver/src/remote.rs"),
        include_str!("../../../swim-driver/src/events.rs"),
        include_str!("../../../swim-driver/src/builder.rs"),
    ];
    let mut found = 0;
    for text in sources {
        let text = text.split("#[cfg(test)]").next().unwrap();
        for item in text.split("    pub ").skip(1) {
            let signature = item.split('{').next().unwrap();
            if !signature.starts_with("async fn") && !signature.contains("impl Future") {
                continue;
            }
            let (_, rest) = signature.split_once("fn ").unwrap();
            let name = rest.split(['(', '<']).next().unwrap();
            found += 1;
            assert!(
                COMMANDS.contains(&name) || ELSEWHERE.contains(&name),
                "{name} is dropped nowhere"
            );
        }
    }
    assert!(found > 25, "only {found} were found");
}
