//! The applications, each on a few nodes.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use examples::{
    chat::{Chat, Happening, Unsaid, say},
    registry::{Change, Endpoint, Offer, Registry},
    sharding::{self, Shard},
    typed::{MetaProblem, Typed, announce, decode},
};
use serde::{Deserialize, Serialize};
use swim_driver::{Error, Runtime, swim_core::Name};

use super::nodes::{Member, cluster, on_every_runtime, soon, start, start_at, until};

on_every_runtime! {
    a_registry_tells_what_comes_drains_and_goes
    a_registry_lives_with_what_others_say
    a_reader_that_fell_behind_finds_its_way_back
    a_registry_that_missed_a_move_tells_of_it_and_repeats_nothing
    a_chat_shows_every_line_once
    a_chat_that_nobody_read_says_so_and_who_is_there
    what_cannot_be_said_is_an_error
    all_agree_on_the_owners_of_keys
    keys_of_a_lost_member_move_to_the_others_and_no_others_move
    typed_metadata_is_read_by_whoever_knows_its_version
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn offer(is_draining: bool) -> Offer {
    Offer { service: "web".into(), port: 8_080, weight: 1, is_draining }
}

fn endpoint(offer: Offer) -> Endpoint {
    Endpoint { addr: SocketAddr::from(([127, 0, 0, 1], offer.port)), offer }
}

/// Changes metadata more often than the queue of events is long.
async fn overflow(member: &swim_driver::Handle) {
    for port in 0..5_000 {
        let other = Offer { service: "other".into(), port, ..offer(false) };
        announce(member, &other).await.unwrap().unwrap();
    }
}

async fn expect<R: Runtime>(registry: &mut Registry, wanted: Change) {
    let what = format!("{wanted:?}");
    let change = soon::<R, _>(&what, registry.next()).await;
    assert_eq!(change, Some(wanted));
}

async fn a_registry_tells_what_comes_drains_and_goes<R: Runtime>() {
    let [watcher, server, other] =
        cluster::<R>(&["watcher", "server", "other"]).await.try_into().ok().unwrap();
    let mut registry = Registry::new(watcher.mirror, "web");
    announce(&server.handle, &offer(false)).await.unwrap().unwrap();
    expect::<R>(&mut registry, Change::Added(name("server"), endpoint(offer(false)))).await;
    announce(&other.handle, &offer(true)).await.unwrap().unwrap();
    expect::<R>(&mut registry, Change::Draining(name("other"), endpoint(offer(true)))).await;
    announce(&other.handle, &offer(false)).await.unwrap().unwrap();
    expect::<R>(&mut registry, Change::Changed(name("other"), endpoint(offer(false)))).await;
    announce(&server.handle, &offer(true)).await.unwrap().unwrap();
    expect::<R>(&mut registry, Change::Draining(name("server"), endpoint(offer(true)))).await;
    let targets = registry.targets().map(|(name, _)| name.to_string());
    assert_eq!(targets.collect::<Vec<_>>(), ["other"]);
    let elsewhere = Offer { port: 9, ..offer(false) };
    announce(&server.handle, &elsewhere).await.unwrap().unwrap();
    expect::<R>(&mut registry, Change::Changed(name("server"), endpoint(elsewhere))).await;
    server.handle.leave(Duration::from_secs(5)).await.unwrap();
    expect::<R>(&mut registry, Change::Removed(name("server"))).await;
    other.handle.shutdown().await;
    expect::<R>(&mut registry, Change::Removed(name("other"))).await;
}

async fn a_registry_lives_with_what_others_say<R: Runtime>() {
    let [watcher, odd] = cluster::<R>(&["watcher", "odd"]).await.try_into().ok().unwrap();
    let mut registry = Registry::new(watcher.mirror, "web");
    announce(&odd.handle, &offer(false)).await.unwrap().unwrap();
    expect::<R>(&mut registry, Change::Added(name("odd"), endpoint(offer(false)))).await;
    odd.handle.update_meta(&b"\x63hello"[..]).await.unwrap();
    let problem = MetaProblem::Version { found: 0x63 };
    expect::<R>(&mut registry, Change::Unreadable(name("odd"), problem)).await;
    assert_eq!(registry.targets().count(), 0);
    odd.handle.update_meta(&b"\x01\xff\xff\xff"[..]).await.unwrap();
    expect::<R>(&mut registry, Change::Unreadable(name("odd"), MetaProblem::Malformed)).await;
    announce(&odd.handle, &offer(false)).await.unwrap().unwrap();
    expect::<R>(&mut registry, Change::Added(name("odd"), endpoint(offer(false)))).await;
}

async fn a_reader_that_fell_behind_finds_its_way_back<R: Runtime>() {
    let watcher = start::<R>("watcher").await;
    let mut registry = Registry::new(watcher.mirror, "web");
    // More changes than the queue of events holds, before anybody reads.
    for port in 0..5_000 {
        let offered = Offer { port, ..offer(false) };
        announce(&watcher.handle, &offered).await.unwrap().unwrap();
    }
    let last = Offer { port: 4_999, ..offer(false) };
    while registry.targets().next().is_none_or(|(_, found)| found.offer != last) {
        assert!(soon::<R, _>("the last offer", registry.next()).await.is_some());
    }
    let missed = watcher.handle.io_stats().events_missed;
    assert!(missed > 0, "nothing was missed, so nothing was tested");
}

async fn a_registry_that_missed_a_move_tells_of_it_and_repeats_nothing<R: Runtime>() {
    let [watcher, server, odd] =
        cluster::<R>(&["watcher", "server", "odd"]).await.try_into().ok().unwrap();
    let mut registry = Registry::new(watcher.mirror, "web");
    announce(&server.handle, &offer(false)).await.unwrap().unwrap();
    expect::<R>(&mut registry, Change::Added(name("server"), endpoint(offer(false)))).await;
    odd.handle.update_meta(&b"\x63hello"[..]).await.unwrap();
    let problem = MetaProblem::Version { found: 0x63 };
    expect::<R>(&mut registry, Change::Unreadable(name("odd"), problem)).await;

    overflow(&watcher.handle).await;
    server.handle.leave(Duration::from_secs(5)).await.unwrap();
    server.handle.shutdown().await;
    let moved = start_at::<R>("server", "127.0.0.2:0").await;
    announce(&moved.handle, &offer(false)).await.unwrap().unwrap();
    moved.handle.join([watcher.handle.addr().to_string()]).await.unwrap();
    until::<R>("the server is where it moved to", || {
        watcher.handle.member("server").is_some_and(|member| member.addr == moved.handle.addr())
    })
    .await;

    let there = Endpoint { addr: ([127, 0, 0, 2], 8_080).into(), offer: offer(false) };
    expect::<R>(&mut registry, Change::Changed(name("server"), there.clone())).await;
    assert_eq!(registry.targets().collect::<Vec<_>>(), [(&name("server"), &there)]);
    announce(&odd.handle, &offer(false)).await.unwrap().unwrap();
    expect::<R>(&mut registry, Change::Added(name("odd"), endpoint(offer(false)))).await;
}

async fn a_chat_shows_every_line_once<R: Runtime>() {
    let names = ["ann", "bob", "cem"];
    let mut members = cluster::<R>(&names).await;
    let speaker = members[0].handle.clone();
    let mut chats = members.split_off(1).into_iter().map(|Member { mirror, .. }| Chat::new(mirror));
    let mut chats = [chats.next().unwrap(), chats.next().unwrap()];
    speaker.broadcast(&b"\xff\xff\xff of another application"[..]).await.unwrap();
    for number in 0..5 {
        say(&speaker, "lobby", &format!("line {number}")).await.unwrap();
    }
    for chat in &mut chats {
        let mut lines = Vec::new();
        while lines.len() < 5 {
            match soon::<R, _>("all lines are there", chat.next()).await.unwrap() {
                Happening::Said { by, room, text } => {
                    assert_eq!((by.as_str(), room.as_str()), ("ann", "lobby"));
                    lines.push(text);
                }
                Happening::Came(who) => assert!(names.contains(&who.as_str())),
                other => panic!("{other}"),
            }
        }
        lines.sort();
        assert_eq!(lines, (0..5).map(|number| format!("line {number}")).collect::<Vec<_>>());
    }
    speaker.shutdown().await;
    for chat in &mut chats {
        let went = soon::<R, _>("ann is missed", chat.next()).await;
        assert_eq!(went, Some(Happening::Went(name("ann"))));
    }
}

async fn a_chat_that_nobody_read_says_so_and_who_is_there<R: Runtime>() {
    let [ann, _bob, cem] = cluster::<R>(&["ann", "bob", "cem"]).await.try_into().ok().unwrap();
    let mut chat = Chat::new(ann.mirror);
    for _ in 0..3 {
        let came = soon::<R, _>("all are there", chat.next()).await.unwrap();
        assert!(matches!(came, Happening::Came(_)), "{came}");
    }
    overflow(&ann.handle).await;
    cem.handle.shutdown().await;
    until::<R>("cem is missed", || ann.handle.counts().live() == 2).await;
    let dan = start::<R>("dan").await;
    dan.handle.join([ann.handle.addr().to_string()]).await.unwrap();
    until::<R>("dan is there", || ann.handle.counts().live() == 3).await;

    let missed = soon::<R, _>("ann hears that she missed something", chat.next()).await;
    assert!(matches!(missed, Some(Happening::Missed(1..))), "{missed:?}");
    let went = soon::<R, _>("ann hears who went", chat.next()).await;
    let came = soon::<R, _>("ann hears who came", chat.next()).await;
    let mut both = [went, came].map(|happening| happening.unwrap().to_string());
    both.sort();
    assert_eq!(both, ["* cem is gone", "* dan is here"]);
}

async fn what_cannot_be_said_is_an_error<R: Runtime>() {
    let ann = start::<R>("ann").await;
    let unsaid = say(&ann.handle, "lobby", &"too long ".repeat(1_000)).await;
    assert!(matches!(unsaid, Err(Unsaid::Broadcast(Error::Send(_)))), "{unsaid:?}");
}

async fn all_agree_on_the_owners_of_keys<R: Runtime>() {
    let mut members = cluster::<R>(&["a", "b", "c", "d"]).await;
    let keys = (0..200_u32).map(u32::to_be_bytes).collect::<Vec<_>>();
    let owners = |member: &Member| {
        let live = member.handle.members();
        let names = |key: &[u8; 4]| {
            let owners = sharding::owners(key, &live, 2).into_iter().map(String::from);
            owners.collect::<Vec<_>>()
        };
        keys.iter().map(names).collect::<Vec<_>>()
    };
    let before = owners(&members[0]);
    assert!(members.iter().all(|member| owners(member) == before));
    members.pop().unwrap().handle.shutdown().await;
    for member in &members {
        until::<R>("d is missed", || member.handle.counts().live() == 3).await;
        for (former, now) in before.iter().zip(owners(member)) {
            match former.iter().position(|owner| owner == "d") {
                None => assert_eq!(*former, now, "what d did not have stays where it is"),
                Some(place) => assert_eq!(former[1 - place], now[0], "the other copy stays"),
            }
        }
    }
}

async fn keys_of_a_lost_member_move_to_the_others_and_no_others_move<R: Runtime>() {
    let keys = (0..200).map(|number| format!("key-{number}")).collect::<Vec<_>>();
    let mut members = cluster::<R>(&["a", "b", "c"]).await;
    let lost = members.pop().unwrap().handle;
    let mut shards = members.into_iter().map(|Member { mirror, .. }| {
        let name = mirror.handle().name().to_string();
        (name, Shard::new(mirror, keys.clone()))
    });
    let mut shards = [shards.next().unwrap(), shards.next().unwrap()];
    let owned = |name: &str, live: &[&str]| {
        let owner = |key: &&String| sharding::owner(key.as_bytes(), live.iter().copied());
        keys.iter().filter(|key| owner(key) == Some(name)).cloned().collect::<BTreeSet<_>>()
    };
    for (name, shard) in &mut shards {
        let wanted = owned(name, &["a", "b", "c"]);
        while *shard.keys() != wanted {
            assert!(soon::<R, _>("each has its share", shard.next()).await.is_some());
        }
    }
    lost.shutdown().await;
    let mut heirs = 0;
    for (name, shard) in &mut shards {
        let moved = soon::<R, _>("c is missed", shard.next()).await.unwrap();
        assert_eq!(moved.lost, [""; 0]);
        heirs += moved.gained.len();
        assert_eq!(*shard.keys(), owned(name, &["a", "b"]));
    }
    assert_eq!(heirs, owned("c", &["a", "b", "c"]).len());
}

/// What two versions of a program say about themselves.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Load<const VERSION: u8> {
    percent: u8,
}

impl<const V: u8> Typed for Load<V> {
    const VERSION: u8 = V;
}

async fn typed_metadata_is_read_by_whoever_knows_its_version<R: Runtime>() {
    let [reader, old, new] = cluster::<R>(&["reader", "old", "new"]).await.try_into().ok().unwrap();
    announce(&old.handle, &Load::<1> { percent: 10 }).await.unwrap().unwrap();
    announce(&new.handle, &Load::<2> { percent: 20 }).await.unwrap().unwrap();
    let meta = |name: &str| reader.handle.member(name).unwrap().meta.clone();
    until::<R>("both are heard", || !meta("old").is_empty() && !meta("new").is_empty()).await;
    assert_eq!(decode(&meta("old")), Ok(Load::<1> { percent: 10 }));
    assert_eq!(decode(&meta("new")), Ok(Load::<2> { percent: 20 }));
    assert_eq!(decode::<Load<1>>(&meta("new")), Err(MetaProblem::Version { found: 2 }));
    assert_eq!(decode::<Load<1>>(&meta("reader")), Err(MetaProblem::Empty));
}
